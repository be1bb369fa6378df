/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Big-endian numbers of any size in CDBs, parameter lists and replies.  Pure; used by the builders and
 * parsers that also compile for the unit tests (modepage.c, logpage.c, vpdpage.c), where the kernel's own
 * functions for this are not to be had.
 */
#ifndef SCUSE_BYTES_H
#define SCUSE_BYTES_H

#include "shim.h"

/* @size: bytes, at most 8; no alignment is needed */
static inline u64 scuse_get_be(const u8 *from, u32 size)
{
	u64 value = 0;
	u32 i;

	for (i = 0; i < size; i++)
		value = value << 8 | from[i];
	return value;
}

/* Bits of @value that do not fit are left out. */
static inline void scuse_put_be(u8 *to, u64 value, u32 size)
{
	while (size--) {
		to[size] = (u8)value;
		value >>= 8;
	}
}

#endif /* SCUSE_BYTES_H */
