/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Who uses an attached LUN: mounts, swap, device mapper and md, open descriptors.  See sysfs.h.
 *
 * Called before a LUN is taken from the host, and by show.  Others may begin to use it right afterwards; the
 * kernel then gives them errors, as with a disk that is pulled out.
 */
#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include "cli.h"
#include "configfs.h"

#define MAX_PROCESSES 4 /* that are named */

/* One block device of the LUN: the disk, or a partition. */
struct block {
	char *name;
	char *number; /* "major:minor" */
};

static void block_free(void *data)
{
	struct block *block = data;

	g_free(block->name);
	g_free(block->number);
	g_free(block);
}

static void add_block(GPtrArray *blocks, const char *directory, const char *name)
{
	g_autofree char *path = g_strdup_printf("%s/dev", directory);
	struct block *block;
	char *number = configfs_read(path);

	if (!number)
		return;
	block = g_new0(struct block, 1);
	block->name = g_strdup(name);
	block->number = number;
	g_ptr_array_add(blocks, block);
}

/* The disk and its partitions: subdirectories that have a file "partition". */
static GPtrArray *list_blocks(const char *disk)
{
	GPtrArray *blocks = g_ptr_array_new_with_free_func(block_free);
	g_autofree char *directory = sysfs_path("/class/block/%s", disk);
	g_autoptr(GPtrArray) names = configfs_directories(directory);

	add_block(blocks, directory, disk);
	for (guint i = 0; i < names->len; i++) {
		g_autofree char *partition = g_strdup_printf("%s/%s", directory, (char *)names->pdata[i]);
		g_autofree char *mark = g_strdup_printf("%s/partition", partition);

		if (access(mark, F_OK) == 0)
			add_block(blocks, partition, names->pdata[i]);
	}
	return blocks;
}

static const struct block *find_block(GPtrArray *blocks, const char *number)
{
	for (guint i = 0; i < blocks->len; i++) {
		const struct block *block = blocks->pdata[i];

		if (!strcmp(block->number, number))
			return block;
	}
	return NULL;
}

/* mountinfo: "36 35 98:0 /mnt1 /mnt2 rw,noatime ..."; spaces in paths are \040 and the like. */
static void add_mounts(GPtrArray *users, GPtrArray *blocks)
{
	g_autofree char *path = procfs_path("/self/mountinfo"), *text = configfs_read(path);
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

	for (char **line = lines; line && *line; line++) {
		g_auto(GStrv) fields = g_strsplit(*line, " ", 6);
		g_autofree char *point = NULL;

		if (g_strv_length(fields) < 6 || !find_block(blocks, fields[2]))
			continue;
		point = g_strcompress(fields[4]);
		g_ptr_array_add(users, g_strdup_printf("mounted on %s", point));
	}
}

static void add_swaps(GPtrArray *users, GPtrArray *blocks)
{
	g_autofree char *path = procfs_path("/swaps"), *text = configfs_read(path);
	g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

	for (char **line = lines; line && *line; line++) {
		for (guint i = 0; i < blocks->len; i++) {
			const struct block *block = blocks->pdata[i];
			g_autofree char *node = g_strdup_printf("/dev/%s ", block->name);

			if (g_str_has_prefix(*line, node))
				g_ptr_array_add(users,
						g_strdup_printf("used as swap (/dev/%s)", block->name));
		}
	}
}

static void add_holders(GPtrArray *users, GPtrArray *blocks)
{
	for (guint i = 0; i < blocks->len; i++) {
		const struct block *block = blocks->pdata[i];
		g_autofree char *path = sysfs_path("/class/block/%s/holders", block->name);
		g_autoptr(GPtrArray) holders = configfs_links(path);

		for (guint j = 0; j < holders->len; j++)
			g_ptr_array_add(users, g_strdup_printf("held by %s", (char *)holders->pdata[j]));
	}
}

