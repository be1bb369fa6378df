// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * READ, WRITE, VERIFY and WRITE FILEMARKS (SSC-4 6.4, 6.6, 7.2, 7.7 and the explicit forms).
 *
 * The FIXED bit says what the transfer length counts: records of the block length in the mode parameters, or
 * the bytes of one record.  What is left of it when something stops the command goes into the INFORMATION
 * field, with its sign: negative when a record was longer than what was asked for.
 */
#include <errno.h>
#include <stdlib.h>

#include "bytes.h"
#include "drive.h"

/* What READ, WRITE and VERIFY have in common. */
struct transfer {
	bool fixed;
	bool sili;	/* suppress incorrect length indicator */
	bool compare;	/* VERIFY: with the initiator's data */
	bool keep;	/* `data` is the initiator's */
	uint32_t count; /* records, or bytes */
	uint8_t *data;
	uint64_t length; /* bytes in `data` */
};

/* ---- reading ---- */

/* Something other than a record: what the command ends with. */
static int fail_step(struct drive *drive, struct scuse_io *io, int step, int64_t residual)
{
	if (step == 0)
		return sense_fail_residual(io, drive_in_early_warning(drive) ? SENSE_EOM : 0, KEY_BLANK_CHECK,
					   ASC_END_OF_DATA, residual);
	drive->counters.read_errors++;
	return sense_fail_residual(io, 0, KEY_MEDIUM_ERROR, ASC_READ_ERROR, residual);
}

static int fail_filemark(struct scuse_io *io, int64_t residual)
{
	return sense_fail_residual(io, SENSE_FILEMARK, KEY_NO_SENSE, ASC_FILEMARK, residual);
}

/*
 * The next record into `data`, as much of it as `length` bytes hold, and the position behind it.  False: the
 * command has ended with *result.
 */
static bool next_record(struct drive *drive, struct scuse_io *io, void *data, uint32_t length,
			int64_t residual, uint32_t *found, int *result)
{
	struct place place = drive->place;
	struct format_object object;
	int step = cartridge_step(drive->cartridge, drive->partition, &drive->place, &object);

	if (step <= 0) {
		*result = fail_step(drive, io, step, residual);
		return false;
	}
	if (object.kind == FORMAT_FILEMARK) {
		*result = fail_filemark(io, residual);
		return false;
	}
	*found = object.length;
	if (length > object.length)
		length = object.length;
	step = cartridge_read(drive->cartridge, &place, &object, data, length);
	if (step) {
		*result = fail_step(drive, io, step, residual);
		return false;
	}
	drive->counters.bytes_read += length;
	return true;
}

static int read_variable(struct drive *drive, struct scuse_io *io, const struct transfer *transfer)
{
	uint32_t room = transfer->count < transfer->length ? transfer->count : (uint32_t)transfer->length;
	uint32_t found;
	int result;

	if (!next_record(drive, io, transfer->data, room, transfer->count, &found, &result))
		return result;
	if (transfer->keep)
		scuse_io_set_data_in(io, found < room ? found : room);
	if (found == transfer->count ||
	    (transfer->sili && (found < transfer->count || !drive->mode.block_length)))
		return 0;
	return sense_fail_residual(io, SENSE_ILI, KEY_NO_SENSE, ASC_NONE,
				   (int64_t)transfer->count - (int64_t)found);
}

static int read_fixed(struct drive *drive, struct scuse_io *io, const struct transfer *transfer)
{
	uint32_t block = drive->mode.block_length;

	for (uint32_t done = 0; done < transfer->count; done++) {
		int64_t residual = transfer->count - done;
		uint8_t *to = transfer->keep ? transfer->data + (uint64_t)done * block : transfer->data;
		uint32_t found;
		int result;

		if (!next_record(drive, io, to, block, residual, &found, &result))
			return result;
		if (found != block)
			return sense_fail_residual(io, SENSE_ILI, KEY_NO_SENSE, ASC_NONE, residual);
		if (transfer->keep)
			scuse_io_set_data_in(io, (uint64_t)(done + 1) * block);
	}
	return 0;
}

/* Are the FIXED bit, the mode's block length and the amount of data in keeping?  0 or the failure. */
static int check_fixed(const struct drive *drive, struct scuse_io *io, const struct transfer *transfer)
{
	if (!transfer->fixed)
		return 0;
	if (!drive->mode.block_length || transfer->sili)
		return sense_fail_cdb(io, 1, transfer->sili ? 1 : 0);
	return 0;
}

static int run_read(struct drive *drive, struct scuse_io *io, struct transfer *transfer)
{
	int result = check_fixed(drive, io, transfer);

	if (result || !transfer->count)
		return result;
	transfer->keep = true;
	transfer->data = scuse_io_data(io, &transfer->length);
	if (!transfer->fixed)
		return read_variable(drive, io, transfer);
	if ((uint64_t)transfer->count * drive->mode.block_length > transfer->length)
		return sense_fail_cdb(io, 2, SENSE_NO_BIT);
	return read_fixed(drive, io, transfer);
}

