// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The simulated kernel.  See simulator.h.
 *
 * MEMORY	Each region is a memfd, mapped twice: once writable for the simulator, once with the
 *		worker's rights, so that a worker which writes where only the kernel may does not survive
 *		it.  Under ThreadSanitizer it is mapped once: two addresses of one byte would hide from it
 *		what is synchronised with what.
 * LOCKING	A queue's `lock` covers its tags, its side of the indices, and the completion of commands.
 */
#include "simulator.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "geometry.h"

#if defined(__SANITIZE_THREAD__)
#define ONE_MAPPING 1
#else
#define ONE_MAPPING 0
#endif

#define WAIT_LIMIT 60 /* seconds: disks of shared machines stall for long */

struct region {
	int memfd;
	uint64_t size;
	void *kernel; /* our mapping */
};

struct tag {
	struct sim_command *command; /* NULL: free */
	uint32_t generation;
};

struct sim_queue {
	struct region regions[SCUSE_REGIONS];
	struct scuse_queue_kernel *kernel;
	struct scuse_queue_user *user;
	struct scuse_sqe *sqes;
	struct scuse_cqe *cqes;
	pthread_mutex_t lock;
	pthread_cond_t completed;
	struct tag *tags;
	uint32_t sq_tail, cq_head;
	uint32_t sleeping; /* atomic: ENTER waits on enter_fd */
	int enter_fd;	   /* eventfd: wakes ENTER */
	int poll_fd;	   /* eventfd: what the worker polls */
	int worker_fd;	   /* the worker's duplicate of it */
};

struct sim {
	struct sim_options options;
	struct sim_queue *queues;
	struct scuse_start start;
	struct scuse_command *commands; /* of the same */
	int refusal;			/* of START; 0: none */
	bool removed;			/* atomic */
	pthread_mutex_t notify_lock;
	pthread_cond_t notified;
	GArray *notifies;   /* notify_lock: not yet taken */
	uint64_t enters;    /* atomic */
	const char *broken; /* atomic */
};

static void violation(struct sim *sim, const char *rule)
{
	fprintf(stderr, "the worker broke a rule: %s\n", rule);
	__atomic_store_n(&sim->broken, rule, __ATOMIC_RELAXED);
}

/* ---- set up ---- */

static void *map_region(const struct region *region, int protection)
{
	void *address = mmap(NULL, region->size, protection, MAP_SHARED, region->memfd, 0);

	if (address == MAP_FAILED)
		abort();
	return address;
}

static void make_region(struct region *region, uint64_t size)
{
	region->size = (size + 4095) / 4096 * 4096;
	region->memfd = memfd_create("region", MFD_CLOEXEC);
	if (region->memfd < 0 || ftruncate(region->memfd, (off_t)region->size))
		abort();
	region->kernel = map_region(region, PROT_READ | PROT_WRITE);
}

/* Bytes of a slot: the data, then the protection information of as many blocks. */
static uint32_t slot_stride(const struct sim_options *options)
{
	uint32_t protection = options->pi_type ? options->slot_size / options->block_size * 8 : 0;

	return (options->slot_size + protection + 4095) / 4096 * 4096;
}

static uint16_t minor(const struct sim_options *options)
{
	return options->minor_0 ? 0 : options->minor_1 ? 1 : SCUSE_ABI_MINOR;
}

