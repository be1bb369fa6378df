/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A worker's process as the supervisor holds it: started by it, or by an earlier one and taken over.  Used by
 * lun.c; on the main loop.
 *
 * Whether it lives, and signals to it, go by a pidfd: a worker that was taken over is no child of ours, so
 * its id may be another's as soon as it has ended.
 */
#ifndef SUPERVISOR_PROCESS_H
#define SUPERVISOR_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <glib.h>

struct process;

struct process_events {
	/* `passed` is the descriptor that came along, or -1: who wants it takes it with g_steal_fd(). */
	void (*packet)(void *data, GVariant *packet, int *passed);
	/*
	 * The process has ended, and all that it said has been passed on.  `status`: of waitpid(); -1: not
	 * known, as it was no child of ours.  The callee frees it.
	 */
	void (*ended)(void *data, struct process *process, int status);
};

/*
 * Starts a worker for device `id`, whose session `device` is (stays the caller's).  `dir`: where it will
 * listen. NULL with errno set.
 */
struct process *process_spawn(const char *dir, uint32_t id, int device, const struct process_events *events,
			      void *data);
/*
 * Connects to the worker that serves device `id`.  `pid`: which process that is, 0: not known.  NULL: there
 * is none that can be reached.
 */
struct process *process_adopt(const char *dir, uint32_t id, pid_t pid, const struct process_events *events,
			      void *data);
/* Lets go of it, alive or not. */
void process_free(struct process *process);

pid_t process_id(const struct process *process);
bool process_adopted(const struct process *process);
/* For control_send(). */
int process_control(const struct process *process);
void process_kill(struct process *process);

#endif /* SUPERVISOR_PROCESS_H */
