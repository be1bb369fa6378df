/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Loads the kernel modules that scuse needs. */
#ifndef SUPERVISOR_MODULES_H
#define SUPERVISOR_MODULES_H

#include <stdbool.h>

/* False: *error (newly allocated) says which module is missing, and what to do. */
bool modules_load(char **error);

#endif /* SUPERVISOR_MODULES_H */
