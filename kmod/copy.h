/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Results of EXTENDED COPY commands that a device remembers; copy.c tells when.
 */
#ifndef SCUSE_COPY_H
#define SCUSE_COPY_H

#include <linux/spinlock.h>
#include <linux/types.h>
#include <target/target_core_base.h>

#define SCUSE_COPIES 8

struct scuse_device;

/* Values but the first are COPY MANAGER STATUS (SPC-3 table 160), one more. */
enum scuse_copy_state {
	SCUSE_COPY_FREE = 0,
	SCUSE_COPY_RUNNING = 1,
	SCUSE_COPY_DONE = 2,
	SCUSE_COPY_FAILED = 3
};

struct scuse_copy {
	u32 nexus;
	u8 list_id;
	u8 state;		  /* enum scuse_copy_state */
	u64 bytes;		  /* that it copies, if all goes well */
	const struct se_cmd *cmd; /* RUNNING: the command; only compared */
};

struct scuse_copies {
	spinlock_t lock; /* all members; taken in process context only */
	struct scuse_copy copies[SCUSE_COPIES];
	u32 next; /* the one to be taken for the next copy */
};

void scuse_copies_init(struct scuse_copies *copies);
/* SPC-3 6.18.2: a LOGICAL UNIT RESET discards the results. */
void scuse_copies_forget(struct scuse_copies *copies);

/* For the table of commands. */
bool scuse_copy_offered(struct scuse_device *dev);
sense_reason_t scuse_execute_copy(struct se_cmd *cmd);
sense_reason_t scuse_execute_copy_status(struct se_cmd *cmd);

#endif /* SCUSE_COPY_H */
