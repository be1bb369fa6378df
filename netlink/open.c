/* SPDX-License-Identifier: MIT */
/*
 * A handle: its sockets, the family's id, and the text of errors.
 *
 * Called by programs (open, close, error) and by all other files of the library.
 */
#include "internal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

#define DEFAULT_TIMEOUT 10000	  /* milliseconds */
#define EVENT_BUFFER	(8 << 20) /* bytes: thousands of events, for a listener that is held up for a while */
#define REQUEST_BUFFER	(2 << 20) /* bytes: the requests of hundreds of LUNs made at once */

static _Thread_local char open_error[SCUSE_MESSAGE_MAX];

int scuse_nl_fail(struct scuse_nl *nl, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(nl->error, sizeof(nl->error), format, args);
	va_end(args);
	return error;
}

/* An errno that came without words of the kernel. */
int scuse_nl_fail_errno(struct scuse_nl *nl, int error, const char *what)
{
	switch (-error) {
	case EPERM:
		return scuse_nl_fail(nl, error, "%s: not permitted: it needs root (CAP_SYS_ADMIN)", what);
	case ETIMEDOUT:
		return scuse_nl_fail(nl, error, "%s: the kernel did not answer in time", what);
	case EBADMSG:
		return scuse_nl_fail(nl, error, "%s: the kernel's answer makes no sense to this version",
				     what);
	default:
		return scuse_nl_fail(nl, error, "%s: %s", what, strerror(-error));
	}
}

/* libnl's error numbers are its own; these are the ones that a socket call can end with. */
int scuse_nl_from_libnl(int nlerr)
{
	switch (nlerr < 0 ? -nlerr : nlerr) {
	case 0:
		return 0;
	case NLE_INTR:
		return -EINTR;
	case NLE_AGAIN:
		return -EAGAIN;
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_OBJ_NOTFOUND:
	case NLE_NODEV:
		return -ENODEV;
	case NLE_PERM:
	case NLE_NOACCESS:
		return -EPERM;
	case NLE_BAD_SOCK:
		return -EBADF;
	case NLE_AF_NOSUPPORT:
	case NLE_PROTO_MISMATCH:
		return -EAFNOSUPPORT;
	case NLE_MSG_OVERFLOW:
		return -ENOBUFS;
	case NLE_MSGSIZE:
	case NLE_MSG_TOOSHORT:
	case NLE_MSG_TRUNC:
		return -EBADMSG;
	default:
		return -EIO;
	}
}

bool scuse_nl_from_kernel(struct nl_msg *msg)
{
	const struct sockaddr_nl *source = nlmsg_get_src(msg);

	return source && source->nl_family == AF_NETLINK && source->nl_pid == 0;
}

