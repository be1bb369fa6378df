// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * MODE SENSE and MODE SELECT, 6 and 10 (SPC-4 6.11 to 6.14, SSC-4 8.3).
 *
 * A page is a row of default values and one of masks: 1 bits are changeable.  MODE SELECT changes a copy of
 * all parameters and puts it in place only if every page of the list is acceptable.
 */
#include "mode.h"

#include <string.h>

#include "bytes.h"
#include "drive.h"

#define SPF		   0x40
#define DESCRIPTOR_LENGTH  8
#define CONTROL_CURRENT	   0
#define CONTROL_CHANGEABLE 1
#define CONTROL_DEFAULT	   2
#define CONTROL_SAVED	   3
#define ALL_PAGES	   0x3f
#define ALL_SUBPAGES	   0xff
#define DENSITY_UNCHANGED  0x7f
#define ANSWER_MAX	   512

enum {
	PAGE_ERROR_RECOVERY,
	PAGE_CONTROL,
	PAGE_COMPRESSION,
	PAGE_DEVICE,
	PAGE_DEVICE_EXTENSION,
	PAGE_PARTITION,
	PAGE_EXCEPTIONS,
	PAGE_MEDIUM,
	PAGE_DISCONNECT,
};

struct page {
	uint8_t size; /* with its header */
	uint8_t defaults[MODE_PAGE_SIZE];
	uint8_t changeable[MODE_PAGE_SIZE]; /* the header's bytes are left out: 0 */
};

/* Offsets within pages. */
#define COMPRESSION_FLAGS    2 /* DCE and DCC */
#define COMPRESSION_DCE	     0x80
#define COMPRESSION_DCC	     0x40
#define DEVICE_PARTITION     3
#define DEVICE_COMPRESSION   14
#define EXTENSION_PEWS	     6
#define PARTITION_ADDITIONAL 3
#define PARTITION_FLAGS	     4
#define PARTITION_IDP	     0x20
#define PARTITION_UNITS	     6
#define PARTITION_SIZES	     8
#define MEDIUM_WORM	     2

static const struct page pages[MODE_PAGES] = {
	[PAGE_ERROR_RECOVERY] = { .size = 12, .defaults = { 0x01, 10 } },
	[PAGE_DISCONNECT] = { .size = 16, .defaults = { 0x02, 14 } },
	/* GLTSD: log parameters are not saved. */
	[PAGE_CONTROL] = { .size = 12, .defaults = { 0x0a, 10, 0x02 } },
	/* DDE.  The algorithms are unregistered ones: nothing is compressed, and anything is read. */
	[PAGE_COMPRESSION] = { .size = 16,
			       .defaults = { 0x0f, 14, 0, 0x80, 0, 0, 0, 0xff, 0, 0, 0, 0xff },
			       .changeable = { [COMPRESSION_FLAGS] = COMPRESSION_DCE } },
	/* LOIS; EEG, SEW; a reset does not rewind */
	[PAGE_DEVICE] = { .size = 16,
			  .defaults = { 0x10, 14, [8] = 0x40, [10] = 0x18, [15] = 0x10 },
			  .changeable = { [DEVICE_COMPRESSION] = 0x01 } },
	[PAGE_DEVICE_EXTENSION] = { .size = 32,
				    .defaults = { 0x10 | SPF, 1, 0, 28 },
				    .changeable = { [EXTENSION_PEWS] = 0xff, 0xff } },
	/* FDP or IDP; POFM; format and partition recognition */
	[PAGE_PARTITION] = { .size = 12,
			     .defaults = { 0x11, 10, 1, 0, 0x3c, 3, 6 },
			     .changeable = { [3] = 0xff, 0xf8, 0, 0x0f, 0, 0xff, 0xff, 0xff, 0xff } },
	/* DEXCPT: TapeAlert is to be polled */
	[PAGE_EXCEPTIONS] = { .size = 12, .defaults = { 0x1c, 10, 0x08 } },
	[PAGE_MEDIUM] = { .size = 32, .defaults = { 0x1d, 30 } },
};

/* In ascending order, for answers with several pages. */
static const uint8_t order[MODE_PAGES] = { PAGE_ERROR_RECOVERY, PAGE_DISCONNECT, PAGE_CONTROL,
					   PAGE_COMPRESSION,	PAGE_DEVICE,	 PAGE_DEVICE_EXTENSION,
					   PAGE_PARTITION,	PAGE_EXCEPTIONS, PAGE_MEDIUM };

