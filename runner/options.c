// SPDX-License-Identifier: LGPL-2.1-or-later
/* Parses the command line of scuse-runner.  See options.h.  Called once, by main.c. */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "worker/params.h"

enum {
	OPT_PLUGIN_DIR = 256,
	OPT_STATE_DIR,
	OPT_RUNTIME_DIR,
	OPT_LEAVE_WORKERS,
	OPT_STOP_WORKERS,
	OPT_READY_FD,
	OPT_LOG_LEVEL,
	OPT_FOREGROUND,
	OPT_LIST,
	OPT_JSON,
	OPT_VALIDATE,
	OPT_SIZE,
	OPT_BLOCK_SIZE,
	OPT_WORKER,
	OPT_HELP,
	OPT_VERSION
};

static const struct option long_options[] = {
	{ "plugin-dir", required_argument, NULL, OPT_PLUGIN_DIR },
	{ "state-dir", required_argument, NULL, OPT_STATE_DIR },
	{ "runtime-dir", required_argument, NULL, OPT_RUNTIME_DIR },
	{ "leave-workers", no_argument, NULL, OPT_LEAVE_WORKERS },
	{ "stop-workers", no_argument, NULL, OPT_STOP_WORKERS },
	{ "ready-fd", required_argument, NULL, OPT_READY_FD },
	{ "log-level", required_argument, NULL, OPT_LOG_LEVEL },
	{ "foreground", no_argument, NULL, OPT_FOREGROUND },
	{ "list-handlers", no_argument, NULL, OPT_LIST },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "validate", required_argument, NULL, OPT_VALIDATE },
	{ "size", required_argument, NULL, OPT_SIZE },
	{ "block-size", required_argument, NULL, OPT_BLOCK_SIZE },
	{ "worker", no_argument, NULL, OPT_WORKER },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

void options_print_help(void)
{
	puts("usage: scuse-runner [OPTION]...                             serve LUNs (as root)\n"
	     "       scuse-runner --list-handlers [--json]                which handlers are there?\n"
	     "       scuse-runner --validate HANDLER [KEY=VALUE]...       would this do?  opens nothing\n"
	     "       scuse-runner --stop-workers                          end those that were left\n"
	     "\n"
	     "  --plugin-dir DIR    where handlers are (repeatable; else $SCUSE_PLUGIN_DIR, else\n"
	     "                      " SCUSE_HANDLER_DIR ")\n"
	     "  --state-dir DIR     where mode pages are kept that initiators save (else $SCUSE_STATE_DIR,\n"
	     "                      else " SCUSE_STATE_DIR ")\n"
	     "  --runtime-dir DIR   where the workers of an earlier scuse-runner are found (else\n"
	     "                      $SCUSE_RUNTIME_DIR, $RUNTIME_DIRECTORY, or " SCUSE_RUNTIME_DIR ")\n"
	     "  --leave-workers     on SIGTERM, leave the workers to the next scuse-runner\n"
	     "  --log-level LEVEL   error, warning, info (default) or debug\n"
	     "  --ready-fd N        write READY to this descriptor once LUNs can be created\n"
	     "  --foreground        as always: scuse-runner never goes to the background\n"
	     "  --size S            for --validate: the LUN's size, such as 10G\n"
	     "  --block-size B      for --validate: bytes of a logical block (default 512)\n"
	     "  --help, --version\n"
	     "\n"
	     "LUNs are made with scuse(1).  SIGHUP looks for plugins again.  See scuse-runner(8).");
}

static bool bad(char **error, const char *option, const char *value, const char *accepted)
{
	*error = g_strdup_printf("--%s: '%s' is not valid: it takes %s", option, value, accepted);
	return false;
}

static bool parse_fd(const char *text, int *fd)
{
	char *end;
	long value = strtol(text, &end, 10);

	*fd = (int)value;
	return *text && !*end && value >= 0 && value < 65536;
}

static bool parse_block_size(const char *text, uint32_t *block_size)
{
	uint64_t value;

	if (!param_parse_size(text, &value) || value < 512 || value > 4096 || value & (value - 1))
		return false;
	*block_size = (uint32_t)value;
	return true;
}

/* Absolute, so that messages name a place that can be found. */
static void add_dir(GStrvBuilder *dirs, const char *dir)
{
	g_autofree char *absolute = g_canonicalize_filename(dir, NULL);

	g_strv_builder_add(dirs, absolute);
}

