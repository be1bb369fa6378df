// SPDX-License-Identifier: GPL-2.0-only
/*
 * The submission half of a queue: memory of the rings, tags, publication, wake-ups, advisory entries.
 * The other half, completions, is reap.c.  Called by cdb.c and unmap.c (execute context: process
 * context, may sleep for memory), by session.c and backend.c.
 *
 * Locking and the race against the end of a session: see the top of scuse.h.
 */
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <scsi/scsi_common.h>
#include "ring.h"
#include "scuse.h"
#include "sense.h"
#include "trace.h"

static void scuse_queue_free(struct scuse_queue *queue)
{
	scuse_area_free(queue);
	vfree(queue->kernel);
	vfree(queue->user);
	kvfree(queue->tags);
	kvfree(queue->free);
	kfree(queue->cdb_pages);
	kfree(queue->sense_pages);
}

static int scuse_queue_alloc(struct scuse_queue *queue)
{
	u32 depth = queue->depth;

	queue->kernel = vmalloc_user(scuse_region_size(queue, SCUSE_REGION_KERNEL));
	queue->user = vmalloc_user(scuse_region_size(queue, SCUSE_REGION_USER));
	queue->tags = kvcalloc(depth, sizeof(*queue->tags), GFP_KERNEL);
	queue->free = kvcalloc(depth, sizeof(*queue->free), GFP_KERNEL);
	queue->cdb_pages = kcalloc(scuse_region_size(queue, SCUSE_REGION_CDB) >> PAGE_SHIFT,
				   sizeof(struct page *), GFP_KERNEL);
	queue->sense_pages = kcalloc(scuse_region_size(queue, SCUSE_REGION_SENSE) >> PAGE_SHIFT,
				     sizeof(struct page *), GFP_KERNEL);
	if (!queue->kernel || !queue->user || !queue->tags || !queue->free || !queue->cdb_pages ||
	    !queue->sense_pages)
		return -ENOMEM;
	queue->sqes = (void *)queue->kernel + SCUSE_SQE_OFFSET;
	queue->cqes = (void *)queue->user + SCUSE_CQE_OFFSET;
	return 0;
}

static int scuse_queue_create(struct scuse_device *dev, struct scuse_queue *queue, u32 index)
{
	u32 i;
	int ret;

	queue->dev = dev;
	queue->index = index;
	queue->depth = dev->depth;
	queue->sq_entries = 2 * dev->depth;
	queue->cq_entries = dev->depth;
	queue->slot_pages = dev->slot_pages;
	spin_lock_init(&queue->lock);
	spin_lock_init(&queue->reap_lock);
	init_waitqueue_head(&queue->enter_wait);
	init_waitqueue_head(&queue->poll_wait);
	ret = scuse_queue_alloc(queue);
	if (ret)
		return ret;
	/* The first tags to be used are the lowest. */
	for (i = 0; i < queue->depth; i++) {
		scuse_tag_init(&queue->tags[i].cell);
		queue->tags[i].queue = queue;
		queue->free[i] = queue->depth - 1 - i;
	}
	INIT_LIST_HEAD(&queue->orphans);
	INIT_LIST_HEAD(&queue->holders);
	queue->nr_free = queue->depth;
	queue->reserve = dev->raw && !index;
	scuse_queue_reset(queue);
	return 0;
}

/* dev->lock is held, no queues exist.  On failure none exist either. */
int scuse_queues_create(struct scuse_device *dev)
{
	u32 i;
	int ret;

	dev->queues = kvcalloc(dev->nr_queues, sizeof(*dev->queues), GFP_KERNEL);
	if (!dev->queues)
		return -ENOMEM;
	for (i = 0; i < dev->nr_queues; i++) {
		ret = scuse_queue_create(dev, &dev->queues[i], i);
		if (ret) {
			scuse_queues_destroy(dev);
			return ret;
		}
	}
	return 0;
}

