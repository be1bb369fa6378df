// SPDX-License-Identifier: GPL-2.0-only
/*
 * Data between an initiator's scatterlist and a tag's slot.  Called by cdb.c and unmap.c (in) and
 * reap.c (out) for tags that the caller holds in KERNEL state; no locks held.
 *
 * What lies in a slot can be changed by userspace at any moment; it is only copied, never interpreted.
 * What lies in a scatterlist can be changed by a local initiator (tcm_loop, vhost); what is interpreted
 * of it (unmap.c) is copied out first.
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "opcode.h"
#include "scuse.h"

void scuse_sg_start(struct scuse_sg *cursor, struct scatterlist *sgl, u32 nents)
{
	cursor->sg = sgl;
	cursor->nents = nents;
	cursor->offset = 0;
}

/* The next stretch of at most @length bytes that lies within one page; 0 at the end of the list. */
u32 scuse_sg_next(struct scuse_sg *cursor, u32 length, struct page **page, u32 *offset)
{
	u32 from, count;

	while (cursor->nents && cursor->sg && cursor->offset == cursor->sg->length) {
		cursor->sg = sg_next(cursor->sg);
		cursor->nents--;
		cursor->offset = 0;
	}
	if (!cursor->nents || !cursor->sg)
		return 0;
	from = cursor->sg->offset + cursor->offset;
	*page = pfn_to_page(page_to_pfn(sg_page(cursor->sg)) + (from >> PAGE_SHIFT));
	*offset = offset_in_page(from);
	count = min3(length, cursor->sg->length - cursor->offset, (u32)PAGE_SIZE - *offset);
	cursor->offset += count;
	return count;
}

/* scuse_sg_read - copy the next @length bytes out of the list; returns how many there were */
u32 scuse_sg_read(struct scuse_sg *cursor, void *buffer, u32 length)
{
	u32 done = 0;

	while (done < length) {
		struct page *page;
		u32 offset;
		u32 count = scuse_sg_next(cursor, length - done, &page, &offset);

		if (!count)
			break;
		memcpy_from_page(buffer + done, page, offset, count);
		done += count;
	}
	return done;
}

/* scuse_sg_write - copy @buffer to the next bytes of the list; returns how many it had room for */
u32 scuse_sg_write(struct scuse_sg *cursor, const void *buffer, u32 length)
{
	u32 done = 0;

	while (done < length) {
		struct page *page;
		u32 offset;
		u32 count = scuse_sg_next(cursor, length - done, &page, &offset);

		if (!count)
			break;
		memcpy_to_page(page, offset, buffer + done, count);
		flush_dcache_page(page);
		done += count;
	}
	return done;
}

void scuse_sg_skip(struct scuse_sg *cursor, u32 length)
{
	while (length) {
		struct page *page;
		u32 offset;
		u32 count = scuse_sg_next(cursor, length, &page, &offset);

		if (!count)
			break;
		length -= count;
	}
}

/*
 * scuse_reply - end a command with GOOD and as much of @buffer as the initiator has room for
 * @length: bytes of the whole answer; what the CDB's allocation length leaves out is not missed
 *
 * The residual is the difference between what the CDB asks for and what the initiator expects.  Returns
 * TCM_NO_SENSE.
 */
sense_reason_t scuse_reply(struct se_cmd *cmd, const void *buffer, u32 length)
{
	u32 count = min(length, cmd->data_length);

	if (count)
		sg_copy_from_buffer(cmd->t_data_sg, cmd->t_data_nents, buffer, count);
	return scuse_reply_written(cmd, length);
}

/* scuse_reply_written - likewise, when the answer is in the initiator's list already */
sense_reason_t scuse_reply_written(struct se_cmd *cmd, u32 length)
{
	const struct scuse_opcode *opcode = scuse_command(cmd);
	u32 count;

	if (opcode->data == SCUSE_LENGTH_BYTES)
		length = min_t(u64, length, scuse_opcode_number(opcode, &opcode->count, cmd->t_task_cdb));
	count = min(length, cmd->data_length);
	if (length > cmd->data_length && !(cmd->se_cmd_flags & (SCF_OVERFLOW_BIT | SCF_UNDERFLOW_BIT))) {
		cmd->se_cmd_flags |= SCF_OVERFLOW_BIT;
		cmd->residual_count = length - cmd->data_length;
	}
	target_complete_cmd_with_length(cmd, SAM_STAT_GOOD, count);
	return TCM_NO_SENSE;
}

