// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Unit attentions (SAM-5 5.14): who is told of an event, what, in which format, how often, and what neither
 * reports nor clears.  The table is in events.c.
 */
#include <stdio.h>
#include <string.h>

#include "cases.h"
#include "cdb.h"
#include "events.h"
#include "report.h"
#include "supported.h"

#define CONTROL_PAGE 0x0a
#define D_SENSE	     0x04 /* byte 2 */
#define UA_INTLCK    0x30 /* byte 4 */

static const struct rotation rotations[] = {
	{ "by-first", { A, B, C, L } },
	{ "by-second", { C, A, B, L } },
	{ "by-local", { L, A, C, B } },
};
static const char *const role_names[ROLES] = { "causer", "same-port", "other-portal", "local" };

/* INQUIRY and REPORT LUNS neither report nor clear (SAM-5 5.14.1). */
static void want_undisturbed(struct nexus *nexus)
{
	uint8_t data[96];
	struct command inquiry = cdb_inquiry(data, sizeof(data)), luns = cdb_report_luns(data, sizeof(data));

	check_want(nexus_run(nexus, &inquiry) == STATUS_GOOD, "INQUIRY: %s", command_answer(&inquiry));
	check_want(nexus_run(nexus, &luns) == STATUS_GOOD, "REPORT LUNS: %s", command_answer(&luns));
}

static struct command test_unit_ready(struct nexus *nexus)
{
	struct command command = cdb_test_unit_ready();

	nexus_run(nexus, &command);
	return command;
}

static void want_ready(struct nexus *nexus, const char *when)
{
	struct command command = test_unit_ready(nexus);

	check_want(command.status == STATUS_GOOD, "%s: %s: wanted GOOD, TEST UNIT READY: %s", nexus->name,
		   when, command_answer(&command));
}

static void want_attention(struct nexus *nexus, asc_t asc, const char *when)
{
	struct command command = test_unit_ready(nexus);

	check_want(command_is_attention(&command, asc), "%s: %s: wanted 6/%02x/%02x, TEST UNIT READY: %s",
		   nexus->name, when, asc >> 8, asc & 0xff, command_answer(&command));
}

static void want_told_once(struct nexus *nexus, asc_t asc)
{
	want_undisturbed(nexus);
	if (asc)
		want_attention(nexus, asc, "the first command after the event");
	want_ready(nexus, asc ? "the second command" : "nothing to be told");
}

static void want_nothing_sensed(struct nexus *nexus, const char *when)
{
	uint8_t data[96] = { 0 };
	struct command command = cdb_request_sense(false, data, sizeof(data));
	struct sense sense;

	nexus_run(nexus, &command);
	sense_parse(&sense, data, command.in_len);
	check_want(command.status == STATUS_GOOD && sense.present && sense.key == KEY_NO_SENSE &&
			   sense.asc == 0,
		   "%s: %s: wanted NO SENSE, REQUEST SENSE: %s with %x/%02x/%02x", nexus->name, when,
		   command_answer(&command), sense.key, sense.asc >> 8, sense.asc & 0xff);
}

/* REQUEST SENSE returns it as data, and clears it (SPC-4 6.39). */
static void want_sensed_once(struct nexus *nexus, asc_t asc, bool descriptor)
{
	uint8_t data[96] = { 0 };
	struct command command = cdb_request_sense(descriptor, data, sizeof(data));
	struct sense sense;

	want_undisturbed(nexus);
	if (asc) {
		nexus_run(nexus, &command);
		sense_parse(&sense, data, command.in_len);
		check_want(command.status == STATUS_GOOD && sense.present &&
				   sense.key == KEY_UNIT_ATTENTION && sense.asc == asc,
			   "%s: wanted 6/%02x/%02x, REQUEST SENSE: %s with %x/%02x/%02x", nexus->name,
			   asc >> 8, asc & 0xff, command_answer(&command), sense.key, sense.asc >> 8,
			   sense.asc & 0xff);
		check_want(sense.descriptor == descriptor, "%s: REQUEST SENSE with DESC=%d: %s format",
			   nexus->name, descriptor, sense.descriptor ? "descriptor" : "fixed");
	}
	want_nothing_sensed(nexus, asc ? "the second time" : "nothing to be told");
	want_ready(nexus, "after REQUEST SENSE");
}

