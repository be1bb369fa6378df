/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the host's SCSI layer made of a LUN that is attached to it: device nodes, and who uses them.
 */
#ifndef SCUSE_CLI_SYSFS_H
#define SCUSE_CLI_SYSFS_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

struct scsi_address {
	unsigned int host, channel, target;
	uint64_t lun;
};

/* "/sys" and "/proc"; tests have their own. */
void sysfs_set_roots(const char *sys, const char *proc);

/* Is the SCSI device known to the host? */
bool sysfs_exists(const struct scsi_address *address);
/* Its node of a kind, such as "/dev/sda"; NULL: not there (yet).  Newly allocated. */
enum node_kind {
	NODE_BLOCK,
	NODE_TAPE,
	NODE_CHANGER,
	NODE_GENERIC,
};
char *sysfs_node(const struct scsi_address *address, enum node_kind kind);
/* The node by which people know a device of this SCSI type; NULL: not there.  Newly allocated. */
enum node_kind sysfs_kind_of_type(uint32_t device_type);
char *sysfs_best_node(const struct scsi_address *address, uint32_t device_type);
/* Has the host look for the device, which it had let go of. */
void sysfs_scan(const struct scsi_address *address);
/* Has the host look at the device's size and features again, as far as that is possible. */
void sysfs_rescan(const struct scsi_address *address);
/* Waits until its caches are written and no command is under way, at most `limit` seconds. */
bool sysfs_settle(const struct scsi_address *address, unsigned int limit, GError **error);

/* Who uses it, each in words ("mounted on /mnt"); empty: nobody that can be seen (usage.c). */
GPtrArray *sysfs_users(const struct scsi_address *address);

/* For usage.c. */
char *sysfs_path(const char *format, ...) G_GNUC_PRINTF(1, 2);
char *procfs_path(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* Waits until the node answers TEST UNIT READY (scsi.c). */
bool scsi_wait_ready(const char *node, gint64 deadline, GError **error);

#endif /* SCUSE_CLI_SYSFS_H */
