// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A LUN and its worker process.  See lun.h.
 *
 *	                 +---- timer ----[WAITING]<--------+-------------------+
 *	                 v                                 | died, or failed   | died
 *	lun_serve --> [OPENING] -- "ready" --> [SERVING] --+-------------------+
 *	                 |                         |       |
 *	                 | failed, and a           |       | too often: [FAILED] -- lun_retry --> [OPENING]
 *	                 | request waits           |
 *	                 v                         v
 *	               (gone) <-- worker ends -- [STOPPING] <-- lun_stop, from every state
 *
 *	OPENING	 has a worker, and a time limit below that of the kernel's request.  A worker that dies here
 *		 is reported with the handler's function that it was in.
 *	SERVING	 has a worker whose session has started.
 *	WAITING	 has none; the next start is due in a moment, longer from time to time.
 *	FAILED	 used up its restarts (RESTARTS in RESTART_WINDOW).
 *	STOPPING has a worker that was told to finish, and a time limit.
 */
#include "lun.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib-unix.h>
#include <scuse/abi.h>

#include "../control.h"
#include "../worker/log.h"
#include "spawn.h"

#define OPEN_LIMIT     25 /* seconds; below SCUSE_REQUEST_TIMEOUT */
#define STOP_LIMIT     8  /* seconds */
#define RESTARTS       5
#define RESTART_WINDOW (60 * G_USEC_PER_SEC)
#define FIRST_DELAY    100 /* milliseconds; doubles with each restart */
#define BUSY_DELAY     200 /* milliseconds between attempts to open a session that somebody holds */
#define BUSY_ATTEMPTS  50

_Static_assert(OPEN_LIMIT < SCUSE_REQUEST_TIMEOUT, "we answer before the kernel gives up");

enum lun_state { LUN_OPENING, LUN_SERVING, LUN_WAITING, LUN_FAILED, LUN_STOPPING };

struct lun {
	const struct lun_host *host;
	void *host_data;
	struct lun_spec spec;
	enum lun_state state;
	uint64_t add_cookie;	/* of the request to serve; 0: nobody waits */
	uint64_t resize_cookie; /* likewise */
	pid_t pid;		/* 0: no worker */
	int control;		/* -1: no worker */
	guint control_source, child_source, timer;
	char phase[32]; /* the handler's function that the worker is in */
	char *error;	/* why the worker did not open the LUN, as far as is known */
	int error_status;
	gint64 restarts[RESTARTS]; /* when the latest ones were */
	unsigned int restart_count;
	unsigned int busy; /* attempts to open the session */
};

static void lun_open(struct lun *lun);
static void lun_ended(struct lun *lun);

void lun_spec_clear(struct lun_spec *spec)
{
	g_clear_pointer(&spec->name, g_free);
	g_clear_pointer(&spec->handler, g_free);
	g_clear_pointer(&spec->config, g_free);
	g_clear_pointer(&spec->identity, g_free);
}

uint32_t lun_id(const struct lun *lun)
{
	return lun->spec.id;
}

const char *lun_handler(const struct lun *lun)
{
	return lun->spec.handler;
}

static void clear_source(guint *source)
{
	if (*source)
		g_source_remove(*source);
	*source = 0;
}

static void set_timer(struct lun *lun, unsigned int milliseconds, GSourceFunc function)
{
	clear_source(&lun->timer);
	lun->timer = g_timeout_add(milliseconds, function, lun);
}

static void gone(struct lun *lun)
{
	clear_source(&lun->timer);
	clear_source(&lun->control_source);
	clear_source(&lun->child_source);
	if (lun->control >= 0)
		close(lun->control);
	lun->host->gone(lun->host_data, lun);
	lun_spec_clear(&lun->spec);
	g_free(lun->error);
	g_free(lun);
}

static void answer(struct lun *lun, uint64_t *cookie, int status, const char *message)
{
	if (*cookie)
		lun->host->reply(lun->host_data, *cookie, status, message);
	*cookie = 0;
}

