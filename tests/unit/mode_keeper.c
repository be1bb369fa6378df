/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The supervisor's keeping of mode pages: what is saved is answered when it is there, and given back to the
 * right LUN alone.  A kernel of a few functions stands in for libscuse-netlink.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <glib.h>
#include "mode_file.h"
#include "supervisor/mode.h"

static const uint8_t pages[] = { 0x88, 0x02, 0x04, 0x00 };
static const uint8_t others[] = { 0x88, 0x02, 0x00, 0x01 };

static struct {
	int replies, status, idle;
	char message[256];
	int sets, refuse;
	uint8_t mode[SCUSE_MODE_MAX];
	size_t length;
	int get;	   /* what asking for mode pages returns */
	const void *saved; /* those that the kernel has */
} kernel;

static struct mode_keeper *keeper;
static char *state_dir;
static struct scuse_nl_device device;

/* ---- the kernel ------------------------------------------------------------------------------------- */

int scuse_nl_reply(struct scuse_nl *nl, uint64_t cookie, int status, const char *message)
{
	(void)nl;
	cr_assert_eq(cookie, 77);
	kernel.replies++;
	kernel.status = status;
	g_strlcpy(kernel.message, message ? message : "", sizeof(kernel.message));
	return 0;
}

int scuse_nl_set_mode(struct scuse_nl *nl, uint32_t id, const void *bytes, size_t length)
{
	(void)nl;
	cr_assert_eq(id, 3);
	kernel.sets++;
	memcpy(kernel.mode, bytes, length);
	kernel.length = length;
	return kernel.refuse;
}

int scuse_nl_get_mode(struct scuse_nl *nl, uint32_t id, struct scuse_nl_mode **mode)
{
	(void)nl;
	cr_assert_eq(id, 3);
	*mode = NULL;
	if (kernel.get)
		return kernel.get;
	*mode = g_new0(struct scuse_nl_mode, 1);
	(*mode)->saved = kernel.saved;
	return 0;
}

void scuse_nl_mode_free(struct scuse_nl_mode *mode)
{
	g_free(mode);
}

const char *scuse_nl_error(const struct scuse_nl *nl)
{
	(void)nl;
	return "mode page 08h is 2 bytes long, not 18";
}

/* ---- each test -------------------------------------------------------------------------------------- */

static void on_idle(void *data)
{
	(void)data;
	kernel.idle++;
}

static void set_up(void)
{
	memset(&kernel, 0, sizeof(kernel));
	state_dir = g_dir_make_tmp("scuse-XXXXXX", NULL);
	keeper = mode_keeper_new(NULL, state_dir, on_idle, NULL);
	device = (struct scuse_nl_device){ .id = 3, .name = "disk0", .handler = "file", .serial = "one" };
}

static void tear_down(void)
{
	g_autofree char *path = mode_file_path(state_dir, "disk0"), *modes = g_path_get_dirname(path);

	mode_keeper_free(keeper);
	unlink(path);
	unlink(modes);
	rmdir(modes);
	rmdir(state_dir);
	g_free(state_dir);
}

TestSuite(saving, .init = set_up, .fini = tear_down);
TestSuite(giving_back, .init = set_up, .fini = tear_down);

static void ask_to_save(const void *bytes, size_t length)
{
	struct scuse_nl_request request = { .cookie = 77,
					    .type = SCUSE_REQUEST_SAVE_MODE,
					    .device = &device,
					    .mode = bytes,
					    .mode_length = length };

	mode_keeper_save(keeper, &request);
}

static void wait_until_idle(void)
{
	while (mode_keeper_busy(keeper))
		g_main_context_iteration(NULL, TRUE);
}

static void keep(const char *serial)
{
	g_autofree char *error = NULL;

	cr_assert_eq(mode_file_save(state_dir, "disk0", serial, pages, sizeof(pages), &error), 0);
}

static bool is_kept(void)
{
	g_autofree char *path = mode_file_path(state_dir, "disk0");

	return g_file_test(path, G_FILE_TEST_EXISTS);
}

