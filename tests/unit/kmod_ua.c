// SPDX-License-Identifier: GPL-2.0-only
/*
 * The log of unit attentions (kmod/ua.h): rules one by one, then random events and nexuses against a model
 * that keeps a plain list for each nexus.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "ua.h"

#define SCUSE_TEST_STEPS 1000000

static struct scuse_ua_log ua_log;

static void start(void)
{
	scuse_ua_log_init(&ua_log);
}

TestSuite(kmod_ua, .init = start);

static struct scuse_ua_reader reader_from_now(u32 nexus)
{
	struct scuse_ua_reader reader;

	scuse_ua_reader_init(&reader, nexus, ua_log.next);
	return reader;
}

/* The next condition as one number, told and cleared; 0: none. */
static unsigned int tell(struct scuse_ua_reader *reader)
{
	struct scuse_ua_code code;

	if (!scuse_ua_first(reader, &ua_log, &code))
		return 0;
	scuse_ua_clear(reader, &ua_log, &code);
	return (unsigned int)code.asc << 8 | code.ascq;
}

Test(kmod_ua, the_causer_is_spared)
{
	struct scuse_ua_reader causer = reader_from_now(1), other = reader_from_now(2);

	scuse_ua_log_add(&ua_log, 0x2a, 0x01, 1, 0);
	cr_expect_eq(tell(&causer), 0);
	cr_expect_not(scuse_ua_pending(&causer, &ua_log));
	cr_expect(scuse_ua_pending(&other, &ua_log));
	cr_expect_eq(tell(&other), 0x2a01);
	cr_expect_eq(tell(&other), 0);
	cr_expect_not(scuse_ua_pending(&other, &ua_log));
}

Test(kmod_ua, first_comes_first)
{
	struct scuse_ua_reader reader = reader_from_now(1);

	scuse_ua_log_add(&ua_log, 0x2a, 0x09, 0, 0);
	scuse_ua_log_add(&ua_log, 0x2a, 0x01, 0, 0);
	scuse_ua_own(&reader, &ua_log, 0x2c, 0x07);
	scuse_ua_log_add(&ua_log, 0x3f, 0x03, 0, 0);
	cr_expect_eq(tell(&reader), 0x2a09);
	cr_expect_eq(tell(&reader), 0x2a01);
	cr_expect_eq(tell(&reader), 0x2c07);
	cr_expect_eq(tell(&reader), 0x3f03);
	cr_expect_eq(tell(&reader), 0);
}

Test(kmod_ua, resets_precede_everything)
{
	static const unsigned int order[] = { 0x2900, 0x2901, 0x2902, 0x2903, 0x2907, 0x2f01, 0x2a01 };
	const int count = sizeof(order) / sizeof(order[0]);
	struct scuse_ua_reader reader = reader_from_now(1);

	for (int i = count - 1; i >= 0; i--)
		scuse_ua_log_add(&ua_log, order[i] >> 8, order[i] & 0xff, 0, 0);
	for (int i = 0; i < count; i++)
		cr_expect_eq(tell(&reader), order[i]);
	cr_expect_eq(tell(&reader), 0);
}

Test(kmod_ua, twice_is_told_once)
{
	struct scuse_ua_reader reader = reader_from_now(1);

	scuse_ua_log_add(&ua_log, 0x2a, 0x09, 0, 0);
	scuse_ua_log_add(&ua_log, 0x2a, 0x01, 0, 0);
	scuse_ua_log_add(&ua_log, 0x2a, 0x09, 0, 0);
	scuse_ua_own(&reader, &ua_log, 0x2a, 0x09);
	cr_expect_eq(tell(&reader), 0x2a09);
	cr_expect_eq(tell(&reader), 0x2a01);
	cr_expect_eq(tell(&reader), 0);
	scuse_ua_log_add(&ua_log, 0x2a, 0x09, 0, 0);
	cr_expect_eq(tell(&reader), 0x2a09);
}

Test(kmod_ua, a_new_nexus_starts_clean)
{
	struct scuse_ua_reader reader;

	scuse_ua_log_add(&ua_log, 0x2a, 0x09, 0, 10);
	scuse_ua_log_add(&ua_log, 0x3f, 0x03, 0, 20);
	reader = reader_from_now(1);
	cr_expect_eq(tell(&reader), 0);
	/* Unless it had been there before, only had not been met. */
	scuse_ua_reader_init(&reader, 2, scuse_ua_log_after(&ua_log, 15));
	cr_expect_eq(tell(&reader), 0x3f03);
	cr_expect_eq(tell(&reader), 0);
	scuse_ua_reader_init(&reader, 3, scuse_ua_log_after(&ua_log, 5));
	cr_expect_eq(tell(&reader), 0x2a09);
}

