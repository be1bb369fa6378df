// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The conversation with the supervisor.  See link.h.
 *
 * The socket does not block: a supervisor that is stopped must not stop the LUN too.  What cannot be sent at
 * once waits (events, the newest HELD of them), is dropped (phases, which only make messages better), or is
 * waited for within SEND_PATIENCE (answers, which come from the main thread).
 */
#include "link.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <glib-unix.h>

#include "../control.h"
#include "../descriptor.h"
#include "../rendezvous.h"
#include "log.h"

#define HELD	      16
#define SEND_PATIENCE 5000 /* milliseconds */

void link_init(struct link *link, int fd, int kept)
{
	*link = (struct link){ .fd = fd, .kept = kept, .held = g_queue_new(), .listener = -1 };
	pthread_mutex_init(&link->lock, NULL);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	link_describe(link, "", "", NULL);
}

void link_free(struct link *link)
{
	if (link->path)
		unlink(link->path);
	descriptor_clear(&link->listener);
	descriptor_clear(&link->fd);
	descriptor_clear(&link->kept);
	g_queue_free_full(link->held, g_free);
	g_variant_unref(link->restarts);
	g_free(link->handler);
	g_free(link->build);
	g_free(link->path);
	pthread_mutex_destroy(&link->lock);
}

int link_listen(struct link *link, const char *dir, uint32_t id)
{
	int listener = rendezvous_listen(dir, id, &link->path);

	if (listener < 0)
		return listener;
	link->listener = listener;
	return 0;
}

void link_describe(struct link *link, const char *handler, const char *build, GVariant *restarts)
{
	g_free(link->handler);
	g_free(link->build);
	link->handler = g_strdup(handler);
	link->build = g_strdup(build);
	if (!restarts)
		restarts = g_variant_new_array(G_VARIANT_TYPE_INT64, NULL, 0);
	g_clear_pointer(&link->restarts, g_variant_unref);
	link->restarts = g_variant_ref_sink(restarts);
}

/* ---- sending; with the lock held ---- */

static void wait_for_room(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

	poll(&poll_fd, 1, SEND_PATIENCE);
}

static bool send_patiently(struct link *link, int passed, const char *verb, GVariant *dict)
{
	g_autoptr(GVariant) held = g_variant_ref_sink(dict);

	if (link->fd < 0)
		return false;
	if (control_send_variant(link->fd, passed, verb, held))
		return true;
	if (errno != EAGAIN)
		return false;
	wait_for_room(link->fd);
	return control_send_variant(link->fd, passed, verb, held);
}

static bool send_event(struct link *link, const char *message)
{
	return link->fd >= 0 && control_send(link->fd, "event", "{'message': <%s>}", message);
}

static void send_held(struct link *link)
{
	while (!g_queue_is_empty(link->held) && send_event(link, g_queue_peek_head(link->held)))
		g_free(g_queue_pop_head(link->held));
}

static void say_hello(struct link *link)
{
	GVariant *dict = g_variant_new_parsed(
		"{'version': <%t>, 'oldest': <%t>, 'handler': <%s>, 'build': <%s>, 'serving': <%b>, "
		"'restarts': <%@ax>}",
		(guint64)CONTROL_VERSION, (guint64)CONTROL_OLDEST, link->handler, link->build, link->serving,
		link->restarts);

	send_patiently(link, link->kept, "hello", dict);
	send_held(link);
}

/* ---- what the main thread says ---- */

void link_ready(struct link *link)
{
	pthread_mutex_lock(&link->lock);
	link->serving = true;
	send_patiently(link, -1, "ready", g_variant_new_parsed("@a{sv} {}"));
	pthread_mutex_unlock(&link->lock);
}

bool link_error(struct link *link, int status, const char *message)
{
	GVariant *dict = g_variant_new_parsed("{'status': <%i>, 'message': <%s>}", status, message);
	bool sent;

	pthread_mutex_lock(&link->lock);
	sent = send_patiently(link, -1, "error", dict);
	pthread_mutex_unlock(&link->lock);
	return sent;
}

