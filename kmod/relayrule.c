// SPDX-License-Identifier: GPL-2.0-only
/*
 * What follows from unit attentions of a device and from its commands, see relayrule.h.  Pure: called by
 * relay.c and by the unit tests, any context, no locks.
 */
#include "relayrule.h"
#include "sense.h"

#define SCUSE_ANY_ASCQ	    0xff
#define SCUSE_PROTOCOL_TAPE 0x20 /* SECURITY PROTOCOL OUT: tape data encryption */

/*
 * The codes that leave the parameters that we keep as they are.  All others make us read them again, those
 * that we do not know included: to read once too often costs three commands.
 *
 *	2Ah/02h	log parameters
 *	2Ah/03h-05h, 07h  reservations and registrations of other hosts; what our nexuses have is the core's.
 *		They are told nevertheless: another host may have got hold of the device
 *	2Ah/06h	asymmetric access
 *	2Ah/08h	priorities
 *	2Ah/10h	timestamp
 *	2Ch/xx	an earlier BUSY, TASK SET FULL or RESERVATION CONFLICT
 *	2Fh/xx	the device has cleared commands.  All of ours are of the one nexus that this concerns
 *	38h/xx	thresholds of thin provisioning, end-of-partition warnings
 *	0Bh, 5Bh, 5Dh/xx  warnings, log exceptions, failure predictions
 *	3Fh/04h, 05h, 06h, 0Eh, 0Fh  components, identifiers, LUNs, echo buffer
 */
static const struct scuse_ua_code scuse_relay_settled[] = {
	{ 0x0b, SCUSE_ANY_ASCQ }, { 0x2a, 0x02 },	    { 0x2a, 0x03 },
	{ 0x2a, 0x04 },		  { 0x2a, 0x05 },	    { 0x2a, 0x06 },
	{ 0x2a, 0x07 },		  { 0x2a, 0x08 },	    { 0x2a, 0x10 },
	{ 0x2c, SCUSE_ANY_ASCQ }, { 0x2f, SCUSE_ANY_ASCQ }, { 0x38, SCUSE_ANY_ASCQ },
	{ 0x3f, 0x04 },		  { 0x3f, 0x05 },	    { 0x3f, 0x06 },
	{ 0x3f, 0x0e },		  { 0x3f, 0x0f },	    { 0x5b, SCUSE_ANY_ASCQ },
	{ 0x5d, SCUSE_ANY_ASCQ },
};

#define SCUSE_RELAY_SETTLED (sizeof(scuse_relay_settled) / sizeof(scuse_relay_settled[0]))

u32 scuse_relay_actions(u8 asc, u8 ascq)
{
	u32 actions = SCUSE_RELAY_REREAD;
	u32 i;

	for (i = 0; i < SCUSE_RELAY_SETTLED; i++) {
		const struct scuse_ua_code *settled = &scuse_relay_settled[i];

		if (settled->asc == asc && (settled->ascq == SCUSE_ANY_ASCQ || settled->ascq == ascq))
			return 0;
	}
	/*
	 * All of 29h, loss of an I_T nexus (07h) as well: it was the only one, and to whom the device tells
	 * it, reservations and commands are gone as by a reset.
	 */
	if (asc == 0x29)
		actions |= SCUSE_RELAY_RESET;
	if (asc == 0x28 || (asc == 0x2a && ascq == 0x09))
		actions |= SCUSE_RELAY_SIZED;
	return actions;
}

bool scuse_relay_code(const u8 *sense, u32 length, struct scuse_ua_code *code)
{
	scuse_sense_code(sense, length, &code->asc, &code->ascq);
	if (length < 8 || (sense[0] & 0x7c) != 0x70)
		return false;
	return scuse_sense_key(sense) == SCUSE_KEY_UNIT_ATTENTION;
}

/* MODE SELECT, LOG SELECT.  Without parameters nothing has changed. */
static bool scuse_selects(const u8 *cdb)
{
	switch (cdb[0]) {
	case 0x15:
		return cdb[4];
	case 0x4c:
		return cdb[7] || cdb[8] || cdb[1] & 0x02; /* PCR resets without a list */
	default:
		return cdb[7] || cdb[8];
	}
}

