// SPDX-License-Identifier: GPL-2.0-only
/*
 * READ and WRITE of devices with protection information (T10 PI, SBC-3 4.22): where it comes from and goes
 * to, and its checks.  Called by cdb.c (lengths) and rw.c.
 *
 *	form	    PROTECT	initiator's side			    slot
 *	LOCAL	      0		data only				    data, and PI made or checked here
 *	MIXED	      1 to 5	each block followed by its 8 bytes	    data and PI apart
 *	SEPARATE      1 to 5	data, and PI in a list of its own (DIX;	    data and PI apart
 *				tcm_loop, vhost; fabrics whose hardware
 *				takes the wire's form apart)
 *
 * In the slot the PI of all blocks lies behind the largest transfer, from scuse_device.pi_offset on.  What
 * the worker does to a slot behind our back spoils its own data only.
 *
 * Core's own code for this (se_cmd.prot_op) is used only to have it make a list for fabrics with hardware: it
 * would need a second list, and a second run over the data, for what is a part of our copying.
 *
 * Context: parse; execute and completion of the submission: process context, no locks held.
 */
#include <linux/crc-t10dif.h>
#include <linux/highmem.h>
#include <target/target_core_backend.h>
#include <target/target_core_fabric.h>
#include "opcode.h"
#include "pi.h"
#include "step.h"

enum scuse_prot_form {
	SCUSE_PROT_LOCAL = 0,
	SCUSE_PROT_MIXED,
	SCUSE_PROT_SEPARATE,
};

/* One run over the blocks of a command. */
struct scuse_prot_run {
	struct scuse_io *io;
	enum scuse_prot_form form;
	struct scuse_pi_rules rules;
	struct scuse_sg data;
	struct scuse_sg prot;
	u32 room; /* bytes that the initiator still has room for */
};

/* RDPROTECT or WRPROTECT; READ (6) and WRITE (6) have none. */
static u8 scuse_prot_field(struct se_cmd *cmd)
{
	const struct scuse_opcode *opcode = scuse_command(cmd);

	if (!(opcode->flags & SCUSE_OPCODE_PROTECT))
		return 0;
	return cmd->t_task_cdb[scuse_opcode_options_at(opcode)] >> 5;
}

/* Hardware that separates data and PI can add and remove it as well. */
static bool scuse_prot_hardware(struct se_cmd *cmd)
{
	return cmd->se_sess->sup_prot_ops & (TARGET_PROT_DIN_STRIP | TARGET_PROT_DOUT_INSERT);
}

/*
 * scuse_prot_wire - bytes that the fabric moves for a block of a READ or WRITE
 *
 * At parse, when it is not known yet whether the fabric has a list for the PI; its length counts in either
 * case, but for hardware, which keeps it from us.
 */
u32 scuse_prot_wire(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);

	if (!dev->pi_type || !scuse_prot_field(cmd) || cmd->prot_pto || scuse_prot_hardware(cmd))
		return dev->block_size;
	return dev->block_size + SCUSE_PI_SIZE;
}

/* scuse_prot_parse - lets core make a list for PI that hardware brings */
void scuse_prot_parse(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	bool write = scuse_command(cmd)->flags & SCUSE_OPCODE_OUT;

	if (!dev->pi_type || !scuse_prot_field(cmd) || cmd->prot_pto || !scuse_prot_hardware(cmd))
		return;
	cmd->prot_op = write ? TARGET_PROT_DOUT_PASS : TARGET_PROT_DIN_PASS;
	cmd->prot_type = dev->pi_type;
	cmd->prot_length = cmd->t_task_nolb * SCUSE_PI_SIZE;
	cmd->reftag_seed = dev->pi_type == 3 ? 0xffffffff : cmd->t_task_lba;
	cmd->data_length = cmd->t_task_nolb << dev->block_shift;
}

static enum scuse_prot_form scuse_prot_form(struct se_cmd *cmd)
{
	/* prot_pto: the initiator's own layers have left the PI to nobody. */
	if (!scuse_prot_field(cmd) || cmd->prot_pto)
		return SCUSE_PROT_LOCAL;
	return cmd->t_prot_nents ? SCUSE_PROT_SEPARATE : SCUSE_PROT_MIXED;
}

/* Byte 10 of a CDB with 32 bytes has the field, bytes 24 to 27 the application tag and its mask. */
static bool scuse_prot_rules(struct se_cmd *cmd, enum scuse_prot_form form, bool write,
			     struct scuse_pi_rules *rules)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u8 protect = form == SCUSE_PROT_LOCAL ? 0 : scuse_prot_field(cmd);

	memset(rules, 0, sizeof(*rules));
	rules->type = dev->pi_type;
	if (!scuse_pi_checks(protect, write, dev->pi_type, &rules->checks))
		return false;
	if (!READ_ONCE(cmd->se_dev->dev_attrib.pi_prot_verify) || (!protect && scuse_mode_dpicz(dev)))
		rules->checks = 0;
	if (rules->checks && cmd->t_task_cdb[0] == SCUSE_VARIABLE_LENGTH) {
		rules->application = get_unaligned_be16(&cmd->t_task_cdb[24]);
		rules->application_mask = get_unaligned_be16(&cmd->t_task_cdb[26]);
	}
	return true;
}

