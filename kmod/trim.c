// SPDX-License-Identifier: GPL-2.0-only
/*
 * Taking back the memory of slots that are not in use: of a device that has reached its limit (area.c), of
 * all devices when memory is short (area.c, and reclaim, by a shrinker), and of slots that were not used
 * for a while (a work item of the device).
 *
 * A tag that is FREE is taken out of its queue's stack, so that no command gets it; its slot is taken out
 * of the worker's page tables; pages that nobody else has a reference to are freed; the tag goes back to its
 * place.  Pages that somebody holds (a fault that is under way, I/O of the worker, buffers that it has
 * registered with io_uring) stay.  The coldest tags come first.
 *
 *	           first page is charged                   nothing is left to give back
 *	  unarmed ----------------------> armed (work runs ------------------------------> unarmed
 *	                                  every SCUSE_IDLE_TICKS)
 *
 * Locking: scuse_device.slots_lock is held for writing while slots are taken back.  Reclaim only tries it,
 * and so never waits for somebody who holds it and wants memory.  scuse_trim_lock (spin lock) protects the
 * list of devices, and the arming.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include "scuse.h"

#define SCUSE_IDLE_TICKS (10 * HZ)
#define SCUSE_KEEP_PAGES 16 /* that an idle device keeps for its next command */

static DEFINE_SPINLOCK(scuse_trim_lock);
static LIST_HEAD(scuse_trim_devices); /* enabled ones; scuse_trim_lock */
static u32 scuse_trim_count;	      /* of them; scuse_trim_lock for writing, READ_ONCE() */
static struct shrinker *scuse_shrinker;

/* What to take back. */
struct scuse_trim {
	u64 wanted; /* pages */
	u64 keep;   /* pages that the device may go on to have */
	bool idle;  /* only of slots that are idle */
	bool wait;  /* for locks */
};

/* queue->lock is held. */
static bool scuse_trim_candidate(const struct scuse_tag *tag, bool idle)
{
	if (!READ_ONCE(tag->pages))
		return false;
	return !idle || scuse_slot_idle((u32)jiffies, READ_ONCE(tag->touched), SCUSE_IDLE_TICKS);
}

/* Takes a FREE tag that is worth looking at out of use, from @position in the stack on; NULL: there is none. */
static struct scuse_tag *scuse_trim_borrow(struct scuse_queue *queue, bool idle, u32 *position)
{
	struct scuse_tag *tag = NULL;

	spin_lock(&queue->lock);
	/* Commands never find the last one gone. */
	for (; *position < queue->nr_free && queue->nr_free > queue->reserve + 1; ++*position) {
		tag = &queue->tags[queue->free[*position]];
		if (scuse_trim_candidate(tag, idle))
			break;
		tag = NULL;
	}
	if (tag)
		scuse_queue_borrow(queue, *position);
	spin_unlock(&queue->lock);
	return tag;
}

static bool scuse_slot_referenced(const struct scuse_queue *queue, struct page **pages)
{
	u32 i;

	for (i = 0; i < queue->slot_pages; i++) {
		if (pages[i] && page_count(pages[i]) > 1)
			return true;
	}
	return false;
}

/* Takes the slot of a tag out of the page tables; false: not without waiting. */
static bool scuse_slot_unmap(struct scuse_queue *queue, struct scuse_tag *tag, bool wait)
{
	u64 first = (u64)(tag - queue->tags) * queue->slot_pages;

	if (!wait)
		return scuse_region_try_zap(queue->dev, SCUSE_REGION_DATA, queue->index, first,
					    queue->slot_pages);
	scuse_region_zap(queue->dev, SCUSE_REGION_DATA, queue->index, first, queue->slot_pages);
	return true;
}

/* The tag is ours, slots_lock held for writing.  Returns how many pages have been given back. */
static u32 scuse_slot_trim(struct scuse_queue *queue, struct scuse_tag *tag, bool wait)
{
	struct page **pages = tag->pages;
	u32 given = 0, kept = 0;
	u32 i;

	if (!pages)
		return 0;
	if (scuse_slot_referenced(queue, pages) && !scuse_slot_unmap(queue, tag, wait))
		return 0;
	/*
	 * A fault takes its reference under slots_lock, and who looks pages up in page tables takes his
	 * before he looks again whether the entry is still there.
	 */
	smp_mb();
	for (i = 0; i < queue->slot_pages; i++) {
		if (!pages[i])
			continue;
		if (page_count(pages[i]) > 1) {
			kept++;
			continue;
		}
		scuse_page_free(queue->dev, pages[i]);
		pages[i] = NULL;
		given++;
	}
	if (!kept)
		scuse_slot_empty(queue, tag);
	return given;
}

/* Of one queue; slots_lock is held for writing. */
static u64 scuse_trim_queue(struct scuse_queue *queue, const struct scuse_trim *trim, u64 wanted)
{
	struct scuse_device *dev = queue->dev;
	u32 position = 0;
	u64 given = 0;

	while (given < wanted && scuse_budget_used(&dev->memory) > trim->keep) {
		struct scuse_tag *tag = scuse_trim_borrow(queue, trim->idle, &position);

		if (!tag)
			break;
		given += scuse_slot_trim(queue, tag, trim->wait);
		scuse_queue_return(queue, tag, position);
		position++;
		cond_resched();
	}
	return given;
}

