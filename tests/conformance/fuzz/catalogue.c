// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Reads the catalogue, and holds its two forms against each other: the list of all commands and the usage map
 * of each.
 */
#include "catalogue.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define LIST_ROOM      8192
#define RESERVED_TRIES 200

bool opcode_has_action(uint8_t opcode, size_t *at, size_t *size)
{
	static const uint8_t with_action[] = { 0x48, 0x5e, 0x5f, 0x83, 0x84, 0x9b, 0x9d,
					       0x9e, 0x9f, 0xa3, 0xa4, 0xa9, 0xab };

	*at = opcode == 0x7f ? 8 : 1;
	*size = opcode == 0x7f ? 2 : 1;
	return opcode == 0x7f || memchr(with_action, opcode, sizeof(with_action));
}

void entry_cdb(const struct entry *entry, uint8_t *cdb)
{
	size_t at, size;

	memset(cdb, 0, CDB_MAX);
	cdb[0] = entry->opcode;
	if (entry->has_action && opcode_has_action(entry->opcode, &at, &size))
		put_number(cdb + at, size, entry->action);
	if (entry->opcode == 0x7f)
		cdb[7] = (uint8_t)(entry->cdb_len - 8);
}

const struct entry *catalogue_find(const struct catalogue *catalogue, uint8_t opcode, uint16_t action)
{
	for (size_t i = 0; i < catalogue->count; i++) {
		const struct entry *entry = &catalogue->entries[i];

		if (entry->opcode == opcode && (!entry->has_action || entry->action == action))
			return entry;
	}
	return NULL;
}

/* Another fuzzer may hold a reservation for a moment. */
static int read_data(struct transport *transport, const uint8_t *cdb, size_t cdb_len, uint8_t *data,
		     uint32_t room, struct command *answer)
{
	for (int tries = 0; tries < RESERVED_TRIES; tries++) {
		memset(data, 0, room);
		if (transport_send(transport, cdb, cdb_len, DIRECTION_IN, data, room, answer) !=
		    STATUS_RESERVATION_CONFLICT)
			break;
		nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
	}
	return answer->status;
}

static int report(struct transport *transport, uint8_t options, const struct entry *entry, uint8_t *data,
		  uint32_t room, struct command *answer)
{
	uint8_t cdb[12] = { 0xa3, 0x0c, options };

	if (entry) {
		cdb[3] = entry->opcode;
		put_number(cdb + 4, 2, entry->action);
	}
	put_number(cdb + 6, 4, room);
	return read_data(transport, cdb, sizeof(cdb), data, room, answer);
}

/* Asks for one command (SPC-4 6.35.3); what it says must be what the list said. */
static int read_usage(struct transport *transport, struct entry *entry)
{
	uint8_t data[4 + CDB_MAX];
	struct command answer;
	size_t len;

	if (report(transport, entry->has_action ? 2 : 1, entry, data, sizeof(data), &answer) != STATUS_GOOD) {
		command_print(&answer);
		return -1;
	}
	len = get_number(data + 2, 2);
	if ((data[1] & 0x07) != 3 || len != entry->cdb_len || data[4] != entry->opcode) {
		printf("# command %02xh/%04xh: SUPPORT %u, %zu bytes, in the list %zu, code %02xh\n",
		       entry->opcode, entry->action, data[1] & 0x07, len, entry->cdb_len, data[4]);
		return -1;
	}
	memcpy(entry->usage, data + 4, len);
	return 0;
}

static int take_entry(struct catalogue *catalogue, struct transport *transport, const uint8_t *descriptor)
{
	struct entry *entry = &catalogue->entries[catalogue->count];

	*entry = (struct entry){
		.opcode = descriptor[0],
		.action = (uint16_t)get_number(descriptor + 2, 2),
		.has_action = descriptor[5] & 0x01,
		.cdb_len = get_number(descriptor + 6, 2),
	};
	if (catalogue->count == CATALOGUE_MAX - 1 || entry->cdb_len > CDB_MAX || entry->cdb_len < 6)
		return -1;
	catalogue->count++;
	return read_usage(transport, entry);
}

static int read_commands(struct catalogue *catalogue, struct transport *transport)
{
	static uint8_t data[LIST_ROOM];
	struct command answer;
	uint64_t len;

	if (report(transport, 0, NULL, data, sizeof(data), &answer) != STATUS_GOOD) {
		command_print(&answer);
		return -1;
	}
	len = get_number(data, 4);
	if (len == 0 || len % 8 || len + 4 > answer.received || len + 4 > sizeof(data)) {
		printf("# a list of %llu bytes, of which %u came\n", (unsigned long long)len,
		       answer.received);
		return -1;
	}
	for (uint64_t at = 4; at < len + 4; at += 8)
		if (take_entry(catalogue, transport, data + at))
			return -1;
	return 0;
}

static int read_size(struct catalogue *catalogue, struct transport *transport)
{
	uint8_t cdb[16] = { 0x9e, 0x10, [13] = 32 };
	struct command answer;
	uint8_t data[32];

	if (read_data(transport, cdb, sizeof(cdb), data, sizeof(data), &answer) != STATUS_GOOD) {
		command_print(&answer);
		return -1;
	}
	catalogue->blocks = get_number(data, 8) + 1;
	catalogue->block_size = (uint32_t)get_number(data + 8, 4);
	return catalogue->block_size ? 0 : -1;
}

int catalogue_read(struct catalogue *catalogue, struct transport *transport)
{
	*catalogue = (struct catalogue){ 0 };
	if (read_size(catalogue, transport)) {
		puts("not ok - READ CAPACITY (16)");
		return -1;
	}
	if (read_commands(catalogue, transport)) {
		puts("not ok - REPORT SUPPORTED OPERATION CODES lists each command, with a usage map that "
		     "agrees");
		return -1;
	}
	printf("ok - REPORT SUPPORTED OPERATION CODES lists %zu commands, with usage maps that agree\n",
	       catalogue->count);
	return 0;
}
