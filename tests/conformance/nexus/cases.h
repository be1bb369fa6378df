/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The groups of cases; main.c runs them.  Each leaves the stage as it found it: nothing reserved, no modes changed. */
#ifndef NEXUS_CASES_H
#define NEXUS_CASES_H

#include "stage.h"

void events_run(struct stage *stage);	    /* unit attentions: events.c, attentions.c */
void reservations_run(struct stage *stage); /* SPC-2 RESERVE and RELEASE: reservations.c */
void persistent_run(struct stage *stage);   /* persistent reservations: persistent.c, transfer.c */
void conflicts_run(struct stage *stage);    /* what is refused while something is reserved: conflicts.c */
void management_run(struct stage *stage);   /* task management: management.c */
void types_run(struct stage *stage);	    /* devices of any type: types.c */
void passthrough_run(struct stage *stage);  /* what a real device does to its commands: passthrough.c */

#endif
