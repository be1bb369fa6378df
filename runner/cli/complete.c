/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse complete: what shell completion asks for; one candidate a line.  Not in --help, nor an interface for
 *people.
 *
 *	scuse complete commands | names | handlers
 *	scuse complete options COMMAND
 *	scuse complete params HANDLER
 */
#include <stdio.h>
#include <string.h>
#include "args.h"
#include "catalogue.h"
#include "device.h"

static void list_commands(void)
{
	for (const struct command *const *command = commands; *command; command++)
		if ((*command)->summary)
			puts((*command)->name);
}

static void list_choices(const char *name, const char *choices)
{
	g_auto(GStrv) each = g_strsplit(choices, "|", -1);

	for (char **choice = each; *choice; choice++)
		printf("%s=%s\n", name, *choice);
}

static void list_options(const char *name)
{
	const struct command *command = find_command(name);

	for (const struct option *option = command ? command->options : NULL; option && option->name;
	     option++) {
		g_autofree char *typed = g_strdup_printf("--%s", option->name);

		if (option->value && strchr(option->value, '|'))
			list_choices(typed, option->value);
		else
			printf("%s%s\n", typed, option->value ? "=" : "");
	}
	for (const struct option *option = global_options; option->name; option++)
		printf("--%s\n", option->name);
}

static void list_names(void)
{
	g_autoptr(scuse_nl) nl = scuse_nl_open(0);
	g_autoptr(scuse_nl_devices) devices = NULL;

	if (!nl || scuse_nl_get_devices(nl, &devices))
		return;
	for (size_t i = 0; i < devices->count; i++) {
		g_autofree char *name = decode_name(devices->item[i]->name);

		puts(name);
	}
}

static void list_handlers(void)
{
	g_autoptr(JsonValue) catalogue = catalogue_read(NULL);
	const JsonValue *list = catalogue_handlers(catalogue);

	for (guint i = 0; i < json_length(list); i++)
		if (json_string_member(json_item(list, i), "name"))
			puts(json_string_member(json_item(list, i), "name"));
}

static void list_params(const char *handler)
{
	g_autoptr(JsonValue) catalogue = catalogue_read(NULL);
	const JsonValue *params = json_member(catalogue_find(catalogue, handler), "params");

	for (guint i = 0; i < json_length(params); i++) {
		const JsonValue *param = json_item(params, i);
		const char *name = json_string_member(param, "name"),
			   *choices = json_string_member(param, "choices");

		if (name && choices)
			list_choices(name, choices);
		else if (name)
			printf("%s=\n", name);
	}
}

static int run(int argc, char **argv, char **tail, GError **error)
{
	const char *what = argc ? argv[0] : "";

	(void)tail;
	(void)error;
	if (!strcmp(what, "commands"))
		list_commands();
	else if (!strcmp(what, "names"))
		list_names();
	else if (!strcmp(what, "handlers"))
		list_handlers();
	else if (!strcmp(what, "options") && argc > 1)
		list_options(argv[1]);
	else if (!strcmp(what, "params") && argc > 1)
		list_params(argv[1]);
	else
		return EXIT_USAGE;
	return EXIT_OK;
}

const struct command complete_command = {
	.name = "complete",
	.arguments = "commands | names | handlers | options COMMAND | params HANDLER",
	.run = run,
};
