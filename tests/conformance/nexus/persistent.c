// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Persistent reservations (SPC-4 5.12): each of the six types through its life, and what the four service
 * actions of PERSISTENT RESERVE IN say of it.  Moves between nexuses and across a reload are in transfer.c.
 */
#include "persistent.h"

#include <stdio.h>

#include "cases.h"
#include "cdb.h"
#include "report.h"

#define KEYS_ROOM 32

static const char *type_name(uint8_t type)
{
	static const char *const names[] = {
		[1] = "write-exclusive",
		[3] = "exclusive-access",
		[5] = "write-exclusive-registrants-only",
		[6] = "exclusive-access-registrants-only",
		[7] = "write-exclusive-all-registrants",
		[8] = "exclusive-access-all-registrants",
	};

	return names[type];
}

static void want_out(int status, int wanted, const char *what)
{
	check_want(status == wanted, "%s: wanted status %d: %s", what, wanted, command_answer(&pr_last));
}

static void want_attention(struct nexus *nexus, asc_t asc)
{
	struct command command = cdb_test_unit_ready();

	nexus_run(nexus, &command);
	if (asc)
		check_want(command_is_attention(&command, asc), "%s: wanted 6/%02x/%02x: %s", nexus->name,
			   asc >> 8, asc & 0xff, command_answer(&command));
	else
		check_want(command.status == STATUS_GOOD, "%s: wanted GOOD: %s", nexus->name,
			   command_answer(&command));
}

static void want_held(struct nexus *nexus, uint8_t type, uint64_t key)
{
	uint64_t seen = 0;
	int reserved = pr_reservation(nexus, &seen);

	check_want(reserved == type, "READ RESERVATION: type %d, wanted %u", reserved, type);
	if (type)
		check_want(seen == (pr_is_all_registrants(type) ? 0 : key), "READ RESERVATION: key %llxh",
			   (unsigned long long)seen);
}

static void want_keys(struct nexus *nexus, int wanted)
{
	int count = pr_keys(nexus, NULL, 0, NULL);

	check_want(count == wanted, "READ KEYS: %d keys, wanted %d", count, wanted);
}

static void capabilities_run(struct stage *stage)
{
	uint8_t list[16] = { 0 };
	struct command command = cdb_pr_in(PR_IN_REPORT_CAPABILITIES, list, sizeof(list));

	check_begin("persistent/report-capabilities");
	check_want(nexus_run(&stage->nexus[A], &command) == STATUS_GOOD, "%s", command_answer(&command));
	check_want(command.in_len >= 8 && get16(list) == 8, "length %u", get16(list));
	check_want((list[2] & 0x1d) == 0x1d, "CRH, SIP_C, ATP_C, PTPL_C: byte 2 is %02xh", list[2]);
	check_want(list[3] & 0x80, "TMV: byte 3 is %02xh", list[3]);
	check_want((list[4] & 0xea) == 0xea && (list[5] & 0x01) == 0x01, "type mask %02x%02xh", list[4],
		   list[5]);
	check_end();
}

static void register_run(struct stage *stage)
{
	struct nexus *a = &stage->nexus[A], *b = &stage->nexus[B];
	uint32_t first = 0, second = 0;
	uint64_t keys[KEYS_ROOM] = { 0 };

	check_begin("persistent/register");
	pr_keys(a, keys, KEYS_ROOM, &first);
	want_out(pr_out(a, PR_OUT_REGISTER, 0, 1, PR_KEY(A), 0), STATUS_RESERVATION_CONFLICT,
		 "REGISTER with a key while not registered");
	want_out(pr_out(a, PR_OUT_REGISTER, 0, 0, PR_KEY(A), 0), STATUS_GOOD, "REGISTER");
	check_want(pr_keys(b, keys, KEYS_ROOM, &second) == 1 && keys[0] == PR_KEY(A),
		   "READ KEYS through another nexus");
	check_want(second == first + 1, "PRGENERATION went from %u to %u", first, second);
	want_out(pr_out(a, PR_OUT_REGISTER, 0, 2, PR_KEY(A), 0), STATUS_RESERVATION_CONFLICT,
		 "REGISTER with a wrong key");
	want_out(pr_out(a, PR_OUT_REGISTER, 0, PR_KEY(A), 77, 0), STATUS_GOOD, "another key");
	check_want(pr_keys(b, keys, KEYS_ROOM, NULL) == 1 && keys[0] == 77, "READ KEYS after a change");
	want_out(pr_register(a, 78), STATUS_GOOD, "REGISTER AND IGNORE EXISTING KEY");
	check_want(pr_keys(b, keys, KEYS_ROOM, &first) == 1 && keys[0] == 78,
		   "READ KEYS after another change");
	want_out(pr_out(a, PR_OUT_REGISTER, 0, 78, 0, 0), STATUS_GOOD, "unregistering");
	want_keys(a, 0);
	check_end();
	pr_clear_all(stage);
}

