/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse set: changes the policies and limits of a LUN that is in use.
 */
#include "args.h"
#include "configfs.h"
#include "device.h"
#include "output.h"
#include "policy.h"

static struct policy_options chosen;

static const struct option options[] = {
	POLICY_OPTIONS(&chosen),
	{ 0 },
};

static bool show_result(scuse_nl *nl, uint32_t id, GError **error)
{
	g_autoptr(scuse_nl_device) device = NULL;
	g_autoptr(ScuseJson) json = NULL;

	if (!globals.json)
		return true;
	if (scuse_nl_get_device_by_id(nl, id, &device))
		return fail(error, 0, "%s", scuse_nl_error(nl));
	json = scuse_json_new();
	scuse_json_begin_object(json, NULL);
	device_json(json, device);
	scuse_json_end(json);
	print_json(json);
	return true;
}

static int run(int argc, char **argv, char **tail, GError **error)
{
	g_autoptr(scuse_nl) nl = NULL;
	g_autoptr(scuse_nl_device) device = NULL;
	g_autofree char *path = NULL;

	(void)tail;
	if (argc != 1 || !policy_any(&chosen)) {
		fail_usage(
			error,
			argc != 1 ? "give the name of one LUN: `scuse ls` lists them"
				  : "say what to change: `scuse set NAME --orphan-policy busy`, for example");
		return EXIT_USAGE;
	}
	if (!policy_check(&chosen, error) || !need_root("set", error))
		return EXIT_FAILED;
	nl = control_open(error);
	device = nl ? device_find(nl, argv[0], error) : NULL;
	if (!device)
		return EXIT_FAILED;
	path = device_path(device);
	return policy_write(path, &chosen, error) && show_result(nl, device->id, error) ? EXIT_OK
											: EXIT_FAILED;
}

const struct command set_command = {
	.name = "set",
	.arguments = "NAME OPTION... [--json]",
	.summary = "change what a LUN does while its worker is dead or hangs, and its limits",
	.details = "Takes effect at once, also for commands that wait.  Lasts as long as the LUN.",
	.options = options,
	.run = run,
};
