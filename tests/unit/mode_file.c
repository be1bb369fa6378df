/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Files of saved mode pages: what is written is read again, whatever the LUN's name; everything else is
 * refused with a reason.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <glib/gstdio.h>
#include "mode_file.h"

static const uint8_t pages[] = { 0x88, 0x12, 0x04, 0xff, 0x00, 0x10 };
static char *state_dir;

static void make_state_dir(void)
{
	state_dir = g_dir_make_tmp("scuse-XXXXXX", NULL);
}

static void remove_state_dir(void)
{
	g_autofree char *modes = g_strdup_printf("%s/modes", state_dir);
	g_autofree char *temporary = g_strdup_printf("%s/modes.new", state_dir);
	g_autoptr(GDir) dir = g_dir_open(modes, 0, NULL);
	const char *name;

	while (dir && (name = g_dir_read_name(dir))) {
		g_autofree char *path = g_strdup_printf("%s/%s", modes, name);

		unlink(path);
	}
	unlink(temporary);
	rmdir(modes);
	rmdir(state_dir);
	g_free(state_dir);
}

TestSuite(files, .init = make_state_dir, .fini = remove_state_dir);

static void check_saved(const char *name, const char *serial)
{
	g_auto(mode_file) file = { 0 };
	g_autofree char *error = NULL;

	cr_assert_eq(mode_file_load(state_dir, name, &file, &error), 0, "%s: %s", name, error);
	cr_assert_str_eq(file.serial, serial);
	cr_assert_eq(file.length, sizeof(pages));
	cr_assert_arr_eq(file.pages, pages, sizeof(pages));
}

Test(files, saved_and_read_again)
{
	g_autofree char *longest = g_strnfill(255, 'x');
	const char *names[] = { "disk0", "a b:c%2Fd", "%2E", "...", "modes.new", "\xc3\xb6", longest };
	g_autofree char *error = NULL;

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		cr_assert_eq(mode_file_save(state_dir, names[i], "serial", pages, sizeof(pages), &error), 0,
			     "%s: %s", names[i], error);
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		check_saved(names[i], "serial");
	/* The newer one counts, also one without a serial number. */
	cr_assert_eq(mode_file_save(state_dir, "disk0", "", pages, sizeof(pages), &error), 0);
	check_saved("disk0", "");
}

Test(files, for_root_alone)
{
	g_autofree char *error = NULL, *path = mode_file_path(state_dir, "disk0");
	struct stat status;

	umask(0);
	cr_assert_eq(mode_file_save(state_dir, "disk0", "", pages, sizeof(pages), &error), 0);
	cr_assert_eq(stat(path, &status), 0);
	cr_assert_eq(status.st_mode & 07777, 0600);
}

Test(files, removed)
{
	g_auto(mode_file) file = { 0 };
	g_autofree char *error = NULL;

	cr_assert_eq(mode_file_remove(state_dir, "disk0", &error), 0);
	cr_assert_eq(mode_file_save(state_dir, "disk0", "", pages, sizeof(pages), &error), 0);
	cr_assert_eq(mode_file_remove(state_dir, "disk0", &error), 0);
	cr_assert_eq(mode_file_load(state_dir, "disk0", &file, &error), ENOENT);
	cr_assert_null(error);
}

Test(files, names_that_lead_elsewhere)
{
	const char *names[] = { "", ".", "..", "a/b", "../x" };

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
		g_autofree char *save = NULL, *load = NULL, *gone = NULL;
		g_auto(mode_file) file = { 0 };

		cr_assert_eq(mode_file_save(state_dir, names[i], "", pages, sizeof(pages), &save), EINVAL);
		cr_assert_eq(mode_file_load(state_dir, names[i], &file, &load), EINVAL);
		cr_assert_eq(mode_file_remove(state_dir, names[i], &gone), EINVAL);
		cr_assert(save && load && gone);
	}
}

Test(files, nowhere_to_save)
{
	g_autofree char *error = NULL, *path = g_strdup_printf("%s/modes", state_dir);

	/* A file where the directory should be. */
	cr_assert(g_file_set_contents(path, "x", 1, NULL));
	cr_assert_neq(mode_file_save(state_dir, "disk0", "", pages, sizeof(pages), &error), 0);
	cr_assert(strstr(error, path) != NULL, "%s", error);
	unlink(path);
}

Test(files, too_long)
{
	static const uint8_t many[SCUSE_MODE_MAX + 1];
	g_autofree char *error = NULL, *other = NULL, *path = mode_file_path(state_dir, "disk0");
	g_autofree char *large = g_strnfill(100000, 'x');
	g_auto(mode_file) file = { 0 };

	cr_assert_eq(mode_file_save(state_dir, "disk0", "", many, sizeof(many), &error), EMSGSIZE);
	cr_assert_not(g_file_test(path, G_FILE_TEST_EXISTS));
	cr_assert_eq(mode_file_save(state_dir, "disk0", "", many, SCUSE_MODE_MAX, &error), 0);
	cr_assert(g_file_set_contents(path, large, 100000, NULL));
	cr_assert_eq(mode_file_load(state_dir, "disk0", &file, &other), EBADMSG);
	cr_assert(strstr(other, path) != NULL, "%s", other);
}

/* ---- bytes ------------------------------------------------------------------------------------------ */

Test(bytes, each_change_is_noticed)
{
	g_autoptr(GByteArray) bytes = mode_file_encode("serial", pages, sizeof(pages));

	for (guint i = 0; i < bytes->len * 8; i++) {
		g_auto(mode_file) file = { 0 };

		bytes->data[i / 8] ^= (guint8)(1 << i % 8);
		cr_assert_not_null(mode_file_decode(bytes->data, bytes->len, &file), "bit %u", i);
		bytes->data[i / 8] ^= (guint8)(1 << i % 8);
	}
}

Test(bytes, cut_or_continued)
{
	g_autoptr(GByteArray) bytes = mode_file_encode("serial", pages, sizeof(pages));
	guint length = bytes->len;

	g_byte_array_append(bytes, (const guint8 *)"more", 4);
	for (guint size = 0; size <= bytes->len; size++) {
		/* A copy of that size alone, so that a sanitizer sees a read behind it. */
		g_autofree void *copy = g_memdup2(bytes->data, size);
		g_auto(mode_file) file = { 0 };
		bool good = mode_file_decode(copy, size, &file) == NULL;

		cr_assert_eq(good, size == length, "%u bytes", size);
	}
}

Test(bytes, no_pages)
{
	g_autoptr(GByteArray) bytes = mode_file_encode("", "", 0);
	g_auto(mode_file) file = { 0 };

	cr_assert_null(mode_file_decode(bytes->data, bytes->len, &file));
	cr_assert_eq(file.length, 0);
	cr_assert_str_eq(file.serial, "");
}
