// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A queue and its thread: takes submissions, has commands started (dispatch.c), publishes completions,
 * and sleeps.
 *
 * SYSTEM CALLS	With an inline handler, one turn of the loop takes all that waits, carries it out, publishes
 *	the completions together, and one ENTER both kicks the kernel and sleeps: at most one system call a
 *	command, and far less under load.  A kick that is asked for while there is more to take waits for a
 *	few batches.
 *
 * SLEEPING  in ENTER where nothing but the kernel can have news; in poll() on {queue, handler, wake} where
 *	an async handler has commands in flight whose ends come to this thread (queue_fd, chains of calls,
 *	serial LUNs).
 *
 * COMPLETIONS  come from any thread.  cq_lock covers the CQE array.  The queue's own thread leaves
 *	publishing to the end of its turn; other threads publish at once, and kick if the kernel asks for
 *	it.
 *
 * ENDING  PHASE_DRAINING: no more submissions are taken, commands in flight are waited for; then the thread
 *	waits for PHASE_CLOSING.  If the kernel ends first (device removed, session broken), that is raised
 *	as an event and the thread waits for the main thread to begin the same.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "dev.h"
#include "log.h"

#define BATCH	      32 /* submissions that are taken before their completions are published */
#define POSTPONED_MAX 2	 /* batches that a kick may wait for more work */

static _Thread_local const struct queue *current_queue;

bool queue_is_current(const struct queue *queue)
{
	return current_queue == queue;
}

static bool is_async(const struct queue *queue)
{
	return queue->dev->handler->def.async != NULL;
}

