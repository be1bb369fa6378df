// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The supervisor: claims the names of the handlers that it finds, and serves the LUNs that the kernel asks
 * it to, each by a worker process (lun.c).  It never touches a LUN's data, so no LUN can block it.
 *
 * One thread, a glib main loop.  Sources: the netlink handle, signals, and the timers, sockets and children
 * of the LUNs.  Mode pages are written by a thread of mode.c, which touches nothing of what is here.
 *
 *	start	load modules, claim, dump the devices, take over the workers that there are, serve those that
 *		have none, say READY
 *	SIGHUP	look for plugins again; try again what was given up
 *	SIGTERM	with leave_workers: answer what the kernel has asked, then exit; else as SIGINT
 *	SIGINT	stop all workers, then exit; a second one, or the time limit, kills them
 *
 * Nothing is written down: what the next supervisor needs it learns from the kernel and from the workers.
 */
#include "supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <glib-unix.h>
#include <scuse/netlink.h>

#include "../rendezvous.h"
#include "../worker/loader.h"
#include "../worker/log.h"
#include "fdstore.h"
#include "lun.h"
#include "mode.h"
#include "modules.h"
#include "name.h"
#include "notify.h"

#define EXIT_LIMIT 9 /* seconds from SIGTERM to the end */

struct supervisor {
	const struct supervisor_options *options;
	GMainLoop *loop;
	struct scuse_nl *nl;
	struct mode_keeper *modes;
	GHashTable *claimed;  /* names of handlers (owned strings) */
	GHashTable *luns;     /* by id: those that are served */
	GPtrArray *stopping;  /* those whose device is gone, but not yet their worker */
	struct fdstore *kept; /* what systemd has kept for LUNs that are not served yet */
	bool exiting;
	bool leaving; /* and the workers stay */
};

/* ---- plugins and claims ---- */

/* Files that could be handlers, by name alone: what is wrong with one is told to whoever wants to use it. */
static void scan_dir(GHashTable *names, const char *path)
{
	g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
	const char *file;

	while (dir && (file = g_dir_read_name(dir))) {
		g_autofree char *name = NULL;

		if (!g_str_has_suffix(file, ".so"))
			continue;
		name = g_strndup(file, strlen(file) - 3);
		if (handler_name_valid(name))
			g_hash_table_add(names, g_steal_pointer(&name));
	}
}

static uint32_t owner_of(struct supervisor *supervisor, const char *handler)
{
	struct scuse_nl_owners *owners;
	uint32_t pid = 0;

	if (scuse_nl_get_owners(supervisor->nl, &owners))
		return 0;
	for (size_t i = 0; i < owners->count; i++)
		if (strcmp(owners->item[i]->handler, handler) == 0)
			pid = owners->item[i]->pid;
	scuse_nl_owners_free(owners);
	return pid;
}

static bool claim(struct supervisor *supervisor, const char *handler)
{
	int result = scuse_nl_claim(supervisor->nl, handler);

	if (!result) {
		g_hash_table_add(supervisor->claimed, g_strdup(handler));
		return true;
	}
	if (result == -EBUSY)
		log_error("handler %s is served by another runner already, process %u: stop that one first",
			  handler, owner_of(supervisor, handler));
	else
		log_error("cannot claim handler %s: %s", handler, scuse_nl_error(supervisor->nl));
	return false;
}

/* Claims what is new, and lets go of what is no longer there. */
static bool scan_plugins(struct supervisor *supervisor)
{
	g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	GHashTableIter iter;
	gpointer name;
	bool good = true;

	for (const char *const *dir = supervisor->options->plugin_dirs; *dir; dir++)
		scan_dir(names, *dir);
	g_hash_table_iter_init(&iter, supervisor->claimed);
	while (g_hash_table_iter_next(&iter, &name, NULL)) {
		if (g_hash_table_contains(names, name))
			continue;
		scuse_nl_release(supervisor->nl, name);
		g_hash_table_iter_remove(&iter);
	}
	g_hash_table_iter_init(&iter, names);
	while (g_hash_table_iter_next(&iter, &name, NULL))
		if (!g_hash_table_contains(supervisor->claimed, name))
			good &= claim(supervisor, name);
	if (!g_hash_table_size(names))
		log_warning("there are no plugins in %s", supervisor->options->plugin_dirs[0]);
	return good;
}

