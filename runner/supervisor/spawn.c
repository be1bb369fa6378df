// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Starts worker processes: fork and exec of our own executable, so that a worker begins with a clean
 * address space, two descriptors besides stdio, a short environment and default signal handling.  Called on
 * the supervisor's one thread.
 *
 * Between fork and exec only async-signal-safe functions are called; everything that allocates is done
 * before.
 */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib.h>

#include "../control.h"

/* What a worker, or a library that its handler uses, may need to know about the machine. */
static const char *const kept[] = { "LANG",	      "LC_ALL",	      "TZ",
				    "JOURNAL_STREAM", "ASAN_OPTIONS", "UBSAN_OPTIONS",
				    "TSAN_OPTIONS",   "LSAN_OPTIONS", "MALLOC_PERTURB_" };

static char **clean_environment(void)
{
	g_autoptr(GStrvBuilder) builder = g_strv_builder_new();

	g_strv_builder_add(builder, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
		g_autofree char *entry = NULL;

		if (!getenv(kept[i]))
			continue;
		entry = g_strdup_printf("%s=%s", kept[i], getenv(kept[i]));
		g_strv_builder_add(builder, entry);
	}
	return g_strv_builder_end(builder);
}

/* In the child.  Both descriptors go out of the way first: either may be where the other has to be. */
static void become_worker(int control, int device, char **environment)
{
	char *argv[] = { "scuse-runner", "--worker", NULL };
	sigset_t none;

	control = fcntl(control, F_DUPFD, 10);
	device = fcntl(device, F_DUPFD, 10);
	if (control < 0 || device < 0 || dup2(control, CONTROL_FD) < 0 || dup2(device, DEVICE_FD) < 0 ||
	    close_range(DEVICE_FD + 1, ~0u, 0) < 0)
		_exit(126);
	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve("/proc/self/exe", argv, environment);
	_exit(127);
}

pid_t spawn_worker(int device, int *control)
{
	g_auto(GStrv) environment = clean_environment();
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		become_worker(pair[1], device, environment);
	close(pair[1]);
	if (pid < 0) {
		int error = errno;

		close(pair[0]);
		return -error;
	}
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	*control = pair[0];
	return pid;
}
