// SPDX-License-Identifier: GPL-2.0-only
/*
 * SANITIZE (SBC-3 5.22, 4.11): OVERWRITE, BLOCK ERASE, CRYPTOGRAPHIC ERASE, as the handler offers them, and
 * EXIT FAILURE MODE.  One submission, but for OVERWRITE one for each pass, with the pattern in the slot.
 *
 * From the beginning to the end, and after a failure, the medium is not accessible (medium.h).  Neither an
 * abort nor a reset stops the work once it has begun: with IMMED, and for OVERWRITE's further passes, nobody
 * who could be aborted waits for it.
 *
 * Context: execute, then steps (step.h).
 */
#include <linux/slab.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "opcode.h"
#include "step.h"

#define SCUSE_SANITIZE_IMMED  0x80 /* byte 1 of the CDB */
#define SCUSE_SANITIZE_AUSE   0x20
#define SCUSE_SANITIZE_HEADER 4	   /* bytes of OVERWRITE's parameter list before the pattern */
#define SCUSE_SANITIZE_INVERT 0x80 /* byte 0 of it */
#define SCUSE_SANITIZE_TEST   0x60
#define SCUSE_SANITIZE_COUNT  0x1f

/*
 * What the steps have to know, in scuse_tag.done: passes that are left after this one, passes in all, INVERT,
 * the state of the medium before.
 */
#define SCUSE_PASSES_LEFT(done) ((u32)((done)&0xff))
#define SCUSE_PASSES(done)	((u32)((done) >> 8 & 0xff))
#define SCUSE_PASS_INVERT	0x10000u
#define SCUSE_PASS_BEFORE(done) ((u32)((done) >> 32))

bool scuse_offers_sanitize(struct scuse_device *dev)
{
	return scuse_device_has(dev, SCUSE_FEATURE_SANITIZE_OVERWRITE | SCUSE_FEATURE_SANITIZE_BLOCK |
					     SCUSE_FEATURE_SANITIZE_CRYPTO);
}

static void scuse_sanitize_end(struct scuse_device *dev, u32 state)
{
	kfree(dev->medium.pattern);
	dev->medium.pattern = NULL;
	scuse_medium_end(dev, state);
}

/* OVERWRITE's pattern, as the pass that is to be submitted needs it. */
static int scuse_sanitize_refill(struct scuse_io *io)
{
	u64 done = io->tag->done;
	u32 pass = SCUSE_PASSES(done) - SCUSE_PASSES_LEFT(done);
	u32 length = io->sqe.data_len;

	if (!length)
		return 0;
	if (scuse_slot_write(io, 0, io->queue->dev->medium.pattern, length))
		return -ENOMEM;
	return done & SCUSE_PASS_INVERT && pass % 2 == 0 ? scuse_slot_invert(io, length) : 0;
}

/* The work has failed: whoever waits for it is told so, whatever the handler said. */
static void scuse_sanitize_failed(struct scuse_io *io)
{
	static const struct scuse_sense failed = { .key = SCUSE_KEY_MEDIUM_ERROR, .asc = 0x31, .ascq = 0x03 };
	u64 done = io->tag->done;

	if (io->tag->op == SCUSE_OP_NONE) {
		/* It never began, see scuse_tag_refuse(). */
		scuse_sanitize_end(io->queue->dev, SCUSE_PASS_BEFORE(done));
		scuse_tag_end(io->queue, io->tag);
		return;
	}
	scuse_sanitize_end(io->queue->dev, SCUSE_MEDIUM_SANITIZE_FAILED);
	scuse_step_end_sense(io, &failed);
}

static void scuse_sanitize_step(struct scuse_io *io)
{
	struct scuse_device *dev = io->queue->dev;
	struct scuse_tag *tag = io->tag;
	u32 left = SCUSE_PASSES_LEFT(tag->done);
	u32 passes = SCUSE_PASSES(tag->done);

	if (tag->status != SAM_STAT_GOOD) {
		scuse_sanitize_failed(io);
		return;
	}
	if (!left) {
		scuse_sanitize_end(dev, SCUSE_MEDIUM_READY);
		scuse_step_end(io, SAM_STAT_GOOD);
		return;
	}
	WRITE_ONCE(dev->medium.progress, (passes - left) * 65536 / passes);
	tag->done--;
	io->sqe.op = SCUSE_OP_SANITIZE;
	io->sqe.blocks = tag->blocks;
	io->sqe.data_len = tag->data_len;
	if (scuse_sanitize_refill(io) || !scuse_io_again(io))
		scuse_sanitize_failed(io);
}

/* A copy of the pattern, since the command may be answered long before the last pass; -ENOMEM, -EINVAL. */
static int scuse_sanitize_pattern(struct se_cmd *cmd, u32 length)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	struct scuse_sg cursor;

	if (!length)
		return 0;
	dev->medium.pattern = kmalloc(length, GFP_NOIO);
	if (!dev->medium.pattern)
		return -ENOMEM;
	scuse_sg_start(&cursor, cmd->t_data_sg, cmd->t_data_nents);
	scuse_sg_skip(&cursor, SCUSE_SANITIZE_HEADER);
	return scuse_sg_read(&cursor, dev->medium.pattern, length) == length ? 0 : -EINVAL;
}

