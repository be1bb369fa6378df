/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A LUN's policies and limits: options to attributes, and attributes in words.  See policy.h.  Called by create, run,
 * set, show, ls, rm and detach.  No state.
 */
#include "policy.h"

#include <errno.h>
#include <string.h>
#include "args.h"
#include "configfs.h"
#include "output.h"

enum value_kind {
	VALUE_CHOICE,
	VALUE_SECONDS,
	VALUE_SIZE,
};

/* Options are named as the files, but for '-' and '_'. */
struct setting {
	const char *option, *file;
	enum value_kind kind;
	const char *choices; /* "a|b|c" */
	const char *none;    /* what the file holds for "none"; NULL: it always has a limit */
	guint64 lowest;	     /* seconds, bytes */
	size_t offset;	     /* in struct policy_options */
};

#define AT(member) offsetof(struct policy_options, member)
static const struct setting settings[] = {
	{ "--orphan-policy", "orphan_policy", VALUE_CHOICE, "wait|busy|error", NULL, 0, AT(orphan_policy) },
	{ "--orphan-timeout", "orphan_timeout", VALUE_SECONDS, NULL, "-1", 0, AT(orphan_timeout) },
	{ "--inflight-policy", "inflight_policy", VALUE_CHOICE, "replay|busy", NULL, 0, AT(inflight_policy) },
	{ "--command-timeout", "command_timeout", VALUE_SECONDS, NULL, "0", 1, AT(command_timeout) },
	{ "--tmf-timeout", "tmf_timeout", VALUE_SECONDS, NULL, NULL, 1, AT(tmf_timeout) },
	{ "--max-memory", "max_memory", VALUE_SIZE, NULL, NULL, 4096, AT(max_memory) },
};
#undef AT

static const char *given(const struct policy_options *from, const struct setting *setting)
{
	return *(const char *const *)((const char *)from + setting->offset);
}

/* ---- options ---- */

static char *choice_value(const struct setting *setting, const char *text, GError **error)
{
	g_auto(GStrv) choices = g_strsplit(setting->choices, "|", -1);

	if (g_strv_contains((const char *const *)choices, text))
		return g_strdup(text);
	fail_usage(error, "%s '%s' is not possible: it is one of %s", setting->option, text,
		   setting->choices);
	return NULL;
}

static char *seconds_value(const struct setting *setting, const char *text, GError **error)
{
	guint64 seconds;

	if (setting->none && !strcmp(text, "none"))
		return g_strdup(setting->none);
	if (g_ascii_string_to_unsigned(text, 10, setting->lowest, G_MAXINT32, &seconds, NULL))
		return g_strdup_printf("%" G_GUINT64_FORMAT, seconds);
	fail_usage(error,
		   "%s '%s' is not possible: give a number of seconds, at least %" G_GUINT64_FORMAT "%s",
		   setting->option, text, setting->lowest, setting->none ? ", or none" : "");
	return NULL;
}

static char *size_value(const struct setting *setting, const char *text, GError **error)
{
	uint64_t bytes;

	if (!parse_size(text, setting->option, &bytes, error))
		return NULL;
	if (bytes >= setting->lowest)
		return g_strdup_printf("%" G_GUINT64_FORMAT, bytes);
	fail_usage(error, "%s %s is too little: give at least %" G_GUINT64_FORMAT " bytes", setting->option,
		   text, setting->lowest);
	return NULL;
}

/* What goes into the file; newly allocated. */
static char *file_value(const struct setting *setting, const char *text, GError **error)
{
	switch (setting->kind) {
	case VALUE_CHOICE:
		return choice_value(setting, text, error);
	case VALUE_SECONDS:
		return seconds_value(setting, text, error);
	case VALUE_SIZE:
		return size_value(setting, text, error);
	}
	return NULL;
}

bool policy_check(const struct policy_options *from, GError **error)
{
	for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
		const char *text = given(from, &settings[i]);
		g_autofree char *value = text ? file_value(&settings[i], text, error) : NULL;

		if (text && !value)
			return false;
	}
	return true;
}

bool policy_any(const struct policy_options *from)
{
	for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
		if (given(from, &settings[i]))
			return true;
	return false;
}