/* Nobody uses the queues: no session, no command. */
void scuse_queues_destroy(struct scuse_device *dev)
{
	u32 i;

	if (!dev->queues)
		return;
	/* Those behind one that could not be created are not begun. */
	for (i = 0; i < dev->nr_queues && dev->queues[i].dev; i++)
		scuse_queue_free(&dev->queues[i]);
	kvfree(dev->queues);
	dev->queues = NULL;
}

/*
 * Makes the rings new for the next session: nobody has them mapped, what tags are in use are at rest.
 * dev->lock is held.
 */
void scuse_queue_reset(struct scuse_queue *queue)
{
	struct scuse_queue_kernel *kernel = queue->kernel;

	spin_lock(&queue->reap_lock);
	queue->sess = NULL;
	queue->cq_head = 0;
	spin_unlock(&queue->reap_lock);

	spin_lock(&queue->lock);
	queue->live = false;
	queue->draining = false;
	queue->resets++;
	WRITE_ONCE(queue->sq_tail, 0);
	spin_unlock(&queue->lock);

	memset(queue->user, 0, scuse_region_size(queue, SCUSE_REGION_USER));
	memset(kernel, 0, scuse_region_size(queue, SCUSE_REGION_KERNEL));
	kernel->magic = SCUSE_ABI_MAGIC;
	kernel->abi_major = SCUSE_ABI_MAJOR;
	kernel->abi_minor = SCUSE_ABI_MINOR;
	kernel->queue = queue->index;
	kernel->depth = queue->depth;
	kernel->sq_entries = queue->sq_entries;
	kernel->cq_entries = queue->cq_entries;
	kernel->sqe_offset = SCUSE_SQE_OFFSET;
	kernel->cqe_offset = SCUSE_CQE_OFFSET;
	kernel->sqe_size = sizeof(struct scuse_sqe);
	kernel->cqe_size = sizeof(struct scuse_cqe);
	kernel->cdb_stride = SCUSE_CDB_STRIDE;
	kernel->sense_stride = SCUSE_SENSE_STRIDE;
	kernel->slot_size = queue->slot_pages << PAGE_SHIFT;
	/* Nothing of ours polls the CQ yet, so a worker must always ENTER after it has published. */
	kernel->flags = SCUSE_KERNEL_NEED_KICK;
}

/* Completions are taken from here on, and orphans handed out; scuse_orphans_replay() makes the queue live. */
void scuse_queue_start(struct scuse_queue *queue, struct scuse_session *sess)
{
	spin_lock(&queue->reap_lock);
	queue->sess = sess;
	spin_unlock(&queue->reap_lock);

	spin_lock(&queue->lock);
	queue->starting = true;
	queue->parking = !queue->dev->raw;
	spin_unlock(&queue->lock);
}

/*
 * From here on no tag is taken and none is published.  What comes waits, if the device's policy says so; of
 * one that was out of service before this remains as it is.  Process context.
 */
void scuse_queue_stop(struct scuse_queue *queue)
{
	bool park = scuse_orphans_parkable(queue->dev);

	spin_lock(&queue->lock);
	if (queue->live || queue->starting)
		queue->parking = park;
	queue->live = false;
	queue->starting = false;
	WRITE_ONCE(queue->kernel->flags, SCUSE_KERNEL_NEED_KICK | SCUSE_KERNEL_STOPPED);
	spin_unlock(&queue->lock);
	scuse_queue_wake_all(queue);
	if (park)
		scuse_orphans_arm(queue->dev);
}

/*
 * One sleeper in ENTER, or all pollers if userspace asked for it; nobody if the caller has plugged the
 * queue.
 */
