// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Commands as handlers see them: accessors, results, and the rule that each call is completed once.
 *
 * THE HANDLE  A handler never sees a struct worker_io.  Its struct scuse_io pointer is the command's
 *	address plus the low 8 bits of its generation (the struct is aligned to IO_ALIGN, so they fit).  A
 *	completion swaps `state` from "this generation, running" to "this generation, idle"; whoever comes
 *	second, or with the handle of an earlier use of the tag, fails the swap, is logged, and touches
 *	nothing.
 *
 * SYNC handlers end a call by returning; scuse_fail*() then only notes the result.  ASYNC handlers end it
 *	with the scuse_done() or scuse_fail*() call.
 */
#include "dev.h"

#include <string.h>

#include "log.h"

#define GENERATION_BITS 0xffu

static struct worker_io *io_of(const struct scuse_io *handle)
{
	return (struct worker_io *)((uintptr_t)handle & ~(uintptr_t)(IO_ALIGN - 1));
}

struct scuse_io *io_handle(struct worker_io *io, uint32_t state)
{
	return (struct scuse_io *)((uintptr_t)io + ((state >> 1) & GENERATION_BITS));
}

_Static_assert(IO_ALIGN > GENERATION_BITS, "the generation fits below the alignment");
_Static_assert(sizeof(struct worker_io) >= GENERATION_BITS + 1, "a handle points into its command");

struct scuse_io *io_arm(struct worker_io *io)
{
	uint32_t state = (atomic_load_explicit(&io->state, memory_order_relaxed) + 2) | 1;

	io->told = false;
	atomic_store_explicit(&io->state, state, memory_order_release);
	return io_handle(io, state);
}

bool io_disarm(struct worker_io *io)
{
	uint32_t state = atomic_load_explicit(&io->state, memory_order_relaxed);

	return (state & 1) &&
	       atomic_compare_exchange_strong_explicit(&io->state, &state, state & ~1u, memory_order_acq_rel,
						       memory_order_relaxed);
}

/* Is the handle that of the call which is running? */
static bool handle_current(struct worker_io *io, const struct scuse_io *handle, uint32_t *state)
{
	*state = atomic_load_explicit(&io->state, memory_order_acquire);
	return (*state & 1) && io_handle(io, *state) == handle;
}

/* Async: ends the call.  Sync: checks that it has not ended.  NULL: a mistake of the handler's, logged. */
static struct worker_io *take_handle(struct scuse_io *handle, const char *function)
{
	struct worker_io *io = io_of(handle);
	struct scuse_dev *dev = io->queue->dev;
	uint32_t state;

	if (handle_current(io, handle, &state)) {
		if (dev->handler->def.sync)
			return io;
		if (atomic_compare_exchange_strong_explicit(&io->state, &state, state & ~1u,
							    memory_order_acq_rel, memory_order_relaxed))
			return io;
	}
	dev_handler_bug(dev, "it completed a command twice (%s): ignored", function);
	return NULL;
}

/* The road on after a result has been noted. */
static int result_noted(struct worker_io *io)
{
	if (io->queue->dev->handler->def.sync)
		io->told = true;
	else
		dispatch_call_ended(io);
	return IO_TOLD;
}

void io_fail(struct worker_io *io, struct sense_code code, uint64_t information)
{
	io->status = code.status;
	io->sense_len = 0;
	if (code.status == SAM_CHECK_CONDITION)
		io->sense_len = (uint16_t)sense_build(
			ring_sense(&io->queue->ring, SCUSE_TAG_INDEX(io->sqe.tag)), code, information);
}

void io_fail_error(struct worker_io *io, enum scuse_error_code error)
{
	bool reading = io->sqe.op == SCUSE_OP_READ || io->sqe.op == SCUSE_OP_EXTENTS;

	io_fail(io, sense_from_error(error, !reading), SENSE_NO_INFORMATION);
}

/* UNIT ATTENTION is the kernel half's affair, but for real devices', whose word is passed on. */
static bool has_foreign_attention(const struct worker_io *io)
{
	struct scuse_dev *dev = io->queue->dev;

	if (io->status != SAM_CHECK_CONDITION || (dev->raw && dev_caps(dev)->unit_attentions))
		return false;
	return sense_key(ring_sense(&io->queue->ring, SCUSE_TAG_INDEX(io->sqe.tag)), io->sense_len) ==
	       SENSE_UNIT_ATTENTION;
}

void io_check_result(struct worker_io *io)
{
	struct scuse_dev *dev = io->queue->dev;
	bool cdb = io->sqe.op == SCUSE_OP_CDB;

	if (has_foreign_attention(io)) {
		dev_handler_bug(dev, "it ended a command with a unit attention, which its capabilities "
				     "(unit_attentions) do not say");
		io_fail_error(io, SCUSE_E_HARDWARE);
	}
	if (!sense_status_valid(io->status, cdb) || (io->status == SAM_CHECK_CONDITION && !io->sense_len)) {
		dev_handler_bug(dev, "it ended a command with status %02xh%s", io->status,
				io->status == SAM_CHECK_CONDITION ? " without sense data"
								  : ", which is not allowed");
		io_fail_error(io, SCUSE_E_HARDWARE);
	}
	if (io->data_in > io->sqe.data_len) {
		dev_handler_bug(dev, "it returned more data than there is room for");
		io->data_in = io->sqe.data_len;
	}
	if (io->sqe.op != SCUSE_OP_READ && io->sqe.op != SCUSE_OP_EXTENTS &&
	    !(cdb && io->sqe.flags & SCUSE_SQE_F_DATA_IN))
		io->data_in = 0;
}

