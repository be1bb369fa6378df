/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From classes of failure and errno values to SCSI status and sense data (SPC-4 4.5).  Pure functions.
 */
#ifndef WORKER_SENSE_H
#define WORKER_SENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <scuse/handler.h>

#define SAM_GOOD		 0x00
#define SAM_CHECK_CONDITION	 0x02
#define SAM_CONDITION_MET	 0x04
#define SAM_BUSY		 0x08
#define SAM_RESERVATION_CONFLICT 0x18
#define SAM_TASK_SET_FULL	 0x28
#define SAM_ACA_ACTIVE		 0x30
#define SAM_TASK_ABORTED	 0x40

#define SENSE_NO_INFORMATION UINT64_MAX
#define SENSE_FIXED_LENGTH   18
#define SENSE_MAX_LENGTH     96
#define SENSE_UNIT_ATTENTION 0x06

/* What a failed command ends with.  key, asc and ascq count with CHECK CONDITION only. */
struct sense_code {
	uint8_t status;
	uint8_t key;
	uint8_t asc;
	uint8_t ascq;
};

/* `writing`: the command that failed was not a read; errors of the medium have a word for each. */
struct sense_code sense_from_error(enum scuse_error_code code, bool writing);
/* Accepts EIO and -EIO. */
enum scuse_error_code sense_error_from_errno(int error);

/*
 * Fixed format, or descriptor format when `information` needs more than the 32 bits that fixed format has.
 * `out` holds SENSE_MAX_LENGTH bytes.  Returns the length.
 */
size_t sense_build(uint8_t *out, struct sense_code code, uint64_t information);
/* The sense key of fixed or descriptor format; NO SENSE if there is none. */
uint8_t sense_key(const uint8_t *sense, size_t length);
/* Is this sense data that the kernel takes? */
bool sense_valid(const uint8_t *sense, size_t length);
/* May an operation end with this status?  `cdb`: any of SAM-5 table 42. */
bool sense_status_valid(uint8_t status, bool cdb);

#endif /* WORKER_SENSE_H */
