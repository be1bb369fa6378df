// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads what the kernel half must know of the device of a raw LUN; see rawparam.h, and rawprobe.h for the
 * commands and what is made of the answers.  Process context, no locks held.
 */
#include <linux/overflow.h>
#include <linux/slab.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "raw.h"
#include "scuse.h"
#include "sense.h"
#include "step.h"

#define SCUSE_PROBE_OPCODE 0x1a /* for all of the commands: unit attentions are reported on any of them */

/* The capacity in bytes; 0: none, or none that can be said.  rawread.lock is held. */
static u64 scuse_rawparam_size(const struct scuse_rawread *read)
{
	u64 size;

	return check_mul_overflow(read->facts.blocks, (u64)read->facts.block_length, &size) ? 0 : size;
}

/*
 * Takes over the capacity, out of the path of commands: dev->lock is not taken there (scuse.h).  Initiators
 * have been told already.
 */
static void scuse_rawparam_work(struct work_struct *work)
{
	struct scuse_rawread *read = container_of(work, struct scuse_rawread, work);
	struct scuse_device *dev = container_of(read, struct scuse_device, rawread);
	bool changed;
	u64 size;

	mutex_lock(&dev->lock);
	spin_lock(&read->lock);
	size = scuse_rawparam_size(read);
	spin_unlock(&read->lock);
	changed = dev->enabled && size && size != dev->size;
	if (changed) {
		WRITE_ONCE(dev->size, size);
		if (dev->announced)
			scuse_event_device(dev, SCUSE_EVENT_SIZE_CHANGED, NULL);
	}
	mutex_unlock(&dev->lock);
	scuse_device_put(dev);
}

void scuse_rawparam_init(struct scuse_device *dev)
{
	spin_lock_init(&dev->rawread.lock);
	INIT_WORK(&dev->rawread.work, scuse_rawparam_work);
}

bool scuse_rawparam_known(struct scuse_device *dev)
{
	return READ_ONCE(dev->rawparam.known) || !scuse_probe_has_blocks(dev->device_type);
}

u32 scuse_rawparam_block(struct scuse_device *dev)
{
	return READ_ONCE(dev->rawparam.known) ? READ_ONCE(dev->rawparam.block_length) : 0;
}

bool scuse_rawparam_control(struct scuse_device *dev, u8 *page)
{
	bool known;

	spin_lock(&dev->rawread.lock);
	known = dev->rawread.has_control;
	memcpy(page, dev->rawread.control, sizeof(dev->rawread.control));
	spin_unlock(&dev->rawread.lock);
	return known;
}

bool scuse_rawparam_changed(struct scuse_tag *tag)
{
	return tag->changes != READ_ONCE(tag->queue->dev->rawread.changes);
}

void scuse_rawparam_stale(struct scuse_device *dev, bool told)
{
	struct scuse_rawread *read = &dev->rawread;

	spin_lock(&read->lock);
	WRITE_ONCE(dev->rawparam.known, false);
	WRITE_ONCE(read->changes, read->changes + 1);
	read->told |= told;
	spin_unlock(&read->lock);
}

/* What does not depend on there being a medium.  rawread.lock is held. */
static void scuse_rawparam_take_mode(struct scuse_device *dev, const struct scuse_facts *facts)
{
	struct scuse_rawparam *param = &dev->rawparam;

	if (facts->has_control) {
		dev->rawread.has_control = true;
		memcpy(dev->rawread.control, facts->control, sizeof(facts->control));
		WRITE_ONCE(param->d_sense, facts->d_sense);
	}
	if (!facts->has_mode)
		return;
	WRITE_ONCE(param->medium_type, facts->medium_type);
	WRITE_ONCE(param->write_protected, facts->write_protected || facts->swp);
}

/*
 * Makes what was read known, unless something has changed since it was asked for.  Returns whether initiators
 * must be told of another capacity.  read->lock is held.
 */
static bool scuse_rawparam_take(struct scuse_device *dev, const struct scuse_kept *kept)
{
	const struct scuse_facts *facts = &kept->probe.facts;
	struct scuse_rawread *read = &dev->rawread;
	bool tell;

	if (kept->cut || kept->changes != read->changes)
		return false;
	WRITE_ONCE(read->asked, kept->changes);
	scuse_rawparam_take_mode(dev, facts);
	if (!facts->has_blocks)
		return false;
	tell = read->facts.has_blocks && !read->told &&
	       (facts->blocks != read->facts.blocks ||
		(facts->blocks && facts->block_length != read->facts.block_length));
	read->told = false;
	read->facts = *facts;
	WRITE_ONCE(dev->rawparam.block_length, facts->block_length);
	WRITE_ONCE(dev->rawparam.known, true);
	return tell;
}

