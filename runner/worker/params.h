/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A handler's parameters: the table that it declares, and the values that a LUN was created with.
 *
 * The table (struct scuse_param) is the one source for parsing, --list-handlers (and with it `scuse
 * handlers` and shell completion) and the check of the manual pages.
 *
 * A device's config is lines `key=value`.  `=value` is the bare argument, for the handler's magic_param.
 * Keys that begin with '.' are for the runner: `.cwd=/dir` is where relative PATH values start (default
 * "/").
 */
#ifndef WORKER_PARAMS_H
#define WORKER_PARAMS_H

#include <stdbool.h>

#include <glib.h>
#include <scuse/handler.h>

/* One parsed value.  `text` is what scuse_config_string() returns. */
struct param_value {
	bool given; /* by the user, not by the default */
	bool set;
	char *text;
	union {
		bool boolean;
		int64_t integer;
		uint64_t unsigned_integer; /* bytes or nanoseconds */
	};
};

/* What a config is checked against. */
struct param_table {
	const char *handler;
	const struct scuse_param *params; /* NULL: takes none */
	const char *magic_param;
};

const char *param_type_name(uint32_t type);
/* Says what a type accepts, for messages and help: "a size, such as 64k or 10G". */
const char *param_type_accepts(const struct scuse_param *param);

/* Parses one value.  False: *error says what is wrong with it (newly allocated). */
bool param_parse(const struct scuse_param *param, const char *text, const char *cwd,
		 struct param_value *value, char **error);
bool param_parse_size(const char *text, uint64_t *bytes);
bool param_parse_duration(const char *text, uint64_t *nanoseconds);

/* Is the table itself in order?  NULL, or what is wrong (newly allocated). */
char *param_table_check(const struct param_table *table);

/* Parses a whole config; NULL with *error on failure. */
struct scuse_config *config_parse(const struct param_table *table, const char *lines, uint64_t device_size,
				  uint32_t block_size, char **error);
void config_free(struct scuse_config *config);
void config_set_device_size(struct scuse_config *config, uint64_t device_size);

#endif /* WORKER_PARAMS_H */
