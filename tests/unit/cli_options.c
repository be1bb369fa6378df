/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse: option parsing, and that --help and the manual page tell of the same commands and options.
 */
#include <criterion/criterion.h>
#include <string.h>
#include "cli.h"

static bool flag;
static const char *text;
static uint64_t number;

static const struct option options[] = {
	{ "flag", 'f', OPTION_FLAG, NULL, "", &flag },
	{ "text", 't', OPTION_STRING, "TEXT", "", &text },
	{ "number", 0, OPTION_NUMBER, "N", "", &number },
	{ 0 },
};

static bool parse(char **argv, int *argc, char ***tail, GError **error)
{
	flag = false;
	text = NULL;
	number = 0;
	*argc = (int)g_strv_length(argv);
	return parse_options(options, argc, argv, tail, error);
}

Test(options, everywhere)
{
	char *argv[] = { (char *)"a",	     (char *)"--text=x y", (char *)"b", (char *)"-f",
			 (char *)"--number", (char *)"7",	   (char *)"-", NULL };
	char **tail;
	int argc;

	cr_assert(parse(argv, &argc, &tail, NULL));
	cr_assert_eq(argc, 3);
	cr_assert_str_eq(argv[0], "a");
	cr_assert_str_eq(argv[1], "b");
	cr_assert_str_eq(argv[2], "-");
	cr_assert_null(argv[3]);
	cr_assert_null(tail);
	cr_assert(flag);
	cr_assert_str_eq(text, "x y");
	cr_assert_eq(number, 7);
}

Test(options, letters)
{
	char *joined[] = { (char *)"-ftx", NULL },
	     *apart[] = { (char *)"-t", (char *)"x", (char *)"-q", NULL };
	char **tail;
	int argc;

	cr_assert(parse(joined, &argc, &tail, NULL));
	cr_assert(flag);
	cr_assert_str_eq(text, "x");
	cr_assert(parse(apart, &argc, &tail, NULL));
	cr_assert_eq(argc, 0);
	cr_assert_str_eq(text, "x");
	cr_assert(globals.quiet);
}

Test(options, end_at_dashes)
{
	char *argv[] = { (char *)"a", (char *)"-f", (char *)"--", (char *)"--text", (char *)"b", NULL };
	char **tail;
	int argc;

	cr_assert(parse(argv, &argc, &tail, NULL));
	cr_assert_eq(argc, 1);
	cr_assert_str_eq(tail[0], "--text");
	cr_assert_str_eq(tail[1], "b");
	cr_assert_null(text);
}

Test(options, refused)
{
	static const char *const bad[] = { "--nope", "-x",	   "--flag=1",	 "--text",
					   "-t",     "--number=x", "--number=-1" };
	char **tail;
	int argc;

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		char *argv[] = { (char *)bad[i], NULL };
		g_autoptr(GError) error = NULL;

		cr_assert_not(parse(argv, &argc, &tail, &error), "%s", bad[i]);
		cr_assert_eq(error->code, CLI_USAGE);
	}
}

/* ---- the manual page -------------------------------------------------------------------------------- */

/* The option names of a line like `.BR \-s ", " \-\-size " \fISIZE\fR"`. */
static void collect(GHashTable *names, const char *line)
{
	const char *at = line;

	while ((at = strstr(at, "\\-\\-"))) {
		GString *name = g_string_new(NULL);

		for (at += 4; g_ascii_islower(*at) || g_str_has_prefix(at, "\\-"); at++)
			g_string_append_c(name, *at == '\\' ? *++at : *at);
		g_hash_table_add(names, g_string_free(name, FALSE));
	}
}

/* Options of the section whose heading begins with `heading`: the lines that follow .TP or .TQ. */
static GHashTable *documented(const char *heading)
{
	GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
	g_autofree char *page = NULL;
	g_auto(GStrv) lines = NULL;
	bool inside = false;

	cr_assert(g_file_get_contents(SCUSE_SOURCE_DIR "/runner/cli/scuse.1", &page, NULL, NULL));
	lines = g_strsplit(page, "\n", -1);
	for (char **line = lines; *line; line++) {
		if (g_str_has_prefix(*line, ".SS") || g_str_has_prefix(*line, ".SH"))
			inside = g_str_has_prefix(*line, heading) &&
				 !g_ascii_isalnum((*line)[strlen(heading)]);
		else if (inside && line != lines && (!strcmp(line[-1], ".TP") || !strcmp(line[-1], ".TQ")))
			collect(names, *line);
	}
	return names;
}

static void compare(const char *command, const struct option *table, const char *heading)
{
	g_autoptr(GHashTable) names = documented(heading);
	guint count = 0;

	for (; table && table->name; table++, count++)
		cr_assert(g_hash_table_contains(names, table->name), "scuse.1 lacks --%s of %s", table->name,
			  command);
	cr_assert_eq(g_hash_table_size(names), count, "scuse.1 has options of %s that --help lacks", command);
}

Test(manual, has_the_options_of_help)
{
	g_autofree char *page = NULL;

	cr_assert(g_file_get_contents(SCUSE_SOURCE_DIR "/runner/cli/scuse.1", &page, NULL, NULL));
	for (const struct command *const *command = commands; *command; command++) {
		g_autofree char *heading = g_strdup_printf(".SS \"%s", (*command)->name);

		if (!(*command)->summary)
			continue;
		cr_assert(strstr(page, heading) != NULL, "scuse.1 lacks %s", (*command)->name);
		compare((*command)->name, (*command)->options, heading);
	}
	compare("all commands", global_options, ".SH OPTIONS");
}

Test(commands, found_by_name)
{
	cr_assert_eq(find_command("create"), &create_command);
	cr_assert_null(find_command("creat"));
	cr_assert_null(find_command(""));
}
