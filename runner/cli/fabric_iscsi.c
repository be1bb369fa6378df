/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * iSCSI: a LUN for other hosts, or for a second initiator on this one.
 *
 * Called by attach, detach, rm.  Each attachment is a target of its own,
 *
 *	iscsi/IQN/tpgt_1/{np/ADDRESS:PORT, lun/lun_0/scuse -> LUN}
 *
 * open to every initiator, without a password: hence the warning when the portal is not a loopback address.
 */
#include "export.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "args.h"
#include "configfs.h"
#include "modules.h"
#include "output.h"

#define FABRIC	     "iscsi"
#define PORTAL_LIMIT 15 /* seconds, until it lets a connection in */
#define POLL_MS	     20

/* ---- what a found export is ------------------------------------------------------------------------- */

static void describe(export *which, uint32_t device_type)
{
	g_autofree char *path = export_path(which, "np");
	g_autoptr(GPtrArray) portals = configfs_directories(path);

	(void)device_type;
	for (guint i = 0; i < portals->len; i++)
		g_ptr_array_add(which->places,
				g_strdup_printf("iscsi://%s/%s/%" G_GUINT64_FORMAT, (char *)portals->pdata[i],
						which->wwn, which->lun));
}

static void add_user(GPtrArray *list, const char *initiator)
{
	if (*initiator)
		g_ptr_array_add(list, g_strdup_printf("initiator %s is logged in", initiator));
}

/* Initiators without an ACL are in one file; those with one have a directory that tells. */
static GPtrArray *users(const export *which)
{
	GPtrArray *list = g_ptr_array_new_with_free_func(g_free);
	g_autofree char *dynamic_file = export_path(which, "dynamic_sessions"),
			*dynamic = configfs_read(dynamic_file);
	g_autofree char *acls_path = export_path(which, "acls");
	g_autoptr(GPtrArray) acls = configfs_directories(acls_path);
	g_auto(GStrv) names = dynamic ? g_strsplit(dynamic, "\n", -1) : NULL;

	for (char **name = names; name && *name; name++)
		add_user(list, *name);
	for (guint i = 0; i < acls->len; i++) {
		g_autofree char *file = g_strdup_printf("%s/%s/info", acls_path, (char *)acls->pdata[i]);
		g_autofree char *text = configfs_read(file);

		if (text && strstr(text, "InitiatorName:"))
			add_user(list, acls->pdata[i]);
	}
	return list;
}

/* Ends all sessions, and no new one can begin. */
static bool quiesce(const export *which, GError **error)
{
	g_autofree char *file = export_path(which, "enable");

	return configfs_write(file, "0", error);
}

static bool remove_group(const char *group, GError **error)
{
	g_autofree char *portals_path = g_strdup_printf("%s/np", group), *target = g_path_get_dirname(group);
	g_autofree char *fabric = g_path_get_dirname(target);
	g_autoptr(GPtrArray) portals = configfs_directories(portals_path);

	for (guint i = 0; i < portals->len; i++) {
		g_autofree char *portal = g_strdup_printf("%s/%s", portals_path, (char *)portals->pdata[i]);

		if (!configfs_remove(portal, error))
			return false;
	}
	if (!configfs_remove(group, error) || !configfs_remove(target, error))
		return false;
	/* Lets the module be unloaded; refused while there are other targets. */
	configfs_remove(fabric, NULL);
	return true;
}

const struct fabric fabric_iscsi = {
	.name = FABRIC,
	.label = "iSCSI",
	.describe = describe,
	.users = users,
	.quiesce = quiesce,
	.remove_group = remove_group,
};

/* ---- attaching -------------------------------------------------------------------------------------- */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Returns the length, 0 if it is no address. */
static socklen_t portal_address(const struct portal *portal, uint16_t port, union address *address)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, portal->address, &address->v4.sin_addr) == 1) {
		address->v4.sin_family = AF_INET;
		address->v4.sin_port = htons(port);
		return sizeof(address->v4);
	}
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET6, portal->address, &address->v6.sin6_addr) != 1)
		return 0;
	address->v6.sin6_family = AF_INET6;
	address->v6.sin6_port = htons(port);
	return sizeof(address->v6);
}

static bool write_attribute(const char *group, const char *name, const char *value, GError **error)
{
	g_autofree char *file = g_strdup_printf("%s/attrib/%s", group, name);

	return configfs_write(file, value, error);
}

/* The kernel lets a portal have an address that the host may get later; who types one now means one that
 * works. */
static bool check_address(const struct portal *portal, GError **error)
{
	union address address;
	socklen_t length = portal_address(portal, 0, &address);
	int fd = length ? socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
	int r = fd < 0 || bind(fd, &address.any, length) ? errno : 0;

	if (fd >= 0)
		close(fd);
	if (r == 0)
		return true;
	return fail(error, r, "this host has no address %s (%s): `ip address` lists those it has",
		    portal->address, g_strerror(r));
}

