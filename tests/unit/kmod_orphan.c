// SPDX-License-Identifier: GPL-2.0-only
/* The rules on commands that wait for a worker (kmod/orphan.h). */
#include <criterion/criterion.h>
#include "orphan.h"

Test(kmod_orphan, commands_wait_until_the_time_is_up)
{
	cr_expect_eq(scuse_orphan_left(30, 0), 30000);
	cr_expect_eq(scuse_orphan_left(30, 29999), 1);
	cr_expect_eq(scuse_orphan_left(30, 30000), 0);
	cr_expect_eq(scuse_orphan_left(30, UINT64_MAX - 1), 0);
	cr_expect_eq(scuse_orphan_left(0, 0), 0);
	cr_expect_eq(scuse_orphan_left(86400, 1), 86399999);
	cr_expect_eq(scuse_orphan_left(-1, UINT64_MAX - 1), SCUSE_NO_LIMIT);
}

Test(kmod_orphan, only_one_policy_lets_them_wait)
{
	cr_expect(scuse_orphan_wait(SCUSE_ORPHAN_WAIT, 1));
	cr_expect(scuse_orphan_wait(SCUSE_ORPHAN_WAIT, SCUSE_NO_LIMIT));
	cr_expect_not(scuse_orphan_wait(SCUSE_ORPHAN_WAIT, 0));
	cr_expect_not(scuse_orphan_wait(SCUSE_ORPHAN_BUSY, 1));
	cr_expect_not(scuse_orphan_wait(SCUSE_ORPHAN_ERROR, SCUSE_NO_LIMIT));
}

Test(kmod_orphan, what_was_in_flight_waits_if_it_may_be_repeated)
{
	for (int policy = SCUSE_ORPHAN_WAIT; policy <= SCUSE_ORPHAN_ERROR; policy++) {
		cr_expect_eq(scuse_orphan_fate(policy, SCUSE_INFLIGHT_REPLAY, false, true), SCUSE_LOST_BUSY);
		cr_expect_eq(scuse_orphan_fate(policy, SCUSE_INFLIGHT_BUSY, true, true), SCUSE_LOST_BUSY);
	}
	cr_expect_eq(scuse_orphan_fate(SCUSE_ORPHAN_WAIT, SCUSE_INFLIGHT_REPLAY, true, true), SCUSE_LOST_NOT);
	cr_expect_eq(scuse_orphan_fate(SCUSE_ORPHAN_WAIT, SCUSE_INFLIGHT_REPLAY, true, false),
		     SCUSE_LOST_BUSY);
	cr_expect_eq(scuse_orphan_fate(SCUSE_ORPHAN_BUSY, SCUSE_INFLIGHT_REPLAY, true, true),
		     SCUSE_LOST_BUSY);
	cr_expect_eq(scuse_orphan_fate(SCUSE_ORPHAN_ERROR, SCUSE_INFLIGHT_REPLAY, true, false),
		     SCUSE_LOST_ERROR);
}

Test(kmod_orphan, positions_are_in_order_across_the_wrap)
{
	cr_expect(scuse_orphan_before(1, 2));
	cr_expect_not(scuse_orphan_before(2, 1));
	cr_expect_not(scuse_orphan_before(7, 7));
	cr_expect(scuse_orphan_before(UINT32_MAX, 0));
	cr_expect(scuse_orphan_before(UINT32_MAX - 100, 4000));
	cr_expect_not(scuse_orphan_before(4000, UINT32_MAX - 100));
}

Test(kmod_orphan, the_fence_is_looked_at_ever_more_seldom)
{
	u32 wait = 0, sum = 0;

	for (int i = 0; i < 20; i++) {
		u32 next = scuse_fence_next(wait);

		cr_expect(next >= wait && next <= SCUSE_FENCE_LONGEST);
		wait = next;
		sum += wait;
	}
	cr_expect_eq(scuse_fence_next(0), SCUSE_FENCE_FIRST);
	cr_expect_eq(wait, SCUSE_FENCE_LONGEST);
	cr_expect(sum > SCUSE_FENCE_WARN);
}
