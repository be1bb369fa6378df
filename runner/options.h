/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line of scuse-runner, see scuse-runner(8). */
#ifndef RUNNER_OPTIONS_H
#define RUNNER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "worker/log.h"

enum options_mode {
	MODE_SUPERVISOR,
	MODE_WORKER,
	MODE_LIST,
	MODE_VALIDATE,
	MODE_STOP,
	MODE_HELP,
	MODE_VERSION
};

struct options {
	enum options_mode mode;
	GStrv plugin_dirs;
	char *state_dir;   /* absolute; NULL: not given */
	char *runtime_dir; /* likewise */
	bool leave_workers;
	enum scuse_log_level level;
	int ready_fd; /* -1: none */
	bool json;
	char *handler;	/* --validate */
	GString *lines; /* its config */
	uint64_t size;
	uint32_t block_size;
};

/* False: *error (newly allocated) says what is wrong with the command line. */
bool options_parse(struct options *options, int argc, char **argv, char **error);
void options_clear(struct options *options);
void options_print_help(void);

#endif /* RUNNER_OPTIONS_H */
