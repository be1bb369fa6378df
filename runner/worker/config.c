// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A LUN's whole config: lines of text become values that are checked against the handler's table, and the
 * accessors that handlers call.  See params.h for the syntax.
 *
 * A config is immutable once parsed, except for the LUN's size, which a resize changes; handlers may read
 * it on any thread, so that one is atomic.
 */
#include "params.h"

#include <string.h>

#include "log.h"

struct scuse_config {
	struct param_table table;
	size_t count;
	struct param_value *values; /* in the table's order */
	uint64_t device_size;	    /* atomic */
	uint32_t block_size;
	char *cwd;
};

static size_t table_count(const struct param_table *table)
{
	size_t count = 0;

	while (table->params && table->params[count].name)
		count++;
	return count;
}

static size_t table_find(const struct param_table *table, const char *name)
{
	size_t i = 0;

	while (table->params && table->params[i].name && strcmp(table->params[i].name, name) != 0)
		i++;
	return i;
}

/* Levenshtein distance, for "did you mean"; names are short, so the quadratic cost does not matter. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t columns = strlen(b) + 1;
	g_autofree size_t *row = g_new(size_t, columns);

	for (size_t j = 0; j < columns; j++)
		row[j] = j;
	for (size_t i = 1; i <= strlen(a); i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j < columns; j++) {
			size_t substitute = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = MIN(MIN(row[j], row[j - 1]) + 1, substitute);
		}
	}
	return row[columns - 1];
}

static char *unknown_message(const struct param_table *table, const char *key)
{
	g_autoptr(GString) known = g_string_new(NULL);
	const char *nearest = NULL;
	size_t best = 3; /* a name that is further off is no typing mistake */

	for (const struct scuse_param *param = table->params; param && param->name; param++) {
		size_t distance = edit_distance(key, param->name);

		g_string_append_printf(known, "%s%s", known->len ? ", " : "", param->name);
		if (distance < best) {
			best = distance;
			nearest = param->name;
		}
	}
	if (!known->len)
		return g_strdup_printf("handler %s takes no parameters, but '%s' was given", table->handler,
				       key);
	if (nearest)
		return g_strdup_printf("handler %s has no parameter '%s': did you mean '%s'? It has: %s",
				       table->handler, key, nearest, known->str);
	return g_strdup_printf("handler %s has no parameter '%s': it has: %s", table->handler, key,
			       known->str);
}

/* The working directory counts for the whole config, wherever its line stands. */
static bool find_cwd(struct scuse_config *config, char **lines, char **error)
{
	for (; *lines; lines++) {
		if (!g_str_has_prefix(*lines, ".cwd="))
			continue;
		g_free(config->cwd);
		config->cwd = g_strdup(*lines + strlen(".cwd="));
		if (!g_path_is_absolute(config->cwd)) {
			*error = g_strdup_printf("the working directory '%s' is not an absolute path",
						 config->cwd);
			return false;
		}
	}
	return true;
}

static bool take_line(struct scuse_config *config, const char *line, char **error)
{
	const char *equals = strchr(line, '=');
	g_autofree char *key = equals ? g_strndup(line, (gsize)(equals - line)) : NULL;
	size_t i;

	if (*line == '.')
		return true;
	if (!equals) {
		*error = g_strdup_printf("'%s' is not of the form key=value", line);
		return false;
	}
	if (!*key) {
		if (!config->table.magic_param) {
			*error = g_strdup_printf(
				"handler %s takes no bare argument, but '%s' was given: write key=value",
				config->table.handler, equals + 1);
			return false;
		}
		g_free(key);
		key = g_strdup(config->table.magic_param);
	}
	i = table_find(&config->table, key);
	if (i == config->count) {
		*error = unknown_message(&config->table, key);
		return false;
	}
	if (config->values[i].given) {
		*error = g_strdup_printf("parameter '%s' was given twice", key);
		return false;
	}
	config->values[i].given = true;
	return param_parse(&config->table.params[i], equals + 1, config->cwd, &config->values[i], error);
}

