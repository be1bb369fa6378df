/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Work that every thread of the process has to do itself: the kernel knows user ids and capabilities of threads,
 * not of processes.
 */
#ifndef WORKER_THREADS_H
#define WORKER_THREADS_H

/*
 * Calls `job` once on each thread of the process, the caller's last, and on no two at a time.  On the others it runs
 * in a signal handler: it may do nothing but system calls.  It returns 0 or -errno.
 *
 * 0 once all threads have done it, those too that were started meanwhile; or the first error, with an unknown number
 * of threads done.  -ETIMEDOUT: a thread does not react.  One call at a time.
 */
int threads_each(int (*job)(void));

#endif /* WORKER_THREADS_H */