static uint8_t page_code(const struct page *page)
{
	return page->defaults[0] & ~SPF;
}

static uint8_t page_subpage(const struct page *page)
{
	return page->defaults[0] & SPF ? page->defaults[1] : 0;
}

/* Compression can be switched only if it is offered. */
static void fill_changeable(const struct mode *mode, unsigned int index, uint8_t *out)
{
	memcpy(out, pages[index].changeable, MODE_PAGE_SIZE);
	if (!mode->can_compress && (index == PAGE_COMPRESSION || index == PAGE_DEVICE))
		memset(out, 0, MODE_PAGE_SIZE);
}

static void fill_defaults(const struct mode *mode, unsigned int index, uint8_t *out)
{
	memcpy(out, pages[index].defaults, MODE_PAGE_SIZE);
	if (!mode->can_compress)
		return;
	if (index == PAGE_COMPRESSION)
		out[COMPRESSION_FLAGS] = COMPRESSION_DCE | COMPRESSION_DCC;
	if (index == PAGE_DEVICE)
		out[DEVICE_COMPRESSION] = 1;
}

/* ---- what others ask of the parameters ---- */

void mode_init(struct mode *mode, bool can_compress)
{
	memset(mode, 0, sizeof(*mode));
	mode->can_compress = can_compress;
	for (unsigned int i = 0; i < MODE_PAGES; i++)
		fill_defaults(mode, i, mode->page[i]);
}

/* Sizes in megabytes (10^6), or in units of a power of ten that 16 bits are enough for. */
void mode_medium_changed(struct mode *mode, const struct cartridge *cartridge)
{
	const struct format_label *label = &cartridge->label;
	uint8_t *page = mode->page[PAGE_PARTITION];
	uint64_t unit = 1000000, largest = 0;

	fill_defaults(mode, PAGE_PARTITION, page);
	for (unsigned int i = 0; i < label->partitions; i++)
		largest = label->partition[i].size > largest ? label->partition[i].size : largest;
	for (; largest / unit >= 0xffff; unit *= 10)
		page[PARTITION_UNITS]++;
	page[PARTITION_ADDITIONAL] = (uint8_t)(label->partitions - 1);
	for (unsigned int i = 0; i < label->partitions; i++)
		bytes_put(page + PARTITION_SIZES + 2 * i, 2, label->partition[i].size / unit);
	mode->page[PAGE_MEDIUM][MEDIUM_WORM] = label->flags & FORMAT_WORM ? 1 : 0;
}

/* PSUM: bytes, 10^3, 10^6, or 10^units (SSC-4 8.3.4). */
struct mode_partitions mode_partitions(const struct mode *mode)
{
	static const uint64_t psum_units[3] = { 1, 1000, 1000000 };
	const uint8_t *page = mode->page[PAGE_PARTITION];
	struct mode_partitions wanted = { .count = page[PARTITION_ADDITIONAL] + 1u,
					  .given = page[PARTITION_FLAGS] & PARTITION_IDP };
	unsigned int psum = page[PARTITION_FLAGS] >> 3 & 3;
	uint64_t unit = psum < 3 ? psum_units[psum] : 1;

	for (unsigned int i = 0; psum == 3 && i < (page[PARTITION_UNITS] & 0x0fu); i++)
		unit *= 10;
	for (unsigned int i = 0; i < wanted.count; i++) {
		uint64_t size = bytes_get(page + PARTITION_SIZES + 2 * i, 2);

		wanted.size[i] = size == 0xffff ? MODE_PARTITION_REST : size * unit;
	}
	return wanted;
}

uint64_t mode_early_warning(const struct mode *mode)
{
	return bytes_get(mode->page[PAGE_DEVICE_EXTENSION] + EXTENSION_PEWS, 2) * 1000000;
}

/* ---- MODE SENSE ---- */

static unsigned int put_page(const struct drive *drive, unsigned int index, unsigned int control,
			     uint8_t *out)
{
	const struct mode *mode = &drive->mode;

	if (control == CONTROL_CHANGEABLE) {
		fill_changeable(mode, index, out);
		memcpy(out, pages[index].defaults, page_subpage(&pages[index]) ? 4 : 2);
	} else if (control == CONTROL_DEFAULT) {
		fill_defaults(mode, index, out);
	} else {
		memcpy(out, mode->page[index], MODE_PAGE_SIZE);
		if (index == PAGE_DEVICE)
			out[DEVICE_PARTITION] = (uint8_t)drive->partition;
	}
	return pages[index].size;
}

