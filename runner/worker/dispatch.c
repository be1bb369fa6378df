// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From submission entries to calls into the handler, and from their ends to completions.
 *
 * dispatch_sqe() runs on the queue's thread.  Where the handler's operations run is the LUN's run_mode
 * (dev.h): right there, on the pool, or, for async handlers, there with an end on any thread.  The steps of
 * one command never overlap, so a command's fields need no lock; they pass between threads with the pool's
 * lock, the inbox, or the handler's own synchronisation.
 *
 * LONG COMMANDS  (plan.yields, a FORMAT UNIT that is emulated) make way after each call: back through the
 *	queue's inbox, or to the end of the pool's list.  When the LUN is being stopped they end at once.
 *
 * LU_RESET is apart from all that: on a thread of its own (sync, on the pool), or started at once.
 *
 * RUN_ASYNC_SERIAL: `serial_busy` says that a command is in the handler's hands; others wait in a list.  Who
 * ends one takes the next from the list and posts it to its queue.
 */
#include <errno.h>

#include "dev.h"
#include "log.h"

static void finish(struct worker_io *io);

/* What sanitize gets for `method`. */
static uint32_t sanitize_method(const struct worker_io *io)
{
	return 1u << (io->sqe.blocks - SCUSE_SANITIZE_OVERWRITE);
}

/* What ends a command before its next call. */
static void note_end(struct worker_io *io)
{
	const struct scuse_dev *dev = io->queue->dev;

	if (atomic_load_explicit(&io->cancelled, memory_order_relaxed))
		io_fail_error(io, SCUSE_E_CANCELLED); /* given up while it waited for its turn */
	else if (io->plan.yields && atomic_load_explicit(&dev->phase, memory_order_relaxed) >= PHASE_DRAINING)
		io_fail_error(io, SCUSE_E_NOT_READY);
}

/* ---- sync ---- */

static int call_sync(struct worker_io *io, const struct call *call, struct scuse_io *handle)
{
	struct scuse_dev *dev = io->queue->dev;
	const struct scuse_sync_ops *ops = &dev->handler->sync;
	uint8_t *slot = ring_data(&io->queue->ring, SCUSE_TAG_INDEX(io->sqe.tag));

	switch (call->kind) {
	case CALL_READ:
		return ops->read(dev->handle, handle, slot, call->length, call->offset);
	case CALL_WRITE:
		return ops->write(dev->handle, handle, slot, call->length, call->offset);
	case CALL_FLUSH:
		return ops->flush(dev->handle, handle);
	case CALL_UNMAP:
		return ops->unmap(dev->handle, handle, call->length, call->offset);
	case CALL_WRITE_ZEROES:
		return ops->write_zeroes(dev->handle, handle, call->length, call->offset);
	case CALL_WRITE_SAME:
		return ops->write_same(dev->handle, handle, slot, dev->block_size, call->length,
				       call->offset);
	case CALL_CDB:
		return ops->cdb(dev->handle, handle);
	case CALL_EXTENTS:
		return ops->extents(dev->handle, handle, call->length, call->offset, io->extents);
	case CALL_FORMAT:
		return ops->format(dev->handle, handle);
	case CALL_SANITIZE:
		return ops->sanitize(dev->handle, handle, sanitize_method(io), io->sqe.data_len ? slot : NULL,
				     io->sqe.data_len);
	case CALL_LU_RESET:
		return ops->lu_reset(dev->handle, handle);
	}
	return -EIO;
}

/* What a sync operation returned becomes the command's result. */
static void note_return(struct worker_io *io, int returned)
{
	if (io->told)
		return; /* scuse_fail*() has the word, whatever was returned */
	if (returned > 0 || returned == IO_TOLD) {
		dev_handler_bug(io->queue->dev,
				"a sync operation returned %d, which means nothing: taken as -EIO", returned);
		returned = -EIO;
	}
	if (returned)
		io_fail_error(io, sense_error_from_errno(returned));
}

