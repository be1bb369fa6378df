// SPDX-License-Identifier: GPL-2.0-only
/* Where the commands of raw LUNs go (kmod/rawroute.c), by a table of the test's own. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include "opcode.h"
#include "raw.h"

#define NO SCUSE_NO_ACTION

#define TYPE_DISK    0x00
#define TYPE_TAPE    0x01
#define TYPE_CHANGER 0x08

#define ROW(_types, _opcode, _action, _route, _unit, _at, _size, _fixed, _flags)         \
	{                                                                                \
		.types = SCUSE_RAW_##_types, .opcode = _opcode, .action = _action,       \
		.route = SCUSE_RAW_##_route, .unit = SCUSE_RAW_##_unit, .count_at = _at, \
		.count_size = _size, .fixed = _fixed, .flags = _flags                    \
	}
#define SPECIAL(_types, _opcode, _at, _size, _fixed, _flags) \
	ROW(_types, _opcode, NO, HANDLER, SPECIAL, _at, _size, SCUSE_RAW_##_fixed, _flags)

const struct scuse_raw_entry scuse_raw_table[] = {
	ROW(ANY, 0x00, NO, HANDLER, NOTHING, 0, 0, 0, 0),
	ROW(ANY, 0x03, NO, HANDLER, BYTES, 4, 1, 0, SCUSE_RAW_IN | SCUSE_RAW_NO_UA),
	SPECIAL(DISK, 0x04, 0, 0, FORMAT, SCUSE_RAW_OUT),
	SPECIAL(TAPE, 0x05, 0, 0, BLOCK_LIMITS, SCUSE_RAW_IN),
	SPECIAL(DISK, 0x08, 4, 1, BLOCKS_256, SCUSE_RAW_IN),
	ROW(TAPE, 0x08, NO, HANDLER, RECORDS, 2, 3, 0, SCUSE_RAW_IN),
	ROW(ANY, 0x12, NO, MASKED, BYTES, 3, 2, 0, SCUSE_RAW_IN | SCUSE_RAW_NO_UA),
	SPECIAL(TAPE, 0x13, 2, 3, TAPE_VERIFY, SCUSE_RAW_OUT),
	ROW(ANY, 0x16, NO, KERNEL, NOTHING, 0, 0, 0, 0),
	ROW(DISK, 0x25, NO, HANDLER, FIXED, 0, 0, 8, SCUSE_RAW_IN),
	ROW(DISK, 0x28, NO, HANDLER, BLOCKS, 7, 2, 0, SCUSE_RAW_IN),
	SPECIAL(DISK, 0x2f, 7, 2, VERIFY, SCUSE_RAW_OUT),
	SPECIAL(DISK, 0x41, 7, 2, SAME, SCUSE_RAW_OUT),
	SPECIAL(ANY, 0x85, 0, 0, ATA, SCUSE_RAW_IN | SCUSE_RAW_OUT),
	SPECIAL(DISK, 0x89, 13, 1, TWICE, SCUSE_RAW_OUT),
	SPECIAL(DISK, 0x93, 10, 4, SAME, SCUSE_RAW_OUT),
	SPECIAL(ANY, 0xa1, 0, 0, ATA, SCUSE_RAW_IN | SCUSE_RAW_OUT),
	SPECIAL(ANY, 0xa2, 6, 4, SECURITY, SCUSE_RAW_IN),
	ROW(ANY, 0xa3, 0x05, HANDLER, BYTES, 6, 4, 0, SCUSE_RAW_IN),
	ROW(ANY, 0xa3, 0x0a, KERNEL, BYTES, 6, 4, 0, SCUSE_RAW_IN),
	ROW(ANY, 0xa3, NO, REFUSED, NOTHING, 0, 0, 0, 0),
	ROW(CHANGER, 0xa5, NO, HANDLER, NOTHING, 0, 0, 0, 0),
};
const u32 scuse_raw_count = sizeof(scuse_raw_table) / sizeof(scuse_raw_table[0]);

static void build_index(void)
{
	scuse_raw_init();
}

TestSuite(kmod_rawroute, .init = build_index);

static struct scuse_raw_claims *claims_of(const struct scuse_command *commands, u32 count)
{
	struct scuse_raw_claims *claims = calloc(1, sizeof(*claims) + count * sizeof(*commands));

	cr_assert_not_null(claims);
	scuse_raw_claims_sort(claims, commands, count);
	return claims;
}

static u8 way(u32 type, const struct scuse_raw_claims *claims, u8 opcode, u8 action)
{
	u8 cdb[32] = { opcode, action };

	return scuse_raw_way(type, claims, cdb)->route;
}

Test(kmod_rawroute, entries_belong_to_device_types)
{
	cr_expect_eq(scuse_raw_find(TYPE_DISK, 0x08, 0)->fixed, SCUSE_RAW_BLOCKS_256);
	cr_expect_eq(scuse_raw_find(TYPE_TAPE, 0x08, 0)->unit, SCUSE_RAW_RECORDS);
	cr_expect_null(scuse_raw_find(TYPE_CHANGER, 0x08, 0));
	cr_expect_not_null(scuse_raw_find(SCUSE_TYPE_UNKNOWN, 0x12, 0));
	cr_expect_null(scuse_raw_find(TYPE_DISK, 0xc0, 0));
}

Test(kmod_rawroute, a_service_action_comes_before_what_is_for_all_others)
{
	cr_expect_eq(scuse_raw_find(TYPE_DISK, 0xa3, 0x0a)->route, SCUSE_RAW_KERNEL);
	cr_expect_eq(scuse_raw_find(TYPE_DISK, 0xa3, 0x1f)->route, SCUSE_RAW_REFUSED);
	cr_expect(scuse_raw_has(TYPE_DISK, 0xa3, NO));
	cr_expect(!scuse_raw_has(TYPE_DISK, 0xa5, NO));
}

Test(kmod_rawroute, nothing_passes_that_is_not_claimed)
{
	cr_expect_eq(way(TYPE_DISK, NULL, 0x28, 0), SCUSE_RAW_REFUSED);
	cr_expect_eq(way(TYPE_DISK, NULL, 0xa3, 0x05), SCUSE_RAW_REFUSED);
	cr_expect_eq(way(TYPE_DISK, NULL, 0xc0, 0), SCUSE_RAW_REFUSED);
}

Test(kmod_rawroute, the_kernel_can_do_three_commands_if_need_be)
{
	cr_expect_eq(way(TYPE_TAPE, NULL, 0x00, 0), SCUSE_RAW_KERNEL);
	cr_expect_eq(way(TYPE_TAPE, NULL, 0x03, 0), SCUSE_RAW_KERNEL);
	cr_expect_eq(way(TYPE_TAPE, NULL, 0x12, 0), SCUSE_RAW_KERNEL);
}

Test(kmod_rawroute, the_standard_claim_is_for_what_the_table_has)
{
	struct scuse_command all = { .flags = SCUSE_COMMAND_STANDARD };
	struct scuse_raw_claims *claims = claims_of(&all, 1);

	cr_expect(claims->standard);
	cr_expect_eq(claims->count, 0);
	cr_expect_eq(way(TYPE_DISK, claims, 0x28, 0), SCUSE_RAW_HANDLER);
	cr_expect_eq(way(TYPE_TAPE, claims, 0x28, 0), SCUSE_RAW_REFUSED);
	cr_expect_eq(way(TYPE_DISK, claims, 0x12, 0), SCUSE_RAW_MASKED);
	cr_expect_eq(way(TYPE_DISK, claims, 0x16, 0), SCUSE_RAW_KERNEL);
	cr_expect_eq(way(TYPE_DISK, claims, 0xa3, 0x1f), SCUSE_RAW_REFUSED);
	cr_expect_eq(way(TYPE_DISK, claims, 0xc0, 0), SCUSE_RAW_REFUSED);
	free(claims);
}

Test(kmod_rawroute, claims_do_not_change_what_is_the_kernels_or_refused)
{
	struct scuse_command list[] = { { .opcode = 0x16 }, { .opcode = 0xa3 } };
	struct scuse_raw_claims *claims = claims_of(list, 2);

	cr_expect_eq(way(TYPE_DISK, claims, 0x16, 0), SCUSE_RAW_KERNEL);
	cr_expect_eq(way(TYPE_DISK, claims, 0xa3, 0x0a), SCUSE_RAW_KERNEL);
	cr_expect_eq(way(TYPE_DISK, claims, 0xa3, 0x1f), SCUSE_RAW_REFUSED);
	cr_expect_eq(way(TYPE_DISK, claims, 0xa3, 0x05), SCUSE_RAW_HANDLER,
		     "claimed with all service actions");
	free(claims);
}

Test(kmod_rawroute, what_only_a_claim_knows_goes_as_the_claim_says)
{
	struct scuse_command list[] = {
		{ .opcode = 0xd0, .direction = SCUSE_DIRECTION_OUT, .flags = SCUSE_COMMAND_WRITES },
		{ .opcode = 0xc1, .direction = SCUSE_DIRECTION_IN },
		{ .opcode = 0xc1, .has_action = 1, .action = 2 },
		{ .opcode = 0xc0, .has_action = 1, .action = 3 },
	};
	struct scuse_raw_claims *claims = claims_of(list, 4);
	u8 cdb[32] = { 0xd0 };
	const struct scuse_raw_entry *entry = scuse_raw_way(TYPE_TAPE, claims, cdb);

	cr_expect_eq(entry->route, SCUSE_RAW_HANDLER);
	cr_expect(entry->flags & SCUSE_RAW_WRITES && entry->flags & SCUSE_RAW_OUT);
	cr_expect_eq(scuse_raw_length(entry, cdb, 512, 100), 100);
	cdb[0] = 0xc1;
	entry = scuse_raw_way(TYPE_TAPE, claims, cdb);
	cr_expect(entry->flags & SCUSE_RAW_IN && !(entry->flags & SCUSE_RAW_WRITES));
	cr_expect_eq(way(TYPE_TAPE, claims, 0xc0, 3), SCUSE_RAW_HANDLER);
	cr_expect_eq(way(TYPE_TAPE, claims, 0xc0, 2), SCUSE_RAW_REFUSED);
	free(claims);
}

Test(kmod_rawroute, claims_are_found_by_their_operation_code)
{
	struct scuse_command list[] = { { .opcode = 0xff },
					{ .opcode = 0x00 },
					{ .opcode = 0x7f, .has_action = 1, .action = 0x1234 } };
	struct scuse_raw_claims *claims = claims_of(list, 3);

	cr_expect_eq(claims->count, 3);
	cr_expect_not_null(scuse_raw_claimed(claims, 0xff, NO));
	cr_expect_not_null(scuse_raw_claimed(claims, 0x00, 0));
	cr_expect_not_null(scuse_raw_claimed(claims, 0x7f, 0x1234));
	cr_expect_null(scuse_raw_claimed(claims, 0x7f, 0x1235));
	cr_expect_null(scuse_raw_claimed(claims, 0x01, 0));
	cr_expect_null(scuse_raw_claimed(NULL, 0xff, NO));
	free(claims);
}

Test(kmod_rawroute, commands_of_start_are_checked)
{
	struct scuse_command good = { .opcode = 0xa3,
				      .has_action = 1,
				      .action = 5,
				      .cdb_length = 12,
				      .direction = SCUSE_DIRECTION_IN,
				      .flags = SCUSE_COMMAND_WRITES,
				      .timeout = 3 };
	struct scuse_command all = { .flags = SCUSE_COMMAND_STANDARD };
	struct scuse_command bad;

	cr_expect(scuse_raw_command_ok(&good));
	cr_expect(scuse_raw_command_ok(&all));
	bad = good, bad.has_action = 2;
	cr_expect(!scuse_raw_command_ok(&bad));
	bad = good, bad.has_action = 0;
	cr_expect(!scuse_raw_command_ok(&bad), "an action that is not to be looked at");
	bad = good, bad.direction = 3;
	cr_expect(!scuse_raw_command_ok(&bad));
	bad = good, bad.cdb_length = 7;
	cr_expect(!scuse_raw_command_ok(&bad));
	bad = good, bad.flags = 0x8000;
	cr_expect(!scuse_raw_command_ok(&bad));
	bad = good, bad.reserved = 1;
	cr_expect(!scuse_raw_command_ok(&bad));
	bad = all, bad.usage[31] = 1;
	cr_expect(!scuse_raw_command_ok(&bad));
	bad = all, bad.flags |= SCUSE_COMMAND_WRITES;
	cr_expect(!scuse_raw_command_ok(&bad));
}

static u64 length(u32 type, u32 block, const u8 *cdb)
{
	return scuse_raw_length(scuse_raw_find(type, cdb[0], scuse_raw_action(cdb)), cdb, block, 777);
}

Test(kmod_rawroute, lengths_of_allocation_and_blocks)
{
	cr_expect_eq(length(TYPE_DISK, 512, (u8[32]){ 0x12, 0, 0, 0x12, 0x34 }), 0x1234);
	cr_expect_eq(length(TYPE_DISK, 512, (u8[32]){ 0x25 }), 8);
	cr_expect_eq(length(TYPE_DISK, 4096, (u8[32]){ 0x28, [7] = 1, [8] = 2 }), 0x102 * 4096);
	cr_expect_eq(length(TYPE_DISK, 0, (u8[32]){ 0x28, [8] = 2 }), 777);
	cr_expect_eq(length(TYPE_DISK, 0, (u8[32]){ 0x28 }), 0,
		     "no blocks are no data, however long they are");
	cr_expect_eq(length(TYPE_DISK, 512, (u8[32]){ 0x08, [4] = 3 }), 3 * 512);
	cr_expect_eq(length(TYPE_DISK, 512, (u8[32]){ 0x08 }), 256 * 512);
}

Test(kmod_rawroute, lengths_of_tapes)
{
	cr_expect_eq(length(TYPE_TAPE, 512, (u8[32]){ 0x08, 0x00, 1, 0, 2 }), 0x10002);
	cr_expect_eq(length(TYPE_TAPE, 512, (u8[32]){ 0x08, 0x01, 0, 0, 2 }), 1024);
	cr_expect_eq(length(TYPE_TAPE, 0, (u8[32]){ 0x08, 0x01, 0, 0, 2 }), 777);
	cr_expect_eq(length(TYPE_TAPE, 512, (u8[32]){ 0x13, 0x01, 0, 0, 2 }), 0);
	cr_expect_eq(length(TYPE_TAPE, 512, (u8[32]){ 0x13, 0x02, 0, 0, 2 }), 2);
	cr_expect_eq(length(TYPE_TAPE, 512, (u8[32]){ 0x13, 0x03, 0, 0, 2 }), 1024);
	cr_expect_eq(length(TYPE_TAPE, 512, (u8[32]){ 0x05 }), 6);
	cr_expect_eq(length(TYPE_TAPE, 512, (u8[32]){ 0x05, 0x01 }), 20);
}

Test(kmod_rawroute, lengths_by_rules_of_their_own)
{
	cr_expect_eq(length(TYPE_DISK, 512, (u8[32]){ 0x04 }), 0);
	cr_expect_eq(length(TYPE_DISK, 512, (u8[32]){ 0x04, 0x10 }), 777);
	cr_expect_eq(length(TYPE_DISK, 512, (u8[32]){ 0x2f, 0x00, [8] = 4 }), 0);
	cr_expect_eq(length(TYPE_DISK, 512, (u8[32]){ 0x2f, 0x02, [8] = 4 }), 2048);
	cr_expect_eq(length(TYPE_DISK, 512, (u8[32]){ 0x2f, 0x06, [8] = 4 }), 512);
	cr_expect_eq(length(TYPE_DISK, 512, (u8[32]){ 0x2f, 0x06 }), 0);
	cr_expect_eq(length(TYPE_DISK, 512, (u8[32]){ 0x41, 0x08, [8] = 4 }), 512);
	cr_expect_eq(length(TYPE_DISK, 512, (u8[32]){ 0x93, 0x01, [13] = 4 }), 0);
	cr_expect_eq(length(TYPE_DISK, 512, (u8[32]){ 0x89, [13] = 4 }), 4096);
	cr_expect_eq(length(TYPE_DISK, 512, (u8[32]){ 0xa2, [9] = 4 }), 4);
	cr_expect_eq(length(TYPE_DISK, 512, (u8[32]){ 0xa2, [4] = 0x80, [9] = 4 }), 2048);
}

Test(kmod_rawroute, ata_pass_through_says_direction_and_length)
{
	u8 read_12[32] = { 0xa1, 0x08, 0x0e, 0x00, 3 };			/* T_DIR, BYT_BLOK, SECTOR_COUNT */
	u8 write_16[32] = { 0x85, 0x01, 0x05, 0x01, 0x02, 0x09, 0x09 }; /* EXTEND, BYT_BLOK, FEATURES */
	u8 bytes[32] = { 0xa1, 0x08, 0x09, 5, 3 };			/* T_DIR, FEATURES */
	u8 logical[32] = { 0xa1, 0x08, 0x1e, 0x00, 3 };			/* likewise, T_TYPE */
	u8 none[32] = { 0xa1, 0x06, 0x20 };
	const struct scuse_raw_entry *entry = scuse_raw_find(TYPE_DISK, 0xa1, 0);

	cr_expect_eq(length(TYPE_DISK, 4096, read_12), 3 * 512);
	cr_expect_eq(scuse_raw_flags(entry, read_12), SCUSE_RAW_IN);
	cr_expect_eq(length(TYPE_DISK, 4096, write_16), 0x102 * 512);
	cr_expect_eq(scuse_raw_flags(entry, write_16), SCUSE_RAW_OUT);
	cr_expect_eq(length(TYPE_DISK, 4096, bytes), 5);
	cr_expect_eq(length(TYPE_DISK, 4096, logical), 3 * 4096);
	cr_expect_eq(length(TYPE_DISK, 4096, none), 0);
}

