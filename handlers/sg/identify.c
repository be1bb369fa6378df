// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which device it is: its type, and a name that tells it from all others.  See sg.h.
 *
 * The name is a designator of VPD page 83h (SPC-4 7.8.6), the one that is best defined: NAA, EUI-64, SCSI
 * name string, T10 vendor ID.  Devices without that page have vendor, product and serial number (VPD page
 * 80h). Main thread, while the LUN is opened; the parsing is pure.
 */
#include "sg.h"

#include <ctype.h>
#include <errno.h>
#include <scsi/sg_lib.h>
#include <stdio.h>
#include <string.h>

#define INQUIRY_LENGTH	 36
#define PAGE_LENGTH	 1024
#define PAGE_SERIAL	 0x80
#define PAGE_DESIGNATORS 0x83

/* Kinds of designators, in order of preference; 0: no use. */
static int preference(const uint8_t *designator)
{
	bool of_the_unit = (designator[1] & 0x30) == 0;

	if (!of_the_unit || !designator[3])
		return 0;
	switch (designator[1] & 0x0f) {
	case 0x3: /* NAA */
		return 4;
	case 0x2: /* EUI-64 */
		return 3;
	case 0x8: /* SCSI name string */
		return 2;
	case 0x1: /* T10 vendor ID */
		return 1;
	}
	return 0;
}

/* What is no printable ASCII becomes a point; blanks at the end go. */
static void print_text(char *out, size_t size, const char *prefix, const uint8_t *text, size_t length)
{
	size_t at = (size_t)snprintf(out, size, "%s", prefix);

	for (size_t i = 0; i < length && text[i] && at + 1 < size; i++)
		out[at++] = isascii(text[i]) && isprint(text[i]) ? (char)text[i] : '.';
	while (at && out[at - 1] == ' ')
		at--;
	out[at] = 0;
}

static void print_hex(char *out, size_t size, const char *prefix, const uint8_t *bytes, size_t length)
{
	size_t at = (size_t)snprintf(out, size, "%s", prefix);

	for (size_t i = 0; i < length && at + 2 < size; i++)
		at += (size_t)snprintf(out + at, size - at, "%02x", bytes[i]);
}

bool identity_from_designators(const uint8_t *page, size_t length, char *out, size_t size)
{
	const uint8_t *best = NULL;
	size_t end = length < 4 ? 0 : 4 + (size_t)(page[2] << 8 | page[3]);

	if (end > length)
		end = length;
	for (size_t at = 4; at + 4 <= end && at + 4 + page[at + 3] <= end; at += 4 + (size_t)page[at + 3])
		if (preference(page + at) > (best ? preference(best) : 0))
			best = page + at;
	if (!best)
		return false;
	switch (preference(best)) {
	case 4:
		print_hex(out, size, "naa.", best + 4, best[3]);
		break;
	case 3:
		print_hex(out, size, "eui.", best + 4, best[3]);
		break;
	case 2:
		print_text(out, size, "", best + 4, best[3]);
		break;
	default:
		print_text(out, size, "t10.", best + 4, best[3]);
	}
	return *out;
}

void identity_from_inquiry(const uint8_t *inquiry, const char *serial, char *out, size_t size)
{
	char vendor[9], product[17];

	print_text(vendor, sizeof(vendor), "", inquiry + 8, 8);
	print_text(product, sizeof(product), "", inquiry + 16, 16);
	snprintf(out, size, "%s %s %s", vendor, product, *serial ? serial : "(without a serial number)");
}

static bool read_page(struct sg_device *device, uint8_t code, uint8_t *page, uint32_t *length)
{
	const uint8_t cdb[6] = { 0x12, 0x01, code, PAGE_LENGTH >> 8, PAGE_LENGTH & 0xff };

	return command_ask(device, cdb, sizeof(cdb), page, PAGE_LENGTH, length) == 0 && *length >= 4 &&
	       page[1] == code;
}

static void name_it(struct sg_device *device, const uint8_t *inquiry)
{
	uint8_t page[PAGE_LENGTH];
	char serial[64] = "";
	uint32_t length;

	if (read_page(device, PAGE_DESIGNATORS, page, &length) &&
	    identity_from_designators(page, length, device->identity, sizeof(device->identity)))
		return;
	if (read_page(device, PAGE_SERIAL, page, &length)) {
		size_t said = page[3] < length - 4 ? page[3] : length - 4, start = 0;

		while (start < said && page[4 + start] == ' ')
			start++;
		print_text(serial, sizeof(serial), "", page + 4 + start, said - start);
	}
	identity_from_inquiry(inquiry, serial, device->identity, sizeof(device->identity));
}

int identify(struct sg_device *device)
{
	const uint8_t cdb[6] = { 0x12, 0, 0, 0, INQUIRY_LENGTH }, test[6] = { 0 };
	uint8_t inquiry[INQUIRY_LENGTH];
	uint32_t length;
	int result = command_ask(device, cdb, sizeof(cdb), inquiry, sizeof(inquiry), &length);

	if (result || length < INQUIRY_LENGTH) {
		scuse_error("/dev/%s does not answer INQUIRY: is the device there, and its power on?",
			    device->node.sg);
		return result ? result : -EIO;
	}
	if (inquiry[0] & 0xe0 || (inquiry[0] & 0x1f) == SCUSE_TYPE_UNKNOWN) {
		scuse_error("/dev/%s: there is no device at its logical unit (INQUIRY says %02Xh)",
			    device->node.sg, inquiry[0]);
		return -ENODEV;
	}
	device->type = inquiry[0] & 0x1f;
	/* INQUIRY leaves pending unit attentions alone: this takes them, to be told on. */
	command_ask(device, test, sizeof(test), NULL, 0, NULL);
	name_it(device, inquiry);
	return 0;
}