static void set_error(struct lun *lun, int status, char *message)
{
	g_free(lun->error);
	lun->error = message;
	lun->error_status = status;
}

/* ---- failures and restarts ---- */

static gboolean on_restart(gpointer data)
{
	struct lun *lun = data;

	lun->timer = 0;
	lun_open(lun);
	return G_SOURCE_REMOVE;
}

/* How many restarts were there in the window, before this one? */
static unsigned int recent_restarts(struct lun *lun)
{
	gint64 now = g_get_monotonic_time();
	unsigned int count = 0;

	for (unsigned int i = 0; i < MIN(lun->restart_count, RESTARTS); i++)
		count += now - lun->restarts[i] < RESTART_WINDOW;
	return count;
}

static void restart_or_give_up(struct lun *lun)
{
	unsigned int before = recent_restarts(lun);
	g_autofree char *message = NULL;

	if (before >= RESTARTS) {
		lun->state = LUN_FAILED;
		message = g_strdup_printf(
			"%s: given up after %d restarts in a minute: systemctl reload scuse-runner "
			"(or SIGHUP) tries again",
			lun->error, RESTARTS);
	} else {
		lun->state = LUN_WAITING;
		lun->restarts[lun->restart_count++ % RESTARTS] = g_get_monotonic_time();
		message = g_strdup_printf("%s: the worker is started again", lun->error);
		set_timer(lun, FIRST_DELAY << before, on_restart);
	}
	log_error("%s: %s", lun->spec.name, message);
	lun->host->report(lun->host_data, lun->spec.id, message);
}

/* There is no worker, and lun->error says why. */
static void failed(struct lun *lun)
{
	answer(lun, &lun->resize_cookie, EIO, lun->error);
	if (lun->state == LUN_STOPPING) {
		gone(lun);
	} else if (lun->add_cookie) {
		log_error("%s: %s", lun->spec.name, lun->error);
		answer(lun, &lun->add_cookie, lun->error_status, lun->error);
		gone(lun);
	} else {
		restart_or_give_up(lun);
	}
}

/* ---- the worker's end ---- */

/* What the process's end says, in words. */
static char *describe_end(const struct lun *lun, int status)
{
	g_autofree char *where = *lun->phase ? g_strdup_printf(" in %s", lun->phase) : g_strdup("");

	if (WIFSIGNALED(status)) {
		int number = WTERMSIG(status);

		if (number == SIGKILL)
			return g_strdup_printf("the worker of handler %s was killed%s (SIGKILL)",
					       lun->spec.handler, where);
		return g_strdup_printf("handler %s crashed%s (killed by SIG%s)", lun->spec.handler, where,
				       sigabbrev_np(number) ? sigabbrev_np(number) : "?");
	}
	return g_strdup_printf("the worker of handler %s ended%s with exit status %d", lun->spec.handler,
			       where, WEXITSTATUS(status));
}

static void read_packets(struct lun *lun);

static void on_child_end(GPid pid, gint status, gpointer data)
{
	struct lun *lun = data;

	(void)pid;
	lun->child_source = 0;
	lun->pid = 0;
	read_packets(lun); /* it may have said why */
	clear_source(&lun->control_source);
	clear_source(&lun->timer);
	close(lun->control);
	lun->control = -1;
	if (!lun->error)
		set_error(lun, EIO, describe_end(lun, status));
	lun_ended(lun);
}

/*
 * Without an error the worker ended because the kernel ended the session: the device is going, or was
 * broken.
 */
static void lun_ended(struct lun *lun)
{
	struct lun_spec now = { 0 };
	bool exists = lun->state != LUN_STOPPING && lun->host->refresh(lun->host_data, lun->spec.id, &now);

	lun_spec_clear(&now);
	if (!exists)
		lun->state = LUN_STOPPING;
	failed(lun);
}

/* ---- what the worker says ---- */

static void on_resized(struct lun *lun, GVariant *packet)
{
	g_autofree char *message = control_string(packet, "message");

	if (control_uint64(packet, "cookie") != lun->resize_cookie)
		return;
	*lun->phase = '\0';
	answer(lun, &lun->resize_cookie, control_int32(packet, "status"), message);
}

