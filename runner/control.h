/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How supervisor and worker talk: packets on a SOCK_SEQPACKET socket pair, each a serialized GVariant
 * "(sa{sv})", a verb and its arguments.  Private to scuse-runner: both ends are always the same executable.
 *
 *	to the worker
 *	  serve   first: name s, handler s, plugin s (path), config s, size t, block-size t, log-level s
 *	  resize  cookie t, size t
 *	  stop
 *	to the supervisor
 *	  phase   phase s: about to call this function of the handler; "" when done
 *	  ready   the session has started
 *	  error   status i (errno), message s: it did not start; the worker exits
 *	  resized cookie t, status i, message s
 *	  event   message s: an error that nobody waits for
 *
 * A worker whose socket reports the end of file stops, so that nothing is left when the supervisor is gone.
 */
#ifndef RUNNER_CONTROL_H
#define RUNNER_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#define CONTROL_FD 3 /* in the worker */
#define DEVICE_FD  4

/* `format` and what follows make the a{sv}, as for g_variant_new_parsed(): "{'phase': <%s>}". */
bool control_send(int fd, const char *verb, const char *format, ...);

/*
 * The next packet.  NULL with *end false: none now (a descriptor that does not block); with *end true: end
 * of file, or something that is no packet.
 */
GVariant *control_receive(int fd, bool *end);

const char *control_verb(GVariant *packet);
/* Arguments; "" or 0 for what is not there. */
char *control_string(GVariant *packet, const char *key);
uint64_t control_uint64(GVariant *packet, const char *key);
int32_t control_int32(GVariant *packet, const char *key);

#endif /* RUNNER_CONTROL_H */