/* These two come in fixed format whatever D_SENSE says: an initiator that has just begun cannot know it. */
static bool is_always_fixed(asc_t asc)
{
	return asc >> 8 == 0x29 || asc == 0x2a01;
}

static void want_format(struct nexus *nexus, asc_t asc)
{
	struct command command = test_unit_ready(nexus);

	if (!asc) {
		check_want(command.status == STATUS_GOOD, "%s: %s", nexus->name, command_answer(&command));
		return;
	}
	check_want(command_is_attention(&command, asc), "%s: wanted 6/%02x/%02x: %s", nexus->name, asc >> 8,
		   asc & 0xff, command_answer(&command));
	check_want(command.sense.descriptor == !is_always_fixed(asc), "%s: with D_SENSE=1: %s", nexus->name,
		   command_answer(&command));
}

enum manner { BY_TEST_UNIT_READY, BY_REQUEST_SENSE, BY_REQUEST_SENSE_DESC, BY_FORMAT };

static void want_role(struct nexus *nexus, asc_t asc, enum manner manner)
{
	switch (manner) {
	case BY_TEST_UNIT_READY:
		want_told_once(nexus, asc);
		break;
	case BY_REQUEST_SENSE:
		want_sensed_once(nexus, asc, false);
		break;
	case BY_REQUEST_SENSE_DESC:
		want_sensed_once(nexus, asc, true);
		break;
	case BY_FORMAT:
		want_format(nexus, asc);
		break;
	}
}

static void event_run(struct stage *stage, const struct event *event, const struct rotation *rotation,
		      enum manner manner, const char *manner_name)
{
	const char *failed;

	stage_drain(stage);
	failed = event->prepare ? event->prepare(stage, rotation) : NULL;
	if (!failed)
		failed = event->raise(stage, rotation);
	for (enum role role = CAUSER; role < ROLES; role++) {
		struct nexus *nexus = role_nexus(stage, rotation, role);

		check_begin("events/%s/%s/%s%s", event->name, role_names[role], rotation->name, manner_name);
		if (check_want(!failed, "%s: failed", failed))
			want_role(nexus, event->told[role], manner);
		check_end();
	}
	if (event->restore)
		event->restore(stage, rotation);
}

static void table_run(struct stage *stage)
{
	for (size_t i = 0; i < events_count; i++) {
		if (!event_is_possible(stage, &events[i]))
			continue;
		for (size_t j = 0; j < sizeof(rotations) / sizeof(rotations[0]); j++)
			event_run(stage, &events[i], &rotations[j], BY_TEST_UNIT_READY, "");
		event_run(stage, &events[i], &rotations[0], BY_REQUEST_SENSE, "/request-sense");
		event_run(stage, &events[i], &rotations[0], BY_REQUEST_SENSE_DESC, "/request-sense-desc");
	}
}

/* D_SENSE is set for each event anew: a reset makes it what was saved. */
static void formats_run(struct stage *stage)
{
	int status = STATUS_GOOD;

	for (size_t i = 0; status == STATUS_GOOD && i < events_count; i++) {
		if (!event_is_possible(stage, &events[i]))
			continue;
		status = stage_set_mode(&stage->nexus[A], CONTROL_PAGE, 2, D_SENSE, D_SENSE);
		if (status == STATUS_GOOD)
			event_run(stage, &events[i], &rotations[0], BY_FORMAT, "/d-sense");
	}
	check_begin("events/d-sense-can-be-set");
	check_want(status == STATUS_GOOD, "MODE SELECT: status %d", status);
	check_end();
	stage_drain(stage);
	stage_set_mode(&stage->nexus[A], CONTROL_PAGE, 2, D_SENSE, 0);
	stage_drain(stage);
}

