// SPDX-License-Identifier: GPL-2.0-only
/*
 * What has become of EXTENDED COPY commands (SPC-4 6.6): RECEIVE COPY RESULTS with COPY STATUS (SPC-3
 * 6.18.2). Core carries the copies out, but does not remember them.  Called through the table of commands
 * (opcode.h).
 *
 * A device remembers its latest SCUSE_COPIES copies, by I_T nexus and list identifier:
 *
 *	        EXTENDED COPY             core is done               COPY STATUS
 *	FREE --------------> RUNNING ---------------> DONE, FAILED ------------> FREE
 *
 * A record that is needed for a newer copy, or for one with the same nexus and identifier, is taken from any
 * state.
 *
 * Process context.  copies.lock is innermost.
 */
#include <target/target_core_backend.h>
#include <target/target_core_fabric.h>
#include "bytes.h"
#include "copy.h"
#include "scuse.h"
#include "sense.h"

/* The parameter list (SPC-3 6.4.1), as long as core takes it: two targets, one segment. */
#define SCUSE_COPY_HEADER   16
#define SCUSE_COPY_LIST	    (SCUSE_COPY_HEADER + 2 * 32 + 28)
#define SCUSE_COPY_NOT_HELD 3	 /* LIST ID USAGE: nobody is going to ask for results */
#define SCUSE_COPY_BLOCKS   0x02 /* type of a segment: from block device to block device */
#define SCUSE_COPY_SEGMENT  12	 /* bytes of it up to NUMBER OF BLOCKS */
#define SCUSE_COPY_STATUS   12	 /* bytes of the answer */

void scuse_copies_init(struct scuse_copies *copies)
{
	spin_lock_init(&copies->lock);
}

void scuse_copies_forget(struct scuse_copies *copies)
{
	spin_lock(&copies->lock);
	memset(copies->copies, 0, sizeof(copies->copies));
	spin_unlock(&copies->lock);
}

bool scuse_copy_offered(struct scuse_device *dev)
{
	return dev->se_dev.dev_attrib.emulate_3pc && !dev->raw;
}

static struct scuse_copy *scuse_copy_find(struct scuse_copies *copies, u32 nexus, u8 list_id)
{
	struct scuse_copy *copy;

	for (copy = copies->copies; copy < copies->copies + SCUSE_COPIES; copy++) {
		if (copy->state != SCUSE_COPY_FREE && copy->nexus == nexus && copy->list_id == list_id)
			return copy;
	}
	return NULL;
}

/* How much the only segment is to copy; 0 if the list does not say so in a way that core takes. */
static u64 scuse_copy_bytes(struct scuse_device *dev, const u8 *list, u32 length)
{
	u32 segment = SCUSE_COPY_HEADER + scuse_get_be(list + 2, 2);

	if (segment + SCUSE_COPY_SEGMENT > length || list[segment] != SCUSE_COPY_BLOCKS)
		return 0;
	return scuse_get_be(list + segment + 10, 2) << dev->block_shift;
}

/* The copy has ended: core calls this before it sends the status, or instead if the command was aborted. */
static sense_reason_t scuse_copy_ended(struct se_cmd *cmd, bool success, int *post_ret)
{
	struct scuse_copies *copies = &to_scuse(cmd->se_dev)->copies;
	struct scuse_copy *copy;

	spin_lock(&copies->lock);
	for (copy = copies->copies; copy < copies->copies + SCUSE_COPIES; copy++) {
		if (copy->state == SCUSE_COPY_RUNNING && copy->cmd == cmd)
			copy->state = success ? SCUSE_COPY_DONE : SCUSE_COPY_FAILED;
	}
	spin_unlock(&copies->lock);
	*post_ret = 1; /* core is to go on with the response */
	return TCM_NO_SENSE;
}

static void scuse_copy_begin(struct se_cmd *cmd, const u8 *list, u32 length)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	struct scuse_copies *copies = &dev->copies;
	u32 nexus = scuse_nexus_id(cmd);
	struct scuse_copy *copy;

	spin_lock(&copies->lock);
	copy = scuse_copy_find(copies, nexus, list[0]);
	if (!copy)
		copy = &copies->copies[copies->next++ % SCUSE_COPIES];
	*copy = (struct scuse_copy){
		.nexus = nexus,
		.list_id = list[0],
		.state = SCUSE_COPY_RUNNING,
		.bytes = scuse_copy_bytes(dev, list, length),
		.cmd = cmd,
	};
	spin_unlock(&copies->lock);
	cmd->transport_complete_callback = scuse_copy_ended;
}

/* EXTENDED COPY (LID1): core does it. */
sense_reason_t scuse_execute_copy(struct se_cmd *cmd)
{
	u8 list[SCUSE_COPY_LIST];
	sense_reason_t ret;
	u32 length, size;

	/* Core does not export the function, but its parser names it. */
	ret = spc_parse_cdb(cmd, &size);
	if (ret)
		return ret;
	length = cmd->data_length ? scuse_parameters(cmd, list, sizeof(list)) : 0;
	if (length >= SCUSE_COPY_HEADER && (list[1] >> 3 & 3) != SCUSE_COPY_NOT_HELD)
		scuse_copy_begin(cmd, list, length);
	ret = cmd->execute_cmd(cmd);
	/* With an error of this kind the command ends elsewhere. */
	if (ret && cmd->transport_complete_callback) {
		int post_ret;

		scuse_copy_ended(cmd, false, &post_ret);
		cmd->transport_complete_callback = NULL;
	}
	return ret;
}

/* RECEIVE COPY RESULTS with COPY STATUS. */
sense_reason_t scuse_execute_copy_status(struct se_cmd *cmd)
{
	struct scuse_copies *copies = &to_scuse(cmd->se_dev)->copies;
	u8 answer[SCUSE_COPY_STATUS] = {};
	struct scuse_copy *copy, found;

	spin_lock(&copies->lock);
	copy = scuse_copy_find(copies, scuse_nexus_id(cmd), cmd->t_task_cdb[2]);
	if (!copy) {
		spin_unlock(&copies->lock);
		return scuse_refuse_cdb(cmd, 2, SCUSE_SENSE_NO_BIT);
	}
	found = *copy;
	if (found.state != SCUSE_COPY_RUNNING)
		copy->state = SCUSE_COPY_FREE;
	spin_unlock(&copies->lock);

	scuse_put_be(answer, sizeof(answer) - 4, 4);
	answer[4] = found.state - SCUSE_COPY_RUNNING;
	if (found.state == SCUSE_COPY_DONE) {
		scuse_put_be(answer + 5, 1, 2); /* SEGMENTS PROCESSED */
		scuse_put_be(answer + 8, found.bytes,
			     4); /* TRANSFER COUNT, in bytes: at most 65,535 blocks of 4 KiB */
	}
	return scuse_reply(cmd, answer, sizeof(answer));
}
