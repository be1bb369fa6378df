// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A real device behind the LUN: what it does to a command arrives at the initiator that sent it, whole, and
 * nobody else hears of it; what resets it is taken for a reset of the LUN.  The device is scsi_debug's (the
 * hook's "real ..." words inject errors); which unit attentions are passed on is in events.c, too.
 */
#include <stdio.h>
#include <string.h>

#include "cases.h"
#include "cdb.h"
#include "report.h"
#include "supported.h"

#define BAD_BLOCK 0x1234 /* where scsi_debug has its medium error */
#define CACHING	  0x08
#define WCE	  0x04 /* byte 2 */

/* What each injection (scsi_debug's `opts`) makes of a READ, on its way through scsi_debug and the sg driver. */
static const struct injection {
	const char *name;
	const char *words; /* of the hook */
	uint32_t lba;
	uint8_t key; /* 0: GOOD */
	asc_t asc;
	size_t moved; /* bytes that reach the initiator */
} injections[] = {
	{ "medium-error", "real inject 0x2", BAD_BLOCK, 0x3, 0x1100, 0 },
	{ "recovered-error", "real inject 0x8", 8, 0x1, 0x5d00, 2 * BLOCK_SIZE },
	{ "transport-error", "real inject 0x10", 8, 0xb, 0x4b03, 0 },
	{ "short-transfer", "real inject 0x100", 8, 0, 0, BLOCK_SIZE },
	{ "timeout", "real inject 0x4", 8, 0xb, 0x0000, 0 },
};

static struct command read_two(uint32_t lba, uint8_t *in)
{
	struct command command = cdb_read(lba, in);

	command.cdb[8] = 2;
	command.in_room = 2 * BLOCK_SIZE;
	memset(in, 0x5a, command.in_room);
	return command;
}

static bool is_as_injected(const struct injection *injection, const struct command *command)
{
	if (!injection->key)
		return command->status == STATUS_GOOD;
	return command->status == STATUS_CHECK_CONDITION && command->sense.key == injection->key &&
	       (!injection->asc || command->sense.asc == injection->asc);
}

static void want_ready(struct nexus *nexus, const char *when)
{
	struct command command = cdb_test_unit_ready();

	nexus_run(nexus, &command);
	check_want(command.status == STATUS_GOOD, "%s: %s: %s", nexus->name, when, command_answer(&command));
}

/* libiscsi drops data that came beside sense data. */
static bool moves(const struct injection *injection, const struct nexus *nexus)
{
	return !injection->key || nexus->transport == &sg_transport;
}

static void injection_run(struct stage *stage, const struct injection *injection, enum place place)
{
	struct nexus *nexus = &stage->nexus[place];
	uint8_t blocks[2 * BLOCK_SIZE];
	struct command command = read_two(injection->lba, blocks);

	check_begin("passthrough/%s/%s", injection->name, nexus->name);
	stage_drain(stage);
	if (check_want(stage_hook(stage, injection->words) == 0, "the hook failed")) {
		nexus_run(nexus, &command);
		stage_hook(stage, "real calm");
		check_want(is_as_injected(injection, &command), "wanted %x/%02x/%02x: %s", injection->key,
			   injection->asc >> 8, injection->asc & 0xff, command_answer(&command));
		if (moves(injection, nexus))
			check_want(command.in_len == injection->moved, "%zu bytes came, wanted %zu",
				   command.in_len, injection->moved);
		for (enum place other = A; other < PLACES; other++)
			want_ready(&stage->nexus[other], "afterwards");
	}
	check_end();
}

/* Reset by somebody else: a reservation of SPC-2's is gone, as after any reset (SPC-2 5.5.1). */
static void reservation_run(struct stage *stage)
{
	struct nexus *holder = &stage->nexus[A], *other = &stage->nexus[B];
	struct command reserve = cdb_reserve(OP_RESERVE_6), tried = cdb_test_unit_ready();

	stage_drain(stage);
	check_begin("passthrough/reset-by-others/releases");
	nexus_run(holder, &reserve);
	check_want(reserve.status == STATUS_GOOD, "RESERVE: %s", command_answer(&reserve));
	nexus_run(other, &tried);
	check_want(tried.status == STATUS_RESERVATION_CONFLICT, "while it is reserved: %s",
		   command_answer(&tried));
	check_want(stage_hook(stage, "real reset") == 0, "the hook failed");
	tried = cdb_test_unit_ready();
	nexus_run(holder, &tried);
	check_want(command_is_attention(&tried, 0x2900), "the holder: %s", command_answer(&tried));
	tried = cdb_test_unit_ready();
	nexus_run(other, &tried);
	check_want(command_is_attention(&tried, 0x2900), "the other: %s", command_answer(&tried));
	want_ready(other, "nothing is reserved any more");
	check_end();
	stage_drain(stage);
}

