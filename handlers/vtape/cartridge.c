// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Cartridges as a whole: opening, labels, flushing, formatting.  See cartridge.h; objects.c has what is in
 * them.
 *
 * The label has two copies, written in turn, so that one is whole at any moment.  It tells how far the
 * objects were durable at some time.  Before anything in front of that point is overwritten, a label with a
 * lower one is made durable; so it never promises what is not there.
 */
#include "cartridge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <scuse/handler.h>

#include "bytes.h"

#define PARTITION_ALIGN 4096u /* so that a partition's space can be given back to the file system */

int cartridge_pread(const struct cartridge *cartridge, void *data, size_t length, uint64_t offset)
{
	while (length) {
		ssize_t got = pread(cartridge->fd, data, length, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return -EBADMSG;
		data = (char *)data + got;
		offset += (uint64_t)got;
		length -= (size_t)got;
	}
	return 0;
}

/* ---- the label ---- */

int cartridge_put_label(struct cartridge *cartridge)
{
	struct format_label *label = &cartridge->label;
	ssize_t put;

	label->sequence++;
	format_put_label(cartridge->label_bytes, label);
	put = pwrite(cartridge->fd, cartridge->label_bytes, FORMAT_LABEL_SIZE,
		     (off_t)(label->sequence % 2 * FORMAT_LABEL_SIZE));
	if (put < 0)
		return -errno;
	return put == FORMAT_LABEL_SIZE ? 0 : -ENOSPC;
}

/* The newer of the two copies. */
static int get_label(struct cartridge *cartridge)
{
	bool found = false;

	for (unsigned int copy = 0; copy < 2; copy++) {
		struct format_label label;

		if (cartridge_pread(cartridge, cartridge->label_bytes, FORMAT_LABEL_SIZE,
				    (uint64_t)copy * FORMAT_LABEL_SIZE) ||
		    !format_get_label(cartridge->label_bytes, &label))
			continue;
		if (!found || label.sequence > cartridge->label.sequence)
			cartridge->label = label;
		found = true;
	}
	return found ? 0 : -EBADMSG;
}

int cartridge_flush(struct cartridge *cartridge)
{
	if (cartridge->failed)
		return -EIO;
	if (!cartridge->dirty)
		return 0;
	if (fdatasync(cartridge->fd)) {
		int error = errno;

		cartridge->failed = true;
		return -error;
	}
	for (unsigned int i = 0; i < cartridge->label.partitions; i++) {
		const struct place *end = &cartridge->partition[i].end;

		if (cartridge->partition[i].damaged)
			continue;
		cartridge->label.partition[i].flushed_offset = end->offset;
		cartridge->label.partition[i].flushed_objects = end->object;
	}
	cartridge->dirty = false;
	return cartridge_put_label(cartridge);
}

/* ---- formatting ---- */

/* The partitions' places in the file, one behind the other. */
static void lay_out(struct format_label *label, unsigned int count, const uint64_t *sizes)
{
	uint64_t start = FORMAT_DATA_START;

	label->partitions = (uint8_t)count;
	for (unsigned int i = 0; i < count; i++) {
		struct format_partition *partition = &label->partition[i];

		partition->start = start;
		partition->size = sizes[i] / PARTITION_ALIGN * PARTITION_ALIGN;
		partition->flushed_offset = start;
		partition->flushed_objects = 0;
		start += partition->size;
	}
}

/* The new seeds end the validity of all objects, so the label alone formats the cartridge. */
int cartridge_format(struct cartridge *cartridge, unsigned int count, const uint64_t *sizes)
{
	struct format_label *label = &cartridge->label;
	int result;

	lay_out(label, count, sizes);
	for (unsigned int i = 0; i < count; i++)
		if (getrandom(&label->partition[i].seed, sizeof(label->partition[i].seed), 0) < 0)
			return -errno;
	result = cartridge_put_label(cartridge);
	if (!result && fdatasync(cartridge->fd))
		result = -errno;
	if (!result && ftruncate(cartridge->fd, FORMAT_DATA_START))
		result = -errno;
	for (unsigned int i = 0; i < FORMAT_PARTITIONS; i++) {
		index_free(&cartridge->partition[i].index);
		cartridge->partition[i].damaged = false;
		cartridge->partition[i].end = cartridge_start(cartridge, i);
	}
	return result;
}

static void default_barcode(char *out, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	snprintf(out, FORMAT_STRING, "%.*s", (int)strcspn(name, "."), name);
}

static int make_blank(struct cartridge *cartridge, const char *path, const struct cartridge_options *options)
{
	struct format_label *label = &cartridge->label;
	uint64_t sizes[FORMAT_PARTITIONS];
	uint64_t serial;

	for (unsigned int i = 0; i < options->partitions; i++)
		sizes[i] = options->capacity / options->partitions;
	if (getrandom(&serial, sizeof(serial), 0) < 0)
		return -errno;
	snprintf(label->serial, sizeof(label->serial), "%016llX", (unsigned long long)serial);
	if (options->barcode && *options->barcode)
		snprintf(label->barcode, sizeof(label->barcode), "%s", options->barcode);
	else
		default_barcode(label->barcode, path);
	label->created = (uint64_t)time(NULL);
	label->density = options->density;
	label->flags = options->worm ? FORMAT_WORM : 0;
	return cartridge_format(cartridge, options->partitions, sizes);
}

/* ---- opening ---- */

static int open_file(struct cartridge *cartridge, const char *path, bool writable, bool create)
{
	cartridge->writable = writable;
	cartridge->fd = open(path, (writable ? O_RDWR : O_RDONLY) | (create ? O_CREAT : 0) | O_CLOEXEC, 0666);
	if (cartridge->fd < 0 && writable && (errno == EACCES || errno == EROFS || errno == EPERM)) {
		cartridge->writable = false;
		cartridge->fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (cartridge->fd < 0) {
		int error = errno;

		if (error == ENOENT)
			scuse_error("%s does not exist: create=true makes it", path);
		else
			scuse_error("%s cannot be opened: %s", path, strerror(error));
		return -error;
	}
	if (flock(cartridge->fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	scuse_error("%s is in another drive: it is locked", path);
	return -EBUSY;
}

/* A cartridge, or an empty file that is to become one. */
static int identify(struct cartridge *cartridge, const char *path, const struct cartridge_options *create)
{
	struct stat status;
	int result;

	if (fstat(cartridge->fd, &status))
		return -errno;
	if (!S_ISREG(status.st_mode)) {
		scuse_error("%s is not a regular file", path);
		return -EINVAL;
	}
	if (status.st_size == 0 && create && cartridge->writable) {
		result = make_blank(cartridge, path, create);
		if (result)
			scuse_error("%s cannot be made a cartridge: %s", path, strerror(-result));
		return result;
	}
	result = get_label(cartridge);
	if (result)
		scuse_error("%s is no cartridge of a scuse tape drive, or both of its labels are damaged",
			    path);
	return result;
}

static int take_into_use(struct cartridge *cartridge)
{
	for (unsigned int i = 0; i < cartridge->label.partitions; i++) {
		int result = cartridge_walk(cartridge, i);

		if (result)
			return result;
	}
	cartridge->was_in_use = cartridge->label.flags & FORMAT_IN_USE;
	if (getrandom(&cartridge->stamp, sizeof(cartridge->stamp), 0) < 0)
		return -errno;
	if (!cartridge->writable)
		return 0;
	cartridge->label.flags |= FORMAT_IN_USE;
	cartridge->label.loads++;
	return cartridge_put_label(cartridge);
}

static void release(struct cartridge *cartridge)
{
	for (unsigned int i = 0; i < FORMAT_PARTITIONS; i++)
		index_free(&cartridge->partition[i].index);
	if (cartridge->fd >= 0)
		close(cartridge->fd);
	free(cartridge->label_bytes);
	free(cartridge);
}

int cartridge_open(const char *path, bool writable, const struct cartridge_options *create,
		   struct cartridge **opened)
{
	struct cartridge *cartridge = calloc(1, sizeof(*cartridge));
	int result;

	if (!cartridge)
		return -ENOMEM;
	cartridge->fd = -1;
	cartridge->noted = UINT64_MAX;
	cartridge->label_bytes = malloc(FORMAT_LABEL_SIZE);
	result = cartridge->label_bytes ? open_file(cartridge, path, writable, create) : -ENOMEM;
	if (!result)
		result = identify(cartridge, path, create);
	if (!result)
		result = take_into_use(cartridge);
	if (result)
		release(cartridge);
	else
		*opened = cartridge;
	return result;
}

/* ---- the drive's page ---- */

/* What cannot be noted is as if the machine had failed. */
void cartridge_note_owner(struct cartridge *cartridge, const char *owner)
{
	char page[FORMAT_OWNER] = "";

	snprintf(page, sizeof(page), "%s", owner);
	if (pwrite(cartridge->fd, page, sizeof(page), FORMAT_OWNER_AT) != sizeof(page))
		scuse_log(SCUSE_LOG_WARNING, "a cartridge's position cannot be noted: %s", strerror(errno));
}

void cartridge_note_position(struct cartridge *cartridge, unsigned int partition, uint64_t object)
{
	uint64_t position = format_position(partition, object);
	uint8_t bytes[8];

	if (position == cartridge->noted || !cartridge->writable)
		return;
	bytes_put_le(bytes, sizeof(bytes), position);
	if (pwrite(cartridge->fd, bytes, sizeof(bytes), FORMAT_POSITION_AT) == sizeof(bytes))
		cartridge->noted = position;
}

bool cartridge_last_position(const struct cartridge *cartridge, const char *owner, unsigned int *partition,
			     uint64_t *object)
{
	char page[FORMAT_OWNER];
	uint8_t bytes[8];
	uint64_t position;

	if (!cartridge->was_in_use || cartridge_pread(cartridge, page, sizeof(page), FORMAT_OWNER_AT) ||
	    cartridge_pread(cartridge, bytes, sizeof(bytes), FORMAT_POSITION_AT) ||
	    strncmp(page, owner, sizeof(page)) != 0)
		return false;
	position = bytes_get_le(bytes, sizeof(bytes));
	*partition = (unsigned int)(position >> 63);
	*object = position & INT64_MAX;
	return *partition < cartridge->label.partitions;
}

int cartridge_close(struct cartridge *cartridge)
{
	int result;

	if (!cartridge)
		return 0;
	result = cartridge_flush(cartridge);
	if (!result && cartridge->writable) {
		cartridge->label.flags &= ~FORMAT_IN_USE;
		result = cartridge_put_label(cartridge);
	}
	release(cartridge);
	return result;
}