static void make_queue(const struct sim_options *options, struct sim_queue *queue, uint32_t index)
{
	uint32_t depth = options->depth;
	struct scuse_queue_kernel *kernel;

	make_region(&queue->regions[SCUSE_REGION_KERNEL],
		    GEOMETRY_ENTRIES_AT + 2 * depth * sizeof(struct scuse_sqe));
	make_region(&queue->regions[SCUSE_REGION_USER],
		    GEOMETRY_ENTRIES_AT + depth * sizeof(struct scuse_cqe));
	make_region(&queue->regions[SCUSE_REGION_CDB], depth * SCUSE_CDB_STRIDE);
	make_region(&queue->regions[SCUSE_REGION_SENSE], depth * SCUSE_SENSE_STRIDE);
	make_region(&queue->regions[SCUSE_REGION_DATA], (uint64_t)depth * slot_stride(options));
	kernel = queue->kernel = queue->regions[SCUSE_REGION_KERNEL].kernel;
	*kernel = geometry(depth, slot_stride(options));
	kernel->abi_minor = minor(options);
	kernel->queue = index;
	kernel->flags = options->lazy_kick ? 0 : SCUSE_KERNEL_NEED_KICK;
	queue->user = queue->regions[SCUSE_REGION_USER].kernel;
	queue->sqes = (void *)((char *)kernel + GEOMETRY_ENTRIES_AT);
	queue->cqes = (void *)((char *)queue->user + GEOMETRY_ENTRIES_AT);
	queue->tags = calloc(depth, sizeof(*queue->tags));
	queue->enter_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	queue->poll_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_init(&queue->lock, NULL);
	pthread_cond_init(&queue->completed, NULL);
}

struct sim *sim_new(const struct sim_options *options)
{
	struct sim *sim = calloc(1, sizeof(*sim));

	sim->options = *options;
	pthread_mutex_init(&sim->notify_lock, NULL);
	pthread_cond_init(&sim->notified, NULL);
	sim->notifies = g_array_new(FALSE, FALSE, sizeof(struct scuse_notify));
	sim->queues = calloc(options->queues, sizeof(*sim->queues));
	for (uint32_t i = 0; i < options->queues; i++)
		make_queue(options, &sim->queues[i], i);
	return sim;
}

void sim_free(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->options.queues; i++) {
		struct sim_queue *queue = &sim->queues[i];

		for (int j = 0; j < SCUSE_REGIONS; j++) {
			munmap(queue->regions[j].kernel, queue->regions[j].size);
			close(queue->regions[j].memfd);
		}
		close(queue->enter_fd);
		close(queue->poll_fd);
		pthread_cond_destroy(&queue->completed);
		pthread_mutex_destroy(&queue->lock);
		free(queue->tags);
	}
	g_free(sim->commands);
	g_array_free(sim->notifies, TRUE);
	pthread_cond_destroy(&sim->notified);
	pthread_mutex_destroy(&sim->notify_lock);
	free(sim->queues);
	free(sim);
}

/* A spurious wake-up costs a turn, a lost one a hang: so it is emptied only when all was taken. */
static void drain_eventfd(int fd)
{
	uint64_t count;

	while (read(fd, &count, sizeof(count)) > 0)
		;
}

static void raise_eventfd(int fd)
{
	uint64_t one = 1;

	if (write(fd, &one, sizeof(one)) < 0)
		abort();
}

static bool has_submissions(const struct sim_queue *queue, uint32_t sq_head)
{
	return __atomic_load_n(&queue->kernel->sq_tail, __ATOMIC_SEQ_CST) != sq_head;
}

/* ---- completions, by the kernel's rules ---- */

static const char *judge(const struct sim_queue *queue, const struct scuse_cqe *cqe,
			 const struct sim_command **out)
{
	uint32_t index = SCUSE_TAG_INDEX(cqe->tag);
	const struct sim_command *command;
	bool check = cqe->status == SAM_CHECK_CONDITION;
	bool data_in;

	if (index >= queue->kernel->depth)
		return "tag index beyond the depth";
	command = queue->tags[index].command;
	if (!command)
		return "completion of a tag that is free";
	if (cqe->tag != command->tag)
		return "generation is not current";
	data_in = command->op == SCUSE_OP_READ || command->op == SCUSE_OP_EXTENTS ||
		  (command->op == SCUSE_OP_CDB && command->flags & SCUSE_SQE_F_DATA_IN);
	if (!sense_status_valid(cqe->status, command->op == SCUSE_OP_CDB))
		return "status not allowed for the operation";
	if (cqe->kind != SCUSE_CQE_SLOT)
		return "kind not allowed";
	if (check ? cqe->sense_len < 8 || cqe->sense_len > SCUSE_SENSE_MAX : cqe->sense_len != 0)
		return "sense length does not fit the status";
	if (cqe->data_len > (data_in ? command->data_len : 0))
		return "data length beyond the command's";
	if (cqe->file || cqe->flags || cqe->offset)
		return "reserved fields are not zero";
	*out = command;
	return NULL;
}

