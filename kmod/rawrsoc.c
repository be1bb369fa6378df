// SPDX-License-Identifier: GPL-2.0-only
/*
 * What REPORT SUPPORTED OPERATION CODES says of a raw LUN's commands: those that the table lets pass and
 * START claims, those that the kernel half answers itself, and those that START claims beyond the table.
 * Called by rsoc.c, which makes the answer.
 *
 * USAGE DATA is the claim's, if it states any.  Else it is that of optable.c, if there the command has the
 * same CDB; else what raw.table knows: operation code, service action, the count, and FIXED of tapes.  A bit
 * that is not known to be evaluated is not said to be.
 *
 * Context: execute, process context, no locks held; claims are read under RCU.
 */
#include <linux/rcupdate.h>
#include "opcode.h"
#include "raw.h"
#include "rsoc.h"
#include "scuse.h"

/* Bytes of a CDB, by the group of its operation code (SPC-4 4.2.5.1); of the other groups the least. */
static u16 scuse_raw_cdb_length(const struct scuse_command *claim)
{
	static const u8 lengths[8] = { 6, 10, 10, 12, 16, 12, 10, 10 };

	return claim->cdb_length ? claim->cdb_length : lengths[claim->opcode >> 5];
}

static void scuse_raw_usage_action(struct scuse_rsoc_item *item)
{
	if (item->action == SCUSE_NO_ACTION)
		return;
	if (item->opcode == SCUSE_VARIABLE_LENGTH)
		put_unaligned_be16(item->action, &item->usage[8]);
	else
		item->usage[1] = (item->usage[1] & 0xe0) | item->action;
}

/* Does optable.c have the same CDB? */
static const struct scuse_opcode *scuse_raw_twin(const struct scuse_raw_entry *entry)
{
	u32 count;
	const struct scuse_opcode *opcode = scuse_opcode_entries(entry->opcode, &count);

	/* It has commands of disks, and of any type. */
	if (!(entry->types & SCUSE_RAW_DISK))
		return NULL;
	for (; count; count--, opcode++) {
		if (opcode->action == entry->action && opcode->cdb_length == entry->cdb_length &&
		    opcode->count.at == entry->count_at && opcode->count.size == entry->count_size)
			return opcode;
	}
	return NULL;
}

static void scuse_raw_usage(struct scuse_rsoc_item *item, const struct scuse_raw_entry *entry)
{
	const struct scuse_opcode *twin = scuse_raw_twin(entry);

	if (twin) {
		memcpy(item->usage, twin->usage, twin->cdb_length);
		/* As scuse_raw_field_refused() has it. */
		if (twin->flags & SCUSE_OPCODE_PROTECT)
			item->usage[scuse_opcode_options_at(twin)] &= ~SCUSE_OPTIONS_PROTECT;
	} else {
		memset(&item->usage[entry->count_at], 0xff, entry->count_size);
		if (entry->unit == SCUSE_RAW_RECORDS)
			item->usage[1] |= 0x01;
	}
	scuse_raw_usage_action(item);
}

static bool scuse_raw_states_usage(const struct scuse_command *claim)
{
	return claim && memchr_inv(claim->usage, 0, sizeof(claim->usage));
}

/* A command of the table that the handler carries out. */
static void scuse_raw_add_entry(struct scuse_rsoc_list *list, const struct scuse_raw_entry *entry,
				const struct scuse_command *claim)
{
	struct scuse_rsoc_item *item = scuse_rsoc_add(list);

	if (!item)
		return;
	item->opcode = entry->opcode;
	item->action = entry->action;
	item->cdb_length = entry->cdb_length;
	item->seconds = claim ? claim->timeout : 0;
	if (scuse_raw_states_usage(claim))
		memcpy(item->usage, claim->usage, min_t(u32, entry->cdb_length, sizeof(item->usage)));
	else
		scuse_raw_usage(item, entry);
	item->usage[0] = entry->opcode;
}

/* A command that only START knows. */
static void scuse_raw_add_claim(struct scuse_rsoc_list *list, const struct scuse_command *claim)
{
	struct scuse_rsoc_item *item = scuse_rsoc_add(list);

	if (!item)
		return;
	item->opcode = claim->opcode;
	item->action = claim->has_action ? claim->action : SCUSE_NO_ACTION;
	item->cdb_length = scuse_raw_cdb_length(claim);
	item->seconds = claim->timeout;
	memcpy(item->usage, claim->usage, min_t(u32, item->cdb_length, sizeof(item->usage)));
	item->usage[0] = claim->opcode;
	scuse_raw_usage_action(item);
}

static void scuse_raw_list_entry(struct scuse_device *dev, const struct scuse_raw_claims *claims,
				 struct scuse_rsoc_list *list, const struct scuse_raw_entry *entry)
{
	const struct scuse_opcode *opcode;

	if (!(entry->types & 1u << READ_ONCE(dev->device_type)))
		return;
	switch (scuse_raw_route_of(claims, entry)) {
	case SCUSE_RAW_KERNEL:
		opcode = scuse_raw_opcode(dev, entry->opcode, entry->action);
		if (opcode)
			scuse_rsoc_add_opcode(dev, list, opcode);
		break;
	case SCUSE_RAW_HANDLER:
	case SCUSE_RAW_MASKED:
		scuse_raw_add_entry(list, entry, scuse_raw_claimed(claims, entry->opcode, entry->action));
		break;
	default:
		break;
	}
}

/* Is the claim one that the table does not have, and no repetition of another? */
static bool scuse_raw_is_unlisted(struct scuse_device *dev, const struct scuse_raw_claims *claims,
				  const struct scuse_command *claim)
{
	u16 action = claim->has_action ? claim->action : SCUSE_NO_ACTION;

	return !scuse_raw_has(READ_ONCE(dev->device_type), claim->opcode, action) &&
	       scuse_raw_claimed(claims, claim->opcode, action) == claim;
}

u32 scuse_raw_rsoc_room(struct scuse_device *dev)
{
	return scuse_raw_count + SCUSE_MAX_COMMANDS;
}

void scuse_raw_rsoc_list(struct scuse_device *dev, struct scuse_rsoc_list *list)
{
	const struct scuse_raw_claims *claims;
	const struct scuse_raw_entry *entry;
	u32 code, count, i;

	rcu_read_lock();
	claims = rcu_dereference(dev->claims);
	for (code = 0; code < 256; code++) {
		for (entry = scuse_raw_entries(code, &count); count; count--, entry++)
			scuse_raw_list_entry(dev, claims, list, entry);
		for (i = claims ? claims->first[code] : 0; claims && i < claims->first[code + 1]; i++) {
			if (scuse_raw_is_unlisted(dev, claims, &claims->list[i]))
				scuse_raw_add_claim(list, &claims->list[i]);
		}
	}
	rcu_read_unlock();
}
