// SPDX-License-Identifier: LGPL-2.1-or-later
/* The vtape handler, command by command: statuses, sense data, residuals, positions, parameter data. */
#include <criterion/criterion.h>
#include <string.h>
#include <unistd.h>

#include <scuse/handler.h>

#include "vtape_rig.h"

#define GOOD  0
#define CHECK 2
#define MARK  0x80
#define EOM   0x40
#define ILI   0x20

#define NO_SENSE	  0x000000
#define FILEMARK	  0x000001
#define END_OF_PARTITION  0x000002
#define BEGINNING	  0x000004
#define BLANK_CHECK	  0x080005
#define OVERFLOW	  0x0d0002
#define NOT_PRESENT	  0x023a00
#define INVALID_CDB	  0x052400
#define INVALID_PARAMETER 0x052600
#define WRITE_PROTECTED	  0x072700

static unsigned char data[1 << 20];

#define expect_fails(call, wanted_bits, wanted_sense, wanted_residual)                            \
	do {                                                                                      \
		cr_expect_eq(call, CHECK);                                                        \
		cr_expect_eq(tape->sense, (uint32_t)(wanted_sense), "sense %06x instead of %06x", \
			     tape->sense, (unsigned int)(wanted_sense));                          \
		cr_expect_eq(tape->bits, (wanted_bits), "bits %02x", tape->bits);                 \
		cr_expect(tape->has_residual);                                                    \
		cr_expect_eq(tape->residual, (wanted_residual), "residual %d", tape->residual);   \
	} while (0)

#define expect_sense(call, wanted)                                                                       \
	do {                                                                                             \
		cr_expect_eq(call, CHECK);                                                               \
		cr_expect_eq(tape->sense, (uint32_t)(wanted), "sense %06x instead of %06x", tape->sense, \
			     (unsigned int)(wanted));                                                    \
	} while (0)

#define expect_position(object, file_number)                                         \
	do {                                                                         \
		uint64_t file_;                                                      \
		cr_expect_eq(tape_position(tape, &file_, NULL), (uint64_t)(object)); \
		cr_expect_eq(file_, (uint64_t)(file_number));                        \
	} while (0)

static void fill(unsigned int seed, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		data[i] = (unsigned char)(seed * 29 + i * 7 + i / 251);
}

static void expect_data(struct tape *tape, unsigned int seed, uint32_t length)
{
	cr_expect_eq(tape->data_in, length, "%u bytes", (unsigned int)tape->data_in);
	fill(seed, length);
	cr_expect_eq(memcmp(tape->data, data, length), 0, "wrong data");
}

static void write_record(struct tape *tape, unsigned int seed, uint32_t length)
{
	fill(seed, length);
	cr_assert_eq(tape_write(tape, data, length), GOOD);
}

/* record 0 (100 bytes), record 1 (1000), filemark 2, record 3 (5), filemarks 4 and 5. */
static struct tape *new_sample(void)
{
	struct tape *tape = tape_new("capacity=64M");

	write_record(tape, 0, 100);
	write_record(tape, 1, 1000);
	cr_assert_eq(tape_marks(tape, 1), GOOD);
	write_record(tape, 3, 5);
	cr_assert_eq(tape_marks(tape, 2), GOOD);
	expect_position(6, 3);
	cr_assert_eq(tape_rewind(tape), GOOD);
	return tape;
}

/* ---- reading and writing ---- */

Test(vtape, variable_records)
{
	struct tape *tape = new_sample();

	cr_expect_eq(tape_read(tape, 100), GOOD);
	expect_data(tape, 0, 100);
	expect_fails(tape_read(tape, 64), ILI, NO_SENSE, 64 - 1000);
	expect_data(tape, 1, 64);
	expect_fails(tape_read(tape, 64), MARK, FILEMARK, 64);
	expect_position(3, 1);
	expect_fails(tape_read(tape, 64), ILI, NO_SENSE, 59);
	expect_data(tape, 3, 5);
	cr_expect_eq(tape_space(tape, 3, 0), GOOD);
	expect_fails(tape_read(tape, 64), 0, BLANK_CHECK, 64);
	expect_position(6, 3);
	tape_free(tape);
}

Test(vtape, incorrect_lengths_can_be_suppressed)
{
	struct tape *tape = new_sample();

	cr_expect_eq(tape_cdb(tape, 200, 0x08, 2, 0, 0, 200, 0), GOOD);
	cr_expect_eq(tape->data_in, 100);
	cr_expect_eq(tape_cdb(tape, 200, 0x08, 2, 0, 0, 200, 0), GOOD);
	cr_expect_eq(tape->data_in, 200);
	cr_expect_eq(tape_rewind(tape), GOOD);
	cr_expect_eq(tape_set_block(tape, 512), GOOD);
	cr_expect_eq(tape_cdb(tape, 200, 0x08, 2, 0, 0, 200, 0), GOOD);
	expect_fails(tape_cdb(tape, 200, 0x08, 2, 0, 0, 200, 0), ILI, NO_SENSE, 200 - 1000);
	expect_sense(tape_cdb(tape, 1024, 0x08, 3, 0, 0, 2, 0), INVALID_CDB);
	tape_free(tape);
}

