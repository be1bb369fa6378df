/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Brings a logical unit that random commands have stopped, reserved or write-protected back to where it
 * serves, by commands alone; that it can be brought back is part of the test.
 */
#ifndef FUZZ_RECOVER_H
#define FUZZ_RECOVER_H

#include "transport.h"

/* TEST UNIT READY until it is GOOD; true if it became so within a minute, else the last answer is printed. */
bool recover_ready(struct transport *transport);
/* Gives up reservations of this initiator, and persistent reservations and registrations of all. */
void recover_reservations(struct transport *transport);
/* All of this, and sets mode pages to their defaults. */
bool recover_all(struct transport *transport);

#endif
