// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Keeps the other users of the device out.  See sg.h.
 *
 * Opening the sg node with O_EXCL keeps out those who come by sg.  Those who come by the driver of the
 * device's type (a mount of /dev/sdb, tar on /dev/nst0) are kept out by holding that driver's node too:
 *
 *	sd, sr	open with O_EXCL: refused while the disk or a partition is mounted or claimed, and refuses those
 *		who mount it later
 *	st	lets in one at a time.  The node that does not rewind, opened without waiting, does nothing to
 *		the tape but look at it
 *	ch	has no such thing: a warning says so
 *
 * Main thread, while the LUN is opened.
 */
#include "sg.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

static void close_mounts(FILE **file)
{
	if (*file)
		endmntent(*file);
}

/* What is mounted of the disk `name` or a partition of it. */
static bool find_mount(const char *name, char *out, size_t size)
{
	__attribute__((cleanup(close_mounts))) FILE *mounts = setmntent("/proc/self/mounts", "r");
	const struct mntent *entry;
	char prefix[48];

	snprintf(prefix, sizeof(prefix), "/dev/%s", name);
	while (mounts && (entry = getmntent(mounts)))
		if (!strncmp(entry->mnt_fsname, prefix, strlen(prefix)) &&
		    !entry->mnt_fsname[strlen(prefix) +
				       strspn(entry->mnt_fsname + strlen(prefix), "p0123456789")]) {
			snprintf(out, size, "%s is mounted on %s", entry->mnt_fsname, entry->mnt_dir);
			return true;
		}
	return false;
}

/* What holds the whole disk: device mapper, md. */
static bool find_holder(const char *name, char *out, size_t size)
{
	__attribute__((cleanup(close_dir))) DIR *dir = NULL;
	const struct dirent *entry;
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/block/%s/holders", name);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.') {
			snprintf(out, size, "it is part of /dev/%s", entry->d_name);
			return true;
		}
	return false;
}

static int refuse(const struct sg_node *node)
{
	char who[600] = "another program has it open";

	if (strncmp(node->partner, "nst", 3) != 0 && !find_mount(node->partner, who, sizeof(who)))
		find_holder(node->partner, who, sizeof(who));
	scuse_error("/dev/%s is in use: %s. Two users of one device spoil each other's data; exclusive=false "
		    "allows it all the same",
		    node->partner, who);
	return -EBUSY;
}

int hold_partner(const struct sg_node *node, int *fd)
{
	char path[48];

	*fd = -1;
	if (!node->partner[0])
		return 0;
	if (!strncmp(node->partner, "sch", 3)) {
		scuse_log(SCUSE_LOG_WARNING,
			  "programs of this host can still use the changer by /dev/%s: its driver has no way "
			  "to keep them out",
			  node->partner);
		return 0;
	}
	snprintf(path, sizeof(path), "/dev/%s", node->partner);
	*fd = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	if (*fd >= 0)
		return 0;
	if (errno == EBUSY)
		return refuse(node);
	scuse_log(SCUSE_LOG_WARNING,
		  "programs of this host can still use the device by %s, which cannot be held: %s", path,
		  strerror(errno));
	return 0;
}
