// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The memory handler's storage.  See store.h.
 *
 * STORAGE	A directory of tables of pages, all made when first needed:
 *
 *		    directory --> table --> page (64 KiB)	no page: zeros
 *		   (1 PiB's worth,   (4096 pages,    `--> protection information, when there first is any;
 *		    reserved address  256 MiB)		  without it: FFh
 *		    space)
 *
 *		After an overwrite with a pattern, one page that is full of it (`fill`) stands for all the
 *		pages below `filled`, until they get one of their own:
 *
 *		     unmap, write of zeros		       unmap, write of zeros
 *		    .------> [no page] <---------------------------.
 *		    |		 |				   |
 *		[fill] ----------+----> write: [a page of its own] '
 *		    ^------------+----- overwrite ----'
 *
 *		Where there is no table, pages below `filled` are `fill`, the others are none.
 *
 * LOCKING	Tables are put into the directory by compare-and-swap and stay until the end.  A page's
 *		entry and its contents are covered by one of 32 read-write locks, chosen by the page's
 *		number.  Who takes several takes them in the order of their numbers: a write takes those
 *		of all its pages, store_reset() all there are.  `fill` and `filled` are covered by all locks
 *		together: any one is enough to read them.  `used` and `tables` are atomic.
 *
 * ALL OR NOTHING  A write reserves and allocates what it lacks before it changes anything.
 */
#include "store.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE	    STORE_PAGE
#define TABLE	    4096u /* pages of a table */
#define TABLE_BYTES ((uint64_t)PAGE * TABLE)
#define DIRECTORY   (STORE_MAX / TABLE_BYTES)
#define LOCKS	    32u
#define UNPROTECTED 0xff /* each byte of the protection information of blocks that have none */

struct page {
	unsigned char *data;	   /* own, or `fill`, or NULL */
	unsigned char *protection; /* own, or NULL */
};

struct table {
	struct page pages[TABLE];
};

struct store {
	struct table **directory; /* DIRECTORY entries, atomic */
	uint64_t tables;	  /* atomic: behind the last table that there is */
	uint64_t used;		  /* atomic: pages of their own */
	uint64_t limit;		  /* pages; 0: none.  Constant, as are the next two */
	uint32_t block_size;
	size_t protection_size; /* bytes a page */
	unsigned char *fill;	/* all locks */
	uint64_t filled;	/* all locks; pages */
	pthread_rwlock_t locks[LOCKS];
};

/* Part of a request that lies within one page. */
struct piece {
	uint64_t number; /* of the page */
	size_t within;	 /* bytes from its start */
	size_t length;
};

static struct piece first_piece(uint64_t offset, uint64_t length)
{
	size_t within = offset % PAGE;

	return (struct piece){ offset / PAGE, within, length < PAGE - within ? length : PAGE - within };
}

/* ---- locks ---- */

static pthread_rwlock_t *lock_of(struct store *store, uint64_t number)
{
	return &store->locks[number % LOCKS];
}

/* Is the i-th lock that of one of `count` pages from `first` on? */
static bool lock_concerns(unsigned int i, uint64_t first, uint64_t count)
{
	return (i - first) % LOCKS < count;
}

static void lock_pages(struct store *store, uint64_t first, uint64_t count)
{
	if (count == 1) {
		pthread_rwlock_wrlock(lock_of(store, first));
		return;
	}
	for (unsigned int i = 0; i < LOCKS; i++)
		if (lock_concerns(i, first, count))
			pthread_rwlock_wrlock(&store->locks[i]);
}

static void unlock_pages(struct store *store, uint64_t first, uint64_t count)
{
	if (count == 1) {
		pthread_rwlock_unlock(lock_of(store, first));
		return;
	}
	for (unsigned int i = 0; i < LOCKS; i++)
		if (lock_concerns(i, first, count))
			pthread_rwlock_unlock(&store->locks[i]);
}

/* ---- pages; all with the page's lock held, for writing where something is made ---- */

static struct table *find_table(struct store *store, uint64_t number)
{
	return __atomic_load_n(&store->directory[number / TABLE], __ATOMIC_ACQUIRE);
}

/* What stands for a page that has no entry. */
static unsigned char *background(const struct store *store, uint64_t number)
{
	return number < store->filled ? store->fill : NULL;
}

