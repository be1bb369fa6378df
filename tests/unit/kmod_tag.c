// SPDX-License-Identifier: GPL-2.0-only
/* The tag state machine of the kernel half (kmod/tag.h): every edge, generations, and the claim under contention. */
#include <criterion/criterion.h>
#include <pthread.h>
#include "tag.h"

static const enum scuse_tag_state states[] = {
	SCUSE_TAG_FREE,
	SCUSE_TAG_KERNEL,
	SCUSE_TAG_USER,
	SCUSE_TAG_QUARANTINED,
};

static void set_cell(struct scuse_tag_cell *cell, u32 generation, enum scuse_tag_state state)
{
	atomic64_set(&cell->word, (s64)scuse_tag_word(generation, state));
}

static void expect_cell(const struct scuse_tag_cell *cell, u32 generation, enum scuse_tag_state state)
{
	cr_expect_eq(scuse_tag_word_generation(scuse_tag_read(cell)), generation);
	cr_expect_eq(scuse_tag_word_state(scuse_tag_read(cell)), state);
}

Test(kmod_tag, starts_free)
{
	struct scuse_tag_cell cell;

	scuse_tag_init(&cell);
	expect_cell(&cell, 0, SCUSE_TAG_FREE);
}

Test(kmod_tag, only_the_edges_of_the_drawing)
{
	static const bool edges[4][4] = {
		[SCUSE_TAG_KERNEL] = { [SCUSE_TAG_FREE] = true, [SCUSE_TAG_USER] = true },
		[SCUSE_TAG_USER] = { [SCUSE_TAG_KERNEL] = true, [SCUSE_TAG_QUARANTINED] = true },
		[SCUSE_TAG_QUARANTINED] = { [SCUSE_TAG_FREE] = true },
	};

	for (int from = 0; from < 4; from++) {
		for (int to = 0; to < 4; to++) {
			struct scuse_tag_cell cell;

			set_cell(&cell, 7, states[from]);
			cr_expect_eq(scuse_tag_move(&cell, 7, states[from], states[to]), edges[from][to],
				     "%d to %d", from, to);
			expect_cell(&cell, 7, edges[from][to] ? states[to] : states[from]);
		}
	}
}

Test(kmod_tag, a_whole_life)
{
	struct scuse_tag_cell cell;

	scuse_tag_init(&cell);
	cr_assert_eq(scuse_tag_take(&cell), 1);
	expect_cell(&cell, 1, SCUSE_TAG_KERNEL);
	cr_assert(scuse_tag_move(&cell, 1, SCUSE_TAG_KERNEL, SCUSE_TAG_USER));
	cr_assert(scuse_tag_move(&cell, 1, SCUSE_TAG_USER, SCUSE_TAG_KERNEL));
	cr_assert(scuse_tag_move(&cell, 1, SCUSE_TAG_KERNEL, SCUSE_TAG_FREE));
	cr_assert_eq(scuse_tag_take(&cell), 2);
}

Test(kmod_tag, a_life_that_ends_in_quarantine)
{
	struct scuse_tag_cell cell;

	scuse_tag_init(&cell);
	cr_expect_not(scuse_tag_under_way(scuse_tag_read(&cell)));
	cr_assert_eq(scuse_tag_take(&cell), 1);
	cr_expect(scuse_tag_under_way(scuse_tag_read(&cell)));
	cr_assert(scuse_tag_move(&cell, 1, SCUSE_TAG_KERNEL, SCUSE_TAG_USER));
	cr_expect(scuse_tag_under_way(scuse_tag_read(&cell)));
	cr_assert(scuse_tag_move(&cell, 1, SCUSE_TAG_USER, SCUSE_TAG_QUARANTINED));
	cr_expect_not(scuse_tag_under_way(scuse_tag_read(&cell)));
	/* The process may still say something about it, and nobody may use it. */
	cr_expect_not(scuse_tag_move(&cell, 1, SCUSE_TAG_USER, SCUSE_TAG_KERNEL));
	cr_expect_eq(scuse_tag_take(&cell), 0);
	cr_expect_eq(scuse_tag_renew(&cell, 1), 0);
	cr_assert(scuse_tag_move(&cell, 1, SCUSE_TAG_QUARANTINED, SCUSE_TAG_FREE));
	cr_expect_eq(scuse_tag_take(&cell), 2);
}

Test(kmod_tag, wrong_state_changes_nothing)
{
	for (int is = 0; is < 4; is++) {
		for (int from = 0; from < 4; from++) {
			for (int to = 0; to < 4; to++) {
				struct scuse_tag_cell cell;

				if (is == from)
					continue;
				set_cell(&cell, 3, states[is]);
				cr_expect_not(scuse_tag_move(&cell, 3, states[from], states[to]));
				expect_cell(&cell, 3, states[is]);
			}
		}
	}
}

