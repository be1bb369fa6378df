/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel half asks the device of a raw LUN about itself, and what it makes of the answers.  Pure: no
 * kernel objects, so that it is tested in userspace.  rawparam.c carries the commands out.
 *
 *	         +----------------- the device has told of a change: all over again -----------------+
 *	         v                                                                                    |
 *	start -> READ CAPACITY (10) -> (16) -> MODE SENSE, in the forms of the type's list, -> done   |
 *	         disks and CDs only    if (10)  until one is answered                                  |
 *	         |                     cannot                                                          |
 *	         |                     tell                                                            |
 *	         +-----------------------------+-------------------------------------------------------+
 *
 * A command that the device refuses is followed by the next form of it.  One that fails otherwise (there is
 * no medium, a format is under way) leaves open what it was to tell; the others are asked nevertheless.
 *
 * What counts is the answer and never the CDB or the parameter list of a MODE SELECT: a device may round, and
 * whether an initiator has used the form with 6 or with 10 bytes makes no difference.
 */
#ifndef SCUSE_RAWPROBE_H
#define SCUSE_RAWPROBE_H

#include "shim.h"

/* SPC-4 table 142 */
#define SCUSE_TYPE_DISK	   0x00
#define SCUSE_TYPE_TAPE	   0x01
#define SCUSE_TYPE_CD	   0x05
#define SCUSE_TYPE_OPTICAL 0x07
#define SCUSE_TYPE_REDUCED 0x0e /* reduced block commands */
#define SCUSE_TYPE_ZONED   0x14 /* host managed zones */

#define SCUSE_PROBE_CDB	       16
#define SCUSE_PROBE_LENGTH     192 /* bytes of the longest answer that is asked for */
#define SCUSE_PROBE_CONTROL    12  /* bytes of the control mode page (SPC-4 7.5.8) */
#define SCUSE_PROBE_ATTENTIONS 10  /* unit attentions after which a device is left alone */

/* What is known of a device. */
struct scuse_facts {
	bool has_blocks;  /* block_length (and, but for tapes, blocks) is true */
	bool has_mode;	  /* medium_type, density, write_protected are true */
	bool has_control; /* d_sense, swp, control are true */
	u64 blocks;	  /* disk, CD: the capacity; 0 of other types */
	u32 block_length; /* bytes; of a tape that is in variable mode 0 */
	u8 medium_type;
	u8 density;
	bool write_protected;		 /* WP of the mode parameter header */
	bool d_sense;			 /* sense data is in descriptor format */
	bool swp;			 /* software write protection */
	u8 control[SCUSE_PROBE_CONTROL]; /* the page, from its first byte; zeros behind what has come */
};

enum scuse_probe_stage {
	SCUSE_PROBE_CAPACITY_10 = 0,
	SCUSE_PROBE_CAPACITY_16,
	SCUSE_PROBE_MODE,
	SCUSE_PROBE_DONE,
};

struct scuse_probe {
	u8 type;       /* peripheral device type */
	u8 stage;      /* enum scuse_probe_stage */
	u8 form;       /* of MODE SENSE: index in the type's list */
	u8 attentions; /* how many have been met */
	struct scuse_facts facts;
};

struct scuse_probe_command {
	u8 cdb[SCUSE_PROBE_CDB];
	u32 length; /* bytes of data, from the device */
};

/* Does the length of a command's data depend on the block length? */
bool scuse_probe_has_blocks(u8 type);

void scuse_probe_start(struct scuse_probe *probe, u8 type);
/* The command to send next.  False: all has been asked. */
bool scuse_probe_command(const struct scuse_probe *probe, struct scuse_probe_command *command);
/* It has been carried out; @length bytes of @data have come. */
void scuse_probe_answer(struct scuse_probe *probe, const u8 *data, u32 length);
/* The device does not know it (ILLEGAL REQUEST). */
void scuse_probe_refused(struct scuse_probe *probe);
/* It has failed otherwise. */
void scuse_probe_failed(struct scuse_probe *probe);
/* A unit attention has come instead: starts over.  False: too many of them. */
bool scuse_probe_attention(struct scuse_probe *probe);

#endif /* SCUSE_RAWPROBE_H */
