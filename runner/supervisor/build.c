// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Build IDs of plugins.  See build.h.
 *
 * The file is read, not loaded: its code is no business of the supervisor's.  Nothing in it is taken for
 * granted; whatever is out of order means that there is no build ID.
 */
#include "build.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include <glib.h>

#include "../descriptor.h"

#define NOTES_MAX   65536 /* bytes of a segment */
#define HEADERS_MAX 64

static bool read_at(int fd, void *to, size_t size, uint64_t offset)
{
	return offset <= INT64_MAX && pread(fd, to, size, (off_t)offset) == (ssize_t)size;
}

static char *hex(const unsigned char *bytes, size_t length)
{
	GString *text = g_string_new("build-id:");

	for (size_t i = 0; i < length; i++)
		g_string_append_printf(text, "%02x", bytes[i]);
	return g_string_free(text, FALSE);
}

/* Notes follow one another: a header, the name, what is described, each padded to four bytes. */
static char *find_note(const char *notes, size_t size)
{
	ElfW(Nhdr) note;

	for (size_t at = 0; size - at >= sizeof(note);) {
		size_t name, described, end;

		memcpy(&note, notes + at, sizeof(note));
		if (note.n_namesz > NOTES_MAX || note.n_descsz > NOTES_MAX)
			return NULL;
		name = at + sizeof(note);
		described = name + ((size_t)note.n_namesz + 3) / 4 * 4;
		end = described + ((size_t)note.n_descsz + 3) / 4 * 4;
		if (end > size)
			return NULL;
		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 && note.n_descsz &&
		    memcmp(notes + name, "GNU", 4) == 0)
			return hex((const unsigned char *)notes + described, note.n_descsz);
		at = end;
	}
	return NULL;
}

static char *read_notes(int fd, const ElfW(Phdr) * header)
{
	g_autofree char *notes = NULL;

	if (header->p_type != PT_NOTE || header->p_filesz > NOTES_MAX)
		return NULL;
	notes = g_malloc(header->p_filesz + 1);
	return read_at(fd, notes, header->p_filesz, header->p_offset) ? find_note(notes, header->p_filesz)
								      : NULL;
}

static char *read_build_id(int fd)
{
	ElfW(Ehdr) file;
	char *found = NULL;

	if (!read_at(fd, &file, sizeof(file), 0) || memcmp(file.e_ident, ELFMAG, SELFMAG) != 0 ||
	    file.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
	    file.e_phentsize != sizeof(ElfW(Phdr)))
		return NULL;
	for (unsigned int i = 0; i < MIN(file.e_phnum, HEADERS_MAX) && !found; i++) {
		ElfW(Phdr) header;

		if (!read_at(fd, &header, sizeof(header), file.e_phoff + (uint64_t)i * sizeof(header)))
			return NULL;
		found = read_notes(fd, &header);
	}
	return found;
}

char *plugin_build(const char *path)
{
	AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat status;
	char *build;

	if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode))
		return NULL;
	build = read_build_id(fd);
	return build ? build
		     : g_strdup_printf("file:%jx:%ju:%jd:%jd.%09ld", (uintmax_t)status.st_dev,
				       (uintmax_t)status.st_ino, (intmax_t)status.st_size,
				       (intmax_t)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}
