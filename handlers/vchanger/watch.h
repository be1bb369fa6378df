/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Watches a library's directory: cartridges that people put in or take out, and drives whose workers start.
 * A thread of its own tells library.c.
 */
#ifndef VCHANGER_WATCH_H
#define VCHANGER_WATCH_H

#include "library.h"

struct watch;

/* NULL with errno set.  `path`: the library's directory. */
struct watch *watch_start(struct library *library, const char *path);
/* Ends the thread; NULL is ignored. */
void watch_stop(struct watch *watch);

#endif /* VCHANGER_WATCH_H */
