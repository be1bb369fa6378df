/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a worker may do: scuse/handler.h, "PRIVILEGES".
 *
 *	load plugin -> confine_namespaces() -> open ... start -> confine_process() -> commands
 *
 * Handlers that were built before minor 3 of the ABI keep everything.
 */
#ifndef WORKER_CONFINE_H
#define WORKER_CONFINE_H

#include "loader.h"

/* Does the handler say what it needs? */
static inline bool confine_applies(const struct handler *handler)
{
	return handler->def.abi_minor >= 3;
}

/* Both return 0, or -errno with *error, newly allocated. */

/* Own namespaces.  Before there are other threads: they would keep the old ones. */
int confine_namespaces(const struct handler *handler, char **error);
/* No rights but those that the handler needs, on all threads, for good. */
int confine_process(const struct handler *handler, char **error);

/* The capabilities that stay, as bits (1 << CAP_...). */
uint64_t confine_capabilities(uint32_t needs);
/* Does the process go on as root? */
bool confine_keeps_root(uint32_t needs);

/*
 * filter.c: which system calls end the process, on all threads and for good.  0 or -errno; -EOPNOTSUPP: the kernel has
 * no filters (nor has valgrind).
 */
int filter_load(uint32_t needs);

#endif /* WORKER_CONFINE_H */
