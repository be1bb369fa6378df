// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a crash leaves of a vtape cartridge: its file is truncated and garbled in every place where a failure
 * of the worker or of the machine may have left it, and opened again.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vtape_rig.h"

#define GOOD	    0
#define BLANK_CHECK 0x080005
#define READ_ERROR  0x031100
#define FILEMARK    0x000001
#define DATA_START  12288u
#define LENGTH	    100u
#define SIZE	    152u /* of a record of LENGTH bytes in the file */
#define MARK_SIZE   48u

static unsigned char *image; /* the cartridge's file */
static size_t image_length;

static void write_record(struct tape *tape, unsigned char seed)
{
	unsigned char data[LENGTH];

	memset(data, seed, sizeof(data));
	cr_assert_eq(tape_write(tape, data, LENGTH), GOOD);
}

/* The file as it is now, while the drive is using it. */
static void take_image(const struct tape *tape)
{
	g_free(image);
	cr_assert(g_file_get_contents(tape->path, (char **)&image, &image_length, NULL));
}

/* A drive with the first `length` bytes of the image; the drive that it was taken from is closed. */
static struct tape *open_image(struct tape *tape, size_t length)
{
	int fd;

	tape_close(tape);
	fd = open(tape->path, O_WRONLY | O_TRUNC);
	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, image, length), (ssize_t)length);
	close(fd);
	tape = tape_again(tape, "");
	cr_assert_eq(tape_rewind(tape), GOOD);
	return tape;
}

/* The next `count` records are there, with these seeds and those that follow. */
static void expect_records(struct tape *tape, unsigned char seed, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++, seed++) {
		cr_assert_eq(tape_read(tape, LENGTH), GOOD, "record %u: %06x", i, tape->sense);
		for (unsigned int at = 0; at < LENGTH; at++)
			cr_assert_eq(tape->data[at], seed);
	}
}

static void expect_end(struct tape *tape)
{
	cr_expect_neq(tape_read(tape, LENGTH), GOOD);
	cr_expect_eq(tape->sense, BLANK_CHECK, "%06x", tape->sense);
}

/* Can it be written from there on, and is all of it there then? */
static struct tape *expect_writable(struct tape *tape, unsigned int records)
{
	cr_assert_eq(tape_space(tape, 3, 0), GOOD);
	write_record(tape, 99);
	cr_assert_eq(tape_marks(tape, 1), GOOD);
	tape_close(tape);
	tape = tape_again(tape, "");
	cr_assert_eq(tape_position(tape, NULL, NULL), 0);
	cr_assert_eq(tape_space(tape, 0, (int32_t)records), GOOD);
	expect_records(tape, 99, 1);
	cr_assert_eq(tape_space(tape, 1, 1), GOOD);
	expect_end(tape);
	return tape;
}

/* Three records, of which the third is being written; cut off after each byte of it. */
Test(vtape_crash, truncated_writes)
{
	struct tape *tape = tape_new("capacity=1M");

	for (unsigned char i = 0; i < 3; i++)
		write_record(tape, i);
	take_image(tape);
	cr_assert_eq(image_length, DATA_START + 3 * SIZE);
	for (size_t cut = 0; cut <= SIZE; cut++) {
		tape = open_image(tape, image_length - cut);
		expect_records(tape, 0, cut ? 2 : 3);
		expect_end(tape);
		tape = expect_writable(tape, cut ? 2 : 3);
	}
	tape_free(tape);
}

/* Each of its bytes garbled; those between data and trailer are nobody's. */
Test(vtape_crash, garbled_writes)
{
	struct tape *tape = tape_new("capacity=1M");

	for (unsigned char i = 0; i < 3; i++)
		write_record(tape, i);
	take_image(tape);
	for (size_t at = 0; at < SIZE; at++) {
		bool padding = at >= 40 + LENGTH && at < SIZE - 8;
		unsigned char *byte = &image[DATA_START + 2 * SIZE + at];

		*byte ^= 0x40;
		tape = open_image(tape, image_length);
		*byte ^= 0x40;
		expect_records(tape, 0, padding ? 3 : 2);
		expect_end(tape);
	}
	tape_free(tape);
}

/*
 * The machine failed: of two records that were not flushed the first one's data is lost, the second is
 * whole.
 */
Test(vtape_crash, pages_lost_in_any_order)
{
	struct tape *tape = tape_new("capacity=1M");

	for (unsigned char i = 0; i < 4; i++)
		write_record(tape, i);
	take_image(tape);
	memset(image + DATA_START + 2 * SIZE + 40, 0, LENGTH);
	tape = open_image(tape, image_length);
	expect_records(tape, 0, 2);
	expect_end(tape);
	tape = expect_writable(tape, 2);
	tape_free(tape);
}

/* Nothing of the old recording comes back where the new one ends, although its records are the same. */
Test(vtape_crash, old_records_stay_gone)
{
	struct tape *tape = tape_new("capacity=1M");
	g_autofree unsigned char *old = NULL;

	for (unsigned char i = 0; i < 6; i++)
		write_record(tape, i);
	cr_assert_eq(tape_marks(tape, 0), GOOD);
	take_image(tape);
	old = g_memdup2(image, image_length);
	cr_assert_eq(tape_rewind(tape), GOOD);
	write_record(tape, 0);
	write_record(tape, 1);
	take_image(tape);
	/* As if the space behind had not been given back. */
	cr_assert_eq(image_length, DATA_START + 2 * SIZE);
	image = g_realloc(image, DATA_START + 6 * SIZE);
	memcpy(image + image_length, old + image_length, 4 * SIZE);
	tape = open_image(tape, DATA_START + 6 * SIZE);
	expect_records(tape, 0, 2);
	expect_end(tape);
	tape = expect_writable(tape, 2);
	tape_free(tape);
}

