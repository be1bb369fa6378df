// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fuzz target: packets of a worker on their way into the supervisor (runner/control.c).  An input is one
 * packet as it comes from the socket.
 *
 * Promises: whatever is no packet ends the conversation; arguments of other types read as empty.
 */
#include "../../runner/control.h"

#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"

/* Room for one packet of the largest size, and more. */
static const int *sockets(void)
{
	static int pair[2];
	int room = 1 << 18;

	if (pair[0])
		return pair;
	fuzz_check(!socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair));
	setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	return pair;
}

static void look(GVariant *packet)
{
	static const char *const keys[] = { "phase", "message", "name",	 "cookie", "status",
					    "size",  "config",	"error", "plugin", "" };

	fuzz_touch(control_verb(packet), strlen(control_verb(packet)));
	for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
		g_autofree char *text = control_string(packet, keys[i]);

		fuzz_check(text);
		fuzz_touch(text, strlen(text));
		control_uint64(packet, keys[i]);
		control_int32(packet, keys[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const int *pair = sockets();
	g_autoptr(GVariant) packet = NULL;
	bool end = false;

	if (size > 1 << 17 || !size)
		return 0;
	fuzz_check(send(pair[0], data, size, 0) == (ssize_t)size);
	packet = control_receive(pair[1], &end);
	fuzz_check(!packet == end);
	if (packet)
		look(packet);
	return 0;
}
