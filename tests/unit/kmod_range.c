// SPDX-License-Identifier: GPL-2.0-only
/*
 * Range exclusion of the kernel half (kmod/range.[ch]): which claims conflict, the order in which they are
 * granted, and threads that race through the whole protocol, as queue.c uses it.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include "range.h"
#include "tag.h"

static struct scuse_claim claim_of(u64 lba, u64 blocks, enum scuse_access access)
{
	return (struct scuse_claim){ .lba = lba, .blocks = blocks, .access = access };
}

static bool overlap(u64 lba, u64 blocks, u64 other_lba, u64 other_blocks)
{
	struct scuse_claim a = claim_of(lba, blocks, SCUSE_ACCESS_WRITE);
	struct scuse_claim b = claim_of(other_lba, other_blocks, SCUSE_ACCESS_WRITE);
	bool result = scuse_claims_overlap(&a, &b);

	cr_expect_eq(scuse_claims_overlap(&b, &a), result, "not symmetric");
	return result;
}

Test(kmod_range, overlap)
{
	cr_expect(overlap(0, 1, 0, 1));
	cr_expect(overlap(10, 10, 19, 1));
	cr_expect(overlap(10, 10, 0, 100));
	cr_expect_not(overlap(10, 10, 20, 1));
	cr_expect_not(overlap(10, 10, 9, 1));
	cr_expect_not(overlap(10, 0, 0, 100));
	cr_expect(overlap(0, UINT64_MAX, 1ull << 60, 1));
	cr_expect(overlap(UINT64_MAX - 1, 1, 0, UINT64_MAX));
	cr_expect_not(overlap(UINT64_MAX, 1, 0, 1));
}

Test(kmod_range, conflicts)
{
	/* N(one), R(ead), W(rite), U(pdate), A(tomic) */
	static const bool table[5][5] = {
		{ 0, 0, 0, 0, 0 }, { 0, 0, 0, 0, 1 }, { 0, 0, 0, 1, 1 }, { 0, 0, 1, 1, 1 }, { 0, 1, 1, 1, 1 },
	};

	for (int i = 0; i < 5; i++) {
		for (int j = 0; j < 5; j++) {
			struct scuse_claim a = claim_of(4, 4, (enum scuse_access)i);
			struct scuse_claim b = claim_of(6, 4, (enum scuse_access)j);
			struct scuse_claim far = claim_of(8, 4, (enum scuse_access)j);

			cr_expect_eq(scuse_claims_conflict(&a, &b), table[i][j], "%d and %d", i, j);
			cr_expect_not(scuse_claims_conflict(&a, &far), "%d and %d, apart", i, j);
		}
	}
}

/* Commands as queue.c has them: a tag and a claim, in one array that `busy` looks at. */
#define COMMANDS 16

struct command {
	struct scuse_claim claim;
	struct scuse_tag_cell cell;
	u64 going; /* it is with userspace */
};

struct world {
	struct scuse_ranges ranges;
	struct command commands[COMMANDS];
	int granted[COMMANDS]; /* in order, of resumed ones */
	int count;
};

static bool world_busy(struct scuse_ranges *ranges, const struct scuse_claim *claim)
{
	struct world *world = (struct world *)ranges;

	for (int i = 0; i < COMMANDS; i++) {
		struct command *command = &world->commands[i];
		struct scuse_claim other = { .node = { NULL, NULL } };
		u64 word;

		if (&command->claim == claim || command->claim.state != SCUSE_CLAIM_LOOSE)
			continue;
		do {
			word = scuse_tag_read(&command->cell);
			if (scuse_tag_word_state(word) == SCUSE_TAG_FREE)
				break;
			other.lba = __atomic_load_n(&command->claim.lba, __ATOMIC_SEQ_CST);
			other.blocks = __atomic_load_n(&command->claim.blocks, __ATOMIC_SEQ_CST);
			other.access = __atomic_load_n(&command->claim.access, __ATOMIC_SEQ_CST);
		} while (word != scuse_tag_read(&command->cell));
		if (scuse_tag_word_state(word) != SCUSE_TAG_FREE && scuse_claims_conflict(&other, claim))
			return true;
	}
	return false;
}

static void world_resume(struct scuse_ranges *ranges, struct scuse_claim *claim)
{
	struct world *world = (struct world *)ranges;
	struct command *command = (struct command *)claim;

	world->granted[world->count++ % COMMANDS] = (int)(command - world->commands);
	__atomic_store_n(&command->going, 1, __ATOMIC_SEQ_CST);
}

