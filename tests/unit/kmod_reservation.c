// SPDX-License-Identifier: GPL-2.0-only
/* What a persistent reservation forbids a nexus that does not hold it (kmod/reservation.h). */
#include <criterion/criterion.h>
#include "reservation.h"

struct row {
	u8 type;
	/* conflict of: a reader, a writer that are not registered; the same registered */
	bool reads, writes, registered_reads, registered_writes;
};

/* SPC-4 tables 63 to 65. */
static const struct row rows[] = {
	{ SCUSE_PR_WRITE_EXCLUSIVE, false, true, false, true },
	{ SCUSE_PR_EXCLUSIVE_ACCESS, true, true, true, true },
	{ SCUSE_PR_WRITE_EXCLUSIVE_RO, false, true, false, false },
	{ SCUSE_PR_EXCLUSIVE_ACCESS_RO, true, true, false, false },
	{ SCUSE_PR_WRITE_EXCLUSIVE_AR, false, true, false, false },
	{ SCUSE_PR_EXCLUSIVE_ACCESS_AR, true, true, false, false },
};

Test(kmod_reservation, each_type)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];

		cr_expect_eq(scuse_pr_conflict(row->type, false, false), row->reads, "type %u", row->type);
		cr_expect_eq(scuse_pr_conflict(row->type, false, true), row->writes, "type %u", row->type);
		cr_expect_eq(scuse_pr_conflict(row->type, true, false), row->registered_reads, "type %u",
			     row->type);
		cr_expect_eq(scuse_pr_conflict(row->type, true, true), row->registered_writes, "type %u",
			     row->type);
	}
}

Test(kmod_reservation, all_registrants_hold)
{
	cr_expect(scuse_pr_all_hold(SCUSE_PR_WRITE_EXCLUSIVE_AR));
	cr_expect(scuse_pr_all_hold(SCUSE_PR_EXCLUSIVE_ACCESS_AR));
	cr_expect_not(scuse_pr_all_hold(SCUSE_PR_WRITE_EXCLUSIVE_RO));
	cr_expect_not(scuse_pr_all_hold(0));
}