static void note_table(struct store *store, uint64_t number)
{
	uint64_t tables = __atomic_load_n(&store->tables, __ATOMIC_RELAXED);

	while (tables <= number / TABLE &&
	       !__atomic_compare_exchange_n(&store->tables, &tables, number / TABLE + 1, 0, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED))
		;
}

static struct table *make_table(struct store *store, uint64_t number)
{
	struct table *table = find_table(store, number), *expected = NULL;

	if (table)
		return table;
	table = calloc(1, sizeof(*table));
	if (!table)
		return NULL;
	for (unsigned int i = 0; store->fill && i < TABLE; i++)
		table->pages[i].data = background(store, number - number % TABLE + i);
	if (__atomic_compare_exchange_n(&store->directory[number / TABLE], &expected, table, 0,
					__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
		note_table(store, number);
		return table;
	}
	free(table); /* another thread was faster */
	return expected;
}

/* NULL: there is no table. */
static struct page *find_page(struct store *store, uint64_t number)
{
	struct table *table = find_table(store, number);

	return table ? &table->pages[number % TABLE] : NULL;
}

static bool is_own(const struct store *store, const struct page *page)
{
	return page->data && page->data != store->fill;
}

static bool make_protection(const struct store *store, struct page *page)
{
	if (!page->protection)
		page->protection = malloc(store->protection_size);
	else
		return true;
	if (page->protection)
		memset(page->protection, UNPROTECTED, store->protection_size);
	return page->protection;
}

static void release_page(struct store *store, struct page *page, bool wipe)
{
	if (is_own(store, page)) {
		if (wipe)
			explicit_bzero(page->data, PAGE);
		free(page->data);
		__atomic_fetch_sub(&store->used, 1, __ATOMIC_RELAXED);
	}
	page->data = NULL;
	if (wipe && page->protection)
		explicit_bzero(page->protection, store->protection_size);
	free(page->protection);
	page->protection = NULL;
}

/* Where in a page's protection information that of a piece is, and how long. */
static size_t protection_at(const struct store *store, size_t bytes)
{
	return bytes / store->block_size * STORE_PROTECTION;
}

/* ---- space ---- */

static bool reserve(struct store *store, uint64_t pages)
{
	uint64_t used = __atomic_load_n(&store->used, __ATOMIC_RELAXED);

	do
		if (store->limit && used + pages > store->limit)
			return false;
	while (!__atomic_compare_exchange_n(&store->used, &used, used + pages, 0, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED));
	return true;
}

/* Pages that are not yet in use form a list through their first bytes. */
struct spare {
	struct spare *next;
};

static struct spare *add_spare(struct spare *list)
{
	struct spare *page = malloc(PAGE);

	if (page)
		page->next = list;
	return page;
}

static void free_spares(struct spare *list)
{
	while (list) {
		struct spare *next = list->next;

		free(list);
		list = next;
	}
}

static int allocate(struct store *store, uint64_t pages, struct spare **spares)
{
	*spares = NULL;
	if (!pages) /* the usual case: nobody contends for `used` then */
		return 0;
	if (!reserve(store, pages))
		return -ENOSPC;
	for (uint64_t i = 0; i < pages; i++) {
		struct spare *more = add_spare(*spares);

		if (!more) {
			free_spares(*spares);
			__atomic_fetch_sub(&store->used, pages, __ATOMIC_RELAXED);
			return -ENOSPC;
		}
		*spares = more;
	}
	return 0;
}

/* ---- writing ---- */

struct source {
	const unsigned char *data, *protection; /* protection: NULL: none */
	bool repeated;				/* they are of one block, for all blocks */
};

/* Makes all that a write needs, but for the spare pages changes nothing that can be seen. */
static int prepare(struct store *store, uint64_t first, uint64_t count, bool protection,
		   struct spare **spares)
{
	uint64_t missing = 0;

	for (uint64_t number = first; number < first + count; number++) {
		struct table *table = make_table(store, number);
		struct page *page = table ? &table->pages[number % TABLE] : NULL;

		if (!page || (protection && !make_protection(store, page)))
			return -ENOSPC;
		missing += !is_own(store, page);
	}
	return allocate(store, missing, spares);
}

static void copy(unsigned char *to, const unsigned char *from, size_t length, size_t unit)
{
	for (size_t done = 0; done < length; done += unit)
		memcpy(to + done, from, unit);
}

/* `at`: bytes from the start of the request. */
static void put(struct store *store, const struct piece *piece, const struct source *source, uint64_t at,
		struct spare **spares)
{
	struct page *page = find_page(store, piece->number);
	size_t protection = protection_at(store, piece->length);
	unsigned char *kept;

