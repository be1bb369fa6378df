/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the device of a raw LUN tells of itself, to all who share it (relay.c); how its LOGICAL UNIT RESET is
 * carried out (rawreset.c).  The rules are in relayrule.h.
 *
 * KEPT COMMANDS.  What relay.c does with a completion, and what rawparam.c asks the device before the
 * initiator gets its answer, use the command's own tag.  Meanwhile struct scuse_kept remembers what has come:
 * status, and a private copy of the sense data, made when it was looked at, so that what reaches the
 * initiator is what the other nexuses have heard of.  It hangs on the tag, belongs to whoever holds that in
 * KERNEL state, and goes with scuse_tag_put().
 */
#ifndef SCUSE_RELAY_H
#define SCUSE_RELAY_H

#include <linux/spinlock.h>
#include <linux/wait.h>
#include <scuse/abi.h>
#include "rawprobe.h"
#include "relayrule.h"

#define SCUSE_RESET_TIMEOUT 60 /* seconds that a LOGICAL UNIT RESET waits for the device */

struct scuse_device;
struct scuse_io;
struct scuse_tag;

struct scuse_relay {
	spinlock_t lock;	/* what follows; process context only */
	struct scuse_echo echo; /* epoch: READ_ONCE() elsewhere */
	bool resetting;		/* SCUSE_OP_LU_RESET is in userspace's hands */
	u8 status;		/* of the last one */
	u8 key;			/* and its sense data, if status is CHECK CONDITION */
	struct scuse_ua_code code;
	wait_queue_head_t wait; /* for resetting to end */
};

struct scuse_kept {
	/* The completion. */
	u8 status;
	u8 kind;
	u16 sense_len;
	u32 filled;
	u8 sense[SCUSE_SENSE_MAX];
	/* The submission, as struct scuse_tag has it. */
	u8 op;
	bool data_in;
	u16 flags;
	u32 data_len;
	void (*step)(struct scuse_io *io);
	/* rawparam.c */
	struct scuse_probe probe;
	u32 changes; /* scuse_rawread.changes when the probe began */
	bool asked;  /* for the sake of a command that ends with what the device has to say */
	bool cut;    /* ended before the device had been asked everything */
	void (*then)(struct scuse_io *io);
};

/* mkdir */
void scuse_relay_init(struct scuse_relay *relay);
/* A session starts: what the one before was to see never comes, and nothing is known of the device. */
void scuse_relay_start(struct scuse_device *dev);

/*
 * scuse_relay_note - a command of a raw LUN has its tag and is about to be submitted
 *
 * Remembers in the tag what it is to be compared with later.
 */
void scuse_relay_note(struct scuse_io *io);

/*
 * scuse_relay_done - look at what has come of a command of a raw LUN, before anybody else does
 *
 * True: the command goes on, by another submission, and is ended by whatever follows that; nothing of it may
 * be touched any more.  False: io->tag says how it ends.
 */
bool scuse_relay_done(struct scuse_io *io);

/*
 * scuse_relay_establish - a unit attention of the device, which has come to our notice
 * @spared: the command that it was reported on and that goes on to report it, or NULL
 *
 * Process context, does not sleep.
 */
void scuse_relay_establish(struct scuse_device *dev, const struct scuse_ua_code *code, struct se_cmd *spared);

/* True: @code is the echo of what has been told of already: a reset of ours, a MODE SELECT. */
bool scuse_relay_is_echo(struct scuse_device *dev, const struct scuse_ua_code *code);

/* A command with @opcode has ended without a unit attention, as io->tag says. */
void scuse_relay_ended(struct scuse_io *io, u8 opcode);

/* SCUSE_NOTIFY_UNIT_ATTENTION: the worker has met a unit attention.  Process context. */
void scuse_relay_notify(struct scuse_device *dev, u8 asc, u8 ascq);

/* Keeps what has come of the command; @sense: its sense data, SCUSE_SENSE_MAX bytes, or NULL.  NULL: no memory. */
struct scuse_kept *scuse_relay_keep(struct scuse_io *io, const u8 *sense);
/* Makes io's tag what it was when it was kept. */
void scuse_relay_restore(struct scuse_io *io);

/* LOGICAL UNIT RESET of a raw LUN.  Process context; waits for the device, SCUSE_RESET_TIMEOUT at most. */
void scuse_relay_reset(struct scuse_device *dev);

#endif /* SCUSE_RELAY_H */
