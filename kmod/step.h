/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Commands that need several submissions: read, compare, write; or a large range in pieces.  Used by the
 * files of such commands (verify.c, compare.c, orwrite.c, lbastatus.c, format.c, sanitize.c).
 *
 * The command keeps one tag, with its slot, from the first submission to its end:
 *
 *	execute: scuse_io_begin_as() -> io.tag->step = f -> scuse_io_submit()
 *	                                                        |
 *	                              +-------------------------+
 *	                              v
 *	   userspace completes: f(io), tag in KERNEL state <----------------+
 *	                              |                                     |
 *	                              +--> scuse_step_submit(io, next) -----+   (a new generation)
 *	                              |
 *	                              +--> scuse_step_end(), .._end_sense(), scuse_step_failed()
 *
 * A step function runs in process context with no locks held, in the thread that took the completion, and
 * must do exactly one of the two.  It finds what userspace said in io->tag (status, filled, ...).  When the
 * session ends the submission that is under way waits for the next session (orphan.c), as does one that
 * comes too late; if it may not wait the step function is called with status BUSY.  Nothing is allocated
 * but pages of the slot.
 *
 * Data from the initiator stays in the command's own list until it ends; the slot holds what is submitted.
 * What userspace changes in a slot behind our back spoils its own data only.
 */
#ifndef SCUSE_STEP_H
#define SCUSE_STEP_H

#include "scuse.h"
#include "sense.h"

typedef void (*scuse_step)(struct scuse_io *io);

bool scuse_step_failed(struct scuse_io *io);
void scuse_step_submit(struct scuse_io *io, scuse_step next, int (*refill)(struct scuse_io *io));
void scuse_step_end(struct scuse_io *io, u8 status);
void scuse_step_end_sense(struct scuse_io *io, const struct scuse_sense *sense);
void scuse_step_miscompare(struct scuse_io *io, u64 offset);
void scuse_step_no_memory(struct scuse_io *io);

/* Sets up a submission of the next blocks. */
void scuse_step_blocks(struct scuse_io *io, u8 op);

/* For execute functions. */
bool scuse_step_wanted(struct se_cmd *cmd, sense_reason_t *ret);
sense_reason_t scuse_step_background(struct scuse_io *io);
sense_reason_t scuse_slot_error(struct scuse_io *io, int error);

bool scuse_protect_ok(struct se_cmd *cmd, u16 byte);

#endif /* SCUSE_STEP_H */
