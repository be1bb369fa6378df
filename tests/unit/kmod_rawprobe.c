// SPDX-License-Identifier: GPL-2.0-only
/* The questions to a device about itself, and its answers (kmod/rawprobe.h). */
#include <criterion/criterion.h>
#include <stdlib.h>
#include "rawprobe.h"

/* A heap block of exactly @length bytes, so that a checker sees reads beyond it. */
static void answer(struct scuse_probe *probe, const u8 *data, u32 length)
{
	u8 *exact = malloc(length ? length : 1);

	cr_assert_not_null(exact);
	memcpy(exact, data, length);
	scuse_probe_answer(probe, exact, length);
	free(exact);
}

static u8 next_opcode(const struct scuse_probe *probe)
{
	struct scuse_probe_command command;

	cr_assert(scuse_probe_command(probe, &command));
	return command.cdb[0];
}

static bool done(const struct scuse_probe *probe)
{
	struct scuse_probe_command command;

	return !scuse_probe_command(probe, &command);
}

static const u8 capacity[8] = { 0, 0, 0x0f, 0xff, 0, 0, 2, 0 };
static const u8 control[16] = { 15, 0x00, 0x80, 0, 0x0a, 10, 0x06, 0, 0x08 };
static const u8 tape_fixed[12] = { 11, 0x18, 0x10, 8, 0x44, 0, 0, 0, 0, 0, 0x28, 0x00 };

Test(kmod_rawprobe, disk)
{
	struct scuse_probe probe;

	scuse_probe_start(&probe, SCUSE_TYPE_DISK);
	cr_expect_eq(next_opcode(&probe), 0x25);
	answer(&probe, capacity, sizeof(capacity));
	cr_expect_eq(next_opcode(&probe), 0x1a);
	answer(&probe, control, sizeof(control));
	cr_expect(done(&probe));
	cr_expect(probe.facts.has_blocks);
	cr_expect_eq(probe.facts.blocks, 0x1000);
	cr_expect_eq(probe.facts.block_length, 512);
	cr_expect(probe.facts.has_mode && probe.facts.write_protected);
	cr_expect(probe.facts.has_control && probe.facts.d_sense && probe.facts.swp);
	cr_expect_arr_eq(probe.facts.control, &control[4], 12);
}

Test(kmod_rawprobe, large_disk)
{
	static const u8 unknown[8] = { 0xff, 0xff, 0xff, 0xff, 0, 0, 2, 0 };
	static const u8 large[32] = { 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x10, 0 };
	struct scuse_probe_command command;
	struct scuse_probe probe;

	scuse_probe_start(&probe, SCUSE_TYPE_ZONED);
	answer(&probe, unknown, sizeof(unknown));
	cr_assert(scuse_probe_command(&probe, &command));
	cr_expect_eq(command.cdb[0], 0x9e);
	cr_expect_eq(command.cdb[1], 0x10);
	cr_expect_eq(command.cdb[13], command.length);
	answer(&probe, large, sizeof(large));
	cr_expect_eq(probe.facts.blocks, 0x100000001ull);
	cr_expect_eq(probe.facts.block_length, 4096);
	cr_expect_eq(probe.stage, SCUSE_PROBE_MODE);
}

Test(kmod_rawprobe, capacity_that_makes_no_sense)
{
	static const u8 all[12] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 2, 0 };
	static const u8 empty[8] = { 0, 0, 0, 9, 0, 0, 0, 0 };
	struct scuse_probe probe;

	scuse_probe_start(&probe, SCUSE_TYPE_DISK);
	answer(&probe, capacity, 7);
	cr_expect_eq(next_opcode(&probe), 0x9e);
	answer(&probe, all, sizeof(all));
	cr_expect_not(probe.facts.has_blocks);
	cr_expect_eq(next_opcode(&probe), 0x1a);

	scuse_probe_start(&probe, SCUSE_TYPE_DISK);
	answer(&probe, empty, sizeof(empty));
	cr_expect_not(probe.facts.has_blocks);
}

Test(kmod_rawprobe, no_medium)
{
	struct scuse_probe probe;

	scuse_probe_start(&probe, SCUSE_TYPE_CD);
	cr_expect_eq(next_opcode(&probe), 0x25);
	scuse_probe_failed(&probe);
	cr_expect_eq(next_opcode(&probe), 0x5a);
	scuse_probe_failed(&probe);
	cr_expect(done(&probe));
	cr_expect_not(probe.facts.has_blocks);
	cr_expect_not(probe.facts.has_mode);
}

Test(kmod_rawprobe, tape)
{
	struct scuse_probe probe;

	scuse_probe_start(&probe, SCUSE_TYPE_TAPE);
	cr_expect_eq(next_opcode(&probe), 0x1a);
	answer(&probe, tape_fixed, sizeof(tape_fixed));
	cr_expect(done(&probe));
	cr_expect(probe.facts.has_blocks);
	cr_expect_eq(probe.facts.block_length, 0x2800);
	cr_expect_eq(probe.facts.density, 0x44);
	cr_expect_eq(probe.facts.medium_type, 0x18);
	cr_expect_not(probe.facts.write_protected);
	cr_expect_not(probe.facts.has_control);
}

