// SPDX-License-Identifier: GPL-2.0-only
/*
 * Task management: what core tells us of ABORT TASK, LOGICAL UNIT RESET, and PREEMPT AND ABORT, and what
 * follows from it.
 *
 * Core marks the commands, calls scuse_tmr_notify(), then waits until we have completed each of them, and
 * only then answers: so an answer means that the commands cannot act any more.  Userspace is told (CANCEL,
 * RESET) and completes them in whatever way it likes: their status is not sent.  How long it may take for
 * that, and so how long an initiator waits at most, see watch.h.  The device behind a raw LUN is reset before
 * core goes on (rawreset.c).  Core itself establishes
 * 29h/03h for all nexuses after a reset, answers ABORT TASK SET and CLEAR TASK SET with "not supported"
 * and target resets with "rejected", without asking a backend.
 *
 * Process context, no locks held.  The commands on the list stay while we look.
 */
#include <target/target_core_fabric.h>
#include "nexus.h"
#include "scuse.h"

/*
 * SAM-5 5.6: with TAS=0 the nexuses whose commands another one has aborted hear of it by a unit attention.
 * (A reset has one of its own, and ABORT TASK only concerns the nexus that asks.)
 */
static void scuse_tell_preempted(struct scuse_device *dev, struct list_head *aborted)
{
	const struct se_session *preempter = READ_ONCE(dev->nexuses.preempter);
	struct se_cmd *cmd;

	if (dev->se_dev.dev_attrib.emulate_tas)
		return;
	list_for_each_entry(cmd, aborted, state_list) {
		if (cmd->se_sess != preempter)
			scuse_ua_raise_for(cmd, 0x2f, 0x00); /* COMMANDS CLEARED BY ANOTHER INITIATOR */
	}
}

static void scuse_reset(struct scuse_device *dev)
{
	struct scuse_sqe sqe = { .op = SCUSE_OP_RESET };

	scuse_copies_forget(&dev->copies);
	if (!dev->raw)
		scuse_mode_reset(dev);
	if (scuse_device_has(dev, SCUSE_FEATURE_RESET))
		scuse_relay_reset(dev);
	else
		scuse_queue_advise(&dev->queues[0], &sqe);
	/* Core is going to release an SPC-2 reservation. */
	scuse_reservation_changed(dev);
}

/* target_backend_ops.tmr_notify */
void scuse_tmr_notify(struct se_device *se_dev, enum tcm_tmreq_table type, struct list_head *aborted)
{
	struct scuse_device *dev = to_scuse(se_dev);
	struct se_cmd *cmd;

	if (!list_empty(aborted))
		scuse_watch_look(dev);
	list_for_each_entry(cmd, aborted, state_list)
		scuse_ua_aborted(dev, cmd);
	if (type == TMR_LUN_RESET_PRO)
		scuse_tell_preempted(dev, aborted);
	if (type == TMR_LUN_RESET)
		scuse_reset(dev);
}
