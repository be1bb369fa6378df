/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The structures of the kernel half, and what its files offer each other.
 *
 * OBJECTS AND THEIR LIFE
 *	struct scuse_device: embeds LIO's se_device.  References: LIO's (alloc_device to free_device and
 *	the RCU grace period after it), one each session, short ones of netlink.  So rmdir never waits for
 *	a worker, and a worker that sits on a removed device touches nothing that is gone.
 *
 *	struct scuse_session: an open file of the device node.  References: the file, each queue
 *	descriptor, the device's pointer (until the session's last command has ended), queued work.
 *
 *	struct scuse_queue: array in the device, made at enable; goes with the device, or at the next
 *	enable.
 *
 * A COMMAND'S WAY
 *	parse_cdb (cdb.c) -> execute -> scuse_io_begin (takes a tag: KERNEL) -> data into the slot, no
 *	lock held -> scuse_io_submit (USER; entry and tail under queue.lock) -> userspace ->
 *	scuse_queue_reap (claims: KERNEL; under queue.reap_lock) -> data out of the slot, no lock held ->
 *	tag freed -> target_complete_cmd().
 *
 *	A command that needs several submissions goes from the reaping to scuse_io_submit()'s end again
 *	(step.h), with the same tag.  A command that another one is in the way of rests between
 *	scuse_io_submit() and USER (range.h).
 *
 * SESSION AGAINST COMMANDS (why nothing is lost or hangs when a worker dies at any point)
 *	queue.live is true between START and the session's end, and only changes under queue.lock.
 *	Taking a tag and publishing both check it under that lock.  Once it is false no tag turns USER any
 *	more: a submitter that is copying finds out at publication and gives its tag back.
 *	The end of a session clears `live` on all queues, reaps what was published before, then takes all
 *	USER tags under reap_lock and clears queue.sess (nothing can be reaped then).
 *
 *	Commands then wait for the next session, or end with BUSY or NOT READY, as the device's policies
 *	say (orphan.h): those that userspace had keep tag, claim and step function and are submitted once
 *	more (orphan.c); those that have not begun are executed from the beginning after START.  A step, or
 *	a claim that is granted meanwhile, joins them.
 *
 *	queue.used counts tags that are not free, queue.at_rest those of them that nobody works on: what
 *	waits for a session, or for another command's claim.  When the two are the same the queue is
 *	drained.  The last one to make them so (or the end of the session itself) drops session.drain to
 *	zero and so starts scuse_session_finish(), which may then reset rings and give the slots' pages
 *	back.  What is at rest finds its slot empty afterwards (queue.resets), and has it filled again.
 *	No thread waits.
 *
 *	The old process is gone then, but not necessarily its I/O: a direct read into a slot may still be on
 *	its way.  The next session can only be opened when nobody but us refers to the pages (fence.c).  So
 *	nothing that the old process has asked for can come after what the new one does.
 *
 * LOCKS, outermost first
 *	scuse_device.lock (mutex)   enable, disable, open, START, UPDATE, end of a session
 *	scuse_devices_lock (mutex)  the table of enabled devices; held for the moment of a look-up
 *	scuse_mode.select (mutex)   MODE SELECT, and its wait for the owner
 *	scuse_owners_lock (mutex)   owners, pending requests (owner.c)
 *	scuse_event_lock (mutex)    order of events (nlmsg.c)
 *	scuse_device.slots_lock (rwsem)  which pages slots have (area.c); taken in page faults too
 *	scuse_device.map_lock (mutex)  mappings of the session's file (region.c)
 *	queue.reap_lock, queue.lock, scuse_device.info_lock, scuse_device.ranges.lock, scuse_mode.lock,
 *	scuse_log.lock (spin locks; never held together).  All are taken in process context only.
 *	scuse_nexuses.walk_lock (mutex), scuse_nexuses.lock (spin lock, any context): nexus.h
 */
#ifndef SCUSE_H
#define SCUSE_H

#include <linux/kref.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <scuse/abi.h>
#include <scuse/version.h>
#include "budget.h"
#include "compat.h"
#include "copy.h"
#include "cqe.h"
#include "log.h"
#include "medium.h"
#include "mode.h"
#include "nexus.h"
#include "orphan.h"
#include "range.h"
#include "raw.h"
#include "rawparam.h"
#include "relay.h"
#include "tag.h"
#include "timestamp.h"
#include "watch.h"

