// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Lists and tries plugins in child processes.  See plugins.h.
 *
 * A child's answer is text on a pipe: for the list, the plugin's JSON object and, after a NUL, its text for
 * people; for a dry run, the error message.  Its exit status says which of success and failure it is.
 */
#include "plugins.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib.h>

#include "json.h"
#include "worker/confine.h"
#include "worker/loader.h"
#include "worker/log.h"
#include "worker/params.h"

#define CHILD_LIMIT 10 /* seconds */

/* ---- a child ---- */

/* Runs in the child: appends to `answer` and returns whether it went well. */
typedef bool (*child_function)(void *data, GString *answer);

static void child_main(child_function function, void *data, int fd)
{
	g_autoptr(GString) answer = g_string_new(NULL);
	bool good = function(data, answer);
	gsize done = 0;

	while (done < answer->len) {
		ssize_t wrote = write(fd, answer->str + done, answer->len - done);

		if (wrote < 0 && errno != EINTR)
			_exit(126);
		done += wrote > 0 ? (gsize)wrote : 0;
	}
	_exit(good ? 0 : 1);
}

/* Reads to the end, or to the time limit (false). */
static bool read_answer(int fd, GString *answer)
{
	gint64 limit = g_get_monotonic_time() + CHILD_LIMIT * G_USEC_PER_SEC;
	char buffer[4096];

	for (;;) {
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		gint64 left = (limit - g_get_monotonic_time()) / 1000;
		ssize_t got;

		if (left <= 0 || (poll(&wait, 1, (int)left) == 0))
			return false;
		got = read(fd, buffer, sizeof(buffer));
		if (got == 0)
			return true;
		if (got > 0)
			g_string_append_len(answer, buffer, got);
		else if (errno != EINTR)
			return false;
	}
}

/*
 * True if the child said that it went well.  Otherwise *error (newly allocated) says why, `answer` is
 * what came.
 */
static bool in_child(child_function function, void *data, GString *answer, char **error)
{
	int pipe_fds[2], status;
	bool complete;
	pid_t pid;

	fflush(NULL);
	if (pipe2(pipe_fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		*error = g_strdup_printf("cannot start a process: %s", g_strerror(errno));
		return false;
	}
	if (pid == 0)
		child_main(function, data, pipe_fds[1]);
	close(pipe_fds[1]);
	complete = read_answer(pipe_fds[0], answer);
	close(pipe_fds[0]);
	if (!complete)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!complete)
		*error = g_strdup_printf("it did not finish within %d seconds", CHILD_LIMIT);
	else if (WIFSIGNALED(status))
		*error = g_strdup_printf("it crashed (killed by SIG%s)", sigabbrev_np(WTERMSIG(status)));
	else if (WEXITSTATUS(status) == 1)
		*error = g_strdup(answer->str);
	else if (WEXITSTATUS(status))
		*error = g_strdup_printf("it ended the process with exit status %d", WEXITSTATUS(status));
	return complete && status == 0;
}

/* ---- the list ---- */

static void json_param(ScuseJson *json, const struct scuse_param *param)
{
	scuse_json_begin_object(json, NULL);
	scuse_json_string(json, "name", param->name);
	scuse_json_string(json, "type", param_type_name(param->type));
	scuse_json_bool(json, "required", param->flags & SCUSE_PARAM_REQUIRED);
	scuse_json_bool(json, "secret", param->flags & SCUSE_PARAM_SECRET);
	scuse_json_bool(json, "runtime", param->flags & SCUSE_PARAM_RUNTIME);
	scuse_json_string(json, "default", param->default_value);
	scuse_json_string(json, "help", param->help);
	scuse_json_string(json, "choices", param->type == SCUSE_PARAM_CHOICE ? param->choices : NULL);
	scuse_json_end(json);
}

