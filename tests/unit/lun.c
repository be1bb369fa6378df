// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A LUN in the supervisor: workers that are started, die, are replaced, and are taken over by the next
 * supervisor.  Everything is real but the kernel and the worker's inside: spawn_worker() executes this
 * program again with --worker, where a constructor plays a worker, by the worker's own end of the control
 * socket.
 *
 * The device is a file: a session is a flock() on it, which ends with the process that has it, and what it
 * holds is the process id of a worker that has started.  The LUN's config says how the worker behaves:
 *
 *	""	  serves		"die"	   serves for a moment
 *	"slow"	  takes a while to open	"refuse"   does not open
 *	"ancient" speaks control version 0
 *	"count"	  has a memfd kept in which the workers count themselves
 *	"gossip"  reports an error as soon as it is alone
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>
#include <scuse/abi.h>

#include "control.h"
#include "rendezvous.h"
#include "supervisor/lun.h"
#include "worker/link.h"

#define PATIENCE 20000 /* milliseconds */

/* ---- the worker ---- */

static void count_worker(struct link *link)
{
	int fd = link_kept(link), count = 0;

	if (fd < 0) {
		fd = memfd_create("count", MFD_CLOEXEC);
		link_keep(link, fd);
	}
	if (pread(fd, &count, sizeof(count), 0) < 0)
		_exit(9);
	count++;
	if (pwrite(fd, &count, sizeof(count), 0) < 0)
		_exit(9);
	close(fd);
}

/* A release that has nothing in common with ours but "stop". */
static void serve_ancient(struct link *link)
{
	for (;;) {
		int fd, listener;
		bool end;

		link_poll(link, &fd, &listener);
		struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
					{ .fd = listener, .events = POLLIN } };

		poll(fds, 2, -1);
		if (fds[1].revents) {
			link_accept(link);
			continue;
		}
		g_autoptr(GVariant) packet = control_receive(fd, &end);

		if (packet && strcmp(control_verb(packet), "stop") == 0)
			_exit(0);
		if (packet && strcmp(control_verb(packet), "hello") == 0)
			control_send(fd, "hello", "{'version': <%t>}", (guint64)0);
		if (end)
			link_accept(link); /* drops the connection, once there is another one */
	}
}

static void serve(struct link *link, const char *behaviour)
{
	bool gossiped = strcmp(behaviour, "gossip") != 0;

	for (;;) {
		g_autoptr(GVariant) packet = NULL;
		enum link_order order;
		int fd, listener;

		link_poll(link, &fd, &listener);
		if (fd < 0 && !gossiped) {
			link_event(link, "nobody is there");
			gossiped = true;
		}
		struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
					{ .fd = listener, .events = POLLIN } };

		poll(fds, 2, strcmp(behaviour, "die") == 0 ? 20 : -1);
		if (!fds[0].revents && !fds[1].revents)
			_exit(7);
		order = fds[0].revents ? link_receive(link, &packet) : LINK_NOTHING;
		if (order == LINK_STOP)
			break;
		if (order == LINK_RESIZE)
			link_resized(link, control_uint64(packet, "cookie"), 0, "");
		if (fds[1].revents)
			link_accept(link);
	}
}

static int play_worker(void)
{
	int kept;
	bool end;
	g_autoptr(GVariant) order = control_receive_fd(CONTROL_FD, &kept, &end);
	g_autofree char *behaviour = control_string(order, "config"),
			*dir = control_string(order, "runtime-dir");
	g_autofree char *handler = control_string(order, "handler"), *build = control_string(order, "build");
	g_autoptr(GVariant) restarts = control_value(order, "restarts", "ax");
	char pid[32];
	struct link link;

	signal(SIGPIPE, SIG_IGN);
	link_init(&link, CONTROL_FD, kept);
	link_describe(&link, handler, build, restarts);
	if (link_listen(&link, dir, (uint32_t)control_uint64(order, "id")))
		return 8;
	link_entering(&link, "open");
	if (strcmp(behaviour, "slow") == 0)
		g_usleep(500 * 1000);
	if (strcmp(behaviour, "count") == 0)
		count_worker(&link);
	if (strcmp(behaviour, "refuse") == 0) {
		link_error(&link, ENXIO, "no");
		return 1;
	}
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (ftruncate(DEVICE_FD, 0) || pwrite(DEVICE_FD, pid, strlen(pid), 0) < 0)
		return 8;
	link_entering(&link, "");
	link_ready(&link);
	if (strcmp(behaviour, "ancient") == 0)
		serve_ancient(&link);
	serve(&link, behaviour);
	link_free(&link);
	return 0;
}