/* ---- what the LUNs need of us ---- */

static void spec_fill(struct lun_spec *spec, const struct scuse_nl_device *device)
{
	*spec = (struct lun_spec){
		.id = device->id,
		.name = readable_name(device->name),
		.handler = g_strdup(device->handler),
		.config = g_strdup(device->config ? device->config : ""),
		.size = device->size,
		.block_size = device->block_size,
		.identity = g_strdup(device->identity),
		.serial = g_strdup(device->serial),
		.pid = device->state == SCUSE_STATE_ONLINE ? (pid_t)device->pid : 0,
	};
}

static char *name_in_store(const struct lun_spec *spec)
{
	return fdstore_name(spec->id, spec->name, spec->handler, spec->serial);
}

static char *host_find_plugin(void *data, const char *handler)
{
	struct supervisor *supervisor = data;

	return handler_find(supervisor->options->plugin_dirs, handler);
}

static bool host_refresh(void *data, uint32_t id, struct lun_spec *spec)
{
	struct supervisor *supervisor = data;
	struct scuse_nl_device *device;

	if (scuse_nl_get_device_by_id(supervisor->nl, id, &device))
		return false;
	if (device->state == SCUSE_STATE_REMOVING) {
		scuse_nl_device_free(device);
		return false;
	}
	spec_fill(spec, device);
	scuse_nl_device_free(device);
	return true;
}

static gboolean on_answered(gpointer data);

static void host_reply(void *data, uint64_t cookie, int status, const char *message)
{
	struct supervisor *supervisor = data;
	int result = scuse_nl_reply(supervisor->nl, cookie, status, message);

	if (result && result != -ENOENT)
		log_error("cannot answer the kernel: %s", scuse_nl_error(supervisor->nl));
	if (supervisor->leaving)
		g_idle_add(on_answered, supervisor);
}

static void host_report(void *data, uint32_t id, uint32_t event, const char *message)
{
	struct supervisor *supervisor = data;

	scuse_nl_report(supervisor->nl, id, event, message);
}

static int host_open_device(void *data, uint32_t id)
{
	g_autofree char *path = g_strdup_printf("/dev/scuse%u", id);
	int fd = open(path, O_RDWR | O_CLOEXEC);

	(void)data;
	return fd < 0 ? -errno : fd;
}

static const char *host_runtime_dir(void *data)
{
	struct supervisor *supervisor = data;

	return supervisor->options->runtime_dir;
}

/* A LUN that ends because we do may be there again for the next supervisor. */
static void host_keep(void *data, const struct lun_spec *spec, int fd)
{
	struct supervisor *supervisor = data;
	g_autofree char *name = name_in_store(spec);

	if (name && (fd >= 0 || !supervisor->exiting))
		fdstore_put(name, fd);
}

static bool is_idle(struct supervisor *supervisor)
{
	GHashTableIter iter;
	gpointer lun;

	if (mode_keeper_busy(supervisor->modes))
		return false;
	if (!supervisor->leaving)
		return !g_hash_table_size(supervisor->luns) && !supervisor->stopping->len;
	g_hash_table_iter_init(&iter, supervisor->luns);
	while (g_hash_table_iter_next(&iter, NULL, &lun))
		if (lun_is_asked(lun))
			return false;
	return true;
}

static void exit_when_idle(struct supervisor *supervisor)
{
	if (supervisor->exiting && is_idle(supervisor))
		g_main_loop_quit(supervisor->loop);
}

static void on_modes_idle(void *data)
{
	exit_when_idle(data);
}

