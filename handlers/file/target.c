// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The regular file or block device behind a LUN: opening it with all the checks that spare a user surprises
 * later, its size, what it can do, and where its holes are.  Main thread, but for target_extents(), which
 * changes nothing.
 *
 * EXCLUSION  One file served twice would be corrupted.  A regular file gets a lock of the open file
 *	description (other LUNs and other programs that ask see it), a block device is opened with O_EXCL
 *	(also against mounts).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "file.h"

#define ATTEMPTS 10 /* within a second */

static int file_size(int fd, bool block_device, uint64_t *size)
{
	struct stat status;

	if (block_device)
		return ioctl(fd, BLKGETSIZE64, size) ? -errno : 0;
	if (fstat(fd, &status))
		return -errno;
	*size = (uint64_t)status.st_size;
	return 0;
}

uint64_t target_size(const struct target *target)
{
	uint64_t size;

	return file_size(target->fd, target->block_device, &size) ? 0 : size;
}

/* ---- opening ---- */

static int open_error(const char *path, const struct scuse_config *config)
{
	int error = errno;

	if (error == ENOENT && !scuse_config_bool(config, "create"))
		scuse_error("%s does not exist: create=true (with a size) makes it", path);
	else if (error == EBUSY)
		scuse_error("%s is in use: it is mounted, or served by another LUN", path);
	else if (error == EINVAL && scuse_config_bool(config, "direct"))
		scuse_error("%s cannot be opened for direct I/O: its file system does not support it; use "
			    "direct=false",
			    path);
	else
		scuse_error("cannot open %s: %s", path, strerror(error));
	return -error;
}

/* A new, sparse file.  Everything that can be wrong with it is found out before it exists. */
static int create_file(const char *path, int flags, const struct scuse_config *config)
{
	uint64_t size = scuse_config_device_size(config);
	int fd, error;

	if (!size) {
		scuse_error("%s is to be created, so its size must be given: add --size", path);
		return -EINVAL;
	}
	fd = open(path, flags | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return open_error(path, config);
	if (ftruncate(fd, (off_t)size) == 0)
		return fd;
	error = errno;
	scuse_error("cannot give %s a size of %" PRIu64 " bytes: %s", path, size, strerror(error));
	unlink(path);
	close(fd);
	return -error;
}

static int check_type(const char *path, bool *block_device)
{
	struct stat status;

	if (stat(path, &status))
		return -errno;
	*block_device = S_ISBLK(status.st_mode);
	if (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode))
		return 0;
	scuse_error("%s is %s: a regular file or a block device is needed", path,
		    S_ISDIR(status.st_mode) ? "a directory" : "neither a file nor a disk");
	return -EINVAL;
}

/*
 * A worker that has just died may hold its files for a moment longer: the kernel takes down io_uring at
 * leisure.
 */
static bool try_again(int *attempts)
{
	const struct timespec pause = { .tv_nsec = 1000000000 / ATTEMPTS };

	return ++*attempts < ATTEMPTS && nanosleep(&pause, NULL) == 0;
}

static int open_target(struct target *target, const struct scuse_config *config)
{
	const char *path = scuse_config_string(config, "path");
	int flags = O_CLOEXEC | (target->read_only ? O_RDONLY : O_RDWR) |
		    (scuse_config_bool(config, "direct") ? O_DIRECT : 0) |
		    (scuse_config_bool(config, "sync") ? O_DSYNC : 0);
	int result = check_type(path, &target->block_device);
	int attempts = 0;

	if (result == -ENOENT && scuse_config_bool(config, "create") && !target->read_only)
		return create_file(path, flags, config);
	if (result && result != -ENOENT && result != -EACCES && result != -ENOTDIR)
		return result;
	do
		result = open(path, flags | (target->block_device ? O_EXCL : 0));
	while (result < 0 && errno == EBUSY && try_again(&attempts));
	return result < 0 ? open_error(path, config) : result;
}

