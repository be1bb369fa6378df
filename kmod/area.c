// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages of the lazily backed regions: CDB, SENSE and DATA slots.  Called from the I/O path, from
 * page faults of the worker, and at the end of a session.
 *
 * A page enters zeroed, so it holds nothing of anybody else.  Entries are set by cmpxchg(), with no lock:
 * who comes second throws its page away.  Pages of data slots stay until trim.c takes them back, which it
 * only does of tags that it has taken out of use, all others until the session ends and no command and no
 * mapping is left.
 *
 * A submission's part of the data slot is complete before it is published (scuse_io_back()), so that no
 * worker needs memory in order to carry it out; a command that gets none ends with TASK SET FULL and comes
 * again.  What the worker touches beyond that it gets as long as the device's limit allows.
 *
 * Locking: faults hold slots_lock for reading, since the tag whose slot they want may be anybody's; who
 * takes pages away holds it for writing.  Who owns a tag needs no lock for its slot.
 */
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "pi.h"
#include "scuse.h"

#define SCUSE_GFP (GFP_NOIO | __GFP_ZERO | __GFP_NOWARN | __GFP_NORETRY)

/* Puts a page that has been charged into @entry; returns the one that is there. */
static struct page *scuse_page_enter(struct scuse_device *dev, struct page **entry, struct page *page)
{
	struct page *old = cmpxchg(entry, NULL, page);

	if (!old)
		return page;
	scuse_page_free(dev, page);
	return old;
}

/* A page of the CDB or SENSE region, which are small, and which no command can do without. */
static struct page *scuse_page(struct scuse_device *dev, struct page **entry)
{
	struct page *page = smp_load_acquire(entry); /* pairs with the cmpxchg() above */

	if (page)
		return page;
	page = scuse_page_rescue(dev);
	return page ? scuse_page_enter(dev, entry, page) : NULL;
}

/* The table of the pages of a tag's data slot; NULL if there is no memory. */
static struct page **scuse_slot_table(struct scuse_queue *queue, struct scuse_tag *tag)
{
	struct page **pages = smp_load_acquire(&tag->pages); /* pairs with the cmpxchg() below */
	struct page **old;

	if (pages)
		return pages;
	pages = kvcalloc(queue->slot_pages, sizeof(*pages), SCUSE_GFP);
	if (!pages)
		return NULL;
	old = cmpxchg(&tag->pages, NULL, pages);
	if (!old)
		return pages;
	kvfree(pages);
	return old;
}

static u32 scuse_pages_missing(struct page **pages, u32 count)
{
	u32 missing = 0;
	u32 i;

	for (i = 0; i < count; i++)
		missing += !READ_ONCE(pages[i]);
	return missing;
}

/* Makes @count pages of a slot exist, from @first on: 0, an error of scuse_memory_charge(), or -ENOMEM. */
static int scuse_slot_try(struct scuse_queue *queue, struct scuse_tag *tag, u32 first, u32 count)
{
	struct page **pages = scuse_slot_table(queue, tag);
	struct scuse_device *dev = queue->dev;
	u32 missing, i;
	int ret;

	if (!pages)
		return -ENOMEM;
	pages += first;
	missing = scuse_pages_missing(pages, count);
	if (!missing)
		return 0;
	ret = scuse_memory_charge(dev, missing);
	if (ret)
		return ret;
	/* A fault can enter pages meanwhile, but never take one away: what has been charged suffices. */
	for (i = 0; i < count && missing; i++) {
		struct page *page;

		if (READ_ONCE(pages[i]))
			continue;
		page = scuse_page_alloc();
		if (!page) {
			ret = -ENOMEM;
			break;
		}
		missing--;
		scuse_page_enter(dev, &pages[i], page);
	}
	scuse_memory_uncharge(dev, missing);
	return ret;
}

/*
 * The same beyond all limits, and from the reserve.  One slot of a device at a time has that: dev->rescued,
 * until its pages are taken back.
 */
static int scuse_slot_rescue(struct scuse_queue *queue, struct scuse_tag *tag, u32 first, u32 count)
{
	struct scuse_device *dev = queue->dev;
	struct scuse_tag *other = cmpxchg(&dev->rescued, NULL, tag);
	unsigned int noreclaim;
	struct page **pages;
	u32 i;

	if (other && other != tag)
		return -ENOMEM;
	noreclaim = memalloc_noreclaim_save(); /* it is little, and leads to the end of a command */
	pages = scuse_slot_table(queue, tag);
	memalloc_noreclaim_restore(noreclaim);
	if (!pages) {
		WRITE_ONCE(dev->rescued, NULL);
		return -ENOMEM;
	}
	for (i = first; i < first + count; i++) {
		struct page *page;

		if (READ_ONCE(pages[i]))
			continue;
		page = scuse_page_rescue(dev);
		if (!page)
			return -ENOMEM;
		scuse_page_enter(dev, &pages[i], page);
	}
	return 0;
}

/* Is no tag of the device in use but the caller's? */
static bool scuse_device_alone(struct scuse_device *dev)
{
	u32 used = 0;
	u32 i;

	for (i = 0; i < dev->nr_queues; i++)
		used += READ_ONCE(dev->queues[i].used);
	return used <= 1;
}

/*
 * scuse_slot_back - make @count pages of the slot of a tag that we hold exist, from @first on
 *
 * Short of memory, or of what the limits allow, it takes back what slots have that are not in use: of the
 * same device, then of all.  0 or -ENOMEM.  Process context, no locks held, may sleep.
 */
