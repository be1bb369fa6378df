/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Moves of cartridges, and what drives have to do with them: see library.h.  The library's lock is held. */
#ifndef VCHANGER_MOVES_H
#define VCHANGER_MOVES_H

#include "inventory.h"

enum drive_state {
	DRIVE_SETTLED, /* it has the cartridge that the state says, or none if none */
	DRIVE_DIFFERS, /* it does not, and cannot be made to */
	DRIVE_ABSENT   /* it does not answer */
};

/* Asks the drive, and tells it to load or unload if it differs.  *status: what it said of itself, before that. */
enum drive_state drive_settle(struct library *library, unsigned int drive, struct link_status *status);

#endif /* VCHANGER_MOVES_H */
