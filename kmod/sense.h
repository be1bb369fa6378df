/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sense data: what is accepted from userspace (pure), and the ends of commands with sense of our own
 * (sense.c).
 *
 * Userspace's sense reaches the initiator as it is, with two exceptions, which become HARDWARE ERROR,
 * INTERNAL TARGET FAILURE: data that is no current sense in fixed or descriptor format (deferred
 * errors, 71h and 73h, would be believed to concern another command), and the key UNIT ATTENTION.  Unit
 * attentions belong to the kernel half, which knows all I_T nexuses; a handler that could send 29h/00h
 * would make one initiator believe in a reset that the others have not seen.
 *
 * A real device (raw LUNs with SCUSE_FEATURE_UNIT_ATTENTIONS) does have deferred errors: they are passed on,
 * since nobody else would hear of them.  Its unit attentions are passed on after relay.c has established them
 * for the other nexuses, from the copy that was looked at then.
 */
#ifndef SCUSE_SENSE_H
#define SCUSE_SENSE_H

#include "shim.h"

/* SPC-4 table 45 */
#define SCUSE_KEY_NO_SENSE	  0x0
#define SCUSE_KEY_NOT_READY	  0x2
#define SCUSE_KEY_MEDIUM_ERROR	  0x3
#define SCUSE_KEY_HARDWARE_ERROR  0x4
#define SCUSE_KEY_ILLEGAL_REQUEST 0x5
#define SCUSE_KEY_UNIT_ATTENTION  0x6
#define SCUSE_KEY_DATA_PROTECT	  0x7
#define SCUSE_KEY_COPY_ABORTED	  0xa
#define SCUSE_KEY_ABORTED_COMMAND 0xb
#define SCUSE_KEY_MISCOMPARE	  0xe

/* What the sense key specific field says (SPC-4 4.5.2.4). */
enum scuse_sense_specific {
	SCUSE_SENSE_NOTHING = 0,
	SCUSE_SENSE_CDB_FIELD,	/* field pointer into the CDB */
	SCUSE_SENSE_LIST_FIELD, /* field pointer into the parameter list */
	SCUSE_SENSE_PROGRESS,	/* progress indication, in 65536ths */
};

#define SCUSE_SENSE_NO_BIT 0xff

/* Sense data before it has a format. */
struct scuse_sense {
	u8 key;
	u8 asc;
	u8 ascq;
	u8 specific; /* enum scuse_sense_specific */
	u16 field;   /* byte of a field pointer, or the progress */
	u8 bit;	     /* of a field pointer; SCUSE_SENSE_NO_BIT: the whole byte or more */
	bool has_information;
	u64 information;
};

#define SCUSE_SENSE_FIXED_LENGTH 18
#define SCUSE_SENSE_BUFFER	 32 /* enough for both formats */

static inline void scuse_sense_pointer(u8 *to, const struct scuse_sense *sense)
{
	to[0] = 0x80;
	if (sense->specific != SCUSE_SENSE_PROGRESS) {
		if (sense->specific == SCUSE_SENSE_CDB_FIELD)
			to[0] |= 0x40;
		if (sense->bit != SCUSE_SENSE_NO_BIT)
			to[0] |= 0x08 | (sense->bit & 0x07);
	}
	to[1] = sense->field >> 8;
	to[2] = sense->field & 0xff;
}

static inline u32 scuse_sense_build_descriptor(u8 *buffer, const struct scuse_sense *sense)
{
	u32 length = 8;
	int i;

	buffer[0] = 0x72;
	buffer[1] = sense->key;
	buffer[2] = sense->asc;
	buffer[3] = sense->ascq;
	if (sense->has_information) {
		buffer[length] = 0x00;
		buffer[length + 1] = 0x0a;
		buffer[length + 2] = 0x80;
		for (i = 0; i < 8; i++)
			buffer[length + 4 + i] = (u8)(sense->information >> (56 - 8 * i));
		length += 12;
	}
	if (sense->specific != SCUSE_SENSE_NOTHING) {
		buffer[length] = 0x02;
		buffer[length + 1] = 0x06;
		scuse_sense_pointer(&buffer[length + 4], sense);
		length += 8;
	}
	buffer[7] = (u8)(length - 8);
	return length;
}

