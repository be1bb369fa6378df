// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where a raw LUN's commands go (raw.h): look-ups in the table and in what START claims, direction and length
 * of the data phase.  Pure; called by raw.c for each command, by rawrsoc.c and rawstart.c.  No locks: table
 * and index are constant, claims never change.
 *
 *	in the table, as it says:  kernel, refused
 *	             handler:      claimed -> handler
 *	                           not claimed -> refused; the kernel can do INQUIRY, REQUEST SENSE and
 *	                           TEST UNIT READY by itself
 *	not in the table:          claimed -> handler, with direction from the claim
 *	                           not claimed -> refused
 */
#include "raw.h"
#include "bytes.h"
#include "opcode.h"

#define SCUSE_EXTENDED_CDB 0x7e /* operation code of extended CDBs (SPC-4 4.2.4) */

#define SCUSE_TEST_UNIT_READY 0x00
#define SCUSE_REQUEST_SENSE   0x03
#define SCUSE_INQUIRY	      0x12

#define SCUSE_CONTROL_REFUSED 0x07 /* NACA, and the obsolete FLAG and LINK (SAM-5 5.2) */

struct scuse_raw_run {
	u16 first;
	u16 count;
};

/* Written by scuse_raw_init() only. */
static struct scuse_raw_run scuse_raw_runs[256];

/* Routes of commands that have no entry of their own, or another one than the table says. */
static const struct scuse_raw_entry scuse_raw_refused = {
	.action = SCUSE_NO_ACTION,
	.route = SCUSE_RAW_REFUSED,
};

static const struct scuse_raw_entry scuse_raw_kernel = {
	.action = SCUSE_NO_ACTION,
	.route = SCUSE_RAW_KERNEL,
};

/* Nothing is known of them, so a reservation keeps them off, and they are as long as the initiator thinks. */
#define SCUSE_RAW_UNLISTED(_unit, _flags)                                                                \
	{                                                                                                \
		.action = SCUSE_NO_ACTION, .route = SCUSE_RAW_HANDLER, .unit = _unit,                    \
		.fixed = SCUSE_RAW_EXPECTED, .flags = SCUSE_RAW_EXCLUSIVE | SCUSE_RAW_ENDLESS | (_flags) \
	}

/* Commands that only START knows: whether they write, by direction. */
static const struct scuse_raw_entry scuse_raw_unlisted[2][3] = {
	{
		SCUSE_RAW_UNLISTED(SCUSE_RAW_NOTHING, 0),
		SCUSE_RAW_UNLISTED(SCUSE_RAW_SPECIAL, SCUSE_RAW_OUT),
		SCUSE_RAW_UNLISTED(SCUSE_RAW_SPECIAL, SCUSE_RAW_IN),
	},
	{
		SCUSE_RAW_UNLISTED(SCUSE_RAW_NOTHING, SCUSE_RAW_WRITES),
		SCUSE_RAW_UNLISTED(SCUSE_RAW_SPECIAL, SCUSE_RAW_WRITES | SCUSE_RAW_OUT),
		SCUSE_RAW_UNLISTED(SCUSE_RAW_SPECIAL, SCUSE_RAW_WRITES | SCUSE_RAW_IN),
	},
};

void scuse_raw_init(void)
{
	u32 i;

	for (i = 0; i < scuse_raw_count; i++) {
		struct scuse_raw_run *run = &scuse_raw_runs[scuse_raw_table[i].opcode];

		if (!run->count)
			run->first = i;
		run->count = i - run->first + 1;
	}
}

const struct scuse_raw_entry *scuse_raw_entries(u8 opcode, u32 *count)
{
	const struct scuse_raw_run *run = &scuse_raw_runs[opcode];

	*count = run->count;
	return &scuse_raw_table[run->first];
}

u16 scuse_raw_action(const u8 *cdb)
{
	return cdb[0] == SCUSE_VARIABLE_LENGTH ? (u16)scuse_get_be(&cdb[8], 2) : cdb[1] & 0x1f;
}

