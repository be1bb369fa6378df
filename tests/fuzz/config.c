// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fuzz target: a LUN's config against a handler's table of parameters (runner/worker/config.c, params.c).  An
 * input is the text of a config.
 *
 * Promises: a config is refused with a message, or else each required parameter is there, and each value is
 * one that its type allows.
 */
#include "worker/params.h"

#include "fuzz.h"
#include "worker/log.h"

static const struct scuse_param params[] = {
	{ .name = "path", .type = SCUSE_PARAM_PATH, .flags = SCUSE_PARAM_REQUIRED, .help = "a file" },
	{ .name = "text", .type = SCUSE_PARAM_STRING, .help = "text" },
	{ .name = "flag", .type = SCUSE_PARAM_BOOL, .default_value = "true", .help = "a switch" },
	{ .name = "count", .type = SCUSE_PARAM_INT, .default_value = "-1", .help = "a number" },
	{ .name = "size", .type = SCUSE_PARAM_SIZE, .default_value = "64k", .help = "a size" },
	{ .name = "delay", .type = SCUSE_PARAM_DURATION, .default_value = "1.5s", .help = "a duration" },
	{ .name = "mode",
	  .type = SCUSE_PARAM_CHOICE,
	  .default_value = "fast",
	  .choices = "fast|slow",
	  .help = "a choice" },
	{ .name = NULL },
};

static const struct param_table tables[] = {
	{ "fuzz", params, "path" },
	{ "plain", params, NULL },
	{ "none", NULL, NULL },
};

static void look(const struct scuse_config *config)
{
	const char *path = scuse_config_string(config, "path");
	const char *mode = scuse_config_string(config, "mode");
	const char *text = scuse_config_string(config, "text");

	fuzz_check(path && *path);
	fuzz_check(mode && (!strcmp(mode, "fast") || !strcmp(mode, "slow")));
	if (text)
		fuzz_touch(text, strlen(text));
	scuse_config_bool(config, "flag");
	scuse_config_int(config, "count");
	scuse_config_size(config, "size");
	scuse_config_duration(config, "delay");
	fuzz_check(scuse_config_given(config, "path"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	uint8_t which = fuzz_u8(&input) % G_N_ELEMENTS(tables);
	g_autofree char *error = NULL;
	struct scuse_config *config;
	char *text = fuzz_text(&input);

	log_init(SCUSE_LOG_ERROR, NULL);
	config = config_parse(&tables[which], text, 1 << 20, 512, &error);
	fuzz_check(!config == (error != NULL));
	if (error)
		fuzz_touch(error, strlen(error));
	else if (tables[which].params)
		look(config);
	config_free(config);
	free(text);
	return 0;
}
