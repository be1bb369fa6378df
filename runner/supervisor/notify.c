// SPDX-License-Identifier: LGPL-2.1-or-later
/* Readiness: to systemd by its datagram protocol, to scripts by a descriptor.  See notify.h.  No state. */
#include "notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <glib.h>

#include "../descriptor.h"
#include "../worker/log.h"

/* 0: there is nobody to be notified. */
static socklen_t find_systemd(struct sockaddr_un *address)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path ? strlen(path) : 0;

	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!length || length >= sizeof(address->sun_path) || (*path != '/' && *path != '@'))
		return 0;
	memcpy(address->sun_path, path, length);
	if (*path == '@')
		address->sun_path[0] = '\0'; /* the abstract namespace */
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

void notify_systemd_fd(const char *state, int fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr header;
	} passed = { .space = { 0 } };
	struct iovec text = { (void *)state, strlen(state) };
	struct sockaddr_un address;
	struct msghdr message = { .msg_name = &address, .msg_iov = &text, .msg_iovlen = 1 };
	AUTO_FD int to = -1;

	message.msg_namelen = find_systemd(&address);
	if (!message.msg_namelen)
		return;
	if (fd >= 0) {
		message.msg_control = passed.space;
		message.msg_controllen = sizeof(passed.space);
		passed.header = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
						  .cmsg_type = SCM_RIGHTS,
						  .cmsg_len = CMSG_LEN(sizeof(fd)) };
		memcpy(CMSG_DATA(&passed.header), &fd, sizeof(fd));
	}
	to = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (to < 0 || sendmsg(to, &message, MSG_NOSIGNAL) < 0)
		log_warning("cannot notify systemd: %s", strerror(errno));
}

void notify_systemd(const char *state)
{
	notify_systemd_fd(state, -1);
}

void notify_ready(int fd)
{
	static const char text[] = "READY\n";
	g_autofree char *state = g_strdup_printf("READY=1\nMAINPID=%d", (int)getpid());

	notify_systemd(state);
	if (fd < 0)
		return;
	if (write(fd, text, sizeof(text) - 1) < 0)
		log_warning("--ready-fd %d: %s", fd, strerror(errno));
	close(fd);
}

void notify_reloading(void)
{
	g_autofree char *state =
		g_strdup_printf("RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time());

	notify_systemd(state);
}

static gboolean on_watchdog(gpointer data)
{
	(void)data;
	notify_systemd("WATCHDOG=1");
	return G_SOURCE_CONTINUE;
}

/* Three times as often as it has to be: the machine may be slow. */
void notify_watchdog(void)
{
	const char *interval = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	guint64 microseconds = interval ? g_ascii_strtoull(interval, NULL, 10) : 0;

	if (!microseconds || (pid && strtol(pid, NULL, 10) != getpid()))
		return;
	g_timeout_add((guint)CLAMP(microseconds / 3000, 1, G_MAXUINT / 2), on_watchdog, NULL);
	notify_systemd("WATCHDOG=1");
}