void scuse_queue_wake(struct scuse_queue *queue)
{
	bool woken = false;

	if (READ_ONCE(queue->plugger) == current) {
		atomic_long_inc(&queue->suppressed);
		return;
	}
	/*
	 * Pairs with the sleeper's barrier between queueing itself (or setting NEED_WAKEUP) and reading
	 * sq_tail.
	 */
	smp_mb();
	if (waitqueue_active(&queue->enter_wait)) { /* after the barrier above */
		wake_up(&queue->enter_wait);
		woken = true;
	}
	if (READ_ONCE(queue->user->flags) & SCUSE_USER_NEED_WAKEUP && waitqueue_active(&queue->poll_wait)) {
		wake_up_poll(&queue->poll_wait, EPOLLIN | EPOLLRDNORM);
		woken = true;
	}
	atomic_long_inc(woken ? &queue->wakeups : &queue->suppressed);
}

/* The session or the device has ended. */
void scuse_queue_wake_all(struct scuse_queue *queue)
{
	wake_up_all(&queue->enter_wait);
	wake_up_poll(&queue->poll_wait, EPOLLIN | EPOLLHUP | EPOLLERR);
}

/* Queue of the CPU that the command was submitted on. */
struct scuse_queue *scuse_queue_of_cpu(struct scuse_device *dev, int cpu)
{
	return &dev->queues[(u32)cpu % dev->nr_queues];
}

/*
 * Core plugs a device around a batch of submissions of one CPU.  A plug silences wake-ups for what this
 * task publishes on the CPU's queue; other tasks on the same queue go on to wake by themselves.
 */
struct se_dev_plug *scuse_plug_device(struct se_device *se_dev)
{
	struct scuse_queue *queue = scuse_queue_of_cpu(to_scuse(se_dev), raw_smp_processor_id());

	if (cmpxchg(&queue->plugger, NULL, current))
		return NULL;
	queue->plug_tail = READ_ONCE(queue->sq_tail);
	return &queue->plug;
}

void scuse_unplug_device(struct se_dev_plug *plug)
{
	struct scuse_queue *queue = container_of(plug, struct scuse_queue, plug);

	bool published = READ_ONCE(queue->sq_tail) != queue->plug_tail;

	WRITE_ONCE(queue->plugger, NULL);
	if (published)
		scuse_queue_wake(queue);
}

/*
 * scuse_offline - what a command gets while no worker serves the device
 *
 * BUSY, in whose place scuse_execute() lets the command wait if it may; or NOT READY, LOGICAL UNIT NOT
 * READY, CAUSE NOT REPORTABLE.  False if the device is online; otherwise the command has been ended, or
 * *@ret says how core is to end it.
 */
bool scuse_offline(struct scuse_device *dev, struct se_cmd *cmd, sense_reason_t *ret)
{
	if (READ_ONCE(dev->state) == SCUSE_STATE_ONLINE)
		return false;
	if (READ_ONCE(dev->orphan_policy) != SCUSE_ORPHAN_ERROR) {
		*ret = TCM_LUN_BUSY;
		return true;
	}
	scuse_end_with_sense(cmd, SCUSE_KEY_NOT_READY, 0x04, 0x00);
	*ret = TCM_NO_SENSE;
	return true;
}

/*
 * Takes a free tag for a command that makes @claim; @reserve of them are left.  The claim is written down
 * before the tag changes its state, see range.h.
 */
static struct scuse_tag *scuse_tag_get(struct scuse_queue *queue, const struct scuse_claim *claim,
				       u32 reserve, u32 *generation)
{
	struct scuse_tag *tag = NULL;

	spin_lock(&queue->lock);
	if (queue->live && queue->nr_free > reserve) {
		tag = &queue->tags[queue->free[--queue->nr_free]];
		queue->used++;
	}
	spin_unlock(&queue->lock);
	if (!tag)
		return NULL;
	WRITE_ONCE(tag->claim.lba, claim->lba);
	WRITE_ONCE(tag->claim.blocks, claim->blocks);
	WRITE_ONCE(tag->claim.access, claim->access);
	*generation = scuse_tag_take(&tag->cell);
	WARN_ON_ONCE(!*generation);
	scuse_watch_note(&queue->dev->watch);
	return tag;
}

