// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * REWIND, SPACE, LOCATE and READ POSITION (SSC-4 7.1, 7.5, 7.6, 7.8).
 *
 * All of them make what was written durable first, as they synchronize a real drive's buffer.  SPACE does not
 * walk: the index knows where each filemark is, and which object is next to it.
 */
#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "drive.h"

#define CODE_BLOCKS	 0
#define CODE_FILEMARKS	 1
#define CODE_SEQUENTIAL	 2
#define CODE_END_OF_DATA 3

static const struct index *index_of(const struct drive *drive)
{
	return &drive->cartridge->partition[drive->partition].index;
}

static const struct place *end_of(const struct drive *drive)
{
	return &drive->cartridge->partition[drive->partition].end;
}

/* 0, or the failure of the flush. */
static int synchronize(struct drive *drive, struct scuse_io *io)
{
	int result = cartridge_flush(drive->cartridge);

	return result ? medium_write_failed(drive, io, result, 0) : 0;
}

static int fail_read(struct scuse_io *io)
{
	return sense_fail(io, KEY_MEDIUM_ERROR, ASC_READ_ERROR);
}

/* ---- where things end ---- */

static int stop_at_end(struct drive *drive, struct scuse_io *io, int64_t residual)
{
	drive->place = *end_of(drive);
	if (drive->cartridge->partition[drive->partition].damaged)
		return sense_fail_residual(io, 0, KEY_MEDIUM_ERROR, ASC_READ_ERROR, residual);
	return sense_fail_residual(io, 0, KEY_BLANK_CHECK, ASC_END_OF_DATA, residual);
}

static int stop_at_beginning(struct drive *drive, struct scuse_io *io, int64_t residual)
{
	drive->place = cartridge_start(drive->cartridge, drive->partition);
	return sense_fail_residual(io, SENSE_EOM, KEY_NO_SENSE, ASC_BEGINNING_OF_PARTITION, residual);
}

/* In front of filemark `number`. */
static int go_before_mark(struct drive *drive, uint64_t number)
{
	struct place place = *index_mark(index_of(drive), number);
	struct format_object mark;
	int result = cartridge_step_back(drive->cartridge, drive->partition, &place, &mark);

	if (result != 1)
		return -EBADMSG;
	drive->place = place;
	return 0;
}

static int go_object(struct drive *drive, struct scuse_io *io, uint64_t object)
{
	int result = cartridge_find(drive->cartridge, drive->partition, object, &drive->place);

	return result < 0 ? fail_read(io) : 0;
}

/* ---- SPACE ---- */

static int blocks_forward(struct drive *drive, struct scuse_io *io, uint64_t count)
{
	const struct place *mark = index_mark(index_of(drive), drive->place.file);
	uint64_t stop = mark ? mark->object - 1 : end_of(drive)->object;
	uint64_t passed = stop - drive->place.object;

	if (count <= passed)
		return go_object(drive, io, drive->place.object + count);
	if (!mark)
		return stop_at_end(drive, io, (int64_t)(count - passed));
	drive->place = *mark;
	return sense_fail_residual(io, SENSE_FILEMARK, KEY_NO_SENSE, ASC_FILEMARK, (int64_t)(count - passed));
}

static int blocks_back(struct drive *drive, struct scuse_io *io, uint64_t count)
{
	uint64_t file = drive->place.file;
	uint64_t stop = file ? index_mark(index_of(drive), file - 1)->object : 0;
	uint64_t passed = drive->place.object - stop;

	if (count <= passed)
		return go_object(drive, io, drive->place.object - count);
	if (!file)
		return stop_at_beginning(drive, io, (int64_t)(count - passed));
	if (go_before_mark(drive, file - 1))
		return fail_read(io);
	return sense_fail_residual(io, SENSE_FILEMARK, KEY_NO_SENSE, ASC_FILEMARK, (int64_t)(count - passed));
}

