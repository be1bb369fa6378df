// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What workers give up: the job that runs on each thread, the filter of system calls, what needs mean.  Each test is a
 * process of its own, since what is given up does not come back.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "worker/confine.h"
#include "worker/threads.h"

/* ---- threads ---- */

#define THREADS 7

static _Atomic int calls;
static _Atomic bool end;
static _Thread_local int mine;
static _Atomic int done_by_threads;

/* Jobs run on a sanitizer's own threads, too. */
#define JOB __attribute__((no_sanitize("thread", "address", "undefined")))

JOB static int count_call(void)
{
	atomic_fetch_add(&calls, 1);
	mine++;
	return 0;
}

static void *deaf(void *unused)
{
	sigset_t all;

	(void)unused;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	while (!atomic_load(&end))
		usleep(1000);
	atomic_fetch_add(&done_by_threads, mine);
	return NULL;
}

Test(threads, each_is_called_once)
{
	pthread_t threads[THREADS];

	for (int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, deaf, NULL), 0);
	cr_assert_eq(threads_each(count_call), 0);
	cr_expect_eq(mine, 1);
	atomic_store(&end, true);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	cr_expect_eq(done_by_threads, THREADS, "%d of %d calls", done_by_threads, THREADS);
}

JOB static int refuse(void)
{
	return -EPERM;
}

Test(threads, tells_of_failure)
{
	cr_assert_eq(threads_each(refuse), -EPERM);
}

/* The C library's own use of the signal goes on. */
Test(threads, signal_is_given_back)
{
	pthread_t thread;

	cr_assert_eq(pthread_create(&thread, NULL, deaf, NULL), 0);
	cr_assert_eq(threads_each(count_call), 0);
	cr_expect_eq(setresuid(getuid(), geteuid(), -1), 0);
	atomic_store(&end, true);
	pthread_join(thread, NULL);
	cr_expect_eq(done_by_threads, 1);
}

/* ---- the filter ---- */

/* The signal that ends a child which loads the filter and then calls this; 0: none, it exits with *status. */
static int in_filter(uint32_t needs, int (*call)(void), int *status)
{
	pid_t pid = fork();
	int how;

	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (filter_load(needs))
			_exit(99);
		_exit(call());
	}
	cr_assert_gt(pid, 0);
	cr_assert_eq(waitpid(pid, &how, 0), pid);
	*status = WIFEXITED(how) ? WEXITSTATUS(how) : -1;
	return WIFSIGNALED(how) ? WTERMSIG(how) : 0;
}

/* valgrind has no filters: there is nothing to test. */
static bool has_filters(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static long tried;

static int call_tried(void)
{
	return syscall(tried, -1, -1, -1, -1, -1, -1) < 0 ? errno : 0;
}

Test(filter, ends_the_process)
{
	static const long calls_that_end[] = {
		SYS_mount,
		SYS_umount2,
		SYS_init_module,
		SYS_finit_module,
		SYS_delete_module,
		SYS_kexec_load,
		SYS_bpf,
		SYS_setns,
		SYS_unshare,
		SYS_perf_event_open,
		SYS_keyctl,
		SYS_process_vm_readv,
		SYS_process_vm_writev,
		SYS_open_by_handle_at,
		SYS_chroot,
		SYS_pivot_root,
#ifndef SCUSE_SANITIZED
		SYS_ptrace,
#endif
	};
	int status;

	if (!has_filters())
		return;
	for (size_t i = 0; i < sizeof(calls_that_end) / sizeof(*calls_that_end); i++) {
		tried = calls_that_end[i];
		for (uint32_t needs = 0; needs <= 0x1f; needs += 0x1f)
			cr_expect_eq(in_filter(needs, call_tried, &status), SIGSYS,
				     "system call %ld, needs %#x: exit status %d", tried, needs, status);
	}
}

#ifdef __x86_64__
static int call_other_architecture(void)
{
	int result = 20; /* getpid() of i386 */

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
	return result > 0 ? 0 : 1;
}

static int call_x32(void)
{
	return syscall(0x40000000L | SYS_getpid) < 0 ? errno : 0;
}

Test(filter, other_architectures)
{
	int status;

	if (!has_filters())
		return;
	cr_expect_eq(in_filter(0, call_other_architecture, &status), SIGSYS);
	cr_expect_eq(in_filter(0, call_x32, &status), SIGSYS);
}
#endif

static void *nothing(void *unused)
{
	return unused;
}

static int call_thread(void)
{
	pthread_t thread;
	int result = pthread_create(&thread, NULL, nothing, NULL);

	return result ? result : pthread_join(thread, NULL);
}

static int call_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : waitpid(pid, NULL, 0) != pid;
}