Test(vtape, fixed_blocks)
{
	struct tape *tape = tape_new("capacity=64M");

	expect_sense(tape_write_fixed(tape, data, 1, 512), INVALID_CDB);
	cr_assert_eq(tape_set_block(tape, 512), GOOD);
	fill(7, 5 * 512);
	cr_expect_eq(tape_write_fixed(tape, data, 5, 512), GOOD);
	cr_expect_eq(tape_write(tape, data, 300), GOOD);
	cr_expect_eq(tape_marks(tape, 1), GOOD);
	expect_position(7, 1);
	cr_expect_eq(tape_rewind(tape), GOOD);
	cr_expect_eq(tape_read_fixed(tape, 5, 512), GOOD);
	expect_data(tape, 7, 5 * 512);
	expect_fails(tape_read_fixed(tape, 3, 512), ILI, NO_SENSE, 3);
	expect_position(6, 0);
	cr_expect_eq(tape_locate(tape, 3), GOOD);
	expect_fails(tape_read_fixed(tape, 8, 512), ILI, NO_SENSE, 6);
	cr_expect_eq(tape->data_in, 1024);
	expect_fails(tape_read_fixed(tape, 8, 512), MARK, FILEMARK, 8);
	expect_fails(tape_read_fixed(tape, 8, 512), 0, BLANK_CHECK, 8);
	tape_free(tape);
}

Test(vtape, nothing_is_nothing)
{
	struct tape *tape = new_sample();

	cr_expect_eq(tape_read(tape, 0), GOOD);
	cr_expect_eq(tape_write(tape, data, 0), GOOD);
	cr_expect_eq(tape_marks(tape, 0), GOOD);
	cr_expect_eq(tape_space(tape, 0, 0), GOOD);
	expect_position(0, 0);
	cr_expect_eq(tape_read(tape, 100), GOOD);
	tape_free(tape);
}

Test(vtape, writing_ends_the_data)
{
	struct tape *tape = new_sample();

	cr_assert_eq(tape_locate(tape, 1), GOOD);
	write_record(tape, 9, 1000);
	expect_fails(tape_read(tape, 10), 0, BLANK_CHECK, 10);
	expect_fails(tape_space(tape, 1, 1), 0, BLANK_CHECK, 1);
	cr_expect_eq(tape_space(tape, 0, -1), GOOD);
	cr_expect_eq(tape_read(tape, 1000), GOOD);
	expect_data(tape, 9, 1000);
	tape_free(tape);
}

Test(vtape, erase_ends_the_data)
{
	struct tape *tape = new_sample();

	cr_assert_eq(tape_locate(tape, 3), GOOD);
	cr_expect_eq(tape_cdb(tape, 0, 0x19, 1, 0, 0, 0, 0), GOOD);
	expect_fails(tape_read(tape, 10), 0, BLANK_CHECK, 10);
	cr_expect_eq(tape_rewind(tape), GOOD);
	cr_expect_eq(tape_cdb(tape, 0, 0x93, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0), GOOD);
	cr_expect_eq(tape_space(tape, 3, 0), GOOD);
	expect_position(1, 0);
	tape_free(tape);
}

Test(vtape, explicit_addresses)
{
	struct tape *tape = new_sample();
	uint8_t write[16] = { 0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 77 };

	cr_expect_eq(tape_cdb(tape, 1000, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 3, 0xe8, 0), GOOD);
	expect_data(tape, 1, 1000);
	expect_sense(tape_cdb(tape, 10, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 99, 0, 0, 10, 0), BLANK_CHECK);
	expect_sense(tape_cdb(tape, 10, 0x88, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0), INVALID_CDB);
	fill(4, 77);
	cr_expect_eq(tape_command(tape, write, 16, data, 77), GOOD);
	cr_expect_eq(tape_cdb(tape, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0, 2, 0), GOOD);
	expect_position(6, 3);
	tape_free(tape);
}

Test(vtape, verify)
{
	struct tape *tape = new_sample();

	cr_expect_eq(tape_cdb(tape, 0, 0x13, 0, 0, 0, 100, 0), GOOD);
	expect_fails(tape_cdb(tape, 0, 0x13, 0, 0, 0, 100, 0), ILI, NO_SENSE, -900);
	expect_fails(tape_cdb(tape, 0, 0x13, 0, 0, 0, 100, 0), MARK, FILEMARK, 100);
	expect_sense(tape_cdb(tape, 0, 0x13, 2, 0, 0, 100, 0), INVALID_CDB);
	tape_free(tape);
}

/* ---- positions ---- */

Test(vtape, space_over_records)
{
	struct tape *tape = new_sample();

	cr_expect_eq(tape_space(tape, 0, 2), GOOD);
	expect_fails(tape_space(tape, 0, 5), MARK, FILEMARK, 5);
	expect_position(3, 1);
	expect_fails(tape_space(tape, 0, 5), MARK, FILEMARK, 4);
	expect_position(5, 2);
	expect_fails(tape_space(tape, 0, -3), MARK, FILEMARK, 3);
	expect_position(4, 1);
	expect_fails(tape_space(tape, 0, -3), MARK, FILEMARK, 2);
	expect_position(2, 0);
	expect_fails(tape_space(tape, 0, -3), EOM, BEGINNING, 1);
	expect_position(0, 0);
	cr_expect_eq(tape_space(tape, 3, 0), GOOD);
	expect_fails(tape_space(tape, 0, 1), 0, BLANK_CHECK, 1);
	tape_free(tape);
}

