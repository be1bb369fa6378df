/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Random numbers that repeat with their seed (a Weyl sequence through a mixer of 64 bits).  Not for secrets.
 */
#ifndef FUZZ_RANDOM_H
#define FUZZ_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
	uint64_t mixed = random->state += 0x9e3779b97f4a7c15ULL;

	mixed = (mixed ^ mixed >> 32) * 0xd6e8feb86659fd93ULL;
	mixed = (mixed ^ mixed >> 32) * 0xd6e8feb86659fd93ULL;
	return mixed ^ mixed >> 32;
}

/* 0 .. limit - 1 */
static inline uint32_t random_below(struct random *random, uint32_t limit)
{
	return (uint32_t)((random_next(random) >> 32) * limit >> 32);
}

/* True once in `times`. */
static inline int random_once_in(struct random *random, uint32_t times)
{
	return random_below(random, times) == 0;
}

#endif
