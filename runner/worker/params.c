// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Parsing of single parameter values by their type, and the check of parameter tables.  See params.h. Whole
 * configs are in config.c.  No state; messages name the parameter, what was wrong, and what is accepted.
 */
#include "params.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char *const type_names[] = {
	[SCUSE_PARAM_STRING] = "string", [SCUSE_PARAM_PATH] = "path", [SCUSE_PARAM_BOOL] = "bool",
	[SCUSE_PARAM_INT] = "int",	 [SCUSE_PARAM_SIZE] = "size", [SCUSE_PARAM_DURATION] = "duration",
	[SCUSE_PARAM_CHOICE] = "choice",
};

const char *param_type_name(uint32_t type)
{
	return type < G_N_ELEMENTS(type_names) ? type_names[type] : "unknown";
}

const char *param_type_accepts(const struct scuse_param *param)
{
	switch (param->type) {
	case SCUSE_PARAM_STRING:
		return "any text";
	case SCUSE_PARAM_PATH:
		return "the path of a file";
	case SCUSE_PARAM_BOOL:
		return "true or false (yes/no, on/off, 1/0)";
	case SCUSE_PARAM_INT:
		return "a whole number, such as 42 or 0x2a";
	case SCUSE_PARAM_SIZE:
		return "a size in bytes, such as 4096, 64k, 10G (k, M, G, T, P, E: powers of 1024)";
	case SCUSE_PARAM_DURATION:
		return "a duration, such as 500us, 20ms, 3s (ns, us, ms, s, m, h; without a unit: seconds)";
	case SCUSE_PARAM_CHOICE:
		return param->choices;
	}
	return "nothing that is known";
}

/* A decimal number with an optional fraction, in units of `unit`: "1.5" with a unit of 1024 is 1536. */
static bool parse_scaled(const char *text, const char **end, uint64_t unit, uint64_t *result)
{
	uint64_t whole = 0, numerator = 0, denominator = 1;
	const char *c = text;

	if (!isdigit((unsigned char)*c))
		return false;
	for (; isdigit((unsigned char)*c); c++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(*c - '0'), &whole))
			return false;
	if (*c == '.') {
		if (!isdigit((unsigned char)*++c))
			return false;
		for (; isdigit((unsigned char)*c); c++) {
			if (denominator > UINT64_MAX / 100)
				continue; /* more digits than could matter */
			numerator = numerator * 10 + (uint64_t)(*c - '0');
			denominator *= 10;
		}
	}
	*end = c;
	numerator = (uint64_t)((unsigned __int128)numerator * unit / denominator);
	return !__builtin_mul_overflow(whole, unit, &whole) &&
	       !__builtin_add_overflow(whole, numerator, result);
}

/* The number's length is not known before its unit is: find the unit first. */
static const char *find_unit(const char *text)
{
	return text + strspn(text, "0123456789.");
}

bool param_parse_size(const char *text, uint64_t *bytes)
{
	static const char prefixes[] = "kMGTPE";
	const char *unit = find_unit(text), *end;
	uint64_t scale = 1;

	if (*unit) {
		const char *prefix = strchr(prefixes, *unit == 'K'   ? 'k'
						      : *unit == 'm' ? 'M'
						      : *unit == 'g' ? 'G'
						      : *unit == 't' ? 'T'
								     : *unit);

		if (!prefix) {
			if (strcmp(unit, "B") != 0)
				return false;
		} else {
			scale = (uint64_t)1 << (10 * (prefix - prefixes + 1));
			if (unit[1] && strcmp(unit + 1, "B") != 0 && strcmp(unit + 1, "iB") != 0)
				return false;
		}
	}
	return parse_scaled(text, &end, scale, bytes) && end == unit;
}

bool param_parse_duration(const char *text, uint64_t *nanoseconds)
{
	static const struct {
		const char *name;
		uint64_t nanoseconds;
	} units[] = {
		{ "", 1000000000 },
		{ "s", 1000000000 },
		{ "ms", 1000000 },
		{ "us", 1000 },
		{ "ns", 1 },
		{ "m", 60 * 1000000000ull },
		{ "h", 3600 * 1000000000ull },
	};
	const char *unit = find_unit(text), *end;

	for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
		if (strcmp(unit, units[i].name) == 0)
			return parse_scaled(text, &end, units[i].nanoseconds, nanoseconds) && end == unit;
	return false;
}

static bool parse_bool(const char *text, bool *result)
{
	static const char *const words[][2] = {
		{ "false", "true" }, { "no", "yes" }, { "off", "on" }, { "0", "1" }
	};

	for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
		for (int j = 0; j < 2; j++) {
			if (g_ascii_strcasecmp(text, words[i][j]) == 0) {
				*result = j;
				return true;
			}
		}
	}
	return false;
}

static bool parse_int(const char *text, int64_t *result)
{
	const char *digits = text + (*text == '-' || *text == '+');
	int base = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') ? 16 : 10;
	char *end;

	if (!isxdigit((unsigned char)*digits))
		return false;
	errno = 0;
	*result = strtoll(text, &end, base);
	return errno == 0 && *end == '\0';
}

