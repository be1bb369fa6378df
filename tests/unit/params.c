// SPDX-License-Identifier: LGPL-2.1-or-later
/* Parameters: each type's accepted forms, whole configs, and the messages. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/params.h"

static const struct scuse_param params[] = {
	{ .name = "path", .type = SCUSE_PARAM_PATH, .flags = SCUSE_PARAM_REQUIRED, .help = "a path" },
	{ .name = "label", .type = SCUSE_PARAM_STRING, .help = "a label" },
	{ .name = "direct", .type = SCUSE_PARAM_BOOL, .default_value = "no", .help = "a switch" },
	{ .name = "count", .type = SCUSE_PARAM_INT, .default_value = "-3", .help = "a number" },
	{ .name = "cache", .type = SCUSE_PARAM_SIZE, .default_value = "1.5M", .help = "a size" },
	{ .name = "timeout", .type = SCUSE_PARAM_DURATION, .default_value = "20ms", .help = "a time" },
	{ .name = "mode",
	  .type = SCUSE_PARAM_CHOICE,
	  .choices = "fast|safe",
	  .default_value = "safe",
	  .help = "a choice" },
	{ .name = "token", .type = SCUSE_PARAM_STRING, .flags = SCUSE_PARAM_SECRET, .help = "a secret" },
	{ .name = NULL },
};
static const struct param_table table = { "test", params, "path" };

static struct scuse_config *parse(const char *lines)
{
	char *error = NULL;
	struct scuse_config *config = config_parse(&table, lines, 1 << 20, 512, &error);

	cr_assert(config, "%s", error);
	return config;
}

static void refused(const char *lines, const char *because)
{
	g_autofree char *error = NULL;

	cr_expect_null(config_parse(&table, lines, 0, 512, &error), "'%s' was taken", lines);
	cr_expect(error && strstr(error, because), "'%s' does not say '%s'", error, because);
}

Test(params, sizes)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = { { "0", 0 },
		     { "4096", 4096 },
		     { "64k", 65536 },
		     { "64K", 65536 },
		     { "1M", 1 << 20 },
		     { "1.5M", 3 << 19 },
		     { "2GiB", 2ull << 30 },
		     { "10GB", 10ull << 30 },
		     { "1T", 1ull << 40 },
		     { "1P", 1ull << 50 },
		     { "15E", 15ull << 60 },
		     { "512B", 512 },
		     { "18446744073709551615", UINT64_MAX },
		     { "0.5k", 512 } };
	static const char *const bad[] = { "",	  "k",	  "-1", "1x",  "1kk",  "16E",
					   "1.",  ".5M",  " 1", "1 M", "0x10", "18446744073709551616",
					   "1e3", "1KiBB" };
	uint64_t bytes;

	for (size_t i = 0; i < G_N_ELEMENTS(good); i++)
		cr_expect(param_parse_size(good[i].text, &bytes) && bytes == good[i].bytes, "%s",
			  good[i].text);
	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++)
		cr_expect(!param_parse_size(bad[i], &bytes), "'%s' was taken", bad[i]);
}

Test(params, durations)
{
	uint64_t nanoseconds;

	cr_expect(param_parse_duration("3", &nanoseconds) && nanoseconds == 3000000000ull);
	cr_expect(param_parse_duration("0.25s", &nanoseconds) && nanoseconds == 250000000ull);
	cr_expect(param_parse_duration("500us", &nanoseconds) && nanoseconds == 500000ull);
	cr_expect(param_parse_duration("1h", &nanoseconds) && nanoseconds == 3600000000000ull);
	cr_expect(param_parse_duration("7ns", &nanoseconds) && nanoseconds == 7);
	cr_expect(!param_parse_duration("7 s", &nanoseconds));
	cr_expect(!param_parse_duration("fast", &nanoseconds));
	cr_expect(!param_parse_duration("9999999999h", &nanoseconds));
}

Test(params, a_whole_config)
{
	struct scuse_config *config =
		parse("path=a/../b c=d\n.cwd=/srv\ndirect=ON\ncount=0x10\nmode=fast\nlabel=\n");

	cr_expect_str_eq(scuse_config_string(config, "path"), "/srv/b c=d");
	cr_expect_eq(scuse_config_bool(config, "direct"), 1);
	cr_expect_eq(scuse_config_int(config, "count"), 16);
	cr_expect_str_eq(scuse_config_string(config, "mode"), "fast");
	cr_expect_str_eq(scuse_config_string(config, "label"), "");
	cr_expect_eq(scuse_config_device_size(config), 1 << 20);
	cr_expect_eq(scuse_config_block_size(config), 512);
	config_free(config);
}

Test(params, defaults_and_the_bare_argument)
{
	struct scuse_config *config = parse("=x");

	cr_expect_str_eq(scuse_config_string(config, "path"), "/x");
	cr_expect_null(scuse_config_string(config, "label"));
	cr_expect_eq(scuse_config_int(config, "count"), -3);
	cr_expect_eq(scuse_config_size(config, "cache"), 3 << 19);
	cr_expect_eq(scuse_config_duration(config, "timeout"), 20000000);
	cr_expect(scuse_config_given(config, "path") && !scuse_config_given(config, "count"));
	config_free(config);
}

Test(params, wrong_questions_get_nothing)
{
	struct scuse_config *config = parse("=x");

	cr_expect_null(scuse_config_string(config, "absent"));
	cr_expect_eq(scuse_config_int(config, "path"), 0);
	cr_expect_eq(scuse_config_size(config, "count"), 0);
	config_free(config);
}

Test(params, messages)
{
	refused("", "needs the parameter 'path'");
	refused("path=x\npth=y", "did you mean 'path'");
	refused("path=x\nentirely-else=y", "it has: path, label, direct");
	refused("path=x\npath=y", "given twice");
	refused("path=", "it takes the path of a file");
	refused("path=x\ndirect=maybe", "parameter 'direct': 'maybe' is not valid: it takes true or false");
	refused("path=x\ncount=1.5", "a whole number");
	refused("path=x\ncache=big", "such as 4096, 64k");
	refused("path=x\nmode=slow", "fast|safe");
	refused("path=x\nnonsense", "not of the form key=value");
	refused("path=x\n.cwd=here", "not an absolute path");
}

Test(params, handlers_without_parameters)
{
	static const struct param_table none = { "null", NULL, NULL };
	g_autofree char *error = NULL;
	g_autofree char *bare = NULL;

	cr_expect_null(config_parse(&none, "size=1", 0, 512, &error));
	cr_expect(strstr(error, "takes no parameters"), "%s", error);
	cr_expect_null(config_parse(&none, "=x", 0, 512, &bare));
	cr_expect(strstr(bare, "takes no bare argument"), "%s", bare);
}

Test(params, secrets_come_from_files)
{
	g_autofree char *dir = g_dir_make_tmp("scuse-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "token", NULL);
	g_autofree char *lines = g_strdup_printf("path=x\ntoken=%s", path);
	struct scuse_config *config;

	cr_assert(g_file_set_contents(path, "s3cret\nmore", -1, NULL));
	chmod(path, 0644);
	refused(lines, "chmod 600");
	chmod(path, 0600);
	config = parse(lines);
	cr_expect_str_eq(scuse_config_string(config, "token"), "s3cret");
	config_free(config);
	unlink(path);
	rmdir(dir);
	refused(lines, "name of a file that holds the secret");
}
