// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Ends the workers that a supervisor has left.  See stop.h.
 *
 * "stop" is understood by workers of every release, so there is no hello; what they say is not read, and what
 * matters, their end, shows at their pidfds.
 */
#include "stop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>

#include <glib.h>
#include <scuse/netlink.h>

#include "control.h"
#include "descriptor.h"
#include "rendezvous.h"
#include "worker/log.h"

#define PATIENCE (10 * G_USEC_PER_SEC)

struct ending {
	char *path;
	pid_t pid;
	int pidfd;
	int control; /* open until the process has ended: it may still have something to say */
};

static void ending_free(gpointer data)
{
	struct ending *ending = data;

	descriptor_clear(&ending->pidfd);
	descriptor_clear(&ending->control);
	g_free(ending->path);
	g_free(ending);
}

/* The process id of a scuse-runner that is there; 0: none, or the kernel module is not loaded. */
static uint32_t find_owner(void)
{
	struct scuse_nl *nl = scuse_nl_open(0);
	struct scuse_nl_owners *owners;
	uint32_t pid = 0;

	if (nl && scuse_nl_get_owners(nl, &owners) == 0) {
		if (owners->count)
			pid = owners->item[0]->pid;
		scuse_nl_owners_free(owners);
	}
	scuse_nl_close(nl);
	return pid;
}

static void tell_to_stop(GPtrArray *endings, const struct rendezvous *where)
{
	struct ending ending = { .pidfd = -1 };

	ending.control = rendezvous_connect(where, &ending.pid, &ending.pidfd);
	if (ending.control < 0)
		return;
	control_send(ending.control, "stop", "@a{sv} {}");
	ending.path = g_strdup(where->path);
	g_ptr_array_add(endings, g_memdup2(&ending, sizeof(ending)));
}

/* False: not within the time. */
static bool await_end(const struct ending *ending, gint64 deadline)
{
	struct pollfd fd = { .fd = ending->pidfd, .events = POLLIN };
	gint64 left = MAX(deadline - g_get_monotonic_time(), 0);

	return poll(&fd, 1, (int)(left / 1000)) > 0;
}

static int end_all(GPtrArray *endings)
{
	gint64 deadline = g_get_monotonic_time() + PATIENCE;
	int status = 0;

	for (guint i = 0; i < endings->len; i++) {
		const struct ending *ending = g_ptr_array_index(endings, i);

		if (!await_end(ending, deadline)) {
			log_warning("process %d does not finish: it is killed", (int)ending->pid);
			pidfd_send_signal(ending->pidfd, SIGKILL, NULL, 0);
		}
		if (await_end(ending, g_get_monotonic_time() + PATIENCE)) {
			unlink(ending->path); /* it may have had no right to */
			continue;
		}
		log_error("process %d does not end", (int)ending->pid);
		status = 1;
	}
	return status;
}

int stop_workers(const char *runtime_dir)
{
	g_autoptr(GPtrArray) list = rendezvous_list(runtime_dir);
	g_autoptr(GPtrArray) endings = g_ptr_array_new_with_free_func(ending_free);
	uint32_t owner = find_owner();

	if (owner) {
		log_error(
			"scuse-runner, process %u, is there and would start the workers again: stop it first "
			"(systemctl stop scuse-runner)",
			owner);
		return 1;
	}
	for (guint i = 0; i < list->len; i++)
		tell_to_stop(endings, g_ptr_array_index(list, i));
	log_info("%u workers are stopped", endings->len);
	return end_all(endings);
}
