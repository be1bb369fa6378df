// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mode pages (kmod/modepage.h): what MODE SENSE shows, what MODE SELECT takes and refuses, and that no bytes
 * whatever lead it astray.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include "modepage.h"

#define ALL_CHANGEABLE ((1u << SCUSE_MODE_SETTINGS) - 1)

static const struct scuse_mode_facts facts = {
	.changeable = ALL_CHANGEABLE,
	.dpofua = true,
	.blocks = 0x12345678,
	.block_size = 512,
};

static u32 sense(u8 *to, u8 page, u8 subpage, const struct scuse_mode_values *values)
{
	struct scuse_mode_query query = { .page = page, .subpage = subpage };

	return scuse_mode_sense(to, &query, values, &facts);
}

Test(kmod_modepage, all_pages_ascend_and_can_be_walked)
{
	static const u8 expected[][2] = { { 0x01, 0 },	  { 0x08, 0 }, { 0x0a, 0 },
					  { 0x0a, 0x01 }, { 0x1a, 0 }, { 0x1c, 0 } };
	struct scuse_mode_values values = { 0 };
	u8 pages[SCUSE_MODE_SENSE_MAX];
	u32 length = scuse_mode_pages(pages, 0x3f, 0xff, &values, NULL);
	u32 at = 0, n = 0;

	while (at < length) {
		bool spf = pages[at] & 0x40;

		cr_assert_lt(n, 6);
		cr_expect_eq(pages[at] & 0x3f, expected[n][0]);
		cr_expect(pages[at] & 0x80, "PS of page %u", n);
		cr_expect_eq(spf ? pages[at + 1] : 0, expected[n][1]);
		at += spf ? 4 + (u32)(pages[at + 2] << 8 | pages[at + 3]) : 2 + (u32)pages[at + 1];
		n++;
	}
	cr_expect_eq(at, length);
	cr_expect_eq(n, 6);
	/* Without subpages it is one page less. */
	cr_expect_eq(scuse_mode_pages(pages, 0x3f, 0, &values, NULL), length - 32);
	cr_expect_eq(scuse_mode_pages(pages, 0x0a, 0xff, &values, NULL), 12 + 32);
}

Test(kmod_modepage, headers_and_descriptors)
{
	struct scuse_mode_query query = { .page = 0x08, .descriptor = true };
	struct scuse_mode_facts large = facts;
	struct scuse_mode_values values = { 0 };
	u8 to[SCUSE_MODE_SENSE_MAX];

	large.blocks = 0x123456789abull;
	large.block_size = 4096;
	large.write_protected = true;
	cr_expect_eq(scuse_mode_sense(to, &query, &values, &large), 4 + 8 + 20);
	cr_expect_arr_eq(to, ((u8[]){ 31, 0, 0x90, 8, 0xff, 0xff, 0xff, 0xff, 0, 0, 0x10, 0, 0x88, 18 }), 14);

	query.ten = true;
	query.long_lba = true;
	cr_expect_eq(scuse_mode_sense(to, &query, &values, &large), 8 + 16 + 20);
	cr_expect_arr_eq(to, ((u8[]){ 0, 42, 0, 0x90, 1, 0, 0, 16 }), 8);
	cr_expect_arr_eq(&to[8], ((u8[]){ 0, 0, 1, 0x23, 0x45, 0x67, 0x89, 0xab, 0, 0, 0, 0, 0, 0, 0x10, 0 }),
			 16);
	cr_expect_eq(to[24], 0x88);
}

Test(kmod_modepage, settings_appear_where_the_standard_has_them)
{
	struct scuse_mode_values values = { 0 };
	u8 to[SCUSE_MODE_SENSE_MAX];

	values.value[SCUSE_MODE_WCE] = 1;
	values.value[SCUSE_MODE_UA_INTLCK] = 2;
	values.value[SCUSE_MODE_QUEUE_MODIFIER] = 1;
	values.value[SCUSE_MODE_TAS] = 1;
	sense(to, 0x08, 0, &values);
	cr_expect_eq(to[4 + 2], 0x04);
	sense(to, 0x0a, 0, &values);
	cr_expect_arr_eq(&to[4], ((u8[]){ 0x8a, 10, 0x02, 0x10, 0x20, 0x40 }), 6);
}

