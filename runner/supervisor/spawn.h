/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts worker processes.  Used by lun.c. */
#ifndef SUPERVISOR_SPAWN_H
#define SUPERVISOR_SPAWN_H

#include <sys/types.h>

/*
 * A worker for the session `device` (stays the caller's), with *control, which does not block, as the
 * supervisor's end of its socket.  The process's id, or -errno.
 */
pid_t spawn_worker(int device, int *control);

#endif /* SUPERVISOR_SPAWN_H */
