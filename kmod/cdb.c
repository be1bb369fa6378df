// SPDX-License-Identifier: GPL-2.0-only
/*
 * From CDBs to the functions that carry commands out.  What a command is stands in the table (opcode.h);
 * here is what all have in common.
 *
 *	parse (core, before there is data)	execute (core, when the data is there)
 *	find the entry, or what refuses it	unit attentions, ALUA, reservations: core's own
 *	length and direction of the data	unit attentions, reservations: ours
 *	LBA and blocks into the command		reserved bits, and options that are not offered
 *						medium: served, ready, not write protected
 *						the entry's function, or core's, or what refuses it
 *
 * Errors wait for the execute step wherever the data phase is small enough to be carried out, because only
 * there sense data can be our own (with field pointers, and in the format that D_SENSE asks for).  What
 * core's functions return is translated for the same reason.
 *
 * DATA LENGTHS.  Core's own check is not exported, and refuses writes whose expected length (the initiator's)
 * differs from the CDB's.  SAM-5 and iSCSI (RFC 7143 11.4.5) want them carried out as far as both go, with a
 * residual.  So: se_cmd.data_length stays the expected length of a write, since the fabric has to move that
 * much, and becomes the smaller one otherwise.  An initiator can make core allocate at most the device's
 * largest transfer, whatever lengths it names.  Fabrics that bring their own lists (tcm_loop, vhost) never
 * get as far with less data than the CDB says: core refuses them in transport_generic_map_mem_to_cmd().
 *
 * Context: process context, no locks held.  se_cmd.priv is the function to call, se_cmd.protocol_data the
 * table's entry.
 */
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "opcode.h"
#include "raw.h"
#include "reservation.h"
#include "scuse.h"
#include "sense.h"

/* The entry of a command that scuse_parse_cdb() has accepted. */
const struct scuse_opcode *scuse_command(struct se_cmd *cmd)
{
	return cmd->protocol_data;
}

/* Does the LUN offer the command now? */
bool scuse_opcode_offered(struct scuse_device *dev, const struct scuse_opcode *opcode)
{
	return (READ_ONCE(dev->features) & opcode->features) == opcode->features &&
	       (!opcode->offered || opcode->offered(dev));
}

/*
 * For commands with 32-byte CDBs, whose tags make them special: without protection information they are no
 * commands (SBC-3 4.22.2.2).
 */
bool scuse_offers_protection(struct scuse_device *dev)
{
	return dev->pi_type;
}

/* The next two can be switched off by attributes of core's. */
bool scuse_offers_reservations(struct scuse_device *dev)
{
	return READ_ONCE(dev->se_dev.dev_attrib.emulate_pr);
}

bool scuse_offers_unmap(struct scuse_device *dev)
{
	return READ_ONCE(dev->se_dev.dev_attrib.emulate_tpu);
}

/* The device's largest transfer in bytes, as the fabric of @cmd can carry it (VPD page B0h). */
u32 scuse_max_transfer(struct se_cmd *cmd)
{
	u32 most = to_scuse(cmd->se_dev)->max_transfer;

	if (cmd->se_tfo->max_data_sg_nents)
		most = min_t(u64, most, (u64)cmd->se_tfo->max_data_sg_nents * PAGE_SIZE);
	return most;
}

/* Again at execution: the capacity may have shrunk since the command was parsed. */
sense_reason_t scuse_check_range(struct se_cmd *cmd, u64 lba, u64 blocks)
{
	u64 capacity = scuse_device_blocks(to_scuse(cmd->se_dev));

	if (lba > capacity || blocks > capacity - lba)
		return TCM_ADDRESS_OUT_OF_RANGE;
	return TCM_NO_SENSE;
}

/* TEST UNIT READY: all that it asks has been checked before. */
sense_reason_t scuse_execute_ready(struct se_cmd *cmd)
{
	target_complete_cmd(cmd, SAM_STAT_GOOD);
	return TCM_NO_SENSE;
}

/* Data in where the CDB means data out, or the reverse, or less data than the command cannot do without. */
static sense_reason_t scuse_execute_bad_data(struct se_cmd *cmd)
{
	return TCM_INVALID_FIELD_IN_COMMAND_IU;
}