/* False: a reserved value of RDPROTECT or WRPROTECT; the command has been ended. */
static bool scuse_prot_start(struct scuse_prot_run *run, struct se_cmd *cmd, bool write)
{
	memset(run, 0, sizeof(*run));
	run->form = scuse_prot_form(cmd);
	scuse_sg_start(&run->data, cmd->t_data_sg, cmd->t_data_nents);
	scuse_sg_start(&run->prot, cmd->t_prot_sg, cmd->t_prot_nents);
	/* What the fabric has counted as data includes the other list. */
	if (run->form == SCUSE_PROT_SEPARATE)
		cmd->data_length = cmd->t_task_nolb << to_scuse(cmd->se_dev)->block_shift;
	run->room = cmd->data_length;
	if (scuse_prot_rules(cmd, run->form, write, &run->rules))
		return true;
	scuse_refuse_cdb(cmd, scuse_opcode_options_at(scuse_command(cmd)), 7);
	return false;
}

static sense_reason_t scuse_prot_reason(enum scuse_pi_verdict verdict)
{
	switch (verdict) {
	case SCUSE_PI_BAD_GUARD:
		return TCM_LOGICAL_BLOCK_GUARD_CHECK_FAILED;
	case SCUSE_PI_BAD_APPLICATION:
		return TCM_LOGICAL_BLOCK_APP_TAG_CHECK_FAILED;
	case SCUSE_PI_BAD_REFERENCE:
		return TCM_LOGICAL_BLOCK_REF_TAG_CHECK_FAILED;
	default:
		return TCM_NO_SENSE;
	}
}

/* Checks the PI of block @index, whose data is at @data. */
static sense_reason_t scuse_prot_check(struct scuse_prot_run *run, const u8 *pi, const u8 *data, u32 index)
{
	struct se_cmd *cmd = run->io->cmd;
	u64 lba = cmd->t_task_lba + index;
	u16 crc = 0;

	if (scuse_pi_needs_crc(&run->rules, pi))
		crc = crc_t10dif(data, to_scuse(cmd->se_dev)->block_size);
	cmd->sense_info = lba;
	return scuse_prot_reason(scuse_pi_check(&run->rules, pi, crc, lba));
}

/* The initiator's PI of the next block, or what we make of its data. */
static bool scuse_prot_take(struct scuse_prot_run *run, u8 *pi, const u8 *data, u32 index)
{
	struct se_cmd *cmd = run->io->cmd;
	u32 block_size = to_scuse(cmd->se_dev)->block_size;

	if (run->form == SCUSE_PROT_LOCAL) {
		scuse_pi_generate(pi, run->rules.type, crc_t10dif(data, block_size), cmd->t_task_lba + index);
		return true;
	}
	return scuse_sg_read(run->form == SCUSE_PROT_MIXED ? &run->data : &run->prot, pi, SCUSE_PI_SIZE) ==
	       SCUSE_PI_SIZE;
}

/* Block @index from the initiator to the slot. */
static sense_reason_t scuse_prot_write_block(struct scuse_prot_run *run, u32 index)
{
	struct scuse_io *io = run->io;
	struct scuse_device *dev = io->queue->dev;
	u32 at = index << dev->block_shift;
	struct page *page = scuse_slot_page(io->queue, io->tag, at >> PAGE_SHIFT);
	sense_reason_t ret = TCM_INVALID_FIELD_IN_COMMAND_IU;
	u8 pi[SCUSE_PI_SIZE];
	u8 *data;

	if (!page)
		return TCM_OUT_OF_RESOURCES;
	data = kmap_local_page(page) + offset_in_page(at);
	if (scuse_sg_read(&run->data, data, dev->block_size) == dev->block_size &&
	    scuse_prot_take(run, pi, data, index))
		ret = scuse_prot_check(run, pi, data, index);
	kunmap_local(data);
	flush_dcache_page(page);
	if (!ret && scuse_slot_write(io, dev->pi_offset + index * SCUSE_PI_SIZE, pi, sizeof(pi)))
		ret = TCM_OUT_OF_RESOURCES;
	return ret;
}

static sense_reason_t scuse_prot_fill(struct scuse_io *io, struct scuse_prot_run *run)
{
	sense_reason_t ret = TCM_NO_SENSE;
	u32 i;

	run->io = io;
	for (i = 0; i < io->sqe.blocks && !ret; i++)
		ret = scuse_prot_write_block(run, i);
	return ret;
}

