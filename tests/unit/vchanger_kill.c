// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Changer and drives are killed at any moment, while cartridges are moved: afterwards each cartridge is in
 * exactly one element, its file in one folder, and the drives have what the library says.
 *
 *	test --- kill, start again ---> changer: random moves
 *	     '-- kill, start again ---> drive 0, drive 1
 */
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../handlers/vchanger/watch.h"
#include "vchanger_fixture.h"

#define CARTRIDGES 4
#define PROCESSES  3
#define ROUNDS	   30

/* Shared by the processes; atomic. */
struct counts {
	unsigned int moves;	       /* that succeeded */
	unsigned int ready[PROCESSES]; /* how often each has come so far as to do its work */
};

static struct counts *counts;

TestSuite(kill, .init = fixture_set_up, .fini = fixture_tear_down, .timeout = 600);

static unsigned int any_address(unsigned int *seed)
{
	static const unsigned int all[] = { SLOT(1),  SLOT(2),	SLOT(3), SLOT(4),
					    DRIVE(0), DRIVE(1), PORT(1), PORT(2) };

	return all[(unsigned int)rand_r(seed) % G_N_ELEMENTS(all)];
}

static void be_changer(unsigned int seed)
{
	struct library *library = fixture_open();
	struct watch *watch = watch_start(library, fixture_path);

	cr_assert_not_null(watch);
	__atomic_fetch_add(&counts->ready[0], 1, __ATOMIC_RELAXED);
	for (;;) {
		unsigned int source = any_address(&seed), first = any_address(&seed);
		enum library_result result =
			rand_r(&seed) % 4 ? library_move(library, source, first, false)
					  : library_exchange(library, source, first, source, false);

		if (result == LIBRARY_OK)
			__atomic_fetch_add(&counts->moves, 1, __ATOMIC_RELAXED);
	}
}

static void be_drive(unsigned int number)
{
	struct fake_drive drive;

	fake_drive_start(&drive, number);
	__atomic_fetch_add(&counts->ready[1 + number], 1, __ATOMIC_RELAXED);
	for (;;)
		pause();
}

/* Starts process `which`, and waits until it works. */
static pid_t start(unsigned int which, unsigned int seed)
{
	unsigned int before = __atomic_load_n(&counts->ready[which], __ATOMIC_RELAXED);
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (which)
			be_drive(which - 1);
		else
			be_changer(seed);
	}
	for (int i = 0; i < 3000 && __atomic_load_n(&counts->ready[which], __ATOMIC_RELAXED) == before; i++)
		g_usleep(10000);
	cr_assert_neq(__atomic_load_n(&counts->ready[which], __ATOMIC_RELAXED), before, "%u does not start",
		      which);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* With no changer alive. */
static void check_library(void)
{
	struct library *library = fixture_open();
	unsigned int seen[CARTRIDGES] = { 0 };

	for (unsigned int i = 0; i < library_count(library, ELEMENT_ALL); i++) {
		struct library_element element;

		library_element(library, i, &element);
		if (!element.full)
			continue;
		cr_assert(element.volume[0] >= 'A' && element.volume[0] < 'A' + CARTRIDGES);
		seen[element.volume[0] - 'A']++;
		cr_expect(fixture_has(element.type == ELEMENT_PORT ? "mail" : "cartridges", element.volume));
		cr_expect_not(
			fixture_has(element.type == ELEMENT_PORT ? "cartridges" : "mail", element.volume));
	}
	for (int i = 0; i < CARTRIDGES; i++)
		cr_expect_eq(seen[i], 1, "cartridge %c is in %u elements", 'A' + i, seen[i]);
	library_close(library);
}

/* With drives alive, and no changer: they have what the state says, as soon as they were told. */
static void check_drives(void)
{
	struct library *library = fixture_open();

	for (unsigned int i = 0; i < library_count(library, ELEMENT_ALL); i++) {
		struct library_element element;
		struct link_status status;

		library_element(library, i, &element);
		if (element.type != ELEMENT_DRIVE)
			continue;
		cr_expect_not(element.exception, "drive %u: %02x/%02x", element.address, element.asc,
			      element.ascq);
		cr_expect_eq(link_status(fixture_path, element.address - ADDRESS_DRIVE, &status), 0);
		cr_expect_str_eq(status.name, element.volume);
	}
	library_close(library);
}

static void kill_some(pid_t pids[PROCESSES], unsigned int *seed)
{
	for (int round = 0; round < ROUNDS; round++) {
		unsigned int victim = (unsigned int)rand_r(seed) % PROCESSES;

		g_usleep((unsigned int)rand_r(seed) % 30000);
		end(pids[victim]);
		if (victim == 0)
			check_library();
		pids[victim] = start(victim, (unsigned int)rand_r(seed));
	}
}

Test(kill, a_cartridge_is_in_exactly_one_element)
{
	unsigned int seed = 1;
	pid_t pids[PROCESSES];

	counts = mmap(NULL, sizeof(*counts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq((void *)counts, MAP_FAILED);
	for (char name[2] = "A"; name[0] < 'A' + CARTRIDGES; name[0]++)
		fixture_put("cartridges", name);
	for (unsigned int i = 0; i < PROCESSES; i++)
		pids[i] = start(i, i);
	kill_some(pids, &seed);
	end(pids[0]);
	check_library();
	check_drives();
	end(pids[1]);
	end(pids[2]);
	cr_expect_gt(counts->moves, ROUNDS, "%u moves only", counts->moves);
	munmap(counts, sizeof(*counts));
}