Test(vtape, space_over_filemarks)
{
	struct tape *tape = new_sample();

	cr_expect_eq(tape_space(tape, 1, 2), GOOD);
	expect_position(5, 2);
	expect_fails(tape_space(tape, 1, 4), 0, BLANK_CHECK, 3);
	expect_position(6, 3);
	cr_expect_eq(tape_space(tape, 1, -2), GOOD);
	expect_position(4, 1);
	expect_fails(tape_space(tape, 1, -2), EOM, BEGINNING, 1);
	expect_position(0, 0);
	cr_expect_eq(tape_space(tape, 2, 2), GOOD);
	expect_position(6, 3);
	cr_expect_eq(tape_space(tape, 2, -2), GOOD);
	expect_position(4, 1);
	expect_fails(tape_space(tape, 2, -2), EOM, BEGINNING, 2);
	expect_fails(tape_space(tape, 2, 3), 0, BLANK_CHECK, 3);
	expect_sense(tape_space(tape, 4, 1), INVALID_CDB);
	tape_free(tape);
}

Test(vtape, locate)
{
	struct tape *tape = new_sample();

	cr_expect_eq(tape_cdb(tape, 0, 0x2b, 0, 0, 0, 0, 0, 4, 0, 0, 0), GOOD);
	expect_position(4, 1);
	cr_expect_eq(tape_cdb(tape, 0, 0x2b, 4, 0, 0, 0, 0, 6, 0, 0, 0), GOOD);
	expect_sense(tape_cdb(tape, 0, 0x2b, 0, 0, 0, 0, 0, 7, 0, 0, 0), BLANK_CHECK);
	expect_position(6, 3);
	cr_expect_eq(tape_cdb(tape, 0, 0x92, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0), GOOD);
	expect_position(3, 1);
	expect_sense(tape_cdb(tape, 0, 0x92, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0), BLANK_CHECK);
	cr_expect_eq(tape_cdb(tape, 0, 0x92, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), GOOD);
	expect_position(0, 0);
	cr_expect_eq(tape_cdb(tape, 0, 0x92, 0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), GOOD);
	expect_position(6, 3);
	expect_sense(tape_cdb(tape, 0, 0x92, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), INVALID_CDB);
	expect_sense(tape_cdb(tape, 0, 0x2b, 2, 0, 0, 0, 0, 0, 0, 1, 0), INVALID_CDB);
	tape_free(tape);
}

Test(vtape, read_position_forms)
{
	struct tape *tape = new_sample();

	cr_expect_eq(tape_cdb(tape, 20, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0), GOOD);
	cr_expect_eq(tape->data_in, 20);
	cr_expect_eq(tape->data[0], 0x80);
	cr_assert_eq(tape_locate(tape, 4), GOOD);
	cr_expect_eq(tape_cdb(tape, 20, 0x34, 1, 0, 0, 0, 0, 0, 0, 0, 0), GOOD);
	cr_expect(tape->data[0] == 0 && tape->data[7] == 4 && tape->data[11] == 4);
	cr_expect_eq(tape_cdb(tape, 32, 0x34, 8, 0, 0, 0, 0, 0, 0, 32, 0), GOOD);
	cr_expect(tape->data_in == 32 && tape->data[3] == 28 && tape->data[15] == 4 && tape->data[23] == 4);
	expect_sense(tape_cdb(tape, 32, 0x34, 2, 0, 0, 0, 0, 0, 0, 32, 0), INVALID_CDB);
	tape_free(tape);
}

/* Spaces over more records than the index has places for. */
Test(vtape, many_records)
{
	struct tape *tape = tape_new("capacity=64M");

	for (unsigned int i = 0; i < 3000; i++)
		write_record(tape, i, 1 + i % 40);
	for (unsigned int i = 0; i < 3000; i += 173) {
		cr_assert_eq(tape_locate(tape, i), GOOD);
		cr_assert_eq(tape_read(tape, 1 + i % 40), GOOD);
		expect_data(tape, i, 1 + i % 40);
	}
	cr_expect_eq(tape_space(tape, 0, -2900), GOOD);
	cr_expect_lt(tape_position(tape, NULL, NULL), 100);
	tape_free(tape);
}

/* ---- the end of the tape ---- */

