// SPDX-License-Identifier: LGPL-2.1-or-later
/* A LUN on the simulated kernel.  See rig.h. */
#include "rig.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Thread_local struct sim_command latest;

struct rig_options rig_defaults(void)
{
	return (struct rig_options){
		.sim = {
			.queues = 1,
			.depth = 32,
			.slot_size = 65536,
			.block_size = 512,
			.device_size = 8 << 20,
		},
	};
}

static void *main_loop(void *argument)
{
	struct rig *rig = argument;

	while (!__atomic_load_n(&rig->ending, __ATOMIC_ACQUIRE)) {
		struct pollfd fd = { .fd = rig->dev->event_fd, .events = POLLIN };

		if (poll(&fd, 1, 5) >= 0)
			__atomic_fetch_or(&rig->seen_events, dev_events(rig->dev), __ATOMIC_RELEASE);
	}
	return NULL;
}

static void release(struct rig *rig)
{
	dev_free(rig->dev);
	config_free(rig->config);
	handler_free(rig->handler);
	sim_free(rig->sim);
	free(rig);
}

static int keep(void *data, int fd)
{
	int *kept = data;

	if (*kept >= 0)
		close(*kept);
	*kept = fd < 0 ? -1 : dup(fd);
	return 0;
}

static int kept(void *data)
{
	const int *fd = data;

	return *fd < 0 ? -1 : dup(*fd);
}

static const struct dev_keeper keeper = { .keep = keep, .kept = kept };

static bool open_rig(struct rig *rig, const struct rig_options *options, char **error)
{
	const struct sim_options *sim = &options->sim;

	if (options->plugin) {
		g_autofree char *path = g_strdup_printf("%s/%s.so", TEST_HANDLER_DIR, options->plugin);

		rig->handler = handler_load(path, options->plugin, error);
	} else {
		rig->handler = handler_adopt(options->handler, options->handler->name, error);
	}
	if (!rig->handler)
		return false;
	rig->config =
		config_parse(&rig->handler->table, options->config, sim->device_size, sim->block_size, error);
	if (!rig->config)
		return false;
	rig->dev = dev_new("test", &sim_device_ops, rig->sim);
	rig->dev->force_poll = options->force_poll;
	rig->dev->known_identity = g_strdup(options->known_identity);
	rig->dev->keeper = options->kept ? &keeper : NULL;
	rig->dev->keeper_data = options->kept;
	sim_refuse_start(rig->sim, options->refusal);
	return dev_open(rig->dev, rig->handler, rig->config, error) == 0;
}

struct rig *rig_open(const struct rig_options *options, char **error)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	rig->sim = sim_new(&options->sim);
	if (!open_rig(rig, options, error)) {
		release(rig);
		return NULL;
	}
	rig->has_thread = pthread_create(&rig->main_thread, NULL, main_loop, rig) == 0;
	return rig;
}

struct rig *rig_new(const struct rig_options *options)
{
	g_autofree char *error = NULL;
	struct rig *rig = rig_open(options, &error);

	cr_assert(rig, "the LUN does not open: %s", error ? error : "?");
	return rig;
}

void rig_free(struct rig *rig)
{
	__atomic_store_n(&rig->ending, true, __ATOMIC_RELEASE);
	if (rig->has_thread)
		pthread_join(rig->main_thread, NULL);
	cr_assert_eq(dev_stop(rig->dev), 0, "the LUN does not stop");
	cr_expect_null(sim_violation(rig->sim), "a rule of the ring was broken");
	release(rig);
}

/* ---- single commands ---- */

static int execute(struct rig *rig, struct sim_command command)
{
	latest = command;
	return sim_execute(rig->sim, &latest);
}

int rig_read(struct rig *rig, uint64_t lba, uint32_t blocks, void *data)
{
	return execute(rig, (struct sim_command){ .op = SCUSE_OP_READ,
						  .lba = lba,
						  .blocks = blocks,
						  .data_len = blocks * rig->dev->block_size,
						  .data_in = data });
}

