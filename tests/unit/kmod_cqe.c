// SPDX-License-Identifier: GPL-2.0-only
/* The rules on completion entries (kmod/cqe.h): each one broken by itself, and the entries that keep all. */
#include <criterion/criterion.h>
#include <string.h>
#include "cqe.h"

#define LENGTH 4096u

static const u8 ops[] = {
	SCUSE_OP_READ, SCUSE_OP_WRITE, SCUSE_OP_FLUSH, SCUSE_OP_WRITE_SAME, SCUSE_OP_UNMAP, SCUSE_OP_CDB,
};

static struct scuse_cqe_expect asked(u8 op)
{
	return (struct scuse_cqe_expect){ .op = op, .data_in = op == SCUSE_OP_CDB, .data_len = LENGTH };
}

static enum scuse_rule check(u8 op, struct scuse_cqe cqe)
{
	struct scuse_cqe_expect expect = asked(op);

	return scuse_cqe_check(&cqe, &expect);
}

Test(kmod_cqe, good_entries)
{
	for (size_t i = 0; i < sizeof(ops); i++)
		cr_expect_eq(check(ops[i], (struct scuse_cqe){ .status = 0 }), SCUSE_RULE_NONE, "op %u",
			     ops[i]);
	cr_expect_eq(check(SCUSE_OP_READ, (struct scuse_cqe){ .data_len = LENGTH }), SCUSE_RULE_NONE);
	cr_expect_eq(check(SCUSE_OP_READ, (struct scuse_cqe){ .kind = SCUSE_CQE_ZERO }), SCUSE_RULE_NONE);
	cr_expect_eq(check(SCUSE_OP_CDB, (struct scuse_cqe){ .data_len = 1 }), SCUSE_RULE_NONE);
}

Test(kmod_cqe, index)
{
	u32 index;

	cr_expect_eq(scuse_cqe_index(SCUSE_TAG(5, 127), 128, &index), SCUSE_RULE_NONE);
	cr_expect_eq(index, 127);
	cr_expect_eq(scuse_cqe_index(SCUSE_TAG(5, 128), 128, &index), SCUSE_RULE_TAG_INDEX);
	cr_expect_eq(scuse_cqe_index(SCUSE_TAG(5, 0xffff), 4096, &index), SCUSE_RULE_TAG_INDEX);
}

Test(kmod_cqe, identity)
{
	u64 tag = SCUSE_TAG(5, 3);

	cr_expect_eq(scuse_cqe_identity(tag, scuse_tag_word(5, SCUSE_TAG_USER)), SCUSE_RULE_NONE);
	cr_expect_eq(scuse_cqe_identity(tag | 0x10000, scuse_tag_word(5, SCUSE_TAG_USER)),
		     SCUSE_RULE_TAG_BITS);
	cr_expect_eq(scuse_cqe_identity(tag | 0x80000000, scuse_tag_word(5, SCUSE_TAG_USER)),
		     SCUSE_RULE_TAG_BITS);
	cr_expect_eq(scuse_cqe_identity(tag, scuse_tag_word(6, SCUSE_TAG_USER)), SCUSE_RULE_GENERATION);
	cr_expect_eq(scuse_cqe_identity(tag, scuse_tag_word(4, SCUSE_TAG_USER)), SCUSE_RULE_GENERATION);
	cr_expect_eq(scuse_cqe_identity(tag, scuse_tag_word(5, SCUSE_TAG_FREE)), SCUSE_RULE_NOT_IN_FLIGHT);
	cr_expect_eq(scuse_cqe_identity(tag, scuse_tag_word(5, SCUSE_TAG_KERNEL)), SCUSE_RULE_NOT_IN_FLIGHT);
	cr_expect_eq(scuse_cqe_identity(tag, scuse_tag_word(5, SCUSE_TAG_QUARANTINED)),
		     SCUSE_RULE_NOT_IN_FLIGHT);
}

Test(kmod_cqe, status_of_each_operation)
{
	static const u8 all[] = { 0x00, 0x02, 0x08, 0x28 };
	static const u8 raw[] = { 0x04, 0x18, 0x30, 0x40 };

	for (size_t i = 0; i < sizeof(ops); i++) {
		for (unsigned int status = 0; status < 256; status++) {
			bool allowed = memchr(all, (int)status, sizeof(all)) ||
				       (ops[i] == SCUSE_OP_CDB && memchr(raw, (int)status, sizeof(raw)));
			struct scuse_cqe cqe = { .status = (u8)status, .sense_len = status == 0x02 ? 18 : 0 };

			cr_expect_eq(check(ops[i], cqe), allowed ? SCUSE_RULE_NONE : SCUSE_RULE_STATUS,
				     "op %u status %02xh", ops[i], status);
		}
	}
}

