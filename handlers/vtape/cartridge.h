/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A cartridge: a file in the format of FORMAT.md, opened and locked by one drive.  What is written here is in
 * the page cache when a function returns, so that it outlives the worker process; cartridge_flush() makes it
 * durable.
 *
 *	BOP                                                       end          early warning     size
 *	|[record][record][filemark][record]...[filemark][filemark]|            |                 |
 *	0        1       2         3                              end.object
 *
 * Writing at a place in front of the end moves the end there first: what was behind is gone.
 *
 * Not locked: the drive's lock protects it.  Functions that return int give 0 or -errno unless they say more.
 * -EBADMSG: the medium is damaged there.  -ENOSPC: it does not fit the partition, or the file system.
 */
#ifndef VTAPE_CARTRIDGE_H
#define VTAPE_CARTRIDGE_H

#include <stdbool.h>
#include <sys/types.h>

#include "format.h"
#include "index.h"

struct partition {
	struct place end;
	struct index index;
	bool damaged; /* what follows `end` was durable once, and cannot be read */
};

struct cartridge {
	int fd;
	bool writable;
	bool was_in_use; /* the drive that had it loaded last did not put it down properly */
	bool dirty;	 /* something has been written since the last flush */
	bool failed;	 /* a flush has failed: what is durable is found out when it is opened again */
	uint64_t stamp;	 /* for the next object */
	struct format_label label;
	struct partition partition[FORMAT_PARTITIONS];
	uint8_t *label_bytes; /* FORMAT_LABEL_SIZE */
	uint64_t noted;	      /* the position in the drive's page */
};

/* How to make new cartridges. */
struct cartridge_options {
	uint64_t capacity; /* bytes of all partitions */
	uint8_t partitions;
	uint8_t density;
	bool worm;
	const char *barcode; /* NULL or "": the file's name up to its first dot */
};

/*
 * Opens and locks a cartridge, walks it, and marks it as being in use.  With `create` a file that is missing
 * or empty becomes a blank cartridge; a file that may not be written is a write-protected one.  What went
 * wrong is told with scuse_error().  -EBUSY: another drive has locked it.
 */
int cartridge_open(const char *path, bool writable, const struct cartridge_options *create,
		   struct cartridge **opened);
/* Flushes, and marks it as put down.  NULL is ignored.  The cartridge is gone whatever is returned. */
int cartridge_close(struct cartridge *cartridge);

/*
 * For the next worker, if this one dies.  `owner` says whose position it is.  Nothing is durable: after a
 * failure of the machine a tape is at its beginning.
 */
void cartridge_note_owner(struct cartridge *cartridge, const char *owner);
void cartridge_note_position(struct cartridge *cartridge, unsigned int partition, uint64_t object);
/* Where `owner` was when it died; false: it was somebody else, or put the cartridge down properly. */
bool cartridge_last_position(const struct cartridge *cartridge, const char *owner, unsigned int *partition,
			     uint64_t *object);

/* The beginning of a partition. */
struct place cartridge_start(const struct cartridge *cartridge, unsigned int partition);
/* Bytes that objects take in front of `place`. */
uint64_t cartridge_used(const struct cartridge *cartridge, unsigned int partition, const struct place *place);

/* To the other side of the next object.  1: there is one, in *object; 0: end of data; -errno. */
int cartridge_step(struct cartridge *cartridge, unsigned int partition, struct place *place,
		   struct format_object *object);
/* To the other side of the object in front of `place`.  1; 0: beginning of the partition; -errno. */
int cartridge_step_back(struct cartridge *cartridge, unsigned int partition, struct place *place,
			struct format_object *object);
/*
 * The first `length` bytes, at most all, of the record behind `place`, which cartridge_step() has described.
 * If it is all of them, their check is verified.
 */
int cartridge_read(struct cartridge *cartridge, const struct place *place, const struct format_object *object,
		   void *data, uint32_t length);

/*
 * Writes `count` records of `length` bytes each at `place`, and moves it behind them.  *written: how many
 * there are now, also on failure.
 */
int cartridge_write(struct cartridge *cartridge, unsigned int partition, struct place *place,
		    const void *data, uint32_t length, uint64_t count, uint64_t *written);
int cartridge_write_marks(struct cartridge *cartridge, unsigned int partition, struct place *place,
			  uint64_t count, uint64_t *written);
/* Makes `place` the end of data, for good. */
int cartridge_cut(struct cartridge *cartridge, unsigned int partition, const struct place *place);
/* All that has been written becomes durable. */
int cartridge_flush(struct cartridge *cartridge);

/* Where object `object` begins; the end of data if there are not so many: then 0, else 1. */
int cartridge_find(struct cartridge *cartridge, unsigned int partition, uint64_t object, struct place *place);

/* Blank, and in `count` partitions of these sizes (bytes).  Nothing is left of what was there. */
int cartridge_format(struct cartridge *cartridge, unsigned int count, const uint64_t *sizes);
/* Writes the label after a change; not durable before the next flush. */
int cartridge_put_label(struct cartridge *cartridge);

/* ---- between cartridge.c and objects.c ---- */

/* Finds out what a partition holds: fills in `end`, `index`, `damaged`. */
int cartridge_walk(struct cartridge *cartridge, unsigned int partition);
/* All of the bytes, or -errno; -EBADMSG: the file ends before. */
int cartridge_pread(const struct cartridge *cartridge, void *data, size_t length, uint64_t offset);

#endif /* VTAPE_CARTRIDGE_H */
