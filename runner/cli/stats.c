/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse stats: what LUNs did, and what it cost: system calls, wake-ups and batches a command.
 */
#include "stats.h"

#include <errno.h>
#include <stdio.h>
#include "args.h"
#include "device.h"
#include "output.h"

static uint64_t interval, count;

static const struct option options[] = {
	{ "interval", 'i', OPTION_NUMBER, "SECONDS", "again and again: what happened in each interval",
	  &interval },
	{ "count", 'n', OPTION_NUMBER, "N", "with --interval: so many times", &count },
	{ 0 },
};

/* Applies to each number of two structs. */
#define EACH(what)                                                                                          \
	what(commands) what(read_bytes) what(write_bytes) what(errors) what(busy) what(enters) what(sleeps) \
		what(wakeups) what(suppressed) what(batches) what(zeroed_bytes) what(unmap_blocks)          \
			what(replayed) what(timeouts) what(quarantined)

struct scuse_nl_stats stats_sum(const struct scuse_nl_statistics *statistics, uint32_t id)
{
	struct scuse_nl_stats sum = { .id = id };

	for (size_t i = 0; i < statistics->count; i++) {
		const struct scuse_nl_stats *queue = statistics->item[i];

		if (queue->id != id)
			continue;
#define ADD(field) sum.field += queue->field;
		EACH(ADD)
	}
	return sum;
}

struct scuse_nl_stats stats_since(const struct scuse_nl_stats *after, const struct scuse_nl_stats *before)
{
	struct scuse_nl_stats since = { .id = after->id };

#define SUBTRACT(field) since.field = after->field - MIN(before->field, after->field);
	EACH(SUBTRACT)
	return since;
}

double stats_ratio(uint64_t a, uint64_t b)
{
	return b ? (double)a / (double)b : 0;
}

static void stats_json(ScuseJson *json, const scuse_nl_device *device, const struct scuse_nl_stats *stats)
{
	g_autofree char *name = decode_name(device->name);

	scuse_json_begin_object(json, NULL);
	scuse_json_string(json, "name", name);
	scuse_json_string(json, "handler", device->handler);
#define FIELD(field) scuse_json_uint(json, #field, stats->field);
	EACH(FIELD)
	scuse_json_double(json, "enters_per_command", stats_ratio(stats->enters, stats->commands));
	scuse_json_double(json, "wakeups_per_command", stats_ratio(stats->wakeups, stats->commands));
	scuse_json_double(json, "commands_per_batch", stats_ratio(stats->commands, stats->batches));
	scuse_json_end(json);
}

static void add_row(Table *table, const scuse_nl_device *device, const struct scuse_nl_stats *stats)
{
	g_autofree char *name = decode_name(device->name);
	g_autofree char *read = format_size(stats->read_bytes), *written = format_size(stats->write_bytes);

	table_add(table, name);
	table_add(table, device->handler);
	table_addf(table, "%" G_GUINT64_FORMAT, stats->commands);
	table_add(table, read);
	table_add(table, written);
	table_addf(table, "%" G_GUINT64_FORMAT, stats->errors);
	table_addf(table, "%" G_GUINT64_FORMAT, stats->busy);
	table_addf(table, "%" G_GUINT64_FORMAT, stats->replayed);
	table_addf(table, "%" G_GUINT64_FORMAT, stats->timeouts);
	table_addf(table, "%" G_GUINT64_FORMAT, stats->quarantined);
	table_addf(table, "%.3f", stats_ratio(stats->enters, stats->commands));
	table_addf(table, "%.3f", stats_ratio(stats->wakeups, stats->commands));
	table_addf(table, "%" G_GUINT64_FORMAT, stats->suppressed);
	table_addf(table, "%.1f", stats_ratio(stats->commands, stats->batches));
}

/* ---- the command ------------------------------------------------------------------------------------ */

struct view {
	scuse_nl *nl;
	const char *name;   /* NULL: all */
	GHashTable *before; /* id -> struct scuse_nl_stats; with --interval */
};

