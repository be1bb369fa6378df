/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells one build of a plugin from another.  Used by lun.c; no state. */
#ifndef SUPERVISOR_BUILD_H
#define SUPERVISOR_BUILD_H

/*
 * What changes when a plugin's file is replaced by another build of it, newly allocated: the linker's build
 * ID, so that the same package installed again is no change; where there is none, device, inode, size and
 * time of modification.  NULL: the file cannot be read.
 */
char *plugin_build(const char *path);

#endif /* SUPERVISOR_BUILD_H */
