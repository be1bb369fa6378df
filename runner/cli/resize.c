/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse resize: asks the handler, through the kernel, for another size.
 */
#include <errno.h>
#include "args.h"
#include "device.h"
#include "export.h"
#include "output.h"

static bool ask(scuse_nl *nl, const scuse_nl_device *device, const char *name, uint64_t size, GError **error)
{
	g_autofree char *message = NULL, *kernels = NULL;
	struct witness witness;
	int r;

	if (!witness_begin(nl, &witness, device->name, error))
		return false;
	r = scuse_nl_resize(nl, device->id, size);
	kernels = g_strdup(scuse_nl_error(nl));
	message = witness_end(nl, &witness, r != 0);
	return r ? fail(error, -r, "LUN '%s' cannot be resized: %s", name, message ? message : kernels)
		 : true;
}

/* Initiators are told by a unit attention; Linux notes that one, but looks again only when asked to. */
static void rescan(const scuse_nl_device *device)
{
	g_autofree char *path = device_path(device);
	g_autoptr(GPtrArray) exports = exports_of(path, device->device_type);

	for (guint i = 0; i < exports->len; i++) {
		const export *which = exports->pdata[i];

		if (which->has_address)
			sysfs_rescan(&which->address);
	}
}

static bool resize(scuse_nl *nl, const scuse_nl_device *device, const char *name, const char *text,
		   GError **error)
{
	g_autoptr(scuse_nl_device) after = NULL;
	g_autofree char *shown = NULL;
	uint64_t size;

	if (!parse_size(text, "size", &size, error) || !check_size(size, device->block_size, error))
		return false;
	if (!ask(nl, device, name, size, error))
		return false;
	rescan(device);
	if (scuse_nl_get_device_by_id(nl, device->id, &after))
		return fail(error, EIO, "%s", scuse_nl_error(nl));
	shown = format_size(after->size);
	if (globals.json) {
		g_autoptr(ScuseJson) json = scuse_json_new();

		scuse_json_begin_object(json, NULL);
		device_json(json, after);
		scuse_json_end(json);
		print_json(json);
	}
	print_note("LUN '%s' has %s (%" G_GUINT64_FORMAT " bytes) now", name, shown, after->size);
	return true;
}

static int run(int argc, char **argv, char **tail, GError **error)
{
	g_autoptr(scuse_nl) nl = NULL;
	g_autoptr(scuse_nl_device) device = NULL;

	(void)tail;
	if (argc != 2) {
		fail_usage(error, "give the name of a LUN and its new size");
		return EXIT_USAGE;
	}
	if (!need_root("resize", error))
		return EXIT_FAILED;
	nl = control_open(error);
	device = nl ? device_find(nl, argv[0], error) : NULL;
	if (!device || !resize(nl, device, argv[0], argv[1], error))
		return EXIT_FAILED;
	return EXIT_OK;
}

const struct command resize_command = {
	.name = "resize",
	.arguments = "NAME SIZE [--json]",
	.summary = "change the size of a LUN, also while it is in use",
	.details = "Shrinking cuts off what is at the end, whatever is stored there.",
	.run = run,
};
