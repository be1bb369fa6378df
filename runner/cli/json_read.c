/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A JSON reader (RFC 8259) by recursive descent; see json_read.h.  Called by handlers.c.  A value owns its
 * parts.
 */
#include "json_read.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 32

struct reader {
	const char *at;
	int depth;
};

void json_value_free(JsonValue *value)
{
	if (!value)
		return;
	g_free(value->string);
	g_clear_pointer(&value->items, g_ptr_array_unref);
	g_clear_pointer(&value->keys, g_ptr_array_unref);
	g_free(value);
}

static void free_value(void *value)
{
	json_value_free(value);
}

static JsonValue *new_value(enum json_type type)
{
	JsonValue *value = g_new0(JsonValue, 1);

	value->type = type;
	return value;
}

static void skip_space(struct reader *reader)
{
	reader->at += strspn(reader->at, " \t\r\n");
}

static bool take(struct reader *reader, const char *word)
{
	skip_space(reader);
	if (!g_str_has_prefix(reader->at, word))
		return false;
	reader->at += strlen(word);
	return true;
}

static bool read_hex(const char *text, gunichar *value)
{
	*value = 0;
	for (int i = 0; i < 4; i++) {
		if (!g_ascii_isxdigit(text[i]))
			return false;
		*value = *value << 4 | (gunichar)g_ascii_xdigit_value(text[i]);
	}
	return true;
}

/* After "\u": one code unit, or two of a surrogate pair. */
static bool read_unicode(struct reader *reader, GString *string)
{
	gunichar first, second;

	if (!read_hex(reader->at, &first))
		return false;
	reader->at += 4;
	if (first >= 0xd800 && first < 0xdc00 && reader->at[0] == '\\' && reader->at[1] == 'u' &&
	    read_hex(reader->at + 2, &second) && second >= 0xdc00 && second < 0xe000) {
		reader->at += 6;
		first = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
	}
	g_string_append_unichar(string, first && g_unichar_validate(first) ? first : 0xfffd);
	return true;
}

static bool read_escape(struct reader *reader, GString *string)
{
	static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
	char letter = *reader->at;
	const char *found;

	if (!letter)
		return false;
	reader->at++;
	if (letter == 'u')
		return read_unicode(reader, string);
	found = strchr(letters, letter);
	if (!found)
		return false;
	g_string_append_c(string, meanings[found - letters]);
	return true;
}

/* After the opening quote. */
static char *read_string(struct reader *reader)
{
	g_autoptr(GString) string = g_string_new(NULL);

	while (*reader->at != '"') {
		if (!*reader->at)
			return NULL;
		if (*reader->at != '\\') {
			g_string_append_c(string, *reader->at++);
			continue;
		}
		reader->at++;
		if (!read_escape(reader, string))
			return NULL;
	}
	reader->at++;
	return g_strdup(string->str);
}

static JsonValue *read_value(struct reader *reader);

static bool read_member(struct reader *reader, JsonValue *value)
{
	g_autofree char *key = NULL;
	JsonValue *item;

	if (value->type == JSON_OBJECT) {
		key = take(reader, "\"") ? read_string(reader) : NULL;
		if (!key || !take(reader, ":"))
			return false;
	}
	item = read_value(reader);
	if (!item)
		return false;
	g_ptr_array_add(value->items, item);
	if (key)
		g_ptr_array_add(value->keys, g_steal_pointer(&key));
	return true;
}

static JsonValue *read_list(struct reader *reader, enum json_type type, const char *end)
{
	g_autoptr(JsonValue) value = new_value(type);

	value->items = g_ptr_array_new_with_free_func(free_value);
	value->keys = g_ptr_array_new_with_free_func(g_free);
	if (take(reader, end))
		return g_steal_pointer(&value);
	do {
		if (!read_member(reader, value))
			return NULL;
	} while (take(reader, ","));
	return take(reader, end) ? g_steal_pointer(&value) : NULL;
}

static JsonValue *read_number(struct reader *reader)
{
	JsonValue *value;
	char *end;
	double number;

	if (*reader->at != '-' && !g_ascii_isdigit(*reader->at))
		return NULL;
	number = g_ascii_strtod(reader->at, &end);
	if (end == reader->at)
		return NULL;
	reader->at = end;
	value = new_value(JSON_NUMBER);
	value->number = number;
	return value;
}

static JsonValue *read_scalar(struct reader *reader)
{
	JsonValue *value;

	if (take(reader, "\"")) {
		char *string = read_string(reader);

		if (!string)
			return NULL;
		value = new_value(JSON_STRING);
		value->string = string;
		return value;
	}
	if (take(reader, "null"))
		return new_value(JSON_NULL);
	if (take(reader, "true")) {
		value = new_value(JSON_BOOL);
		value->boolean = true;
		return value;
	}
	return take(reader, "false") ? new_value(JSON_BOOL) : read_number(reader);
}

static JsonValue *read_value(struct reader *reader)
{
	JsonValue *value;

	if (reader->depth >= MAX_DEPTH)
		return NULL;
	reader->depth++;
	if (take(reader, "{"))
		value = read_list(reader, JSON_OBJECT, "}");
	else if (take(reader, "["))
		value = read_list(reader, JSON_ARRAY, "]");
	else
		value = read_scalar(reader);
	reader->depth--;
	return value;
}

JsonValue *json_read(const char *text)
{
	struct reader reader = { .at = text };
	g_autoptr(JsonValue) value = read_value(&reader);

	skip_space(&reader);
	return value && !*reader.at ? g_steal_pointer(&value) : NULL;
}

const JsonValue *json_member(const JsonValue *object, const char *key)
{
	for (guint i = 0; object && object->type == JSON_OBJECT && i < object->keys->len; i++)
		if (!strcmp(object->keys->pdata[i], key))
			return object->items->pdata[i];
	return NULL;
}

const char *json_string_member(const JsonValue *object, const char *key)
{
	const JsonValue *member = json_member(object, key);

	return member && member->type == JSON_STRING ? member->string : NULL;
}

bool json_bool_member(const JsonValue *object, const char *key)
{
	const JsonValue *member = json_member(object, key);

	return member && member->type == JSON_BOOL && member->boolean;
}

double json_number_member(const JsonValue *object, const char *key)
{
	const JsonValue *member = json_member(object, key);

	return member && member->type == JSON_NUMBER ? member->number : 0;
}

guint json_length(const JsonValue *array)
{
	return array && array->type == JSON_ARRAY ? array->items->len : 0;
}

const JsonValue *json_item(const JsonValue *array, guint index)
{
	return index < json_length(array) ? array->items->pdata[index] : NULL;
}
