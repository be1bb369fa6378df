// SPDX-License-Identifier: GPL-2.0-only
/* What follows from unit attentions of a device, from commands, and from resets (kmod/relayrule.h). */
#include <criterion/criterion.h>
#include "relayrule.h"

static struct scuse_ua_code code(u8 asc, u8 ascq)
{
	return (struct scuse_ua_code){ asc, ascq };
}

Test(kmod_relayrule, resets_are_resets)
{
	for (int ascq = 0; ascq < 8; ascq++)
		cr_expect_eq(scuse_relay_actions(0x29, (u8)ascq), SCUSE_RELAY_RESET | SCUSE_RELAY_REREAD);
	for (int asc = 0; asc < 256; asc++)
		cr_expect_eq(!!(scuse_relay_actions((u8)asc, 0x7f) & SCUSE_RELAY_RESET), asc == 0x29);
}

Test(kmod_relayrule, what_changes_parameters_is_read_again)
{
	static const struct scuse_ua_code rereads[] = {
		{ 0x28, 0x00 }, { 0x28, 0x01 }, { 0x2a, 0x00 }, { 0x2a, 0x01 },
		{ 0x2a, 0x09 }, { 0x3f, 0x00 }, { 0x3f, 0x01 }, { 0x3f, 0x02 },
		{ 0x3f, 0x03 }, { 0x5a, 0x02 }, { 0x00, 0x00 }, { 0x80, 0x01 },
	};

	for (size_t i = 0; i < sizeof(rereads) / sizeof(rereads[0]); i++)
		cr_expect(scuse_relay_actions(rereads[i].asc, rereads[i].ascq) & SCUSE_RELAY_REREAD,
			  "%02x/%02x", rereads[i].asc, rereads[i].ascq);
}

Test(kmod_relayrule, what_leaves_them_is_not)
{
	static const struct scuse_ua_code settled[] = {
		{ 0x2a, 0x02 }, { 0x2a, 0x03 }, { 0x2a, 0x05 }, { 0x2a, 0x06 },
		{ 0x2a, 0x10 }, { 0x2c, 0x07 }, { 0x2f, 0x00 }, { 0x2f, 0x01 },
		{ 0x38, 0x07 }, { 0x3f, 0x0e }, { 0x5d, 0x00 }, { 0x0b, 0x01 },
	};

	for (size_t i = 0; i < sizeof(settled) / sizeof(settled[0]); i++)
		cr_expect_eq(scuse_relay_actions(settled[i].asc, settled[i].ascq), 0, "%02x/%02x",
			     settled[i].asc, settled[i].ascq);
}

Test(kmod_relayrule, who_hears_of_another_medium_asks_by_himself)
{
	cr_expect(scuse_relay_actions(0x28, 0x00) & SCUSE_RELAY_SIZED);
	cr_expect(scuse_relay_actions(0x2a, 0x09) & SCUSE_RELAY_SIZED);
	cr_expect_not(scuse_relay_actions(0x2a, 0x01) & SCUSE_RELAY_SIZED);
	cr_expect_not(scuse_relay_actions(0x29, 0x00) & SCUSE_RELAY_SIZED);
}

Test(kmod_relayrule, codes_of_both_formats)
{
	const u8 fixed[18] = { 0x70, 0, 0x06, [7] = 10, [12] = 0x29, [13] = 0x02 };
	const u8 deferred[18] = { 0xf1, 0, 0x66, [7] = 10, [12] = 0x28 };
	const u8 descriptor[8] = { 0x72, 0x06, 0x2a, 0x09 };
	struct scuse_ua_code found;

	cr_assert(scuse_relay_code(fixed, sizeof(fixed), &found));
	cr_expect(found.asc == 0x29 && found.ascq == 0x02);
	cr_assert(scuse_relay_code(deferred, sizeof(deferred), &found));
	cr_expect(found.asc == 0x28 && found.ascq == 0);
	cr_assert(scuse_relay_code(descriptor, sizeof(descriptor), &found));
	cr_expect(found.asc == 0x2a && found.ascq == 0x09);
}

