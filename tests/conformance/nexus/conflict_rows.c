// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * One row for each command that a logical unit may support; conflicts.c takes those that REPORT SUPPORTED
 * OPERATION CODES lists, and a command without a row is a failure.  Several rows for one command differ in a
 * field that the standards make the difference (START, PREVENT).
 *
 * Where SPC-4 says nothing of a command, SBC-3 does; where neither lists it under SPC-2 reservations, it is a
 * conflict (SPC-2, reservations).
 */
#include "conflicts.h"

#include <stddef.h>

#include "cdb.h"

#define ROW_(name_, opcode_, action_, access_, spc2_, len_, in_, out_, ...)                      \
	.name = name_, .opcode = opcode_, .service_action = action_, .access = ACCESS_##access_, \
	.allowed_by_reserve = spc2_, .cdb_len = len_, .in = in_, .out = out_, .cdb = __VA_ARGS__
#define ROW(name_, opcode_, access_, spc2_, len_, in_, out_, ...)                                     \
	{                                                                                             \
		ROW_(name_, opcode_, NO_SERVICE_ACTION, access_, spc2_, len_, in_, out_, __VA_ARGS__) \
	}
#define ROW_SA(name_, opcode_, action_, access_, spc2_, len_, in_, out_, ...)               \
	{                                                                                   \
		ROW_(name_, opcode_, action_, access_, spc2_, len_, in_, out_, __VA_ARGS__) \
	}
#define ROW_LIST(name_, opcode_, action_, access_, len_, out_, list_, ...)                 \
	{                                                                                  \
		ROW_(name_, opcode_, action_, access_, false, len_, 0, out_, __VA_ARGS__), \
			.parameters = list_, .parameters_len = sizeof(list_)               \
	}
#define ROW_ONCE(name_, opcode_, action_, access_, len_, out_, list_, ...)                 \
	{                                                                                  \
		ROW_(name_, opcode_, action_, access_, false, len_, 0, out_, __VA_ARGS__), \
			.parameters = list_, .parameters_len = sizeof(list_), .once = true \
	}
#define ALLOWED	 true
#define CONFLICT false
#define B1	 BLOCK_SIZE

static const uint8_t none[] = { 0 };
/* One descriptor: 1 block from LBA 0. */
static const uint8_t unmap_list[] = {
	0, 22, 0, 16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0
};
/* Control page, all bits as the LUN begins with: sent by those only that are refused, or may. */
static const uint8_t overwrite_list[] = { 0x01, 0, 0, 4, 0xa5, 0xa5, 0xa5, 0xa5 };
static const uint8_t caching_list_6[] = { 0, 0, 0, 0, 0x08, 0x12, 0x04 };
static const uint8_t caching_list_10[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0x08, 0x12, 0x04 };
static const uint8_t timestamp_list[] = { 0, 0, 0, 0, 0x01, 0x8b, 0xcf, 0xe5, 0x68, 0 };

