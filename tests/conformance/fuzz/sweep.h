/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands that a LUN must refuse, each of them once: every bit outside a usage map, and every operation code
 * and service action that the LUN does not list.
 */
#ifndef FUZZ_SWEEP_H
#define FUZZ_SWEEP_H

#include "catalogue.h"

/*
 * A line "ok" or "not ok" for each command of the catalogue; false if any is not ok.  Every bit that the
 * usage map leaves out, set alone, is to be answered with INVALID FIELD IN CDB and a field pointer to it
 * (SPC-4 4.5.2.4.2).
 */
bool sweep_reserved_bits(const struct catalogue *catalogue, struct transport *transport);
/* Likewise for what is not listed: INVALID COMMAND OPERATION CODE; INVALID FIELD IN CDB at the service action. */
bool sweep_unlisted(const struct catalogue *catalogue, struct transport *transport);

#endif
