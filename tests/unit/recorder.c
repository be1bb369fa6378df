// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Handlers that write down what they are asked to do.  See recorder.h.  `lock` covers everything but the
 * data.
 */
#include "recorder.h"

#include <stdlib.h>
#include <string.h>

unsigned char recorder_data[RECORDER_SIZE];
unsigned char recorder_protection[RECORDER_SIZE / 64];
struct scuse_caps recorder_caps;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static GString *calls;
static int next_result;
static unsigned int running, most, cancels, resets;
static struct scuse_io *latest;

/* Async: commands that wait for the completing thread. */
static struct scuse_io *waiting[256];
static unsigned int waiting_count;
static bool holding, ending;
static pthread_t completer;

static void note_flags(const char *name, const struct scuse_io *io)
{
	uint32_t flags = scuse_io_flags(io);
	uint64_t protection;

	if (flags & SCUSE_IO_FUA)
		g_string_append(calls, " FUA");
	if (flags & SCUSE_IO_ATOMIC && !strcmp(name, "write"))
		g_string_append(calls, " ATOMIC");
	if (flags & SCUSE_IO_ANCHOR)
		g_string_append(calls, " ANCHOR");
	if (flags & SCUSE_IO_UNMAP && !strcmp(name, "write_zeroes"))
		g_string_append(calls, " UNMAP");
	if (scuse_io_protection(io, &protection))
		g_string_append_printf(calls, " PI%" G_GUINT64_FORMAT, protection);
}

static int note(const char *name, struct scuse_io *io, uint64_t length, uint64_t offset, bool has_range)
{
	int result;

	pthread_mutex_lock(&lock);
	if (!calls)
		calls = g_string_new(NULL);
	g_string_append_printf(calls, "%s%s", calls->len ? " " : "", name);
	if (has_range)
		g_string_append_printf(calls, " %" G_GUINT64_FORMAT "+%" G_GUINT64_FORMAT, offset, length);
	note_flags(name, io);
	latest = io;
	running++;
	most = MAX(most, running);
	result = next_result;
	next_result = 0;
	pthread_mutex_unlock(&lock);
	return result;
}

static int leave(int result)
{
	pthread_mutex_lock(&lock);
	running--;
	pthread_mutex_unlock(&lock);
	return result;
}

char *recorder_calls(void)
{
	char *text;

	pthread_mutex_lock(&lock);
	text = calls ? g_string_free(calls, FALSE) : g_strdup("");
	calls = NULL;
	pthread_mutex_unlock(&lock);
	return text;
}

void recorder_next_result(int result)
{
	pthread_mutex_lock(&lock);
	next_result = result;
	pthread_mutex_unlock(&lock);
}

static unsigned int take(unsigned int *counter)
{
	unsigned int value;

	pthread_mutex_lock(&lock);
	value = *counter;
	*counter = 0;
	pthread_mutex_unlock(&lock);
	return value;
}

unsigned int recorder_most(void)
{
	return take(&most);
}

unsigned int recorder_cancels(void)
{
	return take(&cancels);
}

unsigned int recorder_resets(void)
{
	return take(&resets);
}

struct scuse_io *recorder_latest(void)
{
	struct scuse_io *io;

	pthread_mutex_lock(&lock);
	io = latest;
	pthread_mutex_unlock(&lock);
	return io;
}

/* ---- sync ---- */

static void wait_while_held(void)
{
	pthread_mutex_lock(&lock);
	while (holding)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
}

/* Copies the protection information of a transfer, if it has any. */
static void move_protection(struct scuse_io *io, uint64_t offset, bool to_initiator)
{
	uint64_t length;
	void *theirs = scuse_io_protection(io, &length);
	unsigned char *ours = recorder_protection + offset / 512 * 8;

	if (theirs)
		memcpy(to_initiator ? theirs : ours, to_initiator ? ours : theirs, length);
}

static int sync_read(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	int result = note("read", io, length, offset, true);

	(void)handle;
	if (!result)
		memcpy(buffer, recorder_data + offset, length);
	if (!result)
		move_protection(io, offset, true);
	return leave(result);
}

static int sync_write(void *handle, struct scuse_io *io, const void *buffer, uint64_t length, uint64_t offset)
{
	int result = note("write", io, length, offset, true);

	(void)handle;
	wait_while_held();
	if (!result)
		memcpy(recorder_data + offset, buffer, length);
	if (!result)
		move_protection(io, offset, false);
	return leave(result);
}

static int sync_flush(void *handle, struct scuse_io *io)
{
	(void)handle;
	return leave(note("flush", io, 0, 0, false));
}

static int sync_unmap(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset)
{
	(void)handle;
	return leave(note("unmap", io, length, offset, true));
}

static int sync_write_zeroes(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset)
{
	(void)handle;
	return leave(note("write_zeroes", io, length, offset, true));
}

