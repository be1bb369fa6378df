// SPDX-License-Identifier: LGPL-2.1-or-later
#include "sweep.h"
#include "recover.h"

#include <stdio.h>
#include <string.h>

#define ANY 0xffff

/* Operation code, and the service action within a byte of its own or beside other fields, are not swept here. */
static bool is_code(const struct entry *entry, size_t byte, uint8_t bit)
{
	size_t at, size;

	if (byte == 0)
		return true;
	if (!entry->has_action || !opcode_has_action(entry->opcode, &at, &size))
		return entry->opcode == 0x7f && byte == 7;
	if (size == 2)
		return byte == 7 || (byte >= at && byte < at + 2);
	return byte == at && bit < 5;
}

static void print_wrong(const struct command *answer, const char *what)
{
	printf("# %s:\n", what);
	command_print(answer);
}

/* Is the answer INVALID FIELD IN CDB with a pointer to this byte (and, if it names a bit, one at or above `bit`
 * in the same field)?  A field of several bits is pointed to by its leftmost bit. */
static bool points_at(const struct command *answer, size_t byte, int bit)
{
	struct sense sense;

	sense_parse(&sense, answer->sense, answer->sense_len);
	if (!command_failed_with(answer, 0x5, 0x2400)) {
		print_wrong(answer, "wanted ILLEGAL REQUEST, INVALID FIELD IN CDB");
		return false;
	}
	if (!sense.has_field || !sense.in_cdb || sense.byte != byte ||
	    (bit >= 0 && sense.has_bit && sense.bit < bit)) {
		printf("# wanted a field pointer to byte %zu, bit %d\n", byte, bit);
		command_print(answer);
		return false;
	}
	return true;
}

static bool try_bit(const struct entry *entry, struct transport *transport, size_t byte, uint8_t bit)
{
	struct command answer;
	uint8_t cdb[CDB_MAX];

	entry_cdb(entry, cdb);
	cdb[byte] |= (uint8_t)(1u << bit);
	transport_send(transport, cdb, entry->cdb_len, DIRECTION_NONE, NULL, 0, &answer);
	return points_at(&answer, byte, bit);
}

static unsigned int sweep_entry(const struct entry *entry, struct transport *transport, unsigned int *tried)
{
	unsigned int wrong = 0;

	for (size_t byte = 0; byte < entry->cdb_len; byte++) {
		for (uint8_t bit = 0; bit < 8; bit++) {
			if (entry->usage[byte] >> bit & 1 || is_code(entry, byte, bit))
				continue;
			++*tried;
			wrong += !try_bit(entry, transport, byte, bit);
		}
	}
	return wrong;
}

bool sweep_reserved_bits(const struct catalogue *catalogue, struct transport *transport)
{
	bool all_right = true;

	for (size_t i = 0; i < catalogue->count; i++) {
		const struct entry *entry = &catalogue->entries[i];
		unsigned int tried = 0, wrong;

		if (entry->cdb_len > transport->cdb_max) {
			printf("# %02xh/%04xh: a CDB of %zu bytes does not go over this transport\n",
			       entry->opcode, entry->action, entry->cdb_len);
			continue;
		}
		wrong = sweep_entry(entry, transport, &tried);
		wrong += !recover_ready(transport);
		printf("%s - command %02xh", wrong ? "not ok" : "ok", entry->opcode);
		if (entry->has_action)
			printf(", service action %02xh", entry->action);
		printf(": %u reserved bits are refused, with field pointers\n", tried);
		all_right &= !wrong;
	}
	return all_right;
}

static size_t length_of_group(uint8_t opcode)
{
	static const uint8_t lengths[] = { 6, 10, 10, 0, 16, 12, 10, 10 };

	return lengths[opcode >> 5];
}

static unsigned int sweep_actions(const struct catalogue *catalogue, struct transport *transport,
				  uint8_t opcode, size_t at, size_t size, unsigned int *tried)
{
	uint16_t last = size == 2 ? 0x40 : 0x1f;
	unsigned int wrong = 0;
	struct command answer;

	for (uint16_t action = 0; action <= last; action++) {
		uint8_t cdb[CDB_MAX] = { opcode };

		if (catalogue_find(catalogue, opcode, action))
			continue;
		put_number(cdb + at, size, action);
		if (opcode == 0x7f)
			cdb[7] = 24;
		++*tried;
		transport_send(transport, cdb, size == 2 ? 32 : length_of_group(opcode), DIRECTION_NONE, NULL,
			       0, &answer);
		wrong += !points_at(&answer, at, -1);
	}
	return wrong;
}

static bool is_listed(const struct catalogue *catalogue, uint8_t opcode)
{
	for (size_t i = 0; i < catalogue->count; i++)
		if (catalogue->entries[i].opcode == opcode)
			return true;
	return false;
}

static unsigned int sweep_opcode(const struct catalogue *catalogue, struct transport *transport,
				 uint8_t opcode, unsigned int *tried)
{
	uint8_t cdb[CDB_MAX] = { opcode };
	struct command answer;
	size_t at, size;

	if (is_listed(catalogue, opcode)) {
		if (!opcode_has_action(opcode, &at, &size) || (size == 2 && transport->cdb_max < 32) ||
		    catalogue_find(catalogue, opcode, ANY))
			return 0;
		return sweep_actions(catalogue, transport, opcode, at, size, tried);
	}
	if (length_of_group(opcode) == 0)
		return 0; /* 60h..7Fh: the length says nothing of a code that is not listed */
	++*tried;
	transport_send(transport, cdb, length_of_group(opcode), DIRECTION_NONE, NULL, 0, &answer);
	if (command_failed_with(&answer, 0x5, 0x2000))
		return 0;
	print_wrong(&answer, "wanted ILLEGAL REQUEST, INVALID COMMAND OPERATION CODE");
	return 1;
}

bool sweep_unlisted(const struct catalogue *catalogue, struct transport *transport)
{
	unsigned int tried = 0, wrong = 0;

	for (unsigned int opcode = 0; opcode < 0x100; opcode++)
		wrong += sweep_opcode(catalogue, transport, (uint8_t)opcode, &tried);
	printf("%s - %u commands that are not listed are refused\n", wrong ? "not ok" : "ok", tried);
	return !wrong;
}
