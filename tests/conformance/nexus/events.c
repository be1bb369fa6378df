// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The table of events (SAM-5 5.14, SPC-4 5.12, 6.10, 6.17, 6.43, SBC-3 4.7.3.7) and how each is made to happen.
 * attentions.c checks what comes of them.
 */
#include "events.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cdb.h"
#include "persistent.h"

#define CONTROL_PAGE  0x0a
#define WITNESS_LIMIT 8000 /* milliseconds for the handler's word to arrive */

const char *raise_mode_change(struct nexus *nexus)
{
	int tas = stage_get_mode(nexus, CONTROL_PAGE, 5);

	if (tas < 0)
		return "MODE SENSE of the control page";
	if (stage_set_mode(nexus, CONTROL_PAGE, 5, 0x40, (uint8_t)~tas) != STATUS_GOOD)
		return "MODE SELECT of TAS";
	return stage_get_mode(nexus, CONTROL_PAGE, 5) == (tas ^ 0x40) ? NULL : "MODE SELECT changed nothing";
}

static const char *raise_mode_select(struct stage *stage, const struct rotation *rotation)
{
	return raise_mode_change(role_nexus(stage, rotation, CAUSER));
}

/* Parameters that are what they were change nothing for anybody (SPC-4 6.11). */
static const char *raise_same_modes(struct stage *stage, const struct rotation *rotation)
{
	return stage_set_mode(role_nexus(stage, rotation, CAUSER), CONTROL_PAGE, 5, 0, 0) == STATUS_GOOD
		       ? NULL
		       : "MODE SELECT of what is";
}

static const char *raise_log_select(struct stage *stage, const struct rotation *rotation)
{
	/* PCR: all parameters become what they are by default; PC: cumulative values. */
	struct command command = { .cdb = { 0x4c, 0x02, 0x40 }, .cdb_len = 10 };
	struct nexus *causer = role_nexus(stage, rotation, CAUSER);
	uint8_t block[BLOCK_SIZE];
	struct command before = cdb_read(0, block);

	nexus_run(causer, &before);
	return nexus_run(causer, &command) == STATUS_GOOD ? NULL : "LOG SELECT";
}

/* One MiB more each time: not every handler lets a LUN become smaller. */
static const char *raise_capacity(struct stage *stage, const struct rotation *rotation)
{
	static unsigned long long more;
	char words[64];

	(void)rotation;
	more += 2048;
	snprintf(words, sizeof(words), "resize %llu", (stage->blocks + more) * BLOCK_SIZE);
	return stage_hook(stage, words) ? "scuse resize" : NULL;
}

/* Waits until a nexus that takes no other part is told. */
static const char *await_witness(struct stage *stage, asc_t asc)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	struct command command;

	for (int i = 0; i < WITNESS_LIMIT / 20; i++) {
		command = cdb_test_unit_ready();
		nexus_run(&stage->nexus[D], &command);
		if (command_is_attention(&command, asc))
			return NULL;
		nanosleep(&pause, NULL);
	}
	return "no unit attention came of what the handler said";
}

static const char *tell(struct stage *stage, const char *words, asc_t asc)
{
	if (nexus_open(&stage->nexus[D]))
		return "login of D";
	nexus_drain(&stage->nexus[D]);
	if (stage_tell(stage, words))
		return "the handler's pipe";
	return await_witness(stage, asc);
}

static const char *raise_medium(struct stage *stage, const struct rotation *rotation)
{
	(void)rotation;
	return tell(stage, "medium\n", 0x2800);
}

static const char *raise_limits(struct stage *stage, const struct rotation *rotation)
{
	(void)rotation;
	return tell(stage, "limits\n", 0x3f03);
}

static const char *raise_threshold(struct stage *stage, const struct rotation *rotation)
{
	(void)rotation;
	return tell(stage, "threshold\n", 0x3807);
}

const char *raise_timestamp(struct nexus *nexus)
{
	static uint64_t milliseconds = 1700000000000;
	uint8_t list[12] = { 0 };
	struct command command = {
		.cdb = { 0xa4, 0x0f, [9] = sizeof(list) }, .cdb_len = 12, .out = list, .out_len = sizeof(list)
	};

	milliseconds += 1000;
	put16(list + 4, (uint16_t)(milliseconds >> 32));
	put32(list + 6, (uint32_t)milliseconds);
	return nexus_run(nexus, &command) == STATUS_GOOD ? NULL : "SET TIMESTAMP";
}

static const char *raise_set_timestamp(struct stage *stage, const struct rotation *rotation)
{
	return raise_timestamp(role_nexus(stage, rotation, CAUSER));
}

static const char *raise_reset(struct stage *stage, const struct rotation *rotation)
{
	return nexus_manage(role_nexus(stage, rotation, CAUSER), TMF_LOGICAL_UNIT_RESET, NULL) == TMF_COMPLETE
		       ? NULL
		       : "LOGICAL UNIT RESET";
}

/* ---- persistent reservations: all four registered, each with a key of its own ---- */

static const char *prepare_registered(struct stage *stage, const struct rotation *rotation)
{
	(void)rotation;
	return pr_register_all(stage) ? "registering all nexuses" : NULL;
}