/*
 * scuse_queue_drained - is the session's end complete, as far as this queue goes?
 *
 * Returns the session that the caller must drop when it has released queue->lock, which is held, or NULL.
 */
struct scuse_session *scuse_queue_drained(struct scuse_queue *queue)
{
	if (likely(!queue->draining) || queue->used != queue->at_rest)
		return NULL;
	queue->draining = false;
	return READ_ONCE(queue->dev->session);
}

/*
 * scuse_queue_borrow - take the FREE tag at @position in the stack out of use, to do something to its slot
 *
 * It is then in KERNEL state, but has no command.  queue->lock is held.
 */
void scuse_queue_borrow(struct scuse_queue *queue, u32 position)
{
	struct scuse_tag *tag = &queue->tags[scuse_stack_remove(queue->free, &queue->nr_free, position)];

	queue->used++;
	WRITE_ONCE(tag->claim.access, SCUSE_ACCESS_NONE);
	WARN_ON_ONCE(!scuse_tag_take(&tag->cell));
}

/* scuse_queue_return - give such a tag back; no locks held but slots_lock.  As scuse_tag_put(). */
void scuse_queue_return(struct scuse_queue *queue, struct scuse_tag *tag, u32 position)
{
	u32 generation = scuse_tag_word_generation(scuse_tag_read(&tag->cell));
	struct scuse_session *drained;

	WARN_ON_ONCE(!scuse_tag_move(&tag->cell, generation, SCUSE_TAG_KERNEL, SCUSE_TAG_FREE));
	spin_lock(&queue->lock);
	scuse_stack_insert(queue->free, &queue->nr_free, position, tag - queue->tags);
	queue->used--;
	drained = scuse_queue_drained(queue);
	spin_unlock(&queue->lock);
	if (drained)
		scuse_session_drop(drained);
}

/*
 * scuse_tag_put - KERNEL to FREE, by whoever holds the tag
 * @add: statistics to account, or NULL
 *
 * A QUARANTINED tag stays what it is, and out of use; but nothing need wait for its claim, since nothing is
 * carried out until the process that had it has ended.
 *
 * May start the end of the session, see scuse.h.  Any process context.
 */
void scuse_tag_put(struct scuse_queue *queue, struct scuse_tag *tag, const struct scuse_queue_stats *add)
{
	u64 word = scuse_tag_read(&tag->cell);
	bool free = scuse_tag_word_state(word) != SCUSE_TAG_QUARANTINED;
	struct scuse_ranges *ranges = &queue->dev->ranges;
	struct scuse_session *drained;

	if (unlikely(tag->kept)) {
		kfree(tag->kept);
		tag->kept = NULL;
	}
	scuse_ranges_leave(ranges, &tag->claim);
	if (free)
		WARN_ON_ONCE(!scuse_tag_move(&tag->cell, scuse_tag_word_generation(word), SCUSE_TAG_KERNEL,
					     SCUSE_TAG_FREE));
	spin_lock(&queue->lock);
	if (add) {
		queue->stats.read_bytes += add->read_bytes;
		queue->stats.errors += add->errors;
		queue->stats.zeroed_bytes += add->zeroed_bytes;
	}
	if (free) {
		queue->free[queue->nr_free++] = tag - queue->tags;
		queue->used--;
	}
	drained = scuse_queue_drained(queue);
	spin_unlock(&queue->lock);
	scuse_ranges_left(ranges);
	if (drained)
		scuse_session_drop(drained);
}

/* What a command whose first submission is @op does to the medium. */
static enum scuse_access scuse_op_access(u8 op)
{
	switch (op) {
	case SCUSE_OP_READ:
		return SCUSE_ACCESS_READ;
	case SCUSE_OP_WRITE:
	case SCUSE_OP_WRITE_SAME:
	case SCUSE_OP_UNMAP:
		return SCUSE_ACCESS_WRITE;
	case SCUSE_OP_FORMAT:
	case SCUSE_OP_SANITIZE:
		return SCUSE_ACCESS_ATOMIC;
	default:
		return SCUSE_ACCESS_NONE;
	}
}

