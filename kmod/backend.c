// SPDX-License-Identifier: GPL-2.0-only
/*
 * The backstore that LIO sees: target_backend_ops, enable and removal of a device, and what a worker's
 * START and UPDATE change in it.  Called by target core from configfs (process context) but for
 * free_device, which may come from anywhere that drops a configfs reference.
 *
 *	mkdir		-> alloc_device
 *	control		-> configfs.c
 *	enable		-> configure_device: rings, id, /dev/scuseN, the owner is asked
 *	(START)		-> scuse_device_apply
 *	rmdir		-> destroy_device (if enabled): the node goes, the session is revoked; free_device
 *
 * Locking: scuse_device.lock.  configure_device drops it before it asks the owner, since the worker
 * opens and STARTs meanwhile.
 */
#include <linux/device.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <scsi/scsi_proto.h>
#include "pi.h"
#include "scuse.h"

/* @id is the N of core/scuse_N; core itself numbers HBAs of all backstores together. */
static int scuse_attach_hba(struct se_hba *hba, u32 id)
{
	hba->hba_ptr = (void *)(uintptr_t)id;
	return 0;
}

static void scuse_detach_hba(struct se_hba *hba)
{
	hba->hba_ptr = NULL;
}

static void scuse_device_free_work(struct work_struct *work)
{
	struct scuse_device *dev = container_of(work, struct scuse_device, free_work);

	scuse_queues_destroy(dev);
	kvfree(rcu_dereference_protected(dev->claims, true));
	scuse_nexuses_exit(dev);
	mutex_destroy(&dev->mode.select);
	mutex_destroy(&dev->map_lock);
	mutex_destroy(&dev->lock);
	kfree(dev);
}

static void scuse_device_release(struct kref *kref)
{
	struct scuse_device *dev = container_of(kref, struct scuse_device, kref);

	/* We may be in an RCU callback, and there may be much to free. */
	queue_work(scuse_workqueue, &dev->free_work);
}

/* Any context. */
void scuse_device_put(struct scuse_device *dev)
{
	kref_put(&dev->kref, scuse_device_release);
}

static struct se_device *scuse_alloc_device(struct se_hba *hba, const char *name)
{
	struct scuse_device *dev;

	if (strlen(name) >= SCUSE_NAME_MAX) {
		pr_err("the name '%.40s...' is longer than %u bytes\n", name, SCUSE_NAME_MAX - 1);
		return NULL;
	}
	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return NULL;
	kref_init(&dev->kref);
	INIT_WORK(&dev->free_work, scuse_device_free_work);
	mutex_init(&dev->lock);
	spin_lock_init(&dev->info_lock);
	mutex_init(&dev->map_lock);
	scuse_watch_init(&dev->watch);
	scuse_queues_init(dev);
	scuse_trim_init_device(dev);
	scuse_nexuses_init(dev);
	scuse_relay_init(&dev->relay);
	scuse_rawparam_init(dev);
	scuse_copies_init(&dev->copies);
	scuse_mode_init(&dev->mode);
	scuse_log_init(&dev->log);
	strscpy(dev->name, name, sizeof(dev->name));
	dev->hba = (uintptr_t)hba->hba_ptr;
	dev->block_size = 512;
	dev->max_transfer = SCUSE_DEFAULT_TRANSFER;
	dev->want_type = SCUSE_TYPE_UNKNOWN;
	dev->orphan_timeout = SCUSE_ORPHAN_TIMEOUT;
	INIT_DELAYED_WORK(&dev->orphan_work, scuse_orphan_work);
	dev->offline_since = jiffies;
	return &dev->se_dev;
}

static void scuse_free_rcu(struct rcu_head *head)
{
	struct se_device *se_dev = container_of(head, struct se_device, rcu_head);

	scuse_device_put(to_scuse(se_dev));
}

/*
 * The grace period is for core, which reaches the device under RCU, and for scuse_io_submit(), which
 * still wakes sleepers when the command that it has published may already be over.
 */
