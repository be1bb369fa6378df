// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fuzz target: files of saved mode pages (runner/mode_file.c), and core's files of persistent reservations
 * (runner/cli/aptpl.c).  The first byte of an input says which; bit 1 has the checksum made right, since
 * nobody guesses one.
 *
 * Promises: what is read can be written again and is the same; registrations are parts of the text.
 */
#include "mode_file.h"

#include "cli/aptpl.h"
#include "cli/cli.h"
#include "cli/configfs.h"
#include "fuzz.h"

#define CHECKSUM 32

/* ---- what aptpl.c writes through ---- */

char *configfs_path(const char *element, ...)
{
	(void)element;
	return NULL;
}

char *configfs_read(const char *path)
{
	(void)path;
	return NULL;
}

bool configfs_write(const char *path, const char *value, GError **error)
{
	(void)path;
	(void)value;
	(void)error;
	return true;
}

bool fail(GError **error, int code, const char *format, ...)
{
	(void)error;
	(void)code;
	(void)format;
	return false;
}

/* ---- both kinds of files ---- */

static void correct(uint8_t *bytes, size_t size)
{
	g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
	gsize length = CHECKSUM;

	if (size < CHECKSUM)
		return;
	g_checksum_update(checksum, bytes, (gssize)(size - CHECKSUM));
	g_checksum_get_digest(checksum, bytes + size - CHECKSUM, &length);
}

static void mode_pages(uint8_t *bytes, size_t size)
{
	g_auto(mode_file) file = { 0 };
	g_autoptr(GByteArray) again = NULL;

	if (mode_file_decode(bytes, size, &file)) {
		fuzz_check(!file.serial);
		return;
	}
	fuzz_check(file.serial && file.length <= sizeof(file.pages));
	again = mode_file_encode(file.serial, file.pages, file.length);
	/* A serial number with a NUL in it ends there. */
	fuzz_check(again->len <= size);
	if (again->len == size)
		fuzz_check(!memcmp(again->data, bytes, size));
}

static void reservations(struct fuzz_input *input)
{
	char *text = fuzz_text(input);
	g_autoptr(GPtrArray) found = aptpl_registrations(text);

	for (guint i = 0; i < found->len; i++)
		fuzz_check(strstr(text, found->pdata[i]));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	uint8_t kind = fuzz_u8(&input), *bytes;
	size_t length;

	if (kind & 1) {
		reservations(&input);
		return 0;
	}
	bytes = fuzz_rest(&input, 4096, &length);
	if (kind & 2)
		correct(bytes, length);
	mode_pages(bytes, length);
	free(bytes);
	return 0;
}
