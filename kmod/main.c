// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module: start and end, the table of enabled devices, and the character device region.
 *
 * Order of start: things that others use come first, the backend registration (from where configfs can
 * reach us) last; the end goes the other way.  LIO holds a reference to the module for each HBA
 * directory, an open session or queue holds one through its file, netlink through the family.
 */
#include <linux/cdev.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/xarray.h>
#include "opcode.h"
#include "scuse.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

struct workqueue_struct *scuse_workqueue;
struct class *scuse_class;
dev_t scuse_devt;

static struct cdev scuse_cdev;

static DEFINE_MUTEX(scuse_devices_lock);
static DEFINE_XARRAY_ALLOC(scuse_devices); /* enabled devices by id; scuse_devices_lock */
static u32 scuse_next_id;		   /* scuse_devices_lock */

/*
 * Gives @dev an id and makes it visible to open and netlink.  Ids go round, so that one is not reused
 * at once.
 */
int scuse_devices_add(struct scuse_device *dev)
{
	int ret;

	mutex_lock(&scuse_devices_lock);
	ret = xa_alloc_cyclic(&scuse_devices, &dev->id, dev, XA_LIMIT(0, SCUSE_MAX_DEVICES - 1),
			      &scuse_next_id, GFP_KERNEL);
	mutex_unlock(&scuse_devices_lock);
	return ret < 0 ? ret : 0;
}

void scuse_devices_remove(struct scuse_device *dev)
{
	mutex_lock(&scuse_devices_lock);
	xa_erase(&scuse_devices, dev->id);
	mutex_unlock(&scuse_devices_lock);
}

/*
 * The look-ups return a reference, or NULL.  An enabled device always has LIO's reference, and leaves
 * the table before that is dropped, so kref_get() under the lock is safe.
 */
struct scuse_device *scuse_devices_get(u32 id)
{
	struct scuse_device *dev;

	mutex_lock(&scuse_devices_lock);
	dev = xa_load(&scuse_devices, id);
	if (dev)
		kref_get(&dev->kref);
	mutex_unlock(&scuse_devices_lock);
	return dev;
}

/* The first device whose id is at least *@id, which is then set to its id. */
struct scuse_device *scuse_devices_next(unsigned long *id)
{
	struct scuse_device *dev;

	mutex_lock(&scuse_devices_lock);
	dev = xa_find(&scuse_devices, id, ULONG_MAX, XA_PRESENT);
	if (dev)
		kref_get(&dev->kref);
	mutex_unlock(&scuse_devices_lock);
	return dev;
}

struct scuse_device *scuse_devices_find(const char *name, const u32 *hba)
{
	struct scuse_device *dev;
	unsigned long id;

	mutex_lock(&scuse_devices_lock);
	xa_for_each(&scuse_devices, id, dev) {
		if (!strcmp(dev->name, name) && (!hba || dev->hba == *hba)) {
			kref_get(&dev->kref);
			break;
		}
	}
	mutex_unlock(&scuse_devices_lock);
	return dev;
}

static int scuse_chrdev_init(void)
{
	int ret;

	ret = alloc_chrdev_region(&scuse_devt, 0, SCUSE_MAX_DEVICES, "scuse");
	if (ret)
		return ret;
	cdev_init(&scuse_cdev, &scuse_session_fops);
	scuse_cdev.owner = THIS_MODULE;
	ret = cdev_add(&scuse_cdev, scuse_devt, SCUSE_MAX_DEVICES);
	if (ret)
		goto err_region;
	scuse_class = scuse_class_create("scuse");
	if (IS_ERR(scuse_class)) {
		ret = PTR_ERR(scuse_class);
		goto err_cdev;
	}
	return 0;

err_cdev:
	cdev_del(&scuse_cdev);
err_region:
	unregister_chrdev_region(scuse_devt, SCUSE_MAX_DEVICES);
	return ret;
}

static void scuse_chrdev_exit(void)
{
	class_destroy(scuse_class);
	cdev_del(&scuse_cdev);
	unregister_chrdev_region(scuse_devt, SCUSE_MAX_DEVICES);
}

static int __init scuse_init(void)
{
	int ret;

	scuse_opcode_init();
	scuse_raw_init();
	/*
	 * Ends of sessions and frees of devices; unordered, so that one device never waits for another.
	 */
	scuse_workqueue = alloc_workqueue("scuse", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!scuse_workqueue)
		return -ENOMEM;
	ret = scuse_trim_init();
	if (ret)
		goto err_workqueue;
	ret = scuse_chrdev_init();
	if (ret)
		goto err_trim;
	ret = scuse_owner_init();
	if (ret)
		goto err_chrdev;
	ret = scuse_netlink_init();
	if (ret)
		goto err_owner;
	ret = scuse_configfs_init();
	if (ret)
		goto err_netlink;
	ret = transport_backend_register(&scuse_backend_ops);
	if (ret)
		goto err_configfs;
	pr_info("version %s, ABI %u.%u\n", SCUSE_VERSION, SCUSE_ABI_MAJOR, SCUSE_ABI_MINOR);
	return 0;

err_configfs:
	scuse_configfs_exit();
err_netlink:
	scuse_netlink_exit();
err_owner:
	scuse_owner_exit();
err_chrdev:
	scuse_chrdev_exit();
err_trim:
	scuse_trim_exit();
err_workqueue:
	destroy_workqueue(scuse_workqueue);
	return ret;
}

static void __exit scuse_exit(void)
{
	/* Waits for the RCU callbacks of devices that were freed. */
	target_backend_unregister(&scuse_backend_ops);
	scuse_configfs_exit();
	scuse_netlink_exit();
	scuse_owner_exit();
	scuse_chrdev_exit();
	scuse_trim_exit();
	destroy_workqueue(scuse_workqueue);
}

module_init(scuse_init);
module_exit(scuse_exit);

MODULE_DESCRIPTION("SCSI devices in userspace: a backstore of the LIO target");
MODULE_LICENSE("GPL");
MODULE_VERSION(SCUSE_VERSION);
MODULE_ALIAS("target_core_scuse");
