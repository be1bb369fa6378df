// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands that wait for a worker.  orphan.h has the rules, the top of scuse.h what it is for.
 *
 * There are two kinds, in two lists of a queue:
 *
 *	queue.holders	commands that have not begun.  Nobody served the device when they came, or no
 *			longer when they were about to be submitted (cdb.c).  The tag is a place holder,
 *			without slot or claim; after START the command is executed from its beginning.
 *	queue.orphans	submissions, with tag, claim and step function: those that a dead session had, in
 *			the order in which it was handed them; behind them steps and granted claims that
 *			found no session.  START hands them out again, under new generations, before the
 *			queue goes live.  What lay in a slot is gone with the session: scuse_tag.refill
 *			makes it anew.
 *
 *	          session ends                          START                       live
 *	   USER ----------------> queue.orphans -------------------------> USER
 *	   steps, claims --------^      |
 *	   execute -------------> queue.holders ------------------------------------> executed
 *	                                |
 *	                                +---> ended: aborted, timeout, policy, LUN or device removed
 *
 * A tag in a list is in KERNEL state.  Whoever takes it out, under queue.lock, owns it.
 *
 * Nothing waits for ever that somebody else waits for: the watch (watch.c), which runs while there is
 * something in a list, ends those whose initiator or fabric has given them up, or whose LUN is being
 * removed (core waits for the LUN's commands then).  A command that core would not miss that way, since it
 * belongs to no LUN, does not wait.
 *
 * Context: process context.  scuse_orphan_work() and those called with scuse_device.lock may sleep, the
 * others do not.
 */
#include <linux/list_sort.h>
#include <linux/percpu-refcount.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_backend.h>
#include <target/target_core_fabric.h>
#include "orphan.h"
#include "scuse.h"
#include "sense.h"

static u64 scuse_orphans_left(struct scuse_device *dev)
{
	return scuse_orphan_left(READ_ONCE(dev->orphan_timeout), scuse_offline_ms(dev));
}

/* Milliseconds since the device went offline. */
u64 scuse_offline_ms(struct scuse_device *dev)
{
	return div_u64((u64)(jiffies - READ_ONCE(dev->offline_since)) * MSEC_PER_SEC, HZ);
}

/* scuse_orphans_arm - commands may wait now: look at the clock when their time is up.  Any context. */
void scuse_orphans_arm(struct scuse_device *dev)
{
	u64 left = scuse_orphans_left(dev);

	if (left != SCUSE_NO_LIMIT)
		mod_delayed_work(scuse_workqueue, &dev->orphan_work,
				 msecs_to_jiffies(min_t(u64, left, INT_MAX)) + 1);
}

/* ---- the lists; queue->lock is held ------------------------------------------------------------------- */

static void scuse_orphan_counted(struct scuse_queue *queue, u32 count)
{
	WRITE_ONCE(queue->waiting, queue->waiting + count);
	queue->at_rest += count;
}

static void scuse_orphan_out(struct scuse_queue *queue, struct scuse_tag *tag)
{
	list_del(&tag->node);
	WRITE_ONCE(queue->waiting, queue->waiting - 1);
	queue->at_rest--;
}

static struct scuse_tag *scuse_orphan_pop(struct scuse_queue *queue, struct list_head *list)
{
	struct scuse_tag *tag = list_first_entry_or_null(list, struct scuse_tag, node);

	if (tag)
		scuse_orphan_out(queue, tag);
	return tag;
}

/* Does anybody wait for @cmd to end?  Core waits for the commands of a LUN before it removes it. */
bool scuse_forsaken(struct se_cmd *cmd)
{
	return scuse_given_up(cmd) ||
	       (cmd && cmd->lun_ref_active && percpu_ref_is_dying(&cmd->se_lun->lun_ref));
}

/* May @cmd wait at all?  NULL: it has been answered, and nobody waits for it. */
static bool scuse_orphan_may_wait(struct se_cmd *cmd)
{
	return !cmd || (cmd->lun_ref_active && !scuse_forsaken(cmd));
}

/* ---- the end of a command that has waited ------------------------------------------------------------- */

/*
 * Ends what @tag, which the caller owns, stands for.  A step function sees SCUSE_OP_NONE if userspace has
 * never had it.
 */
static void scuse_orphan_end(struct scuse_tag *tag, u8 status)
{
	bool seen = tag->flags & SCUSE_SQE_F_REPLAY;

	if (!seen)
		tag->op = SCUSE_OP_NONE;
	tag->lost = seen ? SCUSE_LOST_BUSY : SCUSE_LOST_NOT;
	if (status == SAM_STAT_BUSY && READ_ONCE(tag->queue->dev->orphan_policy) == SCUSE_ORPHAN_ERROR)
		tag->lost = SCUSE_LOST_ERROR;
	tag->status = status;
	tag->sense_len = 0;
	tag->filled = 0;
	scuse_complete(tag->queue, tag);
}

/* Ends a private list of them; returns how many there were. */
static u32 scuse_orphans_end(struct list_head *list)
{
	struct scuse_tag *tag, *next;
	u32 count = 0;

	list_for_each_entry_safe(tag, next, list, node) {
		scuse_orphan_end(tag, SAM_STAT_BUSY);
		count++;
	}
	return count;
}

/* What has been answered can wait for any session, unless the device goes. */
static u32 scuse_queue_flush(struct scuse_queue *queue, bool all)
{
	struct scuse_tag *tag, *next;
	LIST_HEAD(list);

	spin_lock(&queue->lock);
	queue->parking = false;
	while ((tag = scuse_orphan_pop(queue, &queue->holders)))
		list_add_tail(&tag->node, &list);
	list_for_each_entry_safe(tag, next, &queue->orphans, node) {
		if (!all && !tag->cmd)
			continue;
		scuse_orphan_out(queue, tag);
		list_add_tail(&tag->node, &list);
	}
	spin_unlock(&queue->lock);
	return scuse_orphans_end(&list);
}

static void scuse_list_abort(struct scuse_queue *queue, struct list_head *list, struct list_head *out)
{
	struct scuse_tag *tag, *next;

	list_for_each_entry_safe(tag, next, list, node) {
		if (!tag->cmd || !scuse_forsaken(tag->cmd))
			continue;
		scuse_orphan_out(queue, tag);
		list_add_tail(&tag->node, out);
	}
}

/*
 * scuse_orphans_abort - end what waits although nobody wants it any more
 *
 * The caller keeps the device.
 */
void scuse_orphans_abort(struct scuse_device *dev)
{
	u32 i;

	for (i = 0; i < dev->nr_queues; i++) {
		struct scuse_queue *queue = &dev->queues[i];
		LIST_HEAD(list);

		if (!READ_ONCE(queue->waiting))
			continue;
		spin_lock(&queue->lock);
		scuse_list_abort(queue, &queue->orphans, &list);
		scuse_list_abort(queue, &queue->holders, &list);
		spin_unlock(&queue->lock);
		scuse_orphans_end(&list);
	}
}

/* ---- how commands come to wait ------------------------------------------------------------------------ */

/* Makes a free tag a place holder; queue->lock is held. */
static void scuse_holder_add(struct scuse_queue *queue, struct se_cmd *cmd)
{
	struct scuse_tag *tag = &queue->tags[queue->free[--queue->nr_free]];

	queue->used++;
	WRITE_ONCE(tag->claim.blocks, 0);
	WRITE_ONCE(tag->claim.access, SCUSE_ACCESS_NONE);
	WARN_ON_ONCE(!scuse_tag_take(&tag->cell));
	tag->cmd = cmd;
	tag->step = NULL;
	tag->op = SCUSE_OP_NONE;
	tag->flags = 0;
	list_add_tail(&tag->node, &queue->holders);
	scuse_orphan_counted(queue, 1);
	scuse_watch_note(&queue->dev->watch);
}

/* One queue's answer for scuse_orphan_hold(); SCUSE_HOLD_FULL: another one may have room. */
static enum scuse_hold scuse_queue_hold(struct scuse_queue *queue, struct se_cmd *cmd)
{
	enum scuse_hold hold = SCUSE_HOLD_NOT;

	spin_lock(&queue->lock);
	if (queue->nr_free <= queue->reserve) {
		if (queue->live || queue->parking)
			hold = SCUSE_HOLD_FULL;
	} else if (queue->live) {
		hold = SCUSE_HOLD_AGAIN;
	} else if (queue->parking && scuse_orphan_may_wait(cmd)) {
		scuse_holder_add(queue, cmd);
		hold = SCUSE_HOLD_HELD;
	}
	spin_unlock(&queue->lock);
	return hold;
}

/*
 * scuse_orphan_hold - let a command wait that has not begun, since nobody serves the device
 *
 * HELD: it is no longer the caller's, and may be under way already.  AGAIN: somebody serves the device now,
 * execute it again.  FULL: there is no tag for it.  NOT: it may not wait.
 */
enum scuse_hold scuse_orphan_hold(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u32 home = scuse_queue_of_cpu(dev, cmd->cpuid)->index;
	enum scuse_hold hold = SCUSE_HOLD_NOT;
	bool full = false;
	u32 i;

	for (i = 0; i < dev->nr_queues; i++) {
		hold = scuse_queue_hold(&dev->queues[(home + i) % dev->nr_queues], cmd);
		if (hold == SCUSE_HOLD_HELD || hold == SCUSE_HOLD_AGAIN)
			return hold;
		full |= hold == SCUSE_HOLD_FULL;
	}
	return full ? SCUSE_HOLD_FULL : SCUSE_HOLD_NOT;
}

/*
 * Puts a submission behind the orphans; queue->lock is held.  If the next session is there already, and its
 * START has seen the list empty, the work hands it out.
 */
static void scuse_orphan_join(struct scuse_queue *queue, struct scuse_tag *tag)
{
	list_add_tail(&tag->node, &queue->orphans);
	scuse_orphan_counted(queue, 1);
	if (queue->live)
		mod_delayed_work(scuse_workqueue, &queue->dev->orphan_work, 0);
}

/*
 * scuse_orphan_park - let a submission wait that found its session gone
 *
 * True: the tag is no longer the caller's.  False: it may not wait.
 */
bool scuse_orphan_park(struct scuse_io *io)
{
	struct scuse_queue *queue = io->queue;
	struct scuse_session *drained = NULL;
	bool park;

	spin_lock(&queue->lock);
	park = !queue->dev->raw && (queue->parking || queue->live) && scuse_orphan_may_wait(io->cmd);
	if (park) {
		scuse_orphan_join(queue, io->tag);
		drained = scuse_queue_drained(queue);
	}
	spin_unlock(&queue->lock);
	if (drained)
		scuse_session_drop(drained);
	return park;
}

/*
 * scuse_orphan_granted - @tag's claim has been granted; may it be published as it is?
 *
 * Otherwise it may have joined the orphans: *@kept.  While it waited for its turn, at rest, a session may
 * have ended, and with it what lay in its slot.
 */
bool scuse_orphan_granted(struct scuse_tag *tag, bool *kept)
{
	struct scuse_queue *queue = tag->queue;
	bool go;

	spin_lock(&queue->lock);
	queue->at_rest--;
	go = queue->live && tag->resets == queue->resets;
	*kept = !go && !queue->dev->raw && (queue->live || queue->parking);
	if (*kept)
		scuse_orphan_join(queue, tag);
	spin_unlock(&queue->lock);
	return go;
}

/* scuse_orphan_rest - @tag is going to wait for its turn (range.h); its submitter still has it */
void scuse_orphan_rest(struct scuse_tag *tag)
{
	struct scuse_queue *queue = tag->queue;
	struct scuse_session *drained;

	spin_lock(&queue->lock);
	tag->resets = queue->resets;
	queue->at_rest++;
	drained = scuse_queue_drained(queue);
	spin_unlock(&queue->lock);
	if (drained)
		scuse_session_drop(drained);
}

/* scuse_orphan_rested - it need not wait; false: the session has ended, and the slot may be empty */
bool scuse_orphan_rested(struct scuse_tag *tag)
{
	struct scuse_queue *queue = tag->queue;
	bool go;

	spin_lock(&queue->lock);
	queue->at_rest--;
	go = queue->live && tag->resets == queue->resets;
	spin_unlock(&queue->lock);
	return go;
}

/*
 * scuse_orphan_lost - @tag was in userspace's hands when its session ended; what now?
 *
 * The caller has taken it; sets scuse_tag.lost.  True: it waits, see scuse_orphans_adopt().
 */
bool scuse_orphan_lost(struct scuse_tag *tag)
{
	struct scuse_device *dev = tag->queue->dev;
	enum scuse_lost lost = SCUSE_LOST_BUSY;

	if (!dev->raw && scuse_orphan_may_wait(tag->cmd))
		lost = scuse_orphan_fate(READ_ONCE(dev->orphan_policy), READ_ONCE(dev->inflight_policy),
					 scuse_device_has(dev, SCUSE_FEATURE_REPLAY_SAFE),
					 READ_ONCE(tag->queue->parking));
	tag->lost = lost;
	return lost == SCUSE_LOST_NOT;
}

static int scuse_orphan_order(void *unused, const struct list_head *a, const struct list_head *b)
{
	const struct scuse_tag *left = list_entry(a, struct scuse_tag, node);
	const struct scuse_tag *right = list_entry(b, struct scuse_tag, node);

	return scuse_orphan_before(right->position, left->position);
}

/* scuse_orphans_adopt - those of a session that has ended, a private list, wait, in front of all others */
void scuse_orphans_adopt(struct scuse_queue *queue, struct list_head *list)
{
	struct scuse_tag *tag;
	u32 count = 0;

	list_sort(NULL, list, scuse_orphan_order);
	list_for_each_entry(tag, list, node) {
		tag->flags |= SCUSE_SQE_F_REPLAY;
		count++;
	}
	spin_lock(&queue->lock);
	if (queue->parking) {
		list_splice_init(list, &queue->orphans);
		scuse_orphan_counted(queue, count);
	}
	spin_unlock(&queue->lock);
	/* The time was up before the process was gone. */
	scuse_orphans_end(list);
}

/* ---- how they go on ----------------------------------------------------------------------------------- */

/* Does a submission that an earlier session's figures allowed still fit?  False: the command has been ended. */
static bool scuse_orphan_fits(struct scuse_io *io)
{
	struct scuse_queue_stats stats = { .errors = 1 };
	struct scuse_device *dev = io->queue->dev;
	struct se_cmd *cmd = io->cmd;
	u64 blocks = scuse_device_blocks(dev);
	u8 op = io->sqe.op;

	if (io->sqe.flags & SCUSE_SQE_F_REPLAY && !scuse_device_has(dev, SCUSE_FEATURE_REPLAY_SAFE)) {
		scuse_orphan_end(io->tag, SAM_STAT_BUSY);
		return false;
	}
	if (op != SCUSE_OP_READ && op != SCUSE_OP_WRITE && op != SCUSE_OP_WRITE_SAME &&
	    op != SCUSE_OP_EXTENTS)
		return true;
	if (io->sqe.lba <= blocks && io->sqe.blocks <= blocks - io->sqe.lba)
		return true;
	scuse_tag_put(io->queue, io->tag, &stats);
	if (cmd)
		scuse_end_reason(cmd, TCM_ADDRESS_OUT_OF_RANGE);
	return false;
}

/* Hands @tag, which the caller owns, out; false: the session has ended, and the caller still owns it. */
static bool scuse_orphan_resume(struct scuse_tag *tag)
{
	struct scuse_io io;

	scuse_io_restore(&io, tag);
	if (!scuse_orphan_may_wait(io.cmd)) {
		scuse_orphan_end(tag, SAM_STAT_BUSY);
		return true;
	}
	if (!scuse_orphan_fits(&io))
		return true;
	if ((tag->refill && tag->refill(&io)) || scuse_io_back(&io)) {
		scuse_orphan_end(tag, SAM_STAT_TASK_SET_FULL);
		return true;
	}
	return scuse_io_replay(&io);
}

/*
 * Hands out the orphans of a queue whose session has started, one by one.  When none is left a queue that
 * START is preparing goes live.  dev->lock is held: nobody else does the same.
 */
static void scuse_queue_replay(struct scuse_queue *queue)
{
	struct scuse_tag *tag;

	for (;;) {
		spin_lock(&queue->lock);
		tag = queue->live || queue->starting ? scuse_orphan_pop(queue, &queue->orphans) : NULL;
		if (!tag && queue->starting) {
			queue->starting = false;
			queue->parking = false;
			queue->live = true;
		}
		spin_unlock(&queue->lock);
		if (!tag)
			return;
		if (scuse_orphan_resume(tag))
			continue;
		spin_lock(&queue->lock);
		list_add(&tag->node, &queue->orphans);
		scuse_orphan_counted(queue, 1);
		spin_unlock(&queue->lock);
	}
}

/* scuse_orphans_replay - START: the orphans, in order, then all queues are live.  dev->lock is held. */
void scuse_orphans_replay(struct scuse_device *dev)
{
	u32 i;

	for (i = 0; i < dev->nr_queues; i++)
		scuse_queue_replay(&dev->queues[i]);
}

/* As core does it; what comes back is a status that core would send. */
static void scuse_holder_execute(struct se_cmd *cmd)
{
	switch (cmd->execute_cmd(cmd)) {
	case TCM_NO_SENSE:
		break;
	case TCM_OUT_OF_RESOURCES:
		target_complete_cmd(cmd, SAM_STAT_TASK_SET_FULL);
		break;
	case TCM_RESERVATION_CONFLICT:
		target_complete_cmd(cmd, SAM_STAT_RESERVATION_CONFLICT);
		break;
	default:
		target_complete_cmd(cmd, SAM_STAT_BUSY);
		break;
	}
}

/*
 * scuse_orphans_execute - after START, what has not begun begins
 *
 * No lock is held; the caller keeps the device.  If the session ends meanwhile the rest stays.
 */
void scuse_orphans_execute(struct scuse_device *dev)
{
	u32 i;

	for (i = 0; i < dev->nr_queues; i++) {
		struct scuse_queue *queue = &dev->queues[i];
		struct scuse_tag *tag;
		struct se_cmd *cmd;

		for (;;) {
			spin_lock(&queue->lock);
			tag = queue->live ? scuse_orphan_pop(queue, &queue->holders) : NULL;
			spin_unlock(&queue->lock);
			if (!tag)
				break;
			cmd = tag->cmd;
			scuse_tag_put(queue, tag, NULL);
			scuse_holder_execute(cmd);
		}
	}
}

/* ---- time, and policies ------------------------------------------------------------------------------- */

/* dev->lock is held. */
static bool scuse_device_served(struct scuse_device *dev)
{
	return dev->session && atomic_read(&dev->session->state) == SCUSE_SESSION_STARTED;
}

static bool scuse_device_parking(struct scuse_device *dev)
{
	u32 i;

	for (i = 0; i < dev->nr_queues; i++) {
		if (READ_ONCE(dev->queues[i].parking))
			return true;
	}
	return false;
}

static void scuse_device_park(struct scuse_device *dev)
{
	u32 i;

	for (i = 0; i < dev->nr_queues; i++) {
		struct scuse_queue *queue = &dev->queues[i];

		spin_lock(&queue->lock);
		queue->parking = !queue->live;
		spin_unlock(&queue->lock);
	}
	scuse_orphans_arm(dev);
}

static u32 scuse_device_flush(struct scuse_device *dev, bool all)
{
	u32 count = 0;
	u32 i;

	for (i = 0; i < dev->nr_queues; i++)
		count += scuse_queue_flush(&dev->queues[i], all);
	return count;
}

/* May commands that come while nobody serves @dev wait?  For whoever takes queues out of service. */
bool scuse_orphans_parkable(struct scuse_device *dev)
{
	return !dev->raw && READ_ONCE(dev->state) != SCUSE_STATE_REMOVING &&
	       scuse_orphan_wait(READ_ONCE(dev->orphan_policy), scuse_orphans_left(dev));
}

static void scuse_orphans_expired(struct scuse_device *dev, u32 count)
{
	char message[96];

	scnprintf(message, sizeof(message), "nobody has served the device for %d seconds: %u commands failed",
		  READ_ONCE(dev->orphan_timeout), count);
	pr_warn("%s: %s\n", dev->name, message);
	scuse_event_device(dev, SCUSE_EVENT_COMMANDS_FAILED, message);
}

/*
 * scuse_orphans_review - enforce what attributes and clock say
 *
 * When the device has been enabled, when a policy has changed, when the time is up.  dev->lock is held.
 */
void scuse_orphans_review(struct scuse_device *dev)
{
	bool parking = scuse_device_parking(dev);
	u32 count;

	if (!dev->enabled || scuse_device_served(dev))
		return;
	if (scuse_orphans_parkable(dev)) {
		scuse_device_park(dev);
		return;
	}
	count = scuse_device_flush(dev, false);
	if (parking && READ_ONCE(dev->orphan_policy) == SCUSE_ORPHAN_WAIT)
		scuse_orphans_expired(dev, count);
}

/* scuse_orphans_forget - the device goes away: nothing waits, nothing will.  Context: may sleep; no locks. */
void scuse_orphans_forget(struct scuse_device *dev)
{
	mutex_lock(&dev->lock);
	scuse_device_flush(dev, true);
	mutex_unlock(&dev->lock);
	cancel_delayed_work_sync(&dev->orphan_work);
}

/* dev->lock is held. */
static void scuse_orphans_look(struct scuse_device *dev)
{
	if (scuse_device_served(dev)) {
		/* Granted claims whose slots have to be filled again, see scuse_orphan_granted(). */
		scuse_orphans_replay(dev);
		return;
	}
	if (!scuse_device_parking(dev))
		return;
	scuse_orphans_review(dev);
}

void scuse_orphan_work(struct work_struct *work)
{
	struct scuse_device *dev = container_of(to_delayed_work(work), struct scuse_device, orphan_work);

	mutex_lock(&dev->lock);
	if (dev->enabled)
		scuse_orphans_look(dev);
	mutex_unlock(&dev->lock);
}