/* 64 KiB records: the warning comes in the last quarter of the megabyte, the end behind it. */
Test(vtape, early_warning_and_end)
{
	struct tape *tape = tape_new("capacity=1M\nearly-warning=256k");
	unsigned int before = 0, after = 0;

	while (tape_write(tape, data, 65536) == GOOD && before < 100)
		before++;
	expect_fails(2, EOM, END_OF_PARTITION, 0);
	cr_expect_eq(before, 11);
	while (tape_write(tape, data, 65536) == CHECK && tape->sense == END_OF_PARTITION && after < 100)
		after++;
	cr_expect_eq(after, 3);
	expect_fails(2, EOM, OVERFLOW, 65536);
	expect_fails(tape_marks(tape, 1), EOM, END_OF_PARTITION, 0);
	cr_expect_eq(tape_cdb(tape, 20, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0), GOOD);
	cr_expect_eq(tape->data[0] & 0x40, 0x40);
	cr_expect_eq(tape_space(tape, 0, -1) ? tape->bits : MARK, MARK);
	cr_expect_eq(tape_rewind(tape), GOOD);
	for (unsigned int i = 0; i < before + 1 + after; i++)
		cr_expect_eq(tape_read(tape, 65536), GOOD);
	tape_free(tape);
}

Test(vtape, fixed_blocks_up_to_the_end)
{
	struct tape *tape = tape_new("capacity=1M\nearly-warning=0");

	cr_assert_eq(tape_set_block(tape, 1024), GOOD);
	cr_expect_eq(tape_write_fixed(tape, data, 900, 1024), GOOD);
	/* 1048576 / (1024 + 48) = 978 */
	expect_fails(tape_write_fixed(tape, data, 100, 1024), EOM, OVERFLOW, 22);
	expect_position(978, 0);
	tape_free(tape);
}

Test(vtape, programmable_early_warning)
{
	struct tape *tape = tape_new("capacity=4M\nearly-warning=256k");
	uint8_t list[8 + 32] = { [3] = 0x10, [8] = 0x50, 1, 0, 28, [14] = 0, 1 };
	unsigned int count = 0;

	cr_assert_eq(tape_command(tape, (const uint8_t[10]){ 0x55, 0x10, [8] = sizeof(list) }, 10, list,
				  sizeof(list)),
		     GOOD);
	while (tape_write(tape, data, 65536) == GOOD && count < 100)
		count++;
	expect_fails(2, 0, 0x000007, 0);
	cr_expect_eq(tape_write(tape, data, 65536), GOOD);
	cr_expect_eq(tape_cdb(tape, 20, 0x34, 0, 0, 0, 0, 0, 0, 0, 0, 0), GOOD);
	cr_expect_eq(tape->data[0], 0x01);
	tape_free(tape);
}

/* ---- protection ---- */

Test(vtape, worm_is_never_overwritten)
{
	struct tape *tape = tape_new("capacity=64M\nworm=true");

	write_record(tape, 1, 100);
	cr_expect_eq(tape_marks(tape, 1), GOOD);
	write_record(tape, 2, 100);
	cr_expect_eq(tape_rewind(tape), GOOD);
	expect_sense(tape_write(tape, data, 10), 0x07300c);
	expect_sense(tape_marks(tape, 1), 0x07300c);
	cr_expect_eq(tape_marks(tape, 0), GOOD);
	expect_sense(tape_cdb(tape, 0, 0x19, 1, 0, 0, 0, 0), 0x07300c);
	expect_sense(tape_cdb(tape, 0, 0x04, 0, 0, 0, 0, 0), 0x07300c);
	cr_expect_eq(tape_space(tape, 3, 0), GOOD);
	write_record(tape, 3, 100);
	cr_expect_eq(tape_cdb(tape, 255, 0x1a, 8, 0x1d, 0, 255, 0), GOOD);
	cr_expect_eq(tape->data[4 + 2], 1);
	tape_free(tape);
}

/* FORMAT MEDIUM at the beginning of an empty partition would take the other one with it. */
Test(vtape, worm_is_not_formatted_for_its_other_partition)
{
	struct tape *tape = tape_new("capacity=64M\nworm=true\npartitions=2");

	cr_expect_eq(tape_cdb(tape, 0, 0x2b, 2, 0, 0, 0, 0, 0, 0, 1, 0), GOOD);
	write_record(tape, 1, 100);
	cr_expect_eq(tape_cdb(tape, 0, 0x2b, 2, 0, 0, 0, 0, 0, 0, 0, 0), GOOD);
	expect_sense(tape_cdb(tape, 0, 0x04, 0, 0, 0, 0, 0), 0x07300c);
	cr_expect_eq(tape_cdb(tape, 0, 0x2b, 2, 0, 0, 0, 0, 0, 0, 1, 0), GOOD);
	cr_expect_eq(tape_read(tape, 100), GOOD);
	tape_free(tape);
}

Test(vtape, read_only_drives)
{
	struct tape *tape = new_sample();

	tape_close(tape);
	tape = tape_again(tape, "readonly=true\ncreate=false");
	expect_sense(tape_write(tape, data, 10), WRITE_PROTECTED);
	expect_sense(tape_marks(tape, 1), WRITE_PROTECTED);
	expect_sense(tape_cdb(tape, 0, 0x19, 0, 0, 0, 0, 0), WRITE_PROTECTED);
	cr_expect_eq(tape_cdb(tape, 255, 0x1a, 0, 0, 0, 255, 0), GOOD);
	cr_expect_eq(tape->data[2], 0x90);
	cr_expect_eq(tape_read(tape, 100), GOOD);
	tape_free(tape);
}

