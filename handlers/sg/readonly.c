// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which commands leave a device as it is.  See sg.h.  Pure.
 *
 * The kernel half refuses what it knows to write; on a LUN that is passed on read-only this is the second
 * wall, and it lets through only what is known to change neither medium nor device.  So WRITE BUFFER, MODE
 * SELECT, LOG SELECT, SEND DIAGNOSTIC, FORMAT, SANITIZE, ATA PASS-THROUGH (which can carry anything), MOVE
 * MEDIUM, and what nobody has heard of, are refused.  Allowed are positioning, START STOP UNIT and LOAD
 * UNLOAD, and PREVENT ALLOW MEDIUM REMOVAL: without them a tape or CD cannot be read.
 */
#include "sg.h"

#define ALL	0xffffffffu
#define T(type) (1u << (type))
#define DISKS	(T(0x00) | T(0x04) | T(0x07) | T(0x0e) | T(0x14))
#define TAPE	T(0x01)
#define CD	T(0x05)
#define CHANGER T(0x08)

/* clang-format off */
static const struct entry {
	uint8_t opcode;
	uint32_t types; /* bits, by peripheral device type */
} harmless[] = {
	{ 0x00, ALL },                         /* TEST UNIT READY */
	{ 0x01, ALL },                         /* REWIND, REZERO UNIT */
	{ 0x03, ALL },                         /* REQUEST SENSE */
	{ 0x05, TAPE },                        /* READ BLOCK LIMITS */
	{ 0x07, CHANGER },                     /* INITIALIZE ELEMENT STATUS */
	{ 0x08, DISKS | TAPE | CD },           /* READ (6) */
	{ 0x0b, DISKS | CD },                  /* SEEK (6); of tapes it is SET CAPACITY */
	{ 0x0f, TAPE },                        /* READ REVERSE (6) */
	{ 0x11, TAPE },                        /* SPACE (6) */
	{ 0x12, ALL },                         /* INQUIRY */
	{ 0x13, TAPE },                        /* VERIFY (6) */
	{ 0x1a, ALL },                         /* MODE SENSE (6) */
	{ 0x1b, DISKS | TAPE | CD | CHANGER }, /* START STOP UNIT, LOAD UNLOAD */
	{ 0x1c, ALL },                         /* RECEIVE DIAGNOSTIC RESULTS */
	{ 0x1e, ALL },                         /* PREVENT ALLOW MEDIUM REMOVAL */
	{ 0x25, DISKS | CD },                  /* READ CAPACITY (10) */
	{ 0x28, DISKS | CD },                  /* READ (10) */
	{ 0x2b, DISKS | TAPE | CD | CHANGER }, /* SEEK (10), LOCATE (10), POSITION TO ELEMENT */
	{ 0x2f, DISKS | CD },                  /* VERIFY (10) */
	{ 0x34, DISKS | TAPE },                /* PRE-FETCH (10), READ POSITION */
	{ 0x35, DISKS | CD },                  /* SYNCHRONIZE CACHE (10) */
	{ 0x37, DISKS | CHANGER },             /* READ DEFECT DATA (10), INITIALIZE ELEMENT STATUS WITH RANGE */
	{ 0x3c, ALL },                         /* READ BUFFER */
	{ 0x3e, DISKS },                       /* READ LONG (10) */
	{ 0x42, CD },                          /* READ SUB-CHANNEL; of disks it is UNMAP */
	{ 0x43, CD },                          /* READ TOC/PMA/ATIP */
	{ 0x44, TAPE | CD },                   /* REPORT DENSITY SUPPORT, READ HEADER */
	{ 0x45, CD },                          /* PLAY AUDIO (10) */
	{ 0x46, CD },                          /* GET CONFIGURATION */
	{ 0x47, CD },                          /* PLAY AUDIO MSF */
	{ 0x4a, CD },                          /* GET EVENT STATUS NOTIFICATION */
	{ 0x4b, CD },                          /* PAUSE/RESUME */
	{ 0x4d, ALL },                         /* LOG SENSE */
	{ 0x4e, CD },                          /* STOP PLAY/SCAN */
	{ 0x51, CD },                          /* READ DISC INFORMATION */
	{ 0x52, CD },                          /* READ TRACK INFORMATION */
	{ 0x5a, ALL },                         /* MODE SENSE (10) */
	{ 0x5c, CD },                          /* READ BUFFER CAPACITY */
	{ 0x84, ALL },                         /* RECEIVE COPY RESULTS */
	{ 0x88, DISKS | TAPE },                /* READ (16) */
	{ 0x8c, ALL },                         /* READ ATTRIBUTE */
	{ 0x8f, DISKS | TAPE },                /* VERIFY (16) */
	{ 0x90, DISKS },                       /* PRE-FETCH (16) */
	{ 0x91, DISKS | TAPE },                /* SYNCHRONIZE CACHE (16), SPACE (16) */
	{ 0x92, TAPE },                        /* LOCATE (16) */
	{ 0x9b, ALL },                         /* READ BUFFER (16) */
	{ 0x9e, ALL },                         /* SERVICE ACTION IN (16) */
	{ 0xa0, ALL },                         /* REPORT LUNS */
	{ 0xa2, ALL },                         /* SECURITY PROTOCOL IN */
	{ 0xa3, ALL },                         /* MAINTENANCE IN */
	{ 0xa8, DISKS | CD },                  /* READ (12) */
	{ 0xab, ALL },                         /* SERVICE ACTION IN (12) */
	{ 0xac, CD },                          /* GET PERFORMANCE; of optical disks it is ERASE (12) */
	{ 0xad, CD },                          /* READ DISC STRUCTURE */
	{ 0xaf, DISKS },                       /* VERIFY (12) */
	{ 0xb7, DISKS },                       /* READ DEFECT DATA (12) */
	{ 0xb8, CHANGER | TAPE },              /* READ ELEMENT STATUS */
	{ 0xb9, CD },                          /* READ CD MSF */
	{ 0xbd, CD },                          /* MECHANISM STATUS */
	{ 0xbe, CD },                          /* READ CD */
};
/* clang-format on */

#define VARIABLE  0x7f
#define READ_32	  0x0009
#define VERIFY_32 0x000a

bool command_is_harmless(uint32_t device_type, const uint8_t *cdb)
{
	if (cdb[0] == VARIABLE) {
		unsigned int action = (unsigned int)cdb[8] << 8 | cdb[9];

		return (DISKS & T(device_type)) && (action == READ_32 || action == VERIFY_32);
	}
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		if (harmless[i].opcode == cdb[0])
			return harmless[i].types & T(device_type);
	return false;
}
