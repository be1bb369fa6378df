// SPDX-License-Identifier: LGPL-2.1-or-later
/* The collector of the extents operation: order, gaps, merging, cutting. */
#include <criterion/criterion.h>
#include <errno.h>

#include "worker/dev.h"

Test(extents, collects_merges_and_cuts)
{
	struct scuse_extents *extents = extents_new(1000, 5000, 100);
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
	struct scuse_extents *extents = extents_new(1000, 5000, 100);

	cr_expect_eq(scuse_extents_add(extents, 1500, 100, SCUSE_EXTENT_HOLE), -ERANGE);
	cr_expect_eq(scuse_extents_add(extents, 1000, 100, 77), -ERANGE);
	cr_expect_eq(scuse_extents_add(extents, 1000, UINT64_MAX, SCUSE_EXTENT_HOLE), -ERANGE);
	cr_expect_eq(scuse_extents_add(extents, 1000, 100, SCUSE_EXTENT_HOLE), 0);
	cr_expect_eq(scuse_extents_add(extents, 1200, 100, SCUSE_EXTENT_HOLE), -ERANGE);
	extents_free(extents);
}

Test(extents, ends_when_there_is_no_more_room)
{
	struct scuse_extents *extents = extents_new(0, 100000, 2);
	uint64_t offset, length;
	uint32_t type;

	cr_expect(!scuse_extents_enough(extents));
	cr_expect_eq(scuse_extents_add(extents, 0, 1000, SCUSE_EXTENT_MAPPED), 0);
	cr_expect_eq(scuse_extents_add(extents, 1000, 1000, SCUSE_EXTENT_HOLE), 0);
	cr_expect_eq(scuse_extents_add(extents, 2000, 1000, SCUSE_EXTENT_HOLE), 0);
	cr_expect(!scuse_extents_enough(extents), "the last one may still grow");
	cr_expect_eq(scuse_extents_add(extents, 3000, 1000, SCUSE_EXTENT_MAPPED), 0);
	cr_expect(scuse_extents_enough(extents));
	cr_expect_eq(scuse_extents_add(extents, 4000, 1000, SCUSE_EXTENT_HOLE), 0, "dropped without a word");
	cr_expect(extents_get(extents, 1, &offset, &length, &type) && length == 2000);
	cr_expect(!extents_get(extents, 2, &offset, &length, &type));
	extents_free(extents);
}

Test(extents, has_enough_when_all_is_described)
{
	struct scuse_extents *extents = extents_new(4096, 4096, 9);

	cr_expect_eq(scuse_extents_add(extents, 0, 1 << 20, SCUSE_EXTENT_HOLE), 0);
	cr_expect(scuse_extents_enough(extents));
	extents_free(extents);
}

/* From block 1 on, in blocks of 1000 bytes; `bytes`: pairs of a type and a length, ending with 0 bytes. */
static void expect_blocks(const uint64_t (*bytes)[2], uint32_t room, const char *wanted)
{
	struct scuse_extents *extents = extents_new(1000, 20000, 100);
	g_autoptr(GString) text = g_string_new(NULL);
	struct scuse_extent blocks[8];
	uint64_t offset = 1000;
	uint32_t count;

	for (; (*bytes)[1]; offset += (*bytes)[1], bytes++)
		cr_assert_eq(scuse_extents_add(extents, offset, (*bytes)[1], (uint32_t)(*bytes)[0]), 0);
	count = extents_to_blocks(extents, 1000, blocks, room);
	for (uint32_t i = 0; i < count; i++)
		g_string_append_printf(text, "%s%c%u@%u", i ? " " : "", "MHA"[blocks[i].state],
				       blocks[i].blocks, (unsigned int)blocks[i].lba);
	cr_expect_str_eq(text->str, wanted, "'%s' instead of '%s'", text->str, wanted);
	extents_free(extents);
}

#define M	    SCUSE_EXTENT_MAPPED
#define H	    SCUSE_EXTENT_HOLE
#define A	    SCUSE_EXTENT_ANCHORED
#define RANGES(...) ((const uint64_t[][2]){ __VA_ARGS__, { 0, 0 } })

Test(extents, in_blocks)
{
	expect_blocks(RANGES({ M, 2000 }, { H, 3000 }, { A, 15000 }), 8, "M2@1 H3@3 A15@6");
	expect_blocks(RANGES({ M, 2000 }, { H, 3000 }, { A, 15000 }), 2, "M2@1 H3@3");
}

Test(extents, a_block_is_mapped_if_any_part_of_it_is)
{
	expect_blocks(RANGES({ M, 1001 }, { H, 2999 }, { A, 16000 }), 8, "M2@1 H2@3 A16@5");
	expect_blocks(RANGES({ H, 1999 }, { M, 1 }, { H, 18000 }), 8, "H1@1 M1@2 H18@3");
	expect_blocks(RANGES({ H, 300 }, { A, 300 }, { M, 300 }, { H, 19100 }), 8, "M1@1 H19@2");
	expect_blocks(RANGES({ H, 300 }, { A, 300 }, { H, 19400 }), 8, "A1@1 H19@2");
}

Test(extents, of_a_block_that_is_described_in_part_only_mapped_is_certain)
{
	expect_blocks(RANGES({ H, 2500 }), 8, "H2@1");
	expect_blocks(RANGES({ M, 2500 }), 8, "M3@1");
	expect_blocks(RANGES({ H, 500 }), 8, "M1@1");
	expect_blocks(RANGES({ M, 0 }), 8, "M1@1");
}