static void set_options(struct nl_sock *sock, int buffer)
{
	int fd = nl_socket_get_fd(sock), on = 1;

	/* All of them are improvements: without them the library still works, with fewer words. */
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
	if (buffer && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
}

static int watch(struct scuse_nl *nl, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	return epoll_ctl(nl->epoll, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* Opens a socket that does not block; a watched one makes scuse_nl_fd() readable. */
int scuse_nl_socket(struct scuse_nl *nl, struct nl_sock **sock, bool watched)
{
	int r;

	*sock = nl_socket_alloc();
	if (!*sock)
		return scuse_nl_fail_errno(nl, -ENOMEM, "netlink socket");
	nl_socket_disable_auto_ack(*sock);
	r = scuse_nl_from_libnl(nl_connect(*sock, NETLINK_GENERIC)); /* libnl sets close-on-exec */
	if (!r) {
		set_options(*sock, !watched ? 0 : sock == &nl->events ? EVENT_BUFFER : REQUEST_BUFFER);
		r = scuse_nl_from_libnl(nl_socket_set_nonblocking(*sock));
	}
	if (!r && watched)
		r = watch(nl, nl_socket_get_fd(*sock));
	if (!r)
		return 0;
	nl_socket_free(*sock);
	*sock = NULL;
	return scuse_nl_fail_errno(nl, r, "netlink socket");
}

/*
 * The id of a family, or of one of its groups; or libnl's error.  Uses a socket of its own, so that answers
 * to earlier questions that were given up cannot be taken for this one's.
 */
int scuse_nl_lookup(struct scuse_nl *nl, const char *family, const char *group)
{
	struct timeval limit = { .tv_sec = nl->timeout / 1000, .tv_usec = nl->timeout % 1000 * 1000 };
	struct nl_sock *sock = nl_socket_alloc();
	int r;

	if (!sock)
		return -NLE_NOMEM;
	r = genl_connect(sock);
	if (!r) {
		setsockopt(nl_socket_get_fd(sock), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		r = group ? genl_ctrl_resolve_grp(sock, family, group) : genl_ctrl_resolve(sock, family);
	}
	nl_socket_free(sock);
	return r;
}

/* Looks our family up anew. */
int scuse_nl_resolve(struct scuse_nl *nl)
{
	int family = scuse_nl_lookup(nl, SCUSE_GENL_NAME, NULL);

	nl->family = family > 0 ? family : -1;
	if (family > 0)
		return 0;
	if (family == -NLE_OBJ_NOTFOUND)
		return scuse_nl_fail(nl, -ENODEV, "the scuse kernel module is not loaded: modprobe scuse");
	return scuse_nl_fail_errno(nl, scuse_nl_from_libnl(family), "looking for the scuse kernel module");
}

int scuse_nl_need_family(struct scuse_nl *nl)
{
	return nl->family >= 0 ? 0 : scuse_nl_resolve(nl);
}

/* An empty message for the family; the caller frees it. */
int scuse_nl_message(struct scuse_nl *nl, uint8_t command, int flags, struct nl_msg **msg)
{
	int r = scuse_nl_need_family(nl);

	if (r)
		return r;
	*msg = nlmsg_alloc();
	if (!*msg || !genlmsg_put(*msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0, NLM_F_REQUEST | flags,
				  command, SCUSE_GENL_VERSION)) {
		nlmsg_free(*msg);
		*msg = NULL;
		return scuse_nl_fail_errno(nl, -ENOMEM, "netlink message");
	}
	return 0;
}

static int set_up(struct scuse_nl *nl, unsigned int flags)
{
	int r;

	nl->epoll = epoll_create1(EPOLL_CLOEXEC);
	nl->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (nl->epoll < 0 || nl->wake < 0)
		return scuse_nl_fail_errno(nl, -errno, "netlink handle");
	r = watch(nl, nl->wake);
	if (r)
		return scuse_nl_fail_errno(nl, r, "netlink handle");
	r = scuse_nl_socket(nl, &nl->ask, false);
	if (r)
		return r;
	r = scuse_nl_resolve(nl);
	if (r == -ENODEV && (flags & SCUSE_NL_MODULE_OPTIONAL)) {
		nl->error[0] = 0;
		r = 0;
	}
	nl->announced = nl->family >= 0;
	return r;
}

SCUSE_API struct scuse_nl *scuse_nl_open(unsigned int flags)
{
	struct scuse_nl *nl = calloc(1, sizeof(*nl));
	int r;

	if (!nl) {
		snprintf(open_error, sizeof(open_error), "out of memory");
		errno = ENOMEM;
		return NULL;
	}
	nl->epoll = nl->wake = nl->family = -1;
	nl->timeout = DEFAULT_TIMEOUT;
	nl->pending_end = &nl->pending;
	if (flags & ~SCUSE_NL_MODULE_OPTIONAL)
		r = scuse_nl_fail(nl, -EINVAL, "scuse_nl_open: unknown flags");
	else
		r = set_up(nl, flags);
	if (!r)
		return nl;
	snprintf(open_error, sizeof(open_error), "%.*s", (int)sizeof(open_error) - 1, nl->error);
	scuse_nl_close(nl);
	errno = -r;
	return NULL;
}

SCUSE_API void scuse_nl_close(struct scuse_nl *nl)
{
	if (!nl)
		return;
	scuse_nl_drop_pending(nl);
	nl_socket_free(nl->owner);
	nl_socket_free(nl->events);
	nl_socket_free(nl->ask);
	if (nl->wake >= 0)
		close(nl->wake);
	if (nl->epoll >= 0)
		close(nl->epoll);
	free(nl);
}

SCUSE_API const char *scuse_nl_error(const struct scuse_nl *nl)
{
	return nl ? nl->error : open_error;
}

SCUSE_API void scuse_nl_set_timeout(struct scuse_nl *nl, unsigned int milliseconds)
{
	nl->timeout = milliseconds;
}

SCUSE_API int scuse_nl_fd(const struct scuse_nl *nl)
{
	return nl->epoll;
}
