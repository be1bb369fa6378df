// SPDX-License-Identifier: GPL-2.0-only
/*
 * Owners of handler names, and what the kernel asks of them (scuse/abi.h, "Owners").  Called by
 * netlink.c and backend.c, process context.
 *
 * A request lives on the stack of whoever waits.  It is on the list for as long as it may be answered,
 * and is taken off by the waiter itself, under the lock, so an answer either finds it or comes too
 * late.
 *
 *	asked -----> answered (REPLY of the owner's socket with the cookie)
 *	   |-------> owner lost (its socket was closed, or it released the name)
 *	   +-------> timed out, or the waiter was killed
 *
 * Locking: scuse_owners_lock protects both lists and what is in them.  Events are raised after it is
 * dropped.
 */
#include <linux/completion.h>
#include <linux/list.h>
#include <linux/netlink.h>
#include <linux/notifier.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <net/genetlink.h>
#include <net/net_namespace.h>
#include <net/netlink.h>
#include "scuse.h"

struct scuse_owner {
	struct list_head entry;
	char handler[SCUSE_HANDLER_MAX];
	u32 portid;
	u32 pid;
};

struct scuse_pending {
	struct list_head entry;
	u64 cookie;
	u32 portid;
	bool done;
	int status; /* 0 or negative */
	char *message;
	struct completion answered;
};

/* What is asked, besides the device's attributes. */
struct scuse_question {
	enum scuse_request request;
	u64 size;	 /* what to say in SIZE, 0: the device's */
	const u8 *pages; /* mode pages, or NULL */
	u32 pages_length;
};

static DEFINE_MUTEX(scuse_owners_lock);
static LIST_HEAD(scuse_owners);
static LIST_HEAD(scuse_pending);
static u64 scuse_cookie;

static struct scuse_owner *scuse_owner_find(const char *handler)
{
	struct scuse_owner *owner;

	list_for_each_entry(owner, &scuse_owners, entry) {
		if (!strcmp(owner->handler, handler))
			return owner;
	}
	return NULL;
}

/* Does somebody serve the handler now? */
bool scuse_owner_exists(const char *handler)
{
	bool exists;

	mutex_lock(&scuse_owners_lock);
	exists = scuse_owner_find(handler);
	mutex_unlock(&scuse_owners_lock);
	return exists;
}

int scuse_owner_claim(const char *handler, u32 portid, u32 pid, struct netlink_ext_ack *extack)
{
	struct scuse_event_info info = {
		.event = SCUSE_EVENT_OWNER_CLAIMED,
		.portid = portid,
		.pid = pid,
	};
	struct scuse_owner *owner, *old;

	owner = kzalloc(sizeof(*owner), GFP_KERNEL);
	if (!owner)
		return -ENOMEM;
	strscpy(owner->handler, handler, sizeof(owner->handler));
	owner->portid = portid;
	owner->pid = pid;

	mutex_lock(&scuse_owners_lock);
	old = scuse_owner_find(handler);
	if (old) {
		bool same = old->portid == portid;

		mutex_unlock(&scuse_owners_lock);
		kfree(owner);
		if (same)
			return 0;
		NL_SET_ERR_MSG(extack, "another runner owns this handler already");
		return -EBUSY;
	}
	list_add_tail(&owner->entry, &scuse_owners);
	mutex_unlock(&scuse_owners_lock);
	info.handler = handler;
	scuse_event(&info);
	return 0;
}

/* Ends what waits for an answer of @portid; scuse_owners_lock is held. */
static void scuse_pending_fail(u32 portid)
{
	struct scuse_pending *pending;

	list_for_each_entry(pending, &scuse_pending, entry) {
		if (pending->portid != portid || pending->done)
			continue;
		pending->done = true;
		pending->status = -ECONNRESET;
		if (pending->message)
			strscpy(pending->message, "the runner went away before it answered",
				SCUSE_MESSAGE_MAX);
		complete(&pending->answered);
	}
}

static void scuse_owner_lost(struct scuse_owner *owner)
{
	struct scuse_event_info info = {
		.event = SCUSE_EVENT_OWNER_LOST,
		.handler = owner->handler,
		.portid = owner->portid,
		.pid = owner->pid,
	};

	scuse_event(&info);
	kfree(owner);
}

