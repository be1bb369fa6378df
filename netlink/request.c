/* SPDX-License-Identifier: MIT */
/*
 * What changes something: owners claim, release and reply; anybody with the right resizes, restarts, sets
 * mode pages and reports.
 *
 * Called by programs.  The kernel knows an owner by its socket, so claim, release and reply go through
 * `owner`, everything else through `ask`.
 */
#include "internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

/* Sends, waits for the acknowledgement, frees. */
static int send_and_wait(struct scuse_nl *nl, struct nl_sock *sock, struct nl_msg *msg, unsigned int timeout)
{
	struct scuse_nl_exchange exchange = { 0 };
	int r = scuse_nl_exchange(nl, sock, msg, &exchange, timeout);

	nlmsg_free(msg);
	return r;
}

static int too_big(struct scuse_nl *nl, struct nl_msg *msg)
{
	nlmsg_free(msg);
	return scuse_nl_fail_errno(nl, -EMSGSIZE, "netlink message");
}

/* The kernel keeps messages of at most SCUSE_MESSAGE_MAX; a cut one must still be UTF-8. */
static int put_message(struct nl_msg *msg, const char *message)
{
	char cut[SCUSE_MESSAGE_MAX];
	size_t length = strlen(message);

	if (length >= sizeof(cut)) {
		length = sizeof(cut) - 1;
		while (length && ((unsigned char)message[length] & 0xc0) == 0x80)
			length--;
	}
	memcpy(cut, message, length);
	cut[length] = 0;
	return nla_put_string(msg, SCUSE_ATTR_MESSAGE, cut);
}

static int owner_call(struct scuse_nl *nl, uint8_t command, const char *handler)
{
	struct nl_msg *msg;
	int r = scuse_nl_message(nl, command, NLM_F_ACK, &msg);

	if (r)
		return r;
	if (nla_put_string(msg, SCUSE_ATTR_HANDLER, handler))
		return too_big(nl, msg);
	return send_and_wait(nl, nl->owner, msg, nl->timeout);
}

SCUSE_API int scuse_nl_claim(struct scuse_nl *nl, const char *handler)
{
	int r;

	if (!nl->owner) {
		r = scuse_nl_socket(nl, &nl->owner, true);
		if (r)
			return r;
	}
	return owner_call(nl, SCUSE_CMD_OWNER_CLAIM, handler);
}

SCUSE_API int scuse_nl_release(struct scuse_nl *nl, const char *handler)
{
	if (!nl->owner)
		return scuse_nl_fail(nl, -ENOENT, "%s is not claimed by this handle", handler);
	return owner_call(nl, SCUSE_CMD_OWNER_RELEASE, handler);
}

SCUSE_API int scuse_nl_reply(struct scuse_nl *nl, uint64_t cookie, int status, const char *message)
{
	struct nl_msg *msg;
	int r;

	if (!nl->owner)
		return scuse_nl_fail(nl, -ENOENT, "a reply without a claim");
	r = scuse_nl_message(nl, SCUSE_CMD_REPLY, NLM_F_ACK, &msg);
	if (r)
		return r;
	if (nla_put_u64(msg, SCUSE_ATTR_COOKIE, cookie) ||
	    nla_put_u32(msg, SCUSE_ATTR_STATUS, (uint32_t)(status < 0 ? -status : status)) ||
	    (status &&
	     put_message(msg, message && *message ? message : strerror(status < 0 ? -status : status))))
		return too_big(nl, msg);
	return send_and_wait(nl, nl->owner, msg, nl->timeout);
}

SCUSE_API int scuse_nl_resize(struct scuse_nl *nl, uint32_t id, uint64_t size)
{
	struct nl_msg *msg;
	int r = scuse_nl_message(nl, SCUSE_CMD_RESIZE, NLM_F_ACK, &msg);

	if (r)
		return r;
	if (nla_put_u32(msg, SCUSE_ATTR_ID, id) || nla_put_u64(msg, SCUSE_ATTR_SIZE, size))
		return too_big(nl, msg);
	return send_and_wait(nl, nl->ask, msg, nl->timeout + SCUSE_REQUEST_TIMEOUT * 1000u);
}

/* A session that hangs has to end first, which may take SCUSE_KILL_TIMEOUT. */
SCUSE_API int scuse_nl_restart(struct scuse_nl *nl, uint32_t id)
{
	struct nl_msg *msg;
	int r = scuse_nl_message(nl, SCUSE_CMD_RESTART, NLM_F_ACK, &msg);

	if (r)
		return r;
	if (nla_put_u32(msg, SCUSE_ATTR_ID, id))
		return too_big(nl, msg);
	r = send_and_wait(nl, nl->ask, msg,
			  nl->timeout + (SCUSE_REQUEST_TIMEOUT + SCUSE_KILL_TIMEOUT) * 1000u);
	return r == -ENOENT ? -ENODEV : r;
}

SCUSE_API int scuse_nl_set_mode(struct scuse_nl *nl, uint32_t id, const void *pages, size_t length)
{
	struct nl_msg *msg;
	int r;

	if (length > SCUSE_MODE_MAX)
		return scuse_nl_fail(nl, -EINVAL, "%zu bytes of mode pages are too many: at most %d", length,
				     SCUSE_MODE_MAX);
	r = scuse_nl_message(nl, SCUSE_CMD_SET_MODE, NLM_F_ACK, &msg);
	if (r)
		return r;
	if (nla_put_u32(msg, SCUSE_ATTR_ID, id) || nla_put(msg, SCUSE_ATTR_MODE, (int)length, pages))
		return too_big(nl, msg);
	r = send_and_wait(nl, nl->ask, msg, nl->timeout);
	return r == -ENOENT ? -ENODEV : r;
}

SCUSE_API int scuse_nl_report(struct scuse_nl *nl, uint32_t id, enum scuse_event event, const char *message)
{
	struct nl_msg *msg;
	int r = scuse_nl_message(nl, SCUSE_CMD_REPORT, NLM_F_ACK, &msg);

	if (r)
		return r;
	if (nla_put_u32(msg, SCUSE_ATTR_ID, id) || nla_put_u32(msg, SCUSE_ATTR_EVENT, event) ||
	    put_message(msg, message ? message : ""))
		return too_big(nl, msg);
	return send_and_wait(nl, nl->ask, msg, nl->timeout);
}
