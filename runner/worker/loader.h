/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loads handler plugins: is the file safe to run, is it a handler, does its ABI fit, is it complete?
 *
 * Loading runs code of the plugin, so only workers and short-lived children do it, never the supervisor.
 */
#ifndef WORKER_LOADER_H
#define WORKER_LOADER_H

#include <stdbool.h>

#include <glib.h>
#include <scuse/handler.h>

#include "params.h"

/* A loaded plugin.  The structs are the worker's copies, with what a shorter plugin lacks as zero. */
struct handler {
	char *path;
	void *object; /* dlopen's */
	struct scuse_handler def;
	struct scuse_sync_ops sync;   /* if def.sync; def.sync points here */
	struct scuse_async_ops async; /* likewise */
	struct param_table table;
	bool loaded; /* def.load was called */
};

/* Does it serve raw LUNs (scuse/handler.h)? */
static inline bool handler_is_raw(const struct handler *handler)
{
	return handler->def.device_type != 0;
}

/* A plugin name becomes part of a path: [a-z][a-z0-9-]*, at most 31 characters. */
bool handler_name_valid(const char *name);

/* The first DIR/NAME.so of `dirs` (NULL-terminated); NULL: there is none. */
char *handler_find(const char *const *dirs, const char *name);
/* May this file be loaded into a process of root's?  NULL, or why not (newly allocated). */
char *handler_check_file(const char *path);

/* NULL with *error (newly allocated) on failure.  `name` must be what the plugin calls itself. */
struct handler *handler_load(const char *path, const char *name, char **error);
/* The same for a struct that is there already: what is left of the checks after dlopen. */
struct handler *handler_adopt(const struct scuse_handler *given, const char *name, char **error);
/* The object stays mapped: a thread of the plugin's may still run in it. */
void handler_free(struct handler *handler);

#endif /* WORKER_LOADER_H */
