/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A LUN in its worker: the structs that queue, dispatch, io and pool share, and the functions that
 * process.c (and the tests' simulator) drive it with.
 *
 * THREADS	main	 opens, probes, resizes, stops; owns everything that is not said to be another's
 *		queue	 one a queue (queue.c): takes submissions, starts commands, sleeps
 *		pool	 for sync handlers that may block (pool.c)
 *		and whatever threads an async handler has: they complete commands
 *
 * A COMMAND	is a struct worker_io, one for each tag of each queue, in an array that is allocated once.
 *
 *		     SQE                            more to do: through the inbox, to the queue's thread
 *		      |                              +-----------------------------------+
 *		      v                              v                                   |
 *		[IDLE] -- plan_build --> next call of the plan -- io_arm --> [RUNNING] --+-- last, or error
 *		   ^                                                                     |
 *		   +------------------------- CQE is pushed <----------------------------+
 *
 *	RUNNING is left by exactly one completion: `state` holds a generation besides, and the handle that
 *	the handler has (struct scuse_io *) carries that generation's low bits in its address.  So a second
 *	completion is recognised also when the tag is in use again.
 */
#ifndef WORKER_DEV_H
#define WORKER_DEV_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "caps.h"
#include "device.h"
#include "loader.h"
#include "log.h"
#include "ring.h"
#include "sense.h"

/* ---- plans: a command as a sequence of handler operations (plan.c) ---- */

enum call_kind {
	CALL_READ,
	CALL_WRITE,
	CALL_FLUSH,
	CALL_UNMAP,
	CALL_WRITE_ZEROES,
	CALL_WRITE_SAME,
	CALL_CDB,
	CALL_EXTENTS,
	CALL_FORMAT,
	CALL_SANITIZE,
	CALL_LU_RESET,
};

/* What is left: `remaining` bytes in chunks, or the ranges of an UNMAP; then perhaps a flush. */
struct plan {
	enum call_kind kind;
	bool flush_after;
	bool yields; /* it is long: others have their turn after each call, and it need not finish */
	uint64_t offset, remaining, chunk; /* bytes */
	uint32_t range, ranges;
};

struct call {
	enum call_kind kind;
	uint64_t offset, length; /* bytes */
};

/* ---- commands (io.c) ---- */

#define IO_ALIGN 512 /* of struct worker_io: leaves room for the generation in its address */

struct queue;

struct worker_io {
	_Atomic uint32_t state; /* generation << 1 | running */
	_Atomic bool cancelled;
	bool chained;	/* its plan has several calls */
	bool told;	/* scuse_fail*() was called during this call */
	uint32_t flags; /* SCUSE_IO_* */
	uint16_t sense_len;
	uint16_t cdb_len;
	uint8_t status;		       /* what it ends with so far */
	uint64_t data_in;	       /* bytes that go to the initiator */
	uint32_t protection;	       /* bytes of protection information that go with the current call */
	struct scuse_extents *extents; /* owned; EXTENTS: what the handler has said */
	struct queue *queue;
	void *private;
	struct worker_io *next; /* of the list it is on: pool, inbox or serial */
	struct plan plan;
	_Atomic uint64_t active; /* its tag while it is in flight, for CANCEL; else ~0 */
	struct scuse_sqe sqe;	 /* a copy: the ring's entry is the kernel's again */
} __attribute__((aligned(IO_ALIGN)));

/* ---- queues (queue.c) ---- */

/* Which way a LUN's threads go together: they move on when the main thread says so. */
enum dev_phase {
	PHASE_OPENING, /* threads call queue_open and wait */
	PHASE_RUNNING,
	PHASE_DRAINING, /* no new commands; those in flight finish */
	PHASE_CLOSING,	/* threads call queue_close and end */
};

enum queue_state { QUEUE_STARTING, QUEUE_OPENED, QUEUE_FAILED, QUEUE_DRAINED, QUEUE_ENDED };

struct queue {
	struct scuse_dev *dev;
	uint32_t index;
	int fd;		/* ENTER and poll() */
	int wake_fd;	/* eventfd: wakes the queue's thread out of poll() */
	int handler_fd; /* async handlers': readable when completions wait; -1: none */
	bool ended;	/* queue's thread: the kernel will send no more */
	bool has_thread;
	uint32_t postponed; /* queue's thread: batches since the last kick that was asked for */
	int open_result;
	struct error_capture open_said; /* the words that go with open_result */
	enum queue_state state;		/* dev->phase_lock */
	void *context;			/* async handlers' */
	pthread_t thread;
	struct ring_regions regions;
	struct ring ring;
	struct worker_io *ios; /* one a tag */
	char *privates;	       /* io_private_size bytes a tag */
	size_t private_stride;
	pthread_mutex_t cq_lock;	   /* cq_tail and the CQE array */
	_Atomic uint32_t inflight;	   /* commands that are not completed */
	_Atomic uint32_t chains;	   /* of these, such as come back to the queue's thread */
	_Atomic(struct worker_io *) inbox; /* commands whose next call is due; newest first */
	_Atomic uint64_t enters, polls;	   /* system calls, for statistics */
};

/* ---- the LUN (dev.c) ---- */

enum run_mode {
	RUN_INLINE,	   /* sync, on the queue's thread */
	RUN_INLINE_SERIAL, /* the same, one at a time for the LUN */
	RUN_POOL,	   /* sync, on threads of the pool */
	RUN_ASYNC,
	RUN_ASYNC_SERIAL, /* the next command starts when the one before has completed */
};

#define DEV_EVENT_RESET	    0x1u /* a LOGICAL UNIT RESET came */
#define DEV_EVENT_CHANGED   0x2u /* scuse_dev_changed() */
#define DEV_EVENT_ENDED	    0x4u /* the kernel sends no more: the LUN was removed, or the session is broken */
#define DEV_EVENT_USAGE	    0x8u /* scuse_dev_usage() */
#define DEV_EVENT_ATTENTION 0x10u /* scuse_dev_unit_attention() */

/* What the handler has said of its storage, until the kernel has been told (notify.c). */
struct dev_usage {
	pthread_mutex_t lock;
	bool known;		  /* lock */
	uint64_t used, available; /* lock; bytes */
	_Atomic bool due;	  /* the kernel has not been told yet */
	int64_t told;		  /* main thread: when it was told last, CLOCK_MONOTONIC, microseconds */
};

/* Unit attentions of a real device that the kernel has not been told of yet, each once (notify.c). */
struct dev_attentions {
	pthread_mutex_t lock;
	GArray *codes; /* lock; uint16_t, ASC << 8 | ASCQ, in the order in which they came */
};

struct pool;

/* Behind scuse_dev_keep() and scuse_dev_kept(); any thread. */
struct dev_keeper {
	int (*keep)(void *data, int fd);
	int (*kept)(void *data);
};

struct scuse_dev {
	char *name;
	const struct worker_device_ops *device_ops;
	void *device;
	struct scuse_info info;
	uint32_t block_size;
	bool raw;		 /* CDBs only, see handler.h; no size, no blocks: block_size may be 0 */
	char *known_identity;	 /* which device the kernel knows the LUN by; NULL: none yet, or not raw */
	struct handler *handler; /* not owned */
	struct scuse_config *config; /* not owned */
	void *handle;
	enum run_mode mode;
	bool force_poll; /* tests: sleep in poll() also where ENTER would do */
	bool handler_open, handler_started;
	_Atomic(const struct scuse_caps *) caps; /* replaced as a whole; old ones live until dev_free() */
	GPtrArray *all_caps;			 /* those, and copies of what they point to */
	_Atomic uint64_t size;			 /* bytes */
	uint32_t nr_queues;
	struct queue *queues;
	struct pool *pool;
	struct pool *reset_pool; /* RUN_POOL: LU_RESET must not wait for the commands that it is to end */

	pthread_mutex_t phase_lock;
	pthread_cond_t phase_changed;
	_Atomic enum dev_phase phase; /* written under phase_lock */

	pthread_mutex_t serial_lock; /* RUN_*_SERIAL */
	struct worker_io *serial_head, *serial_tail;
	bool serial_busy;

	int event_fd;		  /* readable when `events` is not 0 */
	_Atomic uint32_t events;  /* DEV_EVENT_* */
	_Atomic uint32_t changed; /* SCUSE_CHANGED_* */
	struct dev_usage usage;
	struct dev_attentions attentions;
	_Atomic uint32_t bugs; /* messages about the handler's mistakes so far */

	/* Told before each call into the handler, so that a crash can be put down to it. */
	void (*entering)(void *data, const char *callback);
	void *entering_data;
	const struct dev_keeper *keeper; /* NULL: nothing can be kept */
	void *keeper_data;
	/* Called between the handler's start and the first command; NULL: nothing to do.  As dev_open(). */
	int (*started)(struct scuse_dev *dev, char **error);
};

struct scuse_dev *dev_new(const char *name, const struct worker_device_ops *ops, void *device);
/* Opens, probes, maps, starts the threads and the session.  0, or -errno with *error (newly allocated). */
int dev_open(struct scuse_dev *dev, struct handler *handler, struct scuse_config *config, char **error);
int dev_resize(struct scuse_dev *dev, uint64_t size, char **error);
/* Deals with what `event_fd` announced, and returns it. */
uint32_t dev_events(struct scuse_dev *dev);
/* Milliseconds after which dev_events() is to be called even if nothing is announced; -1: never. */
int dev_timeout(struct scuse_dev *dev);
/* Ends the commands in flight and the threads.  -ETIMEDOUT: a command does not end; only exiting helps. */
int dev_stop(struct scuse_dev *dev);
void dev_free(struct scuse_dev *dev);

/* Any thread. */
void dev_raise(struct scuse_dev *dev, uint32_t events);
/* A mistake of the handler's: logged, at most a hundred times. */
void dev_handler_bug(struct scuse_dev *dev, const char *format, ...) SCUSE_PRINTF(2, 3);

static inline const struct scuse_caps *dev_caps(struct scuse_dev *dev)
{
	return atomic_load_explicit(&dev->caps, memory_order_acquire);
}

/* Raw LUNs: does the handler reset the device itself? */
static inline bool dev_resets(const struct scuse_dev *dev)
{
	const struct handler *handler = dev->handler;

	return dev->raw &&
	       (handler->def.sync ? handler->sync.lu_reset != NULL : handler->async.lu_reset != NULL);
}

/* ---- queue.c ---- */

int queue_setup(struct scuse_dev *dev, uint32_t index, char **error);
int queue_start_thread(struct queue *queue);
void queue_teardown(struct queue *queue);
/* Wakes the queue's thread wherever it sleeps.  Not certain: to be repeated until it has reacted. */
void queue_interrupt(struct queue *queue);
/* Any thread: the command's next call is due on the queue's thread. */
void queue_post(struct queue *queue, struct worker_io *io);
/* Any thread: the command has ended.  Nothing of `io` may be touched afterwards. */
void queue_complete(struct queue *queue, struct worker_io *io);
bool queue_is_current(const struct queue *queue);

/* ---- dispatch.c ---- */

/* Queue's thread: an entry that was taken. */
void dispatch_sqe(struct queue *queue, const struct scuse_sqe *sqe);
/* Sync handlers, any thread: carries out all of the command. */
void dispatch_run(struct worker_io *io);
/* Queue's thread: goes on with a command that was posted to it. */
void dispatch_resume(struct worker_io *io);
/* Any thread: a call has ended, its result is in the io. */
void dispatch_call_ended(struct worker_io *io);

/* ---- plan.c ---- */

/* False: the command was refused, its result is in the io. */
bool plan_build(struct worker_io *io);
bool plan_next(struct worker_io *io, struct call *call);
bool plan_has_more(const struct plan *plan);
/* After the last call: takes over what was collected, and frees what the plan holds. */
void plan_finish(struct worker_io *io);

/* ---- io.c ---- */

/* What sync operations return after scuse_fail*(). */
#define IO_TOLD (-0x5355)

/* Starts a generation: the handle that a call into the handler gets. */
struct scuse_io *io_arm(struct worker_io *io);
/* The handle that belongs to a value of io->state. */
struct scuse_io *io_handle(struct worker_io *io, uint32_t state);
/* Ends it; false if somebody did already. */
bool io_disarm(struct worker_io *io);
void io_fail(struct worker_io *io, struct sense_code code, uint64_t information);
void io_fail_error(struct worker_io *io, enum scuse_error_code error);
/* Makes sure that status and lengths are such as the kernel takes. */
void io_check_result(struct worker_io *io);

/* ---- pool.c ---- */

struct pool *pool_new(unsigned int threads);
void pool_add(struct pool *pool, struct worker_io *io);
/* Takes a command back that no thread has begun with; false: it is not in the list. */
bool pool_remove(struct pool *pool, struct worker_io *io);
/* Wakes threads for what was added since; batches share a wake-up. */
void pool_flush(struct pool *pool);
/* All commands must have ended. */
void pool_free(struct pool *pool);

/* ---- extents.c ---- */

/* Takes at most `limit` ranges. */
struct scuse_extents *extents_new(uint64_t offset, uint64_t length, size_t limit);
void extents_free(struct scuse_extents *extents);
/* The i-th range; false: there are not so many. */
bool extents_get(const struct scuse_extents *extents, size_t i, uint64_t *offset, uint64_t *length,
		 uint32_t *type);
/*
 * The ranges in blocks, as the kernel wants them: at least one and at most `room`, which is not 0.  A block
 * is mapped if any part of it is.  Returns how many.
 */
uint32_t extents_to_blocks(const struct scuse_extents *extents, uint32_t block_size, struct scuse_extent *out,
			   uint32_t room);

/* ---- notify.c ---- */

void notify_init(struct scuse_dev *dev);
void notify_free(struct scuse_dev *dev);
/* Main thread: tells the kernel what initiators are to know.  `changed`: SCUSE_CHANGED_*. */
void notify_kernel(struct scuse_dev *dev, uint32_t changed);
/* Main thread, with the session started: tells the kernel of the pending unit attentions. */
void notify_attentions(struct scuse_dev *dev);

#endif /* WORKER_DEV_H */
