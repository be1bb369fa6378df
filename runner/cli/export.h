/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Exports: the fabric LUNs that lead to a LUN of ours, whoever made them.  Found by a walk through configfs,
 * since LIO keeps no list.
 *
 * Those that `scuse attach` made have a link by the name EXPORT_LINK; a target of ours has that one LUN
 * alone.
 */
#ifndef SCUSE_CLI_EXPORT_H
#define SCUSE_CLI_EXPORT_H

#include "cli.h"
#include "json.h"
#include "sysfs.h"

#define EXPORT_LINK "scuse"

struct export;

/* What a fabric can do beyond having LUNs. */
struct fabric {
	const char *name;  /* of its configfs directory */
	const char *label; /* for people */
	/* Fills nodes, address, portals of an export that was found. */
	void (*describe)(struct export *export, uint32_t device_type);
	/* Who uses it, in words. */
	GPtrArray *(*users)(const struct export *export);
	/* Before the LUN's link is removed: the local device, sessions. */
	bool (*quiesce)(const struct export *export, GError **error);
	/* After the LUN's directory is gone, for targets of ours: the portal group's directory and above. */
	bool (*remove_group)(const char *group, GError **error);
};
extern const struct fabric fabric_loop, fabric_iscsi;

typedef struct export
{
	const struct fabric *fabric; /* NULL: one that this program knows nothing about */
	char *fabric_name;
	char *wwn;
	char *tpg;	/* directory names */
	char *lun_name; /* "lun_0" */
	char *link;	/* file name of the link */
	uint64_t lun;
	bool ours;	   /* made by `scuse attach` */
	GPtrArray *places; /* local nodes, or URLs: where it can be reached; strings */
	bool has_address;
	struct scsi_address address; /* loop: on this host */
}
export;

void export_free(export *which);
/*
 * All exports, found by one walk, for exports_among(), which returns an array of those of one LUN (export *).
 * Who asks about one LUN alone has exports_of().
 */
GHashTable *exports_all(void);
GPtrArray *exports_among(GHashTable *all, const char *device_path, uint32_t device_type);
GPtrArray *exports_of(const char *device_path, uint32_t device_type);
char *export_path(const export *which, const char *rest); /* below its TPG's directory */
char *
export_describe(const export *which); /* "/dev/sda", "iscsi://...", or the path of its LUN in configfs */
GPtrArray *export_users(const export *which);
/* May it be taken away?  Refuses, with the reason, while somebody uses it; `force` lets sessions of iSCSI be
 * ended. */
bool export_check_unused(const export *which, const char *lun, bool force, GError **error);
bool export_remove(const export *which, GError **error);
void export_json(ScuseJson *json, const export *which);

/* ---- attaching (fabric_loop.c, fabric_iscsi.c) ------------------------------------------------------ */

/* All return what to print: a node or a URL, newly allocated; NULL on error, with nothing left behind. */
char *loop_attach(const char *device_path, const char *serial, uint32_t device_type, bool want_generic,
		  bool another, GError **error);
struct portal;
char *iscsi_attach(const char *device_path, const char *iqn, const struct portal *portal, GError **error);

#endif /* SCUSE_CLI_EXPORT_H */
