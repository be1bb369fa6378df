/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse: the walk through configfs, and what the host is seen to do with a LUN, on directory trees made by
 * the tests in place of /sys and /proc.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "aptpl.h"
#include "cli.h"
#include "configfs.h"
#include "export.h"
#include "remove.h"
#include "sysfs.h"

static char *root, *target, *sys, *proc;

static void directory(const char *base, const char *path)
{
	g_autofree char *full = g_build_filename(base, path, NULL);

	cr_assert_eq(g_mkdir_with_parents(full, 0755), 0);
}

static void file(const char *base, const char *path, const char *text)
{
	g_autofree char *full = g_build_filename(base, path, NULL), *parent = g_path_get_dirname(full);

	g_mkdir_with_parents(parent, 0755);
	cr_assert(g_file_set_contents(full, text, -1, NULL));
}

static void linked(const char *lun, const char *name, const char *device)
{
	g_autofree char *from = g_build_filename(target, lun, name, NULL),
			*to = g_build_filename(target, device, NULL);
	g_autofree char *parent = g_path_get_dirname(from);

	g_mkdir_with_parents(parent, 0755);
	cr_assert_eq(symlink(to, from), 0);
}

static void set_up(void)
{
	root = g_dir_make_tmp("scuse-test-XXXXXX", NULL);
	target = g_build_filename(root, "target", NULL);
	sys = g_build_filename(root, "sys", NULL);
	proc = g_build_filename(root, "proc", NULL);
	configfs_set_root(target);
	sysfs_set_roots(sys, proc);
	directory(target, "core/scuse_0/a");
	directory(target, "core/scuse_0/b%2Fc");
	directory(target, "core/scuse_7/other");
	directory(target, "core/fileio_0/a2");
	file(proc, "swaps", "Filename Type Size Used Priority\n");
	file(proc, "self/mountinfo", "1 0 0:1 / / rw - tmpfs tmpfs rw\n");
}

static void tear_down(void)
{
	char *argv[] = { (char *)"rm", (char *)"-rf", root, NULL };

	g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL);
}

TestSuite(configfs, .init = set_up, .fini = tear_down);
TestSuite(exports, .init = set_up, .fini = tear_down);
TestSuite(usage, .init = set_up, .fini = tear_down);

Test(configfs, devices_are_found)
{
	g_autofree char *a = configfs_find_device("a"), *c = configfs_find_device("b%2Fc"),
			*other = configfs_find_device("other");

	cr_assert(g_str_has_suffix(a, "/core/scuse_0/a"));
	cr_assert(g_str_has_suffix(c, "/core/scuse_0/b%2Fc"));
	cr_assert(g_str_has_suffix(other, "/core/scuse_7/other"));
	cr_assert_null(configfs_find_device("a2"));
	cr_assert_null(configfs_find_device("nope"));
}

Test(configfs, made_and_removed)
{
	g_autofree char *path = configfs_path("core", "scuse_3", "x", NULL),
			*hba = configfs_path("core", "scuse_3", NULL);
	g_autoptr(GError) error = NULL;
	bool made = true;

	cr_assert_not(configfs_make(path, &made, &error));
	cr_assert_eq(error->code, ENOENT);
	cr_assert(configfs_make(hba, &made, NULL) && made);
	cr_assert(configfs_make(hba, &made, NULL) && !made);
	cr_assert(configfs_make(path, NULL, NULL));
	cr_assert(configfs_remove_device(path, NULL));
	cr_assert_not(configfs_is_directory(hba), "the last LUN takes its HBA along");
	cr_assert(configfs_remove_device(path, NULL), "what is gone is no error");
}

Test(configfs, written)
{
	g_autofree char *path = configfs_path("value", NULL), *nowhere = configfs_path("no", "where", NULL);
	g_autofree char *text = NULL;
	g_autoptr(GError) error = NULL;

	file(target, "value", "");
	cr_assert(configfs_write(path, "one", NULL));
	cr_assert(configfs_write_limited(path, "two", 5, NULL));
	text = configfs_read(path);
	cr_assert_str_eq(text, "two");
	cr_assert_not(configfs_write_limited(nowhere, "x", 5, &error));
	cr_assert_eq(error->code, ENOENT);
	cr_assert_null(configfs_read(nowhere));
}

Test(exports, none)
{
	g_autofree char *path = configfs_find_device("a");
	g_autoptr(GPtrArray) exports = exports_of(path, 0);

	cr_assert_eq(exports->len, 0);
}

