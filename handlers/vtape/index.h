/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where things are in a partition: the place behind each filemark, and one place in INDEX_STRIDE objects.  It
 * is made while the cartridge is loaded and kept in memory; SPACE and LOCATE start from the nearest place and
 * walk from header to header.
 *
 * Not locked: the drive's lock protects it with its cartridge.
 */
#ifndef VTAPE_INDEX_H
#define VTAPE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#define INDEX_STRIDE 256u

/* A place between two objects of a partition. */
struct place {
	uint64_t offset; /* in the file, of the object behind it */
	uint64_t object; /* objects in front of it: the logical object number */
	uint64_t file;	 /* filemarks in front of it: the logical file number */
	uint32_t chain;	 /* `check` of the object in front of it, or the partition's seed */
};

struct places {
	struct place *place; /* ascending */
	size_t count, room;
};

struct index {
	struct places marks; /* the nth: behind the nth filemark */
	struct places strides;
};

void index_free(struct index *index);
/* An object that ends at `behind` follows what is there.  0 or -ENOMEM. */
int index_add(struct index *index, const struct place *behind, int filemark);
/* Nothing is behind `place` any more. */
void index_cut(struct index *index, const struct place *place);
/* The last place known at or in front of object `object`; NULL: none but the beginning. */
const struct place *index_nearest(const struct index *index, uint64_t object);
/* The place behind filemark `number` (from 0); NULL: there is no such filemark. */
const struct place *index_mark(const struct index *index, uint64_t number);

#endif /* VTAPE_INDEX_H */
