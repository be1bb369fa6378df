// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: which commands may be under way together (kmod/range.c).  An input is a sequence of commands
 * that begin and end, among them some that end as soon as they are resumed.
 *
 * Promises: no two commands that conflict are under way at the same time; nobody waits once nothing is under
 * way that came before; the counters are zero at the end.
 */
#include "fuzz.h"
#include "range.h"

#define COMMANDS 12
#define STEPS	 1000

enum phase { IDLE, PARKED, GOING };

struct command {
	struct scuse_claim claim;
	enum phase phase;
	bool brief; /* ends when it is resumed, as one whose session has gone does */
};

struct world {
	struct scuse_ranges ranges;
	struct command commands[COMMANDS];
};

static bool busy(struct scuse_ranges *ranges, const struct scuse_claim *claim)
{
	struct world *world = (struct world *)ranges;

	for (int i = 0; i < COMMANDS; i++) {
		struct command *other = &world->commands[i];

		if (other->phase != IDLE && &other->claim != claim &&
		    other->claim.state == SCUSE_CLAIM_LOOSE && scuse_claims_conflict(&other->claim, claim))
			return true;
	}
	return false;
}

static void go(struct world *world, struct command *command)
{
	for (int i = 0; i < COMMANDS; i++) {
		struct command *other = &world->commands[i];

		fuzz_check(other == command || other->phase != GOING ||
			   !scuse_claims_conflict(&other->claim, &command->claim));
	}
	command->phase = GOING;
}

static void end(struct world *world, struct command *command)
{
	fuzz_check(command->phase == GOING);
	scuse_ranges_leave(&world->ranges, &command->claim);
	command->phase = IDLE;
	scuse_ranges_left(&world->ranges);
}

static void resume(struct scuse_ranges *ranges, struct scuse_claim *claim)
{
	struct world *world = (struct world *)ranges;
	struct command *command = (struct command *)claim;

	fuzz_check(command->phase == PARKED);
	go(world, command);
	if (command->brief)
		end(world, command);
}

static void begin(struct world *world, struct command *command, struct fuzz_input *input)
{
	u8 byte = fuzz_u8(input);

	command->claim = (struct scuse_claim){
		.lba = fuzz_u8(input) & 0x1f,
		.blocks = fuzz_u8(input) & 0x0f,
		.access = byte % (SCUSE_ACCESS_ATOMIC + 1),
	};
	command->brief = byte & 0x80;
	/* As queue.c has it: the tag has left FREE before it asks, and may be resumed while it does. */
	command->phase = PARKED;
	if (!scuse_ranges_concern(&world->ranges, &command->claim) ||
	    !scuse_ranges_wait(&world->ranges, &command->claim))
		go(world, command);
}

static void check_progress(const struct world *world)
{
	bool going = false, parked = false;

	for (int i = 0; i < COMMANDS; i++) {
		going |= world->commands[i].phase == GOING;
		parked |= world->commands[i].phase == PARKED;
	}
	fuzz_check(going || !parked);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct world world = { .commands = { { .phase = IDLE } } };

	scuse_ranges_init(&world.ranges, busy, resume);
	for (int i = 0; i < STEPS && input.left; i++) {
		struct command *command = &world.commands[fuzz_u8(&input) % COMMANDS];

		if (command->phase == IDLE)
			begin(&world, command, &input);
		else if (command->phase == GOING)
			end(&world, command);
		check_progress(&world);
	}
	for (int i = 0; i < COMMANDS * COMMANDS; i++)
		if (world.commands[i % COMMANDS].phase == GOING)
			end(&world, &world.commands[i % COMMANDS]);
	for (int i = 0; i < COMMANDS; i++)
		fuzz_check(world.commands[i].phase == IDLE);
	fuzz_check(!atomic_read(&world.ranges.exclusive) && !atomic_read(&world.ranges.waiting));
	fuzz_check(list_empty(&world.ranges.list));
	return 0;
}
