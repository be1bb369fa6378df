// SPDX-License-Identifier: LGPL-2.1-or-later
/* The link between changer and drive: what is asked arrives, and nothing that the other end does makes it hang. */
#include <errno.h>
#include <limits.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vchanger_fixture.h"

TestSuite(link, .init = fixture_set_up, .fini = fixture_tear_down);

Test(link, a_drive_that_is_absent_is_told_at_once)
{
	struct link_status status;
	gint64 before = g_get_monotonic_time();

	cr_expect_eq(link_status(fixture_path, 0, &status), -ENOTCONN);
	cr_expect_eq(link_load(fixture_path, 0, "A"), -ENOTCONN);
	cr_expect_eq(link_unload(fixture_path, 0, true), -ENOTCONN);
	cr_expect_lt(g_get_monotonic_time() - before, G_USEC_PER_SEC);
}

Test(link, requests_and_results_arrive)
{
	struct link_status status;
	struct fake_drive drive;

	fixture_put("cartridges", "A");
	fake_drive_start(&drive, 7);
	cr_expect_eq(link_status(fixture_path, 7, &status), 0);
	cr_expect(!status.name[0] && !status.loaded && !strcmp(status.id, "fake"));
	cr_expect_eq(link_load(fixture_path, 7, "A"), 0);
	cr_expect_eq(link_load(fixture_path, 7, "A"), 0, "it is in already");
	cr_expect_eq(link_load(fixture_path, 7, "B"), -EBUSY);
	cr_expect_eq(link_load(fixture_path, 7, "../A"), -EINVAL);
	drive.prevented = true;
	cr_expect_eq(link_status(fixture_path, 7, &status), 0);
	cr_expect(!strcmp(status.name, "A") && status.loaded && status.prevented);
	cr_expect_eq(link_unload(fixture_path, 7, false), -EPERM);
	cr_expect_eq(link_unload(fixture_path, 7, true), 0);
	cr_expect_eq(link_load(fixture_path, 7, "missing"), -ENOENT);
	fake_drive_stop(&drive);
	cr_expect_eq(link_status(fixture_path, 7, &status), -ENOTCONN);
}

Test(link, one_process_a_drive)
{
	struct fake_drive drive;

	fake_drive_start(&drive, 0);
	cr_expect_null(link_listen(fixture_path, 0, &(struct link_ops){ NULL }, NULL));
	cr_expect_eq(errno, EADDRINUSE);
	fake_drive_stop(&drive);
}

/* A socket's file, bound by somebody who may listen or not; the descriptor. */
static int squat(bool listens)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/drive-0.socket", fixture_path);
	cr_assert_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	if (listens)
		cr_assert_eq(listen(fd, 4), 0);
	return fd;
}

Test(link, a_socket_that_a_killed_worker_left_is_replaced)
{
	struct link_status status;
	struct fake_drive drive;

	close(squat(false));
	cr_expect_eq(link_status(fixture_path, 0, &status), -ENOTCONN);
	fake_drive_start(&drive, 0);
	cr_expect_eq(link_status(fixture_path, 0, &status), 0);
	fake_drive_stop(&drive);
}

Test(link, a_drive_that_hangs_does_not_make_the_changer_hang)
{
	struct link_status status;
	gint64 before = g_get_monotonic_time();
	int fd = squat(true);

	cr_expect_eq(link_status(fixture_path, 0, &status), -ETIMEDOUT);
	cr_expect_lt(g_get_monotonic_time() - before, 4 * LINK_STATUS_TIMEOUT * 1000);
	close(fd);
}

Test(link, a_stranger_does_not_stop_a_drive)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct link_status status;
	struct fake_drive drive;

	fake_drive_start(&drive, 0);
	g_snprintf(address.sun_path, sizeof(address.sun_path), "%s/drive-0.socket", fixture_path);
	cr_assert_eq(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	/* It says nothing: the drive gives it up after a second. */
	cr_expect_eq(link_status(fixture_path, 0, &status), 0);
	close(fd);
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	cr_expect_eq(send(fd, "?", 1, MSG_NOSIGNAL), 1);
	cr_expect_eq(link_status(fixture_path, 0, &status), 0);
	close(fd);
	fake_drive_stop(&drive);
}

Test(link, names_of_cartridges)
{
	const char *good[] = { "A", "A00001L8", "A-1_b.tap", "~!@#$%^&*()" };
	const char *bad[] = { "",
			      ".",
			      ".hidden",
			      "a b",
			      "a/b",
			      "a\tb",
			      "\xc3\xa4",
			      "a123456789b123456789c123456789d123456789e123456789f1234567890123"
			      "4" };

	for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
		cr_expect(link_name_valid(good[i]), "'%s'", good[i]);
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		cr_expect_not(link_name_valid(bad[i]), "'%s'", bad[i]);
}

Test(link, what_is_assigned_to_a_drive)
{
	g_autofree char *state = g_build_filename(fixture_path, "state", NULL);
	g_autofree char *wanted = g_build_filename(fixture_path, "cartridges", "B.tap", NULL);
	char name[LINK_NAME_MAX], path[PATH_MAX];

	cr_expect_eq(link_assigned(fixture_path, 0, name, path), -ENOENT);
	g_file_set_contents(state,
			    "# a comment\n"
			    "\n"
			    "slot 1 A\n"
			    "nonsense\n"
			    "drive 1 B.tap from 3\n"
			    "drive 2 ../../etc/passwd\n"
			    "drive 3 C word\n"
			    "moved 1 2 0\n",
			    -1, NULL);
	cr_expect_eq(link_assigned(fixture_path, 1, name, path), 0);
	cr_expect_str_eq(name, "B.tap");
	cr_expect_str_eq(path, wanted);
	for (unsigned int drive = 0; drive < 5; drive++)
		cr_expect(drive == 1 || link_assigned(fixture_path, drive, name, path) == -ENOENT, "%u",
			  drive);
}
