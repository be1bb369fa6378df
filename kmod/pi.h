/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Protection information: what the 8 bytes of a block mean and when they are checked (SBC-3 4.22).  Pure, and
 * unit-tested in userspace; the guard's CRC is the caller's.  Used by prot.c.
 *
 *	byte	0      1       2      3        4      5      6      7
 *		guard (CRC)    application tag    reference tag
 *
 *	type 1	reference tag: lower 32 bits of the LBA.  Application tag FFFFh: nothing is checked.
 *	type 3	reference tag: the application's.  Nothing is checked if it and the application tag are all ones.
 */
#ifndef SCUSE_PI_H
#define SCUSE_PI_H

#include "shim.h"

#define SCUSE_PI_SIZE 8

/* What is to be checked. */
#define SCUSE_PI_GUARD	   0x1
#define SCUSE_PI_REFERENCE 0x2

enum scuse_pi_verdict {
	SCUSE_PI_OK = 0,
	SCUSE_PI_BAD_GUARD,
	SCUSE_PI_BAD_APPLICATION,
	SCUSE_PI_BAD_REFERENCE,
};

/* How a command's protection information is handled. */
struct scuse_pi_rules {
	u8 type;   /* 1 or 3 */
	u8 checks; /* SCUSE_PI_GUARD, SCUSE_PI_REFERENCE */
	u16 application;      /* READ (32), WRITE (32): what the application tag is expected to be */
	u16 application_mask; /* where; 0: not checked */
};

/*
 * scuse_pi_checks - what RDPROTECT or WRPROTECT asks for (SBC-3 tables 89 and 118)
 * @protect: 0 to 7
 *
 * False: a reserved value.
 */
static inline bool scuse_pi_checks(u8 protect, bool write, u8 type, u8 *checks)
{
	static const u8 of[8] = {
		[0] = SCUSE_PI_GUARD | SCUSE_PI_REFERENCE,
		[1] = SCUSE_PI_GUARD | SCUSE_PI_REFERENCE,
		[2] = SCUSE_PI_REFERENCE,
		[3] = 0,
		[4] = SCUSE_PI_GUARD,
		[5] = SCUSE_PI_GUARD | SCUSE_PI_REFERENCE,
	};

	*checks = of[protect & 7];
	/* What the device makes by itself needs no check. */
	if (write && !protect)
		*checks = 0;
	if (type == 3)
		*checks &= ~SCUSE_PI_REFERENCE;
	return protect < 6;
}

static inline u32 scuse_pi_number(const u8 *bytes, u32 size)
{
	u32 number = 0;
	u32 i;

	for (i = 0; i < size; i++)
		number = number << 8 | bytes[i];
	return number;
}

/* The information of a block that came without. */
static inline void scuse_pi_generate(u8 *pi, u8 type, u16 crc, u64 lba)
{
	u32 reference = type == 3 ? 0xffffffff : (u32)lba;
	u32 i;

	pi[0] = (u8)(crc >> 8);
	pi[1] = (u8)crc;
	pi[2] = 0;
	pi[3] = 0;
	for (i = 0; i < 4; i++)
		pi[4 + i] = (u8)(reference >> (24 - 8 * i));
}

/* Does the information itself say that nothing is to be checked? */
static inline bool scuse_pi_escape(const u8 *pi, u8 type)
{
	if (scuse_pi_number(&pi[2], 2) != 0xffff)
		return false;
	return type != 3 || scuse_pi_number(&pi[4], 4) == 0xffffffff;
}

/* Is there anything that needs the CRC of the block? */
static inline bool scuse_pi_needs_crc(const struct scuse_pi_rules *rules, const u8 *pi)
{
	return rules->checks & SCUSE_PI_GUARD && !scuse_pi_escape(pi, rules->type);
}

/* In the order in which errors are reported. */
static inline enum scuse_pi_verdict scuse_pi_check(const struct scuse_pi_rules *rules, const u8 *pi, u16 crc,
						   u64 lba)
{
	if (scuse_pi_escape(pi, rules->type))
		return SCUSE_PI_OK;
	if (rules->checks & SCUSE_PI_GUARD && scuse_pi_number(&pi[0], 2) != crc)
		return SCUSE_PI_BAD_GUARD;
	if ((scuse_pi_number(&pi[2], 2) ^ rules->application) & rules->application_mask)
		return SCUSE_PI_BAD_APPLICATION;
	if (rules->checks & SCUSE_PI_REFERENCE && scuse_pi_number(&pi[4], 4) != (u32)lba)
		return SCUSE_PI_BAD_REFERENCE;
	return SCUSE_PI_OK;
}

#endif /* SCUSE_PI_H */
