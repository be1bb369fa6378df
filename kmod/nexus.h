/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * I_T nexuses of a device: which sessions reach it by which LUN, and what unit attentions each of them has
 * pending.  Raised from all over the module; asked by cdb.c for each command, by requestsense.c, and by the
 * dumps of netlink.
 *
 * LIFE OF A NEXUS
 *	A nexus is one se_session at one LUN.  Core tells a backend neither of new sessions nor of those that
 *	end, so a nexus is made when its first command comes, or when the device's sessions are walked, and
 *	dropped by the next walk that does not find its session.  A walk is made in a work item after
 *	each unit attention and each new nexus, and for dumps: the number of nexuses stays that of the
 *	sessions but for a moment.
 *
 *	  session registered ----> (unknown) --first command or walk--> known --walk misses it--> freed by RCU
 *
 *	Nothing keeps the session alive: its address is only compared.  Since the memory of a session that has
 *	ended may become the next one, a nexus also compares the port group, the numbers that core gives ACLs,
 *	and the time at which an iSCSI session was made.
 *
 *	A nexus starts with the unit attentions that were raised after it came into being, whether or not it
 *	had sent a command by then: what counts is the time at which session (iSCSI) and mapping of the
 *	LUN were made.
 *
 * LOCKS
 *	nexuses.lock protects the log, the readers, and changes of the hash table; a spin lock that disables
 *	interrupts, innermost of all.  nexuses.walk_lock (mutex) serialises walks; within it core's
 *	se_port_lock, session_lock and then nexuses.lock are taken.  Look-ups need RCU.
 */
#ifndef SCUSE_NEXUS_H
#define SCUSE_NEXUS_H

#include <linux/atomic.h>
#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <target/target_core_base.h>
#include "ua.h"

#define SCUSE_NEXUS_HASH_BITS  4
#define SCUSE_NEXUS_CORE_CODES 8			/* unit attentions of core that a dump shows */
#define SCUSE_NEXUS_NAME       (TRANSPORT_IQN_LEN + 32) /* bytes: a name with ISID or portal group */

struct scuse_device;

/* What tells one nexus from another, and from one that had the same memory before. */
struct scuse_nexus_identity {
	const struct se_session *sess;	   /* only compared */
	const struct se_portal_group *tpg; /* only compared */
	u64 lun;			   /* as the initiator addresses the device */
	u64 created;			   /* jiffies at which an iSCSI session was made; else 0 */
	u32 acl;			   /* core's number of the node ACL */
};

struct scuse_nexus {
	struct hlist_node node; /* nexuses.lock for writing, RCU */
	struct rcu_head rcu;
	/* Constant. */
	struct scuse_nexus_identity identity;
	bool iscsi;
	u32 id; /* unique in the device's life, from 1 on */
	char fabric[16];
	char initiator[SCUSE_NEXUS_NAME];
	char target[SCUSE_NEXUS_NAME];
	/* nexuses.lock */
	u64 walk;		       /* the last one that met it */
	struct scuse_ua_reader reader; /* scuse_ua_pending() without the lock */
	const struct se_cmd *telling;  /* was given `told` last, and may prove to be aborted; only compared */
	struct scuse_ua_code told;
	const struct se_dev_entry *entry; /* the mapping of the LUN; only compared */
	/* What core had pending for the mapping when a dump began; see nlnexus.c. */
	struct scuse_ua_code core[SCUSE_NEXUS_CORE_CODES];
	u32 core_count;
};

struct scuse_nexuses {
	spinlock_t lock; /* see the top */
	struct scuse_ua_log log;
	DECLARE_HASHTABLE(hash, SCUSE_NEXUS_HASH_BITS);
	u32 last_id;
	u64 walk;			    /* number of the latest walk */
	u64 announced;			    /* events before this one have been sent to netlink's listeners */
	atomic_t reservation_changed;	    /* listeners are to be told */
	const struct se_session *preempter; /* of the PERSISTENT RESERVE OUT under way; only compared */
	struct mutex walk_lock;
	struct mutex move_lock; /* changes of registrations, but for PREEMPT AND ABORT; see move.c */
	struct work_struct work; /* walks, then tells listeners; holds a reference to the device */
};

void scuse_nexuses_init(struct scuse_device *dev);
/* No command is under way any more.  Frees what is left. */
void scuse_nexuses_exit(struct scuse_device *dev);
/* Makes the table true to core's sessions.  May sleep. */
void scuse_nexuses_walk(struct scuse_device *dev);

/*
 * scuse_ua_raise - establish a unit attention condition for all nexuses of @dev
 * @spared: the command whose nexus has caused it and is not told, or NULL: all are told
 *
 * Any context; cannot fail.
 */
void scuse_ua_raise(struct scuse_device *dev, u8 asc, u8 ascq, struct se_cmd *spared);

/* scuse_ua_raise_for - establish a condition for the nexus of @cmd alone */
void scuse_ua_raise_for(struct se_cmd *cmd, u8 asc, u8 ascq);

/*
 * scuse_ua_check - report the next pending unit attention by @cmd
 *
 * True: the command has been ended with CHECK CONDITION.  Process context; may wait for memory on the first
 * command of a nexus.
 */
bool scuse_ua_check(struct se_cmd *cmd);

/* scuse_ua_take - take the next pending unit attention off @cmd's nexus.  False: none is pending. */
bool scuse_ua_take(struct se_cmd *cmd, struct scuse_ua_code *code);

/* scuse_ua_adopt - take over what core has pending for the nexus of @cmd */
void scuse_ua_adopt(struct se_cmd *cmd);

/* scuse_ua_aborted - @cmd is aborted: if it was just given a unit attention, that is pending again */
void scuse_ua_aborted(struct scuse_device *dev, struct se_cmd *cmd);

/*
 * scuse_ua_telling - @cmd is about to report @code, which is not pending for its nexus: a device's own sense
 * data
 *
 * If the command proves to be aborted the nexus gets the condition: scuse_ua_aborted().
 */
void scuse_ua_telling(struct se_cmd *cmd, const struct scuse_ua_code *code);

/* scuse_ua_status - @cmd ends with @status: BUSY and TASK SET FULL may establish a condition (SPC-4 7.5.8) */
void scuse_ua_status(struct se_cmd *cmd, u8 status);

/* scuse_nexus_entry - what @acl maps at @lun, under RCU; NULL: nothing */
static inline struct se_dev_entry *scuse_nexus_entry(struct se_node_acl *acl, u64 lun)
{
	struct se_dev_entry *entry;

	hlist_for_each_entry_rcu(entry, &acl->lun_entry_hlist, link)
	{
		if (entry->mapped_lun == lun)
			return entry;
	}
	return NULL;
}

/* The id of the nexus of @cmd; 0: none, a command of the kernel's own. */
u32 scuse_nexus_id(struct se_cmd *cmd);

/* scuse_reservation_changed - tell listeners, soon.  Any context. */
void scuse_reservation_changed(struct scuse_device *dev);

#endif /* SCUSE_NEXUS_H */
