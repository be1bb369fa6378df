/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The installed handlers and their parameters, as scuse-runner lists them.  The runner is asked, since
 * plugins are loaded by it alone.
 */
#ifndef SCUSE_CLI_CATALOGUE_H
#define SCUSE_CLI_CATALOGUE_H

#include "cli.h"
#include "json_read.h"

/* Where scuse-runner is: beside this program (build tree), installed, or on PATH.  NULL with an error:
 * nowhere. */
char *catalogue_runner(GError **error);
/* An array of handlers; newly allocated. */
JsonValue *catalogue_read(GError **error);
/* The list inside. */
const JsonValue *catalogue_handlers(const JsonValue *catalogue);
const JsonValue *catalogue_find(const JsonValue *catalogue, const char *handler);
/* The parameters of a handler, for people. */
void catalogue_print_handler(const JsonValue *handler);
/* "file, memory, null" */
char *catalogue_names(const JsonValue *catalogue);

#endif /* SCUSE_CLI_CATALOGUE_H */
