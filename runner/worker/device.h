/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The road to the kernel, as a table of functions, so that the tests can play the kernel in userspace
 * (tests/unit/simulator.c) and everything above runs unchanged.  device.c is the real one, over /dev/scuseN.
 *
 * All functions return 0 (or what is said) or a negative errno; the meanings are those of scuse/abi.h.
 */
#ifndef WORKER_DEVICE_H
#define WORKER_DEVICE_H

#include <stdint.h>

#include <scuse/abi.h>

struct worker_device_ops {
	int (*info)(void *device, struct scuse_info *info);
	/* Maps a region of a queue, with the protection that its table entry allows. */
	int (*map)(void *device, uint32_t queue, enum scuse_region region, uint64_t size, void **address);
	void (*unmap)(void *device, void *address, uint64_t size);
	/* A descriptor for enter and poll(); the caller closes it. */
	int (*queue)(void *device, uint32_t queue);
	int (*start)(void *device, const struct scuse_start *start);
	int (*update)(void *device, const struct scuse_start *start);
	int (*notify)(void *device, const struct scuse_notify *notify);
	/* 1: there are submissions, 0: none, or -errno. */
	int (*enter)(void *device, int queue_fd, const struct scuse_enter *enter);
};

/* `device` is then a pointer to the session's descriptor, an int. */
extern const struct worker_device_ops worker_device_kernel;

#endif /* WORKER_DEVICE_H */
