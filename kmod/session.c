// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions: the character device /dev/scuseN with its ioctls, and the queue descriptors with ENTER and
 * poll. Called by the worker's system calls; scuse_session_remove() by backend.c, scuse_session_drop() by
 * queue.c.
 *
 *	open            START              revoked (revoke.c)
 *	 ----> OPEN ----------> STARTED -------------> BROKEN
 *	         |                 |                      |
 *	         +-----------------+----------------------+----> ENDED   (file closed, or the device removed)
 *
 * The state only grows.  ENDED by removal leaves the file open: every call on it says ENODEV, and the
 * device's memory stays until it is closed.  After the file is closed the session lives on until the
 * last command that it had in the kernel's hands is over (scuse.h); only then can the next one be
 * opened.
 *
 * Locking: scuse_device.lock serialises open, START, UPDATE, and the end.  Never taken by the I/O path.
 */
#include <linux/anon_inodes.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "scuse.h"

/* The private data of a queue's descriptor. */
struct scuse_queue_file {
	struct scuse_session *sess; /* holds a reference */
	struct scuse_queue *queue;  /* stays as long as the device */
};

static void scuse_session_release_kref(struct kref *kref)
{
	struct scuse_session *sess = container_of(kref, struct scuse_session, kref);

	put_pid(sess->pid);
	atomic_dec(&sess->dev->sessions);
	scuse_device_put(sess->dev);
	kfree(sess);
}

void scuse_session_put(struct scuse_session *sess)
{
	kref_put(&sess->kref, scuse_session_release_kref);
}

/* Raises the state; false if it is there already, or beyond. */
bool scuse_session_raise(struct scuse_session *sess, enum scuse_session_state state)
{
	int old = atomic_read(&sess->state);

	while (old < (int)state) {
		if (atomic_try_cmpxchg(&sess->state, &old, state))
			return true;
	}
	return false;
}

/* 0 if calls make sense. */
static int scuse_session_check(struct scuse_session *sess)
{
	switch (atomic_read(&sess->state)) {
	case SCUSE_SESSION_BROKEN:
		return -EPROTO;
	case SCUSE_SESSION_ENDED:
		return -ENODEV;
	default:
		return 0;
	}
}

/* The dead process's I/O takes long; people may want to know what it is that keeps the device offline. */
static void scuse_session_fence_told(struct scuse_session *sess)
{
	struct scuse_device *dev = sess->dev;
	char message[96];

	if (sess->fence_told || time_before(jiffies, sess->fenced + msecs_to_jiffies(SCUSE_FENCE_WARN)))
		return;
	sess->fence_told = true;
	scnprintf(message, sizeof(message),
		  "I/O of the dead worker (process %u) is not over; no other one can start", sess->pid_nr);
	pr_warn("%s: %s\n", dev->name, message);
	scuse_event_device(dev, SCUSE_EVENT_SLOW_COMMAND, message);
}

/* True: I/O of the dead process may still move data from or to slots; the work comes again. */
static bool scuse_session_fenced(struct scuse_session *sess)
{
	if (!sess->dev->enabled || !scuse_fence_pinned(sess->dev))
		return false;
	if (!sess->fence)
		sess->fenced = jiffies;
	scuse_session_fence_told(sess);
	sess->fence = scuse_fence_next(sess->fence);
	queue_delayed_work(scuse_workqueue, &sess->finish_work, msecs_to_jiffies(sess->fence));
	return true;
}

/*
 * Nothing of the session is left in the queues but what is at rest: makes them new and lets the next one
 * come, at once or, if I/O of the dead process is still under way, by and by.  dev->lock is held.
 */
static void scuse_session_finish(struct scuse_session *sess)
{
	struct scuse_device *dev = sess->dev;
	u32 i;

	if (scuse_session_fenced(sess))
		return;
	for (i = 0; i < dev->nr_queues; i++) {
		/* Of a device that is being removed pages may still be pinned: they go when that is over. */
		scuse_area_free(&dev->queues[i]);
		scuse_queue_reset(&dev->queues[i]);
	}
	spin_lock(&dev->info_lock);
	dev->session = NULL;
	spin_unlock(&dev->info_lock);
	scuse_session_put(sess);
}