Test(vtape, removal_can_be_prevented)
{
	struct tape *tape = new_sample();

	cr_expect_eq(tape_cdb(tape, 0, 0x1e, 0, 0, 0, 1, 0), GOOD);
	tape->nexus = 2;
	cr_expect_eq(tape_cdb(tape, 0, 0x1e, 0, 0, 0, 1, 0), GOOD);
	cr_expect_eq(tape_cdb(tape, 0, 0x1e, 0, 0, 0, 0, 0), GOOD);
	expect_sense(tape_unload(tape), 0x055302);
	tape->nexus = 1;
	cr_expect_eq(tape_cdb(tape, 0, 0x1e, 0, 0, 0, 0, 0), GOOD);
	cr_expect_eq(tape_unload(tape), GOOD);
	tape_free(tape);
}

/* ---- loading ---- */

Test(vtape, unload_and_load)
{
	struct tape *tape = new_sample();

	cr_assert_eq(tape_unload(tape), GOOD);
	expect_sense(tape_cdb(tape, 0, 0, 0, 0, 0, 0, 0), NOT_PRESENT);
	expect_sense(tape_read(tape, 10), NOT_PRESENT);
	expect_sense(tape_rewind(tape), NOT_PRESENT);
	cr_expect_eq(tape_cdb(tape, 255, 0x1a, 0, 0x3f, 0, 255, 0), GOOD);
	cr_assert_eq(tape_load(tape), GOOD);
	cr_expect_eq(tape_cdb(tape, 0, 0, 0, 0, 0, 0, 0), GOOD);
	cr_expect_eq(tape_read(tape, 100), GOOD);
	expect_data(tape, 0, 100);
	tape_free(tape);
}

Test(vtape, a_cartridge_is_in_one_drive_only)
{
	struct tape *tape = new_sample();

	cr_expect_null(tape_try(tape->dir, ""));
	cr_expect(strstr(tape_error(), "is in another drive"), "%s", tape_error());
	tape_free(tape);
}

Test(vtape, messages)
{
	struct tape *tape = new_sample();

	tape_close(tape);
	cr_expect_null(tape_try("/nonexistent", "create=false"));
	cr_expect(strstr(tape_error(), "create=true makes"), "%s", tape_error());
	cr_expect_null(tape_try(tape->dir, "partitions=3"));
	cr_expect(strstr(tape_error(), "from 1 to 2"), "%s", tape_error());
	cr_expect_null(tape_try(tape->dir, "library=/tmp"));
	cr_expect(strstr(tape_error(), "either path="), "%s", tape_error());
	cr_expect_null(tape_try(tape->dir, "vendor=MUCHTOOLONG"));
	cr_expect(strstr(tape_error(), "longer than 8"), "%s", tape_error());
	cr_assert(truncate(tape->path, 100) == 0);
	cr_expect_null(tape_try(tape->dir, ""));
	cr_expect(strstr(tape_error(), "is no cartridge"), "%s", tape_error());
	tape_free(tape);
}

/* ---- partitions ---- */

/* MODE SELECT of the medium partition page: two partitions, `first` MB and the rest. */
static int plan_two(struct tape *tape, uint8_t first)
{
	uint8_t list[4 + 12] = { 0, 0, 0x10, 0, 0x11, 10, 1, 1, 0x34, 3, 6, 0, 0, first, 0xff, 0xff };

	return tape_command(tape, (const uint8_t[6]){ 0x15, 0x10, 0, 0, sizeof(list) }, 6, list,
			    sizeof(list));
}

Test(vtape, partitions)
{
	struct tape *tape = new_sample();
	uint32_t partition;

	cr_expect_eq(plan_two(tape, 8), GOOD);
	cr_expect_eq(tape_locate(tape, 1), GOOD);
	expect_sense(tape_cdb(tape, 0, 0x04, 0, 1, 0, 0, 0), 0x053b0c);
	cr_expect_eq(tape_rewind(tape), GOOD);
	cr_expect_eq(tape_cdb(tape, 0, 0x04, 0, 1, 0, 0, 0), GOOD);
	expect_fails(tape_read(tape, 10), 0, BLANK_CHECK, 10);
	write_record(tape, 1, 100);
	cr_expect_eq(tape_cdb(tape, 0, 0x2b, 2, 0, 0, 0, 0, 0, 0, 1, 0), GOOD);
	write_record(tape, 2, 200);
	cr_expect_eq(tape_position(tape, NULL, &partition), 1);
	cr_expect_eq(partition, 1);
	cr_expect_eq(tape_cdb(tape, 0, 0x92, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), GOOD);
	cr_expect_eq(tape_read(tape, 100), GOOD);
	expect_data(tape, 1, 100);
	tape_close(tape);
	tape = tape_again(tape, "");
	cr_expect_eq(tape_cdb(tape, 255, 0x1a, 8, 0x11, 0, 255, 0), GOOD);
	cr_expect(tape->data[4 + 3] == 1 && tape->data[4 + 9] == 7, "%u %u", tape->data[7], tape->data[13]);
	cr_expect_eq(tape_cdb(tape, 0, 0x2b, 2, 0, 0, 0, 0, 0, 0, 1, 0), GOOD);
	cr_expect_eq(tape_read(tape, 200), GOOD);
	expect_data(tape, 2, 200);
	tape_free(tape);
}