	if (!is_own(store, page)) {
		unsigned char *own = (unsigned char *)*spares;

		*spares = (*spares)->next;
		if (piece->length < PAGE && page->data)
			memcpy(own, page->data, PAGE);
		else if (piece->length < PAGE)
			memset(own, 0, PAGE);
		page->data = own;
	}
	if (source->repeated)
		copy(page->data + piece->within, source->data, piece->length, store->block_size);
	else
		memcpy(page->data + piece->within, source->data + at, piece->length);
	if (!page->protection)
		return;
	kept = page->protection + protection_at(store, piece->within);
	if (!source->protection)
		memset(kept, UNPROTECTED, protection);
	else if (source->repeated)
		copy(kept, source->protection, protection, STORE_PROTECTION);
	else
		memcpy(kept, source->protection + protection_at(store, at), protection);
}

static int write_pages(struct store *store, const struct source *source, uint64_t length, uint64_t offset)
{
	uint64_t first = offset / PAGE, count = (offset + length - 1) / PAGE - first + 1;
	struct spare *spares = NULL;
	int result;

	lock_pages(store, first, count);
	result = prepare(store, first, count, source->protection, &spares);
	for (uint64_t at = 0; !result && at < length;) {
		struct piece piece = first_piece(offset + at, length - at);

		put(store, &piece, source, at, &spares);
		at += piece.length;
	}
	unlock_pages(store, first, count);
	return result;
}

int store_write(struct store *store, const void *from, const void *protection, uint64_t length,
		uint64_t offset)
{
	return write_pages(store, &(struct source){ from, protection, false }, length, offset);
}

int store_fill(struct store *store, const void *block, const void *protection, uint64_t length,
	       uint64_t offset)
{
	const struct source source = { block, protection, true };
	int result = 0;

	while (length && !result) {
		struct piece piece = first_piece(offset, length);

		result = write_pages(store, &source, piece.length, offset);
		offset += piece.length;
		length -= piece.length;
	}
	return result;
}

/* ---- reading ---- */

static void get(struct store *store, const struct piece *piece, unsigned char *to, unsigned char *protection)
{
	const struct page *page = find_page(store, piece->number);
	const unsigned char *data = page ? page->data : background(store, piece->number);

	if (data)
		memcpy(to, data + piece->within, piece->length);
	else
		memset(to, 0, piece->length);
	if (!protection)
		return;
	if (page && page->protection)
		memcpy(protection, page->protection + protection_at(store, piece->within),
		       protection_at(store, piece->length));
	else
		memset(protection, UNPROTECTED, protection_at(store, piece->length));
}

void store_read(struct store *store, void *to, void *protection, uint64_t length, uint64_t offset)
{
	for (uint64_t at = 0; at < length;) {
		struct piece piece = first_piece(offset + at, length - at);
		unsigned char *information =
			protection ? (unsigned char *)protection + protection_at(store, at) : NULL;

		pthread_rwlock_rdlock(lock_of(store, piece.number));
		get(store, &piece, (unsigned char *)to + at, information);
		pthread_rwlock_unlock(lock_of(store, piece.number));
		at += piece.length;
	}
}

int store_extents(struct store *store, uint64_t length, uint64_t offset, struct scuse_extents *extents)
{
	int result = 0;

	while (length && !result && !scuse_extents_enough(extents)) {
		struct piece piece = first_piece(offset, length);
		uint64_t described = piece.length;
		const struct page *page;
		bool there;

		pthread_rwlock_rdlock(lock_of(store, piece.number));
		page = find_page(store, piece.number);
		there = page ? page->data : background(store, piece.number);
		if (!page && !there) /* nor is there anything in the rest of the table */
			described = TABLE_BYTES - offset % TABLE_BYTES;
		pthread_rwlock_unlock(lock_of(store, piece.number));
		described = described < length ? described : length;
		result = scuse_extents_add(extents, offset, described,
					   there ? SCUSE_EXTENT_MAPPED : SCUSE_EXTENT_HOLE);
		offset += described;
		length -= described;
	}
	return result;
}

/* ---- freeing ---- */

enum blanked { BLANKED, BLANKED_TABLE, BLANK_NEEDS_PAGE, BLANK_NO_MEMORY };

/* With the page's lock held. */
static enum blanked blank_piece(struct store *store, const struct piece *piece)
{
	struct page *page = find_page(store, piece->number);

