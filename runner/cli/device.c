/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LUNs by name, and the making of one; see device.h.  Called by nearly all commands.
 *
 * Making a LUN: directory -> parameters and serial number -> enable (the kernel asks the owner of the
 * handler, and waits for its answer) -> the persistent reservations that it had before.  A step that fails
 * undoes the ones before.
 */
#include "device.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "aptpl.h"
#include "args.h"
#include "configfs.h"
#include "output.h"

#define ENABLE_LIMIT  (SCUSE_REQUEST_TIMEOUT + 10) /* seconds */
#define HBA_ATTEMPTS  50
#define EVENT_WAIT_MS 500 /* for the event that says why, after the kernel has said that */

scuse_nl *control_open(GError **error)
{
	scuse_nl *nl = scuse_nl_open(0);

	if (nl)
		return nl;
	if (errno == ENODEV)
		fail(error, ENODEV,
		     "the scuse kernel module is not loaded, so there are no LUNs: `scuse create` loads it, "
		     "or modprobe scuse");
	else
		fail(error, errno, "%s", scuse_nl_error(NULL));
	return NULL;
}

char *device_path(const scuse_nl_device *device)
{
	g_autofree char *path = configfs_device(device->hba, device->name);
	char *found;

	if (configfs_is_directory(path))
		return g_steal_pointer(&path);
	/* On its way out, or made by another version of the module: by its name, then. */
	found = configfs_find_device(device->name);
	return found ? found : g_steal_pointer(&path);
}

scuse_nl_device *device_find(scuse_nl *nl, const char *name, GError **error)
{
	g_autofree char *directory = encode_name(name, error), *path = NULL;
	scuse_nl_device *device = NULL;
	int r;

	if (!directory)
		return NULL;
	r = scuse_nl_get_device(nl, directory, &device);
	if (!r)
		return device;
	if (r != -ENODEV) {
		fail(error, -r, "%s", scuse_nl_error(nl));
		return NULL;
	}
	path = configfs_find_device(directory);
	if (path)
		fail(error, ENODEV,
		     "LUN '%s' is half made (%s is there, but not enabled): remove it with `scuse rm`", name,
		     path);
	else
		fail(error, ENODEV, "there is no LUN '%s': `scuse ls` lists them", name);
	return NULL;
}

void plan_clear(plan *what)
{
	g_clear_pointer(&what->directory, g_free);
	g_clear_pointer(&what->lines, g_ptr_array_unref);
}

/* ---- creation --------------------------------------------------------------------------------------- */

static bool write_control(const char *path, const char *key, const char *value, GError **error)
{
	g_autofree char *control = g_strdup_printf("%s/control", path);
	g_autofree char *line = g_strdup_printf("%s=%s", key, value);
	GError *reason = NULL;

	if (configfs_write(control, line, &reason))
		return true;
	if (reason->code == EINVAL)
		fail(error, EINVAL, "the kernel module does not accept %s: its log (dmesg) says why", line);
	else
		fail(error, reason->code, "%s", reason->message);
	g_error_free(reason);
	return false;
}

static bool write_number(const char *path, const char *key, uint64_t value, GError **error)
{
	g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, value);

	return value ? write_control(path, key, text, error) : true;
}

static bool write_parameters(const char *path, const plan *what, GError **error)
{
	if (!write_control(path, "handler", what->handler, error) ||
	    (what->raw && !write_control(path, "raw", "1", error)) ||
	    !write_number(path, "size", what->raw ? 0 : what->size, error) ||
	    !write_number(path, "block_size", what->raw ? 0 : what->block_size, error) ||
	    !write_number(path, "queues", what->queues, error) ||
	    !write_number(path, "depth", what->depth, error) ||
	    !write_number(path, "device_type", what->device_type, error) ||
	    (what->protection && !write_control(path, "protection", what->protection, error)))
		return false;
	for (guint i = 0; i < what->lines->len; i++)
		if (!write_control(path, "param", what->lines->pdata[i], error))
			return false;
	return true;
}

static void on_event(void *data, const struct scuse_nl_event *event)
{
	struct witness *witness = data;

	if (event->type != SCUSE_EVENT_HANDLER_ERROR || !event->device || !*event->message ||
	    strcmp(event->device->name, witness->directory))
		return;
	g_free(witness->message);
	witness->message = g_strdup(event->message);
}

bool witness_begin(scuse_nl *nl, struct witness *witness, const char *directory, GError **error)
{
	static const struct scuse_nl_callbacks callbacks = { .struct_size = sizeof(callbacks),
							     .event = on_event };

	*witness = (struct witness){ .directory = directory };
	if (scuse_nl_subscribe(nl, &callbacks, witness))
		return fail(error, EIO, "%s", scuse_nl_error(nl));
	return true;
}

char *witness_end(scuse_nl *nl, struct witness *witness, bool failed)
{
	static const struct scuse_nl_callbacks nothing = { .struct_size = sizeof(nothing) };

	if (failed)
		scuse_nl_dispatch(nl, EVENT_WAIT_MS);
	scuse_nl_subscribe(nl, &nothing, NULL);
	return g_steal_pointer(&witness->message);
}