/* Only registered nexuses may do anything but register (SPC-4, registering). */
static void unregistered_run(struct stage *stage)
{
	static const struct {
		const char *name;
		uint8_t action;
	} actions[] = {
		{ "reserve", PR_OUT_RESERVE },
		{ "release", PR_OUT_RELEASE },
		{ "clear", PR_OUT_CLEAR },
		{ "preempt", PR_OUT_PREEMPT },
	};

	pr_register(&stage->nexus[A], PR_KEY(A));
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		check_begin("persistent/not-registered/%s", actions[i].name);
		want_out(pr_out(&stage->nexus[B], actions[i].action, PR_WRITE_EXCLUSIVE, PR_KEY(B), PR_KEY(A),
				0),
			 STATUS_RESERVATION_CONFLICT, "not registered");
		want_keys(&stage->nexus[A], 1);
		check_end();
	}
	pr_clear_all(stage);
}

/* Parameter lists and fields that must be refused (SPC-4, PERSISTENT RESERVE OUT). */
static void invalid_run(struct stage *stage)
{
	struct nexus *a = &stage->nexus[A];
	uint8_t list[24] = { 0 };

	check_begin("persistent/refused-fields");
	pr_register(a, PR_KEY(A));
	put64(list, PR_KEY(A));
	pr_last = cdb_pr_out(PR_OUT_RESERVE, PR_WRITE_EXCLUSIVE, list, 16);
	check_want(nexus_run(a, &pr_last) == STATUS_CHECK_CONDITION && pr_last.sense.asc == 0x1a00,
		   "a parameter list of 16 bytes: %s", command_answer(&pr_last));
	pr_last = cdb_pr_out(PR_OUT_RESERVE, 2, list, sizeof(list));
	check_want(nexus_run(a, &pr_last) == STATUS_CHECK_CONDITION &&
			   pr_last.sense.key == KEY_ILLEGAL_REQUEST,
		   "type 2: %s", command_answer(&pr_last));
	pr_last = cdb_pr_out(PR_OUT_RESERVE, 0x10 | PR_WRITE_EXCLUSIVE, list, sizeof(list));
	check_want(nexus_run(a, &pr_last) == STATUS_CHECK_CONDITION &&
			   pr_last.sense.key == KEY_ILLEGAL_REQUEST,
		   "scope 1: %s", command_answer(&pr_last));
	pr_last = cdb_pr_out(0x1f, 0, list, sizeof(list));
	nexus_run(a, &pr_last);
	check_want(command_is_error(&pr_last, KEY_ILLEGAL_REQUEST, 0x2400), "service action 1fh: %s",
		   command_answer(&pr_last));
	want_held(a, 0, 0);
	check_end();
	pr_clear_all(stage);
}

static uint8_t other_type(uint8_t type)
{
	return type == PR_WRITE_EXCLUSIVE ? PR_EXCLUSIVE_ACCESS : PR_WRITE_EXCLUSIVE;
}

static void reserve_run(struct stage *stage, uint8_t type)
{
	struct nexus *a = &stage->nexus[A], *b = &stage->nexus[B];

	check_begin("persistent/%s/reserve", type_name(type));
	check_want(pr_register_all(stage) == 0, "registering");
	want_out(pr_reserve(a, type, 99), STATUS_RESERVATION_CONFLICT, "RESERVE with a wrong key");
	want_out(pr_reserve(a, type, PR_KEY(A)), STATUS_GOOD, "RESERVE");
	want_held(b, type, PR_KEY(A));
	want_out(pr_reserve(a, type, PR_KEY(A)), STATUS_GOOD, "RESERVE again");
	want_out(pr_reserve(a, other_type(type), PR_KEY(A)), STATUS_RESERVATION_CONFLICT,
		 "RESERVE of another type");
	want_out(pr_reserve(b, type, PR_KEY(B)),
		 pr_is_all_registrants(type) ? STATUS_GOOD : STATUS_RESERVATION_CONFLICT,
		 "RESERVE by another");
	for (enum place place = A; place < PLACES; place++)
		want_attention(&stage->nexus[place], 0);
	check_end();
}

