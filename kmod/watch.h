/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long userspace may keep a command (abi.h, WORKERS THAT HANG): the times that a tag carries, and what is
 * to be done about them.  What is outside of __KERNEL__ is pure, so that the unit tests can run it.  Used by
 * watch.c and queue.c.
 *
 *	           handed to userspace
 *	                   |
 *	                   v     initiator gave up, or           tmf_timeout
 *	               RUNNING --- command_timeout is over ---> CANCELLED --- is over ---> the session is revoked
 *	                                        |                  ^  (revoke.c)
 *	             no room for the entry      v                  |
 *	                                     UNSENT ---------------+
 *	                                        |  tmf_timeout is over
 *	                                        +-------------------------------> the session is revoked
 *
 * A CANCEL that could not be sent starts tmf_timeout all the same: who does not even read its ring is not
 * spared for that.
 *
 * THE BOUND of task management follows: a CANCEL is due at once, the session's commands are waited for
 * tmf_timeout seconds, its process SCUSE_KILL_TIMEOUT seconds, and the watch is at most SCUSE_WATCH_SLACK
 * seconds late.  Then the last aborted command has been ended, and core answers the initiator.  A LOGICAL
 * UNIT RESET of a raw LUN may take SCUSE_RESET_TIMEOUT if that is longer (rawreset.c), and a MODE SELECT that
 * saves pages is over after SCUSE_REQUEST_TIMEOUT (mode.c).
 *
 * COST.  The watch is a delayed work item of the device, that runs while any tag is in use.  A command pays one
 * load to see that it does, and one store of the time.  Whoever takes a tag raises queue.used, and (after a full
 * barrier) looks at `armed`; the work clears `armed`, and (after a full barrier) looks at queue.used: one of
 * them sees the other.
 */
#ifndef SCUSE_WATCH_H
#define SCUSE_WATCH_H

#include "shim.h"

#define SCUSE_COMMAND_TIMEOUT	  120	  /* seconds, the default */
#define SCUSE_COMMAND_TIMEOUT_MAX 2592000 /* seconds; of ticks of a 1 kHz clock, 32 bits count 49 days */
#define SCUSE_TMF_TIMEOUT	  10 /* seconds, the default; real devices may have to finish what they do: */
#define SCUSE_TMF_TIMEOUT_RAW	  60 /* seconds, the default of raw LUNs */
#define SCUSE_TMF_TIMEOUT_MAX	  3600 /* seconds */
#define SCUSE_WATCH_SLACK	  2    /* seconds */

enum scuse_deadline_state {
	SCUSE_DEADLINE_RUNNING = 0,
	SCUSE_DEADLINE_CANCELLED,
	SCUSE_DEADLINE_UNSENT,
};

/* Of a tag: times are ticks of a 32-bit clock that wraps. */
struct scuse_deadline {
	u32 since;     /* when userspace was handed the submission */
	u32 cancelled; /* when the CANCEL was due; of RUNNING: nothing */
	u8 state;      /* enum scuse_deadline_state */
};

/* In ticks. */
struct scuse_limits {
	u32 command; /* from `since` on; 0: none */
	u32 tmf;     /* from `cancelled` on */
};

enum scuse_verdict {
	SCUSE_VERDICT_WAIT = 0,
	SCUSE_VERDICT_CANCEL,  /* for the first time, since nobody wants the command any more */
	SCUSE_VERDICT_TIMEOUT, /* for the first time, since it takes too long */
	SCUSE_VERDICT_RESEND,  /* the CANCEL found no room */
	SCUSE_VERDICT_REVOKE,
};

/* Seconds as ticks of a clock of @hz; what 32 bits do not count is cut. */
static inline u32 scuse_deadline_ticks(u32 seconds, u32 hz)
{
	return (seconds < SCUSE_COMMAND_TIMEOUT_MAX ? seconds : SCUSE_COMMAND_TIMEOUT_MAX) * hz;
}

/* A submission is about to be handed out. */
static inline void scuse_deadline_start(struct scuse_deadline *deadline, u32 now)
{
	deadline->since = now;
	deadline->state = SCUSE_DEADLINE_RUNNING;
}

/* A CANCEL has been, or could not be, sent; @now counts the first time. */
static inline void scuse_deadline_cancel(struct scuse_deadline *deadline, u32 now, bool sent)
{
	if (deadline->state == SCUSE_DEADLINE_RUNNING)
		deadline->cancelled = now;
	deadline->state = sent ? SCUSE_DEADLINE_CANCELLED : SCUSE_DEADLINE_UNSENT;
}

/* What is to be done about a submission that userspace has. */
static inline enum scuse_verdict scuse_deadline_judge(const struct scuse_deadline *deadline, u32 now,
						      const struct scuse_limits *limits, bool given_up)
{
	if (deadline->state != SCUSE_DEADLINE_RUNNING) {
		if (now - deadline->cancelled >= limits->tmf)
			return SCUSE_VERDICT_REVOKE;
		return deadline->state == SCUSE_DEADLINE_UNSENT ? SCUSE_VERDICT_RESEND : SCUSE_VERDICT_WAIT;
	}
	if (given_up)
		return SCUSE_VERDICT_CANCEL;
	if (limits->command && now - deadline->since >= limits->command)
		return SCUSE_VERDICT_TIMEOUT;
	return SCUSE_VERDICT_WAIT;
}

#ifdef __KERNEL__
#include <linux/workqueue.h>

struct scuse_device;
struct scuse_tag;
struct scuse_session;

struct scuse_watch {
	struct delayed_work work;
	bool armed;	     /* the work is queued or runs; see COST */
	u32 command_timeout; /* seconds; 0: none.  Written through configfs at any time */
	u32 tmf_timeout;     /* seconds; 0: the default.  Likewise */
};

/* watch.c */

void scuse_watch_init(struct scuse_watch *watch);

/* Before the first and after the last command of an enabled device; the second may sleep. */
void scuse_watch_enable(struct scuse_watch *watch);
void scuse_watch_disable(struct scuse_watch *watch);

/* After a tag has been taken.  Process context, does not sleep. */
void scuse_watch_arm(struct scuse_watch *watch);
static inline void scuse_watch_note(struct scuse_watch *watch)
{
	if (unlikely(!READ_ONCE(watch->armed)))
		scuse_watch_arm(watch);
}

/* Seconds. */
u32 scuse_tmf_timeout(struct scuse_device *dev);

/* Commands have been given up: sends the CANCELs that are due now.  Process context, may sleep. */
void scuse_watch_look(struct scuse_device *dev);

/* revoke.c */

/*
 * Ends a session from our side: with @event, for the reason that @format gives.  The caller has a reference.
 * Process context, does not sleep.  Nothing happens if it is broken or has ended already.
 */
__printf(3, 4) void scuse_session_revoke(struct scuse_session *sess, u32 event, const char *format, ...);

/* The device's session, if it has one: as an administrator wants it. */
void scuse_revoke_by_request(struct scuse_device *dev);

bool scuse_revoke_overdue(struct scuse_device *dev);
#endif

#endif /* SCUSE_WATCH_H */