static void scuse_free_device(struct se_device *se_dev)
{
	call_rcu(&se_dev->rcu_head, scuse_free_rcu);
}

/* Any context. */
void scuse_device_set_state(struct scuse_device *dev, enum scuse_state state, u32 worker)
{
	spin_lock(&dev->info_lock);
	if (dev->state != SCUSE_STATE_REMOVING) {
		dev->state = state;
		dev->worker = worker;
	}
	spin_unlock(&dev->info_lock);
}

/* Remembers the last error of handler or session for dumps; @message may be NULL. */
void scuse_device_set_error(struct scuse_device *dev, const char *message)
{
	spin_lock(&dev->info_lock);
	strscpy(dev->error, message ? message : "", sizeof(dev->error));
	spin_unlock(&dev->info_lock);
}

/* What core wants to know of the device before it is exported.  dev->lock is held. */
static void scuse_set_hw_attributes(struct scuse_device *dev)
{
	struct se_dev_attrib *attrib = &dev->se_dev.dev_attrib;
	struct t10_wwn *wwn = &dev->se_dev.t10_wwn;

	attrib->hw_block_size = dev->block_size;
	attrib->block_size = dev->block_size;
	attrib->hw_max_sectors = dev->max_transfer >> dev->block_shift;
	attrib->hw_queue_depth = min_t(u32, dev->nr_queues * dev->depth, 1024);
	attrib->emulate_write_cache = false;
	attrib->max_unmap_lba_count = 0;
	attrib->max_unmap_block_desc_count = 0;
	attrib->max_write_same_len = 0;
	attrib->is_nonrot = true;
	/* As of hardware: fixed, and core accepts and ignores that a restore writes it again. */
	attrib->hw_pi_prot_type = dev->pi_type;
	attrib->pi_prot_type = dev->pi_type;
	attrib->pi_prot_verify = dev->pi_type;
	/* EXTENDED COPY is no command of a raw LUN, and its blocks are none that core could copy. */
	if (dev->raw)
		attrib->emulate_3pc = false;
	if (!strcmp(wwn->vendor, "LIO-ORG"))
		strscpy(wwn->vendor, "SCUSE", sizeof(wwn->vendor));
}

/* Default geometry: a queue for each CPU up to 8; an idle LUN stays below 256 KiB of kernel memory. */
static void scuse_set_geometry(struct scuse_device *dev)
{
	dev->nr_queues = dev->want_queues;
	if (!dev->nr_queues)
		dev->nr_queues = min(num_online_cpus(), 8u);
	dev->depth = dev->want_depth;
	if (!dev->depth)
		dev->depth = dev->nr_queues > 4 ? 64 : 128;
	dev->block_shift = ilog2(dev->block_size);
	dev->pi_offset = dev->pi_type ? dev->max_transfer : 0;
	dev->slot_pages = dev->max_transfer >> PAGE_SHIFT;
	if (dev->pi_type)
		dev->slot_pages += DIV_ROUND_UP((dev->max_transfer >> dev->block_shift) * SCUSE_PI_SIZE,
						PAGE_SIZE);
}

/* What a device of its own has, or is, is not for us to choose. */
static int scuse_check_raw_parameters(struct scuse_device *dev)
{
	if (!dev->want_size && !dev->pi_type)
		return 0;
	pr_err("%s: size=%llu, protection=%u: a raw LUN takes neither\n", dev->name, dev->want_size,
	       dev->pi_type);
	return -EINVAL;
}

static int scuse_check_parameters(struct scuse_device *dev)
{
	if (!dev->handler[0]) {
		pr_err("%s: no handler= was written to control\n", dev->name);
		return -EINVAL;
	}
	if (dev->raw)
		return scuse_check_raw_parameters(dev);
	if (dev->want_type != TYPE_DISK && dev->want_type != SCUSE_TYPE_UNKNOWN) {
		pr_err("%s: device_type=%u, which only a raw LUN can be: raw=1 is missing\n", dev->name,
		       dev->want_type);
		return -EINVAL;
	}
	if (dev->want_size & (dev->block_size - 1)) {
		pr_err("%s: size=%llu is not a multiple of the block size %u\n", dev->name, dev->want_size,
		       dev->block_size);
		return -EINVAL;
	}
	return 0;
}

