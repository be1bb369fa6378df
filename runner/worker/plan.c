// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Turns a command into the sequence of handler operations that carries it out, emulating what the handler
 * lacks.
 *
 *	command			handler has		sequence
 *	READ			read			read
 *	WRITE			write			write
 *	WRITE, FUA		fua NATIVE		write with SCUSE_IO_FUA
 *				fua EMULATE		write, flush
 *	FLUSH			flush			flush
 *				-			nothing: writes are durable
 *	WRITE SAME of zeros	write_zeroes NATIVE	write_zeroes
 *		with UNMAP	unmap, reading as zeros	unmap
 *	WRITE SAME		write_same NATIVE	write_same
 *				write			write in chunks, of a slot full of copies
 *	UNMAP			unmap			unmap, a call a range
 *	CDB			cdb, and claims it	cdb
 *	EXTENTS			extents			extents
 *	FORMAT			format			format, flush
 *				write_zeroes NATIVE	write_zeroes in chunks, flush
 *				unmap, reading as zeros	unmap in chunks, flush
 *				write			write in chunks, of a slot full of zeros, flush
 *	SANITIZE		sanitize, the method	sanitize
 *	LU_RESET		lu_reset		lu_reset
 *
 * Raw LUNs have CDB and LU_RESET only.
 *
 * Protection information goes along with reads, writes and WRITE SAME; blocks are then zeroed by write_same,
 * unless the information is what zeroed blocks have anyway.
 *
 * Called on the queue's thread (plan_build) and wherever a call has ended (plan_next).  The plan is in the
 * command.
 */
#include <string.h>

#include "claims.h"
#include "dev.h"

#define PROTECTION   8		  /* bytes a block (SBC-3 4.22) */
#define FORMAT_CHUNK (256u << 20) /* bytes of a write_zeroes or unmap */

static const struct sense_code out_of_range = { SAM_CHECK_CONDITION, 0x05, 0x21, 0x00 };

static uint8_t *io_slot(const struct worker_io *io)
{
	return ring_data(&io->queue->ring, SCUSE_TAG_INDEX(io->sqe.tag));
}

/* Bytes of a slot that are for data. */
static uint32_t slot_room(const struct worker_io *io)
{
	const struct scuse_info *info = &io->queue->dev->info;
	uint32_t room = io->queue->ring.slot_size;

	return info->pi_type ? MIN(room, info->pi_offset) : room;
}

/* The protection information of the command; NULL: none goes with it. */
static uint8_t *io_protection(const struct worker_io *io)
{
	if (!(io->sqe.flags & SCUSE_SQE_F_PI))
		return NULL;
	return io_slot(io) + io->queue->dev->info.pi_offset;
}

static bool refuse(struct worker_io *io, enum scuse_error_code error)
{
	io_fail_error(io, error);
	return false;
}

/* The kernel has checked this; handlers are promised that the worker did too. */
static bool in_range(struct worker_io *io, uint64_t lba, uint64_t blocks)
{
	struct scuse_dev *dev = io->queue->dev;
	uint64_t all = atomic_load_explicit(&dev->size, memory_order_relaxed) / dev->block_size;

	if (lba <= all && blocks <= all - lba)
		return true;
	io_fail(io, out_of_range, lba);
	return false;
}

static void whole(struct worker_io *io, enum call_kind kind, uint64_t length, uint64_t chunk)
{
	io->plan.kind = kind;
	io->plan.offset = io->sqe.lba * io->queue->dev->block_size;
	io->plan.remaining = length;
	io->plan.chunk = chunk;
}

/* Is there room in the slot for what the flag says, and a handler that keeps it? */
static bool protection_fits(const struct worker_io *io, uint32_t blocks)
{
	const struct scuse_info *info = &io->queue->dev->info;

	if (!(io->sqe.flags & SCUSE_SQE_F_PI))
		return true;
	return info->pi_type && dev_caps(io->queue->dev)->protection == SCUSE_CAP_NATIVE &&
	       info->pi_offset + (uint64_t)blocks * PROTECTION <= io->queue->ring.slot_size;
}

