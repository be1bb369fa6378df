// SPDX-License-Identifier: GPL-2.0-only
/*
 * The regions of a queue as userspace maps them (scuse/abi.h, REGIONS).  Called by session.c and
 * queue.c.
 *
 * KERNEL and USER are vmalloc memory and mapped at once.  CDB, SENSE and DATA get their pages in the
 * fault handler, or when the kernel first needs them.  A mapping belongs to a file, so it ends before
 * the session does: pages can be given back then without looking for mappings.
 *
 * While the file is open, mappings can be taken away from under the process (zap).  It gets what it
 * touches afterwards from the fault handler again, or SIGBUS if its session has been revoked.
 *
 * Locking: scuse_device.map_lock keeps the file's address space while it is looked through.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>
#include "scuse.h"

/* Bytes, a multiple of the page size.  Needs depth and slot_pages only. */
u64 scuse_region_size(const struct scuse_queue *queue, enum scuse_region region)
{
	switch (region) {
	case SCUSE_REGION_KERNEL:
		return PAGE_ALIGN(SCUSE_SQE_OFFSET + queue->sq_entries * sizeof(struct scuse_sqe));
	case SCUSE_REGION_USER:
		return PAGE_ALIGN(SCUSE_CQE_OFFSET + queue->cq_entries * sizeof(struct scuse_cqe));
	case SCUSE_REGION_CDB:
		return PAGE_ALIGN(queue->depth * SCUSE_CDB_STRIDE);
	case SCUSE_REGION_SENSE:
		return PAGE_ALIGN(queue->depth * SCUSE_SENSE_STRIDE);
	case SCUSE_REGION_DATA:
		return (u64)queue->depth * queue->slot_pages << PAGE_SHIFT;
	default:
		return 0;
	}
}

static u64 scuse_vma_offset(const struct vm_area_struct *vma)
{
	return (u64)vma->vm_pgoff << PAGE_SHIFT;
}

/* The page at byte @within of a region, with a reference. */
static vm_fault_t scuse_region_page(struct scuse_queue *queue, enum scuse_region region, u64 within,
				    struct page **page)
{
	switch (region) {
	case SCUSE_REGION_KERNEL:
		*page = vmalloc_to_page((void *)queue->kernel + within);
		break;
	case SCUSE_REGION_USER:
		*page = vmalloc_to_page((void *)queue->user + within);
		break;
	default:
		return scuse_area_fault(queue, region, within >> PAGE_SHIFT, page);
	}
	get_page(*page);
	return 0;
}

static vm_fault_t scuse_region_fault(struct vm_fault *vmf)
{
	struct scuse_session *sess = vmf->vma->vm_file->private_data;
	struct scuse_queue *queue = vmf->vma->vm_private_data;
	u64 offset = (u64)vmf->pgoff << PAGE_SHIFT;
	enum scuse_region region = SCUSE_MMAP_REGION(offset);
	u64 within = SCUSE_MMAP_WITHIN(offset);

	if (atomic_read(&sess->state) == SCUSE_SESSION_BROKEN)
		return VM_FAULT_SIGBUS;
	/* The mapping was checked, and cannot grow; this is the second line. */
	if (SCUSE_MMAP_QUEUE(offset) != queue->index || within >= scuse_region_size(queue, region))
		return VM_FAULT_SIGBUS;
	return scuse_region_page(queue, region, within, &vmf->page);
}

static const struct vm_operations_struct scuse_region_vm_ops = {
	.fault = scuse_region_fault,
};

int scuse_region_mmap(struct scuse_device *dev, struct vm_area_struct *vma)
{
	u64 offset = scuse_vma_offset(vma);
	u32 region = SCUSE_MMAP_REGION(offset);
	u64 within = SCUSE_MMAP_WITHIN(offset);
	u64 length = vma->vm_end - vma->vm_start;
	struct scuse_queue *queue;

	if (region >= SCUSE_REGIONS || SCUSE_MMAP_QUEUE(offset) >= dev->nr_queues || offset >> 60)
		return -EINVAL;
	queue = &dev->queues[SCUSE_MMAP_QUEUE(offset)];
	if (within > scuse_region_size(queue, region) || length > scuse_region_size(queue, region) - within)
		return -EINVAL;
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	if (region == SCUSE_REGION_KERNEL || region == SCUSE_REGION_CDB) {
		if (vma->vm_flags & VM_WRITE)
			return -EPERM;
		scuse_vm_flags_clear(vma, VM_MAYWRITE);
	}
	scuse_vm_flags_set(vma, VM_DONTCOPY | VM_DONTEXPAND | VM_DONTDUMP);
	vma->vm_private_data = queue;
	vma->vm_ops = &scuse_region_vm_ops;

	switch (region) {
	case SCUSE_REGION_KERNEL:
		return remap_vmalloc_range(vma, queue->kernel, within >> PAGE_SHIFT);
	case SCUSE_REGION_USER:
		return remap_vmalloc_range(vma, queue->user, within >> PAGE_SHIFT);
	default:
		return 0;
	}
}

/* The file of a session is open from here on. */
void scuse_region_opened(struct scuse_device *dev, struct address_space *mapping)
{
	mutex_lock(&dev->map_lock);
	dev->mapping = mapping;
	mutex_unlock(&dev->map_lock);
}

/* It is being closed, and with it the last of its mappings has gone. */
void scuse_region_closed(struct scuse_device *dev)
{
	scuse_region_opened(dev, NULL);
}

static void scuse_region_unmap(struct scuse_device *dev, u64 offset, u64 length)
{
	if (dev->mapping)
		unmap_mapping_range(dev->mapping, (loff_t)offset, (loff_t)length, 1);
}

/*
 * scuse_region_zap - take a part of a region out of the page tables of whoever has it mapped
 * @first: page of the region, @count: pages, at least one
 *
 * Process context, may sleep, allocates nothing.  A fault that was under way may map one of the pages again
 * afterwards; whoever gives pages back looks at their reference counts.
 */
void scuse_region_zap(struct scuse_device *dev, enum scuse_region region, u32 queue, u64 first, u64 count)
{
	mutex_lock(&dev->map_lock);
	scuse_region_unmap(dev, SCUSE_MMAP_OFFSET(region, queue) + (first << PAGE_SHIFT),
			   count << PAGE_SHIFT);
	mutex_unlock(&dev->map_lock);
}

/* Likewise, but false if that would have to wait for somebody else who does it. */
bool scuse_region_try_zap(struct scuse_device *dev, enum scuse_region region, u32 queue, u64 first, u64 count)
{
	if (!mutex_trylock(&dev->map_lock))
		return false;
	scuse_region_unmap(dev, SCUSE_MMAP_OFFSET(region, queue) + (first << PAGE_SHIFT),
			   count << PAGE_SHIFT);
	mutex_unlock(&dev->map_lock);
	return true;
}

/* All regions of all queues. */
void scuse_region_zap_all(struct scuse_device *dev)
{
	mutex_lock(&dev->map_lock);
	scuse_region_unmap(dev, 0, 0);
	mutex_unlock(&dev->map_lock);
}