int rig_write(struct rig *rig, uint64_t lba, uint32_t blocks, const void *data, uint16_t flags)
{
	return execute(rig, (struct sim_command){ .op = SCUSE_OP_WRITE,
						  .flags = flags,
						  .lba = lba,
						  .blocks = blocks,
						  .data_len = blocks * rig->dev->block_size,
						  .data_out = data });
}

int rig_flush(struct rig *rig)
{
	return execute(rig, (struct sim_command){ .op = SCUSE_OP_FLUSH });
}

int rig_write_same(struct rig *rig, uint64_t lba, uint32_t blocks, const void *block, uint16_t flags)
{
	return execute(rig, (struct sim_command){ .op = SCUSE_OP_WRITE_SAME,
						  .flags = flags,
						  .lba = lba,
						  .blocks = blocks,
						  .data_len = rig->dev->block_size,
						  .data_out = block });
}

int rig_unmap(struct rig *rig, const struct scuse_range *ranges, uint32_t count)
{
	return execute(rig, (struct sim_command){ .op = SCUSE_OP_UNMAP,
						  .data_len = count * (uint32_t)sizeof(*ranges),
						  .data_out = ranges });
}

int rig_extents(struct rig *rig, uint64_t lba, uint32_t blocks, struct scuse_extent *out, uint32_t room)
{
	int status = execute(rig, (struct sim_command){ .op = SCUSE_OP_EXTENTS,
							.lba = lba,
							.blocks = blocks,
							.data_len = room * (uint32_t)sizeof(*out),
							.data_in = out });

	return status == SAM_GOOD ? (int)(latest.returned / sizeof(*out)) : -1;
}

int rig_format(struct rig *rig)
{
	return execute(rig, (struct sim_command){ .op = SCUSE_OP_FORMAT });
}

int rig_sanitize(struct rig *rig, enum scuse_sanitize method, const void *pattern, uint32_t length)
{
	return execute(rig, (struct sim_command){ .op = SCUSE_OP_SANITIZE,
						  .blocks = method,
						  .data_len = length,
						  .data_out = pattern });
}

int rig_read_protected(struct rig *rig, uint64_t lba, uint32_t blocks, void *data, void *protection)
{
	return execute(rig, (struct sim_command){ .op = SCUSE_OP_READ,
						  .lba = lba,
						  .blocks = blocks,
						  .data_len = blocks * rig->dev->block_size,
						  .data_in = data,
						  .protection_in = protection });
}

int rig_write_protected(struct rig *rig, uint64_t lba, uint32_t blocks, const void *data,
			const void *protection)
{
	return execute(rig, (struct sim_command){ .op = SCUSE_OP_WRITE,
						  .lba = lba,
						  .blocks = blocks,
						  .data_len = blocks * rig->dev->block_size,
						  .data_out = data,
						  .protection_out = protection });
}

int rig_write_same_protected(struct rig *rig, uint64_t lba, uint32_t blocks, const void *block,
			     const void *protection)
{
	return execute(rig, (struct sim_command){ .op = SCUSE_OP_WRITE_SAME,
						  .lba = lba,
						  .blocks = blocks,
						  .data_len = rig->dev->block_size,
						  .data_out = block,
						  .protection_out = protection });
}

uint32_t rig_sense(const struct rig *rig)
{
	(void)rig;
	if (!latest.sense_len)
		return 0;
	if ((latest.sense[0] & 0x7f) >= 0x72)
		return (uint32_t)(latest.sense[1] << 16 | latest.sense[2] << 8 | latest.sense[3]);
	return (uint32_t)(latest.sense[2] << 16 | latest.sense[12] << 8 | latest.sense[13]);
}

/* ---- torture ---- */

/*
 * A lane has a range of blocks and a model of their contents to itself, and one command at a time in flight.
 */
