/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse create: makes a LUN.  Everything that can be told without the kernel is checked before it is touched.
 */
#include "create.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "args.h"
#include "catalogue.h"
#include "modules.h"
#include "output.h"

#define DEFAULT_BLOCK_SIZE 512

static struct create_options chosen;

static const struct option options[] = {
	CREATE_OPTIONS(&chosen),
	{ "serial", 0, OPTION_STRING, "TEXT", "serial number (VPD 80h); a new UUID unless given",
	  &chosen.serial },
	{ 0 },
};

static bool check_serial(const char *serial, GError **error)
{
	size_t length = serial ? strlen(serial) : 1;

	for (const char *c = serial; c && *c; c++)
		if (!g_ascii_isprint(*c))
			length = 0;
	if (length >= 1 && length <= 64)
		return true;
	return fail_usage(error, "a serial number has 1 to 64 printable ASCII characters");
}

static bool check_geometry(const struct create_options *from, GError **error)
{
	if (from->queues > SCUSE_MAX_QUEUES)
		return fail_usage(error, "--queues %" G_GUINT64_FORMAT " is too many: 1 to %d", from->queues,
				  SCUSE_MAX_QUEUES);
	if (from->depth && (from->depth < SCUSE_MIN_DEPTH || from->depth > SCUSE_MAX_DEPTH ||
			    (from->depth & (from->depth - 1))))
		return fail_usage(error,
				  "--depth %" G_GUINT64_FORMAT
				  " is not possible: use a power of two from %d to %d",
				  from->depth, SCUSE_MIN_DEPTH, SCUSE_MAX_DEPTH);
	if (from->protection && (!strchr("013", *from->protection) || strlen(from->protection) != 1))
		return fail_usage(
			error,
			"--protection %s is not possible: 1 and 3 are the types that there are, 0 is "
			"none",
			from->protection);
	return policy_check(&from->policies, error) && check_serial(from->serial, error);
}

static bool set_sizes(const struct create_options *from, plan *what, GError **error)
{
	what->block_size = DEFAULT_BLOCK_SIZE;
	if (from->block_size && (!parse_size(from->block_size, "block size", &what->block_size, error)))
		return false;
	if (!check_block_size(what->block_size, error))
		return false;
	if (!from->size)
		return true;
	return parse_size(from->size, "size", &what->size, error) &&
	       check_size(what->size, what->block_size, error);
}

static bool check_handler_name(const char *handler, GError **error)
{
	size_t length = strlen(handler);
	bool good = g_ascii_islower(*handler) && length < SCUSE_HANDLER_MAX;

	for (const char *c = handler; *c; c++)
		good = good && (g_ascii_islower(*c) || g_ascii_isdigit(*c) || *c == '-');
	return good ? true
		    : fail_usage(error,
				 "'%s' cannot be a handler's name: `scuse handlers` lists those there are",
				 handler);
}

bool create_make_plan(const char *name, const char *handler, char **arguments, int count,
		      const struct create_options *from, plan *what, GError **error)
{
	g_autofree char *cwd = g_get_current_dir();

	what->name = name;
	what->handler = handler;
	what->serial = from->serial;
	what->protection = from->protection;
	what->policies = &from->policies;
	what->disk_option = from->size	       ? "--size"
			    : from->block_size ? "--block-size"
			    : from->protection ? "--protection"
					       : NULL;
	what->queues = from->queues;
	what->depth = from->depth;
	what->directory = encode_name(name, error);
	if (!what->directory || !check_handler_name(handler, error) || !check_geometry(from, error) ||
	    !set_sizes(from, what, error))
		return false;
	what->lines = config_lines(arguments, count, cwd, error);
	return what->lines != NULL;
}

/* ---- is there somebody who serves it? --------------------------------------------------------------- */

static char *owner_names(const scuse_nl_owners *owners)
{
	GString *names = g_string_new(NULL);

	for (size_t i = 0; i < owners->count; i++)
		g_string_append_printf(names, "%s%s", i ? ", " : "", owners->item[i]->handler);
	return g_string_free(names, FALSE);
}

static bool no_owner(const plan *what, const scuse_nl_owners *owners, GError **error)
{
	g_autoptr(JsonValue) catalogue = catalogue_read(NULL);
	const JsonValue *handler = catalogue ? catalogue_find(catalogue, what->handler) : NULL;
	const char *broken = handler ? json_string_member(handler, "error") : NULL;
	g_autofree char *served = owner_names(owners);

	if (broken)
		return fail(error, ENOENT, "handler '%s' cannot be used: %s", what->handler, broken);
	if (!owners->count)
		return fail(error, ENOENT,
			    "no runner is up, so nobody can serve the LUN: systemctl start scuse-runner");
	if (handler)
		return fail(error, ENOENT,
			    "no runner serves handler '%s' (served: %s): if it was installed after the "
			    "runner's start, restart that: "
			    "systemctl restart scuse-runner",
			    what->handler, served);
	return fail(error, ENOENT, "unknown handler '%s'; there are: %s", what->handler, served);
}