/* All that match, one behind the other; 0: there is no such page. */
static unsigned int put_pages(const struct drive *drive, const uint8_t *cdb, uint8_t *out)
{
	unsigned int code = cdb[2] & 0x3f, length = 0;

	for (unsigned int i = 0; i < MODE_PAGES; i++) {
		const struct page *page = &pages[order[i]];

		if (code != ALL_PAGES && code != page_code(page))
			continue;
		if (cdb[3] != ALL_SUBPAGES && cdb[3] != page_subpage(page))
			continue;
		length += put_page(drive, order[i], cdb[2] >> 6, out + length);
	}
	return length;
}

/* WP, buffered mode 1 (or 0), default speed. */
static uint8_t device_specific(const struct drive *drive)
{
	bool protected = drive->read_only || (drive->cartridge && !drive->cartridge->writable);

	return (uint8_t)((protected ? 0x80 : 0) | (drive->mode.unbuffered ? 0 : 0x10));
}

static uint8_t density(const struct drive *drive)
{
	return drive->cartridge ? drive->cartridge->label.density : drive->blank.density;
}

static unsigned int put_descriptor(const struct drive *drive, unsigned int control, uint8_t *out)
{
	static const uint8_t changeable[DESCRIPTOR_LENGTH] = { [5] = 0xff, 0xff, 0xff };

	if (control == CONTROL_CHANGEABLE) {
		memcpy(out, changeable, sizeof(changeable));
		return DESCRIPTOR_LENGTH;
	}
	out[0] = density(drive);
	if (control == CONTROL_CURRENT)
		bytes_put(out + 5, 3, drive->mode.block_length);
	return DESCRIPTOR_LENGTH;
}

static int mode_sense(struct drive *drive, struct scuse_io *io, const uint8_t *cdb, unsigned int header)
{
	uint8_t out[ANSWER_MAX] = { 0 };
	unsigned int descriptor = 0, length = header, found, code = cdb[2] & 0x3f;

	if (cdb[2] >> 6 == CONTROL_SAVED)
		return sense_fail(io, KEY_ILLEGAL_REQUEST, ASC_SAVING_NOT_SUPPORTED);
	if (!(cdb[1] & 0x08))
		descriptor = put_descriptor(drive, cdb[2] >> 6, out + header);
	length += descriptor;
	found = put_pages(drive, cdb, out + length);
	/* Page 0 is vendor-specific: here it is a request for the header and the block descriptor alone. */
	if (!found && code)
		return sense_fail_cdb(io, 2, 5);
	length += found;
	if (header == 4) {
		out[0] = (uint8_t)(length - 1);
		out[2] = device_specific(drive);
		out[3] = (uint8_t)descriptor;
	} else {
		bytes_put(out, 2, length - 2);
		out[3] = device_specific(drive);
		bytes_put(out + 6, 2, descriptor);
	}
	drive_answer(io, out, length);
	return 0;
}

int mode_sense_6(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	return mode_sense(drive, io, cdb, 4);
}

int mode_sense_10(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	return mode_sense(drive, io, cdb, 8);
}

/* ---- MODE SELECT ---- */

/* A parameter list that is being read.  `at` moves on; `error`: 0 or what to return. */
struct list {
	struct drive *drive;
	struct scuse_io *io;
	const uint8_t *data;
	uint64_t length, at;
	struct mode mode; /* as it will be */
};

static int find_page(uint8_t code, uint8_t subpage)
{
	for (int i = 0; i < MODE_PAGES; i++)
		if (page_code(&pages[i]) == code && page_subpage(&pages[i]) == subpage)
			return i;
	return -1;
}

static int select_header(struct list *list, uint8_t specific)
{
	unsigned int buffered = specific >> 4 & 7;

	if (buffered > 1 || specific & 0x0f)
		return sense_fail_parameter(list->io, list->at == 4 ? 2 : 3);
	list->mode.unbuffered = buffered == 0;
	return 0;
}