static bool build_transfer(struct worker_io *io, enum call_kind kind)
{
	const struct scuse_sqe *sqe = &io->sqe;

	if ((uint64_t)sqe->blocks * io->queue->dev->block_size != sqe->data_len ||
	    sqe->data_len > slot_room(io) || !protection_fits(io, sqe->blocks))
		return refuse(io, SCUSE_E_INVALID);
	if (!in_range(io, sqe->lba, sqe->blocks))
		return false;
	whole(io, kind, sqe->data_len, sqe->data_len);
	return true;
}

static bool writable(struct worker_io *io)
{
	return !dev_caps(io->queue->dev)->read_only || refuse(io, SCUSE_E_READ_ONLY);
}

/* FUA of a command that writes: by the handler, or by a flush at the end. */
static void plan_fua(struct worker_io *io)
{
	const struct scuse_caps *caps = dev_caps(io->queue->dev);

	if (!(io->sqe.flags & SCUSE_SQE_F_FUA))
		return;
	if (caps->fua == SCUSE_CAP_NATIVE)
		io->flags |= SCUSE_IO_FUA;
	else
		io->plan.flush_after = caps->fua == SCUSE_CAP_EMULATE;
}

static bool build_write(struct worker_io *io)
{
	if (io->sqe.flags & SCUSE_SQE_F_ATOMIC && dev_caps(io->queue->dev)->atomic != SCUSE_CAP_NATIVE)
		return refuse(io, SCUSE_E_UNSUPPORTED);
	return writable(io) && build_transfer(io, CALL_WRITE);
}

static bool all_are(const uint8_t *data, size_t length, uint8_t byte)
{
	return data[0] == byte && memcmp(data, data + 1, length - 1) == 0;
}

/* A handler that cannot anchor must not deallocate instead. */
static bool can_anchor(struct worker_io *io)
{
	return !(io->sqe.flags & SCUSE_SQE_F_ANCHOR) ||
	       dev_caps(io->queue->dev)->anchor == SCUSE_CAP_NATIVE || refuse(io, SCUSE_E_INVALID);
}

/* Copies what `data` begins with until there are `length` bytes of it. */
static void repeat(uint8_t *data, uint64_t unit, uint64_t length)
{
	for (uint64_t filled = unit; filled < length; filled += MIN(filled, length - filled))
		memcpy(data + filled, data, MIN(filled, length - filled));
}

/* No operation of the handler's fits: ordinary writes of a slot full of copies. */
static void build_repeated_writes(struct worker_io *io, uint64_t length)
{
	uint32_t block_size = io->queue->dev->block_size;
	uint64_t room = slot_room(io) / block_size * block_size;
	uint64_t chunk = MIN(MIN(length, room), 1u << 20);
	uint8_t *protection = io_protection(io);

	repeat(io_slot(io), block_size, chunk);
	if (protection)
		repeat(protection, PROTECTION, chunk / block_size * PROTECTION);
	whole(io, CALL_WRITE, length, chunk);
}

static bool build_write_same(struct worker_io *io)
{
	struct scuse_dev *dev = io->queue->dev;
	const struct scuse_caps *caps = dev_caps(dev);
	uint64_t length = (uint64_t)io->sqe.blocks * dev->block_size;
	bool zero;

	if (caps->write_same == SCUSE_CAP_NONE)
		return refuse(io, SCUSE_E_UNSUPPORTED);
	if (io->sqe.data_len != dev->block_size || !protection_fits(io, 1))
		return refuse(io, SCUSE_E_INVALID);
	if (!can_anchor(io))
		return false;
	if (!in_range(io, io->sqe.lba, io->sqe.blocks))
		return false;
	zero = all_are(io_slot(io), io->sqe.data_len, 0) &&
	       (!io_protection(io) || all_are(io_protection(io), PROTECTION, 0xff));
	if (zero && caps->write_zeroes == SCUSE_CAP_NATIVE)
		whole(io, CALL_WRITE_ZEROES, length, length);
	else if (zero && io->sqe.flags & SCUSE_SQE_F_UNMAP && caps->unmap_zeroes == SCUSE_CAP_NATIVE)
		whole(io, CALL_UNMAP, length, length);
	else if (caps->write_same == SCUSE_CAP_NATIVE)
		whole(io, CALL_WRITE_SAME, length, length);
	else
		build_repeated_writes(io, length);
	return true;
}

