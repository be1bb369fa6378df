/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse restart: another worker for a LUN, or a first one for a LUN that was given up.
 */
#include <errno.h>
#include "args.h"
#include "device.h"
#include "output.h"

static bool all;

static const struct option options[] = {
	{ "all", 'a', OPTION_FLAG, NULL, "all LUNs, one after the other", &all },
	{ 0 },
};

static bool too_old(const char *name, GError **error)
{
	return fail(error, EOPNOTSUPP,
		    "LUN '%s' cannot be restarted: the kernel module or the runner is older than this scuse; "
		    "install all of one version, or kill the worker (`scuse show` says its pid)",
		    name);
}

static bool restart(scuse_nl *nl, const scuse_nl_device *device, const char *name, GError **error)
{
	g_autofree char *message = NULL, *kernels = NULL;
	struct witness witness;
	int r;

	if (!witness_begin(nl, &witness, device->name, error))
		return false;
	r = scuse_nl_restart(nl, device->id);
	kernels = g_strdup(scuse_nl_error(nl));
	message = witness_end(nl, &witness, r != 0);
	if (r == -EOPNOTSUPP)
		return too_old(name, error);
	if (r == -ETIMEDOUT && !message)
		return fail(error, ETIMEDOUT,
			    "LUN '%s' has no new worker yet: the runner did not answer in time; see its log "
			    "(journalctl "
			    "-u scuse-runner)",
			    name);
	return r ? fail(error, -r, "LUN '%s' is not served: %s", name, message ? message : kernels) : true;
}

static void result_json(ScuseJson *json, const char *name, uint32_t pid, const GError *reason)
{
	scuse_json_begin_object(json, NULL);
	scuse_json_string(json, "name", name);
	scuse_json_bool(json, "restarted", !reason);
	if (!reason)
		scuse_json_uint(json, "pid", pid);
	scuse_json_string(json, "error", reason ? reason->message : NULL);
	scuse_json_end(json);
}

static bool restart_and_tell(scuse_nl *nl, const scuse_nl_device *device, ScuseJson *json)
{
	g_autofree char *name = decode_name(device->name);
	g_autoptr(scuse_nl_device) after = NULL;
	g_autoptr(GError) reason = NULL;

	if (restart(nl, device, name, &reason)) {
		scuse_nl_get_device_by_id(nl, device->id, &after);
		print_note("LUN '%s' is served by worker %u now", name, after ? after->pid : 0);
	} else {
		print_error("%s", reason->message);
	}
	result_json(json, name, after ? after->pid : 0, reason);
	return !reason;
}

static bool restart_all(scuse_nl *nl, ScuseJson *json, GError **error)
{
	g_autoptr(scuse_nl_devices) devices = NULL;
	bool good = true;

	if (scuse_nl_get_devices(nl, &devices))
		return fail(error, EIO, "%s", scuse_nl_error(nl));
	for (size_t i = 0; i < devices->count && !interrupted(); i++)
		good = restart_and_tell(nl, devices->item[i], json) && good;
	return good && check_interrupted(error);
}

static bool restart_named(scuse_nl *nl, char **names, ScuseJson *json)
{
	bool good = true;

	for (; *names && !interrupted(); names++) {
		g_autoptr(GError) reason = NULL;
		g_autoptr(scuse_nl_device) device = device_find(nl, *names, &reason);

		if (!device) {
			print_error("%s", reason->message);
			result_json(json, *names, 0, reason);
		}
		good = device && restart_and_tell(nl, device, json) && good;
	}
	return good;
}

static int run(int argc, char **argv, char **tail, GError **error)
{
	g_autoptr(ScuseJson) json = scuse_json_new();
	g_autoptr(scuse_nl) nl = NULL;
	bool good;

	(void)tail;
	if (all ? argc > 0 : argc < 1) {
		fail_usage(error, all ? "--all takes no names" : "give the name of a LUN, or --all");
		return EXIT_USAGE;
	}
	if (!need_root("restart", error))
		return EXIT_FAILED;
	nl = control_open(error);
	if (!nl)
		return EXIT_FAILED;
	catch_signals();
	scuse_json_begin_array(json, NULL);
	good = all ? restart_all(nl, json, error) : restart_named(nl, argv, json);
	scuse_json_end(json);
	if (globals.json)
		print_json(json);
	return good ? EXIT_OK : EXIT_FAILED;
}

const struct command restart_command = {
	.name = "restart",
	.arguments = "NAME... | --all [--json]",
	.summary = "give LUNs another worker, also those that the runner has given up",
	.details =
		"The worker that serves a LUN is ended first.  What becomes of its commands is the LUN's\n"
		"--inflight-policy; what becomes of new ones, until it is served again, its --orphan-policy.",
	.options = options,
	.run = run,
};
