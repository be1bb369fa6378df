/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The memory handler's storage: bytes that take memory in pages of STORE_PAGE when they are first written,
 * and protection information beside them.  memory.c is the handler above it.  All of it is in a memfd, so
 * that another worker can go on with it.
 *
 * All functions may be called on any thread at any time; store_free() when nobody else does any more.
 * Offsets and lengths are in bytes, multiples of the block size, below STORE_MAX.
 */
#ifndef MEMORY_STORE_H
#define MEMORY_STORE_H

#include <stdint.h>

#include <scuse/handler.h>

#define STORE_PAGE	 65536u
#define STORE_MAX	 ((uint64_t)1 << 50)
#define STORE_PROTECTION 8u /* bytes a block (SBC-3 4.22) */

struct store;

/*
 * `limit`: bytes that the pages may take at most; 0: no limit.  `kept`: the descriptor of an earlier worker's
 * store, whose contents the new one has, or -1; it is the store's, also on failure.  NULL with errno set:
 * ENOMEM; EPROTO: what was kept is not such a store, or one of another version or block size.
 */
struct store *store_new(uint32_t block_size, uint64_t limit, int kept);
void store_free(struct store *store);
/* To be kept for the next worker; the store's. */
int store_fd(const struct store *store);
/* Bytes that the pages take now. */
uint64_t store_used(const struct store *store);

/* `protection`: STORE_PROTECTION bytes a block; NULL: not wanted.  Where none was ever written: FFh. */
void store_read(struct store *store, void *to, void *protection, uint64_t length, uint64_t offset);
/*
 * Without `protection` the blocks have FFh afterwards.  0, or -ENOSPC and nothing has been written.  Reads
 * and other writes that lie within one page see all of it or nothing.
 */
int store_write(struct store *store, const void *from, const void *protection, uint64_t length,
		uint64_t offset);
/*
 * The same, and also who has the store after the worker's death finds all of it or nothing.  -EINVAL: more
 * than SCUSE_MAX_TRANSFER.
 */
int store_write_whole(struct store *store, const void *from, const void *protection, uint64_t length,
		      uint64_t offset);
/* Writes one block (and its protection information) again and again, a page at a time. */
int store_fill(struct store *store, const void *block, const void *protection, uint64_t length,
	       uint64_t offset);
/* Back to zeros, and FFh as protection information; whole pages are freed.  0 or -ENOSPC. */
int store_blank(struct store *store, uint64_t length, uint64_t offset);
/*
 * Frees all pages.  `wipe`: overwrites them first, so that nothing is left in memory.  With a `pattern`, to
 * be repeated from the start of each block, that is what the first `end` bytes read as afterwards; it takes
 * no page until something else is written.  0 or -ENOMEM, and nothing has changed.
 */
int store_reset(struct store *store, int wipe, const void *pattern, uint64_t pattern_length, uint64_t end);
int store_extents(struct store *store, uint64_t length, uint64_t offset, struct scuse_extents *extents);

#endif /* MEMORY_STORE_H */
