/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How often a LUN's worker may be started again: BUDGET_RESTARTS times in BUDGET_WINDOW, each time after a
 * longer pause.  Used by lun.c; pure.  Times are microseconds of CLOCK_MONOTONIC, so that they mean the same
 * to the next supervisor.
 */
#ifndef SUPERVISOR_BUDGET_H
#define SUPERVISOR_BUDGET_H

#include <stdbool.h>

#include <glib.h>

#define BUDGET_RESTARTS 5
#define BUDGET_WINDOW	(60 * G_USEC_PER_SEC)
#define BUDGET_DELAY	100 /* milliseconds before the first; doubles with each */

struct budget {
	gint64 when[BUDGET_RESTARTS]; /* 0: never */
	unsigned int next;	      /* the oldest */
};

/* Milliseconds after which to start again, which counts from now on; -1: the budget is used up. */
int budget_take(struct budget *budget, gint64 now);
void budget_reset(struct budget *budget);
/* As an "ax"; floating. */
GVariant *budget_save(const struct budget *budget);
/* What another process has saved: NULL is nothing, times to come are left out. */
void budget_restore(struct budget *budget, GVariant *saved, gint64 now);

#endif /* SUPERVISOR_BUDGET_H */