static int select_descriptor(struct list *list, uint64_t length)
{
	const uint8_t *descriptor = list->data + list->at;
	uint32_t block;

	if (!length)
		return 0;
	if (length != DESCRIPTOR_LENGTH)
		return sense_fail_parameter(list->io, (uint16_t)(list->at - 1));
	if (list->at + length > list->length)
		return sense_fail(list->io, KEY_ILLEGAL_REQUEST, ASC_PARAMETER_LENGTH);
	if (descriptor[0] && descriptor[0] != DENSITY_UNCHANGED && descriptor[0] != density(list->drive))
		return sense_fail_parameter(list->io, (uint16_t)list->at);
	block = (uint32_t)bytes_get(descriptor + 5, 3);
	if (block > list->drive->max_block)
		return sense_fail_parameter(list->io, (uint16_t)(list->at + 5));
	list->mode.block_length = block;
	list->at += length;
	return 0;
}

/* Two fields say whether data is compressed: the one that was changed rules. */
static void follow_compression(struct mode *mode, int index)
{
	uint8_t *flags = &mode->page[PAGE_COMPRESSION][COMPRESSION_FLAGS];
	uint8_t *algorithm = &mode->page[PAGE_DEVICE][DEVICE_COMPRESSION];

	if (index == PAGE_COMPRESSION)
		*algorithm = *flags & COMPRESSION_DCE ? 1 : 0;
	if (index == PAGE_DEVICE)
		*flags = (uint8_t)((*flags & ~COMPRESSION_DCE) | (*algorithm ? COMPRESSION_DCE : 0));
}

static int select_page(struct list *list)
{
	const uint8_t *from = list->data + list->at;
	uint64_t left = list->length - list->at;
	unsigned int header = left && from[0] & SPF ? 4 : 2;
	uint8_t mask[MODE_PAGE_SIZE];
	unsigned int size;
	int index;

	if (left < header)
		return sense_fail(list->io, KEY_ILLEGAL_REQUEST, ASC_PARAMETER_LENGTH);
	index = find_page(from[0] & 0x3f, header == 4 ? from[1] : 0);
	if (index < 0)
		return sense_fail_parameter(list->io, (uint16_t)list->at);
	size = pages[index].size;
	if (memcmp(from + 1, pages[index].defaults + 1, header - 1) != 0)
		return sense_fail_parameter(list->io, (uint16_t)(list->at + 1));
	if (left < size)
		return sense_fail(list->io, KEY_ILLEGAL_REQUEST, ASC_PARAMETER_LENGTH);
	fill_changeable(&list->mode, (unsigned int)index, mask);
	for (unsigned int i = header; i < size; i++) {
		uint8_t *current = &list->mode.page[index][i];

		if ((from[i] ^ *current) & ~mask[i] && !(index == PAGE_DEVICE && i == DEVICE_PARTITION))
			return sense_fail_parameter(list->io, (uint16_t)(list->at + i));
		*current = (uint8_t)((*current & ~mask[i]) | (from[i] & mask[i]));
	}
	follow_compression(&list->mode, index);
	if (list->mode.page[PAGE_PARTITION][PARTITION_ADDITIONAL] >= FORMAT_PARTITIONS)
		return sense_fail_parameter(list->io, (uint16_t)(list->at + PARTITION_ADDITIONAL));
	list->at += size;
	return 0;
}

static int mode_select(struct drive *drive, struct scuse_io *io, const uint8_t *cdb, uint64_t length,
		       unsigned int header)
{
	struct list list = { .drive = drive, .io = io, .at = header, .mode = drive->mode };
	int result;

	if (cdb[1] & 0x01)
		return sense_fail_cdb(io, 1, 0);
	if (!length)
		return 0;
	list.data = scuse_io_data(io, &list.length);
	if (list.length > length)
		list.length = length;
	if (list.length < header)
		return sense_fail(io, KEY_ILLEGAL_REQUEST, ASC_PARAMETER_LENGTH);
	result = select_header(&list, list.data[header == 4 ? 2 : 3]);
	if (!result)
		result = select_descriptor(&list, header == 4 ? list.data[3] : bytes_get(list.data + 6, 2));
	while (!result && list.at < list.length)
		result = select_page(&list);
	if (!result)
		drive->mode = list.mode;
	return result;
}

int mode_select_6(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	return mode_select(drive, io, cdb, cdb[4], 4);
}

int mode_select_10(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	return mode_select(drive, io, cdb, bytes_get(cdb + 7, 2), 8);
}