static bool apply_defaults(struct scuse_config *config, char **error)
{
	for (size_t i = 0; i < config->count; i++) {
		const struct scuse_param *param = &config->table.params[i];

		if (config->values[i].set)
			continue;
		if (param->flags & SCUSE_PARAM_REQUIRED) {
			*error = g_strdup_printf(
				"handler %s needs the parameter '%s' (%s): add %s=VALUE, where VALUE is %s",
				config->table.handler, param->name, param->help, param->name,
				param_type_accepts(param));
			return false;
		}
		if (param->default_value &&
		    !param_parse(param, param->default_value, config->cwd, &config->values[i], error))
			return false;
	}
	return true;
}

struct scuse_config *config_parse(const struct param_table *table, const char *text, uint64_t device_size,
				  uint32_t block_size, char **error)
{
	g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
	struct scuse_config *config = g_new0(struct scuse_config, 1);
	bool good;

	config->table = *table;
	config->count = table_count(table);
	config->values = g_new0(struct param_value, config->count);
	config->device_size = device_size;
	config->block_size = block_size;
	config->cwd = g_strdup("/");
	good = find_cwd(config, lines, error);
	for (char **line = lines; good && *line; line++)
		if (**line)
			good = take_line(config, *line, error);
	if (good && apply_defaults(config, error))
		return config;
	config_free(config);
	return NULL;
}

void config_free(struct scuse_config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->count; i++)
		g_free(config->values[i].text);
	g_free(config->values);
	g_free(config->cwd);
	g_free(config);
}

void config_set_device_size(struct scuse_config *config, uint64_t device_size)
{
	__atomic_store_n(&config->device_size, device_size, __ATOMIC_RELAXED);
}

/* ---- what handlers call ---- */

/* `types`: a mask of the types that the caller may ask for.  NULL: not there, or not set. */
static const struct param_value *find_value(const struct scuse_config *config, const char *name,
					    uint32_t types)
{
	size_t i = table_find(&config->table, name);

	if (i == config->count) {
		log_error("handler %s asks for the parameter '%s', which is not in its table",
			  config->table.handler, name);
		return NULL;
	}
	if (!(types & (1u << config->table.params[i].type))) {
		log_error("handler %s asks for the parameter '%s' as if it were of another type than %s",
			  config->table.handler, name, param_type_name(config->table.params[i].type));
		return NULL;
	}
	return config->values[i].set ? &config->values[i] : NULL;
}

SCUSE_EXPORT const char *scuse_config_string(const struct scuse_config *config, const char *name)
{
	const struct param_value *value = find_value(
		config, name, 1u << SCUSE_PARAM_STRING | 1u << SCUSE_PARAM_PATH | 1u << SCUSE_PARAM_CHOICE);

	return value ? value->text : NULL;
}

SCUSE_EXPORT int scuse_config_bool(const struct scuse_config *config, const char *name)
{
	const struct param_value *value = find_value(config, name, 1u << SCUSE_PARAM_BOOL);

	return value ? value->boolean : 0;
}

SCUSE_EXPORT int64_t scuse_config_int(const struct scuse_config *config, const char *name)
{
	const struct param_value *value = find_value(config, name, 1u << SCUSE_PARAM_INT);

	return value ? value->integer : 0;
}

SCUSE_EXPORT uint64_t scuse_config_size(const struct scuse_config *config, const char *name)
{
	const struct param_value *value = find_value(config, name, 1u << SCUSE_PARAM_SIZE);

	return value ? value->unsigned_integer : 0;
}

SCUSE_EXPORT uint64_t scuse_config_duration(const struct scuse_config *config, const char *name)
{
	const struct param_value *value = find_value(config, name, 1u << SCUSE_PARAM_DURATION);

	return value ? value->unsigned_integer : 0;
}

SCUSE_EXPORT int scuse_config_given(const struct scuse_config *config, const char *name)
{
	const struct param_value *value = find_value(config, name, ~0u);

	return value && value->given;
}

SCUSE_EXPORT uint64_t scuse_config_device_size(const struct scuse_config *config)
{
	return __atomic_load_n(&config->device_size, __ATOMIC_RELAXED);
}

SCUSE_EXPORT uint32_t scuse_config_block_size(const struct scuse_config *config)
{
	return config->block_size;
}