#undef pr_fmt
#define pr_fmt(fmt) "scuse: " fmt

#define SCUSE_MAX_DEVICES      65536
#define SCUSE_DEFAULT_TRANSFER 1048576u
#define SCUSE_ORPHAN_TIMEOUT   30 /* seconds */
#define SCUSE_END_OF_LIST      0xffffu
#define SCUSE_UNMAP_NO_LIMIT   0xffffffffu /* SBC-3 6.6.4, MAXIMUM UNMAP LBA COUNT */
#define SCUSE_SQE_OFFSET       sizeof(struct scuse_queue_kernel)
#define SCUSE_CQE_OFFSET       sizeof(struct scuse_queue_user)

struct scuse_session;
struct scuse_queue;
struct scuse_io;

/*
 * A tag.  `cell` decides who owns the rest: the submitter or completer that holds it in KERNEL state
 * writes, reap_lock's holder may read what the submitter wrote while it is USER.  `pages` and its entries
 * are set by cmpxchg(), and cleared with slots_lock held for writing, by who holds the tag (area.c).
 */
struct scuse_tag {
	struct scuse_tag_cell cell;
	struct scuse_queue *queue; /* constant */
	struct se_cmd *cmd;	   /* NULL: has been answered, and goes on in the background */
	void (*step)(struct scuse_io *io); /* what a completion leads to (step.h); NULL: the end */
	struct scatterlist *sgl; /* where READ data goes */
	struct page **pages;	 /* the data slot */
	u32 nents;		 /* of sgl */
	u64 lba;		 /* the submission's, as are blocks, data_len, op, flags */
	u32 blocks;
	u32 data_len;
	u32 transfer;		 /* bytes that the initiator gets or sent */
	u32 filled;		 /* the completion's data_len */
	u16 sense_len;
	u16 next; /* in a list of claimed tags */
	u16 flags;
	u8 op;
	u8 status;
	u8 kind;
	bool data_in;
	u8 lost;		 /* enum scuse_lost: its session has ended while userspace had it */
	u32 touched;		 /* jiffies, when a command last asked for its slot */
	struct scuse_deadline deadline; /* of the present submission; while USER: reap_lock */
	u64 done; /* of a command with several submissions: how far it has got, in its own unit */
	struct scuse_claim claim;
	/* Makes the data of the submission anew, see scuse_orphan_resume(); NULL: it has none. */
	int (*refill)(struct scuse_io *io);
	struct list_head node; /* in a list of those that wait for a session; queue.lock */
	u32 position;	       /* the submission's, in its session; see scuse_orphan_before() */
	u32 resets;	       /* queue.resets when it began to wait for its turn; queue.lock */
	/* Of raw LUNs, see relay.h. */
	struct scuse_kept *kept; /* what a completion was, while something else is submitted; or NULL */
	u32 epoch;		 /* scuse_echo.epoch and scuse_rawread.changes when the command began */
	u32 changes;
};

/* Since the device was enabled.  Protected by queue.lock. */
struct scuse_queue_stats {
	u64 commands;
	u64 read_bytes;
	u64 write_bytes;
	u64 errors;
	u64 zeroed_bytes;
	u64 unmap_blocks;
	u64 replayed;
};

struct scuse_queue {
	/* Set when the device is enabled, constant from then on. */
	struct scuse_device *dev;
	u32 index;
	u32 depth;
	u32 sq_entries;
	u32 cq_entries;
	u32 slot_pages;
	struct scuse_queue_kernel *kernel; /* SCUSE_REGION_KERNEL: we write, userspace reads */
	struct scuse_sqe *sqes;
	struct scuse_queue_user *user; /* SCUSE_REGION_USER: not to be believed, nor read twice */
	struct scuse_cqe *cqes;
	struct scuse_tag *tags;
	struct page **cdb_pages;   /* entries set by cmpxchg() */
	struct page **sense_pages; /* entries set by cmpxchg() */