Test(kmod_rawprobe, variable_blocks)
{
	static const u8 variable[24] = { 23, 0, 0x90, 8, 0x44, [12] = 0x0a, 10 };
	struct scuse_probe probe;

	scuse_probe_start(&probe, SCUSE_TYPE_TAPE);
	answer(&probe, variable, sizeof(variable));
	cr_expect(probe.facts.has_blocks);
	cr_expect_eq(probe.facts.block_length, 0);
	cr_expect(probe.facts.write_protected);
	cr_expect(probe.facts.has_control);
	cr_expect_not(probe.facts.d_sense);
}

Test(kmod_rawprobe, forms_of_a_tape)
{
	static const u8 bare[4] = { 3, 0, 0, 0 };
	static const u8 longer[16] = { 0, 14, 0, 0x80, 0, 0, 0, 8, 0x44, 0, 0, 0, 0, 0, 2, 0 };
	struct scuse_probe_command command;
	struct scuse_probe probe;

	scuse_probe_start(&probe, SCUSE_TYPE_TAPE);
	scuse_probe_refused(&probe);
	cr_assert(scuse_probe_command(&probe, &command));
	cr_expect(command.cdb[0] == 0x1a && command.cdb[2] == 0);
	/* Without a block descriptor it says nothing. */
	answer(&probe, bare, sizeof(bare));
	cr_assert(scuse_probe_command(&probe, &command));
	cr_expect(command.cdb[0] == 0x5a && command.cdb[2] == 0x0a);
	cr_expect_eq(command.cdb[8], command.length);
	answer(&probe, longer, sizeof(longer));
	cr_expect(done(&probe));
	cr_expect_eq(probe.facts.block_length, 512);
	cr_expect(probe.facts.write_protected);
}

Test(kmod_rawprobe, nothing_is_known)
{
	struct scuse_probe probe;
	int steps = 0;

	scuse_probe_start(&probe, SCUSE_TYPE_DISK);
	for (; !done(&probe) && steps < 10; steps++)
		scuse_probe_refused(&probe);
	cr_expect_eq(steps, 5); /* two of capacity, three of modes */
	cr_expect_not(probe.facts.has_blocks);
}

Test(kmod_rawprobe, other_types)
{
	struct scuse_probe probe;

	scuse_probe_start(&probe, 0x08);
	cr_expect_eq(next_opcode(&probe), 0x1a);
	cr_expect_not(scuse_probe_has_blocks(0x08));
	cr_expect_not(scuse_probe_has_blocks(0x0d));
	cr_expect(scuse_probe_has_blocks(SCUSE_TYPE_TAPE));
	cr_expect(scuse_probe_has_blocks(SCUSE_TYPE_CD));
}

Test(kmod_rawprobe, control_page_among_others)
{
	static const u8 pages[] = { 37,	  0,  0,    0,		   /* header */
				    0x81, 2,  0,    0,		   /* page 01h */
				    0x4a, 1,  0,    2, 0xff, 0xff, /* subpage 0Ah/01h, which is not it */
				    0x8a, 10, 0x04, 0, 0,    0,	   0, 0, 0, 0, 0, 0, 0x1c, 10 };
	struct scuse_probe probe;

	scuse_probe_start(&probe, SCUSE_TYPE_DISK);
	probe.stage = SCUSE_PROBE_MODE;
	answer(&probe, pages, sizeof(pages));
	cr_expect(probe.facts.has_control);
	cr_expect(probe.facts.d_sense);
	cr_expect_not(probe.facts.swp);
}

Test(kmod_rawprobe, lengths_that_lie)
{
	u8 data[SCUSE_PROBE_LENGTH];

	for (u32 fill = 0; fill < 256; fill++) {
		for (u32 length = 0; length <= 24; length++) {
			struct scuse_probe probe;

			memset(data, (int)fill, sizeof(data));
			scuse_probe_start(&probe, SCUSE_TYPE_TAPE);
			answer(&probe, data, length);
			scuse_probe_start(&probe, SCUSE_TYPE_CD);
			probe.stage = SCUSE_PROBE_MODE;
			answer(&probe, data, length);
		}
	}
}

Test(kmod_rawprobe, unit_attentions_start_over)
{
	struct scuse_probe probe;

	scuse_probe_start(&probe, SCUSE_TYPE_DISK);
	answer(&probe, capacity, sizeof(capacity));
	cr_assert(scuse_probe_attention(&probe));
	cr_expect_eq(next_opcode(&probe), 0x25);
	cr_expect_not(probe.facts.has_blocks);
	for (int i = 1; i < SCUSE_PROBE_ATTENTIONS; i++)
		cr_assert(scuse_probe_attention(&probe));
	cr_expect_not(scuse_probe_attention(&probe));
}
