/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Raw LUNs: devices of any type whose commands userspace carries out as CDBs (abi.h, RAW LUNS).
 *
 *	raw.table	the list of all commands of SPC-4, SBC-3, SSC-4, SMC-3, MMC-6 and SES-3: who answers
 *			them, how long their data is, and why some are refused.  rawtable.awk makes C of it.
 *	rawroute.c	look-up: the entry of a CDB, the length of its data, what START claims (pure)
 *	raw.c		parse and execute: a raw LUN's way through cdb.c's steps
 *	rawrsoc.c	REPORT SUPPORTED OPERATION CODES from table and claims
 *	relay.c		unit attentions of the device, echoes of our resets, LOGICAL UNIT RESET
 *	rawparam.c	what we need to know of the device: block length, fixed or variable, D_SENSE; MODE SELECT
 *	mask.c		what initiators see of INQUIRY, VPD, mode and log pages (pure)
 *
 * A COMMAND'S WAY
 *
 *	parse: entry by device type, operation code, service action
 *	  kernel	as on any LUN: cdb.c goes on with the entry in optable.c
 *	  refused	INVALID COMMAND OPERATION CODE, or INVALID FIELD IN CDB for a service action
 *	  handler	length and direction from the entry
 *	execute: unit attentions, reservations (as in cdb.c), NACA and LINK, write protection, then
 *	  scuse_io_begin_as(): READ access to the whole LUN, or ATOMIC for entries that are ALONE
 *	  submission as SCUSE_OP_CDB
 *	done (step function, relay first):
 *	  UNIT ATTENTION	relay.c: for all nexuses; or an echo: the same again
 *	  GOOD, masked		mask.c edits the answer in a private copy
 *	  changes parameters	rawparam.c reads them again, with the same tag, before the initiator hears of it
 *	  finish		data, sense and status to the initiator
 *
 * Whatever makes cached parameters stale is followed by reading them again before the initiator whose command
 * told us gets its answer, and every other nexus has a unit attention pending by then: no initiator sends a
 * READ whose length we would take for another one.
 */
#ifndef SCUSE_RAW_H
#define SCUSE_RAW_H

#include "shim.h"

/* Sets of peripheral device types. */
#define SCUSE_RAW_DISK	    (1u << 0x00)
#define SCUSE_RAW_TAPE	    (1u << 0x01)
#define SCUSE_RAW_CD	    (1u << 0x05)
#define SCUSE_RAW_CHANGER   (1u << 0x08)
#define SCUSE_RAW_ENCLOSURE (1u << 0x0d)
#define SCUSE_RAW_ANY	    0xffffffffu

enum scuse_raw_route {
	SCUSE_RAW_REFUSED = 0,
	SCUSE_RAW_KERNEL,  /* optable.c has the entry */
	SCUSE_RAW_HANDLER, /* as it is */
	SCUSE_RAW_MASKED,  /* as it is, and what comes back is edited */
};

/* What `count` of a CDB counts. */
enum scuse_raw_unit {
	SCUSE_RAW_NOTHING = 0, /* no data phase */
	SCUSE_RAW_BYTES,
	SCUSE_RAW_BLOCKS,      /* of the logical block length */
	SCUSE_RAW_RECORDS,     /* SSC-4: FIXED bit: blocks of the mode's block length, otherwise bytes */
	SCUSE_RAW_FIXED,       /* always `fixed` bytes */
	SCUSE_RAW_SPECIAL,     /* by a rule of its own, `fixed` is enum scuse_raw_special */
};

/* entry.flags */
#define SCUSE_RAW_OUT	     0x0001
#define SCUSE_RAW_IN	     0x0002
#define SCUSE_RAW_WRITES     0x0004 /* changes the medium or the device: refused on a read-only LUN */
#define SCUSE_RAW_NO_UA	     0x0008
#define SCUSE_RAW_ALONE	     0x0010 /* drains the LUN first: changes parameters */
#define SCUSE_RAW_PARAMETERS 0x0020 /* afterwards the cached parameters are read again */
#define SCUSE_RAW_SELECT     0x0040 /* MODE SELECT: 2Ah/01h to the others */
#define SCUSE_RAW_EXCLUSIVE  0x0080 /* reservations: a write (SPC-4 5.12.1, tables of the command standards) */
#define SCUSE_RAW_SHARED     0x0100 /* reservations: a read */
#define SCUSE_RAW_ENDLESS    0x0200 /* may take hours */

struct scuse_raw_entry {
	u32 types; /* SCUSE_RAW_DISK... */
	u8 opcode;
	u8 route;      /* enum scuse_raw_route */
	u16 action;    /* SCUSE_NO_ACTION, or the service action */
	u16 flags;     /* SCUSE_RAW_* */
	u8 cdb_length; /* bytes */
	u8 unit;       /* enum scuse_raw_unit */
	u8 count_at;   /* byte of the CDB */
	u8 count_size; /* bytes */
	u32 fixed;
	const char *name;
	const char *reason; /* of REFUSED and KERNEL; NULL: needs none */
};

/* The rules of SCUSE_RAW_SPECIAL, in entry.fixed. */
enum scuse_raw_special {
	SCUSE_RAW_EXPECTED = 0, /* the CDB does not say: as much as the initiator expects */
	SCUSE_RAW_BLOCKS_256,	/* SBC-3 READ (6), WRITE (6): blocks, a count of 0 means 256 */
	SCUSE_RAW_VERIFY,	/* SBC-3 VERIFY: BYTCHK 00b none, 01b `count` blocks, 11b one block */
	SCUSE_RAW_SAME,		/* SBC-3 WRITE SAME: one block; with NDOB none */
	SCUSE_RAW_TWICE,	/* SBC-3 COMPARE AND WRITE: `count` blocks twice */
	SCUSE_RAW_FORMAT,	/* SBC-3 FORMAT UNIT: with FMTDATA as expected, otherwise none */
	SCUSE_RAW_TAPE_VERIFY,	/* SSC-4 VERIFY: with BYTCMP records, otherwise none */
	SCUSE_RAW_BLOCK_LIMITS, /* SSC-4 READ BLOCK LIMITS: 6 bytes, with MLOI 20 */
	SCUSE_RAW_SECURITY,	/* SPC-4 SECURITY PROTOCOL IN, OUT: bytes, with INC_512 times 512 */
	SCUSE_RAW_ATA,		/* SAT-3 ATA PASS-THROUGH: T_LENGTH, BYT_BLOK, T_TYPE; T_DIR is the direction */
};

/* Sorted by operation code, then service action, those without service action last. */
extern const struct scuse_raw_entry scuse_raw_table[];
extern const u32 scuse_raw_count;

#endif /* SCUSE_RAW_H */