static int sync_write_same(void *handle, struct scuse_io *io, const void *pattern, uint64_t pattern_length,
			   uint64_t length, uint64_t offset)
{
	(void)handle;
	(void)pattern;
	(void)pattern_length;
	return leave(note("write_same", io, length, offset, true));
}

/* The first 1000 bytes are mapped, the next 4000 a hole, the rest is anchored. */
static int add_extents(struct scuse_extents *extents, uint64_t length, uint64_t offset)
{
	int result = 0;

	if (offset < 1000)
		result = scuse_extents_add(extents, 0, 1000, SCUSE_EXTENT_MAPPED);
	if (!result && offset < 5000 && offset + length > 1000)
		result = scuse_extents_add(extents, 1000, 4000, SCUSE_EXTENT_HOLE);
	if (!result && offset + length > 5000)
		result = scuse_extents_add(extents, 5000, RECORDER_SIZE, SCUSE_EXTENT_ANCHORED);
	return result;
}

static int sync_extents(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset,
			struct scuse_extents *extents)
{
	int result = note("extents", io, length, offset, true);

	(void)handle;
	return leave(result ? result : add_extents(extents, length, offset));
}

static int sync_format(void *handle, struct scuse_io *io)
{
	(void)handle;
	return leave(note("format", io, 0, 0, false));
}

/* Noted as method + length of the pattern and its first byte. */
static int note_sanitize(struct scuse_io *io, uint32_t method, const unsigned char *pattern, uint64_t length)
{
	return note("sanitize", io, length << 8 | (pattern ? *pattern : 0), method, true);
}

static int sync_sanitize(void *handle, struct scuse_io *io, uint32_t method, const void *pattern,
			 uint64_t pattern_length)
{
	(void)handle;
	return leave(note_sanitize(io, method, pattern, pattern_length));
}

static int sync_cdb(void *handle, struct scuse_io *io)
{
	size_t cdb_length;
	uint64_t room;
	const uint8_t *cdb = scuse_io_cdb(io, &cdb_length);
	uint8_t *data = scuse_io_data(io, &room);

	(void)handle;
	note("cdb", io, cdb_length, cdb[0], true);
	if (data && cdb[1] == 1) {
		memset(data, 0xab, 5);
		scuse_io_set_data_in(io, 5);
	}
	if (cdb[1] == 2)
		scuse_io_set_status(io, SAM_RESERVATION_CONFLICT);
	if (cdb[1] == 3)
		scuse_io_set_status(io, 0x77);
	return leave(cdb[1] == 4 ? scuse_fail_sense(io, 0x02, 0x3a, 0x00, SENSE_NO_INFORMATION) : 0);
}

static int recorder_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	(void)dev;
	(void)config;
	*handle = recorder_data;
	memset(recorder_data, 0, sizeof(recorder_data));
	return 0;
}

static int recorder_probe(void *handle, struct scuse_caps *caps)
{
	(void)handle;
	*caps = recorder_caps;
	caps->device_size = RECORDER_SIZE;
	return 0;
}

static void recorder_cancel(void *handle, struct scuse_io *io)
{
	(void)handle;
	(void)io;
	pthread_mutex_lock(&lock);
	cancels++;
	pthread_mutex_unlock(&lock);
	recorder_release();
}

static void recorder_reset(void *handle)
{
	(void)handle;
	pthread_mutex_lock(&lock);
	resets++;
	pthread_mutex_unlock(&lock);
}

static const struct scuse_sync_ops sync_ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
	.read = sync_read,
	.write = sync_write,
	.flush = sync_flush,
	.unmap = sync_unmap,
	.cdb = sync_cdb,
};

static const struct scuse_claim claims[] = {
	{ .opcode = 0xc1, .cdb_len = 10 },
	{ .opcode = 0x7f, .has_service_action = 1, .service_action = 0x1234 },
	{ .flags = SCUSE_CLAIM_END },
};

struct scuse_handler recorder_sync = {
	.magic = SCUSE_HANDLER_ABI_MAGIC,
	.abi_major = SCUSE_HANDLER_ABI_MAJOR,
	.struct_size = sizeof(struct scuse_handler),
	.name = "recorder",
	.io_private_size = 24,
	.claims = claims,
	.sync = &sync_ops,
	.open = recorder_open,
	.probe = recorder_probe,
	.reset = recorder_reset,
};

static const struct scuse_sync_ops sync_full_ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
	.read = sync_read,
	.write = sync_write,
	.flush = sync_flush,
	.unmap = sync_unmap,
	.write_zeroes = sync_write_zeroes,
	.write_same = sync_write_same,
	.extents = sync_extents,
	.format = sync_format,
	.sanitize = sync_sanitize,
};

struct scuse_handler recorder_sync_full = {
	.magic = SCUSE_HANDLER_ABI_MAGIC,
	.abi_major = SCUSE_HANDLER_ABI_MAJOR,
	.abi_minor = SCUSE_HANDLER_ABI_MINOR,
	.struct_size = sizeof(struct scuse_handler),
	.name = "recorder",
	.sync = &sync_full_ops,
	.open = recorder_open,
	.probe = recorder_probe,
};

