// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The life of a worker process: told by the supervisor what to serve, it loads the plugin, opens the LUN,
 * and then waits on its main thread for orders (control socket), signals, and news from its own threads.
 *
 *	serve -> load plugin -> parse config -> dev_open -> "ready" -> wait -> dev_stop -> exit
 *
 * It stops when told to, on SIGTERM, when the supervisor is gone, and when the kernel sends no more.
 */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../control.h"
#include "dev.h"
#include "log.h"

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

/* What the supervisor wants served. */
struct order {
	char *name, *handler, *plugin, *config, *level;
	char *identity; /* which device the kernel knows a raw LUN by; "" if none */
	uint64_t size;
	uint32_t block_size;
};

struct worker {
	struct order order;
	int session; /* descriptor of /dev/scuseN */
	struct handler *handler;
	struct scuse_config *config;
	struct scuse_dev *dev;
};

static void order_clear(struct order *order)
{
	g_free(order->name);
	g_free(order->handler);
	g_free(order->plugin);
	g_free(order->config);
	g_free(order->level);
	g_free(order->identity);
}

static bool receive_order(struct order *order)
{
	bool end;
	g_autoptr(GVariant) packet = control_receive(CONTROL_FD, &end);

	if (!packet || strcmp(control_verb(packet), "serve") != 0)
		return false;
	order->name = control_string(packet, "name");
	order->handler = control_string(packet, "handler");
	order->plugin = control_string(packet, "plugin");
	order->config = control_string(packet, "config");
	order->level = control_string(packet, "log-level");
	order->identity = control_string(packet, "identity");
	order->size = control_uint64(packet, "size");
	order->block_size = (uint32_t)control_uint64(packet, "block-size");
	return true;
}

static void set_up_process(const struct order *order)
{
	enum scuse_log_level level = SCUSE_LOG_INFO;
	char title[16];

	log_parse_level(order->level, &level);
	log_init(level, order->name);
	snprintf(title, sizeof(title), "scuse:%.9s", order->name);
	prctl(PR_SET_NAME, title, 0, 0, 0);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	/* The LUN may hold the very file system that memory reclaim writes to. */
	if (prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) < 0 && errno != EPERM)
		log_debug("PR_SET_IO_FLUSHER: %s", strerror(errno));
	signal(SIGPIPE, SIG_IGN);
	/* A terminal's Ctrl-C reaches all of us; the supervisor decides what it means. */
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
}

/* SIGTERM by descriptor.  Blocked before there are threads, so that all of them inherit that. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void on_entering(void *data, const char *callback)
{
	(void)data;
	control_send(CONTROL_FD, "phase", "{'phase': <%s>}", callback);
}

static void on_error(void *data, const char *message)
{
	(void)data;
	control_send(CONTROL_FD, "event", "{'message': <%s>}", message);
}

static int open_lun(struct worker *worker, char **error)
{
	struct order *order = &worker->order;

	on_entering(NULL, "load");
	worker->handler = handler_load(order->plugin, order->handler, error);
	if (!worker->handler)
		return -ENOEXEC;
	worker->config =
		config_parse(&worker->handler->table, order->config, order->size, order->block_size, error);
	if (!worker->config)
		return -EINVAL;
	worker->dev = dev_new(order->name, &worker_device_kernel, &worker->session);
	worker->dev->entering = on_entering;
	worker->dev->known_identity = g_strdup(order->identity);
	return dev_open(worker->dev, worker->handler, worker->config, error);
}

static void resize(struct worker *worker, GVariant *packet)
{
	g_autofree char *error = NULL;
	int result = dev_resize(worker->dev, control_uint64(packet, "size"), &error);

	control_send(CONTROL_FD, "resized", "{'cookie': <%t>, 'status': <%i>, 'message': <%s>}",
		     control_uint64(packet, "cookie"), -result, error ? error : "");
}

/* False: stop. */
static bool obey(struct worker *worker)
{
	bool end;
	g_autoptr(GVariant) packet = control_receive(CONTROL_FD, &end);

	if (!packet)
		return !end;
	if (strcmp(control_verb(packet), "stop") == 0)
		return false;
	if (strcmp(control_verb(packet), "resize") == 0)
		resize(worker, packet);
	return true;
}

static void serve(struct worker *worker, int signals)
{
	struct pollfd fds[] = {
		{ .fd = CONTROL_FD, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = worker->dev->event_fd, .events = POLLIN },
	};

	for (;;) {
		int ready = poll(fds, 3, dev_timeout(worker->dev));

		if (ready < 0 && errno != EINTR)
			return;
		if (fds[1].revents)
			return;
		if (fds[0].revents && !obey(worker))
			return;
		if ((fds[2].revents || !ready) && dev_events(worker->dev) & DEV_EVENT_ENDED) {
			log_debug("the kernel has ended the session");
			return;
		}
	}
}

/* A command that does not end would keep the process for ever: its exit is what the kernel waits for. */
static void stop_or_die(struct worker *worker)
{
	if (!worker->dev || !dev_stop(worker->dev))
		return;
	log_error("commands did not end in time: the worker exits without them");
	_exit(3);
}

int worker_main(void)
{
	struct worker worker = { .session = DEVICE_FD };
	g_autofree char *error = NULL;
	int result, signals;

	fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC);
	fcntl(DEVICE_FD, F_SETFD, FD_CLOEXEC);
	if (!receive_order(&worker.order)) {
		fputs("scuse-runner --worker is started by scuse-runner itself, not by hand\n", stderr);
		return 2;
	}
	set_up_process(&worker.order);
	signals = open_signals();
	error_set_sink(on_error, NULL);
	result = open_lun(&worker, &error);
	if (result) {
		control_send(CONTROL_FD, "error", "{'status': <%i>, 'message': <%s>}", -result,
			     error ? error : strerror(-result));
	} else {
		control_send(CONTROL_FD, "ready", "@a{sv} {}");
		serve(&worker, signals);
		stop_or_die(&worker);
	}
	error_set_sink(NULL, NULL);
	dev_free(worker.dev);
	config_free(worker.config);
	handler_free(worker.handler);
	order_clear(&worker.order);
	close(signals);
	return result ? 1 : 0;
}
