// SPDX-License-Identifier: GPL-2.0-only
/*
 * LOG SENSE and LOG SELECT (SPC-4 6.6, 6.7), and the counters behind them; see log.h, logpage.h.  Process
 * context, no locks held.
 */
#include <linux/slab.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "bytes.h"
#include "log.h"
#include "nexus.h"
#include "scuse.h"
#include "sense.h"

/* LOG SELECT, byte 1 */
#define SCUSE_LOG_PCR 0x02

/* A list that is accepted has a page header for each page, maybe several times. */
#define SCUSE_LOG_LIST_MAX 4096

void scuse_log_init(struct scuse_log *log)
{
	spin_lock_init(&log->lock);
}

void scuse_log_enable(struct scuse_log *log)
{
	int i;

	atomic64_set(&log->verified, 0);
	for (i = 0; i < SCUSE_LOG_KINDS; i++)
		atomic64_set(&log->uncorrected[i], 0);
	spin_lock(&log->lock);
	memset(log->bytes_at_reset, 0, sizeof(log->bytes_at_reset));
	spin_unlock(&log->lock);
}

void scuse_log_verified(struct scuse_device *dev, u64 bytes)
{
	atomic64_add(bytes, &dev->log.verified);
}

/* Reading is verifying where the command is one of the VERIFY and WRITE AND VERIFY family. */
static bool scuse_log_is_verify(const struct se_cmd *cmd)
{
	switch (cmd->t_task_cdb[0]) {
	case VERIFY:
	case VERIFY_12:
	case VERIFY_16:
	case WRITE_VERIFY:
	case WRITE_VERIFY_12:
	case WRITE_VERIFY_16:
		return true;
	}
	return false;
}

void scuse_log_failed(struct se_cmd *cmd, u8 op, u8 key)
{
	struct scuse_log *log = &to_scuse(cmd->se_dev)->log;

	if (key != SCUSE_KEY_MEDIUM_ERROR && key != SCUSE_KEY_HARDWARE_ERROR)
		return;
	if (op == SCUSE_OP_READ)
		atomic64_inc(&log->uncorrected[scuse_log_is_verify(cmd) ? SCUSE_LOG_VERIFY : SCUSE_LOG_READ]);
	else if (op == SCUSE_OP_WRITE || op == SCUSE_OP_WRITE_SAME)
		atomic64_inc(&log->uncorrected[SCUSE_LOG_WRITE]);
}

/* What has been counted since enable; the command that asks keeps the queues. */
static void scuse_log_bytes(struct scuse_device *dev, u64 *bytes)
{
	u32 i;

	memset(bytes, 0, SCUSE_LOG_KINDS * sizeof(*bytes));
	for (i = 0; i < dev->nr_queues; i++) {
		struct scuse_queue *queue = &dev->queues[i];

		spin_lock(&queue->lock);
		bytes[SCUSE_LOG_READ] += queue->stats.read_bytes;
		bytes[SCUSE_LOG_WRITE] += queue->stats.write_bytes;
		spin_unlock(&queue->lock);
	}
	bytes[SCUSE_LOG_VERIFY] = atomic64_read(&dev->log.verified);
}

/* In threshold sets, what is used of one counts as a whole. */
static void scuse_log_usage(struct scuse_device *dev, u32 exponent, struct scuse_log_values *values)
{
	u64 set = (1ull << min(exponent, 63u)) - 1;

	spin_lock(&dev->info_lock);
	values->usage = dev->usage.size;
	values->used = (dev->usage.used_blocks >> min(exponent, 63u)) + !!(dev->usage.used_blocks & set);
	values->available = dev->usage.available_blocks >> min(exponent, 63u);
	spin_unlock(&dev->info_lock);
}

static void scuse_log_values(struct scuse_device *dev, struct scuse_log_values *values)
{
	u32 exponent = READ_ONCE(dev->applied.threshold_exponent);
	int i;

	memset(values, 0, sizeof(*values));
	scuse_log_bytes(dev, values->bytes);
	spin_lock(&dev->log.lock);
	for (i = 0; i < SCUSE_LOG_KINDS; i++)
		values->bytes[i] -= dev->log.bytes_at_reset[i];
	spin_unlock(&dev->log.lock);
	for (i = 0; i < SCUSE_LOG_KINDS; i++)
		values->uncorrected[i] = atomic64_read(&dev->log.uncorrected[i]);
	values->provisioning = scuse_device_has(dev, SCUSE_FEATURE_UNMAP) && exponent;
	if (values->provisioning)
		scuse_log_usage(dev, exponent, values);
}

