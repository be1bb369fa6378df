// SPDX-License-Identifier: GPL-2.0-only
/*
 * REPORT SUPPORTED OPERATION CODES and REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-4 6.35, 6.36): what the
 * LUN can do now, from the table that commands are routed by.
 *
 * Context: execute, process context, no locks held.
 */
#include <linux/slab.h>
#include <target/target_core_fabric.h>
#include "opcode.h"
#include "scuse.h"
#include "sense.h"

/* Byte 2 of the CDB */
#define SCUSE_RSOC_RCTD	   0x80
#define SCUSE_RSOC_OPTIONS 0x07

/* REPORTING OPTIONS */
#define SCUSE_RSOC_ALL	       0
#define SCUSE_RSOC_CODE	       1
#define SCUSE_RSOC_CODE_ACTION 2
#define SCUSE_RSOC_CODE_ANYHOW 3

/* SUPPORT */
#define SCUSE_RSOC_ABSENT  1
#define SCUSE_RSOC_PRESENT 3

#define SCUSE_RSOC_DESCRIPTOR 8
#define SCUSE_RSOC_TIMEOUTS   12
#define SCUSE_RSOC_ONE	      (4 + 32 + SCUSE_RSOC_TIMEOUTS)

/*
 * Seconds after which a command may be taken for lost.  While nobody serves the medium, commands that need
 * it are answered BUSY, or NOT READY, at once; what takes time is the handler.
 */
#define SCUSE_TIMEOUT_KERNEL 10
#define SCUSE_TIMEOUT_MEDIUM 60

static u32 scuse_rsoc_timeouts(u8 *to, const struct scuse_opcode *opcode)
{
	u32 seconds = SCUSE_TIMEOUT_KERNEL;

	if (opcode->flags & SCUSE_OPCODE_ENDLESS)
		seconds = 0;
	else if (opcode->flags & SCUSE_OPCODE_MEDIUM)
		seconds = SCUSE_TIMEOUT_MEDIUM;
	memset(to, 0, SCUSE_RSOC_TIMEOUTS);
	put_unaligned_be16(SCUSE_RSOC_TIMEOUTS - 2, &to[0]);
	/* No nominal time: how fast a handler is nobody knows. */
	put_unaligned_be32(seconds, &to[8]);
	return SCUSE_RSOC_TIMEOUTS;
}

static u32 scuse_rsoc_descriptor(u8 *to, const struct scuse_opcode *opcode, bool timeouts)
{
	memset(to, 0, SCUSE_RSOC_DESCRIPTOR);
	to[0] = opcode->opcode;
	if (opcode->action != SCUSE_NO_ACTION) {
		put_unaligned_be16(opcode->action, &to[2]);
		to[5] |= 0x01;
	}
	if (timeouts)
		to[5] |= 0x02;
	put_unaligned_be16(opcode->cdb_length, &to[6]);
	if (!timeouts)
		return SCUSE_RSOC_DESCRIPTOR;
	return SCUSE_RSOC_DESCRIPTOR + scuse_rsoc_timeouts(to + SCUSE_RSOC_DESCRIPTOR, opcode);
}

static sense_reason_t scuse_rsoc_all(struct se_cmd *cmd, bool timeouts)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u32 length = 4;
	u8 *buffer;
	u32 i;

	buffer = kmalloc(4 + scuse_opcode_count * (SCUSE_RSOC_DESCRIPTOR + SCUSE_RSOC_TIMEOUTS), GFP_NOIO);
	if (!buffer)
		return TCM_OUT_OF_RESOURCES;
	for (i = 0; i < scuse_opcode_count; i++) {
		if (scuse_opcode_offered(dev, &scuse_opcode_table[i]))
			length += scuse_rsoc_descriptor(buffer + length, &scuse_opcode_table[i], timeouts);
	}
	put_unaligned_be32(length - 4, buffer);
	scuse_reply(cmd, buffer, length);
	kfree(buffer);
	return TCM_NO_SENSE;
}

