/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The local fabric, tcm_loop: a LUN as a SCSI device of this host.
 *
 * Called by attach, detach, rm, run.  Each attachment is a target of its own,
 *
 *	loopback/naa.TARGET/tpgt_1/{nexus = naa.INITIATOR, lun/lun_0/scuse -> LUN}
 *
 * whose names are derived from the LUN's serial number, so that the same LUN has the same ones after a
 * restart, and attaching twice finds the first.
 */
#include "export.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "configfs.h"
#include "limited.h"
#include "modules.h"
#include "output.h"

#define FABRIC	     "loopback"
#define ATTACH_LIMIT 30	 /* seconds, until the node is there and answers */
#define UNDO_LIMIT   10	 /* for the host to let go of what just failed */
#define SETTLE_LIMIT 150 /* and of what worked: caches are written, its SCSI layer is patient */
#define POLL_MS	     10
#define MAX_NEXUSES  256

/* ---- what a found export is ------------------------------------------------------------------------- */

static void describe(export *which, uint32_t device_type)
{
	g_autofree char *path = export_path(which, "address"), *text = configfs_read(path);
	g_autofree char *node = NULL, *generic = NULL;

	if (!text || sscanf(text, "%u:%u:%u", &which->address.host, &which->address.channel,
			    &which->address.target) != 3)
		return;
	which->address.lun = which->lun;
	which->has_address = true;
	node = sysfs_best_node(&which->address, device_type);
	if (node)
		g_ptr_array_add(which->places, g_steal_pointer(&node));
}

static GPtrArray *users(const export *which)
{
	return which->has_address ? sysfs_users(&which->address) : g_ptr_array_new_with_free_func(g_free);
}

/*
 * The host's caches are written first, with a limit: removing the LUN's link waits for commands with configfs
 * locked.  The link's removal then takes the SCSI device from the host.
 */
static bool quiesce(const export *which, GError **error)
{
	return which->has_address ? sysfs_settle(&which->address, SETTLE_LIMIT, error) : true;
}

static bool remove_group(const char *group, GError **error)
{
	g_autofree char *nexus = g_strdup_printf("%s/nexus", group), *target = g_path_get_dirname(group);
	g_autofree char *fabric = g_path_get_dirname(target);

	/* Without a nexus this fails, and there is nothing to end. */
	configfs_write(nexus, "NULL", NULL);
	if (!configfs_remove(group, error) || !configfs_remove(target, error))
		return false;
	/* Lets the module be unloaded; refused while there are others. */
	configfs_remove(fabric, NULL);
	return true;
}

const struct fabric fabric_loop = {
	.name = FABRIC,
	.label = "local",
	.describe = describe,
	.users = users,
	.quiesce = quiesce,
	.remove_group = remove_group,
};

/* ---- attaching -------------------------------------------------------------------------------------- */

/* NAA 3h, locally assigned: 60 bits of a hash. */
static char *derive_name(const char *serial, const char *role, unsigned int number)
{
	g_autofree char *text = g_strdup_printf("scuse %s %u %s", role, number, serial);
	g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);

	return g_strdup_printf("naa.3%.15s", hash);
}

static bool set_up_group(const char *group, const char *device, const char *nexus, GError **error)
{
	g_autofree char *nexus_file = g_strdup_printf("%s/nexus", group);
	g_autofree char *lun = g_strdup_printf("%s/lun/lun_0", group);
	g_autofree char *link = g_strdup_printf("%s/%s", lun, EXPORT_LINK);

	/* The nexus comes before the LUN: the LUN's appearance makes the host look at it. */
	return configfs_make(group, NULL, error) && configfs_write(nexus_file, nexus, error) &&
	       configfs_make(lun, NULL, error) && configfs_link(device, link, error);
}

static bool read_address(const char *group, struct scsi_address *address, GError **error)
{
	g_autofree char *file = g_strdup_printf("%s/address", group), *text = configfs_read(file);

	address->lun = 0;
	if (text && sscanf(text, "%u:%u:%u", &address->host, &address->channel, &address->target) == 3)
		return true;
	return fail(error, EIO, "%s does not say which SCSI device it became", file);
}

static bool remove_lun_of(const char *group, GError **error)
{
	g_autofree char *lun = g_strdup_printf("%s/lun/lun_0", group);
	g_autofree char *link = g_strdup_printf("%s/%s", lun, EXPORT_LINK);
	struct scsi_address address;

	/*
	 * The host settles first: removing the link waits for commands in flight with configfs locked, and if
	 * the LUN's handler hangs, then so would everybody who looks there.
	 */
	if (read_address(group, &address, NULL) && !sysfs_settle(&address, UNDO_LIMIT, error))
		return false;
	return configfs_unlink(link, error) && configfs_remove(lun, error) && remove_group(group, error);
}

static void undo(const char *group)
{
	g_autoptr(GError) error = NULL;

	begin_clean_up();
	if (!remove_lun_of(group, &error))
		print_warning("%s stays: %s; `scuse detach` takes it away once the LUN answers", group,
			      error->message);
}