	/* Submission; protected by lock (sq_tail is read without it by sleepers). */
	spinlock_t lock ____cacheline_aligned_in_smp;
	bool live;
	bool starting; /* START hands out orphans; live follows */
	bool parking;  /* commands that come may wait for a session; never with live */
	bool draining;
	u32 sq_tail;
	u32 used; /* tags that are not FREE */
	u32 at_rest; /* of these, how many nobody works on: they wait, for a session or for their turn */
	u32 waiting; /* of these, how many wait for a session (READ_ONCE() without the lock) */
	u32 resets;  /* sessions that have been cleared away */
	u32 nr_free;
	u32 reserve; /* of these, how many are kept for resets; constant */
	u16 *free; /* stack of FREE tags, the hottest on top */
	struct scuse_queue_stats stats;
	struct list_head orphans; /* see orphan.c, as for the next */
	struct list_head holders;

	/* Completion; protected by reap_lock (cq_head is peeked at without it). */
	spinlock_t reap_lock ____cacheline_aligned_in_smp;
	struct scuse_session *sess; /* NULL: nothing is reaped */
	u32 cq_head;
	u64 batches;

	/* Waiting. */
	wait_queue_head_t enter_wait ____cacheline_aligned_in_smp; /* exclusive sleepers in ENTER */
	wait_queue_head_t poll_wait;
	struct task_struct *plugger; /* whose submissions wake nobody until it unplugs; by cmpxchg() */
	struct se_dev_plug plug;     /* the plugger's */
	u32 plug_tail;		     /* the plugger's: sq_tail when it plugged */
	atomic_long_t busy;
	atomic_long_t enters;
	atomic_long_t sleeps;
	atomic_long_t wakeups;
	atomic_long_t suppressed;
	/* Slow paths. */
	atomic_long_t timeouts;
	atomic_long_t quarantined;
};

enum scuse_session_state {
	SCUSE_SESSION_OPEN = 0,
	SCUSE_SESSION_STARTED = 1,
	SCUSE_SESSION_BROKEN = 2, /* revoked: see revoke.c */
	SCUSE_SESSION_ENDED = 3, /* closed, or the device has been removed */
};

struct scuse_session {
	struct kref kref;
	struct scuse_device *dev; /* holds a reference */
	atomic_t state;		  /* enum scuse_session_state, only ever grows */
	atomic_t drain;		  /* queues with commands of ours, and one for the open file */
	bool was_started;	  /* dev->lock */
	struct pid *pid;	  /* thread group that did START; set before STARTED is */
	u32 pid_nr;		  /* the same as a number */
	/* Set by whoever made it BROKEN, before revoke_work is queued. */
	u32 revoke_event; /* enum scuse_event */
	char reason[192];
	unsigned long revoked_at; /* jiffies; READ_ONCE() */
	bool quarantined;	  /* what the process had then has been ended; dev->lock */
	struct work_struct revoke_work;
	struct delayed_work finish_work;
	u32 fence;	      /* milliseconds of the latest wait for the process's I/O; dev->lock */
	unsigned long fenced; /* jiffies at the first one; dev->lock */
	bool fence_told;      /* dev->lock */
};

struct scuse_device {
	struct se_device se_dev;
	struct kref kref;
	struct work_struct free_work;
	struct mutex lock; /* see the top */

	/* Set at mkdir, constant. */
	char name[SCUSE_NAME_MAX];
	u32 hba;

	/* Set through configfs before enable (dev->lock), constant while enabled. */
	char handler[SCUSE_HANDLER_MAX];
	char config[SCUSE_CONFIG_MAX];
	u32 config_len;
	u32 block_size;
	u64 want_size; /* 0: the handler says */
	u32 want_queues;
	u32 want_depth;
	u32 max_transfer;
	bool raw;      /* a raw LUN, see raw.h */
	u32 want_type; /* device type; SCUSE_TYPE_UNKNOWN: what the first START says, or a disk if not raw */
	u32 pi_type; /* T10 protection type: 0 (none), 1 or 3 */

	/* dev->lock; constant while enabled. */
	bool enabled;
	bool announced; /* DEVICE_ADDED has been sent */
	u32 id;
	u32 block_shift;
	u32 nr_queues;
	u32 depth;
	u32 pi_offset; /* of protection information in a slot, bytes */
	u32 slot_pages;
	struct scuse_queue *queues;
	struct device *node;
	atomic_t sessions; /* that exist: their queue descriptors refer to queues, also when closed */