static void on_ready(struct lun *lun)
{
	if (lun->state != LUN_OPENING)
		return;
	lun->state = LUN_SERVING;
	clear_source(&lun->timer);
	log_info("%s: served by handler %s, process %d", lun->spec.name, lun->spec.handler, (int)lun->pid);
	answer(lun, &lun->add_cookie, 0, NULL);
}

static void on_packet(struct lun *lun, GVariant *packet)
{
	const char *verb = control_verb(packet);

	if (strcmp(verb, "phase") == 0) {
		g_autofree char *phase = control_string(packet, "phase");

		g_strlcpy(lun->phase, phase, sizeof(lun->phase));
	} else if (strcmp(verb, "ready") == 0) {
		on_ready(lun);
	} else if (strcmp(verb, "error") == 0) {
		int status = control_int32(packet, "status");

		set_error(lun, status > 0 ? status : EIO, control_string(packet, "message"));
	} else if (strcmp(verb, "resized") == 0) {
		on_resized(lun, packet);
	} else if (strcmp(verb, "event") == 0) {
		g_autofree char *message = control_string(packet, "message");

		lun->host->report(lun->host_data, lun->spec.id, message);
	}
}

static void read_packets(struct lun *lun)
{
	bool end = false;

	for (int i = 0; i < 64; i++) { /* other LUNs want their turn too */
		g_autoptr(GVariant) packet = control_receive(lun->control, &end);

		if (!packet)
			break;
		on_packet(lun, packet);
	}
	/* What follows an end of file is the process's own end. */
	if (end)
		clear_source(&lun->control_source);
}

static gboolean on_control(gint fd, GIOCondition condition, gpointer data)
{
	(void)fd;
	(void)condition;
	read_packets(data);
	return G_SOURCE_CONTINUE;
}

/* ---- starting ---- */

static gboolean on_open_limit(gpointer data)
{
	struct lun *lun = data;

	lun->timer = 0;
	/* Not ETIMEDOUT: that is what enabling gives when nobody answers. */
	set_error(lun, EIO,
		  g_strdup_printf("handler %s did not finish %s within %d seconds: its worker was killed",
				  lun->spec.handler, *lun->phase ? lun->phase : "its start", OPEN_LIMIT));
	kill(lun->pid, SIGKILL);
	return G_SOURCE_REMOVE;
}

static void start_worker(struct lun *lun, int device, const char *plugin)
{
	pid_t pid = spawn_worker(device, &lun->control);

	if (pid < 0) {
		lun->control = -1;
		set_error(lun, (int)-pid,
			  g_strdup_printf("cannot start a worker: %s", g_strerror((int)-pid)));
		failed(lun);
		return;
	}
	lun->pid = pid;
	lun->state = LUN_OPENING;
	g_strlcpy(lun->phase, "load", sizeof(lun->phase));
	lun->control_source = g_unix_fd_add(lun->control, G_IO_IN | G_IO_HUP, on_control, lun);
	lun->child_source = g_child_watch_add(pid, on_child_end, lun);
	set_timer(lun, OPEN_LIMIT * 1000, on_open_limit);
	control_send(lun->control, "serve",
		     "{'name': <%s>, 'handler': <%s>, 'plugin': <%s>, 'config': <%s>, 'size': <%t>, "
		     "'block-size': <%t>, 'identity': <%s>, 'log-level': <%s>}",
		     lun->spec.name, lun->spec.handler, plugin, lun->spec.config ? lun->spec.config : "",
		     lun->spec.size, (guint64)lun->spec.block_size,
		     lun->spec.identity ? lun->spec.identity : "", log_level_name(log_level()));
}

