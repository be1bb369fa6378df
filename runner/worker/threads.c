// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Runs a function on every thread, by a signal.  See threads.h.  Called by confine.c, and by tests.
 *
 * THE SIGNAL	must reach threads that a handler has made, which may block whatever they like.  So it is the one that
 *		the C library never lets anybody block, and uses for the same purpose (setuid() and its kind); its
 *		action is replaced for as long as this lasts, below the C library, and put back.
 * WHICH	/proc/self/task is read until a pass finds nobody new: a thread that was started meanwhile by one
 *		whose turn had not come yet has the old rights, and is found by the next pass.
 *		Threads of the kernel's (io_uring's) are listed there as well.  They take no signals, and act with the
 *		rights of whoever submits.
 *
 * Sanitizers have threads too, without what instrumented code needs: this file and the jobs are built without.
 */
#include "threads.h"

#include <dirent.h>
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <glib.h>

#define SIGNAL_ALL   33	   /* SIGSETXID of the C library; the kernel's SIGRTMIN + 1 */
#define REACT_LIMIT  5	   /* seconds that a thread has */
#define PF_IO_WORKER 0x10u /* of the flags in /proc/PID/stat */

/* The kernel's struct sigaction, which is not the C library's. */
struct kernel_action {
	void (*handler)(int number);
	unsigned long flags;
#if defined(__x86_64__) || defined(__aarch64__)
	void (*restorer)(void);
#endif
	uint64_t mask;
};

/* Written before the signal is sent; `result` and then `done` by the thread that has it. */
static struct {
	int (*job)(void);
	_Atomic int result;
	_Atomic uint32_t done; /* a futex */
} turn;

static void on_signal(int number)
{
	int before = errno;

	(void)number;
	atomic_store(&turn.result, turn.job());
	atomic_store(&turn.done, 1);
	syscall(SYS_futex, &turn.done, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
	errno = before;
}

static int kernel_sigaction(int number, const struct kernel_action *action, struct kernel_action *old)
{
	return syscall(SYS_rt_sigaction, number, action, old, sizeof(action->mask)) ? -errno : 0;
}

/* How a handler returns is the C library's affair: as with any signal that was set through it. */
static int borrow_return(struct kernel_action *action)
{
	struct sigaction common = { .sa_handler = on_signal, .sa_flags = SA_RESTART }, old;
	int result;

	if (sigaction(SIGURG, &common, &old))
		return -errno;
	result = kernel_sigaction(SIGURG, NULL, action);
	sigaction(SIGURG, &old, NULL);
	/* Whoever stands between the C library and us (ThreadSanitizer) may have put in a function of its own. */
	action->handler = on_signal;
	action->mask = ~(uint64_t)0;
	return result;
}

static bool is_kernel_thread(pid_t tid)
{
	g_autofree char *path = g_strdup_printf("/proc/self/task/%d/stat", tid);
	g_autofree char *text = NULL;
	const char *rest;
	unsigned int flags = 0;

	if (!g_file_get_contents(path, &text, NULL, NULL))
		return false;
	/* The name may hold anything, so what counts begins behind its last parenthesis. */
	rest = strrchr(text, ')');
	return rest && sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) == 1 && flags & PF_IO_WORKER;
}

static int wait_for_turn(void)
{
	struct timespec limit = { .tv_sec = REACT_LIMIT };

	while (!atomic_load(&turn.done))
		if (syscall(SYS_futex, &turn.done, FUTEX_WAIT_PRIVATE, 0, &limit, NULL, 0) &&
		    errno == ETIMEDOUT)
			return -ETIMEDOUT;
	return atomic_load(&turn.result);
}

/* A thread that has ended meanwhile needs nothing any more. */
static int one_thread(pid_t tid)
{
	if (is_kernel_thread(tid))
		return 0;
	atomic_store(&turn.done, 0);
	if (syscall(SYS_tgkill, getpid(), tid, SIGNAL_ALL))
		return errno == ESRCH ? 0 : -errno;
	return wait_for_turn();
}

/* All whose turn has not come; *found: there were any. */
static int one_pass(GHashTable *seen, bool *found)
{
	DIR *tasks = opendir("/proc/self/task");
	pid_t own = (pid_t)syscall(SYS_gettid);
	struct dirent *entry;
	int result = 0;

	*found = false;
	if (!tasks)
		return -errno;
	while (!result && (entry = readdir(tasks))) {
		pid_t tid = atoi(entry->d_name);

		if (tid <= 0 || tid == own || !g_hash_table_add(seen, GINT_TO_POINTER(tid)))
			continue;
		*found = true;
		result = one_thread(tid);
	}
	closedir(tasks);
	return result;
}

static int other_threads(void)
{
	g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL);
	bool found = true;
	int result = 0;

	while (found && !result)
		result = one_pass(seen, &found);
	return result;
}

int threads_each(int (*job)(void))
{
	struct kernel_action ours, before;
	int result;

	turn.job = job;
	result = borrow_return(&ours);
	if (!result)
		result = kernel_sigaction(SIGNAL_ALL, &ours, &before);
	if (!result) {
		result = other_threads();
		kernel_sigaction(SIGNAL_ALL, &before, NULL);
	}
	return result ? result : job();
}