/* With the lock held. */
static void complete(struct sim_queue *queue, const struct scuse_cqe *cqe)
{
	uint32_t index = SCUSE_TAG_INDEX(cqe->tag);
	struct sim_command *command = queue->tags[index].command;
	const char *slot =
		(char *)queue->regions[SCUSE_REGION_DATA].kernel + (size_t)index * queue->kernel->slot_size;

	if (command->protection_in)
		memcpy(command->protection_in, slot + command->pi_offset, command->blocks * 8);
	command->status = cqe->status;
	command->sense_len = cqe->sense_len;
	command->returned = cqe->data_len;
	memcpy(command->sense,
	       (char *)queue->regions[SCUSE_REGION_SENSE].kernel + (size_t)index * SCUSE_SENSE_STRIDE,
	       cqe->sense_len);
	if (command->data_in) {
		memcpy(command->data_in, slot, cqe->data_len);
		memset((char *)command->data_in + cqe->data_len, 0, command->data_len - cqe->data_len);
	}
	command->done = true;
	queue->tags[index].command = NULL;
}

/* With the lock held. */
static void reap(struct sim *sim, struct sim_queue *queue)
{
	uint32_t tail = __atomic_load_n(&queue->user->cq_tail, __ATOMIC_SEQ_CST);
	bool any = tail != queue->cq_head;

	if (!has_submissions(queue, __atomic_load_n(&queue->user->sq_head, __ATOMIC_ACQUIRE)))
		drain_eventfd(queue->poll_fd);

	if (tail - queue->cq_head > queue->kernel->cq_entries) {
		violation(sim, "cq_tail too far ahead");
		return;
	}
	for (; queue->cq_head != tail; queue->cq_head++) {
		struct scuse_cqe cqe = queue->cqes[queue->cq_head & (queue->kernel->cq_entries - 1)];
		const struct sim_command *command;
		const char *wrong = judge(queue, &cqe, &command);

		if (wrong)
			violation(sim, wrong);
		else
			complete(queue, &cqe);
	}
	if (any)
		pthread_cond_broadcast(&queue->completed);
}

/* ---- the worker's side ---- */

static int sim_info(void *device, struct scuse_info *info)
{
	const struct sim *sim = device;

	info->abi_major = SCUSE_ABI_MAJOR;
	info->abi_minor = minor(&sim->options);
	info->flags = sim->options.raw ? SCUSE_INFO_RAW : 0;
	info->pi_type = sim->options.pi_type;
	info->pi_offset = sim->options.pi_type ? sim->options.slot_size : 0;
	info->queues = sim->options.queues;
	info->depth = sim->options.depth;
	info->slot_size = sim->options.slot_size;
	info->block_size = sim->options.block_size;
	info->device_type = sim->options.device_type;
	info->device_size = sim->options.device_size;
	for (int i = 0; i < SCUSE_REGIONS; i++)
		info->region_size[i] = sim->queues[0].regions[i].size;
	return 0;
}

static int sim_map(void *device, uint32_t queue, enum scuse_region region, uint64_t size, void **address)
{
	struct sim *sim = device;
	const struct region *mapped = &sim->queues[queue].regions[region];

	if (size > mapped->size)
		return -EINVAL;
	if (ONE_MAPPING)
		*address = mapped->kernel;
	else
		*address = map_region(mapped, region == SCUSE_REGION_KERNEL || region == SCUSE_REGION_CDB
						      ? PROT_READ
						      : PROT_READ | PROT_WRITE);
	return 0;
}

