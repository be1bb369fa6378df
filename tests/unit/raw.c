// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Raw LUNs in the worker: what START says of them, which commands reach the handler, unit attentions of a
 * real device, resets, and what is refused when the device, the kernel or the handler is not what it should
 * be.
 *
 * The handler is a device in name only: what it does is in the CDB.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "rig.h"

#define SOON  5000 /* milliseconds: on a machine that is busy */
#define NEVER 300

/* Operation codes of the handler. */
#define FILL 0xc0 /* returns CDB byte 1 bytes of AAh */
#define FAIL 0xc1 /* CHECK CONDITION; sense key, ASC and ASCQ are in the CDB */
#define WAIT 0xc2 /* until the device is reset, or told to go on */
#define FLAG 0xc3 /* returns scuse_io_flags() as 4 bytes */
#define PASS 0xc4 /* the same as FAIL, by scuse_fail_sense_data() */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static unsigned int waiting, resets; /* lock: of WAIT that are running; of lu_reset so far */
static bool open_gate;		     /* lock: WAIT goes on */
static int reset_result;
static struct scuse_caps told; /* what probe says */
static void (*while_opening)(struct scuse_dev *dev);

static const struct scuse_claim claims[] = {
	{ .opcode = FILL, .cdb_len = 6 }, { .opcode = FAIL, .cdb_len = 6 }, { .opcode = WAIT, .cdb_len = 6 },
	{ .opcode = FLAG, .cdb_len = 6 }, { .opcode = PASS, .cdb_len = 6 }, { .flags = SCUSE_CLAIM_END },
};

static void open_it(bool open)
{
	pthread_mutex_lock(&lock);
	open_gate = open;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void wait_at_gate(void)
{
	pthread_mutex_lock(&lock);
	waiting++;
	pthread_cond_broadcast(&changed);
	while (!open_gate)
		pthread_cond_wait(&changed, &lock);
	waiting--;
	pthread_mutex_unlock(&lock);
}

static void await_waiting(unsigned int count)
{
	pthread_mutex_lock(&lock);
	while (waiting < count)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

static int raw_cdb(void *handle, struct scuse_io *io)
{
	size_t length;
	const uint8_t *cdb = scuse_io_cdb(io, &length);
	uint64_t room;
	uint8_t *data = scuse_io_data(io, &room);
	uint32_t flags = scuse_io_flags(io);
	uint8_t sense[18] = { 0x70, 0, cdb[1], 0, 0, 0, 0, 10, 0, 0, 0, 0, cdb[2], cdb[3] };

	(void)handle;
	switch (cdb[0]) {
	case FILL:
		memset(data, 0xaa, cdb[1]);
		scuse_io_set_data_in(io, cdb[1]);
		break;
	case FAIL:
		return scuse_fail_sense(io, cdb[1], cdb[2], cdb[3], UINT64_MAX);
	case PASS:
		return scuse_fail_sense_data(io, sense, sizeof(sense));
	case WAIT:
		wait_at_gate();
		break;
	case FLAG:
		memcpy(data, &flags, sizeof(flags));
		scuse_io_set_data_in(io, sizeof(flags));
	}
	return 0;
}

static int raw_lu_reset(void *handle, struct scuse_io *io)
{
	(void)handle;
	(void)io;
	pthread_mutex_lock(&lock);
	resets++;
	pthread_mutex_unlock(&lock);
	open_it(true);
	return reset_result;
}

static int raw_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	(void)config;
	*handle = dev;
	if (while_opening)
		while_opening(dev);
	return 0;
}

static int raw_probe(void *handle, struct scuse_caps *caps)
{
	(void)handle;
	*caps = told;
	return 0;
}

static const struct scuse_sync_ops ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
	.cdb = raw_cdb,
	.lu_reset = raw_lu_reset,
};

static struct scuse_handler handler = {
	.magic = SCUSE_HANDLER_ABI_MAGIC,
	.abi_major = SCUSE_HANDLER_ABI_MAJOR,
	.abi_minor = SCUSE_HANDLER_ABI_MINOR,
	.struct_size = sizeof(struct scuse_handler),
	.name = "player",
	.device_type = SCUSE_DEVICE_TYPE_ANY,
	.thread_model = SCUSE_THREADS_PARALLEL,
	.sync = &ops,
	.open = raw_open,
	.probe = raw_probe,
};

