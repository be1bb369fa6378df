/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From arguments to a LUN: what `scuse create` and `scuse run` have in common.
 */
#ifndef SCUSE_CLI_CREATE_H
#define SCUSE_CLI_CREATE_H

#include "device.h"
#include "policy.h"

struct create_options {
	const char *size, *block_size, *protection, *serial;
	uint64_t queues, depth;
	struct policy_options policies;
};

#define CREATE_OPTIONS(to)                                                                                   \
	{ "size", 's', OPTION_STRING, "SIZE", "size of the LUN; without it the handler says", &(to)->size }, \
		{ "block-size",	    'b', OPTION_STRING, "BYTES", "logical block: 512 (default) to 4096",     \
		  &(to)->block_size },                                                                       \
		{ "queues",	0, OPTION_NUMBER, "N", "queues; one a processor, at most 8, unless given",   \
		  &(to)->queues },                                                                           \
		{ "protection",                                                                              \
		  0,                                                                                         \
		  OPTION_STRING,                                                                             \
		  "0|1|3",                                                                                   \
		  "type of T10 protection information; 0, none, unless given",                               \
		  &(to)->protection },                                                                       \
		POLICY_OPTIONS(&(to)->policies),                                                             \
	{                                                                                                    \
		"depth", 0, OPTION_NUMBER, "N", "commands in flight a queue; 128 unless given", &(to)->depth \
	}

/* Checks and fills; plan_clear() either way. */
bool create_make_plan(const char *name, const char *handler, char **arguments, int count,
		      const struct create_options *from, plan *what, GError **error);
/* Modules, owner, LUN.  *nl is opened on the way. */
scuse_nl_device *create_lun(scuse_nl **nl, plan *what, GError **error);

#endif /* SCUSE_CLI_CREATE_H */
