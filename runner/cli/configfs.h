/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LIO's configfs: the only way in which this program touches it.
 *
 *	core/scuse_0/NAME/		a LUN (core/scuse_N: an HBA; what `scuse create` makes is in scuse_0)
 *	FABRIC/WWN/TPG/lun/lun_N/LINK	an export: LINK is a symbolic link to the LUN
 *
 * Paths are absolute and made with configfs_path().  The functions fill errors that name the path and the
 *reason.
 */
#ifndef SCUSE_CLI_CONFIGFS_H
#define SCUSE_CLI_CONFIGFS_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

#define CONFIGFS_HBA "scuse_0" /* of what this program creates */

/* Where the target subsystem is; tests use a directory of theirs. */
const char *configfs_root(void);
void configfs_set_root(const char *root);

/* Joins path elements below the root; ends with NULL. */
char *configfs_path(const char *element, ...) G_GNUC_NULL_TERMINATED;
/* core/scuse_HBA/DIRECTORY */
char *configfs_device(uint32_t hba, const char *directory);

bool configfs_is_directory(const char *path);
/* *made (may be NULL): false if it was there already, which is no error. */
bool configfs_make(const char *path, bool *made, GError **error);
/* One that is not there is no error. */
bool configfs_remove(const char *path, GError **error);
bool configfs_write(const char *path, const char *value, GError **error);
/*
 * For writes that may take long: a child process does it, which is killed when the user interrupts or `limit`
 * seconds have passed.
 */
bool configfs_write_limited(const char *path, const char *value, unsigned int limit, GError **error);
/* Without the final newline; NULL: it cannot be read.  Newly allocated. */
char *configfs_read(const char *path);
bool configfs_link(const char *target, const char *link, GError **error);
bool configfs_unlink(const char *link, GError **error);
/* Names of the subdirectories, or of the symbolic links, sorted; empty if there is no such directory. */
GPtrArray *configfs_directories(const char *path);
GPtrArray *configfs_links(const char *path);
gint64 configfs_inode(const char *path); /* of what it leads to, if a link; -1: it does not exist */

/* DIRECTORY of any HBA of ours, whether or not it is enabled: its path, newly allocated; NULL: none. */
char *configfs_find_device(const char *directory);
/* Removes the LUN's directory, and that of its HBA if it was the last. */
bool configfs_remove_device(const char *path, GError **error);

#endif /* SCUSE_CLI_CONFIGFS_H */
