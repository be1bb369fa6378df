/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse handlers: what can serve a LUN.
 */
#include <stdio.h>
#include <string.h>
#include "catalogue.h"
#include "device.h"
#include "output.h"

/* Who serves what, if the module is there to tell. */
static scuse_nl_owners *read_owners(void)
{
	g_autoptr(scuse_nl) nl = scuse_nl_open(0);
	scuse_nl_owners *owners = NULL;

	if (nl)
		scuse_nl_get_owners(nl, &owners);
	return owners;
}

static const struct scuse_nl_owner *find_owner(const scuse_nl_owners *owners, const char *handler)
{
	for (size_t i = 0; owners && i < owners->count; i++)
		if (!g_strcmp0(owners->item[i]->handler, handler))
			return owners->item[i];
	return NULL;
}

static const char *member(const JsonValue *handler, const char *key)
{
	const char *text = json_string_member(handler, key);

	return text ? text : "";
}

static void add_row(Table *table, const JsonValue *handler, const scuse_nl_owners *owners)
{
	const char *error = json_string_member(handler, "error");
	const struct scuse_nl_owner *owner = find_owner(owners, json_string_member(handler, "name"));

	table_add(table, member(handler, "name"));
	table_add(table, member(handler, "version"));
	if (error)
		table_add(table, "broken");
	else if (owner)
		table_addf(table, "runner %u", owner->pid);
	else
		table_add(table, "no");
	table_add(table, error ? error : member(handler, "description"));
}

/* Owners that have no plugin here: runners of other people. */
static void add_strangers(Table *table, const JsonValue *catalogue, const scuse_nl_owners *owners)
{
	for (size_t i = 0; owners && i < owners->count; i++) {
		const struct scuse_nl_owner *owner = owners->item[i];

		if (catalogue_find(catalogue, owner->handler))
			continue;
		table_add(table, owner->handler);
		table_add(table, "");
		table_addf(table, "process %u", owner->pid);
		table_add(table, "not a plugin of scuse-runner");
	}
}

static int print_table(const JsonValue *catalogue)
{
	static const char *const headings[] = { "HANDLER", "VERSION", "SERVED", "DESCRIPTION", NULL };
	const JsonValue *list = catalogue_handlers(catalogue);
	g_autoptr(scuse_nl_owners) owners = read_owners();
	g_autoptr(Table) table = table_new(headings);

	for (guint i = 0; i < json_length(list); i++)
		add_row(table, json_item(list, i), owners);
	add_strangers(table, catalogue, owners);
	table_print(table);
	return EXIT_OK;
}

/* scuse-runner's own list, unchanged. */
static int pass_through(GError **error)
{
	g_autofree char *runner = catalogue_runner(error), *output = NULL;
	g_autoptr(GError) reason = NULL;
	char *argv[] = { runner, (char *)"--list-handlers", (char *)"--json", NULL };
	int status = 0;

	if (!runner)
		return EXIT_FAILED;
	if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &output, NULL, &status, &reason) ||
	    !output || !*output) {
		fail(error, EXIT_FAILED, "%s gave no list of handlers", runner);
		return EXIT_FAILED;
	}
	fputs(output, stdout);
	return EXIT_OK;
}

static int run(int argc, char **argv, char **tail, GError **error)
{
	g_autoptr(JsonValue) catalogue = NULL;
	const JsonValue *handler;

	(void)tail;
	if (globals.json && argc == 0)
		return pass_through(error);
	catalogue = catalogue_read(error);
	if (!catalogue)
		return EXIT_FAILED;
	if (argc == 0)
		return print_table(catalogue);
	handler = catalogue_find(catalogue, argv[0]);
	if (!handler) {
		g_autofree char *names = catalogue_names(catalogue);

		fail(error, EXIT_FAILED, "unknown handler '%s'; there are: %s", argv[0], names);
		return EXIT_FAILED;
	}
	catalogue_print_handler(handler);
	return EXIT_OK;
}

const struct command handlers_command = {
	.name = "handlers",
	.arguments = "[HANDLER] [--json]",
	.summary = "list the handlers, or show the parameters of one",
	.run = run,
};
