// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * LUN names for the log; see name.h.  Called by supervisor.c and mode.c.  A directory that another tool made
 * may have a name that is nobody's encoding: it is shown as it is.
 */
#include "name.h"

#include <glib.h>
#include <scuse/netlink.h>

char *readable_name(const char *directory)
{
	char name[SCUSE_NAME_MAX];

	return g_strdup(scuse_name_decode(directory, name, sizeof(name)) < 0 ? directory : name);
}
