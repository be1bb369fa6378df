/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How supervisor and worker talk: packets on a SOCK_SEQPACKET socket, each a serialized GVariant "(sa{sv})",
 * a verb and its arguments, perhaps with a descriptor beside it.
 *
 * A worker is born with a socket pair to the supervisor that started it.  It also listens (rendezvous.h), so
 * that a later supervisor can take it over, which may be of another release of scuse:
 *
 *	supervisor                                worker
 *	  | -- socket pair: serve ----------------> |
 *	  | <------------------------ phase, ready  |
 *	  X (killed, stopped, upgraded)             |  goes on serving; holds events back
 *	next supervisor                             |
 *	  | -- connects: hello -------------------> |  an older connection, if any, is dropped
 *	  | <------------------------ hello [kept]  |
 *	  | <------------------- the events, ready  |
 *
 * VERSIONS.  hello says which version its sender speaks, and the oldest that it still understands.  The
 * supervisor keeps a worker if each side's version is at least the other's oldest; otherwise it has the
 * worker stop, which every version understands, and starts one of its own.  Arguments and verbs that one does
 * not know are ignored, those that are missing read as "" or 0, so additions need no new "oldest".
 *
 *	to the worker
 *	  serve   first on the pair: name s, handler s, plugin s (path), config s, size t, block-size t,
 *	          log-level s, identity s, id t, runtime-dir s, build s, restarts ax; with what is kept
 *	  hello   first on a connection: version t, oldest t, log-level s
 *	  resize  cookie t, size t
 *	  stop    in every version
 *	to the supervisor
 *	  hello   version t, oldest t, handler s, build s, serving b, restarts ax; with what is kept
 *	  phase   phase s: about to call this function of the handler; "" when done
 *	  ready   the session has started
 *	  error   status i (errno), message s: it did not start; the worker exits
 *	  resized cookie t, status i, message s
 *	  event   message s: an error that nobody waits for
 *	  keep    to be kept for the LUN's next worker: the descriptor beside it; none: nothing any more
 *
 * What is kept is a descriptor beside the packet, or none.
 *
 * `build` is what the supervisor said of the plugin's file (supervisor/build.h), `restarts` when the LUN's
 * latest restarts were (supervisor/budget.h): the worker keeps both for the next supervisor.
 */
#ifndef RUNNER_CONTROL_H
#define RUNNER_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#define CONTROL_VERSION 1
#define CONTROL_OLDEST	1

#define CONTROL_FD 3 /* in the worker */
#define DEVICE_FD  4

/*
 * `format` and what follows make the a{sv}, as for g_variant_new_parsed(): "{'phase': <%s>}".  `passed`: a
 * descriptor to go along, which stays the caller's; -1: none.  False with errno set: it was not sent.
 */
#define control_send(fd, verb, ...) control_send_fd(fd, -1, verb, __VA_ARGS__)
bool control_send_fd(int fd, int passed, const char *verb, const char *format, ...);
/* Consumes `dict`, an a{sv}, if it is floating. */
bool control_send_variant(int fd, int passed, const char *verb, GVariant *dict);

/*
 * The next packet.  NULL with *end false: none now (a descriptor that does not block); with *end true: end
 * of file, or something that is no packet.
 */
GVariant *control_receive(int fd, bool *end);
/* The same, with the descriptor beside it, which is the caller's then; -1: none. */
GVariant *control_receive_fd(int fd, int *passed, bool *end);

const char *control_verb(GVariant *packet);
/* Arguments; "" or 0 for what is not there. */
char *control_string(GVariant *packet, const char *key);
uint64_t control_uint64(GVariant *packet, const char *key);
int32_t control_int32(GVariant *packet, const char *key);
/* An argument of any other type, a new reference; NULL: it is not there, or is not of this type. */
GVariant *control_value(GVariant *packet, const char *key, const char *type);

#endif /* RUNNER_CONTROL_H */
