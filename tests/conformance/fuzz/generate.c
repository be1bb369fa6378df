// SPDX-License-Identifier: LGPL-2.1-or-later
#include "generate.h"
#include "check.h"
#include "length.h"

#include <string.h>

#define RESERVE_ONCE_IN 16 /* reservations that the dice propose */

static void flip_bits(struct random *random, uint8_t *bytes, size_t len, uint32_t count)
{
	while (count--)
		bytes[random_below(random, (uint32_t)len)] ^= (uint8_t)(1u << random_below(random, 8));
}

static void fill(struct random *random, uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)random_next(random);
}

/* An address: mostly within the medium, often at its end, now and then anywhere. */
static uint64_t make_address(struct random *random, const struct catalogue *catalogue)
{
	switch (random_below(random, 8)) {
	case 0:
		return catalogue->blocks - random_below(random, 4);
	case 1:
		return catalogue->blocks + random_below(random, 4);
	case 2:
		return random_next(random) >> random_below(random, 64);
	default:
		return random_next(random) % catalogue->blocks;
	}
}

/* A count: mostly small; 0, the largest and anything between come too. */
static uint64_t make_count(struct random *random, enum unit unit)
{
	switch (random_below(random, 16)) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	case 2:
		return random_next(random) >> random_below(random, 64);
	case 3:
		return random_below(random, 2048);
	default:
		return random_below(random, unit == UNIT_BYTES ? 300 : 32);
	}
}

static void make_valid(struct random *random, const struct catalogue *catalogue, const struct entry *entry,
		       struct command *command)
{
	uint8_t *cdb = command->cdb, keep[CDB_MAX];
	const struct length *row;

	entry_cdb(entry, cdb);
	memcpy(keep, cdb, sizeof(keep));
	command->cdb_len = entry->cdb_len;
	row = length_find(cdb);
	/* Flags are mostly 0, as most combinations of them are refused. */
	if (random_once_in(random, 2))
		for (size_t i = 1; i < entry->cdb_len; i++)
			cdb[i] |= (uint8_t)(entry->usage[i] & random_next(random) & random_next(random));
	if (row->lba_size)
		put_number(cdb + row->lba, row->lba_size, make_address(random, catalogue));
	if (row->size)
		put_number(cdb + row->at, row->size, make_count(random, row->unit));
	for (size_t i = 0; i < entry->cdb_len; i++)
		cdb[i] &= entry->usage[i];
	/* Usage maps show the value of code and action, not a mask, so they came out right. */
	cdb[0] = keep[0];
	if (entry->has_action && cdb[0] != 0x7f)
		cdb[1] = (uint8_t)((cdb[1] & 0xe0) | (keep[1] & 0x1f));
	if (cdb[0] == 0x7f)
		memcpy(cdb + 7, keep + 7, 3);
}

static void make_noise(struct random *random, size_t cdb_max, struct command *command)
{
	static const uint8_t lengths[] = { 6, 10, 12, 16, 32 };

	fill(random, command->cdb, CDB_MAX);
	command->cdb_len = lengths[random_below(random, sizeof(lengths))];
	if (command->cdb_len > cdb_max)
		command->cdb_len = cdb_max;
	memset(command->cdb + command->cdb_len, 0, CDB_MAX - command->cdb_len);
	/* The code's group fixes the length (SPC-4 4.2.5.1); a transport does not look at that. */
	if (random_once_in(random, 2))
		memset(command->cdb + 1, 0, random_below(random, (uint32_t)command->cdb_len));
}

static uint32_t at_most(int64_t length)
{
	return length < 0 ? 0 : length > DATA_MAX ? DATA_MAX : (uint32_t)length;
}

/* What the initiator announces: as the CDB says, or a little or a lot beside it. */
static void make_transfer(struct random *random, const struct catalogue *catalogue, struct command *command)
{
	const struct length *row = length_find(command->cdb);
	int64_t wanted = length_of(row, command->cdb, catalogue->block_size);

	command->direction = row->direction;
	command->length = wanted < 0 ? random_below(random, 4096) : at_most(wanted);
	switch (random_below(random, 16)) {
	case 0:
		command->length = random_below(random, 70000);
		break;
	case 1:
		command->length = at_most((int64_t)command->length + random_below(random, 1024) - 512);
		break;
	case 2:
		command->length = 0;
		break;
	case 3:
		command->length = at_most((int64_t)command->length * 2);
		break;
	default:
		break;
	}
	if (random_once_in(random, 12) || row->unit == UNIT_UNKNOWN)
		command->direction = (enum direction)random_below(random, 3);
	if (command->direction == DIRECTION_NONE)
		command->length = 0;
	if (command->length == 0)
		command->direction = DIRECTION_NONE;
}

/* RESERVE (6) and (10), PERSISTENT RESERVE OUT: what is reserved is shut to the others who share the LUN. */
static bool reserves(const struct entry *entry)
{
	uint8_t opcode = entry->opcode;

	return opcode == 0x16 || opcode == 0x56 || opcode == 0x5f;
}

static const struct entry *make_entry(struct random *random, const struct catalogue *catalogue,
				      size_t cdb_max)
{
	const struct entry *entry;

	do
		entry = &catalogue->entries[random_below(random, (uint32_t)catalogue->count)];
	while (entry->cdb_len > cdb_max || (reserves(entry) && !random_once_in(random, RESERVE_ONCE_IN)));
	return entry;
}

void generate_command(struct random *random, const struct catalogue *catalogue, size_t cdb_max,
		      struct command *command)
{
	uint32_t kind = random_below(random, 16);
	const struct entry *entry = make_entry(random, catalogue, cdb_max);

	if (kind == 0) {
		make_noise(random, cdb_max, command);
	} else {
		make_valid(random, catalogue, entry, command);
		if (kind < 6)
			flip_bits(random, command->cdb, command->cdb_len, 1 + random_below(random, 3));
	}
	make_transfer(random, catalogue, command);
	if (command->direction == DIRECTION_OUT)
		generate_parameters(random, catalogue, command);
	else
		memset(command->data, UNTOUCHED, command->length);
	command->status = STATUS_LOST;
	command->received = 0;
	command->residual_kind = RESIDUAL_NONE;
	command->residual = 0;
	command->sense_len = 0;
}