Test(kmod_modepage, the_mask_shows_what_can_be_changed_and_nothing_else)
{
	struct scuse_mode_query query = { .page = 0x0a, .changeable = true };
	struct scuse_mode_facts some = facts;
	struct scuse_mode_values values = { 0 };
	u8 to[SCUSE_MODE_SENSE_MAX];

	memset(&values, 0xff, sizeof(values));
	some.changeable = 1u << SCUSE_MODE_SWP | 1u << SCUSE_MODE_UA_INTLCK;
	scuse_mode_sense(to, &query, &values, &some);
	cr_expect_arr_eq(&to[4], ((u8[]){ 0x8a, 10, 0, 0, 0x38, 0, 0, 0, 0, 0, 0, 0 }), 12);
}

Test(kmod_modepage, known_pages)
{
	bool subpage;

	cr_expect(scuse_mode_known(0x3f, 0, &subpage));
	cr_expect(scuse_mode_known(0x3f, 0xff, &subpage));
	cr_expect(scuse_mode_known(0x1c, 0xff, &subpage));
	cr_expect(!scuse_mode_known(0x3f, 0x01, &subpage) && subpage);
	cr_expect(!scuse_mode_known(0x0a, 0x02, &subpage) && subpage);
	cr_expect(!scuse_mode_known(0x02, 0, &subpage) && !subpage);
}

/* A parameter list of MODE SELECT (6) with the control page as it is. */
static u32 control_list(u8 *list, const struct scuse_mode_values *values)
{
	u32 length = sense(list, 0x0a, 0, values);

	list[0] = 0;
	list[4] &= 0x7f;
	return length;
}

Test(kmod_modepage, select_takes_settings)
{
	struct scuse_mode_values values = { 0 };
	struct scuse_mode_error error;
	u8 list[SCUSE_MODE_SENSE_MAX];
	u32 length = control_list(list, &values);

	list[4 + 2] |= 0x04;
	list[4 + 4] |= 0x38;
	cr_assert(scuse_mode_select(list, length, false, &facts, &values, &error));
	cr_expect_eq(values.value[SCUSE_MODE_D_SENSE], 1);
	cr_expect_eq(values.value[SCUSE_MODE_SWP], 1);
	cr_expect_eq(values.value[SCUSE_MODE_UA_INTLCK], 3);
	cr_expect_eq(values.value[SCUSE_MODE_TAS], 0);
}

Test(kmod_modepage, a_list_of_a_header_alone_changes_nothing)
{
	struct scuse_mode_values values = { .value[SCUSE_MODE_D_SENSE] = 1 }, before = values;
	struct scuse_mode_error error;

	cr_expect(scuse_mode_select((u8[4]){ 0 }, 4, false, &facts, &values, &error));
	cr_expect_arr_eq(&values, &before, sizeof(values));
}

/* Sets bits of one byte of the control page's list; the list must be refused, pointing at @bit of it. */
static void expect_refused(u32 byte, u8 bits, u8 bit)
{
	struct scuse_mode_values values = { 0 }, before = values;
	struct scuse_mode_error error = { 0 };
	u8 list[SCUSE_MODE_SENSE_MAX];
	u32 length = control_list(list, &values);

	list[byte] ^= bits;
	cr_expect(!scuse_mode_select(list, length, false, &facts, &values, &error), "byte %u", byte);
	cr_expect_eq(error.asc, 0x26);
	cr_expect_eq(error.byte, byte);
	cr_expect_eq(error.bit, bit, "byte %u: %u", byte, error.bit);
	cr_expect_arr_eq(&values, &before, sizeof(values));
}

Test(kmod_modepage, select_refuses_with_a_pointer)
{
	expect_refused(1, 0x01, 0xff);	 /* medium type */
	expect_refused(3, 0x04, 0xff);	 /* length of the block descriptor */
	expect_refused(4, 0x80, 7);	 /* PS */
	expect_refused(4, 0x08, 5);	 /* page 02h */
	expect_refused(5, 0x01, 0xff);	 /* page length */
	expect_refused(4 + 2, 0xe1, 7);	 /* TST */
	expect_refused(4 + 2, 0x02, 1);	 /* GLTSD */
	expect_refused(4 + 3, 0x02, 1);	 /* QERR */
	expect_refused(4 + 4, 0x10, 5);	 /* UA_INTLCK_CTRL 01b */
	expect_refused(4 + 5, 0x80, 7);	 /* ATO */
	expect_refused(4 + 11, 0x01, 0); /* the last byte */
}

