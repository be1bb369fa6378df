/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Loading kernel modules through libkmod; see modules.h.  Called by create, attach and run.
 */
#include "modules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <linux/magic.h>
#include <libkmod.h>
#include <scuse/version.h>
#include "cli.h"
#include "configfs.h"

#define CONFIGFS_DIR "/sys/kernel/config"
#ifndef CONFIGFS_MAGIC
#define CONFIGFS_MAGIC 0x62656570
#endif

static bool is_loaded(const char *name)
{
	g_autofree char *path = g_strdup_printf("/sys/module/%s", name);

	return configfs_is_directory(path);
}

/* 0 or -errno. */
static int insert(const char *name)
{
	struct kmod_ctx *context = kmod_new(NULL, NULL);
	struct kmod_module *module = NULL;
	int r;

	if (!context)
		return -ENOMEM;
	r = kmod_module_new_from_name(context, name, &module);
	if (!r && !kmod_module_get_path(module) && kmod_module_get_initstate(module) != KMOD_MODULE_BUILTIN)
		r = -ENOENT;
	if (!r)
		r = kmod_module_probe_insert_module(module, 0, NULL, NULL, NULL, NULL);
	kmod_module_unref(module);
	kmod_unref(context);
	/* Another process was faster, or it came with a dependency. */
	return r == -EEXIST ? 0 : r;
}

static bool not_installed(const char *name, const char *needed_for, GError **error)
{
	struct utsname host;

	uname(&host);
	if (!strcmp(name, "scuse"))
		return fail(error, ENOENT,
			    "the scuse kernel module is not installed for kernel %s: "
			    "`dkms install scuse/%s` builds it (README.md, \"Installation\")",
			    host.release, SCUSE_VERSION);
	return fail(error, ENOENT,
		    "kernel %s has no module %s, which %s needs: "
		    "install the kernel package that has all modules",
		    host.release, name, needed_for);
}

static bool load_failed(const char *name, const char *needed_for, int code, GError **error)
{
	switch (code) {
	case ENOENT:
		return not_installed(name, needed_for, error);
	case EPERM:
		return fail(error, code,
			    "not permitted to load the kernel module %s, which %s needs: be root on a host "
			    "that lets "
			    "modules be loaded",
			    name, needed_for);
	case EKEYREJECTED:
		return fail(error, code,
			    "the kernel refuses the module %s: it is not signed with a key that Secure Boot "
			    "trusts (README.md, "
			    "\"Installation\")",
			    name);
	case ENOEXEC:
		return fail(error, code,
			    "the kernel module %s was built for another kernel: build it again (dkms "
			    "autoinstall)",
			    name);
	default:
		return fail(
			error, code,
			"cannot load the kernel module %s, which %s needs: %s (the kernel log may say more)",
			name, needed_for, g_strerror(code));
	}
}

bool module_load(const char *name, const char *needed_for, GError **error)
{
	int r = is_loaded(name) ? 0 : insert(name);

	return r ? load_failed(name, needed_for, -r, error) : true;
}

void module_try(const char *name)
{
	if (!is_loaded(name))
		insert(name);
}

static bool mount_configfs(GError **error)
{
	struct statfs status;

	if (configfs_is_directory("/sys/kernel/config/target"))
		return true;
	module_try("configfs"); /* built into most kernels */
	if (statfs(CONFIGFS_DIR, &status) == 0 && status.f_type == CONFIGFS_MAGIC)
		return true;
	if (mount("configfs", CONFIGFS_DIR, "configfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0 ||
	    errno == EBUSY)
		return true;
	return fail(error, errno, "configfs is not mounted on %s and cannot be: %s", CONFIGFS_DIR,
		    g_strerror(errno));
}

/* Where LIO keeps persistent reservations and ALUA states.  Without it these do not survive; LUNs work. */
static void make_database(void)
{
	static const char *const directories[] = { "/var/target", "/var/target/pr", "/var/target/alua" };

	for (size_t i = 0; i < G_N_ELEMENTS(directories); i++)
		mkdir(directories[i], 0755);
}

bool modules_prepare(GError **error)
{
	if (!mount_configfs(error))
		return false;
	if (!is_loaded("target_core_mod"))
		make_database();
	return module_load("target_core_mod", "scuse", error) && module_load("scuse", "scuse", error);
}
