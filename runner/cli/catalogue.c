/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Asks scuse-runner for the handlers; see catalogue.h.  Called by create, run, handlers and completion.
 */
#include "catalogue.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "output.h"

#ifndef SCUSE_RUNNER_PATH
#define SCUSE_RUNNER_PATH "/usr/sbin/scuse-runner"
#endif

static char *beside_ourselves(void)
{
	g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
	g_autofree char *directory = self ? g_path_get_dirname(self) : NULL;

	return directory ? g_build_filename(directory, "scuse-runner", NULL) : NULL;
}

char *catalogue_runner(GError **error)
{
	g_autofree char *beside = beside_ourselves();
	char *found;

	if (beside && access(beside, X_OK) == 0)
		return g_steal_pointer(&beside);
	if (access(SCUSE_RUNNER_PATH, X_OK) == 0)
		return g_strdup(SCUSE_RUNNER_PATH);
	found = g_find_program_in_path("scuse-runner");
	if (!found)
		fail(error, ENOENT, "scuse-runner is not installed (looked for %s, and on PATH)",
		     SCUSE_RUNNER_PATH);
	return found;
}

JsonValue *catalogue_read(GError **error)
{
	g_autofree char *runner = catalogue_runner(error), *output = NULL;
	g_autoptr(JsonValue) catalogue = NULL;
	g_autoptr(GError) reason = NULL;
	int status;

	if (!runner)
		return NULL;
	{
		char *argv[] = { runner, (char *)"--list-handlers", (char *)"--json", NULL };

		if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output, NULL,
				  &status, &reason)) {
			fail(error, EIO, "%s", reason->message);
			return NULL;
		}
	}
	catalogue = output ? json_read(output) : NULL;
	if (!catalogue)
		fail(error, EIO, "%s --list-handlers --json gave no list (status %d)", runner, status);
	return g_steal_pointer(&catalogue);
}

const JsonValue *catalogue_handlers(const JsonValue *catalogue)
{
	const JsonValue *list = json_member(catalogue, "handlers");

	return list ? list : catalogue;
}

const JsonValue *catalogue_find(const JsonValue *catalogue, const char *name)
{
	const JsonValue *list = catalogue_handlers(catalogue);

	for (guint i = 0; i < json_length(list); i++)
		if (!g_strcmp0(json_string_member(json_item(list, i), "name"), name))
			return json_item(list, i);
	return NULL;
}

char *catalogue_names(const JsonValue *catalogue)
{
	const JsonValue *list = catalogue_handlers(catalogue);
	GString *names = g_string_new(NULL);

	for (guint i = 0; i < json_length(list); i++)
		g_string_append_printf(names, "%s%s", i ? ", " : "",
				       json_string_member(json_item(list, i), "name"));
	return g_string_free(names, FALSE);
}

static const char *or_nothing(const char *text)
{
	return text ? text : "";
}

static void print_parameter(const JsonValue *param, const char *main_one)
{
	const char *name = or_nothing(json_string_member(param, "name"));
	const char *choices = json_string_member(param, "choices"),
		   *standard = json_string_member(param, "default");
	g_autofree char *left = g_strdup_printf(
		"%s=%s", name, choices ? choices : or_nothing(json_string_member(param, "type")));

	printf("  %-26s  %s", left, or_nothing(json_string_member(param, "help")));
	if (json_bool_member(param, "required"))
		printf(" (required)");
	else if (standard)
		printf(" (default: %s)", standard);
	if (json_bool_member(param, "secret"))
		printf(" (the name of a file that holds it)");
	if (!g_strcmp0(main_one, name))
		printf(" [also without %s=]", name);
	putchar('\n');
}

/* What its workers go on with once the LUN is served. */
static void print_needs(const JsonValue *needs)
{
	if (!needs || needs->type != JSON_ARRAY) {
		printf("Its workers keep all rights of root: it does not say what it needs.\n");
		return;
	}
	printf("Its workers need");
	for (guint i = 0; i < json_length(needs); i++)
		printf("%s %s", i ? "," : "", or_nothing(json_item(needs, i)->string));
	printf("%s.\n", json_length(needs) ? "" : " no rights");
}

void catalogue_print_handler(const JsonValue *handler)
{
	const JsonValue *params = json_member(handler, "params");
	const char *error = json_string_member(handler, "error");

	printf("%s: %s\n", or_nothing(json_string_member(handler, "name")),
	       or_nothing(json_string_member(handler, "description")));
	if (error)
		printf("It cannot be used: %s\n", error);
	else
		print_needs(json_member(handler, "needs"));
	printf("\nusage: scuse create NAME %s [KEY=VALUE]... [OPTION]...\n\n",
	       or_nothing(json_string_member(handler, "name")));
	printf(json_length(params) ? "parameters:\n" : "It takes no parameters.\n");
	for (guint i = 0; i < json_length(params); i++)
		print_parameter(json_item(params, i), json_string_member(handler, "magic_param"));
}