Test(kmod_relayrule, short_sense_has_no_code)
{
	const u8 cut[18] = { 0x70, 0, 0x06, [7] = 10, [12] = 0x29 };
	const u8 less[18] = { 0x70, 0, 0x06, [7] = 4, [12] = 0x29 }; /* says that it ends before the code */
	struct scuse_ua_code found;

	cr_assert(scuse_relay_code(cut, 8, &found));
	cr_expect(found.asc == 0 && found.ascq == 0);
	cr_assert(scuse_relay_code(cut, 13, &found));
	cr_expect_eq(found.asc, 0);
	cr_assert(scuse_relay_code(cut, 14, &found));
	cr_expect_eq(found.asc, 0x29);
	cr_assert(scuse_relay_code(less, sizeof(less), &found));
	cr_expect_eq(found.asc, 0);
}

Test(kmod_relayrule, no_unit_attention)
{
	const u8 medium[18] = { 0x70, 0, 0x03, [7] = 10, [12] = 0x11 };
	const u8 none[18] = { 0x70 };
	const u8 junk[18] = { 0x06, 0x06, 0x06, [7] = 10 };
	const u8 attention[18] = { 0x70, 0, 0x06 };
	struct scuse_ua_code found;

	cr_expect_not(scuse_relay_code(medium, sizeof(medium), &found));
	cr_expect_not(scuse_relay_code(none, sizeof(none), &found));
	cr_expect_not(scuse_relay_code(junk, sizeof(junk), &found));
	cr_expect_not(scuse_relay_code(attention, 7, &found));
	cr_expect_not(scuse_relay_code(attention, 0, &found));
}

static void expect_told(u8 type, const u8 *cdb, u8 asc, u8 ascq)
{
	struct scuse_ua_code found = {};

	cr_expect(scuse_relay_consequence(type, cdb, &found), "%02x", cdb[0]);
	cr_expect(found.asc == asc && found.ascq == ascq, "%02x: %02x/%02x", cdb[0], found.asc, found.ascq);
}

static void expect_silence(u8 type, const u8 *cdb)
{
	struct scuse_ua_code found;

	cr_expect_not(scuse_relay_consequence(type, cdb, &found), "%02x %02x", cdb[0], cdb[1]);
}

Test(kmod_relayrule, mode_and_log_select)
{
	expect_told(0, (u8[16]){ 0x15, 0x10, 0, 0, 24 }, 0x2a, 0x01);
	expect_told(1, (u8[16]){ 0x55, 0x10, [8] = 28 }, 0x2a, 0x01);
	expect_told(1, (u8[16]){ 0x55, 0x10, [7] = 1 }, 0x2a, 0x01);
	expect_silence(0, (u8[16]){ 0x15, 0x10 });
	expect_silence(0, (u8[16]){ 0x55, 0x10 });
	expect_told(0, (u8[16]){ 0x4c, 0x00, [8] = 4 }, 0x2a, 0x02);
	expect_told(0, (u8[16]){ 0x4c, 0x02 }, 0x2a, 0x02);
	expect_silence(0, (u8[16]){ 0x4c, 0x00 });
}

Test(kmod_relayrule, loading)
{
	expect_told(1, (u8[16]){ 0x1b, 0, 0, 0, 0x01 }, 0x28, 0x00);
	expect_told(1, (u8[16]){ 0x1b, 0, 0, 0, 0x03 }, 0x28, 0x00);
	expect_silence(1, (u8[16]){ 0x1b, 0, 0, 0, 0x00 });
	expect_silence(1, (u8[16]){ 0x1b, 0, 0, 0, 0x09 });
	expect_told(5, (u8[16]){ 0x1b, 0, 0, 0, 0x03 }, 0x28, 0x00);
	expect_silence(5, (u8[16]){ 0x1b, 0, 0, 0, 0x02 });
	expect_silence(0, (u8[16]){ 0x1b, 0, 0, 0, 0x01 });
	expect_silence(0, (u8[16]){ 0x1b, 0, 0, 0, 0x13 });
}