/* FORMAT and SANITIZE concern all blocks; where UNMAP's list leads is not known yet, nor what a CDB means. */
static void scuse_claim_set(struct scuse_claim *claim, const struct se_cmd *cmd, u8 op,
			    enum scuse_access access)
{
	bool all = op == SCUSE_OP_UNMAP || op == SCUSE_OP_FORMAT || op == SCUSE_OP_SANITIZE ||
		   op == SCUSE_OP_CDB;

	claim->lba = all ? 0 : cmd->t_task_lba;
	claim->blocks = all ? U64_MAX : cmd->t_task_nolb;
	claim->access = access;
}

/* What all submissions of a command have in common.  @io->cmd is NULL for one that has been answered. */
static void scuse_io_describe(struct scuse_io *io)
{
	struct se_cmd *cmd = io->cmd;

	io->sqe.tag = SCUSE_TAG(io->generation, io->tag - io->queue->tags);
	if (!cmd)
		return;
	io->sqe.nexus = scuse_nexus_id(cmd);
	memcpy(io->sqe.cdb, cmd->t_task_cdb,
	       min_t(u32, scsi_command_size(cmd->t_task_cdb), SCUSE_CDB_INLINE));
	switch (cmd->sam_task_attr) {
	case TCM_ORDERED_TAG:
		io->sqe.flags |= SCUSE_SQE_ATTR_ORDERED;
		break;
	case TCM_HEAD_TAG:
		io->sqe.flags |= SCUSE_SQE_ATTR_HEAD_OF_QUEUE;
		break;
	default:
		break;
	}
}

/* The tag of @io is new: what its first submission starts from. */
static void scuse_io_equip(struct scuse_io *io, u8 op)
{
	struct scuse_tag *tag = io->tag;

	tag->cmd = io->cmd;
	tag->sgl = NULL;
	tag->nents = 0;
	tag->data_in = false;
	tag->lost = SCUSE_LOST_NOT;
	tag->transfer = 0;
	tag->step = NULL;
	tag->refill = NULL;
	tag->done = 0;
	io->sqe.op = op;
	scuse_io_describe(io);
}

/*
 * scuse_io_begin_as - take a tag for @cmd and fill in what all submissions have in common
 * @op: of the first submission
 * @access: to the t_task_nolb blocks from t_task_lba on, for the whole of the command
 *
 * True: the caller owns io->tag in KERNEL state, sets the rest of io->sqe, and must call
 * scuse_io_submit() or scuse_io_abandon().  False: no tag; return *@ret to core.
 */
bool scuse_io_begin_as(struct scuse_io *io, struct se_cmd *cmd, u8 op, enum scuse_access access,
		       sense_reason_t *ret)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	struct scuse_queue *home = scuse_queue_of_cpu(dev, cmd->cpuid);
	struct scuse_claim claim;
	u32 i;

	memset(io, 0, sizeof(*io));
	io->cmd = cmd;
	scuse_claim_set(&claim, cmd, op, access);
	for (i = 0; i < dev->nr_queues && !io->tag; i++) {
		io->queue = &dev->queues[(home->index + i) % dev->nr_queues];
		io->tag = scuse_tag_get(io->queue, &claim, io->queue->reserve, &io->generation);
	}
	if (!io->tag) {
		atomic_long_inc(&home->busy);
		if (!scuse_offline(dev, cmd, ret))
			*ret = READ_ONCE(home->live) ? TCM_OUT_OF_RESOURCES : TCM_LUN_BUSY;
		return false;
	}
	/* While this command is under way the device and its session stay. */
	if (scuse_queue_has_completions(io->queue))
		scuse_queue_reap(io->queue);

	scuse_io_equip(io, op);
	io->sqe.lba = cmd->t_task_lba;
	return true;
}

