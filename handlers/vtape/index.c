// SPDX-License-Identifier: LGPL-2.1-or-later
/* Where things are in a partition.  See index.h. */
#include "index.h"

#include <errno.h>
#include <stdlib.h>

static int places_add(struct places *places, const struct place *place)
{
	if (places->count == places->room) {
		size_t room = places->room ? places->room * 2 : 64;
		struct place *grown = reallocarray(places->place, room, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		places->place = grown;
		places->room = room;
	}
	places->place[places->count++] = *place;
	return 0;
}

/* How many of them are at or in front of object `object`. */
static size_t places_until(const struct places *places, uint64_t object)
{
	size_t low = 0, high = places->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (places->place[middle].object <= object)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void index_free(struct index *index)
{
	free(index->marks.place);
	free(index->strides.place);
	*index = (struct index){ 0 };
}

int index_add(struct index *index, const struct place *behind, int filemark)
{
	if (filemark && places_add(&index->marks, behind))
		return -ENOMEM;
	if (behind->object % INDEX_STRIDE == 0)
		return places_add(&index->strides, behind);
	return 0;
}

void index_cut(struct index *index, const struct place *place)
{
	index->marks.count = places_until(&index->marks, place->object);
	index->strides.count = places_until(&index->strides, place->object);
}

const struct place *index_nearest(const struct index *index, uint64_t object)
{
	size_t marks = places_until(&index->marks, object);
	size_t strides = places_until(&index->strides, object);
	const struct place *mark = marks ? &index->marks.place[marks - 1] : NULL;
	const struct place *stride = strides ? &index->strides.place[strides - 1] : NULL;

	if (!mark || (stride && stride->object > mark->object))
		return stride;
	return mark;
}

const struct place *index_mark(const struct index *index, uint64_t number)
{
	return number < index->marks.count ? &index->marks.place[number] : NULL;
}
