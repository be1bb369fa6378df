/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the logical unit says of itself: its commands, from REPORT SUPPORTED OPERATION CODES (SPC-4 6.35), and
 * its size.  Read once; constant afterwards.
 */
#ifndef FUZZ_CATALOGUE_H
#define FUZZ_CATALOGUE_H

#include "transport.h"

#define CATALOGUE_MAX 160

struct entry {
	uint8_t opcode;
	bool has_action;
	uint16_t action; /* service action */
	size_t cdb_len;
	uint8_t usage
		[CDB_MAX]; /* CDB usage data: bits that the LUN evaluates; of code and action: their values */
};

struct catalogue {
	struct entry entries[CATALOGUE_MAX];
	size_t count;
	uint64_t blocks;
	uint32_t block_size; /* bytes */
};

/* 0, or -1 after printing a "not ok" line that says what is wrong with the reports. */
int catalogue_read(struct catalogue *catalogue, struct transport *transport);
/* The entry of a command; NULL: the LUN does not list it. */
const struct entry *catalogue_find(const struct catalogue *catalogue, uint8_t opcode, uint16_t action);
/* A CDB of this command with all other fields 0. */
void entry_cdb(const struct entry *entry, uint8_t *cdb);
/* Does this operation code have service actions, and where in the CDB?  Bits of the byte or two from *at on. */
bool opcode_has_action(uint8_t opcode, size_t *at, size_t *size);

#endif
