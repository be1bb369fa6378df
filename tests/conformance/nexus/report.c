// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Prints the checks' results and holds them against the expectations file.  Called by all cases, on the
 * program's one thread.
 */
#include "report.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#define NOTES_MAX 4096

struct expectation {
	struct expectation *next;
	char *reason;
	char name[];
};

static struct expectation *expectations;
static const char *round_name = "";
static int checks, failures;
static char notes[NOTES_MAX];
static size_t notes_len;

static char *cut_word(char **text)
{
	char *word = *text + strspn(*text, " \t");
	size_t len = strcspn(word, " \t\n");

	*text = word + len;
	if (**text)
		*(*text)++ = '\0';
	return word;
}

static int add_line(char *line)
{
	struct utsname host;
	char *name = cut_word(&line), *kernel = cut_word(&line);
	struct expectation *entry;

	if (!*name || *name == '#')
		return 0;
	uname(&host);
	if (strcmp(kernel, "*") && strncmp(host.release, kernel, strlen(kernel)))
		return 0;
	entry = malloc(sizeof(*entry) + strlen(name) + 1);
	if (!entry)
		return -1;
	strcpy(entry->name, name);
	line += strspn(line, " \t");
	entry->reason = strndup(line, strcspn(line, "\n"));
	entry->next = expectations;
	expectations = entry;
	return entry->reason ? 0 : -1;
}

int report_open(const char *path, const char *round)
{
	char line[1024];
	int error = 0;
	FILE *file;

	round_name = round;
	if (!path)
		return 0;
	file = fopen(path, "re");
	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return -1;
	}
	while (!error && fgets(line, sizeof(line), file))
		error = add_line(line);
	fclose(file);
	return error;
}

int report_close(void)
{
	struct expectation *next;

	for (; expectations; expectations = next) {
		next = expectations->next;
		free(expectations->reason);
		free(expectations);
	}
	return checks ? failures : 1;
}

static bool name_matches(const char *pattern, const char *name)
{
	size_t len = strlen(pattern);

	if (len && pattern[len - 1] == '*')
		return strncmp(pattern, name, len - 1) == 0;
	return strcmp(pattern, name) == 0;
}

const char *report_expected(const char *name)
{
	for (const struct expectation *entry = expectations; entry; entry = entry->next)
		if (name_matches(entry->name, name))
			return entry->reason;
	return NULL;
}

bool is_run(const char *name)
{
	const char *reason = report_expected(name);

	if (!reason || strncmp(reason, "not run:", 8))
		return true;
	checks++;
	printf("ok - %s%s%s # SKIP %s\n", round_name, *round_name ? " " : "", name, reason);
	return false;
}

void report_note(const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(notes + notes_len, sizeof(notes) - notes_len, format, args);
	va_end(args);
	if (len < 0 || notes_len + (size_t)len + 2 > sizeof(notes))
		return;
	notes_len += (size_t)len;
	notes[notes_len++] = '\n';
	notes[notes_len] = '\0';
}

static void print_notes(void)
{
	char *line = notes, *end;

	for (; (end = strchr(line, '\n')); line = end + 1)
		printf("# %.*s\n", (int)(end - line), line);
}

void report(bool passed, const char *name, const char *format, ...)
{
	const char *expected = report_expected(name);
	bool as_expected = passed == !expected;
	va_list args;

	checks++;
	failures += !as_expected;
	printf("%s - %s%s%s", as_expected ? "ok" : "not ok", round_name, *round_name ? " " : "", name);
	if (!passed && expected)
		printf(" (deviates as expected: %s)", expected);
	if (passed && expected)
		printf(" (expected to deviate, and does not: %s)", expected);
	printf("\n");
	if (!as_expected) {
		va_start(args, format);
		printf("# ");
		vprintf(format, args);
		printf("\n");
		va_end(args);
		print_notes();
	}
	notes_len = 0;
	notes[0] = '\0';
	fflush(stdout);
}

static struct {
	char name[160];
	char failure[256]; /* empty: none so far */
} current;

void check_begin(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(current.name, sizeof(current.name), format, args);
	va_end(args);
	current.failure[0] = '\0';
}

bool check_failed(const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (current.failure[0])
		report_note("%s", text);
	else
		memcpy(current.failure, text, sizeof(text));
	return false;
}

void check_end(void)
{
	report(!current.failure[0], current.name, "%s", current.failure);
}
