/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The stage of all cases: one logical unit, its I_T nexuses, and what can be done to it from the host's side.
 *
 *	A  initiator a, portal group 1          the causer
 *	B  initiator b, portal group 1          another on the same portal
 *	C  initiator c, portal group 2          another on another portal
 *	D  initiator a, portal group 2          the causer's other I_T nexus; open in some cases only
 *	E  initiator c, portal group 1          one more on A's portal; likewise
 *	L  local, through tcm_loop              another fabric
 *
 * Initiator a has an explicit access list (ALL_TG_PT needs one); the others have none, since LIO core never
 * gives back what it takes hold of when SPEC_I_PT names initiators that do.
 *
 * Each portal group, and tcm_loop's target, is a SCSI target port of its own.
 */
#ifndef NEXUS_STAGE_H
#define NEXUS_STAGE_H

#include "nexus.h"

enum place { A, B, C, L, PLACES, D = PLACES, E, PLACES_ALL };

struct stage {
	struct nexus nexus[PLACES_ALL];
	const char *hook;    /* the host's side, see stage_hook() */
	const char *control; /* pipe of the test handler; NULL: another handler serves */
	uint32_t blocks; /* the medium's size at first, in blocks of 512 bytes; it is never less than that */
	bool real;	 /* a real device is behind the LUN: the hook can do things to it */
	/* A bit of a mode page (SPC-4 7.5) that every nexus can change without consequences. */
	struct {
		uint8_t page, byte, mask;
	} toggle;
};

/* Opens A, B, C and L; takes the unit attentions that are pending.  0, or -1 after saying why. */
int stage_open(struct stage *stage);
void stage_close(struct stage *stage);
/* Takes all pending unit attentions of the open nexuses: what follows begins from nothing. */
void stage_drain(struct stage *stage);
void nexus_drain(struct nexus *nexus);

/* Runs "HOOK WORDS" (a shell command line of the guest's script); returns its exit status. */
int stage_hook(const struct stage *stage, const char *words);
/* Tells the test handler something; 0 or -1.  It has done it when it answers the next command. */
int stage_tell(const struct stage *stage, const char *words);

/*
 * Sets bits of a byte of a mode page through `nexus`: value under mask.  Returns the status of what failed,
 * else GOOD.
 */
int stage_set_mode(struct nexus *nexus, uint8_t page, unsigned int byte, uint8_t mask, uint8_t value);
/* The byte; -1 if MODE SENSE fails. */
int stage_get_mode(struct nexus *nexus, uint8_t page, unsigned int byte);
/* Are all of these bits changeable? */
bool stage_can_set_mode(struct nexus *nexus, uint8_t page, unsigned int byte, uint8_t mask);

#endif
