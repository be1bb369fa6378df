// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Loads handler plugins.  See loader.h.
 *
 * TRUST	A plugin runs as root.  So it, and the directory that it lies in, must belong to root (or to
 *		whom the runner runs as) and must not be writable by anybody else.
 * ABI		scuse/handler.h, "ABI PROMISE": a shorter struct is filled with zeros, a newer major
 *		refused, a newer minor cut to what is known here.  Only the first three fields are read
 *		before that is settled.
 */
#include "loader.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "claims.h"
#include "log.h"

#define IO_PRIVATE_MAX 65536

bool handler_name_valid(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > 31 || !g_ascii_islower(*name))
		return false;
	for (; *name; name++)
		if (!g_ascii_islower(*name) && !g_ascii_isdigit(*name) && *name != '-')
			return false;
	return true;
}

char *handler_find(const char *const *dirs, const char *name)
{
	if (!handler_name_valid(name))
		return NULL;
	for (; *dirs; dirs++) {
		g_autofree char *file = g_strconcat(name, ".so", NULL);
		char *path = g_build_filename(*dirs, file, NULL);

		if (access(path, F_OK) == 0)
			return path;
		g_free(path);
	}
	return NULL;
}

/* `what` is the file or its directory. */
static char *check_owner(const char *what, const char *path, const struct stat *status)
{
	if (status->st_uid != 0 && status->st_uid != geteuid())
		return g_strdup_printf(
			"%s %s belongs to user %u: only what root owns is loaded; chown root %s", what, path,
			status->st_uid, path);
	if (status->st_mode & 022)
		return g_strdup_printf(
			"%s %s is writable by %s (mode %04o), so it is not loaded; chmod go-w %s", what, path,
			status->st_mode & 002 ? "everybody" : "its group", status->st_mode & 07777, path);
	return NULL;
}

char *handler_check_file(const char *path)
{
	g_autofree char *real = realpath(path, NULL);
	g_autofree char *dir = g_path_get_dirname(real ? real : path);
	struct stat status;
	char *wrong;

	if (!real || stat(real, &status))
		return g_strdup_printf("plugin %s: %s", path, g_strerror(errno));
	if (!S_ISREG(status.st_mode))
		return g_strdup_printf("plugin %s is not a regular file", real);
	wrong = check_owner("plugin", real, &status);
	if (wrong)
		return wrong;
	if (stat(dir, &status))
		return g_strdup_printf("plugin directory %s: %s", dir, g_strerror(errno));
	return check_owner("plugin directory", dir, &status);
}

/* ---- the ABI ---- */

static char *check_abi(const struct scuse_handler *given)
{
	if (given->magic != SCUSE_HANDLER_ABI_MAGIC)
		return g_strdup("its struct scuse_handler does not begin with the magic number: "
				"was it registered with SCUSE_REGISTER_HANDLER()?");
	if (given->abi_major != SCUSE_HANDLER_ABI_MAJOR)
		return g_strdup_printf(
			"it was built for handler ABI %u.%u, but this scuse-runner has %u.%u: %s",
			given->abi_major, given->abi_minor, SCUSE_HANDLER_ABI_MAJOR, SCUSE_HANDLER_ABI_MINOR,
			given->abi_major > SCUSE_HANDLER_ABI_MAJOR
				? "install a newer scuse, or build the plugin with the headers of this one"
				: "build the plugin again, with the headers of this scuse");
	if (given->struct_size < offsetof(struct scuse_handler, probe))
		return g_strdup_printf("its struct scuse_handler has only %u bytes", given->struct_size);
	return NULL;
}

/* A sub-table: copies what both sides know.  False: too short to hold even `read`. */
static bool copy_table(void *to, size_t known, const void *from)
{
	uint32_t given = *(const uint32_t *)from;

	memset(to, 0, known);
	if (given < offsetof(struct scuse_sync_ops, write))
		return false;
	memcpy(to, from, MIN(given, known));
	return true;
}

static char *copy_ops(struct handler *handler)
{
	const struct scuse_handler *def = &handler->def;

	if (!def->sync == !def->async)
		return g_strdup(
			def->sync ? "it has both sync and async operations: exactly one of the two may be set"
				  : "it has no operations: one of sync and async must be set");
	if (def->sync && !copy_table(&handler->sync, sizeof(handler->sync), def->sync))
		return g_strdup(
			"its sync operations do not begin with SCUSE_OPS_HEADER(struct scuse_sync_ops)");
	if (def->async && !copy_table(&handler->async, sizeof(handler->async), def->async))
		return g_strdup(
			"its async operations do not begin with SCUSE_OPS_HEADER(struct scuse_async_ops)");
	if (def->sync)
		handler->def.sync = &handler->sync;
	else
		handler->def.async = &handler->async;
	return NULL;
}

static bool has_read(const struct handler *handler)
{
	return handler->def.sync ? handler->sync.read != NULL : handler->async.read != NULL;
}

static bool has_cdb(const struct handler *handler)
{
	return handler->def.sync ? handler->sync.cdb != NULL : handler->async.cdb != NULL;
}

static char *check_device_type(const struct scuse_handler *def)
{
	if (def->device_type >= SCUSE_TYPE_UNKNOWN && def->device_type != SCUSE_DEVICE_TYPE_ANY)
		return g_strdup_printf("its device type, %02xh, is none of SPC-4", def->device_type);
	if (def->device_type == SCUSE_DEVICE_TYPE_ANY && !def->probe)
		return g_strdup("it serves any device type, but has no probe function to say which");
	return NULL;
}

