/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The supervisor: what scuse-runner is unless told otherwise. */
#ifndef SUPERVISOR_SUPERVISOR_H
#define SUPERVISOR_SUPERVISOR_H

#include <stdbool.h>

struct supervisor_options {
	const char *const *plugin_dirs; /* NULL-terminated */
	const char *state_dir;		/* where saved mode pages are */
	const char *runtime_dir;	/* where workers are found */
	bool leave_workers;		/* SIGTERM leaves the workers to the next supervisor */
	int ready_fd;			/* -1: none */
};

/* Returns the process's exit status, after SIGTERM or SIGINT, or at once if it cannot start. */
int supervisor_run(const struct supervisor_options *options);

#endif /* SUPERVISOR_SUPERVISOR_H */
