/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Finding and removing exports; see export.h.  Called by ls, show, attach, detach, rm, run.
 */
#include "export.h"

#include <errno.h>
#include <string.h>
#include "configfs.h"
#include "output.h"

static const struct fabric *const fabrics[] = { &fabric_loop, &fabric_iscsi };

static const struct fabric *find_fabric(const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(fabrics); i++)
		if (!strcmp(fabrics[i]->name, name))
			return fabrics[i];
	return NULL;
}

void export_free(export *which)
{
	if (!which)
		return;
	g_free(which->fabric_name);
	g_free(which->wwn);
	g_free(which->tpg);
	g_free(which->lun_name);
	g_free(which->link);
	g_ptr_array_unref(which->places);
	g_free(which);
}

static void free_export(void *data)
{
	export_free(data);
}

char *export_path(const export *which, const char *rest)
{
	return configfs_path(which->fabric_name, which->wwn, which->tpg, rest, NULL);
}

/* ---- the walk --------------------------------------------------------------------------------------- */

struct walk {
	const char *fabric, *wwn, *tpg;
	GHashTable *found; /* inode of a LUN's directory to a GPtrArray of its exports */
};

static export *make_export(const struct walk *walk, const char *lun, const char *link)
{
	export *found = g_new0(export, 1);

	found->fabric = find_fabric(walk->fabric);
	found->fabric_name = g_strdup(walk->fabric);
	found->wwn = g_strdup(walk->wwn);
	found->tpg = g_strdup(walk->tpg);
	found->lun_name = g_strdup(lun);
	found->link = g_strdup(link);
	found->lun = g_ascii_strtoull(lun + strlen("lun_"), NULL, 10);
	found->ours = !strcmp(link, EXPORT_LINK);
	found->places = g_ptr_array_new_with_free_func(g_free);
	return found;
}

static void add(struct walk *walk, gint64 inode, export *found)
{
	GPtrArray *exports = g_hash_table_lookup(walk->found, &inode);

	if (!exports) {
		exports = g_ptr_array_new_with_free_func(free_export);
		g_hash_table_insert(walk->found, g_memdup2(&inode, sizeof(inode)), exports);
	}
	g_ptr_array_add(exports, found);
}

static void walk_luns(struct walk *walk)
{
	g_autofree char *path = configfs_path(walk->fabric, walk->wwn, walk->tpg, "lun", NULL);
	g_autoptr(GPtrArray) luns = configfs_directories(path);

	for (guint i = 0; i < luns->len; i++) {
		g_autofree char *lun = g_strdup_printf("%s/%s", path, (char *)luns->pdata[i]);
		g_autoptr(GPtrArray) links = configfs_links(lun);

		for (guint j = 0; j < links->len; j++) {
			g_autofree char *link = g_strdup_printf("%s/%s", lun, (char *)links->pdata[j]);
			gint64 inode = configfs_inode(link);

			if (g_str_has_prefix(luns->pdata[i], "lun_") && inode >= 0)
				add(walk, inode, make_export(walk, luns->pdata[i], links->pdata[j]));
		}
	}
}

static void walk_targets(struct walk *walk)
{
	g_autofree char *path = configfs_path(walk->fabric, NULL);
	g_autoptr(GPtrArray) targets = configfs_directories(path);

	for (guint i = 0; i < targets->len; i++) {
		g_autofree char *target = configfs_path(walk->fabric, targets->pdata[i], NULL);
		g_autoptr(GPtrArray) groups = configfs_directories(target);

		walk->wwn = targets->pdata[i];
		for (guint j = 0; j < groups->len; j++) {
			walk->tpg = groups->pdata[j];
			walk_luns(walk);
		}
	}
}

GHashTable *exports_all(void)
{
	g_autoptr(GPtrArray) names = configfs_directories(configfs_root());
	struct walk walk = {};

	walk.found =
		g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
	for (guint i = 0; i < names->len; i++) {
		if (!strcmp(names->pdata[i], "core"))
			continue;
		walk.fabric = names->pdata[i];
		walk_targets(&walk);
	}
	return walk.found;
}