static sense_reason_t scuse_execute_too_long(struct se_cmd *cmd)
{
	return scuse_refuse_cdb(cmd, scuse_command(cmd)->count.at, SCUSE_SENSE_NO_BIT);
}

/*
 * Is the medium, or the LUN that the initiator sees it through, write protected?  Then the command has been
 * ended.
 */
bool scuse_write_refused(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);

	if (scuse_mode_swp(dev)) {
		scuse_end_with_sense(cmd, SCUSE_KEY_DATA_PROTECT, 0x27, 0x02);
		return true;
	}
	/* With data from the initiator core has looked at the LUN itself. */
	if (!scuse_device_has(dev, SCUSE_FEATURE_READ_ONLY) &&
	    (cmd->data_direction == DMA_TO_DEVICE ||
	     (!cmd->se_lun->lun_access_ro && !target_lun_is_rdonly(cmd))))
		return false;
	scuse_end_with_sense(cmd, SCUSE_KEY_DATA_PROTECT, 0x27, 0x00);
	return true;
}

/* Are options set that the device does not offer?  Then the command has been ended. */
static bool scuse_options_refused(struct se_cmd *cmd, const struct scuse_opcode *opcode)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u32 at = scuse_opcode_options_at(opcode);
	u8 set = cmd->t_task_cdb[at];

	if (!(set & (SCUSE_OPTIONS_PROTECT | SCUSE_OPTIONS_DPO | SCUSE_OPTIONS_FUA)))
		return false;
	set &= scuse_opcode_unoffered(opcode, dev->pi_type, scuse_mode_dpofua(dev));
	if (!set)
		return false;
	scuse_refuse_cdb(cmd, at, fls(set) - 1);
	return true;
}

/*
 * An initiator that has no room for the answer gets none, and that is no error (SPC-4 4.2.5.6): some of
 * core's functions take it for a lack of memory.
 */
static bool scuse_wants_nothing(const struct se_cmd *cmd, const struct scuse_opcode *opcode)
{
	return opcode->data == SCUSE_LENGTH_CORE && opcode->flags & SCUSE_OPCODE_IN && !cmd->data_length;
}

/* What comes before the work itself, in SAM-5's order, then the work. */
static sense_reason_t scuse_execute_once(struct se_cmd *cmd)
{
	const struct scuse_opcode *opcode = scuse_command(cmd);
	sense_reason_t (*execute)(struct se_cmd * cmd) = cmd->priv;
	sense_reason_t ret;
	u16 byte;
	u8 bit;

	if (!(opcode->flags & SCUSE_OPCODE_NO_UA) && scuse_ua_check(cmd))
		return TCM_NO_SENSE;
	if (scuse_reservation_conflict(cmd, opcode->flags))
		return TCM_RESERVATION_CONFLICT;
	if (scuse_opcode_reserved(opcode, cmd->t_task_cdb, &byte, &bit))
		return scuse_refuse_cdb(cmd, byte, bit);
	if (opcode->flags & (SCUSE_OPCODE_PROTECT | SCUSE_OPCODE_DPO) && scuse_options_refused(cmd, opcode))
		return TCM_NO_SENSE;
	if (opcode->flags & SCUSE_OPCODE_MEDIUM && !scuse_medium_ready(cmd, &ret))
		return ret;
	if (opcode->flags & SCUSE_OPCODE_WRITES && scuse_write_refused(cmd))
		return TCM_NO_SENSE;
	if (scuse_wants_nothing(cmd, opcode))
		return scuse_execute_ready(cmd);
	if (opcode->flags & SCUSE_OPCODE_RESERVES)
		return scuse_execute_reservation(cmd, execute);
	return execute(cmd);
}

/* BUSY because nobody serves the device: the command waits if it may.  Returns what to do instead. */
static enum scuse_hold scuse_execute_held(struct se_cmd *cmd, sense_reason_t *ret)
{
	enum scuse_hold hold = scuse_orphan_hold(cmd);

