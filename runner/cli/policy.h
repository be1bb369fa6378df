/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a LUN does while its worker is dead or hangs, and how much memory it may have: the options of `scuse create`,
 * `scuse run` and `scuse set`, which are files in its configfs directory, in attrib/.
 */
#ifndef SCUSE_CLI_POLICY_H
#define SCUSE_CLI_POLICY_H

#include "cli.h"
#include "json.h"

/* As given; NULL: not given. */
struct policy_options {
	const char *orphan_policy, *orphan_timeout, *inflight_policy, *command_timeout, *tmf_timeout,
		*max_memory;
};

#define POLICY_OPTIONS(to)                                                                       \
	{ "orphan-policy",                                                                       \
	  0,                                                                                     \
	  OPTION_STRING,                                                                         \
	  "wait|busy|error",                                                                     \
	  "commands while nobody serves the LUN: they wait, or end at once",                     \
	  &(to)->orphan_policy },                                                                \
		{ "orphan-timeout",                                                              \
		  0,                                                                             \
		  OPTION_STRING,                                                                 \
		  "SECONDS",                                                                     \
		  "how long they wait; none: without a limit",                                   \
		  &(to)->orphan_timeout },                                                       \
		{ "inflight-policy",                                                             \
		  0,                                                                             \
		  OPTION_STRING,                                                                 \
		  "replay|busy",                                                                 \
		  "commands that a dead worker had: for the next one, or BUSY",                  \
		  &(to)->inflight_policy },                                                      \
		{ "command-timeout",                                                             \
		  0,                                                                             \
		  OPTION_STRING,                                                                 \
		  "SECONDS",                                                                     \
		  "a command that takes longer is cancelled; none: no limit",                    \
		  &(to)->command_timeout },                                                      \
		{ "tmf-timeout",                                                                 \
		  0,                                                                             \
		  OPTION_STRING,                                                                 \
		  "SECONDS",                                                                     \
		  "a cancelled command that takes longer costs the worker",                      \
		  &(to)->tmf_timeout },                                                          \
	{                                                                                        \
		"max-memory", 0, OPTION_STRING, "SIZE", "memory of commands in flight, at most", \
			&(to)->max_memory                                                        \
	}

/* Are the values such as there can be? */
bool policy_check(const struct policy_options *from, GError **error);
bool policy_any(const struct policy_options *from);
/* path: the LUN's configfs directory.  policy_check() has been passed. */
bool policy_write(const char *path, const struct policy_options *from, GError **error);

/*
 * While a LUN is taken away, or from an initiator, nobody waits for its commands: those that wait for a worker end
 * with BUSY.  What a module that is too old for policies does anyway.
 */
typedef struct policy_hold {
	char *file;   /* NULL: there is nothing to put back */
	char *before; /* what it held */
} policy_hold;
void policy_hold_begin(const char *path, policy_hold *hold);
/* Puts back what was; if the LUN is gone, so is that. */
void policy_hold_end(policy_hold *hold);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(policy_hold, policy_hold_end)

/* Lines of `scuse show`, members of an object; nothing if the module does not tell. */
void policy_print(const struct scuse_nl_device *device);
void policy_json(ScuseJson *json, const struct scuse_nl_device *device);
/* "online", "offline for 12 s"; newly allocated. */
char *policy_state_text(const struct scuse_nl_device *device);

#endif /* SCUSE_CLI_POLICY_H */