static void scuse_session_finish_work(struct work_struct *work)
{
	struct scuse_session *sess = container_of(to_delayed_work(work), struct scuse_session, finish_work);
	struct scuse_device *dev = sess->dev;

	kref_get(&dev->kref);
	mutex_lock(&dev->lock);
	scuse_session_finish(sess);
	mutex_unlock(&dev->lock);
	scuse_device_put(dev);
}

/* Drops one count of sess->drain.  Process context, does not sleep. */
void scuse_session_drop(struct scuse_session *sess)
{
	if (atomic_dec_and_test(&sess->drain))
		queue_delayed_work(scuse_workqueue, &sess->finish_work, 0);
}

/* Hands what is in flight back, as the top of scuse.h says.  dev->lock is held. */
static void scuse_session_end(struct scuse_session *sess)
{
	struct scuse_device *dev = sess->dev;
	u32 i;

	for (i = 0; i < dev->nr_queues; i++)
		scuse_queue_stop(&dev->queues[i]);
	for (i = 0; i < dev->nr_queues; i++) {
		/* What was published before the end counts. */
		scuse_queue_reap(&dev->queues[i]);
		scuse_queue_end(&dev->queues[i]);
		scuse_queue_unquarantine(&dev->queues[i]);
	}
	scuse_session_raise(sess, SCUSE_SESSION_ENDED);
	for (i = 0; i < dev->nr_queues; i++) {
		struct scuse_queue *queue = &dev->queues[i];

		spin_lock(&queue->lock);
		queue->draining = queue->used != queue->at_rest;
		if (!queue->draining)
			atomic_dec(&sess->drain); /* not the last: the file's is left */
		spin_unlock(&queue->lock);
	}
}

/*
 * scuse_session_remove - the device goes away under its session, if it has one; dev->lock is held
 *
 * The worker's calls say ENODEV, sleepers wake.  No command is in flight.  The file keeps session and
 * device.
 */
void scuse_session_remove(struct scuse_device *dev)
{
	u32 i;

	for (i = 0; i < dev->nr_queues; i++)
		scuse_queue_stop(&dev->queues[i]);
	if (!dev->session)
		return;
	scuse_session_raise(dev->session, SCUSE_SESSION_ENDED);
	/* There will be no other one: what it is waiting for does not matter any more. */
	if (dev->session->fence)
		mod_delayed_work(scuse_workqueue, &dev->session->finish_work, 0);
	for (i = 0; i < dev->nr_queues; i++)
		scuse_queue_wake_all(&dev->queues[i]);
}

static int scuse_session_open(struct inode *inode, struct file *file)
{
	struct scuse_device *dev;
	struct scuse_session *sess;
	int ret = -EACCES;

	dev = scuse_devices_get(iminor(inode) - MINOR(scuse_devt));
	if (!dev)
		return -ENXIO;
	if ((file->f_flags & O_ACCMODE) != O_RDWR)
		goto err_device;
	ret = -ENOMEM;
	sess = kzalloc(sizeof(*sess), GFP_KERNEL);
	if (!sess)
		goto err_device;
	ret = mutex_lock_interruptible(&dev->lock);
	if (ret)
		goto err_session;
	ret = -ENXIO;
	if (!dev->enabled)
		goto err_unlock;
	ret = -EBUSY;
	if (dev->session)
		goto err_unlock;

	kref_init(&sess->kref);
	kref_get(&sess->kref); /* of dev->session */
	sess->dev = dev;
	atomic_inc(&dev->sessions);
	atomic_set(&sess->drain, dev->nr_queues + 1);
	INIT_WORK(&sess->revoke_work, scuse_revoke_work);
	INIT_DELAYED_WORK(&sess->finish_work, scuse_session_finish_work);
	spin_lock(&dev->info_lock);
	dev->session = sess;
	spin_unlock(&dev->info_lock);
	file->private_data = sess;
	scuse_region_opened(dev, file->f_mapping);
	mutex_unlock(&dev->lock);
	return nonseekable_open(inode, file);

err_unlock:
	mutex_unlock(&dev->lock);
err_session:
	kfree(sess);
err_device:
	scuse_device_put(dev);
	return ret;
}

