/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Persistent reservations that outlive a loss of power; see aptpl.h.  Called by device.c when a LUN is made.
 *
 * The file is a sequence of registrations, each between the lines "PR_REG_START: N" and "PR_REG_END: N", as
 * key=value lines; core takes one registration a write, in the same form.
 */
#include "aptpl.h"

#include <string.h>

#include "cli.h"
#include "configfs.h"

#define BEGIN_MARK "PR_REG_START:"
#define END_MARK   "PR_REG_END:"

GPtrArray *aptpl_registrations(const char *text)
{
	GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
	const char *from = text, *begin, *end;

	while ((begin = strstr(from, BEGIN_MARK)) && (end = strstr(begin, END_MARK))) {
		/* The rest of the mark's line is a number that nobody needs. */
		const char *first = strchr(begin, '\n');

		if (first && first + 1 < end)
			g_ptr_array_add(found, g_strndup(first + 1, (gsize)(end - first - 1)));
		from = end + strlen(END_MARK);
	}
	return found;
}

/* Where core keeps the file; NULL: this core does not say. */
static char *file_of(const char *serial)
{
	g_autofree char *setting = configfs_path("dbroot", NULL), *root = configfs_read(setting);
	g_autofree char *name = g_strdup_printf("aptpl_%s", serial);

	/* Core cannot open such a file either. */
	if (!root || strchr(serial, '/'))
		return NULL;
	return g_build_filename(g_strstrip(root), "pr", name, NULL);
}

bool aptpl_restore(const char *path, const char *serial, GError **error)
{
	g_autofree char *file = serial ? file_of(serial) : NULL, *text = NULL;
	g_autofree char *metadata = g_strdup_printf("%s/pr/res_aptpl_metadata", path);
	g_autoptr(GPtrArray) registrations = NULL;
	g_autoptr(GError) reason = NULL;

	if (!file || !g_file_get_contents(file, &text, NULL, NULL))
		return true;
	registrations = aptpl_registrations(text);
	for (guint i = 0; i < registrations->len; i++)
		if (!configfs_write(metadata, registrations->pdata[i], &reason))
			return fail(error, reason->code,
				    "the persistent reservations in %s cannot be restored: %s; remove that "
				    "file to "
				    "do without them",
				    file, reason->message);
	return true;
}