static bool parse_choice(const struct scuse_param *param, const char *text)
{
	g_auto(GStrv) choices = g_strsplit(param->choices ? param->choices : "", "|", -1);

	return g_strv_contains((const char *const *)choices, text);
}

/* The secret is the first line of a file that nobody else may read. */
static bool read_secret(const struct scuse_param *param, const char *cwd, const char *text, char **secret,
			char **error)
{
	g_autofree char *path = g_canonicalize_filename(text, cwd);
	g_autoptr(GError) failure = NULL;
	struct stat status;

	if (stat(path, &status) == 0 && (status.st_mode & 077)) {
		*error = g_strdup_printf(
			"parameter '%s': others may access the secret's file %s (mode %04o): chmod 600",
			param->name, path, status.st_mode & 07777);
		return false;
	}
	if (!g_file_get_contents(path, secret, NULL, &failure)) {
		*error = g_strdup_printf(
			"parameter '%s': its value is the name of a file that holds the secret: %s",
			param->name, failure->message);
		return false;
	}
	(*secret)[strcspn(*secret, "\r\n")] = '\0';
	return true;
}

static bool parse_typed(const struct scuse_param *param, const char *text, struct param_value *value)
{
	switch (param->type) {
	case SCUSE_PARAM_STRING:
		return true;
	case SCUSE_PARAM_PATH:
		return *text != '\0';
	case SCUSE_PARAM_BOOL:
		return parse_bool(text, &value->boolean);
	case SCUSE_PARAM_INT:
		return parse_int(text, &value->integer);
	case SCUSE_PARAM_SIZE:
		return param_parse_size(text, &value->unsigned_integer);
	case SCUSE_PARAM_DURATION:
		return param_parse_duration(text, &value->unsigned_integer);
	case SCUSE_PARAM_CHOICE:
		return parse_choice(param, text);
	}
	return false;
}

bool param_parse(const struct scuse_param *param, const char *text, const char *cwd,
		 struct param_value *value, char **error)
{
	g_autofree char *secret = NULL;

	if (param->flags & SCUSE_PARAM_SECRET) {
		if (!read_secret(param, cwd, text, &secret, error))
			return false;
		text = secret;
	}
	if (!parse_typed(param, text, value)) {
		*error = g_strdup_printf("parameter '%s': '%s' is not valid: it takes %s", param->name,
					 secret ? "(secret)" : text, param_type_accepts(param));
		return false;
	}
	g_free(value->text);
	value->text = param->type == SCUSE_PARAM_PATH && !secret ? g_canonicalize_filename(text, cwd)
								 : g_strdup(text);
	value->set = true;
	return true;
}

/* ---- tables ---- */

static bool name_valid(const char *name)
{
	if (!g_ascii_islower(*name))
		return false;
	for (; *name; name++)
		if (!g_ascii_islower(*name) && !g_ascii_isdigit(*name) && *name != '_' && *name != '-')
			return false;
	return true;
}

static char *check_one(const struct scuse_param *param)
{
	struct param_value value = { 0 };
	g_autofree char *error = NULL;

	if (!name_valid(param->name))
		return g_strdup_printf("its parameter '%s' has a name that is not [a-z][a-z0-9_-]*",
				       param->name);
	if (param->type >= G_N_ELEMENTS(type_names))
		return g_strdup_printf(
			"its parameter '%s' is of type %u, which this scuse-runner does not know",
			param->name, param->type);
	if (param->type == SCUSE_PARAM_CHOICE && (!param->choices || !*param->choices))
		return g_strdup_printf("its parameter '%s' has no choices", param->name);
	if (!param->help || !*param->help)
		return g_strdup_printf("its parameter '%s' has no help text", param->name);
	if (!param->default_value)
		return NULL;
	if (param->flags & (SCUSE_PARAM_REQUIRED | SCUSE_PARAM_SECRET))
		return g_strdup_printf("its parameter '%s' is required or secret, yet has a default",
				       param->name);
	if (!param_parse(param, param->default_value, "/", &value, &error))
		return g_strdup_printf("the default of its own %s", error);
	g_free(value.text);
	return NULL;
}

char *param_table_check(const struct param_table *table)
{
	bool magic_found = !table->magic_param;

	for (const struct scuse_param *param = table->params; param && param->name; param++) {
		char *wrong = check_one(param);

		if (wrong)
			return wrong;
		for (const struct scuse_param *other = table->params; other != param; other++)
			if (strcmp(other->name, param->name) == 0)
				return g_strdup_printf("its parameter '%s' is in the table twice",
						       param->name);
		magic_found |= table->magic_param && strcmp(table->magic_param, param->name) == 0;
	}
	if (!magic_found)
		return g_strdup_printf("its magic_param '%s' is not in its table of parameters",
				       table->magic_param);
	return NULL;
}
