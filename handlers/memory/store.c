// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The memory handler's storage.  See store.h.
 *
 * STORAGE	Tables of pages (backing.h), each made when first needed.  A page's state says what it reads
 * as:
 *
 *		    0		  zeros; it takes no memory
 *		    STATE_OWN	  its own data
 *		    STATE_FILLED  the fill page, which stands for all the pages below `filled` after an
 *				  overwrite with a pattern, until they get data of their own
 *		    and with STATE_PROTECTED it has protection information; without: FFh
 *
 *		     unmap, write of zeros		       unmap, write of zeros
 *		    .------> [no page] <---------------------------.
 *		    |		 |				   |
 *		[fill] ----------+----> write: [a page of its own] '
 *		    ^------------+----- overwrite ----'
 *
 *		Where there is no table, pages below `filled` are filled, the others are zeros.
 *
 * LOCKING	Tables are made under `making`, and stay until the end.  A page's state and its contents are
 *		covered by one of 32 read-write locks, chosen by the page's number.  Who takes several takes
 *		them in the order of their numbers: a write takes those of all its pages, store_reset() all
 *		there are. The fill page and `filled` are covered by all locks together: any one is enough to
 *		read them. `used` and `tables` are atomic.  `journal_lock`, taken before the others, covers
 *		the journal.
 *
 * ALL OR NOTHING  A write reserves and allocates what it lacks before it changes anything.
 *
 * DEATH	The worker may be killed between any two instructions; the next one goes on with the memory as
 *		it is.  So a page's data is there before its state says so, and its state is changed before
 *		its memory is given back.  Memory of pages that are not STATE_OWN is given back by
 *		store_recover(). A write that must not be torn is in the journal while it is carried out.
 */
#include "store.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "backing.h"

#define LOCKS	    32u
#define UNPROTECTED 0xff /* each byte of the protection information of blocks that have none */

#define STATE_OWN	0x1u
#define STATE_FILLED	0x2u
#define STATE_PROTECTED 0x4u

/* Where a page is; only while its table is there, which is for ever. */
struct page {
	unsigned char *data;
	unsigned char *protection;
	unsigned char *state;
};

struct store {
	struct backing backing;
	uint64_t tables; /* atomic: behind the last table that there is */
	uint64_t used;	 /* atomic: pages of their own */
	uint64_t limit;	 /* pages; 0: none.  Constant, as are the next two */
	uint32_t block_size;
	size_t protection_size; /* bytes a page */
	pthread_mutex_t making, journal_lock;
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

static unsigned char *find_table(struct store *store, uint64_t number)
{
	return __atomic_load_n(&store->backing.tables[number / TABLE], __ATOMIC_ACQUIRE);
}

/* The state of a page that has no table. */
static unsigned char background(const struct store *store, uint64_t number)
{
	return number < store->backing.head->filled ? STATE_FILLED : 0;
}

/* Data that was written before is there when the state is seen, by the next worker too. */
static void set_state(const struct page *page, unsigned int state)
{
	__atomic_store_n(page->state, (unsigned char)state, __ATOMIC_RELEASE);
}

static void initialize_table(struct store *store, unsigned char *table, uint64_t first)
{
	for (unsigned int i = 0; i < TABLE; i++)
		table[TABLE_STATES + i] = background(store, first + i);
	__atomic_store_n(&table[TABLE_MADE], 1, __ATOMIC_RELEASE);
}

/* With `making`. */
static unsigned char *map_table(struct store *store, uint64_t index)
{
	unsigned char *table = backing_map_table(&store->backing, index);

	if (!table)
		return NULL;
	if (!table[TABLE_MADE])
		initialize_table(store, table, index * TABLE);
	__atomic_store_n(&store->backing.tables[index], table, __ATOMIC_RELEASE);
	if (store->tables <= index)
		__atomic_store_n(&store->tables, index + 1, __ATOMIC_RELEASE);
	return table;
}

static unsigned char *make_table(struct store *store, uint64_t number)
{
	unsigned char *table = find_table(store, number);

	if (table)
		return table;
	pthread_mutex_lock(&store->making);
	table = find_table(store, number); /* another thread was faster */
	if (!table)
		table = map_table(store, number / TABLE);
	pthread_mutex_unlock(&store->making);
	return table;
}

static struct page page_of(const struct store *store, unsigned char *table, uint64_t number)
{
	size_t index = number % TABLE;