static void sim_unmap(void *device, void *address, uint64_t size)
{
	(void)device;
	if (!ONE_MAPPING)
		munmap(address, size);
}

static int sim_queue_fd(void *device, uint32_t queue)
{
	struct sim *sim = device;

	sim->queues[queue].worker_fd = dup(sim->queues[queue].poll_fd);
	return sim->queues[queue].worker_fd;
}

/* What the kernel refuses of a raw LUN, and takes of no other. */
static bool raw_fields_good(const struct sim *sim, const struct scuse_start *start)
{
	if (sim->options.raw)
		return start->nr_commands && start->nr_commands <= SCUSE_MAX_COMMANDS && start->commands &&
		       start->device_type < SCUSE_TYPE_UNKNOWN && !start->device_size &&
		       memchr(start->identity, 0, sizeof(start->identity));
	return !start->nr_commands && !start->commands && !start->device_type && !start->identity[0] &&
	       !(start->features & (SCUSE_FEATURE_UNIT_ATTENTIONS | SCUSE_FEATURE_RESET));
}

static int sim_start(void *device, const struct scuse_start *start)
{
	struct sim *sim = device;

	if (start->size != sizeof(*start) || start->abi_major != SCUSE_ABI_MAJOR)
		return -EINVAL;
	/* Minor 0 had reserved fields where there are limits now, and ended with the seventh feature. */
	if (sim->options.minor_0 &&
	    (start->features > 0x7f || start->max_atomic_blocks || start->atomic_alignment ||
	     start->atomic_granularity || start->threshold_exponent))
		return -EINVAL;
	if (sim->options.pi_type && !(start->features & SCUSE_FEATURE_PI))
		return -EINVAL;
	if (sim->refusal)
		return sim->refusal;
	if (!raw_fields_good(sim, start))
		return -EINVAL;
	sim->start = *start;
	g_free(sim->commands);
	sim->commands = g_memdup2((const void *)(uintptr_t)start->commands,
				  start->nr_commands * sizeof(*sim->commands));
	return 0;
}

static int sim_notify(void *device, const struct scuse_notify *notify)
{
	struct sim *sim = device;

	if (sim->options.minor_0)
		return -ENOTTY;
	if (notify->size != sizeof(*notify) || !notify->events ||
	    notify->events & ~(sim->options.raw ? 0xfu : 0x7u))
		return -EINVAL;
	pthread_mutex_lock(&sim->notify_lock);
	g_array_append_vals(sim->notifies, notify, 1);
	pthread_cond_broadcast(&sim->notified);
	pthread_mutex_unlock(&sim->notify_lock);
	return 0;
}

static int wait_for_submissions(struct sim *sim, struct sim_queue *queue, uint32_t sq_head)
{
	struct pollfd fd = { .fd = queue->enter_fd, .events = POLLIN };
	int result = 0;

	for (;;) {
		__atomic_store_n(&queue->sleeping, 1, __ATOMIC_SEQ_CST);
		if (__atomic_load_n(&sim->removed, __ATOMIC_SEQ_CST))
			result = -ENODEV;
		else if (has_submissions(queue, sq_head))
			result = 1;
		else if (poll(&fd, 1, -1) < 0)
			result = -errno;
		__atomic_store_n(&queue->sleeping, 0, __ATOMIC_SEQ_CST);
		drain_eventfd(queue->enter_fd);
		if (result)
			return result;
	}
}