static bool build_unmap(struct worker_io *io)
{
	const struct scuse_range *ranges = (const void *)io_slot(io);
	uint32_t count = io->sqe.data_len / sizeof(*ranges);

	if (dev_caps(io->queue->dev)->unmap != SCUSE_CAP_NATIVE)
		return refuse(io, SCUSE_E_UNSUPPORTED);
	if (io->sqe.data_len % sizeof(*ranges) || io->sqe.data_len > slot_room(io))
		return refuse(io, SCUSE_E_INVALID);
	if (!can_anchor(io))
		return false;
	/* All or nothing: no range is deallocated if one of them is wrong. */
	for (uint32_t i = 0; i < count; i++)
		if (!in_range(io, ranges[i].lba, ranges[i].blocks))
			return false;
	io->plan.kind = CALL_UNMAP;
	io->plan.ranges = count;
	return true;
}

/* ---- CDBs ---- */

static bool has_cdb(const struct handler *handler)
{
	return handler->def.sync ? handler->sync.cdb != NULL : handler->async.cdb != NULL;
}

/* A call that has neither offset nor length. */
static void single(struct worker_io *io, enum call_kind kind)
{
	io->plan.kind = kind;
	io->plan.remaining = io->plan.chunk = 1;
}

static bool build_cdb(struct worker_io *io)
{
	const struct handler *handler = io->queue->dev->handler;
	const struct scuse_caps *caps = dev_caps(io->queue->dev);
	const struct scuse_claim *claim =
		claim_find(caps->claims ? caps->claims : handler->def.claims, io->sqe.cdb);

	if (!has_cdb(handler) || !claim)
		return refuse(io, SCUSE_E_UNSUPPORTED);
	if (io->sqe.data_len > slot_room(io))
		return refuse(io, SCUSE_E_INVALID);
	if (claim->flags & SCUSE_CLAIM_WRITES && !writable(io))
		return false;
	io->cdb_len = claim_cdb_length(claim, io->sqe.cdb);
	single(io, CALL_CDB);
	return true;
}

/* ---- the whole medium ---- */

/* Not in one long call: others get their turn in between, and the end of the LUN need not wait for it. */
static void build_format_by_parts(struct worker_io *io)
{
	struct scuse_dev *dev = io->queue->dev;
	const struct scuse_caps *caps = dev_caps(dev);
	uint64_t length = atomic_load_explicit(&dev->size, memory_order_relaxed);

	io->plan.yields = true;
	io->flags |= SCUSE_IO_UNMAP;
	if (caps->write_zeroes == SCUSE_CAP_NATIVE) {
		whole(io, CALL_WRITE_ZEROES, length, FORMAT_CHUNK);
	} else if (caps->unmap_zeroes == SCUSE_CAP_NATIVE) {
		whole(io, CALL_UNMAP, length, FORMAT_CHUNK);
	} else {
		memset(io_slot(io), 0, dev->block_size);
		build_repeated_writes(io, length);
	}
}

static bool build_format(struct worker_io *io)
{
	const struct scuse_caps *caps = dev_caps(io->queue->dev);

	if (caps->format == SCUSE_CAP_NONE)
		return refuse(io, SCUSE_E_UNSUPPORTED);
	if (io->sqe.lba || io->sqe.flags & SCUSE_SQE_F_PI)
		return refuse(io, SCUSE_E_INVALID);
	if (caps->format == SCUSE_CAP_NATIVE)
		single(io, CALL_FORMAT);
	else
		build_format_by_parts(io);
	io->plan.flush_after = caps->flush == SCUSE_CAP_NATIVE;
	return true;
}