	if (hold == SCUSE_HOLD_FULL)
		*ret = TCM_OUT_OF_RESOURCES;
	/* Its session has just come, or is just going. */
	if (hold == SCUSE_HOLD_AGAIN)
		cond_resched();
	return hold;
}

/*
 * All commands.  Core has checked its own unit attentions, ALUA and reservations.
 *
 * A command that has waited for a session comes here again; everything is looked at again then.
 */
static sense_reason_t scuse_execute(struct se_cmd *cmd)
{
	enum scuse_hold hold = SCUSE_HOLD_NOT;
	sense_reason_t ret;

	do {
		ret = scuse_execute_once(cmd);
		if (unlikely(ret == TCM_LUN_BUSY))
			hold = scuse_execute_held(cmd, &ret);
	} while (unlikely(hold == SCUSE_HOLD_AGAIN) && ret == TCM_LUN_BUSY);
	if (!ret || hold == SCUSE_HOLD_HELD)
		return TCM_NO_SENSE;
	return scuse_end_reason(cmd, ret);
}

/* Is the operation code offered with another service action? */
static bool scuse_code_offered(struct scuse_device *dev, u8 code)
{
	u32 count;
	const struct scuse_opcode *entry = scuse_opcode_entries(code, &count);

	for (; count; count--, entry++) {
		if (scuse_opcode_offered(dev, entry))
			return true;
	}
	return false;
}

/* A command without an entry, or one that the device does not offer. */
static sense_reason_t scuse_execute_unknown(struct se_cmd *cmd)
{
	u8 code = cmd->t_task_cdb[0];

	if (scuse_ua_check(cmd))
		return TCM_NO_SENSE;
	if (!scuse_code_offered(to_scuse(cmd->se_dev), code))
		return scuse_end_reason(cmd, TCM_UNSUPPORTED_SCSI_OPCODE);
	/* SPC-4 4.2.5.2: it is the service action that is wrong. */
	if (code == SCUSE_VARIABLE_LENGTH)
		return scuse_refuse_cdb(cmd, 8, SCUSE_SENSE_NO_BIT);
	return scuse_refuse_cdb(cmd, 1, 4);
}

/* Bytes of the data phase; commands that are core's are set up here as well. */
static sense_reason_t scuse_data_size(struct se_cmd *cmd, const struct scuse_opcode *opcode, u64 *size)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	sense_reason_t ret;
	u32 core_size = 0;
	u16 byte;
	u8 bit;

	switch ((enum scuse_length)opcode->data) {
	case SCUSE_LENGTH_BYTES:
		*size = scuse_opcode_number(opcode, &opcode->count, cmd->t_task_cdb);
		return TCM_NO_SENSE;
	case SCUSE_LENGTH_BLOCKS:
		*size = (u64)cmd->t_task_nolb * scuse_prot_wire(cmd);
		return TCM_NO_SENSE;
	case SCUSE_LENGTH_TWICE:
		*size = 2 * (u64)cmd->t_task_nolb << dev->block_shift;
		return TCM_NO_SENSE;
	case SCUSE_LENGTH_ONE:
		*size = dev->block_size;
		return TCM_NO_SENSE;
	case SCUSE_LENGTH_CDB:
		*size = opcode->length(dev, cmd->t_task_cdb);
		return TCM_NO_SENSE;
	case SCUSE_LENGTH_CORE:
		/* Core takes some reserved bits for part of the service action; scuse_execute() points at them. */
		if (scuse_opcode_reserved(opcode, cmd->t_task_cdb, &byte, &bit)) {
			cmd->execute_cmd = scuse_execute_unknown;
			return TCM_NO_SENSE;
		}
		/* Core takes what the initiator expects for the length of commands whose CDB has none. */
		ret = spc_parse_cdb(cmd, &core_size);
		*size = scuse_opcode_number(opcode, &opcode->count, cmd->t_task_cdb);
		return !ret && !cmd->execute_cmd ? TCM_UNSUPPORTED_SCSI_OPCODE : ret;
	default:
		*size = 0;
		return TCM_NO_SENSE;
	}
}

