/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Taking a LUN and its exports away: what `scuse rm`, `scuse detach` and `scuse run` have in common.
 */
#ifndef SCUSE_CLI_REMOVE_H
#define SCUSE_CLI_REMOVE_H

#include "export.h"

/* Exports, in the given order; refuses at the first that is in use. */
bool remove_exports(GPtrArray *exports, const char *name, bool forced, GError **error);
/* The LUN itself; forced: its exports first. */
bool remove_lun(const char *name, bool forced, GError **error);

#endif /* SCUSE_CLI_REMOVE_H */