/* Writing partition 0 anew leaves partition 1 alone, and one may be full while the other is not. */
Test(vtape, partitions_are_independent)
{
	struct tape *tape = tape_new("capacity=2M\npartitions=2\nearly-warning=0");
	unsigned int count = 0;

	cr_expect_eq(tape_cdb(tape, 0, 0x2b, 2, 0, 0, 0, 0, 0, 0, 1, 0), GOOD);
	write_record(tape, 5, 3000);
	cr_expect_eq(tape_cdb(tape, 0, 0x2b, 2, 0, 0, 0, 0, 0, 0, 0, 0), GOOD);
	while (tape_write(tape, data, 65536) == GOOD && count < 100)
		count++;
	cr_expect_eq(tape->sense, OVERFLOW);
	cr_expect_eq(count, 15);
	cr_expect_eq(tape_rewind(tape), GOOD);
	write_record(tape, 6, 10);
	expect_fails(tape_read(tape, 10), 0, BLANK_CHECK, 10);
	cr_expect_eq(tape_cdb(tape, 0, 0x2b, 2, 0, 0, 0, 0, 0, 0, 1, 0), GOOD);
	cr_expect_eq(tape_read(tape, 3000), GOOD);
	expect_data(tape, 5, 3000);
	tape_free(tape);
}

Test(vtape, impossible_partitions_are_refused)
{
	struct tape *tape = tape_new("capacity=16M");
	uint8_t three[4 + 12] = { 0, 0, 0x10, 0, 0x11, 10, 1, 2, 0x3c, 3, 6 };

	expect_sense(tape_command(tape, (const uint8_t[6]){ 0x15, 0x10, 0, 0, 16 }, 6, three, 16),
		     INVALID_PARAMETER);
	cr_expect_eq(plan_two(tape, 200), GOOD);
	expect_sense(tape_cdb(tape, 0, 0x04, 0, 1, 0, 0, 0), INVALID_PARAMETER);
	expect_sense(tape_cdb(tape, 0, 0x04, 0, 3, 0, 0, 0), INVALID_CDB);
	tape_free(tape);
}

/* ---- mode, log and other parameter data ---- */

Test(vtape, mode_sense)
{
	struct tape *tape = tape_new("capacity=64M\ndensity=0x46");
	unsigned int at, last = 0;

	cr_assert_eq(tape_cdb(tape, 255, 0x1a, 0, 0x3f, 0xff, 255, 0), GOOD);
	cr_expect_eq(tape->data[0] + 1u, tape->data_in);
	cr_expect(tape->data[2] == 0x10 && tape->data[3] == 8 && tape->data[4] == 0x46);
	for (at = 12; at < tape->data_in;) {
		unsigned int page = tape->data[at] & 0x3f;

		cr_expect_geq(page, last);
		last = page;
		at += tape->data[at] & 0x40 ? 4u + tape->data[at + 3] : 2u + tape->data[at + 1];
	}
	cr_expect_eq(at, tape->data_in);
	cr_expect_eq(tape_cdb(tape, 255, 0x5a, 8, 0x10, 1, 0, 0, 0, 0, 255, 0), GOOD);
	cr_expect(tape->data_in == 40 && tape->data[8] == 0x50 && tape->data[7] == 0);
	expect_sense(tape_cdb(tape, 255, 0x1a, 0, 0x05, 0, 255, 0), INVALID_CDB);
	expect_sense(tape_cdb(tape, 255, 0x1a, 0, 0xff, 0, 255, 0), 0x053900);
	cr_expect_eq(tape_cdb(tape, 12, 0x1a, 0, 0, 0, 12, 0), GOOD);
	cr_expect_eq(tape->data_in, 12);
	tape_free(tape);
}

Test(vtape, mode_select_is_all_or_nothing)
{
	struct tape *tape = tape_new("capacity=64M");
	/* A block length, DCE off, and then a reserved bit. */
	uint8_t list[12 + 16 + 12] = { 0,    0,	   0x10, 8, 0, 0,    0, 0, 0, 0,    2,		 0,  0x0f, 14,
				       0x40, 0x80, 0,	 0, 0, 0xff, 0, 0, 0, 0xff, [28] = 0x01, 10, 0x10 };

	expect_sense(tape_command(tape, (const uint8_t[6]){ 0x15, 0x10, 0, 0, 40 }, 6, list, 40),
		     INVALID_PARAMETER);
	cr_expect_eq(tape->field, 30);
	cr_expect_eq(tape_cdb(tape, 255, 0x1a, 0, 0x0f, 0, 255, 0), GOOD);
	cr_expect(tape->data[10] == 0 && tape->data[14] == 0xc0);
	cr_expect_eq(tape_command(tape, (const uint8_t[6]){ 0x15, 0x10, 0, 0, 28 }, 6, list, 28), GOOD);
	cr_expect_eq(tape_cdb(tape, 255, 0x1a, 0, 0x0f, 0, 255, 0), GOOD);
	cr_expect(tape->data[10] == 2 && tape->data[14] == 0x40);
	cr_expect_eq(tape_cdb(tape, 255, 0x1a, 8, 0x10, 0, 255, 0), GOOD);
	cr_expect_eq(tape->data[4 + 14], 0);
	expect_sense(tape_command(tape, (const uint8_t[6]){ 0x15, 0x10, 0, 0, 20 }, 6, list, 20), 0x051a00);
	expect_sense(tape_command(tape, (const uint8_t[6]){ 0x15, 0x11, 0, 0, 28 }, 6, list, 28),
		     INVALID_CDB);
	tape_free(tape);
}

