/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse: policies and limits of a LUN: what options are taken, what is written to configfs, what a module that is too
 * old makes of it, and how they are shown.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include "cli.h"
#include "monitor.h"
#include "policy.h"

static char *lun;

static void attribute(const char *name, const char *value)
{
	g_autofree char *path = g_build_filename(lun, "attrib", name, NULL),
			*parent = g_path_get_dirname(path);

	g_mkdir_with_parents(parent, 0755);
	cr_assert(g_file_set_contents(path, value, -1, NULL));
}

static char *value_of(const char *name)
{
	g_autofree char *path = g_build_filename(lun, "attrib", name, NULL);
	char *text = NULL;

	cr_assert(g_file_get_contents(path, &text, NULL, NULL), "%s", name);
	return text;
}

static void expect_value(const char *name, const char *wanted)
{
	g_autofree char *text = value_of(name);

	cr_expect_str_eq(g_strchomp(text), wanted);
}

static void set_up(void)
{
	static const char *const names[] = { "orphan_policy",	"orphan_timeout", "inflight_policy",
					     "command_timeout", "tmf_timeout",	  "max_memory" };

	lun = g_dir_make_tmp("scuse-test-XXXXXX", NULL);
	/* Files keep their length when they are written over here; in configfs they have none. */
	for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
		attribute(names[i], "");
}

static void tear_down(void)
{
	g_autofree char *command = g_strdup_printf("rm -r '%s'", lun);

	cr_expect_eq(system(command), 0);
	g_free(lun);
}

TestSuite(policy, .init = set_up, .fini = tear_down);

Test(policy, what_is_given_is_written)
{
	const struct policy_options options = { .orphan_policy = "error",
						.orphan_timeout = "none",
						.inflight_policy = "busy",
						.command_timeout = "none",
						.tmf_timeout = "20",
						.max_memory = "64M" };
	GError *error = NULL;

	cr_assert(policy_check(&options, &error));
	cr_assert(policy_any(&options));
	cr_assert(policy_write(lun, &options, &error));
	expect_value("orphan_policy", "error");
	expect_value("orphan_timeout", "-1");
	expect_value("inflight_policy", "busy");
	expect_value("command_timeout", "0");
	expect_value("tmf_timeout", "20");
	expect_value("max_memory", "67108864");
}

Test(policy, what_is_not_given_stays)
{
	const struct policy_options one = { .command_timeout = "120" }, none = { 0 };

	cr_assert(policy_write(lun, &one, NULL));
	expect_value("command_timeout", "120");
	expect_value("tmf_timeout", "");
	cr_assert(!policy_any(&none));
	cr_assert(policy_check(&none, NULL));
	cr_assert(policy_write("/nowhere", &none, NULL));
}

Test(policy, usage_errors_name_the_fix)
{
	static const struct {
		struct policy_options options;
		const char *says;
	} bad[] = {
		{ { .orphan_policy = "hold" },
		  "--orphan-policy 'hold' is not possible: it is one of wait|busy|error" },
		{ { .orphan_policy = "" }, "wait|busy|error" },
		{ { .inflight_policy = "wait" }, "replay|busy" },
		{ { .orphan_timeout = "30s" }, "a number of seconds, at least 0, or none" },
		{ { .command_timeout = "0" }, "at least 1, or none" },
		{ { .tmf_timeout = "none" },
		  "--tmf-timeout 'none' is not possible: give a number of seconds, at least 1" },
		{ { .tmf_timeout = "-1" }, "--tmf-timeout '-1'" },
		{ { .tmf_timeout = "99999999999" }, "--tmf-timeout '99999999999'" },
		{ { .max_memory = "much" }, "--max-memory 'much' is not a size" },
		{ { .max_memory = "1" }, "at least 4096 bytes" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(GError) error = NULL;

		cr_expect_not(policy_check(&bad[i].options, &error), "%s", bad[i].says);
		cr_expect(error && error->code == CLI_USAGE && strstr(error->message, bad[i].says),
			  "'%s' does not say '%s'", error ? error->message : "", bad[i].says);
	}
}

Test(policy, a_module_that_is_too_old)
{
	const struct policy_options options = { .orphan_policy = "wait" };
	g_autofree char *path = g_build_filename(lun, "attrib", "orphan_policy", NULL);
	g_autoptr(GError) error = NULL;

	g_unlink(path);
	cr_assert_not(policy_write(lun, &options, &error));
	cr_expect_eq(error->code, ENOENT);
	cr_expect(strstr(error->message, "does not know --orphan-policy"), "%s", error->message);
}

/* ---- removal ---- */

Test(policy, nobody_waits_for_a_lun_that_goes)
{
	policy_hold hold;

	attribute("orphan_policy", "wait\n");
	policy_hold_begin(lun, &hold);
	expect_value("orphan_policy", "busy");
	policy_hold_end(&hold);
	expect_value("orphan_policy", "wait");
}

Test(policy, what_does_not_wait_stays)
{
	static const char *const others[] = { "busy\n", "error\n" };

	for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
		g_autofree char *after = NULL;
		policy_hold hold;

		attribute("orphan_policy", others[i]);
		policy_hold_begin(lun, &hold);
		policy_hold_end(&hold);
		after = value_of("orphan_policy");
		cr_expect_str_eq(after, others[i]);
	}
}