Test(kmod_rawroute, which_lengths_depend_on_the_block_length)
{
	const struct scuse_raw_entry *read = scuse_raw_find(TYPE_TAPE, 0x08, 0);

	cr_expect(scuse_raw_needs_block(read, (u8[32]){ 0x08, 0x01, 0, 0, 2 }));
	cr_expect(!scuse_raw_needs_block(read, (u8[32]){ 0x08, 0x00, 0, 0, 2 }));
	cr_expect(!scuse_raw_needs_block(read, (u8[32]){ 0x08, 0x01 }));
	cr_expect(scuse_raw_needs_block(scuse_raw_find(TYPE_DISK, 0x28, 0), (u8[32]){ 0x28, [8] = 1 }));
	cr_expect(!scuse_raw_needs_block(scuse_raw_find(TYPE_DISK, 0x25, 0), (u8[32]){ 0x25 }));
}

static bool refused(u32 type, const u8 *cdb, u16 *byte, u8 *bit)
{
	return scuse_raw_field_refused(type, scuse_raw_find(type, cdb[0], scuse_raw_action(cdb)), cdb, byte,
				       bit);
}

Test(kmod_rawroute, naca_and_link_are_refused)
{
	u16 byte;
	u8 bit;

	cr_expect(!refused(TYPE_DISK, (u8[32]){ 0x00, [5] = 0xc0 }, &byte, &bit),
		  "vendor specific bits pass");
	cr_expect(refused(TYPE_DISK, (u8[32]){ 0x00, [5] = 0x04 }, &byte, &bit));
	cr_expect_eq(byte, 5);
	cr_expect_eq(bit, 2);
	cr_expect(refused(TYPE_DISK, (u8[32]){ 0x28, [9] = 0x01 }, &byte, &bit));
	cr_expect_eq(byte, 9);
	cr_expect_eq(bit, 0);
	cr_expect(refused(TYPE_CHANGER, (u8[32]){ 0xa5, [11] = 0x04 }, &byte, &bit));
	cr_expect_eq(byte, 11);
	cr_expect(refused(TYPE_DISK, (u8[32]){ 0x93, [15] = 0x04 }, &byte, &bit));
	cr_expect_eq(byte, 15);
}

Test(kmod_rawroute, protection_information_is_refused)
{
	u16 byte;
	u8 bit;

	cr_expect(refused(TYPE_DISK, (u8[32]){ 0x28, 0x20 }, &byte, &bit));
	cr_expect_eq(byte, 1);
	cr_expect_eq(bit, 5);
	cr_expect(!refused(TYPE_DISK, (u8[32]){ 0x28, 0x18 }, &byte, &bit), "DPO, FUA");
	cr_expect(!refused(TYPE_DISK, (u8[32]){ 0x08, 0x1f }, &byte, &bit));
	cr_expect(refused(TYPE_DISK, (u8[32]){ 0x2f, 0x80 }, &byte, &bit));
	cr_expect(!refused(TYPE_TAPE, (u8[32]){ 0x08, 0xe0 }, &byte, &bit));
}