void link_resized(struct link *link, uint64_t cookie, int status, const char *message)
{
	GVariant *dict = g_variant_new_parsed("{'cookie': <%t>, 'status': <%i>, 'message': <%s>}",
					      (guint64)cookie, status, message);

	pthread_mutex_lock(&link->lock);
	send_patiently(link, -1, "resized", dict);
	pthread_mutex_unlock(&link->lock);
}

/* ---- what any thread says ---- */

void link_entering(struct link *link, const char *callback)
{
	pthread_mutex_lock(&link->lock);
	if (link->fd >= 0)
		control_send(link->fd, "phase", "{'phase': <%s>}", callback);
	pthread_mutex_unlock(&link->lock);
}

void link_event(struct link *link, const char *message)
{
	pthread_mutex_lock(&link->lock);
	g_queue_push_tail(link->held, g_strdup(message));
	while (g_queue_get_length(link->held) > HELD)
		g_free(g_queue_pop_head(link->held));
	send_held(link);
	pthread_mutex_unlock(&link->lock);
}

/* Without a supervisor too: the next one is told with our hello. */
int link_keep(struct link *link, int fd)
{
	int copy = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);

	if (fd >= 0 && copy < 0)
		return -errno;
	pthread_mutex_lock(&link->lock);
	descriptor_clear(&link->kept);
	link->kept = copy;
	send_patiently(link, copy, "keep", g_variant_new_parsed("@a{sv} {}"));
	pthread_mutex_unlock(&link->lock);
	return 0;
}

int link_kept(struct link *link)
{
	int copy;

	pthread_mutex_lock(&link->lock);
	copy = link->kept < 0 ? -1 : fcntl(link->kept, F_DUPFD_CLOEXEC, 0);
	pthread_mutex_unlock(&link->lock);
	return copy;
}

/* ---- receiving ---- */

void link_poll(struct link *link, int *fd, int *listener)
{
	*fd = link->fd; /* it is the main thread that changes it */
	*listener = link->listener;
}

static void set_fd(struct link *link, int fd)
{
	pthread_mutex_lock(&link->lock);
	descriptor_clear(&link->fd);
	link->fd = fd;
	pthread_mutex_unlock(&link->lock);
}

void link_accept(struct link *link)
{
	int fd = rendezvous_accept(link->listener);

	if (fd >= 0)
		set_fd(link, fd);
	else if (fd != -EAGAIN && fd != -EINTR)
		log_warning("a connection to the worker is refused: %s", g_strerror(-fd));
}

static void on_hello(struct link *link, GVariant *packet)
{
	g_autofree char *level_name = control_string(packet, "log-level");
	enum scuse_log_level level;

	if (log_parse_level(level_name, &level))
		log_set_level(level);
	log_debug("another supervisor has taken over, of control version %" G_GUINT64_FORMAT,
		  control_uint64(packet, "version"));
	pthread_mutex_lock(&link->lock);
	say_hello(link);
	pthread_mutex_unlock(&link->lock);
}

static enum link_order on_packet(struct link *link, GVariant *packet)
{
	const char *verb = control_verb(packet);

	if (strcmp(verb, "stop") == 0)
		return LINK_STOP;
	if (strcmp(verb, "resize") == 0)
		return LINK_RESIZE;
	if (strcmp(verb, "hello") == 0)
		on_hello(link, packet);
	return LINK_NOTHING;
}

/* A supervisor that ends is nothing to the LUN, as long as another one can find us. */
enum link_order link_receive(struct link *link, GVariant **packet)
{
	g_autoptr(GVariant) received = NULL;
	enum link_order order;
	bool end;

	*packet = NULL;
	received = control_receive(link->fd, &end);
	if (!received && end) {
		set_fd(link, -1);
		log_debug("the supervisor is gone");
		return link->listener >= 0 ? LINK_NOTHING : LINK_STOP;
	}
	if (!received)
		return LINK_NOTHING;
	order = on_packet(link, received);
	if (order == LINK_RESIZE)
		*packet = g_steal_pointer(&received);
	return order;
}
