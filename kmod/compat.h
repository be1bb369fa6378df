/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place that knows kernel versions.  Written against 6.1, 6.12 and 7.x; each entry says since
 * when the newer form holds.
 */
#ifndef SCUSE_COMPAT_H
#define SCUSE_COMPAT_H

#include <linux/device.h>
#include <linux/mm.h>
#include <linux/shrinker.h>
#include <linux/version.h>
#include <net/genetlink.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_backend.h>

/* 6.12: moved. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/unaligned.h>
#else
#include <asm/unaligned.h>
#endif

/* 6.4: class_create() lost its module argument. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#define scuse_class_create(name) class_create(name)
#else
#define scuse_class_create(name) class_create(THIS_MODULE, name)
#endif

/* 6.3: vm_flags became read-only but for helpers. */
static inline void scuse_vm_flags_set(struct vm_area_struct *vma, unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_set(vma, flags);
#else
	vma->vm_flags |= flags;
#endif
}

static inline void scuse_vm_flags_clear(struct vm_area_struct *vma, unsigned long flags)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	vm_flags_clear(vma, flags);
#else
	vma->vm_flags &= ~flags;
#endif
}

/* 6.7: a dump's attributes moved into struct genl_info. */
static inline struct nlattr **scuse_dump_attrs(struct netlink_callback *cb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	return genl_dumpit_info(cb)->info.attrs;
#else
	return genl_dumpit_info(cb)->attrs;
#endif
}

/* 6.5: the relative target port identifier moved from the LUN to the target portal group. */
static inline u16 scuse_lun_rtpi(struct se_lun *lun)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
	return lun->lun_tpg->tpg_rtpi;
#else
	return lun->lun_rtpi;
#endif
}

/*
 * 6.7: shrinkers are allocated.  One for the module, without state of its own; NULL: there is no memory.
 */
typedef unsigned long (*scuse_shrinker_fn)(struct shrinker *shrinker, struct shrink_control *control);

static inline struct shrinker *scuse_shrinker_register(const char *name, scuse_shrinker_fn count,
						       scuse_shrinker_fn scan)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	struct shrinker *shrinker = shrinker_alloc(0, "%s", name);

	if (!shrinker)
		return NULL;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker_register(shrinker);
	return shrinker;
#else
	static struct shrinker shrinker = { .seeks = DEFAULT_SEEKS };

	shrinker.count_objects = count;
	shrinker.scan_objects = scan;
	return register_shrinker(&shrinker, "%s", name) ? NULL : &shrinker;
#endif
}

static inline void scuse_shrinker_unregister(struct shrinker *shrinker)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 7, 0)
	shrinker_free(shrinker);
#else
	unregister_shrinker(shrinker);
#endif
}

#endif /* SCUSE_COMPAT_H */
