// SPDX-License-Identifier: GPL-2.0-only
/*
 * Raw LUNs (raw.h): the way of a command that userspace carries out as a CDB, from the parse step to its end.
 * What the kernel half answers itself goes on in cdb.c, with its entry in optable.c.
 *
 * LENGTHS.  The CDB says how much data the device moves, the initiator how much it expects.  The device
 * always gets what its CDB needs: a slot holds the largest transfer.  To the initiator goes the smaller of
 * both, and the difference is its residual.  For data to the initiator that is counted at the end, from what
 * the device has given, so that short reads of tapes and answers that are shorter than the allocation length
 * come out right.
 *
 * Data and CHECK CONDITION.  A tape's READ that meets a filemark, or a block of another length, ends with
 * CHECK CONDITION and has data all the same (SSC-4 4.2.15); a disk's READ has the blocks before the bad one.
 * Core carries both when it is told (SCF_TREAT_READ_AS_NORMAL).
 *
 * Context: parse and execute as in cdb.c; scuse_raw_done() is a step function (step.h).  se_cmd.priv is the
 * entry in the table of raw commands, se_cmd.t_task_nolb the bytes that the CDB says, se_cmd.protocol_data
 * the entry in optable.c if there is one: for answers of our own.
 */
#include <linux/highmem.h>
#include <linux/rcupdate.h>
#include <scsi/scsi_common.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_backend.h>
#include <target/target_core_fabric.h>
#include "opcode.h"
#include "raw.h"
#include "reservation.h"
#include "scuse.h"
#include "sense.h"
#include "step.h"

const struct scuse_raw_entry *scuse_raw_entry(struct se_cmd *cmd)
{
	return cmd->priv;
}

static u32 scuse_raw_type(struct scuse_device *dev)
{
	return READ_ONCE(dev->device_type);
}

static bool scuse_raw_is_inquiry(struct se_cmd *cmd)
{
	return cmd->t_task_cdb[0] == INQUIRY;
}

/* ---- what is offered -------------------------------------------------------------------------------- */

const struct scuse_opcode *scuse_raw_opcode(struct scuse_device *dev, u8 code, u16 action)
{
	u32 count;
	const struct scuse_opcode *opcode = scuse_opcode_entries(code, &count);

	for (; count; count--, opcode++) {
		if (opcode->action == SCUSE_NO_ACTION || opcode->action == action)
			return scuse_opcode_offered(dev, opcode) ? opcode : NULL;
	}
	return NULL;
}

/* Does the LUN offer a command of the table now?  Under RCU. */
static bool scuse_raw_offered(struct scuse_device *dev, const struct scuse_raw_entry *entry)
{
	if (!(entry->types & 1u << scuse_raw_type(dev)))
		return false;
	switch (scuse_raw_route_of(rcu_dereference(dev->claims), entry)) {
	case SCUSE_RAW_KERNEL:
		return scuse_raw_opcode(dev, entry->opcode, entry->action);
	case SCUSE_RAW_HANDLER:
	case SCUSE_RAW_MASKED:
		return true;
	default:
		return false;
	}
}

/* Is an operation code offered with any service action? */
static bool scuse_raw_code_offered(struct scuse_device *dev, u8 opcode)
{
	const struct scuse_raw_claims *claims;
	const struct scuse_raw_entry *entry;
	bool offered = false;
	u32 count;

	rcu_read_lock();
	claims = rcu_dereference(dev->claims);
	entry = scuse_raw_entries(opcode, &count);
	/* Claims of what the table does not have count, but not those of what it refuses. */
	if (!count && claims)
		offered = claims->first[opcode] != claims->first[opcode + 1];
	for (; count && !offered; count--, entry++)
		offered = scuse_raw_offered(dev, entry);
	rcu_read_unlock();
	return offered;
}

/* ---- execute: what is refused ----------------------------------------------------------------------- */