static void make_disk(void)
{
	linked("loopback/naa.3abc/tpgt_1/lun/lun_0", EXPORT_LINK, "core/scuse_0/a");
	file(target, "loopback/naa.3abc/tpgt_1/address", "4:0:1\n");
	directory(sys, "class/scsi_device/4:0:1:0/device/block/sdb");
	file(sys, "class/scsi_device/4:0:1:0/device/scsi_generic/sg2/dev", "21:2\n");
	file(sys, "class/block/sdb/dev", "8:16\n");
	file(sys, "class/block/sdb/sdb1/dev", "8:17\n");
	file(sys, "class/block/sdb/sdb1/partition", "1\n");
	directory(sys, "class/block/sdb/queue");
}

Test(exports, of_all_fabrics)
{
	g_autofree char *path = configfs_find_device("a"), *iscsi = NULL, *loop = NULL, *strange = NULL;
	g_autoptr(GPtrArray) exports = NULL;

	make_disk();
	linked("iscsi/iqn.x:y/tpgt_1/lun/lun_5", "0badcafe", "core/scuse_0/a");
	linked("iscsi/iqn.x:y/tpgt_1/lun/lun_6", "0badcaff", "core/fileio_0/a2");
	directory(target, "iscsi/iqn.x:y/tpgt_1/np/127.0.0.1:3260");
	directory(target, "iscsi/iqn.x:y/tpgt_1/np/[::1]:3260");
	directory(target, "iscsi/discovery_auth");
	linked("qla2xxx/21:00/tpgt_1/lun/lun_0", "x", "core/scuse_0/a");
	exports = exports_of(path, 0);
	cr_assert_eq(exports->len, 3);
	iscsi = export_describe(exports->pdata[0]);
	loop = export_describe(exports->pdata[1]);
	strange = export_describe(exports->pdata[2]);
	cr_assert_str_eq(iscsi, "iscsi://127.0.0.1:3260/iqn.x:y/5, iscsi://[::1]:3260/iqn.x:y/5");
	cr_assert_str_eq(loop, "/dev/sdb");
	cr_assert_str_eq(strange, "qla2xxx/21:00/tpgt_1/lun_0");
	cr_assert_not(((export *)exports->pdata[0])->ours);
	cr_assert(((export *)exports->pdata[1])->ours);
	cr_assert_null(((export *)exports->pdata[2])->fabric);
}

Test(exports, nodes_by_kind)
{
	struct scsi_address tape = { 5, 0, 1, 0 }, changer = { 6, 0, 1, 0 };
	g_autofree char *st = NULL, *sch = NULL, *sg = NULL;

	directory(sys, "class/scsi_device/5:0:1:0/device/scsi_tape/nst0");
	directory(sys, "class/scsi_device/5:0:1:0/device/scsi_tape/st0");
	directory(sys, "class/scsi_device/5:0:1:0/device/scsi_tape/st0a");
	directory(sys, "class/scsi_device/6:0:1:0/device/scsi_changer/sch0");
	directory(sys, "class/scsi_device/6:0:1:0/device/scsi_generic/sg9");
	st = sysfs_best_node(&tape, 1);
	sch = sysfs_best_node(&changer, 8);
	sg = sysfs_best_node(&changer, 3);
	cr_assert_str_eq(st, "/dev/st0");
	cr_assert_str_eq(sch, "/dev/sch0");
	cr_assert_str_eq(sg, "/dev/sg9");
}

Test(exports, rm_refuses)
{
	g_autoptr(GError) error = NULL, missing = NULL;

	make_disk();
	cr_assert_not(remove_lun("a", false, &error));
	cr_assert_eq(error->code, EBUSY);
	cr_assert(strstr(error->message, "exported as /dev/sdb") != NULL, "%s", error->message);
	cr_assert_not(remove_lun("nope", false, &missing));
	cr_assert_eq(missing->code, ENODEV);
	cr_assert(remove_lun("b/c", false, NULL));
}

Test(exports, rm_refuses_mounted_ones_even_by_force)
{
	g_autoptr(GError) error = NULL;

	make_disk();
	file(proc, "self/mountinfo", "36 35 8:17 / /mnt/with\\040space rw - ext4 /dev/sdb1 rw\n");
	cr_assert_not(remove_lun("a", true, &error));
	cr_assert_eq(error->code, EBUSY);
	cr_assert(strstr(error->message, "mounted on /mnt/with space") != NULL, "%s", error->message);
}

static bool has(GPtrArray *users, const char *text)
{
	for (guint i = 0; i < users->len; i++)
		if (!strcmp(users->pdata[i], text))
			return true;
	return false;
}

