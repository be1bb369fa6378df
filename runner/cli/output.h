/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the commands print: errors, tables, sizes.  stdout has what was asked for, stderr the rest.
 */
#ifndef SCUSE_CLI_OUTPUT_H
#define SCUSE_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>
#include "json.h"

void print_error(const char *format, ...) G_GNUC_PRINTF(1, 2);
void print_warning(const char *format, ...) G_GNUC_PRINTF(1, 2); /* not with --quiet */
void print_note(const char *format, ...) G_GNUC_PRINTF(1, 2);	 /* not with --quiet, nor with --json */
/* A line of `scuse show`: "key            value", on stdout.  Without control characters. */
void print_field(const char *key, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The text and a newline. */
void print_json(const ScuseJson *json);

/* Bytes as people write them: "256M", "1.5G", "1000" (exact for multiples of 1024; else three digits). */
char *format_size(uint64_t bytes);
/* Control characters and invalid UTF-8 made visible: names and messages come from others. */
char *printable(const char *text);

/* A table: cells are copied; columns whose heading begins with '>' are aligned to the right. */
typedef struct Table Table;
Table *table_new(const char *const *headings); /* NULL-terminated, must outlive the table */
void table_free(Table *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)
void table_add(Table *table, const char *cell);
void table_addf(Table *table, const char *format, ...) G_GNUC_PRINTF(2, 3);
char *table_format(const Table *table);
void table_print(const Table *table);

#endif /* SCUSE_CLI_OUTPUT_H */
