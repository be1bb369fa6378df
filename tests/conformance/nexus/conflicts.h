/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of commands and what they may do in the presence of reservations: SPC-4 and SBC-3 for persistent
 * reservations, SPC-2 and SBC-2 for RESERVE, each in its table of commands that are allowed in the presence
 * of reservations.  conflict_rows.c has the rows.
 */
#ifndef NEXUS_CONFLICTS_H
#define NEXUS_CONFLICTS_H

#include "nexus.h"
#include "supported.h"

/* What a nexus that does not hold the reservation may do. */
enum access {
	ACCESS_ALWAYS,	/* allowed, whatever is reserved */
	ACCESS_READING, /* a conflict with exclusive access; allowed to registrants where registrants may */
	ACCESS_WRITING, /* a conflict; allowed to registrants where registrants may */
	ACCESS_RESERVE, /* RESERVE and RELEASE: a conflict but for holders and registrants that may */
	ACCESS_PR_OUT	/* PERSISTENT RESERVE OUT: by service action */
};

struct conflict_row {
	const char *name;
	uint8_t opcode;
	int service_action; /* NO_SERVICE_ACTION */
	enum access access;
	bool allowed_by_reserve; /* while another nexus has reserved with SPC-2's RESERVE */
	uint8_t cdb[32];	 /* a valid command, that needs no more than the LUN's first blocks */
	uint8_t cdb_len;
	uint16_t in, out; /* bytes of data */
	const uint8_t
		*parameters; /* the first bytes of `out`, as many as parameters_len; the rest are zeros */
	uint8_t parameters_len;
	bool once; /* slow, or changes more than data: only where it is decided, not for the holder */
};

extern const struct conflict_row conflict_rows[];
extern const size_t conflict_rows_count;

#endif
