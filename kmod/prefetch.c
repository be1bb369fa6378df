// SPDX-License-Identifier: GPL-2.0-only
/*
 * PRE-FETCH (10) and (16), SBC-3 5.13: the handler reads the blocks once, so that its cache has them; the
 * data goes nowhere.  At most what a slot holds: more is no help to whoever is going to read it.
 *
 * The status is GOOD, not CONDITION MET: nobody but the handler knows what its cache has room for, so that
 * success cannot be promised.
 *
 * Context: execute, then steps (step.h).
 */
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "step.h"

#define SCUSE_PREFETCH_IMMED 0x02

/* Whatever has come of it. */
static void scuse_prefetch_step(struct scuse_io *io)
{
	scuse_step_end(io, SAM_STAT_GOOD);
}

sense_reason_t scuse_execute_prefetch(struct se_cmd *cmd)
{
	bool immediate = cmd->t_task_cdb[1] & SCUSE_PREFETCH_IMMED;
	u64 capacity = scuse_device_blocks(to_scuse(cmd->se_dev));
	struct scuse_io io;
	sense_reason_t ret;

	/* PREFETCH LENGTH 0: up to the end of the medium. */
	if (!cmd->t_task_nolb && cmd->t_task_lba < capacity)
		cmd->t_task_nolb = min_t(u64, capacity - cmd->t_task_lba, U32_MAX);
	if (!scuse_step_wanted(cmd, &ret) || !scuse_io_begin(&io, cmd, SCUSE_OP_READ, &ret))
		return ret;
	scuse_step_blocks(&io, SCUSE_OP_READ);
	io.tag->step = scuse_prefetch_step;
	return immediate ? scuse_step_background(&io) : scuse_io_submit(&io);
}
