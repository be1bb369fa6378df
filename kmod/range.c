// SPDX-License-Identifier: GPL-2.0-only
/*
 * The list of claims (range.h).  Pure but for lock, list and counters, so that the unit tests can run it in
 * userspace.  Called by queue.c in process context, with no locks held.
 */
#include "range.h"

void scuse_ranges_init(struct scuse_ranges *ranges,
		       bool (*busy)(struct scuse_ranges *ranges, const struct scuse_claim *claim),
		       void (*resume)(struct scuse_ranges *ranges, struct scuse_claim *claim))
{
	spin_lock_init(&ranges->lock);
	INIT_LIST_HEAD(&ranges->list);
	atomic_set(&ranges->exclusive, 0);
	atomic_set(&ranges->waiting, 0);
	ranges->running = false;
	ranges->again = false;
	ranges->busy = busy;
	ranges->resume = resume;
}

/* Does anything in the list, up to @claim if that is listed, conflict with it?  lock is held. */
static bool scuse_claim_blocked(struct scuse_ranges *ranges, const struct scuse_claim *claim)
{
	struct scuse_claim *other;

	list_for_each_entry(other, &ranges->list, node) {
		if (other == claim)
			break;
		if (scuse_claims_conflict(other, claim))
			return true;
	}
	return false;
}

/* lock is held; @claim is WAITING. */
static bool scuse_claim_may_go(struct scuse_ranges *ranges, const struct scuse_claim *claim)
{
	return !scuse_claim_blocked(ranges, claim) &&
	       (!scuse_claim_exclusive(claim) || !ranges->busy(ranges, claim));
}

/* lock is held; @claim is WAITING. */
static void scuse_claim_grant(struct scuse_ranges *ranges, struct scuse_claim *claim)
{
	atomic_dec(&ranges->waiting);
	if (scuse_claim_exclusive(claim)) {
		claim->state = SCUSE_CLAIM_ACTIVE;
		return;
	}
	list_del(&claim->node);
	claim->state = SCUSE_CLAIM_LOOSE;
}

/*
 * scuse_ranges_wait - must the command of @claim wait?
 *
 * False: go on.  True: it has been parked, may be resumed and be over already, and nothing of it may be
 * touched any more.  The caller has written down all that is needed to resume it, and is under
 * rcu_read_lock(), since the device may go with the command.
 *
 * Who parks a plain command has to run the list: an exclusive claim may have waited for that very command,
 * when it looked at its tag.
 */
bool scuse_ranges_wait(struct scuse_ranges *ranges, struct scuse_claim *claim)
{
	bool exclusive = scuse_claim_exclusive(claim);
	bool wait;

	spin_lock(&ranges->lock);
	if (!exclusive && !scuse_claim_blocked(ranges, claim)) {
		spin_unlock(&ranges->lock);
		return false;
	}
	if (exclusive)
		atomic_inc(&ranges->exclusive);
	atomic_inc(&ranges->waiting);
	smp_mb__after_atomic(); /* before the look at all tags; see range.h */
	claim->state = SCUSE_CLAIM_WAITING;
	list_add_tail(&claim->node, &ranges->list);
	wait = !exclusive || !scuse_claim_may_go(ranges, claim);
	if (!wait)
		scuse_claim_grant(ranges, claim);
	spin_unlock(&ranges->lock);
	if (wait)
		scuse_ranges_run(ranges);
	return wait;
}

/*
 * scuse_ranges_evict - take a WAITING claim that is @unwanted out of the list; NULL: there is none
 *
 * The caller ends its command; scuse_ranges_left() must follow.
 */
struct scuse_claim *scuse_ranges_evict(struct scuse_ranges *ranges,
				       bool (*unwanted)(const struct scuse_claim *claim))
{
	struct scuse_claim *claim, *found = NULL;

	if (!atomic_read(&ranges->waiting))
		return NULL;
	spin_lock(&ranges->lock);
	list_for_each_entry(claim, &ranges->list, node) {
		if (claim->state == SCUSE_CLAIM_WAITING && unwanted(claim)) {
			found = claim;
			break;
		}
	}
	if (found) {
		list_del(&found->node);
		found->state = SCUSE_CLAIM_LOOSE;
		atomic_dec(&ranges->waiting);
		if (scuse_claim_exclusive(found))
			atomic_dec(&ranges->exclusive);
	}
	spin_unlock(&ranges->lock);
	return found;
}

/* The command of @claim is over; its tag is still in KERNEL state.  scuse_ranges_left() must follow. */
void scuse_ranges_leave(struct scuse_ranges *ranges, struct scuse_claim *claim)
{
	/* ACTIVE or not is the tag owner's own doing, and cannot change under it. */
	if (!scuse_claim_exclusive(claim) || claim->state != SCUSE_CLAIM_ACTIVE)
		return;
	spin_lock(&ranges->lock);
	list_del(&claim->node);
	claim->state = SCUSE_CLAIM_LOOSE;
	atomic_dec(&ranges->exclusive);
	spin_unlock(&ranges->lock);
}

/* The first claim that may go, granted; NULL if there is none.  lock is held. */
static struct scuse_claim *scuse_ranges_next(struct scuse_ranges *ranges)
{
	struct scuse_claim *claim;

	list_for_each_entry(claim, &ranges->list, node) {
		if (claim->state == SCUSE_CLAIM_WAITING && scuse_claim_may_go(ranges, claim)) {
			scuse_claim_grant(ranges, claim);
			return claim;
		}
	}
	return NULL;
}

/*
 * scuse_ranges_run - grant all claims that may go
 *
 * A resumed command may be over at once, and its end comes here again; the first one in does the work
 * for all, so that the stack does not grow with the list.
 */
void scuse_ranges_run(struct scuse_ranges *ranges)
{
	struct scuse_claim *claim;

	spin_lock(&ranges->lock);
	ranges->again = true;
	if (ranges->running) {
		spin_unlock(&ranges->lock);
		return;
	}
	ranges->running = true;
	while (ranges->again) {
		ranges->again = false;
		claim = scuse_ranges_next(ranges);
		if (!claim)
			continue;
		ranges->again = true;
		spin_unlock(&ranges->lock);
		ranges->resume(ranges, claim);
		spin_lock(&ranges->lock);
	}
	ranges->running = false;
	spin_unlock(&ranges->lock);
}