/* @kinds: a bit each enum scuse_log_kind */
static void scuse_log_reset(struct scuse_device *dev, u32 kinds)
{
	u64 bytes[SCUSE_LOG_KINDS];
	int i;

	scuse_log_bytes(dev, bytes);
	spin_lock(&dev->log.lock);
	for (i = 0; i < SCUSE_LOG_KINDS; i++) {
		if (!(kinds & BIT(i)))
			continue;
		dev->log.bytes_at_reset[i] = bytes[i];
		atomic64_set(&dev->log.uncorrected[i], 0);
	}
	spin_unlock(&dev->log.lock);
}

static sense_reason_t scuse_log_refuse(struct se_cmd *cmd, const struct scuse_log_error *error)
{
	if (error->asc == 0x24)
		return scuse_refuse_cdb(cmd, error->byte, error->bit);
	if (error->asc == 0x26)
		return scuse_refuse_parameter(cmd, error->byte, error->bit);
	return scuse_end_with_sense(cmd, SCUSE_KEY_ILLEGAL_REQUEST, error->asc, 0x00);
}

sense_reason_t scuse_execute_log_sense(struct se_cmd *cmd)
{
	const u8 *cdb = cmd->t_task_cdb;
	struct scuse_log_query query = {
		.page = cdb[2] & 0x3f,
		.subpage = cdb[3],
		.control = cdb[2] >> 6,
		.parameter = scuse_get_be(&cdb[5], 2),
	};
	u8 buffer[SCUSE_LOG_MAX];
	struct scuse_log_values values;
	struct scuse_log_error error;
	u32 length;

	scuse_log_values(to_scuse(cmd->se_dev), &values);
	length = scuse_log_sense(buffer, &query, &values, &error);
	return length ? scuse_reply(cmd, buffer, length) : scuse_log_refuse(cmd, &error);
}

/* A list: true if it is accepted, else the command has been ended. */
static bool scuse_log_take_list(struct se_cmd *cmd, const struct scuse_log_values *values, u32 length)
{
	struct scuse_log_error error = { .asc = 0x1a };
	bool accepted = false;
	u8 *list;

	list = length > SCUSE_LOG_LIST_MAX ? NULL : kmalloc(length, GFP_KERNEL);
	if (list) {
		length = scuse_parameters(cmd, list, length);
		accepted = scuse_log_select(list, length, values, &error);
		kfree(list);
	}
	if (!accepted)
		scuse_log_refuse(cmd, &error);
	return accepted;
}

static void scuse_log_select_done(struct se_cmd *cmd, u32 kinds)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);

	if (kinds) {
		scuse_log_reset(dev, kinds);
		scuse_ua_raise(dev, 0x2a, 0x02, cmd); /* LOG PARAMETERS CHANGED */
	}
	target_complete_cmd(cmd, SAM_STAT_GOOD);
}

/*
 * Counters go back to zero with PCR, or when a command without a list sets the cumulative values to their
 * defaults (PC 11b).
 */
sense_reason_t scuse_execute_log_select(struct se_cmd *cmd)
{
	const u8 *cdb = cmd->t_task_cdb;
	u32 length = scuse_get_be(&cdb[7], 2);
	bool reset = cdb[1] & SCUSE_LOG_PCR || (!length && cdb[2] >> 6 == SCUSE_LOG_DEFAULT_CUMULATIVE);
	struct scuse_log_values values;
	bool subpage_wrong;
	u8 page = cdb[2] & 0x3f;

	if (length && cdb[1] & SCUSE_LOG_PCR)
		return scuse_refuse_cdb(cmd, 1, 1);
	/* With a list, the pages are named there. */
	if (length && (page || cdb[3]))
		return scuse_refuse_cdb(cmd, page ? 2 : 3, page ? 5 : SCUSE_SENSE_NO_BIT);
	scuse_log_values(to_scuse(cmd->se_dev), &values);
	if (!scuse_log_known(&values, page, cdb[3], &subpage_wrong))
		return subpage_wrong ? scuse_refuse_cdb(cmd, 3, SCUSE_SENSE_NO_BIT)
				     : scuse_refuse_cdb(cmd, 2, 5);
	if (length && !scuse_log_take_list(cmd, &values, length))
		return TCM_NO_SENSE;
	scuse_log_select_done(cmd, reset ? scuse_log_counters(page) : 0);
	return TCM_NO_SENSE;
}
