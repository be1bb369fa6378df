/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reservations.  Core keeps them, carries out the commands that change them, and checks most commands
 * before they reach us.  Here is what its check lets through although SPC-4 5.12 forbids it, and what
 * tells listeners that something has changed.  Called by cdb.c in process context.
 *
 * Core judges a command by its data direction, so one that changes the medium without data from the
 * initiator (FORMAT UNIT, WRITE SAME with NDOB, SANITIZE, START STOP UNIT...) passes a write exclusive
 * reservation; and it takes all sessions of an initiator name for registered as soon as one is.
 */
#ifndef SCUSE_RESERVATION_H
#define SCUSE_RESERVATION_H

#include "shim.h"

/* SPC-4 table 60 */
#define SCUSE_PR_WRITE_EXCLUSIVE     0x1
#define SCUSE_PR_EXCLUSIVE_ACCESS    0x3
#define SCUSE_PR_WRITE_EXCLUSIVE_RO  0x5
#define SCUSE_PR_EXCLUSIVE_ACCESS_RO 0x6
#define SCUSE_PR_WRITE_EXCLUSIVE_AR  0x7
#define SCUSE_PR_EXCLUSIVE_ACCESS_AR 0x8

/* Every registrant is a holder ("all registrants"). */
static inline bool scuse_pr_all_hold(u8 type)
{
	return type == SCUSE_PR_WRITE_EXCLUSIVE_AR || type == SCUSE_PR_EXCLUSIVE_ACCESS_AR;
}

/*
 * scuse_pr_conflict - does a persistent reservation forbid a nexus that does not hold it a command?
 * @type: of the reservation
 * @registered: the nexus is registered
 * @changes: the command changes the medium, its state, or parameters; otherwise it reads the medium
 *
 * SPC-4 tables 63 to 65, SBC-3 table 13.
 */
static inline bool scuse_pr_conflict(u8 type, bool registered, bool changes)
{
	switch (type) {
	case SCUSE_PR_WRITE_EXCLUSIVE:
		return changes;
	case SCUSE_PR_EXCLUSIVE_ACCESS:
		return true;
	case SCUSE_PR_WRITE_EXCLUSIVE_RO:
	case SCUSE_PR_WRITE_EXCLUSIVE_AR:
		return changes && !registered;
	default:
		return !registered;
	}
}

#ifdef __KERNEL__
#include <target/target_core_base.h>

/* Asked while a persistent reservation exists. */
bool scuse_reservation_forbids(struct se_cmd *cmd, u16 flags);

/*
 * @flags: SCUSE_OPCODE_*, of which those count that say what the command does
 *
 * True: the command is not allowed now: RESERVATION CONFLICT.  As core does, looks without the lock: a
 * reservation that is just being made may come before or after the command.
 */
static inline bool scuse_reservation_conflict(struct se_cmd *cmd, u16 flags)
{
	return unlikely(READ_ONCE(cmd->se_dev->dev_pr_res_holder)) && scuse_reservation_forbids(cmd, flags);
}

/*
 * scuse_execute_move - REGISTER AND MOVE by @execute, core's function for it (move.c)
 *
 * As an execute function.  nexuses.move_lock is held.
 */
sense_reason_t scuse_execute_move(struct se_cmd *cmd, sense_reason_t (*execute)(struct se_cmd *));

/* Likewise REGISTER and REGISTER AND IGNORE EXISTING KEY. */
sense_reason_t scuse_execute_register(struct se_cmd *cmd, sense_reason_t (*execute)(struct se_cmd *));

/*
 * Carries out a command that changes reservations by @execute, core's function for it, which se_cmd.priv
 * names as well.  As an execute function.
 */
sense_reason_t scuse_execute_reservation(struct se_cmd *cmd, sense_reason_t (*execute)(struct se_cmd *));
#endif

#endif /* SCUSE_RESERVATION_H */