	return (struct page){ table + index * PAGE, table + TABLE_PROTECTION + index * store->protection_size,
			      table + TABLE_STATES + index };
}

/* False: there is no table. */
static bool find_page(struct store *store, uint64_t number, struct page *page)
{
	unsigned char *table = find_table(store, number);

	if (table)
		*page = page_of(store, table, number);
	return table;
}

static bool is_own(const struct page *page)
{
	return *page->state & STATE_OWN;
}

static bool is_protected(const struct page *page)
{
	return *page->state & STATE_PROTECTED;
}

/* What the page reads as; NULL: zeros. */
static const unsigned char *contents(const struct store *store, const struct page *page)
{
	if (*page->state & STATE_FILLED)
		return store->backing.fill;
	return is_own(page) ? page->data : NULL;
}

static bool make_protection(const struct store *store, const struct page *page)
{
	if (is_protected(page))
		return true;
	if (backing_populate(page->protection, store->protection_size))
		return false;
	memset(page->protection, UNPROTECTED, store->protection_size);
	set_state(page, *page->state | STATE_PROTECTED);
	return true;
}

static void free_page(struct store *store, uint64_t number)
{
	backing_punch(&store->backing, number / TABLE, number % TABLE * PAGE, PAGE);
}

/* Its memory is still there afterwards, if it was its own. */
static void forget_page(struct store *store, const struct page *page, bool wipe)
{
	if (wipe && is_own(page))
		explicit_bzero(page->data, PAGE);
	if (wipe && is_protected(page))
		explicit_bzero(page->protection, store->protection_size);
	if (is_own(page))
		__atomic_fetch_sub(&store->used, 1, __ATOMIC_RELAXED);
	set_state(page, 0);
}

static void release_page(struct store *store, const struct page *page, uint64_t number)
{
	bool own = is_own(page);

	forget_page(store, page, false);
	if (own)
		free_page(store, number);
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

/* ---- writing ---- */

struct source {
	const unsigned char *data, *protection; /* protection: NULL: none */
	bool repeated;				/* they are of one block, for all blocks */
};

/* Pages that were given memory, but no data. */
static void free_missing(struct store *store, uint64_t first, uint64_t count)
{
	struct page page;

	for (uint64_t number = first; number < first + count; number++)
		if (find_page(store, number, &page) && !is_own(&page))
			free_page(store, number);
}

static int allocate(struct store *store, uint64_t first, uint64_t count, uint64_t missing)
{
	struct page page;

	if (!missing) /* the usual case: nobody contends for `used` then */
		return 0;
	if (!reserve(store, missing))
		return -ENOSPC;
	for (uint64_t number = first; number < first + count; number++) {
		if (!find_page(store, number, &page) || is_own(&page) || !backing_populate(page.data, PAGE))
			continue;
		free_missing(store, first, number - first + 1);
		__atomic_fetch_sub(&store->used, missing, __ATOMIC_RELAXED);
		return -ENOSPC;
	}
	return 0;
}

/* Makes all that a write needs, but changes nothing that can be seen. */
static int prepare(struct store *store, uint64_t first, uint64_t count, bool protection)
{
	uint64_t missing = 0;

	for (uint64_t number = first; number < first + count; number++) {
		unsigned char *table = make_table(store, number);
		struct page page;

		if (!table)
			return -ENOSPC;
		page = page_of(store, table, number);
		if (protection && !make_protection(store, &page))
			return -ENOSPC;
		missing += !is_own(&page);
	}
	return allocate(store, first, count, missing);
}

static void copy(unsigned char *to, const unsigned char *from, size_t length, size_t unit)
{
	for (size_t done = 0; done < length; done += unit)
		memcpy(to + done, from, unit);
}

/* `at`: bytes from the start of the request. */
static void put(struct store *store, const struct piece *piece, const struct source *source, uint64_t at)
{
	size_t protection = protection_at(store, piece->length);
	unsigned char *kept;
	struct page page;

	find_page(store, piece->number, &page);
	if (piece->length < PAGE && *page.state & STATE_FILLED)
		memcpy(page.data, store->backing.fill, PAGE);
	if (source->repeated)
		copy(page.data + piece->within, source->data, piece->length, store->block_size);
	else
		memcpy(page.data + piece->within, source->data + at, piece->length);
	if (!is_own(&page))
		set_state(&page, STATE_OWN | (*page.state & STATE_PROTECTED));
	if (!is_protected(&page))
		return;
	kept = page.protection + protection_at(store, piece->within);
	if (!source->protection)
		memset(kept, UNPROTECTED, protection);
	else if (source->repeated)
		copy(kept, source->protection, protection, STORE_PROTECTION);
	else
		memcpy(kept, source->protection + protection_at(store, at), protection);
}

/* `journal`: NULL, or where the same write is written down. */
static int write_pages(struct store *store, const struct source *source, uint64_t length, uint64_t offset,
		       struct backing_journal *journal)
{
	uint64_t first = offset / PAGE, count = (offset + length - 1) / PAGE - first + 1;
	int result;

	lock_pages(store, first, count);
	result = prepare(store, first, count, source->protection);
	if (!result && journal)
		__atomic_exchange_n(&journal->valid, 1, __ATOMIC_SEQ_CST);
	for (uint64_t at = 0; !result && at < length;) {
		struct piece piece = first_piece(offset + at, length - at);

		put(store, &piece, source, at);
		at += piece.length;
	}
	if (journal) /* before anybody else can write here */
		__atomic_exchange_n(&journal->valid, 0, __ATOMIC_SEQ_CST);
	unlock_pages(store, first, count);
	return result;
}

int store_write(struct store *store, const void *from, const void *protection, uint64_t length,
		uint64_t offset)
{
	return write_pages(store, &(struct source){ from, protection, false }, length, offset, NULL);
}

int store_write_whole(struct store *store, const void *from, const void *protection, uint64_t length,
		      uint64_t offset)
{
	struct backing *backing = &store->backing;
	struct backing_journal *journal = &backing->head->journal;
	size_t information = protection_at(store, length);
	int result = -ENOSPC;

	if (length > JOURNAL_MAX)
		return -EINVAL;
	pthread_mutex_lock(&store->journal_lock);
	if (!backing_populate(backing->journal, length) &&
	    (!protection || !backing_populate(backing->journal_protection, information))) {
		memcpy(backing->journal, from, length);
		if (protection)
			memcpy(backing->journal_protection, protection, information);
		journal->protected = protection != NULL;
		journal->offset = offset;
		journal->length = length;
		result = write_pages(store, &(struct source){ from, protection, false }, length, offset,
				     journal);
	}
	if (length > PAGE) /* memory that is not the contents', nor counted as such */
		backing_punch_journal(backing);
	pthread_mutex_unlock(&store->journal_lock);
	return result;
}

int store_fill(struct store *store, const void *block, const void *protection, uint64_t length,
	       uint64_t offset)
{
	const struct source source = { block, protection, true };
	int result = 0;

	while (length && !result) {
		struct piece piece = first_piece(offset, length);

		result = write_pages(store, &source, piece.length, offset, NULL);
		offset += piece.length;
		length -= piece.length;
	}
	return result;
}

/* ---- reading ---- */

static void get(struct store *store, const struct piece *piece, unsigned char *to, unsigned char *protection)
{
	struct page page;
	bool there = find_page(store, piece->number, &page);
	const unsigned char *data = there			       ? contents(store, &page)
				    : background(store, piece->number) ? store->backing.fill
								       : NULL;

	if (data)
		memcpy(to, data + piece->within, piece->length);
	else
		memset(to, 0, piece->length);
	if (!protection)
		return;
	if (there && is_protected(&page))
		memcpy(protection, page.protection + protection_at(store, piece->within),
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
		bool there, mapped;
		struct page page;

		pthread_rwlock_rdlock(lock_of(store, piece.number));
		there = find_page(store, piece.number, &page);
		mapped = there ? *page.state & (STATE_OWN | STATE_FILLED) : background(store, piece.number);
		if (!there && !mapped) /* nor is there anything in the rest of the table */
			described = TABLE_BYTES - offset % TABLE_BYTES;
		pthread_rwlock_unlock(lock_of(store, piece.number));
		described = described < length ? described : length;
		result = scuse_extents_add(extents, offset, described,
					   mapped ? SCUSE_EXTENT_MAPPED : SCUSE_EXTENT_HOLE);
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
	bool there = find_table(store, piece->number);
	struct page page;

	if (!there && !background(store, piece->number))
		return BLANKED_TABLE;
	if (!there && !make_table(store, piece->number))
		return BLANK_NO_MEMORY;
	find_page(store, piece->number, &page);
	if (piece->length == PAGE) {
		release_page(store, &page, piece->number);
		return BLANKED;
	}
	if (*page.state & STATE_FILLED)
		return BLANK_NEEDS_PAGE;
	if (is_own(&page))
		memset(page.data + piece->within, 0, piece->length);
	if (is_protected(&page))
		memset(page.protection + protection_at(store, piece->within), UNPROTECTED,
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

/* With all locks. */
static void reset_table(struct store *store, uint64_t index, bool wipe, uint64_t filled)
{
	unsigned char *table = store->backing.tables[index];

	for (uint64_t i = 0; i < TABLE; i++) {
		struct page page = page_of(store, table, i);

		forget_page(store, &page, wipe);
	}
	backing_punch(&store->backing, index, 0, TABLE_STATES);
	for (uint64_t i = 0; i < TABLE && index * TABLE + i < filled; i++)
		table[TABLE_STATES + i] = STATE_FILLED;
}

static void make_fill(struct store *store, const unsigned char *pattern, uint64_t length)
{
	for (size_t i = 0; pattern && i < PAGE; i++)
		store->backing.fill[i] = pattern[i % store->block_size % length];
}

/* What remains in it of writes that were short. */
static void wipe_journal(struct store *store)
{
	pthread_mutex_lock(&store->journal_lock);
	if (store->backing.head->journal.length) {
		explicit_bzero(store->backing.journal, PAGE);
		explicit_bzero(store->backing.journal_protection, store->protection_size);
		backing_punch_journal(&store->backing);
	}
	pthread_mutex_unlock(&store->journal_lock);
}

int store_reset(struct store *store, int wipe, const void *pattern, uint64_t pattern_length, uint64_t end)
{
	uint64_t filled = pattern ? (end + PAGE - 1) / PAGE : 0;

	if (pattern && backing_populate(store->backing.fill, PAGE))
		return -ENOMEM;
	if (wipe)
		wipe_journal(store);
	lock_pages(store, 0, LOCKS);
	make_fill(store, pattern, pattern_length);
	store->backing.head->filled = filled;
	for (uint64_t i = 0; i < __atomic_load_n(&store->tables, __ATOMIC_ACQUIRE); i++)
		if (store->backing.tables[i])
			reset_table(store, i, wipe, filled);
	unlock_pages(store, 0, LOCKS);
	return 0;
}

/* ---- after an earlier worker ---- */

/* Counts what there is, and gives back what the dead worker was about to use or had just given up. */
static void recover_table(struct store *store, uint64_t index)
{
	const unsigned char *states = store->backing.tables[index] + TABLE_STATES;

	for (uint64_t i = 0; i < TABLE;) {
		uint64_t first = i;
		bool own = states[i] & STATE_OWN;

		while (i < TABLE && !!(states[i] & STATE_OWN) == own)
			i++;
		if (own)
			store->used += i - first;
		else
			backing_punch(&store->backing, index, first * PAGE, (i - first) * PAGE);
	}
}

static bool finish_journal(struct store *store)
{
	struct backing *backing = &store->backing;
	struct backing_journal *journal = &backing->head->journal;
	const struct source source = { backing->journal,
				       journal->protected ? backing->journal_protection : NULL, false };

	if (!journal->valid)
		return true;
	if (!journal->length || journal->length > JOURNAL_MAX ||
	    journal->offset > STORE_MAX - journal->length)
		return false;
	return !write_pages(store, &source, journal->length, journal->offset, journal);
}

static bool store_recover(struct store *store)
{
	for (uint64_t i = 0; (i = backing_next_table(&store->backing, i)) < TABLES; i++) {
		if (!map_table(store, i))
			return false;
		recover_table(store, i);
	}
	return finish_journal(store);
}

/* ---- all of it ---- */

struct store *store_new(uint32_t block_size, uint64_t limit, int kept)
{
	struct store *store = calloc(1, sizeof(*store));
	int result = store ? backing_open(&store->backing, kept, block_size) : -ENOMEM;

	if (result) {
		free(store);
		errno = -result;
		return NULL;
	}
	store->limit = limit / PAGE;
	store->block_size = block_size;
	store->protection_size = protection_at(store, PAGE);
	pthread_mutex_init(&store->making, NULL);
	pthread_mutex_init(&store->journal_lock, NULL);
	for (unsigned int i = 0; i < LOCKS; i++)
		pthread_rwlock_init(&store->locks[i], NULL);
	if (kept < 0 || store_recover(store))
		return store;
	store_free(store);
	errno = ENOMEM;
	return NULL;
}

void store_free(struct store *store)
{
	for (unsigned int i = 0; i < LOCKS; i++)
		pthread_rwlock_destroy(&store->locks[i]);
	pthread_mutex_destroy(&store->journal_lock);
	pthread_mutex_destroy(&store->making);
	backing_close(&store->backing);
	free(store);
}

int store_fd(const struct store *store)
{
	return store->backing.fd;
}

uint64_t store_used(const struct store *store)
{
	return __atomic_load_n(&store->used, __ATOMIC_RELAXED) * PAGE;
}
