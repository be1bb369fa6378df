// SPDX-License-Identifier: LGPL-2.1-or-later
/* A tape drive without a worker.  See vtape_rig.h. */
#include "vtape_rig.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <scuse/handler.h>

#define GOOD		0
#define CHECK_CONDITION 2

extern const struct scuse_handler *scuse_handler_register(void);

/* ---- what handlers call ---- */

struct scuse_dev {
	uint32_t changes; /* atomic */
};

struct scuse_config {
	GHashTable *given;
};

struct scuse_io {
	const uint8_t *cdb;
	size_t cdb_length;
	void *data;
	uint64_t length, data_in;
	uint8_t status;
	uint8_t sense[96];
	size_t sense_length;
	uint32_t nexus;
};

static char error_text[512];

static const char *value_of(const struct scuse_config *config, const char *name)
{
	const char *given = g_hash_table_lookup(config->given, name);

	if (given)
		return given;
	for (const struct scuse_param *param = scuse_handler_register()->params; param->name; param++)
		if (strcmp(param->name, name) == 0)
			return param->default_value;
	cr_assert_fail("the handler asks for %s, which is not in its table", name);
	return NULL;
}

const char *scuse_config_string(const struct scuse_config *config, const char *name)
{
	return value_of(config, name);
}

int scuse_config_bool(const struct scuse_config *config, const char *name)
{
	return g_strcmp0(value_of(config, name), "true") == 0;
}

int64_t scuse_config_int(const struct scuse_config *config, const char *name)
{
	const char *value = value_of(config, name);

	return value ? strtoll(value, NULL, 0) : 0;
}

uint64_t scuse_config_size(const struct scuse_config *config, const char *name)
{
	const char *value = value_of(config, name);
	char *suffix = NULL;
	uint64_t size = value ? strtoull(value, &suffix, 0) : 0;

	if (suffix && *suffix == 'k')
		return size << 10;
	if (suffix && *suffix == 'M')
		return size << 20;
	return suffix && *suffix == 'G' ? size << 30 : size;
}

int scuse_config_given(const struct scuse_config *config, const char *name)
{
	return g_hash_table_contains(config->given, name);
}

const char *scuse_dev_name(const struct scuse_dev *dev)
{
	(void)dev;
	return "drive";
}

void scuse_dev_changed(struct scuse_dev *dev, uint32_t mask)
{
	__atomic_fetch_or(&dev->changes, mask, __ATOMIC_RELAXED);
}

void scuse_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error_text, sizeof(error_text), format, args);
	va_end(args);
}

