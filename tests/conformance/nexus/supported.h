/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Which commands the LUN has, as REPORT SUPPORTED OPERATION CODES says.  The list is read once for a group of
 * cases, and kept until it is read again.
 */
#ifndef NEXUS_SUPPORTED_H
#define NEXUS_SUPPORTED_H

#include "nexus.h"

#define NO_SERVICE_ACTION (-1)

struct supported {
	uint8_t opcode;
	int service_action; /* or NO_SERVICE_ACTION */
};

#define SUPPORTED_MAX 256
extern struct supported supported[SUPPORTED_MAX];
extern size_t supported_count;

/* 0, or -1: the command failed. */
int supported_read(struct nexus *nexus);
bool is_supported(uint8_t opcode, int service_action);

#endif