Test(kmod_tag, wrong_generation_changes_nothing)
{
	struct scuse_tag_cell cell;

	set_cell(&cell, 9, SCUSE_TAG_USER);
	cr_expect_not(scuse_tag_move(&cell, 8, SCUSE_TAG_USER, SCUSE_TAG_KERNEL));
	cr_expect_not(scuse_tag_move(&cell, 10, SCUSE_TAG_USER, SCUSE_TAG_KERNEL));
	expect_cell(&cell, 9, SCUSE_TAG_USER);
}

Test(kmod_tag, only_free_tags_are_taken)
{
	for (int i = 1; i < 4; i++) {
		struct scuse_tag_cell cell;

		set_cell(&cell, 5, states[i]);
		cr_expect_eq(scuse_tag_take(&cell), 0);
		expect_cell(&cell, 5, states[i]);
	}
}

Test(kmod_tag, generation_wraps_past_zero)
{
	struct scuse_tag_cell cell;

	cr_expect_eq(scuse_tag_next_generation(UINT32_MAX), 1);
	set_cell(&cell, UINT32_MAX, SCUSE_TAG_FREE);
	cr_expect_eq(scuse_tag_take(&cell), 1);
	expect_cell(&cell, 1, SCUSE_TAG_KERNEL);
}

Test(kmod_tag, renewing_needs_the_kernel_state_and_the_generation)
{
	for (int i = 0; i < 4; i++) {
		struct scuse_tag_cell cell;
		bool held = states[i] == SCUSE_TAG_KERNEL;

		set_cell(&cell, 5, states[i]);
		cr_expect_eq(scuse_tag_renew(&cell, 4), 0);
		expect_cell(&cell, 5, states[i]);
		cr_expect_eq(scuse_tag_renew(&cell, 5), held ? 6 : 0);
		expect_cell(&cell, held ? 6 : 5, states[i]);
	}
}

Test(kmod_tag, a_second_completion_of_the_first_step_does_not_complete_the_second)
{
	struct scuse_tag_cell cell;
	u32 first, second;

	scuse_tag_init(&cell);
	first = scuse_tag_take(&cell);
	cr_assert(scuse_tag_move(&cell, first, SCUSE_TAG_KERNEL, SCUSE_TAG_USER));
	cr_assert(scuse_tag_move(&cell, first, SCUSE_TAG_USER, SCUSE_TAG_KERNEL));
	second = scuse_tag_renew(&cell, first);
	cr_assert(scuse_tag_move(&cell, second, SCUSE_TAG_KERNEL, SCUSE_TAG_USER));
	cr_expect_not(scuse_tag_move(&cell, first, SCUSE_TAG_USER, SCUSE_TAG_KERNEL));
	expect_cell(&cell, second, SCUSE_TAG_USER);
}

Test(kmod_tag, renewing_wraps_past_zero)
{
	struct scuse_tag_cell cell;

	set_cell(&cell, UINT32_MAX, SCUSE_TAG_KERNEL);
	cr_expect_eq(scuse_tag_renew(&cell, UINT32_MAX), 1);
}

#define THREADS 4
#define ROUNDS	20000

struct contest {
	struct scuse_tag_cell cell;
	pthread_barrier_t start;
	pthread_barrier_t end;
	u32 generation;
	int winners;
};

static void *claim(void *arg)
{
	struct contest *contest = arg;

	for (int i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&contest->start);
		if (scuse_tag_move(&contest->cell, contest->generation, SCUSE_TAG_USER, SCUSE_TAG_KERNEL))
			__atomic_add_fetch(&contest->winners, 1, __ATOMIC_RELAXED);
		pthread_barrier_wait(&contest->end);
	}
	return NULL;
}

Test(kmod_tag, of_many_completions_exactly_one_wins, .timeout = 120)
{
	struct contest contest = { .winners = 0 };
	pthread_t threads[THREADS];

	scuse_tag_init(&contest.cell);
	pthread_barrier_init(&contest.start, NULL, THREADS + 1);
	pthread_barrier_init(&contest.end, NULL, THREADS + 1);
	for (int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, claim, &contest), 0);
	for (int i = 0; i < ROUNDS; i++) {
		contest.winners = 0;
		contest.generation = scuse_tag_take(&contest.cell);
		cr_assert_neq(contest.generation, 0);
		cr_assert(
			scuse_tag_move(&contest.cell, contest.generation, SCUSE_TAG_KERNEL, SCUSE_TAG_USER));
		pthread_barrier_wait(&contest.start);
		pthread_barrier_wait(&contest.end);
		cr_assert_eq(contest.winners, 1, "round %d: %d winners", i, contest.winners);
		cr_assert(
			scuse_tag_move(&contest.cell, contest.generation, SCUSE_TAG_KERNEL, SCUSE_TAG_FREE));
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}
