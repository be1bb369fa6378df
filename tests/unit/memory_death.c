// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The memory handler's storage when its process is killed at any moment: what the next process finds is what
 * was acknowledged, no atomic write is torn, and the memory in use is accounted for.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "backing.h"
#include "store.h"

#define ROUNDS 40
#define PAGES  24
#define UNIT   (3 * PAGE) /* bytes of a write; they overlap, as offsets are multiples of half a page */
#define HALF   (PAGE / 2)

/* Shared with the process that is killed: what it has begun, and ended. */
struct progress {
	uint32_t begun, ended; /* writes; the n-th has the bytes n % 251 */
};

static unsigned char buffer[UNIT];

static uint64_t offset_of(uint32_t write)
{
	return write * 7919u % (2 * PAGES - 5) * HALF;
}

_Noreturn static void write_on(int fd, struct progress *progress)
{
	struct store *store = store_new(512, 0, fd);
	unsigned char protection[UNIT / 512 * 8];

	for (uint32_t i = progress->begun;; i++) {
		memset(buffer, (int)(i % 251), sizeof(buffer));
		memset(protection, (int)(i % 251), sizeof(protection));
		__atomic_store_n(&progress->begun, i + 1, __ATOMIC_SEQ_CST);
		if (i % 16 == 3)
			store_blank(store, 2 * PAGE, (uint64_t)PAGES * PAGE + i % 3 * PAGE);
		if (i % 16 == 9)
			store_write(store, buffer, NULL, UNIT, (uint64_t)PAGES * PAGE);
		if (store_write_whole(store, buffer, protection, UNIT, offset_of(i)))
			_exit(1);
		__atomic_store_n(&progress->ended, i + 1, __ATOMIC_SEQ_CST);
	}
}

/* The same writes on plain memory: `model` has one byte for half a page, 0: never written. */
static void replay(uint32_t from, uint32_t to, unsigned char *model)
{
	for (uint32_t i = from; i < to; i++)
		memset(model + offset_of(i) / HALF, (int)(i % 251), UNIT / HALF);
}

static bool matches(struct store *store, const unsigned char *model)
{
	static unsigned char data[HALF], protection[HALF / 512 * 8];

	for (uint64_t i = 0; i < 2 * PAGES; i++) {
		store_read(store, data, protection, HALF, i * HALF);
		for (size_t j = 0; j < HALF; j++)
			if (data[j] != model[i])
				return false;
		for (size_t j = 0; j < sizeof(protection); j++)
			if (protection[j] != model[i] && !(protection[j] == 0xff && !model[i]))
				return false;
	}
	return true;
}

/* Pages that have memory in the file, of the first table. */
static uint64_t pages_with_memory(struct store *store)
{
	uint64_t count = 0;

	for (uint64_t i = 0; i < PAGES + 16; i++) {
		off_t start = (off_t)(32 * 1048576 + i * PAGE), at = lseek(store_fd(store), start, SEEK_DATA);

		count += at >= start && at < start + (off_t)PAGE;
	}
	return count;
}

Test(memory_death, loses_nothing_and_tears_nothing, .timeout = 200)
{
	struct progress *progress =
		mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned char model[2 * PAGES] = { 0 }, before[2 * PAGES];
	struct store *store = store_new(512, 0, -1);
	int fd = dup(store_fd(store));
	uint32_t seen = 0;

	store_free(store);
	for (int round = 0; round < ROUNDS; round++) {
		pid_t child = fork();
		uint32_t ended;

		if (!child)
			write_on(dup(fd), progress);
		/* Every other one may also be killed before it has begun, while it recovers. */
		while (round % 2 && __atomic_load_n(&progress->begun, __ATOMIC_SEQ_CST) == seen)
			g_usleep(1000);
		g_usleep((gulong)(2000 + g_random_int_range(0, 20000)));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		store = store_new(512, 0, dup(fd));
		cr_assert_not_null(store);
		/* The last one may have ended, or not; an earlier one like it was decided then. */
		ended = MAX(seen, progress->ended);
		replay(seen, ended, model);
		memcpy(before, model, sizeof(model));
		replay(ended, progress->begun, model);
		if (!matches(store, model)) {
			cr_assert_neq(progress->begun, ended, "round %d: an acknowledged write is lost",
				      round);
			cr_assert(matches(store, before), "round %d: a write is torn", round);
			memcpy(model, before, sizeof(model));
		}
		seen = progress->begun;
		cr_assert_eq(pages_with_memory(store) * PAGE, store_used(store), "memory that nobody counts");
		store_free(store);
	}
	cr_expect_geq(seen, ROUNDS / 2);
	close(fd);
}