/* Calls `each` with the name of every operation that the plugin has. */
static void each_operation(const struct handler *handler, void (*each)(void *data, const char *name),
			   void *data)
{
#define OPERATION(name)                                                                   \
	if (handler->def.sync ? handler->sync.name != NULL : handler->async.name != NULL) \
	each(data, #name)
	OPERATION(read);
	OPERATION(write);
	OPERATION(flush);
	OPERATION(unmap);
	OPERATION(write_zeroes);
	OPERATION(write_same);
	OPERATION(extents);
	OPERATION(cdb);
	OPERATION(format);
	OPERATION(sanitize);
	OPERATION(lu_reset);
#undef OPERATION
	if (handler->def.resize)
		each(data, "resize");
	if (handler->def.reconfigure)
		each(data, "reconfigure");
	if (handler->def.cancel)
		each(data, "cancel");
	if (handler->def.reset)
		each(data, "reset");
}

static const struct {
	uint32_t bit;
	const char *name;
} needs_names[] = {
	{ SCUSE_NEEDS_NETWORK, "network" }, { SCUSE_NEEDS_PROCESSES, "processes" },
	{ SCUSE_NEEDS_FILES, "files" },	    { SCUSE_NEEDS_RAWIO, "rawio" },
	{ SCUSE_NEEDS_ADMIN, "admin" },
};

/* An array; null for a handler that does not say, and so keeps everything. */
static void json_needs(ScuseJson *json, const struct handler *handler)
{
	if (!confine_applies(handler)) {
		scuse_json_null(json, "needs");
		return;
	}
	scuse_json_begin_array(json, "needs");
	for (size_t i = 0; i < G_N_ELEMENTS(needs_names); i++)
		if (handler->def.needs & needs_names[i].bit)
			scuse_json_string(json, NULL, needs_names[i].name);
	scuse_json_end(json);
}

static void text_needs(GString *text, const struct handler *handler)
{
	g_string_append(text, "    needs:");
	if (!confine_applies(handler))
		g_string_append(text, " all rights of root (it was built for an ABI before 1.3)");
	else if (!handler->def.needs)
		g_string_append(text, " nothing");
	for (size_t i = 0; i < G_N_ELEMENTS(needs_names) && confine_applies(handler); i++)
		if (handler->def.needs & needs_names[i].bit)
			g_string_append_printf(text, " %s", needs_names[i].name);
	g_string_append_c(text, '\n');
}

static void json_operation(void *json, const char *name)
{
	scuse_json_string(json, NULL, name);
}

static void text_operation(void *text, const char *name)
{
	g_string_append_printf(text, " %s", name);
}

static void describe_json(GString *answer, const struct handler *handler)
{
	const struct scuse_handler *def = &handler->def;
	g_autoptr(ScuseJson) json = scuse_json_new();
	g_autofree char *abi = g_strdup_printf("%u.%u", def->abi_major, def->abi_minor);

	scuse_json_begin_object(json, NULL);
	scuse_json_string(json, "name", def->name);
	scuse_json_string(json, "path", handler->path);
	scuse_json_string(json, "version", def->version);
	scuse_json_string(json, "description", def->description);
	scuse_json_string(json, "abi", abi);
	scuse_json_string(json, "kind", def->sync ? "sync" : "async");
	if (def->device_type == SCUSE_DEVICE_TYPE_ANY)
		scuse_json_null(json, "device_type");
	else
		scuse_json_uint(json, "device_type", def->device_type);
	scuse_json_bool(json, "raw", handler_is_raw(handler));
	scuse_json_string(json, "magic_param", def->magic_param);
	json_needs(json, handler);
	scuse_json_begin_array(json, "operations");
	each_operation(handler, json_operation, json);
	scuse_json_end(json);
	scuse_json_begin_array(json, "params");
	for (const struct scuse_param *param = def->params; param && param->name; param++)
		json_param(json, param);
	scuse_json_end(json);
	scuse_json_null(json, "error");
	scuse_json_end(json);
	g_string_append(answer, scuse_json_text(json));
}

static void text_param(GString *text, const struct scuse_param *param, const char *magic)
{
	g_string_append_printf(text, "    %s=%s", param->name,
			       param->type == SCUSE_PARAM_CHOICE ? param->choices
								 : param_type_name(param->type));
	g_string_append_printf(text, "\n        %s", param->help);
	if (param->default_value)
		g_string_append_printf(text, " (default: %s)", param->default_value);
	if (param->flags & SCUSE_PARAM_REQUIRED)
		g_string_append(text, " (required)");
	if (param->flags & SCUSE_PARAM_SECRET)
		g_string_append(text, " (the name of a file that holds it)");
	if (magic && strcmp(magic, param->name) == 0)
		g_string_append_printf(text, " (`%s=` may be left out)", param->name);
	g_string_append_c(text, '\n');
}

static void describe_text(GString *text, const struct handler *handler)
{
	const struct scuse_handler *def = &handler->def;
	bool any = def->device_type == SCUSE_DEVICE_TYPE_ANY;
	g_autofree char *type =
		any ? g_strdup("any device type") : g_strdup_printf("device type %02xh", def->device_type);

	g_string_append_printf(text, "%s %s: %s\n", def->name, def->version ? def->version : "(no version)",
			       def->description ? def->description : "(no description)");
	g_string_append_printf(text, "    plugin %s, ABI %u.%u, %s\n", handler->path, def->abi_major,
			       def->abi_minor, type);
	g_string_append_printf(text, "    operations (%s):", def->sync ? "sync" : "async");
	each_operation(handler, text_operation, text);
	g_string_append_c(text, '\n');
	text_needs(text, handler);
	for (const struct scuse_param *param = def->params; param && param->name; param++)
		text_param(text, param, def->magic_param);
}

struct listing {
	char *name, *path;
};

static bool describe_child(void *data, GString *answer)
{
	struct listing *listing = data;
	char *error = NULL;
	struct handler *handler = handler_load(listing->path, listing->name, &error);

	if (!handler) {
		g_string_append(answer, error);
		return false;
	}
	describe_json(answer, handler);
	g_string_append_c(answer, '\0');
	describe_text(answer, handler);
	return true;
}

static int compare_listings(gconstpointer a, gconstpointer b)
{
	const struct listing *const *left = a, *const *right = b;

	return strcmp((*left)->name, (*right)->name);
}

static void free_listing(gpointer data)
{
	struct listing *listing = data;

	g_free(listing->name);
	g_free(listing->path);
	g_free(listing);
}

/* All that could be handlers, by name; of two of one name, the one that would be used. */
static GPtrArray *find_all(const char *const *dirs)
{
	GPtrArray *found = g_ptr_array_new_with_free_func(free_listing);
	g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);

	for (; *dirs; dirs++) {
		g_autoptr(GDir) dir = g_dir_open(*dirs, 0, NULL);
		const char *file;

		while (dir && (file = g_dir_read_name(dir))) {
			struct listing *listing;

			if (!g_str_has_suffix(file, ".so"))
				continue;
			listing = g_new0(struct listing, 1);
			listing->name = g_strndup(file, strlen(file) - 3);
			listing->path = g_build_filename(*dirs, file, NULL);
			if (g_hash_table_add(seen, listing->name))
				g_ptr_array_add(found, listing);
			else
				free_listing(listing);
		}
	}
	g_ptr_array_sort(found, compare_listings);
	return found;
}

