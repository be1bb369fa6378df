/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The JSON writer; json.h says who uses it and how.  Ownership: the writer owns its text.
 */
#include "json.h"

#include <math.h>
#include <string.h>

struct ScuseJson {
	GString *text;
	GString *closers; /* one character a level that is open: '}' or ']' */
	bool first;	  /* of the innermost level: no comma is due yet */
};

ScuseJson *scuse_json_new(void)
{
	ScuseJson *json = g_new0(ScuseJson, 1);

	json->text = g_string_new(NULL);
	json->closers = g_string_new(NULL);
	json->first = true;
	return json;
}

void scuse_json_free(ScuseJson *json)
{
	if (!json)
		return;
	g_string_free(json->text, TRUE);
	g_string_free(json->closers, TRUE);
	g_free(json);
}

static void escape(GString *text, const char *value)
{
	g_autofree char *valid = g_utf8_make_valid(value, -1);

	g_string_append_c(text, '"');
	for (const unsigned char *c = (const unsigned char *)valid; *c; c++) {
		if (*c == '"' || *c == '\\')
			g_string_append_printf(text, "\\%c", *c);
		else if (*c == '\n')
			g_string_append(text, "\\n");
		else if (*c == '\t')
			g_string_append(text, "\\t");
		else if (*c < 0x20 || *c == 0x7f)
			g_string_append_printf(text, "\\u%04x", *c);
		else
			g_string_append_c(text, (char)*c);
	}
	g_string_append_c(text, '"');
}

/* What comes before each value. */
static void lead(ScuseJson *json, const char *key)
{
	if (!json->first)
		g_string_append_c(json->text, ',');
	json->first = false;
	if (!key)
		return;
	escape(json->text, key);
	g_string_append_c(json->text, ':');
}

static void begin(ScuseJson *json, const char *key, char opener, char closer)
{
	lead(json, key);
	g_string_append_c(json->text, opener);
	g_string_append_c(json->closers, closer);
	json->first = true;
}

void scuse_json_begin_object(ScuseJson *json, const char *key)
{
	begin(json, key, '{', '}');
}

void scuse_json_begin_array(ScuseJson *json, const char *key)
{
	begin(json, key, '[', ']');
}

void scuse_json_end(ScuseJson *json)
{
	gsize depth = json->closers->len;

	g_return_if_fail(depth > 0);
	g_string_append_c(json->text, json->closers->str[depth - 1]);
	g_string_truncate(json->closers, depth - 1);
	json->first = false;
}

void scuse_json_raw(ScuseJson *json, const char *key, const char *text)
{
	lead(json, key);
	g_string_append(json->text, text);
}

void scuse_json_string(ScuseJson *json, const char *key, const char *value)
{
	if (!value) {
		scuse_json_null(json, key);
		return;
	}
	lead(json, key);
	escape(json->text, value);
}

void scuse_json_uint(ScuseJson *json, const char *key, uint64_t value)
{
	lead(json, key);
	g_string_append_printf(json->text, "%" G_GUINT64_FORMAT, value);
}

void scuse_json_int(ScuseJson *json, const char *key, int64_t value)
{
	lead(json, key);
	g_string_append_printf(json->text, "%" G_GINT64_FORMAT, value);
}

void scuse_json_double(ScuseJson *json, const char *key, double value)
{
	char buffer[G_ASCII_DTOSTR_BUF_SIZE];

	/* The locale's decimal comma would not be JSON. */
	scuse_json_raw(json, key,
		       isfinite(value) ? g_ascii_formatd(buffer, sizeof(buffer), "%.6g", value) : "null");
}

void scuse_json_bool(ScuseJson *json, const char *key, bool value)
{
	scuse_json_raw(json, key, value ? "true" : "false");
}

void scuse_json_null(ScuseJson *json, const char *key)
{
	scuse_json_raw(json, key, "null");
}

const char *scuse_json_text(const ScuseJson *json)
{
	return json->text->str;
}