void scuse_log(enum scuse_log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

uint32_t scuse_io_nexus(const struct scuse_io *io)
{
	return io->nexus;
}

const uint8_t *scuse_io_cdb(const struct scuse_io *io, size_t *len)
{
	*len = io->cdb_length;
	return io->cdb;
}

void *scuse_io_data(const struct scuse_io *io, uint64_t *len)
{
	*len = io->length;
	return io->length ? io->data : NULL;
}

void scuse_io_set_data_in(struct scuse_io *io, uint64_t len)
{
	io->data_in = len;
}

int scuse_fail_sense_data(struct scuse_io *io, const uint8_t *sense, size_t len)
{
	cr_assert(len >= 18 && len <= sizeof(io->sense));
	memcpy(io->sense, sense, len);
	io->sense_length = len;
	io->status = CHECK_CONDITION;
	return -1000;
}

int scuse_fail_sense(struct scuse_io *io, uint8_t key, uint8_t asc, uint8_t ascq, uint64_t information)
{
	uint8_t sense[18] = { 0x70, [2] = key, [7] = 10, [12] = asc, [13] = ascq };

	cr_assert_eq(information, UINT64_MAX);
	return scuse_fail_sense_data(io, sense, sizeof(sense));
}

int scuse_fail(struct scuse_io *io, enum scuse_error_code code)
{
	return scuse_fail_sense(io, code == SCUSE_E_UNSUPPORTED ? 5 : 4,
				code == SCUSE_E_UNSUPPORTED ? 0x20 : 0x44, 0, UINT64_MAX);
}

/* ---- opening and closing ---- */

const char *tape_error(void)
{
	return error_text;
}

static struct scuse_config *new_config(const char *path, const char *parameters)
{
	struct scuse_config *config = g_new0(struct scuse_config, 1);
	g_auto(GStrv) lines = g_strsplit(parameters, "\n", -1);

	config->given = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
	g_hash_table_insert(config->given, g_strdup("path"), g_strdup(path));
	g_hash_table_insert(config->given, g_strdup("create"), g_strdup("true"));
	for (char **line = lines; *line; line++) {
		g_auto(GStrv) pair = g_strsplit(*line, "=", 2);

		if (pair[0] && pair[1] && *pair[1])
			g_hash_table_insert(config->given, g_strdup(pair[0]), g_strdup(pair[1]));
		else if (pair[0])
			g_hash_table_remove(config->given, pair[0]);
	}
	return config;
}

static void release(struct tape *tape)
{
	if (tape->config)
		g_hash_table_destroy(tape->config->given);
	g_free(tape->config);
	g_free(tape->dev);
	g_free(tape->path);
	g_free(tape->dir);
	g_free(tape);
}

struct tape *tape_try(const char *dir, const char *parameters)
{
	const struct scuse_handler *handler = scuse_handler_register();
	struct tape *tape = g_new0(struct tape, 1);
	struct scuse_caps caps = { .struct_size = sizeof(caps) };

	error_text[0] = '\0';
	tape->nexus = 1;
	tape->dir = g_strdup(dir);
	tape->path = g_build_filename(dir, "tape", NULL);
	tape->dev = g_new0(struct scuse_dev, 1);
	tape->config = new_config(tape->path, parameters);
	if (handler->validate(tape->config) || handler->open(tape->dev, tape->config, &tape->handle)) {
		release(tape);
		return NULL;
	}
	cr_assert_eq(handler->probe(tape->handle, &caps), 0);
	return tape;
}

struct tape *tape_new(const char *parameters)
{
	g_autofree char *dir = g_strdup("/dev/shm/scuse-test-XXXXXX");
	struct tape *tape;

	cr_assert_not_null(g_mkdtemp(dir));
	tape = tape_try(dir, parameters);
	cr_assert(tape, "the drive does not open: %s", error_text);
	return tape;
}

void tape_close(struct tape *tape)
{
	if (tape->handle)
		scuse_handler_register()->close(tape->handle);
	tape->handle = NULL;
}

struct tape *tape_again(struct tape *tape, const char *parameters)
{
	struct tape *again = tape_try(tape->dir, parameters);

	cr_assert(again, "the drive does not open again: %s", error_text);
	release(tape);
	return again;
}

void tape_free(struct tape *tape)
{
	tape_close(tape);
	unlink(tape->path);
	rmdir(tape->dir);
	release(tape);
}

uint32_t tape_changes(struct tape *tape)
{
	return __atomic_exchange_n(&tape->dev->changes, 0, __ATOMIC_RELAXED);
}

/* ---- commands ---- */

static uint32_t get(const uint8_t *from, unsigned int size)
{
	uint32_t value = 0;

	for (unsigned int i = 0; i < size; i++)
		value = value << 8 | from[i];
	return value;
}

static void put(uint8_t *to, unsigned int size, uint64_t value)
{
	for (unsigned int i = size; i--; value >>= 8)
		to[i] = (uint8_t)value;
}

static void keep_sense(struct tape *tape, const struct scuse_io *io)
{
	const uint8_t *sense = io->sense;

	tape->sense = 0;
	tape->bits = 0;
	tape->has_residual = false;
	tape->residual = 0;
	tape->field = 0;
	if (!io->sense_length)
		return;
	tape->sense = (uint32_t)((sense[2] & 0x0f) << 16 | sense[12] << 8 | sense[13]);
	tape->bits = sense[2] & 0xf0;
	tape->has_residual = sense[0] & 0x80;
	tape->residual = (int32_t)get(sense + 3, 4);
	tape->field = sense[15] & 0x80 ? (uint16_t)get(sense + 16, 2) : 0;
}

int tape_command(struct tape *tape, const uint8_t *cdb, size_t cdb_length, const void *out, uint64_t length)
{
	g_autofree void *buffer = g_malloc(length ? length : 1);
	struct scuse_io io = {
		.cdb = cdb, .cdb_length = cdb_length, .data = buffer, .length = length, .nexus = tape->nexus
	};
	int result;

	cr_assert(length <= sizeof(tape->data));
	memset(buffer, 0xee, length);
	if (out)
		memcpy(buffer, out, length);
	result = scuse_handler_register()->sync->cdb(tape->handle, &io);
	cr_assert_eq(result != 0, io.status != GOOD, "the result is %d, the status %d", result, io.status);
	cr_assert(io.data_in <= length);
	if (!out)
		memcpy(tape->data, buffer, length);
	tape->status = io.status;
	tape->data_in = io.data_in;
	keep_sense(tape, &io);
	return io.status;
}

/* Operation code, second byte, a count in bytes 2 to 4. */
static int count_command(struct tape *tape, uint8_t opcode, uint8_t byte1, uint32_t count, const void *out,
			 uint64_t length)
{
	uint8_t cdb[6] = { opcode, byte1 };

	put(cdb + 2, 3, count);
	return tape_command(tape, cdb, sizeof(cdb), out, length);
}

int tape_write(struct tape *tape, const void *data, uint32_t length)
{
	return count_command(tape, 0x0a, 0, length, data, length);
}

int tape_write_fixed(struct tape *tape, const void *data, uint32_t count, uint32_t block)
{
	return count_command(tape, 0x0a, 1, count, data, (uint64_t)count * block);
}

int tape_marks(struct tape *tape, uint32_t count)
{
	return count_command(tape, 0x10, 0, count, NULL, 0);
}

int tape_read(struct tape *tape, uint32_t length)
{
	return count_command(tape, 0x08, 0, length, NULL, length);
}

int tape_read_fixed(struct tape *tape, uint32_t count, uint32_t block)
{
	return count_command(tape, 0x08, 1, count, NULL, (uint64_t)count * block);
}

int tape_space(struct tape *tape, unsigned int code, int32_t count)
{
	return count_command(tape, 0x11, (uint8_t)code, (uint32_t)count & 0xffffff, NULL, 0);
}

int tape_rewind(struct tape *tape)
{
	return tape_cdb(tape, 0, 0x01, 0, 0, 0, 0, 0);
}

int tape_locate(struct tape *tape, uint64_t object)
{
	uint8_t cdb[16] = { 0x92 };

	put(cdb + 4, 8, object);
	return tape_command(tape, cdb, sizeof(cdb), NULL, 0);
}

int tape_unload(struct tape *tape)
{
	return tape_cdb(tape, 0, 0x1b, 0, 0, 0, 0, 0);
}

int tape_load(struct tape *tape)
{
	return tape_cdb(tape, 0, 0x1b, 0, 0, 0, 1, 0);
}

int tape_set_block(struct tape *tape, uint32_t block)
{
	uint8_t list[12] = { 0, 0, 0x10, 8 };

	put(list + 9, 3, block);
	return tape_command(tape, (const uint8_t[6]){ 0x15, 0x10, 0, 0, sizeof(list) }, 6, list,
			    sizeof(list));
}

uint64_t tape_position(struct tape *tape, uint64_t *file, uint32_t *partition)
{
	cr_assert_eq(tape_cdb(tape, 32, 0x34, 6, 0, 0, 0, 0, 0, 0, 32, 0), GOOD);
	if (partition)
		*partition = get(tape->data + 4, 4);
	if (file)
		*file = (uint64_t)get(tape->data + 16, 4) << 32 | get(tape->data + 20, 4);
	return (uint64_t)get(tape->data + 8, 4) << 32 | get(tape->data + 12, 4);
}