static void world_init(struct world *world)
{
	memset(world, 0, sizeof(*world));
	scuse_ranges_init(&world->ranges, world_busy, world_resume);
	for (int i = 0; i < COMMANDS; i++)
		scuse_tag_init(&world->commands[i].cell);
}

/* Takes a tag; the command is under way, but has not been submitted. */
static u32 command_take(struct command *command, u64 lba, u64 blocks, enum scuse_access access)
{
	__atomic_store_n(&command->claim.lba, lba, __ATOMIC_SEQ_CST);
	__atomic_store_n(&command->claim.blocks, blocks, __ATOMIC_SEQ_CST);
	__atomic_store_n(&command->claim.access, (u8)access, __ATOMIC_SEQ_CST);
	__atomic_store_n(&command->going, 0, __ATOMIC_SEQ_CST);
	return scuse_tag_take(&command->cell);
}

/* True if it goes on at once. */
static bool command_submit(struct world *world, struct command *command)
{
	return !scuse_ranges_concern(&world->ranges, &command->claim) ||
	       !scuse_ranges_wait(&world->ranges, &command->claim);
}

static bool command_start(struct world *world, int index, u64 lba, u64 blocks, enum scuse_access access)
{
	command_take(&world->commands[index], lba, blocks, access);
	return command_submit(world, &world->commands[index]);
}

static void command_end(struct world *world, struct command *command)
{
	u32 generation = scuse_tag_word_generation(scuse_tag_read(&command->cell));

	scuse_ranges_leave(&world->ranges, &command->claim);
	cr_assert(scuse_tag_move(&command->cell, generation, SCUSE_TAG_KERNEL, SCUSE_TAG_FREE));
	scuse_ranges_left(&world->ranges);
}

static void end(struct world *world, int index)
{
	command_end(world, &world->commands[index]);
}

static void expect_granted(const struct world *world, int count, const int *indices)
{
	cr_assert_eq(world->count, count, "%d granted, expected %d", world->count, count);
	for (int i = 0; i < count; i++)
		cr_expect_eq(world->granted[i], indices[i], "as number %d: %d", i, world->granted[i]);
}

Test(kmod_range, plain_commands_are_never_parked)
{
	struct world world;

	world_init(&world);
	cr_expect(command_start(&world, 0, 0, 10, SCUSE_ACCESS_WRITE));
	cr_expect(command_start(&world, 1, 0, 10, SCUSE_ACCESS_WRITE));
	cr_expect(command_start(&world, 2, 5, 10, SCUSE_ACCESS_READ));
	for (int i = 0; i < 3; i++)
		end(&world, i);
}

Test(kmod_range, update_waits_for_writes_and_not_for_reads)
{
	struct world world;

	world_init(&world);
	cr_expect(command_start(&world, 0, 0, 10, SCUSE_ACCESS_WRITE));
	cr_expect(command_start(&world, 1, 0, 10, SCUSE_ACCESS_READ));
	cr_expect(command_start(&world, 2, 20, 10, SCUSE_ACCESS_UPDATE));
	cr_expect_not(command_start(&world, 3, 9, 1, SCUSE_ACCESS_UPDATE));
	end(&world, 2);
	expect_granted(&world, 0, NULL);
	end(&world, 0);
	expect_granted(&world, 1, (int[]){ 3 });
	cr_expect(command_start(&world, 4, 9, 1, SCUSE_ACCESS_READ));
	cr_expect_not(command_start(&world, 5, 9, 1, SCUSE_ACCESS_WRITE));
	cr_expect(command_start(&world, 6, 8, 1, SCUSE_ACCESS_WRITE));
	end(&world, 3);
	expect_granted(&world, 2, (int[]){ 3, 5 });
}

Test(kmod_range, atomic_waits_for_reads_and_holds_them)
{
	struct world world;

	world_init(&world);
	cr_expect(command_start(&world, 0, 0, 10, SCUSE_ACCESS_READ));
	cr_expect_not(command_start(&world, 1, 0, 10, SCUSE_ACCESS_ATOMIC));
	cr_expect_not(command_start(&world, 2, 0, 10, SCUSE_ACCESS_READ),
		      "a read overtakes a waiting atomic write");
	end(&world, 0);
	expect_granted(&world, 1, (int[]){ 1 });
	end(&world, 1);
	expect_granted(&world, 2, (int[]){ 1, 2 });
}