Test(kmod_cqe, kind_of_each_operation)
{
	for (size_t i = 0; i < sizeof(ops); i++) {
		for (unsigned int kind = 0; kind < 256; kind++) {
			bool allowed =
				kind == SCUSE_CQE_SLOT || (kind == SCUSE_CQE_ZERO && ops[i] == SCUSE_OP_READ);

			cr_expect_eq(check(ops[i], (struct scuse_cqe){ .kind = (u8)kind }),
				     allowed ? SCUSE_RULE_NONE : SCUSE_RULE_KIND, "op %u kind %u", ops[i],
				     kind);
		}
	}
}

Test(kmod_cqe, sense_exactly_with_check_condition)
{
	for (u16 length = 0; length < 200; length++) {
		bool fits = length >= 8 && length <= SCUSE_SENSE_MAX;

		cr_expect_eq(check(SCUSE_OP_WRITE, (struct scuse_cqe){ .status = 0x02, .sense_len = length }),
			     fits ? SCUSE_RULE_NONE : SCUSE_RULE_SENSE_LENGTH, "length %u", length);
		cr_expect_eq(check(SCUSE_OP_WRITE, (struct scuse_cqe){ .status = 0x00, .sense_len = length }),
			     length ? SCUSE_RULE_SENSE_LENGTH : SCUSE_RULE_NONE, "length %u", length);
	}
	cr_expect_eq(check(SCUSE_OP_WRITE, (struct scuse_cqe){ .status = 0x08, .sense_len = 8 }),
		     SCUSE_RULE_SENSE_LENGTH);
}

Test(kmod_cqe, data_within_the_command)
{
	struct scuse_cqe_expect out = { .op = SCUSE_OP_CDB, .data_len = LENGTH };
	struct scuse_cqe one = { .data_len = 1 };

	cr_expect_eq(check(SCUSE_OP_READ, (struct scuse_cqe){ .data_len = LENGTH + 1 }),
		     SCUSE_RULE_DATA_LENGTH);
	cr_expect_eq(check(SCUSE_OP_READ, (struct scuse_cqe){ .data_len = UINT32_MAX }),
		     SCUSE_RULE_DATA_LENGTH);
	cr_expect_eq(check(SCUSE_OP_CDB, (struct scuse_cqe){ .data_len = LENGTH + 1 }),
		     SCUSE_RULE_DATA_LENGTH);
	cr_expect_eq(check(SCUSE_OP_WRITE, one), SCUSE_RULE_DATA_LENGTH);
	cr_expect_eq(check(SCUSE_OP_FLUSH, one), SCUSE_RULE_DATA_LENGTH);
	cr_expect_eq(check(SCUSE_OP_UNMAP, one), SCUSE_RULE_DATA_LENGTH);
	cr_expect_eq(check(SCUSE_OP_WRITE_SAME, one), SCUSE_RULE_DATA_LENGTH);
	cr_expect_eq(scuse_cqe_check(&one, &out), SCUSE_RULE_DATA_LENGTH);
	cr_expect_eq(check(SCUSE_OP_READ, (struct scuse_cqe){ .kind = SCUSE_CQE_ZERO, .data_len = 1 }),
		     SCUSE_RULE_DATA_LENGTH);
}

Test(kmod_cqe, reserved_fields)
{
	cr_expect_eq(check(SCUSE_OP_READ, (struct scuse_cqe){ .file = 1 }), SCUSE_RULE_RESERVED);
	cr_expect_eq(check(SCUSE_OP_READ, (struct scuse_cqe){ .flags = 0x80000000 }), SCUSE_RULE_RESERVED);
	cr_expect_eq(check(SCUSE_OP_READ, (struct scuse_cqe){ .offset = 1ull << 40 }), SCUSE_RULE_RESERVED);
}

Test(kmod_cqe, each_rule_has_its_own_text)
{
	for (int a = SCUSE_RULE_NONE; a < SCUSE_RULES; a++) {
		for (int b = a + 1; b < SCUSE_RULES; b++)
			cr_expect_str_neq(scuse_rule_text((enum scuse_rule)a),
					  scuse_rule_text((enum scuse_rule)b));
	}
}

Test(kmod_cqe, a_reset_has_a_status_and_no_data)
{
	static const u8 allowed[] = { 0x00, 0x08, 0x28 };
	static const u8 others[] = { 0x04, 0x18, 0x30, 0x40 };

	for (size_t i = 0; i < sizeof(allowed); i++)
		cr_expect_eq(check(SCUSE_OP_LU_RESET, (struct scuse_cqe){ .status = allowed[i] }),
			     SCUSE_RULE_NONE);
	cr_expect_eq(check(SCUSE_OP_LU_RESET, (struct scuse_cqe){ .status = 0x02, .sense_len = 18 }),
		     SCUSE_RULE_NONE);
	for (size_t i = 0; i < sizeof(others); i++)
		cr_expect_eq(check(SCUSE_OP_LU_RESET, (struct scuse_cqe){ .status = others[i] }),
			     SCUSE_RULE_STATUS);
	cr_expect_eq(check(SCUSE_OP_LU_RESET, (struct scuse_cqe){ .data_len = 1 }), SCUSE_RULE_DATA_LENGTH);
}