int scuse_owner_release(const char *handler, u32 portid, struct netlink_ext_ack *extack)
{
	struct scuse_owner *owner;

	mutex_lock(&scuse_owners_lock);
	owner = scuse_owner_find(handler);
	if (!owner || owner->portid != portid) {
		mutex_unlock(&scuse_owners_lock);
		NL_SET_ERR_MSG(extack, "this socket does not own the handler");
		return -ENOENT;
	}
	list_del(&owner->entry);
	mutex_unlock(&scuse_owners_lock);
	scuse_owner_lost(owner);
	return 0;
}

/* A netlink socket was closed. */
static int scuse_owner_notify(struct notifier_block *block, unsigned long event, void *data)
{
	struct netlink_notify *notify = data;
	struct scuse_owner *owner, *next;
	LIST_HEAD(lost);

	if (event != NETLINK_URELEASE || notify->protocol != NETLINK_GENERIC || notify->net != &init_net)
		return NOTIFY_DONE;
	mutex_lock(&scuse_owners_lock);
	list_for_each_entry_safe(owner, next, &scuse_owners, entry) {
		if (owner->portid == notify->portid)
			list_move_tail(&owner->entry, &lost);
	}
	scuse_pending_fail(notify->portid);
	mutex_unlock(&scuse_owners_lock);

	list_for_each_entry_safe(owner, next, &lost, entry)
		scuse_owner_lost(owner);
	return NOTIFY_DONE;
}

static struct notifier_block scuse_owner_notifier = {
	.notifier_call = scuse_owner_notify,
};

/* -ENOENT if nobody waits for the cookie, or not for an answer of this socket. */
int scuse_owner_reply(u64 cookie, u32 portid, u32 status, const char *message)
{
	struct scuse_pending *pending;
	int ret = -ENOENT;

	mutex_lock(&scuse_owners_lock);
	list_for_each_entry(pending, &scuse_pending, entry) {
		if (pending->cookie != cookie || pending->portid != portid || pending->done)
			continue;
		pending->done = true;
		pending->status = status <= MAX_ERRNO ? -(int)status : -EIO;
		if (pending->message && status)
			strscpy(pending->message, message ? message : "the runner gave no reason",
				SCUSE_MESSAGE_MAX);
		complete(&pending->answered);
		ret = 0;
		break;
	}
	mutex_unlock(&scuse_owners_lock);
	return ret;
}

static struct sk_buff *scuse_request_message(struct scuse_device *dev, const struct scuse_question *question,
					     u64 cookie)
{
	struct sk_buff *skb;
	void *header;

	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE + SCUSE_CONFIG_MAX, GFP_KERNEL);
	if (!skb)
		return NULL;
	header = genlmsg_put(skb, 0, 0, &scuse_genl_family, 0, SCUSE_CMD_REQUEST);
	if (!header)
		goto err;
	if (nla_put_u64_64bit(skb, SCUSE_ATTR_COOKIE, cookie, SCUSE_ATTR_PAD) ||
	    nla_put_u32(skb, SCUSE_ATTR_REQUEST, question->request) ||
	    scuse_msg_device(skb, dev, question->size, true))
		goto err;
	if (question->pages && nla_put(skb, SCUSE_ATTR_MODE, question->pages_length, question->pages))
		goto err;
	genlmsg_end(skb, header);
	return skb;
err:
	nlmsg_free(skb);
	return NULL;
}

/*
 * Sends a request to the owner of the device's handler; -ESRCH if it has none. scuse_owners_lock is
 * held.
 */
static int scuse_request_send(struct scuse_device *dev, const struct scuse_question *question, u64 cookie,
			      u32 *portid)
{
	struct scuse_owner *owner = scuse_owner_find(dev->handler);
	struct sk_buff *skb;

	if (!owner)
		return -ESRCH;
	skb = scuse_request_message(dev, question, cookie);
	if (!skb)
		return -ENOMEM;
	*portid = owner->portid;
	return genlmsg_unicast(&init_net, skb, owner->portid);
}

/*
 * Asks the owner of the device's handler, and waits for its answer.
 *
 * @message: room for SCUSE_MESSAGE_MAX bytes; says why, whenever an error but -ESRCH is returned
 *
 * 0: agreed.  -ESRCH: the handler has no owner.  -ETIMEDOUT, -EINTR (killed), -ECONNRESET (the owner
 * went away), or what the owner said.  Waits at most SCUSE_REQUEST_TIMEOUT seconds, killable.
 */