/* Makes rings and id and shows the device to the world; dev->lock is held. */
static int scuse_enable(struct scuse_device *dev)
{
	int ret;

	if (dev->enabled)
		return -EEXIST;
	if (atomic_read(&dev->sessions)) {
		pr_err("%s: a descriptor of the device's former life is not closed yet\n", dev->name);
		return -EBUSY;
	}
	ret = scuse_check_parameters(dev);
	if (ret)
		return ret;
	scuse_queues_destroy(dev);
	scuse_raw_forget(dev);
	scuse_set_geometry(dev);
	ret = scuse_queues_create(dev);
	if (ret)
		return ret;
	ret = scuse_reserve_join(dev->slot_pages);
	if (ret)
		return ret;
	scuse_watch_enable(&dev->watch);
	scuse_set_hw_attributes(dev);
	scuse_mode_enable(dev);
	scuse_log_enable(&dev->log);
	memset(&dev->applied, 0, sizeof(dev->applied));
	WRITE_ONCE(dev->size, dev->want_size);
	WRITE_ONCE(dev->features, 0);
	WRITE_ONCE(dev->offline_since, jiffies);
	dev->optimal_transfer = 0;
	dev->physical_exponent = 0;
	dev->announced = false;
	spin_lock(&dev->info_lock);
	dev->timestamp.set = false;
	dev->state = SCUSE_STATE_OFFLINE;
	dev->worker = 0;
	dev->error[0] = 0;
	spin_unlock(&dev->info_lock);

	ret = scuse_devices_add(dev);
	if (ret)
		goto err_reserve;
	dev->node = device_create(scuse_class, NULL, MKDEV(MAJOR(scuse_devt), MINOR(scuse_devt) + dev->id),
				  NULL, "scuse%u", dev->id);
	if (IS_ERR(dev->node)) {
		ret = PTR_ERR(dev->node);
		goto err_device;
	}
	scuse_trim_start(dev);
	dev->enabled = true;
	scuse_orphans_review(dev);
	return 0;

err_device:
	scuse_devices_remove(dev);
err_reserve:
	scuse_reserve_leave();
	return ret;
}

/*
 * Takes the device out of the world again.  No command is in flight: it has never been exported, or no
 * fabric LUN refers to it any more.  A session may go on to exist, but has nothing to do; see
 * scuse_session_remove().
 */
static void scuse_disable(struct scuse_device *dev)
{
	mutex_lock(&dev->lock);
	scuse_device_set_state(dev, SCUSE_STATE_REMOVING, 0);
	scuse_devices_remove(dev);
	device_destroy(scuse_class, MKDEV(MAJOR(scuse_devt), MINOR(scuse_devt) + dev->id));
	scuse_session_remove(dev);
	scuse_trim_stop(dev);
	scuse_reserve_leave();
	dev->enabled = false;
	mutex_unlock(&dev->lock);
	scuse_watch_disable(&dev->watch);
	scuse_orphans_forget(dev);
}

/* Asks the owner of the handler to serve the device; undoes scuse_enable() if it refuses. */
static int scuse_add(struct scuse_device *dev, char *message)
{
	int ret = scuse_owner_ask(dev, SCUSE_REQUEST_ADD, 0, message);

	if (ret == -ESRCH) {
		pr_info("%s: nobody serves handler '%s' yet; the device stays offline until somebody does\n",
			dev->name, dev->handler);
		return 0;
	}
	if (!ret)
		return 0;
	pr_err("%s: handler '%s' does not serve the device: %s\n", dev->name, dev->handler, message);
	scuse_device_set_error(dev, message);
	scuse_event_device(dev, SCUSE_EVENT_HANDLER_ERROR, message);
	scuse_owner_tell(dev, SCUSE_REQUEST_REMOVE);
	scuse_disable(dev);
	return ret;
}