/* Flags of raw.h to what a reservation is asked about. */
static u16 scuse_raw_access(u16 flags)
{
	if (flags & (SCUSE_RAW_WRITES | SCUSE_RAW_EXCLUSIVE))
		return SCUSE_OPCODE_EXCLUSIVE;
	return flags & SCUSE_RAW_SHARED ? SCUSE_OPCODE_SHARED : 0;
}

/*
 * What comes before the work, in SAM-5's order.  False: the command has been ended, or *@ret says how core is
 * to end it.
 */
static bool scuse_raw_may_go(struct se_cmd *cmd, const struct scuse_raw_entry *entry, sense_reason_t *ret)
{
	u32 type = scuse_raw_type(to_scuse(cmd->se_dev));
	u16 byte;
	u8 bit;

	*ret = TCM_NO_SENSE;
	if (!(entry->flags & SCUSE_RAW_NO_UA) && scuse_ua_check(cmd))
		return false;
	if (scuse_reservation_conflict(cmd, scuse_raw_access(entry->flags))) {
		*ret = scuse_end_reason(cmd, TCM_RESERVATION_CONFLICT);
		return false;
	}
	if (scuse_raw_field_refused(type, entry, cmd->t_task_cdb, &byte, &bit)) {
		scuse_refuse_cdb(cmd, byte, bit);
		return false;
	}
	return !(entry->flags & SCUSE_RAW_WRITES) || !scuse_write_refused(cmd);
}

/* Neither ours nor the handler's; before the first worker has come nobody knows. */
static sense_reason_t scuse_raw_execute_refused(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u8 code = cmd->t_task_cdb[0];
	sense_reason_t ret;

	if (scuse_ua_check(cmd))
		return TCM_NO_SENSE;
	if (!READ_ONCE(dev->adopted) && scuse_offline(dev, cmd, &ret))
		return ret ? scuse_end_reason(cmd, ret) : TCM_NO_SENSE;
	if (!scuse_raw_code_offered(dev, code))
		return scuse_end_reason(cmd, TCM_UNSUPPORTED_SCSI_OPCODE);
	/* SPC-4 4.2.5.2: it is the service action that is wrong. */
	if (code == SCUSE_VARIABLE_LENGTH)
		return scuse_refuse_cdb(cmd, 8, SCUSE_SENSE_NO_BIT);
	return scuse_refuse_cdb(cmd, 1, 4);
}

/* Data the other way than the CDB says, or less than the device needs. */
static sense_reason_t scuse_raw_execute_bad_data(struct se_cmd *cmd)
{
	sense_reason_t ret;

	if (!scuse_raw_may_go(cmd, scuse_raw_entry(cmd), &ret))
		return ret;
	return scuse_end_reason(cmd, TCM_INVALID_FIELD_IN_COMMAND_IU);
}

/* More data than a slot holds. */
static sense_reason_t scuse_raw_execute_too_long(struct se_cmd *cmd)
{
	const struct scuse_raw_entry *entry = scuse_raw_entry(cmd);
	sense_reason_t ret;

	if (!scuse_raw_may_go(cmd, entry, &ret))
		return ret;
	return scuse_refuse_cdb(cmd, entry->count_at, SCUSE_SENSE_NO_BIT);
}

/* ---- execute: to userspace -------------------------------------------------------------------------- */

/* What the command must not meet: ALONE drains the LUN, and answers that change nothing wait for nobody. */
static enum scuse_access scuse_raw_exclusion(const struct scuse_raw_entry *entry)
{
	if (entry->flags & SCUSE_RAW_ALONE)
		return SCUSE_ACCESS_ATOMIC;
	return entry->flags & SCUSE_RAW_NO_UA ? SCUSE_ACCESS_NONE : SCUSE_ACCESS_READ;
}