static int scuse_question_ask(struct scuse_device *dev, const struct scuse_question *question, char *message)
{
	struct scuse_pending pending = { .message = message };
	long left = 0;
	int ret;

	init_completion(&pending.answered);
	mutex_lock(&scuse_owners_lock);
	pending.cookie = ++scuse_cookie;
	ret = scuse_request_send(dev, question, pending.cookie, &pending.portid);
	if (!ret)
		list_add_tail(&pending.entry, &scuse_pending);
	mutex_unlock(&scuse_owners_lock);
	if (ret) {
		if (ret != -ESRCH)
			scnprintf(message, SCUSE_MESSAGE_MAX, "the runner could not be asked (error %d)",
				  -ret);
		return ret;
	}

	left = wait_for_completion_killable_timeout(&pending.answered, SCUSE_REQUEST_TIMEOUT * HZ);
	mutex_lock(&scuse_owners_lock);
	list_del(&pending.entry);
	mutex_unlock(&scuse_owners_lock);
	if (pending.done)
		return pending.status;
	if (left < 0) {
		strscpy(message, "interrupted while waiting for the runner", SCUSE_MESSAGE_MAX);
		return -EINTR;
	}
	scnprintf(message, SCUSE_MESSAGE_MAX, "the runner gave no answer in %u seconds",
		  SCUSE_REQUEST_TIMEOUT);
	return -ETIMEDOUT;
}

int scuse_owner_ask(struct scuse_device *dev, enum scuse_request request, u64 size, char *message)
{
	struct scuse_question question = { .request = request, .size = size };

	return scuse_question_ask(dev, &question, message);
}

/* Like scuse_owner_ask(): SAVE_MODE with these mode pages. */
int scuse_owner_ask_save(struct scuse_device *dev, const u8 *pages, u32 length, char *message)
{
	struct scuse_question question = {
		.request = SCUSE_REQUEST_SAVE_MODE,
		.pages = pages,
		.pages_length = length,
	};

	return scuse_question_ask(dev, &question, message);
}

/* Like scuse_owner_ask(), without an answer. */
void scuse_owner_tell(struct scuse_device *dev, enum scuse_request request)
{
	struct scuse_question question = { .request = request };
	u32 portid;

	mutex_lock(&scuse_owners_lock);
	scuse_request_send(dev, &question, ++scuse_cookie, &portid);
	mutex_unlock(&scuse_owners_lock);
}

static int scuse_msg_owner(struct sk_buff *skb, struct netlink_callback *cb, const struct scuse_owner *owner)
{
	void *header = genlmsg_put(skb, NETLINK_CB(cb->skb).portid, cb->nlh->nlmsg_seq, &scuse_genl_family,
				   NLM_F_MULTI, SCUSE_CMD_GET_OWNER);

	if (!header)
		return -EMSGSIZE;
	if (nla_put_string(skb, SCUSE_ATTR_HANDLER, owner->handler) ||
	    nla_put_u32(skb, SCUSE_ATTR_PORTID, owner->portid) ||
	    nla_put_u32(skb, SCUSE_ATTR_PID, owner->pid) ||
	    nla_put_u64_64bit(skb, SCUSE_ATTR_SEQUENCE, scuse_event_sequence(), SCUSE_ATTR_PAD)) {
		genlmsg_cancel(skb, header);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, header);
	return 0;
}

/*
 * Resumes by position: owners that come and go during a dump may be missed, but then an event says so.
 */
int scuse_owner_dump(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct scuse_owner *owner;
	long index = 0;

	mutex_lock(&scuse_owners_lock);
	list_for_each_entry(owner, &scuse_owners, entry) {
		if (index >= cb->args[0] && scuse_msg_owner(skb, cb, owner))
			break;
		index++;
	}
	mutex_unlock(&scuse_owners_lock);
	cb->args[0] = index;
	return skb->len;
}

int scuse_owner_init(void)
{
	scuse_cookie = get_random_u32();
	return netlink_register_notifier(&scuse_owner_notifier);
}

/* Nobody can claim any more: the family is gone. */
void scuse_owner_exit(void)
{
	struct scuse_owner *owner, *next;

	netlink_unregister_notifier(&scuse_owner_notifier);
	list_for_each_entry_safe(owner, next, &scuse_owners, entry)
		kfree(owner);
}