static int lock_file(const struct target *target)
{
	struct flock lock = { .l_type = target->read_only ? F_RDLCK : F_WRLCK, .l_whence = SEEK_SET };
	int attempts = 0;

	if (target->block_device)
		return 0;
	do
		if (fcntl(target->fd, F_OFD_SETLK, &lock) == 0)
			return 0;
	while ((errno == EAGAIN || errno == EACCES) && try_again(&attempts));
	if (errno == EAGAIN || errno == EACCES) {
		scuse_error("%s is locked: another LUN, or another program, uses it", target->path);
		return -EBUSY;
	}
	/* Some network file systems have no locks. */
	scuse_log(SCUSE_LOG_WARNING, "cannot lock %s: %s", target->path, strerror(errno));
	return 0;
}

static int check_size(const struct target *target, const struct scuse_config *config)
{
	uint64_t wanted = scuse_config_device_size(config), there = 0;
	int result = file_size(target->fd, target->block_device, &there);

	if (result) {
		scuse_error("cannot find out the size of %s: %s", target->path, strerror(-result));
		return result;
	}
	if (!there) {
		scuse_error("%s is empty: truncate -s SIZE %s gives it a size", target->path, target->path);
		return -EINVAL;
	}
	if (wanted <= there)
		return 0;
	if (target->block_device)
		scuse_error("%s has only %" PRIu64 " bytes, but the LUN was to have %" PRIu64
			    ": give a smaller size, or none",
			    target->path, there, wanted);
	else
		scuse_error("%s has only %" PRIu64 " bytes, but the LUN was to have %" PRIu64
			    ": give a smaller size, or make the file larger: truncate -s %" PRIu64 " %s",
			    target->path, there, wanted, wanted, target->path);
	return -EINVAL;
}

/* Whether direct I/O works in units of the LUN's blocks is best asked by trying. */
static int check_blocks(const struct target *target, const struct scuse_config *config)
{
	uint32_t block_size = scuse_config_block_size(config);
	void *buffer;
	ssize_t got;
	int sector = 512;

	if (target->block_device && ioctl(target->fd, BLKSSZGET, &sector) == 0 &&
	    block_size % (unsigned int)sector) {
		scuse_error(
			"%s has blocks of %d bytes, so the LUN cannot have blocks of %u: add --block-size %d",
			target->path, sector, block_size, sector);
		return -EINVAL;
	}
	if (!scuse_config_bool(config, "direct"))
		return 0;
	if (posix_memalign(&buffer, 4096, 4096))
		return -ENOMEM;
	got = pread(target->fd, buffer, block_size, block_size);
	free(buffer);
	if (got >= 0 || errno != EINVAL)
		return 0;
	scuse_error("direct I/O on %s does not work with blocks of %u bytes: add --block-size 4096, or use "
		    "direct=false",
		    target->path, block_size);
	return -EINVAL;
}

/* ---- what it can do ---- */

/* A number from the block device's queue directory in sysfs; partitions have their disk's. */
static uint64_t queue_attribute(const struct stat *status, const char *name)
{
	static const char *const patterns[] = { "/sys/dev/block/%u:%u/queue/%s",
						"/sys/dev/block/%u:%u/../queue/%s" };
	uint64_t value = 0;

	for (int i = 0; i < 2; i++) {
		char path[128];
		FILE *file;
		int got;

		snprintf(path, sizeof(path), patterns[i], major(status->st_rdev), minor(status->st_rdev),
			 name);
		file = fopen(path, "re");
		if (!file)
			continue;
		got = fscanf(file, "%" SCNu64, &value);
		fclose(file);
		return got == 1 ? value : 0;
	}
	return 0;
}

/*
 * For a block device, a hole is a write of zeros that may deallocate: it must be done by the device
 * itself.
 */
static void probe_device(struct target *target, const struct stat *status, uint32_t block_size)
{
	unsigned int physical = 0;

	target->can_punch = !target->read_only && queue_attribute(status, "write_zeroes_max_bytes") > 0;
	target->can_zero = target->can_punch;
	target->granularity = (uint32_t)queue_attribute(status, "discard_granularity");
	target->rotational = queue_attribute(status, "rotational") == 1;
	if (ioctl(target->fd, BLKPBSZGET, &physical) == 0 && physical >= block_size)
		target->physical_block = physical;
}

