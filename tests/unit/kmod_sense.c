// SPDX-License-Identifier: GPL-2.0-only
/* What sense data the kernel half takes from userspace (kmod/sense.h). */
#include <criterion/criterion.h>
#include "sense.h"

Test(kmod_sense, fixed_and_descriptor_are_taken)
{
	const u8 fixed[18] = { 0x70, 0, 0x03, [12] = 0x11 };
	const u8 valid[18] = { 0xf0, 0, 0x05 }; /* VALID bit set */
	const u8 descriptor[8] = { 0x72, 0x03, 0x11 };

	cr_expect_eq(scuse_sense_check(fixed, sizeof(fixed), SCUSE_SENSE_HANDLER), SCUSE_SENSE_OK);
	cr_expect_eq(scuse_sense_check(valid, sizeof(valid), SCUSE_SENSE_HANDLER), SCUSE_SENSE_OK);
	cr_expect_eq(scuse_sense_check(descriptor, sizeof(descriptor), SCUSE_SENSE_HANDLER), SCUSE_SENSE_OK);
	cr_expect_eq(scuse_sense_key(fixed), 3);
	cr_expect_eq(scuse_sense_key(descriptor), 3);
}

Test(kmod_sense, other_response_codes_are_not)
{
	for (int code = 0; code < 0x80; code++) {
		u8 sense[18] = { (u8)code, 0x03, 0x03 };

		if (code == 0x70 || code == 0x72)
			continue;
		cr_expect_eq(scuse_sense_check(sense, sizeof(sense), SCUSE_SENSE_HANDLER), SCUSE_SENSE_FORMAT,
			     "%02xh", code);
	}
}

Test(kmod_sense, too_short)
{
	const u8 sense[8] = { 0x70, 0, 0x03 };

	cr_expect_eq(scuse_sense_check(sense, 7, SCUSE_SENSE_HANDLER), SCUSE_SENSE_FORMAT);
	cr_expect_eq(scuse_sense_check(sense, 8, SCUSE_SENSE_HANDLER), SCUSE_SENSE_OK);
}

Test(kmod_sense, unit_attentions_cannot_be_forged)
{
	const u8 fixed[18] = { 0x70, 0, 0x06, [12] = 0x29 };
	const u8 filemark[18] = { 0x70, 0, 0x86 }; /* flags share the byte with the key */
	const u8 descriptor[8] = { 0x72, 0x06, 0x29 };

	cr_expect_eq(scuse_sense_check(fixed, sizeof(fixed), SCUSE_SENSE_HANDLER), SCUSE_SENSE_FORGED);
	cr_expect_eq(scuse_sense_check(filemark, sizeof(filemark), SCUSE_SENSE_HANDLER), SCUSE_SENSE_FORGED);
	cr_expect_eq(scuse_sense_check(descriptor, sizeof(descriptor), SCUSE_SENSE_HANDLER),
		     SCUSE_SENSE_FORGED);
}

Test(kmod_sense, a_device_has_deferred_errors)
{
	const u8 fixed[18] = { 0x71, 0, 0x03 };
	const u8 descriptor[8] = { 0x73, 0x03, 0x11 };
	const u8 vendor[18] = { 0x7f, 0, 0x03 };

	cr_expect_eq(scuse_sense_check(fixed, sizeof(fixed), SCUSE_SENSE_DEVICE), SCUSE_SENSE_OK);
	cr_expect_eq(scuse_sense_check(descriptor, sizeof(descriptor), SCUSE_SENSE_DEVICE), SCUSE_SENSE_OK);
	cr_expect_eq(scuse_sense_key(descriptor), 3);
	cr_expect_eq(scuse_sense_check(vendor, sizeof(vendor), SCUSE_SENSE_DEVICE), SCUSE_SENSE_FORMAT);
	cr_expect_eq(scuse_sense_check(vendor, sizeof(vendor), SCUSE_SENSE_RELAYED), SCUSE_SENSE_FORMAT);
	cr_expect_eq(scuse_sense_check(fixed, 7, SCUSE_SENSE_RELAYED), SCUSE_SENSE_FORMAT);
}

Test(kmod_sense, unit_attentions_pass_when_they_are_relayed)
{
	const u8 attentions[][18] = {
		{ 0x70, 0, 0x06, [12] = 0x29 },
		{ 0x71, 0, 0x06, [12] = 0x29 },
		{ 0x72, 0x06, 0x29 },
		{ 0x73, 0x06, 0x29 },
	};

	for (size_t i = 0; i < sizeof(attentions) / sizeof(attentions[0]); i++) {
		cr_expect_eq(scuse_sense_check(attentions[i], 18, SCUSE_SENSE_DEVICE), SCUSE_SENSE_FORGED);
		cr_expect_eq(scuse_sense_check(attentions[i], 18, SCUSE_SENSE_RELAYED), SCUSE_SENSE_OK);
	}
}

Test(kmod_sense, additional_sense_codes)
{
	const u8 fixed[18] = { 0x70, 0, 0x03, [7] = 10, [12] = 0x11, [13] = 0x04 };
	const u8 descriptor[8] = { 0x72, 0x03, 0x11, 0x05 };
	u8 asc, ascq;

	scuse_sense_code(fixed, sizeof(fixed), &asc, &ascq);
	cr_expect(asc == 0x11 && ascq == 0x04);
	scuse_sense_code(fixed, 13, &asc, &ascq);
	cr_expect(asc == 0 && ascq == 0);
	scuse_sense_code(descriptor, sizeof(descriptor), &asc, &ascq);
	cr_expect(asc == 0x11 && ascq == 0x05);
	scuse_sense_code(descriptor, 0, &asc, &ascq);
	cr_expect(asc == 0 && ascq == 0);
}