Test(kmod_modepage, select_is_all_or_nothing)
{
	struct scuse_mode_values values = { 0 };
	struct scuse_mode_error error;
	u8 list[SCUSE_MODE_SENSE_MAX] = { 0 };
	u32 length = 4;

	length += scuse_mode_pages(list + length, 0x08, 0, &values, NULL);
	length += scuse_mode_pages(list + length, 0x1a, 0, &values, NULL);
	list[4] &= 0x7f;
	list[24] &= 0x7f;
	list[4 + 2] |= 0x04;  /* WCE */
	list[24 + 3] |= 0x01; /* STANDBY_Z */
	cr_expect(!scuse_mode_select(list, length, false, &facts, &values, &error));
	cr_expect_eq(error.byte, 24 + 3);
	cr_expect_eq(values.value[SCUSE_MODE_WCE], 0);
}

Test(kmod_modepage, truncated_lists)
{
	struct scuse_mode_values values = { 0 };
	struct scuse_mode_error error;
	u8 list[SCUSE_MODE_SENSE_MAX];
	u32 length = control_list(list, &values), i;

	for (i = 1; i < length; i++) {
		if (i == 4)
			continue;
		cr_expect(!scuse_mode_select(list, i, false, &facts, &values, &error), "%u bytes", i);
		cr_expect_eq(error.asc, 0x1a, "%u bytes", i);
	}
}

Test(kmod_modepage, block_descriptors)
{
	static const struct {
		u64 blocks;
		u32 size;
		u32 wrong; /* byte, 0: accepted */
	} cases[] = { { 0, 512, 0 },	      { 0x12345678, 512, 0 }, { 0xffffffff, 512, 0 },
		      { 0x12345677, 512, 8 }, { 0, 4096, 13 },	      { 0, 0, 13 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		u8 list[16] = { [7] = 8 };
		struct scuse_mode_values values = { 0 };
		struct scuse_mode_error error = { 0 };

		for (int b = 0; b < 4; b++)
			list[8 + b] = (u8)(cases[i].blocks >> (24 - 8 * b));
		for (int b = 0; b < 3; b++)
			list[13 + b] = (u8)(cases[i].size >> (16 - 8 * b));
		cr_expect_eq(scuse_mode_select(list, 16, true, &facts, &values, &error), !cases[i].wrong,
			     "case %zu", i);
		cr_expect_eq(error.byte, cases[i].wrong);
	}
}

Test(kmod_modepage, what_was_saved_can_be_restored_under_other_circumstances)
{
	struct scuse_mode_values saved = { 0 }, values = { 0 };
	u8 pages[SCUSE_MODE_SENSE_MAX];
	u32 length;

	saved.value[SCUSE_MODE_WCE] = 1;
	saved.value[SCUSE_MODE_UA_INTLCK] = 3;
	saved.value[SCUSE_MODE_ATO] = 1;
	length = scuse_mode_pages(pages, 0x3f, 0xff, &saved, NULL);
	cr_assert(scuse_mode_restore(pages, length, &values));
	cr_expect_arr_eq(values.value, saved.value, SCUSE_MODE_SETTINGS);
	cr_expect_eq(values.value[SCUSE_MODE_ATO], 0, "a fact is not restored");
	cr_expect(!scuse_mode_restore(pages, length - 1, &values));
	pages[0] = 0xbf;
	cr_expect(!scuse_mode_restore(pages, length, &values));
}

/* Whatever comes: no access outside the list (the sanitizer sees it), and no value that a setting cannot have. */
Test(kmod_modepage, any_bytes)
{
	u32 seed = 1, accepted = 0;

	for (int run = 0; run < 200000; run++) {
		struct scuse_mode_values values = { 0 };
		u8 base[SCUSE_MODE_SENSE_MAX] = { 0 };
		struct scuse_mode_error error = { 0 };
		u32 length = control_list(base, &values), changes = run % 4, cut;
		u8 *list;

		for (u32 i = 0; i < changes; i++) {
			seed = seed * 1664525 + 1013904223;
			base[(seed >> 8) % length] = (u8)(seed >> 24);
		}
		cut = run % 5 ? length : (seed >> 4) % length + 1;
		list = malloc(cut);
		memcpy(list, base, cut);
		if (scuse_mode_select(list, cut, run & 1, &facts, &values, &error)) {
			accepted++;
			cr_assert_neq(values.value[SCUSE_MODE_UA_INTLCK], 1);
		} else {
			cr_assert(error.asc == 0x1a || error.byte < cut);
		}
		scuse_mode_restore(list, cut, &values);
		cr_assert_neq(values.value[SCUSE_MODE_UA_INTLCK], 1);
		free(list);
	}
	cr_expect_gt(accepted, 1000);
}
