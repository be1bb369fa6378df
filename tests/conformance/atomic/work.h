/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the nexuses of atomic-check do to one LUN at the same time, and what must come of it.
 *
 * Blocks of the LUN (of 512 bytes):
 *
 *	0..3	  a counter that everybody increments with COMPARE AND WRITE: as many as there were successes
 *	8..11	  likewise, but the first nexus also writes a new epoch over it, with WRITE and WRITE SAME in
 *		  turn: an epoch that has been written never gives way to an earlier one
 *	16..23	  bits, of which each nexus sets its own with ORWRITE: none is lost
 *	64..127	  written by WRITE ATOMIC, each time with one number all over: a READ finds one number
 *
 * One struct worker a thread; what threads share is constant, but for `end`.
 */
#ifndef ATOMIC_WORK_H
#define ATOMIC_WORK_H

#include "transport.h"

#define BLOCK	      512u
#define COUNTER_LBA   0u
#define EPOCH_LBA     8u
#define CELL_BLOCKS   4u
#define BITS_LBA      16u
#define BITS_BLOCKS   8u
#define BITS	      (BITS_BLOCKS * BLOCK * 8u)
#define NUMBER_LBA    64u
#define NUMBER_BLOCKS 64u

struct worker {
	struct transport *transport;
	unsigned index;
	unsigned workers;
	double end;	   /* monotonic, seconds */
	bool write_atomic; /* the LUN has the command */

	/* What came of it. */
	uint64_t increments; /* of the counter */
	uint64_t lost_races; /* COMPARE AND WRITE that found something else */
	uint64_t epochs;
	uint64_t bits; /* that were set */
	uint64_t numbers;
	char failure[200]; /* the first one; empty: none */
};

/* A thread's function; the argument is a struct worker. */
void *work(void *arg);

/* Zeros everywhere, and finds out whether there is WRITE ATOMIC.  False: the LUN cannot be written. */
bool work_prepare(struct transport *transport, bool *write_atomic);

/* The counter's value at the end. */
bool work_counter(struct transport *transport, uint64_t *value);

/* How many of the bits that the workers have set are not set. */
bool work_lost_bits(struct transport *transport, const struct worker *workers, unsigned count,
		    uint64_t *lost);

double work_now(void);

#endif
