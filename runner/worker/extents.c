// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Collects what a handler's extents operation reports: ranges in ascending order, without gaps, from the
 * wanted offset on, at most `limit` of them.  Neighbours of one type are merged.  Belongs to one command, so
 * to one thread at a time.
 */
#include <errno.h>

#include "dev.h"

struct extent {
	uint64_t offset, length;
	uint32_t type;
};

struct scuse_extents {
	uint64_t start;
	uint64_t next; /* where the next range must begin */
	uint64_t end;
	size_t limit;
	bool any;
	bool full; /* one more would not have found room: the rest is dropped */
	GArray *ranges;
};

struct scuse_extents *extents_new(uint64_t offset, uint64_t length, size_t limit)
{
	struct scuse_extents *extents = g_new0(struct scuse_extents, 1);

	extents->next = offset;
	extents->start = offset;
	extents->end = offset + length;
	extents->limit = limit;
	extents->ranges = g_array_new(FALSE, FALSE, sizeof(struct extent));
	return extents;
}

void extents_free(struct scuse_extents *extents)
{
	if (!extents)
		return;
	g_array_free(extents->ranges, TRUE);
	g_free(extents);
}

bool extents_get(const struct scuse_extents *extents, size_t i, uint64_t *offset, uint64_t *length,
		 uint32_t *type)
{
	const struct extent *extent;

	if (i >= extents->ranges->len)
		return false;
	extent = &g_array_index(extents->ranges, struct extent, i);
	*offset = extent->offset;
	*length = extent->length;
	*type = extent->type;
	return true;
}

/*
 * The first range may begin before the wanted offset, the last one end behind the wanted end: they are
 * cut.
 */
SCUSE_EXPORT int scuse_extents_add(struct scuse_extents *extents, uint64_t offset, uint64_t length,
				   uint32_t type)
{
	uint64_t end;
	struct extent *last;

	if (type > SCUSE_EXTENT_ANCHORED || __builtin_add_overflow(offset, length, &end))
		return -ERANGE;
	if (extents->full)
		return 0;
	if (offset > extents->next || (extents->any && offset != extents->next) || end < extents->next)
		return extents->next >= extents->end ? 0 : -ERANGE;
	extents->any = true;
	offset = extents->next;
	end = MIN(end, extents->end);
	if (end <= offset)
		return 0;
	last = extents->ranges->len ? &g_array_index(extents->ranges, struct extent, extents->ranges->len - 1)
				    : NULL;
	if (last && last->type == type) {
		last->length += end - offset;
	} else if (extents->ranges->len == extents->limit) {
		extents->full = true;
		return 0;
	} else {
		g_array_append_val(extents->ranges, ((struct extent){ offset, end - offset, type }));
	}
	extents->next = end;
	return 0;
}

SCUSE_EXPORT int scuse_extents_enough(const struct scuse_extents *extents)
{
	return extents->full || extents->next >= extents->end;
}

/* ---- in blocks ---- */

static uint32_t block_state(uint32_t type)
{
	switch (type) {
	case SCUSE_EXTENT_HOLE:
		return SCUSE_EXTENT_IS_DEALLOCATED;
	case SCUSE_EXTENT_ANCHORED:
		return SCUSE_EXTENT_IS_ANCHORED;
	}
	return SCUSE_EXTENT_IS_MAPPED;
}

/* Which of two states a block is in that has parts of both. */
static bool outranks(uint32_t a, uint32_t b)
{
	static const uint8_t rank[] = {
		[SCUSE_EXTENT_IS_MAPPED] = 2,
		[SCUSE_EXTENT_IS_ANCHORED] = 1,
		[SCUSE_EXTENT_IS_DEALLOCATED] = 0,
	};

	return rank[a] > rank[b];
}

/* Takes the last block of the last range back. */
static uint32_t take_back(struct scuse_extent *out, uint32_t count)
{
	out[count - 1].blocks--;
	return out[count - 1].blocks ? count : count - 1;
}

/* The blocks from `from` to before `until` are in `state`; false: there is no room. */
static bool append(struct scuse_extent *out, uint32_t *count, uint32_t room, uint64_t from, uint64_t until,
		   uint32_t state)
{
	struct scuse_extent *last = *count ? &out[*count - 1] : NULL;
	uint32_t blocks = (uint32_t)MIN(until - from, UINT32_MAX);

	if (last && last->state == state && until - last->lba <= UINT32_MAX) {
		last->blocks += blocks;
		return true;
	}
	if (*count == room)
		return false;
	out[(*count)++] = (struct scuse_extent){ .lba = from, .blocks = blocks, .state = state };
	return until - from <= UINT32_MAX;
}

uint32_t extents_to_blocks(const struct scuse_extents *extents, uint32_t block_size, struct scuse_extent *out,
			   uint32_t room)
{
	uint64_t next = extents->start / block_size; /* the first block that has no state yet */
	uint64_t offset, length;
	uint32_t type, count = 0;

	for (size_t i = 0; extents_get(extents, i, &offset, &length, &type); i++) {
		uint64_t first = offset / block_size, until = (offset + length + block_size - 1) / block_size;
		uint32_t state = block_state(type);

		if (count && first < next && outranks(state, out[count - 1].state)) {
			count = take_back(out, count);
			next--;
		}
		if (until <= next)
			continue;
		if (!append(out, &count, room, next, until, state))
			break;
		next = until;
	}
	/* Of a last block that was not described to its end only "mapped" is certain. */
	if (count && out[count - 1].state != SCUSE_EXTENT_IS_MAPPED &&
	    (out[count - 1].lba + out[count - 1].blocks) * block_size > extents->next)
		count = take_back(out, count);
	if (!count)
		out[count++] = (struct scuse_extent){ .lba = extents->start / block_size,
						      .blocks = 1,
						      .state = SCUSE_EXTENT_IS_MAPPED };
	return count;
}
