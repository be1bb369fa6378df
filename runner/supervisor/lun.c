// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A LUN and its worker process.  See lun.h.
 *
 *	                 +---- timer ----[WAITING]<--------+-------------------+
 *	                 v                                 | died, or failed   | died
 *	lun_serve --> [OPENING] -- "ready" --> [SERVING] --+-------------------+
 *	   |             |   ^                     |  ^    |
 *	   | some process|   | it has not started  |  |    | too often: [FAILED] -- lun_retry --> [WAITING]
 *	   | has the     |   |                     |  |
 *	   | session     |   '-- [ADOPTING] -------|--'  "hello": it serves
 *	   |             |       ^    |            |
 *	   '---------------------'    | "hello": another build or release of it
 *	                 |            v            v
 *	                 |       [REPLACING] <-- lun_restart    its end --> [WAITING], no pause
 *	                 | failed, and a           |
 *	                 | request waits           |
 *	                 v                         v
 *	               (gone) <-- worker ends -- [STOPPING] <-- lun_stop, from every state
 *
 *	OPENING	  has a worker, and a time limit below that of the kernel's request.  A worker that dies here
 *		  is reported with the handler's function that it was in.
 *	SERVING	  has a worker whose session has started.
 *	ADOPTING  has a worker of an earlier supervisor's, which has not said anything yet.  If it serves it
 *		  has all the time it wants, since I/O goes on; else a time limit as in OPENING.
 *	REPLACING has a worker that was told to finish, and a time limit.
 *	WAITING	  has none; the next start is due in a moment, longer from time to time.
 *	FAILED	  used up its restarts (budget.h).
 *	STOPPING  has a worker that was told to finish, and a time limit.
 */
#include "lun.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include <glib-unix.h>
#include <scuse/abi.h>

#include "../control.h"
#include "../descriptor.h"
#include "../worker/log.h"
#include "budget.h"
#include "build.h"
#include "process.h"

#define OPEN_LIMIT    25  /* seconds; below SCUSE_REQUEST_TIMEOUT */
#define STOP_LIMIT    8	  /* seconds */
#define BUSY_DELAY    200 /* milliseconds between attempts to open a session that somebody holds */
#define BUSY_ATTEMPTS 50
#define FOREIGN_DELAY 2000 /* the same, when that somebody serves the LUN and cannot be reached */

_Static_assert(OPEN_LIMIT < SCUSE_REQUEST_TIMEOUT, "we answer before the kernel gives up");

enum lun_state {
	LUN_OPENING,
	LUN_SERVING,
	LUN_ADOPTING,
	LUN_REPLACING,
	LUN_WAITING,
	LUN_FAILED,
	LUN_STOPPING,
};

struct lun {
	const struct lun_host *host;
	void *host_data;
	struct lun_spec spec;
	enum lun_state state;
	uint64_t add_cookie;	 /* of the request to serve; 0: nobody waits */
	uint64_t resize_cookie;	 /* likewise */
	uint64_t restart_cookie; /* likewise */
	struct process *process; /* NULL: no worker */
	int kept;		 /* what the worker has had kept for the next one; -1: nothing */
	guint timer;
	char phase[32]; /* the handler's function that the worker is in */
	char *error;	/* why the worker did not open the LUN, as far as is known */
	int error_status;
	struct budget budget;
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
	g_clear_pointer(&spec->serial, g_free);
}

uint32_t lun_id(const struct lun *lun)
{
	return lun->spec.id;
}

bool lun_is_asked(const struct lun *lun)
{
	return lun->add_cookie || lun->resize_cookie || lun->restart_cookie;
}

static void clear_timer(struct lun *lun)
{
	if (lun->timer)
		g_source_remove(lun->timer);
	lun->timer = 0;
}

static void set_timer(struct lun *lun, unsigned int milliseconds, GSourceFunc function)
{
	clear_timer(lun);
	lun->timer = g_timeout_add(milliseconds, function, lun);
}

void lun_leave(struct lun *lun)
{
	clear_timer(lun);
	process_free(lun->process);
	descriptor_clear(&lun->kept);
	lun_spec_clear(&lun->spec);
	g_free(lun->error);
	g_free(lun);
}