int scuse_raw_load(struct scuse_io *io)
{
	struct se_cmd *cmd = io->cmd;
	int ret;

	scuse_rawmask_widen(io, scuse_raw_entry(cmd));
	ret = scuse_cdb_write(io, cmd->t_task_cdb, scsi_command_size(cmd->t_task_cdb));
	if (ret || !(io->sqe.flags & SCUSE_SQE_F_DATA_OUT))
		return ret;
	if (scuse_raw_entry(cmd)->flags & SCUSE_RAW_SELECT)
		return scuse_rawmask_fill(io);
	return scuse_slot_fill(io, cmd->t_data_sg, cmd->t_data_nents, io->sqe.data_len);
}

/*
 * Is the length what it was when the command was parsed?  Now that the command holds its tag, the parameters
 * only change after it, or it is not handed out.
 */
static bool scuse_raw_length_holds(struct se_cmd *cmd, const struct scuse_raw_entry *entry)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u32 block = scuse_rawparam_block(dev);

	if (!scuse_raw_needs_block(entry, cmd->t_task_cdb))
		return true;
	return scuse_rawparam_known(dev) &&
	       scuse_raw_length(entry, cmd->t_task_cdb, block, cmd->t_task_nolb) == cmd->t_task_nolb;
}

/* @restarts: as it was before the unit attentions of the command's nexus were looked at */
static sense_reason_t scuse_raw_submit(struct se_cmd *cmd, const struct scuse_raw_entry *entry, u32 restarts)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u16 flags = scuse_raw_flags(entry, cmd->t_task_cdb);
	struct scuse_io io;
	sense_reason_t ret;
	int error;

	if (!scuse_io_begin_as(&io, cmd, SCUSE_OP_CDB, scuse_raw_exclusion(entry), &ret))
		return ret ? scuse_end_reason(cmd, ret) : TCM_NO_SENSE;
	scuse_relay_note(&io);
	if (restarts != READ_ONCE(dev->restarts) || !scuse_raw_length_holds(cmd, entry)) {
		scuse_io_abandon(&io);
		return scuse_end_reason(cmd, TCM_LUN_BUSY);
	}
	io.tag->step = scuse_raw_done;
	io.sqe.data_len = cmd->t_task_nolb;
	if (!io.sqe.data_len)
		flags &= ~(SCUSE_RAW_IN | SCUSE_RAW_OUT);
	if (flags & SCUSE_RAW_IN)
		io.sqe.flags |= SCUSE_SQE_F_DATA_IN;
	if (flags & SCUSE_RAW_OUT)
		io.sqe.flags |= SCUSE_SQE_F_DATA_OUT;
	io.tag->data_in = flags & SCUSE_RAW_IN;
	error = scuse_raw_load(&io);
	ret = error ? scuse_slot_error(&io, error) : scuse_io_submit(&io);
	return ret ? scuse_end_reason(cmd, ret) : TCM_NO_SENSE;
}

static sense_reason_t scuse_raw_execute(struct se_cmd *cmd)
{
	const struct scuse_raw_entry *entry = scuse_raw_entry(cmd);
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u32 restarts = READ_ONCE(dev->restarts);
	sense_reason_t ret;

	if (!scuse_raw_may_go(cmd, entry, &ret))
		return ret;
	if (scuse_raw_is_inquiry(cmd) && scuse_raw_inquiry_offline(cmd))
		return TCM_NO_SENSE;
	if (scuse_rawmask_refused(cmd, entry, &ret))
		return ret;
	if (cmd->t_task_cdb[0] == REQUEST_SENSE && scuse_request_sense_pending(cmd))
		return TCM_NO_SENSE;
	if (scuse_offline(dev, cmd, &ret))
		return ret ? scuse_end_reason(cmd, ret) : TCM_NO_SENSE;
	if (!scuse_rawparam_known(dev) && scuse_raw_needs_block(entry, cmd->t_task_cdb)) {
		ret = scuse_rawparam_ask(cmd);
		return ret ? scuse_end_reason(cmd, ret) : TCM_NO_SENSE;
	}
	return scuse_raw_submit(cmd, entry, restarts);
}

/* ---- parse ------------------------------------------------------------------------------------------ */