static bool enable_failed(const plan *what, const char *message, const GError *reason, GError **error)
{
	if (interrupted())
		return check_interrupted(error);
	if (reason->code == ETIMEDOUT)
		return fail(error, ETIMEDOUT,
			    "LUN '%s': the runner did not answer within %d seconds: see its log (journalctl "
			    "-u scuse-runner)",
			    what->name, SCUSE_REQUEST_TIMEOUT);
	if (message)
		return fail(error, reason->code, "LUN '%s': %s", what->name, message);
	return fail(error, reason->code, "LUN '%s' cannot be enabled: %s (the kernel log may say more)",
		    what->name, g_strerror(reason->code));
}

static bool enable(scuse_nl *nl, const char *path, const plan *what, GError **error)
{
	g_autofree char *file = g_strdup_printf("%s/enable", path), *message = NULL;
	g_autoptr(GError) reason = NULL;
	struct witness witness;
	bool good;

	if (!witness_begin(nl, &witness, what->directory, error))
		return false;
	good = configfs_write_limited(file, "1", ENABLE_LIMIT, &reason);
	message = witness_end(nl, &witness, !good && !interrupted());
	return good ? true : enable_failed(what, message, reason, error);
}

static bool write_serial(const char *path, const plan *what, GError **error)
{
	g_autofree char *file = g_strdup_printf("%s/wwn/vpd_unit_serial", path);
	g_autofree char *uuid = g_uuid_string_random();

	return configfs_write(file, what->serial ? what->serial : uuid, error);
}

static bool exists_already(const plan *what, GError **error)
{
	g_autofree char *quoted = quote_name(what->name);

	return fail(error, EEXIST,
		    "LUN '%s' exists already: see `scuse show %s`, or remove it with `scuse rm %s`",
		    what->name, quoted, quoted);
}

/* `rm` of the last LUN removes the HBA; so it may vanish between the two steps. */
static bool make_directory(const plan *what, const char *path, GError **error)
{
	g_autofree char *hba = configfs_path("core", CONFIGFS_HBA, NULL);
	g_autofree char *other = configfs_find_device(what->directory);
	bool made = false;

	/* Other tools may have made it in another HBA; a name is to mean one LUN. */
	if (other)
		return exists_already(what, error);
	for (int i = 0; i < HBA_ATTEMPTS; i++) {
		g_autoptr(GError) reason = NULL;

		if (!configfs_make(hba, NULL, error))
			return false;
		if (configfs_make(path, &made, &reason))
			return made ? true : exists_already(what, error);
		if (reason->code != ENOENT)
			return fail(error, reason->code, "%s", reason->message);
	}
	return fail(error, EAGAIN, "%s comes and goes: try again", hba);
}

scuse_nl_device *device_create(scuse_nl *nl, const plan *what, GError **error)
{
	g_autofree char *path = configfs_path("core", CONFIGFS_HBA, what->directory, NULL);
	scuse_nl_device *device = NULL;

	if (!make_directory(what, path, error))
		return NULL;
	/* The serial number comes first: nobody is to see the LUN without it. */
	if (check_interrupted(error) && write_parameters(path, what, error) &&
	    write_serial(path, what, error) && policy_write(path, what->policies, error) &&
	    enable(nl, path, what, error) && aptpl_restore(path, what->serial, error) &&
	    check_interrupted(error) && scuse_nl_get_device(nl, what->directory, &device))
		fail(error, EIO, "%s", scuse_nl_error(nl));
	if (!device) {
		g_autoptr(GError) left = NULL;

		begin_clean_up();
		if (!configfs_remove_device(path, &left))
			print_warning("%s", left->message);
	}
	return device;
}

/* ---- JSON ------------------------------------------------------------------------------------------- */

static void params_json(ScuseJson *json, const char *config)
{
	g_auto(GStrv) lines = g_strsplit(config, "\n", -1);

	scuse_json_begin_array(json, "params");
	for (char **line = lines; *line; line++)
		if (**line && **line != '.')
			scuse_json_string(json, NULL, **line == '=' ? *line + 1 : *line);
	scuse_json_end(json);
}

/* The members of an object that is open. */
void device_json(ScuseJson *json, const scuse_nl_device *device)
{
	g_autofree char *name = decode_name(device->name);
	g_autofree char *path = device_path(device);

	scuse_json_string(json, "name", name);
	scuse_json_string(json, "handler", device->handler);
	scuse_json_uint(json, "size", device->size);
	scuse_json_uint(json, "block_size", device->block_size);
	scuse_json_string(json, "state", scuse_nl_state_name(device->state));
	scuse_json_uint(json, "id", device->id);
	scuse_json_uint(json, "pid", device->pid);
	scuse_json_string(json, "serial", device->serial);
	scuse_json_uint(json, "device_type", device->device_type);
	scuse_json_string(json, "type", scuse_nl_type_name(device->device_type));
	scuse_json_bool(json, "raw", device->raw);
	if (device->raw)
		scuse_json_string(json, "identity", device->identity);
	scuse_json_uint(json, "queues", device->queues);
	scuse_json_uint(json, "depth", device->depth);
	scuse_json_uint(json, "max_transfer", device->max_transfer);
	scuse_json_uint(json, "features", device->features);
	policy_json(json, device);
	scuse_json_string(json, "configfs", path);
	scuse_json_string(json, "error", device->error);
	if (device->config)
		params_json(json, device->config);
}