/* Later, as the LUN that answers is in the middle of something. */
static gboolean on_answered(gpointer data)
{
	exit_when_idle(data);
	return G_SOURCE_REMOVE;
}

static void host_gone(void *data, struct lun *lun)
{
	struct supervisor *supervisor = data;
	gpointer key = GUINT_TO_POINTER(lun_id(lun));

	if (g_hash_table_lookup(supervisor->luns, key) == lun)
		g_hash_table_remove(supervisor->luns, key);
	g_ptr_array_remove_fast(supervisor->stopping, lun);
	exit_when_idle(supervisor);
}

static const struct lun_host lun_host = {
	.find_plugin = host_find_plugin,
	.refresh = host_refresh,
	.open_device = host_open_device,
	.runtime_dir = host_runtime_dir,
	.reply = host_reply,
	.report = host_report,
	.keep = host_keep,
	.gone = host_gone,
};

/* ---- what the kernel asks ---- */

static struct lun *find_lun(struct supervisor *supervisor, uint32_t id)
{
	return g_hash_table_lookup(supervisor->luns, GUINT_TO_POINTER(id));
}

static void stop_lun(struct supervisor *supervisor, struct lun *lun)
{
	/* The id may be in use again before the worker is gone. */
	g_hash_table_remove(supervisor->luns, GUINT_TO_POINTER(lun_id(lun)));
	g_ptr_array_add(supervisor->stopping, lun);
	lun_stop(lun);
}

static struct lun *serve(struct supervisor *supervisor, const struct scuse_nl_device *device, uint64_t cookie)
{
	struct lun *lun = find_lun(supervisor, device->id);
	g_autofree char *name = NULL;
	struct lun_spec spec;

	if (lun)
		stop_lun(supervisor, lun);
	spec_fill(&spec, device);
	name = name_in_store(&spec);
	lun = lun_serve(&lun_host, supervisor, &spec, name ? fdstore_take(supervisor->kept, name) : -1,
			cookie);
	g_hash_table_insert(supervisor->luns, GUINT_TO_POINTER(device->id), lun);
	return lun;
}

static void on_request(void *data, const struct scuse_nl_request *request)
{
	struct supervisor *supervisor = data;
	struct lun *lun = find_lun(supervisor, request->device->id);

	if (supervisor->exiting && request->type != SCUSE_REQUEST_REMOVE) {
		host_reply(supervisor, request->cookie, ESHUTDOWN, "scuse-runner is being stopped");
		return;
	}
	switch (request->type) {
	case SCUSE_REQUEST_ADD:
		mode_keeper_restore(supervisor->modes, request->device);
		serve(supervisor, request->device, request->cookie);
		return;
	case SCUSE_REQUEST_REMOVE:
		if (lun)
			stop_lun(supervisor, lun);
		return;
	case SCUSE_REQUEST_RESIZE:
		if (lun)
			lun_resize(lun, request->cookie, request->size);
		else
			host_reply(supervisor, request->cookie, ENOTCONN,
				   "the LUN is offline, so its size cannot be changed");
		return;
	case SCUSE_REQUEST_SAVE_MODE:
		mode_keeper_save(supervisor->modes, request);
		return;
	case SCUSE_REQUEST_RESTART:
		lun_restart(lun ? lun : serve(supervisor, request->device, 0), request->cookie);
		return;
	}
	host_reply(supervisor, request->cookie, EOPNOTSUPP, "this scuse-runner does not know the request");
}

static void prune_kept(struct supervisor *supervisor, const struct scuse_nl_devices *devices)
{
	g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

	for (size_t i = 0; i < devices->count; i++) {
		struct lun_spec spec;
		char *name;

		spec_fill(&spec, devices->item[i]);
		name = name_in_store(&spec);
		if (name)
			g_hash_table_add(names, name);
		lun_spec_clear(&spec);
	}
	fdstore_prune(supervisor->kept, names);
}