/* Nothing comes from the initiator: the command asks for more than it may, or for something else. */
void scuse_parse_no_data_in(struct se_cmd *cmd)
{
	if (cmd->data_direction == DMA_TO_DEVICE || !cmd->data_length)
		return;
	cmd->se_cmd_flags |= SCF_UNDERFLOW_BIT;
	cmd->residual_count = cmd->data_length;
	cmd->data_length = 0;
}

/* The CDB says @size, which is less than the initiator expects. */
void scuse_parse_underflow(struct se_cmd *cmd, u32 size)
{
	cmd->se_cmd_flags |= SCF_UNDERFLOW_BIT;
	cmd->residual_count = cmd->data_length - size;
	if (cmd->data_direction != DMA_TO_DEVICE)
		cmd->data_length = size;
	/* The iSCSI target drops a session for which it is to send no bytes of data. */
	if (!cmd->data_length)
		cmd->data_direction = DMA_NONE;
}

/*
 * The CDB says @size, the initiator expects se_cmd.data_length: sets the residual, and data_length to what
 * is going to move.
 */
static void scuse_parse_residual(struct se_cmd *cmd, const struct scuse_opcode *opcode, u64 size)
{
	if (size > cmd->data_length) {
		/* Of an allocation length only the answer tells, see scuse_reply(). */
		if (opcode->flags & SCUSE_OPCODE_IN && !(opcode->flags & SCUSE_OPCODE_BLOCKS) &&
		    opcode->data != SCUSE_LENGTH_CDB)
			return;
		cmd->se_cmd_flags |= SCF_OVERFLOW_BIT;
		cmd->residual_count = min_t(u64, size - cmd->data_length, U32_MAX);
	} else if (size < cmd->data_length) {
		scuse_parse_underflow(cmd, size);
	}
}

/* No answer is longer than the largest transfer: so much of an allocation length is enough. */
static void scuse_parse_bound_in(struct se_cmd *cmd, u64 *size, u32 most)
{
	if (cmd->data_direction == DMA_TO_DEVICE || cmd->data_length <= most)
		return;
	cmd->se_cmd_flags |= SCF_UNDERFLOW_BIT;
	cmd->residual_count = cmd->data_length - most;
	cmd->data_length = most;
	*size = min_t(u64, *size, most);
}

