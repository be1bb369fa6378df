// SPDX-License-Identifier: LGPL-2.1-or-later
/* Mode and log pages of the changer.  See page.h.  None can be changed, so there is no MODE SELECT. */
#include "page.h"

#include <stdbool.h>
#include <string.h>

#define MODE_SENSE_6 0x1a

#define PAGE_ASSIGNMENT	  0x1d /* element address assignment */
#define PAGE_GEOMETRY	  0x1e /* transport geometry parameters */
#define PAGE_CAPABILITIES 0x1f /* device capabilities */
#define PAGE_ALL	  0x3f
#define ALL_SUBPAGES	  0xff

#define LOG_SUPPORTED 0x00
#define LOG_TAPEALERT 0x2e
#define ALERTS	      64   /* parameters of the TapeAlert page */
#define ALERT_OFFLINE 0x16 /* a drive does not answer */
#define ALERT_LENGTH  5

static void put16(uint8_t *to, unsigned int value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

/* ---- mode pages ---- */

/* SMC-3 7.3.4. */
static size_t put_assignment(const struct library *library, uint8_t *to)
{
	static const enum element_type order[] = { ELEMENT_TRANSPORT, ELEMENT_STORAGE, ELEMENT_PORT,
						   ELEMENT_DRIVE };

	to[0] = PAGE_ASSIGNMENT;
	to[1] = 18;
	for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
		put16(to + 2 + 4 * i, library_first(order[i]));
		put16(to + 4 + 4 * i, library_count(library, order[i]));
	}
	return 20;
}

/* SMC-3 7.3.5: one medium transport element, which cannot turn media over. */
static size_t put_geometry(const struct library *library, uint8_t *to)
{
	(void)library;
	to[0] = PAGE_GEOMETRY;
	to[1] = 2;
	return 4;
}

/* SMC-3 7.3.2: all but the medium transport store, and media go from each of these to each, also in exchange. */
static size_t put_capabilities(const struct library *library, uint8_t *to)
{
	const uint8_t stores = 0x0e; /* data transfer, import/export, storage */

	(void)library;
	to[0] = PAGE_CAPABILITIES;
	to[1] = 18;
	to[2] = stores;
	memset(to + 5, stores, 3);  /* from storage, import/export, data transfer */
	memset(to + 13, stores, 3); /* exchange, likewise */
	return 20;
}

static const struct {
	uint8_t page;
	size_t (*put)(const struct library *library, uint8_t *to);
} mode_pages[] = {
	{ PAGE_ASSIGNMENT, put_assignment },
	{ PAGE_GEOMETRY, put_geometry },
	{ PAGE_CAPABILITIES, put_capabilities },
};

static size_t put_pages(const struct library *library, uint8_t wanted, bool changeable, uint8_t *to)
{
	size_t used = 0;

	for (size_t i = 0; i < sizeof(mode_pages) / sizeof(mode_pages[0]); i++) {
		size_t length;

		if (wanted != PAGE_ALL && wanted != mode_pages[i].page)
			continue;
		length = mode_pages[i].put(library, to + used);
		if (changeable)
			memset(to + used + 2, 0, length - 2);
		used += length;
	}
	return used;
}

enum page_result page_mode_sense(const struct library *library, const uint8_t *cdb, uint8_t to[PAGE_ROOM],
				 size_t *length)
{
	size_t header = cdb[0] == MODE_SENSE_6 ? 4 : 8, used;
	unsigned int control = cdb[2] >> 6;
	uint8_t wanted = cdb[2] & 0x3f;

	if (cdb[3] != 0 && (cdb[3] != ALL_SUBPAGES || wanted != PAGE_ALL))
		return PAGE_INVALID;
	if (control == 3)
		return PAGE_NOT_SAVED;
	memset(to, 0, PAGE_ROOM);
	used = put_pages(library, wanted, control == 1, to + header);
	if (!used)
		return PAGE_INVALID;
	*length = header + used;
	if (header == 4)
		to[0] = (uint8_t)(*length - 1);
	else
		put16(to, (unsigned int)*length - 2);
	return PAGE_OK;
}

/* ---- log pages ---- */

static size_t put_alerts(struct library *library, uint8_t *to)
{
	bool answer = library_drives_answer(library);

	for (unsigned int i = 1; i <= ALERTS; i++) {
		uint8_t *parameter = to + (i - 1) * ALERT_LENGTH;

		put16(parameter, i);
		parameter[2] = 0x03; /* format and linking: a binary list parameter */
		parameter[3] = 1;
		parameter[4] = i == ALERT_OFFLINE && !answer;
	}
	return (size_t)ALERTS * ALERT_LENGTH;
}

enum page_result page_log_sense(struct library *library, const uint8_t *cdb, uint8_t to[PAGE_ROOM],
				size_t *length)
{
	uint8_t wanted = cdb[2] & 0x3f;
	size_t used;

	/* Parameter pointers beyond what the page has, and subpages, are refused; SP has nothing to save. */
	if (cdb[3] != 0 || cdb[1] & 0x01 || cdb[5] || cdb[6])
		return PAGE_INVALID;
	memset(to, 0, PAGE_ROOM);
	to[0] = wanted;
	switch (wanted) {
	case LOG_SUPPORTED:
		to[4] = LOG_SUPPORTED;
		to[5] = LOG_TAPEALERT;
		used = 2;
		break;
	case LOG_TAPEALERT:
		used = put_alerts(library, to + 4);
		break;
	default:
		return PAGE_INVALID;
	}
	put16(to + 2, (unsigned int)used);
	*length = 4 + used;
	return PAGE_OK;
}
