// SPDX-License-Identifier: GPL-2.0-only
/*
 * The relay of a raw LUN: unit attentions of the device become unit attentions of every nexus, and so does
 * what one nexus has changed by a command.  See relay.h for what is kept, relayrule.h for the rules.
 *
 *	scuse_relay_done()
 *	  CHECK CONDITION, UNIT ATTENTION
 *	    echo (relayrule.h)		the command is submitted again, once
 *	    otherwise			all other nexuses have it pending from now on; the initiator of the command
 *					gets the device's own sense data
 *	  GOOD, REQUEST SENSE		likewise, if a unit attention is in its data
 *	  GOOD, changes something	the other nexuses have a unit attention pending that says so
 *	and where parameters may have changed they are read again before the command is answered (rawparam.c).
 *
 * Called by raw.c's step function, and by session.c and rawparam.c for unit attentions that came on no
 * command of an initiator.  Process context, no locks held.
 */
#include <linux/slab.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "raw.h"
#include "scuse.h"
#include "sense.h"
#include "step.h"

void scuse_relay_init(struct scuse_relay *relay)
{
	spin_lock_init(&relay->lock);
	init_waitqueue_head(&relay->wait);
}

void scuse_relay_start(struct scuse_device *dev)
{
	spin_lock(&dev->relay.lock);
	scuse_echo_forget(&dev->relay.echo);
	spin_unlock(&dev->relay.lock);
	if (dev->raw)
		scuse_rawparam_stale(dev, false);
}

void scuse_relay_note(struct scuse_io *io)
{
	struct scuse_device *dev = io->queue->dev;

	io->tag->epoch = READ_ONCE(dev->relay.echo.epoch);
	WRITE_ONCE(io->tag->changes, READ_ONCE(dev->rawread.changes));
}

struct scuse_kept *scuse_relay_keep(struct scuse_io *io, const u8 *sense)
{
	struct scuse_tag *tag = io->tag;
	struct scuse_kept *kept = kzalloc(sizeof(*kept), GFP_NOIO);

	if (!kept)
		return NULL;
	kept->status = tag->status;
	kept->kind = tag->kind;
	kept->sense_len = tag->sense_len;
	kept->filled = tag->filled;
	kept->op = tag->op;
	kept->data_in = tag->data_in;
	kept->flags = tag->flags;
	kept->data_len = tag->data_len;
	kept->step = tag->step;
	if (sense)
		memcpy(kept->sense, sense, sizeof(kept->sense));
	tag->kept = kept;
	return kept;
}

void scuse_relay_restore(struct scuse_io *io)
{
	struct scuse_tag *tag = io->tag;
	const struct scuse_kept *kept = tag->kept;

	tag->status = kept->status;
	tag->kind = kept->kind;
	tag->sense_len = kept->sense_len;
	tag->filled = kept->filled;
	tag->op = kept->op;
	tag->data_in = kept->data_in;
	tag->flags = kept->flags;
	tag->data_len = kept->data_len;
	tag->step = kept->step;
}

/*
 * The device was reset by somebody else: what a reset of ours ends (SAM-5 6.3.3, SPC-2 5.5.1), ends.
 * Commands that were in flight the device, or the host's driver, has ended; they are completed as they come.
 */
static void scuse_relay_was_reset(struct scuse_device *dev)
{
	struct se_device *se_dev = &dev->se_dev;
	bool held;

	spin_lock(&se_dev->dev_reservation_lock);
	held = se_dev->dev_reservation_flags & DRF_SPC2_RESERVATIONS;
	if (held) {
		se_dev->reservation_holder = NULL;
		se_dev->dev_res_bin_isid = 0;
		se_dev->dev_reservation_flags &= ~(DRF_SPC2_RESERVATIONS | DRF_SPC2_RESERVATIONS_WITH_ISID);
	}
	spin_unlock(&se_dev->dev_reservation_lock);
	if (held)
		scuse_reservation_changed(dev);
	scuse_copies_forget(&dev->copies);
}

