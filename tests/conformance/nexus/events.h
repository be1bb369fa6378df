/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of events that establish unit attentions: what happens, and who is told what.
 *
 * The roles of the four nexuses rotate, so that each transport and portal is the causer once:
 *
 *	rotation   CAUSER  SAME (port)  OTHER (portal)  LOCAL
 *	first      A       B            C               L
 *	second     C       A            B               L
 *	local      L       A            C               B
 */
#ifndef NEXUS_EVENTS_H
#define NEXUS_EVENTS_H

#include "stage.h"

enum role { CAUSER, SAME, OTHER, LOCAL, ROLES };

struct rotation {
	const char *name;
	enum place place[ROLES];
};

enum event_needs {
	NEEDS_NOTHING,
	NEEDS_LOG_SELECT,
	NEEDS_SET_TIMESTAMP,
	NEEDS_CONTROL, /* the test handler's doing */
	NEEDS_REAL,    /* the doing of others who have the real device, too */
};

struct event {
	const char *name;
	/* What must be there before, and is taken away after the check; may be NULL.  NULL or what failed. */
	const char *(*prepare)(struct stage *stage, const struct rotation *rotation);
	/* Makes it happen; when it returns, it has happened.  NULL, or what failed. */
	const char *(*raise)(struct stage *stage, const struct rotation *rotation);
	void (*restore)(struct stage *stage, const struct rotation *rotation);
	asc_t told[ROLES]; /* 0: nothing */
	enum event_needs needs;
};

extern const struct event events[];
extern const size_t events_count;

static inline struct nexus *role_nexus(struct stage *stage, const struct rotation *rotation, enum role role)
{
	return &stage->nexus[rotation->place[role]];
}

/* Can it happen on this stage?  supported_read() has been called. */
bool event_is_possible(const struct stage *stage, const struct event *event);

/* MODE SELECT by `nexus` that changes something for everybody; NULL, or what failed. */
const char *raise_mode_change(struct stage *stage, struct nexus *nexus);
/*
 * Another event that can be repeated at will, caused by A: all others are told *asc.  SET TIMESTAMP where the
 * LUN has it, else the capacity changes.
 */
const char *raise_other(struct stage *stage, asc_t *asc);

#endif
