/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The state machine of a tag: who may touch a command and its slots.  Pure: no locks, no kernel
 * objects, so that the unit tests can run it in userspace.  Used by queue.c and reap.c.
 *
 *	                          renew (generation+1)
 *	                          +--+
 *	            take          |  v      publish
 *	   FREE ------------> KERNEL ---------------------> USER ----------> QUARANTINED
 *	    ^  (generation+1)   | ^                          |   quarantine      |
 *	    |                   | |          claim           |                   |
 *	    +-------------------+ +--------------------------+                   |
 *	    ^       release         (completion, session's end)                  |
 *	    +--------------------------------------------------------------------+
 *	                               release
 *
 * State and generation live in one 64-bit word and change together by compare-and-exchange.  Whoever
 * wins the exchange owns the tag; whoever loses it must not touch anything that belongs to it.  That is
 * what makes a double completion, or a completion against an abort, harmless: exactly one of them wins.
 *
 * QUARANTINED (revoke.c) is for commands of a process that was killed and does not end.  Who took the tag there
 * ends the command as if it had completed, but gives nothing back; that is for the end of the process to do.
 *
 * The generation changes each time that a tag is taken, and again before each further submission of a
 * command that needs several (step.h), so that a second completion of one submission cannot complete the
 * next.  It is never 0, so that no valid 64-bit tag of the ring is 0.
 *
 * tests/model/tag.pml is a model of it, with the sessions around it; wake.pml is one of the wake-ups.
 */
#ifndef SCUSE_TAG_H
#define SCUSE_TAG_H

#include "shim.h"

enum scuse_tag_state {
	SCUSE_TAG_FREE = 0,	   /* on the queue's stack of free tags */
	SCUSE_TAG_KERNEL = 1,	   /* a submitter or a completer of ours works on it */
	SCUSE_TAG_USER = 2,	   /* published; userspace has the slots */
	SCUSE_TAG_QUARANTINED = 3, /* its command has been ended, but userspace may still touch the slots */
};

#define SCUSE_TAG_STATE_MASK 3u

struct scuse_tag_cell {
	atomic64_t word;
};

static inline u64 scuse_tag_word(u32 generation, enum scuse_tag_state state)
{
	return ((u64)generation << 32) | (u64)state;
}

static inline u32 scuse_tag_word_generation(u64 word)
{
	return (u32)(word >> 32);
}

static inline enum scuse_tag_state scuse_tag_word_state(u64 word)
{
	return (enum scuse_tag_state)(word & SCUSE_TAG_STATE_MASK);
}

/* Is a command under way with the tag? */
static inline bool scuse_tag_under_way(u64 word)
{
	return scuse_tag_word_state(word) == SCUSE_TAG_KERNEL || scuse_tag_word_state(word) == SCUSE_TAG_USER;
}

static inline void scuse_tag_init(struct scuse_tag_cell *cell)
{
	atomic64_set(&cell->word, (s64)scuse_tag_word(0, SCUSE_TAG_FREE));
}

static inline u64 scuse_tag_read(const struct scuse_tag_cell *cell)
{
	return (u64)atomic64_read(&cell->word);
}

/* Generation after @generation; skips 0. */
static inline u32 scuse_tag_next_generation(u32 generation)
{
	generation++;
	return generation ? generation : 1;
}

/* True for the edges of the drawing above, but for the one that changes the generation. */
static inline bool scuse_tag_edge(enum scuse_tag_state from, enum scuse_tag_state to)
{
	switch (from) {
	case SCUSE_TAG_KERNEL:
		return to == SCUSE_TAG_USER || to == SCUSE_TAG_FREE;
	case SCUSE_TAG_USER:
		return to == SCUSE_TAG_KERNEL || to == SCUSE_TAG_QUARANTINED;
	case SCUSE_TAG_QUARANTINED:
		return to == SCUSE_TAG_FREE;
	default:
		return false;
	}
}

/*
 * scuse_tag_move - take the edge from @from to @to
 *
 * False if the drawing has no such edge, or if the tag is not in state @from with @generation (any
 * more). Orders like any successful compare-and-exchange: fully.
 */
static inline bool scuse_tag_move(struct scuse_tag_cell *cell, u32 generation, enum scuse_tag_state from,
				  enum scuse_tag_state to)
{
	s64 old = (s64)scuse_tag_word(generation, from);

	if (!scuse_tag_edge(from, to))
		return false;
	return atomic64_cmpxchg(&cell->word, old, (s64)scuse_tag_word(generation, to)) == old;
}

/* scuse_tag_take - FREE to KERNEL; returns the new generation, or 0 if the tag was not free */
static inline u32 scuse_tag_take(struct scuse_tag_cell *cell)
{
	u64 word = scuse_tag_read(cell);
	u32 generation = scuse_tag_next_generation(scuse_tag_word_generation(word));
	u64 next = scuse_tag_word(generation, SCUSE_TAG_KERNEL);

	if (scuse_tag_word_state(word) != SCUSE_TAG_FREE)
		return 0;
	if (atomic64_cmpxchg(&cell->word, (s64)word, (s64)next) != (s64)word)
		return 0;
	return generation;
}

/*
 * scuse_tag_renew - a new generation for a tag that stays in KERNEL state
 *
 * Returns the new generation, or 0 if the tag was not in KERNEL state with @generation.
 */
static inline u32 scuse_tag_renew(struct scuse_tag_cell *cell, u32 generation)
{
	s64 old = (s64)scuse_tag_word(generation, SCUSE_TAG_KERNEL);
	u32 next = scuse_tag_next_generation(generation);

	if (atomic64_cmpxchg(&cell->word, old, (s64)scuse_tag_word(next, SCUSE_TAG_KERNEL)) != old)
		return 0;
	return next;
}

#endif /* SCUSE_TAG_H */
