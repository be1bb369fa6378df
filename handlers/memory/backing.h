/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory that a store is in: a memfd, so that the next worker can have it when this one has died.
 * Nothing else survives, so all that the store has to know afterwards is in there.  Used by store.c.
 *
 *	0          a struct backing_head, the fill page, the journal
 *	TABLES_AT  tables, TABLE_SPAN bytes each, of TABLE pages:
 *
 *		       data, a PAGE each | protection information | states, a byte each | made
 *
 * The file is as long as the largest LUN needs, and nearly all of it holes.  A table is mapped as a whole
 * when it is first needed, and then until the end; vm.max_map_count limits how many that can be (65530, so
 * that a LUN whose data is spread thinly has at least 16 TiB).
 */
#ifndef MEMORY_BACKING_H
#define MEMORY_BACKING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"

#define PAGE	    STORE_PAGE
#define TABLE	    4096u /* pages of a table */
#define TABLE_BYTES ((uint64_t)PAGE * TABLE)
#define TABLES	    (STORE_MAX / TABLE_BYTES)

#define TABLE_PROTECTION TABLE_BYTES
#define TABLE_STATES	 (TABLE_PROTECTION + (uint64_t)TABLE * (PAGE / 512 * STORE_PROTECTION))
#define TABLE_MADE	 (TABLE_STATES + TABLE)
#define TABLE_SPAN	 (TABLE_MADE + 4096)

/* A write that is either found whole after a worker's death, or not at all. */
struct backing_journal {
	uint32_t valid;		 /* atomic: it was being carried out: to be done again */
	uint32_t protected;	 /* with protection information */
	uint64_t offset, length; /* bytes */
};

struct backing_head {
	char magic[8];
	uint32_t version;
	uint32_t block_size; /* bytes */
	uint64_t filled;     /* pages: those below have the fill page, unless their table says otherwise */
	struct backing_journal journal;
};

struct backing {
	int fd;
	struct backing_head *head;
	unsigned char *fill;		   /* PAGE bytes */
	unsigned char *journal;		   /* JOURNAL_MAX bytes */
	unsigned char *journal_protection; /* of these */
	unsigned char **tables;		   /* TABLES entries, atomic; NULL: not mapped */
};

#define JOURNAL_MAX 16777216u /* bytes: SCUSE_MAX_TRANSFER */

/*
 * `fd`: of an earlier worker, -1: a new one is made.  It is the backing's, also on failure.  0; -ENOMEM;
 * -EPROTO: it is not ours, or of another version or block size.
 */
int backing_open(struct backing *backing, int fd, uint32_t block_size);
void backing_close(struct backing *backing);

/* Maps a table, which must not be mapped; NULL: there is no memory.  The caller puts it into `tables`. */
unsigned char *backing_map_table(struct backing *backing, uint64_t index);
/* The first table from `index` on of which anything is there; TABLES: none. */
uint64_t backing_next_table(const struct backing *backing, uint64_t index);

/* Takes memory for a part of what is mapped, which must not be missing when it is written.  0 or -ENOSPC. */
int backing_populate(void *start, size_t length);
/* Gives the memory of a part of a table back: it reads as zeros then.  Whole pages of the machine's. */
void backing_punch(struct backing *backing, uint64_t index, uint64_t at, uint64_t length);
/* The same for the journal. */
void backing_punch_journal(struct backing *backing);

#endif /* MEMORY_BACKING_H */