static void run_call(struct worker_io *io, const struct call *call)
{
	struct scuse_dev *dev = io->queue->dev;
	struct scuse_io *handle = io_arm(io);

	if (dev->mode == RUN_INLINE_SERIAL)
		pthread_mutex_lock(&dev->serial_lock);
	note_return(io, call_sync(io, call, handle));
	if (dev->mode == RUN_INLINE_SERIAL)
		pthread_mutex_unlock(&dev->serial_lock);
	io_disarm(io);
}

/* To the end of the line. */
static void make_way(struct worker_io *io)
{
	struct scuse_dev *dev = io->queue->dev;

	if (dev->mode == RUN_POOL) {
		pool_add(dev->pool, io);
		pool_flush(dev->pool);
	} else {
		queue_post(io->queue, io);
	}
}

void dispatch_run(struct worker_io *io)
{
	struct call call;

	note_end(io);
	while (io->status == SAM_GOOD && plan_next(io, &call)) {
		run_call(io, &call);
		if (io->plan.yields && io->status == SAM_GOOD && plan_has_more(&io->plan)) {
			make_way(io);
			return;
		}
	}
	finish(io);
}

/* ---- async ---- */

static void call_async(struct worker_io *io, const struct call *call, struct scuse_io *handle)
{
	struct scuse_dev *dev = io->queue->dev;
	const struct scuse_async_ops *ops = &dev->handler->async;
	uint8_t *slot = ring_data(&io->queue->ring, SCUSE_TAG_INDEX(io->sqe.tag));

	switch (call->kind) {
	case CALL_READ:
		ops->read(dev->handle, handle, slot, call->length, call->offset);
		break;
	case CALL_WRITE:
		ops->write(dev->handle, handle, slot, call->length, call->offset);
		break;
	case CALL_FLUSH:
		ops->flush(dev->handle, handle);
		break;
	case CALL_UNMAP:
		ops->unmap(dev->handle, handle, call->length, call->offset);
		break;
	case CALL_WRITE_ZEROES:
		ops->write_zeroes(dev->handle, handle, call->length, call->offset);
		break;
	case CALL_WRITE_SAME:
		ops->write_same(dev->handle, handle, slot, dev->block_size, call->length, call->offset);
		break;
	case CALL_CDB:
		ops->cdb(dev->handle, handle);
		break;
	case CALL_EXTENTS:
		ops->extents(dev->handle, handle, call->length, call->offset, io->extents);
		break;
	case CALL_FORMAT:
		ops->format(dev->handle, handle);
		break;
	case CALL_SANITIZE:
		ops->sanitize(dev->handle, handle, sanitize_method(io), io->sqe.data_len ? slot : NULL,
			      io->sqe.data_len);
		break;
	case CALL_LU_RESET:
		ops->lu_reset(dev->handle, handle);
		break;
	}
}

/* Queue's thread: starts the next call. */
static void start_next(struct worker_io *io)
{
	struct call call;

	note_end(io);
	if (io->status != SAM_GOOD || !plan_next(io, &call)) {
		finish(io);
		return;
	}
	/* From here on another thread may complete the command: `io` is not ours any more. */
	call_async(io, &call, io_arm(io));
}

/* Async handlers, any thread.  The next call goes by the inbox, so that it never nests in this one. */
void dispatch_call_ended(struct worker_io *io)
{
	if (io->status == SAM_GOOD && plan_has_more(&io->plan))
		queue_post(io->queue, io);
	else
		finish(io);
}

static void start_serial(struct scuse_dev *dev, struct worker_io *io)
{
	bool mine;

	pthread_mutex_lock(&dev->serial_lock);
	mine = !dev->serial_busy;
	dev->serial_busy = true;
	if (!mine) {
		io->next = NULL;
		if (dev->serial_tail)
			dev->serial_tail->next = io;
		else
			dev->serial_head = io;
		dev->serial_tail = io;
	}
	pthread_mutex_unlock(&dev->serial_lock);
	if (mine)
		start_next(io);
}

