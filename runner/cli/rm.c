/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse rm: removes LUNs.  What they store stays where their handlers keep it.
 */
#include "remove.h"

#include <errno.h>
#include "args.h"
#include "configfs.h"
#include "mode_file.h"
#include "output.h"
#include "policy.h"

static bool force;

static const struct option options[] = {
	{ "force", 'f', OPTION_FLAG, NULL, "detach it first, also from initiators that are logged in",
	  &force },
	{ 0 },
};

/* One that is in use says more about why. */
static bool refuse_exported(GPtrArray *exports, const char *name, GError **error)
{
	g_autofree char *quoted = quote_name(name), *place = NULL;

	for (guint i = 0; i < exports->len; i++) {
		g_autofree char *used = export_describe(exports->pdata[i]);
		g_autoptr(GPtrArray) users = export_users(exports->pdata[i]);

		if (users->len)
			return fail(error, EBUSY,
				    "LUN '%s' is exported as %s (%s): end that, then `scuse detach %s`", name,
				    used, (char *)users->pdata[0], quoted);
	}
	place = export_describe(exports->pdata[0]);
	return fail(error, EBUSY, "LUN '%s' is exported as %s: `scuse detach %s` first, or use --force", name,
		    place, quoted);
}

bool remove_exports(GPtrArray *exports, const char *name, bool forced, GError **error)
{
	/* All or none: a LUN that is mounted here keeps its initiators, too. */
	for (guint i = 0; i < exports->len; i++)
		if (!export_check_unused(exports->pdata[i], name, forced, error))
			return false;
	for (guint i = 0; i < exports->len; i++)
		if (!export_remove(exports->pdata[i], error))
			return false;
	return true;
}

static bool remove_directory(const char *path, const char *name, GError **error)
{
	g_autoptr(GError) reason = NULL;

	if (configfs_remove_device(path, &reason))
		return true;
	if (reason->code == EBUSY || reason->code == ENOTEMPTY)
		return fail(error, EBUSY, "LUN '%s' is in use by something in %s", name, configfs_root());
	return fail(error, reason->code, "%s", reason->message);
}

/* A later LUN of the same name is another one, and begins with defaults. */
static void remove_saved_modes(const char *directory)
{
	g_autofree char *reason = NULL;

	if (mode_file_remove(mode_file_state_dir(), directory, &reason))
		print_warning("the saved mode pages stay: %s", reason);
}

/* @all: exports, of which there may be more by now, which the kernel then refuses to lose; NULL: not known */
static bool remove_lun_among(GHashTable *all, const char *name, bool forced, GError **error)
{
	g_autofree char *directory = encode_name(name, error);
	g_autofree char *path = directory ? configfs_find_device(directory) : NULL;
	g_autoptr(GPtrArray) exports = NULL;
	g_auto(policy_hold) hold = { 0 };

	if (!directory)
		return false;
	if (!path)
		return fail(error, ENODEV, "there is no LUN '%s': `scuse ls` lists them", name);
	exports = all ? exports_among(all, path, 0) : exports_of(path, 0);
	if (exports->len && !forced)
		return refuse_exported(exports, name, error);
	policy_hold_begin(path, &hold);
	if (!remove_exports(exports, name, forced, error) || !remove_directory(path, name, error))
		return false;
	remove_saved_modes(directory);
	return true;
}

bool remove_lun(const char *name, bool forced, GError **error)
{
	return remove_lun_among(NULL, name, forced, error);
}

static void result_json(ScuseJson *json, const char *name, const GError *reason)
{
	scuse_json_begin_object(json, NULL);
	scuse_json_string(json, "name", name);
	scuse_json_bool(json, "removed", !reason);
	scuse_json_string(json, "error", reason ? reason->message : NULL);
	scuse_json_end(json);
}

static int run(int argc, char **argv, char **tail, GError **error)
{
	g_autoptr(ScuseJson) json = scuse_json_new();
	g_autoptr(GHashTable) all = NULL;
	int status = EXIT_OK;

	(void)tail;
	if (argc < 1) {
		fail_usage(error, "give the name of a LUN: `scuse ls` lists them");
		return EXIT_USAGE;
	}
	if (!need_root("rm", error))
		return EXIT_FAILED;
	all = exports_all();
	scuse_json_begin_array(json, NULL);
	for (int i = 0; i < argc; i++) {
		g_autoptr(GError) reason = NULL;

		if (remove_lun_among(all, argv[i], force, &reason)) {
			print_note("removed LUN '%s'", argv[i]);
		} else {
			print_error("%s", reason->message);
			status = EXIT_FAILED;
		}
		result_json(json, argv[i], reason);
	}
	scuse_json_end(json);
	if (globals.json)
		print_json(json);
	return status;
}

const struct command rm_command = {
	.name = "rm",
	.arguments = "NAME... [--force] [--json]",
	.summary = "remove LUNs and their saved mode pages; what they store stays where the handler keeps it",
	.details = "Refused while the LUN is exported (--force detaches it) or used by this host, as by a "
		   "mount.",
	.options = options,
	.run = run,
};
