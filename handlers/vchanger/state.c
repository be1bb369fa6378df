// SPDX-License-Identifier: LGPL-2.1-or-later
/* The file of a library's state.  See state.h. */
#include "state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define STATE_FILE "state"
#define STATE_NEW  ".state.new"
#define STATE_LINE 256 /* bytes of a line, with its end */

static const char *const kind_words[] = {
	[STATE_SLOT] = "slot",
	[STATE_DRIVE] = "drive",
	[STATE_PORT] = "port",
	[STATE_MOVED] = "moved",
};

bool link_name_valid(const char *name)
{
	size_t length = strnlen(name, LINK_NAME_MAX);

	if (!length || length >= LINK_NAME_MAX || name[0] == '.')
		return false;
	for (const char *c = name; *c; c++)
		if (*c <= ' ' || *c > '~' || *c == '/')
			return false;
	return true;
}

/* ---- reading ---- */

static FILE *open_stream(int dir, const char *name, int flags, const char *mode)
{
	int fd = openat(dir, name, flags | O_CLOEXEC | O_NOFOLLOW, 0644);
	FILE *file;

	if (fd < 0)
		return NULL;
	file = fdopen(fd, mode);
	if (!file)
		close(fd);
	return file;
}

FILE *state_open(int dir)
{
	return open_stream(dir, STATE_FILE, O_RDONLY, "r");
}

static bool parse_kind(const char *word, struct state_entry *entry)
{
	for (size_t i = 0; i < sizeof(kind_words) / sizeof(kind_words[0]); i++) {
		if (strcmp(word, kind_words[i]) != 0)
			continue;
		entry->kind = (enum state_kind)i;
		return true;
	}
	return false;
}

/* What follows the name: words in any order. */
static bool parse_rest(char *rest, struct state_entry *entry)
{
	char *save = NULL;

	for (char *word = strtok_r(rest, " \t\n", &save); word; word = strtok_r(NULL, " \t\n", &save)) {
		if (!strcmp(word, "imported")) {
			entry->imported = true;
		} else if (!strcmp(word, "moving")) {
			entry->moving = true;
		} else if (!strcmp(word, "from")) {
			word = strtok_r(NULL, " \t\n", &save);
			if (!word || sscanf(word, "%u", &entry->from) != 1)
				return false;
		} else {
			return false;
		}
	}
	return true;
}

static bool parse_line(char *line, struct state_entry *entry)
{
	char word[8], name[LINK_NAME_MAX];
	int length = 0;

	memset(entry, 0, sizeof(*entry));
	if (sscanf(line, "%7s", word) != 1 || !parse_kind(word, entry))
		return false;
	if (entry->kind == STATE_MOVED)
		return sscanf(line, "%*s %u %u %u", &entry->moved[0], &entry->moved[1], &entry->moved[2]) ==
		       3;
	/* The width is LINK_NAME_MAX - 1. */
	if (sscanf(line, "%*s %u %63s%n", &entry->number, name, &length) != 2 || !link_name_valid(name))
		return false;
	memcpy(entry->name, name, sizeof(name));
	return parse_rest(line + length, entry);
}

int state_next(FILE *file, struct state_entry *entry)
{
	char line[STATE_LINE];

	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#' || line[strspn(line, " \t\n")] == '\0')
			continue;
		return parse_line(line, entry) ? 1 : -EINVAL;
	}
	return ferror(file) ? -EIO : 0;
}

/* ---- writing ---- */

FILE *state_begin(int dir)
{
	FILE *file = open_stream(dir, STATE_NEW, O_WRONLY | O_CREAT | O_TRUNC, "w");

	if (file)
		fputs("# scuse-vchanger(7): written by the changer\n", file);
	return file;
}

void state_put(FILE *file, const struct state_entry *entry)
{
	if (entry->kind == STATE_MOVED) {
		fprintf(file, "moved %u %u %u\n", entry->moved[0], entry->moved[1], entry->moved[2]);
		return;
	}
	fprintf(file, "%s %u %s", kind_words[entry->kind], entry->number, entry->name);
	if (entry->from)
		fprintf(file, " from %u", entry->from);
	fprintf(file, "%s%s\n", entry->imported ? " imported" : "", entry->moving ? " moving" : "");
}

int state_commit(int dir, FILE *file)
{
	bool written = fflush(file) == 0 && !ferror(file) && fsync(fileno(file)) == 0;
	int error = written ? 0 : errno ? errno : EIO;

	if (fclose(file) != 0 && !error)
		error = errno;
	if (!error && renameat(dir, STATE_NEW, dir, STATE_FILE) != 0)
		error = errno;
	/* The new file counts from here on, also if its name is not durable yet. */
	if (!error)
		fsync(dir);
	return -error;
}