/* ---- async ---- */

static void later(struct scuse_io *io)
{
	pthread_mutex_lock(&lock);
	waiting[waiting_count++] = io;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

static void *complete(void *unused)
{
	pthread_mutex_lock(&lock);
	for (;;) {
		struct scuse_io *io;

		while ((!waiting_count || holding) && !ending)
			pthread_cond_wait(&changed, &lock);
		if (!waiting_count)
			break;
		io = waiting[--waiting_count];
		running--;
		pthread_mutex_unlock(&lock);
		scuse_done(io);
		pthread_mutex_lock(&lock);
	}
	pthread_mutex_unlock(&lock);
	return unused;
}

void recorder_hold(bool hold)
{
	pthread_mutex_lock(&lock);
	holding = hold;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

void recorder_release(void)
{
	recorder_hold(false);
}

static void async_read(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	int result = note("read", io, length, offset, true);

	(void)handle;
	memcpy(buffer, recorder_data + offset, length);
	move_protection(io, offset, true);
	if (result) {
		leave(0);
		scuse_fail_errno(io, result);
	} else {
		later(io);
	}
}

static void async_write(void *handle, struct scuse_io *io, const void *buffer, uint64_t length,
			uint64_t offset)
{
	(void)handle;
	note("write", io, length, offset, true);
	memcpy(recorder_data + offset, buffer, length);
	move_protection(io, offset, false);
	later(io);
}

static void async_flush(void *handle, struct scuse_io *io)
{
	(void)handle;
	note("flush", io, 0, 0, false);
	later(io);
}

/* Completes at once, on the queue's thread: the other way for a chain to go on. */
static void async_unmap(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset)
{
	(void)handle;
	note("unmap", io, length, offset, true);
	leave(0);
	scuse_done(io);
}

static void async_write_zeroes(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset)
{
	(void)handle;
	note("write_zeroes", io, length, offset, true);
	later(io);
}

static void async_write_same(void *handle, struct scuse_io *io, const void *pattern, uint64_t pattern_length,
			     uint64_t length, uint64_t offset)
{
	(void)handle;
	(void)pattern;
	(void)pattern_length;
	note("write_same", io, length, offset, true);
	later(io);
}

static void async_extents(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset,
			  struct scuse_extents *extents)
{
	int result = note("extents", io, length, offset, true);

	(void)handle;
	if (!result)
		result = add_extents(extents, length, offset);
	if (result) {
		leave(0);
		scuse_fail_errno(io, result);
	} else {
		later(io);
	}
}

static void async_format(void *handle, struct scuse_io *io)
{
	(void)handle;
	note("format", io, 0, 0, false);
	later(io);
}

static void async_sanitize(void *handle, struct scuse_io *io, uint32_t method, const void *pattern,
			   uint64_t pattern_length)
{
	(void)handle;
	note_sanitize(io, method, pattern, pattern_length);
	later(io);
}

static int async_start(void *handle)
{
	(void)handle;
	ending = false;
	return pthread_create(&completer, NULL, complete, NULL);
}

static void async_stop(void *handle)
{
	(void)handle;
	pthread_mutex_lock(&lock);
	ending = true;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	pthread_join(completer, NULL);
}

static const struct scuse_async_ops async_ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_async_ops),
	.read = async_read,
	.write = async_write,
	.flush = async_flush,
	.unmap = async_unmap,
};

struct scuse_handler recorder_async = {
	.magic = SCUSE_HANDLER_ABI_MAGIC,
	.abi_major = SCUSE_HANDLER_ABI_MAJOR,
	.struct_size = sizeof(struct scuse_handler),
	.name = "recorder",
	.async = &async_ops,
	.open = recorder_open,
	.probe = recorder_probe,
	.start = async_start,
	.stop = async_stop,
	.cancel = recorder_cancel,
	.reset = recorder_reset,
};

static const struct scuse_async_ops async_full_ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_async_ops),
	.read = async_read,
	.write = async_write,
	.flush = async_flush,
	.unmap = async_unmap,
	.write_zeroes = async_write_zeroes,
	.write_same = async_write_same,
	.extents = async_extents,
	.format = async_format,
	.sanitize = async_sanitize,
};

struct scuse_handler recorder_async_full = {
	.magic = SCUSE_HANDLER_ABI_MAGIC,
	.abi_major = SCUSE_HANDLER_ABI_MAJOR,
	.abi_minor = SCUSE_HANDLER_ABI_MINOR,
	.struct_size = sizeof(struct scuse_handler),
	.name = "recorder",
	.async = &async_full_ops,
	.open = recorder_open,
	.probe = recorder_probe,
	.start = async_start,
	.stop = async_stop,
};
