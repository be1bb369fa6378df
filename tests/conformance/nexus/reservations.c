// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * RESERVE and RELEASE of SPC-2 (5.5.1, 7.21 to 7.24): who is refused, what ends a reservation.  What each
 * opcode may do meanwhile is in conflicts.c.
 */
#include <stdio.h>
#include <time.h>

#include "cases.h"
#include "cdb.h"
#include "persistent.h"
#include "report.h"

static const struct {
	const char *name;
	uint8_t reserve, release;
} variants[] = {
	{ "6", OP_RESERVE_6, OP_RELEASE_6 },
	{ "10", OP_RESERVE_10, OP_RELEASE_10 },
};

static void want_status(struct nexus *nexus, struct command command, int status, const char *when)
{
	nexus_run(nexus, &command);
	check_want(command.status == status, "%s: %s: opcode %02xh: wanted status %d: %s", nexus->name, when,
		   command.cdb[0], status, command_answer(&command));
}

static void want_ready(struct stage *stage, const char *when)
{
	for (enum place place = A; place < PLACES; place++)
		want_status(&stage->nexus[place], cdb_test_unit_ready(), STATUS_GOOD, when);
}

static void want_refused(struct stage *stage, enum place holder, uint8_t reserve)
{
	uint8_t block[BLOCK_SIZE] = { 0 };

	for (enum place place = A; place < PLACES; place++) {
		struct nexus *nexus = &stage->nexus[place];

		if (place == holder)
			continue;
		want_status(nexus, cdb_test_unit_ready(), STATUS_RESERVATION_CONFLICT, "another reserved");
		want_status(nexus, cdb_read(0, block), STATUS_RESERVATION_CONFLICT, "another reserved");
		want_status(nexus, cdb_write(0, block), STATUS_RESERVATION_CONFLICT, "another reserved");
		want_status(nexus, cdb_reserve(reserve), STATUS_RESERVATION_CONFLICT, "another reserved");
		want_status(nexus, cdb_inquiry(block, 96), STATUS_GOOD, "another reserved");
	}
}

static void basic_run(struct stage *stage, size_t variant, enum place holder)
{
	uint8_t reserve = variants[variant].reserve, release = variants[variant].release;
	struct nexus *nexus = &stage->nexus[holder];
	uint8_t block[BLOCK_SIZE] = { 0 };

	check_begin("reservations/%s/%s", variants[variant].name, nexus->name);
	want_status(nexus, cdb_reserve(reserve), STATUS_GOOD, "first");
	want_status(nexus, cdb_reserve(reserve), STATUS_GOOD, "a second time");
	want_status(nexus, cdb_write(0, block), STATUS_GOOD, "the holder");
	want_refused(stage, holder, reserve);
	/* Others may release, which does nothing. */
	for (enum place place = A; place < PLACES; place++)
		if (place != holder)
			want_status(&stage->nexus[place], cdb_reserve(release), STATUS_GOOD,
				    "not the holder");
	want_refused(stage, holder, reserve);
	want_status(nexus, cdb_reserve(release), STATUS_GOOD, "the holder");
	want_ready(stage, "released");
	check_end();
}

/* A reservation of one length of CDB is the same as of the other. */
static void mixed_run(struct stage *stage)
{
	struct nexus *nexus = &stage->nexus[A];

	check_begin("reservations/reserve-6-release-10");
	want_status(nexus, cdb_reserve(OP_RESERVE_6), STATUS_GOOD, "first");
	want_status(nexus, cdb_reserve(OP_RELEASE_10), STATUS_GOOD, "the holder");
	want_ready(stage, "released");
	check_end();
}

static void reset_run(struct stage *stage, enum place by)
{
	struct nexus *holder = &stage->nexus[A];

	check_begin("reservations/reset-by-%s-ends-it", stage->nexus[by].name);
	want_status(holder, cdb_reserve(OP_RESERVE_6), STATUS_GOOD, "first");
	check_want(nexus_manage(&stage->nexus[by], TMF_LOGICAL_UNIT_RESET, NULL) == TMF_COMPLETE, "reset");
	stage_drain(stage);
	want_ready(stage, "after the reset");
	check_end();
	nexus_run(holder, &(struct command){ .cdb = { OP_RELEASE_6 }, .cdb_len = 6 });
}