Test(kmod_range, in_order_of_arrival)
{
	struct world world;

	world_init(&world);
	cr_expect(command_start(&world, 0, 0, 10, SCUSE_ACCESS_UPDATE));
	cr_expect_not(command_start(&world, 1, 5, 10, SCUSE_ACCESS_UPDATE));
	cr_expect_not(command_start(&world, 2, 12, 10, SCUSE_ACCESS_WRITE), "overtakes a waiting update");
	cr_expect_not(command_start(&world, 3, 20, 2, SCUSE_ACCESS_UPDATE), "overtakes a parked write");
	cr_expect(command_start(&world, 4, 22, 2, SCUSE_ACCESS_UPDATE));
	end(&world, 4);
	end(&world, 0);
	expect_granted(&world, 1, (int[]){ 1 });
	end(&world, 1);
	expect_granted(&world, 2, (int[]){ 1, 2 });
	end(&world, 2);
	expect_granted(&world, 3, (int[]){ 1, 2, 3 });
	end(&world, 3);
	cr_expect_eq(atomic_read(&world.ranges.exclusive), 0);
	cr_expect_eq(atomic_read(&world.ranges.waiting), 0);
}

/* The plain command has its tag when the exclusive one looks, and finds that when it is submitted: no deadlock. */
Test(kmod_range, a_command_that_was_waited_for_can_be_parked)
{
	struct world world;

	world_init(&world);
	command_take(&world.commands[0], 0, 10, SCUSE_ACCESS_WRITE);
	cr_expect_not(command_start(&world, 1, 0, 10, SCUSE_ACCESS_UPDATE));
	cr_expect_not(command_submit(&world, &world.commands[0]));
	expect_granted(&world, 1, (int[]){ 1 });
	end(&world, 1);
	expect_granted(&world, 2, (int[]){ 1, 0 });
	end(&world, 0);
}

Test(kmod_range, two_exclusive_ones_that_see_each_others_tags)
{
	struct world world;

	world_init(&world);
	command_take(&world.commands[0], 0, 10, SCUSE_ACCESS_UPDATE);
	command_take(&world.commands[1], 0, 10, SCUSE_ACCESS_ATOMIC);
	cr_expect_not(command_submit(&world, &world.commands[0]));
	cr_expect_not(command_submit(&world, &world.commands[1]));
	expect_granted(&world, 1, (int[]){ 0 });
	end(&world, 0);
	expect_granted(&world, 2, (int[]){ 0, 1 });
	end(&world, 1);
}

static const struct scuse_claim *unwanted;

static bool is_unwanted(const struct scuse_claim *claim)
{
	return claim == unwanted;
}

Test(kmod_range, a_parked_command_that_is_given_up_leaves_the_list)
{
	struct world world;

	world_init(&world);
	cr_expect(command_start(&world, 0, 0, 10, SCUSE_ACCESS_UPDATE));
	cr_expect_not(command_start(&world, 1, 0, 10, SCUSE_ACCESS_ATOMIC));
	cr_expect_not(command_start(&world, 2, 5, 1, SCUSE_ACCESS_WRITE));
	unwanted = NULL;
	cr_expect_null(scuse_ranges_evict(&world.ranges, is_unwanted));
	unwanted = &world.commands[1].claim;
	cr_assert_eq(scuse_ranges_evict(&world.ranges, is_unwanted), &world.commands[1].claim);
	cr_expect_null(scuse_ranges_evict(&world.ranges, is_unwanted), "evicted twice");
	end(&world, 1);
	expect_granted(&world, 0, NULL);
	unwanted = &world.commands[2].claim;
	cr_assert_eq(scuse_ranges_evict(&world.ranges, is_unwanted), &world.commands[2].claim);
	end(&world, 2);
	end(&world, 0);
	expect_granted(&world, 0, NULL);
	cr_expect_eq(atomic_read(&world.ranges.exclusive), 0);
	cr_expect_eq(atomic_read(&world.ranges.waiting), 0);
}

Test(kmod_range, who_waited_behind_an_evicted_command_goes_on)
{
	struct world world;

	world_init(&world);
	cr_expect(command_start(&world, 0, 0, 10, SCUSE_ACCESS_READ));
	cr_expect_not(command_start(&world, 1, 5, 10, SCUSE_ACCESS_ATOMIC));
	cr_expect_not(command_start(&world, 2, 12, 1, SCUSE_ACCESS_READ));
	unwanted = &world.commands[1].claim;
	cr_assert_not_null(scuse_ranges_evict(&world.ranges, is_unwanted));
	end(&world, 1);
	expect_granted(&world, 1, (int[]){ 2 });
}