static int sim_enter(void *device, int fd, const struct scuse_enter *enter)
{
	struct sim *sim = device;
	struct sim_queue *queue = NULL;

	__atomic_fetch_add(&sim->enters, 1, __ATOMIC_RELAXED);
	for (uint32_t i = 0; i < sim->options.queues; i++)
		if (sim->queues[i].worker_fd == fd)
			queue = &sim->queues[i];
	if (!queue || enter->size != sizeof(*enter) || enter->spin)
		return -EINVAL;
	if (__atomic_load_n(&sim->removed, __ATOMIC_SEQ_CST))
		return -ENODEV;
	pthread_mutex_lock(&queue->lock);
	reap(sim, queue);
	pthread_mutex_unlock(&queue->lock);
	if (sim_violation(sim))
		return -EPROTO;
	if (!(enter->flags & SCUSE_ENTER_WAIT))
		return 0;
	return wait_for_submissions(sim, queue, enter->sq_head);
}

const struct worker_device_ops sim_device_ops = {
	.info = sim_info,
	.map = sim_map,
	.unmap = sim_unmap,
	.queue = sim_queue_fd,
	.start = sim_start,
	.update = sim_start,
	.notify = sim_notify,
	.enter = sim_enter,
};

const struct scuse_start *sim_started(const struct sim *sim)
{
	return &sim->start;
}

const struct scuse_command *sim_commands(const struct sim *sim)
{
	return sim->commands;
}

void sim_refuse_start(struct sim *sim, int error)
{
	sim->refusal = error;
}

static struct timespec after(int milliseconds)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += milliseconds / 1000;
	until.tv_nsec += milliseconds % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	return until;
}

bool sim_next_notify(struct sim *sim, int milliseconds, struct scuse_notify *notify)
{
	struct timespec until = after(milliseconds);
	bool got;

	pthread_mutex_lock(&sim->notify_lock);
	while (!sim->notifies->len && !pthread_cond_timedwait(&sim->notified, &sim->notify_lock, &until))
		;
	got = sim->notifies->len > 0;
	if (got) {
		*notify = g_array_index(sim->notifies, struct scuse_notify, 0);
		g_array_remove_index(sim->notifies, 0);
	}
	pthread_mutex_unlock(&sim->notify_lock);
	return got;
}

const char *sim_violation(const struct sim *sim)
{
	return __atomic_load_n(&sim->broken, __ATOMIC_RELAXED);
}

uint64_t sim_enters(const struct sim *sim)
{
	return __atomic_load_n(&sim->enters, __ATOMIC_RELAXED);
}

/* ---- initiators ---- */

/* With the lock held: publishes, then looks at sleepers and at the flag (a full barrier in between). */
static void publish(struct sim_queue *queue, const struct scuse_sqe *sqe)
{
	queue->sqes[queue->sq_tail & (queue->kernel->sq_entries - 1)] = *sqe;
	queue->sq_tail++;
	__atomic_store_n(&queue->kernel->sq_tail, queue->sq_tail, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&queue->sleeping, __ATOMIC_SEQ_CST))
		raise_eventfd(queue->enter_fd);
	if (__atomic_load_n(&queue->user->flags, __ATOMIC_SEQ_CST) & SCUSE_USER_NEED_WAKEUP)
		raise_eventfd(queue->poll_fd);
}

void sim_remove(struct sim *sim)
{
	__atomic_store_n(&sim->removed, true, __ATOMIC_SEQ_CST);
	for (uint32_t i = 0; i < sim->options.queues; i++) {
		struct sim_queue *queue = &sim->queues[i];

		__atomic_fetch_or(&queue->kernel->flags, SCUSE_KERNEL_STOPPED, __ATOMIC_SEQ_CST);
		raise_eventfd(queue->enter_fd);
		raise_eventfd(queue->poll_fd);
	}
}

static void wait_a_little(struct sim_queue *queue)
{
	struct timespec until = after(1);

	pthread_cond_timedwait(&queue->completed, &queue->lock, &until);
}

/* With the lock held. */
static uint32_t take_tag(struct sim *sim, struct sim_queue *queue)
{
	for (;;) {
		for (uint32_t i = 0; i < queue->kernel->depth; i++)
			if (!queue->tags[i].command)
				return i;
		reap(sim, queue);
		wait_a_little(queue);
	}
}

