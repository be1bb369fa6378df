// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Records and filemarks of a cartridge: walking, reading, writing.  See cartridge.h.
 *
 * Each header carries the check of the header in front of it, and a stamp that makes its own check differ
 * from that of whatever was written there before.  So where a new object ends and an older one happens to
 * begin, the chain breaks, and that is the end of data: nothing needs to be written to mark it.
 */
#include "cartridge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

struct place cartridge_start(const struct cartridge *cartridge, unsigned int partition)
{
	const struct format_partition *format = &cartridge->label.partition[partition];

	return (struct place){ .offset = format->start, .chain = format->seed };
}

uint64_t cartridge_used(const struct cartridge *cartridge, unsigned int partition, const struct place *place)
{
	return place->offset - cartridge->label.partition[partition].start;
}

static uint64_t partition_limit(const struct cartridge *cartridge, unsigned int partition)
{
	const struct format_partition *format = &cartridge->label.partition[partition];

	return format->start + format->size;
}

static void pass(struct place *place, const struct format_object *object)
{
	place->offset += format_size(object->length);
	place->object++;
	place->file += object->kind == FORMAT_FILEMARK;
	place->chain = object->check;
}

/* ---- walking ---- */

/* The object behind `place`, as its header says: 1; 0: no object, or not one that belongs there; -errno. */
static int peek(const struct cartridge *cartridge, unsigned int partition, const struct place *place,
		struct format_object *object)
{
	uint64_t limit = partition_limit(cartridge, partition);
	uint8_t header[FORMAT_HEADER];
	int result;

	if (place->offset + FORMAT_OVERHEAD > limit)
		return 0;
	result = cartridge_pread(cartridge, header, sizeof(header), place->offset);
	if (result)
		return result == -EBADMSG ? 0 : result;
	return format_get_header(header, object) && object->chain == place->chain &&
	       object->number == place->object && place->offset + format_size(object->length) <= limit;
}

int cartridge_step(struct cartridge *cartridge, unsigned int partition, struct place *place,
		   struct format_object *object)
{
	const struct partition *part = &cartridge->partition[partition];
	int result;

	if (place->object >= part->end.object)
		return part->damaged ? -EBADMSG : 0;
	result = peek(cartridge, partition, place, object);
	if (result <= 0)
		return result ? result : -EBADMSG;
	pass(place, object);
	return 1;
}

int cartridge_step_back(struct cartridge *cartridge, unsigned int partition, struct place *place,
			struct format_object *object)
{
	struct place before = *place;
	uint8_t trailer[FORMAT_TRAILER];
	uint8_t header[FORMAT_HEADER];
	uint32_t length, check;
	int result;

	if (!place->object)
		return 0;
	result = cartridge_pread(cartridge, trailer, sizeof(trailer), place->offset - FORMAT_TRAILER);
	if (result)
		return result;
	format_get_trailer(trailer, &length, &check);
	if (check != place->chain || format_size(length) > cartridge_used(cartridge, partition, place))
		return -EBADMSG;
	before.offset -= format_size(length);
	result = cartridge_pread(cartridge, header, sizeof(header), before.offset);
	if (result)
		return result;
	if (!format_get_header(header, object) || object->check != check || object->length != length)
		return -EBADMSG;
	before.object--;
	before.file -= object->kind == FORMAT_FILEMARK;
	before.chain = object->chain;
	*place = before;
	return 1;
}

int cartridge_find(struct cartridge *cartridge, unsigned int partition, uint64_t object, struct place *place)
{
	struct partition *part = &cartridge->partition[partition];
	const struct place *near = index_nearest(&part->index, object);
	struct place at = near ? *near : cartridge_start(cartridge, partition);
	struct format_object ignored;

	if (object >= part->end.object) {
		*place = part->end;
		return object == part->end.object;
	}
	while (at.object < object) {
		int result = cartridge_step(cartridge, partition, &at, &ignored);

		if (result <= 0)
			return result ? result : -EBADMSG;
	}
	*place = at;
	return 1;
}

/* ---- finding out what is there ---- */

/* Is all of the object in the file, as it was written?  1, 0, or -errno.  *buffer grows as needed. */
static int whole(const struct cartridge *cartridge, const struct place *place,
		 const struct format_object *object, uint8_t **buffer, uint32_t *room)
{
	uint64_t size = format_size(object->length) - FORMAT_HEADER;
	uint32_t length, check;
	int result;

	if (size > *room) {
		uint8_t *grown = realloc(*buffer, size);

		if (!grown)
			return -ENOMEM;
		*buffer = grown;
		*room = (uint32_t)size;
	}
	result = cartridge_pread(cartridge, *buffer, size, place->offset + FORMAT_HEADER);
	if (result)
		return result == -EBADMSG ? 0 : result;
	format_get_trailer(*buffer + size - FORMAT_TRAILER, &length, &check);
	return length == object->length && check == object->check &&
	       format_crc(0, *buffer, object->length) == object->data_check;
}

/*
 * The objects up to the flushed point are known to be whole; those behind it may have been torn by a
 * crash.
 */
static int walk_objects(struct cartridge *cartridge, unsigned int partition, uint8_t **buffer)
{
	struct partition *part = &cartridge->partition[partition];
	uint64_t flushed = cartridge->label.partition[partition].flushed_offset;
	uint32_t room = 0;

	for (;;) {
		struct format_object object;
		int result = peek(cartridge, partition, &part->end, &object);

		if (result > 0 && part->end.offset >= flushed)
			result = whole(cartridge, &part->end, &object, buffer, &room);
		if (result <= 0)
			return result;
		pass(&part->end, &object);
		if (index_add(&part->index, &part->end, object.kind == FORMAT_FILEMARK))
			return -ENOMEM;
	}
}