static bool build_sanitize(struct worker_io *io)
{
	struct scuse_dev *dev = io->queue->dev;
	uint32_t method = io->sqe.blocks;
	bool overwrite = method == SCUSE_SANITIZE_OVERWRITE;

	if (method < SCUSE_SANITIZE_OVERWRITE || method > SCUSE_SANITIZE_CRYPTO)
		return refuse(io, SCUSE_E_INVALID);
	if (!(dev_caps(dev)->sanitize & 1u << (method - SCUSE_SANITIZE_OVERWRITE)))
		return refuse(io, SCUSE_E_UNSUPPORTED);
	if (overwrite ? !io->sqe.data_len || io->sqe.data_len > dev->block_size : io->sqe.data_len)
		return refuse(io, SCUSE_E_INVALID);
	single(io, CALL_SANITIZE);
	return true;
}

static uint32_t extents_room(const struct worker_io *io)
{
	return MIN(io->sqe.data_len, slot_room(io)) / (uint32_t)sizeof(struct scuse_extent);
}

static bool build_extents(struct worker_io *io)
{
	uint64_t length = (uint64_t)io->sqe.blocks * io->queue->dev->block_size;

	if (dev_caps(io->queue->dev)->extents != SCUSE_CAP_NATIVE)
		return refuse(io, SCUSE_E_UNSUPPORTED);
	if (!length || !extents_room(io))
		return refuse(io, SCUSE_E_INVALID);
	if (!in_range(io, io->sqe.lba, io->sqe.blocks))
		return false;
	whole(io, CALL_EXTENTS, length, length);
	io->extents = extents_new(io->plan.offset, length, extents_room(io));
	return true;
}

static bool build_lu_reset(struct worker_io *io)
{
	if (!dev_resets(io->queue->dev))
		return refuse(io, SCUSE_E_UNSUPPORTED);
	single(io, CALL_LU_RESET);
	return true;
}

/* ---- the plan ---- */

static bool has_read(const struct handler *handler)
{
	return handler->def.sync ? handler->sync.read != NULL : handler->async.read != NULL;
}

/* Blocks and ranges mean nothing to a raw LUN. */
static bool build_raw(struct worker_io *io)
{
	switch (io->sqe.op) {
	case SCUSE_OP_CDB:
		return build_cdb(io);
	case SCUSE_OP_LU_RESET:
		return build_lu_reset(io);
	}
	return refuse(io, SCUSE_E_UNSUPPORTED);
}

static bool build(struct worker_io *io)
{
	struct scuse_dev *dev = io->queue->dev;

	if (dev->raw)
		return build_raw(io);
	switch (io->sqe.op) {
	case SCUSE_OP_READ:
		if (!has_read(dev->handler))
			return refuse(io, SCUSE_E_UNSUPPORTED);
		io->data_in = io->sqe.data_len;
		return build_transfer(io, CALL_READ);
	case SCUSE_OP_WRITE:
		return build_write(io);
	case SCUSE_OP_FLUSH:
		io->plan.flush_after = dev_caps(dev)->flush == SCUSE_CAP_NATIVE;
		return true;
	case SCUSE_OP_WRITE_SAME:
		return writable(io) && build_write_same(io);
	case SCUSE_OP_UNMAP:
		return writable(io) && build_unmap(io);
	case SCUSE_OP_CDB:
		return build_cdb(io);
	case SCUSE_OP_EXTENTS:
		return build_extents(io);
	case SCUSE_OP_FORMAT:
		return writable(io) && build_format(io);
	case SCUSE_OP_SANITIZE:
		return writable(io) && build_sanitize(io);
	}
	return refuse(io, SCUSE_E_UNSUPPORTED);
}

