// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Both ends of the link between changer and drive.  See link.h.
 *
 * A request and its answer are one packet each, a struct link_packet, on a connection of their own
 * (SOCK_SEQPACKET).  Both ends belong to one build on one machine; `version` says so if they do not.
 */
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "state.h"

#define LINK_VERSION	 1
#define LINK_BACKLOG	 8
#define REQUEST_PATIENCE 1000 /* milliseconds that a connection may take to say what it wants */

enum link_kind { LINK_STATUS = 1, LINK_LOAD = 2, LINK_UNLOAD = 3 };

#define PACKET_LOADED	 0x1u
#define PACKET_PREVENTED 0x2u
#define PACKET_FORCE	 0x4u

struct link_packet {
	uint32_t version;
	uint32_t kind;
	int32_t result; /* of answers: 0 or -errno */
	uint32_t flags; /* PACKET_* */
	char name[LINK_NAME_MAX];
	char id[LINK_ID_MAX];
};

struct link_listener {
	char *library;
	unsigned int drive;
	const struct link_ops *ops;
	void *context;
	int dir; /* the library's directory */
	int socket;
	int stop; /* eventfd: readable when the thread is to end */
	pthread_t thread;
};

/* ---- sockets ---- */

static int open_directory(const char *library)
{
	return open(library, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* Through /proc, because a socket's address has room for 108 bytes only, and a library's path may be longer. */
static void socket_address(int dir, unsigned int drive, struct sockaddr_un *address)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d/drive-%u.socket", dir,
		 drive);
}

static void set_timeout(int fd, int milliseconds)
{
	struct timeval limit = { .tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000 };

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)); /* of connect() too */
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

/* A connected socket, or -errno. */
static int dial(int dir, unsigned int drive, int milliseconds)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address;
	int error;

	if (fd < 0)
		return -errno;
	set_timeout(fd, milliseconds);
	socket_address(dir, drive, &address);
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	error = errno;
	close(fd);
	return error == EAGAIN ? -ETIMEDOUT : -ENOTCONN;
}

/* One packet: 0, -ETIMEDOUT, -ENOTCONN (the other end is gone), -EPROTO. */
static int receive(int fd, struct link_packet *packet)
{
	ssize_t got;

	do
		got = recv(fd, packet, sizeof(*packet), 0);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -ENOTCONN;
	if (got == 0)
		return -ENOTCONN;
	if (got != (ssize_t)sizeof(*packet) || packet->version != LINK_VERSION)
		return -EPROTO;
	packet->name[sizeof(packet->name) - 1] = '\0';
	packet->id[sizeof(packet->id) - 1] = '\0';
	return 0;
}

/* ---- the drive's side ---- */

static int answer_load(struct link_listener *listener, const struct link_packet *packet)
{
	char path[PATH_MAX];

	if (!link_name_valid(packet->name))
		return -EINVAL;
	if (snprintf(path, sizeof(path), "%s/cartridges/%s", listener->library, packet->name) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	return listener->ops->load(listener->context, packet->name, path);
}

static void answer_status(struct link_listener *listener, struct link_packet *packet)
{
	struct link_status status = { .loaded = false };

	listener->ops->status(listener->context, &status);
	packet->flags = (status.loaded ? PACKET_LOADED : 0) | (status.prevented ? PACKET_PREVENTED : 0);
	memcpy(packet->name, status.name, sizeof(packet->name));
	memcpy(packet->id, status.id, sizeof(packet->id));
}

static void answer(struct link_listener *listener, struct link_packet *packet)
{
	switch (packet->kind) {
	case LINK_STATUS:
		packet->result = 0;
		answer_status(listener, packet);
		break;
	case LINK_LOAD:
		packet->result = answer_load(listener, packet);
		break;
	case LINK_UNLOAD:
		packet->result = listener->ops->unload(listener->context, packet->flags & PACKET_FORCE);
		break;
	default:
		packet->result = -EPROTO;
	}
}

static void serve_connection(struct link_listener *listener)
{
	int fd = accept4(listener->socket, NULL, NULL, SOCK_CLOEXEC);
	struct link_packet packet;

	if (fd < 0)
		return;
	set_timeout(fd, REQUEST_PATIENCE);
	if (receive(fd, &packet) == 0) {
		answer(listener, &packet);
		/* An asker that does not wait for the answer any more is no error of the drive's. */
		(void)!send(fd, &packet, sizeof(packet), MSG_NOSIGNAL);
	}
	close(fd);
}

static void *listener_thread(void *argument)
{
	struct link_listener *listener = argument;

	for (;;) {
		struct pollfd fds[2] = { { .fd = listener->stop, .events = POLLIN },
					 { .fd = listener->socket, .events = POLLIN } };

		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[0].revents)
			return NULL;
		if (fds[1].revents)
			serve_connection(listener);
	}
}

