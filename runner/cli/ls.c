/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse ls: all LUNs.
 */
#include <stdio.h>
#include "args.h"
#include "device.h"
#include "export.h"
#include "output.h"
#include "policy.h"

static void print_row(Table *table, const scuse_nl_device *device, GHashTable *all)
{
	g_autofree char *path = device_path(device);
	g_autoptr(GPtrArray) exports = exports_among(all, path, device->device_type);
	g_autofree char *name = decode_name(device->name), *size = format_size(device->size);
	g_autofree char *now = policy_state_text(device);
	GString *places = g_string_new(NULL);

	for (guint i = 0; i < exports->len; i++) {
		g_autofree char *place = export_describe(exports->pdata[i]);

		g_string_append_printf(places, "%s%s", i ? " " : "", place);
	}
	table_add(table, name);
	table_add(table, device->handler);
	table_add(table, scuse_nl_type_name(device->device_type));
	table_add(table, device->raw ? "-" : size);
	table_addf(table, device->raw ? "-" : "%u", device->block_size);
	table_add(table, now);
	table_add(table, places->len ? places->str : "-");
	g_string_free(places, TRUE);
}

static void print_list(const scuse_nl_devices *devices)
{
	static const char *const headings[] = { "NAME",	  "HANDLER", "TYPE",	">SIZE",
						">BLOCK", "STATE",   "EXPORTS", NULL };
	g_autoptr(Table) table = table_new(headings);
	g_autoptr(GHashTable) all = exports_all();

	for (size_t i = 0; i < devices->count; i++)
		print_row(table, devices->item[i], all);
	table_print(table);
}

static void print_list_json(const scuse_nl_devices *devices)
{
	g_autoptr(ScuseJson) json = scuse_json_new();
	g_autoptr(GHashTable) all = exports_all();

	scuse_json_begin_array(json, NULL);
	for (size_t i = 0; i < devices->count; i++) {
		const scuse_nl_device *device = devices->item[i];
		g_autofree char *path = device_path(device);
		g_autoptr(GPtrArray) exports = exports_among(all, path, device->device_type);

		scuse_json_begin_object(json, NULL);
		device_json(json, device);
		scuse_json_begin_array(json, "exports");
		for (guint j = 0; j < exports->len; j++)
			export_json(json, exports->pdata[j]);
		scuse_json_end(json);
		scuse_json_end(json);
	}
	scuse_json_end(json);
	print_json(json);
}

static int run(int argc, char **argv, char **tail, GError **error)
{
	g_autoptr(scuse_nl) nl = NULL;
	g_autoptr(scuse_nl_devices) devices = NULL;

	(void)tail;
	if (argc) {
		fail_usage(error, "'%s' is too much: `scuse show NAME` shows one LUN", argv[0]);
		return EXIT_USAGE;
	}
	nl = control_open(error);
	if (!nl)
		return EXIT_FAILED;
	if (scuse_nl_get_devices(nl, &devices)) {
		fail(error, EXIT_FAILED, "%s", scuse_nl_error(nl));
		return EXIT_FAILED;
	}
	if (globals.json)
		print_list_json(devices);
	else
		print_list(devices);
	return EXIT_OK;
}

const struct command ls_command = {
	.name = "ls",
	.arguments = "[--json]",
	.summary = "list the LUNs",
	.run = run,
};