static int scuse_configure_device(struct se_device *se_dev)
{
	struct scuse_device *dev = to_scuse(se_dev);
	u32 index = se_dev->dev_index;
	char *message;
	int ret;

	message = kzalloc(SCUSE_MESSAGE_MAX, GFP_KERNEL);
	if (!message)
		return -ENOMEM;
	mutex_lock(&dev->lock);
	ret = scuse_enable(dev);
	mutex_unlock(&dev->lock);
	if (ret)
		goto out;
	ret = scuse_add(dev, message);
	/*
	 * Core does not expect a second enable while we wait in the first one; it fails above, but
	 * leaves its own index in the device, and core would later remove that one instead of ours.
	 */
	se_dev->dev_index = index;
	if (ret)
		goto out;
	/*
	 * Core hands this on to the LUNs that will be made; a later change of it is only enforced by
	 * us.
	 */
	if (scuse_device_has(dev, SCUSE_FEATURE_READ_ONLY))
		se_dev->dev_flags |= DF_READ_ONLY;
	else
		se_dev->dev_flags &= ~DF_READ_ONLY;
	dev->announced = true;
	scuse_event_device(dev, SCUSE_EVENT_DEVICE_ADDED, NULL);
out:
	kfree(message);
	return ret;
}

static void scuse_destroy_device(struct se_device *se_dev)
{
	struct scuse_device *dev = to_scuse(se_dev);

	scuse_owner_tell(dev, SCUSE_REQUEST_REMOVE);
	scuse_disable(dev);
	if (dev->announced)
		scuse_event_device(dev, SCUSE_EVENT_DEVICE_REMOVED, NULL);
	dev->announced = false;
}

/* A multiple of the block size, and not so many blocks that READ CAPACITY (16) cannot say it. */
static bool scuse_size_ok(struct scuse_device *dev, u64 size)
{
	if (!size || size & (dev->block_size - 1) || size > LLONG_MAX) {
		pr_err("%s: size %llu: must be a multiple of the block size %u, and not zero\n", dev->name,
		       size, dev->block_size);
		return false;
	}
	return true;
}

static bool scuse_granule_ok(struct scuse_device *dev, const char *what, u32 value)
{
	if (!(value & (dev->block_size - 1)))
		return true;
	pr_err("%s: %s %u is not a multiple of the block size %u\n", dev->name, what, value, dev->block_size);
	return false;
}

static bool scuse_start_ok(struct scuse_device *dev, const struct scuse_start *start, u64 size)
{
	u32 physical = start->physical_block_size;

	if (!scuse_size_ok(dev, size))
		return false;
	if (dev->pi_type && !(start->features & SCUSE_FEATURE_PI)) {
		pr_err("%s: protection=%u, but handler '%s' does not keep protection information\n",
		       dev->name, dev->pi_type, dev->handler);
		return false;
	}
	if (physical && (!is_power_of_2(physical) || physical < dev->block_size ||
			 ilog2(physical) - dev->block_shift > 15)) {
		pr_err("%s: physical block size %u: must be a power of two, from the block size %u on\n",
		       dev->name, physical, dev->block_size);
		return false;
	}
	if (start->unmap_alignment && start->unmap_alignment >= start->unmap_granularity) {
		pr_err("%s: unmap alignment %u: must be below the granularity %u\n", dev->name,
		       start->unmap_alignment, start->unmap_granularity);
		return false;
	}
	return scuse_granule_ok(dev, "optimal transfer", start->optimal_transfer) &&
	       scuse_granule_ok(dev, "unmap granularity", start->unmap_granularity) &&
	       scuse_granule_ok(dev, "unmap alignment", start->unmap_alignment);
}