/*
 * scuse_parameters - a private copy of the parameter list, at most @size bytes of it; returns its length
 *
 * A local initiator can change the list under our hands, so that it is interpreted in the copy only.
 */
u32 scuse_parameters(struct se_cmd *cmd, void *buffer, u32 size)
{
	return sg_copy_to_buffer(cmd->t_data_sg, cmd->t_data_nents, buffer, min(size, cmd->data_length));
}

/*
 * scuse_slot_fill - copy @length bytes from the list to the start of the slot
 *
 * -ENOMEM, or -EINVAL if the list is shorter.  May sleep for memory.
 */
int scuse_slot_fill(struct scuse_io *io, struct scatterlist *sgl, u32 nents, u32 length)
{
	struct scuse_sg cursor;

	scuse_sg_start(&cursor, sgl, nents);
	return scuse_slot_load(io, &cursor, length);
}

/* scuse_slot_refill - likewise, io->sqe.data_len bytes of the command's data; for scuse_tag.refill */
int scuse_slot_refill(struct scuse_io *io)
{
	return scuse_slot_fill(io, io->cmd->t_data_sg, io->cmd->t_data_nents, io->sqe.data_len);
}

/* scuse_slot_load - likewise, the next @length bytes of the list */
int scuse_slot_load(struct scuse_io *io, struct scuse_sg *cursor, u32 length)
{
	u32 done = 0;

	if (scuse_slot_back(io->queue, io->tag, 0, DIV_ROUND_UP(length, PAGE_SIZE)))
		return -ENOMEM;
	while (done < length) {
		struct page *slot = io->tag->pages[done >> PAGE_SHIFT];
		u32 in_slot = offset_in_page(done);
		struct page *page;
		u32 offset, count;

		count = scuse_sg_next(cursor, min(length - done, (u32)PAGE_SIZE - in_slot), &page, &offset);
		if (!count)
			return -EINVAL;
		memcpy_page(slot, in_slot, page, offset, count);
		flush_dcache_page(slot);
		done += count;
	}
	return 0;
}

/* scuse_slot_write - copy a buffer to @offset of the slot; must not cross a page.  -ENOMEM. */
int scuse_slot_write(struct scuse_io *io, u32 offset, const void *buffer, u32 length)
{
	struct page *slot = scuse_slot_page(io->queue, io->tag, offset >> PAGE_SHIFT);

	if (!slot)
		return -ENOMEM;
	memcpy_to_page(slot, offset_in_page(offset), buffer, length);
	flush_dcache_page(slot);
	return 0;
}

/*
 * scuse_slot_drain - give the initiator its READ data
 *
 * Copies the bytes that userspace says it has filled, and zeros all others: what is in the list
 * otherwise is old kernel memory.  A page of the slot that userspace never touched reads as zeros.
 * Returns how many bytes were zeroed.
 */
u32 scuse_slot_drain(struct scuse_queue *queue, struct scuse_tag *tag)
{
	u32 filled = tag->kind == SCUSE_CQE_ZERO ? 0 : min(tag->filled, tag->transfer);
	struct page **pages = smp_load_acquire(&tag->pages); /* pairs with scuse_slot_page() */
	struct scuse_sg cursor;
	u32 done = 0, zeroed = 0;

	scuse_sg_start(&cursor, tag->sgl, tag->nents);
	while (done < tag->transfer) {
		bool data = done < filled;
		u32 in_slot = offset_in_page(done);
		u32 length = data ? min(filled - done, (u32)PAGE_SIZE - in_slot) : tag->transfer - done;
		struct page *slot = NULL;
		struct page *page;
		u32 offset, count;

		if (data && pages)
			slot = smp_load_acquire(&pages[done >> PAGE_SHIFT]); /* with scuse_page() */
		count = scuse_sg_next(&cursor, length, &page, &offset);
		if (!count)
			break;
		if (slot) {
			flush_dcache_page(slot);
			memcpy_page(page, offset, slot, in_slot, count);
		} else {
			memzero_page(page, offset, count);
			zeroed += count;
		}
		flush_dcache_page(page);
		done += count;
	}
	return zeroed;
}
