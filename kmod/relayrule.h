/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What follows from a unit attention condition (SAM-5 5.14) that the device of a raw LUN reports, from the
 * commands that it carries out, and from our resets of it.  Pure: no kernel objects, so that it is tested in
 * userspace.  relay.c is the caller.
 *
 * The device knows one I_T nexus, that of the host.  What it reports on any command concerns all of ours; and
 * what one of ours changes by a command it tells nobody, since to the device there is nobody else.
 *
 * ECHO.  After a LOGICAL UNIT RESET every nexus is told 29h/03h by the core.  The device, which we reset on
 * that occasion, reports 29h/xx on the first command that it gets afterwards, but that is the same event:
 *
 *	          our reset is sent             29h comes (the command is sent again),
 *	   quiet ------------------> expected ------------------------------------------> quiet
 *	             (of any epoch)      |      a command of this epoch ends without it
 *	                                 |
 *	                                 +-- the reset ends: a new epoch
 *
 * A command that was sent before the reset had ended (an older epoch) may have been carried out before it, so
 * that it says nothing about whether the echo is still to come.
 *
 * Likewise 2Ah/01h after a MODE SELECT: the other nexuses have been told, and the one that sent it is to hear
 * nothing (SPC-4), but some devices tell whomever they know.  A MODE SELECT is alone on its LUN, so whatever
 * ends after it was sent after it.
 */
#ifndef SCUSE_RELAYRULE_H
#define SCUSE_RELAYRULE_H

#include "shim.h"
#include "ua.h"

/* What a unit attention of the device asks for, besides being established for every nexus. */
#define SCUSE_RELAY_RESET  0x1u /* the device was reset: reservations of SPC-2 and copies' results are gone */
#define SCUSE_RELAY_REREAD 0x2u /* parameters that we keep may have changed */
#define SCUSE_RELAY_SIZED  0x4u /* initiators who hear of it ask for the capacity by themselves */

u32 scuse_relay_actions(u8 asc, u8 ascq);

/*
 * scuse_relay_code - the additional sense code of a unit attention
 * @sense: sense data, or what REQUEST SENSE has brought, of @length bytes
 *
 * False: it is no unit attention.  Sense data that is too short to have a code has 00h/00h.
 */
bool scuse_relay_code(const u8 *sense, u32 length, struct scuse_ua_code *code);

/*
 * scuse_relay_consequence - what other nexuses are to be told after @cdb has been carried out with GOOD
 * @type: peripheral device type
 *
 * False: nothing.
 */
bool scuse_relay_consequence(u8 type, const u8 *cdb, struct scuse_ua_code *code);

/* See ECHO above.  The caller locks; epoch may be read without. */
struct scuse_echo {
	bool reset;  /* 29h/xx is expected */
	bool select; /* 2Ah/01h is expected */
	u32 epoch;
};

/* A reset of ours is about to be sent; it has ended. */
void scuse_echo_reset(struct scuse_echo *echo);
void scuse_echo_reset_ended(struct scuse_echo *echo);
/* A MODE SELECT has been carried out. */
void scuse_echo_select(struct scuse_echo *echo);
void scuse_echo_forget(struct scuse_echo *echo);
/* A unit attention has come.  True: it is the echo, and another one would not be. */
bool scuse_echo_take(struct scuse_echo *echo, const struct scuse_ua_code *code);
/* A command of operation code @opcode that was sent in @epoch has ended with @status and no unit attention. */
void scuse_echo_ended(struct scuse_echo *echo, u32 epoch, u8 opcode, u8 status);

#endif /* SCUSE_RELAYRULE_H */
