// SPDX-License-Identifier: LGPL-2.1-or-later
/* What initiators are told of a library: READ ELEMENT STATUS byte by byte, mode pages, log pages. */
#include "../../handlers/vchanger/element.h"
#include "../../handlers/vchanger/page.h"
#include "vchanger_fixture.h"

TestSuite(report, .init = fixture_set_up, .fini = fixture_tear_down);

#define DESCRIPTOR    16 /* bytes, without volume tags and designators */
#define WITH_VOLUME   52
#define WITH_DRIVE_ID (DESCRIPTOR + 4) /* "fake" */

static unsigned int get16(const uint8_t *from)
{
	return (unsigned int)(from[0] << 8 | from[1]);
}

static unsigned int get24(const uint8_t *from)
{
	return (unsigned int)(from[0] << 16 | from[1] << 8 | from[2]);
}

/* READ ELEMENT STATUS with the second byte and DVCID of the CDB as given; bytes beyond the result are 0xee. */
static long report(struct library *library, unsigned int second, unsigned int start, unsigned int count,
		   unsigned int identifiers, uint8_t *to, size_t room)
{
	const uint8_t cdb[12] = { 0xb8,
				  (uint8_t)second,
				  (uint8_t)(start >> 8),
				  (uint8_t)start,
				  (uint8_t)(count >> 8),
				  (uint8_t)count,
				  (uint8_t)identifiers };
	struct element_query query;
	long length;

	cr_assert(element_parse(cdb, &query));
	memset(to, 0xee, 1024);
	length = element_report(library, &query, to, room);
	cr_expect_leq(length, (long)room);
	for (size_t i = (size_t)length; i < 1024; i++)
		cr_assert_eq(to[i], 0xee, "byte %zu of %ld is written", i, length);
	return length;
}

static struct library *open_filled(void)
{
	fixture_put("cartridges", "A00001L8.tap");
	fixture_put("mail", "B");
	return fixture_open();
}

Test(report, all_elements)
{
	struct library *library = open_filled();
	struct fake_drive drive;
	uint8_t data[1024];
	const uint8_t *page = data + 8;
	long length;

	fake_drive_start(&drive, 1);
	cr_expect_eq(library_move(library, SLOT(1), DRIVE(1), false), LIBRARY_OK);
	length = report(library, 0x10, 0, 0xffff, 0, data, sizeof(data));
	cr_expect_eq(length, 8 + 4 * 8 + 9 * WITH_VOLUME);
	cr_expect_eq(get16(data), ADDRESS_TRANSPORT);
	cr_expect_eq(get16(data + 2), 9);
	cr_expect_eq(get24(data + 5), length - 8);
	/* The medium transport element: never full. */
	cr_expect_eq(page[0], ELEMENT_TRANSPORT);
	cr_expect_eq(page[1], 0x80);
	cr_expect_eq(get16(page + 2), WITH_VOLUME);
	cr_expect_eq(get24(page + 5), WITH_VOLUME);
	cr_expect_eq(page[8 + 2], 0);
	/* Import/export: put there by hand, and accessible both ways. */
	page += 8 + WITH_VOLUME;
	cr_expect_eq(page[0], ELEMENT_PORT);
	cr_expect_eq(get24(page + 5), 2 * WITH_VOLUME);
	cr_expect_eq(get16(page + 8), PORT(1));
	cr_expect_eq(page[8 + 2], 0x3b);
	cr_expect_eq(page[8 + 9], 0x01);
	cr_expect_arr_eq(page + 8 + 12, "B                               \0\0\0\0", 36);
	cr_expect_eq(page[8 + WITH_VOLUME + 2], 0x38);
	/* Drives: the first is absent. */
	page += 8 + 2 * WITH_VOLUME;
	cr_expect_eq(page[0], ELEMENT_DRIVE);
	cr_expect_eq(page[8 + 2], 0x04);
	cr_expect_eq(get16(page + 8 + 4), 0x0412);
	cr_expect_eq(get16(page + 8 + WITH_VOLUME), DRIVE(1));
	cr_expect_eq(page[8 + WITH_VOLUME + 2], 0x09);
	cr_expect_eq(page[8 + WITH_VOLUME + 9], 0x81, "the source is valid");
	cr_expect_eq(get16(page + 8 + WITH_VOLUME + 10), SLOT(1));
	cr_expect_arr_eq(page + 8 + WITH_VOLUME + 12, "A00001L8                        \0\0\0\0", 36);
	/* Storage: empty, and accessible. */
	page += 8 + 2 * WITH_VOLUME;
	cr_expect_eq(page[0], ELEMENT_STORAGE);
	cr_expect_eq(get16(page + 8), SLOT(1));
	cr_expect_eq(page[8 + 2], 0x08);
	cr_expect_arr_eq(page + 8 + 12, (uint8_t[36]){ 0 }, 36);
	fake_drive_stop(&drive);
	library_close(library);
}