	/* dev->lock for writing, READ_ONCE() elsewhere. */
	u64 size; /* bytes; atomically by READ_ONCE() on 64 bits, see scuse_device_size() */
	u32 features;
	u32 physical_exponent; /* log2 of logical blocks in a physical one */
	u32 optimal_transfer;
	int orphan_timeout;	     /* seconds; -1: none.  Written through configfs at any time, as are */
	u8 orphan_policy;	     /* enum scuse_orphan_policy */
	u8 inflight_policy;	     /* enum scuse_inflight_policy */
	struct delayed_work orphan_work;
	unsigned long offline_since; /* jiffies */
	struct scuse_start applied;  /* what attributes were last set from; dev->lock */
	struct scuse_medium medium;
	struct scuse_ranges ranges;
	struct scuse_watch watch;

	struct mutex map_lock;	       /* what follows; see region.c */
	struct address_space *mapping; /* of the session's file; NULL: none is open */

	/* dev->lock for writing, READ_ONCE() elsewhere; of raw LUNs from the first START on constant. */
	u32 device_type;
	bool adopted;			 /* raw: the first START has said which device it is */
	char identity[SCUSE_IDENTITY_MAX]; /* raw: of that device; info_lock */

	/* Raw LUNs, see raw.h. */
	struct scuse_raw_claims __rcu *claims; /* dev->lock for writing, RCU */
	u32 restarts; /* sessions that initiators were told of by 29h/04h; dev->lock for writing, READ_ONCE() */
	struct scuse_raw_inquiry inquiry; /* info_lock */
	struct scuse_rawparam rawparam;	  /* rawread.lock for writing, READ_ONCE() elsewhere */
	struct scuse_rawread rawread;	  /* has a lock of its own */
	struct scuse_relay relay;	  /* likewise */

	/* Memory of slots, see memory.c and trim.c. */
	struct scuse_budget memory; /* pages that slots have */
	u64 max_memory;		    /* bytes; 0: the default.  Written through configfs at any time, READ_ONCE() */
	struct rw_semaphore slots_lock;
	struct scuse_tag *rescued;   /* whose slot has memory of the reserve; by cmpxchg() */
	bool trimmable;		     /* slots_lock */
	bool trim_armed;	     /* scuse_trim_lock for writing, READ_ONCE() */
	struct list_head trim_node;  /* scuse_trim_lock */
	struct delayed_work trim_work;

	struct scuse_nexuses nexuses; /* has locks of its own */

	struct scuse_notify usage; /* the latest with SCUSE_NOTIFY_USAGE; size 0: none; info_lock */

	spinlock_t info_lock;	       /* what follows */
	struct scuse_session *session; /* info_lock and dev->lock for writing, either for reading */
	u8 state;		       /* enum scuse_state; info_lock for writing */
	u32 worker;		       /* pid; info_lock */
	char error[SCUSE_MESSAGE_MAX]; /* info_lock */

	struct scuse_timestamp timestamp; /* info_lock */
	struct scuse_mode mode;		  /* has its own locks */
	struct scuse_log log;		  /* has its own lock */
	struct scuse_copies copies;	  /* has a lock of its own */
};

static inline struct scuse_device *to_scuse(struct se_device *se_dev)
{
	return container_of(se_dev, struct scuse_device, se_dev);
}

static inline u64 scuse_device_size(struct scuse_device *dev)
{
	return READ_ONCE(dev->size);
}

static inline u64 scuse_device_blocks(struct scuse_device *dev)
{
	return scuse_device_size(dev) >> dev->block_shift;
}

/*
 * The first byte of INQUIRY data (SPC-4 6.4.2): peripheral device type, and the qualifier: the device of a
 * raw LUN may not have been connected yet.
 */
static inline u8 scuse_peripheral(struct scuse_device *dev)
{
	u32 type = READ_ONCE(dev->device_type);

	return type == SCUSE_TYPE_UNKNOWN ? 0x20 | SCUSE_TYPE_UNKNOWN : type;
}

static inline bool scuse_device_has(struct scuse_device *dev, u32 feature)
{
	return READ_ONCE(dev->features) & feature;
}

/* main.c */
extern struct workqueue_struct *scuse_workqueue;
extern struct class *scuse_class;
extern dev_t scuse_devt;
int scuse_devices_add(struct scuse_device *dev);
void scuse_devices_remove(struct scuse_device *dev);
struct scuse_device *scuse_devices_get(u32 id);
struct scuse_device *scuse_devices_next(unsigned long *id);
struct scuse_device *scuse_devices_find(const char *name, const u32 *hba);

