/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse-runner --list-handlers and --validate: what plugins there are, and would this config do?
 *
 * Each plugin is loaded in a child process of its own, so that one that crashes, hangs or does not load is
 * a line in the list, not the end of it.
 */
#ifndef RUNNER_PLUGINS_H
#define RUNNER_PLUGINS_H

#include <stdbool.h>
#include <stdint.h>

/* Both return the process's exit status.  `dirs` is NULL-terminated. */
int plugins_list(const char *const *dirs, bool json);
/* `lines`: the config, see worker/params.h. */
int plugins_validate(const char *const *dirs, const char *handler, const char *lines, uint64_t size,
		     uint32_t block_size);

#endif /* RUNNER_PLUGINS_H */