int scuse_slot_back(struct scuse_queue *queue, struct scuse_tag *tag, u32 first, u32 count)
{
	struct scuse_device *dev = queue->dev;
	int ret;

	if (!count)
		return 0;
	if (WARN_ON_ONCE(first > queue->slot_pages || count > queue->slot_pages - first))
		return -ENOMEM;
	WRITE_ONCE(tag->touched, (u32)jiffies);
	ret = scuse_slot_try(queue, tag, first, count);
	if (likely(!ret))
		return 0;
	scuse_trim_own(dev, count);
	ret = scuse_slot_try(queue, tag, first, count);
	if (ret && ret != -EDQUOT) {
		scuse_trim_all(count);
		ret = scuse_slot_try(queue, tag, first, count);
	}
	/* Who is alone cannot wait for others to give anything back. */
	if (ret && (ret != -EDQUOT || scuse_device_alone(dev)))
		ret = scuse_slot_rescue(queue, tag, first, count);
	if (ret)
		atomic_long_inc(&queue->busy);
	return ret ? -ENOMEM : 0;
}

/*
 * scuse_io_back - make all that the submission of @io has in its slot exist
 *
 * As scuse_slot_back().  Everybody who publishes a submission calls it before.
 */
int scuse_io_back(const struct scuse_io *io)
{
	u32 pi = io->sqe.flags & SCUSE_SQE_F_PI ? io->sqe.blocks * SCUSE_PI_SIZE : 0;
	u32 at = io->queue->dev->pi_offset >> PAGE_SHIFT;
	int ret = scuse_slot_back(io->queue, io->tag, 0, DIV_ROUND_UP(io->sqe.data_len, PAGE_SIZE));

	return ret ? ret : scuse_slot_back(io->queue, io->tag, at, DIV_ROUND_UP(pi, PAGE_SIZE));
}

/* Page @index, below slot_pages, of the data slot of a tag that we hold, as scuse_slot_back(); or NULL. */
struct page *scuse_slot_page(struct scuse_queue *queue, struct scuse_tag *tag, u32 index)
{
	return scuse_slot_back(queue, tag, index, 1) ? NULL : tag->pages[index];
}

/* For a fault, which may be at any slot.  0, or an error of scuse_slot_try(). */
static int scuse_slot_find(struct scuse_queue *queue, u64 index, struct page **page)
{
	u32 slot, within;
	struct scuse_tag *tag;
	int ret;

	slot = div_u64_rem(index, queue->slot_pages, &within);
	tag = &queue->tags[slot];
	ret = scuse_slot_try(queue, tag, within, 1);
	if (!ret)
		*page = READ_ONCE(tag->pages[within]);
	return ret;
}

static int scuse_area_find(struct scuse_queue *queue, enum scuse_region region, u64 index, struct page **page)
{
	struct scuse_device *dev = queue->dev;
	int ret = 0;

	*page = NULL;
	down_read(&dev->slots_lock);
	if (region == SCUSE_REGION_CDB)
		*page = scuse_page(dev, &queue->cdb_pages[index]);
	else if (region == SCUSE_REGION_SENSE)
		*page = scuse_page(dev, &queue->sense_pages[index]);
	else
		ret = scuse_slot_find(queue, index, page);
	if (*page)
		get_page(*page);
	up_read(&dev->slots_lock);
	return *page ? 0 : ret ? ret : -ENOMEM;
}

/*
 * scuse_area_fault - the page @index of a lazily backed region, with a reference
 *
 * The caller has checked that it lies within.  VM_FAULT_OOM, or VM_FAULT_SIGBUS if a limit forbids a page that
 * no submission asks for.
 */
vm_fault_t scuse_area_fault(struct scuse_queue *queue, enum scuse_region region, u64 index,
			    struct page **page)
{
	int ret = scuse_area_find(queue, region, index, page);

	if (ret && ret != -ENOMEM) {
		scuse_trim_own(queue->dev, 1);
		ret = scuse_area_find(queue, region, index, page);
	}
	if (ret)
		return ret == -ENOMEM ? VM_FAULT_OOM : VM_FAULT_SIGBUS;
	return 0;
}

static void scuse_pages_free(struct scuse_device *dev, struct page **pages, u64 count)
{
	u64 i;

	for (i = 0; pages && i < count; i++) {
		if (pages[i])
			scuse_page_free(dev, pages[i]);
		pages[i] = NULL;
	}
}

/*
 * Gives all pages back.  No mapping, no command is left.  Pages that a dying process still has pinned
 * for I/O go when that is over.
 */
void scuse_area_free(struct scuse_queue *queue)
{
	struct scuse_device *dev = queue->dev;
	u32 i;

	down_write(&dev->slots_lock);
	scuse_pages_free(dev, queue->cdb_pages, scuse_region_size(queue, SCUSE_REGION_CDB) >> PAGE_SHIFT);
	scuse_pages_free(dev, queue->sense_pages, scuse_region_size(queue, SCUSE_REGION_SENSE) >> PAGE_SHIFT);
	for (i = 0; queue->tags && i < queue->depth; i++) {
		struct scuse_tag *tag = &queue->tags[i];

		scuse_pages_free(dev, tag->pages, queue->slot_pages);
		scuse_slot_empty(queue, tag);
	}
	up_write(&dev->slots_lock);
}

/* The slot of @tag has no pages left; slots_lock is held for writing. */
void scuse_slot_empty(struct scuse_queue *queue, struct scuse_tag *tag)
{
	kvfree(tag->pages);
	tag->pages = NULL;
	cmpxchg(&queue->dev->rescued, tag, NULL);
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
	page = scuse_page(io->queue->dev, &io->queue->cdb_pages[offset >> PAGE_SHIFT]);
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