static int marks_forward(struct drive *drive, struct scuse_io *io, uint64_t count)
{
	uint64_t left = index_of(drive)->marks.count - drive->place.file;

	if (count > left)
		return stop_at_end(drive, io, (int64_t)(count - left));
	drive->place = *index_mark(index_of(drive), drive->place.file + count - 1);
	return 0;
}

static int marks_back(struct drive *drive, struct scuse_io *io, uint64_t count)
{
	uint64_t file = drive->place.file;

	if (count > file)
		return stop_at_beginning(drive, io, (int64_t)(count - file));
	return go_before_mark(drive, file - count) ? fail_read(io) : 0;
}

/* Are filemarks `first` to `first + count - 1` one behind the other? */
static bool marks_sequential(const struct drive *drive, uint64_t first, uint64_t count)
{
	const struct place *from = index_mark(index_of(drive), first);
	const struct place *to = index_mark(index_of(drive), first + count - 1);

	return to->object - from->object == count - 1;
}

static int sequential_forward(struct drive *drive, struct scuse_io *io, uint64_t count)
{
	uint64_t marks = index_of(drive)->marks.count;

	for (uint64_t first = drive->place.file; count <= marks && first <= marks - count; first++) {
		if (!marks_sequential(drive, first, count))
			continue;
		drive->place = *index_mark(index_of(drive), first + count - 1);
		return 0;
	}
	return stop_at_end(drive, io, (int64_t)count);
}

static int sequential_back(struct drive *drive, struct scuse_io *io, uint64_t count)
{
	for (uint64_t behind = drive->place.file; behind >= count; behind--)
		if (marks_sequential(drive, behind - count, count))
			return go_before_mark(drive, behind - count) ? fail_read(io) : 0;
	return stop_at_beginning(drive, io, (int64_t)count);
}

static int go_end_of_data(struct drive *drive, struct scuse_io *io)
{
	drive->place = *end_of(drive);
	if (drive->cartridge->partition[drive->partition].damaged)
		return fail_read(io);
	return 0;
}

static int space(struct drive *drive, struct scuse_io *io, unsigned int code, int64_t count)
{
	uint64_t magnitude = count < 0 ? -(uint64_t)count : (uint64_t)count;
	int result = synchronize(drive, io);

	if (result)
		return result;
	if (code == CODE_END_OF_DATA)
		return go_end_of_data(drive, io);
	if (code > CODE_END_OF_DATA)
		return sense_fail_cdb(io, 1, 3);
	if (!count)
		return 0;
	if (code == CODE_BLOCKS)
		return count < 0 ? blocks_back(drive, io, magnitude) : blocks_forward(drive, io, magnitude);
	if (code == CODE_FILEMARKS)
		return count < 0 ? marks_back(drive, io, magnitude) : marks_forward(drive, io, magnitude);
	return count < 0 ? sequential_back(drive, io, magnitude) : sequential_forward(drive, io, magnitude);
}

int position_space_6(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	int64_t count = (int64_t)bytes_get(cdb + 2, 3);

	return space(drive, io, cdb[1] & 0xf, count & 0x800000 ? count - 0x1000000 : count);
}

int position_space_16(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	return space(drive, io, cdb[1] & 0xf, (int64_t)bytes_get(cdb + 4, 8));
}

/* ---- REWIND and LOCATE ---- */

int position_rewind(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	int result = synchronize(drive, io);

	(void)cdb;
	if (!result)
		drive_rewind(drive, drive->partition);
	return result;
}

/* To another partition, or not.  0 or the failure. */
static int change_partition(struct drive *drive, struct scuse_io *io, unsigned int partition, uint16_t field)
{
	int result;

	if (partition >= drive->cartridge->label.partitions)
		return sense_fail_cdb(io, field, SENSE_NO_BIT);
	result = synchronize(drive, io);
	if (result)
		return result;
	if (partition != drive->partition)
		drive_rewind(drive, partition);
	return 0;
}

static int locate_object(struct drive *drive, struct scuse_io *io, uint64_t object)
{
	int result = cartridge_find(drive->cartridge, drive->partition, object, &drive->place);

	if (result < 0)
		return fail_read(io);
	if (result)
		return 0;
	if (drive->cartridge->partition[drive->partition].damaged)
		return fail_read(io);
	return sense_fail(io, KEY_BLANK_CHECK, ASC_END_OF_DATA);
}

