// SPDX-License-Identifier: LGPL-2.1-or-later
/* Workers' processes.  See process.h. */
#include "process.h"

#include <errno.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include <glib-unix.h>

#include "../control.h"
#include "../descriptor.h"
#include "../rendezvous.h"
#include "spawn.h"

#define PACKETS 64 /* at a time: other LUNs want their turn too */

struct process {
	const struct process_events *events;
	void *data;
	pid_t pid;
	int pidfd, control;
	bool adopted;
	char *path; /* of the socket that it listens on */
	guint control_source, end_source;
};

static void clear_source(guint *source)
{
	if (*source)
		g_source_remove(*source);
	*source = 0;
}

static bool read_packet(struct process *process)
{
	AUTO_FD int passed = -1;
	bool end;
	g_autoptr(GVariant) packet = control_receive_fd(process->control, &passed, &end);

	if (packet)
		process->events->packet(process->data, packet, &passed);
	else if (end) /* what follows is the process's own end */
		clear_source(&process->control_source);
	return packet;
}

static gboolean on_control(gint fd, GIOCondition condition, gpointer data)
{
	(void)fd;
	(void)condition;
	for (int i = 0; i < PACKETS && read_packet(data); i++)
		;
	return G_SOURCE_CONTINUE;
}

static int wait_for(struct process *process)
{
	int status;
	pid_t ended;

	if (process->adopted)
		return -1;
	do
		ended = waitpid(process->pid, &status, 0);
	while (ended < 0 && errno == EINTR);
	return ended == process->pid ? status : -1;
}

static gboolean on_end(gint fd, GIOCondition condition, gpointer data)
{
	struct process *process = data;

	(void)fd;
	(void)condition;
	process->end_source = 0;
	for (int i = 0; i < PACKETS && process->control_source && read_packet(process); i++)
		; /* it may have said why */
	clear_source(&process->control_source);
	unlink(process->path); /* it could not, if it was killed */
	process->events->ended(process->data, process, wait_for(process));
	return G_SOURCE_REMOVE;
}

static struct process *process_new(const struct process *process)
{
	struct process *made = g_memdup2(process, sizeof(*process));

	made->control_source = g_unix_fd_add(made->control, G_IO_IN | G_IO_HUP, on_control, made);
	made->end_source = g_unix_fd_add(made->pidfd, G_IO_IN, on_end, made);
	return made;
}

struct process *process_spawn(const char *dir, uint32_t id, int device, const struct process_events *events,
			      void *data)
{
	struct process process = { .events = events, .data = data };

	process.pid = spawn_worker(device, &process.control);
	if (process.pid < 0) {
		errno = (int)-process.pid;
		return NULL;
	}
	/* It is our child, and not waited for: the id is its own. */
	process.pidfd = pidfd_open(process.pid, 0);
	if (process.pidfd < 0) {
		int error = errno;

		close(process.control);
		kill(process.pid, SIGKILL);
		wait_for(&process);
		errno = error;
		return NULL;
	}
	process.path = g_strdup_printf("%s/%u.%d", dir, id, (int)process.pid);
	return process_new(&process);
}

struct process *process_adopt(const char *dir, uint32_t id, pid_t pid, const struct process_events *events,
			      void *data)
{
	g_autoptr(GPtrArray) list = rendezvous_list(dir);

	for (guint i = 0; i < list->len; i++) {
		const struct rendezvous *where = g_ptr_array_index(list, i);
		struct process process = { .events = events, .data = data, .adopted = true };

		if (where->id != id || (pid && where->pid != pid))
			continue;
		process.control = rendezvous_connect(where, &process.pid, &process.pidfd);
		if (process.control < 0)
			continue;
		if (process.pid == where->pid) {
			process.path = g_strdup(where->path);
			return process_new(&process);
		}
		close(process.pidfd);
		close(process.control);
	}
	return NULL;
}

void process_free(struct process *process)
{
	if (!process)
		return;
	clear_source(&process->control_source);
	clear_source(&process->end_source);
	close(process->control);
	close(process->pidfd);
	g_free(process->path);
	g_free(process);
}

pid_t process_id(const struct process *process)
{
	return process->pid;
}

bool process_adopted(const struct process *process)
{
	return process->adopted;
}

int process_control(const struct process *process)
{
	return process->control;
}

/* ESRCH: it has ended, and we are about to hear of it. */
void process_kill(struct process *process)
{
	pidfd_send_signal(process->pidfd, SIGKILL, NULL, 0);
}