/* Two that are pending come both, in the order in which they happened if their precedence is the same. */
static void queued_run(struct stage *stage)
{
	const char *failed = raise_mode_change(stage, &stage->nexus[A]);
	asc_t other = 0;

	if (!failed)
		failed = raise_other(stage, &other);
	for (enum place place = B; place < PLACES; place++) {
		check_begin("events/two-pending/%s", stage->nexus[place].name);
		if (check_want(!failed, "%s: failed", failed)) {
			want_attention(&stage->nexus[place], 0x2a01, "the first of two");
			want_attention(&stage->nexus[place], other, "the second of two");
			want_ready(&stage->nexus[place], "after both");
		}
		check_end();
	}
	stage_drain(stage);
}

/* A reset takes precedence over what happened before it (SAM-5), and does not make it forgotten. */
static void precedence_run(struct stage *stage)
{
	struct nexus *causer = &stage->nexus[A];
	asc_t other;
	const char *failed = raise_other(stage, &other);
	int response = nexus_manage(causer, TMF_LOGICAL_UNIT_RESET, NULL);

	for (enum place place = B; place < PLACES; place++) {
		check_begin("events/reset-comes-first/%s", stage->nexus[place].name);
		if (check_want(!failed && response == TMF_COMPLETE, "%s, reset %d", failed ? failed : "",
			       response)) {
			want_attention(&stage->nexus[place], 0x2903, "the graver one first");
			want_attention(&stage->nexus[place], other, "what happened before");
			want_ready(&stage->nexus[place], "after both");
		}
		check_end();
	}
	stage_drain(stage);
}

#define MANY 300

/* However many events one nexus sleeps through, it is told, and not for ever. */
static void overflow_run(struct stage *stage)
{
	struct nexus *sleeper = &stage->nexus[B];
	const char *failed = NULL;
	struct command command;
	asc_t other = 0;
	int told = 0;

	for (int i = 0; i < MANY && !failed; i++)
		failed = i % 2 ? raise_other(stage, &other) : raise_mode_change(stage, &stage->nexus[A]);
	check_begin("events/many-missed");
	check_want(!failed, "%s: failed", failed);
	for (; told <= 2 * MANY; told++) {
		command = test_unit_ready(sleeper);
		if (command.status == STATUS_GOOD)
			break;
		check_want(command_is_attention(&command, 0x2a01) || command_is_attention(&command, other) ||
				   (command.status == STATUS_CHECK_CONDITION &&
				    command.sense.key == KEY_UNIT_ATTENTION &&
				    command.sense.asc >> 8 == 0x29),
			   "after %d events: %s", MANY, command_answer(&command));
	}
	check_want(told > 0 && told <= 2 * MANY, "it was told %d times", told);
	check_end();
	stage_drain(stage);
}

/* A nexus that begins anew has missed nothing, however it ended. */
static void renewed_run(struct stage *stage, bool orderly)
{
	struct nexus *nexus = &stage->nexus[C];
	const char *failed;
	asc_t other;

	stage_drain(stage);
	failed = raise_mode_change(stage, &stage->nexus[A]);
	if (orderly)
		nexus_close(nexus);
	else
		nexus_drop(nexus);
	if (!failed)
		failed = raise_other(stage, &other);
	check_begin("events/%s", orderly ? "after-logout" : "after-connection-loss");
	check_want(nexus_open(nexus) == 0, "login");
	if (check_want(!failed, "%s: failed", failed))
		want_ready(nexus, "a new nexus");
	check_end();
	stage_drain(stage);
}

#define ABORTS 20

/* A command that is aborted takes no unit attention along: either it was reported, or it still is. */
static void aborted_run(struct stage *stage)
{
	struct nexus *nexus = &stage->nexus[B];
	struct command aborted, next;
	const char *failed = NULL;
	asc_t other = 0;

	check_begin("events/survives-an-aborted-command");
	for (int i = 0; i < ABORTS && !failed; i++) {
		stage_drain(stage);
		failed = raise_other(stage, &other);
		aborted = cdb_test_unit_ready();
		nexus_start(nexus, &aborted);
		nexus_manage(nexus, TMF_ABORT_TASK, &aborted);
		nexus_finish(&aborted, 200);
		nexus_forget(&aborted);
		next = test_unit_ready(nexus);
		check_want(command_is_attention(&aborted, other) != command_is_attention(&next, other),
			   "round %d: aborted: %s, next: %s", i, command_answer(&aborted),
			   command_answer(&next));
	}
	check_want(!failed, "%s: failed", failed);
	check_end();
	stage_drain(stage);
}