static void json_broken(ScuseJson *json, const struct listing *listing, const char *error)
{
	scuse_json_begin_object(json, NULL);
	scuse_json_string(json, "name", listing->name);
	scuse_json_string(json, "path", listing->path);
	scuse_json_string(json, "error", error);
	scuse_json_end(json);
}

int plugins_list(const char *const *dirs, bool as_json)
{
	g_autoptr(GPtrArray) found = find_all(dirs);
	g_autoptr(ScuseJson) json = scuse_json_new();

	scuse_json_begin_object(json, NULL);
	scuse_json_begin_array(json, "handlers");
	for (guint i = 0; i < found->len; i++) {
		struct listing *listing = g_ptr_array_index(found, i);
		g_autoptr(GString) answer = g_string_new(NULL);
		g_autofree char *error = NULL;

		if (in_child(describe_child, listing, answer, &error)) {
			scuse_json_raw(json, NULL, answer->str);
			if (!as_json)
				fputs(answer->str + strlen(answer->str) + 1, stdout);
			continue;
		}
		json_broken(json, listing, error);
		if (!as_json)
			printf("%s: broken: %s\n", listing->name, error);
	}
	scuse_json_end(json);
	scuse_json_end(json);
	if (as_json)
		puts(scuse_json_text(json));
	else if (!found->len)
		printf("no plugins in %s\n", dirs[0]);
	return 0;
}

/* ---- the dry run ---- */

struct trial {
	char *path;
	const char *handler, *lines;
	uint64_t size;
	uint32_t block_size;
};

static bool validate_child(void *data, GString *answer)
{
	const struct trial *trial = data;
	struct scuse_config *config = NULL;
	struct error_capture said = { .text = "" };
	char *error = NULL;
	struct handler *handler = handler_load(trial->path, trial->handler, &error);
	int result;

	if (handler)
		config = config_parse(&handler->table, trial->lines, trial->size, trial->block_size, &error);
	if (!config) {
		g_string_append(answer, error);
		return false;
	}
	if (!handler->def.validate)
		return true;
	error_capture_begin(&said);
	result = handler->def.validate(config);
	error_capture_end(&said);
	if (result)
		g_string_append(answer, said.text[0] ? said.text : g_strerror(ABS(result)));
	return result == 0;
}

int plugins_validate(const char *const *dirs, const char *handler, const char *lines, uint64_t size,
		     uint32_t block_size)
{
	g_autofree char *path = handler_find(dirs, handler);
	g_autofree char *error = NULL;
	g_autoptr(GString) answer = g_string_new(NULL);
	struct trial trial = { path, handler, lines, size, block_size };

	if (!path) {
		fprintf(stderr, "scuse-runner: there is no handler '%s' in %s\n", handler, dirs[0]);
		return 1;
	}
	if (size % block_size)
		error = g_strdup_printf("the size, %" G_GUINT64_FORMAT
					" bytes, is not a multiple of the block size, %u",
					size, block_size);
	else if (in_child(validate_child, &trial, answer, &error))
		return 0;
	fprintf(stderr, "scuse-runner: %s\n", error);
	return 1;
}
