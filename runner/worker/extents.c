// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Collects what a handler's extents operation reports: ranges in ascending order, without gaps, from the
 * wanted offset on.  Neighbours of one type are merged.  Belongs to one command, so to one thread at a
 * time.
 */
#include <errno.h>

#include "dev.h"

struct extent {
	uint64_t offset, length;
	uint32_t type;
};

struct scuse_extents {
	uint64_t next; /* where the next range must begin */
	uint64_t end;
	bool any;
	GArray *ranges;
};

struct scuse_extents *extents_new(uint64_t offset, uint64_t length)
{
	struct scuse_extents *extents = g_new0(struct scuse_extents, 1);

	extents->next = offset;
	extents->end = offset + length;
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
	if (offset > extents->next || (extents->any && offset != extents->next) || end < extents->next)
		return extents->next >= extents->end ? 0 : -ERANGE;
	extents->any = true;
	offset = extents->next;
	end = MIN(end, extents->end);
	if (end <= offset)
		return 0;
	extents->next = end;
	last = extents->ranges->len ? &g_array_index(extents->ranges, struct extent, extents->ranges->len - 1)
				    : NULL;
	if (last && last->type == type) {
		last->length += end - offset;
		return 0;
	}
	g_array_append_val(extents->ranges, ((struct extent){ offset, end - offset, type }));
	return 0;
}
