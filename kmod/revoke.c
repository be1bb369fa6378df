// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions that are ended from our side: for a violation of the protocol, a command that is kept too long, or an
 * administrator's wish.  Called by reap.c, watch.c and netlink.c.
 *
 *	STARTED ---> BROKEN: queues stopped, process killed ---> mappings gone, event ---> file closed: ENDED
 *	                                                                 |
 *	                       the process does not end in SCUSE_KILL_TIMEOUT
 *	                                                                 v
 *	                            its commands are ended, their tags QUARANTINED until the file is closed
 *
 * The mappings are taken away so that a process that takes its time to die wastes none of it on our rings.
 * That is no fence: what it has copied out of a slot it may still write to its own backing store.  The fence is
 * the end of the process: the device stays offline until then, so that no newer data can be overwritten.
 * The commands' initiators need not wait for it: BUSY promises nothing about what has been written.
 *
 * Locking: scuse_session.state decides who revokes.  Quarantine and the end of a session exclude each other by
 * dev->lock.
 */
#include <linux/jiffies.h>
#include <linux/sched/signal.h>
#include "scuse.h"
#include "trace.h"

/* The event, the log line and the mappings, out of the I/O path, which must wait for nothing. */
void scuse_revoke_work(struct work_struct *work)
{
	struct scuse_session *sess = container_of(work, struct scuse_session, revoke_work);
	struct scuse_device *dev = sess->dev;
	struct scuse_event_info info = {
		.event = sess->revoke_event,
		.dev = dev,
		.message = sess->reason,
		.pid = sess->pid_nr,
	};

	scuse_region_zap_all(dev);
	pr_err("%s: the session of process %u is revoked: %s\n", dev->name, sess->pid_nr, sess->reason);
	scuse_device_set_error(dev, sess->reason);
	scuse_event(&info);
	scuse_session_put(sess);
}

void scuse_session_revoke(struct scuse_session *sess, u32 event, const char *format, ...)
{
	struct scuse_device *dev = sess->dev;
	va_list args;
	u32 i;

	if (!scuse_session_raise(sess, SCUSE_SESSION_BROKEN))
		return;
	va_start(args, format);
	vscnprintf(sess->reason, sizeof(sess->reason), format, args);
	va_end(args);
	sess->revoke_event = event;
	WRITE_ONCE(sess->revoked_at, jiffies);
	WRITE_ONCE(dev->offline_since, jiffies);
	scuse_device_set_state(dev, SCUSE_STATE_BROKEN, sess->pid_nr);
	for (i = 0; i < dev->nr_queues; i++)
		scuse_queue_stop(&dev->queues[i]);
	/* A process that has not done START holds no commands, and may be the supervisor itself. */
	if (sess->pid)
		kill_pid(sess->pid, SIGKILL, 1);
	kref_get(&sess->kref);
	queue_work(scuse_workqueue, &sess->revoke_work);
}

/*
 * scuse_session_break - userspace violated @rule
 *
 * The caller has a reference.  Process context, does not sleep.  The commands in flight stay until the
 * process is gone and its file closed: up to then it may still write to their slots.
 */
void scuse_session_break(struct scuse_session *sess, u32 queue, enum scuse_rule rule)
{
	trace_violation(sess->dev->id, queue, rule);
	scuse_session_revoke(sess, SCUSE_EVENT_SESSION_BROKEN, "%s (queue %u, process %u)",
			     scuse_rule_text(rule), queue, sess->pid_nr);
}

/* START takes dev->lock too, so sess->pid is there or will not be. */
void scuse_revoke_by_request(struct scuse_device *dev)
{
	mutex_lock(&dev->lock);
	if (dev->session)
		scuse_session_revoke(dev->session, SCUSE_EVENT_SESSION_REVOKED, "restarted by request");
	mutex_unlock(&dev->lock);
}

/* The process has had its time to die.  dev->lock is held. */
static void scuse_session_quarantine(struct scuse_session *sess)
{
	struct scuse_device *dev = sess->dev;
	u32 count = 0;
	u32 i;

	sess->quarantined = true;
	/* Once more: a fault that was under way at the first time may have mapped a page since. */
	scuse_region_zap_all(dev);
	for (i = 0; i < dev->nr_queues; i++)
		count += scuse_queue_quarantine(&dev->queues[i]);
	if (sess->pid)
		pr_err("%s: process %u was killed but does not end; %u commands end with BUSY\n", dev->name,
		       sess->pid_nr, count);
}

/*
 * scuse_revoke_overdue - end the commands of a process that has been killed but does not end
 *
 * True: its time is not over yet.  Process context, may sleep.
 */
bool scuse_revoke_overdue(struct scuse_device *dev)
{
	struct scuse_session *sess;
	bool wait = false;

	if (READ_ONCE(dev->state) != SCUSE_STATE_BROKEN)
		return false;
	mutex_lock(&dev->lock);
	sess = dev->session;
	if (sess && atomic_read(&sess->state) == SCUSE_SESSION_BROKEN && !sess->quarantined) {
		wait = time_before(jiffies, READ_ONCE(sess->revoked_at) + SCUSE_KILL_TIMEOUT * HZ);
		if (!wait)
			scuse_session_quarantine(sess);
	}
	mutex_unlock(&dev->lock);
	return wait;
}