/* One session at a time: an earlier worker may take a moment to be gone. */
static void device_busy(struct lun *lun, const char *path, int error)
{
	if ((error == EBUSY || error == ENOENT) && lun->busy++ < BUSY_ATTEMPTS) {
		lun->state = LUN_WAITING;
		set_timer(lun, BUSY_DELAY, on_restart);
		return;
	}
	lun->busy = 0;
	set_error(lun, error,
		  g_strdup_printf("cannot open %s: %s%s", path, g_strerror(error),
				  error == EBUSY ? " (another worker serves it)" : ""));
	failed(lun);
}

/* What the kernel says now counts: it may have learnt size or identity since the last time. */
static bool refresh(struct lun *lun)
{
	struct lun_spec now = { 0 };

	if (!lun->host->refresh(lun->host_data, lun->spec.id, &now))
		return false;
	lun->spec.size = now.size;
	g_free(lun->spec.identity);
	lun->spec.identity = g_steal_pointer(&now.identity);
	lun_spec_clear(&now);
	return true;
}

static void lun_open(struct lun *lun)
{
	g_autofree char *plugin = lun->host->find_plugin(lun->host_data, lun->spec.handler);
	g_autofree char *path = g_strdup_printf("/dev/scuse%u", lun->spec.id);
	int device;

	g_clear_pointer(&lun->error, g_free);
	if (!plugin) {
		set_error(lun, ENOENT,
			  g_strdup_printf("there is no plugin %s.so (any more)", lun->spec.handler));
		failed(lun);
		return;
	}
	if (!lun->add_cookie && !refresh(lun)) {
		gone(lun);
		return;
	}
	device = open(path, O_RDWR | O_CLOEXEC);
	if (device < 0) {
		device_busy(lun, path, errno);
		return;
	}
	lun->busy = 0;
	start_worker(lun, device, plugin);
	close(device);
}

/*
 * The first attempt is made from the main loop, so that the caller has the LUN before it may be gone
 * again.
 */
struct lun *lun_serve(const struct lun_host *host, void *data, struct lun_spec *spec, uint64_t cookie)
{
	struct lun *lun = g_new0(struct lun, 1);

	lun->host = host;
	lun->host_data = data;
	lun->spec = *spec;
	memset(spec, 0, sizeof(*spec));
	lun->add_cookie = cookie;
	lun->control = -1;
	lun->state = LUN_WAITING;
	lun->timer = g_idle_add(on_restart, lun);
	return lun;
}

void lun_retry(struct lun *lun)
{
	if (lun->state != LUN_FAILED)
		return;
	lun->restart_count = 0;
	lun->state = LUN_WAITING;
	set_timer(lun, 0, on_restart);
}

/* ---- other requests ---- */

void lun_resize(struct lun *lun, uint64_t cookie, uint64_t size)
{
	uint64_t waiting = cookie;

	if (lun->state != LUN_SERVING)
		answer(lun, &waiting, ENOTCONN, "the LUN is offline, so its size cannot be changed");
	else if (lun->resize_cookie)
		answer(lun, &waiting, EBUSY, "the handler has not finished an earlier change of the size");
	else if (!control_send(lun->control, "resize", "{'cookie': <%t>, 'size': <%t>}", cookie, size))
		answer(lun, &waiting, EIO, "the worker does not take orders");
	else
		lun->resize_cookie = cookie;
}

static gboolean on_stop_limit(gpointer data)
{
	struct lun *lun = data;

	lun->timer = 0;
	log_warning("%s: the worker did not finish within %d seconds: it is killed", lun->spec.name,
		    STOP_LIMIT);
	lun_kill(lun);
	return G_SOURCE_REMOVE;
}

void lun_stop(struct lun *lun)
{
	if (lun->state == LUN_STOPPING)
		return;
	lun->state = LUN_STOPPING;
	answer(lun, &lun->add_cookie, ECANCELED, "scuse-runner was told to stop serving the LUN");
	if (!lun->pid) {
		gone(lun);
		return;
	}
	control_send(lun->control, "stop", "@a{sv} {}");
	set_timer(lun, STOP_LIMIT * 1000, on_stop_limit);
}

void lun_kill(struct lun *lun)
{
	if (lun->pid)
		kill(lun->pid, SIGKILL);
}
