// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the drive says of itself: INQUIRY and VPD pages (SPC-4 6.4, 7.8, SSC-4 8.5), READ BLOCK LIMITS, REPORT
 * DENSITY SUPPORT, SEND DIAGNOSTIC.  The kernel half edits what concerns it: task queuing, ports,
 * designators.
 */
#include <string.h>

#include "bytes.h"
#include "drive.h"

#define TYPE_TAPE   0x01
#define ANSWER_MAX  255
#define REVISION    "0100"
#define SERIAL_ROOM 32

/* Left-aligned, filled up with blanks. */
static void put_text(uint8_t *out, size_t size, const char *text)
{
	size_t length = strnlen(text, size);

	memset(out, ' ', size);
	memcpy(out, text, length);
}

/* ---- INQUIRY ---- */

static unsigned int standard_data(const struct drive *drive, uint8_t *out)
{
	static const uint16_t versions[] = { 0x00a0 /* SAM-5 */, 0x0460 /* SPC-4 */, 0x0520 /* SSC-4 */ };

	out[0] = TYPE_TAPE;
	out[1] = 0x80; /* RMB */
	out[2] = 0x06; /* SPC-4 */
	out[3] = 0x02;
	out[4] = 96 - 5;
	put_text(out + 8, DRIVE_VENDOR, drive->vendor);
	put_text(out + 16, DRIVE_PRODUCT, drive->product);
	put_text(out + 32, 4, REVISION);
	for (unsigned int i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		bytes_put(out + 58 + 2 * i, 2, versions[i]);
	return 96;
}

static unsigned int page_serial(const struct drive *drive, uint8_t *out)
{
	size_t length = strlen(drive->serial);

	memcpy(out, drive->serial, length);
	return (unsigned int)length;
}

/* T10 vendor ID based designator: vendor, product, serial number. */
static unsigned int page_identification(const struct drive *drive, uint8_t *out)
{
	size_t length = DRIVE_VENDOR + DRIVE_PRODUCT + strlen(drive->serial);

	out[0] = 0x02; /* ASCII */
	out[1] = 0x01;
	out[3] = (uint8_t)length;
	put_text(out + 4, DRIVE_VENDOR, drive->vendor);
	put_text(out + 12, DRIVE_PRODUCT, drive->product);
	memcpy(out + 28, drive->serial, strlen(drive->serial));
	return 4 + (unsigned int)length;
}

/* WORM: media that can be written once only are supported. */
static unsigned int page_capabilities(const struct drive *drive, uint8_t *out)
{
	(void)drive;
	out[0] = 0x01;
	return 2;
}

/* No TapeAlert flag can ever be raised. */
static unsigned int page_tape_alert(const struct drive *drive, uint8_t *out)
{
	(void)drive;
	(void)out;
	return 8;
}

static unsigned int page_list(const struct drive *drive, uint8_t *out);

static const struct vpd_page {
	uint8_t code;
	/* What follows the four bytes of header: its length. */
	unsigned int (*fill)(const struct drive *drive, uint8_t *out);
} vpd_pages[] = {
	{ 0x00, page_list },	     { 0x80, page_serial }, { 0x83, page_identification },
	{ 0xb0, page_capabilities }, { 0xb1, page_serial }, { 0xb2, page_tape_alert },
};
#define VPD_PAGES (sizeof(vpd_pages) / sizeof(vpd_pages[0]))

static unsigned int page_list(const struct drive *drive, uint8_t *out)
{
	(void)drive;
	for (unsigned int i = 0; i < VPD_PAGES; i++)
		out[i] = vpd_pages[i].code;
	return VPD_PAGES;
}

int inquiry_inquiry(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	uint8_t out[ANSWER_MAX] = { TYPE_TAPE, cdb[2] };
	unsigned int length;

	if (!(cdb[1] & 0x01)) {
		if (cdb[2])
			return sense_fail_cdb(io, 2, 7);
		drive_answer(io, out, standard_data(drive, out));
		return 0;
	}
	for (unsigned int i = 0; i < VPD_PAGES; i++) {
		if (vpd_pages[i].code != cdb[2])
			continue;
		length = vpd_pages[i].fill(drive, out + 4);
		bytes_put(out + 2, 2, length);
		drive_answer(io, out, length + 4);
		return 0;
	}
	return sense_fail_cdb(io, 2, 7);
}

/* ---- other descriptions ---- */

int inquiry_block_limits(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	uint8_t out[20] = { 0 };

	if (cdb[1] & 0x01) { /* MLOI */
		bytes_put(out + 12, 8, INT64_MAX / FORMAT_OVERHEAD);
		drive_answer(io, out, 20);
		return 0;
	}
	bytes_put(out + 1, 3, drive->max_block);
	bytes_put(out + 4, 2, 1);
	drive_answer(io, out, 6);
	return 0;
}

static void put_density(const struct drive *drive, uint8_t code, uint64_t megabytes, uint8_t *out)
{
	out[0] = code;
	out[1] = code;
	out[2] = 0xa0; /* WRTOK, DEFLT */
	bytes_put(out + 8, 2, 127);
	bytes_put(out + 10, 2, 1);
	bytes_put(out + 12, 4, megabytes > UINT32_MAX ? UINT32_MAX : megabytes);
	put_text(out + 16, 8, drive->vendor);
	put_text(out + 24, 8, "VTAPE");
	put_text(out + 32, 20, "virtual tape");
}

/* One density: that of the medium (MEDIA), or of new ones.  There are no medium type codes. */
int inquiry_density_support(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	const struct format_label *label = drive->cartridge ? &drive->cartridge->label : NULL;
	uint64_t capacity = drive->blank.capacity;
	uint8_t out[56] = { 0 };

	if (cdb[1] & 0x02) {
		bytes_put(out, 2, 2);
		drive_answer(io, out, 4);
		return 0;
	}
	if (cdb[1] & 0x01) {
		if (!label)
			return sense_fail(io, KEY_NOT_READY, ASC_MEDIUM_NOT_PRESENT);
		capacity = label->partition[0].size + (label->partitions > 1 ? label->partition[1].size : 0);
	}
	bytes_put(out, 2, 2 + 52);
	put_density(drive, label ? label->density : drive->blank.density, capacity / 1000000, out + 4);
	drive_answer(io, out, sizeof(out));
	return 0;
}

/* The self-test finds nothing wrong; diagnostic pages are not offered. */
int inquiry_send_diagnostic(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	(void)drive;
	if (bytes_get(cdb + 3, 2))
		return sense_fail_cdb(io, 3, SENSE_NO_BIT);
	if (cdb[1] & 0xe0)
		return sense_fail_cdb(io, 1, 7);
	return 0;
}
