// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Userspace's side of one queue's ring.  See ring.h for ownership and barriers, scuse/abi.h for the rules.
 *
 * The kernel is trusted with the contents, but the geometry is checked once: a mismatch of versions should
 * be a message, not a crash.
 */
#include "ring.h"

#include <string.h>

static bool power_of_two(uint32_t value)
{
	return value && !(value & (value - 1));
}

static const char *check_geometry(const struct scuse_queue_kernel *kernel, const struct ring_regions *regions)
{
	const uint64_t *size = regions->size;
	uint64_t depth = kernel->depth;

	if (kernel->magic != SCUSE_ABI_MAGIC)
		return "the ring's magic number is wrong";
	if (kernel->abi_major != SCUSE_ABI_MAJOR)
		return "the ring's ABI version is not the one that scuse-runner was built for";
	if (!power_of_two(kernel->depth) || depth < SCUSE_MIN_DEPTH || depth > SCUSE_MAX_DEPTH)
		return "the ring's depth makes no sense";
	if (!power_of_two(kernel->sq_entries) || kernel->sq_entries < depth ||
	    !power_of_two(kernel->cq_entries) || kernel->cq_entries < depth)
		return "the ring's numbers of entries make no sense";
	if (kernel->sqe_size != sizeof(struct scuse_sqe) || kernel->cqe_size != sizeof(struct scuse_cqe) ||
	    kernel->cdb_stride != SCUSE_CDB_STRIDE || kernel->sense_stride != SCUSE_SENSE_STRIDE)
		return "the ring's entries have other sizes than expected";
	if (kernel->sqe_offset % 64 || kernel->cqe_offset % 32 ||
	    kernel->sqe_offset < sizeof(struct scuse_queue_kernel) ||
	    kernel->cqe_offset < sizeof(struct scuse_queue_user))
		return "the ring's entries lie in the wrong place";
	if (kernel->sqe_offset + (uint64_t)kernel->sq_entries * 64 > size[SCUSE_REGION_KERNEL] ||
	    kernel->cqe_offset + (uint64_t)kernel->cq_entries * 32 > size[SCUSE_REGION_USER] ||
	    depth * SCUSE_CDB_STRIDE > size[SCUSE_REGION_CDB] ||
	    depth * SCUSE_SENSE_STRIDE > size[SCUSE_REGION_SENSE] || !kernel->slot_size ||
	    depth * kernel->slot_size > size[SCUSE_REGION_DATA])
		return "a region of the ring is smaller than its contents";
	return NULL;
}

const char *ring_init(struct ring *ring, const struct ring_regions *regions)
{
	const struct scuse_queue_kernel *kernel = regions->address[SCUSE_REGION_KERNEL];
	const char *wrong;

	if (regions->size[SCUSE_REGION_KERNEL] < sizeof(*kernel) ||
	    regions->size[SCUSE_REGION_USER] < sizeof(struct scuse_queue_user))
		return "a region of the ring is smaller than its header";
	wrong = check_geometry(kernel, regions);
	if (wrong)
		return wrong;
	memset(ring, 0, sizeof(*ring));
	ring->kernel = kernel;
	ring->user = regions->address[SCUSE_REGION_USER];
	ring->sqes = (const void *)((const char *)kernel + kernel->sqe_offset);
	ring->cqes = (void *)((char *)ring->user + kernel->cqe_offset);
	ring->cdbs = regions->address[SCUSE_REGION_CDB];
	ring->senses = regions->address[SCUSE_REGION_SENSE];
	ring->datas = regions->address[SCUSE_REGION_DATA];
	ring->sq_mask = kernel->sq_entries - 1;
	ring->cq_mask = kernel->cq_entries - 1;
	ring->depth = kernel->depth;
	ring->slot_size = kernel->slot_size;
	ring->sq_head = __atomic_load_n(&ring->user->sq_head, __ATOMIC_RELAXED);
	ring->cq_tail = __atomic_load_n(&ring->user->cq_tail, __ATOMIC_RELAXED);
	ring->cq_published = ring->cq_tail;
	return NULL;
}

uint32_t ring_waiting(const struct ring *ring)
{
	uint32_t waiting = __atomic_load_n(&ring->kernel->sq_tail, __ATOMIC_ACQUIRE) - ring->sq_head;

	return waiting <= ring->sq_mask + 1 ? waiting : ring->sq_mask + 1;
}

void ring_peek(const struct ring *ring, uint32_t i, struct scuse_sqe *sqe)
{
	*sqe = ring->sqes[(ring->sq_head + i) & ring->sq_mask];
}

void ring_advance(struct ring *ring, uint32_t count)
{
	ring->sq_head += count;
	__atomic_store_n(&ring->user->sq_head, ring->sq_head, __ATOMIC_RELEASE);
}

void ring_push(struct ring *ring, const struct scuse_cqe *cqe)
{
	ring->cqes[ring->cq_tail & ring->cq_mask] = *cqe;
	ring->cq_tail++;
}

bool ring_publish(struct ring *ring)
{
	if (ring->cq_published == ring->cq_tail)
		return false;
	ring->cq_published = ring->cq_tail;
	/* Store, then load: the kernel sets NEED_KICK, then looks at cq_tail once more. */
	__atomic_store_n(&ring->user->cq_tail, ring->cq_tail, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&ring->kernel->flags, __ATOMIC_SEQ_CST) & SCUSE_KERNEL_NEED_KICK;
}

bool ring_sleep_begin(struct ring *ring)
{
	/* Store, then load: the kernel publishes sq_tail, then looks at the flag. */
	__atomic_store_n(&ring->user->flags, SCUSE_USER_NEED_WAKEUP, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&ring->kernel->sq_tail, __ATOMIC_SEQ_CST) == ring->sq_head)
		return true;
	ring_sleep_end(ring);
	return false;
}

void ring_sleep_end(struct ring *ring)
{
	__atomic_store_n(&ring->user->flags, 0, __ATOMIC_RELAXED);
}

bool ring_stopped(const struct ring *ring)
{
	return __atomic_load_n(&ring->kernel->flags, __ATOMIC_RELAXED) & SCUSE_KERNEL_STOPPED;
}