/* Does the fabric move data the other way than the CDB says? */
static bool scuse_data_misdirected(struct se_cmd *cmd, const struct scuse_opcode *opcode)
{
	return cmd->data_direction != (opcode->flags & SCUSE_OPCODE_OUT ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
}

/*
 * A READ for which the initiator has no room, but data, has nowhere to go: its data is not looked at, and all
 * of the blocks are residual.  Anything else that goes the wrong way is refused.
 */
static void scuse_parse_misdirected(struct se_cmd *cmd, const struct scuse_opcode *opcode, u64 size)
{
	if (!(opcode->flags & SCUSE_OPCODE_IN && opcode->data == SCUSE_LENGTH_BLOCKS)) {
		cmd->priv = scuse_execute_bad_data;
		scuse_parse_no_data_in(cmd);
		return;
	}
	cmd->t_task_nolb = 0;
	cmd->se_cmd_flags |= SCF_OVERFLOW_BIT;
	cmd->residual_count = size;
}

/*
 * Less data than the CDB says.  Of blocks to write, those that are there are written; a part of a block
 * cannot be, and a parameter list that ends early says nothing.  True if the command can be carried out.
 */
static bool scuse_parse_short_data(struct se_cmd *cmd, const struct scuse_opcode *opcode)
{
	u32 wire = scuse_prot_wire(cmd);

	if (opcode->data != SCUSE_LENGTH_BLOCKS || cmd->data_length % wire)
		return false;
	cmd->t_task_nolb = cmd->data_length / wire;
	return true;
}

/* The data phase of a command that is in the table: sets lengths and residual, or what refuses it. */
static sense_reason_t scuse_parse_data(struct se_cmd *cmd, const struct scuse_opcode *opcode, u64 size)
{
	u64 most = scuse_max_transfer(cmd);

	/* As many blocks, but with their protection information. */
	if (opcode->data == SCUSE_LENGTH_BLOCKS)
		most = (most >> to_scuse(cmd->se_dev)->block_shift) * scuse_prot_wire(cmd);
	/* What comes has to be taken, so this is where an initiator's imagination ends. */
	if (cmd->data_direction == DMA_TO_DEVICE && cmd->data_length > most)
		return TCM_INVALID_CDB_FIELD;
	if (opcode->flags & SCUSE_OPCODE_BLOCKS && size > most) {
		cmd->priv = scuse_execute_too_long;
		scuse_parse_no_data_in(cmd);
		return TCM_NO_SENSE;
	}
	if (size && cmd->data_length && scuse_data_misdirected(cmd, opcode)) {
		scuse_parse_misdirected(cmd, opcode, size);
		return TCM_NO_SENSE;
	}
	if (size == cmd->data_length && size <= most)
		return TCM_NO_SENSE;
	if (opcode->data == SCUSE_LENGTH_TWICE || opcode->data == SCUSE_LENGTH_ONE) {
		cmd->priv =
			opcode->data == SCUSE_LENGTH_TWICE ? scuse_execute_too_long : scuse_execute_bad_data;
		return TCM_NO_SENSE;
	}
	scuse_parse_bound_in(cmd, &size, most);
	scuse_parse_residual(cmd, opcode, size);
	if (opcode->flags & SCUSE_OPCODE_OUT && size > cmd->data_length &&
	    !scuse_parse_short_data(cmd, opcode))
		cmd->priv = scuse_execute_bad_data;
	return TCM_NO_SENSE;
}

/*
 * Operation codes and service actions that the LUN does not have, at the moment or at all: @execute is to say
 * so.
 */
sense_reason_t scuse_parse_refused(struct se_cmd *cmd, sense_reason_t (*execute)(struct se_cmd *))
{
	if (cmd->data_direction == DMA_TO_DEVICE && cmd->data_length > scuse_max_transfer(cmd))
		return TCM_UNSUPPORTED_SCSI_OPCODE;
	scuse_parse_no_data_in(cmd);
	cmd->execute_cmd = execute;
	return TCM_NO_SENSE;
}

/* A command that the LUN offers, with its entry. */
sense_reason_t scuse_parse_known(struct se_cmd *cmd, const struct scuse_opcode *opcode)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	const u8 *cdb = cmd->t_task_cdb;
	sense_reason_t ret;
	u64 size;

	if (opcode->flags & SCUSE_OPCODE_BLOCKS)
		cmd->se_cmd_flags |= SCF_SCSI_DATA_CDB;
	cmd->protocol_data = (void *)opcode;
	cmd->t_task_lba = scuse_opcode_number(opcode, &opcode->lba, cdb);
	cmd->t_task_nolb = scuse_opcode_number(opcode, &opcode->count, cdb);
	if (dev->pi_type && opcode->data == SCUSE_LENGTH_BLOCKS)
		scuse_prot_parse(cmd);
	ret = scuse_data_size(cmd, opcode, &size);
	if (ret)
		return scuse_parse_refused(cmd, scuse_execute_unknown);
	if (cmd->unknown_data_length)
		cmd->data_length = min_t(u64, size, scuse_max_transfer(cmd));
	/* SPC-4 lets these three overtake what is queued, and initiators count on it. */
	if (opcode->flags & SCUSE_OPCODE_NO_UA)
		cmd->sam_task_attr = TCM_HEAD_TAG;
	cmd->priv = opcode->execute ? opcode->execute : cmd->execute_cmd;
	cmd->execute_cmd = scuse_execute;
	return scuse_parse_data(cmd, opcode, size);
}

sense_reason_t scuse_parse_cdb(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	const struct scuse_opcode *opcode;

	scuse_ua_adopt(cmd);
	if (unlikely(dev->raw))
		return scuse_raw_parse(cmd);
	opcode = scuse_opcode_find(cmd->t_task_cdb);
	if (!opcode || !scuse_opcode_offered(dev, opcode))
		return scuse_parse_refused(cmd, scuse_execute_unknown);
	return scuse_parse_known(cmd, opcode);
}
