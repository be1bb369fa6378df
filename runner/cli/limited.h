/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Work with a limit: what may block in the kernel, for as long as a LUN's handler does, is done by a child
 * process.
 */
#ifndef SCUSE_CLI_LIMITED_H
#define SCUSE_CLI_LIMITED_H

#include <stdbool.h>
#include <glib.h>

/*
 * Calls `function` in a child process, whose memory is a copy.  false: it failed, with its error; or the user
 * interrupted (EINTR), or `limit` seconds passed (ETIMEDOUT): then the child is killed, and if it cannot die
 * (a task in state D) is left behind.
 */
bool run_limited(bool (*function)(void *data, GError **error), void *data, unsigned int limit,
		 GError **error);

#endif /* SCUSE_CLI_LIMITED_H */
