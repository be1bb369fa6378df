/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The host's view of an attached LUN, by its SCSI address; see sysfs.h.  Called by the fabrics and by show.
 */
#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"
#include "configfs.h"
#include "limited.h"

#define IDLE_POLL_MS 10
#define RESCAN_LIMIT 10 /* seconds */

static const char *sys = "/sys";
static const char *proc = "/proc";

void sysfs_set_roots(const char *sys_root, const char *proc_root)
{
	sys = sys_root;
	proc = proc_root;
}

static char *join(const char *root, const char *format, va_list args) G_GNUC_PRINTF(2, 0);
static char *join(const char *root, const char *format, va_list args)
{
	g_autofree char *rest = g_strdup_vprintf(format, args);

	return g_strconcat(root, rest, NULL);
}

char *sysfs_path(const char *format, ...)
{
	va_list args;
	char *path;

	va_start(args, format);
	path = join(sys, format, args);
	va_end(args);
	return path;
}

char *procfs_path(const char *format, ...)
{
	va_list args;
	char *path;

	va_start(args, format);
	path = join(proc, format, args);
	va_end(args);
	return path;
}

static char *device_path(const struct scsi_address *address, const char *rest)
{
	return sysfs_path("/class/scsi_device/%u:%u:%u:%" G_GUINT64_FORMAT "/device/%s", address->host,
			  address->channel, address->target, address->lun, rest);
}

bool sysfs_exists(const struct scsi_address *address)
{
	g_autofree char *path = device_path(address, "");

	return configfs_is_directory(path);
}

/* A tape has many nodes (st0, st0l, nst0, ...): the one that is a prefix and a number is it. */
static bool is_plain(const char *name, const char *prefix)
{
	if (!g_str_has_prefix(name, prefix))
		return false;
	for (name += strlen(prefix); g_ascii_isdigit(*name); name++)
		;
	return *name == 0;
}

char *sysfs_node(const struct scsi_address *address, enum node_kind kind)
{
	static const char *const classes[] = {
		[NODE_BLOCK] = "block",
		[NODE_TAPE] = "scsi_tape",
		[NODE_CHANGER] = "scsi_changer",
		[NODE_GENERIC] = "scsi_generic",
	};
	g_autofree char *path = device_path(address, classes[kind]);
	g_autoptr(GPtrArray) names = configfs_directories(path);

	for (guint i = 0; i < names->len; i++)
		if (kind != NODE_TAPE || is_plain(names->pdata[i], "st"))
			return g_strconcat("/dev/", names->pdata[i], NULL);
	return NULL;
}

enum node_kind sysfs_kind_of_type(uint32_t device_type)
{
	switch (device_type) {
	case 0x00: /* disk */
	case 0x05: /* CD, DVD */
	case 0x07: /* optical */
	case 0x0e: /* simplified disk */
	case 0x14: /* host-managed zoned disk */
		return NODE_BLOCK;
	case 0x01:
		return NODE_TAPE;
	case 0x08:
		return NODE_CHANGER;
	default:
		return NODE_GENERIC;
	}
}

char *sysfs_best_node(const struct scsi_address *address, uint32_t device_type)
{
	char *node = sysfs_node(address, sysfs_kind_of_type(device_type));

	return node ? node : sysfs_node(address, NODE_GENERIC);
}

void sysfs_scan(const struct scsi_address *address)
{
	g_autofree char *path = sysfs_path("/class/scsi_host/host%u/scan", address->host);
	/* All LUNs: tcm_loop's hosts claim to have none, and refuse a number here. */
	g_autofree char *value = g_strdup_printf("%u %u -", address->channel, address->target);

	configfs_write_limited(path, value, RESCAN_LIMIT, NULL);
}

void sysfs_rescan(const struct scsi_address *address)
{
	g_autofree char *path = device_path(address, "rescan");

	configfs_write_limited(path, "1", RESCAN_LIMIT, NULL);
}

/* The counts of requests that were begun and done would differ for ever after one that timed out. */
static bool is_idle(const struct scsi_address *address)
{
	g_autofree char *path = device_path(address, "device_busy"), *text = configfs_read(path);

	return !text || !g_ascii_strtoull(text, NULL, 10);
}

/* What cannot be written is lost whatever we do; the kernel's log says so. */
static bool settle(void *data, GError **error)
{
	const struct scsi_address *address = data;
	g_autofree char *node = sysfs_node(address, NODE_BLOCK);
	int fd = node ? open(node, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;

	(void)error;
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	while (!is_idle(address))
		g_usleep(IDLE_POLL_MS * 1000);
	return true;
}

bool sysfs_settle(const struct scsi_address *address, unsigned int limit, GError **error)
{
	struct scsi_address copy = *address;

	/*
	 * tcm_loop only lets go of its nexus if it finds the SCSI device when the LUN goes; one that somebody
	 * has deleted would stay in its count, and the nexus in memory.
	 */
	if (!sysfs_exists(address))
		sysfs_scan(address);
	return run_limited(settle, &copy, limit, error);
}
