// SPDX-License-Identifier: GPL-2.0-only
/*
 * What lies in a slot after userspace has completed a READ or an EXTENTS, for the commands of step.h that
 * look at it or change it.  The caller holds the tag in KERNEL state; no locks held.
 *
 * Beyond what userspace says it has filled, and in pages that it never touched, there are zeros, as for an
 * initiator's READ (scuse_slot_drain()).
 */
#include <linux/highmem.h>
#include <linux/mm.h>
#include "scuse.h"

/*
 * The page that holds byte @offset of what was read, or the page of zeros; *@count, at most @length on
 * entry, says for how many bytes that is true.
 */
static struct page *scuse_slot_view(struct scuse_io *io, u32 offset, u32 length, u32 *count)
{
	struct scuse_tag *tag = io->tag;
	struct page **pages = smp_load_acquire(&tag->pages); /* pairs with scuse_slot_page() */
	u32 filled = tag->kind == SCUSE_CQE_ZERO ? 0 : tag->filled;
	struct page *page = NULL;

	*count = min(length, (u32)PAGE_SIZE - (u32)offset_in_page(offset));
	if (offset >= filled)
		return ZERO_PAGE(0);
	*count = min(*count, filled - offset);
	if (pages)
		page = smp_load_acquire(&pages[offset >> PAGE_SHIFT]); /* with scuse_page() */
	return page ? page : ZERO_PAGE(0);
}

/* scuse_slot_read - copy @length bytes from @offset on of what userspace has filled in */
void scuse_slot_read(struct scuse_io *io, u32 offset, void *buffer, u32 length)
{
	u32 done = 0;

	while (done < length) {
		u32 count;
		struct page *page = scuse_slot_view(io, offset + done, length - done, &count);

		flush_dcache_page(page);
		memcpy_from_page(buffer + done, page, offset_in_page(offset + done), count);
		done += count;
	}
}

/* The offset of the first byte that differs, or @length. */
static u32 scuse_page_compare(struct page *a, u32 at_a, struct page *b, u32 at_b, u32 length)
{
	u8 *left = kmap_local_page(a);
	u8 *right = kmap_local_page(b);
	u32 same = 0;

	if (!memcmp(left + at_a, right + at_b, length))
		same = length;
	/* What is compared can change meanwhile: the loop ends by itself. */
	while (same < length && left[at_a + same] == right[at_b + same])
		same++;
	kunmap_local(right);
	kunmap_local(left);
	return same;
}

/*
 * scuse_slot_compare - compare @length bytes of the slot, from @offset on, with the next ones of the list
 *
 * Returns the offset, counted from @offset, of the first byte that differs, or @length.  A list that is
 * too short differs where it ends.
 */
u32 scuse_slot_compare(struct scuse_io *io, u32 offset, struct scuse_sg *cursor, u32 length)
{
	u32 done = 0;

	while (done < length) {
		struct page *slot, *page;
		u32 in_page, count, same;

		slot = scuse_slot_view(io, offset + done, length - done, &count);
		count = scuse_sg_next(cursor, count, &page, &in_page);
		if (!count)
			break;
		flush_dcache_page(slot);
		same = scuse_page_compare(slot, offset_in_page(offset + done), page, in_page, count);
		done += same;
		if (same < count)
			break;
	}
	return done;
}

static void scuse_page_or(struct page *to, u32 at_to, struct page *from, u32 at_from, u32 length, bool zeros)
{
	u8 *target = kmap_local_page(to);
	u8 *source = kmap_local_page(from);
	u32 i;

	if (zeros) {
		memcpy(target + at_to, source + at_from, length);
	} else {
		for (i = 0; i < length; i++)
			target[at_to + i] |= source[at_from + i];
	}
	kunmap_local(source);
	kunmap_local(target);
	flush_dcache_page(to);
}

/*
 * scuse_slot_or - OR the next @length bytes of the list onto what was read
 *
 * -ENOMEM, or -EINVAL if the list is shorter.
 */
int scuse_slot_or(struct scuse_io *io, struct scuse_sg *cursor, u32 length)
{
	u32 done = 0;

	while (done < length) {
		struct page *slot, *page;
		u32 in_page, count;
		bool zeros = scuse_slot_view(io, done, length - done, &count) == ZERO_PAGE(0);

		slot = scuse_slot_page(io->queue, io->tag, done >> PAGE_SHIFT);
		if (!slot)
			return -ENOMEM;
		count = scuse_sg_next(cursor, count, &page, &in_page);
		if (!count)
			return -EINVAL;
		scuse_page_or(slot, offset_in_page(done), page, in_page, count, zeros);
		done += count;
	}
	return 0;
}

/* scuse_slot_invert - complement the first @length bytes of the slot, which lie in one page; -ENOMEM */
int scuse_slot_invert(struct scuse_io *io, u32 length)
{
	struct page *page = scuse_slot_page(io->queue, io->tag, 0);
	u8 *bytes;
	u32 i;

	if (!page)
		return -ENOMEM;
	bytes = kmap_local_page(page);
	for (i = 0; i < length; i++)
		bytes[i] = ~bytes[i];
	kunmap_local(bytes);
	flush_dcache_page(page);
	return 0;
}