/* backend.c */
extern struct target_backend_ops scuse_backend_ops;
void scuse_device_put(struct scuse_device *dev);
void scuse_device_set_state(struct scuse_device *dev, enum scuse_state state, u32 worker);
void scuse_device_set_error(struct scuse_device *dev, const char *message);
int scuse_device_apply(struct scuse_device *dev, const struct scuse_start *start, struct scuse_raw_claims *claims);
int scuse_device_resize(struct scuse_device *dev, u64 size);

/* configfs.c */
int scuse_configfs_init(void);
void scuse_configfs_exit(void);
ssize_t scuse_control_store(struct se_device *se_dev, const char *page, ssize_t count);
ssize_t scuse_info_show(struct se_device *se_dev, char *page);

/* cdb.c */
struct scuse_opcode;

sense_reason_t scuse_parse_cdb(struct se_cmd *cmd);
const struct scuse_opcode *scuse_command(struct se_cmd *cmd);
u32 scuse_max_transfer(struct se_cmd *cmd);
bool scuse_offers_protection(struct scuse_device *dev);
bool scuse_offers_reservations(struct scuse_device *dev);
bool scuse_offers_unmap(struct scuse_device *dev);
sense_reason_t scuse_check_range(struct se_cmd *cmd, u64 lba, u64 blocks);
sense_reason_t scuse_execute_ready(struct se_cmd *cmd);
bool scuse_write_refused(struct se_cmd *cmd);
void scuse_parse_no_data_in(struct se_cmd *cmd);
void scuse_parse_underflow(struct se_cmd *cmd, u32 size);
sense_reason_t scuse_parse_refused(struct se_cmd *cmd, sense_reason_t (*execute)(struct se_cmd *));
sense_reason_t scuse_parse_known(struct se_cmd *cmd, const struct scuse_opcode *opcode);

/* rw.c */
sense_reason_t scuse_execute_read(struct se_cmd *cmd);
sense_reason_t scuse_execute_write(struct se_cmd *cmd);
sense_reason_t scuse_execute_sync_cache(struct se_cmd *cmd);
u16 scuse_cache_flags(struct se_cmd *cmd);

/* prot.c */
u32 scuse_prot_wire(struct se_cmd *cmd);
void scuse_prot_parse(struct se_cmd *cmd);
sense_reason_t scuse_prot_read(struct scuse_io *io);
sense_reason_t scuse_prot_write(struct scuse_io *io);

/* capacity.c */
u64 scuse_length_capacity(struct scuse_device *dev, const u8 *cdb);
sense_reason_t scuse_execute_capacity_10(struct se_cmd *cmd);
sense_reason_t scuse_execute_capacity_16(struct se_cmd *cmd);
sense_reason_t scuse_execute_defects_10(struct se_cmd *cmd);
sense_reason_t scuse_execute_defects_12(struct se_cmd *cmd);

/* portgroups.c */
sense_reason_t scuse_execute_report_groups(struct se_cmd *cmd);

/* rsoc.c */
sense_reason_t scuse_execute_report_opcodes(struct se_cmd *cmd);
sense_reason_t scuse_execute_report_functions(struct se_cmd *cmd);

/* startstop.c */
sense_reason_t scuse_execute_start_stop(struct se_cmd *cmd);

/* unmap.c, writesame.c */
sense_reason_t scuse_execute_unmap(struct se_cmd *cmd);
sense_reason_t scuse_execute_write_same(struct se_cmd *cmd);
u64 scuse_write_same_length(struct scuse_device *dev, const u8 *cdb);

/* verify.c */
sense_reason_t scuse_execute_verify(struct se_cmd *cmd);
sense_reason_t scuse_execute_write_verify(struct se_cmd *cmd);
u64 scuse_verify_length(struct scuse_device *dev, const u8 *cdb);

/* compare.c */
sense_reason_t scuse_execute_compare_and_write(struct se_cmd *cmd);
sense_reason_t scuse_execute_orwrite(struct se_cmd *cmd);
sense_reason_t scuse_execute_write_atomic(struct se_cmd *cmd);
bool scuse_offers_compare(struct scuse_device *dev);
u32 scuse_max_compare_blocks(struct scuse_device *dev);
u32 scuse_max_atomic_blocks(struct scuse_device *dev);

