/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The timestamp of a device (SPC-4 5.2): milliseconds since 1970.  It follows the host's clock until SET
 * TIMESTAMP gives another time; from then on it counts on from there, at the pace of the host's uptime, until
 * the device is enabled anew.
 */
#ifndef SCUSE_TIMESTAMP_H
#define SCUSE_TIMESTAMP_H

#include <target/target_core_base.h>

/* TIMESTAMP ORIGIN (SPC-4 table 51) */
#define SCUSE_TIMESTAMP_SET	 2 /* by SET TIMESTAMP */
#define SCUSE_TIMESTAMP_EXTERNAL 3 /* by means outside of the standard */

/* Protected by scuse_device.info_lock. */
struct scuse_timestamp {
	bool set;
	u64 offset; /* milliseconds from the host's boot time clock to ours */
};

/* Execute functions; see opcode.c. */
sense_reason_t scuse_execute_report_timestamp(struct se_cmd *cmd);
sense_reason_t scuse_execute_set_timestamp(struct se_cmd *cmd);

#endif /* SCUSE_TIMESTAMP_H */
