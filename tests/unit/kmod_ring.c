// SPDX-License-Identifier: GPL-2.0-only
/* Index arithmetic of the rings (kmod/ring.h), at and across the wrap of 32 bits. */
#include <criterion/criterion.h>
#include "ring.h"

Test(kmod_ring, entries_follow_each_other_across_the_wrap)
{
	u32 index = UINT32_MAX - 5;
	u32 last = scuse_ring_entry(index, 8);

	for (int i = 0; i < 20; i++) {
		u32 entry = scuse_ring_entry(++index, 8);

		cr_expect_eq(entry, (last + 1) % 8);
		last = entry;
	}
}

Test(kmod_ring, pending_counts)
{
	u32 count;

	cr_expect(scuse_ring_pending(0, 0, 8, &count));
	cr_expect_eq(count, 0);
	cr_expect(scuse_ring_pending(3, 11, 8, &count));
	cr_expect_eq(count, 8);
	cr_expect(scuse_ring_pending(UINT32_MAX - 1, 4, 8, &count));
	cr_expect_eq(count, 6);
}

Test(kmod_ring, a_tail_too_far_ahead_is_seen)
{
	u32 count;

	cr_expect_not(scuse_ring_pending(0, 9, 8, &count));
	cr_expect_not(scuse_ring_pending(UINT32_MAX, 8, 8, &count));
	cr_expect_not(scuse_ring_pending(0, 0x80000000u, 8, &count));
}

Test(kmod_ring, a_tail_that_goes_back_is_seen)
{
	u32 count;

	cr_expect_not(scuse_ring_pending(5, 4, 8, &count));
	cr_expect_not(scuse_ring_pending(0, UINT32_MAX, 8, &count));
}

Test(kmod_ring, advisory_entries_leave_room_for_every_command)
{
	/* depth 4, 8 entries: 4 are for advisory ones */
	for (u32 base = UINT32_MAX - 3; base != 4; base++) {
		for (u32 unread = 0; unread < 4; unread++)
			cr_expect(scuse_ring_advisory_room(base + unread, base, 8, 4));
		for (u32 unread = 4; unread <= 8; unread++)
			cr_expect_not(scuse_ring_advisory_room(base + unread, base, 8, 4));
	}
}

Test(kmod_ring, a_head_that_lies_gets_no_advice)
{
	cr_expect_not(scuse_ring_advisory_room(10, 11, 8, 4)); /* ahead of the tail */
	cr_expect_not(scuse_ring_advisory_room(100, 3, 8, 4)); /* long ago */
}