const struct scuse_raw_entry *scuse_raw_find(u32 type, u8 opcode, u16 action)
{
	u32 count;
	const struct scuse_raw_entry *entry = scuse_raw_entries(opcode, &count);

	for (; count; count--, entry++) {
		if (entry->types & 1u << type &&
		    (entry->action == SCUSE_NO_ACTION || entry->action == action))
			return entry;
	}
	return NULL;
}

bool scuse_raw_has(u32 type, u8 opcode, u16 action)
{
	u32 count;
	const struct scuse_raw_entry *entry = scuse_raw_entries(opcode, &count);

	for (; count; count--, entry++) {
		if (entry->types & 1u << type &&
		    (action == SCUSE_NO_ACTION || entry->action == SCUSE_NO_ACTION ||
		     entry->action == action))
			return true;
	}
	return false;
}

static bool scuse_raw_cdb_length_ok(u8 opcode, u8 length)
{
	if (!length)
		return true;
	if (opcode == SCUSE_VARIABLE_LENGTH || opcode == SCUSE_EXTENDED_CDB)
		return length >= 12;
	return length == 6 || length == 10 || length == 12 || length == 16;
}

static bool scuse_raw_bytes_zero(const u8 *bytes, u32 count)
{
	while (count && !bytes[count - 1])
		count--;
	return !count;
}

bool scuse_raw_command_ok(const struct scuse_command *command)
{
	if (command->flags == SCUSE_COMMAND_STANDARD)
		return !command->opcode && !command->has_action && !command->action && !command->cdb_length &&
		       !command->direction && !command->timeout && !command->reserved &&
		       scuse_raw_bytes_zero(command->usage, sizeof(command->usage));
	return !(command->flags & ~SCUSE_COMMAND_WRITES) && !command->reserved && command->has_action <= 1 &&
	       (command->has_action ? command->action != SCUSE_NO_ACTION : !command->action) &&
	       command->direction <= SCUSE_DIRECTION_IN &&
	       scuse_raw_cdb_length_ok(command->opcode, command->cdb_length);
}

/* By counting: the entries of one operation code keep their order. */
void scuse_raw_claims_sort(struct scuse_raw_claims *claims, const struct scuse_command *from, u32 count)
{
	u32 code, i;

	claims->count = 0;
	claims->standard = false;
	for (code = 0; code < 256; code++) {
		claims->first[code] = claims->count;
		for (i = 0; i < count; i++) {
			if (from[i].opcode == code && !(from[i].flags & SCUSE_COMMAND_STANDARD))
				claims->list[claims->count++] = from[i];
		}
	}
	claims->first[256] = claims->count;
	for (i = 0; i < count; i++) {
		if (from[i].flags & SCUSE_COMMAND_STANDARD)
			claims->standard = true;
	}
}

const struct scuse_command *scuse_raw_claimed(const struct scuse_raw_claims *claims, u8 opcode, u16 action)
{
	u32 i;

	if (!claims)
		return NULL;
	for (i = claims->first[opcode]; i < claims->first[opcode + 1]; i++) {
		if (!claims->list[i].has_action || claims->list[i].action == action)
			return &claims->list[i];
	}
	return NULL;
}

static bool scuse_raw_kernel_can(u8 opcode)
{
	return opcode == SCUSE_TEST_UNIT_READY || opcode == SCUSE_REQUEST_SENSE || opcode == SCUSE_INQUIRY;
}

enum scuse_raw_route scuse_raw_route_of(const struct scuse_raw_claims *claims,
					const struct scuse_raw_entry *entry)
{
	if (entry->route != SCUSE_RAW_HANDLER && entry->route != SCUSE_RAW_MASKED)
		return (enum scuse_raw_route)entry->route;
	if ((claims && claims->standard) || scuse_raw_claimed(claims, entry->opcode, entry->action))
		return (enum scuse_raw_route)entry->route;
	return scuse_raw_kernel_can(entry->opcode) ? SCUSE_RAW_KERNEL : SCUSE_RAW_REFUSED;
}

