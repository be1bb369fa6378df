// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages of the lazily backed regions: CDB, SENSE and DATA slots.  Called from the I/O path, from
 * page faults of the worker, and at the end of a session.
 *
 * A page enters zeroed, so it holds nothing of anybody else, and stays until the session ends.  Entries
 * are set by cmpxchg(), with no lock: who comes second throws its page away.  They are only removed
 * when no command and no mapping is left.  Memory is asked for without I/O (we may be what reclaim
 * waits for) and without trying hard; a command that gets none ends with TASK SET FULL and comes again.
 */
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "scuse.h"

#define SCUSE_GFP (GFP_NOIO | __GFP_ZERO | __GFP_NOWARN | __GFP_NORETRY)

static struct page *scuse_page(struct page **entry)
{
	struct page *page = smp_load_acquire(entry); /* pairs with the cmpxchg() below */
	struct page *old;

	if (page)
		return page;
	page = alloc_page(SCUSE_GFP | __GFP_HIGHMEM);
	if (!page)
		return NULL;
	old = cmpxchg(entry, NULL, page);
	if (!old)
		return page;
	__free_page(page);
	return old;
}

/* Page @index of a tag's data slot, NULL if there is no memory.  @index is below slot_pages. */
struct page *scuse_slot_page(struct scuse_queue *queue, struct scuse_tag *tag, u32 index)
{
	struct page **pages = smp_load_acquire(&tag->pages); /* pairs with the cmpxchg() below */
	struct page **old;

	if (!pages) {
		pages = kvcalloc(queue->slot_pages, sizeof(*pages), SCUSE_GFP);
		if (!pages)
			return NULL;
		old = cmpxchg(&tag->pages, NULL, pages);
		if (old) {
			kvfree(pages);
			pages = old;
		}
	}
	return scuse_page(&pages[index]);
}

/* Page @index of a lazily backed region; the caller has checked that it lies within. */
struct page *scuse_area_page(struct scuse_queue *queue, enum scuse_region region, u64 index)
{
	u32 slot, within;

	switch (region) {
	case SCUSE_REGION_CDB:
		return scuse_page(&queue->cdb_pages[index]);
	case SCUSE_REGION_SENSE:
		return scuse_page(&queue->sense_pages[index]);
	case SCUSE_REGION_DATA:
		slot = div_u64_rem(index, queue->slot_pages, &within);
		return scuse_slot_page(queue, &queue->tags[slot], within);
	default:
		return NULL;
	}
}

static void scuse_pages_free(struct page **pages, u64 count)
{
	u64 i;

	for (i = 0; pages && i < count; i++) {
		if (pages[i])
			put_page(pages[i]);
		pages[i] = NULL;
	}
}

/*
 * Gives all pages back.  No mapping, no command is left.  Pages that a dying process still has pinned
 * for I/O go when that is over.
 */
void scuse_area_free(struct scuse_queue *queue)
{
	u32 i;

	scuse_pages_free(queue->cdb_pages, scuse_region_size(queue, SCUSE_REGION_CDB) >> PAGE_SHIFT);
	scuse_pages_free(queue->sense_pages, scuse_region_size(queue, SCUSE_REGION_SENSE) >> PAGE_SHIFT);
	for (i = 0; queue->tags && i < queue->depth; i++) {
		struct scuse_tag *tag = &queue->tags[i];

		scuse_pages_free(tag->pages, queue->slot_pages);
		kvfree(tag->pages);
		tag->pages = NULL;
	}
}

/*
 * scuse_cdb_write - put a CDB that is longer than a submission entry into the CDB slot; -ENOMEM
 *
 * Shorter ones need none.  May sleep for memory.
 */
int scuse_cdb_write(struct scuse_io *io, const u8 *cdb, u32 length)
{
	u32 offset = (u32)(io->tag - io->queue->tags) * SCUSE_CDB_STRIDE;
	struct page *page;

	if (length <= SCUSE_CDB_INLINE)
		return 0;
	page = scuse_page(&io->queue->cdb_pages[offset >> PAGE_SHIFT]);
	if (!page)
		return -ENOMEM;
	memcpy_to_page(page, offset_in_page(offset), cdb, length);
	flush_dcache_page(page);
	return 0;
}

/* Copies a tag's sense data out, once; zeros if userspace has never touched the slot. */
void scuse_sense_read(struct scuse_queue *queue, struct scuse_tag *tag, u8 *sense, u32 length)
{
	u32 offset = (u32)(tag - queue->tags) * SCUSE_SENSE_STRIDE;
	/* Pairs with the cmpxchg() in scuse_page(). */
	struct page *page = smp_load_acquire(&queue->sense_pages[offset >> PAGE_SHIFT]);

	if (!page)
		return;
	flush_dcache_page(page);
	memcpy_from_page(sense, page, offset_in_page(offset), length);
}
