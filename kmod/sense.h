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
 */
#ifndef SCUSE_SENSE_H
#define SCUSE_SENSE_H

#include "shim.h"

#define SCUSE_KEY_NOT_READY	 0x2
#define SCUSE_KEY_HARDWARE_ERROR 0x4
#define SCUSE_KEY_UNIT_ATTENTION 0x6
#define SCUSE_KEY_DATA_PROTECT	 0x7

enum scuse_sense_verdict {
	SCUSE_SENSE_OK = 0,
	SCUSE_SENSE_FORMAT, /* no current sense data */
	SCUSE_SENSE_FORGED, /* UNIT ATTENTION */
};

/* The sense key of current sense data; @sense has at least 8 bytes. */
static inline u8 scuse_sense_key(const u8 *sense)
{
	return (sense[0] & 0x7f) == 0x72 ? sense[1] & 0x0f : sense[2] & 0x0f;
}

static inline enum scuse_sense_verdict scuse_sense_check(const u8 *sense, u32 length)
{
	u8 code;

	if (length < 8)
		return SCUSE_SENSE_FORMAT;
	code = sense[0] & 0x7f;
	if (code != 0x70 && code != 0x72)
		return SCUSE_SENSE_FORMAT;
	if (scuse_sense_key(sense) == SCUSE_KEY_UNIT_ATTENTION)
		return SCUSE_SENSE_FORGED;
	return SCUSE_SENSE_OK;
}

#ifdef __KERNEL__
struct se_cmd;
struct scuse_device;

void scuse_end_with_sense(struct se_cmd *cmd, u8 key, u8 asc, u8 ascq);
void scuse_end_with_user_sense(struct scuse_device *dev, struct se_cmd *cmd, u8 *sense, u32 length);
#endif

#endif /* SCUSE_SENSE_H */