struct lane {
	struct rig *rig;
	unsigned int seed, commands;
	uint32_t queue, block_size, max_blocks;
	uint64_t first, blocks; /* its range */
	unsigned char *model, *buffer;
	unsigned char *protection, *protection_buffer; /* likewise; NULL: the LUN has none */
	bool shared;				       /* others use the range too */
	const char *failure;
};

static unsigned int pick(struct lane *lane, unsigned int below)
{
	lane->seed = lane->seed * 1103515245 + 12345;
	return (lane->seed >> 8) % below;
}

static int lane_run(struct lane *lane, struct sim_command *command)
{
	sim_submit(lane->rig->sim, lane->queue, command);
	return sim_wait(lane->rig->sim, command) ? command->status : -1;
}

/* What goes with a write: for most of them something, for the others nothing, which leaves FFh. */
static const void *lane_protection(struct lane *lane, uint64_t at, uint32_t blocks)
{
	unsigned char *model = lane->protection ? lane->protection + at * 8 : NULL;
	bool given = model && pick(lane, 4);

	for (uint32_t i = 0; model && i < blocks * 8; i++)
		model[i] = given ? (unsigned char)pick(lane, 256) : 0xff;
	return given ? model : NULL;
}

static int lane_write(struct lane *lane, uint64_t at, uint32_t blocks)
{
	unsigned char *model = lane->model + at * lane->block_size;

	for (uint32_t i = 0; i < blocks * lane->block_size; i++)
		model[i] = (unsigned char)pick(lane, 256);
	return lane_run(lane, &(struct sim_command){ .op = SCUSE_OP_WRITE,
						     .flags = pick(lane, 4) ? 0 : SCUSE_SQE_F_FUA,
						     .lba = lane->first + at,
						     .blocks = blocks,
						     .data_len = blocks * lane->block_size,
						     .data_out = model,
						     .protection_out = lane_protection(lane, at, blocks) });
}

static int lane_read(struct lane *lane, uint64_t at, uint32_t blocks)
{
	uint32_t length = blocks * lane->block_size;
	struct sim_command read = {
		.op = SCUSE_OP_READ,
		.lba = lane->first + at,
		.blocks = blocks,
		.data_len = length,
		.data_in = lane->buffer,
		.protection_in = lane->protection_buffer,
	};
	int status = lane_run(lane, &read);

	if (lane->shared)
		return status;
	if (status)
		return status;
	if (lane->protection &&
	    memcmp(lane->protection_buffer, lane->protection + at * 8, (size_t)blocks * 8) != 0)
		return -3;
	return memcmp(lane->buffer, lane->model + at * lane->block_size, length) ? -2 : 0;
}

static int lane_write_same(struct lane *lane, uint64_t at, uint32_t blocks)
{
	int fill = pick(lane, 2) ? 0 : (int)pick(lane, 256);
	const void *protection;

	memset(lane->buffer, fill, lane->block_size);
	memset(lane->model + at * lane->block_size, fill, blocks * lane->block_size);
	protection = lane_protection(lane, at, 1);
	for (uint32_t i = 1; lane->protection && i < blocks; i++)
		memcpy(lane->protection + (at + i) * 8, lane->protection + at * 8, 8);
	return lane_run(lane, &(struct sim_command){ .op = SCUSE_OP_WRITE_SAME,
						     .flags = pick(lane, 2) ? SCUSE_SQE_F_UNMAP : 0,
						     .lba = lane->first + at,
						     .blocks = blocks,
						     .data_len = lane->block_size,
						     .data_out = lane->buffer,
						     .protection_out = protection });
}

