// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * LOG SENSE and LOG SELECT (SPC-4 6.5, 6.6): error counters, sequential-access counts, volume statistics,
 * TapeAlert, and what is left of the tape.  Counters are those of the LUN's worker and of the cartridge.
 */
#include <string.h>

#include "bytes.h"
#include "drive.h"

#define ANSWER_MAX  1024
#define MEBIBYTE    1048576u
#define FORMAT_LIST 0x03 /* control byte: binary, not a counter */
#define TAPE_ALERTS 64

/* A page that is being built. */
struct page {
	uint8_t *out;
	unsigned int length;
	unsigned int from; /* parameters with lower codes are left out */
};

static void add(struct page *page, unsigned int code, uint8_t control, unsigned int size, uint64_t value)
{
	uint8_t *to = page->out + page->length;

	if (code < page->from)
		return;
	bytes_put(to, 2, code);
	to[2] = control;
	to[3] = (uint8_t)size;
	bytes_put(to + 4, size, value);
	page->length += 4 + size;
}

/* ---- pages ---- */

static void fill_supported(const struct drive *drive, struct page *page);

/* Parameters 0002h: errors; 0005h: bytes; 0006h: errors that could not be corrected. */
static void fill_write_errors(const struct drive *drive, struct page *page)
{
	add(page, 0x0002, 0, 8, drive->counters.write_errors);
	add(page, 0x0003, 0, 8, drive->counters.write_errors);
	add(page, 0x0005, 0, 8, drive->counters.bytes_written);
	add(page, 0x0006, 0, 8, drive->counters.write_errors);
}

static void fill_read_errors(const struct drive *drive, struct page *page)
{
	add(page, 0x0002, 0, 8, drive->counters.read_errors);
	add(page, 0x0003, 0, 8, drive->counters.read_errors);
	add(page, 0x0005, 0, 8, drive->counters.bytes_read);
	add(page, 0x0006, 0, 8, drive->counters.read_errors);
}

/* Bytes from the initiator, to the medium, from the medium, to the initiator; no cleaning is ever wanted. */
static void fill_sequential(const struct drive *drive, struct page *page)
{
	add(page, 0x0000, 0, 8, drive->counters.bytes_written);
	add(page, 0x0001, 0, 8, drive->counters.bytes_written);
	add(page, 0x0002, 0, 8, drive->counters.bytes_read);
	add(page, 0x0003, 0, 8, drive->counters.bytes_read);
	add(page, 0x0100, FORMAT_LIST, 1, 0);
}

/* Of the cartridge, in its life: loads, and megabytes (10^6) written and read. */
static void fill_volume(const struct drive *drive, struct page *page)
{
	const struct format_label *label = drive->cartridge ? &drive->cartridge->label : NULL;

	add(page, 0x0000, FORMAT_LIST, 1, label != NULL);
	if (!label)
		return;
	add(page, 0x0001, FORMAT_LIST, 8, label->loads);
	add(page, 0x0010, FORMAT_LIST, 8, label->written / 1000000);
	add(page, 0x0011, FORMAT_LIST, 8, label->read / 1000000);
}

static void fill_tape_alert(const struct drive *drive, struct page *page)
{
	(void)drive;
	for (unsigned int flag = 1; flag <= TAPE_ALERTS; flag++)
		add(page, flag, FORMAT_LIST, 1, 0);
}

/* Remaining and full capacity of both partitions, in mebibytes. */
static void fill_capacity(const struct drive *drive, struct page *page)
{
	for (unsigned int i = 0; i < FORMAT_PARTITIONS; i++) {
		const struct cartridge *cartridge = drive->cartridge;
		uint64_t size = 0, left = 0;

		if (cartridge && i < cartridge->label.partitions) {
			size = cartridge->label.partition[i].size;
			left = size - cartridge_used(cartridge, i, &cartridge->partition[i].end);
		}
		add(page, 1 + i, FORMAT_LIST, 4, left / MEBIBYTE);
		add(page, 3 + i, FORMAT_LIST, 4, size / MEBIBYTE);
	}
}

static const struct log_page {
	uint8_t code;
	void (*fill)(const struct drive *drive, struct page *page);
} log_pages[] = {
	{ 0x00, fill_supported },  { 0x02, fill_write_errors }, { 0x03, fill_read_errors },
	{ 0x0c, fill_sequential }, { 0x17, fill_volume },	{ 0x2e, fill_tape_alert },
	{ 0x31, fill_capacity },
};
#define LOG_PAGES (sizeof(log_pages) / sizeof(log_pages[0]))

static void fill_supported(const struct drive *drive, struct page *page)
{
	(void)drive;
	for (unsigned int i = 0; i < LOG_PAGES; i++)
		page->out[page->length++] = log_pages[i].code;
}

/* With their subpages: each page has subpage 0 only, and page 0 this one as well. */
static void fill_subpages(struct page *page)
{
	for (unsigned int i = 0; i < LOG_PAGES; i++) {
		page->out[page->length++] = log_pages[i].code;
		page->out[page->length++] = 0;
		if (i)
			continue;
		page->out[page->length++] = 0;
		page->out[page->length++] = 0xff;
	}
}

/* ---- commands ---- */

/* Parameters are in ascending order but for those of the capacity page, which come in pairs. */
int log_sense(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	uint8_t out[ANSWER_MAX] = { cdb[2] & 0x3f, cdb[3] };
	struct page page = { .out = out, .length = 4, .from = (unsigned int)bytes_get(cdb + 5, 2) };
	bool subpages = out[0] == 0 && cdb[3] == 0xff;
	unsigned int i = 0;

	if (cdb[1] & 0x03)
		return sense_fail_cdb(io, 1, 1);
	if (cdb[3] && !subpages)
		return sense_fail_cdb(io, 3, 7);
	while (i < LOG_PAGES && log_pages[i].code != out[0])
		i++;
	if (i == LOG_PAGES)
		return sense_fail_cdb(io, 2, 5);
	if (subpages) {
		out[0] |= 0x40;
		fill_subpages(&page);
	} else {
		log_pages[i].fill(drive, &page);
	}
	if (page.from && page.length == 4)
		return sense_fail_cdb(io, 5, SENSE_NO_BIT);
	bytes_put(out + 2, 2, page.length - 4);
	drive_answer(io, out, page.length);
	return 0;
}

/* Resets the counters; there is no parameter that an initiator could set. */
int log_select(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	if (cdb[1] & 0x01)
		return sense_fail_cdb(io, 1, 0);
	if (bytes_get(cdb + 7, 2))
		return sense_fail_cdb(io, 7, SENSE_NO_BIT);
	if (cdb[1] & 0x02)
		memset(&drive->counters, 0, sizeof(drive->counters));
	return 0;
}