static struct scuse_nl_stats stats_to_show(struct view *view, const struct scuse_nl_stats *now)
{
	struct scuse_nl_stats zero = { 0 }, *before, shown;

	if (!interval)
		return *now;
	before = g_hash_table_lookup(view->before, GUINT_TO_POINTER(now->id + 1));
	shown = stats_since(now, before ? before : &zero);
	g_hash_table_insert(view->before, GUINT_TO_POINTER(now->id + 1), g_memdup2(now, sizeof(*now)));
	return shown;
}

static void show(struct view *view, const scuse_nl_devices *devices, const scuse_nl_statistics *statistics)
{
	static const char *const columns[] = { "LUN",	       "HANDLER",	">COMMANDS",
					       ">READ",	       ">WRITTEN",	">ERRORS",
					       ">BUSY",	       ">REPLAYED",	">TIMED-OUT",
					       ">QUARANTINED", ">SYSCALLS/CMD", ">WAKEUPS/CMD",
					       ">SUPPRESSED",  ">CMDS/BATCH",	NULL };
	g_autoptr(Table) table = table_new(columns);
	g_autoptr(ScuseJson) json = scuse_json_new();

	scuse_json_begin_array(json, NULL);
	for (size_t i = 0; i < devices->count; i++) {
		struct scuse_nl_stats now = stats_sum(statistics, devices->item[i]->id);
		struct scuse_nl_stats shown = stats_to_show(view, &now);

		if (view->name && g_strcmp0(view->name, devices->item[i]->name))
			continue;
		stats_json(json, devices->item[i], &shown);
		add_row(table, devices->item[i], &shown);
	}
	scuse_json_end(json);
	if (globals.json)
		print_json(json);
	else
		table_print(table);
	fflush(stdout);
}

static bool read_and_show(struct view *view, bool first, GError **error)
{
	g_autoptr(scuse_nl_devices) devices = NULL;
	g_autoptr(scuse_nl_statistics) statistics = NULL;

	if (scuse_nl_get_devices(view->nl, &devices) ||
	    scuse_nl_get_statistics(view->nl, SCUSE_NL_ALL, &statistics))
		return fail(error, EIO, "%s", scuse_nl_error(view->nl));
	/* The first look of --interval is only what the next is compared with. */
	if (!interval || !first) {
		show(view, devices, statistics);
		return true;
	}
	for (size_t i = 0; i < devices->count; i++) {
		struct scuse_nl_stats now = stats_sum(statistics, devices->item[i]->id);

		stats_to_show(view, &now);
	}
	return true;
}

static bool repeat(struct view *view, GError **error)
{
	catch_signals();
	for (uint64_t i = 0; !count || i < count; i++) {
		g_usleep((gulong)MIN(interval, 86400) * G_USEC_PER_SEC);
		if (interrupted())
			return true;
		if (!read_and_show(view, false, error))
			return false;
	}
	return true;
}

static int run(int argc, char **argv, char **tail, GError **error)
{
	g_autoptr(scuse_nl) nl = NULL;
	g_autoptr(scuse_nl_device) device = NULL;
	g_autoptr(GHashTable) before = g_hash_table_new_full(NULL, NULL, NULL, g_free);
	struct view view = { .before = before };

	(void)tail;
	if (argc > 1) {
		fail_usage(error, "give the name of one LUN, or none for all");
		return EXIT_USAGE;
	}
	nl = view.nl = control_open(error);
	if (!nl)
		return EXIT_FAILED;
	if (argc) {
		device = device_find(nl, argv[0], error);
		if (!device)
			return EXIT_FAILED;
		view.name = device->name;
	}
	if (!read_and_show(&view, true, error) || (interval && !repeat(&view, error)))
		return EXIT_FAILED;
	return EXIT_OK;
}

const struct command stats_command = {
	.name = "stats",
	.arguments = "[NAME] [--json] [--interval SECONDS [--count N]]",
	.summary = "show what LUNs did, and what a command cost",
	.options = options,
	.run = run,
};
