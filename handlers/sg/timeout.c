// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * How long commands may take before the SCSI layer aborts them.  See sg.h.  Pure.
 *
 * The times are limits, not expectations: a command that is aborted too early costs a backup, one that is
 * aborted too late delays the news that a device is dead.  Initiators have limits of their own besides.
 */
#include "sg.h"

#define SECONDS(n) (n)
#define MINUTES(n) ((n)*60)
#define HOURS(n)   ((n)*3600)

#define ANY_TYPE 0xff
#define TAPE	 0x01
#define CD	 0x05
#define OPTICAL	 0x07
#define CHANGER	 0x08

/* clang-format off */
static const struct entry {
	uint8_t type, opcode;
	uint32_t seconds;
} table[] = {
	/* type   opcode  seconds */
	{ TAPE,     0x01, HOURS(4) },      /* REWIND: of a long tape, from its end */
	{ TAPE,     0x04, HOURS(6) },      /* FORMAT MEDIUM */
	{ TAPE,     0x0a, MINUTES(30) },   /* WRITE (6) */
	{ TAPE,     0x08, MINUTES(30) },   /* READ (6) */
	{ TAPE,     0x0f, MINUTES(30) },   /* READ REVERSE (6) */
	{ TAPE,     0x10, HOURS(1) },      /* WRITE FILEMARKS (6) */
	{ TAPE,     0x11, HOURS(6) },      /* SPACE (6) */
	{ TAPE,     0x13, HOURS(12) },     /* VERIFY (6) */
	{ TAPE,     0x19, HOURS(12) },     /* ERASE (6) */
	{ TAPE,     0x1b, HOURS(2) },      /* LOAD UNLOAD: rewinds too */
	{ TAPE,     0x2b, HOURS(6) },      /* LOCATE (10) */
	{ TAPE,     0x80, HOURS(1) },      /* WRITE FILEMARKS (16) */
	{ TAPE,     0x82, HOURS(6) },      /* ALLOW OVERWRITE */
	{ TAPE,     0x91, HOURS(6) },      /* SPACE (16) */
	{ TAPE,     0x92, HOURS(6) },      /* LOCATE (16) */
	{ TAPE,     0x93, HOURS(12) },     /* ERASE (16) */
	{ CHANGER,  0x07, HOURS(4) },      /* INITIALIZE ELEMENT STATUS: reads every label */
	{ CHANGER,  0x37, HOURS(4) },      /* INITIALIZE ELEMENT STATUS WITH RANGE */
	{ CHANGER,  0x2b, MINUTES(30) },   /* POSITION TO ELEMENT */
	{ CHANGER,  0xa5, HOURS(1) },      /* MOVE MEDIUM: the drive may rewind first */
	{ CHANGER,  0xa6, HOURS(1) },      /* EXCHANGE MEDIUM */
	{ CHANGER,  0xb8, MINUTES(30) },   /* READ ELEMENT STATUS: may wait for the robot */
	{ CHANGER,  0x1b, MINUTES(30) },   /* OPEN/CLOSE IMPORT/EXPORT ELEMENT */
	{ CD,       0xa1, HOURS(4) },      /* BLANK */
	{ CD,       0x5b, HOURS(2) },      /* CLOSE TRACK SESSION */
	{ CD,       0x35, MINUTES(15) },   /* SYNCHRONIZE CACHE: the rest of the disc's buffer */
	{ ANY_TYPE, 0x04, HOURS(96) },     /* FORMAT UNIT */
	{ ANY_TYPE, 0x48, HOURS(96) },     /* SANITIZE */
	{ ANY_TYPE, 0x38, HOURS(96) },     /* FORMAT WITH PRESET */
	{ ANY_TYPE, 0x1b, MINUTES(5) },    /* START STOP UNIT */
	{ ANY_TYPE, 0x1d, HOURS(2) },      /* SEND DIAGNOSTIC: a self-test in the foreground */
	{ ANY_TYPE, 0x3b, MINUTES(30) },   /* WRITE BUFFER: microcode is burnt */
	{ ANY_TYPE, 0x35, MINUTES(5) },    /* SYNCHRONIZE CACHE (10) */
	{ ANY_TYPE, 0x91, MINUTES(5) },    /* SYNCHRONIZE CACHE (16) */
	{ ANY_TYPE, 0x2f, HOURS(1) },      /* VERIFY (10) */
	{ ANY_TYPE, 0x8f, HOURS(1) },      /* VERIFY (16) */
	{ ANY_TYPE, 0xaf, HOURS(1) },      /* VERIFY (12) */
	{ ANY_TYPE, 0x41, HOURS(24) },     /* WRITE SAME (10): to the end of the medium */
	{ ANY_TYPE, 0x93, HOURS(24) },     /* WRITE SAME (16) */
	{ ANY_TYPE, 0x42, HOURS(1) },      /* UNMAP */
	{ ANY_TYPE, 0x07, HOURS(1) },      /* REASSIGN BLOCKS */
	{ ANY_TYPE, 0x83, HOURS(1) },      /* EXTENDED COPY and its kind */
};
/* clang-format on */

static uint32_t by_type(uint32_t device_type)
{
	switch (device_type) {
	case TAPE:
	case CHANGER:
		return MINUTES(15);
	case CD:
	case OPTICAL:
		return MINUTES(2);
	}
	return MINUTES(1);
}

uint32_t timeout_of(uint32_t device_type, const uint8_t *cdb)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct entry *entry = &table[i];

		if (entry->opcode == cdb[0] && (entry->type == ANY_TYPE || entry->type == device_type))
			return entry->seconds;
	}
	return by_type(device_type);
}
