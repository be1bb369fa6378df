/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arithmetic of ring indices.  Pure.  Indices are free-running 32-bit counters; what is here holds
 * across their wrap at 2^32 since the number of entries is a power of two.  Used by queue.c and reap.c.
 */
#ifndef SCUSE_RING_H
#define SCUSE_RING_H

#include "shim.h"

/* Entry of the array that @index stands for. */
static inline u32 scuse_ring_entry(u32 index, u32 entries)
{
	return index & (entries - 1);
}

/*
 * scuse_ring_pending - how many entries userspace has published
 * @head: our own index, @tail: the index that was read, once, from memory that userspace can write
 *
 * False if @tail claims more than the ring can hold: a violation.
 */
static inline bool scuse_ring_pending(u32 head, u32 tail, u32 entries, u32 *count)
{
	*count = tail - head;
	return *count <= entries;
}

/*
 * scuse_ring_advisory_room - may an advisory entry (CANCEL, RESET) be published
 * @tail: our own index, @user_head: what userspace says it has read up to, which may be any number
 *
 * Commands need no room to be checked for: at most @depth of them are unread, since each holds a tag.
 * The other entries - @depth places are for advisory ones.  A userspace that lies about its head spoils
 * advisory entries, or its own view of the ring, and nothing of anybody else.
 */
static inline bool scuse_ring_advisory_room(u32 tail, u32 user_head, u32 entries, u32 depth)
{
	return tail - user_head < entries - depth;
}

#endif /* SCUSE_RING_H */