Test(kmod_range, one_that_is_under_way_is_not_evicted)
{
	struct world world;

	world_init(&world);
	cr_expect(command_start(&world, 0, 0, 10, SCUSE_ACCESS_UPDATE));
	cr_expect_not(command_start(&world, 1, 0, 10, SCUSE_ACCESS_WRITE));
	unwanted = &world.commands[0].claim;
	cr_expect_null(scuse_ranges_evict(&world.ranges, is_unwanted));
	end(&world, 0);
	expect_granted(&world, 1, (int[]){ 1 });
}

/*
 * Threads, a command slot each, that take turns at claims of all kinds on few blocks.  Each block counts who
 * is at it, by kind; a conflict shows in the counts.
 */
#define BLOCKS 4
#define ROUNDS 20000

struct race {
	struct world world;
	int users[BLOCKS][5];
	int violations;
	int parked;
};

struct racer {
	struct race *race;
	int index;
};

static u64 next_random(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static int users_of(struct race *race, u64 block, enum scuse_access access)
{
	return __atomic_load_n(&race->users[block][access], __ATOMIC_SEQ_CST);
}

static void use_block(struct race *race, u64 block, enum scuse_access access)
{
	int atomics, updates;
	bool ok = true;

	__atomic_add_fetch(&race->users[block][access], 1, __ATOMIC_SEQ_CST);
	atomics = users_of(race, block, SCUSE_ACCESS_ATOMIC);
	updates = users_of(race, block, SCUSE_ACCESS_UPDATE);
	if (access == SCUSE_ACCESS_READ)
		ok = !atomics;
	if (access == SCUSE_ACCESS_WRITE)
		ok = !atomics && !updates;
	if (access >= SCUSE_ACCESS_UPDATE)
		ok = atomics + updates == 1 && !users_of(race, block, SCUSE_ACCESS_WRITE);
	if (access == SCUSE_ACCESS_ATOMIC)
		ok = ok && !users_of(race, block, SCUSE_ACCESS_READ);
	if (!ok)
		__atomic_add_fetch(&race->violations, 1, __ATOMIC_SEQ_CST);
}

static void *run_racer(void *arg)
{
	struct racer *racer = arg;
	struct race *race = racer->race;
	struct command *command = &race->world.commands[racer->index];
	u64 random = 0x9e3779b97f4a7c15ull * (u64)(racer->index + 1);

	for (int i = 0; i < ROUNDS; i++) {
		u64 lba = next_random(&random) % BLOCKS;
		u64 blocks = 1 + next_random(&random) % (BLOCKS - lba);
		enum scuse_access access = 1 + next_random(&random) % 4;

		command_take(command, lba, blocks, access);
		if (!command_submit(&race->world, command)) {
			__atomic_add_fetch(&race->parked, 1, __ATOMIC_SEQ_CST);
			while (!__atomic_load_n(&command->going, __ATOMIC_SEQ_CST))
				sched_yield();
		}
		for (u64 block = lba; block < lba + blocks; block++)
			use_block(race, block, access);
		if (!(next_random(&random) % 4))
			sched_yield();
		for (u64 block = lba; block < lba + blocks; block++)
			__atomic_sub_fetch(&race->users[block][access], 1, __ATOMIC_SEQ_CST);
		command_end(&race->world, command);
	}
	return NULL;
}

#define THREADS 4

Test(kmod_range, threads_never_meet_in_conflict, .timeout = 240)
{
	static struct race race;
	struct racer racers[THREADS];
	pthread_t threads[THREADS];

	world_init(&race.world);
	for (int i = 0; i < THREADS; i++) {
		racers[i] = (struct racer){ &race, i };
		cr_assert_eq(pthread_create(&threads[i], NULL, run_racer, &racers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	cr_expect_eq(race.violations, 0, "%d violations", race.violations);
	cr_expect_gt(race.parked, 0, "nothing ever waited: the threads have not met");
	cr_expect_eq(atomic_read(&race.world.ranges.exclusive), 0);
	cr_expect_eq(atomic_read(&race.world.ranges.waiting), 0);
	cr_expect(list_empty(&race.world.ranges.list));
}