/* Where the type is known by probe only, so may be the claims. */
static char *check_claims(const struct handler *handler)
{
	const struct scuse_handler *def = &handler->def;
	char *wrong = NULL;

	if (def->claims ? !has_cdb(handler) : has_cdb(handler) && def->device_type != SCUSE_DEVICE_TYPE_ANY)
		return g_strdup("its cdb operation and its list of claims belong together, and one of them "
				"is missing");
	if (def->claims)
		claims_check(def->claims, &wrong);
	return wrong;
}

static char *check_operations(const struct handler *handler)
{
	const struct scuse_handler *def = &handler->def;
	const struct scuse_async_ops *async = &handler->async;
	char *wrong;

	if (!def->open)
		return g_strdup("it has no open function");
	if (def->device_type == 0 && !has_read(handler))
		return g_strdup("it has no read operation, which a disk needs");
	if (def->device_type != 0 && !has_cdb(handler))
		return g_strdup("it has no cdb operation, which all but a disk need");
	wrong = check_claims(handler);
	if (wrong)
		return wrong;
	if (def->async && !async->queue_open && (async->queue_fd || async->queue_reap || async->queue_close))
		return g_strdup("it has queue functions, but not queue_open");
	if (def->async && !async->queue_fd != !async->queue_reap)
		return g_strdup("its queue_fd and queue_reap belong together, and one of them is missing");
	return NULL;
}

static char *check_fields(const struct handler *handler, const char *name)
{
	const struct scuse_handler *def = &handler->def;

	if (!def->name || !handler_name_valid(def->name))
		return g_strdup("its name is missing, or not [a-z][a-z0-9-]* of at most 31 characters");
	if (strcmp(def->name, name) != 0)
		return g_strdup_printf("it calls itself '%s': the file must be named %s.so", def->name,
				       def->name);
	if (def->io_private_size > IO_PRIVATE_MAX)
		return g_strdup_printf("it wants %zu bytes of private memory a command; the limit is %d",
				       def->io_private_size, IO_PRIVATE_MAX);
	switch (def->thread_model) {
	case SCUSE_THREADS_DEFAULT:
	case SCUSE_THREADS_SERIAL_LUN:
	case SCUSE_THREADS_PARALLEL:
	case SCUSE_THREADS_QUEUE_AFFINE:
		return check_device_type(def);
	}
	return g_strdup_printf("its thread model %u is not known here", def->thread_model);
}

struct handler *handler_adopt(const struct scuse_handler *given, const char *name, char **error)
{
	struct handler *handler = g_new0(struct handler, 1);
	char *wrong = check_abi(given);

	if (!wrong) {
		memcpy(&handler->def, given, MIN(given->struct_size, sizeof(handler->def)));
		wrong = check_fields(handler, name);
	}
	if (!wrong)
		wrong = copy_ops(handler);
	if (!wrong)
		wrong = check_operations(handler);
	handler->table = (struct param_table){ name, handler->def.params, handler->def.magic_param };
	if (!wrong)
		wrong = param_table_check(&handler->table);
	if (wrong) {
		*error = wrong;
		handler_free(handler);
		return NULL;
	}
	handler->table.handler = handler->def.name;
	return handler;
}

/* ---- the file ---- */

static const struct scuse_handler *open_object(const char *path, void **object, char **error)
{
	const struct scuse_handler *(*registered)(void);
	const struct scuse_handler *given;

	*object = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!*object) {
		*error = g_strdup_printf("it cannot be loaded: %s", dlerror());
		return NULL;
	}
	*(void **)&registered = dlsym(*object, "scuse_handler_register");
	if (!registered) {
		*error = g_strdup("it is not a handler: the symbol scuse_handler_register is missing "
				  "(SCUSE_REGISTER_HANDLER() defines it)");
		return NULL;
	}
	given = registered();
	if (!given)
		*error = g_strdup("scuse_handler_register() returned NULL");
	return given;
}

/* load() may fail, and say why with scuse_error(). */
static char *call_load(struct handler *handler)
{
	struct error_capture capture;
	int result;

	if (!handler->def.load)
		return NULL;
	error_capture_begin(&capture);
	result = handler->def.load();
	error_capture_end(&capture);
	if (result == 0)
		return NULL;
	return g_strdup_printf("its load function failed: %s",
			       capture.text[0] ? capture.text : g_strerror(ABS(result)));
}

struct handler *handler_load(const char *path, const char *name, char **error)
{
	const struct scuse_handler *given;
	struct handler *handler = NULL;
	g_autofree char *why = NULL;
	void *object = NULL;

	*error = handler_check_file(path);
	if (*error)
		return NULL;
	given = open_object(path, &object, &why);
	if (given)
		handler = handler_adopt(given, name, &why);
	if (handler) {
		handler->path = g_strdup(path);
		handler->object = object;
		why = call_load(handler);
		handler->loaded = !why;
	}
	if (why) {
		*error = g_strdup_printf("plugin %s is not usable: %s", path, why);
		handler_free(handler);
		return NULL;
	}
	return handler;
}

void handler_free(struct handler *handler)
{
	if (!handler)
		return;
	if (handler->loaded && handler->def.unload)
		handler->def.unload();
	g_free(handler->path);
	g_free(handler);
}
