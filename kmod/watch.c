// SPDX-License-Identifier: GPL-2.0-only
/*
 * Looks after the commands that userspace has (watch.h): sends CANCEL to what nobody wants any more or what takes
 * too long, and revokes the session that does not heed it.  Run by a delayed work item of each device, and by
 * tmr.c at once.
 *
 * What it looks at is stable: a tag that is USER stays USER for as long as reap_lock is held, and the command
 * of a tag that is USER exists.  Both the work and task management may look at the same time.
 *
 * That a command was given up is read from the command itself, and not from what task management tells: so
 * those that were between two states when it looked are found a moment later, and those of a connection that
 * was closed, of which nobody tells us, as well.
 */
#include <linux/jiffies.h>
#include <target/target_core_base.h>
#include "scuse.h"

#define SCUSE_WATCH_PERIOD HZ	    /* while all is well */
#define SCUSE_WATCH_CLOSE  (HZ / 4) /* while something has been cancelled or revoked */

/* What one look has found. */
struct scuse_findings {
	struct scuse_session *sess; /* STARTED, or NULL: then nothing is cancelled */
	u32 overdue;		    /* commands that have reached their own limit */
	u32 cancelled;		    /* that have been cancelled, now or before */
	char first[96];		    /* of the overdue ones */
};

/* What a tag that is USER holds, for people. */
struct scuse_subject {
	u64 tag; /* as the ring has it */
	u8 op;
	u8 opcode; /* of the CDB */
	u64 lba;
	u32 blocks;
	u32 seconds; /* that userspace has had it */
};

static const char *const scuse_op_names[] = {
	[SCUSE_OP_READ] = "READ",      [SCUSE_OP_WRITE] = "WRITE",
	[SCUSE_OP_FLUSH] = "FLUSH",    [SCUSE_OP_WRITE_SAME] = "WRITE SAME",
	[SCUSE_OP_UNMAP] = "UNMAP",    [SCUSE_OP_EXTENTS] = "EXTENTS",
	[SCUSE_OP_FORMAT] = "FORMAT",  [SCUSE_OP_SANITIZE] = "SANITIZE",
	[SCUSE_OP_LU_RESET] = "RESET",
};

static void scuse_subject_print(const struct scuse_subject *subject, char *text, u32 size)
{
	if (subject->op < ARRAY_SIZE(scuse_op_names) && scuse_op_names[subject->op])
		scnprintf(text, size, "%s of %u blocks at LBA %llu, %u seconds old",
			  scuse_op_names[subject->op], subject->blocks, subject->lba, subject->seconds);
	else
		scnprintf(text, size, "operation code %02Xh, %u seconds old", subject->opcode,
			  subject->seconds);
}

u32 scuse_tmf_timeout(struct scuse_device *dev)
{
	u32 seconds = READ_ONCE(dev->watch.tmf_timeout);

	if (seconds)
		return seconds;
	return dev->raw ? SCUSE_TMF_TIMEOUT_RAW : SCUSE_TMF_TIMEOUT;
}

/* Seconds that a CDB may take as START claimed it; 0: no limit. */
static u32 scuse_claimed_timeout(struct scuse_device *dev, const struct se_cmd *cmd)
{
	const struct scuse_command *claim;
	u32 seconds;

	if (!cmd)
		return 0;
	rcu_read_lock();
	claim = scuse_raw_claimed(rcu_dereference(dev->claims), cmd->t_task_cdb[0],
				  scuse_raw_action(cmd->t_task_cdb));
	seconds = claim ? claim->timeout : 0;
	rcu_read_unlock();
	return seconds;
}