/* Short lists at every length: no byte behind the end is read (which a sanitizer would see). */
Test(vtape, truncated_mode_lists)
{
	struct tape *tape = tape_new("capacity=64M");
	uint8_t list[4 + 8 + 16 + 32] = { 0,	0,	     0x10,	  8,	       [12] = 0x0f, 14, 0x40,
					  0x80, [19] = 0xff, [23] = 0xff, [28] = 0x50, 1,	    0,	28 };

	for (uint8_t length = 0; length <= sizeof(list); length++) {
		int whole = length == 0 || length == 12 || length == 28 || length == 60;

		cr_expect_eq(
			tape_command(tape, (const uint8_t[6]){ 0x15, 0x10, 0, 0, length }, 6, list, length),
			whole ? GOOD : CHECK, "%u bytes", length);
	}
	tape_free(tape);
}

Test(vtape, log_pages)
{
	struct tape *tape = new_sample();
	uint8_t pages[32];
	uint64_t count;

	cr_assert_eq(tape_cdb(tape, 255, 0x4d, 0, 0x40, 0, 0, 0, 0, 0, 255, 0), GOOD);
	count = tape->data_in - 4;
	memcpy(pages, tape->data + 4, count);
	cr_expect_eq(count, 7);
	for (uint64_t i = 0; i < count; i++) {
		cr_assert_eq(tape_cdb(tape, 1024, 0x4d, 0, 0x40 | pages[i], 0, 0, 0, 0, 4, 0, 0), GOOD);
		cr_expect_eq(tape->data[0], pages[i]);
		cr_expect_eq((tape->data[2] << 8 | tape->data[3]) + 4u, tape->data_in);
	}
	cr_expect_eq(tape_cdb(tape, 255, 0x4d, 0, 0x4c, 0, 0, 0, 0, 0, 255, 0), GOOD);
	cr_expect_eq(tape->data[14] << 8 | tape->data[15], 1105);
	cr_expect_eq(tape_cdb(tape, 0, 0x4c, 2, 0xc0, 0, 0, 0, 0, 0, 0, 0), GOOD);
	cr_expect_eq(tape_cdb(tape, 255, 0x4d, 0, 0x4c, 0, 0, 0, 0, 0, 255, 0), GOOD);
	cr_expect_eq(tape->data[15], 0);
	expect_sense(tape_cdb(tape, 255, 0x4d, 0, 0x5f, 0, 0, 0, 0, 0, 255, 0), INVALID_CDB);
	tape_free(tape);
}

Test(vtape, inquiry)
{
	struct tape *tape = tape_new("capacity=64M\nserial=XY7\nproduct=TAPES");
	uint8_t pages[16];
	uint64_t count;

	cr_assert_eq(tape_cdb(tape, 96, 0x12, 0, 0, 0, 96, 0), GOOD);
	cr_expect(tape->data_in == 96 && tape->data[0] == 1 && tape->data[1] == 0x80 && tape->data[4] == 91);
	cr_expect_eq(memcmp(tape->data + 8, "SCUSE   TAPES           ", 24), 0);
	cr_assert_eq(tape_cdb(tape, 255, 0x12, 1, 0, 0, 255, 0), GOOD);
	count = tape->data_in - 4;
	memcpy(pages, tape->data + 4, count);
	for (uint64_t i = 0; i < count; i++) {
		cr_expect_eq(tape_cdb(tape, 255, 0x12, 1, pages[i], 0, 255, 0), GOOD);
		cr_expect_eq(tape->data[1], pages[i]);
		cr_expect_eq(tape->data[3] + 4u, tape->data_in);
	}
	cr_expect_eq(tape_cdb(tape, 255, 0x12, 1, 0x80, 0, 255, 0), GOOD);
	cr_expect_eq(memcmp(tape->data + 4, "XY7", 3), 0);
	expect_sense(tape_cdb(tape, 255, 0x12, 1, 0x99, 0, 255, 0), INVALID_CDB);
	expect_sense(tape_cdb(tape, 255, 0x12, 0, 0x80, 0, 255, 0), INVALID_CDB);
	tape_free(tape);
}