/* clang-format off */
const struct conflict_row conflict_rows[] = {
	ROW("TEST UNIT READY", 0x00, ALWAYS, CONFLICT, 6, 0, 0, { 0 }),
	ROW("REQUEST SENSE", 0x03, ALWAYS, ALLOWED, 6, 18, 0, { 0x03, 0, 0, 0, 18 }),
	ROW_ONCE("FORMAT UNIT", 0x04, NO_SERVICE_ACTION, WRITING, 6, 0, none, { 0x04 }),
	ROW("READ (6)", 0x08, READING, CONFLICT, 6, B1, 0, { 0x08, 0, 0, 0, 1 }),
	ROW("WRITE (6)", 0x0a, WRITING, CONFLICT, 6, 0, B1, { 0x0a, 0, 0, 0, 1 }),
	ROW("INQUIRY", 0x12, ALWAYS, ALLOWED, 6, 96, 0, { 0x12, 0, 0, 0, 96 }),
	ROW_LIST("MODE SELECT (6)", 0x15, NO_SERVICE_ACTION, WRITING, 6, 24, caching_list_6, { 0x15, 0x10, 0, 0, 24 }),
	ROW("RESERVE (6)", 0x16, RESERVE, CONFLICT, 6, 0, 0, { 0x16 }),
	ROW("RELEASE (6)", 0x17, RESERVE, ALLOWED, 6, 0, 0, { 0x17 }),
	ROW("MODE SENSE (6)", 0x1a, READING, CONFLICT, 6, 192, 0, { 0x1a, 0, 0x3f, 0, 192 }),
	ROW("START STOP UNIT, START=0", 0x1b, WRITING, CONFLICT, 6, 0, 0, { 0x1b, 0, 0, 0, 0 }),
	ROW("START STOP UNIT, START=1", 0x1b, ALWAYS, ALLOWED, 6, 0, 0, { 0x1b, 0, 0, 0, 1 }),
	ROW("SEND DIAGNOSTIC", 0x1d, WRITING, CONFLICT, 6, 0, 0, { 0x1d, 0x04 }),
	ROW("RECEIVE DIAGNOSTIC RESULTS", 0x1c, READING, CONFLICT, 6, 64, 0, { 0x1c, 0x01, 0, 0, 64 }),
	ROW("PREVENT ALLOW MEDIUM REMOVAL, PREVENT=1", 0x1e, WRITING, CONFLICT, 6, 0, 0, { 0x1e, 0, 0, 0, 1 }),
	ROW("PREVENT ALLOW MEDIUM REMOVAL, PREVENT=0", 0x1e, ALWAYS, ALLOWED, 6, 0, 0, { 0x1e }),
	ROW("READ CAPACITY (10)", 0x25, ALWAYS, ALLOWED, 10, 8, 0, { 0x25 }),
	ROW("READ (10)", 0x28, READING, CONFLICT, 10, B1, 0, { 0x28, [8] = 1 }),
	ROW("WRITE (10)", 0x2a, WRITING, CONFLICT, 10, 0, B1, { 0x2a, [8] = 1 }),
	ROW("WRITE AND VERIFY (10)", 0x2e, WRITING, CONFLICT, 10, 0, B1, { 0x2e, [8] = 1 }),
	ROW("VERIFY (10), BYTCHK=0", 0x2f, READING, CONFLICT, 10, 0, 0, { 0x2f, [8] = 1 }),
	ROW("VERIFY (10), BYTCHK=1", 0x2f, READING, CONFLICT, 10, 0, B1, { 0x2f, 0x02, [8] = 1 }),
	ROW("PRE-FETCH (10)", 0x34, READING, CONFLICT, 10, 0, 0, { 0x34, [8] = 1 }),
	ROW("SYNCHRONIZE CACHE (10)", 0x35, WRITING, CONFLICT, 10, 0, 0, { 0x35, [8] = 1 }),
	ROW("READ DEFECT DATA (10)", 0x37, READING, CONFLICT, 10, 8, 0, { 0x37, 0, 0x18, [8] = 8 }),
	ROW("WRITE BUFFER", 0x3b, WRITING, CONFLICT, 10, 0, 4, { 0x3b, 0x0a, [8] = 4 }),
	ROW("READ BUFFER", 0x3c, READING, CONFLICT, 10, 4, 0, { 0x3c, 0x03, [8] = 4 }),
	ROW("WRITE SAME (10)", 0x41, WRITING, CONFLICT, 10, 0, B1, { 0x41, [8] = 1 }),
	ROW_LIST("UNMAP", 0x42, NO_SERVICE_ACTION, WRITING, 10, 24, unmap_list, { 0x42, [8] = 24 }),
	ROW_ONCE("SANITIZE, overwrite", 0x48, 0x01, WRITING, 10, 8, overwrite_list, { 0x48, 0x01, [8] = 8 }),
	ROW_ONCE("SANITIZE, block erase", 0x48, 0x02, WRITING, 10, 0, none, { 0x48, 0x02 }),
	ROW_ONCE("SANITIZE, cryptographic erase", 0x48, 0x03, WRITING, 10, 0, none, { 0x48, 0x03 }),
	ROW_ONCE("SANITIZE, exit failure mode", 0x48, 0x1f, WRITING, 10, 0, none, { 0x48, 0x1f }),
	ROW("LOG SELECT", 0x4c, WRITING, CONFLICT, 10, 0, 0, { 0x4c, 0x02, 0x40 }),
	ROW("LOG SENSE", 0x4d, ALWAYS, ALLOWED, 10, 64, 0, { 0x4d, 0, 0x40, [8] = 64 }),
	ROW_LIST("MODE SELECT (10)", 0x55, NO_SERVICE_ACTION, WRITING, 10, 28, caching_list_10,
		 { 0x55, 0x10, [8] = 28 }),
	ROW("RESERVE (10)", 0x56, RESERVE, CONFLICT, 10, 0, 0, { 0x56 }),
	ROW("RELEASE (10)", 0x57, RESERVE, ALLOWED, 10, 0, 0, { 0x57 }),
	ROW("MODE SENSE (10)", 0x5a, READING, CONFLICT, 10, 255, 0, { 0x5a, 0, 0x3f, [8] = 255 }),
	ROW_SA("PERSISTENT RESERVE IN, READ KEYS", 0x5e, 0, ALWAYS, CONFLICT, 10, 64, 0, { 0x5e, 0, [8] = 64 }),
	ROW_SA("PERSISTENT RESERVE IN, READ RESERVATION", 0x5e, 1, ALWAYS, CONFLICT, 10, 64, 0,
	       { 0x5e, 1, [8] = 64 }),
	ROW_SA("PERSISTENT RESERVE IN, REPORT CAPABILITIES", 0x5e, 2, ALWAYS, CONFLICT, 10, 64, 0,
	       { 0x5e, 2, [8] = 64 }),
	ROW_SA("PERSISTENT RESERVE IN, READ FULL STATUS", 0x5e, 3, ALWAYS, CONFLICT, 10, 64, 0,
	       { 0x5e, 3, [8] = 64 }),
	ROW_SA("PERSISTENT RESERVE OUT, REGISTER", 0x5f, 0, PR_OUT, CONFLICT, 10, 0, 24, { 0x5f, 0, [8] = 24 }),
	ROW_SA("PERSISTENT RESERVE OUT, RESERVE", 0x5f, 1, PR_OUT, CONFLICT, 10, 0, 24, { 0x5f, 1, [8] = 24 }),
	ROW_SA("PERSISTENT RESERVE OUT, RELEASE", 0x5f, 2, PR_OUT, CONFLICT, 10, 0, 24, { 0x5f, 2, [8] = 24 }),
	ROW_SA("PERSISTENT RESERVE OUT, CLEAR", 0x5f, 3, PR_OUT, CONFLICT, 10, 0, 24, { 0x5f, 3, [8] = 24 }),
	ROW_SA("PERSISTENT RESERVE OUT, PREEMPT", 0x5f, 4, PR_OUT, CONFLICT, 10, 0, 24, { 0x5f, 4, [8] = 24 }),
	ROW_SA("PERSISTENT RESERVE OUT, PREEMPT AND ABORT", 0x5f, 5, PR_OUT, CONFLICT, 10, 0, 24,
	       { 0x5f, 5, [8] = 24 }),
	ROW_SA("PERSISTENT RESERVE OUT, REGISTER AND IGNORE EXISTING KEY", 0x5f, 6, PR_OUT, CONFLICT, 10, 0, 24,
	       { 0x5f, 6, [8] = 24 }),
	ROW_SA("PERSISTENT RESERVE OUT, REGISTER AND MOVE", 0x5f, 7, PR_OUT, CONFLICT, 10, 0, 24,
	       { 0x5f, 7, [8] = 24 }),
	ROW_SA("READ (32)", 0x7f, 0x0009, READING, CONFLICT, 32, B1, 0,
	       { 0x7f, [7] = 0x18, [9] = 0x09, [31] = 1 }),
	ROW_SA("VERIFY (32)", 0x7f, 0x000a, READING, CONFLICT, 32, 0, 0,
	       { 0x7f, [7] = 0x18, [9] = 0x0a, [31] = 1 }),
	ROW_SA("WRITE (32)", 0x7f, 0x000b, WRITING, CONFLICT, 32, 0, B1,
	       { 0x7f, [7] = 0x18, [9] = 0x0b, [31] = 1 }),
	ROW_SA("WRITE AND VERIFY (32)", 0x7f, 0x000c, WRITING, CONFLICT, 32, 0, B1,
	       { 0x7f, [7] = 0x18, [9] = 0x0c, [31] = 1 }),
	ROW_SA("WRITE SAME (32)", 0x7f, 0x000d, WRITING, CONFLICT, 32, 0, B1,
	       { 0x7f, [7] = 0x18, [9] = 0x0d, [31] = 1 }),
	ROW_SA("WRITE SAME (32), NDOB=1", 0x7f, 0x000d, WRITING, CONFLICT, 32, 0, 0,
	       { 0x7f, [7] = 0x18, [9] = 0x0d, [10] = 0x01, [31] = 1 }),
	ROW_SA("EXTENDED COPY (LID1)", 0x83, 0x00, WRITING, CONFLICT, 16, 0, 16, { 0x83, [13] = 16 }),
	ROW_SA("EXTENDED COPY (LID4)", 0x83, 0x01, WRITING, CONFLICT, 16, 0, 48, { 0x83, 0x01, [13] = 48 }),
	ROW_SA("RECEIVE COPY STATUS (LID1)", 0x84, 0x00, READING, CONFLICT, 16, 64, 0, { 0x84, 0x00, [13] = 64 }),
	ROW_SA("RECEIVE COPY DATA (LID1)", 0x84, 0x01, READING, CONFLICT, 16, 64, 0, { 0x84, 0x01, [13] = 64 }),
	ROW_SA("RECEIVE COPY OPERATING PARAMETERS", 0x84, 0x03, READING, CONFLICT, 16, 64, 0,
	       { 0x84, 0x03, [13] = 64 }),
	ROW_SA("RECEIVE COPY FAILURE DETAILS (LID1)", 0x84, 0x04, READING, CONFLICT, 16, 64, 0,
	       { 0x84, 0x04, [13] = 64 }),
	ROW("READ (16)", 0x88, READING, CONFLICT, 16, B1, 0, { 0x88, [13] = 1 }),
	ROW("COMPARE AND WRITE", 0x89, WRITING, CONFLICT, 16, 0, 2 * B1, { 0x89, [13] = 1 }),
	ROW("WRITE (16)", 0x8a, WRITING, CONFLICT, 16, 0, B1, { 0x8a, [13] = 1 }),
	ROW("ORWRITE (16)", 0x8b, WRITING, CONFLICT, 16, 0, B1, { 0x8b, [13] = 1 }),
	ROW("WRITE AND VERIFY (16)", 0x8e, WRITING, CONFLICT, 16, 0, B1, { 0x8e, [13] = 1 }),
	ROW("VERIFY (16), BYTCHK=0", 0x8f, READING, CONFLICT, 16, 0, 0, { 0x8f, [13] = 1 }),
	ROW("VERIFY (16), BYTCHK=1", 0x8f, READING, CONFLICT, 16, 0, B1, { 0x8f, 0x02, [13] = 1 }),
	ROW("PRE-FETCH (16)", 0x90, READING, CONFLICT, 16, 0, 0, { 0x90, [13] = 1 }),
	ROW("SYNCHRONIZE CACHE (16)", 0x91, WRITING, CONFLICT, 16, 0, 0, { 0x91, [13] = 1 }),
	ROW("WRITE SAME (16)", 0x93, WRITING, CONFLICT, 16, 0, B1, { 0x93, [13] = 1 }),
	ROW("WRITE SAME (16), NDOB=1", 0x93, WRITING, CONFLICT, 16, 0, 0, { 0x93, 0x01, [13] = 1 }),
	ROW("WRITE ATOMIC (16)", 0x9c, WRITING, CONFLICT, 16, 0, B1, { 0x9c, [13] = 1 }),
	ROW_SA("READ CAPACITY (16)", 0x9e, 0x10, ALWAYS, ALLOWED, 16, 32, 0, { 0x9e, 0x10, [13] = 32 }),
	ROW_SA("GET LBA STATUS", 0x9e, 0x12, READING, CONFLICT, 16, 64, 0, { 0x9e, 0x12, [13] = 64 }),
	ROW_SA("REPORT REFERRALS", 0x9e, 0x13, ALWAYS, CONFLICT, 16, 64, 0, { 0x9e, 0x13, [13] = 64 }),
	ROW("REPORT LUNS", 0xa0, ALWAYS, ALLOWED, 12, 64, 0, { 0xa0, [9] = 64 }),
	ROW_SA("REPORT IDENTIFYING INFORMATION", 0xa3, 0x05, ALWAYS, ALLOWED, 12, 64, 0, { 0xa3, 0x05, [9] = 64 }),
	ROW_SA("REPORT TARGET PORT GROUPS", 0xa3, 0x0a, ALWAYS, CONFLICT, 12, 64, 0, { 0xa3, 0x0a, [9] = 64 }),
	ROW_SA("REPORT SUPPORTED OPERATION CODES", 0xa3, 0x0c, READING, CONFLICT, 12, 255, 0,
	       { 0xa3, 0x0c, [9] = 255 }),
	ROW_SA("REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS", 0xa3, 0x0d, READING, CONFLICT, 12, 16, 0,
	       { 0xa3, 0x0d, [9] = 16 }),
	ROW_SA("REPORT TIMESTAMP", 0xa3, 0x0f, ALWAYS, CONFLICT, 12, 12, 0, { 0xa3, 0x0f, [9] = 12 }),
	ROW_SA("SET TARGET PORT GROUPS", 0xa4, 0x0a, WRITING, CONFLICT, 12, 0, 8, { 0xa4, 0x0a, [9] = 8 }),
	{ ROW_("SET TIMESTAMP", 0xa4, 0x0f, WRITING, CONFLICT, 12, 0, 12, { 0xa4, 0x0f, [9] = 12 }),
	  .parameters = timestamp_list, .parameters_len = sizeof(timestamp_list) },
	ROW("READ (12)", 0xa8, READING, CONFLICT, 12, B1, 0, { 0xa8, [9] = 1 }),
	ROW("WRITE (12)", 0xaa, WRITING, CONFLICT, 12, 0, B1, { 0xaa, [9] = 1 }),
	ROW("WRITE AND VERIFY (12)", 0xae, WRITING, CONFLICT, 12, 0, B1, { 0xae, [9] = 1 }),
	ROW("VERIFY (12), BYTCHK=0", 0xaf, READING, CONFLICT, 12, 0, 0, { 0xaf, [9] = 1 }),
	ROW("VERIFY (12), BYTCHK=1", 0xaf, READING, CONFLICT, 12, 0, B1, { 0xaf, 0x02, [9] = 1 }),
	ROW("READ DEFECT DATA (12)", 0xb7, READING, CONFLICT, 12, 8, 0, { 0xb7, 0x18, [9] = 8 }),
};
/* clang-format on */
const size_t conflict_rows_count = sizeof(conflict_rows) / sizeof(conflict_rows[0]);