/* Options that have values. */
static bool take_value(struct options *options, int option, GStrvBuilder *dirs, char **error)
{
	switch (option) {
	case OPT_PLUGIN_DIR:
		add_dir(dirs, optarg);
		return true;
	case OPT_STATE_DIR:
		g_free(options->state_dir);
		options->state_dir = g_canonicalize_filename(optarg, NULL);
		return true;
	case OPT_RUNTIME_DIR:
		g_free(options->runtime_dir);
		options->runtime_dir = g_canonicalize_filename(optarg, NULL);
		return true;
	case OPT_READY_FD:
		return parse_fd(optarg, &options->ready_fd) ||
		       bad(error, "ready-fd", optarg, "a descriptor's number");
	case OPT_LOG_LEVEL:
		return log_parse_level(optarg, &options->level) ||
		       bad(error, "log-level", optarg, "error, warning, info or debug");
	case OPT_VALIDATE:
		options->mode = MODE_VALIDATE;
		g_free(options->handler);
		options->handler = g_strdup(optarg);
		return true;
	case OPT_SIZE:
		return param_parse_size(optarg, &options->size) ||
		       bad(error, "size", optarg, "a size in bytes, such as 4096, 64k or 10G");
	case OPT_BLOCK_SIZE:
		return parse_block_size(optarg, &options->block_size) ||
		       bad(error, "block-size", optarg, "512, 1024, 2048 or 4096");
	}
	return false;
}

static bool take_option(struct options *options, int option, GStrvBuilder *dirs, char **error)
{
	switch (option) {
	case OPT_FOREGROUND:
		return true;
	case OPT_LIST:
		options->mode = MODE_LIST;
		return true;
	case OPT_JSON:
		options->json = true;
		return true;
	case OPT_LEAVE_WORKERS:
		options->leave_workers = true;
		return true;
	case OPT_STOP_WORKERS:
		options->mode = MODE_STOP;
		return true;
	case OPT_WORKER:
		options->mode = MODE_WORKER;
		return true;
	case OPT_HELP:
		options->mode = MODE_HELP;
		return true;
	case OPT_VERSION:
		options->mode = MODE_VERSION;
		return true;
	}
	return take_value(options, option, dirs, error);
}

/* What follows --validate HANDLER: the config, a line each. */
static bool take_arguments(struct options *options, int argc, char **argv, char **error)
{
	g_autofree char *cwd = g_get_current_dir();

	if (optind < argc && options->mode != MODE_VALIDATE) {
		*error = g_strdup_printf("unexpected argument '%s'", argv[optind]);
		return false;
	}
	g_string_printf(options->lines, ".cwd=%s\n", cwd);
	for (; optind < argc; optind++)
		g_string_append_printf(options->lines, "%s%s\n", strchr(argv[optind], '=') ? "" : "=",
				       argv[optind]);
	return true;
}

static GStrv default_dirs(void)
{
	const char *given = getenv("SCUSE_PLUGIN_DIR");

	return g_strsplit(given && *given ? given : SCUSE_HANDLER_DIR, ":", -1);
}

bool options_parse(struct options *options, int argc, char **argv, char **error)
{
	g_autoptr(GStrvBuilder) dirs = g_strv_builder_new();
	int option;

	*options = (struct options){ .level = SCUSE_LOG_INFO, .ready_fd = -1, .block_size = 512 };
	options->lines = g_string_new(NULL);
	opterr = 0;
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) >= 0) {
		if (option == '?') {
			*error = g_strdup_printf("'%s' is not an option, or lacks its value",
						 argv[optind - 1]);
			return false;
		}
		if (!take_option(options, option, dirs, error))
			return false;
	}
	options->plugin_dirs = g_strv_builder_end(dirs);
	if (!options->plugin_dirs[0]) {
		g_strfreev(options->plugin_dirs);
		options->plugin_dirs = default_dirs();
	}
	return take_arguments(options, argc, argv, error);
}

void options_clear(struct options *options)
{
	g_strfreev(options->plugin_dirs);
	g_free(options->state_dir);
	g_free(options->runtime_dir);
	g_free(options->handler);
	g_string_free(options->lines, TRUE);
}
