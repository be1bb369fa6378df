/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Access to LIO's configfs; see configfs.h.
 *
 * Called by create, rm, attach, detach, show and run.  Others change the same tree at the same time
 * (targetcli, other calls of scuse), so what vanishes or appears between two steps is never taken for a bug.
 */
#include "configfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli.h"
#include "limited.h"

static const char *root = "/sys/kernel/config/target";

const char *configfs_root(void)
{
	return root;
}

void configfs_set_root(const char *path)
{
	root = path;
}

char *configfs_path(const char *element, ...)
{
	GString *path = g_string_new(root);
	va_list args;

	va_start(args, element);
	for (; element; element = va_arg(args, const char *))
		g_string_append_printf(path, "/%s", element);
	va_end(args);
	return g_string_free(path, FALSE);
}

char *configfs_device(uint32_t hba, const char *directory)
{
	g_autofree char *name = g_strdup_printf("scuse_%u", hba);

	return configfs_path("core", name, directory, NULL);
}

bool configfs_is_directory(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

bool configfs_make(const char *path, bool *made, GError **error)
{
	int r = mkdir(path, 0755) ? errno : 0;

	if (made)
		*made = r == 0;
	if (r == 0 || (r == EEXIST && configfs_is_directory(path)))
		return true;
	return fail(error, r, "cannot make %s: %s", path, g_strerror(r));
}

bool configfs_remove(const char *path, GError **error)
{
	if (rmdir(path) == 0 || errno == ENOENT)
		return true;
	return fail(error, errno, "cannot remove %s: %s", path, g_strerror(errno));
}

/* 0 or an errno. */
static int write_file(const char *path, const char *value)
{
	size_t length = strlen(value);
	int fd = open(path, O_WRONLY | O_CLOEXEC), r = 0;
	ssize_t n;

	if (fd < 0)
		return errno;
	/* One write is one value: configfs acts on each call. */
	n = write(fd, value, length);
	if (n != (ssize_t)length)
		r = n < 0 ? errno : EIO;
	close(fd);
	return r;
}

static bool write_failed(const char *path, const char *value, int code, GError **error)
{
	return fail(error, code, "cannot write '%s' to %s: %s", value, path, g_strerror(code));
}

bool configfs_write(const char *path, const char *value, GError **error)
{
	int r = write_file(path, value);

	return r ? write_failed(path, value, r, error) : true;
}

struct limited_write {
	const char *path, *value;
};

static bool write_in_child(void *data, GError **error)
{
	const struct limited_write *work = data;

	return configfs_write(work->path, work->value, error);
}

bool configfs_write_limited(const char *path, const char *value, unsigned int limit, GError **error)
{
	struct limited_write work = { path, value };

	return run_limited(write_in_child, &work, limit, error);
}

char *configfs_read(const char *path)
{
	g_autofree char *text = NULL;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return NULL;
	g_strchomp(text);
	return g_steal_pointer(&text);
}

bool configfs_link(const char *target, const char *link, GError **error)
{
	if (symlink(target, link) == 0)
		return true;
	return fail(error, errno, "cannot link %s to %s: %s", link, target, g_strerror(errno));
}

bool configfs_unlink(const char *link, GError **error)
{
	if (unlink(link) == 0 || errno == ENOENT)
		return true;
	return fail(error, errno, "cannot remove the link %s: %s", link, g_strerror(errno));
}

static int compare_names(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *list(const char *path, mode_t type)
{
	GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
	DIR *directory = opendir(path);
	struct dirent *entry;
	struct stat status;

	while (directory && (entry = readdir(directory))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (fstatat(dirfd(directory), entry->d_name, &status, AT_SYMLINK_NOFOLLOW))
			continue;
		if ((status.st_mode & S_IFMT) == type)
			g_ptr_array_add(names, g_strdup(entry->d_name));
	}
	if (directory)
		closedir(directory);
	g_ptr_array_sort(names, compare_names);
	return names;
}

GPtrArray *configfs_directories(const char *path)
{
	return list(path, S_IFDIR);
}

GPtrArray *configfs_links(const char *path)
{
	return list(path, S_IFLNK);
}

/* What a link leads to is told by inode: how configfs writes the text of a link is its own affair. */
gint64 configfs_inode(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? (gint64)status.st_ino : -1;
}

static bool is_our_hba(const char *name)
{
	return g_str_has_prefix(name, "scuse_") && g_ascii_isdigit(name[strlen("scuse_")]);
}

char *configfs_find_device(const char *directory)
{
	g_autofree char *core = configfs_path("core", NULL);
	g_autoptr(GPtrArray) hbas = configfs_directories(core);

	for (guint i = 0; i < hbas->len; i++) {
		g_autofree char *path = configfs_path("core", hbas->pdata[i], directory, NULL);

		if (is_our_hba(hbas->pdata[i]) && configfs_is_directory(path))
			return g_steal_pointer(&path);
	}
	return NULL;
}

bool configfs_remove_device(const char *path, GError **error)
{
	g_autofree char *hba = g_path_get_dirname(path);

	if (!configfs_remove(path, error))
		return false;
	/* Refused while it has other LUNs, which is as it should be. */
	configfs_remove(hba, NULL);
	return true;
}