/*
 * Parameters become stale before anybody can hear of it, so that who hears of it finds them stale or read
 * anew.
 */
void scuse_relay_establish(struct scuse_device *dev, const struct scuse_ua_code *code, struct se_cmd *spared)
{
	u32 actions = scuse_relay_actions(code->asc, code->ascq);

	if (actions & SCUSE_RELAY_REREAD)
		scuse_rawparam_stale(dev, actions & SCUSE_RELAY_SIZED);
	if (actions & SCUSE_RELAY_RESET)
		scuse_relay_was_reset(dev);
	scuse_ua_raise(dev, code->asc, code->ascq, spared);
}

bool scuse_relay_is_echo(struct scuse_device *dev, const struct scuse_ua_code *code)
{
	bool echo;

	spin_lock(&dev->relay.lock);
	echo = scuse_echo_take(&dev->relay.echo, code);
	spin_unlock(&dev->relay.lock);
	return echo;
}

void scuse_relay_notify(struct scuse_device *dev, u8 asc, u8 ascq)
{
	struct scuse_ua_code code = { asc, ascq };

	if (!scuse_relay_is_echo(dev, &code))
		scuse_relay_establish(dev, &code, NULL);
	scuse_rawparam_refresh(dev);
}

/* The same once more. */
static void scuse_relay_again(struct scuse_io *io)
{
	struct scuse_tag *tag = io->tag;

	io->sqe.op = tag->op;
	io->sqe.flags = tag->flags;
	io->sqe.lba = tag->lba;
	io->sqe.blocks = tag->blocks;
	io->sqe.data_len = tag->data_len;
	if (scuse_raw_load(io)) {
		scuse_step_no_memory(io);
		return;
	}
	scuse_relay_note(io);
	scuse_step_submit(io, tag->step, NULL);
}

/*
 * Reads the parameters before the command is answered; false: that has to go without.  The answer to a
 * command that has data for the initiator lies in the slot, so there the tag cannot be used.
 */
static bool scuse_relay_reread(struct scuse_io *io)
{
	if (io->tag->data_in && io->tag->status == SAM_STAT_GOOD)
		return false;
	if (!io->tag->kept && !scuse_relay_keep(io, NULL))
		return false;
	scuse_rawparam_read(io, io->tag->kept, scuse_raw_finish);
	return true;
}

/*
 * A unit attention on a command.  If the command proves to be aborted the initiator never gets the device's
 * sense data: then it is told as the others are.
 */
static bool scuse_relay_attention(struct scuse_io *io, const struct scuse_ua_code *code, const u8 *sense)
{
	struct scuse_device *dev = io->queue->dev;
	struct se_cmd *spared = NULL;

	if (scuse_relay_is_echo(dev, code)) {
		scuse_relay_again(io);
		return true;
	}
	if (scuse_relay_keep(io, sense)) {
		scuse_ua_telling(io->cmd, code);
		if (!(READ_ONCE(io->cmd->transport_state) & CMD_T_ABORTED))
			spared = io->cmd;
	} else {
		/* The initiator is to repeat the command, and then hears of it as the others do. */
		io->tag->status = SAM_STAT_BUSY;
		io->tag->sense_len = 0;
	}
	scuse_relay_establish(dev, code, spared);
	if (!(scuse_relay_actions(code->asc, code->ascq) & SCUSE_RELAY_REREAD))
		return false;
	return scuse_relay_reread(io);
}

/* Has the command changed, or may it have changed, what we keep? */
static bool scuse_relay_changes(struct se_cmd *cmd)
{
	const struct scuse_raw_entry *entry = scuse_raw_entry(cmd);

	return entry && entry->flags & (SCUSE_RAW_PARAMETERS | SCUSE_RAW_SELECT);
}

