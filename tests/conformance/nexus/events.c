// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The table of events (SAM-5 5.14, SPC-4 5.12, 6.10, 6.17, 6.43, SBC-3 4.7.3.7) and how each is made to
 * happen. attentions.c checks what comes of them.
 */
#include "events.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cdb.h"
#include "persistent.h"
#include "supported.h"

#define WITNESS_LIMIT 8000 /* milliseconds for the handler's word to arrive */

bool event_is_possible(const struct stage *stage, const struct event *event)
{
	switch (event->needs) {
	case NEEDS_LOG_SELECT:
		return is_supported(0x4c, NO_SERVICE_ACTION);
	case NEEDS_SET_TIMESTAMP:
		return is_supported(0xa4, 0x0f);
	case NEEDS_CONTROL:
		return stage->control;
	case NEEDS_REAL:
		return stage->real;
	default:
		return true;
	}
}

const char *raise_mode_change(struct stage *stage, struct nexus *nexus)
{
	uint8_t page = stage->toggle.page, byte = stage->toggle.byte, mask = stage->toggle.mask;
	int before = stage_get_mode(nexus, page, byte);

	if (before < 0)
		return "MODE SENSE";
	if (stage_set_mode(nexus, page, byte, mask, (uint8_t)~before) != STATUS_GOOD)
		return "MODE SELECT";
	return stage_get_mode(nexus, page, byte) == (before ^ mask) ? NULL : "MODE SELECT changed nothing";
}

static const char *raise_mode_select(struct stage *stage, const struct rotation *rotation)
{
	return raise_mode_change(stage, role_nexus(stage, rotation, CAUSER));
}

/* Parameters that are what they were change nothing for anybody (SPC-4 6.11). */
static const char *raise_same_modes(struct stage *stage, const struct rotation *rotation)
{
	return stage_set_mode(role_nexus(stage, rotation, CAUSER), stage->toggle.page, stage->toggle.byte, 0,
			      0) == STATUS_GOOD
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

/* Something happens to the real device; it tells whom it sees next, which is us, whichever nexus asks. */
static const char *happen(struct stage *stage, const char *words, asc_t asc)
{
	if (nexus_open(&stage->nexus[D]))
		return "login of D";
	nexus_drain(&stage->nexus[D]);
	if (stage_hook(stage, words))
		return "what the hook does to the device";
	return await_witness(stage, asc);
}

/* One MiB more each time: not every handler lets a LUN become smaller. */
static const char *change_capacity(struct stage *stage)
{
	static unsigned long long more;
	char words[64];

	more += 2048;
	snprintf(words, sizeof(words), "resize %llu", (stage->blocks + more) * BLOCK_SIZE);
	if (stage->real)
		return happen(stage, words, 0x2a09);
	return stage_hook(stage, words) ? "scuse resize" : NULL;
}

static const char *raise_capacity(struct stage *stage, const struct rotation *rotation)
{
	(void)rotation;
	return change_capacity(stage);
}

static const char *raise_reset_by_others(struct stage *stage, const struct rotation *rotation)
{
	(void)rotation;
	return happen(stage, "real reset", 0x2900);
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

static const char *raise_timestamp(struct nexus *nexus)
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

const char *raise_other(struct stage *stage, asc_t *asc)
{
	const char *failed;

	if (is_supported(0xa4, 0x0f)) {
		*asc = 0x2a10;
		return raise_timestamp(&stage->nexus[A]);
	}
	*asc = 0x2a09;
	failed = change_capacity(stage);
	nexus_drain(&stage->nexus[A]);
	return failed;
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
	{ "mode-select", NULL, raise_mode_select, NULL, TOLD(0, 0x2a01, 0x2a01, 0x2a01), NEEDS_NOTHING },
	{ "mode-select-same-values", NULL, raise_same_modes, NULL, TOLD(0, 0, 0, 0), NEEDS_NOTHING },
	{ "log-select", NULL, raise_log_select, NULL, TOLD(0, 0x2a02, 0x2a02, 0x2a02), NEEDS_LOG_SELECT },
	{ "capacity", NULL, raise_capacity, NULL, TOLD(0x2a09, 0x2a09, 0x2a09, 0x2a09), NEEDS_NOTHING },
	{ "set-timestamp", NULL, raise_set_timestamp, NULL, TOLD(0, 0x2a10, 0x2a10, 0x2a10), NEEDS_SET_TIMESTAMP },
	{ "reset", NULL, raise_reset, NULL, TOLD(0x2903, 0x2903, 0x2903, 0x2903), NEEDS_NOTHING },
	{ "reset-by-others", NULL, raise_reset_by_others, NULL, TOLD(0x2900, 0x2900, 0x2900, 0x2900), NEEDS_REAL },
	{ "medium", NULL, raise_medium, NULL, TOLD(0x2800, 0x2800, 0x2800, 0x2800), NEEDS_CONTROL },
	{ "limits", NULL, raise_limits, NULL, TOLD(0x3f03, 0x3f03, 0x3f03, 0x3f03), NEEDS_CONTROL },
	{ "threshold", NULL, raise_threshold, NULL, TOLD(0x3807, 0x3807, 0x3807, 0x3807), NEEDS_CONTROL },
	{ "pr-clear", prepare_registrants_only, raise_clear, restore_registrations,
	  TOLD(0, 0x2a03, 0x2a03, 0x2a03), NEEDS_NOTHING },
	{ "pr-preempt-registrant", prepare_registered, raise_preempt, restore_registrations,
	  TOLD(0, 0x2a05, 0, 0), NEEDS_NOTHING },
	{ "pr-preempt-holder", prepare_other_holds, raise_preempt, restore_registrations,
	  TOLD(0, 0x2a05, 0, 0), NEEDS_NOTHING },
	{ "pr-preempt-other-type", prepare_other_holds, raise_preempt_type, restore_registrations,
	  TOLD(0, 0x2a05, 0x2a04, 0x2a04), NEEDS_NOTHING },
	{ "pr-release", prepare_registrants_only, raise_release, restore_registrations,
	  TOLD(0, 0x2a04, 0x2a04, 0x2a04), NEEDS_NOTHING },
	{ "pr-release-exclusive", prepare_exclusive, raise_release_exclusive, restore_registrations,
	  TOLD(0, 0, 0, 0), NEEDS_NOTHING },
	{ "pr-unregister-holder", prepare_registrants_only, raise_unregister, restore_registrations,
	  TOLD(0, 0x2a04, 0x2a04, 0x2a04), NEEDS_NOTHING },
};
/* clang-format on */
const size_t events_count = sizeof(events) / sizeof(events[0]);
