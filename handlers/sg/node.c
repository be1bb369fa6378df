// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * From a path to the sg node of the device behind it.  See sg.h.
 *
 * Whatever the path is (/dev/sg3, /dev/sdb, /dev/nst0, /dev/sr0, /dev/sch0, a link in /dev/disk/by-id), its
 * device number leads to the SCSI device in sysfs,
 *
 *	/sys/dev/{char,block}/MAJOR:MINOR/device/	the SCSI device, its name is H:C:T:L
 *		scsi_generic/sg3			its sg node
 *		{block,scsi_tape,scsi_changer}/NAME	what sd, sr, st, ch made of it
 *
 * so it does not matter what the path is called.  Main thread, while the LUN is opened.
 */
#include "sg.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void close_dir(DIR **dir)
{
	if (*dir)
		closedir(*dir);
}

/* A tape has many nodes: the one that does not rewind is nstN, a name of that and a number only. */
static bool is_wanted(const char *name, const char *prefix)
{
	size_t length = strlen(prefix);

	if (*name == '.' || strncmp(name, prefix, length) != 0)
		return false;
	return !length || name[length + strspn(name + length, "0123456789")] == 0;
}

/* The first entry of a directory that is wanted. */
static bool find_entry(const char *device, const char *class, const char *prefix, char *out, size_t size)
{
	__attribute__((cleanup(close_dir))) DIR *dir = NULL;
	const struct dirent *entry;
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", device, class);
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		if (is_wanted(entry->d_name, prefix)) {
			snprintf(out, size, "%.*s", (int)size - 1, entry->d_name);
			return true;
		}
	return false;
}

static void find_partner(const char *device, struct sg_node *node)
{
	if (!find_entry(device, "block", "", node->partner, sizeof(node->partner)) &&
	    !find_entry(device, "scsi_tape", "nst", node->partner, sizeof(node->partner)) &&
	    !find_entry(device, "scsi_changer", "", node->partner, sizeof(node->partner)))
		node->partner[0] = 0;
}

/* The SCSI device's directory: its real name ends in H:C:T:L. */
static bool read_address(const char *device, struct sg_node *node)
{
	char real[PATH_MAX];
	const char *name;

	if (!realpath(device, real))
		return false;
	name = strrchr(real, '/');
	return name && sscanf(name + 1, "%u:%u:%u:%" SCNu64, &node->host, &node->channel, &node->target,
			      &node->lun) == 4;
}

/* A partition is not the whole device: passing its disk on instead would be a bad surprise. */
static bool is_partition(const char *sys, unsigned int major, unsigned int minor)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/dev/block/%u:%u/partition", sys, major, minor);
	return access(path, F_OK) == 0;
}

int node_of_number(const char *sys, const char *path, bool block, unsigned int major, unsigned int minor,
		   struct sg_node *node)
{
	char device[PATH_MAX];

	memset(node, 0, sizeof(*node));
	if (block && is_partition(sys, major, minor)) {
		scuse_error("%s is a partition: SCSI commands go to the whole device, so name that", path);
		return -EINVAL;
	}
	snprintf(device, sizeof(device), "%s/dev/%s/%u:%u/device", sys, block ? "block" : "char", major,
		 minor);
	if (!read_address(device, node)) {
		scuse_error("%s is not a SCSI device: /dev/sgN, sdX, srN, stN, nstN, schN, or a link to one",
			    path);
		return -EINVAL;
	}
	if (!find_entry(device, "scsi_generic", "sg", node->sg, sizeof(node->sg))) {
		scuse_error("%s has no sg node: is the sg module loaded? (modprobe sg)", path);
		return -ENXIO;
	}
	find_partner(device, node);
	return 0;
}

int node_resolve(const char *path, struct sg_node *node)
{
	struct stat status;

	if (stat(path, &status)) {
		int error = errno;

		scuse_error("%s: %s%s", path, strerror(error),
			    error == ENOENT && !strncmp(path, "/dev/sg", 7) ? " (is the sg module loaded?)"
									    : "");
		return -error;
	}
	if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode))
		return node_of_number("/sys", path, S_ISBLK(status.st_mode), major(status.st_rdev),
				      minor(status.st_rdev), node);
	scuse_error("%s is not a device node: give /dev/sgN, or a disk, tape, CD or changer node", path);
	return -EINVAL;
}