/* prefetch.c, lbastatus.c */
sense_reason_t scuse_execute_prefetch(struct se_cmd *cmd);
sense_reason_t scuse_execute_lba_status(struct se_cmd *cmd);
bool scuse_offers_lba_status(struct scuse_device *dev);

/* format.c, sanitize.c */
sense_reason_t scuse_execute_format(struct se_cmd *cmd);
u64 scuse_format_length(struct scuse_device *dev, const u8 *cdb);
sense_reason_t scuse_execute_sanitize_overwrite(struct se_cmd *cmd);
sense_reason_t scuse_execute_sanitize_block(struct se_cmd *cmd);
sense_reason_t scuse_execute_sanitize_crypto(struct se_cmd *cmd);
sense_reason_t scuse_execute_sanitize_exit(struct se_cmd *cmd);
bool scuse_offers_sanitize(struct scuse_device *dev);

/* queue.c */
struct scuse_io {
	struct se_cmd *cmd;
	struct scuse_queue *queue;
	struct scuse_tag *tag;
	u32 generation;
	struct scuse_sqe sqe;
};

void scuse_queues_init(struct scuse_device *dev);
int scuse_queues_create(struct scuse_device *dev);
void scuse_queues_destroy(struct scuse_device *dev);
void scuse_queue_reset(struct scuse_queue *queue);
void scuse_queue_start(struct scuse_queue *queue, struct scuse_session *sess);
void scuse_queue_stop(struct scuse_queue *queue);
struct scuse_queue *scuse_queue_of_cpu(struct scuse_device *dev, int cpu);
struct scuse_session *scuse_queue_drained(struct scuse_queue *queue);
bool scuse_io_begin(struct scuse_io *io, struct se_cmd *cmd, u8 op, sense_reason_t *ret);
bool scuse_io_begin_as(struct scuse_io *io, struct se_cmd *cmd, u8 op, enum scuse_access access,
		       sense_reason_t *ret);
bool scuse_io_begin_own(struct scuse_io *io, struct scuse_device *dev, u8 op);
void scuse_io_recall(struct scuse_io *io, struct scuse_queue *queue, struct scuse_tag *tag);
void scuse_io_restore(struct scuse_io *io, struct scuse_tag *tag);
sense_reason_t scuse_io_submit(struct scuse_io *io);
bool scuse_io_again(struct scuse_io *io);
bool scuse_io_replay(struct scuse_io *io);
void scuse_io_abandon(struct scuse_io *io);
bool scuse_offline(struct scuse_device *dev, struct se_cmd *cmd, sense_reason_t *ret);
void scuse_queue_borrow(struct scuse_queue *queue, u32 position);
void scuse_queue_return(struct scuse_queue *queue, struct scuse_tag *tag, u32 position);
void scuse_tag_put(struct scuse_queue *queue, struct scuse_tag *tag, const struct scuse_queue_stats *add);
void scuse_queue_wake(struct scuse_queue *queue);
void scuse_queue_wake_all(struct scuse_queue *queue);
struct se_dev_plug *scuse_plug_device(struct se_device *se_dev);
void scuse_unplug_device(struct se_dev_plug *plug);
bool scuse_queue_advise(struct scuse_queue *queue, const struct scuse_sqe *sqe);

/* Does nobody wait for the command any more but core, which waits for it to end?  @cmd may be NULL. */
static inline bool scuse_given_up(const struct se_cmd *cmd)
{
	return cmd && READ_ONCE(cmd->transport_state) & (CMD_T_ABORTED | CMD_T_STOP | CMD_T_FABRIC_STOP);
}

void scuse_parked_abort(struct scuse_device *dev);

/* tmr.c, requestsense.c */
void scuse_tmr_notify(struct se_device *se_dev, enum tcm_tmreq_table type, struct list_head *aborted);
sense_reason_t scuse_execute_request_sense(struct se_cmd *cmd);
bool scuse_request_sense_pending(struct se_cmd *cmd);

/* reap.c */
void scuse_queue_reap(struct scuse_queue *queue);
void scuse_queue_end(struct scuse_queue *queue);
u32 scuse_queue_quarantine(struct scuse_queue *queue);
void scuse_queue_unquarantine(struct scuse_queue *queue);
enum scuse_sense_trust scuse_tag_sense(struct scuse_queue *queue, struct scuse_tag *tag, u8 *sense);
void scuse_tag_end(struct scuse_queue *queue, struct scuse_tag *tag);
void scuse_complete(struct scuse_queue *queue, struct scuse_tag *tag);
void scuse_tag_refuse(struct scuse_queue *queue, struct scuse_tag *tag);
static inline bool scuse_queue_has_completions(struct scuse_queue *queue)
{
	return READ_ONCE(queue->user->cq_tail) != READ_ONCE(queue->cq_head);
}

