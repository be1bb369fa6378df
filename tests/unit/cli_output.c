/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse: what it prints: sizes, tables, JSON, events in words, statistics; and what it reads as JSON.
 */
#include <criterion/criterion.h>
#include <string.h>
#include "json_read.h"
#include "monitor.h"
#include "output.h"
#include "stats.h"

static void check_size_text(uint64_t bytes, const char *expected)
{
	g_autofree char *text = format_size(bytes);

	cr_assert_str_eq(text, expected);
}

Test(sizes, for_people)
{
	check_size_text(0, "0");
	check_size_text(1000, "1000");
	check_size_text(1024, "1k");
	check_size_text(256ull << 20, "256M");
	check_size_text(1536ull << 20, "1.50G");
	check_size_text((100ull << 30) + 1, "100G");
	check_size_text(1025 * 1024, "1.00M");
	check_size_text(UINT64_MAX, "16.0E");
}

Test(tables, aligned)
{
	static const char *const headings[] = { "NAME", ">SIZE", "STATE", NULL };
	g_autoptr(Table) table = table_new(headings);
	g_autofree char *text = NULL;

	table_add(table, "Gr\xc3\xb6\xc3\x9f"
			 "e");
	table_add(table, "1k");
	table_add(table, "online");
	table_add(table, "a\nb");
	table_addf(table, "%d", 12345);
	table_add(table, "x");
	text = table_format(table);
	cr_assert_str_eq(text, "NAME    SIZE  STATE\n"
			       "Gr\xc3\xb6\xc3\x9f"
			       "e     1k  online\n"
			       "a b    12345  x\n");
}

Test(tables, hostile_names)
{
	g_autofree char *shown = printable("a\033[2Jb\xff"
					   "c");

	cr_assert_str_eq(shown, "a\\x1b[2Jb\xef\xbf\xbd"
				"c");
}

Test(json, written_and_read_back)
{
	g_autoptr(ScuseJson) json = scuse_json_new();
	g_autoptr(JsonValue) value = NULL;

	scuse_json_begin_object(json, NULL);
	scuse_json_string(json, "text", "quote \" backslash \\ newline \n tab \t bell \a \xc3\xb6 \xff");
	scuse_json_uint(json, "big", UINT64_MAX);
	scuse_json_int(json, "negative", -5);
	scuse_json_bool(json, "yes", true);
	scuse_json_string(json, "nothing", NULL);
	scuse_json_double(json, "third", 1.0 / 3);
	scuse_json_double(json, "none", 0.0 / 0.0 * -1);
	scuse_json_begin_array(json, "list");
	scuse_json_uint(json, NULL, 1);
	scuse_json_begin_object(json, NULL);
	scuse_json_end(json);
	scuse_json_end(json);
	scuse_json_end(json);
	cr_assert(strstr(scuse_json_text(json),
			 "\"big\":18446744073709551615,\"negative\":-5,\"yes\":true") != NULL);
	value = json_read(scuse_json_text(json));
	cr_assert_not_null(value, "%s", scuse_json_text(json));
	cr_assert_str_eq(json_string_member(value, "text"),
			 "quote \" backslash \\ newline \n tab \t bell \a \xc3\xb6 \xef\xbf\xbd");
	cr_assert_eq(json_member(value, "nothing")->type, JSON_NULL);
	cr_assert_eq(json_member(value, "none")->type, JSON_NULL);
	cr_assert_eq(json_length(json_member(value, "list")), 2);
	cr_assert_float_eq(json_number_member(value, "third"), 0.333333, 1e-6);
}

Test(json, refused)
{
	static const char *const bad[] = { "",	     "{",	"[1,]",	     "{\"a\"}", "{\"a\":}",
					   "\"open", "\"\\x\"", "\"\\u12\"", "nul",	"[1] 2",
					   "-",	     "{a:1}",	"[1 2]",     "\"\\",	"\"\\u" };
	g_autofree char *deep = g_strnfill(100000, '[');

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		cr_assert_null(json_read(bad[i]), "%s", bad[i]);
	cr_assert_null(json_read(deep));
}

Test(json, unicode)
{
	g_autoptr(JsonValue) value = json_read(" [ \"\\u00f6\\ud83d\\ude00\\ud83d\" , -1.5e3 ] ");

	cr_assert_not_null(value);
	cr_assert_str_eq(json_item(value, 0)->string, "\xc3\xb6\xf0\x9f\x98\x80\xef\xbf\xbd");
	cr_assert_float_eq(json_item(value, 1)->number, -1500, 1e-9);
	cr_assert_null(json_item(value, 2));
	cr_assert_null(json_string_member(value, "x"));
	cr_assert_null(json_member(NULL, "x"));
}