/* Goes on from reserve_run(). */
static void full_status_run(struct stage *stage, uint8_t type)
{
	struct pr_status status[KEYS_ROOM];
	int count = pr_full_status(&stage->nexus[C], status, KEYS_ROOM);
	uint16_t port_of_a = 0, port_of_c = 0;

	check_begin("persistent/%s/read-full-status", type_name(type));
	check_want(count == PLACES, "%d descriptors, wanted %d", count, PLACES);
	for (int i = 0; i < count && i < KEYS_ROOM; i++) {
		bool holds = status[i].key == PR_KEY(A) || pr_is_all_registrants(type);

		check_want(status[i].holder == holds, "key %llxh: R_HOLDER is %d",
			   (unsigned long long)status[i].key, status[i].holder);
		check_want(!holds || status[i].type == type, "key %llxh: type %u",
			   (unsigned long long)status[i].key, status[i].type);
		if (status[i].key == PR_KEY(A))
			port_of_a = status[i].port;
		if (status[i].key == PR_KEY(C))
			port_of_c = status[i].port;
	}
	check_want(port_of_a && port_of_c && port_of_a != port_of_c, "relative target ports %u and %u",
		   port_of_a, port_of_c);
	check_end();
}

/* Goes on from reserve_run(): the type must be the reservation's (SPC-4, releasing). */
static void release_other_run(struct stage *stage, uint8_t type)
{
	struct nexus *a = &stage->nexus[A];

	check_begin("persistent/%s/release-of-another-type", type_name(type));
	pr_out(a, PR_OUT_RELEASE, other_type(type), PR_KEY(A), 0, 0);
	check_want(command_is_error(&pr_last, KEY_ILLEGAL_REQUEST, 0x2604), "%s", command_answer(&pr_last));
	want_held(a, type, PR_KEY(A));
	check_end();
}

/* Goes on from reserve_run(). */
static void release_run(struct stage *stage, uint8_t type)
{
	struct nexus *a = &stage->nexus[A], *b = &stage->nexus[B];
	asc_t told = pr_is_for_registrants(type) ? 0x2a04 : 0;

	check_begin("persistent/%s/release", type_name(type));
	want_out(pr_out(a, PR_OUT_RELEASE, type, 99, 0, 0), STATUS_RESERVATION_CONFLICT,
		 "RELEASE with a wrong key");
	if (!pr_is_all_registrants(type)) {
		want_out(pr_out(b, PR_OUT_RELEASE, type, PR_KEY(B), 0, 0), STATUS_GOOD,
			 "RELEASE by a registrant");
		want_held(b, type, PR_KEY(A));
	}
	want_out(pr_out(a, PR_OUT_RELEASE, type, PR_KEY(A), 0, 0), STATUS_GOOD, "RELEASE");
	want_attention(a, 0);
	for (enum place place = B; place < PLACES; place++)
		want_attention(&stage->nexus[place], told);
	want_held(a, 0, 0);
	want_keys(a, PLACES);
	want_out(pr_out(a, PR_OUT_RELEASE, type, PR_KEY(A), 0, 0), STATUS_GOOD,
		 "RELEASE with nothing reserved");
	check_end();
	pr_clear_all(stage);
}

/* B takes what A has. */
static void preempt_run(struct stage *stage, uint8_t type)
{
	struct nexus *a = &stage->nexus[A], *b = &stage->nexus[B];
	uint8_t block[BLOCK_SIZE] = { 0 };
	struct command command = cdb_write(0, block);

	check_begin("persistent/%s/preempt", type_name(type));
	check_want(pr_register_all(stage) == 0, "registering");
	want_out(pr_reserve(a, type, PR_KEY(A)), STATUS_GOOD, "RESERVE");
	want_out(pr_out(b, PR_OUT_PREEMPT, type, PR_KEY(B), 12345, 0), STATUS_RESERVATION_CONFLICT,
		 "PREEMPT of a key that nobody has");
	if (!pr_is_all_registrants(type)) {
		want_out(pr_out(b, PR_OUT_PREEMPT, type, PR_KEY(B), PR_KEY(B), 0), STATUS_CHECK_CONDITION,
			 "PREEMPT of its own registration");
		want_held(b, type, PR_KEY(A));
		want_keys(b, PLACES);
	}
	want_out(pr_out(b, PR_OUT_PREEMPT, type, PR_KEY(B), PR_KEY(A), 0), STATUS_GOOD, "PREEMPT");
	want_attention(a, 0x2a05);
	for (enum place place = B; place < PLACES; place++)
		want_attention(&stage->nexus[place], 0);
	want_held(b, type, PR_KEY(B));
	want_keys(b, PLACES - 1);
	nexus_run(a, &command);
	check_want(command.status == STATUS_RESERVATION_CONFLICT, "WRITE by the preempted: %s",
		   command_answer(&command));
	check_end();
	pr_clear_all(stage);
}

