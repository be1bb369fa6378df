/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse run: a LUN for as long as a command runs.
 *
 *	create -> attach -> the command, with SCUSE_DEV and SCUSE_NAME -> detach -> remove
 *
 * Whatever ends the command, a signal to us included, the rest follows.  The exit status is the command's.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "create.h"
#include "export.h"
#include "output.h"
#include "remove.h"

#define DETACH_ATTEMPTS 50 /* of 100 ms: whoever looked at the device last (udev) may need a moment */

static struct create_options chosen;
static bool generic;

static const struct option options[] = {
	CREATE_OPTIONS(&chosen),
	{ "sg", 0, OPTION_FLAG, NULL, "SCUSE_DEV is the /dev/sgN node", &generic },
	{ 0 },
};

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* Signals to us go on to the command; it decides what to do. */
static int wait_for(pid_t child)
{
	int status, forwarded = 0;

	while (waitpid(child, &status, 0) < 0) {
		int number = interrupted_by();

		if (errno != EINTR)
			return EXIT_FAILED;
		if (number && number != forwarded)
			kill(child, number);
		forwarded = number;
	}
	return exit_status(status);
}

static void exec_command(char **command, const char *name, const char *node)
{
	g_setenv("SCUSE_NAME", name, TRUE);
	g_setenv("SCUSE_DEV", node, TRUE);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	execvp(command[0], command);
	print_error("cannot run %s: %s", command[0], g_strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

static int run_command_line(char **command, const char *name, const char *node, GError **error)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0)
		exec_command(command, name, node);
	if (child < 0) {
		fail(error, errno, "cannot fork: %s", g_strerror(errno));
		return EXIT_FAILED;
	}
	return wait_for(child);
}

static bool clean_up(const char *name, GError **error)
{
	begin_clean_up();
	for (int i = 0; i < DETACH_ATTEMPTS; i++) {
		g_autoptr(GError) reason = NULL;

		if (remove_lun(name, true, &reason))
			return true;
		if (reason->code != EBUSY || i + 1 == DETACH_ATTEMPTS)
			return fail(error, reason->code, "the LUN stays: %s; afterwards `scuse rm -f %s`",
				    reason->message, name);
		g_usleep(100 * 1000);
	}
	return false;
}

static int with_lun(const scuse_nl_device *device, const char *name, char **command, GError **error)
{
	g_autofree char *path = device_path(device);
	g_autofree char *node = loop_attach(path, device->serial, device->device_type, generic, false, error);

	return node ? run_command_line(command, name, node, error) : EXIT_FAILED;
}

static int run(int argc, char **argv, char **tail, GError **error)
{
	g_autofree char *name = g_strdup_printf("run-%d-%08x", getpid(), g_random_int());
	g_auto(plan) what = { 0 };
	g_autoptr(scuse_nl) nl = NULL;
	g_autoptr(scuse_nl_device) device = NULL;
	g_autoptr(GError) left = NULL;
	int status;

	if (argc < 1 || !tail || !*tail) {
		fail_usage(error,
			   argc < 1 ? "say which handler serves the LUN" : "give the command after --");
		return EXIT_USAGE;
	}
	if (!create_make_plan(name, argv[0], argv + 1, argc - 1, &chosen, &what, error) ||
	    !need_root("run", error))
		return EXIT_FAILED;
	device = create_lun(&nl, &what, error);
	if (!device)
		return EXIT_FAILED;
	status = with_lun(device, name, tail, error);
	if (!clean_up(name, &left)) {
		print_error("%s", left->message);
		status = status ? status : EXIT_FAILED;
	}
	return status;
}

const struct command run_command = {
	.name = "run",
	.arguments = "HANDLER [PARAM] [KEY=VALUE]... [OPTION]... -- COMMAND [ARGUMENT]...",
	.summary = "make a LUN for as long as a command runs, with $SCUSE_DEV set",
	.details = "The exit status is the command's (128 + N if signal N ended it).",
	.options = options,
	.takes_command = true,
	.run = run,
};
