// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * READ ATTRIBUTE and WRITE ATTRIBUTE (SPC-4 6.20, 6.40, 7.4): the memory of the cartridge.  Attributes of
 * device and medium are made up from the label when they are asked for; those of hosts are kept in it, in the
 * form in which READ ATTRIBUTE returns them, in ascending order.
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "bytes.h"
#include "drive.h"

#define ATTRIBUTE_HEADER 5
#define READ_ONLY	 0x80
#define BINARY		 0x00
#define ASCII		 0x01
#define TEXT		 0x02
#define ANSWER_MAX	 (FORMAT_ATTRIBUTES + 1024)
#define MEBIBYTE	 1048576u
#define BARCODE		 0x0806
#define BARCODE_LENGTH	 32
#define HOST_FIRST	 0x0800
#define HOST_LAST	 0x0bff
#define VENDOR_FIRST	 0x1400
#define VENDOR_LAST	 0x17ff

#define ACTION_VALUES	  0
#define ACTION_LIST	  1
#define ACTION_VOLUMES	  2
#define ACTION_PARTITIONS 3

/* An answer that is being built. */
struct answer {
	uint8_t data[4 + ANSWER_MAX];
	unsigned int length;
	unsigned int first; /* attributes with lower identifiers are left out */
	bool names_only;
};

static void add(struct answer *answer, unsigned int id, uint8_t format, const void *value,
		unsigned int length)
{
	uint8_t *to = answer->data + answer->length;

	if (id < answer->first)
		return;
	bytes_put(to, 2, id);
	answer->length += 2;
	if (answer->names_only)
		return;
	to[2] = format;
	bytes_put(to + 3, 2, length);
	memcpy(to + ATTRIBUTE_HEADER, value, length);
	answer->length += ATTRIBUTE_HEADER - 2 + length;
}

static void add_number(struct answer *answer, unsigned int id, unsigned int size, uint64_t value)
{
	uint8_t bytes[8];

	bytes_put(bytes, size, value);
	add(answer, id, READ_ONLY | BINARY, bytes, size);
}

static void add_text(struct answer *answer, unsigned int id, uint8_t format, unsigned int size,
		     const char *text)
{
	char bytes[64];

	memset(bytes, ' ', sizeof(bytes));
	memcpy(bytes, text, strnlen(text, size));
	add(answer, id, format, bytes, size);
}

/* ---- device and medium ---- */

static void add_device(struct answer *answer, const struct drive *drive, unsigned int partition)
{
	const struct cartridge *cartridge = drive->cartridge;
	const struct format_label *label = &cartridge->label;
	uint64_t size = label->partition[partition].size;
	uint64_t used = cartridge_used(cartridge, partition, &cartridge->partition[partition].end);

	add_number(answer, 0x0000, 8, (size - used) / MEBIBYTE);
	add_number(answer, 0x0001, 8, size / MEBIBYTE);
	add_number(answer, 0x0002, 8, 0); /* TapeAlert flags */
	add_number(answer, 0x0003, 8, label->loads);
	add_number(answer, 0x0004, 8, FORMAT_ATTRIBUTES - label->attributes_length);
	add_number(answer, 0x0006, 1, label->density);
	add_number(answer, 0x0220, 8, label->written / MEBIBYTE);
	add_number(answer, 0x0221, 8, label->read / MEBIBYTE);
}

static void add_medium(struct answer *answer, const struct drive *drive)
{
	const struct format_label *label = &drive->cartridge->label;
	time_t created = (time_t)label->created;
	char date[16] = "";
	struct tm broken_down;

	if (gmtime_r(&created, &broken_down))
		strftime(date, sizeof(date), "%Y%m%d", &broken_down);
	add_text(answer, 0x0400, READ_ONLY | ASCII, 8, drive->vendor);
	add_text(answer, 0x0401, READ_ONLY | ASCII, 32, label->serial);
	add_number(answer, 0x0405, 1, label->density);
	add_text(answer, 0x0406, READ_ONLY | ASCII, 8, date);
	add_number(answer, 0x0407, 8, FORMAT_ATTRIBUTES);
	add_number(answer, 0x0408, 1, label->flags & FORMAT_WORM ? 0x80 : 0x00);
}

/* ---- hosts ---- */

static unsigned int stored_length(const uint8_t *attribute)
{
	return ATTRIBUTE_HEADER + (unsigned int)bytes_get(attribute + 3, 2);
}

/* Where attribute `id` is, or would be. */
static unsigned int find_stored(const struct format_label *label, unsigned int id)
{
	unsigned int at = 0;

	while (at + ATTRIBUTE_HEADER <= label->attributes_length && bytes_get(label->attributes + at, 2) < id)
		at += stored_length(label->attributes + at);
	return at < label->attributes_length ? at : label->attributes_length;
}

static bool is_stored(const struct format_label *label, unsigned int at, unsigned int id)
{
	return at + ATTRIBUTE_HEADER <= label->attributes_length &&
	       bytes_get(label->attributes + at, 2) == id &&
	       at + stored_length(label->attributes + at) <= label->attributes_length;
}

