// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The medium as a whole: TEST UNIT READY, LOAD UNLOAD, PREVENT ALLOW MEDIUM REMOVAL, ERASE, FORMAT MEDIUM,
 * and what keeps a medium from being written.
 */
#include <errno.h>

#include "bytes.h"
#include "drive.h"

#define PARTITION_MIN 65536u /* bytes */

/* The medium is there, or else commands_run() has refused the command. */
int medium_test_unit_ready(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	(void)drive;
	(void)io;
	(void)cdb;
	return 0;
}

/* ---- writing ---- */

static bool is_worm(const struct drive *drive)
{
	return drive->cartridge->label.flags & FORMAT_WORM;
}

/* Behind what cannot be read there may be more: a damaged partition has no end that a write could begin at. */
static bool overwrites(const struct drive *drive)
{
	const struct partition *partition = &drive->cartridge->partition[drive->partition];

	return partition->damaged || drive->place.object != partition->end.object;
}

int medium_refuse_write(struct drive *drive, struct scuse_io *io)
{
	if (drive_write_protected(drive))
		return sense_fail(io, KEY_DATA_PROTECT, ASC_WRITE_PROTECTED);
	if (is_worm(drive) && overwrites(drive))
		return sense_fail(io, KEY_DATA_PROTECT, ASC_WORM_OVERWRITE);
	return 0;
}

int medium_write_failed(struct drive *drive, struct scuse_io *io, int error, int64_t residual)
{
	if (error == -ENOSPC)
		return sense_fail_residual(io, SENSE_EOM, KEY_VOLUME_OVERFLOW, ASC_END_OF_PARTITION,
					   residual);
	drive->counters.write_errors++;
	return sense_fail_residual(io, 0, KEY_MEDIUM_ERROR, ASC_WRITE_ERROR, residual);
}

/* Short and long erase both make the position the end of data (SSC-4 7.3). */
static int erase(struct drive *drive, struct scuse_io *io)
{
	int result = medium_refuse_write(drive, io);

	if (result)
		return result;
	result = cartridge_cut(drive->cartridge, drive->partition, &drive->place);
	if (!result)
		result = cartridge_flush(drive->cartridge);
	return result ? medium_write_failed(drive, io, result, 0) : 0;
}

int medium_erase_6(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	(void)cdb;
	return erase(drive, io);
}

int medium_erase_16(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	int result = position_go(drive, io, cdb[3], bytes_get(cdb + 4, 8));

	return result ? result : erase(drive, io);
}

/* ---- FORMAT MEDIUM ---- */

static uint64_t capacity(const struct format_label *label)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < label->partitions; i++)
		sum += label->partition[i].size;
	return sum;
}

/* How many partitions of which sizes the medium partition page wants; 0: it wants what cannot be. */
static unsigned int plan_partitions(const struct drive *drive, uint64_t total, uint64_t *sizes)
{
	struct mode_partitions wanted = mode_partitions(&drive->mode);
	uint64_t rest = total;

	for (unsigned int i = 0; i < wanted.count; i++) {
		sizes[i] = wanted.given ? wanted.size[i] : total / wanted.count;
		if (sizes[i] == MODE_PARTITION_REST)
			continue;
		if (sizes[i] < PARTITION_MIN || sizes[i] > rest)
			return 0;
		rest -= sizes[i];
	}
	for (unsigned int i = 0; i < wanted.count; i++) {
		if (sizes[i] != MODE_PARTITION_REST)
			continue;
		if (rest < PARTITION_MIN)
			return 0;
		sizes[i] = rest;
		rest = 0;
	}
	return wanted.count;
}

static bool has_data(const struct cartridge *cartridge)
{
	for (unsigned int i = 0; i < cartridge->label.partitions; i++)
		if (cartridge->partition[i].damaged || cartridge->partition[i].end.object)
			return true;
	return false;
}

int medium_format(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	struct cartridge *cartridge = drive->cartridge;
	uint64_t sizes[FORMAT_PARTITIONS] = { capacity(&cartridge->label) };
	unsigned int count = 1;
	int result = medium_refuse_write(drive, io);

	if ((cdb[2] & 0x0f) > 2)
		return sense_fail_cdb(io, 2, 3);
	if (result)
		return result;
	if (is_worm(drive) && has_data(cartridge))
		return sense_fail(io, KEY_DATA_PROTECT, ASC_WORM_OVERWRITE);
	if (drive->partition || drive->place.object)
		return sense_fail(io, KEY_ILLEGAL_REQUEST, ASC_PAST_BEGINNING_OF_MEDIUM);
	if (cdb[2] & 0x0f)
		count = plan_partitions(drive, sizes[0], sizes);
	if (!count)
		return sense_fail_parameter(io, 8);
	result = cartridge_format(cartridge, count, sizes);
	drive_rewind(drive, 0);
	mode_medium_changed(&drive->mode, cartridge);
	return result ? medium_write_failed(drive, io, result, 0) : 0;
}

/* ---- loading ---- */

int medium_load_unload(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	bool load = cdb[4] & 0x01;
	int result = 0;

	if (load && cdb[4] & 0x04)
		return sense_fail_cdb(io, 4, 2);
	if (!load && drive->nr_preventers)
		return sense_fail(io, KEY_ILLEGAL_REQUEST, ASC_REMOVAL_PREVENTED);
	if (load && drive->cartridge)
		return position_rewind(drive, io, cdb);
	if (load && (!drive->path || drive_load(drive, drive->path, false)))
		return sense_fail(io, KEY_NOT_READY, ASC_MEDIUM_NOT_PRESENT);
	if (!load && drive->cartridge)
		result = drive_unload(drive);
	return result ? medium_write_failed(drive, io, result, 0) : 0;
}

static unsigned int find_preventer(const struct drive *drive, uint32_t nexus)
{
	unsigned int i = 0;

	while (i < drive->nr_preventers && drive->preventers[i] != nexus)
		i++;
	return i;
}

/* SPC-4: removal is prevented for as long as one I_T nexus wants it. */
int medium_prevent_allow(struct drive *drive, struct scuse_io *io, const uint8_t *cdb)
{
	uint32_t nexus = scuse_io_nexus(io);
	unsigned int at = find_preventer(drive, nexus);

	if (cdb[4] & 0x02)
		return sense_fail_cdb(io, 4, 1);
	if (cdb[4] & 0x01) {
		if (at == DRIVE_PREVENTERS)
			return scuse_fail(io, SCUSE_E_NO_MEMORY);
		drive->preventers[at] = nexus;
		if (at == drive->nr_preventers)
			drive->nr_preventers++;
	} else if (at < drive->nr_preventers) {
		drive->preventers[at] = drive->preventers[--drive->nr_preventers];
	}
	return 0;
}
