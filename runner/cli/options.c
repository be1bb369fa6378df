/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Command line options: tables to values, and to --help.
 *
 * Called by main.c.  The tables are the only place where an option is described: --help prints them, shell
 * completion lists them, a unit test compares them with the manual page.  State: the `globals`, set once.
 */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct globals globals;

const struct option global_options[] = {
	{ "json", 0, OPTION_FLAG, NULL, "print JSON", &globals.json },
	{ "quiet", 'q', OPTION_FLAG, NULL, "print errors and what was asked for, nothing else",
	  &globals.quiet },
	{ "help", 'h', OPTION_FLAG, NULL, "show help", &globals.help },
	{ "version", 0, OPTION_FLAG, NULL, "show the version", &globals.version },
	{ 0 },
};

static const struct option *find_long(const struct option *options, const char *name, size_t length)
{
	for (; options && options->name; options++)
		if (strlen(options->name) == length && !memcmp(options->name, name, length))
			return options;
	return NULL;
}

static const struct option *find_letter(const struct option *options, char letter)
{
	for (; options && options->name; options++)
		if (options->letter == letter)
			return options;
	return NULL;
}

static bool set(const struct option *option, const char *value, GError **error)
{
	uint64_t number;

	switch (option->kind) {
	case OPTION_FLAG:
	case OPTION_HELP:
		*(bool *)option->target = true;
		return true;
	case OPTION_STRING:
		*(const char **)option->target = value;
		return true;
	case OPTION_NUMBER:
		if (!g_ascii_string_to_unsigned(value, 10, 0, UINT64_MAX, &number, NULL))
			return fail_usage(error, "--%s takes a number, not '%s'", option->name, value);
		*(uint64_t *)option->target = number;
		return true;
	}
	return true;
}

/* --name, --name=value, --name value: *used is set to how many elements that took. */
static bool parse_long(const struct option *options, char **argv, int left, int *used, GError **error)
{
	const char *name = argv[0] + 2, *equals = strchr(name, '=');
	size_t length = equals ? (size_t)(equals - name) : strlen(name);
	const struct option *option = find_long(options, name, length);

	if (!option)
		option = find_long(global_options, name, length);
	*used = 1;
	if (!option)
		return fail_usage(error, "there is no option --%.*s", (int)length, name);
	if (!option->value)
		return equals ? fail_usage(error, "--%s takes no value", option->name)
			      : set(option, NULL, error);
	if (equals)
		return set(option, equals + 1, error);
	if (left < 2)
		return fail_usage(error, "--%s needs a value: %s", option->name, option->value);
	*used = 2;
	return set(option, argv[1], error);
}

/* -x, -xy, -xVALUE, -x VALUE */
static bool parse_letters(const struct option *options, char **argv, int left, int *used, GError **error)
{
	*used = 1;
	for (const char *c = argv[0] + 1; *c; c++) {
		const struct option *option = find_letter(options, *c);

		if (!option)
			option = find_letter(global_options, *c);
		if (!option)
			return fail_usage(error, "there is no option -%c", *c);
		if (!option->value) {
			if (!set(option, NULL, error))
				return false;
			continue;
		}
		if (c[1])
			return set(option, c + 1, error);
		if (left < 2)
			return fail_usage(error, "-%c needs a value: %s", *c, option->value);
		*used = 2;
		return set(option, argv[1], error);
	}
	return true;
}

static bool parse_one(const struct option *options, char **argv, int left, int *used, GError **error)
{
	if (g_str_has_prefix(argv[0], "--"))
		return parse_long(options, argv, left, used, error);
	return parse_letters(options, argv, left, used, error);
}

static bool is_option(const char *argument)
{
	return argument[0] == '-' && argument[1] != 0;
}

bool parse_options(const struct option *options, int *argc, char **argv, char ***tail, GError **error)
{
	int in = 0, out = 0, used;

	*tail = NULL;
	while (in < *argc && !*tail) {
		if (!strcmp(argv[in], "--")) {
			*tail = argv + in + 1;
		} else if (is_option(argv[in])) {
			if (!parse_one(options, argv + in, *argc - in, &used, error))
				return false;
			in += used;
		} else {
			argv[out++] = argv[in++];
		}
	}
	/* The place of "--" or of an option, so nothing of the tail is overwritten. */
	*argc = out;
	argv[out] = NULL;
	return true;
}

int parse_leading_options(int argc, char **argv, GError **error)
{
	int i = 0, used;

	while (i < argc && is_option(argv[i]) && strcmp(argv[i], "--")) {
		if (!parse_one(NULL, argv + i, argc - i, &used, error))
			return -1;
		i += used;
	}
	return i;
}

static void print_options(const struct option *options)
{
	for (; options && options->name; options++) {
		g_autofree char *letter =
			options->letter ? g_strdup_printf("-%c, ", options->letter) : g_strdup("    ");
		g_autofree char *left =
			g_strdup_printf("%s--%s%s%s", letter, options->name, options->value ? " " : "",
					options->value ? options->value : "");

		printf("  %-28s  %s\n", left, options->help);
	}
}

void print_command_help(const struct command *command)
{
	printf("usage: scuse %s %s\n", command->name, command->arguments);
	if (command->summary)
		printf("\n%s.\n", command->summary);
	if (command->details)
		printf("\n%s\n", command->details);
	if (command->options && command->options->name) {
		printf("\noptions:\n");
		print_options(command->options);
	}
	printf("\nfor every command:\n");
	print_options(global_options);
}
