/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The rules on commands that wait for a worker (scuse/abi.h, WORKERS THAT DIE).  Pure; the machinery is in
 * orphan.c.
 */
#ifndef SCUSE_ORPHAN_H
#define SCUSE_ORPHAN_H

#include <scuse/abi.h>
#include "shim.h"

#define SCUSE_FENCE_FIRST   10u	   /* milliseconds: the first wait for a dead process's I/O */
#define SCUSE_FENCE_LONGEST 1000u  /* milliseconds: the longest one */
#define SCUSE_FENCE_WARN    10000u /* milliseconds: after that people are told */
#define SCUSE_NO_LIMIT	    (~(u64)0)

/* What becomes of a command that a session leaves behind; also scuse_tag.lost. */
enum scuse_lost {
	SCUSE_LOST_NOT = 0, /* it waits */
	SCUSE_LOST_BUSY,    /* ends with BUSY */
	SCUSE_LOST_ERROR,   /* ends with NOT READY, 04h/00h */
};

/*
 * scuse_orphan_left - milliseconds for which commands may still wait
 * @timeout: orphan_timeout, seconds; -1: no limit
 * @offline: milliseconds since the device went offline
 *
 * 0: no longer; SCUSE_NO_LIMIT: as long as it takes.
 */
static inline u64 scuse_orphan_left(int timeout, u64 offline)
{
	u64 limit = (u64)timeout * 1000;

	if (timeout < 0)
		return SCUSE_NO_LIMIT;
	return offline < limit ? limit - offline : 0;
}

/* May commands wait for a session?  @left is scuse_orphan_left()'s. */
static inline bool scuse_orphan_wait(u8 policy, u64 left)
{
	return policy == SCUSE_ORPHAN_WAIT && left;
}

/*
 * scuse_orphan_fate - what becomes of a command that userspace had when its session ended
 * @safe: the session offered FEATURE_REPLAY_SAFE
 * @parking: commands may wait at the moment
 */
static inline enum scuse_lost scuse_orphan_fate(u8 policy, u8 inflight, bool safe, bool parking)
{
	if (!safe || inflight != SCUSE_INFLIGHT_REPLAY)
		return SCUSE_LOST_BUSY;
	if (policy == SCUSE_ORPHAN_ERROR)
		return SCUSE_LOST_ERROR;
	return policy == SCUSE_ORPHAN_WAIT && parking ? SCUSE_LOST_NOT : SCUSE_LOST_BUSY;
}

/*
 * Was @a handed out before @b?  Positions are those of entries in one submission queue, which wrap; there are
 * never 2^31 between two that userspace has at the same time.
 */
static inline bool scuse_orphan_before(u32 a, u32 b)
{
	return a != b && b - a < 0x80000000u;
}

/* The wait after one of @last milliseconds; 0: the first. */
static inline u32 scuse_fence_next(u32 last)
{
	if (!last)
		return SCUSE_FENCE_FIRST;
	return last < SCUSE_FENCE_LONGEST / 2 ? 2 * last : SCUSE_FENCE_LONGEST;
}

#endif /* SCUSE_ORPHAN_H */
