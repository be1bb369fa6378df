// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The life of a worker process: told by the supervisor what to serve, it loads the plugin, opens the LUN,
 * and then waits on its main thread for orders (control socket), signals, and news from its own threads.
 *
 *	serve -> load plugin -> parse config -> dev_open -> "ready" -> wait -> dev_stop -> exit
 *
 * It stops when told to, on SIGTERM, and when the kernel sends no more.  When the supervisor is gone it goes
 * on, and waits for the next one (link.h).
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
#include "confine.h"
#include "dev.h"
#include "link.h"
#include "log.h"
#include "pressure.h"

/* What the supervisor wants served. */
struct order {
	char *name, *handler, *plugin, *config, *level;
	char *identity; /* which device the kernel knows a raw LUN by; "" if none */
	char *runtime_dir, *build;
	uint32_t id;
	uint64_t size;
	uint32_t block_size;
};

struct worker {
	struct order order;
	struct link link;
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
	g_free(order->runtime_dir);
	g_free(order->build);
}

static bool receive_order(struct order *order, struct link *link)
{
	int kept;
	bool end;
	g_autoptr(GVariant) packet = control_receive_fd(CONTROL_FD, &kept, &end);
	g_autoptr(GVariant) restarts = NULL;

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
	order->runtime_dir = control_string(packet, "runtime-dir");
	order->build = control_string(packet, "build");
	order->id = (uint32_t)control_uint64(packet, "id");
	restarts = control_value(packet, "restarts", "ax");
	link_init(link, CONTROL_FD, kept);
	link_describe(link, order->handler, order->build, restarts);
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
	pressure_prepare();
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

/* Without it the LUN is served all the same, for as long as this supervisor lives. */
static void become_findable(struct worker *worker)
{
	int result = link_listen(&worker->link, worker->order.runtime_dir, worker->order.id);

	if (result)
		log_warning("cannot listen in %s: %s: the worker will end with scuse-runner",
			    worker->order.runtime_dir, strerror(-result));
}

static void on_entering(void *data, const char *callback)
{
	link_entering(data, callback);
}

static void on_error(void *data, const char *message)
{
	link_event(data, message);
}

static int on_keep(void *data, int fd)
{
	return link_keep(data, fd);
}

static int on_kept(void *data)
{
	return link_kept(data);
}

static const struct dev_keeper keeper = { .keep = on_keep, .kept = on_kept };

/* Between the handler's start and the first command. */
static int on_started(struct scuse_dev *dev, char **error)
{
	return confine_process(dev->handler, error);
}

static int open_lun(struct worker *worker, char **error)
{
	struct order *order = &worker->order;
	int result;

	on_entering(&worker->link, "load");
	worker->handler = handler_load(order->plugin, order->handler, error);
	if (!worker->handler)
		return -ENOEXEC;
	worker->config =
		config_parse(&worker->handler->table, order->config, order->size, order->block_size, error);
	if (!worker->config)
		return -EINVAL;
	result = confine_namespaces(worker->handler, error);
	if (result)
		return result;
	worker->dev = dev_new(order->name, &worker_device_kernel, &worker->session);
	worker->dev->entering = on_entering;
	worker->dev->entering_data = &worker->link;
	worker->dev->keeper = &keeper;
	worker->dev->keeper_data = &worker->link;
	worker->dev->started = on_started;
	worker->dev->known_identity = g_strdup(order->identity);
	return dev_open(worker->dev, worker->handler, worker->config, error);
}

static void resize(struct worker *worker, GVariant *packet)
{
	g_autofree char *error = NULL;
	int result = dev_resize(worker->dev, control_uint64(packet, "size"), &error);

	link_resized(&worker->link, control_uint64(packet, "cookie"), -result, error ? error : "");
}

/* False: stop. */
static bool obey(struct worker *worker)
{
	g_autoptr(GVariant) packet = NULL;
	enum link_order order = link_receive(&worker->link, &packet);

	if (order == LINK_RESIZE)
		resize(worker, packet);
	return order != LINK_STOP;
}

static void serve(struct worker *worker, int signals)
{
	struct pollfd fds[] = {
		{ .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = worker->dev->event_fd, .events = POLLIN },
		{ .events = POLLIN },
	};

	for (;;) {
		int ready;

		link_poll(&worker->link, &fds[0].fd, &fds[3].fd);
		ready = poll(fds, 4, dev_timeout(worker->dev));

		if (ready < 0 && errno != EINTR)
			return;
		if (fds[1].revents)
			return;
		if (fds[0].revents && !obey(worker))
			return;
		if (fds[3].revents)
			link_accept(&worker->link);
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
	if (!receive_order(&worker.order, &worker.link)) {
		fputs("scuse-runner --worker is started by scuse-runner itself, not by hand\n", stderr);
		return 2;
	}
	set_up_process(&worker.order);
	signals = open_signals();
	become_findable(&worker);
	error_set_sink(on_error, &worker.link);
	result = open_lun(&worker, &error);
	if (result) {
		if (!link_error(&worker.link, -result, error ? error : strerror(-result)))
			log_error("%s", error ? error : strerror(-result));
	} else {
		link_ready(&worker.link);
		serve(&worker, signals);
		stop_or_die(&worker);
	}
	error_set_sink(NULL, NULL);
	dev_free(worker.dev);
	config_free(worker.config);
	handler_free(worker.handler);
	order_clear(&worker.order);
	link_free(&worker.link);
	close(signals);
	return result ? 1 : 0;
}