Test(report, some_elements)
{
	struct library *library = open_filled();
	uint8_t data[1024];

	cr_expect_eq(report(library, 0x02, 0, 0xffff, 0, data, sizeof(data)), 16 + 4 * DESCRIPTOR);
	cr_expect_eq(get16(data), SLOT(1));
	cr_expect_eq(data[8 + 1], 0, "no volume tags");
	cr_expect_eq(report(library, 0x02, SLOT(2), 2, 0, data, sizeof(data)), 16 + 2 * DESCRIPTOR);
	cr_expect_eq(get16(data), SLOT(2));
	cr_expect_eq(report(library, 0x00, PORT(2), 2, 0, data, sizeof(data)), 8 + 2 * 8 + 2 * DESCRIPTOR);
	cr_expect_eq(get16(data), PORT(2));
	cr_expect_eq(get16(data + 8 + 8 + DESCRIPTOR + 8), DRIVE(0));
	cr_expect_eq(report(library, 0x03, SLOT(1), 9, 0, data, sizeof(data)), 8, "no such element");
	cr_expect_eq(get16(data + 2), 0);
	cr_expect_eq(get24(data + 5), 0);
	library_close(library);
}

/* The counts are of all that there is; what is transferred is whole descriptors. */
Test(report, short_allocation_lengths)
{
	struct library *library = open_filled();
	uint8_t data[1024];

	for (size_t room = 0; room < 100; room++) {
		size_t fits = room < 8 ? room : room < 16 ? 8 : 16 + (room - 16) / DESCRIPTOR * DESCRIPTOR;

		if (fits > 16 + 4 * DESCRIPTOR)
			fits = 16 + 4 * DESCRIPTOR;
		cr_expect_eq(report(library, 0x02, 0, 0xffff, 0, data, room), (long)fits, "%zu", room);
		if (room < 16)
			continue;
		cr_expect_eq(get16(data + 2), 4);
		cr_expect_eq(get24(data + 5), 8 + 4 * DESCRIPTOR);
		cr_expect_eq(get24(data + 8 + 5), 4 * DESCRIPTOR);
	}
	library_close(library);
}

Test(report, which_drives_they_are)
{
	struct library *library = open_filled();
	struct fake_drive drive;
	uint8_t data[1024];

	fake_drive_start(&drive, 0);
	cr_expect_eq(report(library, 0x04, 0, 9, 1, data, sizeof(data)), 16 + 2 * WITH_DRIVE_ID);
	cr_expect_eq(get16(data + 8 + 2), WITH_DRIVE_ID);
	cr_expect_arr_eq(data + 16 + 12,
			 "\x02\x01\x00\x04"
			 "fake",
			 8);
	cr_expect_arr_eq(data + 16 + WITH_DRIVE_ID + 12, (uint8_t[8]){ 0 }, 8, "the other does not answer");
	fake_drive_stop(&drive);
	library_close(library);
}

