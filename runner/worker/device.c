// SPDX-License-Identifier: LGPL-2.1-or-later
/* The real road to the kernel: ioctl and mmap on the descriptor of a session.  See device.h.  No state. */
#include "device.h"

#include <errno.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static int session(void *device)
{
	return *(int *)device;
}

static int device_info(void *device, struct scuse_info *info)
{
	return ioctl(session(device), SCUSE_IOC_INFO, info) < 0 ? -errno : 0;
}

static int device_map(void *device, uint32_t queue, enum scuse_region region, uint64_t size, void **address)
{
	int writable = region == SCUSE_REGION_KERNEL || region == SCUSE_REGION_CDB ? 0 : PROT_WRITE;

	*address = mmap(NULL, size, PROT_READ | writable, MAP_SHARED, session(device),
			(off_t)SCUSE_MMAP_OFFSET(region, queue));
	return *address == MAP_FAILED ? -errno : 0;
}

static void device_unmap(void *device, void *address, uint64_t size)
{
	(void)device;
	munmap(address, size);
}

static int device_queue(void *device, uint32_t queue)
{
	int fd = ioctl(session(device), SCUSE_IOC_QUEUE, (unsigned long)queue);

	return fd < 0 ? -errno : fd;
}

static int device_start(void *device, const struct scuse_start *start)
{
	return ioctl(session(device), SCUSE_IOC_START, start) < 0 ? -errno : 0;
}

static int device_update(void *device, const struct scuse_start *start)
{
	return ioctl(session(device), SCUSE_IOC_UPDATE, start) < 0 ? -errno : 0;
}

static int device_notify(void *device, const struct scuse_notify *notify)
{
	return ioctl(session(device), SCUSE_IOC_NOTIFY, notify) < 0 ? -errno : 0;
}

static int device_enter(void *device, int queue_fd, const struct scuse_enter *enter)
{
	int result = ioctl(queue_fd, SCUSE_IOC_ENTER, enter);

	(void)device;
	return result < 0 ? -errno : result;
}

const struct worker_device_ops worker_device_kernel = {
	.info = device_info,
	.map = device_map,
	.unmap = device_unmap,
	.queue = device_queue,
	.start = device_start,
	.update = device_update,
	.notify = device_notify,
	.enter = device_enter,
};
