/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the commands of `scuse` share: the command table, options, errors.
 *
 * One file a command (create.c, ls.c, ...); main.c has the table.  Underneath: args.c (sizes, parameters),
 * configfs.c (all access to LIO's configfs), device.c (LUNs by name), export.c with fabric_loop.c and
 * fabric_iscsi.c (attach and detach), sysfs.c and usage.c (what the host made of a LUN, and who uses it),
 * modules.c, output.c.
 *
 * The program is one thread.  Functions that can fail return bool and fill a GError whose message is a
 * sentence for the person at the terminal: what is wrong, and what to do about it.
 */
#ifndef SCUSE_CLI_H
#define SCUSE_CLI_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>
#include <scuse/netlink.h>

enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
};

/* Errors: the code is an errno, or 0; CLI_USAGE makes the exit status EXIT_USAGE. */
#define CLI_ERROR cli_error_quark()
#define CLI_USAGE (-2)
GQuark cli_error_quark(void);

/* Set *error and return false, so that `return fail(...)` reads well. */
bool fail(GError **error, int code, const char *format, ...) G_GNUC_PRINTF(3, 4);
bool fail_usage(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* ---- options (options.c) ---------------------------------------------------------------------------- */

enum option_kind {
	OPTION_FLAG,   /* bool * */
	OPTION_STRING, /* const char ** */
	OPTION_NUMBER, /* uint64_t *: a decimal number */
	OPTION_HELP,   /* shows the command's help */
};

struct option {
	const char *name; /* without the dashes; NULL ends a list */
	char letter;	  /* 0: none */
	enum option_kind kind;
	const char *value; /* what --help calls it; NULL for flags */
	const char *help;
	void *target;
};

/* Of every command. */
struct globals {
	bool json;
	bool quiet;
	bool help;
	bool version;
};
extern struct globals globals;
extern const struct option global_options[];

struct command {
	const char *name;
	const char *arguments; /* as in the usage line */
	const char *summary;   /* one line */
	const char *details;   /* for --help; may be NULL */
	const struct option *options;
	bool takes_command; /* what follows -- is a command line of its own: arguments after it are kept */
	/* argv: what is left besides options, NULL-terminated; tail: what stood after "--", or NULL. */
	int (*run)(int argc, char **argv, char **tail, GError **error);
	/* Replaces the general --help when it has something to say about the arguments; may be NULL. */
	bool (*help)(int argc, char **argv);
};
extern const struct command *const commands[]; /* ends with NULL */
const struct command *find_command(const char *name);

/*
 * Takes options out of argv (the first element is the first argument, not the program), in any place before
 * "--". On success argv holds what is left, and *tail what came after "--" (NULL without it).
 */
bool parse_options(const struct option *options, int *argc, char **argv, char ***tail, GError **error);
/* Only global options, only before the first other argument; returns how many elements they took, -1 on
 * error. */
int parse_leading_options(int argc, char **argv, GError **error);
void print_command_help(const struct command *command);

extern const struct command create_command, ls_command, show_command, set_command, resize_command,
	restart_command, rm_command, attach_command, detach_command, monitor_command, stats_command,
	handlers_command, run_command, complete_command;

/* ---- cleaning up ------------------------------------------------------------------------------------ */

/*
 * From here on SIGINT, SIGTERM and SIGHUP do not end the program but make interrupted() true: for commands
 * that would leave something half made.
 */
void catch_signals(void);
bool interrupted(void);
int interrupted_by(void); /* the signal's number, 0: none */
/* Forgets the signal, and lets no other in: cleaning up is not to be cut short by what led to it. */
void begin_clean_up(void);
/* false with an error once interrupted. */
bool check_interrupted(GError **error);

bool need_root(const char *what, GError **error);

typedef struct scuse_nl scuse_nl;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(scuse_nl, scuse_nl_close)

#endif /* SCUSE_CLI_H */