/*
 * The last reference to the file is gone, and with it all mappings: nobody can write to slots any more,
 * which is why commands can be given back to initiators now and not before.
 */
static int scuse_session_release(struct inode *inode, struct file *file)
{
	struct scuse_session *sess = file->private_data;
	struct scuse_device *dev = sess->dev;
	struct scuse_event_info info = {
		.event = SCUSE_EVENT_SESSION_LOST,
		.dev = dev,
		.pid = sess->pid_nr,
	};
	bool last;

	mutex_lock(&dev->lock);
	scuse_region_closed(dev);
	if (atomic_read(&sess->state) == SCUSE_SESSION_STARTED)
		WRITE_ONCE(dev->offline_since, jiffies);
	scuse_device_set_state(dev, SCUSE_STATE_OFFLINE, 0);
	scuse_session_end(sess);
	/* Its last completions may have been violations. */
	scuse_device_set_state(dev, SCUSE_STATE_OFFLINE, 0);
	last = atomic_dec_and_test(&sess->drain);
	if (last)
		scuse_session_finish(sess);
	mutex_unlock(&dev->lock);
	if (sess->was_started)
		scuse_event(&info);
	scuse_session_put(sess);
	return 0;
}

static int scuse_ioctl_info(struct scuse_session *sess, void __user *arg)
{
	struct scuse_device *dev = sess->dev;
	struct scuse_info info = {};
	u32 size;
	int i;

	if (get_user(size, (u32 __user *)arg))
		return -EFAULT;
	if (size < offsetofend(struct scuse_info, abi_minor))
		return -EINVAL;
	info.size = sizeof(info);
	info.abi_major = SCUSE_ABI_MAJOR;
	info.abi_minor = SCUSE_ABI_MINOR;
	info.device = dev->id;
	info.queues = dev->nr_queues;
	info.depth = dev->depth;
	info.slot_size = dev->max_transfer;
	info.block_size = dev->block_size;
	info.device_type = dev->device_type;
	info.device_size = scuse_device_size(dev);
	for (i = 0; i < SCUSE_REGIONS; i++)
		info.region_size[i] = scuse_region_size(&dev->queues[0], i);
	info.pi_type = dev->pi_type;
	info.pi_offset = dev->pi_offset;
	info.flags = dev->raw ? SCUSE_INFO_RAW : 0;
	strscpy(info.handler, dev->handler, sizeof(info.handler));
	if (copy_to_user(arg, &info, min_t(size_t, size, sizeof(info))))
		return -EFAULT;
	if (size > sizeof(info) && clear_user(arg + sizeof(info), size - sizeof(info)))
		return -EFAULT;
	return 0;
}

/*
 * Reads a versioned struct: its first member is the size that userspace knows; see VERSIONS in abi.h.
 */
static int scuse_read_struct(void *to, size_t known, size_t least, const void __user *from)
{
	u32 size;
	int ret;

	if (get_user(size, (const u32 __user *)from))
		return -EFAULT;
	if (size < least)
		return -EINVAL;
	if (size > PAGE_SIZE)
		return -E2BIG;
	ret = copy_struct_from_user(to, known, from, size);
	if (ret)
		return ret;
	*(u32 *)to = size;
	return 0;
}

#define SCUSE_FEATURES                                                                                       \
	(SCUSE_FEATURE_FLUSH | SCUSE_FEATURE_UNMAP | SCUSE_FEATURE_UNMAP_ZEROES | SCUSE_FEATURE_WRITE_SAME | \
	 SCUSE_FEATURE_READ_ONLY | SCUSE_FEATURE_ROTATIONAL | SCUSE_FEATURE_REPLAY_SAFE |                    \
	 SCUSE_FEATURE_EXTENTS | SCUSE_FEATURE_FORMAT | SCUSE_FEATURE_SANITIZE_OVERWRITE |                   \
	 SCUSE_FEATURE_SANITIZE_BLOCK | SCUSE_FEATURE_SANITIZE_CRYPTO | SCUSE_FEATURE_ATOMIC |               \
	 SCUSE_FEATURE_ANCHOR | SCUSE_FEATURE_PI)
