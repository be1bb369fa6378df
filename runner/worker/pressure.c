// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A worker when memory is short.  See pressure.h.
 *
 * The LUN may hold the very file system, or swap, that the kernel writes to in order to free memory.  Such a
 * write waits for the worker, so the worker must not wait for it:
 *
 *	PR_SET_IO_FLUSHER  allocations of its system calls do not start that kind of I/O, and its writes are
 *			   not throttled behind the dirty pages that it is to clean.
 *	mlockall	   its code, stacks and heap are not paged out, or dropped and read again from a disk
 *			   that it serves.  On fault: what is never touched (stacks, reserved address space)
 *			   takes no memory.  A handler that maps much more than it needs in order to make
 *			   progress may munlock() that.
 *	RLIMIT_MEMLOCK	   is lifted, as mappings that a handler makes later count too, and by then the
 *			   capability that spares root the limit may be gone.
 *	oom_score_adj	   the kernel's last resort picks others: killing a worker frees little, and stops
 *			   those who wait for its LUN from freeing more.
 */
#include "pressure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "../descriptor.h"
#include "log.h"

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

#define OOM_SCORE "-900" /* of -1000, never, to 1000; as in scuse-runner.service */

static bool locking; /* set once, before there are other threads */

static void tell(const char *what)
{
	/* Where we are not root (tests, containers) nothing of this is to be had. */
	if (errno == EPERM || errno == EACCES)
		log_debug("%s: %s", what, strerror(errno));
	else
		log_warning("%s: %s: the LUN may come to a halt when memory is short", what, strerror(errno));
}

static void protect_from_oom(void)
{
	AUTO_FD int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, OOM_SCORE, strlen(OOM_SCORE)) < 0)
		tell("oom_score_adj");
}

void pressure_prepare(void)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0))
		tell("PR_SET_IO_FLUSHER");
	protect_from_oom();
	/* Without the first, the second would make later allocations fail. */
	if (setrlimit(RLIMIT_MEMLOCK, &unlimited))
		tell("RLIMIT_MEMLOCK");
	else if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT))
		tell("mlockall");
	else
		locking = true;
}

/* The kernel fills a mapping that it cannot lock, and ours is such a one, if it was to be locked. */
void pressure_begin_mapping(void)
{
	if (locking && mlockall(MCL_CURRENT | MCL_ONFAULT))
		tell("mlockall");
}

/* Not MCL_CURRENT: that would fill the regions too. */
void pressure_end_mapping(void)
{
	if (locking && mlockall(MCL_FUTURE | MCL_ONFAULT))
		tell("mlockall");
}
