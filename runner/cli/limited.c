/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Child processes with a limit; see limited.h.  Called by configfs.c and the fabrics.
 *
 * The child tells its error through a pipe: the code, then the message.  The end of the pipe is the end of
 * the child.
 */
#include "limited.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "cli.h"

#define REAP_ATTEMPTS 500 /* of 10 ms, for a child that was killed */

struct answer {
	int code;
	char message[2048];
};

static void child_main(bool (*function)(void *data, GError **error), void *data, int fd)
{
	struct answer answer = { 0 };
	GError *error = NULL;

	signal(SIGINT, SIG_IGN); /* the parent decides */
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	if (function(data, &error))
		_exit(0);
	answer.code = error ? error->code : EIO;
	g_strlcpy(answer.message, error ? error->message : "failed", sizeof(answer.message));
	if (write(fd, &answer, sizeof(answer)) < 0)
		_exit(2);
	_exit(1);
}

/* Bytes of the answer, -1: the user interrupted, or the time is over. */
static ssize_t read_answer(int fd, unsigned int limit, struct answer *answer)
{
	gint64 deadline = g_get_monotonic_time() + (gint64)limit * G_USEC_PER_SEC;
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };

	while (!interrupted()) {
		gint64 left = (deadline - g_get_monotonic_time()) / 1000;

		if (left <= 0)
			return -1;
		if (poll(&pollfd, 1, (int)left) > 0)
			return read(fd, answer, sizeof(*answer));
	}
	return -1;
}

/* Kills it unless it is done; *status is 0 if it went well. */
static void reap(pid_t child, bool done, int *status)
{
	*status = -1;
	if (!done)
		kill(child, SIGKILL);
	for (int i = 0; i < REAP_ATTEMPTS; i++) {
		if (waitpid(child, status, done ? 0 : WNOHANG) == child)
			return;
		if (!done)
			g_usleep(10 * 1000);
	}
}

static bool judge(ssize_t got, int status, const struct answer *answer, unsigned int limit, GError **error)
{
	if (got < 0 && interrupted())
		return check_interrupted(error);
	if (got < 0)
		return fail(error, ETIMEDOUT, "it took longer than %u seconds", limit);
	if (got == sizeof(*answer))
		return fail(error, answer->code, "%.*s", (int)sizeof(answer->message) - 1, answer->message);
	return status == 0 ? true : fail(error, EIO, "a child process ended with status %d", status);
}

bool run_limited(bool (*function)(void *data, GError **error), void *data, unsigned int limit, GError **error)
{
	struct answer answer;
	int fds[2], status;
	ssize_t got;
	pid_t child;

	if (pipe(fds))
		return fail(error, errno, "cannot make a pipe: %s", g_strerror(errno));
	child = fork();
	if (child == 0) {
		close(fds[0]);
		child_main(function, data, fds[1]);
	}
	close(fds[1]);
	if (child < 0) {
		close(fds[0]);
		return fail(error, errno, "cannot fork: %s", g_strerror(errno));
	}
	got = read_answer(fds[0], limit, &answer);
	close(fds[0]);
	reap(child, got >= 0, &status);
	return judge(got, status, &answer, limit, error);
}