Test(policy, removal_without_policies)
{
	policy_hold hold;

	policy_hold_begin("/nowhere", &hold);
	cr_expect_null(hold.file);
	policy_hold_end(&hold);
}

/* ---- shown ---- */

static struct scuse_nl_device make_device(void)
{
	return (struct scuse_nl_device){ .id = 3,
					 .name = "d",
					 .handler = "file",
					 .serial = "",
					 .state = SCUSE_STATE_OFFLINE,
					 .policies = 1,
					 .orphan_policy = SCUSE_ORPHAN_WAIT,
					 .orphan_timeout = SCUSE_NL_NO_LIMIT,
					 .inflight_policy = SCUSE_INFLIGHT_REPLAY,
					 .tmf_timeout = 10,
					 .offline = 1,
					 .offline_ms = 12345,
					 .memory = 4096,
					 .memory_max = 8192,
					 .pid = 99 };
}

static char *json_of(const struct scuse_nl_device *device)
{
	g_autoptr(ScuseJson) json = scuse_json_new();

	scuse_json_begin_object(json, NULL);
	policy_json(json, device);
	scuse_json_end(json);
	return g_strdup(scuse_json_text(json));
}

Test(shown, as_json)
{
	struct scuse_nl_device device = make_device();
	g_autofree char *json = json_of(&device);

	cr_expect_str_eq(json,
			 "{\"orphan_policy\":\"wait\",\"orphan_timeout\":null,\"inflight_policy\":\"replay\","
			 "\"command_timeout\":null,\"tmf_timeout\":10,\"offline_ms\":12345,"
			 "\"memory\":4096,\"max_memory\":8192}");
}

Test(shown, of_an_older_module)
{
	struct scuse_nl_device device = { .state = SCUSE_STATE_ONLINE };
	g_autofree char *json = json_of(&device), *text = policy_state_text(&device);

	cr_expect_str_eq(json, "{\"offline_ms\":null}");
	cr_expect_str_eq(text, "online");
}

Test(shown, since_when)
{
	struct scuse_nl_device device = make_device();
	g_autofree char *text = policy_state_text(&device);

	cr_expect_str_eq(text, "offline for 12 s");
}

Test(shown, events)
{
	static const struct {
		uint32_t type;
		const char *text, *name;
	} events[] = {
		{ SCUSE_EVENT_SESSION_REVOKED, "#4 LUN 'd': revoked: worker 99 hung and was killed: why",
		  "session-revoked" },
		{ SCUSE_EVENT_GIVEN_UP,
		  "#4 LUN 'd': given up: no more workers are started until `scuse restart`: why",
		  "given-up" },
		{ SCUSE_EVENT_COMMANDS_FAILED,
		  "#4 LUN 'd': offline for too long: commands no longer wait for a worker: why",
		  "commands-failed" },
	};
	struct scuse_nl_device device = make_device();

	for (size_t i = 0; i < G_N_ELEMENTS(events); i++) {
		const struct scuse_nl_event event = {
			.sequence = 4, .type = events[i].type, .device = &device, .message = "why"
		};
		g_autofree char *text = monitor_text(&event);

		cr_expect_str_eq(text, events[i].text);
		cr_expect_str_eq(scuse_nl_event_name(events[i].type), events[i].name);
	}
}