static void check_event(uint32_t type, const char *message, const char *expected)
{
	struct scuse_nl_device device = { .id = 3,
					  .name = "a%2Fb",
					  .handler = "file",
					  .serial = "",
					  .size = 256 << 20,
					  .block_size = 512,
					  .pid = 77 };
	struct scuse_nl_event event = { .sequence = 9, .type = type, .device = &device, .message = message };
	g_autofree char *text = monitor_text(&event);

	cr_assert_str_eq(text, expected);
}

Test(events, in_words)
{
	check_event(SCUSE_EVENT_DEVICE_ADDED, "",
		    "#9 LUN 'a/b': added: 256M in blocks of 512, handler file, /dev/scuse3");
	check_event(SCUSE_EVENT_DEVICE_REMOVED, "", "#9 LUN 'a/b': removed");
	check_event(SCUSE_EVENT_SIZE_CHANGED, "", "#9 LUN 'a/b': size changed to 256M (268435456 bytes)");
	check_event(SCUSE_EVENT_SESSION_STARTED, "", "#9 LUN 'a/b': online: 256M, worker 77");
	check_event(SCUSE_EVENT_SESSION_LOST, "", "#9 LUN 'a/b': offline: worker 77 is gone");
	check_event(SCUSE_EVENT_SESSION_BROKEN, "bad tag",
		    "#9 LUN 'a/b': broken: worker 77 violated the protocol: bad tag");
	check_event(SCUSE_EVENT_HANDLER_ERROR, "disk\nfull",
		    "#9 LUN 'a/b': error of handler file: disk full");
	check_event(SCUSE_EVENT_SLOW_COMMAND, "READ took 5 s", "#9 LUN 'a/b': slow command: READ took 5 s");
	check_event(99, "", "#9 LUN 'a/b': event 99, which this version does not know");
}

Test(events, of_owners_in_words)
{
	struct scuse_nl_owner owner = { .handler = "file", .pid = 12 };
	struct scuse_nl_event event = {
		.sequence = 1, .type = SCUSE_EVENT_OWNER_CLAIMED, .owner = &owner, .message = ""
	};
	g_autofree char *claimed = monitor_text(&event), *lost = NULL;

	event.type = SCUSE_EVENT_OWNER_LOST;
	lost = monitor_text(&event);
	cr_assert_str_eq(claimed, "#1 handler file: served by a runner, process 12");
	cr_assert_str_eq(lost, "#1 handler file: its runner is gone");
}

Test(events, lost_in_words)
{
	g_autofree char *one = monitor_lost_text(5, 6), *more = monitor_lost_text(5, 9),
			*unknown = monitor_lost_text(5, 0);

	cr_assert_str_eq(one, "event #5 was lost");
	cr_assert_str_eq(more, "events #5 to #8 were lost");
	cr_assert(strstr(unknown, "scuse ls") != NULL);
}

Test(statistics, added_and_subtracted)
{
	struct scuse_nl_stats a = { .id = 1, .queue = 0, .commands = 10, .enters = 4, .wakeups = 1 };
	struct scuse_nl_stats b = { .id = 1, .queue = 1, .commands = 30, .enters = 6, .read_bytes = 5 };
	struct scuse_nl_stats other = { .id = 2, .queue = 0, .commands = 1000 }, sum, since;
	struct scuse_nl_stats *items[] = { &a, &b, &other, NULL };
	struct scuse_nl_statistics statistics = { .count = 3, .item = items };

	sum = stats_sum(&statistics, 1);
	cr_assert_eq(sum.commands, 40);
	cr_assert_eq(sum.enters, 10);
	cr_assert_eq(sum.read_bytes, 5);
	cr_assert_float_eq(stats_ratio(sum.enters, sum.commands), 0.25, 1e-9);
	cr_assert_float_eq(stats_ratio(1, 0), 0, 1e-9);
	since = stats_since(&sum, &a);
	cr_assert_eq(since.commands, 30);
	/* A LUN that was made anew under the same id counts from zero. */
	since = stats_since(&a, &sum);
	cr_assert_eq(since.commands, 0);
}