static const char *prepare_reserved(struct stage *stage, const struct rotation *rotation, enum role holder,
				    uint8_t type)
{
	const char *failed = prepare_registered(stage, rotation);

	if (failed)
		return failed;
	return pr_reserve(role_nexus(stage, rotation, holder), type, PR_KEY(rotation->place[holder])) ==
			       STATUS_GOOD
		       ? NULL
		       : "RESERVE";
}

static const char *prepare_registrants_only(struct stage *stage, const struct rotation *rotation)
{
	return prepare_reserved(stage, rotation, CAUSER, PR_WRITE_EXCLUSIVE_REGISTRANTS);
}

static const char *prepare_exclusive(struct stage *stage, const struct rotation *rotation)
{
	return prepare_reserved(stage, rotation, CAUSER, PR_EXCLUSIVE_ACCESS);
}

static const char *prepare_other_holds(struct stage *stage, const struct rotation *rotation)
{
	return prepare_reserved(stage, rotation, SAME, PR_WRITE_EXCLUSIVE_REGISTRANTS);
}

static const char *out(struct stage *stage, const struct rotation *rotation, uint8_t action, uint8_t type,
		       uint64_t action_key)
{
	return pr_out(role_nexus(stage, rotation, CAUSER), action, type, PR_KEY(rotation->place[CAUSER]),
		      action_key, 0) == STATUS_GOOD
		       ? NULL
		       : "PERSISTENT RESERVE OUT";
}

static const char *raise_clear(struct stage *stage, const struct rotation *rotation)
{
	return out(stage, rotation, PR_OUT_CLEAR, 0, 0);
}

static const char *raise_preempt(struct stage *stage, const struct rotation *rotation)
{
	return out(stage, rotation, PR_OUT_PREEMPT, PR_WRITE_EXCLUSIVE_REGISTRANTS,
		   PR_KEY(rotation->place[SAME]));
}

static const char *raise_preempt_type(struct stage *stage, const struct rotation *rotation)
{
	return out(stage, rotation, PR_OUT_PREEMPT, PR_EXCLUSIVE_ACCESS, PR_KEY(rotation->place[SAME]));
}

static const char *raise_release(struct stage *stage, const struct rotation *rotation)
{
	return out(stage, rotation, PR_OUT_RELEASE, PR_WRITE_EXCLUSIVE_REGISTRANTS, 0);
}

static const char *raise_release_exclusive(struct stage *stage, const struct rotation *rotation)
{
	return out(stage, rotation, PR_OUT_RELEASE, PR_EXCLUSIVE_ACCESS, 0);
}

static const char *raise_unregister(struct stage *stage, const struct rotation *rotation)
{
	return out(stage, rotation, PR_OUT_REGISTER, 0, 0);
}

static void restore_registrations(struct stage *stage, const struct rotation *rotation)
{
	(void)rotation;
	pr_clear_all(stage);
}

/* clang-format off */
#define TOLD(causer, same, other, local) { causer, same, other, local }
const struct event events[] = {
	{ "mode-select", NULL, raise_mode_select, NULL, TOLD(0, 0x2a01, 0x2a01, 0x2a01), false },
	{ "mode-select-same-values", NULL, raise_same_modes, NULL, TOLD(0, 0, 0, 0), false },
	{ "log-select", NULL, raise_log_select, NULL, TOLD(0, 0x2a02, 0x2a02, 0x2a02), false },
	{ "capacity", NULL, raise_capacity, NULL, TOLD(0x2a09, 0x2a09, 0x2a09, 0x2a09), false },
	{ "set-timestamp", NULL, raise_set_timestamp, NULL, TOLD(0, 0x2a10, 0x2a10, 0x2a10), false },
	{ "reset", NULL, raise_reset, NULL, TOLD(0x2903, 0x2903, 0x2903, 0x2903), false },
	{ "medium", NULL, raise_medium, NULL, TOLD(0x2800, 0x2800, 0x2800, 0x2800), true },
	{ "limits", NULL, raise_limits, NULL, TOLD(0x3f03, 0x3f03, 0x3f03, 0x3f03), true },
	{ "threshold", NULL, raise_threshold, NULL, TOLD(0x3807, 0x3807, 0x3807, 0x3807), true },
	{ "pr-clear", prepare_registrants_only, raise_clear, restore_registrations,
	  TOLD(0, 0x2a03, 0x2a03, 0x2a03), false },
	{ "pr-preempt-registrant", prepare_registered, raise_preempt, restore_registrations,
	  TOLD(0, 0x2a05, 0, 0), false },
	{ "pr-preempt-holder", prepare_other_holds, raise_preempt, restore_registrations,
	  TOLD(0, 0x2a05, 0, 0), false },
	{ "pr-preempt-other-type", prepare_other_holds, raise_preempt_type, restore_registrations,
	  TOLD(0, 0x2a05, 0x2a04, 0x2a04), false },
	{ "pr-release", prepare_registrants_only, raise_release, restore_registrations,
	  TOLD(0, 0x2a04, 0x2a04, 0x2a04), false },
	{ "pr-release-exclusive", prepare_exclusive, raise_release_exclusive, restore_registrations,
	  TOLD(0, 0, 0, 0), false },
	{ "pr-unregister-holder", prepare_registrants_only, raise_unregister, restore_registrations,
	  TOLD(0, 0x2a04, 0x2a04, 0x2a04), false },
};
/* clang-format on */
const size_t events_count = sizeof(events) / sizeof(events[0]);
