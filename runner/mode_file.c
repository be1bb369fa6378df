// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Files of saved mode pages; see mode_file.h.
 *
 *	bytes	what (integers are little-endian)
 *	0	MAGIC
 *	8	version, 4 bytes
 *	12	bytes of the serial number, 4 bytes
 *	16	bytes of the pages, 4 bytes
 *	20	the serial number, then the pages
 *	end-32	SHA-256 of all before: tells a file that was cut, or changed by hand
 */
#include "mode_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC	     "scuseMOD"
#define VERSION	     1
#define HEADER	     20
#define CHECKSUM     32
#define SERIAL_LIMIT 256 /* bytes; LIO's is 254 */
#define FILE_LIMIT   (HEADER + SERIAL_LIMIT + SCUSE_MODE_MAX + CHECKSUM)
/* Beside the directory of the files, so that no LUN's name can be that of a file which is being written. */
#define TEMPORARY "modes.new"

void mode_file_clear(mode_file *file)
{
	g_clear_pointer(&file->serial, g_free);
	file->length = 0;
}

const char *mode_file_state_dir(void)
{
	const char *given = getenv("SCUSE_STATE_DIR");

	return given && *given ? given : SCUSE_STATE_DIR;
}

char *mode_file_path(const char *state_dir, const char *name)
{
	return g_strdup_printf("%s/modes/%s", state_dir, name);
}

/* ---- bytes ---- */

static void append_u32(GByteArray *bytes, uint32_t value)
{
	uint32_t wire = GUINT32_TO_LE(value);

	g_byte_array_append(bytes, (const guint8 *)&wire, sizeof(wire));
}

static uint32_t read_u32(const uint8_t *at)
{
	uint32_t wire;

	memcpy(&wire, at, sizeof(wire));
	return GUINT32_FROM_LE(wire);
}

static void make_checksum(const void *bytes, size_t size, uint8_t *digest)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	gsize length = CHECKSUM;

	g_checksum_update(checksum, bytes, (gssize)size);
	g_checksum_get_digest(checksum, digest, &length);
}

GByteArray *mode_file_encode(const char *serial, const void *pages, size_t length)
{
	GByteArray *bytes = g_byte_array_new();
	size_t serial_length = strnlen(serial, SERIAL_LIMIT);
	uint8_t digest[CHECKSUM];

	g_byte_array_append(bytes, (const guint8 *)MAGIC, strlen(MAGIC));
	append_u32(bytes, VERSION);
	append_u32(bytes, (uint32_t)serial_length);
	append_u32(bytes, (uint32_t)length);
	g_byte_array_append(bytes, (const guint8 *)serial, (guint)serial_length);
	g_byte_array_append(bytes, pages, (guint)length);
	make_checksum(bytes->data, bytes->len, digest);
	g_byte_array_append(bytes, digest, sizeof(digest));
	return bytes;
}

const char *mode_file_decode(const void *bytes, size_t size, mode_file *file)
{
	const uint8_t *at = bytes;
	uint32_t serial_length, length;
	uint8_t digest[CHECKSUM];

	*file = (mode_file){ 0 };
	if (size < HEADER + CHECKSUM || memcmp(at, MAGIC, strlen(MAGIC)))
		return "it is not a file of saved mode pages";
	if (read_u32(at + 8) != VERSION)
		return "a later version of scuse has written it";
	serial_length = read_u32(at + 12);
	length = read_u32(at + 16);
	if (serial_length > SERIAL_LIMIT || length > SCUSE_MODE_MAX ||
	    size != HEADER + serial_length + length + CHECKSUM)
		return "it has another length than it says";
	make_checksum(at, size - CHECKSUM, digest);
	if (memcmp(digest, at + size - CHECKSUM, CHECKSUM))
		return "its checksum is wrong";
	file->serial = g_strndup((const char *)at + HEADER, serial_length);
	file->length = length;
	memcpy(file->pages, at + HEADER + serial_length, length);
	return NULL;
}

/* ---- files ---- */

static int fail(char **error, int number, const char *what, const char *path)
{
	*error = g_strdup_printf("cannot %s %s: %s", what, path, g_strerror(number));
	return number;
}

