/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arithmetic of slot memory: how many pages may be used, which slots are idle, and how a tag leaves the
 * middle of a stack of free ones and comes back.  Pure: no locks, no kernel objects.  Used by memory.c,
 * trim.c and queue.c.
 *
 * A budget counts pages.  Taking from it fails where the limit would be exceeded, so that the limit holds
 * however many take at the same time; a limit that has been lowered below what is used refuses until enough
 * has been given back.
 */
#ifndef SCUSE_BUDGET_H
#define SCUSE_BUDGET_H

#include "shim.h"

#define SCUSE_MEMORY_DEFAULT ((u64)64 << 20) /* bytes of a device, see scuse_memory_max() */

struct scuse_budget {
	atomic64_t pages;
};

static inline u64 scuse_budget_used(const struct scuse_budget *budget)
{
	return (u64)atomic64_read(&budget->pages);
}

/* Takes @count pages, whatever the limit. */
static inline void scuse_budget_force(struct scuse_budget *budget, u64 count)
{
	s64 old = atomic64_read(&budget->pages);
	s64 seen;

	while ((seen = atomic64_cmpxchg(&budget->pages, old, old + (s64)count)) != old)
		old = seen;
}

/* False: @count more would be more than @limit, and nothing has been taken. */
static inline bool scuse_budget_take(struct scuse_budget *budget, u64 count, u64 limit)
{
	s64 old = atomic64_read(&budget->pages);
	s64 seen;

	for (;;) {
		if ((u64)old > limit || count > limit - (u64)old)
			return false;
		seen = atomic64_cmpxchg(&budget->pages, old, old + (s64)count);
		if (seen == old)
			return true;
		old = seen;
	}
}

static inline void scuse_budget_give(struct scuse_budget *budget, u64 count)
{
	scuse_budget_force(budget, 0 - count);
}

/*
 * Pages that a device may have: @wanted bytes, 0: the default; but always what a command of the largest size
 * takes.
 */
static inline u64 scuse_budget_of_device(u64 wanted, u32 slot_pages, u32 page_shift)
{
	u64 pages = (wanted ? wanted : SCUSE_MEMORY_DEFAULT) >> page_shift;

	return pages > slot_pages ? pages : slot_pages;
}

/* Pages that all devices together may have: @wanted MiB, 0: an eighth of the machine's. */
static inline u64 scuse_budget_of_all(u32 wanted, u64 ram_pages, u32 page_shift)
{
	return wanted ? (u64)wanted << (20 - page_shift) : ram_pages / 8;
}

/* Was the slot that was used at @used (ticks that wrap) not used for @period ticks? */
static inline bool scuse_slot_idle(u32 now, u32 used, u32 period)
{
	return now - used >= period;
}

/*
 * Takes the tag at @position out of a stack of *@count.  The one on top has its place until it comes back
 * by scuse_stack_insert(), which restores the order if nothing else has changed.
 */
static inline u16 scuse_stack_remove(u16 *stack, u32 *count, u32 position)
{
	u16 tag = stack[position];

	stack[position] = stack[--*count];
	return tag;
}

static inline void scuse_stack_insert(u16 *stack, u32 *count, u32 position, u16 tag)
{
	u32 top = (*count)++;

	if (position > top)
		position = top;
	stack[top] = stack[position];
	stack[position] = tag;
}

#endif /* SCUSE_BUDGET_H */
