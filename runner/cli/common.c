/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The command table, errors and signals: what every command uses.  See cli.h.
 *
 * State: the signal that was caught, written by the handler and read by everybody.
 */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

const struct command *const commands[] = {
	&create_command,  &ls_command,	     &show_command,   &set_command,	 &resize_command,
	&restart_command, &rm_command,	     &attach_command, &detach_command,	 &monitor_command,
	&stats_command,	  &handlers_command, &run_command,    &complete_command, NULL,
};

const struct command *find_command(const char *name)
{
	for (const struct command *const *command = commands; *command; command++)
		if (!strcmp((*command)->name, name))
			return *command;
	return NULL;
}

G_DEFINE_QUARK(scuse_cli_error, cli_error)

static void set_error(GError **error, int code, const char *format, va_list args) G_GNUC_PRINTF(3, 0);
static void set_error(GError **error, int code, const char *format, va_list args)
{
	if (!error)
		return;
	/* The first reason is the one to tell. */
	if (*error)
		return;
	*error = g_error_new_valist(CLI_ERROR, code, format, args);
}

bool fail(GError **error, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_error(error, code, format, args);
	va_end(args);
	return false;
}

bool fail_usage(GError **error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set_error(error, CLI_USAGE, format, args);
	va_end(args);
	return false;
}

static volatile sig_atomic_t caught;

static void on_signal(int number)
{
	caught = number;
}

void catch_signals(void)
{
	/* Without SA_RESTART: waits end, and are looked at. */
	struct sigaction action = { .sa_handler = on_signal }, old;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	/* nohup means it. */
	if (sigaction(SIGHUP, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &action, NULL);
}

bool interrupted(void)
{
	return caught != 0;
}

void begin_clean_up(void)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	caught = 0;
}

int interrupted_by(void)
{
	return caught;
}

bool check_interrupted(GError **error)
{
	return caught ? fail(error, EINTR, "interrupted") : true;
}

bool need_root(const char *what, GError **error)
{
	if (geteuid() == 0)
		return true;
	return fail(error, EPERM, "scuse %s needs root: try sudo scuse %s ...", what, what);
}
