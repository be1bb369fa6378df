/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The drive's mode parameters (SSC-4 8.3): block descriptor, device-specific parameter and pages.  Current
 * values belong to the LUN and are lost with its worker; saved values are not offered.
 *
 * Not locked: part of struct drive, under its lock.
 */
#ifndef VTAPE_MODE_H
#define VTAPE_MODE_H

#include <stdbool.h>
#include <stdint.h>

#include "format.h"

#define MODE_PAGES     9
#define MODE_PAGE_SIZE 32 /* bytes of the longest page, with its header */

struct cartridge;

struct mode {
	uint32_t block_length; /* bytes; 0: variable */
	bool unbuffered;       /* writes are durable when they complete */
	bool can_compress;
	uint8_t page[MODE_PAGES][MODE_PAGE_SIZE]; /* current values; the order is mode.c's */
};

/* What FORMAT MEDIUM is to make, by the medium partition page. */
#define MODE_PARTITION_REST UINT64_MAX
struct mode_partitions {
	unsigned int count;
	bool given;			  /* sizes are; otherwise the drive chooses */
	uint64_t size[FORMAT_PARTITIONS]; /* bytes; MODE_PARTITION_REST: what the other leaves */
};

/* Default values. */
void mode_init(struct mode *mode, bool can_compress);
/* A cartridge has been loaded or formatted; what the pages say of the medium follows. */
void mode_medium_changed(struct mode *mode, const struct cartridge *cartridge);
struct mode_partitions mode_partitions(const struct mode *mode);
/* Bytes between the programmable early warning and the early warning; 0: there is none. */
uint64_t mode_early_warning(const struct mode *mode);

#endif /* VTAPE_MODE_H */
