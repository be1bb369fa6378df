// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Takes from a worker what its handler does not need.  See confine.h.  Called by process.c on the main thread.
 *
 * AGAINST WHOM	Handlers are trusted when they are installed and opened.  But later they work on what initiators, and
 *		the network behind them, send: a handler that such data has taken over is to reach its own LUN's
 *		storage, which it has open, and nothing else.
 * USER		Root without any capability still owns /etc, /dev/sda, and the sockets of systemd.  So a handler that
 *		needs no right of root's goes on as a user of its own, one a process: it owns nothing, and workers can
 *		neither signal nor trace each other.
 * ORDER	bounding set -> groups and user -> capabilities, each on every thread; then the filter, which the
 *		kernel applies to all threads at once.  PR_SET_NO_NEW_PRIVS was set before there were threads.
 */
#include "confine.h"

#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "threads.h"

/* User ids that no system gives to anybody; a process id is less than 2^22. */
#define FIRST_UID 0x70000000u

/* What the job that runs on each thread is to do.  Written before, on the main thread. */
static struct {
	uint64_t capabilities;
	uid_t user; /* 0: stay who you are */
} wanted;

uint64_t confine_capabilities(uint32_t needs)
{
	uint64_t set = 0;

	if (needs & SCUSE_NEEDS_FILES)
		set |= 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH | 1u << CAP_FOWNER;
	if (needs & SCUSE_NEEDS_RAWIO)
		set |= 1u << CAP_SYS_RAWIO;
	if (needs & SCUSE_NEEDS_ADMIN)
		set |= 1u << CAP_SYS_ADMIN;
	return set;
}

bool confine_keeps_root(uint32_t needs)
{
	return needs & (SCUSE_NEEDS_FILES | SCUSE_NEEDS_RAWIO | SCUSE_NEEDS_ADMIN);
}

static int failed(int code, const char *what, char **error)
{
	*error = g_strdup_printf("the worker cannot give up its rights (%s: %s)", what, g_strerror(code));
	return -code;
}

int confine_namespaces(const struct handler *handler, char **error)
{
	int spaces = CLONE_NEWIPC | CLONE_NEWUTS;

	if (!confine_applies(handler))
		return 0;
	if (!(handler->def.needs & SCUSE_NEEDS_NETWORK))
		spaces |= CLONE_NEWNET;
	return unshare(spaces) ? failed(errno, "namespaces", error) : 0;
}

/* ---- on each thread: system calls alone ---- */

static int drop_bounding_set(void)
{
	for (unsigned int i = 0; i < 64; i++) {
		if (wanted.capabilities >> i & 1 || syscall(SYS_prctl, PR_CAPBSET_READ, i, 0, 0, 0) != 1)
			continue;
		if (syscall(SYS_prctl, PR_CAPBSET_DROP, i, 0, 0, 0))
			return -errno;
	}
	return syscall(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ? -errno : 0;
}

/* Not by the C library: its functions want to change all threads by themselves. */
static int change_user(void)
{
	uid_t user = wanted.user;

	if (!user)
		return 0;
	if (syscall(SYS_setgroups, 0, NULL) || syscall(SYS_setresgid, user, user, user) ||
	    syscall(SYS_setresuid, user, user, user))
		return -errno;
	return 0;
}

static int set_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	for (unsigned int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		data[i].effective = data[i].permitted = (uint32_t)(wanted.capabilities >> (32 * i));
		data[i].inheritable = 0;
	}
	return syscall(SYS_capset, &header, data) ? -errno : 0;
}

static int give_up(void)
{
	int result = drop_bounding_set();

	if (!result)
		result = change_user();
	return result ? result : set_capabilities();
}

/* ---- the process ---- */

int confine_process(const struct handler *handler, char **error)
{
	uint32_t needs = handler->def.needs;
	int result;

	if (!confine_applies(handler))
		return 0;
	wanted.capabilities = confine_capabilities(needs);
	wanted.user = confine_keeps_root(needs) || geteuid() != 0 ? 0 : FIRST_UID + (uid_t)getpid();
	result = threads_each(give_up);
	if (result)
		return failed(-result, "capabilities", error);
	/* A change of user takes this away; crashes of handlers are to be found in core dumps. */
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
	result = filter_load(needs);
	if (result == -EOPNOTSUPP) {
		log_error("there is no seccomp here (CONFIG_SECCOMP_FILTER): system calls are not filtered");
		return 0;
	}
	return result ? failed(-result, "system calls", error) : 0;
}
