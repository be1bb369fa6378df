// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sense data of sequential-access devices, in fixed format.  See sense.h. */
#include "sense.h"

#include <string.h>

#include "bytes.h"

#define FIXED_LENGTH 18

static void fill(uint8_t *sense, uint8_t bits, uint8_t key, uint16_t asc)
{
	memset(sense, 0, FIXED_LENGTH);
	sense[0] = 0x70;
	sense[2] = bits | key;
	sense[7] = FIXED_LENGTH - 8;
	bytes_put(sense + 12, 2, asc);
}

int sense_fail(struct scuse_io *io, uint8_t key, uint16_t asc)
{
	return scuse_fail_sense(io, key, (uint8_t)(asc >> 8), (uint8_t)asc, UINT64_MAX);
}

int sense_fail_residual(struct scuse_io *io, uint8_t bits, uint8_t key, uint16_t asc, int64_t residual)
{
	uint8_t sense[FIXED_LENGTH];

	fill(sense, bits, key, asc);
	if (residual >= INT32_MIN && residual <= INT32_MAX) {
		sense[0] |= 0x80;
		bytes_put(sense + 3, 4, (uint64_t)residual);
	}
	return scuse_fail_sense_data(io, sense, sizeof(sense));
}

/* SPC-4 4.5.2.4.2: the field pointer. */
static int fail_field(struct scuse_io *io, uint16_t asc, uint8_t in_cdb, uint16_t byte, uint8_t bit)
{
	uint8_t sense[FIXED_LENGTH];

	fill(sense, 0, KEY_ILLEGAL_REQUEST, asc);
	sense[15] = 0x80 | (in_cdb ? 0x40 : 0) | (bit == SENSE_NO_BIT ? 0 : 0x08 | bit);
	bytes_put(sense + 16, 2, byte);
	return scuse_fail_sense_data(io, sense, sizeof(sense));
}

int sense_fail_cdb(struct scuse_io *io, uint16_t byte, uint8_t bit)
{
	return fail_field(io, ASC_INVALID_FIELD_IN_CDB, 1, byte, bit);
}

int sense_fail_parameter(struct scuse_io *io, uint16_t byte)
{
	return fail_field(io, ASC_INVALID_FIELD_IN_PARAMETERS, 0, byte, SENSE_NO_BIT);
}
