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
#include "policy.h"
#include "state.h"

static char *feature_names(uint32_t features)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ SCUSE_FEATURE_FLUSH, "write-cache" },
		{ SCUSE_FEATURE_UNMAP, "thin" },
		{ SCUSE_FEATURE_UNMAP_ZEROES, "unmap-zeroes" },
		{ SCUSE_FEATURE_WRITE_SAME, "write-same" },
		{ SCUSE_FEATURE_READ_ONLY, "read-only" },
		{ SCUSE_FEATURE_ROTATIONAL, "rotational" },
		{ SCUSE_FEATURE_REPLAY_SAFE, "replay-safe" },
		{ SCUSE_FEATURE_EXTENTS, "extents" },
		{ SCUSE_FEATURE_FORMAT, "format" },
		{ SCUSE_FEATURE_SANITIZE_OVERWRITE, "sanitize-overwrite" },
		{ SCUSE_FEATURE_SANITIZE_BLOCK, "sanitize-block" },
		{ SCUSE_FEATURE_SANITIZE_CRYPTO, "sanitize-crypto" },
		{ SCUSE_FEATURE_ATOMIC, "atomic" },
		{ SCUSE_FEATURE_ANCHOR, "anchor" },
		{ SCUSE_FEATURE_PI, "protection" },
		{ SCUSE_FEATURE_UNIT_ATTENTIONS, "unit-attentions" },
		{ SCUSE_FEATURE_RESET, "reset" },
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
			print_field("parameter", "%s", **param == '=' ? *param + 1 : *param);
}

static void print_exports(GPtrArray *exports)
{
	for (guint i = 0; i < exports->len; i++) {
		const export *which = exports->pdata[i];
		g_autofree char *place = export_describe(which);
		g_autoptr(GPtrArray) users = export_users(which);

		print_field("export", "%s (%s %s, LUN %" G_GUINT64_FORMAT "%s)", place,
			    which->fabric ? which->fabric->label : which->fabric_name, which->wwn, which->lun,
			    which->ours ? "" : ", not made by scuse attach");
		for (guint j = 0; j < users->len; j++)
			print_field("", "%s", (char *)users->pdata[j]);
	}
	if (!exports->len)
		print_field("export", "none: `scuse attach NAME --loop` makes it a disk of this host");
}

static void print_queues(const scuse_nl_queues *queues)
{
	for (size_t i = 0; queues && i < queues->count; i++)
		print_field("queue", "%u: %u of %u commands in flight, %u wait for a worker",
			    queues->item[i]->queue, queues->item[i]->inflight, queues->item[i]->depth,
			    queues->item[i]->waiting);
}

static void print_kind(const scuse_nl_device *device)
{
	g_autofree char *size = format_size(device->size);

	print_field("type", "%s (%02Xh)%s", scuse_nl_type_name(device->device_type), device->device_type,
		    device->raw ? ", raw" : "");
	if (device->raw) {
		print_field("identity", "%s", device->identity ? device->identity : "-");
		return;
	}
	print_field("size", "%s (%" G_GUINT64_FORMAT " bytes)", size, device->size);
	print_field("block size", "%u", device->block_size);
}

static void print_device(const scuse_nl_device *device, GPtrArray *exports, const scuse_nl_queues *queues,
			 const lun_state *state)
{
	g_autofree char *name = decode_name(device->name);
	g_autofree char *transfer = format_size(device->max_transfer),
			*features = feature_names(device->features), *now = policy_state_text(device);
	g_autofree char *path = device_path(device);

	print_field("name", "%s", name);
	print_field("handler", "%s", device->handler);
	print_params(device->config);
	print_field("state", "%s", now);
	if (device->error)
		print_field("last error", "%s", device->error);
	print_kind(device);
	print_field("serial", "%s", *device->serial ? device->serial : "-");
	print_field("features", "%s", *features ? features : "-");
	print_field("worker", device->pid ? "pid %u" : "none", device->pid);
	print_field("node", "/dev/scuse%u", device->id);
	print_field("transfer", "at most %s", transfer);
	policy_print(device);
	print_queues(queues);
	lun_state_print(state);
	print_exports(exports);
	print_field("configfs", "%s", path);
}

static void print_device_json(const scuse_nl_device *device, GPtrArray *exports,
			      const scuse_nl_queues *queues, const lun_state *state)
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
		scuse_json_uint(json, "waiting", queues->item[i]->waiting);
		scuse_json_end(json);
	}
	scuse_json_end(json);
	lun_state_json(json, state);
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
	g_auto(lun_state) state = { 0 };

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
	lun_state_read(nl, device, path, &state);
	if (globals.json)
		print_device_json(device, exports, queues, &state);
	else
		print_device(device, exports, queues, &state);
	return EXIT_OK;
}

const struct command show_command = {
	.name = "show",
	.arguments = "NAME [--json]",
	.summary = "show everything about a LUN: parameters, SCSI state, exports, who uses it",
	.run = run,
};
