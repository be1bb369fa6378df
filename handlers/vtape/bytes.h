/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Integers in CDBs and parameter data (big-endian) and in cartridge files (little-endian), at any alignment.
 */
#ifndef VTAPE_BYTES_H
#define VTAPE_BYTES_H

#include <stdint.h>

/* `size` bytes, at most 8. */
static inline uint64_t bytes_get(const uint8_t *from, unsigned int size)
{
	uint64_t value = 0;

	for (unsigned int i = 0; i < size; i++)
		value = value << 8 | from[i];
	return value;
}

static inline void bytes_put(uint8_t *to, unsigned int size, uint64_t value)
{
	for (unsigned int i = size; i--; value >>= 8)
		to[i] = (uint8_t)value;
}

static inline uint64_t bytes_get_le(const uint8_t *from, unsigned int size)
{
	uint64_t value = 0;

	for (unsigned int i = size; i--;)
		value = value << 8 | from[i];
	return value;
}

static inline void bytes_put_le(uint8_t *to, unsigned int size, uint64_t value)
{
	for (unsigned int i = 0; i < size; i++, value >>= 8)
		to[i] = (uint8_t)value;
}

#endif /* VTAPE_BYTES_H */
