/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse detach: takes back what `scuse attach` did, or everything.
 */
#include <errno.h>
#include "args.h"
#include "configfs.h"
#include "output.h"
#include "policy.h"
#include "remove.h"

static struct {
	bool loop, iscsi, all, force;
} chosen;

static const struct option options[] = {
	{ "loop", 'l', OPTION_FLAG, NULL, "the local ones only", &chosen.loop },
	{ "iscsi", 'i', OPTION_FLAG, NULL, "the iSCSI ones only", &chosen.iscsi },
	{ "all", 'a', OPTION_FLAG, NULL, "also LUNs of targets that other tools made", &chosen.all },
	{ "force", 'f', OPTION_FLAG, NULL, "also from initiators that are logged in", &chosen.force },
	{ 0 },
};

static bool is_chosen(const export *which)
{
	if (!which->ours && !chosen.all)
		return false;
	if (!chosen.loop && !chosen.iscsi)
		return true;
	return (chosen.loop && which->fabric == &fabric_loop) ||
	       (chosen.iscsi && which->fabric == &fabric_iscsi);
}

static void report(const char *name, GPtrArray *places)
{
	g_autoptr(ScuseJson) json = scuse_json_new();

	for (guint i = 0; i < places->len; i++)
		print_note("detached LUN '%s' from %s", name, (char *)places->pdata[i]);
	if (!places->len)
		print_note("LUN '%s' is not attached", name);
	if (!globals.json)
		return;
	scuse_json_begin_object(json, NULL);
	scuse_json_string(json, "name", name);
	scuse_json_begin_array(json, "detached");
	for (guint i = 0; i < places->len; i++)
		scuse_json_string(json, NULL, places->pdata[i]);
	scuse_json_end(json);
	scuse_json_end(json);
	print_json(json);
}

static bool none_chosen(const export *other, const char *name, GError **error)
{
	g_autofree char *place = export_describe(other);

	return fail(error, ENOENT, "LUN '%s' has no such attachment; there is %s%s", name, place,
		    other->ours ? "" : ", which `scuse attach` did not make (--all takes that too)");
}

static bool detach(const char *path, const char *name, GError **error)
{
	g_autoptr(GPtrArray) places = g_ptr_array_new_with_free_func(g_free);
	g_autoptr(GPtrArray) exports = exports_of(path, 0);
	g_autoptr(GPtrArray) removed = g_ptr_array_new();
	g_auto(policy_hold) hold = { 0 };

	for (guint i = 0; i < exports->len; i++) {
		if (!is_chosen(exports->pdata[i]))
			continue;
		g_ptr_array_add(removed, exports->pdata[i]);
		g_ptr_array_add(places, export_describe(exports->pdata[i]));
	}
	if (!removed->len && exports->len)
		return none_chosen(exports->pdata[0], name, error);
	policy_hold_begin(path, &hold);
	if (!remove_exports(removed, name, chosen.force, error))
		return false;
	report(name, places);
	return true;
}

static int run(int argc, char **argv, char **tail, GError **error)
{
	g_autofree char *directory = NULL, *path = NULL;

	(void)tail;
	if (argc != 1) {
		fail_usage(error, "give the name of one LUN: `scuse ls` lists them");
		return EXIT_USAGE;
	}
	directory = encode_name(argv[0], error);
	if (!directory)
		return EXIT_USAGE;
	if (!need_root("detach", error))
		return EXIT_FAILED;
	path = configfs_find_device(directory);
	if (!path)
		fail(error, ENODEV, "there is no LUN '%s': `scuse ls` lists them", argv[0]);
	return path && detach(path, argv[0], error) ? EXIT_OK : EXIT_FAILED;
}

const struct command detach_command = {
	.name = "detach",
	.arguments = "NAME [--loop] [--iscsi] [--all] [--force] [--json]",
	.summary = "take back what attach did",
	.details = "Refused while this host uses the device: unmount it first.",
	.options = options,
	.run = run,
};