/* The field that scuse_prot_start() looks at has been found good. */
static int scuse_prot_refill(struct scuse_io *io)
{
	struct scuse_prot_run run;

	return scuse_prot_start(&run, io->cmd, true) && !scuse_prot_fill(io, &run) ? 0 : -EINVAL;
}

/*
 * scuse_prot_write - a WRITE of a device with PI, from io->tag to the submission
 *
 * As scuse_execute_write(), which has set up @io for it.
 */
sense_reason_t scuse_prot_write(struct scuse_io *io)
{
	struct scuse_prot_run run;
	sense_reason_t ret;

	if (!scuse_prot_start(&run, io->cmd, true)) {
		scuse_io_abandon(io);
		return TCM_NO_SENSE;
	}
	ret = scuse_prot_fill(io, &run);
	if (ret) {
		scuse_io_abandon(io);
		return ret;
	}
	io->sqe.flags |= SCUSE_SQE_F_PI;
	io->tag->refill = scuse_prot_refill;
	return scuse_io_submit(io);
}

static void scuse_prot_give(struct scuse_prot_run *run, struct scuse_sg *to, const u8 *bytes, u32 count)
{
	if (to == &run->data) {
		count = min(count, run->room);
		run->room -= count;
	}
	scuse_sg_write(to, bytes, count);
}

/* The page of the slot that has byte @offset; that of zeros if userspace never touched it. */
static struct page *scuse_prot_page(struct scuse_tag *tag, u32 offset)
{
	struct page **pages = smp_load_acquire(&tag->pages); /* pairs with scuse_slot_page() */
	struct page *page = pages ? smp_load_acquire(&pages[offset >> PAGE_SHIFT]) : NULL; /* scuse_page() */

	return page ? page : ZERO_PAGE(0);
}

/* The PI of block @index as userspace has left it; of a block that it has not filled, none: all ones. */
static void scuse_prot_fetch(struct scuse_io *io, bool filled, u32 index, u8 *pi)
{
	u32 at = io->queue->dev->pi_offset + index * SCUSE_PI_SIZE;
	struct page *page = scuse_prot_page(io->tag, at);

	memset(pi, 0xff, SCUSE_PI_SIZE);
	if (!filled)
		return;
	flush_dcache_page(page);
	memcpy_from_page(pi, page, offset_in_page(at), SCUSE_PI_SIZE);
}

/* Block @index from the slot to the initiator. */
static sense_reason_t scuse_prot_read_block(struct scuse_prot_run *run, u32 index)
{
	struct scuse_io *io = run->io;
	struct scuse_device *dev = io->queue->dev;
	u32 at = index << dev->block_shift;
	bool filled = io->tag->kind == SCUSE_CQE_SLOT && at + dev->block_size <= io->tag->filled;
	struct page *page = filled ? scuse_prot_page(io->tag, at) : ZERO_PAGE(0);
	sense_reason_t ret;
	u8 pi[SCUSE_PI_SIZE];
	u8 *data;

	scuse_prot_fetch(io, filled, index, pi);
	flush_dcache_page(page);
	data = kmap_local_page(page) + offset_in_page(at);
	ret = scuse_prot_check(run, pi, data, index);
	if (!ret)
		scuse_prot_give(run, &run->data, data, dev->block_size);
	kunmap_local(data);
	if (!ret && run->form != SCUSE_PROT_LOCAL)
		scuse_prot_give(run, run->form == SCUSE_PROT_MIXED ? &run->data : &run->prot, pi, sizeof(pi));
	return ret;
}

/* The step that ends a READ. */
static void scuse_prot_read_done(struct scuse_io *io)
{
	struct scuse_queue_stats stats = { .read_bytes = io->tag->data_len };
	struct se_cmd *cmd = io->cmd;
	struct scuse_prot_run run;
	sense_reason_t ret = TCM_NO_SENSE;
	u32 i;

	if (scuse_step_failed(io))
		return;
	/* The field was looked at before the submission. */
	scuse_prot_start(&run, cmd, false);
	run.io = io;
	for (i = 0; i < io->tag->blocks && !ret; i++)
		ret = scuse_prot_read_block(&run, i);
	stats.errors = !!ret;
	scuse_tag_put(io->queue, io->tag, &stats);
	if (ret)
		scuse_end_reason(cmd, ret);
	else
		target_complete_cmd(cmd, SAM_STAT_GOOD);
}

/* scuse_prot_read - a READ of a device with PI, as scuse_prot_write() */
sense_reason_t scuse_prot_read(struct scuse_io *io)
{
	struct scuse_prot_run run;

	if (!scuse_prot_start(&run, io->cmd, false)) {
		scuse_io_abandon(io);
		return TCM_NO_SENSE;
	}
	io->tag->step = scuse_prot_read_done;
	io->sqe.flags |= SCUSE_SQE_F_PI;
	return scuse_io_submit(io);
}
