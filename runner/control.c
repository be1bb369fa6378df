// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Packets between supervisor and worker.  See control.h.  No state; sending is safe on any thread, as a
 * packet is one sendmsg().
 *
 * A worker runs other people's code, so the supervisor takes nothing in its packets for granted: wrong
 * types read as empty, and what is not in normal form ends the conversation.
 */
#include "control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <glib-unix.h>

#include "descriptor.h"

#define PACKET_MAX 32768

/* Room for one descriptor beside a packet. */
union passed {
	char space[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

bool control_send_variant(int fd, int passed, const char *verb, GVariant *dict)
{
	g_autoptr(GVariant) packet = g_variant_ref_sink(g_variant_new("(s@a{sv})", verb, dict));
	struct iovec data = { (void *)g_variant_get_data(packet), g_variant_get_size(packet) };
	union passed ancillary = { .space = { 0 } };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1 };
	ssize_t sent;

	if (passed >= 0) {
		message.msg_control = ancillary.space;
		message.msg_controllen = sizeof(ancillary.space);
		ancillary.align = (struct cmsghdr){ .cmsg_level = SOL_SOCKET,
						    .cmsg_type = SCM_RIGHTS,
						    .cmsg_len = CMSG_LEN(sizeof(int)) };
		memcpy(CMSG_DATA(&ancillary.align), &passed, sizeof(passed));
	}
	do
		sent = sendmsg(fd, &message, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)g_variant_get_size(packet);
}

bool control_send_fd(int fd, int passed, const char *verb, const char *format, ...)
{
	va_list args;
	GVariant *dict;

	va_start(args, format);
	dict = g_variant_new_parsed_va(format, &args);
	va_end(args);
	return control_send_variant(fd, passed, verb, dict);
}

/* The kernel gives no more than there is room for: one. */
static int take_passed(struct msghdr *message)
{
	struct cmsghdr *header = CMSG_FIRSTHDR(message);
	int fd = -1;

	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS &&
	    header->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(header), sizeof(fd));
	return fd;
}

static ssize_t receive(int fd, char *buffer, int *passed)
{
	struct iovec data = { buffer, PACKET_MAX };
	union passed ancillary = { .space = { 0 } };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = ancillary.space,
				  .msg_controllen = sizeof(ancillary.space) };
	ssize_t got;

	*passed = -1;
	do
		got = recvmsg(fd, &message, MSG_TRUNC | MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got >= 0)
		*passed = take_passed(&message);
	return got;
}

GVariant *control_receive_fd(int fd, int *passed, bool *end)
{
	g_autofree char *buffer = g_malloc(PACKET_MAX); /* aligned for any GVariant */
	g_autoptr(GVariant) packet = NULL;
	g_autoptr(GBytes) bytes = NULL;
	ssize_t got = receive(fd, buffer, passed);
	AUTO_FD int dropped = *passed;

	*passed = -1;
	*end = false;
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return NULL;
	*end = true;
	if (got <= 0 || got > PACKET_MAX)
		return NULL;
	bytes = g_bytes_new_take(g_steal_pointer(&buffer), (gsize)got);
	packet = g_variant_ref_sink(g_variant_new_from_bytes(G_VARIANT_TYPE("(sa{sv})"), bytes, FALSE));
	if (!g_variant_is_normal_form(packet))
		return NULL;
	*end = false;
	*passed = g_steal_fd(&dropped);
	return g_steal_pointer(&packet);
}

GVariant *control_receive(int fd, bool *end)
{
	int passed;
	GVariant *packet = control_receive_fd(fd, &passed, end);

	descriptor_clear(&passed);
	return packet;
}

const char *control_verb(GVariant *packet)
{
	const char *verb;

	g_variant_get_child(packet, 0, "&s", &verb);
	return verb;
}

static GVariant *argument(GVariant *packet, const char *key, const GVariantType *type)
{
	g_autoptr(GVariant) dict = g_variant_get_child_value(packet, 1);

	return g_variant_lookup_value(dict, key, type);
}

char *control_string(GVariant *packet, const char *key)
{
	g_autoptr(GVariant) value = argument(packet, key, G_VARIANT_TYPE_STRING);

	return value ? g_variant_dup_string(value, NULL) : g_strdup("");
}

uint64_t control_uint64(GVariant *packet, const char *key)
{
	g_autoptr(GVariant) value = argument(packet, key, G_VARIANT_TYPE_UINT64);

	return value ? g_variant_get_uint64(value) : 0;
}

int32_t control_int32(GVariant *packet, const char *key)
{
	g_autoptr(GVariant) value = argument(packet, key, G_VARIANT_TYPE_INT32);

	return value ? g_variant_get_int32(value) : 0;
}

GVariant *control_value(GVariant *packet, const char *key, const char *type)
{
	return argument(packet, key, G_VARIANT_TYPE(type));
}
