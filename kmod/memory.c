// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the pages of slots come from, and what they count against.  Used by area.c and trim.c.
 *
 *	       scuse_page_alloc               scuse_page_free
 *	free ------------------> in a slot -------------------> free
 *	                             ^                            |
 *	       scuse_page_rescue     |       while the reserve    |
 *	                             +--------- is short <--------+
 *
 * LIMITS.  Each device has one (configfs attribute max_memory), and all together have one (module parameter
 * max_memory_mb).  Who exceeds either takes pages back from slots that are not in use (trim.c), and if there
 * are none its command ends with TASK SET FULL.
 *
 * RESERVE.  The machine may want to write to one of our devices in order to get memory.  So there are a few
 * pages that only serve commands that get no memory otherwise, one a device at a time: enough for two of
 * the largest commands.  They come back when the slot of such a command is taken back, which is what
 * everybody tries who is short of memory.
 *
 * Locking: scuse_reserve.lock (spin lock, innermost).
 */
#include <linux/gfp.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/module.h>
#include "scuse.h"

#define SCUSE_GFP	    (GFP_NOIO | __GFP_HIGHMEM | __GFP_NOWARN | __GFP_NORETRY)
#define SCUSE_RESERVE_SLOTS 2

static unsigned int max_memory_mb;
module_param(max_memory_mb, uint, 0644);
MODULE_PARM_DESC(max_memory_mb,
		 "MiB that data slots of all devices may have together (0: an eighth of the memory)");

static struct scuse_budget scuse_memory; /* pages of all devices */

static struct {
	spinlock_t lock;
	struct list_head pages;
	u32 count;   /* of them */
	u32 wanted;  /* how many there should be */
	u32 devices; /* that it is for */
} scuse_reserve = {
	.lock = __SPIN_LOCK_UNLOCKED(scuse_reserve.lock),
	.pages = LIST_HEAD_INIT(scuse_reserve.pages),
};

u64 scuse_memory_used(void)
{
	return scuse_budget_used(&scuse_memory);
}

/* Bytes that the slots of a device may have at a time; dev->queues exist, or not. */
u64 scuse_memory_max(struct scuse_device *dev)
{
	return scuse_budget_of_device(READ_ONCE(dev->max_memory), dev->slot_pages, PAGE_SHIFT) << PAGE_SHIFT;
}

/*
 * scuse_memory_charge - count @count pages that @dev is going to allocate
 *
 * -EDQUOT if the device has too many, -ENOMEM if all devices together have.
 */
int scuse_memory_charge(struct scuse_device *dev, u64 count)
{
	u64 all = scuse_budget_of_all(READ_ONCE(max_memory_mb), totalram_pages(), PAGE_SHIFT);

	if (!scuse_budget_take(&dev->memory, count, scuse_memory_max(dev) >> PAGE_SHIFT))
		return -EDQUOT;
	if (!scuse_budget_take(&scuse_memory, count, all)) {
		scuse_budget_give(&dev->memory, count);
		return -ENOMEM;
	}
	scuse_trim_arm(dev);
	return 0;
}

/* Likewise, beyond all limits. */
static void scuse_memory_force(struct scuse_device *dev, u64 count)
{
	scuse_budget_force(&dev->memory, count);
	scuse_budget_force(&scuse_memory, count);
	scuse_trim_arm(dev);
}

void scuse_memory_uncharge(struct scuse_device *dev, u64 count)
{
	scuse_budget_give(&dev->memory, count);
	scuse_budget_give(&scuse_memory, count);
}

static struct page *scuse_reserve_take(void)
{
	struct page *page;

	spin_lock(&scuse_reserve.lock);
	page = list_first_entry_or_null(&scuse_reserve.pages, struct page, lru);
	if (page) {
		list_del(&page->lru);
		scuse_reserve.count--;
	}
	spin_unlock(&scuse_reserve.lock);
	if (page)
		clear_highpage(page);
	return page;
}

/* False: the reserve is complete. */
static bool scuse_reserve_give(struct page *page)
{
	bool wanted;

	spin_lock(&scuse_reserve.lock);
	wanted = scuse_reserve.count < scuse_reserve.wanted;
	if (wanted) {
		list_add(&page->lru, &scuse_reserve.pages);
		scuse_reserve.count++;
	}
	spin_unlock(&scuse_reserve.lock);
	return wanted;
}

/*
 * scuse_page_alloc - a zeroed page that has been charged
 *
 * Asks for memory without I/O (we may be what reclaim waits for) and without trying hard; NULL.
 */
struct page *scuse_page_alloc(void)
{
	return alloc_page(SCUSE_GFP | __GFP_ZERO);
}

/* scuse_page_rescue - a zeroed page, charged by us, whatever the limits, if need be from the reserve; or NULL */
struct page *scuse_page_rescue(struct scuse_device *dev)
{
	struct page *page = scuse_page_alloc();

	if (!page)
		page = scuse_reserve_take();
	if (page)
		scuse_memory_force(dev, 1);
	return page;
}

/* Gives a page back, with its charge.  If somebody else has a reference it is free when he drops it. */
void scuse_page_free(struct scuse_device *dev, struct page *page)
{
	scuse_memory_uncharge(dev, 1);
	if (page_count(page) != 1 || !scuse_reserve_give(page))
		put_page(page);
}

/* A device with slots of @slot_pages comes: fills the reserve.  -ENOMEM.  May sleep. */
int scuse_reserve_join(u32 slot_pages)
{
	struct page *page = NULL;
	bool full;

	spin_lock(&scuse_reserve.lock);
	scuse_reserve.devices++;
	scuse_reserve.wanted = max(scuse_reserve.wanted, SCUSE_RESERVE_SLOTS * slot_pages);
	spin_unlock(&scuse_reserve.lock);
	do {
		full = READ_ONCE(scuse_reserve.count) >= READ_ONCE(scuse_reserve.wanted);
		if (!full)
			page = alloc_page(GFP_KERNEL | __GFP_HIGHMEM);
		if (!full && !page) {
			scuse_reserve_leave();
			return -ENOMEM;
		}
		if (!full && !scuse_reserve_give(page))
			__free_page(page);
	} while (!full);
	return 0;
}

/* A device goes: with the last one the reserve does.  Its size stays that of the largest until then. */
void scuse_reserve_leave(void)
{
	struct page *page, *next;
	LIST_HEAD(pages);

	spin_lock(&scuse_reserve.lock);
	if (!--scuse_reserve.devices) {
		list_splice_init(&scuse_reserve.pages, &pages);
		scuse_reserve.count = 0;
		scuse_reserve.wanted = 0;
	}
	spin_unlock(&scuse_reserve.lock);
	list_for_each_entry_safe(page, next, &pages, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
}