/* Serves the devices that wait for it: after a start, and after messages may have been lost. */
static bool pick_up_devices(struct supervisor *supervisor)
{
	struct scuse_nl_devices *devices;

	if (scuse_nl_get_devices(supervisor->nl, &devices)) {
		log_error("cannot ask the kernel for its devices: %s", scuse_nl_error(supervisor->nl));
		return false;
	}
	for (size_t i = 0; i < devices->count; i++) {
		const struct scuse_nl_device *device = devices->item[i];

		if (device->state != SCUSE_STATE_REMOVING && !find_lun(supervisor, device->id) &&
		    g_hash_table_contains(supervisor->claimed, device->handler)) {
			mode_keeper_restore_missing(supervisor->modes, device);
			serve(supervisor, device, 0);
		}
	}
	prune_kept(supervisor, devices);
	scuse_nl_devices_free(devices);
	return true;
}

/* The kernel module came back: its memory of us is gone. */
static void on_module(void *data, int loaded)
{
	struct supervisor *supervisor = data;

	g_hash_table_remove_all(supervisor->claimed);
	if (!loaded)
		return;
	scan_plugins(supervisor);
	pick_up_devices(supervisor);
}

static gboolean on_netlink(gint fd, GIOCondition condition, gpointer data)
{
	struct supervisor *supervisor = data;
	int result = scuse_nl_dispatch(supervisor->nl, 0);

	(void)fd;
	(void)condition;
	if (result < 0 && result != -EINTR && result != -EAGAIN)
		log_error("netlink: %s", scuse_nl_error(supervisor->nl));
	return G_SOURCE_CONTINUE;
}

/* ---- signals ---- */

static gboolean on_exit_limit(gpointer data)
{
	struct supervisor *supervisor = data;
	GHashTableIter iter;
	gpointer lun;

	log_warning("some workers did not finish in time: they are killed");
	g_hash_table_iter_init(&iter, supervisor->luns);
	while (g_hash_table_iter_next(&iter, NULL, &lun))
		lun_kill(lun);
	for (guint i = 0; i < supervisor->stopping->len; i++)
		lun_kill(g_ptr_array_index(supervisor->stopping, i));
	g_main_loop_quit(supervisor->loop);
	return G_SOURCE_REMOVE;
}

static gboolean on_interrupt(gpointer data)
{
	struct supervisor *supervisor = data;
	g_autoptr(GList) luns = g_hash_table_get_values(supervisor->luns);

	if (supervisor->exiting && !supervisor->leaving) {
		on_exit_limit(supervisor);
		return G_SOURCE_CONTINUE;
	}
	notify_systemd("STOPPING=1");
	supervisor->exiting = true;
	supervisor->leaving = false;
	for (GList *item = luns; item; item = item->next)
		stop_lun(supervisor, item->data);
	g_timeout_add_seconds(EXIT_LIMIT, on_exit_limit, supervisor);
	exit_when_idle(supervisor);
	return G_SOURCE_CONTINUE;
}

static gboolean on_leave_limit(gpointer data)
{
	struct supervisor *supervisor = data;

	if (supervisor->leaving)
		g_main_loop_quit(supervisor->loop);
	return G_SOURCE_REMOVE;
}

static gboolean on_terminate(gpointer data)
{
	struct supervisor *supervisor = data;

	if (!supervisor->options->leave_workers)
		return on_interrupt(data);
	if (supervisor->exiting) {
		on_leave_limit(supervisor);
		return G_SOURCE_CONTINUE;
	}
	notify_systemd("STOPPING=1");
	log_info("stopped; the workers go on serving");
	supervisor->exiting = supervisor->leaving = true;
	g_timeout_add_seconds(EXIT_LIMIT, on_leave_limit, supervisor);
	exit_when_idle(supervisor);
	return G_SOURCE_CONTINUE;
}