static void end_serial(struct scuse_dev *dev)
{
	struct worker_io *next;

	pthread_mutex_lock(&dev->serial_lock);
	next = dev->serial_head;
	if (next) {
		dev->serial_head = next->next;
		if (!dev->serial_head)
			dev->serial_tail = NULL;
	}
	dev->serial_busy = next != NULL;
	pthread_mutex_unlock(&dev->serial_lock);
	if (next)
		queue_post(next->queue, next);
}

/* ---- both ---- */

static void finish(struct worker_io *io)
{
	struct queue *queue = io->queue;
	struct scuse_dev *dev = queue->dev;
	bool serial = dev->mode == RUN_ASYNC_SERIAL && io->plan.kind != CALL_LU_RESET;

	plan_finish(io);
	io_check_result(io);
	queue_complete(queue, io);
	if (serial)
		end_serial(dev);
}

/* It ends what the others wait for: so it waits for nobody. */
static void start_lu_reset(struct worker_io *io)
{
	struct scuse_dev *dev = io->queue->dev;

	if (dev->handler->def.async) {
		start_next(io);
	} else if (dev->reset_pool) {
		pool_add(dev->reset_pool, io);
		pool_flush(dev->reset_pool);
	} else {
		dispatch_run(io);
	}
}

static void start(struct worker_io *io)
{
	struct scuse_dev *dev = io->queue->dev;

	if (io->plan.kind == CALL_LU_RESET) {
		start_lu_reset(io);
		return;
	}
	switch (dev->mode) {
	case RUN_INLINE:
	case RUN_INLINE_SERIAL:
		dispatch_run(io);
		break;
	case RUN_POOL:
		pool_add(dev->pool, io);
		break;
	case RUN_ASYNC:
		start_next(io);
		break;
	case RUN_ASYNC_SERIAL:
		start_serial(dev, io);
		break;
	}
}

void dispatch_resume(struct worker_io *io)
{
	if (io->queue->dev->handler->def.sync)
		dispatch_run(io);
	else
		start_next(io);
}

static void cancel(struct queue *queue, uint64_t tag)
{
	struct scuse_dev *dev = queue->dev;
	struct worker_io *io = &queue->ios[SCUSE_TAG_INDEX(tag)];
	uint32_t state = atomic_load_explicit(&io->state, memory_order_acquire);

	if (!io->queue || atomic_load_explicit(&io->active, memory_order_relaxed) != tag)
		return; /* already complete */
	atomic_store_explicit(&io->cancelled, true, memory_order_relaxed);
	if (dev->mode == RUN_POOL && pool_remove(dev->pool, io)) {
		io_fail_error(io, SCUSE_E_CANCELLED);
		finish(io);
		return;
	}
	if (dev->handler->def.cancel && (state & 1))
		dev->handler->def.cancel(dev->handle, io_handle(io, state));
}

void dispatch_sqe(struct queue *queue, const struct scuse_sqe *sqe)
{
	uint32_t index = SCUSE_TAG_INDEX(sqe->tag);
	struct worker_io *io;

	if (sqe->op == SCUSE_OP_RESET) {
		dev_raise(queue->dev, DEV_EVENT_RESET);
		return;
	}
	if (index >= queue->ring.depth) {
		log_error("the kernel sent a tag that does not exist (%u)", index);
		return;
	}
	if (sqe->op == SCUSE_OP_CANCEL) {
		cancel(queue, sqe->tag);
		return;
	}
	io = &queue->ios[index];
	io->queue = queue;
	io->private = queue->privates + (size_t)index * queue->private_stride;
	io->sqe = *sqe;
	atomic_store_explicit(&io->active, sqe->tag, memory_order_relaxed);
	io->status = SAM_GOOD;
	io->sense_len = 0;
	io->data_in = 0;
	io->cdb_len = 0;
	io->protection = 0;
	atomic_store_explicit(&io->cancelled, false, memory_order_relaxed);
	atomic_fetch_add_explicit(&queue->inflight, 1, memory_order_relaxed);
	io->chained = false;
	if (!plan_build(io)) {
		queue_complete(queue, io); /* it never reached the handler */
		return;
	}
	if (io->chained)
		atomic_fetch_add_explicit(&queue->chains, 1, memory_order_relaxed);
	start(io);
}
