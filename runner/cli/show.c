/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse show: all about one LUN.
 */
#include <stdio.h>
#include <string.h>
#include "args.h"
#include "device.h"
#include "export.h"
#include "output.h"

static void line(const char *key, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void line(const char *key, const char *format, ...)
{
	g_autofree char *value = NULL, *shown = NULL;
	va_list args;

	va_start(args, format);
	value = g_strdup_vprintf(format, args);
	va_end(args);
	shown = printable(value);
	printf("%-14s %s\n", key, shown);
}

static char *feature_names(uint32_t features)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ SCUSE_FEATURE_FLUSH, "write-cache" },		{ SCUSE_FEATURE_UNMAP, "thin" },
		{ SCUSE_FEATURE_UNMAP_ZEROES, "unmap-zeroes" }, { SCUSE_FEATURE_WRITE_SAME, "write-same" },
		{ SCUSE_FEATURE_READ_ONLY, "read-only" },	{ SCUSE_FEATURE_ROTATIONAL, "rotational" },
		{ SCUSE_FEATURE_REPLAY_SAFE, "replay-safe" },
	};
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		if (features & names[i].bit)
			g_string_append_printf(text, "%s%s", text->len ? " " : "", names[i].name);
	return g_string_free(text, FALSE);
}

static void print_params(const char *config)
{
	g_auto(GStrv) lines = g_strsplit(config ? config : "", "\n", -1);

	for (char **param = lines; *param; param++)
		if (**param && **param != '.')
			line("parameter", "%s", **param == '=' ? *param + 1 : *param);
}

static void print_exports(GPtrArray *exports)
{
	for (guint i = 0; i < exports->len; i++) {
		const export *which = exports->pdata[i];
		g_autofree char *place = export_describe(which);
		g_autoptr(GPtrArray) users = export_users(which);

		line("export", "%s (%s %s, LUN %" G_GUINT64_FORMAT "%s)", place,
		     which->fabric ? which->fabric->label : which->fabric_name, which->wwn, which->lun,
		     which->ours ? "" : ", not made by scuse attach");
		for (guint j = 0; j < users->len; j++)
			line("", "%s", (char *)users->pdata[j]);
	}
	if (!exports->len)
		line("export", "none: `scuse attach NAME --loop` makes it a disk of this host");
}

static void print_queues(const scuse_nl_queues *queues)
{
	for (size_t i = 0; queues && i < queues->count; i++)
		line("queue", "%u: %u of %u commands in flight", queues->item[i]->queue,
		     queues->item[i]->inflight, queues->item[i]->depth);
}

static void print_device(const scuse_nl_device *device, GPtrArray *exports, const scuse_nl_queues *queues)
{
	g_autofree char *name = decode_name(device->name), *size = format_size(device->size);
	g_autofree char *transfer = format_size(device->max_transfer),
			*features = feature_names(device->features);
	g_autofree char *path = device_path(device);

	line("name", "%s", name);
	line("handler", "%s", device->handler);
	print_params(device->config);
	line("state", "%s", scuse_nl_state_name(device->state));
	if (device->error)
		line("last error", "%s", device->error);
	line("size", "%s (%" G_GUINT64_FORMAT " bytes)", size, device->size);
	line("block size", "%u", device->block_size);
	line("type", "0x%02x", device->device_type);
	line("serial", "%s", *device->serial ? device->serial : "-");
	line("features", "%s", *features ? features : "-");
	line("worker", device->pid ? "pid %u" : "none", device->pid);
	line("node", "/dev/scuse%u", device->id);
	line("transfer", "at most %s", transfer);
	print_queues(queues);
	print_exports(exports);
	line("configfs", "%s", path);
}

static void print_device_json(const scuse_nl_device *device, GPtrArray *exports,
			      const scuse_nl_queues *queues)
{
	g_autoptr(ScuseJson) json = scuse_json_new();

	scuse_json_begin_object(json, NULL);
	device_json(json, device);
	scuse_json_begin_array(json, "exports");
	for (guint i = 0; i < exports->len; i++)
		export_json(json, exports->pdata[i]);
	scuse_json_end(json);
	scuse_json_begin_array(json, "queue");
	for (size_t i = 0; queues && i < queues->count; i++) {
		scuse_json_begin_object(json, NULL);
		scuse_json_uint(json, "queue", queues->item[i]->queue);
		scuse_json_uint(json, "depth", queues->item[i]->depth);
		scuse_json_uint(json, "in_flight", queues->item[i]->inflight);
		scuse_json_end(json);
	}
	scuse_json_end(json);
	scuse_json_end(json);
	print_json(json);
}

static int run(int argc, char **argv, char **tail, GError **error)
{
	g_autoptr(scuse_nl) nl = NULL;
	g_autoptr(scuse_nl_device) device = NULL;
	g_autoptr(scuse_nl_queues) queues = NULL;
	g_autoptr(GPtrArray) exports = NULL;
	g_autofree char *path = NULL;

	(void)tail;
	if (argc != 1) {
		fail_usage(error, "give the name of one LUN: `scuse ls` lists them");
		return EXIT_USAGE;
	}
	nl = control_open(error);
	device = nl ? device_find(nl, argv[0], error) : NULL;
	if (!device)
		return EXIT_FAILED;
	/* The LUN may go at this moment; then its queues are simply not shown. */
	scuse_nl_get_queues(nl, device->id, &queues);
	path = device_path(device);
	exports = exports_of(path, device->device_type);
	if (globals.json)
		print_device_json(device, exports, queues);
	else
		print_device(device, exports, queues);
	return EXIT_OK;
}

const struct command show_command = {
	.name = "show",
	.arguments = "NAME [--json]",
	.summary = "show everything about a LUN: parameters, exports, who uses it",
	.run = run,
};
