// SPDX-License-Identifier: GPL-2.0-only
/*
 * Look-ups in the table of commands (opcode.h).  Called for every command by cdb.c, and by rsoc.c.
 *
 * The index has, for each operation code, where its entries start; most codes have one entry, the others
 * a few service actions, which lie side by side.  For the check of reserved bits it holds the first 16
 * bytes of each map inverted, as two numbers, so that the usual CDB costs two comparisons.
 */
#include "opcode.h"
#include "sense.h"

#define SCUSE_OPCODES_MAX 128

struct scuse_opcode_run {
	u8 first;
	u8 count;
};

/* Written by scuse_opcode_init() only. */
static struct scuse_opcode_run scuse_opcode_runs[256];
static u64 scuse_opcode_must_be_zero[SCUSE_OPCODES_MAX][2];

void scuse_opcode_init(void)
{
	u8 zero[16];
	u32 i, at;

	for (i = 0; i < scuse_opcode_count && i < SCUSE_OPCODES_MAX; i++) {
		const struct scuse_opcode *entry = &scuse_opcode_table[i];
		struct scuse_opcode_run *run = &scuse_opcode_runs[entry->opcode];

		if (!run->count)
			run->first = i;
		run->count = i - run->first + 1;
		/* What lies behind a short CDB is not part of it. */
		for (at = 0; at < sizeof(zero); at++)
			zero[at] = at && at < entry->cdb_length ? ~entry->usage[at] : 0;
		memcpy(scuse_opcode_must_be_zero[i], zero, sizeof(zero));
	}
}

const struct scuse_opcode *scuse_opcode_entries(u8 opcode, u32 *count)
{
	const struct scuse_opcode_run *run = &scuse_opcode_runs[opcode];

	*count = run->count;
	return &scuse_opcode_table[run->first];
}

/* The service action of a CDB whose operation code has such. */
static u16 scuse_opcode_action(const u8 *cdb)
{
	return cdb[0] == SCUSE_VARIABLE_LENGTH ? (u16)(cdb[8] << 8 | cdb[9]) : cdb[1] & 0x1f;
}

const struct scuse_opcode *scuse_opcode_find(const u8 *cdb)
{
	u32 count;
	const struct scuse_opcode *entry = scuse_opcode_entries(cdb[0], &count);

	for (; count; count--, entry++) {
		if (entry->action == SCUSE_NO_ACTION || entry->action == scuse_opcode_action(cdb))
			return entry;
	}
	return NULL;
}

u64 scuse_opcode_number(const struct scuse_opcode *opcode, const struct scuse_field *field, const u8 *cdb)
{
	u64 number = 0;
	u32 i;

	for (i = field->at; i < field->at + field->size; i++)
		number = number << 8 | (cdb[i] & opcode->usage[i]);
	if (!number && field == &opcode->count && opcode->flags & SCUSE_OPCODE_ZERO_256)
		return 256;
	return number;
}

static u8 scuse_highest_bit(u8 byte)
{
	u8 bit = 7;

	while (bit && !(byte & 1u << bit))
		bit--;
	return bit;
}

/* True if all bits of the first 16 bytes that must be zero are. */
static bool scuse_opcode_clean(const struct scuse_opcode *opcode, const u8 *cdb)
{
	const u64 *zero = scuse_opcode_must_be_zero[opcode - scuse_opcode_table];
	u64 words[2];

	memcpy(words, cdb, sizeof(words));
	return !((words[0] & zero[0]) | (words[1] & zero[1]));
}

bool scuse_opcode_reserved(const struct scuse_opcode *opcode, const u8 *cdb, u16 *byte, u8 *bit)
{
	u32 i;

	if (opcode->cdb_length <= 16 && scuse_opcode_clean(opcode, cdb))
		return false;
	if (opcode->opcode == SCUSE_VARIABLE_LENGTH && cdb[7] != opcode->cdb_length - 8) {
		*byte = 7;
		*bit = SCUSE_SENSE_NO_BIT;
		return true;
	}
	for (i = 1; i < opcode->cdb_length; i++) {
		u8 wrong = cdb[i] & ~opcode->usage[i];

		if (!wrong)
			continue;
		*byte = i;
		*bit = scuse_highest_bit(wrong);
		return true;
	}
	return false;
}