static inline u32 scuse_sense_build_fixed(u8 *buffer, const struct scuse_sense *sense)
{
	int i;

	buffer[0] = 0x70;
	buffer[2] = sense->key;
	buffer[7] = SCUSE_SENSE_FIXED_LENGTH - 8;
	buffer[12] = sense->asc;
	buffer[13] = sense->ascq;
	/* SPC-4 4.5.3: an INFORMATION field that is too small for the value is not valid. */
	if (sense->has_information && sense->information <= 0xffffffffu) {
		buffer[0] |= 0x80;
		for (i = 0; i < 4; i++)
			buffer[3 + i] = (u8)(sense->information >> (24 - 8 * i));
	}
	if (sense->specific != SCUSE_SENSE_NOTHING)
		scuse_sense_pointer(&buffer[15], sense);
	return SCUSE_SENSE_FIXED_LENGTH;
}

/*
 * scuse_sense_build - sense data in the format that the control mode page asks for
 * @buffer: SCUSE_SENSE_BUFFER bytes, all zero
 * @descriptor: D_SENSE.  Unit attentions 29h/xx and 2Ah/01h are in fixed format nevertheless: who is
 *	told of a reset or of changed mode parameters cannot know the format yet.
 *
 * Returns the length in bytes.
 */
static inline u32 scuse_sense_build(u8 *buffer, const struct scuse_sense *sense, bool descriptor)
{
	if (sense->key == SCUSE_KEY_UNIT_ATTENTION &&
	    (sense->asc == 0x29 || (sense->asc == 0x2a && sense->ascq == 0x01)))
		descriptor = false;
	return descriptor ? scuse_sense_build_descriptor(buffer, sense)
			  : scuse_sense_build_fixed(buffer, sense);
}

/* How far sense data from userspace is believed. */
enum scuse_sense_trust {
	SCUSE_SENSE_HANDLER = 0, /* current errors */
	SCUSE_SENSE_DEVICE,	 /* deferred ones as well */
	SCUSE_SENSE_RELAYED,	 /* and unit attentions: the other nexuses have them already */
};

enum scuse_sense_verdict {
	SCUSE_SENSE_OK = 0,
	SCUSE_SENSE_FORMAT, /* no sense data that can be passed on */
	SCUSE_SENSE_FORGED, /* UNIT ATTENTION */
};

/* The sense key of sense data, current or deferred; @sense has at least 8 bytes. */
static inline u8 scuse_sense_key(const u8 *sense)
{
	return (sense[0] & 0x7e) == 0x72 ? sense[1] & 0x0f : sense[2] & 0x0f;
}

/* The additional sense code; 00h/00h if the data is too short to have one. */
static inline void scuse_sense_code(const u8 *sense, u32 length, u8 *asc, u8 *ascq)
{
	bool descriptor = length && (sense[0] & 0x7e) == 0x72;
	u32 at = descriptor ? 2 : 12;

	*asc = length > at + 1 && (descriptor || sense[7] >= 6) ? sense[at] : 0;
	*ascq = length > at + 1 && (descriptor || sense[7] >= 6) ? sense[at + 1] : 0;
}

static inline enum scuse_sense_verdict scuse_sense_check(const u8 *sense, u32 length,
							 enum scuse_sense_trust trust)
{
	u8 code;

	if (length < 8)
		return SCUSE_SENSE_FORMAT;
	code = sense[0] & 0x7f;
	if (trust != SCUSE_SENSE_HANDLER)
		code &= 0x7e;
	if (code != 0x70 && code != 0x72)
		return SCUSE_SENSE_FORMAT;
	if (scuse_sense_key(sense) == SCUSE_KEY_UNIT_ATTENTION && trust != SCUSE_SENSE_RELAYED)
		return SCUSE_SENSE_FORGED;
	return SCUSE_SENSE_OK;
}

#ifdef __KERNEL__
#include <target/target_core_base.h>

/*
 * All end the command with CHECK CONDITION, in the format that D_SENSE asks for, and return TCM_NO_SENSE, so
 * that an execute function can return what they return.
 */
sense_reason_t scuse_end_sense(struct se_cmd *cmd, const struct scuse_sense *sense);
sense_reason_t scuse_end_with_sense(struct se_cmd *cmd, u8 key, u8 asc, u8 ascq);
/* INVALID FIELD IN CDB (24h/00h), INVALID FIELD IN PARAMETER LIST (26h/00h); @bit or SCUSE_SENSE_NO_BIT */
sense_reason_t scuse_refuse_cdb(struct se_cmd *cmd, u16 byte, u8 bit);
sense_reason_t scuse_refuse_parameter(struct se_cmd *cmd, u16 byte, u8 bit);
sense_reason_t scuse_end_reason(struct se_cmd *cmd, sense_reason_t reason);
void scuse_end_with_user_sense(struct se_cmd *cmd, u8 *sense, u32 length, enum scuse_sense_trust trust);
#endif

#endif /* SCUSE_SENSE_H */
