/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SCSI commands from durable.c and tape.c, by SG_IO; what cannot be done ends the program. */
#ifndef POWER_SCSI_H
#define POWER_SCSI_H

#include <errno.h>
#include <scsi/sg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#define SCSI_TIMEOUT 60000u /* milliseconds */

#define SENSE_FILEMARK	  0x80 /* bits of the byte that has the sense key */
#define SENSE_KEY	  0x0f
#define NO_SENSE	  0x0
#define UNIT_ATTENTION	  0x6
#define BLANK_CHECK	  0x8

struct outcome {
	uint8_t status;
	uint8_t sense[32];
	uint32_t residual; /* bytes */
};

static inline void fail(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

static inline void put_be(uint8_t *at, uint64_t value, unsigned int bytes)
{
	while (bytes--) {
		at[bytes] = (uint8_t)value;
		value >>= 8;
	}
}

/* Any status is an outcome. */
static inline struct outcome scsi_try(int device, uint8_t *cdb, uint8_t cdb_length, int direction, void *data,
				      uint32_t length)
{
	struct outcome outcome = { 0 };
	struct sg_io_hdr header = { .interface_id = 'S',
				    .cmdp = cdb,
				    .cmd_len = cdb_length,
				    .dxfer_direction = direction,
				    .dxferp = data,
				    .dxfer_len = length,
				    .sbp = outcome.sense,
				    .mx_sb_len = sizeof(outcome.sense),
				    .timeout = SCSI_TIMEOUT };

	if (ioctl(device, SG_IO, &header))
		fail("SG_IO", strerror(errno));
	outcome.status = header.status;
	outcome.residual = (uint32_t)header.resid;
	if (header.host_status) {
		fprintf(stderr, "command %02Xh: host status %02Xh\n", cdb[0], header.host_status);
		exit(1);
	}
	return outcome;
}

/* What it must not be is anything but GOOD. */
static inline void scsi(int device, uint8_t *cdb, uint8_t cdb_length, int direction, void *data, uint32_t length)
{
	struct outcome outcome = scsi_try(device, cdb, cdb_length, direction, data, length);

	if (!outcome.status)
		return;
	fprintf(stderr, "command %02Xh: status %02Xh, sense key %Xh, %02X/%02X\n", cdb[0], outcome.status,
		outcome.sense[2] & SENSE_KEY, outcome.sense[12], outcome.sense[13]);
	exit(1);
}

#endif /* POWER_SCSI_H */