/*
 * Tried out behind the end of the file, where nothing can be harmed.
 *
 * The physical block size stays unknown, so that the LUN's is that of its logical blocks: st_blksize is the
 * size that suits the page cache, not what the medium below writes at once.  As the granularity of unmapping
 * it is right: nothing smaller becomes a hole.
 */
static void probe_regular(struct target *target, const struct stat *status)
{
	off_t behind = (status->st_size + 65535) / 65536 * 65536 + 65536;

	target->granularity = (uint32_t)status->st_blksize;
	if (target->read_only)
		return;
	target->can_punch =
		fallocate(target->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, behind, 4096) == 0;
	if (!target->can_punch)
		return;
	target->can_zero =
		fallocate(target->fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, behind, 4096) == 0;
	if (target->can_zero)
		fallocate(target->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, behind, 4096);
}

int target_open(struct target *target, const struct scuse_config *config)
{
	struct stat status;
	int result;

	memset(target, 0, sizeof(*target));
	target->read_only = scuse_config_bool(config, "readonly");
	target->path = strdup(scuse_config_string(config, "path"));
	target->fd = target->path ? open_target(target, config) : -ENOMEM;
	result = target->fd < 0 ? target->fd : 0;
	if (!result)
		result = lock_file(target);
	if (!result)
		result = check_size(target, config);
	if (!result)
		result = check_blocks(target, config);
	if (!result && fstat(target->fd, &status))
		result = -errno;
	if (result) {
		target_close(target);
		return result;
	}
	if (target->block_device)
		probe_device(target, &status, scuse_config_block_size(config));
	else
		probe_regular(target, &status);
	target->lun_size =
		scuse_config_device_size(config) ? scuse_config_device_size(config) : target_size(target);
	return 0;
}

void target_close(struct target *target)
{
	struct flock unlock = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	if (target->fd >= 0) {
		/* Not left to close(): a ring that is being taken down may hold the file. */
		fcntl(target->fd, F_OFD_SETLK, &unlock);
		close(target->fd);
	}
	target->fd = -1;
	free(target->path);
	target->path = NULL;
}

/* ---- later ---- */

int target_resize(struct target *target, uint64_t size)
{
	uint64_t there = target_size(target);

	if (size < target->lun_size) {
		scuse_error("the LUN cannot be made smaller, as data would be lost: it has %" PRIu64 " bytes",
			    target->lun_size);
		return -EOPNOTSUPP;
	}
	if (size > there && target->block_device) {
		scuse_error("%s has only %" PRIu64 " bytes: enlarge it first", target->path, there);
		return -ENOSPC;
	}
	if (size > there && ftruncate(target->fd, (off_t)size)) {
		scuse_error("cannot enlarge %s to %" PRIu64 " bytes: %s", target->path, size,
			    strerror(errno));
		return -errno;
	}
	target->lun_size = size;
	return 0;
}

/* Where the file system cannot tell, all is mapped. */
int target_extents(const struct target *target, uint64_t length, uint64_t offset,
		   struct scuse_extents *extents)
{
	uint64_t end = offset + length;
	int result = 0;

	while (offset < end && !result && !scuse_extents_enough(extents)) {
		off_t data =
			target->block_device ? (off_t)offset : lseek(target->fd, (off_t)offset, SEEK_DATA);
		off_t hole;

		if (data < 0 && errno == ENXIO) /* nothing but a hole to the end of the file */
			return scuse_extents_add(extents, offset, end - offset, SCUSE_EXTENT_HOLE);
		if (data < 0)
			data = (off_t)offset;
		if ((uint64_t)data > offset) {
			uint64_t until = (uint64_t)data < end ? (uint64_t)data : end;

			result = scuse_extents_add(extents, offset, until - offset, SCUSE_EXTENT_HOLE);
			offset = until;
			continue;
		}
		hole = target->block_device ? -1 : lseek(target->fd, data, SEEK_HOLE);
		if (hole <= data || (uint64_t)hole > end)
			hole = (off_t)end;
		result = scuse_extents_add(extents, offset, (uint64_t)hole - offset, SCUSE_EXTENT_MAPPED);
		offset = (uint64_t)hole;
	}
	return result;
}