static u64 scuse_trim_device(struct scuse_device *dev, const struct scuse_trim *trim)
{
	u64 given = 0;
	u32 i;

	if (scuse_budget_used(&dev->memory) <= trim->keep)
		return 0;
	if (trim->wait)
		down_write(&dev->slots_lock);
	else if (!down_write_trylock(&dev->slots_lock))
		return 0;
	for (i = 0; dev->trimmable && i < dev->nr_queues && given < trim->wanted; i++)
		given += scuse_trim_queue(&dev->queues[i], trim, trim->wanted - given);
	up_write(&dev->slots_lock);
	return given;
}

/*
 * scuse_trim_own - take back at least @wanted pages of @dev's slots that are not in use, if there are so many
 *
 * Process context, no locks held but those of a page fault.
 */
void scuse_trim_own(struct scuse_device *dev, u64 wanted)
{
	struct scuse_trim trim = { .wanted = wanted, .wait = true };

	scuse_trim_device(dev, &trim);
}

/* The device that was not looked at for the longest time, with a reference; NULL: there is none. */
static struct scuse_device *scuse_trim_next(void)
{
	struct scuse_device *dev;

	spin_lock(&scuse_trim_lock);
	dev = list_first_entry_or_null(&scuse_trim_devices, struct scuse_device, trim_node);
	if (dev) {
		list_move_tail(&dev->trim_node, &scuse_trim_devices);
		kref_get(&dev->kref);
	}
	spin_unlock(&scuse_trim_lock);
	return dev;
}

/*
 * scuse_trim_all - likewise, of all devices, each of which is looked at once at most
 *
 * Returns how many pages have been given back.  Waits for nobody.
 */
u64 scuse_trim_all(u64 wanted)
{
	u32 devices = READ_ONCE(scuse_trim_count);
	struct scuse_device *dev;
	u64 given = 0;

	for (; devices && given < wanted; devices--) {
		struct scuse_trim trim = { .wanted = wanted - given };

		dev = scuse_trim_next();
		if (!dev)
			break;
		given += scuse_trim_device(dev, &trim);
		scuse_device_put(dev);
	}
	return given;
}

static unsigned long scuse_shrinker_count(struct shrinker *shrinker, struct shrink_control *control)
{
	u64 used = scuse_memory_used();

	return used ? used : SHRINK_EMPTY;
}

static unsigned long scuse_shrinker_scan(struct shrinker *shrinker, struct shrink_control *control)
{
	u64 given = scuse_trim_all(control->nr_to_scan);

	return given ? given : SHRINK_STOP;
}

int scuse_trim_init(void)
{
	scuse_shrinker = scuse_shrinker_register("scuse", scuse_shrinker_count, scuse_shrinker_scan);
	return scuse_shrinker ? 0 : -ENOMEM;
}

void scuse_trim_exit(void)
{
	scuse_shrinker_unregister(scuse_shrinker);
}

/*
 * scuse_trim_arm - see to it that memory which has just been charged is given back when it is idle
 *
 * The charge, a full barrier, comes first; the work item looks at the charges after it has disarmed.
 */
void scuse_trim_arm(struct scuse_device *dev)
{
	if (READ_ONCE(dev->trim_armed) || scuse_budget_used(&dev->memory) <= SCUSE_KEEP_PAGES)
		return;
	spin_lock(&scuse_trim_lock);
	if (!dev->trim_armed && !list_empty(&dev->trim_node)) {
		WRITE_ONCE(dev->trim_armed, true);
		queue_delayed_work(scuse_workqueue, &dev->trim_work, SCUSE_IDLE_TICKS);
	}
	spin_unlock(&scuse_trim_lock);
}

static void scuse_trim_work(struct work_struct *work)
{
	struct scuse_device *dev = container_of(to_delayed_work(work), struct scuse_device, trim_work);
	struct scuse_trim trim = {
		.wanted = U64_MAX,
		.keep = SCUSE_KEEP_PAGES,
		.idle = true,
		.wait = true,
	};

	scuse_trim_device(dev, &trim);
	spin_lock(&scuse_trim_lock);
	WRITE_ONCE(dev->trim_armed, false);
	spin_unlock(&scuse_trim_lock);
	smp_mb(); /* pairs with the barrier of the charge, see scuse_trim_arm() */
	scuse_trim_arm(dev);
}

void scuse_trim_init_device(struct scuse_device *dev)
{
	init_rwsem(&dev->slots_lock);
	INIT_LIST_HEAD(&dev->trim_node);
	INIT_DEFERRABLE_WORK(&dev->trim_work, scuse_trim_work);
}

/* The queues are there, until scuse_trim_stop(). */
void scuse_trim_start(struct scuse_device *dev)
{
	down_write(&dev->slots_lock);
	dev->trimmable = true;
	up_write(&dev->slots_lock);
	spin_lock(&scuse_trim_lock);
	list_add_tail(&dev->trim_node, &scuse_trim_devices);
	WRITE_ONCE(scuse_trim_count, scuse_trim_count + 1);
	spin_unlock(&scuse_trim_lock);
}

/* Afterwards nothing is taken back any more but by scuse_area_free(). */
void scuse_trim_stop(struct scuse_device *dev)
{
	spin_lock(&scuse_trim_lock);
	list_del_init(&dev->trim_node);
	WRITE_ONCE(scuse_trim_count, scuse_trim_count - 1);
	spin_unlock(&scuse_trim_lock);
	cancel_delayed_work_sync(&dev->trim_work);
	down_write(&dev->slots_lock);
	dev->trimmable = false;
	dev->trim_armed = false;
	up_write(&dev->slots_lock);
}
