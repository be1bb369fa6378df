// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * scuse-runner: serves LUNs.  One executable, several roles:
 *
 *	supervisor/	what runs as a service: claims handlers, starts a worker for each LUN, watches them
 *	worker/		--worker, started by the supervisor: one LUN, one plugin
 *	stop.c		--stop-workers
 *	plugins.c	--list-handlers and --validate
 */
#include <stdio.h>

#include <scuse/handler.h>
#include <scuse/version.h>

#include "mode_file.h"
#include "options.h"
#include "plugins.h"
#include "rendezvous.h"
#include "stop.h"
#include "supervisor/supervisor.h"
#include "worker/process.h"

static int run(const struct options *options)
{
	const char *const *dirs = (const char *const *)options->plugin_dirs;
	const char *runtime_dir = options->runtime_dir ? options->runtime_dir : rendezvous_default_dir();

	switch (options->mode) {
	case MODE_HELP:
		options_print_help();
		return 0;
	case MODE_VERSION:
		printf("scuse-runner %s (handler ABI %d.%d)\n", SCUSE_VERSION, SCUSE_HANDLER_ABI_MAJOR,
		       SCUSE_HANDLER_ABI_MINOR);
		return 0;
	case MODE_LIST:
		return plugins_list(dirs, options->json);
	case MODE_VALIDATE:
		return plugins_validate(dirs, options->handler, options->lines->str, options->size,
					options->block_size);
	case MODE_STOP:
		return stop_workers(runtime_dir);
	case MODE_WORKER:
		return worker_main();
	case MODE_SUPERVISOR:
		break;
	}
	return supervisor_run(&(struct supervisor_options){
		.plugin_dirs = dirs,
		.state_dir = options->state_dir ? options->state_dir : mode_file_state_dir(),
		.runtime_dir = runtime_dir,
		.leave_workers = options->leave_workers,
		.ready_fd = options->ready_fd });
}

int main(int argc, char **argv)
{
	struct options options;
	g_autofree char *error = NULL;
	int status;

	if (!options_parse(&options, argc, argv, &error)) {
		fprintf(stderr, "scuse-runner: %s\nTry scuse-runner --help.\n", error);
		status = 2;
	} else {
		log_init(options.level, NULL);
		status = run(&options);
	}
	options_clear(&options);
	return status;
}
