/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a device counts for its log pages (logpage.h), and LOG SENSE and LOG SELECT (log.c).
 *
 * Bytes read and written are counted by the queues already; here is only what they were at the last reset.
 * Counting an error or verified bytes is an atomic addition, from any context.
 */
#ifndef SCUSE_LOG_H
#define SCUSE_LOG_H

#include <linux/atomic.h>
#include <linux/spinlock.h>
#include <target/target_core_base.h>
#include "logpage.h"

struct scuse_device;

struct scuse_log {
	atomic64_t verified; /* bytes */
	atomic64_t uncorrected[SCUSE_LOG_KINDS];
	spinlock_t lock;		     /* what follows */
	u64 bytes_at_reset[SCUSE_LOG_KINDS]; /* what the queues, or verified, had counted then */
};

/* mkdir */
void scuse_log_init(struct scuse_log *log);
/* Enable: everything is zero. */
void scuse_log_enable(struct scuse_log *log);
/* A VERIFY or the second half of a WRITE AND VERIFY has looked at @bytes of the medium.  Any context. */
void scuse_log_verified(struct scuse_device *dev, u64 bytes);
/* The handler has ended @op (enum scuse_op) of a command with sense data of @key.  Any context. */
void scuse_log_failed(struct se_cmd *cmd, u8 op, u8 key);

/* Execute functions; see opcode.c. */
sense_reason_t scuse_execute_log_sense(struct se_cmd *cmd);
sense_reason_t scuse_execute_log_select(struct se_cmd *cmd);

#endif /* SCUSE_LOG_H */
