/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Persistent reservations that outlive a loss of power (SPC-4 5.12.4).  LIO core writes those of a LUN into a
 * file that is named after its serial number, but reads none: whoever makes the LUN anew has to hand them
 * back.
 */
#ifndef SCUSE_CLI_APTPL_H
#define SCUSE_CLI_APTPL_H

#include <glib.h>
#include <stdbool.h>

/*
 * Hands back what core has kept for `serial` to the LUN at `path`, which is enabled and not exported yet.  No
 * file: nothing to do.  `serial` NULL: as if there were no file.
 */
bool aptpl_restore(const char *path, const char *serial, GError **error);

/* The registrations in the text of such a file, each as core takes it; free with g_ptr_array_unref(). */
GPtrArray *aptpl_registrations(const char *text);

#endif
