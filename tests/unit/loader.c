// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The loader's rules: which files are safe, which ABIs fit, which handlers are complete, and what is said
 * otherwise.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/loader.h"

static struct handler *load(const char *name, char **error)
{
	g_autofree char *path = g_strdup_printf("%s/%s.so", TEST_PLUGIN_DIR, name);

	*error = NULL;
	return handler_load(path, name, error);
}

static void refused(const char *name, const char *because)
{
	g_autofree char *error = NULL;

	cr_expect_null(load(name, &error), "%s was loaded", name);
	cr_expect(error && strstr(error, because), "%s: '%s' does not say '%s'", name, error, because);
}

Test(loader, takes_a_good_one)
{
	g_autofree char *error = NULL;
	struct handler *handler = load("good", &error);

	cr_assert(handler, "%s", error);
	cr_expect_str_eq(handler->def.name, "good");
	cr_expect(handler->def.sync == &handler->sync, "the operations are the worker's own copy");
	handler_free(handler);
}

Test(loader, fills_a_shorter_struct_with_zeros)
{
	g_autofree char *error = NULL;
	struct handler *handler = load("short", &error);

	cr_assert(handler, "%s", error);
	cr_expect(handler->def.open != NULL);
	cr_expect(handler->def.probe == NULL && handler->def.close == NULL);
	handler_free(handler);
}

Test(loader, fills_shorter_operations_with_zeros)
{
	g_autofree char *error = NULL;
	struct handler *handler = load("old-ops", &error);

	cr_assert(handler, "%s", error);
	cr_expect(handler->def.abi_minor == 0 && handler->sync.read != NULL);
	cr_expect(handler->sync.format == NULL && handler->sync.sanitize == NULL);
	handler_free(handler);
}

Test(loader, takes_a_newer_minor)
{
	g_autofree char *error = NULL;
	struct handler *handler = load("minor", &error);

	cr_assert(handler, "%s", error);
	cr_expect_eq(handler->def.abi_minor, 7);
	handler_free(handler);
}

Test(loader, refuses_a_newer_major_and_names_both)
{
	char wants[32], has[32];

	snprintf(wants, sizeof(wants), "for handler ABI %d.%d,", SCUSE_HANDLER_ABI_MAJOR + 1,
		 SCUSE_HANDLER_ABI_MINOR);
	snprintf(has, sizeof(has), "has %d.%d:", SCUSE_HANDLER_ABI_MAJOR, SCUSE_HANDLER_ABI_MINOR);
	refused("newer-major", wants);
	refused("newer-major", has);
	refused("newer-major", "install a newer scuse");
}

Test(loader, refuses_what_is_incomplete)
{
	refused("no-open", "no open function");
	refused("no-read", "no read operation");
	refused("both", "both sync and async");
	refused("bad-magic", "magic number");
	refused("wrong-name", "somebody-else.so");
}

Test(loader, refuses_bad_parameter_tables)
{
	refused("bad-default", "'huge' is not valid");
	refused("twice", "in the table twice");
	refused("bad-magic-param", "magic_param 'path'");
}

Test(loader, reports_what_load_says)
{
	refused("load-fails", "the licence has expired");
	refused("undefined", "function_of_a_newer_runner");
}

Test(loader, reports_files_that_are_no_plugins)
{
	g_autofree char *dir = g_dir_make_tmp("scuse-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "text.so", NULL);
	g_autofree char *error = NULL;

	cr_assert(g_file_set_contents(path, "not ELF", -1, NULL));
	cr_expect_null(handler_load(path, "text", &error));
	cr_expect(strstr(error, "cannot be loaded"), "%s", error);
	unlink(path);
	rmdir(dir);
}

/* A copy of the good plugin, in a directory of its own. */
static char *copy_plugin(char **dir)
{
	g_autofree char *from = g_strdup_printf("%s/good.so", TEST_PLUGIN_DIR);
	g_autofree char *contents = NULL;
	gsize length;
	char *to;

	*dir = g_dir_make_tmp("scuse-XXXXXX", NULL);
	to = g_build_filename(*dir, "good.so", NULL);
	cr_assert(g_file_get_contents(from, &contents, &length, NULL));
	cr_assert(g_file_set_contents(to, contents, (gssize)length, NULL));
	chmod(to, 0755);
	return to;
}

static void refused_file(mode_t file_mode, mode_t dir_mode, const char *because)
{
	g_autofree char *dir = NULL;
	g_autofree char *path = copy_plugin(&dir);
	g_autofree char *error = NULL;

	chmod(path, file_mode);
	chmod(dir, dir_mode);
	error = handler_check_file(path);
	cr_expect(error && strstr(error, because), "'%s' does not say '%s'", error, because);
	unlink(path);
	rmdir(dir);
}

Test(loader, refuses_files_that_others_may_write)
{
	refused_file(0757, 0755, "writable by everybody");
	refused_file(0775, 0755, "writable by its group");
	refused_file(0755, 0777, "plugin directory");
}

Test(loader, refuses_files_of_other_users)
{
	g_autofree char *dir = NULL;
	g_autofree char *path = NULL;
	g_autofree char *error = NULL;

	if (geteuid() != 0)
		cr_skip_test("only root can give a file away");
	path = copy_plugin(&dir);
	cr_assert_eq(chown(path, 1, 1), 0);
	error = handler_check_file(path);
	cr_expect(error && strstr(error, "belongs to user 1"), "%s", error);
	unlink(path);
	rmdir(dir);
}

Test(loader, names_cannot_leave_the_directory)
{
	const char *dirs[] = { TEST_PLUGIN_DIR, NULL };
	g_autofree char *good = handler_find(dirs, "good");

	cr_expect_not_null(good);
	cr_expect_null(handler_find(dirs, "../plugins/good"));
	cr_expect_null(handler_find(dirs, "absent"));
	cr_expect(!handler_name_valid("") && !handler_name_valid("Good") && !handler_name_valid("a.b") &&
		  !handler_name_valid("1a") && handler_name_valid("a-1"));
	cr_expect(!handler_name_valid("abcdefghijabcdefghijabcdefghijab"));
}