#define SCUSE_RAW_FEATURES                                                                     \
	(SCUSE_FEATURE_READ_ONLY | SCUSE_FEATURE_REPLAY_SAFE | SCUSE_FEATURE_UNIT_ATTENTIONS | \
	 SCUSE_FEATURE_RESET)

static int scuse_read_start(struct scuse_device *dev, struct scuse_start *start, const void __user *arg)
{
	u32 features = dev->raw ? SCUSE_RAW_FEATURES : SCUSE_FEATURES;
	int ret;

	ret = scuse_read_struct(start, sizeof(*start), offsetofend(struct scuse_start, features), arg);
	if (ret)
		return ret;
	if (start->abi_major != SCUSE_ABI_MAJOR)
		return -EPROTONOSUPPORT;
	if (start->features & ~features || start->reserved0 ||
	    memchr_inv(start->reserved1, 0, sizeof(start->reserved1)) ||
	    memchr_inv(start->reserved2, 0, sizeof(start->reserved2)))
		return -EINVAL;
	if (!dev->raw && (start->device_type || memchr_inv(start->identity, 0, sizeof(start->identity))))
		return -EINVAL;
	return 0;
}

/* dev->lock is held. */
static int scuse_start_locked(struct scuse_session *sess, const struct scuse_start *start,
			      struct scuse_raw_claims *claims)
{
	struct scuse_device *dev = sess->dev;
	bool first = !dev->applied.size;
	u32 i;
	int ret;

	ret = scuse_session_check(sess);
	if (ret)
		return ret;
	if (sess->was_started)
		return -EALREADY;
	ret = scuse_device_apply(dev, start, claims);
	if (ret)
		return ret;
	if (!first)
		scuse_raw_restarted(dev);
	sess->pid = get_pid(task_tgid(current));
	sess->pid_nr = task_tgid_nr(current);
	sess->was_started = true;
	scuse_session_raise(sess, SCUSE_SESSION_STARTED);
	scuse_device_set_error(dev, NULL);
	scuse_device_set_state(dev, SCUSE_STATE_ONLINE, sess->pid_nr);
	scuse_relay_start(dev);
	for (i = 0; i < dev->nr_queues; i++)
		scuse_queue_start(&dev->queues[i], sess);
	scuse_orphans_replay(dev);
	scuse_rawparam_refresh(dev);
	return 0;
}

/* dev->lock is held. */
static int scuse_update_locked(struct scuse_session *sess, const struct scuse_start *start,
			       struct scuse_raw_claims *claims)
{
	int ret = scuse_session_check(sess);

	if (!ret && !sess->was_started)
		ret = -ENOTCONN;
	return ret ? ret : scuse_device_apply(sess->dev, start, claims);
}

/*
 * START and UPDATE: what userspace says goes to @apply, which is called with dev->lock held, and owns the
 * claims if it returns 0.
 */
static int scuse_session_set(struct scuse_session *sess, const void __user *arg,
			     int (*apply)(struct scuse_session *sess, const struct scuse_start *start,
					  struct scuse_raw_claims *claims))
{
	struct scuse_device *dev = sess->dev;
	struct scuse_raw_claims *claims;
	struct scuse_start start;
	int ret;

	ret = scuse_read_start(dev, &start, arg);
	if (ret)
		return ret;
	claims = scuse_raw_read_claims(dev, &start);
	if (IS_ERR(claims))
		return PTR_ERR(claims);
	ret = -EINTR;
	if (mutex_lock_interruptible(&dev->lock))
		goto out;
	ret = apply(sess, &start, claims);
	mutex_unlock(&dev->lock);
out:
	if (ret)
		kvfree(claims);
	return ret;
}

static int scuse_ioctl_start(struct scuse_session *sess, const void __user *arg)
{
	int ret = scuse_session_set(sess, arg, scuse_start_locked);

	if (ret)
		return ret;
	scuse_orphans_execute(sess->dev);
	scuse_event_device(sess->dev, SCUSE_EVENT_SESSION_STARTED, NULL);
	return 0;
}

static int scuse_ioctl_update(struct scuse_session *sess, const void __user *arg)
{
	return scuse_session_set(sess, arg, scuse_update_locked);
}

