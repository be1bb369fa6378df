// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The table of lengths.  Independent of the kernel half's own table, which it is there to check.
 */
#include "length.h"
#include "catalogue.h"

#define IN  DIRECTION_IN
#define OUT DIRECTION_OUT

static const struct length rows[] = {
	{ 0x00, ANY_ACTION, DIRECTION_NONE, UNIT_NONE, 0, 0, 0, 0 },  /* TEST UNIT READY */
	{ 0x03, ANY_ACTION, IN, UNIT_BYTES, 4, 1, 0, 0 },	      /* REQUEST SENSE */
	{ 0x08, ANY_ACTION, IN, UNIT_BLOCKS, 4, 1, 1, 3 },	      /* READ (6) */
	{ 0x0a, ANY_ACTION, OUT, UNIT_BLOCKS, 4, 1, 1, 3 },	      /* WRITE (6) */
	{ 0x12, ANY_ACTION, IN, UNIT_BYTES, 3, 2, 0, 0 },	      /* INQUIRY */
	{ 0x15, ANY_ACTION, OUT, UNIT_BYTES, 4, 1, 0, 0 },	      /* MODE SELECT (6) */
	{ 0x16, ANY_ACTION, DIRECTION_NONE, UNIT_NONE, 0, 0, 0, 0 },  /* RESERVE (6) */
	{ 0x17, ANY_ACTION, DIRECTION_NONE, UNIT_NONE, 0, 0, 0, 0 },  /* RELEASE (6) */
	{ 0x1a, ANY_ACTION, IN, UNIT_BYTES, 4, 1, 0, 0 },	      /* MODE SENSE (6) */
	{ 0x1b, ANY_ACTION, DIRECTION_NONE, UNIT_NONE, 0, 0, 0, 0 },  /* START STOP UNIT */
	{ 0x25, ANY_ACTION, IN, UNIT_EIGHT, 0, 0, 0, 0 },	      /* READ CAPACITY (10) */
	{ 0x28, ANY_ACTION, IN, UNIT_BLOCKS, 7, 2, 2, 4 },	      /* READ (10) */
	{ 0x2a, ANY_ACTION, OUT, UNIT_BLOCKS, 7, 2, 2, 4 },	      /* WRITE (10) */
	{ 0x2e, ANY_ACTION, OUT, UNIT_BLOCKS, 7, 2, 2, 4 },	      /* WRITE AND VERIFY (10) */
	{ 0x2f, ANY_ACTION, OUT, UNIT_VERIFY, 7, 2, 2, 4 },	      /* VERIFY (10) */
	{ 0x34, ANY_ACTION, DIRECTION_NONE, UNIT_NONE, 7, 2, 2, 4 },  /* PRE-FETCH (10) */
	{ 0x35, ANY_ACTION, DIRECTION_NONE, UNIT_NONE, 7, 2, 2, 4 },  /* SYNCHRONIZE CACHE (10) */
	{ 0x37, ANY_ACTION, IN, UNIT_BYTES, 7, 2, 0, 0 },	      /* READ DEFECT DATA (10) */
	{ 0x41, ANY_ACTION, OUT, UNIT_ONE, 7, 2, 2, 4 },	      /* WRITE SAME (10) */
	{ 0x42, ANY_ACTION, OUT, UNIT_BYTES, 7, 2, 0, 0 },	      /* UNMAP */
	{ 0x48, ANY_ACTION, OUT, UNIT_BYTES, 7, 2, 0, 0 },	      /* SANITIZE */
	{ 0x4c, ANY_ACTION, OUT, UNIT_BYTES, 7, 2, 0, 0 },	      /* LOG SELECT */
	{ 0x4d, ANY_ACTION, IN, UNIT_BYTES, 7, 2, 0, 0 },	      /* LOG SENSE */
	{ 0x55, ANY_ACTION, OUT, UNIT_BYTES, 7, 2, 0, 0 },	      /* MODE SELECT (10) */
	{ 0x56, ANY_ACTION, OUT, UNIT_BYTES, 7, 2, 0, 0 },	      /* RESERVE (10) */
	{ 0x57, ANY_ACTION, OUT, UNIT_BYTES, 7, 2, 0, 0 },	      /* RELEASE (10) */
	{ 0x5a, ANY_ACTION, IN, UNIT_BYTES, 7, 2, 0, 0 },	      /* MODE SENSE (10) */
	{ 0x5e, ANY_ACTION, IN, UNIT_BYTES, 7, 2, 0, 0 },	      /* PERSISTENT RESERVE IN */
	{ 0x5f, ANY_ACTION, OUT, UNIT_BYTES, 5, 4, 0, 0 },	      /* PERSISTENT RESERVE OUT */
	{ 0x7f, 0x0009, IN, UNIT_BLOCKS, 28, 4, 12, 8 },	      /* READ (32) */
	{ 0x7f, 0x000a, OUT, UNIT_VERIFY, 28, 4, 12, 8 },	      /* VERIFY (32) */
	{ 0x7f, 0x000b, OUT, UNIT_BLOCKS, 28, 4, 12, 8 },	      /* WRITE (32) */
	{ 0x7f, 0x000c, OUT, UNIT_BLOCKS, 28, 4, 12, 8 },	      /* WRITE AND VERIFY (32) */
	{ 0x7f, 0x000d, OUT, UNIT_ONE, 28, 4, 12, 8 },		      /* WRITE SAME (32) */
	{ 0x83, ANY_ACTION, OUT, UNIT_BYTES, 10, 4, 0, 0 },	      /* EXTENDED COPY */
	{ 0x84, ANY_ACTION, IN, UNIT_BYTES, 10, 4, 0, 0 },	      /* RECEIVE COPY RESULTS */
	{ 0x88, ANY_ACTION, IN, UNIT_BLOCKS, 10, 4, 2, 8 },	      /* READ (16) */
	{ 0x89, ANY_ACTION, OUT, UNIT_TWICE, 13, 1, 2, 8 },	      /* COMPARE AND WRITE */
	{ 0x8a, ANY_ACTION, OUT, UNIT_BLOCKS, 10, 4, 2, 8 },	      /* WRITE (16) */
	{ 0x8b, ANY_ACTION, OUT, UNIT_BLOCKS, 10, 4, 2, 8 },	      /* ORWRITE (16) */
	{ 0x8e, ANY_ACTION, OUT, UNIT_BLOCKS, 10, 4, 2, 8 },	      /* WRITE AND VERIFY (16) */
	{ 0x8f, ANY_ACTION, OUT, UNIT_VERIFY, 10, 4, 2, 8 },	      /* VERIFY (16) */
	{ 0x90, ANY_ACTION, DIRECTION_NONE, UNIT_NONE, 10, 4, 2, 8 }, /* PRE-FETCH (16) */
	{ 0x91, ANY_ACTION, DIRECTION_NONE, UNIT_NONE, 10, 4, 2, 8 }, /* SYNCHRONIZE CACHE (16) */
	{ 0x93, ANY_ACTION, OUT, UNIT_ONE, 10, 4, 2, 8 },	      /* WRITE SAME (16) */
	{ 0x9c, ANY_ACTION, OUT, UNIT_BLOCKS, 12, 2, 2, 8 },	      /* WRITE ATOMIC (16) */
	{ 0x9e, 0x0010, IN, UNIT_BYTES, 10, 4, 0, 0 },		      /* READ CAPACITY (16) */
	{ 0x9e, 0x0012, IN, UNIT_BYTES, 10, 4, 2, 8 },		      /* GET LBA STATUS (16) */
	{ 0xa0, ANY_ACTION, IN, UNIT_BYTES, 6, 4, 0, 0 },	      /* REPORT LUNS */
	{ 0xa3, ANY_ACTION, IN, UNIT_BYTES, 6, 4, 0, 0 },	      /* MAINTENANCE IN */
	{ 0xa4, ANY_ACTION, OUT, UNIT_BYTES, 6, 4, 0, 0 },	      /* MAINTENANCE OUT */
	{ 0xa8, ANY_ACTION, IN, UNIT_BLOCKS, 6, 4, 2, 4 },	      /* READ (12) */
	{ 0xaa, ANY_ACTION, OUT, UNIT_BLOCKS, 6, 4, 2, 4 },	      /* WRITE (12) */
	{ 0xae, ANY_ACTION, OUT, UNIT_BLOCKS, 6, 4, 2, 4 },	      /* WRITE AND VERIFY (12) */
	{ 0xaf, ANY_ACTION, OUT, UNIT_VERIFY, 6, 4, 2, 4 },	      /* VERIFY (12) */
	{ 0xb7, ANY_ACTION, IN, UNIT_BYTES, 6, 4, 0, 0 },	      /* READ DEFECT DATA (12) */
};