__attribute__((constructor)) static void start(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--worker") == 0)
		_exit(play_worker());
}

/* ---- the kernel, and the rest of the supervisor ---- */

#define ANSWERS 16

static struct {
	char *dir, *runtime, *device, *plugin;
	struct {
		uint64_t cookie;
		int status;
	} answers[ANSWERS];
	unsigned int nr_answers;
	GString *reports; /* "EVENT MESSAGE\n" each */
	unsigned int given_up;
	int kept; /* as lun.c said last */
	bool removed, gone;
	struct lun *lun;
} world;

/* Who has started a session, 0: nobody. */
static pid_t server(void)
{
	int fd = open(world.device, O_RDONLY | O_CLOEXEC);
	char text[32] = "";
	pid_t pid = 0;

	if (flock(fd, LOCK_SH | LOCK_NB) && pread(fd, text, sizeof(text) - 1, 0) > 0)
		pid = atoi(text);
	close(fd);
	return pid;
}

static char *find_plugin(void *data, const char *handler)
{
	(void)data;
	(void)handler;
	return g_strdup(world.plugin);
}

static bool refresh(void *data, uint32_t id, struct lun_spec *spec)
{
	(void)data;
	*spec = (struct lun_spec){ .id = id, .pid = server() };
	return !world.removed;
}

static int open_device(void *data, uint32_t id)
{
	int fd = open(world.device, O_RDWR | O_CLOEXEC);

	(void)data;
	(void)id;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return ftruncate(fd, 0) ? -errno : fd;
	close(fd);
	return -EBUSY;
}

static const char *runtime_dir(void *data)
{
	(void)data;
	return world.runtime;
}

static void reply(void *data, uint64_t cookie, int status, const char *message)
{
	(void)data;
	(void)message;
	cr_assert_lt(world.nr_answers, ANSWERS);
	world.answers[world.nr_answers].cookie = cookie;
	world.answers[world.nr_answers++].status = status;
}

static void report(void *data, uint32_t id, uint32_t event, const char *message)
{
	(void)data;
	(void)id;
	world.given_up += event == SCUSE_EVENT_GIVEN_UP;
	g_string_append_printf(world.reports, "%u %s\n", event, message);
}

static void keep(void *data, const struct lun_spec *spec, int fd)
{
	(void)data;
	(void)spec;
	world.kept = fd;
}

static void gone(void *data, struct lun *lun)
{
	(void)data;
	cr_assert_eq(lun, world.lun);
	world.gone = true;
	world.lun = NULL;
}

static const struct lun_host host = {
	.find_plugin = find_plugin,
	.refresh = refresh,
	.open_device = open_device,
	.runtime_dir = runtime_dir,
	.reply = reply,
	.report = report,
	.keep = keep,
	.gone = gone,
};

static void set_plugin(const char *contents)
{
	cr_assert(g_file_set_contents(world.plugin, contents, -1, NULL));
}

static void set_up(void)
{
	if (pidfd_open(getpid(), 0) < 0)
		cr_skip_test("this valgrind does not know pidfd_open()");
	world.dir = g_dir_make_tmp("scuse-lun-XXXXXX", NULL);
	world.runtime = g_build_filename(world.dir, "run", NULL);
	world.device = g_build_filename(world.dir, "device", NULL);
	world.plugin = g_build_filename(world.dir, "plugin.so", NULL);
	world.reports = g_string_new(NULL);
	world.kept = -1;
	cr_assert_eq(rendezvous_make_dir(world.runtime), 0);
	cr_assert(g_file_set_contents(world.device, "", 0, NULL));
	set_plugin("one");
	signal(SIGPIPE, SIG_IGN);
}

static void tear_down(void)
{
	g_autofree char *command = g_strdup_printf("rm -rf '%s'", world.dir);

	if (server())
		kill(server(), SIGKILL);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	cr_expect_eq(system(command), 0);
}

TestSuite(lun, .init = set_up, .fini = tear_down, .timeout = 120);