Test(saving, is_answered_when_it_is_done)
{
	g_auto(mode_file) file = { 0 };
	g_autofree char *error = NULL;

	ask_to_save(pages, sizeof(pages));
	cr_assert_eq(kernel.replies, 0);
	cr_assert(mode_keeper_busy(keeper));
	wait_until_idle();
	cr_assert_eq(kernel.replies, 1);
	cr_assert_eq(kernel.status, 0);
	cr_assert_eq(kernel.idle, 1);
	cr_assert_eq(mode_file_load(state_dir, "disk0", &file, &error), 0);
	cr_assert_str_eq(file.serial, "one");
	cr_assert_arr_eq(file.pages, pages, sizeof(pages));
}

Test(saving, keeps_the_order)
{
	g_auto(mode_file) file = { 0 };
	g_autofree char *error = NULL;

	for (int i = 0; i < 20; i++)
		ask_to_save(i < 19 ? pages : others, sizeof(pages));
	wait_until_idle();
	cr_assert_eq(kernel.replies, 20);
	cr_assert_eq(kernel.idle, 1);
	cr_assert_eq(mode_file_load(state_dir, "disk0", &file, &error), 0);
	cr_assert_arr_eq(file.pages, others, sizeof(others));
}

Test(saving, says_why_it_failed)
{
	g_autofree char *modes = g_strdup_printf("%s/modes", state_dir);

	/* A file where the directory should be. */
	cr_assert(g_file_set_contents(modes, "x", 1, NULL));
	ask_to_save(pages, sizeof(pages));
	wait_until_idle();
	cr_assert_eq(kernel.replies, 1);
	cr_assert_gt(kernel.status, 0);
	cr_assert(strstr(kernel.message, modes) != NULL, "%s", kernel.message);
}

Test(saving, of_nothing_or_too_much)
{
	static const uint8_t many[SCUSE_MODE_MAX + 1];

	ask_to_save(NULL, 0);
	cr_assert_eq(kernel.status, EINVAL);
	ask_to_save(many, sizeof(many));
	cr_assert_eq(kernel.status, EINVAL);
	cr_assert_eq(kernel.replies, 2);
	cr_assert_not(mode_keeper_busy(keeper));
	cr_assert_not(is_kept());
}

Test(giving_back, to_the_same_lun)
{
	mode_keeper_restore(keeper, &device);
	cr_assert_eq(kernel.sets, 0);
	keep("one");
	mode_keeper_restore(keeper, &device);
	cr_assert_eq(kernel.sets, 1);
	cr_assert_eq(kernel.length, sizeof(pages));
	cr_assert_arr_eq(kernel.mode, pages, sizeof(pages));
	cr_assert(is_kept());
}

Test(giving_back, to_a_lun_without_a_number)
{
	keep("one");
	device.serial = "";
	mode_keeper_restore(keeper, &device);
	cr_assert_eq(kernel.sets, 1);
}

Test(giving_back, not_to_another_lun)
{
	keep("two");
	mode_keeper_restore(keeper, &device);
	cr_assert_eq(kernel.sets, 0);
	cr_assert_not(is_kept());
	keep("");
	mode_keeper_restore(keeper, &device);
	cr_assert_eq(kernel.sets, 0);
	cr_assert_not(is_kept());
}

Test(giving_back, of_a_broken_file)
{
	g_autofree char *path = mode_file_path(state_dir, "disk0");

	keep("one");
	cr_assert_eq(truncate(path, 30), 0);
	mode_keeper_restore(keeper, &device);
	cr_assert_eq(kernel.sets, 0);
	/* Whoever reads the log decides. */
	cr_assert(is_kept());
}

Test(giving_back, of_what_the_kernel_refuses)
{
	keep("one");
	kernel.refuse = -EINVAL;
	mode_keeper_restore(keeper, &device);
	cr_assert_eq(kernel.sets, 1);
	cr_assert(is_kept());
}

Test(giving_back, of_what_the_kernel_lacks_alone)
{
	keep("one");
	kernel.saved = others;
	mode_keeper_restore_missing(keeper, &device);
	kernel.get = -EOPNOTSUPP;
	mode_keeper_restore_missing(keeper, &device);
	cr_assert_eq(kernel.sets, 0);
	kernel.get = 0;
	kernel.saved = NULL;
	mode_keeper_restore_missing(keeper, &device);
	cr_assert_eq(kernel.sets, 1);
}
