// SPDX-License-Identifier: GPL-2.0-only
/* Log pages (kmod/logpage.h): what LOG SENSE shows, what LOG SELECT refuses. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include "logpage.h"

static const struct scuse_log_values values = {
	.bytes = { 0x1122334455667788ull, 5, 6 },
	.uncorrected = { 7, 8, 9 },
	.provisioning = true,
	.usage = true,
	.used = 3,
	.available = 0x1ffffffffull,
};

static u32 sense(u8 *to, u8 page, u8 control, u16 parameter)
{
	struct scuse_log_query query = { .page = page, .control = control, .parameter = parameter };
	struct scuse_log_error error;

	return scuse_log_sense(to, &query, &values, &error);
}

Test(kmod_logpage, supported_pages)
{
	struct scuse_log_query query = { .subpage = 0xff, .control = SCUSE_LOG_CUMULATIVE };
	struct scuse_log_values thick = values;
	struct scuse_log_error error;
	u8 to[SCUSE_LOG_MAX];

	cr_assert_eq(sense(to, 0x00, SCUSE_LOG_CUMULATIVE, 0), 10);
	cr_expect_arr_eq(to, ((u8[]){ 0, 0, 0, 6, 0x00, 0x02, 0x03, 0x05, 0x0c, 0x2f }), 10);
	thick.provisioning = false;
	cr_assert_eq(scuse_log_sense(to, &query, &thick, &error), 16);
	cr_expect_arr_eq(to, ((u8[]){ 0x40, 0xff, 0, 12, 0, 0, 0, 0xff, 2, 0, 3, 0, 5, 0, 0x2f, 0 }), 16);
}

Test(kmod_logpage, counters)
{
	u8 to[SCUSE_LOG_MAX];

	cr_assert_eq(sense(to, 0x02, SCUSE_LOG_CUMULATIVE, 0), 4 + 12 + 12);
	cr_expect_arr_eq(to, ((u8[]){ 0x82, 0,	  0, 24, 0,    5, 0x20, 8, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66,
				      0x77, 0x88, 0, 6,	 0x20, 8, 0,	0, 0,	 0,    0,    0,	   0,	 7 }),
			 28);
	cr_assert_eq(sense(to, 0x02, SCUSE_LOG_DEFAULT_CUMULATIVE, 0), 28);
	cr_expect_eq(to[15], 0);
	cr_expect_eq(to[27], 0);
	cr_assert_eq(sense(to, 0x05, SCUSE_LOG_CUMULATIVE, 6), 16);
	cr_expect_eq(to[5], 6);
	cr_expect_eq(to[15], 9);
}

Test(kmod_logpage, provisioning_counts_saturate)
{
	u8 to[SCUSE_LOG_MAX];

	cr_assert_eq(sense(to, 0x0c, SCUSE_LOG_CUMULATIVE, 0), 28);
	cr_expect_arr_eq(&to[4], ((u8[]){ 0, 1, 0x23, 8, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0,
					  0, 2, 0x23, 8, 0,    0,    0,	   3,	 0, 0, 0, 0 }),
			 24);
}

Test(kmod_logpage, exceptions)
{
	u8 to[SCUSE_LOG_MAX];

	cr_assert_eq(sense(to, 0x2f, SCUSE_LOG_THRESHOLD, 0), 12);
	cr_expect_arr_eq(to, ((u8[]){ 0xaf, 0, 0, 8, 0, 0, 0x23, 4, 0, 0, 0xff, 0 }), 12);
}

static void expect_refused(struct scuse_log_query query, u16 byte, u8 bit)
{
	struct scuse_log_error error = { 0 };
	u8 to[SCUSE_LOG_MAX];

	query.control = query.control ? query.control : SCUSE_LOG_CUMULATIVE;
	cr_expect_eq(scuse_log_sense(to, &query, &values, &error), 0);
	cr_expect_eq(error.asc, 0x24);
	cr_expect_eq(error.byte, byte);
	cr_expect_eq(error.bit, bit);
}

Test(kmod_logpage, sense_refuses_with_a_pointer)
{
	expect_refused((struct scuse_log_query){ .page = 0x10 }, 2, 5);
	expect_refused((struct scuse_log_query){ .page = 0x02, .subpage = 1 }, 3, 0xff);
	expect_refused((struct scuse_log_query){ .subpage = 1 }, 3, 0xff);
	expect_refused((struct scuse_log_query){ .page = 0x02, .control = SCUSE_LOG_DEFAULT_THRESHOLD }, 2,
		       7);
	expect_refused((struct scuse_log_query){ .page = 0x02, .parameter = 7 }, 5, 0xff);
	expect_refused((struct scuse_log_query){ .page = 0x2f, .parameter = 1 }, 5, 0xff);
}

static bool select_list(const u8 *list, u32 length, struct scuse_log_error *error)
{
	u8 *copy = malloc(length);
	bool accepted;

	memcpy(copy, list, length);
	accepted = scuse_log_select(copy, length, &values, error);
	free(copy);
	return accepted;
}

Test(kmod_logpage, select)
{
	struct scuse_log_error error;

	cr_expect(select_list((u8[]){ 0x02, 0, 0, 0, 0x2f, 0, 0, 0 }, 8, &error));
	cr_expect(!select_list((u8[]){ 0x02, 0, 0, 8, 0, 5, 0, 4, 0, 0, 0, 0 }, 12, &error));
	cr_expect_eq(error.asc, 0x26);
	cr_expect_eq(error.byte, 4);
	cr_expect(!select_list((u8[]){ 0x02, 0, 0, 0, 0x11, 0, 0, 0 }, 8, &error));
	cr_expect_eq(error.asc, 0x26);
	cr_expect_eq(error.byte, 4);
	cr_expect_eq(error.bit, 5);
	cr_expect(!select_list((u8[]){ 0x02, 1, 0, 0 }, 4, &error));
	cr_expect_eq(error.byte, 1);
	for (u32 length = 1; length < 8; length++) {
		if (length == 4)
			continue;
		cr_expect(!select_list((u8[]){ 0x02, 0, 0, 0, 0x03, 0, 0, 0 }, length, &error));
		cr_expect_eq(error.asc, 0x1a);
	}
}

Test(kmod_logpage, which_counters_a_page_has)
{
	cr_expect_eq(scuse_log_counters(0x00), 7);
	cr_expect_eq(scuse_log_counters(0x03), 1u << SCUSE_LOG_READ);
	cr_expect_eq(scuse_log_counters(0x2f), 0);
}