/*
 * scuse_io_begin_own - likewise, for what the kernel half wants of userspace itself; io->cmd is NULL
 *
 * With queue 0 and no claim.  A reset takes the tag that is reserved for it, if there is no other.  False: no
 * tag, or nobody serves the device.
 */
bool scuse_io_begin_own(struct scuse_io *io, struct scuse_device *dev, u8 op)
{
	static const struct scuse_claim none;

	memset(io, 0, sizeof(*io));
	io->queue = &dev->queues[0];
	io->tag = scuse_tag_get(io->queue, &none, op == SCUSE_OP_LU_RESET ? 0 : io->queue->reserve,
				&io->generation);
	if (io->tag)
		scuse_io_equip(io, op);
	return io->tag;
}

/* scuse_io_begin - likewise, with the access that @op implies */
bool scuse_io_begin(struct scuse_io *io, struct se_cmd *cmd, u8 op, sense_reason_t *ret)
{
	return scuse_io_begin_as(io, cmd, op, scuse_op_access(op), ret);
}

/* scuse_io_recall - a tag that the caller holds in KERNEL state, as scuse_io_begin() would give it */
void scuse_io_recall(struct scuse_io *io, struct scuse_queue *queue, struct scuse_tag *tag)
{
	memset(io, 0, sizeof(*io));
	io->cmd = tag->cmd;
	io->queue = queue;
	io->tag = tag;
	io->generation = scuse_tag_word_generation(scuse_tag_read(&tag->cell));
	scuse_io_describe(io);
}

/* scuse_io_restore - likewise, with the submission that the tag was last used for, or waits with */
void scuse_io_restore(struct scuse_io *io, struct scuse_tag *tag)
{
	scuse_io_recall(io, tag->queue, tag);
	io->sqe.op = tag->op;
	io->sqe.flags = tag->flags;
	io->sqe.lba = tag->lba;
	io->sqe.blocks = tag->blocks;
	io->sqe.data_len = tag->data_len;
}

/* Writes one entry and publishes it.  queue->lock is held. */
static void scuse_publish(struct scuse_queue *queue, const struct scuse_sqe *sqe)
{
	u32 tail = queue->sq_tail;

	queue->sqes[scuse_ring_entry(tail, queue->sq_entries)] = *sqe;
	WRITE_ONCE(queue->sq_tail, tail + 1);
	/* Pairs with userspace's load-acquire: the entry is there before the tail says so. */
	smp_store_release(&queue->kernel->sq_tail, tail + 1);
}

/* The part of a submission that cannot be told from tag and command. */
static void scuse_io_keep(const struct scuse_io *io)
{
	struct scuse_tag *tag = io->tag;

	tag->op = io->sqe.op;
	tag->flags = io->sqe.flags;
	tag->lba = io->sqe.lba;
	tag->blocks = io->sqe.blocks;
	tag->data_len = io->sqe.data_len;
}

/* queue->lock is held. */
static void scuse_publish_count(struct scuse_queue *queue, const struct scuse_sqe *sqe)
{
	if (unlikely(sqe->flags & SCUSE_SQE_F_REPLAY)) {
		queue->stats.replayed++;
		return;
	}
	queue->stats.commands++;
	if (sqe->op == SCUSE_OP_WRITE || sqe->flags & SCUSE_SQE_F_DATA_OUT)
		queue->stats.write_bytes += sqe->data_len;
	else if (sqe->op == SCUSE_OP_UNMAP)
		queue->stats.unmap_blocks += sqe->blocks;
}

/*
 * Hands a submission that has been kept to userspace; false: the session has ended, and the caller still
 * owns the tag.
 * @replay: on behalf of START, before the queue is live
 *
 * As soon as the entry is published the command may complete, and command, tag, even the device may go:
 * nothing of them is touched afterwards but the queue, which RCU keeps (see scuse_free_device()).
 */