static struct rig_options raw_options(void)
{
	struct rig_options options = rig_defaults();

	told = (struct scuse_caps){
		.device_type = 1, .claims = claims, .identity = "naa.5000c500", .unit_attentions = 1
	};
	options.handler = &handler;
	options.sim.raw = true;
	options.sim.device_type = SCUSE_TYPE_UNKNOWN;
	options.sim.block_size = 0;
	options.sim.device_size = 0;
	return options;
}

static struct rig *new_rig(void)
{
	struct rig_options options = raw_options();

	return rig_new(&options);
}

static struct sim_command run(struct rig *rig, const uint8_t *cdb, void *data, uint32_t room)
{
	struct sim_command command = {
		.op = SCUSE_OP_CDB,
		.flags = room ? SCUSE_SQE_F_DATA_IN : 0,
		.cdb = cdb,
		.cdb_len = 6,
		.data_in = data,
		.data_len = room,
	};

	sim_execute(rig->sim, &command);
	return command;
}

Test(raw, start_says_all)
{
	struct rig *rig = new_rig();
	const struct scuse_start *start = sim_started(rig->sim);

	cr_expect_eq(start->device_type, 1);
	cr_expect_str_eq(start->identity, "naa.5000c500");
	cr_expect_eq(start->features, SCUSE_FEATURE_UNIT_ATTENTIONS | SCUSE_FEATURE_RESET);
	cr_assert_eq(start->nr_commands, 5);
	cr_expect_eq(sim_commands(rig->sim)[4].opcode, PASS);
	cr_expect(start->abi_minor >= 2);
	rig_free(rig);
}

Test(raw, read_only_and_changed_claims)
{
	static const struct scuse_claim fewer[] = { { .opcode = FILL, .flags = SCUSE_CLAIM_WRITES },
						    { .flags = SCUSE_CLAIM_END } };
	struct rig *rig = new_rig();
	const uint8_t fill[6] = { FILL, 4 }, fail[6] = { FAIL, 2, 4, 0 };
	uint8_t data[4];
	struct scuse_notify notify;

	told.claims = fewer;
	told.read_only = 1;
	scuse_dev_changed(rig->dev, SCUSE_CHANGED_CAPS | SCUSE_CHANGED_MEDIA);
	/* NOTIFY follows UPDATE. */
	cr_assert(sim_next_notify(rig->sim, SOON, &notify));
	cr_assert_eq(sim_started(rig->sim)->nr_commands, 1);
	cr_expect(sim_started(rig->sim)->features & SCUSE_FEATURE_READ_ONLY);
	cr_expect_eq(sim_commands(rig->sim)[0].flags, SCUSE_COMMAND_WRITES);
	cr_expect_eq(run(rig, fill, data, sizeof(data)).sense[12], 0x27, "write protected");
	cr_expect_eq(run(rig, fail, NULL, 0).sense[12], 0x20, "not claimed any more");
	rig_free(rig);
}

Test(raw, commands_are_cdbs_only)
{
	struct rig *rig = new_rig();
	const uint8_t fill[6] = { FILL, 9 }, other[6] = { 0x12 };
	uint8_t data[16];
	struct sim_command command = run(rig, fill, data, sizeof(data));
	struct sim_command read = { .op = SCUSE_OP_READ, .blocks = 1, .data_len = 512 };

	cr_expect(command.status == SAM_GOOD && command.returned == 9 && data[8] == 0xaa && data[9] == 0);
	cr_expect_eq(run(rig, other, data, sizeof(data)).sense[12], 0x20);
	cr_expect_eq(sim_execute(rig->sim, &read), SAM_CHECK_CONDITION, "there are no blocks");
	cr_expect_eq(rig_flush(rig), SAM_CHECK_CONDITION);
	rig_free(rig);
}

Test(raw, the_direction_of_data)
{
	struct rig *rig = new_rig();
	const uint8_t cdb[6] = { FLAG };
	uint32_t flags = 0;

	cr_expect_eq(run(rig, cdb, &flags, sizeof(flags)).status, SAM_GOOD);
	cr_expect_eq(flags, SCUSE_IO_DATA_IN);
	rig_free(rig);
}