/* Takes over what is known of the medium's usage. */
static void scuse_note_usage(struct scuse_device *dev, const struct scuse_notify *notify)
{
	spin_lock(&dev->info_lock);
	dev->usage = *notify;
	spin_unlock(&dev->info_lock);
}

static bool scuse_notify_ok(struct scuse_device *dev, const struct scuse_notify *notify)
{
	u32 known = SCUSE_NOTIFY_MEDIUM | SCUSE_NOTIFY_THRESHOLD | SCUSE_NOTIFY_USAGE;

	if (dev->raw && scuse_device_has(dev, SCUSE_FEATURE_UNIT_ATTENTIONS))
		known |= SCUSE_NOTIFY_UNIT_ATTENTION;
	if (notify->events & ~known || notify->reserved0 || notify->reserved1 ||
	    memchr_inv(notify->reserved, 0, sizeof(notify->reserved)))
		return false;
	return notify->events & SCUSE_NOTIFY_UNIT_ATTENTION || (!notify->asc && !notify->ascq);
}

/* 28h/00h: MEDIUM MAY HAVE CHANGED */
static void scuse_notify_medium(struct scuse_device *dev)
{
	if (dev->raw)
		scuse_relay_notify(dev, 0x28, 0x00);
	else
		scuse_ua_raise(dev, 0x28, 0x00, NULL);
}

static int scuse_ioctl_notify(struct scuse_session *sess, const void __user *arg)
{
	struct scuse_device *dev = sess->dev;
	struct scuse_notify notify;
	int ret;

	ret = scuse_read_struct(&notify, sizeof(notify), offsetofend(struct scuse_notify, available_blocks),
				arg);
	if (ret)
		return ret;
	if (atomic_read(&sess->state) != SCUSE_SESSION_STARTED)
		return scuse_session_check(sess) ?: -ENOTCONN;
	if (!scuse_notify_ok(dev, &notify))
		return -EINVAL;
	if (notify.events & SCUSE_NOTIFY_USAGE)
		scuse_note_usage(dev, &notify);
	if (notify.events & SCUSE_NOTIFY_MEDIUM)
		scuse_notify_medium(dev);
	if (notify.events & SCUSE_NOTIFY_UNIT_ATTENTION)
		scuse_relay_notify(dev, notify.asc, notify.ascq);
	if (notify.events & SCUSE_NOTIFY_THRESHOLD && scuse_mode_lbpere(dev))
		scuse_ua_raise(dev, 0x38, 0x07, NULL); /* SOFT THRESHOLD REACHED */
	return 0;
}

static bool scuse_enter_done(struct scuse_queue_file *file, u32 sq_head)
{
	return READ_ONCE(file->queue->sq_tail) != sq_head || scuse_session_check(file->sess);
}

/* Sleeps until there is something to do; exclusive, so that an entry wakes one thread. */
static int scuse_enter_wait(struct scuse_queue_file *file, const struct scuse_enter *enter)
{
	struct scuse_queue *queue = file->queue;
	bool expired = false;
	ktime_t expires, *limit = NULL;
	int ret;

	if (enter->timeout) {
		expires = ktime_add_safe(ktime_get(), ns_to_ktime(min_t(u64, enter->timeout, KTIME_MAX)));
		limit = &expires;
	}
	atomic_long_inc(&queue->sleeps);
	ret = ___wait_event(queue->enter_wait, scuse_enter_done(file, enter->sq_head) || expired,
			    TASK_INTERRUPTIBLE, 1, 0, expired = !schedule_hrtimeout(limit, HRTIMER_MODE_ABS));
	return ret ? -EINTR : 0;
}

