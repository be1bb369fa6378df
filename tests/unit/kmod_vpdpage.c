// SPDX-License-Identifier: GPL-2.0-only
/* Layouts of INQUIRY data (kmod/vpdpage.h). */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include "vpdpage.h"

Test(kmod_vpdpage, standard_data)
{
	struct scuse_inquiry inquiry = {
		.tpgs = 3,
		.third_party_copy = true,
		.multi_port = true,
		.vendor = "SCUSE",
		.product = "a product with a long name",
		.revision = "0.1",
		.versions = { 0x00a0, 0x0460, 0x04c0 },
	};
	u8 to[SCUSE_INQUIRY_LENGTH];

	cr_assert_eq(scuse_inquiry_build(to, &inquiry), 96);
	cr_expect_arr_eq(to, ((u8[]){ 0, 0, 6, 0x12, 91, 0x38, 0x10, 0x02 }), 8);
	cr_expect_arr_eq(&to[8], "SCUSE   a product with a0.1 ", 28);
	cr_expect_arr_eq(&to[58], ((u8[]){ 0x00, 0xa0, 0x04, 0x60, 0x04, 0xc0, 0, 0 }), 8);
}

static void naa_of(const char *serial, char *text)
{
	u8 naa[SCUSE_NAA_LENGTH];

	scuse_vpd_naa(naa, serial, 0x001405);
	for (int i = 0; i < SCUSE_NAA_LENGTH; i++)
		sprintf(text + 2 * i, "%02x", naa[i]);
}

static void expect_naa(const char *serial, const char *expected)
{
	char text[2 * SCUSE_NAA_LENGTH + 1];

	naa_of(serial, text);
	cr_expect_str_eq(text, expected, "%s: %s", serial, text);
}

Test(kmod_vpdpage, a_uuid_becomes_what_the_core_makes_of_it)
{
	expect_naa("74670311-c6ce-4f58-9415-04e25d5e9e50", "600140574670311c6ce4f58941504e25");
	expect_naa("0123456789abcdef012345678", "60014050123456789abcdef012345678");
}

/* Serial numbers that the core turns into the same name, or that are much alike. */
Test(kmod_vpdpage, other_serial_numbers_stay_different)
{
	static const char *const alike[] = { "",
					     "1",
					     "10",
					     "disk-1",
					     "disk-2",
					     "xdisk-1",
					     "DISK-1",
					     "0",
					     "00",
					     "-",
					     "--",
					     "a",
					     "A",
					     "zz",
					     "0123456789abcdef0123456789",
					     "0123456789abcdef012345678a" };
	char names[16][2 * SCUSE_NAA_LENGTH + 1];

	for (int i = 0; i < 16; i++) {
		naa_of(alike[i], names[i]);
		cr_expect(!strncmp(names[i], "6001405", 7), "%s", names[i]);
		for (int j = 0; j < i; j++)
			cr_expect_str_neq(names[i], names[j], "'%s' and '%s'", alike[i], alike[j]);
	}
}

Test(kmod_vpdpage, designators)
{
	struct scuse_designator name = { .protocol = 5, .code_set = 3, .association = 1, .type = 8 };
	struct scuse_designator group = { .protocol = -1, .code_set = 1, .type = 6 };
	u8 to[32];

	memset(to, 0xee, sizeof(to));
	cr_expect_eq(scuse_vpd_designator(to, &name, "iqn.a", 6), 12);
	cr_expect_arr_eq(to, ((u8[]){ 0x53, 0x98, 0, 8, 'i', 'q', 'n', '.', 'a', 0, 0, 0, 0xee }), 13);
	cr_expect_eq(scuse_vpd_number(to, &group, 0x1234), 8);
	cr_expect_arr_eq(to, ((u8[]){ 0x01, 0x06, 0, 4, 0, 0, 0x12, 0x34 }), 8);
}

Test(kmod_vpdpage, block_limits)
{
	struct scuse_block_limits limits = {
		.no_zero_same = true,
		.compare_and_write = 255,
		.granularity = 8,
		.transfer = 2048,
		.unmap_granularity = 16,
		.unmap_alignment = 4,
		.write_same = 0xffff,
		.atomic = 64,
		.atomic_granularity = 2,
	};
	u8 to[64] = { 0 };

	cr_assert_eq(scuse_vpd_block_limits(to, 0, &limits), 64);
	cr_expect_arr_eq(to, ((u8[]){ 0, 0xb0, 0, 0x3c, 1, 255, 0, 8, 0, 0, 8, 0 }), 12);
	cr_expect_arr_eq(&to[28], ((u8[]){ 0, 0, 0, 16, 0x80, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0xff, 0xff }), 16);
	cr_expect_arr_eq(&to[44], ((u8[]){ 0, 0, 0, 64, 0, 0, 0, 0, 0, 0, 0, 2 }), 12);
}

Test(kmod_vpdpage, provisioning)
{
	struct scuse_provisioning thin = {
		.unmap = true, .write_same = true, .zeroes = true, .threshold_exponent = 11
	};
	struct scuse_provisioning thick = { .zeroes = true, .anchor = true };
	u8 to[8] = { 0 };

	cr_expect_eq(scuse_vpd_provisioning(to, 0, &thin), 8);
	cr_expect_arr_eq(to, ((u8[]){ 0, 0xb2, 0, 4, 11, 0xe4, 2, 0 }), 8);
	memset(to, 0, sizeof(to));
	scuse_vpd_provisioning(to, 0, &thick);
	cr_expect_arr_eq(&to[4], ((u8[]){ 0, 0, 0, 0 }), 4);
}

Test(kmod_vpdpage, extended_data)
{
	static const u8 expected[4] = { 0x00, 0x05, 0, 0x24 };
	u8 to[64];

	for (u8 type = 0; type < 4; type++) {
		if (type == 2)
			continue;
		memset(to, 0, sizeof(to));
		cr_expect_eq(scuse_vpd_extended(to, 0, type, type == 1, false), 64);
		cr_expect_eq(to[4], expected[type], "type %u", type);
		cr_expect_eq(to[6], type == 1);
	}
}

Test(kmod_vpdpage, mode_policy)
{
	u8 to[64] = { 0 };

	cr_expect_eq(scuse_vpd_mode_policy(to, 0), 8);
	cr_expect_arr_eq(to, ((u8[]){ 0, 0x87, 0, 4, 0x3f, 0xff, 0, 0 }), 8);
	memset(to, 0, sizeof(to));
}

Test(kmod_vpdpage, characteristics)
{
	struct scuse_characteristics fast = { .block_erase = true };
	struct scuse_characteristics slow = { .rotational = true, .crypto_erase = true };
	u8 to[64] = { 0 };

	cr_expect_eq(scuse_vpd_characteristics(to, 0, &fast), 64);
	cr_expect_arr_eq(to, ((u8[]){ 0, 0xb1, 0, 0x3c, 0, 1, 0, 0x40, 0 }), 9);
	memset(to, 0, sizeof(to));
	scuse_vpd_characteristics(to, 0, &slow);
	cr_expect_arr_eq(&to[4], ((u8[]){ 0, 0, 0, 0x10, 0 }), 5);
}
