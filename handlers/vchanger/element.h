/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The data of READ ELEMENT STATUS (SMC-3 6.11).  vchanger.c calls it. */
#ifndef VCHANGER_ELEMENT_H
#define VCHANGER_ELEMENT_H

#include <stddef.h>

#include "library.h"

/* What the CDB asks for. */
struct element_query {
	enum element_type type;
	unsigned int start; /* lowest address */
	unsigned int count; /* elements at most */
	bool volumes;	    /* VOLTAG: with volume identifiers */
	bool identifiers;   /* DVCID: with designators of drives */
};

/* False: a field of the CDB (12 bytes) is invalid. */
bool element_parse(const uint8_t *cdb, struct element_query *query);
/*
 * Fills in what fits, whole descriptors only, and returns its length in bytes; the counts in the header and
 * in the pages are of all that there is.  `room` is the allocation length or the buffer, whichever is
 * shorter. Negative: -ENOMEM.
 */
long element_report(struct library *library, const struct element_query *query, uint8_t *to, size_t room);

#endif /* VCHANGER_ELEMENT_H */