int cartridge_walk(struct cartridge *cartridge, unsigned int partition)
{
	struct partition *part = &cartridge->partition[partition];
	uint8_t *buffer = NULL;
	int result;

	part->end = cartridge_start(cartridge, partition);
	result = walk_objects(cartridge, partition, &buffer);
	free(buffer);
	part->damaged = result || part->end.object < cartridge->label.partition[partition].flushed_objects;
	return result == -ENOMEM ? result : 0;
}

/* ---- reading ---- */

int cartridge_read(struct cartridge *cartridge, const struct place *place, const struct format_object *object,
		   void *data, uint32_t length)
{
	int result = cartridge_pread(cartridge, data, length, place->offset + FORMAT_HEADER);

	if (result)
		return result;
	cartridge->label.read += length;
	if (length == object->length && format_crc(0, data, length) != object->data_check)
		return -EBADMSG;
	return 0;
}

/* ---- writing ---- */

/*
 * Gives the space behind the end of data back to the file system; whatever cannot be given back is
 * harmless.
 */
static int discard(const struct cartridge *cartridge, unsigned int partition, uint64_t offset)
{
	static const uint8_t nothing[FORMAT_HEADER];
	uint64_t limit = partition_limit(cartridge, partition);

	if (partition + 1u == cartridge->label.partitions)
		return ftruncate(cartridge->fd, (off_t)offset) ? -errno : 0;
	if (offset == limit || fallocate(cartridge->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
					 (off_t)offset, (off_t)(limit - offset)) == 0)
		return 0;
	if (offset + sizeof(nothing) > limit)
		return 0;
	return pwrite(cartridge->fd, nothing, sizeof(nothing), (off_t)offset) < 0 ? -errno : 0;
}

int cartridge_cut(struct cartridge *cartridge, unsigned int partition, const struct place *place)
{
	struct format_partition *format = &cartridge->label.partition[partition];
	struct partition *part = &cartridge->partition[partition];

	if (format->flushed_offset > place->offset) {
		int result;

		format->flushed_offset = place->offset;
		format->flushed_objects = place->object;
		result = cartridge_put_label(cartridge);
		if (result)
			return result;
		if (fdatasync(cartridge->fd))
			return -errno;
	}
	index_cut(&part->index, place);
	part->end = *place;
	part->damaged = false;
	cartridge->dirty = true;
	return discard(cartridge, partition, place->offset);
}

/* All of `count` buffers, which are used up. */
static int write_all(int fd, struct iovec *iov, int count, uint64_t offset)
{
	while (count) {
		ssize_t put = pwritev(fd, iov, count, (off_t)offset);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		offset += (uint64_t)put;
		for (; count && (size_t)put >= iov->iov_len; count--, iov++)
			put -= (ssize_t)iov->iov_len;
		if (count) {
			iov->iov_base = (char *)iov->iov_base + put;
			iov->iov_len -= (size_t)put;
		}
	}
	return 0;
}

/* At the end of data. */
static int append(struct cartridge *cartridge, unsigned int partition, enum format_kind kind,
		  const void *data, uint32_t length)
{
	struct partition *part = &cartridge->partition[partition];
	struct format_object object = { .kind = kind,
					.length = length,
					.data_check = format_crc(0, data, length),
					.chain = part->end.chain,
					.number = part->end.object,
					.stamp = cartridge->stamp++ };
	uint8_t header[FORMAT_HEADER];
	uint8_t trailer[7 + FORMAT_TRAILER] = { 0 }; /* and the zeros in front of it */
	size_t zeros = (8 - length % 8) % 8;
	struct iovec iov[] = { { header, sizeof(header) },
			       { (void *)data, length },
			       { trailer, zeros + FORMAT_TRAILER } };
	int result;

	if (part->end.offset + format_size(length) > partition_limit(cartridge, partition))
		return -ENOSPC;
	format_put_header(header, &object);
	format_put_trailer(trailer + zeros, &object);
	cartridge->dirty = true;
	result = write_all(cartridge->fd, iov, 3, part->end.offset);
	if (result) {
		discard(cartridge, partition, part->end.offset);
		return result;
	}
	pass(&part->end, &object);
	cartridge->label.written += length;
	return index_add(&part->index, &part->end, kind == FORMAT_FILEMARK);
}

static int write_objects(struct cartridge *cartridge, unsigned int partition, struct place *place,
			 enum format_kind kind, const void *data, uint32_t length, uint64_t count,
			 uint64_t *written)
{
	struct partition *part = &cartridge->partition[partition];
	int result = 0;

	*written = 0;
	if (!count)
		return 0;
	if (cartridge->failed)
		return -EIO;
	if (place->object != part->end.object || part->damaged)
		result = cartridge_cut(cartridge, partition, place);
	for (; !result && *written < count; ++*written) {
		result = append(cartridge, partition, kind, data, length);
		if (result)
			break;
		*place = part->end;
		data = length ? (const char *)data + length : NULL;
	}
	return result;
}

int cartridge_write(struct cartridge *cartridge, unsigned int partition, struct place *place,
		    const void *data, uint32_t length, uint64_t count, uint64_t *written)
{
	return write_objects(cartridge, partition, place, FORMAT_RECORD, data, length, count, written);
}

int cartridge_write_marks(struct cartridge *cartridge, unsigned int partition, struct place *place,
			  uint64_t count, uint64_t *written)
{
	return write_objects(cartridge, partition, place, FORMAT_FILEMARK, "", 0, count, written);
}