/* LOGICAL UNIT RESET reaches the device; that it then says so itself is nobody's affair (the echo). */
static void reset_run(struct stage *stage, enum place place)
{
	uint8_t block[BLOCK_SIZE] = { 0 }, written[BLOCK_SIZE] = { 0 };
	struct nexus *nexus = &stage->nexus[place];
	struct command write = cdb_write(16, written), read = cdb_read(16, block);

	stage_drain(stage);
	memset(written, 0xa0 + (int)place, sizeof(written));
	check_begin("passthrough/reset/%s", nexus->name);
	check_want(stage_hook(stage, "real resets") == 0, "the hook failed");
	check_want(nexus_manage(nexus, TMF_LOGICAL_UNIT_RESET, NULL) == TMF_COMPLETE, "the response");
	check_want(stage_hook(stage, "real was-reset") == 0, "the device was not reset");
	for (enum place other = A; other < PLACES; other++) {
		struct command command = cdb_test_unit_ready();

		if (other == place)
			continue;
		nexus_run(&stage->nexus[other], &command);
		check_want(command_is_attention(&command, 0x2903), "%s: %s", stage->nexus[other].name,
			   command_answer(&command));
	}
	nexus_drain(nexus);
	/* Whoever met the echo, data has not been lost with it. */
	for (int i = 0; i < 5 && nexus_run(nexus, &write) == STATUS_BUSY; i++)
		;
	nexus_run(nexus, &read);
	check_want(write.status == STATUS_GOOD && read.status == STATUS_GOOD, "WRITE: %s, READ: %s",
		   command_answer(&write), command_answer(&read));
	check_want(memcmp(block, written, sizeof(block)) == 0, "other data was read than written");
	check_end();
	stage_drain(stage);
}

/* The first command after a reset carries data to the device: it is sent twice, and written once and right. */
static void echoed_write_run(struct stage *stage)
{
	uint8_t block[BLOCK_SIZE] = { 0 }, written[BLOCK_SIZE] = { 0 };
	struct nexus *nexus = &stage->nexus[A];
	struct command attention = cdb_test_unit_ready(), write = cdb_write(24, written), read;

	stage_drain(stage);
	memset(written, 0xee, sizeof(written));
	check_begin("passthrough/reset/echo-to-a-write");
	check_want(nexus_manage(nexus, TMF_LOGICAL_UNIT_RESET, NULL) == TMF_COMPLETE, "the response");
	/* Answered by the kernel half alone: the device still has its echo to tell. */
	nexus_run(nexus, &attention);
	check_want(command_is_attention(&attention, 0x2903), "%s", command_answer(&attention));
	/* BUSY: the kernel half is asking the device for its parameters, which a reset may have changed. */
	for (int i = 0; i < 5 && nexus_run(nexus, &write) == STATUS_BUSY; i++)
		;
	check_want(write.status == STATUS_GOOD, "WRITE: %s", command_answer(&write));
	read = cdb_read(24, block);
	nexus_run(nexus, &read);
	check_want(read.status == STATUS_GOOD && memcmp(block, written, sizeof(block)) == 0, "READ: %s",
		   command_answer(&read));
	check_end();
	stage_drain(stage);
}

/* NACA and LINK are refused before the device sees them (SAM-5 5.2). */
static void control_byte_run(struct stage *stage)
{
	static const uint8_t bits[] = { 0x04, 0x01 };

	for (size_t i = 0; i < sizeof(bits); i++) {
		struct command command = cdb_test_unit_ready();

		command.cdb[5] = bits[i];
		nexus_run(&stage->nexus[A], &command);
		check_begin("passthrough/control-byte/%02x", bits[i]);
		check_want(command_is_error(&command, KEY_ILLEGAL_REQUEST, 0x2400), "%s",
			   command_answer(&command));
		check_end();
	}
}

/* What nobody let pass does not reach the device. */
static void refused_run(struct stage *stage)
{
	static const uint8_t opcodes[] = { 0x83, 0x84, 0xc0, 0xd5, 0xff };

	for (size_t i = 0; i < sizeof(opcodes); i++) {
		struct command command = { .cdb = { opcodes[i] }, .cdb_len = 16 };

		nexus_run(&stage->nexus[A], &command);
		check_begin("passthrough/refused/%02x", opcodes[i]);
		check_want(command_is_error(&command, KEY_ILLEGAL_REQUEST, 0x2000), "%s",
			   command_answer(&command));
		check_end();
	}
}

void passthrough_run(struct stage *stage)
{
	if (!stage->real)
		return;
	stage_drain(stage);
	for (size_t i = 0; i < sizeof(injections) / sizeof(injections[0]); i++) {
		injection_run(stage, &injections[i], A);
		injection_run(stage, &injections[i], C);
		injection_run(stage, &injections[i], L);
	}
	reservation_run(stage);
	reset_run(stage, A);
	reset_run(stage, L);
	echoed_write_run(stage);
	control_byte_run(stage);
	refused_run(stage);
}
