/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where a worker can be found by a supervisor that did not start it: it listens on the unix socket ID.PID (of
 * the device, of the process) in a directory that is root's alone.
 *
 * Used by worker/link.c, which listens, supervisor/process.c, which connects, and stop.c.  No state.
 */
#ifndef RUNNER_RENDEZVOUS_H
#define RUNNER_RENDEZVOUS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <glib.h>

/* $SCUSE_RUNTIME_DIR, or $RUNTIME_DIRECTORY (systemd's), or what was configured. */
const char *rendezvous_default_dir(void);
/* Makes the directory if need be, and sees to it that it is ours alone.  0 or -errno. */
int rendezvous_make_dir(const char *dir);

/* Worker: a socket that listens and does not block, and its path (newly allocated); or -errno. */
int rendezvous_listen(const char *dir, uint32_t id, char **path);
/* The next connection of a process of root's (or our own user's), which does not block; or -errno. */
int rendezvous_accept(int listener);

/* A socket's file. */
struct rendezvous {
	char *path;
	uint32_t id;
	pid_t pid;  /* as its name says */
	gint64 age; /* when it was made: a larger number is later */
};
/* All there are, the newest first; elements are freed with the array.  Never NULL. */
GPtrArray *rendezvous_list(const char *dir);

/*
 * Connects.  The socket, which does not block, with the process that listens: its id, and a pidfd.  The pidfd
 * is certain to be that process's once it has said something on the socket: until then it may have ended and
 * its id be another's.  -errno; -ECONNREFUSED: nobody listens any more, and the file has been removed.
 */
int rendezvous_connect(const struct rendezvous *where, pid_t *pid, int *pidfd);

#endif /* RUNNER_RENDEZVOUS_H */