static void scuse_rawparam_publish(struct scuse_device *dev, const struct scuse_kept *kept)
{
	struct scuse_rawread *read = &dev->rawread;
	bool tell;
	u64 size;

	spin_lock(&read->lock);
	tell = scuse_rawparam_take(dev, kept);
	size = scuse_rawparam_size(read);
	spin_unlock(&read->lock);
	if (tell)
		scuse_ua_raise(dev, 0x2a, 0x09, NULL); /* CAPACITY DATA HAS CHANGED */
	if (!size || size == scuse_device_size(dev))
		return;
	kref_get(&dev->kref);
	if (!queue_work(scuse_workqueue, &read->work))
		scuse_device_put(dev);
}

static void scuse_rawparam_step(struct scuse_io *io);

/* Sets @io up for the probe's next command; false: there is none. */
static bool scuse_rawparam_prepare(struct scuse_io *io)
{
	struct scuse_probe_command command;

	if (!scuse_probe_command(&io->tag->kept->probe, &command))
		return false;
	io->sqe.op = SCUSE_OP_CDB;
	io->sqe.flags = SCUSE_SQE_F_DATA_IN;
	io->sqe.nexus = 0;
	io->sqe.lba = 0;
	io->sqe.blocks = 0;
	io->sqe.data_len = command.length;
	memset(io->sqe.cdb, 0, sizeof(io->sqe.cdb));
	memcpy(io->sqe.cdb, command.cdb, sizeof(command.cdb));
	io->tag->data_in = true;
	io->tag->epoch = READ_ONCE(io->queue->dev->relay.echo.epoch);
	io->tag->step = scuse_rawparam_step;
	return true;
}

static void scuse_rawparam_begin(struct scuse_device *dev, struct scuse_kept *kept,
				 void (*then)(struct scuse_io *io))
{
	kept->changes = READ_ONCE(dev->rawread.changes);
	kept->then = then;
	scuse_probe_start(&kept->probe, dev->device_type);
}

/* The next command of the probe, or the end. */
static void scuse_rawparam_next(struct scuse_io *io)
{
	struct scuse_kept *kept = io->tag->kept;
	bool aborted = io->cmd && READ_ONCE(io->cmd->transport_state) & CMD_T_ABORTED;

	if (!aborted && scuse_rawparam_prepare(io) && !scuse_io_back(io) && scuse_io_again(io))
		return;
	kept->cut |= kept->probe.stage != SCUSE_PROBE_DONE;
	scuse_rawparam_publish(io->queue->dev, kept);
	scuse_relay_restore(io);
	kept->then(io);
}

/* Sense data of a probe: all of it is told to who asked, if it is the reason why he cannot go on. */
static void scuse_rawparam_excuse(struct scuse_kept *kept, const u8 *sense, u32 length)
{
	bool tape = kept->probe.type == SCUSE_TYPE_TAPE;

	if (!kept->asked || kept->probe.facts.has_blocks || (kept->probe.stage == SCUSE_PROBE_MODE && !tape))
		return;
	kept->status = SAM_STAT_CHECK_CONDITION;
	kept->sense_len = length;
	memcpy(kept->sense, sense, sizeof(kept->sense));
}

/* False: the device is left alone. */
static bool scuse_rawparam_attention(struct scuse_io *io, const struct scuse_ua_code *code)
{
	struct scuse_device *dev = io->queue->dev;
	struct scuse_kept *kept = io->tag->kept;

	if (!scuse_relay_is_echo(dev, code))
		scuse_relay_establish(dev, code, NULL);
	kept->changes = READ_ONCE(dev->rawread.changes);
	return scuse_probe_attention(&kept->probe);
}

static bool scuse_rawparam_check(struct scuse_io *io)
{
	struct scuse_device *dev = io->queue->dev;
	struct scuse_kept *kept = io->tag->kept;
	u32 length = io->tag->sense_len;
	u8 sense[SCUSE_SENSE_MAX] = {};
	struct scuse_ua_code code;

	scuse_sense_read(io->queue, io->tag, sense, length);
	if (scuse_device_has(dev, SCUSE_FEATURE_UNIT_ATTENTIONS) && scuse_relay_code(sense, length, &code))
		return scuse_rawparam_attention(io, &code);
	scuse_relay_ended(io, SCUSE_PROBE_OPCODE);
	scuse_rawparam_excuse(kept, sense, length);
	if (scuse_sense_key(sense) == SCUSE_KEY_ILLEGAL_REQUEST)
		scuse_probe_refused(&kept->probe);
	else
		scuse_probe_failed(&kept->probe);
	return true;
}