const struct scuse_raw_entry *scuse_raw_way(u32 type, const struct scuse_raw_claims *claims, const u8 *cdb)
{
	const struct scuse_raw_entry *entry = scuse_raw_find(type, cdb[0], scuse_raw_action(cdb));
	const struct scuse_command *claim;
	enum scuse_raw_route route;

	if (!entry) {
		claim = scuse_raw_claimed(claims, cdb[0], scuse_raw_action(cdb));
		if (!claim)
			return &scuse_raw_refused;
		return &scuse_raw_unlisted[claim->flags & SCUSE_COMMAND_WRITES ? 1 : 0][claim->direction];
	}
	route = scuse_raw_route_of(claims, entry);
	if (route == entry->route)
		return entry;
	return route == SCUSE_RAW_KERNEL ? &scuse_raw_kernel : &scuse_raw_refused;
}

u16 scuse_raw_flags(const struct scuse_raw_entry *entry, const u8 *cdb)
{
	if (entry->unit != SCUSE_RAW_SPECIAL || entry->fixed != SCUSE_RAW_ATA)
		return entry->flags;
	/* T_DIR */
	return entry->flags & ~(cdb[2] & 0x08 ? SCUSE_RAW_OUT : SCUSE_RAW_IN);
}

/* The byte with the options of a block command: after the service action if the CDB has a length of its own. */
static u32 scuse_raw_options_at(const u8 *cdb)
{
	return cdb[0] == SCUSE_VARIABLE_LENGTH ? 10 : 1;
}

/* @blocks of the block length, or what is expected if there is none. */
static u64 scuse_raw_blocks(u64 blocks, u32 block, u64 expected)
{
	if (!blocks)
		return 0;
	return block ? blocks * block : expected;
}

/* SSC-4 FIXED, bit 0 of byte 1: blocks, else one block of so many bytes. */
static u64 scuse_raw_records(const u8 *cdb, u64 count, u32 block, u64 expected)
{
	return cdb[1] & 0x01 ? scuse_raw_blocks(count, block, expected) : count;
}

static u64 scuse_raw_verify(const u8 *cdb, u64 count, u32 block, u64 expected)
{
	u8 bytchk = (cdb[scuse_raw_options_at(cdb)] >> 1) & 0x03;

	if (!(bytchk & 0x01) || !count)
		return 0;
	return scuse_raw_blocks(bytchk == 0x03 ? 1 : count, block, expected);
}

/* SAT-3 12.2.2: T_LENGTH says which field has the count, BYT_BLOK and T_TYPE its unit. */
static u64 scuse_raw_ata(const u8 *cdb, u32 block, u64 expected)
{
	bool extended = cdb[0] == 0x85 && cdb[1] & 0x01;
	bool is_16 = cdb[0] == 0x85;
	u64 count;

	switch (cdb[2] & 0x03) {
	case 0:
		return 0;
	case 1: /* FEATURES */
		count = is_16 ? (extended ? cdb[3] << 8 : 0) | cdb[4] : cdb[3];
		break;
	case 2: /* SECTOR_COUNT */
		count = is_16 ? (extended ? cdb[5] << 8 : 0) | cdb[6] : cdb[4];
		break;
	default: /* in the transport's own words */
		return expected;
	}
	if (!(cdb[2] & 0x04)) /* BYT_BLOK */
		return count;
	return cdb[2] & 0x10 ? scuse_raw_blocks(count, block, expected) : count * 512;
}