	if (!page && !background(store, piece->number))
		return BLANKED_TABLE;
	if (!page && !make_table(store, piece->number))
		return BLANK_NO_MEMORY;
	page = find_page(store, piece->number);
	if (piece->length == PAGE) {
		release_page(store, page, false);
		return BLANKED;
	}
	if (page->data && !is_own(store, page))
		return BLANK_NEEDS_PAGE;
	if (page->data)
		memset(page->data + piece->within, 0, piece->length);
	if (page->protection)
		memset(page->protection + protection_at(store, piece->within), UNPROTECTED,
		       protection_at(store, piece->length));
	return BLANKED;
}

int store_blank(struct store *store, uint64_t length, uint64_t offset)
{
	static const unsigned char zeros[PAGE];

	while (length) {
		struct piece piece = first_piece(offset, length);
		uint64_t done = piece.length;
		enum blanked blanked;

		pthread_rwlock_wrlock(lock_of(store, piece.number));
		blanked = blank_piece(store, &piece);
		pthread_rwlock_unlock(lock_of(store, piece.number));
		if (blanked == BLANKED_TABLE)
			done = TABLE_BYTES - offset % TABLE_BYTES;
		if (blanked == BLANK_NO_MEMORY ||
		    (blanked == BLANK_NEEDS_PAGE && store_write(store, zeros, NULL, done, offset)))
			return -ENOSPC;
		done = done < length ? done : length;
		offset += done;
		length -= done;
	}
	return 0;
}

static unsigned char *make_fill(const struct store *store, const unsigned char *pattern, uint64_t length)
{
	unsigned char *fill = malloc(PAGE);

	for (size_t i = 0; fill && i < PAGE; i++)
		fill[i] = pattern[i % store->block_size % length];
	return fill;
}

int store_reset(struct store *store, int wipe, const void *pattern, uint64_t pattern_length, uint64_t end)
{
	unsigned char *fill = pattern ? make_fill(store, pattern, pattern_length) : NULL;
	uint64_t filled = fill ? (end + PAGE - 1) / PAGE : 0;

	if (pattern && !fill)
		return -ENOMEM;
	lock_pages(store, 0, LOCKS);
	for (uint64_t i = 0; i < __atomic_load_n(&store->tables, __ATOMIC_ACQUIRE); i++) {
		struct table *table = find_table(store, i * TABLE);

		for (uint64_t j = 0; table && j < TABLE; j++) {
			release_page(store, &table->pages[j], wipe);
			table->pages[j].data = i * TABLE + j < filled ? fill : NULL;
		}
	}
	free(store->fill);
	store->fill = fill;
	store->filled = filled;
	unlock_pages(store, 0, LOCKS);
	return 0;
}

/* ---- all of it ---- */

struct store *store_new(uint32_t block_size, uint64_t limit)
{
	struct store *store = calloc(1, sizeof(*store));
	void *directory;

	if (!store)
		return NULL;
	directory = mmap(NULL, DIRECTORY * sizeof(struct table *), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (directory == MAP_FAILED) {
		free(store);
		return NULL;
	}
	store->directory = directory;
	store->limit = limit / PAGE;
	store->block_size = block_size;
	store->protection_size = protection_at(store, PAGE);
	for (unsigned int i = 0; i < LOCKS; i++)
		pthread_rwlock_init(&store->locks[i], NULL);
	return store;
}

void store_free(struct store *store)
{
	store_reset(store, false, NULL, 0, 0);
	for (uint64_t i = 0; i < store->tables; i++)
		free(store->directory[i]);
	for (unsigned int i = 0; i < LOCKS; i++)
		pthread_rwlock_destroy(&store->locks[i]);
	munmap(store->directory, DIRECTORY * sizeof(struct table *));
	free(store);
}

uint64_t store_used(const struct store *store)
{
	return __atomic_load_n(&store->used, __ATOMIC_RELAXED) * PAGE;
}
