/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kernel modules, and configfs being mounted: what has to be there before LIO can be told anything.
 */
#ifndef SCUSE_CLI_MODULES_H
#define SCUSE_CLI_MODULES_H

#include <stdbool.h>
#include <glib.h>

/* configfs, LIO and our module. */
bool modules_prepare(GError **error);
/* One more, such as a fabric; `needed_for` is for the message. */
bool module_load(const char *name, const char *needed_for, GError **error);
/* As a convenience: whether it is there or can be loaded does not matter. */
void module_try(const char *name);

#endif /* SCUSE_CLI_MODULES_H */
