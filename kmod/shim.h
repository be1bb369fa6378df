/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Lets the files with pure logic (tag.h, ring.h, cqe.h, sense.h, modepage.c...) compile outside of the
 * kernel: the unit tests supply kmod_shim.h, which has the few kernel names that they need (u8..u64,
 * atomic64, READ_ONCE).
 */
#ifndef SCUSE_SHIM_H
#define SCUSE_SHIM_H

#ifdef __KERNEL__
#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include "kmod_shim.h"
#endif

#endif /* SCUSE_SHIM_H */
