// SPDX-License-Identifier: LGPL-2.1-or-later
/* Readiness: to systemd by its datagram protocol, and to scripts by a descriptor.  No state. */
#include "notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../worker/log.h"

void notify_systemd(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	size_t length = path ? strlen(path) : 0;
	int fd;

	if (!length || length >= sizeof(address.sun_path) || (*path != '/' && *path != '@'))
		return;
	memcpy(address.sun_path, path, length);
	if (*path == '@')
		address.sun_path[0] = '\0'; /* the abstract namespace */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) < 0)
		log_warning("cannot notify systemd: %s", strerror(errno));
	close(fd);
}

void notify_ready(int fd)
{
	static const char text[] = "READY\n";

	notify_systemd("READY=1");
	if (fd < 0)
		return;
	if (write(fd, text, sizeof(text) - 1) < 0)
		log_warning("--ready-fd %d: %s", fd, strerror(errno));
	close(fd);
}