/* 0 or -errno. */
static int bind_socket(struct link_listener *listener)
{
	struct sockaddr_un address;
	int fd = dial(listener->dir, listener->drive, REQUEST_PATIENCE);

	if (fd >= 0 || fd == -ETIMEDOUT) {
		if (fd >= 0)
			close(fd);
		return -EADDRINUSE;
	}
	socket_address(listener->dir, listener->drive, &address);
	unlink(address.sun_path);
	listener->socket = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->socket < 0 ||
	    bind(listener->socket, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
	    chmod(address.sun_path, 0600) != 0 || listen(listener->socket, LINK_BACKLOG) != 0)
		return -errno;
	return 0;
}

static int start_listening(struct link_listener *listener)
{
	int error;

	listener->dir = open_directory(listener->library);
	listener->stop = eventfd(0, EFD_CLOEXEC);
	if (listener->dir < 0 || listener->stop < 0)
		return -errno;
	error = bind_socket(listener);
	return error ? error : -pthread_create(&listener->thread, NULL, listener_thread, listener);
}

static void release_listener(struct link_listener *listener)
{
	const int fds[] = { listener->dir, listener->socket, listener->stop };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(listener->library);
	free(listener);
}

struct link_listener *link_listen(const char *library, unsigned int drive, const struct link_ops *ops,
				  void *context)
{
	struct link_listener *listener = calloc(1, sizeof(*listener));
	int error;

	if (!listener)
		return NULL;
	listener->dir = listener->socket = listener->stop = -1;
	listener->drive = drive;
	listener->ops = ops;
	listener->context = context;
	listener->library = strdup(library);
	error = listener->library ? start_listening(listener) : -ENOMEM;
	if (!error)
		return listener;
	release_listener(listener);
	errno = -error;
	return NULL;
}

void link_listener_free(struct link_listener *listener)
{
	struct sockaddr_un address;
	uint64_t one = 1;

	if (!listener)
		return;
	(void)!write(listener->stop, &one, sizeof(one));
	pthread_join(listener->thread, NULL);
	socket_address(listener->dir, listener->drive, &address);
	unlink(address.sun_path);
	release_listener(listener);
}

static int find_assigned(int dir, unsigned int drive, char name[LINK_NAME_MAX])
{
	struct state_entry entry;
	FILE *file = state_open(dir);
	int found = -ENOENT, more;

	if (!file)
		return -errno;
	while (found && (more = state_next(file, &entry)) != 0 && more != -EIO) {
		if (more < 0 || entry.kind != STATE_DRIVE || entry.number != drive)
			continue;
		memcpy(name, entry.name, LINK_NAME_MAX);
		found = 0;
	}
	fclose(file);
	return found;
}

int link_assigned(const char *library, unsigned int drive, char name[LINK_NAME_MAX], char *path)
{
	int dir = open_directory(library);
	int error;

	if (dir < 0)
		return -errno;
	error = find_assigned(dir, drive, name);
	close(dir);
	if (!error && snprintf(path, PATH_MAX, "%s/cartridges/%s", library, name) >= PATH_MAX)
		error = -ENAMETOOLONG;
	return error;
}

/* ---- the changer's side ---- */

static int converse(int fd, struct link_packet *packet)
{
	uint32_t kind = packet->kind;
	int error;

	if (send(fd, packet, sizeof(*packet), MSG_NOSIGNAL) != (ssize_t)sizeof(*packet))
		return -ENOTCONN;
	error = receive(fd, packet);
	if (error)
		return error;
	return packet->kind == kind ? packet->result : -EPROTO;
}

static int request(const char *library, unsigned int drive, struct link_packet *packet, int milliseconds)
{
	int dir = open_directory(library);
	int fd, error;

	if (dir < 0)
		return -errno;
	fd = dial(dir, drive, milliseconds);
	close(dir);
	if (fd < 0)
		return fd;
	error = converse(fd, packet);
	close(fd);
	return error;
}

int link_status(const char *library, unsigned int drive, struct link_status *status)
{
	struct link_packet packet = { .version = LINK_VERSION, .kind = LINK_STATUS };
	int error = request(library, drive, &packet, LINK_STATUS_TIMEOUT);

	memset(status, 0, sizeof(*status));
	if (error)
		return error;
	memcpy(status->name, packet.name, sizeof(status->name));
	memcpy(status->id, packet.id, sizeof(status->id));
	status->loaded = packet.flags & PACKET_LOADED;
	status->prevented = packet.flags & PACKET_PREVENTED;
	return 0;
}

int link_load(const char *library, unsigned int drive, const char *name)
{
	struct link_packet packet = { .version = LINK_VERSION, .kind = LINK_LOAD };

	snprintf(packet.name, sizeof(packet.name), "%s", name);
	return request(library, drive, &packet, LINK_MOVE_TIMEOUT);
}

int link_unload(const char *library, unsigned int drive, bool force)
{
	struct link_packet packet = {
		.version = LINK_VERSION,
		.kind = LINK_UNLOAD,
		.flags = force ? PACKET_FORCE : 0,
	};

	return request(library, drive, &packet, LINK_MOVE_TIMEOUT);
}
