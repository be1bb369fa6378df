/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unit attention conditions (SAM-5 5.14) of one logical unit: a log that all I_T nexuses read.  Pure: no
 * kernel objects, so that it is tested in userspace.  nexus.c is the only caller in the module, and locks.
 *
 *	      fallen out            the last SCUSE_UA_EVENTS
 *	. . . . . . . . . . . .  [ e | e | e | e | e | e ]
 *	   lost[]: last of each     ^               ^     ^
 *	   additional sense code    reader A        B     next
 *
 * Raising a condition writes one event and gives it the next sequence number: the cost does not depend on
 * the number of nexuses, and no memory is needed.  An event concerns every nexus but the one that it
 * spares. A nexus has a reader: the number up to which everything has been dealt with, and a bit for each
 * event after that which has been told out of order.  "Is something pending" is one comparison.
 *
 * Told first is what SAM-5's table of precedence puts first, among equals what was raised first.  Events
 * with the same additional sense code are told together, once.
 *
 * A nexus that stays silent for long loses events from the log.  For each additional sense code the log
 * keeps the last event that fell out (and the last one that spares another nexus), so the reader still
 * finds every code that it missed.  With more than SCUSE_UA_CODES codes the least severe are given up,
 * never the most severe one.
 */
#ifndef SCUSE_UA_H
#define SCUSE_UA_H

#include "shim.h"

#define SCUSE_UA_EVENTS 64 /* the bits of a reader's map */
#define SCUSE_UA_CODES	16 /* additional sense codes that are kept apart; more than the module raises */

struct scuse_ua_event {
	u64 sequence; /* from 1 on; 0: no event */
	u64 time;     /* in the caller's unit, never decreasing */
	u32 spared;   /* id of the nexus that is not told; 0: none */
	u8 asc;
	u8 ascq;
};

/* Events of one additional sense code that fell out of the log; they spare different nexuses. */
struct scuse_ua_lost {
	struct scuse_ua_event last;
	struct scuse_ua_event other; /* the last before it that spares another nexus or none */
};

struct scuse_ua_log {
	u64 next; /* sequence number of the next event */
	u32 nr_lost;
	struct scuse_ua_event events[SCUSE_UA_EVENTS]; /* by sequence number, modulo */
	struct scuse_ua_lost lost[SCUSE_UA_CODES];
};

/* A condition that one nexus has for itself. */
struct scuse_ua_own {
	u64 sequence; /* of the log's next event when it came: its age */
	u8 asc;
	u8 ascq;
};

struct scuse_ua_reader {
	u32 nexus; /* id, not 0 */
	u32 nr_own;
	u64 next;    /* all events before this one have been dealt with */
	u64 told;    /* bit (sequence mod 64): told out of order; for events from `next` on */
	u64 settled; /* nothing is pending as long as the log's `next` is this */
	struct scuse_ua_own own[SCUSE_UA_CODES];
};

struct scuse_ua_code {
	u8 asc;
	u8 ascq;
};

void scuse_ua_log_init(struct scuse_ua_log *log);
void scuse_ua_log_add(struct scuse_ua_log *log, u8 asc, u8 ascq, u32 spared, u64 time);

/* The sequence number of the first event after @time, as far as the log knows. */
u64 scuse_ua_log_after(const struct scuse_ua_log *log, u64 time);

/* The event of a sequence number, or NULL if it has fallen out or is still to come. */
const struct scuse_ua_event *scuse_ua_log_event(const struct scuse_ua_log *log, u64 sequence);

/* A reader of nexus @nexus that is told of the events from @next on. */
void scuse_ua_reader_init(struct scuse_ua_reader *reader, u32 nexus, u64 next);

/* May be called without the lock: who raises concurrently is not ordered against the command. */
static inline bool scuse_ua_pending(const struct scuse_ua_reader *reader, const struct scuse_ua_log *log)
{
	return READ_ONCE(reader->settled) != READ_ONCE(log->next);
}

/* Establishes a condition for one nexus alone. */
void scuse_ua_own(struct scuse_ua_reader *reader, const struct scuse_ua_log *log, u8 asc, u8 ascq);

/* The condition to tell next.  False: none is pending. */
bool scuse_ua_first(struct scuse_ua_reader *reader, const struct scuse_ua_log *log,
		    struct scuse_ua_code *code);

/* It has been told: clears the conditions with this code. */
void scuse_ua_clear(struct scuse_ua_reader *reader, const struct scuse_ua_log *log,
		    const struct scuse_ua_code *code);

/* The pending conditions in the order in which they will be told; at most @room.  Clears none. */
u32 scuse_ua_list(const struct scuse_ua_reader *reader, const struct scuse_ua_log *log,
		  struct scuse_ua_code *codes, u32 room);

/* By severity, as SAM-5 orders unit attention conditions: 0 is told first. */
u32 scuse_ua_rank(u8 asc, u8 ascq);

#endif /* SCUSE_UA_H */