/* The usage map, with the codes themselves where the command has them, and without what is not offered. */
static void scuse_rsoc_usage(struct scuse_device *dev, u8 *to, const struct scuse_opcode *opcode)
{
	memcpy(to, opcode->usage, opcode->cdb_length);
	to[0] = opcode->opcode;
	to[scuse_opcode_options_at(opcode)] &=
		~scuse_opcode_unoffered(opcode, dev->pi_type, scuse_mode_dpofua(dev));
	if (opcode->opcode == SCUSE_VARIABLE_LENGTH)
		put_unaligned_be16(opcode->action, &to[8]);
	else if (opcode->action != SCUSE_NO_ACTION)
		to[1] = (to[1] & 0xe0) | opcode->action;
}

/* @opcode: NULL, or an entry that the LUN may not offer at the moment */
static sense_reason_t scuse_rsoc_one(struct se_cmd *cmd, const struct scuse_opcode *opcode, bool timeouts)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u8 buffer[SCUSE_RSOC_ONE] = {};
	u32 length = 4;

	if (!opcode || !scuse_opcode_offered(dev, opcode)) {
		buffer[1] = SCUSE_RSOC_ABSENT;
		return scuse_reply(cmd, buffer, length);
	}
	buffer[1] = SCUSE_RSOC_PRESENT | (timeouts ? 0x80 : 0);
	put_unaligned_be16(opcode->cdb_length, &buffer[2]);
	scuse_rsoc_usage(dev, buffer + length, opcode);
	length += opcode->cdb_length;
	if (timeouts)
		length += scuse_rsoc_timeouts(buffer + length, opcode);
	return scuse_reply(cmd, buffer, length);
}

/* The entry of a code and service action; an @action of a code that has none must be 0. */
static const struct scuse_opcode *scuse_rsoc_find(u8 code, u16 action)
{
	u32 count;
	const struct scuse_opcode *entry = scuse_opcode_entries(code, &count);

	for (; count; count--, entry++) {
		if (entry->action == SCUSE_NO_ACTION ? !action : entry->action == action)
			return entry;
	}
	return NULL;
}

sense_reason_t scuse_execute_report_opcodes(struct se_cmd *cmd)
{
	const u8 *cdb = cmd->t_task_cdb;
	bool timeouts = cdb[2] & SCUSE_RSOC_RCTD;
	u16 action = get_unaligned_be16(&cdb[4]);
	const struct scuse_opcode *first;
	u32 count;

	first = scuse_opcode_entries(cdb[3], &count);
	switch (cdb[2] & SCUSE_RSOC_OPTIONS) {
	case SCUSE_RSOC_ALL:
		return scuse_rsoc_all(cmd, timeouts);
	case SCUSE_RSOC_CODE:
		if (count && first->action != SCUSE_NO_ACTION)
			return scuse_refuse_cdb(cmd, 2, 2);
		return scuse_rsoc_one(cmd, count ? first : NULL, timeouts);
	case SCUSE_RSOC_CODE_ACTION:
		if (count && first->action == SCUSE_NO_ACTION)
			return scuse_refuse_cdb(cmd, 2, 2);
		return scuse_rsoc_one(cmd, scuse_rsoc_find(cdb[3], action), timeouts);
	case SCUSE_RSOC_CODE_ANYHOW:
		return scuse_rsoc_one(cmd, scuse_rsoc_find(cdb[3], action), timeouts);
	default:
		return scuse_refuse_cdb(cmd, 2, 2);
	}
}

/*
 * What LIO's core carries out whatever the fabric: ABORT TASK and LOGICAL UNIT RESET.  It answers the
 * others with FUNCTION NOT SUPPORTED.
 */
sense_reason_t scuse_execute_report_functions(struct se_cmd *cmd)
{
	bool extended = cmd->t_task_cdb[2] & 0x80;
	u8 buffer[16] = { [0] = 0x88 };

	/* The extended format's timeouts are 0: not specified. */
	if (extended)
		buffer[3] = 0x0c;
	return scuse_reply(cmd, buffer, extended ? 16 : 4);
}
