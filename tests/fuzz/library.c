// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fuzz target: DIR/state of a virtual library (handlers/vchanger/state.c) and what the changer makes of it
 * (inventory.c, library.c).  The first byte of an input says how large the library is, the rest is the file.
 *
 * Promises: an entry that is read can be written and read again, and is the same; a library opens with any
 * state, has no cartridge twice, and the state that it writes then is read without an error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <scuse/handler.h>

#include "fuzz.h"
#include "inventory.h"
#include "state.h"

/* ---- what handlers call ---- */

void scuse_error(const char *format, ...)
{
	(void)format;
}

void scuse_log(enum scuse_log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

/* ---- one entry ---- */

static void again(const struct state_entry *entry)
{
	struct state_entry read;
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	fuzz_check(file);
	state_put(file, entry);
	fclose(file);
	file = fmemopen(text, size, "r");
	fuzz_check(file && state_next(file, &read) == 1);
	fuzz_check(read.kind == entry->kind && !strcmp(read.name, entry->name));
	if (entry->kind == STATE_MOVED)
		fuzz_check(!memcmp(read.moved, entry->moved, sizeof(read.moved)));
	else
		fuzz_check(read.number == entry->number && read.from == entry->from &&
			   read.imported == entry->imported && read.moving == entry->moving);
	fuzz_check(state_next(file, &read) == 0);
	fclose(file);
	free(text);
}

static void read_entries(FILE *file, bool good)
{
	struct state_entry entry;
	int result;

	while ((result = state_next(file, &entry)) != 0) {
		fuzz_check(result == 1 || (result == -EINVAL && !good));
		if (result == 1)
			again(&entry);
	}
}

/* ---- the whole ---- */

static char path[64];

static void leave(void)
{
	static const char *const names[] = { "state",  "cartridges/A", "cartridges/B", "cartridges/C",
					     "mail/A", "mail/B",       "mail/C" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(names[i]);
	rmdir("cartridges");
	rmdir("mail");
	rmdir(path);
}

static const char *directory(void)
{
	if (!path[0]) {
		snprintf(path, sizeof(path), "/dev/shm/scuse-fuzz-XXXXXX");
		fuzz_check(mkdtemp(path));
		fuzz_check(!chdir(path));
		fuzz_check(!mkdir("cartridges", 0755) && !mkdir("mail", 0755));
		atexit(leave);
	}
	return path;
}

/* Files that the state may name, where they may be. */
static void put_files(uint8_t which)
{
	static const char *const files[] = { "cartridges/A", "mail/B", "cartridges/C", "mail/C" };

	for (int i = 0; i < 4; i++) {
		unlink(files[i]);
		if (which >> i & 1)
			close(open(files[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	}
	/* A move that the state says is under way may have brought them here. */
	unlink("cartridges/B");
	unlink("mail/A");
}

static void check_library(struct library *library)
{
	for (struct cartridge *c = library->cartridges; c; c = c->next) {
		fuzz_check(link_name_valid(c->name));
		fuzz_check(c->place == NOWHERE || library->places[c->place] == c);
		for (struct cartridge *other = c->next; other; other = other->next)
			fuzz_check(c->folder != other->folder || strcmp(c->name, other->name) != 0);
	}
}

static void open_library(const uint8_t *data, size_t size, uint8_t shape, uint8_t which)
{
	struct library_options options = {
		.path = directory(),
		.slots = 1 + (shape & 7),
		.drives = 1 + (shape >> 3 & 1),
		.ports = shape >> 4 & 3,
	};
	struct library *library;
	FILE *file;
	int fd;

	put_files(which);
	fd = open("state", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	fuzz_check(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	close(fd);
	library = library_open(&options);
	if (!library)
		return;
	check_library(library);
	file = state_open(library_directory(library));
	fuzz_check(file);
	read_entries(file, true);
	fclose(file);
	library_close(library);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	uint8_t shape = fuzz_u8(&input), which = fuzz_u8(&input);
	FILE *file;

	if (!input.left)
		return 0;
	file = fmemopen((void *)input.at, input.left, "r");
	fuzz_check(file);
	read_entries(file, false);
	fclose(file);
	open_library(input.at, input.left, shape, which);
	return 0;
}