/* WRITE BUFFER: modes that make new microcode run at once. */
static bool scuse_activates(const u8 *cdb)
{
	u8 mode = cdb[1] & 0x1f;

	return mode == 0x04 || mode == 0x05 || mode == 0x06 || mode == 0x07 || mode == 0x0f;
}

/*
 * LOAD UNLOAD of tapes, START STOP UNIT with LOEJ of the others: the medium is there, and only who asked for
 * it knows.  HOLD of a tape drive moves the cartridge without making it ready.
 */
static bool scuse_loads(u8 type, const u8 *cdb)
{
	if (type == 0x01)
		return (cdb[4] & 0x09) == 0x01;
	return (cdb[4] & 0xf3) == 0x03;
}

bool scuse_relay_consequence(u8 type, const u8 *cdb, struct scuse_ua_code *code)
{
	switch (cdb[0]) {
	case 0x15:
	case 0x55:
		*code = (struct scuse_ua_code){ 0x2a, 0x01 }; /* MODE PARAMETERS CHANGED */
		return scuse_selects(cdb);
	case 0x4c:
		*code = (struct scuse_ua_code){ 0x2a, 0x02 }; /* LOG PARAMETERS CHANGED */
		return scuse_selects(cdb);
	case 0x1b:
		*code = (struct scuse_ua_code){ 0x28, 0x00 }; /* MEDIUM MAY HAVE CHANGED */
		return scuse_loads(type, cdb);
	case 0x3b:
		*code = (struct scuse_ua_code){ 0x3f, 0x01 }; /* MICROCODE HAS BEEN CHANGED */
		return scuse_activates(cdb);
	case 0xb5:
		*code = (struct scuse_ua_code){ 0x2a,
						0x11 }; /* DATA ENCRYPTION PARAMETERS CHANGED BY ANOTHER.. */
		return type == 0x01 && cdb[1] == SCUSE_PROTOCOL_TAPE;
	case 0xa4:
		if ((cdb[1] & 0x1f) == 0x0f) {
			*code = (struct scuse_ua_code){ 0x2a, 0x10 }; /* TIMESTAMP CHANGED */
			return true;
		}
		*code = (struct scuse_ua_code){ 0x3f, 0x05 }; /* DEVICE IDENTIFIER CHANGED */
		return (cdb[1] & 0x1f) == 0x06;
	default:
		return false;
	}
}

void scuse_echo_reset(struct scuse_echo *echo)
{
	echo->reset = true;
}

void scuse_echo_reset_ended(struct scuse_echo *echo)
{
	WRITE_ONCE(echo->epoch, echo->epoch + 1);
}

void scuse_echo_select(struct scuse_echo *echo)
{
	echo->select = true;
}

void scuse_echo_forget(struct scuse_echo *echo)
{
	echo->reset = false;
	echo->select = false;
}

bool scuse_echo_take(struct scuse_echo *echo, const struct scuse_ua_code *code)
{
	bool *expected = NULL;
	bool echoes;

	if (code->asc == 0x29)
		expected = &echo->reset;
	else if (code->asc == 0x2a && code->ascq == 0x01)
		expected = &echo->select;
	echoes = expected && *expected;
	if (echoes)
		*expected = false;
	return echoes;
}

/*
 * Commands on which no unit attention is reported (SAM-5 5.14, MMC-6): INQUIRY, REPORT LUNS, REQUEST SENSE,
 * GET CONFIGURATION, GET EVENT STATUS NOTIFICATION.
 */
static bool scuse_hides_attentions(u8 opcode)
{
	return opcode == 0x12 || opcode == 0xa0 || opcode == 0x03 || opcode == 0x46 || opcode == 0x4a;
}

void scuse_echo_ended(struct scuse_echo *echo, u32 epoch, u8 opcode, u8 status)
{
	if (scuse_hides_attentions(opcode))
		return;
	/* What a device says when it has not come to look at the command proves nothing. */
	if (status != 0x00 && status != 0x02 && status != 0x04)
		return;
	echo->select = false;
	if (epoch == echo->epoch)
		echo->reset = false;
}