static bool scuse_io_publish(struct scuse_io *io, bool replay)
{
	struct scuse_queue *queue = io->queue;
	bool live;

	trace_submit(queue->dev->id, queue->index, &io->sqe);
	scuse_deadline_start(&io->tag->deadline, jiffies);

	rcu_read_lock();
	spin_lock(&queue->lock);
	live = queue->live || (replay && queue->starting);
	if (live) {
		scuse_publish_count(queue, &io->sqe);
		io->tag->position = queue->sq_tail;
		WARN_ON_ONCE(
			!scuse_tag_move(&io->tag->cell, io->generation, SCUSE_TAG_KERNEL, SCUSE_TAG_USER));
		scuse_publish(queue, &io->sqe);
	}
	spin_unlock(&queue->lock);
	if (live)
		scuse_queue_wake(queue);
	rcu_read_unlock();

	if (!live)
		atomic_long_inc(&queue->busy);
	return live;
}

/*
 * Must the submission wait for its turn (range.h)?  Then nothing of @io may be touched any more.  Otherwise
 * *@go says whether its session, and with it what has been put into the slot, is still there.
 */
static bool scuse_io_turn(struct scuse_io *io, bool *go)
{
	bool waits;

	/* It may be resumed and over, and the device be gone, before we know that it waits. */
	rcu_read_lock();
	scuse_orphan_rest(io->tag);
	waits = scuse_ranges_wait(&io->queue->dev->ranges, &io->tag->claim);
	rcu_read_unlock();
	if (!waits)
		*go = scuse_orphan_rested(io->tag);
	return waits;
}

/*
 * scuse_io_submit - the first submission of a command
 *
 * It goes to userspace at once, or when no other command is in its way (range.h).  Nothing of @io may be
 * touched afterwards.  May sleep for memory.
 */
sense_reason_t scuse_io_submit(struct scuse_io *io)
{
	struct scuse_ranges *ranges = &io->queue->dev->ranges;
	bool go = true;

	if (scuse_io_back(io)) {
		scuse_io_abandon(io);
		return TCM_OUT_OF_RESOURCES;
	}
	scuse_io_keep(io);
	if (unlikely(scuse_ranges_concern(ranges, &io->tag->claim)) && scuse_io_turn(io, &go))
		return TCM_NO_SENSE;
	if (go && scuse_io_publish(io, false))
		return TCM_NO_SENSE;
	scuse_io_abandon(io);
	return TCM_LUN_BUSY;
}

static void scuse_io_renew(struct scuse_io *io)
{
	io->generation = scuse_tag_renew(&io->tag->cell, io->generation);
	WARN_ON_ONCE(!io->generation);
	io->sqe.tag = SCUSE_TAG(io->generation, io->tag - io->queue->tags);
	scuse_io_keep(io);
}

/*
 * scuse_io_again - a further submission of a command whose tag we hold
 *
 * Under a new generation, see tag.h.  If the session has ended it waits for the next one.  False: it may not;
 * the caller ends the command.
 */
bool scuse_io_again(struct scuse_io *io)
{
	if (scuse_tag_word_state(scuse_tag_read(&io->tag->cell)) == SCUSE_TAG_QUARANTINED)
		return false;
	scuse_io_renew(io);
	return scuse_io_publish(io, false) || scuse_orphan_park(io);
}

/* scuse_io_replay - hand out what has waited; false: the session has ended, and the caller still owns it */
bool scuse_io_replay(struct scuse_io *io)
{
	io->tag->lost = SCUSE_LOST_NOT;
	scuse_io_renew(io);
	return scuse_io_publish(io, true);
}

