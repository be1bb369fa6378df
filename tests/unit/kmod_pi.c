// SPDX-License-Identifier: GPL-2.0-only
/* Protection information (kmod/pi.h). */
#include <criterion/criterion.h>
#include "pi.h"

static const struct scuse_pi_rules all1 = { .type = 1, .checks = SCUSE_PI_GUARD | SCUSE_PI_REFERENCE };

Test(kmod_pi, what_is_generated_is_right)
{
	for (u8 type = 1; type <= 3; type += 2) {
		struct scuse_pi_rules rules = { .type = type };
		u8 pi[SCUSE_PI_SIZE];

		cr_expect(scuse_pi_checks(1, false, type, &rules.checks));
		scuse_pi_generate(pi, type, 0x1234, 0x1ffffffffull);
		cr_expect_eq(scuse_pi_check(&rules, pi, 0x1234, 0x1ffffffffull), SCUSE_PI_OK);
		cr_expect_eq(scuse_pi_check(&rules, pi, 0x1235, 0x1ffffffffull), SCUSE_PI_BAD_GUARD);
	}
}

Test(kmod_pi, type_1_knows_its_block_type_3_does_not)
{
	const struct scuse_pi_rules rules3 = { .type = 3, .checks = SCUSE_PI_GUARD };
	u8 pi[SCUSE_PI_SIZE];

	scuse_pi_generate(pi, 1, 7, 100);
	cr_expect_eq(scuse_pi_check(&all1, pi, 7, 101), SCUSE_PI_BAD_REFERENCE);
	cr_expect_eq(scuse_pi_check(&rules3, pi, 7, 101), SCUSE_PI_OK);
}

Test(kmod_pi, escape)
{
	const u8 tag_only[SCUSE_PI_SIZE] = { 0, 0, 0xff, 0xff, 0, 0, 0, 0 };
	const u8 all_ones[SCUSE_PI_SIZE] = { 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const struct scuse_pi_rules rules3 = { .type = 3, .checks = SCUSE_PI_GUARD };

	cr_expect_eq(scuse_pi_check(&all1, tag_only, 1, 1), SCUSE_PI_OK);
	cr_expect_eq(scuse_pi_check(&rules3, tag_only, 1, 1), SCUSE_PI_BAD_GUARD);
	cr_expect_eq(scuse_pi_check(&rules3, all_ones, 1, 1), SCUSE_PI_OK);
	cr_expect_not(scuse_pi_needs_crc(&all1, tag_only));
	cr_expect(scuse_pi_needs_crc(&rules3, tag_only));
}

Test(kmod_pi, application_tag_under_a_mask)
{
	const u8 pi[SCUSE_PI_SIZE] = { 0, 0, 0x12, 0x34, 0, 0, 0, 9 };
	struct scuse_pi_rules rules = { .type = 1, .application = 0x1200, .application_mask = 0xff00 };

	cr_expect_eq(scuse_pi_check(&rules, pi, 1, 1), SCUSE_PI_OK);
	rules.application_mask = 0xffff;
	cr_expect_eq(scuse_pi_check(&rules, pi, 1, 1), SCUSE_PI_BAD_APPLICATION);
	rules.application_mask = 0;
	cr_expect_eq(scuse_pi_check(&rules, pi, 1, 1), SCUSE_PI_OK);
}

Test(kmod_pi, tables_of_the_standard)
{
	static const struct {
		u8 protect, read1, write1, read3, write3;
	} rows[] = {
		{ 0, 3, 0, 1, 0 }, { 1, 3, 3, 1, 1 }, { 2, 2, 2, 0, 0 },
		{ 3, 0, 0, 0, 0 }, { 4, 1, 1, 1, 1 }, { 5, 3, 3, 1, 1 },
	};
	u8 checks;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect(scuse_pi_checks(rows[i].protect, false, 1, &checks));
		cr_expect_eq(checks, rows[i].read1, "RDPROTECT %zu, type 1", i);
		cr_expect(scuse_pi_checks(rows[i].protect, true, 1, &checks));
		cr_expect_eq(checks, rows[i].write1, "WRPROTECT %zu, type 1", i);
		cr_expect(scuse_pi_checks(rows[i].protect, false, 3, &checks));
		cr_expect_eq(checks, rows[i].read3, "RDPROTECT %zu, type 3", i);
		cr_expect(scuse_pi_checks(rows[i].protect, true, 3, &checks));
		cr_expect_eq(checks, rows[i].write3, "WRPROTECT %zu, type 3", i);
	}
	cr_expect_not(scuse_pi_checks(6, false, 1, &checks));
	cr_expect_not(scuse_pi_checks(7, true, 3, &checks));
}
