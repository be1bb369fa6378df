// SPDX-License-Identifier: LGPL-2.1-or-later
/* Errors to status and sense data. */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>

#include "worker/sense.h"

static void expect(struct sense_code code, uint8_t key, uint8_t asc, uint8_t ascq)
{
	cr_expect(code.status == SAM_CHECK_CONDITION && code.key == key && code.asc == asc &&
			  code.ascq == ascq,
		  "%02x/%02x/%02x instead of %02x/%02x/%02x", code.key, code.asc, code.ascq, key, asc, ascq);
}

Test(sense, classes)
{
	expect(sense_from_error(SCUSE_E_IO, false), 0x03, 0x11, 0x00);
	expect(sense_from_error(SCUSE_E_IO, true), 0x03, 0x0c, 0x00);
	expect(sense_from_error(SCUSE_E_HARDWARE, true), 0x04, 0x44, 0x00);
	expect(sense_from_error(SCUSE_E_NO_SPACE, true), 0x07, 0x27, 0x07);
	expect(sense_from_error(SCUSE_E_READ_ONLY, true), 0x07, 0x27, 0x00);
	expect(sense_from_error(SCUSE_E_UNSUPPORTED, true), 0x05, 0x20, 0x00);
	expect(sense_from_error(SCUSE_E_INVALID, true), 0x05, 0x24, 0x00);
	expect(sense_from_error(SCUSE_E_NOT_READY, true), 0x02, 0x04, 0x00);
	expect(sense_from_error(SCUSE_E_MISCOMPARE, true), 0x0e, 0x1d, 0x00);
	expect(sense_from_error((enum scuse_error_code)99, true), 0x04, 0x44, 0x00);
	cr_expect_eq(sense_from_error(SCUSE_E_BUSY, true).status, SAM_BUSY);
	cr_expect_eq(sense_from_error(SCUSE_E_NO_MEMORY, true).status, SAM_TASK_SET_FULL);
}

Test(sense, errno_of_either_sign)
{
	cr_expect_eq(sense_error_from_errno(ENOSPC), SCUSE_E_NO_SPACE);
	cr_expect_eq(sense_error_from_errno(-ENOSPC), SCUSE_E_NO_SPACE);
	cr_expect_eq(sense_error_from_errno(EIO), SCUSE_E_IO);
	cr_expect_eq(sense_error_from_errno(-EROFS), SCUSE_E_READ_ONLY);
	cr_expect_eq(sense_error_from_errno(-ENOMEM), SCUSE_E_NO_MEMORY);
	cr_expect_eq(sense_error_from_errno(12345), SCUSE_E_HARDWARE);
	cr_expect_eq(sense_error_from_errno(INT_MIN), SCUSE_E_IO);
}

Test(sense, fixed_format)
{
	uint8_t sense[SENSE_MAX_LENGTH];
	struct sense_code code = sense_from_error(SCUSE_E_IO, false);

	cr_expect_eq(sense_build(sense, code, SENSE_NO_INFORMATION), 18);
	cr_expect(sense[0] == 0x70 && sense[2] == 3 && sense[7] == 10 && sense[12] == 0x11 && sense[13] == 0);
	cr_expect_eq(sense_build(sense, code, 0x01020304), 18);
	cr_expect(sense[0] == 0xf0 && sense[3] == 1 && sense[4] == 2 && sense[5] == 3 && sense[6] == 4);
	cr_expect(sense_valid(sense, 18));
}

Test(sense, descriptor_format_for_large_information)
{
	uint8_t sense[SENSE_MAX_LENGTH];
	size_t length = sense_build(sense, sense_from_error(SCUSE_E_IO, false), 0x0102030405060708);

	cr_expect_eq(length, 20);
	cr_expect(sense[0] == 0x72 && sense[1] == 3 && sense[2] == 0x11 && sense[7] == 12);
	cr_expect(sense[8] == 0 && sense[9] == 10 && sense[10] == 0x80 && sense[12] == 1 && sense[19] == 8);
	cr_expect(sense_valid(sense, length));
}

Test(sense, validity)
{
	uint8_t sense[97] = { 0x70 };

	cr_expect(!sense_valid(sense, 0) && !sense_valid(sense, 7) && sense_valid(sense, 8) &&
		  sense_valid(sense, 96) && !sense_valid(sense, 97));
	sense[0] = 0x6f;
	cr_expect(!sense_valid(sense, 18));
	cr_expect(sense_status_valid(SAM_BUSY, false) &&
		  !sense_status_valid(SAM_RESERVATION_CONFLICT, false) &&
		  sense_status_valid(SAM_RESERVATION_CONFLICT, true) && !sense_status_valid(0x33, true));
}
