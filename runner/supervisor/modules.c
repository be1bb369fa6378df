// SPDX-License-Identifier: LGPL-2.1-or-later
/* Loads the kernel modules that scuse needs, with libkmod, as modprobe would.  No state. */
#include "modules.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>

#include <glib.h>
#include <libkmod.h>

static int load_one(struct kmod_ctx *context, const char *name)
{
	struct kmod_list *list = NULL, *item;
	int result = kmod_module_new_from_lookup(context, name, &list);

	if (!result && !list)
		result = -ENOENT;
	kmod_list_foreach(item, list)
	{
		struct kmod_module *module = kmod_module_get_module(item);

		if (!result)
			result = kmod_module_probe_insert_module(
				module, KMOD_PROBE_APPLY_BLACKLIST_ALIAS_ONLY, NULL, NULL, NULL, NULL);
		kmod_module_unref(module);
	}
	kmod_module_unref_list(list);
	return result;
}

static char *describe(const char *name, int error)
{
	struct utsname kernel;

	uname(&kernel);
	if (error == ENOENT && strcmp(name, "scuse") == 0)
		return g_strdup_printf("the kernel module scuse is not installed for kernel %s: install "
				       "scuse-dkms (or build the "
				       "module: cmake --build build --target kmod), then run depmod -a",
				       kernel.release);
	if (error == ENOENT)
		return g_strdup_printf(
			"kernel %s has no module %s, which scuse needs: install the kernel package that has "
			"all modules",
			kernel.release, name);
	if (error == EPERM || error == EACCES)
		return g_strdup_printf(
			"the kernel module %s is not loaded, and loading it takes root: modprobe %s", name,
			name);
	if (error == ENOKEY || error == EKEYREJECTED)
		return g_strdup_printf("the kernel refuses the module %s because of its signature (Secure "
				       "Boot): sign it with a "
				       "key that the machine trusts",
				       name);
	return g_strdup_printf("the kernel module %s cannot be loaded: %s (dmesg says more)", name,
			       g_strerror(error));
}

bool modules_load(char **error)
{
	static const char *const names[] = { "configfs", "target_core_mod", "scuse" };
	struct kmod_ctx *context = kmod_new(NULL, NULL);
	int result = context ? 0 : -ENOMEM;

	for (size_t i = 0; i < G_N_ELEMENTS(names) && !result; i++) {
		result = load_one(context, names[i]);
		if (result < 0)
			*error = describe(names[i], -result);
	}
	kmod_unref(context);
	return !result;
}
