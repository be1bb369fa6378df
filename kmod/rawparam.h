/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel half must know of the device of a raw LUN, to tell how long the data of a command is and
 * how its own sense data has to look.  Read by the commands of rawprobe.h: after START, after the device has
 * told of a change, and after commands that change it.
 *
 *	                    read, and nothing has changed meanwhile
 *	   stale <-------------------------------------------------------> known
 *	     |      START, reset, unit attention, MODE SELECT, LOAD...
 *	     |
 *	     +-- a command whose length depends on it: scuse_rawparam_ask()
 *
 * Each change gets a number, so that what was read before a change cannot count as known after it.  Only who
 * has read what was true after the latest one makes it known.  While it is not known no command whose length
 * depends on it goes to the device; what was read last stays readable nevertheless (D_SENSE, capacity).
 *
 * Three ways to read, all with SCUSE_OP_CDB and nexus 0:
 *
 *	scuse_rawparam_read	with the tag of a command that has been carried out, before it is answered
 *	scuse_rawparam_refresh	with a tag of its own, in the background, one at a time: after START, and when there
 *				was no command to do it with
 *	scuse_rawparam_ask	with the tag of a command that cannot go on without
 *
 * Nobody waits: START does not depend on whether the device answers.
 */
#ifndef SCUSE_RAWPARAM_H
#define SCUSE_RAWPARAM_H

#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <target/target_core_base.h>
#include "rawprobe.h"

struct scuse_device;
struct scuse_io;
struct scuse_kept;
struct scuse_tag;

/* What is known.  Written under scuse_rawread.lock with WRITE_ONCE(), read without. */
struct scuse_rawparam {
	bool known;	  /* block_length is true now */
	u32 block_length; /* bytes.  Disk, CD: of a logical block; tape: of the mode's blocks, 0: variable */
	/* The latest that the device has said. */
	bool d_sense;	      /* sense data is in descriptor format */
	bool write_protected; /* by its medium, or by the control mode page */
	u8 medium_type;
};

/* How far the reading of it has got. */
struct scuse_rawread {
	spinlock_t lock; /* what follows, and struct scuse_rawparam; process context only */
	u32 changes;	 /* READ_ONCE() elsewhere, as is asked */
	u32 asked; /* the latest change after which the device has been asked, whether or not it could tell */
	bool told; /* of the change initiators have been told, in a way that makes them ask for the capacity */
	bool reading;		  /* a refresh is under way */
	struct scuse_facts facts; /* what was read last of the medium */
	bool has_control;
	u8 control[SCUSE_PROBE_CONTROL];
	struct work_struct work; /* tells listeners of a new capacity; holds a reference to the device */
};

/* mkdir */
void scuse_rawparam_init(struct scuse_device *dev);
/* May the length of a command be told from block_length?  Any context. */
bool scuse_rawparam_known(struct scuse_device *dev);
/* block_length, if it is known; else 0.  Any context. */
u32 scuse_rawparam_block(struct scuse_device *dev);
/*
 * scuse_rawparam_control - the control mode page as the device has it
 * @page: SCUSE_PROBE_CONTROL bytes
 *
 * False: it has none, as far as we know.  Process context.
 */
bool scuse_rawparam_control(struct scuse_device *dev, u8 *page);
/* Has something changed since scuse_relay_note() of this tag?  Any context. */
bool scuse_rawparam_changed(struct scuse_tag *tag);

/*
 * scuse_rawparam_stale - something has changed
 * @told: initiators have been told of what would make them ask for the capacity
 */
void scuse_rawparam_stale(struct scuse_device *dev, bool told);

/*
 * scuse_rawparam_read - read them with the tag of a command whose outcome is kept
 *
 * When that is over, whatever its outcome, the tag is restored and @then is called.
 */
void scuse_rawparam_read(struct scuse_io *io, struct scuse_kept *kept, void (*then)(struct scuse_io *io));

/* scuse_rawparam_refresh - read them in the background, if they are stale.  Process context. */
void scuse_rawparam_refresh(struct scuse_device *dev);

/*
 * scuse_rawparam_ask - an execute function: instead of the command the parameters are read
 *
 * The command ends with BUSY, so that the initiator repeats it, or, if the device cannot tell, with the sense
 * data that it gave: there is no medium, it is becoming ready...
 */
sense_reason_t scuse_rawparam_ask(struct se_cmd *cmd);

#endif /* SCUSE_RAWPARAM_H */