static void expect_attention(bool allowed, uint8_t opcode)
{
	struct rig_options options = raw_options();
	const uint8_t cdb[6] = { opcode, 0x06, 0x29, 0x04 };
	struct sim_command command;
	struct rig *rig;

	told.unit_attentions = allowed;
	rig = rig_new(&options);
	command = run(rig, cdb, NULL, 0);
	cr_expect_eq(command.status, SAM_CHECK_CONDITION);
	cr_expect_eq(command.sense[2], allowed ? 0x06 : 0x04);
	cr_expect_eq(command.sense[12], allowed ? 0x29 : 0x44);
	rig_free(rig);
}

Test(raw, sense_is_a_unit_attention_of_real_devices_only)
{
	expect_attention(true, FAIL);
	expect_attention(true, PASS);
	expect_attention(false, FAIL);
	expect_attention(false, PASS);
}

static void tell_while_opening(struct scuse_dev *dev)
{
	scuse_dev_unit_attention(dev, 0x29, 0x00);
	scuse_dev_unit_attention(dev, 0x28, 0x00);
	scuse_dev_unit_attention(dev, 0x29, 0x00);
}

static void expect_notify(struct rig *rig, uint8_t asc, uint8_t ascq)
{
	struct scuse_notify notify;

	cr_assert(sim_next_notify(rig->sim, SOON, &notify), "%02xh/%02xh was not told", asc, ascq);
	cr_expect_eq(notify.events, SCUSE_NOTIFY_UNIT_ATTENTION);
	cr_expect(notify.asc == asc && notify.ascq == ascq, "%02xh/%02xh instead of %02xh/%02xh", notify.asc,
		  notify.ascq, asc, ascq);
}

Test(raw, unit_attentions_outside_of_commands_are_told_in_order)
{
	struct scuse_notify notify;
	struct rig *rig;

	while_opening = tell_while_opening;
	rig = new_rig();
	while_opening = NULL;
	expect_notify(rig, 0x29, 0x00);
	expect_notify(rig, 0x28, 0x00);
	cr_expect_not(sim_next_notify(rig->sim, NEVER, &notify), "a pending code is told once");
	for (int i = 0; i < 200; i++)
		scuse_dev_unit_attention(rig->dev, 0x3f, (uint8_t)i);
	for (int i = 0; i < 200; i++)
		expect_notify(rig, 0x3f, (uint8_t)i);
	rig_free(rig);
}

Test(raw, unit_attentions_of_no_real_device_are_not_told)
{
	struct rig_options options = raw_options();
	struct scuse_notify notify;
	struct rig *rig;

	told.unit_attentions = 0;
	rig = rig_new(&options);
	scuse_dev_unit_attention(rig->dev, 0x29, 0x00);
	cr_expect_not(sim_next_notify(rig->sim, NEVER, &notify));
	rig_free(rig);
}

/* All threads of the pool are at the device, more commands wait: the reset must get through to end them. */
Test(raw, a_reset_does_not_wait_for_what_it_is_to_end)
{
	enum { THREADS = 16, ALL = 20 };
	struct rig *rig = new_rig();
	const uint8_t wait[6] = { WAIT };
	struct sim_command commands[ALL], reset = { .op = SCUSE_OP_LU_RESET };

	open_it(false);
	for (int i = 0; i < ALL; i++) {
		commands[i] = (struct sim_command){ .op = SCUSE_OP_CDB, .cdb = wait, .cdb_len = 6 };
		sim_submit(rig->sim, 0, &commands[i]);
	}
	await_waiting(THREADS);
	cr_expect_eq(sim_execute(rig->sim, &reset), SAM_GOOD);
	cr_expect_eq(resets, 1);
	for (int i = 0; i < ALL; i++)
		cr_expect(sim_wait(rig->sim, &commands[i]) && commands[i].status == SAM_GOOD);
	reset_result = -EIO;
	cr_expect_eq(sim_execute(rig->sim, &reset), SAM_CHECK_CONDITION, "a reset that failed is told");
	rig_free(rig);
}