static int call_clone_namespace(void)
{
	return syscall(SYS_clone, CLONE_NEWUTS | SIGCHLD, NULL, NULL, NULL, NULL) < 0 ? errno : 0;
}

static int call_ring(void)
{
	return syscall(SYS_io_uring_setup, 0, NULL) < 0 ? errno : 0;
}

Test(filter, threads_and_processes)
{
	int status;

	if (!has_filters())
		return;
	cr_expect_eq(in_filter(0, call_thread, &status), 0);
	cr_expect_eq(status, 0, "a thread: %d", status);
	cr_expect_eq(in_filter(SCUSE_NEEDS_PROCESSES, call_fork, &status), 0);
	cr_expect_eq(status, 0, "a process: %d", status);
	cr_expect_eq(in_filter(SCUSE_NEEDS_PROCESSES, call_clone_namespace, &status), 0);
	cr_expect_eq(status, EPERM, "a process with a namespace: %d", status);
	cr_expect_eq(in_filter(0, call_ring, &status), 0, "io_uring stays");
#ifndef SCUSE_SANITIZED
	cr_expect_eq(in_filter(0, call_fork, &status), 0);
	cr_expect_eq(status, EPERM, "a process: %d", status);
	tried = SYS_execve;
	cr_expect_eq(in_filter(0, call_tried, &status), 0);
	cr_expect_eq(status, EPERM, "a program: %d", status);
#endif
}

/* ---- needs ---- */

Test(needs, capabilities)
{
	cr_expect_eq(confine_capabilities(0), 0);
	cr_expect_eq(confine_capabilities(SCUSE_NEEDS_NETWORK | SCUSE_NEEDS_PROCESSES), 0);
	cr_expect_eq(confine_capabilities(SCUSE_NEEDS_RAWIO), 1u << CAP_SYS_RAWIO);
	cr_expect_eq(confine_capabilities(SCUSE_NEEDS_ADMIN), 1u << CAP_SYS_ADMIN);
	cr_expect_eq(confine_capabilities(SCUSE_NEEDS_FILES),
		     1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH | 1u << CAP_FOWNER);
	cr_expect_eq(confine_capabilities(~0x1fu), 0, "what a newer handler may need is not known here");
}

Test(needs, root)
{
	cr_expect(!confine_keeps_root(0));
	cr_expect(!confine_keeps_root(SCUSE_NEEDS_NETWORK | SCUSE_NEEDS_PROCESSES));
	cr_expect(confine_keeps_root(SCUSE_NEEDS_FILES));
	cr_expect(confine_keeps_root(SCUSE_NEEDS_RAWIO));
	cr_expect(confine_keeps_root(SCUSE_NEEDS_ADMIN));
}

Test(needs, an_earlier_abi_keeps_everything)
{
	struct handler handler = { .def = { .abi_minor = 2 } };
	char *error = NULL;

	cr_expect_eq(confine_namespaces(&handler, &error), 0);
	cr_expect_eq(confine_process(&handler, &error), 0);
	cr_expect_eq(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 0, "no filter");
}