Test(kmod_relayrule, other_commands_that_others_must_know_of)
{
	expect_told(0, (u8[16]){ 0x3b, 0x05 }, 0x3f, 0x01);
	expect_told(0, (u8[16]){ 0x3b, 0x0f }, 0x3f, 0x01);
	expect_silence(0, (u8[16]){ 0x3b, 0x02 });
	expect_silence(0, (u8[16]){ 0x3b, 0x0e });
	expect_told(0, (u8[16]){ 0xa4, 0x0f }, 0x2a, 0x10);
	expect_told(0, (u8[16]){ 0xa4, 0x06 }, 0x3f, 0x05);
	expect_silence(0, (u8[16]){ 0xa4, 0x0a });
	expect_told(1, (u8[16]){ 0xb5, 0x20 }, 0x2a, 0x11);
	expect_silence(0, (u8[16]){ 0xb5, 0x20 });
	expect_silence(1, (u8[16]){ 0xb5, 0x01 });
	expect_silence(0, (u8[16]){ 0x2a });
	expect_silence(0, (u8[16]){ 0x00 });
}

Test(kmod_relayrule, an_echo_is_swallowed_once)
{
	const struct scuse_ua_code reset = code(0x29, 0x00);
	struct scuse_echo echo = {};

	cr_expect_not(scuse_echo_take(&echo, &reset));
	scuse_echo_reset(&echo);
	cr_expect(scuse_echo_take(&echo, &reset));
	cr_expect_not(scuse_echo_take(&echo, &reset));
}

Test(kmod_relayrule, other_conditions_are_no_echo)
{
	const struct scuse_ua_code medium = code(0x28, 0x00), mode = code(0x2a, 0x01);
	struct scuse_echo echo = {};

	scuse_echo_reset(&echo);
	cr_expect_not(scuse_echo_take(&echo, &medium));
	cr_expect_not(scuse_echo_take(&echo, &mode));
	cr_expect(echo.reset);
}

Test(kmod_relayrule, a_device_without_echo)
{
	struct scuse_echo echo = {};
	u32 before = echo.epoch;

	scuse_echo_reset(&echo);
	/* Sent before the reset had ended: it may have been carried out before it. */
	scuse_echo_reset_ended(&echo);
	scuse_echo_ended(&echo, before, 0x28, 0x00);
	cr_expect(echo.reset);
	scuse_echo_ended(&echo, echo.epoch, 0x28, 0x00);
	cr_expect_not(echo.reset);
}

Test(kmod_relayrule, what_proves_nothing_ends_no_echo)
{
	static const u8 hiding[] = { 0x12, 0xa0, 0x03, 0x46, 0x4a };
	static const u8 undecided[] = { 0x08, 0x18, 0x28, 0x30, 0x40 };
	struct scuse_echo echo = {};

	scuse_echo_reset(&echo);
	scuse_echo_select(&echo);
	scuse_echo_reset_ended(&echo);
	for (size_t i = 0; i < sizeof(hiding); i++)
		scuse_echo_ended(&echo, echo.epoch, hiding[i], 0x00);
	for (size_t i = 0; i < sizeof(undecided); i++)
		scuse_echo_ended(&echo, echo.epoch, 0x28, undecided[i]);
	cr_expect(echo.reset);
	cr_expect(echo.select);
}

Test(kmod_relayrule, mode_select_has_an_echo_of_its_own)
{
	const struct scuse_ua_code mode = code(0x2a, 0x01), reset = code(0x29, 0x00);
	struct scuse_echo echo = {};

	scuse_echo_select(&echo);
	cr_expect_not(scuse_echo_take(&echo, &reset));
	cr_expect(scuse_echo_take(&echo, &mode));
	cr_expect_not(scuse_echo_take(&echo, &mode));
	/* Any command that ends afterwards was sent afterwards, whatever its epoch. */
	scuse_echo_select(&echo);
	scuse_echo_ended(&echo, echo.epoch + 7, 0x00, 0x02);
	cr_expect_not(echo.select);
}

Test(kmod_relayrule, forgotten)
{
	struct scuse_echo echo = {};

	scuse_echo_reset(&echo);
	scuse_echo_select(&echo);
	scuse_echo_forget(&echo);
	cr_expect_not(echo.reset);
	cr_expect_not(echo.select);
}