static void scuse_rawparam_step(struct scuse_io *io)
{
	struct scuse_kept *kept = io->tag->kept;
	struct scuse_probe *probe = &kept->probe;
	u8 data[SCUSE_PROBE_LENGTH];
	u32 length = min_t(u32, io->tag->filled, sizeof(data));

	switch (io->tag->status) {
	case SAM_STAT_GOOD:
		scuse_relay_ended(io, SCUSE_PROBE_OPCODE);
		scuse_slot_read(io, 0, data, length);
		scuse_probe_answer(probe, data, length);
		break;
	case SAM_STAT_CHECK_CONDITION:
		if (!scuse_rawparam_check(io))
			probe->stage = SCUSE_PROBE_DONE;
		break;
	default:
		/* Busy, or the session has ended: the next occasion will do. */
		kept->cut = true;
		probe->stage = SCUSE_PROBE_DONE;
		break;
	}
	scuse_rawparam_next(io);
}

void scuse_rawparam_read(struct scuse_io *io, struct scuse_kept *kept, void (*then)(struct scuse_io *io))
{
	scuse_rawparam_begin(io->queue->dev, kept, then);
	scuse_rawparam_next(io);
}

/* The end of a refresh; what has changed meanwhile is read again. */
static void scuse_rawparam_refreshed(struct scuse_io *io)
{
	struct scuse_device *dev = io->queue->dev;

	bool cut = io->tag->kept->cut;

	spin_lock(&dev->rawread.lock);
	dev->rawread.reading = false;
	spin_unlock(&dev->rawread.lock);
	/* While the tag keeps the device; of one that does not answer the next command is the occasion. */
	if (!cut)
		scuse_rawparam_refresh(dev);
	scuse_step_end(io, SAM_STAT_GOOD);
}

static bool scuse_rawparam_submit(struct scuse_device *dev)
{
	struct scuse_kept *kept;
	struct scuse_io io;

	if (!scuse_io_begin_own(&io, dev, SCUSE_OP_CDB))
		return false;
	kept = scuse_relay_keep(&io, NULL);
	if (!kept) {
		scuse_io_abandon(&io);
		return false;
	}
	scuse_rawparam_begin(dev, kept, scuse_rawparam_refreshed);
	scuse_rawparam_prepare(&io);
	return !scuse_io_submit(&io);
}

void scuse_rawparam_refresh(struct scuse_device *dev)
{
	struct scuse_rawread *read = &dev->rawread;
	bool go;

	if (READ_ONCE(read->asked) == READ_ONCE(read->changes))
		return;
	spin_lock(&read->lock);
	go = !read->reading;
	read->reading = true;
	spin_unlock(&read->lock);
	if (!go || scuse_rawparam_submit(dev))
		return;
	spin_lock(&read->lock);
	read->reading = false;
	spin_unlock(&read->lock);
}

/* BUSY, or the device's own excuse, which excuse() has kept. */
static void scuse_rawparam_asked(struct scuse_io *io)
{
	if (scuse_rawparam_known(io->queue->dev)) {
		io->tag->status = SAM_STAT_BUSY;
		io->tag->sense_len = 0;
	}
	scuse_tag_end(io->queue, io->tag);
}

sense_reason_t scuse_rawparam_ask(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	struct scuse_kept *kept;
	sense_reason_t ret;
	struct scuse_io io;

	if (!scuse_io_begin_as(&io, cmd, SCUSE_OP_CDB, SCUSE_ACCESS_NONE, &ret))
		return ret;
	io.tag->op = SCUSE_OP_CDB;
	io.tag->status = SAM_STAT_BUSY;
	io.tag->sense_len = 0;
	io.tag->filled = 0;
	kept = scuse_relay_keep(&io, NULL);
	if (!kept) {
		scuse_io_abandon(&io);
		return TCM_OUT_OF_RESOURCES;
	}
	kept->asked = true;
	scuse_rawparam_begin(dev, kept, scuse_rawparam_asked);
	scuse_rawparam_prepare(&io);
	return scuse_io_submit(&io);
}
