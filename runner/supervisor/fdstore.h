/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * systemd's store of descriptors (FileDescriptorStoreMax= in systemd.service(5)): what LUNs have had kept
 * survives there, even if supervisor and workers all die at once.  Used by supervisor.c on its one thread;
 * without systemd there is nothing in it, and what is put is lost.
 */
#ifndef SUPERVISOR_FDSTORE_H
#define SUPERVISOR_FDSTORE_H

#include <stdint.h>

#include <glib.h>

struct fdstore;

/* With what systemd has handed to this process. */
struct fdstore *fdstore_new(void);
void fdstore_free(struct fdstore *store);

/*
 * Under which name to keep a descriptor (newly allocated).  NULL: the LUN has no serial number, so another
 * one that is made in its place could not be told from it.
 */
char *fdstore_name(uint32_t id, const char *name, const char *handler, const char *serial);
/* What an earlier supervisor had put there, the caller's then; -1: nothing. */
int fdstore_take(struct fdstore *store, const char *name);
/* Replaces what is there under this name.  `fd` stays the caller's; -1: nothing any more. */
void fdstore_put(const char *name, int fd);
/* Drops what nobody took and is not in `names` (keys): those LUNs are gone. */
void fdstore_prune(struct fdstore *store, GHashTable *names);

#endif /* SUPERVISOR_FDSTORE_H */