#define NEXUS_END_LIMIT \
	40 /* times 500 ms: a target may keep a session for a while whose connection is gone */

/* The end of the I_T nexus ends it: at once after a logout, soon after the connection was lost. */
static void lost_run(struct stage *stage, bool orderly)
{
	const struct timespec pause = { .tv_nsec = 500000000 };
	struct nexus *holder = &stage->nexus[C], *other = &stage->nexus[B];
	struct command command;
	int tries = 0;

	check_begin("reservations/%s-ends-it", orderly ? "logout" : "connection-loss");
	want_status(holder, cdb_reserve(OP_RESERVE_6), STATUS_GOOD, "first");
	want_status(other, cdb_test_unit_ready(), STATUS_RESERVATION_CONFLICT, "another reserved");
	if (orderly)
		nexus_close(holder);
	else
		nexus_drop(holder);
	do {
		nanosleep(&pause, NULL);
		command = cdb_test_unit_ready();
		nexus_run(other, &command);
	} while (command.status == STATUS_RESERVATION_CONFLICT && ++tries < NEXUS_END_LIMIT);
	check_want(command.status == STATUS_GOOD, "%s after %d tries: %s", other->name, tries,
		   command_answer(&command));
	check_want(nexus_open(holder) == 0, "login");
	stage_drain(stage);
	check_end();
}

/*
 * While a nexus is registered, RESERVE and RELEASE are refused, or do nothing for who may go on (SPC-4,
 * exceptions to SPC-2 RESERVE and RELEASE behavior).
 */
static void registered_run(struct stage *stage)
{
	struct nexus *registrant = &stage->nexus[A], *other = &stage->nexus[B];

	check_begin("reservations/while-registered");
	check_want(pr_register(registrant, PR_KEY(A)) == STATUS_GOOD, "REGISTER: %s",
		   command_answer(&pr_last));
	want_status(other, cdb_reserve(OP_RESERVE_6), STATUS_RESERVATION_CONFLICT, "another is registered");
	want_status(registrant, cdb_reserve(OP_RESERVE_6), STATUS_RESERVATION_CONFLICT,
		    "registered, not holding");
	pr_reserve(registrant, PR_WRITE_EXCLUSIVE_REGISTRANTS, PR_KEY(A));
	want_status(registrant, cdb_reserve(OP_RESERVE_6), STATUS_GOOD, "holds a persistent reservation");
	want_status(registrant, cdb_reserve(OP_RELEASE_6), STATUS_GOOD, "holds a persistent reservation");
	check_want(pr_reservation(registrant, NULL) == PR_WRITE_EXCLUSIVE_REGISTRANTS,
		   "the reservation is gone");
	want_status(other, cdb_reserve(OP_RESERVE_10), STATUS_RESERVATION_CONFLICT, "another holds");
	pr_clear_all(stage);
	want_ready(stage, "cleared");
	check_end();
}

/* SPC-2, reservations: and the other way round. */
static void reserved_run(struct stage *stage)
{
	struct nexus *holder = &stage->nexus[A], *other = &stage->nexus[B];

	check_begin("reservations/no-persistent-ones-meanwhile");
	want_status(holder, cdb_reserve(OP_RESERVE_6), STATUS_GOOD, "first");
	check_want(pr_register(other, PR_KEY(B)) == STATUS_RESERVATION_CONFLICT, "REGISTER by another: %s",
		   command_answer(&pr_last));
	want_status(holder, cdb_reserve(OP_RELEASE_6), STATUS_GOOD, "the holder");
	check_end();
	pr_clear_all(stage);
}

void reservations_run(struct stage *stage)
{
	for (size_t variant = 0; variant < sizeof(variants) / sizeof(variants[0]); variant++) {
		stage_drain(stage);
		for (enum place holder = A; holder < PLACES; holder++)
			basic_run(stage, variant, holder);
	}
	mixed_run(stage);
	reset_run(stage, A);
	reset_run(stage, B);
	reset_run(stage, L);
	lost_run(stage, true);
	lost_run(stage, false);
	registered_run(stage);
	reserved_run(stage);
}