static uint32_t io_flags(uint16_t flags)
{
	return (flags & SCUSE_SQE_F_DPO ? SCUSE_IO_DPO : 0) |
	       (flags & SCUSE_SQE_F_UNMAP ? SCUSE_IO_UNMAP : 0) |
	       (flags & SCUSE_SQE_F_ANCHOR ? SCUSE_IO_ANCHOR : 0) |
	       (flags & SCUSE_SQE_F_ATOMIC ? SCUSE_IO_ATOMIC : 0) |
	       (flags & SCUSE_SQE_F_DATA_OUT ? SCUSE_IO_DATA_OUT : 0) |
	       (flags & SCUSE_SQE_F_DATA_IN ? SCUSE_IO_DATA_IN : 0) |
	       (flags & SCUSE_SQE_F_REPLAY ? SCUSE_IO_REPLAY : 0);
}

bool plan_build(struct worker_io *io)
{
	io->plan = (struct plan){ .kind = CALL_FLUSH };
	io->flags = io_flags(io->sqe.flags);
	if (!build(io))
		return false;
	if (io->sqe.op == SCUSE_OP_WRITE || io->sqe.op == SCUSE_OP_WRITE_SAME)
		plan_fua(io);
	io->chained = io->plan.ranges > 1 || io->plan.remaining > io->plan.chunk ||
		      (io->plan.remaining && io->plan.flush_after);
	return true;
}

bool plan_has_more(const struct plan *plan)
{
	return plan->remaining || plan->range < plan->ranges || plan->flush_after;
}

/* The next range of an UNMAP that is not empty. */
static bool next_range(struct worker_io *io, struct call *call)
{
	const struct scuse_range *ranges = (const void *)io_slot(io);
	uint32_t block_size = io->queue->dev->block_size;

	while (io->plan.range < io->plan.ranges) {
		const struct scuse_range *range = &ranges[io->plan.range++];

		if (!range->blocks)
			continue;
		*call = (struct call){ CALL_UNMAP, range->lba * block_size,
				       (uint64_t)range->blocks * block_size };
		return true;
	}
	return false;
}

/* Bytes of protection information that go with a call: of the data that it moves, or of one block of it. */
static uint32_t call_protection(const struct worker_io *io, const struct call *call)
{
	if (!(io->sqe.flags & SCUSE_SQE_F_PI))
		return 0;
	if (call->kind == CALL_WRITE_SAME)
		return PROTECTION;
	if (call->kind != CALL_READ && call->kind != CALL_WRITE)
		return 0;
	return (uint32_t)(call->length / io->queue->dev->block_size) * PROTECTION;
}

/* A LUN that has become smaller since the plan was made: handlers are asked for nothing beyond its end. */
static void keep_within(struct plan *plan, uint64_t size)
{
	uint64_t left = size > plan->offset ? size - plan->offset : 0;

	plan->remaining = MIN(plan->remaining, left);
}

bool plan_next(struct worker_io *io, struct call *call)
{
	struct plan *plan = &io->plan;

	io->protection = 0;
	if (plan->yields)
		keep_within(plan, atomic_load_explicit(&io->queue->dev->size, memory_order_relaxed));
	if (plan->remaining) {
		*call = (struct call){ plan->kind, plan->offset, MIN(plan->chunk, plan->remaining) };
		plan->offset += call->length;
		plan->remaining -= call->length;
		io->protection = call_protection(io, call);
		return true;
	}
	if (next_range(io, call))
		return true;
	if (!plan->flush_after)
		return false;
	plan->flush_after = false;
	*call = (struct call){ .kind = CALL_FLUSH };
	return true;
}

void plan_finish(struct worker_io *io)
{
	if (!io->extents)
		return;
	if (io->status == SAM_GOOD)
		io->data_in = sizeof(struct scuse_extent) *
			      extents_to_blocks(io->extents, io->queue->dev->block_size, (void *)io_slot(io),
						extents_room(io));
	extents_free(io->extents);
	io->extents = NULL;
}