/* @pattern: bytes of it in the initiator's list, behind the header; 0: there is none */
static sense_reason_t scuse_sanitize_begin(struct se_cmd *cmd, enum scuse_sanitize method, u32 pattern,
					   u64 passes)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u8 options = cmd->t_task_cdb[1];
	struct scuse_io io;
	sense_reason_t ret;
	u32 before;
	int error;

	if (!scuse_medium_begin(cmd, SCUSE_MEDIUM_SANITIZING, &before, &ret))
		return ret;
	if (!scuse_io_begin(&io, cmd, SCUSE_OP_SANITIZE, &ret))
		goto err_medium;
	io.sqe.lba = 0;
	io.sqe.blocks = method;
	io.sqe.data_len = pattern;
	io.tag->done = passes | (u64)before << 32;
	error = scuse_sanitize_pattern(cmd, pattern);
	if (!error)
		error = scuse_sanitize_refill(&io);
	if (error) {
		ret = scuse_slot_error(&io, error);
		goto err_medium;
	}
	WRITE_ONCE(dev->medium.ause, options & SCUSE_SANITIZE_AUSE);
	io.tag->refill = scuse_sanitize_refill;
	io.tag->step = scuse_sanitize_step;
	ret = options & SCUSE_SANITIZE_IMMED ? scuse_step_background(&io) : scuse_io_submit(&io);
	if (ret)
		goto err_medium;
	return TCM_NO_SENSE;

err_medium:
	scuse_sanitize_end(dev, before);
	return ret;
}

/* PARAMETER LIST LENGTH must be 0 for all but OVERWRITE. */
static bool scuse_sanitize_list_refused(struct se_cmd *cmd)
{
	if (!cmd->t_task_nolb)
		return false;
	scuse_refuse_cdb(cmd, scuse_command(cmd)->count.at, SCUSE_SENSE_NO_BIT);
	return true;
}

sense_reason_t scuse_execute_sanitize_overwrite(struct se_cmd *cmd)
{
	u32 block_size = to_scuse(cmd->se_dev)->block_size;
	u32 length = cmd->t_task_nolb;
	u8 list[SCUSE_SANITIZE_HEADER] = {};
	u64 passes;

	if (length <= SCUSE_SANITIZE_HEADER || length > SCUSE_SANITIZE_HEADER + block_size)
		return scuse_refuse_cdb(cmd, scuse_command(cmd)->count.at, SCUSE_SENSE_NO_BIT);
	scuse_parameters(cmd, list, sizeof(list));
	if (list[0] & SCUSE_SANITIZE_TEST)
		return scuse_refuse_parameter(cmd, 0, 6);
	if (!(list[0] & SCUSE_SANITIZE_COUNT))
		return scuse_refuse_parameter(cmd, 0, 4);
	if (list[1])
		return scuse_refuse_parameter(cmd, 1, SCUSE_SENSE_NO_BIT);
	if (get_unaligned_be16(&list[2]) != length - SCUSE_SANITIZE_HEADER)
		return scuse_refuse_parameter(cmd, 2, SCUSE_SENSE_NO_BIT);
	passes = list[0] & SCUSE_SANITIZE_COUNT;
	passes = (passes - 1) | passes << 8;
	if (list[0] & SCUSE_SANITIZE_INVERT)
		passes |= SCUSE_PASS_INVERT;
	return scuse_sanitize_begin(cmd, SCUSE_SANITIZE_OVERWRITE, length - SCUSE_SANITIZE_HEADER, passes);
}

sense_reason_t scuse_execute_sanitize_block(struct se_cmd *cmd)
{
	if (scuse_sanitize_list_refused(cmd))
		return TCM_NO_SENSE;
	return scuse_sanitize_begin(cmd, SCUSE_SANITIZE_BLOCK, 0, 0);
}

sense_reason_t scuse_execute_sanitize_crypto(struct se_cmd *cmd)
{
	if (scuse_sanitize_list_refused(cmd))
		return TCM_NO_SENSE;
	return scuse_sanitize_begin(cmd, SCUSE_SANITIZE_CRYPTO, 0, 0);
}

/* Without a failure that the latest SANITIZE allows to leave this way, there is nothing to exit from. */
sense_reason_t scuse_execute_sanitize_exit(struct se_cmd *cmd)
{
	sense_reason_t ret;

	if (scuse_sanitize_list_refused(cmd) || !scuse_medium_idle(cmd, &ret))
		return TCM_NO_SENSE;
	if (!scuse_medium_exit(to_scuse(cmd->se_dev)))
		return scuse_refuse_cdb(cmd, 1, 4);
	target_complete_cmd(cmd, SAM_STAT_GOOD);
	return TCM_NO_SENSE;
}
