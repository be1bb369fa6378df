// SPDX-License-Identifier: GPL-2.0-only
/*
 * The completion half of a queue: takes completion entries, checks them, and ends the commands.  Called
 * by ENTER (the worker's thread), by submitters that find entries waiting, and at the end of a session.
 *
 * Trust: cq_tail is loaded once, the loop is bounded by what it may say, each entry is copied once and
 * only the copy is used (cqe.h has the rules).  Sense data is copied once, from the tag's slot.
 *
 * Locking: entries are taken and tags claimed under reap_lock, which is short; data is copied and
 * commands are ended after it has been dropped, by several reapers at the same time if need be.  Since
 * taking entries blocks on the lock rather than trying it, no entry can be missed: who published before
 * it called ENTER finds them taken, by itself or by another.
 */
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "ring.h"
#include "scuse.h"
#include "sense.h"
#include "trace.h"

/* Claimed tags, first in first out, linked by index. */
struct scuse_claimed {
	u16 first;
	u16 last;
};

static void scuse_claimed_add(struct scuse_queue *queue, struct scuse_claimed *list, u16 index)
{
	queue->tags[index].next = SCUSE_END_OF_LIST;
	if (list->first == SCUSE_END_OF_LIST)
		list->first = index;
	else
		queue->tags[list->last].next = index;
	list->last = index;
}

/* One read of each byte. */
static void scuse_cqe_copy(struct scuse_cqe *to, const struct scuse_cqe *from)
{
	const u64 *source = (const u64 *)from;
	u64 *target = (u64 *)to;
	int i;

	for (i = 0; i < sizeof(*to) / sizeof(u64); i++)
		target[i] = READ_ONCE(source[i]);
}

/*
 * Checks @cqe and takes its tag from userspace. reap_lock is held, so that nobody else takes it
 * meanwhile.
 */
static enum scuse_rule scuse_claim(struct scuse_queue *queue, const struct scuse_cqe *cqe, u32 *index)
{
	struct scuse_cqe_expect expect;
	struct scuse_tag *tag;
	enum scuse_rule rule;

	rule = scuse_cqe_index(cqe->tag, queue->depth, index);
	if (rule)
		return rule;
	tag = &queue->tags[*index];
	rule = scuse_cqe_identity(cqe->tag, scuse_tag_read(&tag->cell));
	if (rule)
		return rule;
	/* USER, and it stays so: what the submitter wrote can be read. */
	smp_rmb();
	expect.op = tag->op;
	expect.data_in = tag->data_in;
	expect.data_len = tag->data_len;
	rule = scuse_cqe_check(cqe, &expect);
	if (rule)
		return rule;
	if (!scuse_tag_move(&tag->cell, SCUSE_TAG_GENERATION(cqe->tag), SCUSE_TAG_USER, SCUSE_TAG_KERNEL))
		return SCUSE_RULE_NOT_IN_FLIGHT;
	tag->status = cqe->status;
	tag->kind = cqe->kind;
	tag->sense_len = cqe->sense_len;
	tag->filled = cqe->data_len;
	return SCUSE_RULE_NONE;
}

/* Takes what has been published; reap_lock is held. */
static enum scuse_rule scuse_take_entries(struct scuse_queue *queue, struct scuse_claimed *list)
{
	u32 tail = smp_load_acquire(&queue->user->cq_tail); /* pairs with userspace's store-release */
	u32 head = queue->cq_head;
	enum scuse_rule rule = SCUSE_RULE_NONE;
	struct scuse_cqe cqe;
	u32 count, index;

	if (!scuse_ring_pending(head, tail, queue->cq_entries, &count))
		return SCUSE_RULE_CQ_TAIL;
	if (!count)
		return SCUSE_RULE_NONE;
	queue->batches++;
	for (; count && !rule; count--) {
		scuse_cqe_copy(&cqe, &queue->cqes[scuse_ring_entry(head, queue->cq_entries)]);
		rule = scuse_claim(queue, &cqe, &index);
		if (rule)
			break;
		scuse_claimed_add(queue, list, index);
		head++;
	}
	WRITE_ONCE(queue->cq_head, head);
	WRITE_ONCE(queue->kernel->cq_head, head);
	return rule;
}

/*
 * scuse_tag_sense - a private copy of the sense data of a tag that we hold in KERNEL state
 * @sense: SCUSE_SENSE_MAX bytes, all zero
 *
 * What relay.c has looked at is taken from the copy that it made then.  Returns how far to believe it.
 */
