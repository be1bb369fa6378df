// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Sockets by which workers are found.  See rendezvous.h.
 *
 * The directory's mode keeps others out; the credentials of both ends are checked besides, as whoever may
 * give orders to a worker owns its LUN.
 */
#include "rendezvous.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib-unix.h>

#include "descriptor.h"

#define BACKLOG 8

const char *rendezvous_default_dir(void)
{
	static const char *const variables[] = { "SCUSE_RUNTIME_DIR", "RUNTIME_DIRECTORY" };

	for (size_t i = 0; i < G_N_ELEMENTS(variables); i++) {
		const char *given = getenv(variables[i]);

		if (given && *given)
			return given;
	}
	return SCUSE_RUNTIME_DIR;
}

int rendezvous_make_dir(const char *dir)
{
	struct stat status;

	if (g_mkdir_with_parents(dir, 0700) || lstat(dir, &status))
		return -errno;
	if (!S_ISDIR(status.st_mode))
		return -ENOTDIR;
	if (status.st_uid != geteuid())
		return -EPERM;
	return chmod(dir, 0700) ? -errno : 0;
}

static bool make_address(const char *path, struct sockaddr_un *address)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return g_strlcpy(address->sun_path, path, sizeof(address->sun_path)) < sizeof(address->sun_path);
}

int rendezvous_listen(const char *dir, uint32_t id, char **path)
{
	g_autofree char *name = g_strdup_printf("%s/%u.%d", dir, id, (int)getpid());
	g_autofree char *unready = g_strconcat(name, ".new", NULL);
	AUTO_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;

	if (fd < 0)
		return -errno;
	if (!make_address(unready, &address))
		return -ENAMETOOLONG;
	unlink(unready); /* of an earlier process with our id: it cannot be alive */
	/* Who finds a socket that is not listened to takes it for a dead process's, and removes it. */
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, BACKLOG) ||
	    rename(unready, name))
		return -errno;
	*path = g_steal_pointer(&name);
	return g_steal_fd(&fd);
}

/* The process at the other end: of a connection, who connected or who listened. */
static int check_peer(int fd, pid_t *pid)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size))
		return -errno;
	if (peer.uid && peer.uid != geteuid())
		return -EACCES;
	*pid = peer.pid;
	return 0;
}

int rendezvous_accept(int listener)
{
	AUTO_FD int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	pid_t pid;
	int result;

	if (fd < 0)
		return -errno;
	result = check_peer(fd, &pid);
	return result ? result : g_steal_fd(&fd);
}

static void rendezvous_free(gpointer data)
{
	struct rendezvous *where = data;

	g_free(where->path);
	g_free(where);
}

static gint compare_age(gconstpointer a, gconstpointer b)
{
	const struct rendezvous *const *left = a, *const *right = b;

	return ((*left)->age < (*right)->age) - ((*left)->age > (*right)->age);
}

GPtrArray *rendezvous_list(const char *dir)
{
	GPtrArray *list = g_ptr_array_new_with_free_func(rendezvous_free);
	g_autoptr(GDir) names = g_dir_open(dir, 0, NULL);
	const char *name;

	while (names && (name = g_dir_read_name(names))) {
		g_autofree char *path = g_build_filename(dir, name, NULL);
		struct rendezvous where = { 0 };
		struct stat status;
		int length = 0;

		if (sscanf(name, "%u.%d%n", &where.id, &where.pid, &length) != 2 || name[length] ||
		    lstat(path, &status) || !S_ISSOCK(status.st_mode))
			continue;
		where.path = g_steal_pointer(&path);
		where.age = status.st_ctim.tv_sec * G_GINT64_CONSTANT(1000000000) + status.st_ctim.tv_nsec;
		g_ptr_array_add(list, g_memdup2(&where, sizeof(where)));
	}
	g_ptr_array_sort(list, compare_age);
	return list;
}

int rendezvous_connect(const struct rendezvous *where, pid_t *pid, int *pidfd)
{
	AUTO_FD int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	int result;

	if (fd < 0)
		return -errno;
	if (!make_address(where->path, &address))
		return -ENAMETOOLONG;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address))) {
		result = -errno;
		if (result == -ECONNREFUSED)
			unlink(where->path);
		return result;
	}
	result = check_peer(fd, pid);
	if (result)
		return result;
	*pidfd = pidfd_open(*pid, 0);
	return *pidfd < 0 ? -errno : g_steal_fd(&fd);
}