/* Thin provisioning and WRITE SAME, from what was not said to defaults that suit any handler. */
static void scuse_apply_unmap(struct scuse_device *dev, const struct scuse_start *start)
{
	struct se_dev_attrib *attrib = &dev->se_dev.dev_attrib;
	bool same = start->features & SCUSE_FEATURE_WRITE_SAME;
	bool unmap = start->features & SCUSE_FEATURE_UNMAP;

	attrib->max_write_same_len = 0;
	if (same)
		attrib->max_write_same_len = min_not_zero(start->max_write_same_blocks, 0xffffu);
	attrib->max_unmap_lba_count = 0;
	attrib->max_unmap_block_desc_count = 0;
	attrib->unmap_granularity = 0;
	attrib->unmap_granularity_alignment = 0;
	if (unmap) {
		attrib->max_unmap_lba_count =
			start->max_unmap_blocks ? start->max_unmap_blocks : SCUSE_UNMAP_NO_LIMIT;
		attrib->max_unmap_block_desc_count = start->max_unmap_ranges ? start->max_unmap_ranges : 256;
		attrib->unmap_granularity = start->unmap_granularity >> dev->block_shift;
		attrib->unmap_granularity_alignment = start->unmap_alignment >> dev->block_shift;
	}
	attrib->emulate_tpu = unmap;
	attrib->emulate_tpws = unmap && same;
	attrib->unmap_zeroes_data = unmap && start->features & SCUSE_FEATURE_UNMAP_ZEROES;
}

static u32 scuse_optimal_transfer(struct scuse_device *dev, const struct scuse_start *start)
{
	return min(start->optimal_transfer, dev->max_transfer);
}

/*
 * Tells every nexus that INQUIRY data or VPD pages have changed, if they have.  What the first worker says
 * nobody has seen otherwise.
 */
static void scuse_raise_changes(struct scuse_device *dev, const struct scuse_start *start)
{
	struct scuse_start before = dev->applied;

	if (!before.size)
		return;
	before.size = start->size;
	before.abi_major = start->abi_major;
	before.abi_minor = start->abi_minor;
	before.device_size = start->device_size;
	/* Where the commands lie in the worker's memory, and which ones they are, no page says. */
	before.nr_commands = start->nr_commands;
	before.commands = start->commands;
	if (memcmp(&before, start, sizeof(before)))
		scuse_ua_raise(dev, 0x3f, 0x03, NULL); /* INQUIRY DATA HAS CHANGED */
}

static void scuse_keep_applied(struct scuse_device *dev, const struct scuse_start *start)
{
	dev->applied = *start;
	dev->applied.size = sizeof(*start);
}

/* A raw LUN has a device that knows itself. */
static int scuse_apply_raw(struct scuse_device *dev, const struct scuse_start *start,
			   struct scuse_raw_claims *claims)
{
	int ret = scuse_raw_check(dev, start);

	if (ret)
		return ret;
	WRITE_ONCE(dev->features, start->features);
	scuse_raise_changes(dev, start);
	scuse_raw_adopt(dev, start, claims);
	scuse_keep_applied(dev, start);
	return 0;
}

/*
 * scuse_device_apply - take over what START or UPDATE says; dev->lock is held
 *
 * @claims: of a raw LUN, which takes them over if it returns 0
 *
 * Attributes change only where the worker says something else than it (or its predecessor) said last:
 * an administrator's own setting outlives a worker's restart.
 */
int scuse_device_apply(struct scuse_device *dev, const struct scuse_start *start,
		       struct scuse_raw_claims *claims)
{
	struct se_dev_attrib *attrib = &dev->se_dev.dev_attrib;
	u64 size = start->device_size ? start->device_size : dev->size;
	u32 changed = start->features ^ dev->applied.features;
	bool first = !dev->applied.size;
	bool limits;

	if (dev->raw)
		return scuse_apply_raw(dev, start, claims);
	if (!scuse_start_ok(dev, start, size))
		return -EINVAL;
	limits = start->unmap_granularity != dev->applied.unmap_granularity ||
		 start->unmap_alignment != dev->applied.unmap_alignment ||
		 start->max_unmap_blocks != dev->applied.max_unmap_blocks ||
		 start->max_unmap_ranges != dev->applied.max_unmap_ranges ||
		 start->max_write_same_blocks != dev->applied.max_write_same_blocks;