/* The path of a new target's group, NULL on error. */
static char *make_target(const char *device, const char *serial, GError **error)
{
	g_autofree char *fabric = configfs_path(FABRIC, NULL);

	for (unsigned int number = 0; number < MAX_NEXUSES; number++) {
		g_autofree char *name = derive_name(serial, "target", number);
		g_autofree char *nexus = derive_name(serial, "initiator", number);
		g_autofree char *target = configfs_path(FABRIC, name, NULL);
		g_autofree char *group = g_strdup_printf("%s/tpgt_1", target);
		GError *reason = NULL;
		bool made;

		/* Another detach may remove the fabric's directory between the two: then once more. */
		if (!configfs_make(fabric, NULL, error))
			return NULL;
		if (!configfs_make(target, &made, &reason)) {
			bool again = reason->code == ENOENT;

			if (!again)
				fail(error, reason->code, "%s", reason->message);
			g_error_free(reason);
			if (again)
				continue;
			return NULL;
		}
		if (!made)
			continue;
		if (set_up_group(group, device, nexus, error))
			return g_steal_pointer(&group);
		undo(group);
		return NULL;
	}
	fail(error, ENOSPC, "the LUN has %d local attachments: detach some", MAX_NEXUSES);
	return NULL;
}

static void load_drivers(uint32_t device_type, bool want_generic)
{
	switch (sysfs_kind_of_type(device_type)) {
	case NODE_BLOCK:
		module_try(device_type == 0x05 ? "sr_mod" : "sd_mod");
		break;
	case NODE_TAPE:
		module_try("st");
		want_generic = true; /* to ask if it is ready: closing a tape's own node rewinds it */
		break;
	case NODE_CHANGER:
		module_try("ch");
		want_generic = true; /* its own node lets in one at a time */
		break;
	case NODE_GENERIC:
		want_generic = true;
		break;
	}
	if (want_generic)
		module_try("sg");
}

struct readiness {
	const char *node;
	gint64 deadline;
};

static bool ready_in_child(void *data, GError **error)
{
	const struct readiness *work = data;

	return scsi_wait_ready(work->node, work->deadline, error);
}

/* Opening a disk waits for the host's look at its partitions, however long the LUN takes to answer that. */
static bool wait_until_ready(const char *node, gint64 deadline, GError **error)
{
	gint64 left = (deadline - g_get_monotonic_time()) / G_USEC_PER_SEC;
	struct readiness work = { node, deadline };
	g_autoptr(GError) reason = NULL;

	/* A second more than the child gives itself, whose words are better. */
	if (run_limited(ready_in_child, &work, (unsigned int)MAX(left, 0) + 2, &reason))
		return true;
	if (reason->code == ETIMEDOUT)
		return fail(error, ETIMEDOUT,
			    "%s does not answer: does the LUN's handler still work? (scuse show)", node);
	return fail(error, reason->code, "%s", reason->message);
}

static char *wait_for_node(const struct scsi_address *address, uint32_t device_type, bool want_generic,
			   GError **error)
{
	gint64 deadline = g_get_monotonic_time() + ATTACH_LIMIT * G_USEC_PER_SEC;
	enum node_kind kind = want_generic ? NODE_GENERIC : sysfs_kind_of_type(device_type);
	enum node_kind ask = kind == NODE_BLOCK ? NODE_BLOCK : NODE_GENERIC;
	g_autofree char *node = NULL, *asked = NULL;

	while (!(node = sysfs_node(address, kind)) || !(asked = sysfs_node(address, ask))) {
		g_clear_pointer(&node, g_free);
		if (!check_interrupted(error))
			return NULL;
		if (g_get_monotonic_time() >= deadline) {
			fail(error, ETIMEDOUT,
			     "the host did not make a device of SCSI %u:%u:%u:%" G_GUINT64_FORMAT
			     " within %d seconds: %s",
			     address->host, address->channel, address->target, address->lun, ATTACH_LIMIT,
			     sysfs_exists(address) ? "is its driver (sd, st, ch, sg) there?" : "see dmesg");
			return NULL;
		}
		g_usleep(POLL_MS * 1000);
	}
	return wait_until_ready(asked, deadline, error) ? g_steal_pointer(&node) : NULL;
}

static const export *find_ours(GPtrArray *exports)
{
	for (guint i = 0; i < exports->len; i++) {
		const export *which = exports->pdata[i];

		if (which->fabric == &fabric_loop && which->ours && which->has_address)
			return which;
	}
	return NULL;
}

char *loop_attach(const char *device, const char *serial, uint32_t device_type, bool want_generic,
		  bool another, GError **error)
{
	g_autoptr(GPtrArray) exports = another ? NULL : exports_of(device, device_type);
	const export *present = exports ? find_ours(exports) : NULL;
	g_autofree char *group = NULL;
	struct scsi_address address;
	char *node = NULL;

	load_drivers(device_type, want_generic);
	if (present) {
		/* An earlier detach may have got this far and no further. */
		if (!sysfs_exists(&present->address))
			sysfs_scan(&present->address);
		return wait_for_node(&present->address, device_type, want_generic, error);
	}
	if (!module_load("tcm_loop", "a local attachment", error))
		return NULL;
	group = make_target(device, serial, error);
	if (!group)
		return NULL;
	if (read_address(group, &address, error))
		node = wait_for_node(&address, device_type, want_generic, error);
	if (!node)
		undo(group);
	return node;
}
