// SPDX-License-Identifier: LGPL-2.1-or-later
/* The supervisor's smaller parts: budget of restarts, builds of plugins, systemd's store, packets. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "control.h"
#include "supervisor/budget.h"
#include "supervisor/build.h"
#include "supervisor/fdstore.h"
#include "supervisor/notify.h"

#define SECOND G_USEC_PER_SEC

/* ---- budget ---- */

Test(budget, is_used_up_and_comes_back)
{
	struct budget budget = { 0 };
	gint64 now = 1000 * SECOND;

	for (int i = 0; i < BUDGET_RESTARTS; i++)
		cr_expect_eq(budget_take(&budget, now + i * SECOND), BUDGET_DELAY << i);
	cr_expect_eq(budget_take(&budget, now + 10 * SECOND), -1);
	cr_expect_eq(budget_take(&budget, now + BUDGET_WINDOW), BUDGET_DELAY << 4, "the first is forgotten");
	cr_expect_eq(budget_take(&budget, now + BUDGET_WINDOW), -1);
	cr_expect_eq(budget_take(&budget, now + 10 * BUDGET_WINDOW), BUDGET_DELAY);
	budget_reset(&budget);
	cr_expect_eq(budget_take(&budget, now), BUDGET_DELAY);
}

Test(budget, goes_to_the_next_supervisor)
{
	struct budget budget = { 0 }, next;
	gint64 now = 1000 * SECOND;
	g_autoptr(GVariant) saved = NULL;

	for (int i = 0; i < 3; i++)
		budget_take(&budget, now + i);
	saved = g_variant_ref_sink(budget_save(&budget));
	budget_restore(&next, saved, now + 5);
	cr_expect_eq(budget_take(&next, now + 5), BUDGET_DELAY << 3);
	budget_restore(&next, saved, now + 1); /* the third is to come, so it is a lie */
	cr_expect_eq(budget_take(&next, now + 1), BUDGET_DELAY << 2);
	budget_restore(&next, NULL, now);
	cr_expect_eq(budget_take(&next, now), BUDGET_DELAY);
}

/* ---- builds ---- */

static char *temporary(void)
{
	char *path = g_strdup("/tmp/scuse-build-XXXXXX");
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	close(fd);
	return path;
}

static void write_file(const char *path, const char *contents, size_t length)
{
	cr_assert(g_file_set_contents(path, contents, (gssize)length, NULL));
}

Test(build, is_the_same_for_a_copy)
{
	g_autofree char *path = temporary(), *contents = NULL, *original = NULL, *copy = NULL,
			*changed = NULL;
	char *note;
	gsize length;

	cr_assert(g_file_get_contents(TEST_HANDLER_DIR "/memory.so", &contents, &length, NULL));
	original = plugin_build(TEST_HANDLER_DIR "/memory.so");
	cr_assert(g_str_has_prefix(original, "build-id:"), "%s", original);
	cr_expect_gt(strlen(original), 9 + 15);
	write_file(path, contents, length);
	copy = plugin_build(path);
	cr_expect_str_eq(copy, original);
	note = memmem(contents, length, "\3\0\0\0GNU", 8);
	cr_assert_not_null(note);
	note[9] ^= 1;
	write_file(path, contents, length);
	changed = plugin_build(path);
	cr_expect_str_neq(changed, original);
	unlink(path);
}

/* Whatever is wrong with the file, it is told from another one. */
Test(build, of_files_without_an_id)
{
	g_autofree char *path = temporary(), *contents = NULL, *first = NULL, *second = NULL;
	gsize length;

	cr_expect_null(plugin_build("/nonexistent"));
	cr_expect_null(plugin_build("/tmp"));
	write_file(path, "one", 3);
	first = plugin_build(path);
	cr_expect(g_str_has_prefix(first, "file:"), "%s", first);
	write_file(path, "two!", 4);
	second = plugin_build(path);
	cr_expect_str_neq(first, second);
	cr_assert(g_file_get_contents(TEST_HANDLER_DIR "/memory.so", &contents, &length, NULL));
	for (gsize cut = 0; cut < 4096; cut += 61) {
		g_autofree char *build = NULL;

		write_file(path, contents, cut);
		build = plugin_build(path);
		cr_expect_not_null(build);
	}
	for (unsigned int seed = 0; seed < 2000; seed++) {
		g_autofree char *spoilt = g_memdup2(contents, length), *build = NULL;

		for (int i = 0; i < 4; i++)
			spoilt[(seed * 2654435761u + (unsigned int)i * 40503u) % 1024] = (char)(seed >> i);
		if (seed % 100 == 0)
			write_file(path, spoilt, length);
		build = plugin_build(path);
		cr_expect_not_null(build);
	}
	unlink(path);
}

/* ---- systemd ---- */

static int listen_as_systemd(char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	g_strlcpy(address.sun_path, path, sizeof(address.sun_path));
	unlink(path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", path, 1);
	return fd;
}

static char *next_notification(int from, int *passed)
{
	char text[512] = "", space[CMSG_SPACE(sizeof(int))];
	struct iovec data = { text, sizeof(text) - 1 };
	struct msghdr message = {
		.msg_iov = &data, .msg_iovlen = 1, .msg_control = space, .msg_controllen = sizeof(space)
	};
	struct cmsghdr *header;

	*passed = -1;
	if (recvmsg(from, &message, 0) < 0)
		return g_strdup("nothing");
	header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_type == SCM_RIGHTS)
		memcpy(passed, CMSG_DATA(header), sizeof(*passed));
	return g_strdup(text);
}