/* Does the fabric move data the other way than the CDB says? */
static bool scuse_raw_misdirected(struct se_cmd *cmd, u16 flags)
{
	return cmd->data_direction != (flags & SCUSE_RAW_OUT ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
}

static sense_reason_t scuse_raw_refuse_data(struct se_cmd *cmd, sense_reason_t (*execute)(struct se_cmd *))
{
	cmd->execute_cmd = execute;
	scuse_parse_no_data_in(cmd);
	return TCM_NO_SENSE;
}

/* The data phase: sets lengths and residual, or what refuses the command. */
static sense_reason_t scuse_raw_parse_data(struct se_cmd *cmd, const struct scuse_raw_entry *entry)
{
	u16 flags = scuse_raw_flags(entry, cmd->t_task_cdb);
	u64 most = scuse_max_transfer(cmd);
	u32 block = scuse_rawparam_block(to_scuse(cmd->se_dev));
	u64 size = scuse_raw_length(entry, cmd->t_task_cdb, block, cmd->data_length);

	if (cmd->unknown_data_length)
		cmd->data_length = min(size, most);
	/* What comes has to be taken, so this is where an initiator's imagination ends. */
	if (cmd->data_direction == DMA_TO_DEVICE && cmd->data_length > most)
		return TCM_INVALID_CDB_FIELD;
	/* Of an allocation length so much is enough. */
	if (size > most && flags & SCUSE_RAW_IN && entry->unit == SCUSE_RAW_BYTES)
		size = most;
	if (size > most)
		return scuse_raw_refuse_data(cmd, scuse_raw_execute_too_long);
	if (size && cmd->data_length && scuse_raw_misdirected(cmd, flags))
		return scuse_raw_refuse_data(cmd, scuse_raw_execute_bad_data);
	cmd->t_task_nolb = size;
	if (size < cmd->data_length) {
		scuse_parse_underflow(cmd, size);
	} else if (size > cmd->data_length && flags & SCUSE_RAW_OUT) {
		cmd->se_cmd_flags |= SCF_OVERFLOW_BIT;
		cmd->residual_count = size - cmd->data_length;
		cmd->execute_cmd = scuse_raw_execute_bad_data;
	}
	return TCM_NO_SENSE;
}

/* Blocks and records: core need not zero the buffers, since what is not filled is not sent. */
static bool scuse_raw_is_bulk(const struct scuse_raw_entry *entry)
{
	return entry->unit == SCUSE_RAW_BLOCKS || entry->unit == SCUSE_RAW_RECORDS ||
	       (entry->unit == SCUSE_RAW_SPECIAL && entry->fixed == SCUSE_RAW_BLOCKS_256);
}

static sense_reason_t scuse_raw_parse_handler(struct se_cmd *cmd, const struct scuse_raw_entry *entry)
{
	cmd->priv = (void *)entry;
	cmd->protocol_data = (void *)scuse_opcode_find(cmd->t_task_cdb);
	cmd->execute_cmd = scuse_raw_execute;
	if (scuse_raw_is_bulk(entry))
		cmd->se_cmd_flags |= SCF_SCSI_DATA_CDB;
	/* SPC-4 lets INQUIRY and REQUEST SENSE overtake what is queued. */
	if (entry->flags & SCUSE_RAW_NO_UA)
		cmd->sam_task_attr = TCM_HEAD_TAG;
	return scuse_raw_parse_data(cmd, entry);
}

sense_reason_t scuse_raw_parse(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	const u8 *cdb = cmd->t_task_cdb;
	const struct scuse_raw_entry *entry;
	const struct scuse_opcode *opcode;

	rcu_read_lock();
	entry = scuse_raw_way(scuse_raw_type(dev), rcu_dereference(dev->claims), cdb);
	rcu_read_unlock();
	switch ((enum scuse_raw_route)entry->route) {
	case SCUSE_RAW_KERNEL:
		opcode = scuse_raw_opcode(dev, cdb[0], scuse_raw_action(cdb));
		if (opcode)
			return scuse_parse_known(cmd, opcode);
		break;
	case SCUSE_RAW_HANDLER:
	case SCUSE_RAW_MASKED:
		return scuse_raw_parse_handler(cmd, entry);
	default:
		break;
	}
	return scuse_parse_refused(cmd, scuse_raw_execute_refused);
}

/* ---- the end ---------------------------------------------------------------------------------------- */

/* Copies the first @count bytes of the slot to the initiator. */
static void scuse_raw_give(struct scuse_io *io, u32 count)
{
	io->tag->sgl = io->cmd->t_data_sg;
	io->tag->nents = io->cmd->t_data_nents;
	io->tag->transfer = count;
	if (count)
		scuse_slot_drain(io->queue, io->tag);
}

/*
 * Of @length bytes that the device has given the first se_cmd.data_length have gone to the initiator: sets
 * the residual.  With nothing to send there is no data phase: the iSCSI target drops a session for one
 * without data.
 */
static void scuse_raw_residual(struct se_cmd *cmd, u32 length)
{
	if (length > cmd->data_length) {
		cmd->se_cmd_flags |= SCF_OVERFLOW_BIT;
		cmd->residual_count = length - cmd->data_length;
		return;
	}
	target_set_cmd_data_length(cmd, length);
	if (!length)
		cmd->data_direction = DMA_NONE;
}

/* Gives the initiator what it gets of an answer of *@length bytes, which may change it; -ENOMEM. */
static int scuse_raw_give_answer(struct scuse_io *io, u32 *length)
{
	int ret = 0;

	if (*length && io->tag->status == SAM_STAT_GOOD &&
	    scuse_raw_entry(io->cmd)->route == SCUSE_RAW_MASKED) {
		ret = scuse_rawmask_give(io, *length);
		*length = max(ret, 0);
	} else {
		scuse_raw_give(io, min(*length, io->cmd->data_length));
	}
	return min(ret, 0);
}

void scuse_raw_finish(struct scuse_io *io)
{
	struct scuse_tag *tag = io->tag;
	struct se_cmd *cmd = io->cmd;
	bool masked = scuse_raw_entry(cmd)->route == SCUSE_RAW_MASKED;
	/* What is to be masked and comes with an error is of no use. */
	bool moves = tag->status == SAM_STAT_GOOD || (tag->status == SAM_STAT_CHECK_CONDITION && !masked);
	u32 length = tag->data_in && moves ? tag->filled : 0;

	if (tag->data_in && tag->status == SAM_STAT_GOOD && scuse_raw_is_inquiry(cmd))
		scuse_raw_inquiry_remember(io, length);
	if (scuse_raw_give_answer(io, &length)) {
		scuse_step_no_memory(io);
		return;
	}
	if (tag->data_in && (tag->status == SAM_STAT_GOOD || length))
		scuse_raw_residual(cmd, length);
	if (length && cmd->data_length && tag->status == SAM_STAT_CHECK_CONDITION)
		cmd->se_cmd_flags |= SCF_TREAT_READ_AS_NORMAL;
	scuse_tag_end(io->queue, tag);
}

/*
 * The worker has died with the command in its hands, which may or may not have been carried out.  Unless that
 * makes no difference the initiator must not repeat it: of a tape a block would be written twice.
 */
static void scuse_raw_lost(struct scuse_io *io)
{
	struct scuse_sense sense = { .key = SCUSE_KEY_ABORTED_COMMAND,
				     .asc = 0x08 }; /* COMMUNICATION FAILURE */

	scuse_step_end_sense(io, &sense);
}

void scuse_raw_done(struct scuse_io *io)
{
	if (io->tag->lost && !scuse_device_has(io->queue->dev, SCUSE_FEATURE_REPLAY_SAFE))
		scuse_raw_lost(io);
	else if (!scuse_relay_done(io))
		scuse_raw_finish(io);
}