static bool make_portal(const char *group, const struct portal *portal, GError **error)
{
	g_autofree char *path = g_strdup_printf("%s/np/%s", group, portal->text);
	g_autoptr(GError) reason = NULL;

	/* The kernel binds here. */
	if (configfs_make(path, NULL, &reason))
		return true;
	if (reason->code == EADDRINUSE || reason->code == EINVAL)
		return fail(error, reason->code,
			    "the kernel cannot listen on %s (%s): if something else does, choose another "
			    "--portal",
			    portal->text, g_strerror(reason->code));
	return fail(error, reason->code, "%s", reason->message);
}

static bool set_up_group(const char *group, const char *device, const struct portal *portal, GError **error)
{
	g_autofree char *lun = g_strdup_printf("%s/lun/lun_0", group);
	g_autofree char *link = g_strdup_printf("%s/%s", lun, EXPORT_LINK);
	g_autofree char *enable = g_strdup_printf("%s/enable", group);

	return configfs_make(group, NULL, error) && make_portal(group, portal, error) &&
	       configfs_make(lun, NULL, error) && configfs_link(device, link, error) &&
	       write_attribute(group, "authentication", "0", error) &&
	       write_attribute(group, "generate_node_acls", "1", error) &&
	       write_attribute(group, "demo_mode_write_protect", "0", error) &&
	       write_attribute(group, "cache_dynamic_acls", "1", error) && configfs_write(enable, "1", error);
}

static void undo(const char *group)
{
	g_autofree char *lun = g_strdup_printf("%s/lun/lun_0", group);
	g_autofree char *link = g_strdup_printf("%s/%s", lun, EXPORT_LINK);
	g_autofree char *enable = g_strdup_printf("%s/enable", group);

	begin_clean_up();
	configfs_write(enable, "0", NULL);
	configfs_unlink(link, NULL);
	configfs_remove(lun, NULL);
	remove_group(group, NULL);
}

static int try_connect(const struct portal *portal)
{
	union address address;
	socklen_t length = portal_address(portal, portal->port, &address);
	int fd = length ? socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1, r;

	if (fd < 0)
		return length ? errno : EINVAL;
	r = connect(fd, &address.any, length) ? errno : 0;
	close(fd);
	return r;
}

static bool wait_for_portal(const struct portal *portal, GError **error)
{
	gint64 deadline = g_get_monotonic_time() + PORTAL_LIMIT * G_USEC_PER_SEC;
	int r;

	while ((r = try_connect(portal))) {
		if (!check_interrupted(error))
			return false;
		if (g_get_monotonic_time() >= deadline)
			return fail(error, r, "the portal %s does not let connections in: %s", portal->text,
				    g_strerror(r));
		g_usleep(POLL_MS * 1000);
	}
	return true;
}

/* The LUN's own target of that name, if it was attached before. */
static const export *find_ours(GPtrArray *exports, const char *iqn)
{
	for (guint i = 0; i < exports->len; i++) {
		const export *which = exports->pdata[i];

		if (which->fabric == &fabric_iscsi && which->ours && !strcmp(which->wwn, iqn))
			return which;
	}
	return NULL;
}

static bool make_target(const char *iqn, const char *group, const char *device, const struct portal *portal,
			GError **error)
{
	g_autofree char *fabric = configfs_path(FABRIC, NULL), *target = configfs_path(FABRIC, iqn, NULL);
	g_autoptr(GError) reason = NULL;
	bool made = false;

	for (int i = 0; i < 50; i++) {
		g_clear_error(&reason);
		if (!configfs_make(fabric, NULL, error))
			return false;
		/* Another detach may have removed the fabric's directory in between. */
		if (configfs_make(target, &made, &reason) || reason->code != ENOENT)
			break;
	}
	if (reason)
		return fail(error, reason->code, "%s", reason->message);
	if (!made)
		return fail(error, EEXIST,
			    "there is an iSCSI target %s already, of another LUN: choose another --iqn", iqn);
	if (set_up_group(group, device, portal, error))
		return true;
	undo(group);
	return false;
}

char *iscsi_attach(const char *device, const char *iqn, const struct portal *portal, GError **error)
{
	g_autoptr(GPtrArray) exports = exports_of(device, 0);
	g_autofree char *group = configfs_path(FABRIC, iqn, "tpgt_1", NULL);
	const export *present = find_ours(exports, iqn);

	if (!module_load("iscsi_target_mod", "an iSCSI attachment", error))
		return NULL;
	if (!check_address(portal, error))
		return NULL;
	if (!portal->loopback)
		print_warning(
			"every host that reaches %s can read and write this LUN: there is no authentication",
			portal->text);
	if (present ? !make_portal(group, portal, error) : !make_target(iqn, group, device, portal, error))
		return NULL;
	if (!wait_for_portal(portal, error)) {
		if (!present)
			undo(group);
		return NULL;
	}
	return g_strdup_printf("iscsi://%s/%s/0", portal->text, iqn);
}