int transfer_read_6(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	struct transfer transfer = { .fixed = cdb[1] & 1,
				     .sili = cdb[1] & 2,
				     .count = (uint32_t)bytes_get(cdb + 2, 3) };

	return run_read(drive, io, &transfer);
}

int transfer_read_16(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	struct transfer transfer = { .fixed = cdb[1] & 1,
				     .sili = cdb[1] & 2,
				     .count = (uint32_t)bytes_get(cdb + 12, 3) };
	int result = position_go(drive, io, cdb[3], bytes_get(cdb + 4, 8));

	return result ? result : run_read(drive, io, &transfer);
}

/* Reads without giving the data away.  Comparing with the initiator's data is not offered. */
int transfer_verify(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	struct transfer transfer = { .fixed = cdb[1] & 1, .count = (uint32_t)bytes_get(cdb + 2, 3) };
	int result = check_fixed(drive, io, &transfer);

	if (cdb[1] & 0x3a) /* VTE, VLBPM, VBF, BYTCMP */
		return sense_fail_cdb(io, 1, SENSE_NO_BIT);
	if (result || !transfer.count)
		return result;
	transfer.length = FORMAT_RECORD_MAX;
	transfer.data = malloc(transfer.length);
	if (!transfer.data)
		return scuse_fail(io, SCUSE_E_NO_MEMORY);
	result = transfer.fixed ? read_fixed(drive, io, &transfer) : read_variable(drive, io, &transfer);
	free(transfer.data);
	return result;
}

/* ---- writing ---- */

/* The position is where it was before a successful write: was the end of the partition announced since? */
static int warn(struct drive *drive, struct scuse_io *io, bool warned)
{
	if (drive_in_early_warning(drive))
		return sense_fail_residual(io, SENSE_EOM, KEY_NO_SENSE, ASC_END_OF_PARTITION, 0);
	if (!warned && drive_in_programmable_warning(drive))
		return sense_fail_residual(io, 0, KEY_NO_SENSE, ASC_PROGRAMMABLE_EARLY_WARNING, 0);
	return 0;
}

static int run_write(struct drive *drive, struct scuse_io *io, struct transfer *transfer)
{
	uint32_t block = transfer->fixed ? drive->mode.block_length : transfer->count;
	uint64_t count = transfer->fixed ? transfer->count : 1;
	bool warned = drive_in_programmable_warning(drive);
	uint64_t written;
	int result = check_fixed(drive, io, transfer);

	if (result || !transfer->count)
		return result;
	if (block > drive->max_block)
		return sense_fail_cdb(io, 2, SENSE_NO_BIT);
	transfer->data = scuse_io_data(io, &transfer->length);
	if (count * block > transfer->length)
		return sense_fail_cdb(io, 2, SENSE_NO_BIT);
	result = medium_refuse_write(drive, io);
	if (result)
		return result;
	result = cartridge_write(drive->cartridge, drive->partition, &drive->place, transfer->data, block,
				 count, &written);
	drive->counters.bytes_written += written * block;
	if (!result && drive->mode.unbuffered)
		result = cartridge_flush(drive->cartridge);
	if (result)
		return medium_write_failed(drive, io, result,
					   (int64_t)(transfer->fixed ? count - written : block));
	return warn(drive, io, warned);
}

int transfer_write_6(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	struct transfer transfer = { .fixed = cdb[1] & 1, .count = (uint32_t)bytes_get(cdb + 2, 3) };

	return run_write(drive, io, &transfer);
}

int transfer_write_16(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	struct transfer transfer = { .fixed = cdb[1] & 1, .count = (uint32_t)bytes_get(cdb + 12, 3) };
	int result = position_go(drive, io, cdb[3], bytes_get(cdb + 4, 8));

	return result ? result : run_write(drive, io, &transfer);
}

/* Without IMMED, also with a count of 0, it is the order to make everything durable (SSC-4 6.6). */
static int write_filemarks(struct drive *drive, struct scuse_io *io, bool immediate, uint64_t count)
{
	bool warned = drive_in_programmable_warning(drive);
	uint64_t written = 0;
	int result = count ? medium_refuse_write(drive, io) : 0;

	if (result)
		return result;
	result = cartridge_write_marks(drive->cartridge, drive->partition, &drive->place, count, &written);
	if (!result && !immediate)
		result = cartridge_flush(drive->cartridge);
	if (result)
		return medium_write_failed(drive, io, result, (int64_t)(count - written));
	return count ? warn(drive, io, warned) : 0;
}

int transfer_write_filemarks_6(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	if (cdb[1] & 0x02)
		return sense_fail_cdb(io, 1, 1);
	return write_filemarks(drive, io, cdb[1] & 1, bytes_get(cdb + 2, 3));
}

int transfer_write_filemarks_16(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	int result;

	if (cdb[1] & 0x02)
		return sense_fail_cdb(io, 1, 1);
	result = position_go(drive, io, cdb[3], bytes_get(cdb + 4, 8));
	return result ? result : write_filemarks(drive, io, cdb[1] & 1, bytes_get(cdb + 12, 3));
}
