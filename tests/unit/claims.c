// SPDX-License-Identifier: LGPL-2.1-or-later
/* Claims: which lists are refused and why, which entry covers a CDB, and what the kernel is told of them. */
#include <criterion/criterion.h>
#include <glib.h>
#include <string.h>

#include "worker/claims.h"

#define END                              \
	{                                \
		.flags = SCUSE_CLAIM_END \
	}

static void refused(struct scuse_claim claim, const char *because)
{
	const struct scuse_claim list[] = { { .opcode = 0x12, .cdb_len = 6 }, claim, END };
	g_autofree char *error = NULL;

	cr_expect_not(claims_check(list, &error), "taken, in spite of: %s", because);
	cr_expect(error && strstr(error, because), "'%s' does not say '%s'", error, because);
	cr_expect(error && strstr(error, "claim 2"), "'%s' does not say which", error);
}

Test(claims, bad_entries_are_named)
{
	refused((struct scuse_claim){ .opcode = 0x28, .flags = 0x40 }, "operation code 28h");
	refused((struct scuse_claim){ .opcode = 0x28, .flags = 0x40 }, "flag");
	refused((struct scuse_claim){ .opcode = 0x28, .flags = SCUSE_CLAIM_STANDARD }, "other fields are 0");
	refused((struct scuse_claim){ .flags = SCUSE_CLAIM_STANDARD | SCUSE_CLAIM_WRITES }, "no other flag");
	refused((struct scuse_claim){ .opcode = 0x28, .has_service_action = 2 }, "neither 0 nor 1");
	refused((struct scuse_claim){ .opcode = 0xa3, .service_action = 0x0c }, "has_service_action is 0");
	refused((struct scuse_claim){ .opcode = 0xa3, .has_service_action = 1, .service_action = 0x20 },
		"service action 20h");
	refused((struct scuse_claim){ .opcode = 0x28, .cdb_len = 5 }, "at least 6");
	refused((struct scuse_claim){ .opcode = 0x28, .cdb_len = 33 }, "variable length");
	refused((struct scuse_claim){ .opcode = 0x28, .direction = 3 }, "direction");
	refused((struct scuse_claim){ .opcode = 0x28, .usage = { 0x2a } }, "usage data");
	refused((struct scuse_claim){ .opcode = 0x12 }, "claimed before");
}

Test(claims, lists_that_have_no_end)
{
	g_autofree struct scuse_claim *list = g_new0(struct scuse_claim, SCUSE_MAX_COMMANDS + 2);
	const struct scuse_claim empty[] = { END };
	g_autofree char *error = NULL, *other = NULL;

	for (int i = 0; i <= SCUSE_MAX_COMMANDS; i++)
		list[i] = (struct scuse_claim){ .opcode = 0x7f,
						.has_service_action = 1,
						.service_action = (uint16_t)i };
	cr_expect_not(claims_check(list, &error));
	cr_expect(strstr(error, "does not end"), "%s", error);
	cr_expect_not(claims_check(empty, &other));
	cr_expect(strstr(other, "empty"), "%s", other);
}

static const struct scuse_claim mixed[] = {
	{ .flags = SCUSE_CLAIM_STANDARD },
	{ .opcode = 0xa3, .has_service_action = 1, .service_action = 0x0c, .cdb_len = 12, .timeout = 7 },
	{ .opcode = 0xd0,
	  .cdb_len = 12,
	  .direction = 2,
	  .flags = SCUSE_CLAIM_WRITES,
	  .usage = { 0xd0, 0xff } },
	{ .opcode = 0x7f, .has_service_action = 1, .service_action = 0x1234 },
	END
};

Test(claims, an_entry_of_its_own_comes_before_the_standard)
{
	const uint8_t report[16] = { 0xa3, 0x8c }, other[16] = { 0xa3, 0x0a }, vendor[16] = { 0xd0 };
	const uint8_t variable[32] = { 0x7f, 0, 0, 0, 0, 0, 0, 24, 0x12, 0x34 };
	g_autofree char *error = NULL;

	cr_assert(claims_check(mixed, &error), "%s", error);
	cr_expect_eq(claim_find(mixed, report), &mixed[1]);
	cr_expect_eq(claim_find(mixed, other), &mixed[0]);
	cr_expect_eq(claim_find(mixed, vendor), &mixed[2]);
	cr_expect_eq(claim_find(mixed, variable), &mixed[3]);
	cr_expect_null(claim_find(mixed + 1, other));
	cr_expect_null(claim_find(NULL, other));
}

Test(claims, lengths_of_cdbs)
{
	const uint8_t lengths[8] = { 6, 10, 10, 16, 16, 12, 16, 16 };
	const uint8_t variable[32] = { 0x7f, 0, 0, 0, 0, 0, 0, 252 }, vendor[16] = { 0xd0 };

	for (int group = 0; group < 8; group++) {
		const uint8_t cdb[16] = { (uint8_t)(group << 5) };

		cr_expect_eq(claim_cdb_length(&mixed[0], cdb), lengths[group], "group %d", group);
	}
	cr_expect_eq(claim_cdb_length(&mixed[0], variable), 260);
	cr_expect_eq(claim_cdb_length(&mixed[2], vendor), 12);
}

Test(claims, as_the_kernel_wants_them)
{
	g_autofree struct scuse_command *commands = claims_to_commands(mixed);

	cr_assert_eq(claims_count(mixed), 4);
	cr_expect(commands[0].flags == SCUSE_COMMAND_STANDARD && commands[0].opcode == 0);
	cr_expect(commands[1].opcode == 0xa3 && commands[1].has_action == 1 && commands[1].action == 0x0c &&
		  commands[1].cdb_length == 12 && commands[1].timeout == 7 && commands[1].flags == 0);
	cr_expect(commands[2].direction == SCUSE_DIRECTION_IN && commands[2].flags == SCUSE_COMMAND_WRITES &&
		  commands[2].usage[1] == 0xff);
}
