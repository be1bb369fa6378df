/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse attach: makes a LUN reachable, waits until it answers, and prints where: one line on stdout, for
 * scripts.
 */
#include <errno.h>
#include <stdio.h>
#include "args.h"
#include "device.h"
#include "export.h"
#include "modules.h"
#include "output.h"

#define DEFAULT_PORTAL "127.0.0.1:3260"

static struct {
	bool loop, generic, another, iscsi;
	const char *portal, *iqn;
} chosen;

static const struct option options[] = {
	{ "loop", 'l', OPTION_FLAG, NULL, "as a SCSI device of this host (prints /dev/sdX)", &chosen.loop },
	{ "sg", 0, OPTION_FLAG, NULL, "with --loop: print the /dev/sgN node", &chosen.generic },
	{ "new", 0, OPTION_FLAG, NULL, "with --loop: once more, as another initiator would see it",
	  &chosen.another },
	{ "iscsi", 'i', OPTION_FLAG, NULL, "over iSCSI (prints iscsi://PORTAL/IQN/LUN)", &chosen.iscsi },
	{ "portal", 'p', OPTION_STRING, "ADDR:PORT", "with --iscsi: where to listen (" DEFAULT_PORTAL ")",
	  &chosen.portal },
	{ "iqn", 0, OPTION_STRING, "IQN", "with --iscsi: name of the target (iqn.2026-01.org.scuse:NAME)",
	  &chosen.iqn },
	{ 0 },
};

static bool check_options(GError **error)
{
	if (chosen.loop == chosen.iscsi)
		return fail_usage(error,
				  chosen.loop ? "give one of --loop and --iscsi" : "give --loop or --iscsi");
	if ((chosen.generic || chosen.another) && !chosen.loop)
		return fail_usage(error, "--sg and --new go with --loop");
	if ((chosen.portal || chosen.iqn) && !chosen.iscsi)
		return fail_usage(error, "--portal and --iqn go with --iscsi");
	return true;
}

static char *attach_iscsi(const char *path, const char *name, GError **error)
{
	g_autofree char *iqn = chosen.iqn ? g_strdup(chosen.iqn) : default_iqn(name);
	struct portal portal;

	if (!parse_portal(chosen.portal ? chosen.portal : DEFAULT_PORTAL, &portal, error) ||
	    !check_iqn(iqn, error))
		return NULL;
	return iscsi_attach(path, iqn, &portal, error);
}

/* LUNs that other tools made may lack a serial number; the name is as lasting. */
static char *attach_loop(const scuse_nl_device *device, const char *path, GError **error)
{
	const char *serial = *device->serial ? device->serial : device->name;
	/* The kernel keeps count, which saves looking for one that is there already. */
	bool another = chosen.another || !device->exports;

	if (device->device_type == SCUSE_TYPE_UNKNOWN) {
		fail(error, EAGAIN,
		     "nobody has served the LUN yet, so its type is not known: `scuse show` may say why");
		return NULL;
	}
	return loop_attach(path, serial, device->device_type, chosen.generic, another, error);
}

static void print_place(const char *name, const char *place)
{
	g_autoptr(ScuseJson) json = NULL;

	if (!globals.json) {
		puts(place);
		return;
	}
	json = scuse_json_new();
	scuse_json_begin_object(json, NULL);
	scuse_json_string(json, "name", name);
	scuse_json_string(json, "fabric", chosen.loop ? "loopback" : "iscsi");
	scuse_json_string(json, chosen.loop ? "node" : "url", place);
	scuse_json_end(json);
	print_json(json);
}

static int run(int argc, char **argv, char **tail, GError **error)
{
	g_autoptr(scuse_nl) nl = NULL;
	g_autoptr(scuse_nl_device) device = NULL;
	g_autofree char *path = NULL, *place = NULL;

	(void)tail;
	if (argc != 1) {
		fail_usage(error, "give the name of one LUN: `scuse ls` lists them");
		return EXIT_USAGE;
	}
	if (!check_options(error) || !need_root("attach", error))
		return EXIT_FAILED;
	nl = control_open(error);
	device = nl ? device_find(nl, argv[0], error) : NULL;
	if (!device)
		return EXIT_FAILED;
	catch_signals();
	path = device_path(device);
	place = chosen.loop ? attach_loop(device, path, error) : attach_iscsi(path, argv[0], error);
	if (!place)
		return EXIT_FAILED;
	print_place(argv[0], place);
	return EXIT_OK;
}

const struct command attach_command = {
	.name = "attach",
	.arguments = "NAME --loop [--sg] [--new] | NAME --iscsi [--portal ADDR:PORT] [--iqn IQN]",
	.summary = "make a LUN a device of this host, or reachable over iSCSI",
	.details = "Waits until the LUN answers there, then prints where that is.  Doing it again prints the "
		   "same.",
	.options = options,
	.run = run,
};