/* Does a claim that is not listed stand in the way of @claim?  See range.h; its lock is held. */
static bool scuse_tag_conflicts(struct scuse_tag *tag, const struct scuse_claim *claim)
{
	struct scuse_claim other = {};
	u64 word;

	if (&tag->claim == claim || tag->claim.state != SCUSE_CLAIM_LOOSE)
		return false;
	do {
		word = scuse_tag_read(&tag->cell);
		if (!scuse_tag_under_way(word))
			return false;
		smp_rmb(); /* the claim was written before the tag left FREE */
		other.lba = READ_ONCE(tag->claim.lba);
		other.blocks = READ_ONCE(tag->claim.blocks);
		other.access = READ_ONCE(tag->claim.access);
		smp_rmb(); /* and is not that of the next command, if the word is the same */
	} while (word != scuse_tag_read(&tag->cell));
	return scuse_claims_conflict(&other, claim);
}

static bool scuse_ranges_busy(struct scuse_ranges *ranges, const struct scuse_claim *claim)
{
	struct scuse_device *dev = container_of(ranges, struct scuse_device, ranges);
	u32 i, j;

	for (i = 0; i < dev->nr_queues; i++) {
		struct scuse_queue *queue = &dev->queues[i];

		/* Raised before the first of its tags leaves FREE. */
		if (!READ_ONCE(queue->used))
			continue;
		for (j = 0; j < queue->depth; j++) {
			if (scuse_tag_conflicts(&queue->tags[j], claim))
				return true;
		}
	}
	return false;
}

/*
 * A parked command goes on.  Nobody else holds its tag.  If it waited for one that changed the parameters of
 * a raw LUN, its length may be wrong now, and its initiator has a unit attention to hear first.
 */
static void scuse_ranges_resume(struct scuse_ranges *ranges, struct scuse_claim *claim)
{
	struct scuse_tag *tag = container_of(claim, struct scuse_tag, claim);
	struct scuse_io io;
	bool go, kept;

	go = scuse_orphan_granted(tag, &kept);
	if (kept)
		return;
	scuse_io_restore(&io, tag);
	if (scuse_given_up(io.cmd) || (tag->queue->dev->raw && scuse_rawparam_changed(tag)))
		go = false;
	if (!go || !(scuse_io_publish(&io, false) || scuse_orphan_park(&io)))
		scuse_tag_refuse(tag->queue, tag);
}

static bool scuse_claim_given_up(const struct scuse_claim *claim)
{
	return scuse_forsaken(container_of(claim, struct scuse_tag, claim)->cmd);
}

/* Ends the parked commands that nobody waits for any more: what they wait for may take its time. */
void scuse_parked_abort(struct scuse_device *dev)
{
	struct scuse_claim *claim;

	while ((claim = scuse_ranges_evict(&dev->ranges, scuse_claim_given_up))) {
		struct scuse_tag *tag = container_of(claim, struct scuse_tag, claim);

		scuse_orphan_rested(tag);
		scuse_tag_refuse(tag->queue, tag);
	}
}

/* What queues have in common, of a device that nobody else knows yet; the queues come with its being enabled. */
void scuse_queues_init(struct scuse_device *dev)
{
	scuse_ranges_init(&dev->ranges, scuse_ranges_busy, scuse_ranges_resume);
}

/* Gives the tag of a command that was not submitted back. */
void scuse_io_abandon(struct scuse_io *io)
{
	scuse_tag_put(io->queue, io->tag, NULL);
}

/* An entry without a completion; false if userspace has not read far enough to have room for it.  Process context. */
bool scuse_queue_advise(struct scuse_queue *queue, const struct scuse_sqe *sqe)
{
	u32 user_head = READ_ONCE(queue->user->sq_head);
	bool sent = false;

	spin_lock(&queue->lock);
	if (queue->live &&
	    scuse_ring_advisory_room(queue->sq_tail, user_head, queue->sq_entries, queue->depth)) {
		scuse_publish(queue, sqe);
		sent = true;
	}
	spin_unlock(&queue->lock);
	if (sent)
		scuse_queue_wake(queue);
	return sent;
}
