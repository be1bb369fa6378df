// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A vtape cartridge when the machine fails.  fdatasync() is replaced by one that remembers the file as it is
 * then; after a failure each sector is either that of the latest fdatasync() or the newest one, at random.
 * What a new drive finds must be the beginning of what was on the tape at some time since the latest flush,
 * and contain all that was flushed.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vtape_rig.h"

#define GOOD	    0
#define BLANK_CHECK 0x080005
#define FILEMARK    0x000001
#define OBJECTS	    64
#define VERSIONS    256
#define LONGEST	    1500
#define SECTOR	    512
#define ROUNDS	    2000
#define STEPS	    25

struct object {
	uint32_t length; /* 0: a filemark */
	unsigned char seed;
};

struct content {
	struct object object[OBJECTS];
	unsigned int count;
};

/* What was on the tape since the latest flush, the oldest first; `flushed` objects of all are durable. */
struct history {
	struct content version[VERSIONS];
	unsigned int versions;
	unsigned int flushed;
	unsigned int at;
	unsigned int seed;
};

/* The file at the latest fdatasync(). */
static unsigned char *durable;
static size_t durable_length;

extern int __wrap_fdatasync(int fd);

int __wrap_fdatasync(int fd)
{
	off_t length = lseek(fd, 0, SEEK_END);

	durable = g_realloc(durable, (gsize)length);
	durable_length = (size_t)length;
	cr_assert_eq(pread(fd, durable, durable_length, 0), (ssize_t)length);
	return 0;
}

static unsigned int pick(struct history *history, unsigned int below)
{
	history->seed = history->seed * 1103515245 + 12345;
	return (history->seed >> 8) % below;
}

static struct content *latest(struct history *history)
{
	return &history->version[history->versions - 1];
}

/* The next version: up to the position as the latest one, and then these. */
static void append(struct history *history, uint32_t length, unsigned char seed)
{
	struct content next = *latest(history);

	cr_assert(history->versions < VERSIONS && history->at < OBJECTS);
	next.object[history->at] = (struct object){ .length = length, .seed = seed };
	next.count = history->at + 1;
	history->flushed = MIN(history->flushed, history->at);
	history->at++;
	history->version[history->versions++] = next;
}

static void flushed(struct history *history)
{
	history->version[0] = *latest(history);
	history->versions = 1;
	history->flushed = history->version[0].count;
}

/* ---- what happens on the tape ---- */

static void fill(unsigned char *data, unsigned char seed, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		data[i] = (unsigned char)(seed + i * 17);
}

static void write_record(struct history *history, struct tape *tape)
{
	/*
	 * Few lengths and contents: old objects often begin where new ones end, and new ones equal old
	 * ones.
	 */
	uint32_t length = pick(history, 8) ? 464 : 1 + pick(history, LONGEST);
	unsigned char data[LONGEST], seed = (unsigned char)pick(history, 2);

	fill(data, seed, length);
	cr_assert_eq(tape_write(tape, data, length), GOOD);
	append(history, length, seed);
}

static void step(struct history *history, struct tape *tape)
{
	switch (history->at >= OBJECTS - 4 ? 9 : pick(history, 10)) {
	case 0:
	case 1:
		cr_assert_eq(tape_marks(tape, 1), GOOD);
		append(history, 0, 0);
		flushed(history);
		break;
	case 2: /* IMMED */
		cr_assert_eq(tape_cdb(tape, 0, 0x10, 1, 0, 0, 1, 0), GOOD);
		append(history, 0, 0);
		break;
	case 9:
		history->at = pick(history, latest(history)->count + 1);
		cr_assert_eq(tape_locate(tape, history->at), GOOD);
		flushed(history);
		if (history->at >= OBJECTS - 4) {
			history->at = 0;
			cr_assert_eq(tape_rewind(tape), GOOD);
		}
		break;
	default:
		write_record(history, tape);
	}
}

/* ---- the failure, and what is found ---- */

static void fail_machine(struct history *history, struct tape *tape)
{
	g_autofree unsigned char *newest = NULL;
	g_autofree unsigned char *mixture = NULL;
	size_t newest_length, length;

	cr_assert(g_file_get_contents(tape->path, (char **)&newest, &newest_length, NULL));
	length = pick(history, 2) ? newest_length : durable_length;
	mixture = g_malloc0(length);
	for (size_t at = 0; at < length; at += SECTOR) {
		bool new = pick(history, 2);
		const unsigned char *from = new ? newest : durable;
		size_t end = MIN(new ? newest_length : durable_length, MIN(at + SECTOR, length));

		if (at < end)
			memcpy(mixture + at, from + at, end - at);
	}
	tape_close(tape);
	cr_assert(g_file_set_contents(tape->path, (char *)mixture, (gssize)length, NULL));
}

static bool same(const struct object *object, const struct tape *tape)
{
	unsigned char data[LONGEST];

	if (!object->length)
		return tape->sense == FILEMARK && tape->status;
	fill(data, object->seed, object->length);
	return !(tape->status && tape->sense) && tape->data_in == object->length &&
	       memcmp(tape->data, data, object->length) == 0;
}

/* Reads the whole tape.  Bit i of *candidates: it can be version i.  Returns how many objects there are. */
static unsigned int read_back(struct history *history, struct tape *tape, bool *candidates)
{
	unsigned int count = 0;

	for (; count <= OBJECTS; count++) {
		tape_read(tape, LONGEST);
		if (tape->sense == BLANK_CHECK)
			return count;
		for (unsigned int i = 0; i < history->versions; i++)
			if (candidates[i])
				candidates[i] = count < history->version[i].count &&
						same(&history->version[i].object[count], tape);
	}
	cr_assert_fail("the tape does not end");
	return 0;
}

static void check(struct history *history, struct tape *tape, unsigned int round)
{
	bool candidates[VERSIONS], found = false;
	unsigned int count;

	memset(candidates, 1, sizeof(candidates));
	cr_assert_eq(tape_rewind(tape), GOOD);
	count = read_back(history, tape, candidates);
	for (unsigned int i = 0; i < history->versions; i++)
		found |= candidates[i];
	cr_assert(found, "round %u: %u objects that were never there", round, count);
	cr_assert(count >= history->flushed, "round %u: %u objects of %u that were flushed", round, count,
		  history->flushed);
}

/* The tape goes on from what was found: the model must know. */
static void adopt(struct history *history, struct tape *tape)
{
	cr_assert_eq(tape_rewind(tape), GOOD);
	cr_assert_eq(tape_cdb(tape, 0, 0x19, 0, 0, 0, 0, 0), GOOD);
	history->versions = 1;
	history->version[0].count = history->flushed = history->at = 0;
}

Test(vtape_power, sectors_lost_in_any_order)
{
	struct history *history = g_new0(struct history, 1);
	struct tape *tape = tape_new("capacity=4M");

	history->seed = 5;
	history->versions = 1;
	for (unsigned int round = 0; round < ROUNDS; round++) {
		unsigned int steps = 1 + pick(history, STEPS);

		for (unsigned int i = 0; i < steps; i++)
			step(history, tape);
		fail_machine(history, tape);
		tape = tape_again(tape, "");
		check(history, tape, round);
		adopt(history, tape);
	}
	tape_free(tape);
	g_free(history);
	g_free(durable);
}
