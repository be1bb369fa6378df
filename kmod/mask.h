/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What initiators see of a passed-through device where it describes itself: INQUIRY and its pages, mode
 * pages, log pages, capacity.  A device promises what it can do for the one nexus that it knows; a LUN with
 * several initiators keeps less, and has names, ports and limits of its own.  So the masks are lists of what
 * stays: what is not named here is not shown, and no later revision of a device can promise what nobody has
 * looked at.
 *
 *	mask.c		INQUIRY, vital product data, READ CAPACITY (16), READ BLOCK LIMITS
 *	maskmode.c	MODE SENSE, MODE SELECT, LOG SENSE
 *
 * The tables in these files say of each field why it goes.  Pure; called by raw.c with a private copy of the
 * answer, which userspace cannot change any more, in any context.  No locks; the caller owns all memory.
 *
 * Answers are cut by allocation lengths anywhere, and nothing that a device says of lengths is believed: no
 * byte beyond those given is read or written.
 */
#ifndef SCUSE_MASK_H
#define SCUSE_MASK_H

#include "shim.h"

struct scuse_mode_error;

/* What the LUN says of itself instead. */
struct scuse_mask {
	u8 device_type;	      /* peripheral device type */
	u8 tpgs;	      /* SPC-4 table 143 */
	bool multi_port;      /* MULTIP */
	bool write_protected; /* WP, though the device may not be */
	bool tas;	      /* TASK ABORTED status for tasks that others abort */
	u16 transport;	      /* version descriptor of the target port's protocol; 0: none */
	u32 max_transfer;     /* bytes; 0: no limit */
	u32 block_length;     /* bytes; 0: not known */
};

enum scuse_mask_verdict {
	SCUSE_MASK_PASS = 0, /* the device is asked, its answer masked */
	SCUSE_MASK_OWN,	     /* INQUIRY: the kernel half's own page */
	SCUSE_MASK_HIDDEN,   /* there is no such page: INVALID FIELD IN CDB, byte 2 */
};

/* scuse_mask_ask - may the page that a CDB of a masked command asks for be asked of the device? */
enum scuse_mask_verdict scuse_mask_ask(u8 device_type, const u8 *cdb);

/*
 * scuse_mask_widen - lists of pages lose some, others move up into the room
 * @cdb: what the initiator has sent
 * @to: 16 bytes
 *
 * Returns the allocation length that the device should be asked with, in bytes, and the CDB for that in @to;
 * the initiator gets the start of the masked answer.  0: the CDB as it is.
 */
u32 scuse_mask_widen(const u8 *cdb, u8 *to);

#define SCUSE_MASK_GROWTH 4 /* bytes by which an answer can become longer */

/*
 * scuse_mask_answer - edit what came back with GOOD status
 * @data: @length bytes are valid, @room can be used
 *
 * Returns how many bytes there are now, at most @room; at most @length + SCUSE_MASK_GROWTH are needed.
 */
u32 scuse_mask_answer(const struct scuse_mask *mask, const u8 *cdb, u8 *data, u32 length, u32 room);

/*
 * scuse_mask_select - check the parameter list of a MODE SELECT, and make it fit for the device
 * @control: the device's control mode page, from its page code on, as MODE SENSE told; NULL: not known
 *
 * Fields that the device is not to decide must be sent as MODE SENSE shows them.  If so, the device's own
 * values are put in their place: it may be unable to change them.  False: @error is filled; nothing is to be
 * sent.  A list that is malformed in other ways is for the device to refuse.
 */
bool scuse_mask_select(const struct scuse_mask *mask, const u8 *cdb, u8 *list, u32 length, const u8 *control,
		       u32 control_length, struct scuse_mode_error *error);

/* maskmode.c, called by mask.c */
enum scuse_mask_verdict scuse_mask_ask_mode(const u8 *cdb);
enum scuse_mask_verdict scuse_mask_ask_log(const u8 *cdb);
u32 scuse_mask_mode(const struct scuse_mask *mask, const u8 *cdb, u8 *data, u32 length);
u32 scuse_mask_log(const u8 *cdb, u8 *data, u32 length);

#endif /* SCUSE_MASK_H */