static bool write_all(int fd, const uint8_t *bytes, size_t size)
{
	while (size) {
		ssize_t written = write(fd, bytes, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		bytes += written;
		size -= (size_t)written;
	}
	return true;
}

/* A new file with these bytes, on stable storage. */
static int write_file(const char *path, const GByteArray *bytes, char **error)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600), number = 0;

	if (fd < 0)
		return fail(error, errno, "create", path);
	if (fchmod(fd, 0600) || !write_all(fd, bytes->data, bytes->len) || fsync(fd))
		number = errno;
	if (close(fd) && !number)
		number = errno;
	return number ? fail(error, number, "write", path) : 0;
}

static int sync_directory(const char *path, char **error)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), number;

	if (fd < 0)
		return fail(error, errno, "open", path);
	number = fsync(fd) ? errno : 0;
	close(fd);
	return number ? fail(error, number, "write", path) : 0;
}

static int make_directory(const char *state_dir, const char *path, char **error)
{
	if (g_file_test(path, G_FILE_TEST_IS_DIR))
		return 0;
	if (g_mkdir_with_parents(path, 0700))
		return fail(error, errno, "make", path);
	return sync_directory(state_dir, error);
}

static int check_name(const char *name, char **error)
{
	if (*name && strcmp(name, ".") && strcmp(name, "..") && !strchr(name, '/'))
		return 0;
	*error = g_strdup_printf("'%s' cannot be the name of a file", name);
	return EINVAL;
}

int mode_file_save(const char *state_dir, const char *name, const char *serial, const void *pages,
		   size_t length, char **error)
{
	g_autofree char *path = mode_file_path(state_dir, name), *directory = g_path_get_dirname(path);
	g_autofree char *temporary = g_strdup_printf("%s/" TEMPORARY, state_dir);
	g_autoptr(GByteArray) bytes = NULL;
	int number = check_name(name, error);

	if (number)
		return number;
	if (length > SCUSE_MODE_MAX) {
		*error = g_strdup_printf("%zu bytes of mode pages are too many", length);
		return EMSGSIZE;
	}
	bytes = mode_file_encode(serial, pages, length);
	number = make_directory(state_dir, directory, error);
	if (!number)
		number = write_file(temporary, bytes, error);
	if (!number && rename(temporary, path))
		number = fail(error, errno, "replace", path);
	return number ? number : sync_directory(directory, error);
}

/* At most `room` bytes; -1 with errno set.  One more byte than fits a file of ours shows that it is none. */
static ssize_t read_all(const char *path, uint8_t *bytes, size_t room)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), number;
	size_t size = 0;
	ssize_t got;

	if (fd < 0)
		return -1;
	while ((got = read(fd, bytes + size, room - size)) > 0 || (got < 0 && errno == EINTR))
		size += got > 0 ? (size_t)got : 0;
	number = errno;
	close(fd);
	errno = number;
	return got < 0 ? -1 : (ssize_t)size;
}

int mode_file_load(const char *state_dir, const char *name, mode_file *file, char **error)
{
	g_autofree char *path = mode_file_path(state_dir, name);
	uint8_t bytes[FILE_LIMIT + 1];
	int number = check_name(name, error);
	const char *wrong;
	ssize_t size;

	*file = (mode_file){ 0 };
	if (number)
		return number;
	size = read_all(path, bytes, sizeof(bytes));
	if (size < 0)
		return errno == ENOENT ? ENOENT : fail(error, errno, "read", path);
	wrong = mode_file_decode(bytes, (size_t)size, file);
	if (!wrong)
		return 0;
	*error = g_strdup_printf("%s cannot be used: %s", path, wrong);
	return EBADMSG;
}

int mode_file_remove(const char *state_dir, const char *name, char **error)
{
	g_autofree char *path = mode_file_path(state_dir, name), *directory = g_path_get_dirname(path);
	int number = check_name(name, error);

	if (number)
		return number;
	if (unlink(path))
		return errno == ENOENT ? 0 : fail(error, errno, "remove", path);
	return sync_directory(directory, error);
}