Test(usage, mounts_swaps_holders)
{
	struct scsi_address address = { 4, 0, 1, 0 };
	g_autofree char *holder = g_build_filename(sys, "class/block/sdb/holders/dm-3", NULL);
	g_autoptr(GPtrArray) users = NULL;

	make_disk();
	directory(sys, "class/block/sdb/holders");
	cr_assert_eq(symlink("/nowhere", holder), 0);
	file(proc, "swaps", "Filename Type\n/dev/sdb1 partition 100 0 -2\n/dev/sdb10 partition 1 0 -3\n");
	file(proc, "self/mountinfo",
	     "36 35 8:16 / /mnt rw - ext4 /dev/sdb rw\n37 35 8:160 / /other rw - ext4 x rw\n");
	users = sysfs_users(&address);
	cr_assert_eq(users->len, 3);
	cr_assert(has(users, "mounted on /mnt"));
	cr_assert(has(users, "used as swap (/dev/sdb1)"));
	cr_assert(has(users, "held by dm-3"));
}

Test(usage, open_descriptors)
{
	struct scsi_address address = { 4, 0, 1, 0 };
	g_autofree char *fd = g_build_filename(proc, "77/fd/3", NULL);
	g_autoptr(GPtrArray) users = NULL;

	/* /dev/null stands for the sg node. */
	directory(sys, "class/scsi_device/4:0:1:0/device");
	file(sys, "class/scsi_device/4:0:1:0/device/scsi_generic/sg2/dev", "1:3\n");
	file(proc, "77/comm", "fio\n");
	directory(proc, "77/fd");
	cr_assert_eq(symlink("/dev/null", fd), 0);
	users = sysfs_users(&address);
	cr_assert_eq(users->len, 1);
	cr_assert_str_eq(users->pdata[0], "open in fio (pid 77)");
}

static const char kept[] =
	"PR_REG_START: 0\ninitiator_fabric=iSCSI\nsa_res_key=11\nres_holder=1\nPR_REG_END: 0\n"
	"PR_REG_START: 1\ninitiator_fabric=loopback\nsa_res_key=22\nres_holder=0\nPR_REG_END: 1\n";

Test(aptpl, takes_the_file_apart)
{
	g_autoptr(GPtrArray) found = aptpl_registrations(kept);

	cr_assert_eq(found->len, 2);
	cr_assert_str_eq(found->pdata[0], "initiator_fabric=iSCSI\nsa_res_key=11\nres_holder=1\n");
	cr_assert_str_eq(found->pdata[1], "initiator_fabric=loopback\nsa_res_key=22\nres_holder=0\n");
}

Test(aptpl, a_damaged_file_yields_what_is_whole)
{
	g_autoptr(GPtrArray) cut =
		aptpl_registrations("PR_REG_START: 0\nsa_res_key=1\nPR_REG_END: 0\nPR_REG_START: 1\nsa");
	g_autoptr(GPtrArray) none = aptpl_registrations("PR_REG_END: 0\n");
	g_autoptr(GPtrArray) empty = aptpl_registrations("PR_REG_START: 0 PR_REG_END: 0");

	cr_assert_eq(cut->len, 1);
	cr_assert_eq(none->len, 0);
	cr_assert_eq(empty->len, 0);
}

Test(aptpl, hands_back_what_was_kept)
{
	g_autofree char *base = g_dir_make_tmp("scuse-aptpl-XXXXXX", NULL);
	g_autofree char *lun = g_build_filename(base, "core/scuse_0/a", NULL);
	g_autofree char *metadata = g_build_filename(lun, "pr/res_aptpl_metadata", NULL), *written = NULL;
	g_autoptr(GError) error = NULL;

	configfs_set_root(base);
	file(base, "dbroot", base);
	file(base, "pr/aptpl_serial-1", kept);
	file(base, "core/scuse_0/a/pr/res_aptpl_metadata", "");
	cr_assert(aptpl_restore(lun, "serial-2", &error), "no file: nothing to do");
	cr_assert(g_file_get_contents(metadata, &written, NULL, NULL));
	cr_assert_str_eq(written, "");
	g_clear_pointer(&written, g_free);
	cr_assert(aptpl_restore(lun, "serial-1", &error));
	/* An ordinary file keeps the last write only. */
	cr_assert(g_file_get_contents(metadata, &written, NULL, NULL));
	cr_assert(strstr(written, "sa_res_key=22"), "seen: %s", written);
	cr_assert_eq(remove(metadata), 0);
	cr_assert_not(aptpl_restore(lun, "serial-1", &error), "what cannot be handed back is an error");
	cr_assert(strstr(error->message, "aptpl_serial-1"), "it says which file: %s", error->message);
}