/* Seconds; the tag is USER and reap_lock held. */
static u32 scuse_tag_timeout(struct scuse_device *dev, const struct scuse_tag *tag)
{
	switch (tag->op) {
	case SCUSE_OP_FORMAT:
	case SCUSE_OP_SANITIZE:
		return 0;
	case SCUSE_OP_LU_RESET:
		return SCUSE_RESET_TIMEOUT;
	case SCUSE_OP_CDB:
		return scuse_claimed_timeout(dev, tag->cmd);
	default:
		return READ_ONCE(dev->watch.command_timeout);
	}
}

/* Judges a tag, if it still is what @word says; what it holds goes to @subject.  reap_lock is held. */
static enum scuse_verdict scuse_tag_judge(struct scuse_queue *queue, struct scuse_tag *tag, u64 word,
					  struct scuse_subject *subject)
{
	struct scuse_device *dev = queue->dev;
	struct scuse_limits limits;
	u32 now = jiffies;

	if (scuse_tag_read(&tag->cell) != word)
		return SCUSE_VERDICT_WAIT;
	smp_rmb(); /* what the submitter wrote before the tag became USER can be read */
	limits.command = scuse_deadline_ticks(scuse_tag_timeout(dev, tag), HZ);
	limits.tmf = scuse_deadline_ticks(scuse_tmf_timeout(dev), HZ);
	subject->tag = SCUSE_TAG(scuse_tag_word_generation(word), tag - queue->tags);
	subject->op = tag->op;
	subject->opcode = tag->cmd ? tag->cmd->t_task_cdb[0] : 0;
	subject->lba = tag->lba;
	subject->blocks = tag->blocks;
	subject->seconds = (now - tag->deadline.since) / HZ;
	return scuse_deadline_judge(&tag->deadline, now, &limits, scuse_given_up(tag->cmd));
}

/* Sends a CANCEL, and notes that it was due, unless the tag has changed hands meanwhile. */
static void scuse_tag_cancel(struct scuse_queue *queue, struct scuse_tag *tag, u64 word)
{
	struct scuse_sqe sqe = {
		.op = SCUSE_OP_CANCEL,
		.tag = SCUSE_TAG(scuse_tag_word_generation(word), tag - queue->tags),
	};
	bool sent = scuse_queue_advise(queue, &sqe);

	spin_lock(&queue->reap_lock);
	if (scuse_tag_read(&tag->cell) == word)
		scuse_deadline_cancel(&tag->deadline, jiffies, sent);
	spin_unlock(&queue->reap_lock);
}

static void scuse_tag_overdue(struct scuse_queue *queue, const struct scuse_subject *subject,
			      struct scuse_findings *findings)
{
	atomic_long_inc(&queue->timeouts);
	if (!findings->overdue++)
		scuse_subject_print(subject, findings->first, sizeof(findings->first));
}

static void scuse_tag_look(struct scuse_queue *queue, struct scuse_tag *tag, struct scuse_findings *findings)
{
	struct scuse_subject subject;
	u64 word = scuse_tag_read(&tag->cell);
	enum scuse_verdict verdict;
	char text[96];

	if (scuse_tag_word_state(word) != SCUSE_TAG_USER)
		return;
	spin_lock(&queue->reap_lock);
	verdict = scuse_tag_judge(queue, tag, word, &subject);
	if (verdict == SCUSE_VERDICT_WAIT && tag->deadline.state != SCUSE_DEADLINE_RUNNING)
		findings->cancelled++;
	spin_unlock(&queue->reap_lock);
	if (verdict == SCUSE_VERDICT_WAIT)
		return;
	findings->cancelled++;
	if (verdict == SCUSE_VERDICT_REVOKE) {
		scuse_subject_print(&subject, text, sizeof(text));
		scuse_session_revoke(findings->sess, SCUSE_EVENT_SESSION_REVOKED,
				     "%s, is not completed %u seconds after its CANCEL", text,
				     scuse_tmf_timeout(queue->dev));
		return;
	}
	if (verdict == SCUSE_VERDICT_TIMEOUT)
		scuse_tag_overdue(queue, &subject, findings);
	scuse_tag_cancel(queue, tag, word);
}

