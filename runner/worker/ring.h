/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Userspace's side of one queue's ring: pure index and barrier rules over mapped memory, as scuse/abi.h
 * states them.  No system call is made here; queue.c makes them, the unit tests do without.
 *
 * OWNERSHIP	sq_head belongs to the queue's thread.  cq_tail belongs to whoever holds the queue's
 *		completion lock (cq_lock in dev.h): completions come from any thread.
 * BARRIERS	All accesses to the shared indices are atomic builtins, never volatile, and no stand-alone
 *		fences, so that ThreadSanitizer understands them.  Where the ABI asks for a full barrier
 *		between a store and a load, both are sequentially consistent.
 */
#ifndef WORKER_RING_H
#define WORKER_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <scuse/abi.h>

/* One queue's mappings, by enum scuse_region. */
struct ring_regions {
	void *address[SCUSE_REGIONS];
	uint64_t size[SCUSE_REGIONS];
};

struct ring {
	const struct scuse_queue_kernel *kernel;
	struct scuse_queue_user *user;
	const struct scuse_sqe *sqes;
	struct scuse_cqe *cqes;
	const uint8_t *cdbs;
	uint8_t *senses;
	uint8_t *datas;
	uint32_t sq_mask, cq_mask;
	uint32_t depth, slot_size;
	uint32_t sq_head;      /* queue's thread */
	uint32_t cq_tail;      /* completion lock */
	uint32_t cq_published; /* completion lock */
};

/* Checks the geometry that the kernel wrote and takes over the indices.  NULL, or what is wrong with it. */
const char *ring_init(struct ring *ring, const struct ring_regions *regions);

/* How many submissions wait.  The entries are valid until ring_advance(). */
uint32_t ring_waiting(const struct ring *ring);
/* The i-th waiting entry, copied: the array belongs to the kernel again after ring_advance(). */
void ring_peek(const struct ring *ring, uint32_t i, struct scuse_sqe *sqe);
/* Tells the kernel that `count` entries have been taken. */
void ring_advance(struct ring *ring, uint32_t count);

void ring_push(struct ring *ring, const struct scuse_cqe *cqe);
/* Publishes what was pushed.  True: an ENTER must follow, since nobody in the kernel is going to look. */
bool ring_publish(struct ring *ring);

/* Before a sleep in poll(): announce it.  False: there is work, do not sleep (and nothing is announced). */
bool ring_sleep_begin(struct ring *ring);
void ring_sleep_end(struct ring *ring);
/* Has the kernel said that no more commands will come? */
bool ring_stopped(const struct ring *ring);

static inline uint8_t *ring_data(const struct ring *ring, uint32_t index)
{
	return ring->datas + (size_t)index * ring->slot_size;
}

static inline uint8_t *ring_sense(const struct ring *ring, uint32_t index)
{
	return ring->senses + (size_t)index * SCUSE_SENSE_STRIDE;
}

static inline const uint8_t *ring_cdb(const struct ring *ring, uint32_t index)
{
	return ring->cdbs + (size_t)index * SCUSE_CDB_STRIDE;
}

#endif /* WORKER_RING_H */