static void expect_notification(int from, const char *wanted, bool with_fd)
{
	int passed;
	g_autofree char *text = next_notification(from, &passed);

	cr_expect_str_eq(text, wanted, "'%s' instead of '%s'", text, wanted);
	cr_expect_eq(passed >= 0, with_fd);
	if (passed >= 0)
		close(passed);
}

Test(systemd, keeps_descriptors)
{
	char path[] = "/tmp/scuse-notify-test.sock";
	int systemd = listen_as_systemd(path), fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	fdstore_put("lun1-x", fd);
	expect_notification(systemd, "FDSTOREREMOVE=1\nFDNAME=lun1-x", false);
	expect_notification(systemd, "FDSTORE=1\nFDNAME=lun1-x", true);
	fdstore_put("lun1-x", -1);
	expect_notification(systemd, "FDSTOREREMOVE=1\nFDNAME=lun1-x", false);
	expect_notification(systemd, "nothing", false);
	notify_systemd("STOPPING=1");
	expect_notification(systemd, "STOPPING=1", false);
	unlink(path);
}

static bool was_notified(int from, const char *wanted)
{
	int passed;
	g_autofree char *text = next_notification(from, &passed);

	return strcmp(text, wanted) == 0;
}

#define REQUIRE(condition) \
	if (!(condition))  \
	return __LINE__ % 256

/* In a process of its own: the descriptors from 3 on are Criterion's.  The line that failed, or 0. */
static int take_over(void)
{
	g_autoptr(GHashTable) exist = g_hash_table_new(g_str_hash, g_str_equal);
	g_autofree char *pid = g_strdup_printf("%d", (int)getpid());
	char path[] = "/tmp/scuse-notify-test2.sock";
	struct fdstore *store;
	int systemd;

	for (int i = 3; i < 6; i++)
		REQUIRE(dup2(STDIN_FILENO, i) == i);
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "3", 1);
	setenv("LISTEN_FDNAMES", "a:b:c", 1);
	store = fdstore_new();
	systemd = listen_as_systemd(path);
	REQUIRE(fdstore_take(store, "b") == 4);
	REQUIRE(fdstore_take(store, "b") == -1);
	REQUIRE(fcntl(4, F_GETFD) & FD_CLOEXEC);
	g_hash_table_add(exist, (gpointer) "a");
	fdstore_prune(store, exist);
	REQUIRE(was_notified(systemd, "FDSTOREREMOVE=1\nFDNAME=c"));
	REQUIRE(was_notified(systemd, "nothing"));
	REQUIRE(fcntl(5, F_GETFD) < 0);
	REQUIRE(fdstore_take(store, "a") == 3);
	fdstore_free(store);
	setenv("LISTEN_PID", "1", 1);
	store = fdstore_new(); /* somebody else's */
	REQUIRE(fdstore_take(store, "a") == -1);
	fdstore_free(store);
	unlink(path);
	return 0;
}

Test(systemd, hands_descriptors_over)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(take_over());
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_eq(status, 0, "line %d", WEXITSTATUS(status));
}

Test(systemd, tells_luns_apart)
{
	g_autofree char *one = fdstore_name(1, "a", "memory", "s"),
			*other = fdstore_name(1, "a", "memory", "t");

	cr_expect_null(fdstore_name(1, "a", "memory", ""), "another LUN may be in its place some day");
	cr_expect_str_neq(one, other);
	cr_expect_lt(strlen(one), 255);
	cr_expect_null(strchr(one, ':'));
}

/* ---- packets ---- */

Test(control, carries_one_descriptor)
{
	int pair[2], passed;
	struct stat here, there;
	bool end;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	cr_expect(control_send_fd(pair[0], STDIN_FILENO, "keep", "@a{sv} {}"));
	cr_expect(control_send(pair[0], "phase", "{'phase': <%s>}", "open"));
	g_autoptr(GVariant) first = control_receive_fd(pair[1], &passed, &end);

	cr_assert_not_null(first);
	cr_expect_str_eq(control_verb(first), "keep");
	cr_assert(!fstat(passed, &here) && !fstat(STDIN_FILENO, &there));
	cr_expect_eq(here.st_ino, there.st_ino);
	cr_expect(fcntl(passed, F_GETFD) & FD_CLOEXEC);
	close(passed);
	g_autoptr(GVariant) second = control_receive_fd(pair[1], &passed, &end);
	g_autofree char *phase = control_string(second, "phase");

	cr_expect_str_eq(phase, "open");
	cr_expect_eq(passed, -1);
	cr_expect_null(control_value(second, "phase", "ax"), "of another type is not there");
	cr_expect_null(control_receive(pair[1], &end));
	cr_expect(!end);
	close(pair[0]);
	cr_expect_null(control_receive(pair[1], &end));
	cr_expect(end);
}

/* What is no packet ends the conversation, and the descriptor beside it does not leak. */
Test(control, refuses_garbage)
{
	int pair[2], passed, before = dup(0), after;
	bool end;

	close(before);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair), 0);
	cr_expect_eq(send(pair[0], "garbage", 7, 0), 7);
	cr_expect_null(control_receive_fd(pair[1], &passed, &end));
	cr_expect(end);
	cr_expect_eq(passed, -1);
	close(pair[0]);
	close(pair[1]);
	after = dup(0);
	cr_expect_eq(before, after);
	close(after);
}
