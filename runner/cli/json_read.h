/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A JSON reader, for what scuse-runner --list-handlers --json prints.
 */
#ifndef SCUSE_CLI_JSON_READ_H
#define SCUSE_CLI_JSON_READ_H

#include <stdbool.h>
#include <glib.h>

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

typedef struct JsonValue JsonValue;
struct JsonValue {
	enum json_type type;
	bool boolean;
	double number;
	char *string;
	GPtrArray *items; /* of an array: JsonValue *; of an object: the values */
	GPtrArray *keys;  /* of an object: strings, in the order of items */
};

/* NULL: not JSON, or nested absurdly deep. */
JsonValue *json_read(const char *text);
void json_value_free(JsonValue *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonValue, json_value_free)

/* All take NULL, and values of other types, for "not there". */
const JsonValue *json_member(const JsonValue *object, const char *key);
const char *json_string_member(const JsonValue *object, const char *key); /* NULL: not there */
bool json_bool_member(const JsonValue *object, const char *key);
double json_number_member(const JsonValue *object, const char *key);
guint json_length(const JsonValue *array);
const JsonValue *json_item(const JsonValue *array, guint index);

#endif /* SCUSE_CLI_JSON_READ_H */
