/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many bytes a CDB itself asks to be moved, and which way, as SPC-4 and SBC-3 define its fields.
 */
#ifndef FUZZ_LENGTH_H
#define FUZZ_LENGTH_H

#include "transport.h"

enum unit {
	UNIT_NONE,
	UNIT_BYTES, /* an allocation or parameter list length: for data in, less may come */
	UNIT_BLOCKS,
	UNIT_TWICE,  /* blocks to compare and as many to write */
	UNIT_ONE,    /* one block, unless the CDB says that there is none (NDOB) */
	UNIT_VERIFY, /* BYTCHK says whether none, one or all */
	UNIT_EIGHT,  /* eight bytes */
	UNIT_UNKNOWN
};

struct length {
	uint8_t opcode;
	uint16_t action; /* ANY_ACTION: there is none, or all are alike */
	enum direction direction;
	enum unit unit;
	uint8_t at, size;      /* the field: byte and bytes */
	uint8_t lba, lba_size; /* likewise the logical block address; size 0: there is none */
};

#define ANY_ACTION 0xffff

/* The row of a CDB's command; a row of UNIT_UNKNOWN, with no direction, if none is known. */
const struct length *length_find(const uint8_t *cdb);
/* Bytes that the CDB asks for; -1: not known. */
int64_t length_of(const struct length *row, const uint8_t *cdb, uint32_t block_size);

#endif