void scuse_relay_ended(struct scuse_io *io, u8 opcode)
{
	struct scuse_relay *relay = &io->queue->dev->relay;

	if (!READ_ONCE(relay->echo.reset) && !READ_ONCE(relay->echo.select))
		return;
	spin_lock(&relay->lock);
	scuse_echo_ended(&relay->echo, io->tag->epoch, opcode, io->tag->status);
	spin_unlock(&relay->lock);
}

static bool scuse_relay_check(struct scuse_io *io)
{
	struct scuse_device *dev = io->queue->dev;
	u8 sense[SCUSE_SENSE_MAX] = {};
	struct scuse_ua_code code;

	scuse_sense_read(io->queue, io->tag, sense, io->tag->sense_len);
	if (scuse_device_has(dev, SCUSE_FEATURE_UNIT_ATTENTIONS) &&
	    scuse_relay_code(sense, io->tag->sense_len, &code))
		return scuse_relay_attention(io, &code, sense);
	scuse_relay_ended(io, io->cmd->t_task_cdb[0]);
	if (!scuse_relay_changes(io->cmd))
		return false;
	scuse_rawparam_stale(dev, false);
	return scuse_relay_keep(io, sense) && scuse_relay_reread(io);
}

/* REQUEST SENSE takes a unit attention off the device as any other command does. */
static bool scuse_relay_sensed(struct scuse_io *io)
{
	struct scuse_device *dev = io->queue->dev;
	u8 data[SCUSE_SENSE_FIXED_LENGTH] = {};
	struct scuse_ua_code code;

	scuse_slot_read(io, 0, data, sizeof(data));
	if (!scuse_relay_code(data, min_t(u32, io->tag->filled, sizeof(data)), &code))
		return false;
	if (scuse_relay_is_echo(dev, &code)) {
		scuse_relay_again(io);
		return true;
	}
	scuse_ua_telling(io->cmd, &code);
	scuse_relay_establish(dev, &code,
			      READ_ONCE(io->cmd->transport_state) & CMD_T_ABORTED ? NULL : io->cmd);
	return false;
}

/* What the command has changed, to the other nexuses. */
static void scuse_relay_tell(struct scuse_io *io, const struct scuse_ua_code *code)
{
	struct scuse_device *dev = io->queue->dev;

	if (code->asc == 0x2a && code->ascq == 0x01) {
		spin_lock(&dev->relay.lock);
		scuse_echo_select(&dev->relay.echo);
		spin_unlock(&dev->relay.lock);
	}
	scuse_ua_raise(dev, code->asc, code->ascq, io->cmd);
}

static bool scuse_relay_good(struct scuse_io *io)
{
	struct scuse_device *dev = io->queue->dev;
	const u8 *cdb = io->cmd->t_task_cdb;
	bool changes = scuse_relay_changes(io->cmd);
	struct scuse_ua_code code;

	if (cdb[0] == REQUEST_SENSE && scuse_device_has(dev, SCUSE_FEATURE_UNIT_ATTENTIONS))
		return scuse_relay_sensed(io);
	if (changes)
		scuse_rawparam_stale(dev, false);
	if (scuse_relay_consequence(dev->device_type, cdb, &code))
		scuse_relay_tell(io, &code);
	return changes && scuse_relay_reread(io);
}

bool scuse_relay_done(struct scuse_io *io)
{
	u8 status = io->tag->status;
	bool taken = false;

	/* Nothing of it has reached userspace. */
	if (io->tag->op == SCUSE_OP_NONE || !io->cmd)
		return false;
	if (status == SAM_STAT_CHECK_CONDITION) {
		taken = scuse_relay_check(io);
	} else {
		scuse_relay_ended(io, io->cmd->t_task_cdb[0]);
		if (status == SAM_STAT_GOOD)
			taken = scuse_relay_good(io);
	}
	/* What could not be read on the occasion of the command is read in the background. */
	if (!taken)
		scuse_rawparam_refresh(io->queue->dev);
	return taken;
}