static void wake(struct queue *queue)
{
	uint64_t one = 1;

	if (write(queue->wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_error("queue %u: eventfd: %s", queue->index, strerror(errno));
}

/* ---- the kernel ---- */

static void end(struct queue *queue)
{
	if (!queue->ended)
		dev_raise(queue->dev, DEV_EVENT_ENDED);
	queue->ended = true;
}

/* Any thread.  -errno only for what ends the session. */
static int enter(struct queue *queue, uint32_t flags)
{
	struct scuse_enter argument = { .size = sizeof(argument), .flags = flags };
	int result;

	if (flags & SCUSE_ENTER_WAIT)
		argument.sq_head = queue->ring.sq_head;
	atomic_fetch_add_explicit(&queue->enters, 1, memory_order_relaxed);
	result = queue->dev->device_ops->enter(queue->dev->device, queue->fd, &argument);
	return result == -EINTR || result == -EAGAIN ? 0 : result;
}

static void enter_or_end(struct queue *queue, uint32_t flags)
{
	queue->postponed = 0;
	if (enter(queue, flags) < 0 || ring_stopped(&queue->ring))
		end(queue);
}

/* ---- completions ---- */

static bool publish(struct queue *queue)
{
	bool kick;

	pthread_mutex_lock(&queue->cq_lock);
	kick = ring_publish(&queue->ring);
	pthread_mutex_unlock(&queue->cq_lock);
	return kick;
}

void queue_complete(struct queue *queue, struct worker_io *io)
{
	struct scuse_cqe cqe = {
		.tag = io->sqe.tag,
		.status = io->status,
		.kind = SCUSE_CQE_SLOT,
		.sense_len = io->status == SAM_CHECK_CONDITION ? io->sense_len : 0,
		.data_len = io->status == SAM_CHECK_CONDITION && io->sqe.op != SCUSE_OP_CDB
				    ? 0
				    : (uint32_t)io->data_in,
	};
	bool own = queue_is_current(queue), kick = false;

	if (io->chained)
		atomic_fetch_sub_explicit(&queue->chains, 1, memory_order_relaxed);
	atomic_store_explicit(&io->active, ~(uint64_t)0,
			      memory_order_relaxed); /* a late CANCEL finds nothing */
	pthread_mutex_lock(&queue->cq_lock);
	ring_push(&queue->ring, &cqe);
	if (!own)
		kick = ring_publish(&queue->ring);
	pthread_mutex_unlock(&queue->cq_lock);
	if (kick)
		enter(queue, 0);
	/* Last: once nothing is in flight, the queue may be taken down. */
	atomic_fetch_sub_explicit(&queue->inflight, 1, memory_order_release);
}

/* ---- the inbox ---- */

void queue_post(struct queue *queue, struct worker_io *io)
{
	struct worker_io *first = atomic_load_explicit(&queue->inbox, memory_order_relaxed);

	do
		io->next = first;
	while (!atomic_compare_exchange_weak_explicit(&queue->inbox, &first, io, memory_order_seq_cst,
						      memory_order_relaxed));
	if (!first && !queue_is_current(queue))
		wake(queue);
}

static bool take_inbox(struct queue *queue)
{
	struct worker_io *io = atomic_exchange_explicit(&queue->inbox, NULL, memory_order_seq_cst);
	struct worker_io *oldest = NULL;

	while (io) {
		struct worker_io *next = io->next;

		io->next = oldest;
		oldest = io;
		io = next;
	}
	if (!oldest)
		return false;
	while (oldest) {
		io = oldest;
		oldest = io->next;
		dispatch_resume(io);
	}
	return true;
}

/* ---- the loop ---- */

static bool take_submissions(struct queue *queue)
{
	uint32_t count = MIN(ring_waiting(&queue->ring), BATCH);
	struct scuse_sqe sqe;

	for (uint32_t i = 0; i < count; i++) {
		ring_peek(&queue->ring, i, &sqe);
		dispatch_sqe(queue, &sqe);
	}
	if (count)
		ring_advance(&queue->ring, count);
	return count > 0;
}

static void handler_turn(struct queue *queue, bool submitted)
{
	struct scuse_dev *dev = queue->dev;
	const struct scuse_async_ops *ops = &dev->handler->async;

	if (dev->pool && submitted)
		pool_flush(dev->pool);
	if (!is_async(queue))
		return;
	if (submitted && ops->queue_submit)
		ops->queue_submit(dev->handle, queue->context);
	/* Much completes at once: looking is cheap, being woken for it is not. */
	if (queue->handler_fd >= 0 && atomic_load_explicit(&queue->inflight, memory_order_relaxed))
		ops->queue_reap(dev->handle, queue->context);
}

/* Could a command's end, or its next call, come to this thread other than by the kernel? */
static bool handler_has_news(const struct queue *queue)
{
	if (!is_async(queue) || !atomic_load_explicit(&queue->inflight, memory_order_relaxed))
		return false;
	return queue->handler_fd >= 0 || queue->dev->mode == RUN_ASYNC_SERIAL ||
	       atomic_load_explicit(&queue->chains, memory_order_relaxed);
}

/* `kernel`: wait for submissions too. */
static void sleep_in_poll(struct queue *queue, bool kernel, int timeout)
{
	struct pollfd fds[] = {
		{ .fd = queue->wake_fd, .events = POLLIN },
		{ .fd = queue->handler_fd, .events = POLLIN },
		{ .fd = kernel ? queue->fd : -1, .events = POLLIN },
	};
	uint64_t count;

	if (kernel && !ring_sleep_begin(&queue->ring))
		return;
	atomic_fetch_add_explicit(&queue->polls, 1, memory_order_relaxed);
	if (atomic_load_explicit(&queue->inbox, memory_order_seq_cst))
		timeout = 0;
	if (poll(fds, 3, timeout) > 0 && fds[0].revents && read(queue->wake_fd, &count, sizeof(count)) < 0)
		log_debug("queue %u: eventfd: %s", queue->index, strerror(errno));
	if (!kernel)
		return;
	ring_sleep_end(&queue->ring);
	if (fds[2].revents & (POLLERR | POLLHUP | POLLNVAL) || ring_stopped(&queue->ring))
		end(queue);
}

static enum dev_phase phase_of(const struct queue *queue)
{
	return atomic_load_explicit(&queue->dev->phase, memory_order_acquire);
}

static void rest(struct queue *queue, bool kick)
{
	if (queue->dev->force_poll || handler_has_news(queue)) {
		if (kick || queue->postponed)
			enter_or_end(queue, 0);
		sleep_in_poll(queue, true, -1);
	} else {
		enter_or_end(queue, SCUSE_ENTER_WAIT);
	}
}

static void run(struct queue *queue)
{
	while (phase_of(queue) == PHASE_RUNNING && !queue->ended) {
		bool submitted = take_submissions(queue);
		bool kick;

		submitted |= take_inbox(queue);
		handler_turn(queue, submitted);
		kick = publish(queue);
		if (ring_waiting(&queue->ring) || atomic_load_explicit(&queue->inbox, memory_order_relaxed)) {
			if ((kick || queue->postponed) && queue->postponed++ >= POSTPONED_MAX)
				enter_or_end(queue, 0);
			continue;
		}
		rest(queue, kick);
	}
}

/* Commands in flight finish; the kernel hears of each, in case that it still listens. */
static void drain(struct queue *queue)
{
	while (atomic_load_explicit(&queue->inflight, memory_order_acquire)) {
		bool submitted = take_inbox(queue);

		handler_turn(queue, submitted);
		publish(queue);
		if (atomic_load_explicit(&queue->inflight, memory_order_acquire))
			sleep_in_poll(queue, false, 10);
	}
	publish(queue);
	enter(queue, 0);
}

static void set_state(struct queue *queue, enum queue_state state)
{
	struct scuse_dev *dev = queue->dev;

	pthread_mutex_lock(&dev->phase_lock);
	queue->state = state;
	pthread_cond_broadcast(&dev->phase_changed);
	pthread_mutex_unlock(&dev->phase_lock);
}

static void wait_for_phase(struct queue *queue, enum dev_phase phase)
{
	struct scuse_dev *dev = queue->dev;

	pthread_mutex_lock(&dev->phase_lock);
	while (dev->phase < phase)
		pthread_cond_wait(&dev->phase_changed, &dev->phase_lock);
	pthread_mutex_unlock(&dev->phase_lock);
}

static int open_context(struct queue *queue)
{
	struct scuse_dev *dev = queue->dev;
	const struct scuse_async_ops *ops = &dev->handler->async;
	int result;

	if (!is_async(queue) || !ops->queue_open)
		return 0;
	result = ops->queue_open(dev->handle, queue->index, queue->ring.depth, &queue->context);
	if (result)
		return result;
	if (ops->queue_fd)
		queue->handler_fd = ops->queue_fd(dev->handle, queue->context);
	return 0;
}

static void *queue_thread(void *argument)
{
	struct queue *queue = argument;
	struct scuse_dev *dev = queue->dev;
	char name[16];

	snprintf(name, sizeof(name), "scuse-q%u", queue->index);
	prctl(PR_SET_NAME, name, 0, 0, 0);
	current_queue = queue;
	error_capture_begin(&queue->open_said);
	queue->open_result = open_context(queue);
	error_capture_end(&queue->open_said);
	if (queue->open_result) {
		set_state(queue, QUEUE_FAILED);
		return NULL;
	}
	set_state(queue, QUEUE_OPENED);
	wait_for_phase(queue, PHASE_RUNNING);
	run(queue);
	wait_for_phase(queue, PHASE_DRAINING);
	drain(queue);
	set_state(queue, QUEUE_DRAINED);
	wait_for_phase(queue, PHASE_CLOSING);
	if (is_async(queue) && dev->handler->async.queue_close)
		dev->handler->async.queue_close(dev->handle, queue->context);
	set_state(queue, QUEUE_ENDED);
	return NULL;
}

/* ---- set up and taken down by the main thread ---- */

int queue_start_thread(struct queue *queue)
{
	sigset_t only, before;
	int result;

	/* SIGURG gets the thread out of ENTER; nothing else is for it. */
	sigfillset(&only);
	sigdelset(&only, SIGURG);
	pthread_sigmask(SIG_SETMASK, &only, &before);
	queue->state = QUEUE_STARTING;
	result = pthread_create(&queue->thread, NULL, queue_thread, queue);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	queue->has_thread = result == 0;
	return -result;
}

void queue_interrupt(struct queue *queue)
{
	wake(queue);
	if (queue->has_thread)
		pthread_kill(queue->thread, SIGURG);
}

static int map_regions(struct queue *queue, char **error)
{
	struct scuse_dev *dev = queue->dev;

	for (int region = 0; region < SCUSE_REGIONS; region++) {
		uint64_t size = dev->info.region_size[region];
		void *address;
		int result = dev->device_ops->map(dev->device, queue->index, (enum scuse_region)region, size,
						  &address);

		if (result) {
			*error = g_strdup_printf("cannot map region %d of queue %u (%" G_GUINT64_FORMAT
						 " bytes): %s",
						 region, queue->index, size, g_strerror(-result));
			return result;
		}
		queue->regions.address[region] = address;
		queue->regions.size[region] = size;
	}
	return 0;
}

/*
 * One zeroed array each for the commands and for what is private to handlers; memory comes as tags are
 * used.
 */
static int allocate(struct queue *queue)
{
	size_t stride = (queue->dev->handler->def.io_private_size + 15) & ~(size_t)15;
	void *ios = mmap(NULL, queue->ring.depth * sizeof(struct worker_io), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (ios == MAP_FAILED)
		return -ENOMEM;
	queue->ios = ios;
	queue->private_stride = stride;
	queue->privates = calloc(queue->ring.depth, MAX(stride, 1));
	return queue->privates ? 0 : -ENOMEM;
}

int queue_setup(struct scuse_dev *dev, uint32_t index, char **error)
{
	struct queue *queue = &dev->queues[index];
	const char *wrong;
	int result;

	queue->dev = dev;
	queue->index = index;
	queue->handler_fd = -1;
	pthread_mutex_init(&queue->cq_lock, NULL);
	queue->fd = dev->device_ops->queue(dev->device, index);
	queue->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	result = queue->fd < 0 ? queue->fd : queue->wake_fd < 0 ? -errno : 0;
	if (result) {
		*error = g_strdup_printf("cannot get a descriptor for queue %u: %s", index,
					 g_strerror(-result));
		return result;
	}
	result = map_regions(queue, error);
	if (result)
		return result;
	wrong = ring_init(&queue->ring, &queue->regions);
	if (wrong) {
		*error = g_strdup_printf(
			"queue %u: %s: are the kernel module and scuse-runner of the same version?", index,
			wrong);
		return -EPROTO;
	}
	result = allocate(queue);
	if (result)
		*error = g_strdup_printf("no memory for the commands of queue %u", index);
	return result;
}

/* The thread has ended, and so have the handler's. */
void queue_teardown(struct queue *queue)
{
	struct scuse_dev *dev = queue->dev;

	if (!dev)
		return; /* was never set up */
	for (int region = 0; region < SCUSE_REGIONS; region++)
		if (queue->regions.address[region])
			dev->device_ops->unmap(dev->device, queue->regions.address[region],
					       queue->regions.size[region]);
	if (queue->ios)
		munmap(queue->ios, queue->ring.depth * sizeof(struct worker_io));
	free(queue->privates);
	if (queue->fd >= 0)
		close(queue->fd);
	if (queue->wake_fd >= 0)
		close(queue->wake_fd);
	pthread_mutex_destroy(&queue->cq_lock);
}
