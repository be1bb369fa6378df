// SPDX-License-Identifier: GPL-2.0-only
/*
 * REPORT SUPPORTED OPERATION CODES and REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-4 6.35, 6.36): what
 * the LUN can do now, from the tables that commands are routed by.  First a list is made of it, then all
 * forms of the answer are made of the list.
 *
 * Context: execute, process context, no locks held.
 */
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <target/target_core_fabric.h>
#include "opcode.h"
#include "rsoc.h"
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
#define SCUSE_RSOC_ONE	      (4 + SCUSE_CDB_MAX + SCUSE_RSOC_TIMEOUTS)

/*
 * Seconds after which a command may be taken for lost.  While nobody serves the medium, commands that need
 * it are answered BUSY, or NOT READY, at once; what takes time is the handler.
 */
#define SCUSE_TIMEOUT_KERNEL 10
#define SCUSE_TIMEOUT_MEDIUM 60

static u32 scuse_rsoc_seconds(const struct scuse_opcode *opcode)
{
	if (opcode->flags & SCUSE_OPCODE_ENDLESS)
		return 0;
	return opcode->flags & SCUSE_OPCODE_MEDIUM ? SCUSE_TIMEOUT_MEDIUM : SCUSE_TIMEOUT_KERNEL;
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

void scuse_rsoc_add_opcode(struct scuse_device *dev, struct scuse_rsoc_list *list,
			   const struct scuse_opcode *opcode)
{
	struct scuse_rsoc_item *item = scuse_rsoc_add(list);

	if (!item)
		return;
	item->opcode = opcode->opcode;
	item->action = opcode->action;
	item->cdb_length = opcode->cdb_length;
	item->seconds = scuse_rsoc_seconds(opcode);
	scuse_rsoc_usage(dev, item->usage, opcode);
}

static void scuse_rsoc_disk(struct scuse_device *dev, struct scuse_rsoc_list *list)
{
	u32 i;

	for (i = 0; i < scuse_opcode_count; i++) {
		if (scuse_opcode_offered(dev, &scuse_opcode_table[i]))
			scuse_rsoc_add_opcode(dev, list, &scuse_opcode_table[i]);
	}
}

/* All that the LUN offers; NULL: no memory.  The caller frees it with kvfree(). */
static struct scuse_rsoc_list *scuse_rsoc_collect(struct scuse_device *dev)
{
	u32 room = dev->raw ? scuse_raw_rsoc_room(dev) : scuse_opcode_count;
	struct scuse_rsoc_list *list = kvzalloc(struct_size(list, items, room), GFP_NOIO);

	if (!list)
		return NULL;
	list->room = room;
	if (dev->raw)
		scuse_raw_rsoc_list(dev, list);
	else
		scuse_rsoc_disk(dev, list);
	return list;
}

static u32 scuse_rsoc_timeouts(u8 *to, const struct scuse_rsoc_item *item)
{
	memset(to, 0, SCUSE_RSOC_TIMEOUTS);
	put_unaligned_be16(SCUSE_RSOC_TIMEOUTS - 2, &to[0]);
	/* No nominal time: how fast a handler is nobody knows. */
	put_unaligned_be32(item->seconds, &to[8]);
	return SCUSE_RSOC_TIMEOUTS;
}

static u32 scuse_rsoc_descriptor(u8 *to, const struct scuse_rsoc_item *item, bool timeouts)
{
	memset(to, 0, SCUSE_RSOC_DESCRIPTOR);
	to[0] = item->opcode;
	if (item->action != SCUSE_NO_ACTION) {
		put_unaligned_be16(item->action, &to[2]);
		to[5] |= 0x01;
	}
	if (timeouts)
		to[5] |= 0x02;
	put_unaligned_be16(item->cdb_length, &to[6]);
	if (!timeouts)
		return SCUSE_RSOC_DESCRIPTOR;
	return SCUSE_RSOC_DESCRIPTOR + scuse_rsoc_timeouts(to + SCUSE_RSOC_DESCRIPTOR, item);
}

static sense_reason_t scuse_rsoc_all(struct se_cmd *cmd, const struct scuse_rsoc_list *list, bool timeouts)
{
	u32 length = 4;
	u8 *buffer;
	u32 i;

	buffer = kvmalloc(4 + list->count * (SCUSE_RSOC_DESCRIPTOR + SCUSE_RSOC_TIMEOUTS), GFP_NOIO);
	if (!buffer)
		return TCM_OUT_OF_RESOURCES;
	for (i = 0; i < list->count; i++)
		length += scuse_rsoc_descriptor(buffer + length, &list->items[i], timeouts);
	put_unaligned_be32(length - 4, buffer);
	scuse_reply(cmd, buffer, length);
	kvfree(buffer);
	return TCM_NO_SENSE;
}

/* @item: NULL: not offered */
static sense_reason_t scuse_rsoc_one(struct se_cmd *cmd, const struct scuse_rsoc_item *item, bool timeouts)
{
	u8 buffer[SCUSE_RSOC_ONE] = {};
	u32 length = 4;

	if (!item) {
		buffer[1] = SCUSE_RSOC_ABSENT;
		return scuse_reply(cmd, buffer, length);
	}
	buffer[1] = SCUSE_RSOC_PRESENT | (timeouts ? 0x80 : 0);
	put_unaligned_be16(item->cdb_length, &buffer[2]);
	memcpy(buffer + length, item->usage, min_t(u32, item->cdb_length, sizeof(item->usage)));
	length += item->cdb_length;
	if (timeouts)
		length += scuse_rsoc_timeouts(buffer + length, item);
	return scuse_reply(cmd, buffer, length);
}

/* The item of a code and service action; an @action of a code that has none must be 0. */
static const struct scuse_rsoc_item *scuse_rsoc_find(const struct scuse_rsoc_list *list, u8 code, u16 action)
{
	u32 i;

	for (i = 0; i < list->count; i++) {
		const struct scuse_rsoc_item *item = &list->items[i];

		if (item->opcode != code)
			continue;
		if (item->action == SCUSE_NO_ACTION ? !action : item->action == action)
			return item;
	}
	return NULL;
}

/* The first item of a code. */
static const struct scuse_rsoc_item *scuse_rsoc_first(const struct scuse_rsoc_list *list, u8 code)
{
	u32 i;

	for (i = 0; i < list->count; i++) {
		if (list->items[i].opcode == code)
			return &list->items[i];
	}
	return NULL;
}

static sense_reason_t scuse_rsoc_reply(struct se_cmd *cmd, const struct scuse_rsoc_list *list)
{
	const u8 *cdb = cmd->t_task_cdb;
	bool timeouts = cdb[2] & SCUSE_RSOC_RCTD;
	u16 action = get_unaligned_be16(&cdb[4]);
	const struct scuse_rsoc_item *first = scuse_rsoc_first(list, cdb[3]);

	switch (cdb[2] & SCUSE_RSOC_OPTIONS) {
	case SCUSE_RSOC_ALL:
		return scuse_rsoc_all(cmd, list, timeouts);
	case SCUSE_RSOC_CODE:
		if (first && first->action != SCUSE_NO_ACTION)
			return scuse_refuse_cdb(cmd, 2, 2);
		return scuse_rsoc_one(cmd, first, timeouts);
	case SCUSE_RSOC_CODE_ACTION:
		if (first && first->action == SCUSE_NO_ACTION)
			return scuse_refuse_cdb(cmd, 2, 2);
		return scuse_rsoc_one(cmd, scuse_rsoc_find(list, cdb[3], action), timeouts);
	case SCUSE_RSOC_CODE_ANYHOW:
		return scuse_rsoc_one(cmd, scuse_rsoc_find(list, cdb[3], action), timeouts);
	default:
		return scuse_refuse_cdb(cmd, 2, 2);
	}
}

sense_reason_t scuse_execute_report_opcodes(struct se_cmd *cmd)
{
	struct scuse_rsoc_list *list = scuse_rsoc_collect(to_scuse(cmd->se_dev));
	sense_reason_t ret;

	if (!list)
		return TCM_OUT_OF_RESOURCES;
	ret = scuse_rsoc_reply(cmd, list);
	kvfree(list);
	return ret;
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
