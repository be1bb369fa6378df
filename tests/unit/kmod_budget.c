// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arithmetic of slot memory (kmod/budget.h): limits hold however many threads take at a time, slots are
 * idle across the wrap of the clock, a tag comes back to where it was in the stack.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include "budget.h"

Test(kmod_budget, a_limit_is_reached_and_not_exceeded)
{
	struct scuse_budget budget = {};

	cr_expect(scuse_budget_take(&budget, 10, 16));
	cr_expect_not(scuse_budget_take(&budget, 7, 16));
	cr_expect_eq(scuse_budget_used(&budget), 10u, "a refusal must take nothing");
	cr_expect(scuse_budget_take(&budget, 6, 16));
	cr_expect(scuse_budget_take(&budget, 0, 16));
	scuse_budget_give(&budget, 16);
	cr_expect_eq(scuse_budget_used(&budget), 0u);
}

Test(kmod_budget, a_lowered_limit_refuses_until_enough_is_given_back)
{
	struct scuse_budget budget = {};

	cr_expect(scuse_budget_take(&budget, 100, 100));
	cr_expect_not(scuse_budget_take(&budget, 1, 50));
	cr_expect_not(scuse_budget_take(&budget, 0, 50));
	scuse_budget_give(&budget, 51);
	cr_expect(scuse_budget_take(&budget, 1, 50));
	cr_expect_not(scuse_budget_take(&budget, 1, 50));
}

Test(kmod_budget, force_goes_beyond_any_limit)
{
	struct scuse_budget budget = {};

	scuse_budget_force(&budget, 40);
	cr_expect_eq(scuse_budget_used(&budget), 40u);
	cr_expect_not(scuse_budget_take(&budget, 1, 30));
	cr_expect_not(scuse_budget_take(&budget, UINT64_MAX, 100), "the sum must not wrap");
}

Test(kmod_budget, limits_of_devices)
{
	cr_expect_eq(scuse_budget_of_device(0, 256, 12), (64u << 20) >> 12, "the default");
	cr_expect_eq(scuse_budget_of_device(1 << 20, 16, 12), 256u);
	cr_expect_eq(scuse_budget_of_device(4096, 256, 12), 256u, "one command always fits");
	cr_expect_eq(scuse_budget_of_device(1 << 20, 16, 16), 16u, "pages of 64 KiB");
	cr_expect_eq(scuse_budget_of_device(UINT64_MAX, 256, 12), UINT64_MAX >> 12);
}

Test(kmod_budget, limit_of_all)
{
	cr_expect_eq(scuse_budget_of_all(0, 8000, 12), 1000u);
	cr_expect_eq(scuse_budget_of_all(1, 8000, 12), 256u);
	cr_expect_eq(scuse_budget_of_all(UINT32_MAX, 8000, 12), (u64)UINT32_MAX << 8);
}

Test(kmod_budget, idle)
{
	cr_expect_not(scuse_slot_idle(1000, 1000, 10));
	cr_expect_not(scuse_slot_idle(1009, 1000, 10));
	cr_expect(scuse_slot_idle(1010, 1000, 10));
	cr_expect(scuse_slot_idle(5, UINT32_MAX - 4, 10), "the clock wraps");
	cr_expect_not(scuse_slot_idle(5, UINT32_MAX - 3, 10));
}

Test(kmod_budget, a_tag_returns_to_its_place)
{
	u32 position;

	for (position = 0; position < 4; position++) {
		u16 stack[4] = { 10, 11, 12, 13 };
		u32 count = 4;
		u16 tag = scuse_stack_remove(stack, &count, position);

		cr_expect_eq(tag, 10 + position);
		cr_expect_eq(count, 3u);
		scuse_stack_insert(stack, &count, position, tag);
		cr_expect_eq(count, 4u);
		for (u32 i = 0; i < 4; i++)
			cr_expect_eq(stack[i], 10 + i, "position %u, entry %u", position, i);
	}
}

Test(kmod_budget, a_tag_returns_to_a_stack_that_has_become_shorter_or_longer)
{
	u16 stack[4] = { 10, 11, 12, 13 };
	u32 count = 4;
	u16 tag = scuse_stack_remove(stack, &count, 2);

	count = 1; /* two were taken by others */
	scuse_stack_insert(stack, &count, 2, tag);
	cr_expect_eq(count, 2u);
	cr_expect_eq(stack[0], 10);
	cr_expect_eq(stack[1], 12);

	tag = scuse_stack_remove(stack, &count, 0);
	stack[count++] = 13; /* one came back meanwhile */
	scuse_stack_insert(stack, &count, 0, tag);
	cr_expect_eq(count, 3u);
	cr_expect_eq(stack[0], 10, "the coldest is at the bottom again");
	cr_expect_eq(stack[1] + stack[2], 12 + 13);
}

#define THREADS 4
#define ROUNDS	20000
#define LIMIT	10

static struct scuse_budget shared;
static int exceeded;

static void *take_and_give(void *arg)
{
	u64 count = 1 + (uintptr_t)arg;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		if (!scuse_budget_take(&shared, count, LIMIT))
			continue;
		if (scuse_budget_used(&shared) > LIMIT)
			__atomic_store_n(&exceeded, 1, __ATOMIC_RELAXED);
		scuse_budget_give(&shared, count);
	}
	return NULL;
}

Test(kmod_budget, the_limit_holds_against_threads)
{
	pthread_t threads[THREADS];
	uintptr_t i;

	for (i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, take_and_give, (void *)(i * 2)), 0);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	cr_expect_eq(exceeded, 0);
	cr_expect_eq(scuse_budget_used(&shared), 0u);
}
