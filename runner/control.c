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

#define PACKET_MAX 32768

bool control_send(int fd, const char *verb, const char *format, ...)
{
	g_autoptr(GVariant) packet = NULL;
	va_list args;
	GVariant *dict;
	ssize_t sent;

	va_start(args, format);
	dict = g_variant_new_parsed_va(format, &args);
	va_end(args);
	packet = g_variant_ref_sink(g_variant_new("(s@a{sv})", verb, dict));
	do
		sent = send(fd, g_variant_get_data(packet), g_variant_get_size(packet), MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)g_variant_get_size(packet);
}

GVariant *control_receive(int fd, bool *end)
{
	g_autofree char *buffer = g_malloc(PACKET_MAX); /* aligned for any GVariant */
	g_autoptr(GVariant) packet = NULL;
	g_autoptr(GBytes) bytes = NULL;
	ssize_t got;

	*end = false;
	do
		got = recv(fd, buffer, PACKET_MAX, MSG_TRUNC);
	while (got < 0 && errno == EINTR);
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
	return g_steal_pointer(&packet);
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