/* ---- what handlers call ---- */

SCUSE_EXPORT uint32_t scuse_io_flags(const struct scuse_io *handle)
{
	return io_of(handle)->flags;
}

SCUSE_EXPORT uint32_t scuse_io_nexus(const struct scuse_io *handle)
{
	return io_of(handle)->sqe.nexus;
}

/* The ring carries no deadlines yet: none. */
SCUSE_EXPORT uint64_t scuse_io_deadline(const struct scuse_io *handle)
{
	(void)handle;
	return 0;
}

SCUSE_EXPORT int scuse_io_cancelled(const struct scuse_io *handle)
{
	return atomic_load_explicit(&io_of(handle)->cancelled, memory_order_relaxed);
}

SCUSE_EXPORT void *scuse_io_private(const struct scuse_io *handle)
{
	return io_of(handle)->private;
}

SCUSE_EXPORT uint32_t scuse_io_queue(const struct scuse_io *handle)
{
	return io_of(handle)->queue->index;
}

SCUSE_EXPORT void *scuse_io_queue_context(const struct scuse_io *handle)
{
	return io_of(handle)->queue->context;
}

SCUSE_EXPORT const uint8_t *scuse_io_cdb(const struct scuse_io *handle, size_t *len)
{
	const struct worker_io *io = io_of(handle);

	*len = io->cdb_len;
	if (io->cdb_len > SCUSE_CDB_INLINE)
		return ring_cdb(&io->queue->ring, SCUSE_TAG_INDEX(io->sqe.tag));
	return io->sqe.cdb;
}

SCUSE_EXPORT void *scuse_io_data(const struct scuse_io *handle, uint64_t *len)
{
	const struct worker_io *io = io_of(handle);

	*len = io->sqe.data_len;
	return *len ? ring_data(&io->queue->ring, SCUSE_TAG_INDEX(io->sqe.tag)) : NULL;
}

SCUSE_EXPORT void *scuse_io_protection(const struct scuse_io *handle, uint64_t *len)
{
	const struct worker_io *io = io_of(handle);

	*len = io->protection;
	if (!io->protection)
		return NULL;
	return ring_data(&io->queue->ring, SCUSE_TAG_INDEX(io->sqe.tag)) + io->queue->dev->info.pi_offset;
}

SCUSE_EXPORT void scuse_io_set_data_in(struct scuse_io *handle, uint64_t len)
{
	io_of(handle)->data_in = len;
}

SCUSE_EXPORT void scuse_io_set_status(struct scuse_io *handle, uint8_t status)
{
	io_of(handle)->status = status;
}

SCUSE_EXPORT void scuse_done(struct scuse_io *handle)
{
	struct worker_io *io = io_of(handle);

	if (io->queue->dev->handler->def.sync) {
		dev_handler_bug(io->queue->dev,
				"it called scuse_done(), which only async handlers may: ignored");
		return;
	}
	io = take_handle(handle, "scuse_done");
	if (io)
		dispatch_call_ended(io);
}

SCUSE_EXPORT int scuse_fail(struct scuse_io *handle, enum scuse_error_code code)
{
	struct worker_io *io = take_handle(handle, "scuse_fail");

	if (!io)
		return IO_TOLD;
	io_fail_error(io, code);
	return result_noted(io);
}

SCUSE_EXPORT int scuse_fail_errno(struct scuse_io *handle, int error)
{
	return scuse_fail(handle, sense_error_from_errno(error));
}

SCUSE_EXPORT int scuse_fail_sense(struct scuse_io *handle, uint8_t key, uint8_t asc, uint8_t ascq,
				  uint64_t information)
{
	struct worker_io *io = take_handle(handle, "scuse_fail_sense");
	struct sense_code code = { .status = SAM_CHECK_CONDITION, .key = key, .asc = asc, .ascq = ascq };

	if (!io)
		return IO_TOLD;
	io_fail(io, code, information);
	return result_noted(io);
}

SCUSE_EXPORT int scuse_fail_sense_data(struct scuse_io *handle, const uint8_t *sense, size_t len)
{
	struct worker_io *io = take_handle(handle, "scuse_fail_sense_data");

	if (!io)
		return IO_TOLD;
	if (sense_valid(sense, len)) {
		memcpy(ring_sense(&io->queue->ring, SCUSE_TAG_INDEX(io->sqe.tag)), sense, len);
		io->status = SAM_CHECK_CONDITION;
		io->sense_len = (uint16_t)len;
	} else {
		dev_handler_bug(io->queue->dev, "it gave sense data that is not valid");
		io_fail_error(io, SCUSE_E_HARDWARE);
	}
	return result_noted(io);
}