enum scuse_sense_trust scuse_tag_sense(struct scuse_queue *queue, struct scuse_tag *tag, u8 *sense)
{
	if (tag->kept) {
		memcpy(sense, tag->kept->sense, SCUSE_SENSE_MAX);
		return SCUSE_SENSE_RELAYED;
	}
	scuse_sense_read(queue, tag, sense, tag->sense_len);
	return scuse_device_has(queue->dev, SCUSE_FEATURE_UNIT_ATTENTIONS) ? SCUSE_SENSE_DEVICE
									   : SCUSE_SENSE_HANDLER;
}

/*
 * scuse_tag_end - end the command of a tag that we hold in KERNEL state, as userspace has completed it
 *
 * Process context, no locks held.
 */
void scuse_tag_end(struct scuse_queue *queue, struct scuse_tag *tag)
{
	struct scuse_queue_stats stats = {};
	u8 sense[SCUSE_SENSE_MAX] = {};
	struct se_cmd *cmd = tag->cmd;
	u8 status = tag->status;
	enum scuse_sense_trust trust = SCUSE_SENSE_HANDLER;
	u32 sense_len = tag->sense_len;
	u8 lost = tag->lost;
	u8 op = tag->op;

	if (status != SAM_STAT_GOOD) {
		stats.errors = 1;
	} else if (tag->op == SCUSE_OP_READ && tag->transfer) {
		stats.zeroed_bytes = scuse_slot_drain(queue, tag);
		stats.read_bytes = tag->transfer;
	} else if (tag->op == SCUSE_OP_CDB && tag->data_in) {
		stats.read_bytes = tag->transfer;
	}
	if (status == SAM_STAT_CHECK_CONDITION)
		trust = scuse_tag_sense(queue, tag, sense);
	scuse_tag_put(queue, tag, &stats);

	/* The command, or the session of one that has been answered, still keeps the device. */
	if (!cmd)
		return;
	if (status == SAM_STAT_CHECK_CONDITION) {
		scuse_log_failed(cmd, op, scuse_sense_key(sense));
		scuse_end_with_user_sense(cmd, sense, sense_len, trust);
		return;
	}
	if (unlikely(lost == SCUSE_LOST_ERROR)) {
		scuse_end_with_sense(cmd, SCUSE_KEY_NOT_READY, 0x04, 0x00);
		return;
	}
	scuse_ua_status(cmd, status);
	target_complete_cmd(cmd, status);
}

/* scuse_complete - what follows from a completion, or from what takes its place in a tag that we hold */
void scuse_complete(struct scuse_queue *queue, struct scuse_tag *tag)
{
	struct scuse_io io;

	trace_complete(queue->dev->id, queue->index,
		       SCUSE_TAG(scuse_tag_word_generation(scuse_tag_read(&tag->cell)), tag - queue->tags),
		       tag->status, tag->filled);
	if (!tag->step) {
		scuse_tag_end(queue, tag);
		return;
	}
	scuse_io_recall(&io, queue, tag);
	tag->step(&io);
}

/*
 * scuse_tag_refuse - likewise, with BUSY: nothing of it has reached userspace
 *
 * A step function sees SCUSE_OP_NONE.
 */
void scuse_tag_refuse(struct scuse_queue *queue, struct scuse_tag *tag)
{
	tag->op = SCUSE_OP_NONE;
	tag->status = SAM_STAT_BUSY;
	tag->sense_len = 0;
	tag->filled = 0;
	scuse_complete(queue, tag);
}

static void scuse_complete_list(struct scuse_queue *queue, const struct scuse_claimed *list)
{
	u16 index = list->first;

	while (index != SCUSE_END_OF_LIST) {
		struct scuse_tag *tag = &queue->tags[index];

		index = tag->next;
		scuse_complete(queue, tag);
	}
}

/*
 * scuse_queue_reap - take all completions that have been published
 *
 * Process context.  The caller keeps the device: by a session's file, or by a command that is under
 * way.
 */
void scuse_queue_reap(struct scuse_queue *queue)
{
	struct scuse_claimed list = { SCUSE_END_OF_LIST, SCUSE_END_OF_LIST };
	enum scuse_rule rule = SCUSE_RULE_NONE;
	struct scuse_session *sess;

	spin_lock(&queue->reap_lock);
	sess = queue->sess;
	if (sess && atomic_read(&sess->state) == SCUSE_SESSION_STARTED)
		rule = scuse_take_entries(queue, &list);
	if (rule)
		kref_get(&sess->kref);
	spin_unlock(&queue->reap_lock);

	scuse_complete_list(queue, &list);
	if (rule) {
		scuse_session_break(sess, queue->index, rule);
		scuse_session_put(sess);
	}
}