static bool write_setting(const char *path, const struct setting *setting, const char *text, GError **error)
{
	g_autofree char *file = g_strdup_printf("%s/attrib/%s", path, setting->file);
	g_autofree char *value = file_value(setting, text, error);
	g_autoptr(GError) reason = NULL;

	if (!value)
		return false;
	if (configfs_write(file, value, &reason))
		return true;
	if (reason->code == ENOENT)
		return fail(
			error, ENOENT,
			"the kernel module does not know %s: it is older than this scuse; install the module "
			"that came with it, or leave the option out",
			setting->option);
	if (reason->code == EINVAL || reason->code == ERANGE)
		return fail(error, reason->code,
			    "the kernel module does not accept %s %s: the value is out of range",
			    setting->option, text);
	return fail(error, reason->code, "%s", reason->message);
}

bool policy_write(const char *path, const struct policy_options *from, GError **error)
{
	for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
		const char *text = given(from, &settings[i]);

		if (text && !write_setting(path, &settings[i], text, error))
			return false;
	}
	return true;
}

/* ---- removal ---- */

void policy_hold_begin(const char *path, policy_hold *hold)
{
	g_autofree char *file = g_strdup_printf("%s/attrib/orphan_policy", path);
	g_autofree char *before = configfs_read(file);

	*hold = (policy_hold){ 0 };
	if (!before || strcmp(before, "wait") || !configfs_write(file, "busy", NULL))
		return;
	hold->file = g_steal_pointer(&file);
	hold->before = g_steal_pointer(&before);
}

void policy_hold_end(policy_hold *hold)
{
	if (hold->file)
		configfs_write(hold->file, hold->before, NULL);
	g_clear_pointer(&hold->file, g_free);
	g_clear_pointer(&hold->before, g_free);
}

/* ---- in words ---- */

static char *limit_text(uint32_t seconds, uint32_t none)
{
	return seconds == none ? g_strdup("without a limit") : g_strdup_printf("%u s", seconds);
}

static char *orphan_text(const struct scuse_nl_device *device)
{
	const char *name = scuse_nl_orphan_name(device->orphan_policy);

	if (device->orphan_policy != SCUSE_ORPHAN_WAIT)
		return g_strdup(name);
	if (device->orphan_timeout == SCUSE_NL_NO_LIMIT)
		return g_strdup_printf("%s, without a limit", name);
	return g_strdup_printf("%s, at most %u s, then busy", name, device->orphan_timeout);
}

void policy_print(const struct scuse_nl_device *device)
{
	g_autofree char *orphan = orphan_text(device), *command = limit_text(device->command_timeout, 0);
	g_autofree char *used = format_size(device->memory), *most = format_size(device->memory_max);

	if (device->policies) {
		print_field("orphans", "%s", orphan);
		print_field("in flight", "%s", scuse_nl_inflight_name(device->inflight_policy));
	}
	if (device->tmf_timeout)
		print_field("time limits", "command %s, cancelled command %u s", command,
			    device->tmf_timeout);
	if (device->memory_max)
		print_field("memory", "%s of at most %s", used, most);
}

/* `none`: the value that stands for no limit, which is null. */
static void limit_json(ScuseJson *json, const char *key, uint32_t seconds, uint32_t none)
{
	if (seconds == none)
		scuse_json_null(json, key);
	else
		scuse_json_uint(json, key, seconds);
}

void policy_json(ScuseJson *json, const struct scuse_nl_device *device)
{
	if (device->policies) {
		scuse_json_string(json, "orphan_policy", scuse_nl_orphan_name(device->orphan_policy));
		limit_json(json, "orphan_timeout", device->orphan_timeout, SCUSE_NL_NO_LIMIT);
		scuse_json_string(json, "inflight_policy", scuse_nl_inflight_name(device->inflight_policy));
	}
	if (device->tmf_timeout) {
		limit_json(json, "command_timeout", device->command_timeout, 0);
		scuse_json_uint(json, "tmf_timeout", device->tmf_timeout);
	}
	if (device->offline)
		scuse_json_uint(json, "offline_ms", device->offline_ms);
	else
		scuse_json_null(json, "offline_ms");
	if (device->memory_max) {
		scuse_json_uint(json, "memory", device->memory);
		scuse_json_uint(json, "max_memory", device->memory_max);
	}
}

char *policy_state_text(const struct scuse_nl_device *device)
{
	const char *name = scuse_nl_state_name(device->state);

	if (!device->offline)
		return g_strdup(name);
	return g_strdup_printf("%s for %" G_GUINT64_FORMAT " s", name, device->offline_ms / 1000);
}
