// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The data of READ ELEMENT STATUS: a header, then a page for each type, with a descriptor for each element.
 *
 *	| header 8 | page header 8 | descriptor | descriptor | ... | page header 8 | ... |
 *
 * A descriptor has 12 bytes of state, the volume tag (36) if wanted, and the identification of the device (4
 * and its designator); all of a page have the same length.
 */
#include "element.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEADER_LENGTH	  8u
#define STATE_LENGTH	  12u
#define VOLUME_TAG_LENGTH 36u
#define DEVICE_LENGTH	  4u /* before the designator */

struct report {
	const struct element_query *query;
	struct library_element *elements; /* those that are asked for, in ascending order of address */
	unsigned int count;
	uint8_t *to;
	size_t room, used;
};

static void put16(uint8_t *to, unsigned int value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static void put24(uint8_t *to, size_t value)
{
	to[0] = (uint8_t)(value >> 16);
	put16(to + 1, (unsigned int)(value & 0xffff));
}

bool element_parse(const uint8_t *cdb, struct element_query *query)
{
	unsigned int type = cdb[1] & 0x0fu;

	*query = (struct element_query){
		.type = (enum element_type)type,
		.start = (unsigned int)(cdb[2] << 8 | cdb[3]),
		.count = (unsigned int)(cdb[4] << 8 | cdb[5]),
		.volumes = cdb[1] & 0x10,
		.identifiers = cdb[6] & 0x01,
	};
	return type < ELEMENT_TYPES;
}

/* ---- lengths ---- */

/* The T10 vendor identification based designator (SPC-4 7.8.6.4) of the page's drives, the longest. */
static size_t designator_length(const struct report *report, enum element_type type)
{
	size_t longest = 0;

	if (!report->query->identifiers)
		return 0;
	for (unsigned int i = 0; i < report->count; i++) {
		size_t length = strlen(report->elements[i].id);

		if (report->elements[i].type == type && length > longest)
			longest = length;
	}
	return longest;
}

static size_t descriptor_length(const struct report *report, enum element_type type)
{
	return STATE_LENGTH + (report->query->volumes ? VOLUME_TAG_LENGTH : 0) + DEVICE_LENGTH +
	       designator_length(report, type);
}

static unsigned int count_type(const struct report *report, enum element_type type)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < report->count; i++)
		count += report->elements[i].type == type;
	return count;
}

/* ---- descriptors ---- */

static uint8_t state_flags(const struct library_element *element)
{
	uint8_t flags = (element->full ? 0x01 : 0) | (element->exception ? 0x04 : 0);

	if (element->accessible)
		flags |= 0x08;
	if (element->type == ELEMENT_PORT)
		flags |= 0x30 | (element->imported ? 0x02 : 0); /* InEnab, ExEnab; ImpExp */
	return flags;
}

/* SMC-3 6.11.3: blank padded, and no volume sequence number. */
static void put_volume(uint8_t *to, const char *volume)
{
	memset(to, 0, VOLUME_TAG_LENGTH);
	if (!volume[0])
		return;
	memset(to, ' ', VOLUME_MAX);
	memcpy(to, volume, strlen(volume));
}

static void put_designator(uint8_t *to, const struct library_element *element)
{
	size_t length = strlen(element->id);

	if (!length)
		return;
	to[0] = 0x02; /* code set: ASCII */
	to[1] = 0x01; /* T10 vendor identification */
	to[3] = (uint8_t)length;
	memcpy(to + DEVICE_LENGTH, element->id, length);
}

static void put_descriptor(const struct report *report, const struct library_element *element, uint8_t *to,
			   size_t length)
{
	uint8_t *device = to + STATE_LENGTH;

	memset(to, 0, length);
	put16(to, element->address);
	to[2] = state_flags(element);
	to[4] = element->asc;
	to[5] = element->ascq;
	if (element->full && element->source) {
		to[9] = 0x80; /* SValid */
		put16(to + 10, element->source);
	}
	if (element->full)
		to[9] |= 0x01; /* medium type: data */
	if (report->query->volumes) {
		put_volume(to + STATE_LENGTH, element->volume);
		device += VOLUME_TAG_LENGTH;
	}
	if (report->query->identifiers)
		put_designator(device, element);
}

/* ---- the report ---- */

static void put_page(struct report *report, enum element_type type)
{
	size_t length = descriptor_length(report, type);
	uint8_t *header = report->to + report->used;

	if (report->room - report->used < HEADER_LENGTH)
		return;
	memset(header, 0, HEADER_LENGTH);
	header[0] = (uint8_t)type;
	header[1] = report->query->volumes ? 0x80 : 0; /* PVolTag */
	put16(header + 2, (unsigned int)length);
	put24(header + 5, length * count_type(report, type));
	report->used += HEADER_LENGTH;
	for (unsigned int i = 0; i < report->count; i++) {
		if (report->elements[i].type != type)
			continue;
		if (report->room - report->used < length)
			return;
		put_descriptor(report, &report->elements[i], report->to + report->used, length);
		report->used += length;
	}
}

static size_t pages_length(const struct report *report)
{
	size_t total = 0;

	for (int type = ELEMENT_TRANSPORT; type < ELEMENT_TYPES; type++) {
		unsigned int count = count_type(report, (enum element_type)type);

		if (count)
			total += HEADER_LENGTH + count * descriptor_length(report, (enum element_type)type);
	}
	return total;
}

static void put_report(struct report *report)
{
	uint8_t header[HEADER_LENGTH] = { 0 };
	enum element_type latest = ELEMENT_ALL;

	if (report->count)
		put16(header, report->elements[0].address);
	put16(header + 2, report->count);
	put24(header + 5, pages_length(report));
	report->used = report->room < HEADER_LENGTH ? report->room : HEADER_LENGTH;
	memcpy(report->to, header, report->used);
	/* Addresses ascend, and each type has a range of its own: so pages come in the order of addresses. */
	for (unsigned int i = 0; i < report->count; i++) {
		if (report->elements[i].type == latest)
			continue;
		latest = report->elements[i].type;
		put_page(report, latest);
	}
}

static void collect(struct library *library, struct report *report)
{
	const struct element_query *query = report->query;
	unsigned int all = library_count(library, ELEMENT_ALL);

	for (unsigned int i = 0; i < all && report->count < query->count; i++) {
		unsigned int address = library_address(library, i);

		if (address < query->start ||
		    (query->type != ELEMENT_ALL && library_type(library, address) != query->type))
			continue;
		library_element(library, i, &report->elements[report->count++]);
	}
}

long element_report(struct library *library, const struct element_query *query, uint8_t *to, size_t room)
{
	struct report report = { .query = query, .to = to, .room = room };

	report.elements = calloc(library_count(library, ELEMENT_ALL), sizeof(*report.elements));
	if (!report.elements)
		return -ENOMEM;
	collect(library, &report);
	put_report(&report);
	free(report.elements);
	return (long)report.used;
}