const struct length *length_find(const uint8_t *cdb)
{
	static const struct length unknown = { 0, ANY_ACTION, DIRECTION_NONE, UNIT_UNKNOWN, 0, 0, 0, 0 };
	size_t at, size;
	uint16_t action = 0;

	if (opcode_has_action(cdb[0], &at, &size))
		action = (uint16_t)(size == 2 ? get_number(cdb + at, 2) : cdb[at] & 0x1f);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].opcode == cdb[0] && (rows[i].action == ANY_ACTION || rows[i].action == action))
			return &rows[i];
	return &unknown;
}

/* BYTCHK (SBC-3 5.33): 01b all blocks, 11b one block that all are held against, otherwise no data. */
static uint64_t verified_blocks(const uint8_t *cdb, uint64_t count)
{
	uint8_t check = (uint8_t)(cdb[cdb[0] == 0x7f ? 10 : 1] >> 1 & 0x03);

	if (check == 1)
		return count;
	return check == 3 && count ? 1 : 0;
}

int64_t length_of(const struct length *row, const uint8_t *cdb, uint32_t block_size)
{
	uint64_t count = get_number(cdb + row->at, row->size);
	bool no_data_out = cdb[0] == 0x93 ? cdb[1] & 0x01 : cdb[0] == 0x7f && cdb[10] & 0x01;

	switch (row->unit) {
	case UNIT_NONE:
		return 0;
	case UNIT_BYTES:
		return (int64_t)count;
	case UNIT_BLOCKS:
		/* READ (6) and WRITE (6): 0 means 256. */
		return (int64_t)((count == 0 && row->size == 1 ? 256 : count) * block_size);
	case UNIT_TWICE:
		return (int64_t)(2 * count * block_size);
	case UNIT_ONE:
		return no_data_out ? 0 : block_size;
	case UNIT_VERIFY:
		return (int64_t)(verified_blocks(cdb, count) * block_size);
	case UNIT_EIGHT:
		return 8;
	case UNIT_UNKNOWN:
		break;
	}
	return -1;
}
