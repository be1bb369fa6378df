// SPDX-License-Identifier: GPL-2.0-only
/*
 * The fence between two sessions.  A process that has been killed may leave I/O behind that the kernel
 * carries out on its behalf: direct reads of a file or a socket into a slot, through io_uring or a thread
 * that was in a system call.  Such I/O pins the pages that it moves data to.  Called by session.c at the
 * end of a session.
 *
 * The file of the session is closed: all mappings are gone, and nobody can pin any more pages.  So a page
 * of ours that nobody but us refers to stays so.
 *
 * Locking: scuse_device.lock, and slots_lock for reading: memory of slots may be taken back meanwhile
 * (trim.c).
 */
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include "scuse.h"

static bool scuse_pages_pinned(struct page **pages, u64 count)
{
	u64 i;

	for (i = 0; pages && i < count; i++) {
		struct page *page = READ_ONCE(pages[i]);

		if (page && page_count(page) > 1)
			return true;
	}
	return false;
}

static bool scuse_queue_pinned(struct scuse_queue *queue)
{
	u64 size = scuse_region_size(queue, SCUSE_REGION_USER);
	u64 at;
	u32 i;

	for (at = 0; at < size; at += PAGE_SIZE) {
		if (page_count(vmalloc_to_page((void *)queue->user + at)) > 1)
			return true;
	}
	if (scuse_pages_pinned(queue->cdb_pages, scuse_region_size(queue, SCUSE_REGION_CDB) >> PAGE_SHIFT) ||
	    scuse_pages_pinned(queue->sense_pages,
			       scuse_region_size(queue, SCUSE_REGION_SENSE) >> PAGE_SHIFT))
		return true;
	for (i = 0; i < queue->depth; i++) {
		if (scuse_pages_pinned(queue->tags[i].pages, queue->slot_pages))
			return true;
	}
	return false;
}

/*
 * scuse_fence_pinned - may data still be moved from or to rings or slots of @dev by a session that has ended?
 *
 * dev->lock is held.
 */
bool scuse_fence_pinned(struct scuse_device *dev)
{
	bool pinned = false;
	u32 i;

	down_read(&dev->slots_lock);
	for (i = 0; i < dev->nr_queues && !pinned; i++)
		pinned = scuse_queue_pinned(&dev->queues[i]);
	up_read(&dev->slots_lock);
	return pinned;
}