static bool check_owner(scuse_nl *nl, const plan *what, GError **error)
{
	g_autoptr(scuse_nl_owners) owners = NULL;

	if (scuse_nl_get_owners(nl, &owners))
		return fail(error, EIO, "%s", scuse_nl_error(nl));
	for (size_t i = 0; i < owners->count; i++)
		if (!strcmp(owners->item[i]->handler, what->handler))
			return true;
	return no_owner(what, owners, error);
}

/* The kernel has to know before the handler is asked what kind of LUN it is. */
static bool set_kind(plan *what, GError **error)
{
	g_autoptr(JsonValue) catalogue = catalogue_read(NULL);
	const JsonValue *handler = catalogue ? catalogue_find(catalogue, what->handler) : NULL;

	if (!handler)
		return true;
	what->raw = json_bool_member(handler, "raw");
	what->device_type = (uint32_t)json_number_member(handler, "device_type");
	if (!what->raw || !what->disk_option)
		return true;
	return fail_usage(
		error,
		"%s does not go with handler '%s': what it serves is no disk of our making, and says "
		"by itself how large it is",
		what->disk_option, what->handler);
}

scuse_nl_device *create_lun(scuse_nl **nl, plan *what, GError **error)
{
	catch_signals();
	if (!modules_prepare(error))
		return NULL;
	*nl = control_open(error);
	if (!*nl || !check_owner(*nl, what, error))
		return NULL;
	return set_kind(what, error) ? device_create(*nl, what, error) : NULL;
}

/* ---- the command ------------------------------------------------------------------------------------ */

static void print_created(const scuse_nl_device *device, const char *name)
{
	g_autofree char *size = format_size(device->size);
	g_autoptr(ScuseJson) json = NULL;

	if (!globals.json && device->raw) {
		print_note("created LUN '%s': %s%s%s, served by %s", name,
			   scuse_nl_type_name(device->device_type), device->identity ? " " : "",
			   device->identity ? device->identity : "", device->handler);
		return;
	}
	if (!globals.json) {
		print_note("created LUN '%s': %s (%" G_GUINT64_FORMAT " bytes) in blocks of %u, served by %s",
			   name, size, device->size, device->block_size, device->handler);
		return;
	}
	json = scuse_json_new();
	scuse_json_begin_object(json, NULL);
	device_json(json, device);
	scuse_json_end(json);
	print_json(json);
}

static int run(int argc, char **argv, char **tail, GError **error)
{
	g_auto(plan) what = { 0 };
	g_autoptr(scuse_nl) nl = NULL;
	g_autoptr(scuse_nl_device) device = NULL;

	(void)tail;
	if (argc < 2) {
		fail_usage(error, argc ? "say which handler serves the LUN: `scuse handlers` lists them"
				       : "give a name and a handler");
		return EXIT_USAGE;
	}
	if (!create_make_plan(argv[0], argv[1], argv + 2, argc - 2, &chosen, &what, error) ||
	    !need_root("create", error))
		return EXIT_FAILED;
	device = create_lun(&nl, &what, error);
	if (!device)
		return EXIT_FAILED;
	print_created(device, argv[0]);
	return EXIT_OK;
}

/* scuse create --help HANDLER */
static bool help(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	g_autoptr(JsonValue) catalogue = NULL;
	const JsonValue *handler;

	if (argc < 1)
		return false;
	catalogue = catalogue_read(&error);
	handler = catalogue ? catalogue_find(catalogue, argv[argc - 1]) : NULL;
	if (handler)
		catalogue_print_handler(handler);
	else if (error)
		print_error("%s", error->message);
	else
		print_error("there is no handler '%s'", argv[argc - 1]);
	return handler != NULL;
}

const struct command create_command = {
	.name = "create",
	.arguments = "NAME HANDLER [PARAM] [KEY=VALUE]... [OPTION]...",
	.summary = "make a LUN that a handler serves",
	.details = "KEY=VALUE sets one of the handler's parameters; a PARAM without KEY= sets its main one.\n"
		   "`scuse create --help HANDLER` shows them.  Sizes take k, M, G, T (powers of 1024).",
	.options = options,
	.run = run,
	.help = help,
};
