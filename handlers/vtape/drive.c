// SPDX-License-Identifier: LGPL-2.1-or-later
/* Cartridges in and out of the drive, and what the changer asks of it.  See drive.h for the states. */
#include "drive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_WARNING	      (64u << 20) /* bytes */
#define DEFAULT_WARNING_SHARE 16	  /* of a partition, at most */

void drive_answer(struct scuse_io *io, const void *data, uint64_t length)
{
	uint64_t room;
	void *to = scuse_io_data(io, &room);

	if (length > room)
		length = room;
	if (length)
		memcpy(to, data, length);
	scuse_io_set_data_in(io, length);
}

void drive_rewind(struct drive *drive, unsigned int partition)
{
	drive->partition = partition;
	drive->place = cartridge_start(drive->cartridge, partition);
}

bool drive_write_protected(const struct drive *drive)
{
	return !drive->cartridge || !drive->cartridge->writable;
}

uint64_t drive_room(const struct drive *drive)
{
	return drive->cartridge->label.partition[drive->partition].size -
	       cartridge_used(drive->cartridge, drive->partition, &drive->place);
}

/* Cartridges of other sizes than the parameters' may be loaded: it is a part of what is in the drive. */
static uint64_t early_warning(const struct drive *drive)
{
	uint64_t size = drive->cartridge->label.partition[drive->partition].size;
	uint64_t wanted = drive->early_warning;
	uint64_t most = size / 2;

	if (wanted == DRIVE_DEFAULT_WARNING) {
		wanted = DEFAULT_WARNING;
		most = size / DEFAULT_WARNING_SHARE;
	}
	return wanted < most ? wanted : most;
}

bool drive_in_early_warning(const struct drive *drive)
{
	return drive_room(drive) < early_warning(drive);
}

bool drive_in_programmable_warning(const struct drive *drive)
{
	uint64_t zone = mode_early_warning(&drive->mode);

	return zone && drive_room(drive) < early_warning(drive) + zone;
}

/*
 * Which drive it is, since when the machine runs: a position that was noted is good for the same LUN only,
 * and only as long as the page cache lives.
 */
static void fill_owner(const struct drive *drive, char *owner)
{
	char boot[64] = "";
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t length = fd < 0 ? -1 : read(fd, boot, sizeof(boot) - 1);

	if (fd >= 0)
		close(fd);
	if (length < 0)
		boot[0] = '\0';
	boot[strcspn(boot, "\n")] = '\0';
	snprintf(owner, FORMAT_OWNER, "%s %s", boot, scuse_dev_name(drive->dev));
}

static void resume_position(struct drive *drive)
{
	char owner[FORMAT_OWNER];
	unsigned int partition;
	uint64_t object;

	fill_owner(drive, owner);
	if (!cartridge_last_position(drive->cartridge, owner, &partition, &object))
		return;
	drive_rewind(drive, partition);
	if (cartridge_find(drive->cartridge, partition, object, &drive->place) < 0)
		drive_rewind(drive, partition);
	scuse_log(SCUSE_LOG_WARNING, "%s was in use when its drive ended: it goes on at object %llu",
		  drive->path, (unsigned long long)drive->place.object);
}

static void take_over(struct drive *drive)
{
	char owner[FORMAT_OWNER];

	if (!drive->cartridge->writable)
		return;
	fill_owner(drive, owner);
	cartridge_note_owner(drive->cartridge, owner);
	cartridge_note_position(drive->cartridge, drive->partition, drive->place.object);
}

int drive_load(struct drive *drive, const char *path, bool resume)
{
	bool new_path = path != drive->path;
	char *copy = new_path ? strdup(path) : drive->path;
	struct cartridge *cartridge = NULL;
	int result = copy ? cartridge_open(path, !drive->read_only, drive->create ? &drive->blank : NULL,
					   &cartridge)
			  : -ENOMEM;

	if (result) {
		if (new_path)
			free(copy);
		return result;
	}
	if (new_path)
		free(drive->path);
	drive->path = copy;
	drive->cartridge = cartridge;
	mode_medium_changed(&drive->mode, cartridge);
	drive_rewind(drive, 0);
	if (resume)
		resume_position(drive);
	take_over(drive);
	return 0;
}

int drive_unload(struct drive *drive)
{
	int result = cartridge_close(drive->cartridge);

	drive->cartridge = NULL;
	if (result)
		scuse_log(SCUSE_LOG_ERROR, "what was written last to %s may be lost: %s", drive->path,
			  strerror(-result));
	return result;
}

void drive_eject(struct drive *drive)
{
	free(drive->path);
	drive->path = NULL;
}

/* ---- the changer's side; on the link's thread ---- */

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int link_load_cartridge(void *context, const char *name, const char *path)
{
	struct drive *drive = context;
	int result = 0;

	pthread_mutex_lock(&drive->lock);
	if (!drive->path) {
		result = drive_load(drive, path, false);
		if (!result)
			scuse_dev_changed(drive->dev, SCUSE_CHANGED_MEDIA);
	} else if (strcmp(base_name(drive->path), name) != 0) {
		result = -EBUSY;
	}
	pthread_mutex_unlock(&drive->lock);
	return result;
}

static int link_unload_cartridge(void *context, bool force)
{
	struct drive *drive = context;
	struct timespec until;
	int result = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += LINK_PATIENCE;
	if (pthread_mutex_timedlock(&drive->lock, &until))
		return -EBUSY;
	if (drive->path && drive->nr_preventers && !force) {
		result = -EPERM;
	} else if (drive->path) {
		drive->nr_preventers = 0;
		drive_unload(drive);
		drive_eject(drive);
	}
	pthread_mutex_unlock(&drive->lock);
	return result;
}

/* While a command takes long, the status is what it was before. */
static void link_tell_status(void *context, struct link_status *status)
{
	struct drive *drive = context;
	struct link_status *latest = &drive->link_status;
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += LINK_STATUS_TIMEOUT / 1000 / 2;
	if (pthread_mutex_timedlock(&drive->lock, &until) == 0) {
		memset(latest, 0, sizeof(*latest));
		snprintf(latest->id, sizeof(latest->id), "%-*s%-*s%s", DRIVE_VENDOR, drive->vendor,
			 DRIVE_PRODUCT, drive->product, drive->serial);
		if (drive->path)
			strncpy(latest->name, base_name(drive->path), sizeof(latest->name) - 1);
		latest->loaded = drive->cartridge != NULL;
		latest->prevented = drive->nr_preventers != 0;
		pthread_mutex_unlock(&drive->lock);
	}
	*status = *latest;
}

const struct link_ops drive_link_ops = {
	.load = link_load_cartridge,
	.unload = link_unload_cartridge,
	.status = link_tell_status,
};
