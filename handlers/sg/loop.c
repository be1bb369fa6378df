// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Is the device the very LUN that is to pass it on?  See sg.h.
 *
 * A LUN that is attached with tcm_loop is a SCSI device of this host, and may be passed on by another LUN.
 * By itself it would be asked for what it asks for.  The loopback fabric's folders in configfs say which SCSI
 * host and target each of them is, and which LUN is linked there:
 *
 *	loopback/naa.X/tpgt_Y/address		"H:C:T"
 *	loopback/naa.X/tpgt_Y/lun/lun_L/LINK -> .../core/scuse_N/NAME
 *
 * Main thread, while the LUN is opened.
 */
#include "sg.h"

#include <errno.h>
#include <glob.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool has_address(const char *file, const struct sg_node *node)
{
	FILE *stream = fopen(file, "re");
	unsigned int host, channel, target;
	bool same;

	if (!stream)
		return false;
	same = fscanf(stream, "%u:%u:%u", &host, &channel, &target) == 3 && host == node->host &&
	       channel == node->channel && target == node->target;
	fclose(stream);
	return same;
}

/* The name of a LUN's folder, where %XX stands for what a folder's name cannot have. */
static void decode(char *name)
{
	char *out = name;
	unsigned int byte;

	for (; *name; name++) {
		if (*name == '%' && sscanf(name + 1, "%2x", &byte) == 1) {
			*out++ = (char)byte;
			name += 2;
		} else {
			*out++ = *name;
		}
	}
	*out = 0;
}

/* Does one of the links in the folder of the LUN lead to `name`? */
static bool links_to(const char *folder, const char *name)
{
	char pattern[PATH_MAX + 2], real[PATH_MAX], *base;
	glob_t links;
	bool found = false;

	snprintf(pattern, sizeof(pattern), "%s/*", folder);
	if (glob(pattern, 0, NULL, &links))
		return false;
	for (size_t i = 0; i < links.gl_pathc && !found; i++) {
		if (!realpath(links.gl_pathv[i], real) || !strstr(real, "/core/scuse_"))
			continue;
		base = strrchr(real, '/') + 1;
		decode(base);
		found = !strcmp(base, name);
	}
	globfree(&links);
	return found;
}

int refuse_loop(const char *configfs, const char *path, const struct sg_node *node, const char *name)
{
	char pattern[PATH_MAX], folder[PATH_MAX];
	glob_t files;
	bool found = false;

	snprintf(pattern, sizeof(pattern), "%s/loopback/*/tpgt_*/address", configfs);
	if (glob(pattern, 0, NULL, &files))
		return 0;
	for (size_t i = 0; i < files.gl_pathc && !found; i++) {
		const char *file = files.gl_pathv[i];

		if (!has_address(file, node))
			continue;
		snprintf(folder, sizeof(folder), "%.*s/lun/lun_%" PRIu64, (int)(strrchr(file, '/') - file),
			 file, node->lun);
		found = links_to(folder, name);
	}
	globfree(&files);
	if (!found)
		return 0;
	scuse_error("%s is this very LUN, attached to this host: it cannot be passed on by itself", path);
	return -ELOOP;
}