static void scuse_queue_look(struct scuse_queue *queue, struct scuse_findings *findings)
{
	u32 i;

	if (!READ_ONCE(queue->used))
		return;
	for (i = 0; i < queue->depth; i++)
		scuse_tag_look(queue, &queue->tags[i], findings);
}

/* The device's session with a reference, if it is @state; or NULL. */
static struct scuse_session *scuse_watch_session(struct scuse_device *dev, enum scuse_session_state state)
{
	struct scuse_session *sess;

	spin_lock(&dev->info_lock);
	sess = dev->session;
	if (sess && atomic_read(&sess->state) == (int)state)
		kref_get(&sess->kref);
	else
		sess = NULL;
	spin_unlock(&dev->info_lock);
	return sess;
}

static void scuse_watch_report(struct scuse_device *dev, const struct scuse_findings *findings)
{
	char message[160];

	if (findings->overdue == 1)
		scnprintf(message, sizeof(message), "a command takes too long: %s", findings->first);
	else
		scnprintf(message, sizeof(message), "%u commands take too long; the first: %s",
			  findings->overdue, findings->first);
	pr_warn("%s: %s\n", dev->name, message);
	scuse_event_device(dev, SCUSE_EVENT_SLOW_COMMAND, message);
}

/* True: something is on its way to be ended, and must be looked at again soon. */
static bool scuse_watch_commands(struct scuse_device *dev)
{
	struct scuse_findings findings = { .sess = scuse_watch_session(dev, SCUSE_SESSION_STARTED) };
	u32 i;

	scuse_parked_abort(dev);
	scuse_orphans_abort(dev);
	if (!findings.sess)
		return false;
	for (i = 0; i < dev->nr_queues; i++)
		scuse_queue_look(&dev->queues[i], &findings);
	if (findings.overdue)
		scuse_watch_report(dev, &findings);
	scuse_session_put(findings.sess);
	return findings.cancelled;
}

static bool scuse_watch_wanted(struct scuse_device *dev)
{
	u32 i;

	for (i = 0; i < dev->nr_queues; i++) {
		if (READ_ONCE(dev->queues[i].used))
			return true;
	}
	return false;
}

static void scuse_watch_work(struct work_struct *work)
{
	struct scuse_watch *watch = container_of(work, struct scuse_watch, work.work);
	struct scuse_device *dev = container_of(watch, struct scuse_device, watch);
	bool closely;

	if (!scuse_watch_wanted(dev)) {
		WRITE_ONCE(watch->armed, false);
		smp_mb(); /* see COST in watch.h */
		if (scuse_watch_wanted(dev))
			scuse_watch_note(watch);
		return;
	}
	closely = scuse_watch_commands(dev);
	closely |= scuse_revoke_overdue(dev);
	queue_delayed_work(scuse_workqueue, &watch->work, closely ? SCUSE_WATCH_CLOSE : SCUSE_WATCH_PERIOD);
}

void scuse_watch_arm(struct scuse_watch *watch)
{
	if (!xchg(&watch->armed, true))
		queue_delayed_work(scuse_workqueue, &watch->work, SCUSE_WATCH_PERIOD);
}

void scuse_watch_look(struct scuse_device *dev)
{
	scuse_watch_commands(dev);
	if (READ_ONCE(dev->watch.armed))
		mod_delayed_work(scuse_workqueue, &dev->watch.work, SCUSE_WATCH_CLOSE);
}

void scuse_watch_init(struct scuse_watch *watch)
{
	INIT_DELAYED_WORK(&watch->work, scuse_watch_work);
	watch->command_timeout = SCUSE_COMMAND_TIMEOUT;
}

void scuse_watch_enable(struct scuse_watch *watch)
{
	WRITE_ONCE(watch->armed, false);
}

void scuse_watch_disable(struct scuse_watch *watch)
{
	cancel_delayed_work_sync(&watch->work);
}