/* orphan.c */
enum scuse_hold {
	SCUSE_HOLD_NOT = 0,
	SCUSE_HOLD_HELD,
	SCUSE_HOLD_AGAIN,
	SCUSE_HOLD_FULL,
};

u64 scuse_offline_ms(struct scuse_device *dev);
enum scuse_hold scuse_orphan_hold(struct se_cmd *cmd);
bool scuse_orphan_park(struct scuse_io *io);
void scuse_orphan_rest(struct scuse_tag *tag);
bool scuse_orphan_rested(struct scuse_tag *tag);
bool scuse_orphan_granted(struct scuse_tag *tag, bool *kept);
bool scuse_orphan_lost(struct scuse_tag *tag);
void scuse_orphans_adopt(struct scuse_queue *queue, struct list_head *list);
void scuse_orphans_replay(struct scuse_device *dev);
void scuse_orphans_execute(struct scuse_device *dev);
void scuse_orphans_abort(struct scuse_device *dev);
bool scuse_orphans_parkable(struct scuse_device *dev);
bool scuse_forsaken(struct se_cmd *cmd);
void scuse_orphans_arm(struct scuse_device *dev);
void scuse_orphans_review(struct scuse_device *dev);
void scuse_orphans_forget(struct scuse_device *dev);
void scuse_orphan_work(struct work_struct *work);

/* fence.c */
bool scuse_fence_pinned(struct scuse_device *dev);

/* session.c */
extern const struct file_operations scuse_session_fops;
void scuse_session_put(struct scuse_session *sess);
void scuse_session_drop(struct scuse_session *sess);
void scuse_session_remove(struct scuse_device *dev);
bool scuse_session_raise(struct scuse_session *sess, enum scuse_session_state state);

/* revoke.c; see watch.h too */
void scuse_session_break(struct scuse_session *sess, u32 queue, enum scuse_rule rule);
void scuse_revoke_work(struct work_struct *work);

/* region.c */
u64 scuse_region_size(const struct scuse_queue *queue, enum scuse_region region);
int scuse_region_mmap(struct scuse_device *dev, struct vm_area_struct *vma);
void scuse_region_opened(struct scuse_device *dev, struct address_space *mapping);
void scuse_region_closed(struct scuse_device *dev);
void scuse_region_zap(struct scuse_device *dev, enum scuse_region region, u32 queue, u64 first, u64 count);
bool scuse_region_try_zap(struct scuse_device *dev, enum scuse_region region, u32 queue, u64 first,
			  u64 count);
void scuse_region_zap_all(struct scuse_device *dev);

/* area.c */
vm_fault_t scuse_area_fault(struct scuse_queue *queue, enum scuse_region region, u64 index, struct page **page);
int scuse_slot_back(struct scuse_queue *queue, struct scuse_tag *tag, u32 first, u32 count);
int scuse_io_back(const struct scuse_io *io);
struct page *scuse_slot_page(struct scuse_queue *queue, struct scuse_tag *tag, u32 index);
void scuse_slot_empty(struct scuse_queue *queue, struct scuse_tag *tag);
void scuse_area_free(struct scuse_queue *queue);
int scuse_cdb_write(struct scuse_io *io, const u8 *cdb, u32 length);
void scuse_sense_read(struct scuse_queue *queue, struct scuse_tag *tag, u8 *sense, u32 length);

/* memory.c */
u64 scuse_memory_used(void);
u64 scuse_memory_max(struct scuse_device *dev);
int scuse_memory_charge(struct scuse_device *dev, u64 count);
void scuse_memory_uncharge(struct scuse_device *dev, u64 count);
struct page *scuse_page_alloc(void);
struct page *scuse_page_rescue(struct scuse_device *dev);
void scuse_page_free(struct scuse_device *dev, struct page *page);
int scuse_reserve_join(u32 slot_pages);
void scuse_reserve_leave(void);