Test(kmod_ua, what_fell_out_is_told)
{
	struct scuse_ua_reader silent = reader_from_now(1), spared = reader_from_now(2), late;

	scuse_ua_log_add(&ua_log, 0x29, 0x04, 0, 1);
	scuse_ua_log_add(&ua_log, 0x28, 0x00, 0, 2);
	scuse_ua_log_add(&ua_log, 0x28, 0x00, 2, 3);
	for (u64 i = 0; i < 1000; i++)
		scuse_ua_log_add(&ua_log, 0x2a, 0x01, 2, 4 + i);
	scuse_ua_reader_init(&late, 3, scuse_ua_log_after(&ua_log, 1));

	cr_expect_eq(tell(&silent), 0x2904);
	cr_expect_eq(tell(&silent), 0x2800);
	cr_expect_eq(tell(&silent), 0x2a01);
	cr_expect_eq(tell(&silent), 0);
	/* It caused the last one of 28h, but not the one before. */
	cr_expect_eq(tell(&spared), 0x2904);
	cr_expect_eq(tell(&spared), 0x2800);
	cr_expect_eq(tell(&spared), 0);
	cr_expect_eq(tell(&late), 0x2800);
	cr_expect_eq(tell(&late), 0x2a01);
	cr_expect_eq(tell(&late), 0);
}

Test(kmod_ua, told_out_of_order_and_fallen_out)
{
	struct scuse_ua_reader reader = reader_from_now(1);

	scuse_ua_log_add(&ua_log, 0x2a, 0x09, 0, 0);
	scuse_ua_log_add(&ua_log, 0x29, 0x00, 0, 0);
	cr_expect_eq(tell(&reader), 0x2900);
	for (int i = 0; i < 200; i++)
		scuse_ua_log_add(&ua_log, 0x2a, 0x01, 1, 0);
	cr_expect_eq(tell(&reader), 0x2a09);
	cr_expect_eq(tell(&reader), 0);
}

Test(kmod_ua, too_many_codes_leave_the_most_severe)
{
	struct scuse_ua_reader reader = reader_from_now(1);

	scuse_ua_log_add(&ua_log, 0x29, 0x03, 0, 0);
	for (unsigned int code = 0; code < 4000; code++)
		scuse_ua_log_add(&ua_log, 0x80 + (u8)(code >> 8), (u8)code, 0, 0);
	cr_expect_eq(tell(&reader), 0x2903);
	cr_expect_neq(tell(&reader), 0);
}

Test(kmod_ua, a_list_clears_nothing)
{
	struct scuse_ua_reader reader = reader_from_now(1);
	struct scuse_ua_code codes[4];

	scuse_ua_log_add(&ua_log, 0x2a, 0x09, 0, 0);
	scuse_ua_log_add(&ua_log, 0x29, 0x00, 0, 0);
	scuse_ua_log_add(&ua_log, 0x2a, 0x01, 0, 0);
	cr_expect_eq(scuse_ua_list(&reader, &ua_log, codes, 2), 2);
	cr_expect_eq(scuse_ua_list(&reader, &ua_log, codes, 4), 3);
	cr_expect(codes[0].asc == 0x29 && codes[1].ascq == 0x09 && codes[2].ascq == 0x01);
	cr_expect_eq(tell(&reader), 0x2900);
}

/* The model: a list for each nexus, in the order of raising, one entry for a code. */
#define MODEL_NEXUSES 6
#define MODEL_ROOM    32

struct model_nexus {
	struct scuse_ua_reader reader;
	struct scuse_ua_code list[MODEL_ROOM];
	u32 count;
	u64 oldest; /* upper bound of the age: the log's `next` when the list was last empty */
};

static struct model_nexus model[MODEL_NEXUSES];
static u32 model_ids;

/* All that the module raises, and some that rank higher. */
static const struct scuse_ua_code model_codes[] = {
	{ 0x2a, 0x01 }, { 0x2a, 0x02 }, { 0x2a, 0x09 }, { 0x2a, 0x10 }, { 0x3f, 0x03 }, { 0x28, 0x00 },
	{ 0x38, 0x07 }, { 0x2f, 0x00 }, { 0x29, 0x03 }, { 0x29, 0x04 }, { 0x29, 0x07 }, { 0x2c, 0x07 },
};