Test(vtape, limits_and_density)
{
	struct tape *tape = tape_new("capacity=64M");

	cr_expect_eq(tape_cdb(tape, 6, 0x05, 0, 0, 0, 0, 0), GOOD);
	cr_expect(tape->data[1] == 0x10 && tape->data[2] == 0 && tape->data[5] == 1);
	cr_expect_eq(tape_cdb(tape, 20, 0x05, 1, 0, 0, 0, 0), GOOD);
	cr_expect_eq(tape->data_in, 20);
	cr_expect_eq(tape_cdb(tape, 56, 0x44, 1, 0, 0, 0, 0, 0, 0, 56, 0), GOOD);
	cr_expect(tape->data[4] == 0x58 && tape->data[19] == 67);
	cr_expect_eq(tape_unload(tape), GOOD);
	expect_sense(tape_cdb(tape, 56, 0x44, 1, 0, 0, 0, 0, 0, 0, 56, 0), NOT_PRESENT);
	cr_expect_eq(tape_cdb(tape, 56, 0x44, 0, 0, 0, 0, 0, 0, 0, 56, 0), GOOD);
	cr_expect_eq(tape_cdb(tape, 0, 0x1d, 4, 0, 0, 0, 0), GOOD);
	expect_sense(tape_cdb(tape, 0, 0x1d, 0x20, 0, 0, 0, 0), INVALID_CDB);
	tape_free(tape);
}

/* Every claim has a function, and its usage map names its own operation code. */
Test(vtape, claims)
{
	const struct scuse_handler *scuse_handler_register(void);
	const struct scuse_claim *claim = scuse_handler_register()->claims;
	struct tape *tape = tape_new("capacity=64M");
	unsigned int count = 0, last = 0;

	for (; !(claim->flags & SCUSE_CLAIM_END); claim++, count++) {
		uint8_t cdb[16] = { claim->opcode };

		cr_expect(!count || claim->opcode > last);
		last = claim->opcode;
		cr_expect_eq(claim->usage[0], claim->opcode);
		cr_expect_eq(claim->cdb_len, claim->opcode < 0x20 ? 6 : claim->opcode < 0x60 ? 10 : 16);
		for (unsigned int i = claim->cdb_len; i < 32; i++)
			cr_expect_eq(claim->usage[i], 0);
		tape_command(tape, cdb, claim->cdb_len, NULL, 0);
		cr_expect_neq(tape->sense, 0x052000u, "%02x", claim->opcode);
	}
	cr_expect_geq(count, 30);
	expect_sense(tape_cdb(tape, 0, 0xa5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0x052000);
	tape_free(tape);
}

/* ---- attributes ---- */

/* The value of attribute `id` in the latest answer; NULL: it is not there. */
static const uint8_t *find_attribute(const struct tape *tape, unsigned int id, unsigned int *length)
{
	for (uint64_t at = 4; at + 5 <= tape->data_in; at += 5 + *length) {
		*length = (unsigned int)(tape->data[at + 3] << 8 | tape->data[at + 4]);
		if ((tape->data[at] << 8 | tape->data[at + 1]) == (int)id)
			return tape->data + at + 5;
	}
	return NULL;
}

static int read_attributes(struct tape *tape)
{
	return tape_cdb(tape, 8192, 0x8c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x20, 0, 0, 0);
}

static int write_attribute(struct tape *tape, unsigned int id, const char *text)
{
	size_t length = strlen(text);
	uint8_t list[64] = { 0,		  0, 0, (uint8_t)(5 + length), (uint8_t)(id >> 8),
			     (uint8_t)id, 1, 0, (uint8_t)length };
	uint8_t cdb[16] = { 0x8d, [13] = (uint8_t)(9 + length) };

	memcpy(list + 9, text, length);
	return tape_command(tape, cdb, sizeof(cdb), list, 9 + length);
}

Test(vtape, attributes)
{
	struct tape *tape = tape_new("capacity=64M\nbarcode=A00001L5");
	const uint8_t *value;
	unsigned int length;

	cr_assert_eq(read_attributes(tape), GOOD);
	value = find_attribute(tape, 0x0806, &length);
	cr_expect(value && length == 32 && memcmp(value, "A00001L5  ", 10) == 0);
	value = find_attribute(tape, 0x0001, &length);
	cr_expect(value && length == 8 && value[7] == 64);
	cr_expect_eq(write_attribute(tape, 0x0803, "monday"), GOOD);
	cr_expect_eq(write_attribute(tape, 0x0800, "backup"), GOOD);
	cr_expect_eq(write_attribute(tape, 0x0803, "tuesday"), GOOD);
	expect_sense(write_attribute(tape, 0x0401, "forged"), INVALID_PARAMETER);
	tape_close(tape);
	tape = tape_again(tape, "");
	cr_assert_eq(read_attributes(tape), GOOD);
	value = find_attribute(tape, 0x0803, &length);
	cr_expect(value && length == 7 && memcmp(value, "tuesday", 7) == 0);
	cr_expect_eq(write_attribute(tape, 0x0803, ""), GOOD);
	cr_assert_eq(read_attributes(tape), GOOD);
	cr_expect_null(find_attribute(tape, 0x0803, &length));
	cr_expect_not_null(find_attribute(tape, 0x0800, &length));
	cr_expect_eq(tape_cdb(tape, 8192, 0x8c, 1, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 0x20, 0, 0, 0), GOOD);
	cr_expect(tape->data_in == 8 && tape->data[5] == 0 && tape->data[7] == 6);
	tape_free(tape);
}