/* A key of zero preempts everybody else, where all registrants hold it (SPC-4, preempting). */
static void preempt_all_run(struct stage *stage, uint8_t type)
{
	struct nexus *b = &stage->nexus[B];

	check_begin("persistent/%s/preempt-all", type_name(type));
	check_want(pr_register_all(stage) == 0, "registering");
	want_out(pr_reserve(&stage->nexus[A], type, PR_KEY(A)), STATUS_GOOD, "RESERVE");
	want_out(pr_out(b, PR_OUT_PREEMPT, PR_EXCLUSIVE_ACCESS, PR_KEY(B), 0, 0), STATUS_GOOD,
		 "PREEMPT of key 0");
	for (enum place place = A; place < PLACES; place++)
		want_attention(&stage->nexus[place], place == B ? 0 : 0x2a05);
	want_held(b, PR_EXCLUSIVE_ACCESS, PR_KEY(B));
	want_keys(b, 1);
	check_end();
	pr_clear_all(stage);
}

static void unregister_run(struct stage *stage, uint8_t type)
{
	struct nexus *a = &stage->nexus[A], *b = &stage->nexus[B];
	bool all = pr_is_all_registrants(type);
	asc_t told = pr_is_for_registrants(type) && !all ? 0x2a04 : 0;

	check_begin("persistent/%s/holder-unregisters", type_name(type));
	check_want(pr_register_all(stage) == 0, "registering");
	want_out(pr_reserve(a, type, PR_KEY(A)), STATUS_GOOD, "RESERVE");
	want_out(pr_out(a, PR_OUT_REGISTER, 0, PR_KEY(A), 0, 0), STATUS_GOOD, "unregistering");
	for (enum place place = B; place < PLACES; place++)
		want_attention(&stage->nexus[place], told);
	want_held(b, all ? type : 0, 0);
	want_keys(b, PLACES - 1);
	for (enum place place = B; place < PLACES; place++)
		want_out(pr_register(&stage->nexus[place], 0), STATUS_GOOD, "unregistering the others");
	want_held(b, 0, 0);
	check_end();
	pr_clear_all(stage);
}

static void clear_run(struct stage *stage, uint8_t type)
{
	struct nexus *a = &stage->nexus[A], *b = &stage->nexus[B];

	check_begin("persistent/%s/clear", type_name(type));
	check_want(pr_register_all(stage) == 0, "registering");
	want_out(pr_reserve(a, type, PR_KEY(A)), STATUS_GOOD, "RESERVE");
	want_out(pr_out(b, PR_OUT_CLEAR, 0, 99, 0, 0), STATUS_RESERVATION_CONFLICT, "CLEAR with a wrong key");
	want_out(pr_out(b, PR_OUT_CLEAR, 0, PR_KEY(B), 0, 0), STATUS_GOOD, "CLEAR by another");
	for (enum place place = A; place < PLACES; place++)
		want_attention(&stage->nexus[place], place == B ? 0 : 0x2a03);
	want_held(b, 0, 0);
	want_keys(b, 0);
	check_end();
	pr_clear_all(stage);
}

/* Neither is ended by a reset (SPC-4, persistent reservations). */
static void reset_run(struct stage *stage, uint8_t type)
{
	struct nexus *a = &stage->nexus[A];

	check_begin("persistent/%s/survives-a-reset", type_name(type));
	check_want(pr_register_all(stage) == 0, "registering");
	want_out(pr_reserve(a, type, PR_KEY(A)), STATUS_GOOD, "RESERVE");
	check_want(nexus_manage(&stage->nexus[B], TMF_LOGICAL_UNIT_RESET, NULL) == TMF_COMPLETE, "reset");
	stage_drain(stage);
	want_held(a, type, PR_KEY(A));
	want_keys(a, PLACES);
	check_end();
	pr_clear_all(stage);
}

void persistent_run(struct stage *stage)
{
	pr_clear_all(stage);
	capabilities_run(stage);
	register_run(stage);
	unregistered_run(stage);
	invalid_run(stage);
	for (size_t i = 0; i < PR_TYPES; i++) {
		reserve_run(stage, pr_types[i]);
		full_status_run(stage, pr_types[i]);
		release_other_run(stage, pr_types[i]);
		release_run(stage, pr_types[i]);
		preempt_run(stage, pr_types[i]);
		if (pr_is_all_registrants(pr_types[i]))
			preempt_all_run(stage, pr_types[i]);
		unregister_run(stage, pr_types[i]);
		clear_run(stage, pr_types[i]);
		reset_run(stage, pr_types[i]);
	}
	transfer_run(stage);
}
