/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A JSON writer: values in the order in which they are given, escaping done, commas kept count of.
 *
 * Used by `scuse --json`, `scuse monitor --json` and `scuse-runner --list-handlers --json`.  One thread a
 * writer.  In an object each value has a key; in an array and at the top the key is NULL.
 *
 *	g_autoptr(ScuseJson) json = scuse_json_new();
 *	scuse_json_begin_object(json, NULL);
 *	scuse_json_string(json, "name", name);
 *	scuse_json_end(json);
 *	puts(scuse_json_text(json));
 */
#ifndef SCUSE_JSON_H
#define SCUSE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

typedef struct ScuseJson ScuseJson;

ScuseJson *scuse_json_new(void);
void scuse_json_free(ScuseJson *json);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ScuseJson, scuse_json_free)

void scuse_json_begin_object(ScuseJson *json, const char *key);
void scuse_json_begin_array(ScuseJson *json, const char *key);
void scuse_json_end(ScuseJson *json); /* of the innermost object or array */

/* NULL becomes null.  Bytes that are not UTF-8 become U+FFFD. */
void scuse_json_string(ScuseJson *json, const char *key, const char *value);
void scuse_json_uint(ScuseJson *json, const char *key, uint64_t value);
void scuse_json_int(ScuseJson *json, const char *key, int64_t value);
void scuse_json_double(ScuseJson *json, const char *key, double value); /* not finite: null */
void scuse_json_bool(ScuseJson *json, const char *key, bool value);
void scuse_json_null(ScuseJson *json, const char *key);
/* A value that is JSON already. */
void scuse_json_raw(ScuseJson *json, const char *key, const char *text);

/* What has been written so far; valid until the next call. */
const char *scuse_json_text(const ScuseJson *json);

#endif /* SCUSE_JSON_H */