static u64 scuse_raw_special(const struct scuse_raw_entry *entry, const u8 *cdb, u64 count, u32 block,
			     u64 expected)
{
	switch ((enum scuse_raw_special)entry->fixed) {
	case SCUSE_RAW_BLOCKS_256:
		return scuse_raw_blocks(count ? count : 256, block, expected);
	case SCUSE_RAW_VERIFY:
		return scuse_raw_verify(cdb, count, block, expected);
	case SCUSE_RAW_SAME:
		/* NDOB is reserved, and so 0, in WRITE SAME (10) */
		return cdb[scuse_raw_options_at(cdb)] & 0x01 ? 0 : scuse_raw_blocks(1, block, expected);
	case SCUSE_RAW_TWICE:
		return scuse_raw_blocks(2 * count, block, expected);
	case SCUSE_RAW_FORMAT:
		return cdb[1] & 0x10 ? expected : 0;
	case SCUSE_RAW_TAPE_VERIFY:
		return cdb[1] & 0x02 ? scuse_raw_records(cdb, count, block, expected) : 0;
	case SCUSE_RAW_BLOCK_LIMITS:
		return cdb[1] & 0x01 ? 20 : 6;
	case SCUSE_RAW_SECURITY:
		return cdb[4] & 0x80 ? count * 512 : count;
	case SCUSE_RAW_ATA:
		return scuse_raw_ata(cdb, block, expected);
	default:
		return expected;
	}
}

u64 scuse_raw_length(const struct scuse_raw_entry *entry, const u8 *cdb, u32 block, u64 expected)
{
	u64 count = scuse_get_be(&cdb[entry->count_at], entry->count_size);

	switch ((enum scuse_raw_unit)entry->unit) {
	case SCUSE_RAW_BYTES:
		return count;
	case SCUSE_RAW_BLOCKS:
		return scuse_raw_blocks(count, block, expected);
	case SCUSE_RAW_RECORDS:
		return scuse_raw_records(cdb, count, block, expected);
	case SCUSE_RAW_FIXED:
		return entry->fixed;
	case SCUSE_RAW_SPECIAL:
		return scuse_raw_special(entry, cdb, count, block, expected);
	default:
		return 0;
	}
}

bool scuse_raw_needs_block(const struct scuse_raw_entry *entry, const u8 *cdb)
{
	return scuse_raw_length(entry, cdb, 1, 0) != scuse_raw_length(entry, cdb, 2, 0);
}

/*
 * The control byte: SPC-4 4.2.5.1, the operation code's group says how long a CDB is.  0: vendor specific
 * ones have any length.
 */
static u16 scuse_raw_control_at(u8 opcode)
{
	static const u8 last[8] = { 5, 9, 9, 1, 15, 11, 0, 0 };

	return last[opcode >> 5];
}

/* Has the command RDPROTECT, WRPROTECT, VRPROTECT or ORPROTECT, in the options byte? */
static bool scuse_raw_protects(u32 type, const struct scuse_raw_entry *entry, const u8 *cdb)
{
	if (type != 0x00 || cdb[0] < 0x20)
		return false;
	return entry->unit == SCUSE_RAW_BLOCKS ||
	       (entry->unit == SCUSE_RAW_SPECIAL &&
		(entry->fixed == SCUSE_RAW_VERIFY || entry->fixed == SCUSE_RAW_SAME ||
		 entry->fixed == SCUSE_RAW_TWICE));
}

/* The highest bit that is set. */
static u8 scuse_raw_bit(u8 byte)
{
	u8 bit = 7;

	while (bit && !(byte & 1u << bit))
		bit--;
	return bit;
}

bool scuse_raw_field_refused(u32 type, const struct scuse_raw_entry *entry, const u8 *cdb, u16 *byte, u8 *bit)
{
	u8 wrong;

	*byte = scuse_raw_options_at(cdb);
	wrong = scuse_raw_protects(type, entry, cdb) ? cdb[*byte] & SCUSE_OPTIONS_PROTECT : 0;
	if (!wrong) {
		*byte = scuse_raw_control_at(cdb[0]);
		wrong = *byte ? cdb[*byte] & SCUSE_CONTROL_REFUSED : 0;
	}
	*bit = scuse_raw_bit(wrong);
	return wrong;
}
