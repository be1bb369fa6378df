// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Status and sense data of failed commands.  See sense.h.  Used by io.c for handlers and by dispatch.c for
 * what the worker itself refuses.  No state.
 */
#include "sense.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(key_, asc_, ascq_) \
	((struct sense_code){ .status = SAM_CHECK_CONDITION, .key = (key_), .asc = (asc_), .ascq = (ascq_) })

struct sense_code sense_from_error(enum scuse_error_code code, bool writing)
{
	switch (code) {
	case SCUSE_E_IO:
		return writing ? CHECK(0x03, 0x0c, 0x00) : CHECK(0x03, 0x11, 0x00);
	case SCUSE_E_NO_SPACE:
		return CHECK(0x07, 0x27, 0x07);
	case SCUSE_E_READ_ONLY:
		return CHECK(0x07, 0x27, 0x00);
	case SCUSE_E_UNSUPPORTED:
		return CHECK(0x05, 0x20, 0x00);
	case SCUSE_E_INVALID:
		return CHECK(0x05, 0x24, 0x00);
	case SCUSE_E_NOT_READY:
		return CHECK(0x02, 0x04, 0x00);
	case SCUSE_E_CANCELLED:
		return CHECK(0x0b, 0x00, 0x00);
	case SCUSE_E_MISCOMPARE:
		return CHECK(0x0e, 0x1d, 0x00);
	case SCUSE_E_BUSY:
		return (struct sense_code){ .status = SAM_BUSY };
	case SCUSE_E_NO_MEMORY:
		return (struct sense_code){ .status = SAM_TASK_SET_FULL };
	case SCUSE_E_HARDWARE:
		break;
	}
	return CHECK(0x04, 0x44, 0x00);
}

enum scuse_error_code sense_error_from_errno(int error)
{
	switch (error == INT32_MIN ? EIO : abs(error)) {
	case EIO:
	case EILSEQ:
	case EBADMSG:
	case EUCLEAN:
	case ENODATA:
		return SCUSE_E_IO;
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return SCUSE_E_NO_SPACE;
	case EROFS:
	case EACCES:
	case EPERM:
		return SCUSE_E_READ_ONLY;
	case EOPNOTSUPP:
	case ENOSYS:
	case ENOTTY:
		return SCUSE_E_UNSUPPORTED;
	case EINVAL:
	case ERANGE:
		return SCUSE_E_INVALID;
	case ENODEV:
	case ENXIO:
	case ENOMEDIUM:
	case ESHUTDOWN:
	case ENOTCONN:
		return SCUSE_E_NOT_READY;
	case EAGAIN:
	case EBUSY:
	case EINTR:
		return SCUSE_E_BUSY;
	case ENOMEM:
	case ENOBUFS:
		return SCUSE_E_NO_MEMORY;
	case ECANCELED:
		return SCUSE_E_CANCELLED;
	}
	return SCUSE_E_HARDWARE;
}

size_t sense_build(uint8_t *out, struct sense_code code, uint64_t information)
{
	bool has_information = information != SENSE_NO_INFORMATION;

	if (has_information && information > UINT32_MAX) {
		memset(out, 0, 20);
		out[0] = 0x72;
		out[1] = code.key & 0x0f;
		out[2] = code.asc;
		out[3] = code.ascq;
		out[7] = 12;   /* length of the descriptors */
		out[8] = 0x00; /* information descriptor */
		out[9] = 0x0a;
		out[10] = 0x80; /* valid */
		for (int i = 0; i < 8; i++)
			out[12 + i] = (uint8_t)(information >> (56 - 8 * i));
		return 20;
	}
	memset(out, 0, SENSE_FIXED_LENGTH);
	out[0] = has_information ? 0xf0 : 0x70;
	out[2] = code.key & 0x0f;
	if (has_information)
		for (int i = 0; i < 4; i++)
			out[3 + i] = (uint8_t)(information >> (24 - 8 * i));
	out[7] = SENSE_FIXED_LENGTH - 8;
	out[12] = code.asc;
	out[13] = code.ascq;
	return SENSE_FIXED_LENGTH;
}

uint8_t sense_key(const uint8_t *sense, size_t length)
{
	if (length < 8)
		return 0;
	return ((sense[0] & 0x7f) >= 0x72 ? sense[1] : sense[2]) & 0x0f;
}

bool sense_valid(const uint8_t *sense, size_t length)
{
	uint8_t response = length ? sense[0] & 0x7f : 0;

	return length >= 8 && length <= SENSE_MAX_LENGTH && response >= 0x70 && response <= 0x73;
}

bool sense_status_valid(uint8_t status, bool cdb)
{
	switch (status) {
	case SAM_GOOD:
	case SAM_CHECK_CONDITION:
	case SAM_BUSY:
	case SAM_TASK_SET_FULL:
		return true;
	case SAM_CONDITION_MET:
	case SAM_RESERVATION_CONFLICT:
	case SAM_ACA_ACTIVE:
	case SAM_TASK_ABORTED:
		return cdb;
	}
	return false;
}