static void gone(struct lun *lun)
{
	if (lun->kept >= 0)
		lun->host->keep(lun->host_data, &lun->spec, -1);
	lun->host->gone(lun->host_data, lun);
	lun_leave(lun);
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

static void wait_and_open(struct lun *lun, unsigned int milliseconds)
{
	lun->state = LUN_WAITING;
	set_timer(lun, milliseconds, on_restart);
}

static void restart_or_give_up(struct lun *lun)
{
	int delay = budget_take(&lun->budget, g_get_monotonic_time());
	g_autofree char *message = NULL;

	if (delay < 0) {
		lun->state = LUN_FAILED;
		message = g_strdup_printf("%s: given up after %d restarts in a minute: `scuse restart` tries "
					  "again, for all LUNs "
					  "systemctl reload scuse-runner (or SIGHUP)",
					  lun->error, BUDGET_RESTARTS);
	} else {
		message = g_strdup_printf("%s: the worker is started again", lun->error);
		wait_and_open(lun, (unsigned int)delay);
	}
	log_error("%s: %s", lun->spec.name, message);
	lun->host->report(lun->host_data, lun->spec.id,
			  delay < 0 ? SCUSE_EVENT_GIVEN_UP : SCUSE_EVENT_HANDLER_ERROR, message);
}

/* There is no worker, and lun->error says why. */
static void failed(struct lun *lun)
{
	answer(lun, &lun->resize_cookie, EIO, lun->error);
	answer(lun, &lun->restart_cookie, lun->error_status, lun->error);
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

	if (status == -1)
		return g_strdup_printf("the worker of handler %s ended%s (how is not known: an earlier "
				       "scuse-runner had started it)",
				       lun->spec.handler, where);
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

static void on_end(void *data, struct process *process, int status)
{
	struct lun *lun = data;

	clear_timer(lun);
	lun->process = NULL;
	process_free(process);
	if (!lun->error)
		set_error(lun, EIO, describe_end(lun, status));
	*lun->phase = '\0';
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
	if (lun->state == LUN_REPLACING) {
		answer(lun, &lun->resize_cookie, EAGAIN, "the worker was replaced: try again");
		wait_and_open(lun, 0);
	} else {
		failed(lun);
	}
}

static gboolean on_finish_limit(gpointer data)
{
	struct lun *lun = data;

	lun->timer = 0;
	log_warning("%s: the worker did not finish within %d seconds: it is killed", lun->spec.name,
		    STOP_LIMIT);
	lun_kill(lun);
	return G_SOURCE_REMOVE;
}

static void finish_worker(struct lun *lun, enum lun_state state)
{
	lun->state = state;
	control_send(process_control(lun->process), "stop", "@a{sv} {}");
	set_timer(lun, STOP_LIMIT * 1000, on_finish_limit);
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
	clear_timer(lun);
	log_info("%s: served by handler %s, process %d", lun->spec.name, lun->spec.handler,
		 (int)process_id(lun->process));
	answer(lun, &lun->add_cookie, 0, NULL);
	answer(lun, &lun->restart_cookie, 0, NULL);
}

static void set_kept(struct lun *lun, int *passed)
{
	bool had = lun->kept >= 0;

	descriptor_clear(&lun->kept);
	lun->kept = g_steal_fd(passed);
	if (had || lun->kept >= 0)
		lun->host->keep(lun->host_data, &lun->spec, lun->kept);
}

static void on_error(struct lun *lun, GVariant *packet)
{
	int status = control_int32(packet, "status");

	set_error(lun, status > 0 ? status : EIO, control_string(packet, "message"));
}

static void on_hello(struct lun *lun, GVariant *packet, int *passed);

static void on_packet(void *data, GVariant *packet, int *passed)
{
	struct lun *lun = data;
	const char *verb = control_verb(packet);

	if (strcmp(verb, "phase") == 0) {
		g_autofree char *phase = control_string(packet, "phase");

		g_strlcpy(lun->phase, phase, sizeof(lun->phase));
	} else if (strcmp(verb, "hello") == 0) {
		on_hello(lun, packet, passed);
	} else if (strcmp(verb, "ready") == 0) {
		on_ready(lun);
	} else if (strcmp(verb, "error") == 0) {
		on_error(lun, packet);
	} else if (strcmp(verb, "resized") == 0) {
		on_resized(lun, packet);
	} else if (strcmp(verb, "keep") == 0) {
		set_kept(lun, passed);
	} else if (strcmp(verb, "event") == 0) {
		g_autofree char *message = control_string(packet, "message");

		lun->host->report(lun->host_data, lun->spec.id, SCUSE_EVENT_HANDLER_ERROR, message);
	}
}

static const struct process_events process_events = { .packet = on_packet, .ended = on_end };

/* ---- taking over ---- */

static gboolean on_open_limit(gpointer data)
{
	struct lun *lun = data;

	lun->timer = 0;
	/* Not ETIMEDOUT: that is what enabling gives when nobody answers. */
	set_error(lun, EIO,
		  g_strdup_printf("handler %s did not finish %s within %d seconds: its worker was killed",
				  lun->spec.handler, *lun->phase ? lun->phase : "its start", OPEN_LIMIT));
	lun_kill(lun);
	return G_SOURCE_REMOVE;
}

static gboolean on_adopt_limit(gpointer data)
{
	struct lun *lun = data;
	struct lun_spec now = { 0 };

	if (!lun->host->refresh(lun->host_data, lun->spec.id, &now) || !now.pid)
		return on_open_limit(data);
	lun_spec_clear(&now);
	lun->timer = 0;
	log_warning(
		"%s: the worker of an earlier scuse-runner, process %d, does not answer; it serves the LUN, "
		"so it is left alone",
		lun->spec.name, (int)process_id(lun->process));
	return G_SOURCE_REMOVE;
}

/* Why the worker cannot stay (newly allocated); NULL: it can. */
static char *find_difference(const struct lun *lun, GVariant *hello)
{
	uint64_t version = control_uint64(hello, "version"), oldest = control_uint64(hello, "oldest");
	g_autofree char *handler = control_string(hello, "handler"), *build = control_string(hello, "build");
	g_autofree char *plugin = lun->host->find_plugin(lun->host_data, lun->spec.handler);
	g_autofree char *now = plugin ? plugin_build(plugin) : NULL;

	if (version < CONTROL_OLDEST || oldest > CONTROL_VERSION)
		return g_strdup("it is of a release of scuse that this one cannot talk to");
	if (strcmp(handler, lun->spec.handler) != 0)
		return g_strdup_printf("it runs handler %s", handler);
	if (now && strcmp(build, now) != 0)
		return g_strdup_printf("%s has changed since it was started", plugin);
	return NULL;
}

static void on_hello(struct lun *lun, GVariant *packet, int *passed)
{
	g_autoptr(GVariant) restarts = control_value(packet, "restarts", "ax");
	g_autoptr(GVariant) serving = control_value(packet, "serving", "b");
	g_autofree char *difference = NULL;

	if (lun->state != LUN_ADOPTING)
		return;
	budget_restore(&lun->budget, restarts, g_get_monotonic_time());
	set_kept(lun, passed);
	difference = find_difference(lun, packet);
	if (difference) {
		log_info("%s: the worker, process %d, is replaced: %s", lun->spec.name,
			 (int)process_id(lun->process), difference);
		finish_worker(lun, LUN_REPLACING);
		return;
	}
	lun->state = LUN_OPENING; /* the time limit stays as it is */
	log_info("%s: process %d, started by an earlier scuse-runner, is taken over", lun->spec.name,
		 (int)process_id(lun->process));
	if (serving && g_variant_get_boolean(serving))
		on_ready(lun);
}

/* False: whoever has the session cannot be reached. */
static bool adopt(struct lun *lun, pid_t pid)
{
	lun->process = process_adopt(lun->host->runtime_dir(lun->host_data), lun->spec.id, pid,
				     &process_events, lun);
	if (!lun->process)
		return false;
	lun->state = LUN_ADOPTING;
	lun->busy = 0;
	set_timer(lun, OPEN_LIMIT * 1000, on_adopt_limit);
	control_send(process_control(lun->process), "hello",
		     "{'version': <%t>, 'oldest': <%t>, 'log-level': <%s>}", (guint64)CONTROL_VERSION,
		     (guint64)CONTROL_OLDEST, log_level_name(log_level()));
	return true;
}

/* ---- starting ---- */

static void send_order(struct lun *lun, const char *plugin)
{
	const struct lun_spec *spec = &lun->spec;
	g_autofree char *build = plugin_build(plugin);

	control_send_fd(process_control(lun->process), lun->kept, "serve",
			"{'name': <%s>, 'handler': <%s>, 'plugin': <%s>, 'config': <%s>, 'size': <%t>, "
			"'block-size': <%t>, 'identity': <%s>, 'log-level': <%s>, 'id': <%t>, "
			"'runtime-dir': <%s>, 'build': <%s>, 'restarts': <%@ax>}",
			spec->name, spec->handler, plugin, spec->config ? spec->config : "", spec->size,
			(guint64)spec->block_size, spec->identity ? spec->identity : "",
			log_level_name(log_level()), (guint64)spec->id,
			lun->host->runtime_dir(lun->host_data), build ? build : "",
			budget_save(&lun->budget));
}

static void start_worker(struct lun *lun, int device, const char *plugin)
{
	lun->process = process_spawn(lun->host->runtime_dir(lun->host_data), lun->spec.id, device,
				     &process_events, lun);
	if (!lun->process) {
		set_error(lun, errno, g_strdup_printf("cannot start a worker: %s", g_strerror(errno)));
		failed(lun);
		return;
	}
	lun->state = LUN_OPENING;
	g_strlcpy(lun->phase, "load", sizeof(lun->phase));
	set_timer(lun, OPEN_LIMIT * 1000, on_open_limit);
	send_order(lun, plugin);
}

/*
 * One session at a time.  Whoever has it is a worker that can be taken over; or one that will take a moment
 * to be gone, or to listen; or a stranger, which is left alone while it serves the LUN.
 */
static void device_busy(struct lun *lun, int error)
{
	struct lun_spec now = { 0 };

	if (error == EBUSY && lun->host->refresh(lun->host_data, lun->spec.id, &now))
		lun_spec_clear(&now);
	if (error == EBUSY && adopt(lun, now.pid))
		return;
	if ((error == EBUSY || error == ENOENT) && lun->busy++ < BUSY_ATTEMPTS) {
		wait_and_open(lun, BUSY_DELAY);
		return;
	}
	if (error == EBUSY && now.pid && !lun_is_asked(lun)) {
		if (lun->busy == BUSY_ATTEMPTS + 1)
			log_warning("%s: process %d serves the LUN, but cannot be reached in %s: it is left "
				    "alone",
				    lun->spec.name, (int)now.pid, lun->host->runtime_dir(lun->host_data));
		wait_and_open(lun, FOREIGN_DELAY);
		return;
	}
	lun->busy = 0;
	set_error(lun, error,
		  g_strdup_printf("cannot open /dev/scuse%u: %s%s", lun->spec.id, g_strerror(error),
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
	int device;

	g_clear_pointer(&lun->error, g_free);
	if (!plugin) {
		set_error(lun, ENOENT,
			  g_strdup_printf("there is no plugin %s.so (any more)", lun->spec.handler));
		failed(lun);
		return;
	}
	if (!lun->add_cookie && !refresh(lun)) {
		answer(lun, &lun->restart_cookie, ENODEV, "the LUN is gone");
		gone(lun);
		return;
	}
	device = lun->host->open_device(lun->host_data, lun->spec.id);
	if (device < 0) {
		device_busy(lun, -device);
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
struct lun *lun_serve(const struct lun_host *host, void *data, struct lun_spec *spec, int kept,
		      uint64_t cookie)
{
	struct lun *lun = g_new0(struct lun, 1);

	lun->host = host;
	lun->host_data = data;
	lun->spec = *spec;
	memset(spec, 0, sizeof(*spec));
	lun->kept = kept;
	lun->add_cookie = cookie;
	lun->state = LUN_WAITING;
	lun->timer = g_idle_add(on_restart, lun);
	return lun;
}

/* ---- other requests ---- */

void lun_retry(struct lun *lun)
{
	if (lun->state != LUN_FAILED)
		return;
	budget_reset(&lun->budget);
	wait_and_open(lun, 0);
}

/* The kernel has taken the session away already, if there was one: the worker has nothing to finish. */
void lun_restart(struct lun *lun, uint64_t cookie)
{
	uint64_t waiting = cookie;

	if (lun->state == LUN_STOPPING) {
		answer(lun, &waiting, ENODEV, "the LUN is being removed");
		return;
	}
	if (lun->add_cookie) {
		answer(lun, &waiting, EBUSY, "a worker is being started already");
		return;
	}
	/* The kernel has one request at a time: it no longer waits for the earlier one. */
	answer(lun, &lun->restart_cookie, EBUSY, "asked for once more");
	lun->restart_cookie = cookie;
	lun->busy = 0;
	budget_reset(&lun->budget);
	if (!lun->process) {
		wait_and_open(lun, 0);
		return;
	}
	clear_timer(lun);
	lun->state = LUN_REPLACING;
	lun_kill(lun);
}

void lun_resize(struct lun *lun, uint64_t cookie, uint64_t size)
{
	uint64_t waiting = cookie;

	if (lun->state == LUN_ADOPTING || lun->state == LUN_REPLACING)
		answer(lun, &waiting, EBUSY, "the LUN is just being taken over: try again");
	else if (lun->state != LUN_SERVING)
		answer(lun, &waiting, ENOTCONN, "the LUN is offline, so its size cannot be changed");
	else if (lun->resize_cookie)
		answer(lun, &waiting, EBUSY, "the handler has not finished an earlier change of the size");
	else if (!control_send(process_control(lun->process), "resize", "{'cookie': <%t>, 'size': <%t>}",
			       cookie, size))
		answer(lun, &waiting, EIO, "the worker does not take orders");
	else
		lun->resize_cookie = cookie;
}

void lun_stop(struct lun *lun)
{
	if (lun->state == LUN_STOPPING)
		return;
	answer(lun, &lun->add_cookie, ECANCELED, "scuse-runner was told to stop serving the LUN");
	answer(lun, &lun->restart_cookie, ECANCELED, "scuse-runner was told to stop serving the LUN");
	if (lun->process) {
		finish_worker(lun, LUN_STOPPING);
	} else {
		lun->state = LUN_STOPPING;
		gone(lun);
	}
}

void lun_kill(struct lun *lun)
{
	if (lun->process)
		process_kill(lun->process);
}
