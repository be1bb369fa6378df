// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: unit attentions in the books of several nexuses (kmod/ua.c).  An input is a sequence of events:
 * a condition is raised for all or for one nexus, or a nexus asks.
 *
 * Promises: a nexus is told of a code only if it has been raised since it was told last, and not by itself;
 * telling ends; the list of what is pending agrees with what is told.
 */
#include "fuzz.h"
#include "ua.h"

#define NEXUSES 3
#define CODES	64
#define STEPS	300

static struct scuse_ua_code code_of(u8 byte)
{
	/* 29h to 3Fh: all ranks. */
	return (struct scuse_ua_code){ .asc = 0x28 + byte % 8 * 3, .ascq = byte / 8 % 8 };
}

static int number_of(const struct scuse_ua_code *code)
{
	return (code->asc - 0x28) / 3 + code->ascq * 8;
}

struct world {
	struct scuse_ua_log log;
	struct scuse_ua_reader readers[NEXUSES];
	bool raised[NEXUSES][CODES];
};

static void raise_all(struct world *world, struct fuzz_input *input, u64 time)
{
	struct scuse_ua_code code = code_of(fuzz_u8(input));
	u32 spared = fuzz_u8(input) % (NEXUSES + 1);

	scuse_ua_log_add(&world->log, code.asc, code.ascq, spared, time);
	fuzz_check(scuse_ua_log_after(&world->log, time) <= world->log.next);
	for (u32 i = 0; i < NEXUSES; i++)
		if (i + 1 != spared)
			world->raised[i][number_of(&code)] = true;
}

/* One more than the readers' own table has room for gives up the least severe. */
static void raise_one(struct world *world, struct fuzz_input *input)
{
	struct scuse_ua_code code = code_of(fuzz_u8(input));
	u32 i = fuzz_u8(input) % NEXUSES;

	scuse_ua_own(&world->readers[i], &world->log, code.asc, code.ascq);
	world->raised[i][number_of(&code)] = true;
}

static void tell(struct world *world, u32 i, int most)
{
	struct scuse_ua_reader *reader = &world->readers[i];
	struct scuse_ua_code listed[CODES + 1], code;
	u32 count = scuse_ua_list(reader, &world->log, listed, CODES + 1);

	fuzz_check(count <= CODES);
	for (u32 told = 0; most--; told++) {
		if (!scuse_ua_first(reader, &world->log, &code)) {
			fuzz_check(told == count);
			fuzz_check(!scuse_ua_pending(reader, &world->log));
			return;
		}
		fuzz_check(told < count && scuse_ua_pending(reader, &world->log));
		fuzz_check(code.asc == listed[told].asc && code.ascq == listed[told].ascq);
		fuzz_check(world->raised[i][number_of(&code)]);
		world->raised[i][number_of(&code)] = false;
		scuse_ua_clear(reader, &world->log, &code);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct world world = { .raised = { { false } } };

	scuse_ua_log_init(&world.log);
	for (u32 i = 0; i < NEXUSES; i++)
		scuse_ua_reader_init(&world.readers[i], i + 1, world.log.next);
	for (int i = 0; i < STEPS && input.left; i++) {
		u8 byte = fuzz_u8(&input);

		switch (byte % 4) {
		case 0:
		case 1:
			raise_all(&world, &input, (u64)i / 2);
			break;
		case 2:
			raise_one(&world, &input);
			break;
		default:
			tell(&world, byte / 4 % NEXUSES, byte & 0x80 ? CODES + 1 : 1);
		}
	}
	for (u32 i = 0; i < NEXUSES; i++)
		tell(&world, i, CODES + 1);
	return 0;
}
