/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which commands may be in userspace's hands together.  COMPARE AND WRITE and ORWRITE read, then write, and
 * nobody may write to their blocks between the two; an atomic write is seen by reads wholly or not at all
 * (SBC-3 5.2, 5.12; SBC-4 5.54).  Used by queue.c, which asks here before a command's first submission.
 *
 * Each tag carries a claim: the blocks that its command touches, and how.  Plain reads and writes never
 * conflict among themselves, and are in no list.  An exclusive claim is listed from its first submission to
 * its end; what conflicts with it in the meantime is parked: its tag waits in the list, no thread does.
 *
 *	             enter, no conflict
 *	   LOOSE ------------------------------> (on to userspace)
 *	    ^  |                                       ^
 *	    |  |  enter, a conflict;                   | granted, plain: LOOSE again
 *	    |  |  enter of an exclusive claim          |
 *	    |  +------------------------> WAITING -----+
 *	    |                                          | granted, exclusive
 *	    |          leave                           v
 *	    +--------------------------------------- ACTIVE
 *
 * A WAITING claim whose command has been given up is evicted: it is LOOSE again, and its command ends.
 *
 * ORDER.  The list is in order of arrival.  A listed claim is granted when nothing before it in the list
 * conflicts with it and, if it is exclusive, when no conflicting command that is not listed is under way.
 * So nobody starves, and since a claim only ever waits for earlier ones, and for commands that wait for
 * nobody, there is no deadlock.  A parked command already has its tag: it does not wait for tags either.
 *
 * COST.  Without exclusive claims a command pays one load at its start and one at its end.  Each is
 * the second half of a store-barrier-load pair whose barrier is the change of the tag's state:
 *
 *	plain:     claim written;  tag FREE -> KERNEL (full barrier);  load `exclusive`
 *	exclusive: `exclusive` raised;  full barrier;  look at all tags
 *
 *	plain:     tag KERNEL -> FREE (full barrier);  load `waiting`
 *	exclusive: `waiting` raised;  full barrier;  look at all tags
 *
 * Either the plain command sees the counter, or the exclusive one sees the tag.
 *
 * END OF A SESSION.  Commands that userspace had and that wait for the next session keep their claims, and
 * what waits for them goes on waiting.  What waited for one that ends is granted, finds that the session has
 * ended, and joins them, or ends as the device's policy says (orphan.c).
 */
#ifndef SCUSE_RANGE_H
#define SCUSE_RANGE_H

#include "shim.h"

enum scuse_access {
	SCUSE_ACCESS_NONE = 0,
	SCUSE_ACCESS_READ,
	SCUSE_ACCESS_WRITE,
	/* the exclusive ones */
	SCUSE_ACCESS_UPDATE, /* reads, then writes: nobody else writes meanwhile */
	SCUSE_ACCESS_ATOMIC, /* nobody else reads or writes meanwhile */
};

enum scuse_claim_state {
	SCUSE_CLAIM_LOOSE = 0, /* not listed */
	SCUSE_CLAIM_WAITING,
	SCUSE_CLAIM_ACTIVE,
};

struct scuse_claim {
	/* Written before the tag leaves FREE, constant until it is FREE again. */
	u64 lba;
	u64 blocks;	       /* 0: conflicts with nothing */
	u8 access;	       /* enum scuse_access */
	u8 state;	       /* enum scuse_claim_state; scuse_ranges.lock */
	struct list_head node; /* scuse_ranges.lock */
};

struct scuse_ranges {
	spinlock_t lock;
	struct list_head list; /* of claims that are not LOOSE; lock */
	atomic_t exclusive;    /* exclusive ones in the list; changes under lock */
	atomic_t waiting;      /* WAITING ones in the list; changes under lock */
	bool running;	       /* somebody is in scuse_ranges_run(); lock */
	bool again;	       /* and has to start over; lock */
	/* Is a LOOSE claim under way that conflicts with @claim?  Called with lock held. */
	bool (*busy)(struct scuse_ranges *ranges, const struct scuse_claim *claim);
	/* @claim has been granted: submit its command.  No lock held; process context, does not sleep. */
	void (*resume)(struct scuse_ranges *ranges, struct scuse_claim *claim);
};

static inline bool scuse_claim_exclusive(const struct scuse_claim *claim)
{
	return claim->access >= SCUSE_ACCESS_UPDATE;
}

static inline bool scuse_claims_overlap(const struct scuse_claim *a, const struct scuse_claim *b)
{
	if (!a->blocks || !b->blocks)
		return false;
	if (a->lba <= b->lba)
		return b->lba - a->lba < a->blocks;
	return a->lba - b->lba < b->blocks;
}

/* May the two not be under way together? */
static inline bool scuse_claims_conflict(const struct scuse_claim *a, const struct scuse_claim *b)
{
	u8 more = a->access > b->access ? a->access : b->access;
	u8 less = a->access > b->access ? b->access : a->access;

	if (more < SCUSE_ACCESS_UPDATE || less == SCUSE_ACCESS_NONE)
		return false;
	if (more == SCUSE_ACCESS_UPDATE && less == SCUSE_ACCESS_READ)
		return false;
	return scuse_claims_overlap(a, b);
}

void scuse_ranges_init(struct scuse_ranges *ranges,
		       bool (*busy)(struct scuse_ranges *ranges, const struct scuse_claim *claim),
		       void (*resume)(struct scuse_ranges *ranges, struct scuse_claim *claim));
bool scuse_ranges_wait(struct scuse_ranges *ranges, struct scuse_claim *claim);
struct scuse_claim *scuse_ranges_evict(struct scuse_ranges *ranges,
				       bool (*unwanted)(const struct scuse_claim *claim));
void scuse_ranges_leave(struct scuse_ranges *ranges, struct scuse_claim *claim);
void scuse_ranges_run(struct scuse_ranges *ranges);

/*
 * scuse_ranges_concern - may the command of @claim have to wait?
 *
 * True: scuse_ranges_wait() decides.  False, as nearly always: go on.
 */
static inline bool scuse_ranges_concern(struct scuse_ranges *ranges, const struct scuse_claim *claim)
{
	if (!scuse_claim_exclusive(claim) && !atomic_read(&ranges->exclusive))
		return false;
	return claim->access != SCUSE_ACCESS_NONE;
}

/* After a tag has become FREE: lets go on what waited for it. */
static inline void scuse_ranges_left(struct scuse_ranges *ranges)
{
	if (atomic_read(&ranges->waiting))
		scuse_ranges_run(ranges);
}

#endif /* SCUSE_RANGE_H */