static gboolean on_timeout(gpointer data)
{
	*(bool *)data = true;
	return G_SOURCE_CONTINUE;
}

#define AWAIT(condition)                                                                   \
	do {                                                                               \
		bool late = false;                                                         \
		guint tick = g_timeout_add(PATIENCE, on_timeout, &late);                   \
		guint poll_source = g_timeout_add(5, on_tick, NULL);                       \
                                                                                           \
		while (!(condition) && !late)                                              \
			g_main_context_iteration(NULL, TRUE);                              \
		g_source_remove(tick);                                                     \
		g_source_remove(poll_source);                                              \
		cr_assert(!late, "in vain: " #condition "; said: %s", world.reports->str); \
	} while (0)

static gboolean on_tick(gpointer data)
{
	(void)data;
	return G_SOURCE_CONTINUE;
}

static void begin(const char *behaviour, uint64_t cookie)
{
	struct lun_spec spec = {
		.id = 5,
		.name = g_strdup("test"),
		.handler = g_strdup("test"),
		.config = g_strdup(behaviour),
		.block_size = 512,
	};

	world.lun = lun_serve(&host, NULL, &spec, -1, cookie);
}

static bool answered(uint64_t cookie, int status)
{
	for (unsigned int i = 0; i < world.nr_answers; i++)
		if (world.answers[i].cookie == cookie) {
			cr_expect_eq(world.answers[i].status, status, "status %d", world.answers[i].status);
			return true;
		}
	return false;
}

/* The supervisor ends, and another one begins. */
static void change_supervisor(const char *behaviour)
{
	lun_leave(world.lun);
	begin(behaviour, 0);
}

static void resize_and_expect(uint64_t cookie, int status)
{
	lun_resize(world.lun, cookie, 1 << 20);
	AWAIT(answered(cookie, status));
}

static void pass_time(void)
{
	bool over = false;
	guint source = g_timeout_add(20, on_timeout, &over);

	while (!over)
		g_main_context_iteration(NULL, TRUE);
	g_source_remove(source);
}

/* Taken over and talked to. */
static void await_control(void)
{
	static uint64_t cookie = 1000;
	bool done = false;

	while (!done) {
		lun_resize(world.lun, ++cookie, 1 << 20);
		AWAIT(world.nr_answers);
		done = world.answers[0].status == 0;
		world.nr_answers = 0;
		pass_time();
	}
}

static void stop_lun(void)
{
	lun_stop(world.lun);
	AWAIT(world.gone);
	AWAIT(!server());
}

static unsigned int sockets(void)
{
	g_autoptr(GPtrArray) list = rendezvous_list(world.runtime);

	return list->len;
}

Test(lun, is_served_until_it_is_stopped)
{
	begin("", 1);
	AWAIT(answered(1, 0));
	cr_expect_neq(server(), 0);
	cr_expect_eq(sockets(), 1);
	resize_and_expect(2, 0);
	stop_lun();
	cr_expect_eq(sockets(), 0);
}

Test(lun, that_does_not_open_is_not_served)
{
	begin("refuse", 1);
	AWAIT(answered(1, ENXIO));
	AWAIT(world.gone);
	cr_expect_eq(sockets(), 0);
}

Test(lun, keeps_its_worker_when_the_supervisor_changes)
{
	pid_t pid;

	begin("", 1);
	AWAIT(answered(1, 0));
	pid = server();
	for (int i = 0; i < 3; i++) {
		world.nr_answers = 0;
		change_supervisor("");
		await_control();
		cr_expect_eq(server(), pid);
	}
	stop_lun();
	cr_expect_eq(sockets(), 0);
}

Test(lun, gets_another_worker_when_one_that_was_taken_over_dies)
{
	pid_t pid;

	begin("", 1);
	AWAIT(answered(1, 0));
	pid = server();
	change_supervisor("");
	world.nr_answers = 0;
	await_control();
	kill(pid, SIGKILL);
	AWAIT(server() && server() != pid);
	cr_expect(strstr(world.reports->str, "how is not known"), "%s", world.reports->str);
	cr_expect_eq(sockets(), 1, "the dead one's socket is removed");
	stop_lun();
}

Test(lun, that_was_being_opened_is_taken_over)
{
	begin("slow", 1);
	AWAIT(sockets() == 1);
	change_supervisor("slow");
	AWAIT(server());
	await_control();
	cr_expect_eq(world.reports->len, 0, "%s", world.reports->str);
	stop_lun();
}

Test(lun, whose_handler_has_changed_gets_another_worker)
{
	pid_t pid;

	begin("", 1);
	AWAIT(answered(1, 0));
	pid = server();
	set_plugin("two");
	change_supervisor("");
	AWAIT(server() && server() != pid);
	world.nr_answers = 0;
	await_control();
	cr_expect_eq(world.reports->len, 0, "it is no failure: %s", world.reports->str);
	stop_lun();
}

Test(lun, whose_worker_speaks_another_language_gets_another_one)
{
	pid_t pid;

	begin("ancient", 1);
	AWAIT(answered(1, 0));
	pid = server();
	change_supervisor("");
	AWAIT(server() && server() != pid);
	world.nr_answers = 0;
	await_control();
	stop_lun();
}

static int count(void)
{
	int count = 0;

	return world.kept >= 0 && pread(world.kept, &count, sizeof(count), 0) == sizeof(count) ? count : 0;
}

Test(lun, hands_what_is_kept_from_worker_to_worker)
{
	pid_t pid;

	begin("count", 1);
	AWAIT(answered(1, 0));
	AWAIT(count() == 1);
	kill(server(), SIGKILL);
	AWAIT(count() == 2);
	AWAIT(server());
	pid = server();
	world.kept = -1;
	change_supervisor("count");
	AWAIT(count() == 2);
	kill(pid, SIGKILL);
	AWAIT(count() == 3);
	AWAIT(server() && server() != pid);
	world.removed = true;
	stop_lun();
	cr_expect_eq(world.kept, -1);
}

Test(lun, is_told_what_happened_meanwhile)
{
	begin("gossip", 1);
	AWAIT(answered(1, 0));
	lun_leave(world.lun);
	g_usleep(300 * 1000);
	begin("gossip", 0);
	AWAIT(strstr(world.reports->str, "nobody is there"));
	stop_lun();
}

Test(lun, that_dies_too_often_is_given_up)
{
	gint64 start = g_get_monotonic_time();

	begin("die", 1);
	AWAIT(world.given_up);
	cr_expect_geq(g_get_monotonic_time() - start, 3100 * 1000, "it waits longer from time to time");
	cr_expect_eq(server(), 0);
	lun_restart(world.lun, 2);
	AWAIT(answered(2, 0));
	AWAIT(world.given_up == 2);
	stop_lun();
}

/* Otherwise a supervisor that dies along with its workers would start them for ever. */
Test(lun, has_one_budget_under_all_supervisors)
{
	pid_t pid = 0;

	begin("", 1);
	AWAIT(answered(1, 0));
	for (int i = 0; i < 5; i++) {
		pid = server();
		kill(pid, SIGKILL);
		AWAIT(server() && server() != pid);
	}
	world.nr_answers = 0;
	await_control();
	pid = server();
	change_supervisor("");
	world.nr_answers = 0;
	await_control();
	cr_expect_eq(server(), pid);
	cr_expect_eq(world.given_up, 0);
	kill(pid, SIGKILL);
	AWAIT(world.given_up);
	stop_lun();
}

Test(lun, is_restarted_on_request)
{
	pid_t pid;

	begin("", 1);
	AWAIT(answered(1, 0));
	pid = server();
	lun_restart(world.lun, 2);
	lun_restart(world.lun, 3);
	AWAIT(answered(2, EBUSY));
	AWAIT(answered(3, 0));
	cr_expect_neq(server(), pid);
	cr_expect_eq(world.reports->len, 0, "it is no failure: %s", world.reports->str);
	stop_lun();
}

/* Files of workers that are long dead, and of something else, are in nobody's way. */
Test(lun, is_not_confused_by_what_lies_about)
{
	g_autofree char *stale = g_build_filename(world.runtime, "5.999999", NULL);
	g_autofree char *other = g_build_filename(world.runtime, "5.1", NULL);
	pid_t pid;

	cr_assert(g_file_set_contents(other, "x", 1, NULL));
	begin("", 1);
	AWAIT(answered(1, 0));
	pid = server();
	cr_assert(g_file_set_contents(stale, "x", 1, NULL));
	change_supervisor("");
	world.nr_answers = 0;
	await_control();
	cr_expect_eq(server(), pid);
	stop_lun();
}