Test(report, reserved_type_codes_are_refused)
{
	struct element_query query;

	for (unsigned int type = 0; type < 16; type++)
		cr_expect_eq(element_parse((uint8_t[12]){ 0xb8, (uint8_t)type }, &query), type <= 4);
}

Test(report, mode_pages)
{
	struct library *library = fixture_open();
	uint8_t data[PAGE_ROOM];
	size_t length;

	cr_expect_eq(page_mode_sense(library, (uint8_t[6]){ 0x1a, 0, 0x1d, 0, 255 }, data, &length), PAGE_OK);
	cr_expect_eq(length, 24);
	cr_expect_arr_eq(
		data,
		"\x17\0\0\0\x1d\x12\x00\x00\x00\x01\x04\x00\x00\x04\x00\x10\x00\x02\x01\x00\x00\x02\0\0", 24);
	cr_expect_eq(page_mode_sense(library, (uint8_t[10]){ 0x5a, 8, 0x3f }, data, &length), PAGE_OK);
	cr_expect_eq(length, 8 + 20 + 4 + 20);
	cr_expect_eq(get16(data), length - 2);
	cr_expect_arr_eq(data + 28, "\x1e\x02\0\0\x1f\x12\x0e\0\0\x0e\x0e\x0e\0\0\0\0\0\x0e\x0e\x0e\0\0\0\0",
			 24);
	cr_expect_eq(page_mode_sense(library, (uint8_t[6]){ 0x1a, 0, 0x5f }, data, &length), PAGE_OK);
	cr_expect_arr_eq(data + 4, "\x1f\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20,
			 "nothing can be changed");
	cr_expect_eq(page_mode_sense(library, (uint8_t[6]){ 0x1a, 0, 0xdd }, data, &length), PAGE_NOT_SAVED);
	cr_expect_eq(page_mode_sense(library, (uint8_t[6]){ 0x1a, 0, 0x01 }, data, &length), PAGE_INVALID);
	cr_expect_eq(page_mode_sense(library, (uint8_t[6]){ 0x1a, 0, 0x1d, 1 }, data, &length), PAGE_INVALID);
	library_close(library);
}

Test(report, log_pages)
{
	struct library *library = fixture_open();
	struct fake_drive drives[2];
	uint8_t data[PAGE_ROOM];
	size_t length;

	cr_expect_eq(page_log_sense(library, (uint8_t[10]){ 0x4d, 0, 0x40 }, data, &length), PAGE_OK);
	cr_expect_eq(length, 6);
	cr_expect_arr_eq(data, "\x00\x00\x00\x02\x00\x2e", 6);
	cr_expect_eq(page_log_sense(library, (uint8_t[10]){ 0x4d, 0, 0x6e }, data, &length), PAGE_OK);
	cr_expect_eq(length, 4 + 64 * 5);
	cr_expect_eq(get16(data + 2), 64 * 5);
	for (unsigned int i = 0; i < 64; i++) {
		cr_expect_eq(get16(data + 4 + i * 5), i + 1);
		cr_expect_eq(data[4 + i * 5 + 4], i + 1 == 0x16,
			     "drives are offline, and nothing else is wrong");
	}
	fake_drive_start(&drives[0], 0);
	fake_drive_start(&drives[1], 1);
	cr_expect_eq(page_log_sense(library, (uint8_t[10]){ 0x4d, 0, 0x6e }, data, &length), PAGE_OK);
	cr_expect_eq(data[4 + 0x15 * 5 + 4], 0);
	fake_drive_stop(&drives[0]);
	fake_drive_stop(&drives[1]);
	cr_expect_eq(page_log_sense(library, (uint8_t[10]){ 0x4d, 0, 0x42 }, data, &length), PAGE_INVALID);
	cr_expect_eq(page_log_sense(library, (uint8_t[10]){ 0x4d, 1, 0x6e }, data, &length), PAGE_INVALID);
	cr_expect_eq(page_log_sense(library, (uint8_t[10]){ 0x4d, 0, 0x6e, 1 }, data, &length), PAGE_INVALID);
	library_close(library);
}