GPtrArray *exports_among(GHashTable *all, const char *device, uint32_t device_type)
{
	gint64 inode = configfs_inode(device);
	GPtrArray *exports = g_hash_table_lookup(all, &inode);

	if (!exports)
		return g_ptr_array_new_with_free_func(free_export);
	for (guint i = 0; i < exports->len; i++) {
		export *which = exports->pdata[i];

		if (which->fabric && !which->places->len)
			which->fabric->describe(which, device_type);
	}
	return g_ptr_array_ref(exports);
}

GPtrArray *exports_of(const char *device, uint32_t device_type)
{
	g_autoptr(GHashTable) all = exports_all();

	return exports_among(all, device, device_type);
}

/* ---- one export ------------------------------------------------------------------------------------- */

char *export_describe(const export *which)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < which->places->len; i++)
		g_string_append_printf(text, "%s%s", i ? ", " : "", (char *)which->places->pdata[i]);
	if (!text->len)
		g_string_append_printf(text, "%s/%s/%s/%s", which->fabric_name, which->wwn, which->tpg,
				       which->lun_name);
	return g_string_free(text, FALSE);
}

GPtrArray *export_users(const export *which)
{
	if (which->fabric && which->fabric->users)
		return which->fabric->users(which);
	return g_ptr_array_new_with_free_func(g_free);
}

static char *join(GPtrArray *strings)
{
	GString *text = g_string_new(NULL);

	for (guint i = 0; i < strings->len; i++)
		g_string_append_printf(text, "%s%s", i ? ", " : "", (char *)strings->pdata[i]);
	return g_string_free(text, FALSE);
}

/* A local user (a mount) would lose data; a remote one can be logged out with --force. */
bool export_check_unused(const export *which, const char *lun, bool force, GError **error)
{
	g_autoptr(GPtrArray) users = export_users(which);
	g_autofree char *place = export_describe(which), *who = join(users);
	bool local = which->fabric == &fabric_loop;

	if (!users->len || (force && !local))
		return true;
	return fail(error, EBUSY, "LUN '%s' is in use as %s (%s): %s", lun, place, who,
		    local ? "unmount or close it first" : "log out there first, or use --force");
}

bool export_remove(const export *which, GError **error)
{
	g_autofree char *below = g_strdup_printf("lun/%s", which->lun_name), *group = NULL;
	g_autofree char *directory = export_path(which, below);
	g_autofree char *link = g_strdup_printf("%s/%s", directory, which->link);

	/* A target that others made keeps running: it may have more LUNs. */
	if (which->fabric && (which->ours || which->fabric == &fabric_loop) && which->fabric->quiesce &&
	    !which->fabric->quiesce(which, error))
		return false;
	if (!configfs_unlink(link, error) || !configfs_remove(directory, error))
		return false;
	if (!which->ours || !which->fabric)
		return true;
	group = configfs_path(which->fabric_name, which->wwn, which->tpg, NULL);
	return which->fabric->remove_group(group, error);
}

void export_json(ScuseJson *json, const export *which)
{
	g_autoptr(GPtrArray) users = export_users(which);

	scuse_json_begin_object(json, NULL);
	scuse_json_string(json, "fabric", which->fabric_name);
	scuse_json_string(json, "target", which->wwn);
	scuse_json_string(json, "group", which->tpg);
	scuse_json_uint(json, "lun", which->lun);
	scuse_json_bool(json, "attached_by_scuse", which->ours);
	scuse_json_begin_array(json, "places");
	for (guint i = 0; i < which->places->len; i++)
		scuse_json_string(json, NULL, which->places->pdata[i]);
	scuse_json_end(json);
	scuse_json_begin_array(json, "users");
	for (guint i = 0; i < users->len; i++)
		scuse_json_string(json, NULL, users->pdata[i]);
	scuse_json_end(json);
	scuse_json_end(json);
}