static gboolean on_hangup(gpointer data)
{
	struct supervisor *supervisor = data;
	g_autoptr(GList) luns = g_hash_table_get_values(supervisor->luns);

	notify_reloading();
	scan_plugins(supervisor);
	for (GList *item = luns; item; item = item->next)
		lun_retry(item->data);
	pick_up_devices(supervisor);
	notify_systemd("READY=1");
	return G_SOURCE_CONTINUE;
}

/* ---- start and end ---- */

static bool connect_kernel(struct supervisor *supervisor)
{
	static const struct scuse_nl_callbacks callbacks = {
		.struct_size = sizeof(callbacks),
		.request = on_request,
		.module = on_module,
	};
	g_autofree char *error = NULL;

	supervisor->nl = scuse_nl_open(0);
	if (!supervisor->nl && errno == ENODEV) {
		if (!modules_load(&error)) {
			log_error("%s", error);
			return false;
		}
		supervisor->nl = scuse_nl_open(0);
	}
	if (!supervisor->nl) {
		log_error("%s", scuse_nl_error(NULL));
		return false;
	}
	if (!scuse_nl_subscribe(supervisor->nl, &callbacks, supervisor))
		return true;
	log_error("cannot listen to the kernel: %s", scuse_nl_error(supervisor->nl));
	return false;
}

/* A LUN takes three descriptors of ours; the usual limit, 1024, is made for programs that use select(). */
static void raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit))
		log_warning("cannot raise the limit of open files: %s", g_strerror(errno));
}

static void make_runtime_dir(struct supervisor *supervisor)
{
	const char *dir = supervisor->options->runtime_dir;
	int result = rendezvous_make_dir(dir);

	if (result)
		log_error("cannot use %s: %s: workers will end with scuse-runner", dir, g_strerror(-result));
}

static bool start(struct supervisor *supervisor)
{
	raise_limit();
	make_runtime_dir(supervisor);
	if (!connect_kernel(supervisor))
		return false;
	supervisor->modes =
		mode_keeper_new(supervisor->nl, supervisor->options->state_dir, on_modes_idle, supervisor);
	if (!supervisor->modes) {
		log_error("cannot keep mode pages: %s", g_strerror(errno));
		return false;
	}
	if (!scan_plugins(supervisor) || !pick_up_devices(supervisor))
		return false;
	g_unix_signal_add(SIGTERM, on_terminate, supervisor);
	g_unix_signal_add(SIGINT, on_interrupt, supervisor);
	g_unix_signal_add(SIGHUP, on_hangup, supervisor);
	g_unix_fd_add(scuse_nl_fd(supervisor->nl), G_IO_IN, on_netlink, supervisor);
	notify_watchdog();
	notify_ready(supervisor->options->ready_fd);
	return true;
}

static void leave_workers(struct supervisor *supervisor)
{
	GHashTableIter iter;
	gpointer lun;

	g_hash_table_iter_init(&iter, supervisor->luns);
	while (g_hash_table_iter_next(&iter, NULL, &lun))
		lun_leave(lun);
	for (guint i = 0; i < supervisor->stopping->len; i++)
		lun_leave(g_ptr_array_index(supervisor->stopping, i));
}

int supervisor_run(const struct supervisor_options *options)
{
	struct supervisor supervisor = { .options = options };
	bool started;

	signal(SIGPIPE, SIG_IGN);
	supervisor.loop = g_main_loop_new(NULL, FALSE);
	supervisor.claimed = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	supervisor.luns = g_hash_table_new(g_direct_hash, g_direct_equal);
	supervisor.stopping = g_ptr_array_new();
	supervisor.kept = fdstore_new();
	started = start(&supervisor);
	if (started)
		g_main_loop_run(supervisor.loop);
	leave_workers(&supervisor);
	mode_keeper_free(supervisor.modes);
	scuse_nl_close(supervisor.nl);
	fdstore_free(supervisor.kept);
	g_hash_table_unref(supervisor.luns);
	g_hash_table_unref(supervisor.claimed);
	g_ptr_array_unref(supervisor.stopping);
	g_main_loop_unref(supervisor.loop);
	return started ? 0 : 1;
}
