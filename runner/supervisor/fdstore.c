// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * systemd's store of descriptors.  See fdstore.h.
 *
 * systemd hands over what it has as descriptors from 3 on, with names in LISTEN_FDNAMES; it keeps duplicates
 * until it is told to remove them.
 */
#include "fdstore.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../descriptor.h"
#include "notify.h"

#define FIRST_FD 3 /* SD_LISTEN_FDS_START of sd_listen_fds(3) */

struct fdstore {
	GHashTable *fds; /* by name (owned): those that nobody took */
};

static void close_value(gpointer value)
{
	close(GPOINTER_TO_INT(value));
}

static unsigned int handed_over(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");

	if (!pid || !count || strtol(pid, NULL, 10) != getpid())
		return 0;
	return (unsigned int)CLAMP(strtol(count, NULL, 10), 0, 65536);
}

struct fdstore *fdstore_new(void)
{
	struct fdstore *store = g_new0(struct fdstore, 1);
	const char *listed = getenv("LISTEN_FDNAMES");
	g_auto(GStrv) names = g_strsplit(listed ? listed : "", ":", -1);
	unsigned int count = handed_over();

	store->fds = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, close_value);
	for (unsigned int i = 0; i < count; i++) {
		int fd = FIRST_FD + (int)i;

		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			continue;
		if (i < g_strv_length(names))
			g_hash_table_insert(store->fds, g_strdup(names[i]), GINT_TO_POINTER(fd));
		else
			close(fd);
	}
	return store;
}

void fdstore_free(struct fdstore *store)
{
	if (!store)
		return;
	g_hash_table_unref(store->fds);
	g_free(store);
}

/* systemd takes no colons and no control characters, so what people chose goes in as a checksum. */
char *fdstore_name(uint32_t id, const char *name, const char *handler, const char *serial)
{
	g_autofree char *all = NULL, *sum = NULL;

	if (!serial || !*serial)
		return NULL;
	all = g_strjoin("\n", name, handler, serial, NULL);
	sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, all, -1);
	return g_strdup_printf("lun%u-%.32s", id, sum);
}

int fdstore_take(struct fdstore *store, const char *name)
{
	gpointer key, value;

	if (!g_hash_table_steal_extended(store->fds, name, &key, &value))
		return -1;
	g_free(key);
	return GPOINTER_TO_INT(value);
}

void fdstore_put(const char *name, int fd)
{
	g_autofree char *remove = g_strdup_printf("FDSTOREREMOVE=1\nFDNAME=%s", name);
	g_autofree char *store = g_strdup_printf("FDSTORE=1\nFDNAME=%s", name);

	notify_systemd(remove);
	if (fd >= 0)
		notify_systemd_fd(store, fd);
}

void fdstore_prune(struct fdstore *store, GHashTable *names)
{
	GHashTableIter iter;
	gpointer name;

	g_hash_table_iter_init(&iter, store->fds);
	while (g_hash_table_iter_next(&iter, &name, NULL)) {
		if (g_hash_table_contains(names, name))
			continue;
		fdstore_put(name, -1);
		g_hash_table_iter_remove(&iter);
	}
}
