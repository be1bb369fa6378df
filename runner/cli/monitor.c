/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse monitor: one line an event, as it happens.
 *
 * Lines are written at once, also into a pipe.  Lost events are a line too.
 */
#include "monitor.h"

#include <errno.h>
#include <stdio.h>
#include "args.h"
#include "device.h"
#include "mode_pages.h"
#include "output.h"
#include "words.h"

static uint64_t count, timeout;

static const struct option options[] = {
	{ "count", 'n', OPTION_NUMBER, "N", "end after so many events", &count },
	{ "timeout", 't', OPTION_NUMBER, "SECONDS",
	  "end after this time (exit status 1 if --count is not reached)", &timeout },
	{ 0 },
};

static char *attention_text(const struct scuse_nl_event *event)
{
	g_autofree char *what = asc_text(event->asc, event->ascq);

	if (!event->nexus)
		return g_strdup_printf("unit attention %s for every nexus", what);
	return g_strdup_printf("unit attention %s for every nexus but %u", what, event->nexus);
}

static char *mode_text(const struct scuse_nl_event *event)
{
	g_autofree char *settings = mode_settings_text(event->mode, event->mode_length);

	return g_strdup_printf("mode pages changed%s%s", *settings ? ": " : "", settings);
}

static char *device_text(const struct scuse_nl_event *event)
{
	const struct scuse_nl_device *device = event->device;
	g_autofree char *size = format_size(device->size);

	switch (event->type) {
	case SCUSE_EVENT_DEVICE_ADDED:
		return g_strdup_printf("added: %s in blocks of %u, handler %s, /dev/scuse%u", size,
				       device->block_size, device->handler, device->id);
	case SCUSE_EVENT_DEVICE_REMOVED:
		return g_strdup("removed");
	case SCUSE_EVENT_SIZE_CHANGED:
		return g_strdup_printf("size changed to %s (%" G_GUINT64_FORMAT " bytes)", size,
				       device->size);
	case SCUSE_EVENT_SESSION_STARTED:
		return g_strdup_printf("online: %s, worker %u", size, device->pid);
	case SCUSE_EVENT_SESSION_LOST:
		return g_strdup_printf("offline: worker %u is gone", device->pid);
	case SCUSE_EVENT_SESSION_BROKEN:
		return g_strdup_printf("broken: worker %u violated the protocol", device->pid);
	case SCUSE_EVENT_HANDLER_ERROR:
		return g_strdup_printf("error of handler %s", device->handler);
	case SCUSE_EVENT_SLOW_COMMAND:
		return g_strdup("slow command");
	case SCUSE_EVENT_SESSION_REVOKED:
		return g_strdup_printf("revoked: worker %u hung and was killed", device->pid);
	case SCUSE_EVENT_GIVEN_UP:
		return g_strdup("given up: no more workers are started until `scuse restart`");
	case SCUSE_EVENT_COMMANDS_FAILED:
		return g_strdup("offline for too long: commands no longer wait for a worker");
	case SCUSE_EVENT_UNIT_ATTENTION:
		return attention_text(event);
	case SCUSE_EVENT_RESERVATION:
		return g_strdup("reservation or registrations changed");
	case SCUSE_EVENT_MODE_CHANGED:
		return mode_text(event);
	default:
		return g_strdup_printf("event %u, which this version does not know", event->type);
	}
}

static char *other_text(const struct scuse_nl_event *event)
{
	if (event->owner && event->type == SCUSE_EVENT_OWNER_CLAIMED)
		return g_strdup_printf("handler %s: served by a runner, process %u", event->owner->handler,
				       event->owner->pid);
	if (event->owner)
		return g_strdup_printf("handler %s: its runner is gone", event->owner->handler);
	return g_strdup_printf("event %u, which this version does not know", event->type);
}

char *monitor_text(const struct scuse_nl_event *event)
{
	g_autofree char *what = event->device ? device_text(event) : other_text(event);
	const char *separator = *event->message ? ": " : "";
	g_autofree char *text = NULL;

	if (event->device) {
		g_autofree char *name = decode_name(event->device->name);

		text = g_strdup_printf("#%" G_GUINT64_FORMAT " LUN '%s': %s%s%s", event->sequence, name, what,
				       separator, event->message);
	} else {
		text = g_strdup_printf("#%" G_GUINT64_FORMAT " %s%s%s", event->sequence, what, separator,
				       event->message);
	}
	return printable(text);
}

char *monitor_lost_text(uint64_t first, uint64_t next)
{
	if (!next)
		return g_strdup(first ? "events are lost from here on: see `scuse ls` for what is true now"
				      : "events were lost: see `scuse ls` for what is true now");
	if (next - first == 1)
		return g_strdup_printf("event #%" G_GUINT64_FORMAT " was lost", first);
	return g_strdup_printf("events #%" G_GUINT64_FORMAT " to #%" G_GUINT64_FORMAT " were lost", first,
			       next - 1);
}

static void attention_json(ScuseJson *json, const struct scuse_nl_event *event)
{
	g_autofree char *meaning = asc_meaning(event->asc, event->ascq);

	scuse_json_uint(json, "asc", event->asc);
	scuse_json_uint(json, "ascq", event->ascq);
	scuse_json_string(json, "meaning", meaning);
	if (event->nexus)
		scuse_json_uint(json, "spared_nexus", event->nexus);
	else
		scuse_json_null(json, "spared_nexus");
}

