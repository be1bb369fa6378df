/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Makes commands at random: valid ones from the catalogue, valid ones with bits flipped, and noise; with a
 * length and a direction of the initiator's that mostly, but not always, agree with the CDB.
 */
#ifndef FUZZ_GENERATE_H
#define FUZZ_GENERATE_H

#include "catalogue.h"
#include "random.h"

/* Fills in a command; command->data must have room for DATA_MAX bytes.  The same `random`, the same command. */
void generate_command(struct random *random, const struct catalogue *catalogue, size_t cdb_max,
		      struct command *command);
/* Data for a command that has them go out: a parameter list that is nearly right, or noise (parameters.c). */
void generate_parameters(struct random *random, const struct catalogue *catalogue, struct command *command);

#endif
