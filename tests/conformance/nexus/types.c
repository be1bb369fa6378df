// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What holds for a device of any type that several nexuses share: each sees the same device, whatever happens
 * to it is told to each of them once, and reservations hold.  No command here is of one type's standard.
 */
#include <stdio.h>

#include "cases.h"
#include "cdb.h"
#include "report.h"

static struct command run(struct nexus *nexus, struct command command)
{
	nexus_run(nexus, &command);
	return command;
}

static void same_device_run(struct stage *stage)
{
	uint8_t first[36] = { 0 }, data[36];
	struct command inquiry = run(&stage->nexus[A], cdb_inquiry(first, sizeof(first)));

	check_begin("types/same-device");
	check_want(inquiry.status == STATUS_GOOD && inquiry.in_len == sizeof(first), "%s",
		   command_answer(&inquiry));
	for (enum place place = B; place < PLACES; place++) {
		inquiry = run(&stage->nexus[place], cdb_inquiry(data, sizeof(data)));
		check_want(inquiry.status == STATUS_GOOD && data[0] == first[0],
			   "%s: type %02xh, A has %02xh: %s", stage->nexus[place].name, data[0], first[0],
			   command_answer(&inquiry));
	}
	report_note("peripheral device type %02xh", first[0]);
	check_end();
}

static bool is_told(const struct command *command, asc_t asc)
{
	if (asc)
		return command_is_attention(command, asc);
	return command->status == STATUS_CHECK_CONDITION && command->sense.key == KEY_UNIT_ATTENTION;
}

/* Each nexus is told; @asc 0: of whatever it was.  Then nobody is told again. */
static void want_all_told(struct stage *stage, asc_t asc)
{
	struct command command;

	for (enum place place = A; place < PLACES; place++) {
		command = run(&stage->nexus[place], cdb_test_unit_ready());
		check_want(is_told(&command, asc), "%s: wanted 6/%02x/%02x: %s", stage->nexus[place].name,
			   asc >> 8, asc & 0xff, command_answer(&command));
	}
	/* A device that was reset may have more to tell; that each is told of the first is what counts here. */
	stage_drain(stage);
	for (enum place place = A; place < PLACES; place++) {
		command = run(&stage->nexus[place], cdb_test_unit_ready());
		check_want(command.sense.key != KEY_UNIT_ATTENTION ||
				   command.status != STATUS_CHECK_CONDITION,
			   "%s: told without end: %s", stage->nexus[place].name, command_answer(&command));
	}
}

static void reset_run(struct stage *stage, enum place place)
{
	check_begin("types/reset/%s", stage->nexus[place].name);
	stage_drain(stage);
	check_want(nexus_manage(&stage->nexus[place], TMF_LOGICAL_UNIT_RESET, NULL) == TMF_COMPLETE,
		   "the response");
	want_all_told(stage, 0x2903);
	check_end();
}

static void happening_run(struct stage *stage)
{
	check_begin("types/what-happens-to-the-device");
	stage_drain(stage);
	if (check_want(stage_hook(stage, "real happen") == 0, "the hook failed"))
		want_all_told(stage, 0);
	check_end();
}

static void reservation_run(struct stage *stage)
{
	struct command reserve, release, tried;

	check_begin("types/reservation");
	stage_drain(stage);
	reserve = run(&stage->nexus[A], cdb_reserve(OP_RESERVE_6));
	check_want(reserve.status == STATUS_GOOD, "RESERVE: %s", command_answer(&reserve));
	for (enum place place = B; place < PLACES; place++) {
		tried = run(&stage->nexus[place], cdb_test_unit_ready());
		check_want(tried.status == STATUS_RESERVATION_CONFLICT, "%s: %s", stage->nexus[place].name,
			   command_answer(&tried));
	}
	release = run(&stage->nexus[A], cdb_reserve(OP_RELEASE_6));
	check_want(release.status == STATUS_GOOD, "RELEASE: %s", command_answer(&release));
	tried = run(&stage->nexus[B], cdb_test_unit_ready());
	check_want(tried.status != STATUS_RESERVATION_CONFLICT, "B, when it is released: %s",
		   command_answer(&tried));
	check_end();
}

void types_run(struct stage *stage)
{
	if (!stage->real)
		return;
	stage_drain(stage);
	same_device_run(stage);
	reset_run(stage, A);
	reset_run(stage, C);
	reset_run(stage, L);
	happening_run(stage);
	reservation_run(stage);
}
