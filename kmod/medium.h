/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is the medium accessible?  The states of a disk in which commands that need the medium are refused
 * although somebody serves it.  Asked by cdb.c for each command that needs the medium, and by REQUEST
 * SENSE; changed by START STOP UNIT, FORMAT UNIT and SANITIZE.
 *
 *	             stop                    format
 *	  STOPPED <--------- READY -------------------------> FORMATTING ----+
 *	     |               ^ ^ ^                              |  ^         |
 *	     +---------------+ | |             done             |  |         | failure
 *	          start        | +------------------------------+  | format  v
 *	                       |                                   +---- FORMAT FAILED
 *	                       |   done, or EXIT FAILURE MODE                |
 *	                       |   +-------------------------+               |
 *	                       |   |                         |               |
 *	                   done|   |        failure          |               |
 *	    READY --------> SANITIZING ----------------> SANITIZE FAILED     |
 *	          sanitize   ^   ^                           |               |
 *	                     |   +---------------------------+ sanitize      |
 *	                     +-----------------------------------------------+ sanitize
 *
 * The states are of the medium: they outlive a worker's session.  What a dead worker was formatting or
 * sanitizing has failed, and is not taken up again by the next one.
 *
 * Lock-free: one word that changes by compare-and-exchange.
 */
#ifndef SCUSE_MEDIUM_H
#define SCUSE_MEDIUM_H

#include <linux/types.h>
#include <target/target_core_base.h>

struct scuse_device;
struct scuse_sense;

enum scuse_medium_state {
	SCUSE_MEDIUM_READY = 0,
	SCUSE_MEDIUM_STOPPED,
	SCUSE_MEDIUM_FORMATTING,
	SCUSE_MEDIUM_FORMAT_FAILED,
	SCUSE_MEDIUM_SANITIZING,
	SCUSE_MEDIUM_SANITIZE_FAILED,
};

struct scuse_medium {
	u32 state;    /* enum scuse_medium_state; by cmpxchg() */
	u32 progress; /* of FORMATTING or SANITIZING, in 65536ths; by whoever does it */
	bool ause;    /* the latest SANITIZE allows EXIT FAILURE MODE; by whoever does it */
	u8 *pattern;  /* of SANITIZE, OVERWRITE, while it is under way; by whoever does it */
};

bool scuse_medium_ready(struct se_cmd *cmd, sense_reason_t *ret);
bool scuse_medium_idle(struct se_cmd *cmd, sense_reason_t *ret);
bool scuse_medium_sense(struct scuse_device *dev, struct scuse_sense *sense);
bool scuse_medium_begin(struct se_cmd *cmd, enum scuse_medium_state state, u32 *before, sense_reason_t *ret);
void scuse_medium_end(struct scuse_device *dev, u32 state);
bool scuse_medium_exit(struct scuse_device *dev);
void scuse_medium_start(struct scuse_device *dev);
void scuse_medium_stop(struct scuse_device *dev);

#endif /* SCUSE_MEDIUM_H */
