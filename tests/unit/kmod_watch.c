// SPDX-License-Identifier: GPL-2.0-only
/* The deadlines of commands (kmod/watch.h): what is done when, across the wrap of the clock too. */
#include <criterion/criterion.h>
#include "watch.h"

static const struct scuse_limits limits = { .command = 120, .tmf = 10 };

static struct scuse_deadline started(u32 now)
{
	struct scuse_deadline deadline = { .since = 1, .cancelled = 2, .state = SCUSE_DEADLINE_CANCELLED };

	scuse_deadline_start(&deadline, now);
	return deadline;
}

static enum scuse_verdict judge(const struct scuse_deadline *deadline, u32 now, bool given_up)
{
	return scuse_deadline_judge(deadline, now, &limits, given_up);
}

/* Moments from which the clock wraps before, at, and after the limits. */
static const u32 moments[] = { 0,	1000, UINT32_MAX, UINT32_MAX - 5, UINT32_MAX - 119, UINT32_MAX - 125,
			       1u << 31 };

#define for_each_moment(now)                                                             \
	for (size_t moment = 0; moment < sizeof(moments) / sizeof(moments[0]); moment++) \
		for (u32 now = moments[moment], once = 1; once; once = 0)

Test(kmod_watch, a_new_submission_has_a_deadline_of_its_own)
{
	struct scuse_deadline deadline = started(77);

	cr_expect_eq(deadline.since, 77);
	cr_expect_eq(deadline.state, SCUSE_DEADLINE_RUNNING);
	cr_expect_eq(judge(&deadline, 77, false), SCUSE_VERDICT_WAIT);
}

Test(kmod_watch, time_is_over_at_the_limit_and_not_before)
{
	for_each_moment(now)
	{
		struct scuse_deadline deadline = started(now);

		cr_expect_eq(judge(&deadline, now + 119, false), SCUSE_VERDICT_WAIT);
		cr_expect_eq(judge(&deadline, now + 120, false), SCUSE_VERDICT_TIMEOUT);
		cr_expect_eq(judge(&deadline, now + 100000, false), SCUSE_VERDICT_TIMEOUT);
	}
}

Test(kmod_watch, without_a_limit_time_is_never_over)
{
	struct scuse_limits none = { .command = 0, .tmf = 10 };
	struct scuse_deadline deadline = started(5);

	cr_expect_eq(scuse_deadline_judge(&deadline, 4, &none, false), SCUSE_VERDICT_WAIT);
	cr_expect_eq(scuse_deadline_judge(&deadline, 5 + (1u << 31), &none, false), SCUSE_VERDICT_WAIT);
	cr_expect_eq(scuse_deadline_judge(&deadline, 6, &none, true), SCUSE_VERDICT_CANCEL);
}

Test(kmod_watch, what_nobody_wants_is_cancelled_at_once)
{
	struct scuse_deadline deadline = started(50);

	cr_expect_eq(judge(&deadline, 50, true), SCUSE_VERDICT_CANCEL);
	/* Also when its time is over: nobody need hear of it. */
	cr_expect_eq(judge(&deadline, 500, true), SCUSE_VERDICT_CANCEL);
}

Test(kmod_watch, a_cancel_is_heeded_in_time_or_costs_the_session)
{
	for_each_moment(now)
	{
		struct scuse_deadline deadline = started(now);

		scuse_deadline_cancel(&deadline, now + 3, true);
		cr_expect_eq(judge(&deadline, now + 3, true), SCUSE_VERDICT_WAIT);
		cr_expect_eq(judge(&deadline, now + 12, true), SCUSE_VERDICT_WAIT);
		cr_expect_eq(judge(&deadline, now + 13, true), SCUSE_VERDICT_REVOKE);
		cr_expect_eq(judge(&deadline, now + 13, false), SCUSE_VERDICT_REVOKE);
	}
}

Test(kmod_watch, a_lost_cancel_is_sent_again_and_is_no_reprieve)
{
	for_each_moment(now)
	{
		struct scuse_deadline deadline = started(now);

		scuse_deadline_cancel(&deadline, now, false);
		cr_expect_eq(judge(&deadline, now + 1, true), SCUSE_VERDICT_RESEND);
		scuse_deadline_cancel(&deadline, now + 4, false);
		cr_expect_eq(judge(&deadline, now + 5, true), SCUSE_VERDICT_RESEND);
		scuse_deadline_cancel(&deadline, now + 6, true);
		cr_expect_eq(judge(&deadline, now + 9, true), SCUSE_VERDICT_WAIT);
		/* Counted from when it was due. */
		cr_expect_eq(judge(&deadline, now + 10, true), SCUSE_VERDICT_REVOKE);
	}
}

Test(kmod_watch, one_that_cannot_be_sent_at_all_ends_the_session_too)
{
	struct scuse_deadline deadline = started(9);

	scuse_deadline_cancel(&deadline, 9, false);
	cr_expect_eq(judge(&deadline, 19, true), SCUSE_VERDICT_REVOKE);
}

Test(kmod_watch, the_next_submission_of_a_command_starts_anew)
{
	struct scuse_deadline deadline = started(9);

	scuse_deadline_cancel(&deadline, 10, true);
	scuse_deadline_start(&deadline, 300);
	cr_expect_eq(judge(&deadline, 419, false), SCUSE_VERDICT_WAIT);
	cr_expect_eq(judge(&deadline, 420, false), SCUSE_VERDICT_TIMEOUT);
}

Test(kmod_watch, seconds_become_ticks_that_a_wrapping_clock_can_count)
{
	cr_expect_eq(scuse_deadline_ticks(0, 1000), 0);
	cr_expect_eq(scuse_deadline_ticks(120, 250), 30000);
	cr_expect_eq(scuse_deadline_ticks(SCUSE_COMMAND_TIMEOUT_MAX, 1000), 2592000000u);
	cr_expect_eq(scuse_deadline_ticks(SCUSE_COMMAND_TIMEOUT_MAX + 1, 1000), 2592000000u);
	cr_expect_eq(scuse_deadline_ticks(UINT32_MAX, 1000), 2592000000u);
}