	if (first || changed & SCUSE_FEATURE_ROTATIONAL)
		attrib->is_nonrot = !(start->features & SCUSE_FEATURE_ROTATIONAL);
	if (first || limits ||
	    changed & (SCUSE_FEATURE_UNMAP | SCUSE_FEATURE_UNMAP_ZEROES | SCUSE_FEATURE_WRITE_SAME))
		scuse_apply_unmap(dev, start);
	WRITE_ONCE(dev->optimal_transfer, scuse_optimal_transfer(dev, start));
	WRITE_ONCE(dev->physical_exponent,
		   start->physical_block_size ? ilog2(start->physical_block_size) - dev->block_shift : 0);
	WRITE_ONCE(dev->features, start->features);
	scuse_raise_changes(dev, start);
	if (first || changed & SCUSE_FEATURE_FLUSH)
		scuse_mode_follow_cache(dev, start->features & SCUSE_FEATURE_FLUSH);
	scuse_keep_applied(dev, start);
	return scuse_device_resize(dev, size);
}

/* Sets the capacity; dev->lock is held.  Tells listeners once the device has been announced. */
int scuse_device_resize(struct scuse_device *dev, u64 size)
{
	bool known;

	if (!scuse_size_ok(dev, size))
		return -EINVAL;
	if (size == dev->size)
		return 0;
	known = dev->announced && dev->size;
	WRITE_ONCE(dev->size, size);
	if (known)
		scuse_ua_raise(dev, 0x2a, 0x09, NULL); /* CAPACITY DATA HAS CHANGED */
	if (dev->announced)
		scuse_event_device(dev, SCUSE_EVENT_SIZE_CHANGED, NULL);
	return 0;
}

static u32 scuse_get_device_type(struct se_device *se_dev)
{
	return READ_ONCE(to_scuse(se_dev)->device_type);
}

/*
 * Core wants the last block's address.  Of a device without a known size it never gets to ask, see
 * cdb.c.
 */
static sector_t scuse_get_blocks(struct se_device *se_dev)
{
	u64 blocks = scuse_device_blocks(to_scuse(se_dev));

	return blocks ? blocks - 1 : 0;
}

static unsigned int scuse_get_lbppbe(struct se_device *se_dev)
{
	return READ_ONCE(to_scuse(se_dev)->physical_exponent);
}

static unsigned int scuse_get_io_min(struct se_device *se_dev)
{
	struct scuse_device *dev = to_scuse(se_dev);

	return dev->block_size << READ_ONCE(dev->physical_exponent);
}

/* 0: core shows its attribute optimal_sectors. */
static unsigned int scuse_get_io_opt(struct se_device *se_dev)
{
	return READ_ONCE(to_scuse(se_dev)->optimal_transfer);
}

/* tb_dev_attrib_attrs is set when the module starts, before the registration; hence not const. */
struct target_backend_ops scuse_backend_ops = {
	.name = "scuse",
	.inquiry_prod = "scuse",
	.inquiry_rev = "0.1",
	.owner = THIS_MODULE,
	.attach_hba = scuse_attach_hba,
	.detach_hba = scuse_detach_hba,
	.alloc_device = scuse_alloc_device,
	.configure_device = scuse_configure_device,
	.destroy_device = scuse_destroy_device,
	.free_device = scuse_free_device,
	.plug_device = scuse_plug_device,
	.unplug_device = scuse_unplug_device,
	.set_configfs_dev_params = scuse_control_store,
	.show_configfs_dev_params = scuse_info_show,
	.parse_cdb = scuse_parse_cdb,
	.tmr_notify = scuse_tmr_notify,
	.get_device_type = scuse_get_device_type,
	.get_blocks = scuse_get_blocks,
	.get_lbppbe = scuse_get_lbppbe,
	.get_io_min = scuse_get_io_min,
	.get_io_opt = scuse_get_io_opt,
};
