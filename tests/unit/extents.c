// SPDX-License-Identifier: LGPL-2.1-or-later
/* The collector of the extents operation: order, gaps, merging, cutting. */
#include <criterion/criterion.h>
#include <errno.h>

#include "worker/dev.h"

Test(extents, collects_merges_and_cuts)
{
	struct scuse_extents *extents = extents_new(1000, 5000);
	uint64_t offset, length;
	uint32_t type;

	cr_expect_eq(scuse_extents_add(extents, 0, 2000, SCUSE_EXTENT_HOLE), 0);
	cr_expect_eq(scuse_extents_add(extents, 2000, 500, SCUSE_EXTENT_HOLE), 0);
	cr_expect_eq(scuse_extents_add(extents, 2500, 10000, SCUSE_EXTENT_MAPPED), 0);
	cr_assert(extents_get(extents, 0, &offset, &length, &type));
	cr_expect(offset == 1000 && length == 1500 && type == SCUSE_EXTENT_HOLE);
	cr_assert(extents_get(extents, 1, &offset, &length, &type));
	cr_expect(offset == 2500 && length == 3500 && type == SCUSE_EXTENT_MAPPED);
	cr_expect(!extents_get(extents, 2, &offset, &length, &type));
	extents_free(extents);
}

Test(extents, refuses_gaps_and_nonsense)
{
	struct scuse_extents *extents = extents_new(1000, 5000);

	cr_expect_eq(scuse_extents_add(extents, 1500, 100, SCUSE_EXTENT_HOLE), -ERANGE);
	cr_expect_eq(scuse_extents_add(extents, 1000, 100, 77), -ERANGE);
	cr_expect_eq(scuse_extents_add(extents, 1000, UINT64_MAX, SCUSE_EXTENT_HOLE), -ERANGE);
	cr_expect_eq(scuse_extents_add(extents, 1000, 100, SCUSE_EXTENT_HOLE), 0);
	cr_expect_eq(scuse_extents_add(extents, 1200, 100, SCUSE_EXTENT_HOLE), -ERANGE);
	extents_free(extents);
}