static void fill_slot(struct sim_queue *queue, uint32_t index, const struct sim_command *command)
{
	char *slot =
		(char *)queue->regions[SCUSE_REGION_DATA].kernel + (size_t)index * queue->kernel->slot_size;

	if (command->data_out)
		memcpy(slot, command->data_out, command->data_len);
	else if (command->data_in)
		memset(slot, 0xd5,
		       command->data_len); /* what the worker does not fill must not pass for data */
	if (command->protection_out)
		memcpy(slot + command->pi_offset, command->protection_out,
		       command->op == SCUSE_OP_WRITE_SAME ? 8 : command->blocks * 8);
	else if (command->protection_in)
		memset(slot + command->pi_offset, 0xd5, command->blocks * 8);
}

static void fill_cdb(struct sim_queue *queue, uint32_t index, const struct sim_command *command,
		     struct scuse_sqe *sqe)
{
	if (!command->cdb)
		return;
	memcpy(sqe->cdb, command->cdb, MIN(command->cdb_len, SCUSE_CDB_INLINE));
	if (command->cdb_len > SCUSE_CDB_INLINE)
		memcpy((char *)queue->regions[SCUSE_REGION_CDB].kernel + (size_t)index * SCUSE_CDB_STRIDE,
		       command->cdb, command->cdb_len);
}

void sim_submit(struct sim *sim, uint32_t number, struct sim_command *command)
{
	struct sim_queue *queue = &sim->queues[number];
	struct scuse_sqe sqe = {
		.op = command->op,
		.flags = command->flags,
		.nexus = 1,
		.lba = command->lba,
		.blocks = command->blocks,
		.data_len = command->data_len,
	};
	uint32_t index;

	pthread_mutex_lock(&queue->lock);
	index = take_tag(sim, queue);
	command->done = false;
	command->queue = number;
	command->pi_offset = sim->options.slot_size;
	if (command->protection_out || command->protection_in)
		sqe.flags |= SCUSE_SQE_F_PI;
	command->tag = sqe.tag = SCUSE_TAG(++queue->tags[index].generation, index);
	queue->tags[index].command = command;
	fill_slot(queue, index, command);
	fill_cdb(queue, index, command, &sqe);
	publish(queue, &sqe);
	reap(sim, queue);
	pthread_mutex_unlock(&queue->lock);
}

bool sim_wait(struct sim *sim, struct sim_command *command)
{
	struct sim_queue *queue = &sim->queues[command->queue];
	gint64 limit = g_get_monotonic_time() + WAIT_LIMIT * G_USEC_PER_SEC;
	bool done;

	pthread_mutex_lock(&queue->lock);
	while (!command->done && g_get_monotonic_time() < limit) {
		if (sim->options.lazy_kick)
			reap(sim, queue);
		if (!command->done)
			wait_a_little(queue);
	}
	done = command->done;
	pthread_mutex_unlock(&queue->lock);
	return done;
}

int sim_execute(struct sim *sim, struct sim_command *command)
{
	sim_submit(sim, 0, command);
	return sim_wait(sim, command) ? command->status : -1;
}

static void advise(struct sim *sim, uint32_t number, const struct scuse_sqe *sqe)
{
	struct sim_queue *queue = &sim->queues[number];

	pthread_mutex_lock(&queue->lock);
	publish(queue, sqe);
	pthread_mutex_unlock(&queue->lock);
}

void sim_cancel(struct sim *sim, const struct sim_command *command)
{
	advise(sim, command->queue, &(struct scuse_sqe){ .tag = command->tag, .op = SCUSE_OP_CANCEL });
}

void sim_reset(struct sim *sim)
{
	advise(sim, 0, &(struct scuse_sqe){ .op = SCUSE_OP_RESET });
}
