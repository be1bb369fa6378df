// SPDX-License-Identifier: LGPL-2.1-or-later
/* Builds the commands of cdb.h; pure. */
#include "cdb.h"

struct command cdb_test_unit_ready(void)
{
	return (struct command){ .cdb_len = 6 };
}

struct command cdb_inquiry(void *in, uint16_t room)
{
	struct command command = { .cdb = { 0x12 }, .cdb_len = 6, .in = in, .in_room = room };

	put16(command.cdb + 3, room);
	return command;
}

struct command cdb_report_luns(void *in, uint32_t room)
{
	struct command command = { .cdb = { 0xa0 }, .cdb_len = 12, .in = in, .in_room = room };

	put32(command.cdb + 6, room);
	return command;
}

struct command cdb_request_sense(bool descriptor, void *in, uint8_t room)
{
	return (struct command){
		.cdb = { 0x03, descriptor, 0, 0, room }, .cdb_len = 6, .in = in, .in_room = room
	};
}

struct command cdb_read(uint32_t lba, void *in)
{
	struct command command = { .cdb = { 0x28, [8] = 1 }, .cdb_len = 10, .in = in, .in_room = BLOCK_SIZE };

	put32(command.cdb + 2, lba);
	return command;
}

struct command cdb_write(uint32_t lba, const void *out)
{
	struct command command = {
		.cdb = { 0x2a, [8] = 1 }, .cdb_len = 10, .out = out, .out_len = BLOCK_SIZE
	};

	put32(command.cdb + 2, lba);
	return command;
}

struct command cdb_mode_sense(uint8_t page, uint8_t subpage, void *in, uint8_t room)
{
	return (struct command){
		.cdb = { 0x1a, 0x08, page, subpage, room }, .cdb_len = 6, .in = in, .in_room = room
	};
}

struct command cdb_mode_select(const void *out, uint8_t len)
{
	return (struct command){ .cdb = { 0x15, 0x10, 0, 0, len }, .cdb_len = 6, .out = out, .out_len = len };
}

struct command cdb_reserve(uint8_t opcode)
{
	return (struct command){ .cdb = { opcode }, .cdb_len = opcode >= 0x40 ? 10 : 6 };
}

struct command cdb_pr_in(uint8_t service_action, void *in, uint16_t room)
{
	struct command command = {
		.cdb = { OP_PR_IN, service_action }, .cdb_len = 10, .in = in, .in_room = room
	};

	put16(command.cdb + 7, room);
	return command;
}

struct command cdb_pr_out(uint8_t service_action, uint8_t type, const void *out, uint32_t len)
{
	struct command command = {
		.cdb = { OP_PR_OUT, service_action, type }, .cdb_len = 10, .out = out, .out_len = len
	};

	put32(command.cdb + 5, len);
	return command;
}

struct command cdb_maintenance_in(uint8_t service_action, void *in, uint32_t room)
{
	struct command command = {
		.cdb = { OP_MAINTENANCE_IN, service_action }, .cdb_len = 12, .in = in, .in_room = room
	};

	put32(command.cdb + 6, room);
	return command;
}