static bool set_interlock(struct stage *stage, uint8_t value)
{
	int status = stage_set_mode(&stage->nexus[A], CONTROL_PAGE, 4, UA_INTLCK, (uint8_t)(value << 4));

	stage_drain(stage);
	return check_want(status == STATUS_GOOD, "MODE SELECT of UA_INTLCK_CTRL %u: status %d", value,
			  status);
}

/* 10b and 11b: reporting does not clear, REQUEST SENSE does (SPC-4 7.5.8). */
static void interlock_kept_run(struct stage *stage, uint8_t value, const char *name)
{
	struct nexus *told = &stage->nexus[B];
	const char *failed;
	asc_t other;

	check_begin("events/ua-intlck-ctrl-%s/kept-when-reported", name);
	if (set_interlock(stage, value)) {
		failed = raise_other(stage, &other);
		check_want(!failed, "%s: failed", failed);
		want_attention(told, other, "the first time");
		want_attention(told, other, "the second time");
		want_sensed_once(told, other, false);
	}
	check_end();
}

static void interlock_reset_run(struct stage *stage, uint8_t value, const char *name)
{
	struct nexus *told = &stage->nexus[B];

	check_begin("events/ua-intlck-ctrl-%s/reset-is-reported", name);
	if (set_interlock(stage, value)) {
		check_want(nexus_manage(&stage->nexus[A], TMF_LOGICAL_UNIT_RESET, NULL) == TMF_COMPLETE,
			   "reset");
		/* The reset also makes the mode pages what they were saved as, so it may clear at the first time. */
		want_attention(told, 0x2903, "the first time");
	}
	check_end();
	stage_drain(stage);
}

/* 11b: a RESERVATION CONFLICT leaves a unit attention to the nexus that got it; 10b and 00b: it does not. */
static void interlock_conflict_run(struct stage *stage, uint8_t value, const char *name)
{
	struct nexus *holder = &stage->nexus[A], *other = &stage->nexus[B];
	struct command reserve = cdb_reserve(OP_RESERVE_6), release = cdb_reserve(OP_RELEASE_6), refused;

	check_begin("events/ua-intlck-ctrl-%s/reservation-conflict", name);
	if (set_interlock(stage, value)) {
		check_want(nexus_run(holder, &reserve) == STATUS_GOOD, "RESERVE: %s",
			   command_answer(&reserve));
		refused = test_unit_ready(other);
		check_want(refused.status == STATUS_RESERVATION_CONFLICT, "TEST UNIT READY: %s",
			   command_answer(&refused));
		check_want(nexus_run(holder, &release) == STATUS_GOOD, "RELEASE: %s",
			   command_answer(&release));
		if (value == 3) {
			want_attention(other, 0x2c09, "previous reservation conflict");
			want_sensed_once(other, 0x2c09, false);
		} else {
			want_ready(other, "after a conflict");
		}
	}
	check_end();
}

static void interlock_run(struct stage *stage)
{
	static const struct {
		uint8_t value;
		const char *name;
	} values[] = { { 2, "10b" }, { 3, "11b" } };

	interlock_conflict_run(stage, 0, "00b");
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		interlock_kept_run(stage, values[i].value, values[i].name);
		interlock_conflict_run(stage, values[i].value, values[i].name);
		interlock_reset_run(stage, values[i].value, values[i].name);
	}
	stage_set_mode(&stage->nexus[A], CONTROL_PAGE, 4, UA_INTLCK, 0);
	stage_drain(stage);
}

void events_run(struct stage *stage)
{
	check_begin("events/supported-commands-are-reported");
	check_want(supported_read(&stage->nexus[A]) == 0, "REPORT SUPPORTED OPERATION CODES");
	check_end();
	table_run(stage);
	queued_run(stage);
	precedence_run(stage);
	overflow_run(stage);
	renewed_run(stage, true);
	renewed_run(stage, false);
	aborted_run(stage);
	formats_run(stage);
	if (stage_can_set_mode(&stage->nexus[A], CONTROL_PAGE, 4, UA_INTLCK))
		interlock_run(stage);
}
