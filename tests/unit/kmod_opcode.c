// SPDX-License-Identifier: GPL-2.0-only
/* The table of commands and its look-ups (kmod/opcode.[ch], kmod/optable.c). */
#include <criterion/criterion.h>
#include "opcode.h"
#include "sense.h"

static void build_index(void)
{
	scuse_opcode_init();
}

TestSuite(kmod_opcode, .init = build_index);

/* A CDB that has all bits that it may have, and the codes of @entry. */
static void full_cdb(const struct scuse_opcode *entry, u8 *cdb)
{
	memcpy(cdb, entry->usage, 32);
	cdb[0] = entry->opcode;
	if (entry->opcode == SCUSE_VARIABLE_LENGTH) {
		cdb[7] = (u8)(entry->cdb_length - 8);
		cdb[8] = (u8)(entry->action >> 8);
		cdb[9] = (u8)entry->action;
	} else if (entry->action != SCUSE_NO_ACTION) {
		cdb[1] = (u8)((cdb[1] & 0xe0) | entry->action);
	}
}

/* SPC-4 4.2.5.1: the group code, the upper three bits, gives the length. */
static u32 group_length(u8 opcode)
{
	static const u8 lengths[8] = { 6, 10, 10, 32, 16, 12, 0, 0 };

	return lengths[opcode >> 5];
}

Test(kmod_opcode, sorted_and_unique)
{
	for (u32 i = 1; i < scuse_opcode_count; i++) {
		const struct scuse_opcode *a = &scuse_opcode_table[i - 1], *b = &scuse_opcode_table[i];

		cr_expect(a->opcode < b->opcode || (a->opcode == b->opcode && a->action < b->action),
			  "%02xh after %02xh", b->opcode, a->opcode);
		cr_expect(a->opcode != b->opcode || a->action != SCUSE_NO_ACTION);
	}
}

Test(kmod_opcode, every_entry_is_found_by_its_cdb)
{
	for (u32 i = 0; i < scuse_opcode_count; i++) {
		u8 cdb[32];

		full_cdb(&scuse_opcode_table[i], cdb);
		cr_expect_eq(scuse_opcode_find(cdb), &scuse_opcode_table[i], "%02xh", cdb[0]);
	}
}

Test(kmod_opcode, lengths_are_those_of_the_group)
{
	for (u32 i = 0; i < scuse_opcode_count; i++) {
		const struct scuse_opcode *entry = &scuse_opcode_table[i];

		cr_expect_eq(entry->cdb_length, group_length(entry->opcode), "%02xh", entry->opcode);
	}
}

Test(kmod_opcode, usage_maps)
{
	for (u32 i = 0; i < scuse_opcode_count; i++) {
		const struct scuse_opcode *entry = &scuse_opcode_table[i];
		u32 control = entry->opcode == SCUSE_VARIABLE_LENGTH ? 1 : entry->cdb_length - 1u;

		cr_expect_eq(entry->usage[0], 0xff);
		cr_expect_eq(entry->usage[control], 0, "%02xh: NACA and vendor bits are not evaluated",
			     entry->opcode);
		for (u32 at = entry->cdb_length; at < sizeof(entry->usage); at++)
			cr_expect_eq(entry->usage[at], 0, "%02xh: the map is longer than the CDB",
				     entry->opcode);
		for (u32 at = entry->count.at; at < entry->count.at + entry->count.size; at++)
			cr_expect_eq(entry->usage[at], 0xff, "%02xh: byte %u of the count", entry->opcode,
				     at);
		for (u32 at = entry->lba.at; at < entry->lba.at + entry->lba.size; at++)
			cr_expect_neq(entry->usage[at], 0, "%02xh: byte %u of the LBA", entry->opcode, at);
		if (entry->action != SCUSE_NO_ACTION && entry->opcode != SCUSE_VARIABLE_LENGTH)
			cr_expect_eq(entry->usage[1] & 0x1f, 0x1f, "%02xh: service action", entry->opcode);
	}
}