/* Two ranges.  Only for handlers whose unmapped blocks read as zeros. */
static int lane_unmap(struct lane *lane, uint64_t at, uint32_t blocks)
{
	struct scuse_range ranges[2] = { { .lba = lane->first + at, .blocks = blocks / 2 },
					 { .lba = lane->first + at + blocks / 2,
					   .blocks = blocks - blocks / 2 } };

	if (!(sim_started(lane->rig->sim)->features & SCUSE_FEATURE_UNMAP_ZEROES))
		return 0;
	memset(lane->model + at * lane->block_size, 0, blocks * lane->block_size);
	if (lane->protection)
		memset(lane->protection + at * 8, 0xff, (size_t)blocks * 8);
	return lane_run(lane, &(struct sim_command){
				      .op = SCUSE_OP_UNMAP, .data_len = sizeof(ranges), .data_out = ranges });
}

static int lane_step(struct lane *lane)
{
	uint32_t most = MIN(lane->max_blocks, (uint32_t)lane->blocks);
	uint32_t blocks = 1 + pick(lane, pick(lane, 3) ? 16 < most ? 16 : most : most);
	uint64_t at = pick(lane, (unsigned int)(lane->blocks - blocks + 1));

	switch (pick(lane, 16)) {
	case 0:
		return lane_write_same(lane, at, blocks);
	case 1:
		return lane_unmap(lane, at, blocks);
	case 2:
		return lane_run(lane, &(struct sim_command){ .op = SCUSE_OP_FLUSH });
	}
	return pick(lane, 2) ? lane_write(lane, at, blocks) : lane_read(lane, at, blocks);
}

static void *lane_thread(void *argument)
{
	struct lane *lane = argument;

	for (unsigned int i = 0; i < lane->commands && !lane->failure; i++) {
		int status = lane_step(lane);

		if (status)
			lane->failure = status == -1   ? "no completion"
					: status == -2 ? "wrong data"
					: status == -3 ? "wrong protection information"
						       : "a bad status";
	}
	return NULL;
}

static void lane_init(struct lane *lane, struct rig *rig, unsigned int index, unsigned int lanes)
{
	uint64_t all = rig->dev->size / rig->dev->block_size;

	lane->rig = rig;
	lane->seed = 1 + index;
	lane->queue = index % rig->dev->nr_queues;
	lane->block_size = rig->dev->block_size;
	lane->max_blocks = rig->dev->info.slot_size / lane->block_size;
	lane->blocks = lane->shared ? 256 : all / lanes;
	lane->first = lane->shared ? 0 : lane->blocks * index;
	lane->model = calloc(lane->blocks, lane->block_size);
	lane->buffer = calloc(lane->max_blocks, lane->block_size);
	if (!rig->dev->info.pi_type)
		return;
	lane->protection = malloc(lane->blocks * 8);
	lane->protection_buffer = malloc((size_t)lane->max_blocks * 8);
	memset(lane->protection, 0xff, lane->blocks * 8);
}

static void run_lanes(struct rig *rig, unsigned int lanes, unsigned int commands, bool shared)
{
	struct lane *lane = calloc(lanes, sizeof(*lane));
	pthread_t *threads = calloc(lanes, sizeof(*threads));

	for (unsigned int i = 0; i < lanes; i++) {
		lane[i].shared = shared;
		lane[i].commands = commands / lanes;
		lane_init(&lane[i], rig, i, lanes);
		pthread_create(&threads[i], NULL, lane_thread, &lane[i]);
	}
	for (unsigned int i = 0; i < lanes; i++) {
		pthread_join(threads[i], NULL);
		cr_expect(!lane[i].failure, "lane %u: %s", i, lane[i].failure ? lane[i].failure : "");
		free(lane[i].model);
		free(lane[i].buffer);
		free(lane[i].protection);
		free(lane[i].protection_buffer);
	}
	free(lane);
	free(threads);
}

void rig_torture(struct rig *rig, unsigned int lanes, unsigned int commands)
{
	run_lanes(rig, lanes, commands, false);
}

void rig_collide(struct rig *rig, unsigned int lanes, unsigned int commands)
{
	run_lanes(rig, lanes, commands, true);
}