/* trim.c */
int scuse_trim_init(void);
void scuse_trim_exit(void);
void scuse_trim_init_device(struct scuse_device *dev);
void scuse_trim_start(struct scuse_device *dev);
void scuse_trim_stop(struct scuse_device *dev);
void scuse_trim_arm(struct scuse_device *dev);
void scuse_trim_own(struct scuse_device *dev, u64 wanted);
u64 scuse_trim_all(u64 wanted);

/* data.c */
struct scuse_sg {
	struct scatterlist *sg;
	u32 nents;
	u32 offset; /* within sg */
};

void scuse_sg_start(struct scuse_sg *cursor, struct scatterlist *sgl, u32 nents);
u32 scuse_sg_read(struct scuse_sg *cursor, void *buffer, u32 length);
u32 scuse_sg_write(struct scuse_sg *cursor, const void *buffer, u32 length);
void scuse_sg_skip(struct scuse_sg *cursor, u32 length);
sense_reason_t scuse_reply(struct se_cmd *cmd, const void *buffer, u32 length);
sense_reason_t scuse_reply_written(struct se_cmd *cmd, u32 length);
u32 scuse_parameters(struct se_cmd *cmd, void *buffer, u32 size);
int scuse_slot_fill(struct scuse_io *io, struct scatterlist *sgl, u32 nents, u32 length);
int scuse_slot_load(struct scuse_io *io, struct scuse_sg *cursor, u32 length);
int scuse_slot_write(struct scuse_io *io, u32 offset, const void *buffer, u32 length);
u32 scuse_slot_drain(struct scuse_queue *queue, struct scuse_tag *tag);
int scuse_slot_refill(struct scuse_io *io);

/* slot.c */
void scuse_slot_read(struct scuse_io *io, u32 offset, void *buffer, u32 length);
u32 scuse_slot_compare(struct scuse_io *io, u32 offset, struct scuse_sg *cursor, u32 length);
int scuse_slot_or(struct scuse_io *io, struct scuse_sg *cursor, u32 length);
int scuse_slot_invert(struct scuse_io *io, u32 length);
u32 scuse_sg_next(struct scuse_sg *cursor, u32 length, struct page **page, u32 *offset);

/* netlink.c */
extern struct genl_family scuse_genl_family;
int scuse_need_admin(struct sk_buff *skb, struct genl_info *info);
struct scuse_device *scuse_named_device(struct genl_info *info);
int scuse_netlink_init(void);
void scuse_netlink_exit(void);

/* nlmsg.c */
struct scuse_event_info {
	enum scuse_event event;
	struct scuse_device *dev; /* or NULL */
	const char *message;	  /* or NULL */
	const char *handler;	  /* of an owner, or NULL */
	u32 portid;		  /* of an owner, or 0 */
	u32 pid;		  /* or 0 */
	u32 nexus;		  /* that a unit attention spares, or 0 */
	u8 asc;			  /* of a unit attention */
	u8 ascq;
	const u8 *mode;		  /* mode pages, or NULL */
	u32 mode_length;
};

int scuse_msg_device(struct sk_buff *skb, struct scuse_device *dev, u64 size, bool admin);
u64 scuse_event_sequence(void);
void scuse_event(const struct scuse_event_info *info);
void scuse_event_device(struct scuse_device *dev, enum scuse_event event, const char *message);

/* nlnexus.c */
int scuse_dump_nexuses(struct sk_buff *skb, struct netlink_callback *cb);
int scuse_dump_reservations(struct sk_buff *skb, struct netlink_callback *cb);

/* owner.c */
int scuse_owner_init(void);
void scuse_owner_exit(void);
bool scuse_owner_exists(const char *handler);
int scuse_owner_claim(const char *handler, u32 portid, u32 pid, struct netlink_ext_ack *extack);
int scuse_owner_release(const char *handler, u32 portid, struct netlink_ext_ack *extack);
int scuse_owner_reply(u64 cookie, u32 portid, u32 status, const char *message);
int scuse_owner_dump(struct sk_buff *skb, struct netlink_callback *cb);
int scuse_owner_ask(struct scuse_device *dev, enum scuse_request request, u64 size, char *message);
int scuse_owner_ask_save(struct scuse_device *dev, const u8 *pages, u32 length, char *message);
void scuse_owner_tell(struct scuse_device *dev, enum scuse_request request);

#endif /* SCUSE_H */