/* The label says what was flushed: a record of those that cannot be read is an error, not the end of data. */
Test(vtape_crash, flushed_records_do_not_vanish)
{
	for (size_t at = 0; at < SIZE; at += 7) {
		struct tape *tape = tape_new("capacity=1M");
		bool padding = at >= 40 + LENGTH && at < SIZE - 8, behind = at >= SIZE - 8;

		for (unsigned char i = 0; i < 3; i++)
			write_record(tape, i);
		cr_assert_eq(tape_marks(tape, 1), GOOD);
		take_image(tape);
		image[DATA_START + SIZE + at] ^= 1;
		tape = open_image(tape, image_length);
		expect_records(tape, 0, 1);
		if (padding || behind) {
			expect_records(tape, 1, 2);
		} else {
			cr_expect_neq(tape_read(tape, LENGTH), GOOD);
			cr_expect_eq(tape->sense, READ_ERROR, "byte %zu: %06x", at, tape->sense);
		}
		tape_free(tape);
	}
}

/* A flushed filemark keeps what is in front of it, wherever the file is cut behind it. */
Test(vtape_crash, what_a_filemark_has_flushed)
{
	struct tape *tape = tape_new("capacity=1M");
	size_t flushed;

	for (unsigned char i = 0; i < 3; i++)
		write_record(tape, i);
	cr_assert_eq(tape_marks(tape, 1), GOOD);
	flushed = DATA_START + 3 * SIZE + MARK_SIZE;
	write_record(tape, 7);
	write_record(tape, 8);
	take_image(tape);
	for (size_t length = flushed; length < image_length; length += 5) {
		tape = open_image(tape, length);
		expect_records(tape, 0, 3);
		cr_expect_neq(tape_read(tape, LENGTH), GOOD);
		cr_expect_eq(tape->sense, FILEMARK);
		expect_records(tape, 7, length >= flushed + SIZE ? 1 : 0);
		expect_end(tape);
	}
	tape_free(tape);
}

/* A torn label leaves the other copy. */
Test(vtape_crash, one_label_is_enough)
{
	struct tape *tape = tape_new("capacity=1M");

	for (unsigned char i = 0; i < 3; i++) {
		write_record(tape, i);
		cr_assert_eq(tape_marks(tape, 0), GOOD);
	}
	take_image(tape);
	for (size_t at = 0; at < 8192; at += 509) {
		image[at] ^= 0x10;
		tape = open_image(tape, image_length);
		image[at] ^= 0x10;
		expect_records(tape, 0, 3);
		expect_end(tape);
	}
	tape_close(tape);
	memset(image, 0, DATA_START);
	cr_assert(g_file_set_contents(tape->path, (char *)image, (gssize)image_length, NULL));
	cr_expect_null(tape_try(tape->dir, ""));
	cr_expect(strstr(tape_error(), "both of its labels"), "%s", tape_error());
	tape_free(tape);
}

/* Any garbage anywhere: no crash, no endless walk, and at most an error (for sanitizers, mostly). */
Test(vtape_crash, garbage)
{
	struct tape *tape = tape_new("capacity=1M");
	unsigned int random = 1;

	for (unsigned char i = 0; i < 20; i++) {
		write_record(tape, i);
		cr_assert_eq(tape_marks(tape, i % 3), GOOD);
	}
	take_image(tape);
	for (unsigned int round = 0; round < 300; round++) {
		g_autofree unsigned char *good = g_memdup2(image, image_length);

		for (unsigned int i = 0; i < 1 + round % 8; i++) {
			random = random * 1103515245 + 12345;
			image[DATA_START + (random >> 8) % (image_length - DATA_START)] ^=
				(unsigned char)(1 + random % 255);
		}
		tape = open_image(tape, image_length);
		memcpy(image, good, image_length);
		for (unsigned int i = 0; i < 80; i++)
			tape_read(tape, LENGTH);
		for (unsigned int i = 0; i < 80; i++)
			tape_space(tape, i % 3, i % 2 ? -3 : -1);
		cr_expect_eq(tape_rewind(tape), GOOD);
		write_record(tape, 1);
		expect_end(tape);
	}
	tape_free(tape);
}

/* A worker that dies: the next one goes on where the last command that completed has left the tape. */
Test(vtape_crash, the_position_is_kept)
{
	struct tape *tape = tape_new("capacity=1M");

	for (unsigned char i = 0; i < 4; i++)
		write_record(tape, i);
	cr_assert_eq(tape_space(tape, 0, -2), GOOD);
	take_image(tape);
	tape_close(tape);
	cr_assert(g_file_set_contents(tape->path, (char *)image, (gssize)image_length, NULL));
	tape = tape_again(tape, "");
	cr_expect_eq(tape_position(tape, NULL, NULL), 2);
	expect_records(tape, 2, 2);
	tape_close(tape);
	tape = tape_again(tape, "");
	cr_expect_eq(tape_position(tape, NULL, NULL), 0, "it was put down properly");
	tape_close(tape);
	image[8208] ^= 1;
	cr_assert(g_file_set_contents(tape->path, (char *)image, (gssize)image_length, NULL));
	tape = tape_again(tape, "");
	cr_expect_eq(tape_position(tape, NULL, NULL), 0, "that was another drive");
	tape_free(tape);
}