/* Also at the front, in the middle and at the end of those that wait. */
Test(raw, what_waits_for_a_thread_is_cancelled_at_once)
{
	enum { THREADS = 16, MORE = 5 };
	struct rig *rig = new_rig();
	const uint8_t wait[6] = { WAIT };
	struct sim_command commands[THREADS + MORE];
	static const int cancelled[] = { 20, 16, 18 };

	open_it(false);
	for (int i = 0; i < THREADS + MORE; i++) {
		commands[i] = (struct sim_command){ .op = SCUSE_OP_CDB, .cdb = wait, .cdb_len = 6 };
		sim_submit(rig->sim, 0, &commands[i]);
		if (i == THREADS - 1)
			await_waiting(THREADS);
	}
	for (size_t i = 0; i < G_N_ELEMENTS(cancelled); i++) {
		sim_cancel(rig->sim, &commands[cancelled[i]]);
		cr_assert(sim_wait(rig->sim, &commands[cancelled[i]]));
		cr_expect_eq(commands[cancelled[i]].sense[2], 0x0b, "ABORTED COMMAND");
	}
	open_it(true);
	for (int i = 0; i < THREADS + MORE; i++)
		cr_expect(sim_wait(rig->sim, &commands[i]));
	cr_expect(commands[17].status == SAM_GOOD && commands[19].status == SAM_GOOD);
	rig_free(rig);
}

static void refused(const struct rig_options *options, const char *because)
{
	g_autofree char *error = NULL;

	cr_expect_null(rig_open(options, &error), "opened, in spite of: %s", because);
	cr_expect(error && strstr(error, because), "'%s' does not say '%s'", error, because);
}

Test(raw, another_device_is_refused)
{
	struct rig_options options = raw_options();

	options.known_identity = "naa.6000";
	refused(&options, "was naa.6000, is naa.5000c500");
	refused(&options, "create it anew");
	options.known_identity = "naa.5000c500";
	options.sim.device_type = 8;
	refused(&options, "its type was 08h, is 01h");
	options.sim.device_type = 1;
	options.refusal = -EXDEV;
	refused(&options, "it is naa.5000c500 now");
	options.refusal = 0;
	rig_free(rig_new(&options));
}

Test(raw, kernel_and_handler_must_agree)
{
	struct rig_options options = raw_options();

	options.sim.minor_1 = true;
	refused(&options, "needs raw LUNs");
	options = raw_options();
	options.sim.raw = false;
	refused(&options, "raw=1");
	options = raw_options();
	handler.device_type = 8;
	handler.claims = claims;
	options.sim.device_type = 1;
	refused(&options, "for SCSI device type 08h");
	options.sim.device_type = SCUSE_TYPE_UNKNOWN;
	told = (struct scuse_caps){ 0 };
	rig_free(rig_new(&options));
	handler.claims = NULL;
	refused(&options, "list of claims");
	handler.device_type = SCUSE_DEVICE_TYPE_ANY;
}

Test(raw, what_probe_says_is_checked)
{
	struct rig_options options = raw_options();
	const struct scuse_claim bad[] = { { .opcode = FILL, .cdb_len = 2 }, { .flags = SCUSE_CLAIM_END } };
	char identity[SCUSE_IDENTITY_MAX + 1];

	told.claims = bad;
	refused(&options, "claim 1 (operation code C0h)");
	told.claims = NULL;
	refused(&options, "no claims");
	told.claims = claims;
	told.device_type = 0x1f;
	refused(&options, "device type 1fh");
	told.device_type = 1;
	memset(identity, 'x', SCUSE_IDENTITY_MAX);
	identity[SCUSE_IDENTITY_MAX] = 0;
	told.identity = identity;
	refused(&options, "at most 127");
	told.identity = "tab\t";
	refused(&options, "printable");
}

Test(raw, has_no_size_to_change)
{
	struct rig *rig = new_rig();
	g_autofree char *error = NULL;

	cr_expect_eq(dev_resize(rig->dev, 1 << 20, &error), -EOPNOTSUPP);
	cr_expect(strstr(error, "no size"), "%s", error);
	scuse_dev_usage(rig->dev, 5, 5);
	scuse_dev_changed(rig->dev, SCUSE_CHANGED_SIZE | SCUSE_CHANGED_MEDIA);
	rig_free(rig);
}