static void model_add(struct model_nexus *nexus, struct scuse_ua_code code)
{
	for (u32 i = 0; i < nexus->count; i++)
		if (memcmp(&nexus->list[i], &code, sizeof(code)) == 0)
			return;
	cr_assert_lt(nexus->count, MODEL_ROOM);
	nexus->list[nexus->count++] = code;
}

/* Where the first of the most severe ones is. */
static u32 model_first(const struct model_nexus *nexus)
{
	u32 best = 0;

	for (u32 i = 1; i < nexus->count; i++)
		if (scuse_ua_rank(nexus->list[i].asc, nexus->list[i].ascq) <
		    scuse_ua_rank(nexus->list[best].asc, nexus->list[best].ascq))
			best = i;
	return best;
}

static u32 model_find(const struct model_nexus *nexus, struct scuse_ua_code code)
{
	u32 i = 0;

	while (i < nexus->count && memcmp(&nexus->list[i], &code, sizeof(code)) != 0)
		i++;
	return i;
}

static void model_remove(struct model_nexus *nexus, u32 at)
{
	memmove(&nexus->list[at], &nexus->list[at + 1], (--nexus->count - at) * sizeof(nexus->list[0]));
}

static void model_tell(struct model_nexus *nexus)
{
	/* While no event of the list can have fallen out, the order is exact; later only among the ranks. */
	bool exact = ua_log.next - nexus->oldest <= SCUSE_UA_EVENTS;
	struct scuse_ua_code code;
	u32 first, at;

	if (!scuse_ua_pending(&nexus->reader, &ua_log))
		cr_assert_eq(nexus->count, 0, "the quick check misses a condition");
	if (!scuse_ua_first(&nexus->reader, &ua_log, &code)) {
		cr_assert_eq(nexus->count, 0, "%u conditions are lost", nexus->count);
		cr_assert_not(scuse_ua_pending(&nexus->reader, &ua_log), "the quick check never rests");
		nexus->oldest = ua_log.next;
		return;
	}
	at = model_find(nexus, code);
	cr_assert_lt(at, nexus->count, "%02x/%02x is told without need", code.asc, code.ascq);
	first = model_first(nexus);
	cr_assert_eq(scuse_ua_rank(code.asc, code.ascq),
		     scuse_ua_rank(nexus->list[first].asc, nexus->list[first].ascq), "precedence");
	if (exact)
		cr_assert_eq(at, first, "age");
	scuse_ua_clear(&nexus->reader, &ua_log, &code);
	model_remove(nexus, at);
	if (!nexus->count)
		nexus->oldest = ua_log.next;
}

static void model_raise(u32 spared)
{
	struct scuse_ua_code code = model_codes[(u32)rand() % (sizeof(model_codes) / sizeof(model_codes[0]))];

	scuse_ua_log_add(&ua_log, code.asc, code.ascq,
			 spared < MODEL_NEXUSES ? model[spared].reader.nexus : 0, 0);
	for (u32 i = 0; i < MODEL_NEXUSES; i++)
		if (i != spared)
			model_add(&model[i], code);
}

static void model_own(struct model_nexus *nexus)
{
	struct scuse_ua_code code = model_codes[(u32)rand() % (sizeof(model_codes) / sizeof(model_codes[0]))];

	scuse_ua_own(&nexus->reader, &ua_log, code.asc, code.ascq);
	model_add(nexus, code);
}

static void model_login(struct model_nexus *nexus)
{
	nexus->reader = reader_from_now(++model_ids);
	nexus->count = 0;
	nexus->oldest = ua_log.next;
}

/* Each nexus is quiet for stretches of its own, so that some fall behind the log and others never do. */
static void model_step(u32 step)
{
	u32 pick = (u32)rand() % 100;
	u32 who = (u32)rand() % MODEL_NEXUSES;
	bool quiet = (step >> (7 + who)) & 1;

	if (pick < 30)
		model_raise((u32)rand() % (MODEL_NEXUSES + 2));
	else if (pick < 32)
		model_own(&model[who]);
	else if (pick == 32 && rand() % 50 == 0)
		model_login(&model[who]);
	else if (!quiet)
		model_tell(&model[who]);
}

Test(kmod_ua, model, .timeout = 120)
{
	srand(1);
	for (u32 i = 0; i < MODEL_NEXUSES; i++)
		model_login(&model[i]);
	for (u32 step = 0; step < SCUSE_TEST_STEPS; step++)
		model_step(step);
	for (u32 i = 0; i < MODEL_NEXUSES; i++)
		while (model[i].count)
			model_tell(&model[i]);
	cr_expect_gt(ua_log.next, SCUSE_TEST_STEPS / 5);
}