void monitor_json(ScuseJson *json, const struct scuse_nl_event *event)
{
	scuse_json_uint(json, "sequence", event->sequence);
	scuse_json_string(json, "event", scuse_nl_event_name(event->type));
	if (event->device) {
		scuse_json_begin_object(json, "lun");
		device_json(json, event->device);
		scuse_json_end(json);
	}
	if (event->owner) {
		scuse_json_string(json, "handler", event->owner->handler);
		scuse_json_uint(json, "pid", event->owner->pid);
	}
	if (event->type == SCUSE_EVENT_UNIT_ATTENTION)
		attention_json(json, event);
	if (event->type == SCUSE_EVENT_MODE_CHANGED)
		mode_settings_json(json, "mode", event->mode, event->mode_length);
	scuse_json_string(json, "message", *event->message ? event->message : NULL);
}

/* ---- the command ------------------------------------------------------------------------------------ */

struct monitor {
	uint64_t seen;
	bool broken_pipe;
};

static void finish_line(struct monitor *monitor)
{
	if (fflush(stdout) || ferror(stdout))
		monitor->broken_pipe = true;
}

static void print_text(struct monitor *monitor, const char *text)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_local();
	g_autofree char *time = g_date_time_format(now, "%H:%M:%S");

	printf("%s.%03d %s\n", time, g_date_time_get_microsecond(now) / 1000, text);
	finish_line(monitor);
}

static ScuseJson *begin_json(void)
{
	g_autoptr(GDateTime) now = g_date_time_new_now_utc();
	g_autofree char *seconds = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S");
	g_autofree char *time = g_strdup_printf("%s.%03dZ", seconds, g_date_time_get_microsecond(now) / 1000);
	ScuseJson *json = scuse_json_new();

	scuse_json_begin_object(json, NULL);
	scuse_json_string(json, "time", time);
	return json;
}

static void on_event(void *data, const struct scuse_nl_event *event)
{
	struct monitor *monitor = data;

	if (count && monitor->seen >= count)
		return;
	monitor->seen++;
	if (globals.json) {
		g_autoptr(ScuseJson) json = begin_json();

		monitor_json(json, event);
		scuse_json_end(json);
		print_json(json);
		finish_line(monitor);
	} else {
		g_autofree char *text = monitor_text(event);

		print_text(monitor, text);
	}
}

static void on_lost(void *data, uint64_t first, uint64_t next)
{
	if (globals.json) {
		g_autoptr(ScuseJson) json = begin_json();

		scuse_json_string(json, "event", "lost");
		scuse_json_uint(json, "first", first);
		scuse_json_uint(json, "next", next);
		scuse_json_end(json);
		print_json(json);
		finish_line(data);
	} else {
		g_autofree char *text = monitor_lost_text(first, next);

		print_text(data, text);
	}
}

static void on_module(void *data, int loaded)
{
	if (globals.json) {
		g_autoptr(ScuseJson) json = begin_json();

		scuse_json_string(json, "event", loaded ? "module-loaded" : "module-unloaded");
		scuse_json_end(json);
		print_json(json);
		finish_line(data);
	} else {
		print_text(data, loaded ? "the kernel module was loaded" : "the kernel module was unloaded");
	}
}

static int time_left(gint64 deadline)
{
	gint64 left;

	if (!timeout)
		return -1;
	left = (deadline - g_get_monotonic_time() + 999) / 1000;
	return left < 0 ? 0 : (int)MIN(left, G_MAXINT);
}

static int watch(scuse_nl *nl, struct monitor *monitor, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + (gint64)MIN(timeout, 1000000000) * G_USEC_PER_SEC;

	while (!interrupted() && !monitor->broken_pipe && (!count || monitor->seen < count)) {
		int left = time_left(deadline), r;

		if (left == 0)
			return count ? EXIT_FAILED : EXIT_OK;
		r = scuse_nl_dispatch(nl, left);
		if (r < 0 && r != -EINTR) {
			fail(error, -r, "%s", scuse_nl_error(nl));
			return EXIT_FAILED;
		}
	}
	return EXIT_OK;
}

static int run(int argc, char **argv, char **tail, GError **error)
{
	static const struct scuse_nl_callbacks callbacks = {
		.struct_size = sizeof(callbacks), .event = on_event, .lost = on_lost, .module = on_module
	};
	g_autoptr(scuse_nl) nl = scuse_nl_open(SCUSE_NL_MODULE_OPTIONAL);
	struct monitor monitor = { 0 };

	(void)tail;
	if (argc) {
		fail_usage(error, "'%s' is too much: events of all LUNs are shown", argv[0]);
		return EXIT_USAGE;
	}
	if (!nl || scuse_nl_subscribe(nl, &callbacks, &monitor)) {
		fail(error, EIO, "%s", scuse_nl_error(nl));
		return EXIT_FAILED;
	}
	catch_signals();
	/* Tells scripts and people from when on nothing is missed. */
	if (!globals.quiet && !globals.json)
		fprintf(stderr, "watching; Ctrl-C ends\n");
	return watch(nl, &monitor, error);
}

const struct command monitor_command = {
	.name = "monitor",
	.arguments = "[--json] [--count N] [--timeout SECONDS]",
	.summary = "show what happens, one line an event",
	.options = options,
	.run = run,
};