/* To the beginning of file `file`: behind the filemark in front of it. */
static int locate_file(struct drive *drive, struct scuse_io *io, uint64_t file)
{
	const struct place *place;

	if (!file) {
		drive->place = cartridge_start(drive->cartridge, drive->partition);
		return 0;
	}
	place = index_mark(index_of(drive), file - 1);
	drive->place = place ? *place : *end_of(drive);
	return place ? 0 : sense_fail(io, KEY_BLANK_CHECK, ASC_END_OF_DATA);
}

int position_go(struct drive *drive, struct scuse_io *io, unsigned int partition, uint64_t object)
{
	int result;

	if (partition == drive->partition && object == drive->place.object)
		return 0;
	result = change_partition(drive, io, partition, 3);
	return result ? result : locate_object(drive, io, object);
}

/* The object numbers of a vendor's own (BT) are the logical ones. */
int position_locate_10(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	unsigned int partition = cdb[1] & 0x02 ? cdb[8] : drive->partition;
	int result = change_partition(drive, io, partition, 8);

	return result ? result : locate_object(drive, io, bytes_get(cdb + 3, 4));
}

int position_locate_16(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	unsigned int partition = cdb[1] & 0x02 ? cdb[3] : drive->partition;
	unsigned int type = cdb[1] >> 3 & 0x7;
	int result;

	if (type > 3 || type == 2)
		return sense_fail_cdb(io, 1, 5);
	result = change_partition(drive, io, partition, 3);
	if (result)
		return result;
	if (type == 3)
		return go_end_of_data(drive, io);
	if (type == 1)
		return locate_file(drive, io, bytes_get(cdb + 4, 8));
	return locate_object(drive, io, bytes_get(cdb + 4, 8));
}

/* ---- READ POSITION ---- */

#define FLAG_BOP  0x80
#define FLAG_EOP  0x40
#define FLAG_PERR 0x02
#define FLAG_BPEW 0x01

static uint8_t position_flags(const struct drive *drive)
{
	return (uint8_t)((drive->place.object == 0 ? FLAG_BOP : 0) |
			 (drive_in_early_warning(drive) ? FLAG_EOP : 0) |
			 (drive_in_programmable_warning(drive) ? FLAG_BPEW : 0));
}

/* Nothing is ever left in a buffer, so the first and the last logical object location are the same. */
static unsigned int short_form(const struct drive *drive, uint8_t *out)
{
	out[0] = position_flags(drive);
	out[1] = (uint8_t)drive->partition;
	if (drive->place.object > UINT32_MAX) {
		out[0] |= FLAG_PERR;
	} else {
		bytes_put(out + 4, 4, drive->place.object);
		bytes_put(out + 8, 4, drive->place.object);
	}
	return 20;
}

static unsigned int long_form(const struct drive *drive, uint8_t *out)
{
	out[0] = position_flags(drive) & ~FLAG_PERR;
	bytes_put(out + 4, 4, drive->partition);
	bytes_put(out + 8, 8, drive->place.object);
	bytes_put(out + 16, 8, drive->place.file);
	return 32;
}

static unsigned int extended_form(const struct drive *drive, uint8_t *out)
{
	out[0] = position_flags(drive);
	out[1] = (uint8_t)drive->partition;
	bytes_put(out + 2, 2, 28);
	bytes_put(out + 8, 8, drive->place.object);
	bytes_put(out + 16, 8, drive->place.object);
	return 32;
}

int position_read(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	uint8_t out[32] = { 0 };
	unsigned int length;

	switch (cdb[1] & 0x1f) {
	case 0:
	case 1:
		length = short_form(drive, out);
		break;
	case 6:
		length = long_form(drive, out);
		break;
	case 8:
		length = extended_form(drive, out);
		break;
	default:
		return sense_fail_cdb(io, 1, 4);
	}
	drive_answer(io, out, length);
	return 0;
}