/* Mounts of other namespaces, for instance, show nowhere else: the kernel refuses a second exclusive user. */
static void add_exclusive(GPtrArray *users, GPtrArray *blocks)
{
	for (guint i = 0; i < blocks->len && users->len == 0; i++) {
		const struct block *block = blocks->pdata[i];
		g_autofree char *node = g_strdup_printf("/dev/%s", block->name);
		int fd = open(node, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);

		if (fd >= 0)
			close(fd);
		else if (errno == EBUSY)
			g_ptr_array_add(
				users,
				g_strdup_printf("%s is in use (mounted elsewhere, or part of another device)",
						node));
	}
}

/* ---- open descriptors ------------------------------------------------------------------------------- */

static bool process_has_open(const char *pid, const dev_t *numbers, guint count)
{
	g_autofree char *path = procfs_path("/%s/fd", pid);
	GDir *directory = g_dir_open(path, 0, NULL);
	const char *name;
	struct stat status;
	bool found = false;

	while (directory && !found && (name = g_dir_read_name(directory))) {
		g_autofree char *link = g_strdup_printf("%s/%s", path, name);

		if (stat(link, &status) || !(S_ISBLK(status.st_mode) || S_ISCHR(status.st_mode)))
			continue;
		for (guint i = 0; i < count; i++)
			found = found || status.st_rdev == numbers[i];
	}
	if (directory)
		g_dir_close(directory);
	return found;
}

static char *describe_process(const char *pid)
{
	g_autofree char *path = procfs_path("/%s/comm", pid), *name = configfs_read(path);

	return g_strdup_printf("open in %s (pid %s)", name ? name : "a process", pid);
}

static void add_processes(GPtrArray *users, const dev_t *numbers, guint count)
{
	g_autofree char *path = procfs_path("/.");
	GDir *directory = g_dir_open(path, 0, NULL);
	const char *pid;
	guint named = 0;

	while (directory && named < MAX_PROCESSES && (pid = g_dir_read_name(directory))) {
		if (!g_ascii_isdigit(*pid) || !process_has_open(pid, numbers, count))
			continue;
		g_ptr_array_add(users, describe_process(pid));
		named++;
	}
	if (directory)
		g_dir_close(directory);
}

static dev_t parse_number(const char *text)
{
	unsigned int major_number, minor_number;

	if (sscanf(text, "%u:%u", &major_number, &minor_number) != 2)
		return 0;
	return makedev(major_number, minor_number);
}

static void add_number(GArray *numbers, const char *text)
{
	dev_t number = text ? parse_number(text) : 0;

	if (number)
		g_array_append_val(numbers, number);
}

/* Character devices of the LUN: sg, and each of a tape's. */
static void add_character_numbers(GArray *numbers, const struct scsi_address *address)
{
	static const char *const classes[] = { "scsi_generic", "scsi_tape", "scsi_changer" };

	for (size_t i = 0; i < G_N_ELEMENTS(classes); i++) {
		g_autofree char *path = sysfs_path(
			"/class/scsi_device/%u:%u:%u:%" G_GUINT64_FORMAT "/device/%s", address->host,
			address->channel, address->target, address->lun, classes[i]);
		g_autoptr(GPtrArray) names = configfs_directories(path);

		for (guint j = 0; j < names->len; j++) {
			g_autofree char *file = g_strdup_printf("%s/%s/dev", path, (char *)names->pdata[j]);
			g_autofree char *number = configfs_read(file);

			add_number(numbers, number);
		}
	}
}

GPtrArray *sysfs_users(const struct scsi_address *address)
{
	GPtrArray *users = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GArray) numbers = g_array_new(FALSE, FALSE, sizeof(dev_t));
	g_autofree char *node = sysfs_node(address, NODE_BLOCK);
	g_autoptr(GPtrArray) blocks = NULL;

	if (node) {
		blocks = list_blocks(node + strlen("/dev/"));
		add_mounts(users, blocks);
		add_swaps(users, blocks);
		add_holders(users, blocks);
		add_exclusive(users, blocks);
		for (guint i = 0; i < blocks->len; i++)
			add_number(numbers, ((struct block *)blocks->pdata[i])->number);
	}
	add_character_numbers(numbers, address);
	add_processes(users, (const dev_t *)(void *)numbers->data, numbers->len);
	return users;
}