static void remove_stored(struct format_label *label, unsigned int id)
{
	unsigned int at = find_stored(label, id);
	unsigned int length;

	if (!is_stored(label, at, id))
		return;
	length = stored_length(label->attributes + at);
	memmove(label->attributes + at, label->attributes + at + length,
		label->attributes_length - at - length);
	label->attributes_length -= length;
}

/* False: there is no room. */
static bool store(struct format_label *label, const uint8_t *attribute)
{
	unsigned int id = (unsigned int)bytes_get(attribute, 2), length = stored_length(attribute), at;

	remove_stored(label, id);
	if (length == ATTRIBUTE_HEADER)
		return true;
	if (label->attributes_length + length > FORMAT_ATTRIBUTES)
		return false;
	at = find_stored(label, id);
	memmove(label->attributes + at + length, label->attributes + at, label->attributes_length - at);
	memcpy(label->attributes + at, attribute, length);
	label->attributes_length += length;
	return true;
}

/* The barcode is the label's until a host has written another one. */
static void add_host(struct answer *answer, const struct format_label *label)
{
	unsigned int at = 0;
	bool barcode = is_stored(label, find_stored(label, BARCODE), BARCODE);

	while (at + ATTRIBUTE_HEADER <= label->attributes_length) {
		const uint8_t *attribute = label->attributes + at;
		unsigned int id = (unsigned int)bytes_get(attribute, 2), length = stored_length(attribute);

		if (at + length > label->attributes_length)
			break;
		if (!barcode && id > BARCODE) {
			add_text(answer, BARCODE, ASCII, BARCODE_LENGTH, label->barcode);
			barcode = true;
		}
		add(answer, id, attribute[2], attribute + ATTRIBUTE_HEADER, length - ATTRIBUTE_HEADER);
		at += length;
	}
	if (!barcode)
		add_text(answer, BARCODE, ASCII, BARCODE_LENGTH, label->barcode);
}

/* ---- READ ATTRIBUTE ---- */

int attribute_read(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	const struct format_label *label = &drive->cartridge->label;
	struct answer answer = { .length = 4, .first = (unsigned int)bytes_get(cdb + 8, 2) };
	unsigned int action = cdb[1] & 0x1f;

	if (action == ACTION_VOLUMES || action == ACTION_PARTITIONS) {
		const uint8_t list[4] = { 0, 2, 0, action == ACTION_VOLUMES ? 1 : label->partitions };

		drive_answer(io, list, sizeof(list));
		return 0;
	}
	if (action > ACTION_PARTITIONS)
		return sense_fail_cdb(io, 1, 4);
	if (cdb[7] >= label->partitions)
		return sense_fail_cdb(io, 7, SENSE_NO_BIT);
	answer.names_only = action == ACTION_LIST;
	add_device(&answer, drive, cdb[7]);
	add_medium(&answer, drive);
	add_host(&answer, label);
	if (answer.length == 4)
		return sense_fail_cdb(io, 8, SENSE_NO_BIT);
	bytes_put(answer.data, 4, answer.length - 4);
	drive_answer(io, answer.data, answer.length);
	return 0;
}

/* ---- WRITE ATTRIBUTE ---- */

/* Is this one whole, of a host's, and of a known format? */
static bool acceptable(const uint8_t *attribute, uint64_t left)
{
	unsigned int id;

	if (left < ATTRIBUTE_HEADER || left < stored_length(attribute))
		return false;
	id = (unsigned int)bytes_get(attribute, 2);
	if (!(id >= HOST_FIRST && id <= HOST_LAST) && !(id >= VENDOR_FIRST && id <= VENDOR_LAST))
		return false;
	return attribute[2] <= TEXT;
}

/* All or nothing. */
int attribute_write(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	struct format_label changed = drive->cartridge->label;
	uint64_t length, end;
	const uint8_t *data = scuse_io_data(io, &length);
	int result;

	if (cdb[7] >= changed.partitions)
		return sense_fail_cdb(io, 7, SENSE_NO_BIT);
	if (drive_write_protected(drive))
		return sense_fail(io, KEY_DATA_PROTECT, ASC_WRITE_PROTECTED);
	if (!bytes_get(cdb + 10, 4))
		return 0;
	if (length < 4 || bytes_get(data, 4) > length - 4)
		return sense_fail(io, KEY_ILLEGAL_REQUEST, ASC_PARAMETER_LENGTH);
	end = 4 + bytes_get(data, 4);
	for (uint64_t at = 4; at < end; at += stored_length(data + at)) {
		if (!acceptable(data + at, end - at))
			return sense_fail_parameter(io, (uint16_t)at);
		if (!store(&changed, data + at))
			return sense_fail_parameter(io, (uint16_t)at);
	}
	drive->cartridge->label = changed;
	drive->cartridge->dirty = true;
	result = cartridge_put_label(drive->cartridge);
	if (!result)
		result = cartridge_flush(drive->cartridge);
	return result ? medium_write_failed(drive, io, result, 0) : 0;
}