Test(kmod_opcode, directions)
{
	for (u32 i = 0; i < scuse_opcode_count; i++) {
		const struct scuse_opcode *entry = &scuse_opcode_table[i];
		u32 both = SCUSE_OPCODE_IN | SCUSE_OPCODE_OUT;

		cr_expect_neq(entry->flags & both, both, "%02xh", entry->opcode);
		if (entry->data != SCUSE_LENGTH_NONE && entry->data != SCUSE_LENGTH_CORE)
			cr_expect_neq(entry->flags & both, 0, "%02xh has data without a direction",
				      entry->opcode);
		if (entry->data == SCUSE_LENGTH_BYTES || entry->data == SCUSE_LENGTH_BLOCKS ||
		    entry->data == SCUSE_LENGTH_TWICE)
			cr_expect_neq(entry->count.size, 0, "%02xh: a length without a field", entry->opcode);
	}
}

/* Each reserved bit of each command, alone, is named. */
Test(kmod_opcode, reserved_bits)
{
	for (u32 i = 0; i < scuse_opcode_count; i++) {
		const struct scuse_opcode *entry = &scuse_opcode_table[i];
		u8 cdb[32];
		u16 byte;
		u8 bit;

		full_cdb(entry, cdb);
		cr_expect_not(scuse_opcode_reserved(entry, cdb, &byte, &bit), "%02xh: byte %u", entry->opcode,
			      byte);
		for (u32 at = 1; at < entry->cdb_length; at++) {
			for (u32 b = 0; b < 8; b++) {
				if (entry->usage[at] & 1u << b)
					continue;
				full_cdb(entry, cdb);
				cdb[at] |= (u8)(1u << b);
				cr_expect(scuse_opcode_reserved(entry, cdb, &byte, &bit));
				cr_expect_eq(byte, at);
				cr_expect_eq(bit, b);
			}
		}
	}
}

/* What a fabric leaves behind a CDB is not part of it. */
Test(kmod_opcode, bytes_behind_the_cdb_do_not_count)
{
	u8 cdb[32] = { 0x00, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	u16 byte;
	u8 bit;

	cr_assert_not_null(scuse_opcode_find(cdb));
	cr_expect_not(scuse_opcode_reserved(scuse_opcode_find(cdb), cdb, &byte, &bit));
}

Test(kmod_opcode, variable_length_must_fit)
{
	u8 cdb[32] = { 0x7f, 0, 0, 0, 0, 0, 0, 0x17, 0x00, 0x0d };
	const struct scuse_opcode *entry;
	u16 byte;
	u8 bit;

	entry = scuse_opcode_find(cdb);
	cr_assert_not_null(entry);
	cr_expect(scuse_opcode_reserved(entry, cdb, &byte, &bit));
	cr_expect_eq(byte, 7);
	cr_expect_eq(bit, SCUSE_SENSE_NO_BIT);
	cdb[7] = 0x18;
	cr_expect_not(scuse_opcode_reserved(entry, cdb, &byte, &bit));
}

Test(kmod_opcode, unknown)
{
	const u8 code[32] = { 0x01 };
	const u8 action[32] = { 0x5e, 0x1f };

	cr_expect_null(scuse_opcode_find(code));
	cr_expect_null(scuse_opcode_find(action));
}

Test(kmod_opcode, numbers)
{
	const u8 read6[32] = { 0x08, 0xff, 0x12, 0x34, 0x00 };
	const u8 read10[32] = { 0x28, 0, 0x12, 0x34, 0x56, 0x78, 0, 0xab, 0xcd };
	const u8 read16[32] = { 0x88, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0xff, 0xff, 0xff, 0xff };
	const struct scuse_opcode *entry;

	entry = scuse_opcode_find(read6);
	cr_expect_eq(scuse_opcode_number(entry, &entry->lba, read6), 0x1f1234);
	cr_expect_eq(scuse_opcode_number(entry, &entry->count, read6), 256);
	entry = scuse_opcode_find(read10);
	cr_expect_eq(scuse_opcode_number(entry, &entry->lba, read10), 0x12345678);
	cr_expect_eq(scuse_opcode_number(entry, &entry->count, read10), 0xabcd);
	entry = scuse_opcode_find(read16);
	cr_expect_eq(scuse_opcode_number(entry, &entry->lba, read16), 0x0102030405060708);
	cr_expect_eq(scuse_opcode_number(entry, &entry->count, read16), 0xffffffff);
}
