/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse: the command line.  Finds the command, parses its options, runs it, prints its error.
 *
 * Called by people and scripts.  Exit status: 0, 1 (failed; the reason is on stderr), 2 (used wrongly).
 */
#include "cli.h"
#include "output.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <scuse/version.h>

static void print_help(void)
{
	printf("usage: scuse [--json] [--quiet] COMMAND [ARGUMENT...]\n\nSCSI devices in userspace: LUNs "
	       "that handler "
	       "plugins serve.\n\n");
	for (const struct command *const *command = commands; *command; command++)
		if ((*command)->summary)
			printf("  %-10s %s\n", (*command)->name, (*command)->summary);
	printf("\n`scuse COMMAND --help` tells more; `scuse create --help HANDLER` shows a handler's "
	       "parameters.\n");
}

static int report(const char *command, const GError *error)
{
	fflush(stdout);
	print_error("%s", error->message);
	if (error->code != CLI_USAGE)
		return EXIT_FAILED;
	if (command)
		fprintf(stderr, "`scuse %s --help` shows how it is used\n", command);
	else
		fprintf(stderr, "`scuse --help` lists the commands\n");
	return EXIT_USAGE;
}

static int run(const struct command *command, int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	char **tail;
	int status;

	if (!parse_options(command->options, &argc, argv, &tail, &error))
		return report(command->name, error);
	if (globals.help) {
		if (!command->help || !command->help(argc, argv))
			print_command_help(command);
		return EXIT_OK;
	}
	if (tail && !command->takes_command) {
		/* "--" only ended the options: the rest are arguments like the others. */
		int rest = (int)g_strv_length(tail);

		memmove(argv + argc, tail, ((size_t)rest + 1) * sizeof(*argv));
		argc += rest;
		tail = NULL;
	}
	status = command->run(argc, argv, tail, &error);
	return error ? report(command->name, error) : status;
}

int main(int argc, char **argv)
{
	g_autoptr(GError) error = NULL;
	const struct command *command;
	int used;

	setlocale(LC_CTYPE, "");
	used = parse_leading_options(argc - 1, argv + 1, &error);
	if (used < 0)
		return report(NULL, error);
	argc -= 1 + used;
	argv += 1 + used;
	if (globals.version) {
		printf("scuse %s\n", SCUSE_VERSION);
		return EXIT_OK;
	}
	if (argc == 0 || globals.help) {
		print_help();
		return globals.help ? EXIT_OK : EXIT_USAGE;
	}
	command = find_command(argv[0]);
	if (!command) {
		fail_usage(&error, "there is no command '%s'", argv[0]);
		return report(NULL, error);
	}
	return run(command, argc - 1, argv + 1);
}
