// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The system calls that a worker has no use for, by seccomp.  Called by confine.c.
 *
 * It is a list of what is refused: what handlers call is theirs to choose.  What no handler needs ends the process,
 * which shows in the log and costs nobody but the LUN; processes, which some need, are refused with EPERM.
 *
 * io_uring is not looked through: its requests run with the rights of the worker, which has no more than its handler
 * needs.
 *
 * In builds with sanitizers (SCUSE_SANITIZED) ptrace and processes are let pass: LeakSanitizer stops the threads with
 * the one, reports of all of them start a symbolizer.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "confine.h"

#define NEW_NAMESPACES                                                                                \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | \
	 CLONE_NEWNET)

/* The machine, its kernel, other processes, other file systems. */
static const int ending[] = {
	SCMP_SYS(init_module),
	SCMP_SYS(finit_module),
	SCMP_SYS(delete_module),
	SCMP_SYS(kexec_load),
	SCMP_SYS(kexec_file_load),
	SCMP_SYS(reboot),
	SCMP_SYS(bpf),
	SCMP_SYS(perf_event_open),
	SCMP_SYS(userfaultfd),
	SCMP_SYS(iopl),
	SCMP_SYS(ioperm),
	SCMP_SYS(syslog),
	SCMP_SYS(mount),
	SCMP_SYS(umount2),
	SCMP_SYS(move_mount),
	SCMP_SYS(open_tree),
	SCMP_SYS(fsopen),
	SCMP_SYS(fsconfig),
	SCMP_SYS(fsmount),
	SCMP_SYS(fspick),
	SCMP_SYS(mount_setattr),
	SCMP_SYS(pivot_root),
	SCMP_SYS(chroot),
	SCMP_SYS(open_by_handle_at),
	SCMP_SYS(setns),
	SCMP_SYS(unshare),
	SCMP_SYS(process_vm_readv),
	SCMP_SYS(process_vm_writev),
	SCMP_SYS(pidfd_getfd),
	SCMP_SYS(kcmp),
	SCMP_SYS(keyctl),
	SCMP_SYS(add_key),
	SCMP_SYS(request_key),
	SCMP_SYS(swapon),
	SCMP_SYS(swapoff),
	SCMP_SYS(acct),
	SCMP_SYS(quotactl),
	SCMP_SYS(quotactl_fd),
	SCMP_SYS(fanotify_init),
	SCMP_SYS(settimeofday),
	SCMP_SYS(clock_settime),
	SCMP_SYS(sethostname),
	SCMP_SYS(setdomainname),
	SCMP_SYS(vhangup),
#ifndef SCUSE_SANITIZED
	SCMP_SYS(ptrace),
#endif
};

static int add_ending(scmp_filter_ctx filter)
{
	int result = 0;

	for (size_t i = 0; i < sizeof(ending) / sizeof(*ending) && !result; i++)
		result = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, ending[i], 0);
	return result;
}

/* clone3() has its flags in memory, where no filter sees them; without it the C library uses clone(). */
static int add_clone(scmp_filter_ctx filter, bool processes)
{
	int result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	if (!processes && !result)
		return seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
					SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
	for (uint64_t flag = 1; flag <= NEW_NAMESPACES && !result; flag <<= 1)
		if (flag & NEW_NAMESPACES)
			result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
						  SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag));
	return result;
}

static int add_processes(scmp_filter_ctx filter)
{
	static const int calls[] = { SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(fork), SCMP_SYS(vfork) };
	int result = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls) && !result; i++)
		result = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), calls[i], 0);
	return result;
}

static bool may_have_processes(uint32_t needs)
{
#ifdef SCUSE_SANITIZED
	(void)needs;
	return true;
#else
	return needs & SCUSE_NEEDS_PROCESSES;
#endif
}

static bool has_filters(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return !syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) || errno != ENOSYS;
}

int filter_load(uint32_t needs)
{
	bool processes = may_have_processes(needs);
	scmp_filter_ctx filter;
	int result;

	if (!has_filters())
		return -EOPNOTSUPP;
	filter = seccomp_init(SCMP_ACT_ALLOW);
	if (!filter)
		return -ENOMEM;
	/* Calls of other architectures have other numbers, and would pass below the list. */
	result = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	if (!result)
		result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!result)
		result = add_ending(filter);
	if (!result)
		result = add_clone(filter, processes);
	if (!result && !processes)
		result = add_processes(filter);
	if (!result)
		result = seccomp_load(filter);
	seccomp_release(filter);
	return result;
}