static int scuse_ioctl_enter(struct scuse_queue_file *file, const void __user *arg)
{
	struct scuse_queue *queue = file->queue;
	struct scuse_enter enter;
	int ret;

	ret = scuse_read_struct(&enter, sizeof(enter), offsetofend(struct scuse_enter, sq_head), arg);
	if (ret)
		return ret;
	if (enter.flags & ~SCUSE_ENTER_WAIT || enter.spin)
		return -EINVAL;
	atomic_long_inc(&queue->enters);
	ret = scuse_session_check(file->sess);
	if (ret)
		return ret;
	if (scuse_queue_has_completions(queue))
		scuse_queue_reap(queue);
	if (enter.flags & SCUSE_ENTER_WAIT && !scuse_enter_done(file, enter.sq_head))
		ret = scuse_enter_wait(file, &enter);
	/* The end of the session is more interesting than what else has happened. */
	return scuse_session_check(file->sess) ?: ret ?: READ_ONCE(queue->sq_tail) != enter.sq_head;
}

static long scuse_queue_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (_IOC_TYPE(cmd) != SCUSE_IOC_TYPE || _IOC_NR(cmd) != _IOC_NR(SCUSE_IOC_ENTER))
		return -ENOTTY;
	return scuse_ioctl_enter(file->private_data, (const void __user *)arg);
}

/*
 * Level: there are entries beyond the sq_head that userspace publishes.  It may lie to itself about
 * that.
 */
static __poll_t scuse_queue_poll(struct file *file, poll_table *wait)
{
	struct scuse_queue_file *queue_file = file->private_data;
	struct scuse_queue *queue = queue_file->queue;

	poll_wait(file, &queue->poll_wait, wait);
	/* Pairs with scuse_queue_wake(). */
	smp_mb();
	if (scuse_session_check(queue_file->sess))
		return EPOLLIN | EPOLLHUP | EPOLLERR;
	if (READ_ONCE(queue->sq_tail) != READ_ONCE(queue->user->sq_head))
		return EPOLLIN | EPOLLRDNORM;
	return 0;
}

static int scuse_queue_release(struct inode *inode, struct file *file)
{
	struct scuse_queue_file *queue_file = file->private_data;

	scuse_session_put(queue_file->sess);
	kfree(queue_file);
	return 0;
}

static const struct file_operations scuse_queue_fops = {
	.owner = THIS_MODULE,
	.release = scuse_queue_release,
	.unlocked_ioctl = scuse_queue_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.poll = scuse_queue_poll,
};

static int scuse_ioctl_queue(struct scuse_session *sess, unsigned long index)
{
	struct scuse_device *dev = sess->dev;
	struct scuse_queue_file *file;
	int fd;

	if (index >= dev->nr_queues)
		return -EINVAL;
	file = kzalloc(sizeof(*file), GFP_KERNEL);
	if (!file)
		return -ENOMEM;
	file->sess = sess;
	file->queue = &dev->queues[index];
	kref_get(&sess->kref);
	fd = anon_inode_getfd("[scuse-queue]", &scuse_queue_fops, file, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		scuse_session_put(sess);
		kfree(file);
	}
	return fd;
}

/* By number, not by the size that is coded into cmd: structs may grow. */
static long scuse_session_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct scuse_session *sess = file->private_data;
	void __user *argp = (void __user *)arg;
	int ret;

	if (_IOC_TYPE(cmd) != SCUSE_IOC_TYPE)
		return -ENOTTY;
	ret = scuse_session_check(sess);
	if (ret)
		return ret;
	switch (_IOC_NR(cmd)) {
	case _IOC_NR(SCUSE_IOC_INFO):
		return scuse_ioctl_info(sess, argp);
	case _IOC_NR(SCUSE_IOC_QUEUE):
		return scuse_ioctl_queue(sess, arg);
	case _IOC_NR(SCUSE_IOC_START):
		return scuse_ioctl_start(sess, argp);
	case _IOC_NR(SCUSE_IOC_UPDATE):
		return scuse_ioctl_update(sess, argp);
	case _IOC_NR(SCUSE_IOC_NOTIFY):
		return scuse_ioctl_notify(sess, argp);
	default:
		return -ENOTTY;
	}
}

static int scuse_session_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct scuse_session *sess = file->private_data;
	int ret = scuse_session_check(sess);

	return ret ? ret : scuse_region_mmap(sess->dev, vma);
}

const struct file_operations scuse_session_fops = {
	.owner = THIS_MODULE,
	.open = scuse_session_open,
	.release = scuse_session_release,
	.unlocked_ioctl = scuse_session_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = scuse_session_mmap,
};