/* The session has ended: those that may wait do, the others end. */
static void scuse_lose_list(struct scuse_queue *queue, const struct scuse_claimed *list)
{
	u16 index = list->first;
	LIST_HEAD(orphans);

	while (index != SCUSE_END_OF_LIST) {
		struct scuse_tag *tag = &queue->tags[index];

		index = tag->next;
		if (scuse_orphan_lost(tag))
			list_add_tail(&tag->node, &orphans);
		else
			scuse_complete(queue, tag);
	}
	scuse_orphans_adopt(queue, &orphans);
}

/*
 * scuse_queue_end - take everything that userspace still has; it waits for another session, or ends
 *
 * At the end of a session, after scuse_queue_stop(): no tag turns USER any more.  Nothing is reaped
 * from here on.
 */
void scuse_queue_end(struct scuse_queue *queue)
{
	struct scuse_claimed list = { SCUSE_END_OF_LIST, SCUSE_END_OF_LIST };
	u32 i;

	spin_lock(&queue->reap_lock);
	queue->sess = NULL;
	for (i = 0; i < queue->depth; i++) {
		struct scuse_tag *tag = &queue->tags[i];
		u64 word = scuse_tag_read(&tag->cell);

		if (scuse_tag_word_state(word) != SCUSE_TAG_USER)
			continue;
		if (!scuse_tag_move(&tag->cell, scuse_tag_word_generation(word), SCUSE_TAG_USER,
				    SCUSE_TAG_KERNEL))
			continue;
		tag->status = SAM_STAT_BUSY;
		tag->sense_len = 0;
		tag->filled = 0;
		scuse_claimed_add(queue, &list, i);
	}
	spin_unlock(&queue->reap_lock);
	scuse_lose_list(queue, &list);
}

/* USER to QUARANTINED, for a command that somebody waits for; reap_lock is held. */
static bool scuse_tag_quarantine(struct scuse_tag *tag)
{
	u64 word = scuse_tag_read(&tag->cell);

	if (scuse_tag_word_state(word) != SCUSE_TAG_USER)
		return false;
	smp_rmb(); /* as in scuse_claim() */
	if (!tag->cmd)
		return false;
	if (!scuse_tag_move(&tag->cell, scuse_tag_word_generation(word), SCUSE_TAG_USER,
			    SCUSE_TAG_QUARANTINED))
		return false;
	tag->status = SAM_STAT_BUSY;
	tag->sense_len = 0;
	tag->filled = 0;
	tag->lost = SCUSE_LOST_BUSY;
	return true;
}

/*
 * scuse_queue_quarantine - end the commands that userspace has with BUSY, though it may still touch their slots
 *
 * The session has been revoked.  dev->lock is held.  Returns how many.  What has been answered already and goes
 * on in the background is left alone.
 */
u32 scuse_queue_quarantine(struct scuse_queue *queue)
{
	struct scuse_claimed list = { SCUSE_END_OF_LIST, SCUSE_END_OF_LIST };
	u32 count = 0;
	u32 i;

	spin_lock(&queue->reap_lock);
	for (i = 0; i < queue->depth; i++) {
		if (!scuse_tag_quarantine(&queue->tags[i]))
			continue;
		scuse_claimed_add(queue, &list, i);
		count++;
	}
	spin_unlock(&queue->reap_lock);
	atomic_long_add(count, &queue->quarantined);
	scuse_complete_list(queue, &list);
	return count;
}

/* The file is closed: nobody touches the slots of QUARANTINED tags any more.  dev->lock is held. */
void scuse_queue_unquarantine(struct scuse_queue *queue)
{
	u32 i;

	for (i = 0; i < queue->depth; i++) {
		struct scuse_tag *tag = &queue->tags[i];
		u64 word = scuse_tag_read(&tag->cell);

		if (scuse_tag_word_state(word) != SCUSE_TAG_QUARANTINED)
			continue;
		WARN_ON_ONCE(!scuse_tag_move(&tag->cell, scuse_tag_word_generation(word),
					     SCUSE_TAG_QUARANTINED, SCUSE_TAG_FREE));
		spin_lock(&queue->lock);
		queue->free[queue->nr_free++] = i;
		queue->used--;
		spin_unlock(&queue->lock);
	}
}
