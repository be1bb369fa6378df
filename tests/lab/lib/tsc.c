// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Prints how many thousand times a second this machine's time-stamp counter ticks; clock.sh says what for.
 *
 * Counter and clock are read together many times; of the pairs the one with the least time between is taken,
 * so that being off the CPU in between spoils nothing.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <x86intrin.h>

#define PAIRS 1000
#define PAUSE 300000000 /* nanoseconds between the two readings that are compared */

struct reading {
	uint64_t ticks;
	int64_t nanoseconds;
};

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC_RAW, &time);
	return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static struct reading take_reading(void)
{
	struct reading best = { 0 };
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < PAIRS; i++) {
		uint64_t before = __rdtsc();
		int64_t time = now();
		uint64_t after = __rdtsc();

		if (after - before >= least)
			continue;
		least = after - before;
		best = (struct reading){ .ticks = before + least / 2, .nanoseconds = time };
	}
	return best;
}

int main(void)
{
	struct timespec pause = { .tv_nsec = PAUSE };
	struct reading first = take_reading(), last;

	nanosleep(&pause, NULL);
	last = take_reading();
	printf("%.0f\n", (double)(last.ticks - first.ticks) * 1e6 / (double)(last.nanoseconds - first.nanoseconds));
	return 0;
}
