/* SPDX-License-Identifier: MIT */
/*
 * One request to the kernel and all that it answers, with a limit on the time.
 *
 * Called by dump.c and request.c.  On the owner's socket requests of the kernel may arrive between the
 * question and its answer: they are queued for scuse_nl_dispatch().  Answers that an earlier exchange
 * gave up waiting for are recognised by their sequence number and dropped.
 */
#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

struct receiver {
	struct scuse_nl *nl;
	struct scuse_nl_exchange *exchange;
};

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/*
 * Layout: nlmsghdr, nlmsgerr (errno, the request's header), the rest of the request unless NLM_F_CAPPED,
 * then attributes if NLM_F_ACK_TLVS.
 */
bool scuse_nl_parse_ack(const struct nlmsghdr *header, int *error, char *text, size_t size)
{
	const struct nlmsgerr *ack = nlmsg_data(header);
	struct nlattr *attrs[NLMSGERR_ATTR_MAX + 1], *message;
	size_t skip = sizeof(*ack), total = (size_t)nlmsg_datalen(header);

	text[0] = 0;
	if (nlmsg_datalen(header) < (int)sizeof(*ack))
		return false;
	*error = ack->error;
	if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
		return true;
	if (!(header->nlmsg_flags & NLM_F_CAPPED) && ack->msg.nlmsg_len > sizeof(ack->msg))
		skip += NLMSG_ALIGN(ack->msg.nlmsg_len - sizeof(ack->msg));
	if (skip >= total)
		return true;
	if (nla_parse(attrs, NLMSGERR_ATTR_MAX, (struct nlattr *)((char *)nlmsg_data(header) + skip),
		      (int)(total - skip), NULL))
		return true;
	message = attrs[NLMSGERR_ATTR_MSG];
	if (message)
		snprintf(text, size, "%.*s", nla_len(message), (const char *)nla_data(message));
	return true;
}

static int on_message_in(struct nl_msg *msg, void *arg)
{
	(void)arg;
	return scuse_nl_from_kernel(msg) ? NL_OK : NL_SKIP;
}

/* Sorts what belongs to the exchange from what is old or unasked for. */
static int on_sequence(struct nl_msg *msg, void *arg)
{
	struct receiver *receiver = arg;
	struct nlmsghdr *header = nlmsg_hdr(msg);

	if (receiver->nl->owner && header->nlmsg_type == receiver->nl->family &&
	    genlmsg_valid_hdr(header, 0) && genlmsg_hdr(header)->cmd == SCUSE_CMD_REQUEST) {
		scuse_nl_queue_message(receiver->nl, msg);
		return NL_SKIP;
	}
	return header->nlmsg_seq == receiver->exchange->seq ? NL_OK : NL_SKIP;
}

static int on_valid(struct nl_msg *msg, void *arg)
{
	struct scuse_nl_exchange *exchange = ((struct receiver *)arg)->exchange;
	int r = exchange->answer ? exchange->answer(exchange->arg, nlmsg_hdr(msg)) : 0;

	if (r && !exchange->result)
		exchange->result = r;
	return NL_OK;
}

static int on_interrupted(struct nl_msg *msg, void *arg)
{
	(void)msg;
	((struct receiver *)arg)->exchange->interrupted = true;
	return NL_OK;
}

/* The end of a dump, with its error: libnl looks at it no further. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	struct scuse_nl_exchange *exchange = ((struct receiver *)arg)->exchange;
	struct nlmsghdr *header = nlmsg_hdr(msg);
	int error = 0;

	if (nlmsg_datalen(header) >= (int)sizeof(error))
		memcpy(&error, nlmsg_data(header), sizeof(error));
	if (error < 0 && !exchange->result)
		exchange->result = error;
	exchange->finished = true;
	return NL_OK;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	(void)msg;
	((struct receiver *)arg)->exchange->finished = true;
	return NL_OK;
}

static int on_error(struct sockaddr_nl *from, struct nlmsgerr *ack, void *arg)
{
	struct scuse_nl_exchange *exchange = ((struct receiver *)arg)->exchange;
	/* libnl hands over the payload; the attributes' presence is told in the header before it. */
	const struct nlmsghdr *header = (const struct nlmsghdr *)((char *)ack - NLMSG_HDRLEN);
	int error;

	if (from->nl_pid == 0 && header->nlmsg_seq == exchange->seq &&
	    scuse_nl_parse_ack(header, &error, exchange->text, sizeof(exchange->text))) {
		exchange->result = error;
		exchange->finished = true;
	}
	return NL_SKIP;
}

static struct nl_cb *make_callbacks(struct receiver *receiver)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);

	if (!cb)
		return NULL;
	nl_cb_set(cb, NL_CB_MSG_IN, NL_CB_CUSTOM, on_message_in, receiver);
	nl_cb_set(cb, NL_CB_SEQ_CHECK, NL_CB_CUSTOM, on_sequence, receiver);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_valid, receiver);
	nl_cb_set(cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_interrupted, receiver);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, receiver);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, receiver);
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, receiver);
	return cb;
}

static int wait_readable(struct nl_sock *sock, int64_t deadline)
{
	struct pollfd pollfd = { .fd = nl_socket_get_fd(sock), .events = POLLIN };
	int64_t left = deadline - now();

	if (left <= 0)
		return -ETIMEDOUT;
	/* A signal does not end the wait: it is short, and half an exchange helps nobody. */
	if (poll(&pollfd, 1, left > 1000000 ? 1000000 : (int)left) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

static int receive(struct nl_sock *sock, struct nl_cb *cb, struct scuse_nl_exchange *exchange,
		   int64_t deadline)
{
	int r;

	while (!exchange->finished) {
		r = nl_recvmsgs(sock, cb);
		if (r == -NLE_AGAIN)
			r = wait_readable(sock, deadline);
		else
			r = r < 0 ? scuse_nl_from_libnl(r) : 0;
		if (r)
			return r;
	}
	return exchange->result;
}

static int attempt(struct scuse_nl *nl, struct nl_sock *sock, struct nl_msg *msg, struct nl_cb *cb,
		   struct scuse_nl_exchange *exchange, unsigned int timeout)
{
	struct nlmsghdr *header = nlmsg_hdr(msg);
	int r;

	header->nlmsg_type = (uint16_t)nl->family;
	header->nlmsg_seq = exchange->seq = nl_socket_use_seq(sock);
	nl_complete_msg(sock, msg);
	r = nl_send(sock, msg);
	return r < 0 ? scuse_nl_from_libnl(r) : receive(sock, cb, exchange, now() + timeout);
}

/* Was the module loaded anew, so that the family has another number?  Then one more attempt is worth it. */
static bool family_moved(struct scuse_nl *nl, struct scuse_nl_exchange *exchange)
{
	int old = nl->family;

	if (scuse_nl_resolve(nl) || nl->family == old)
		return false;
	exchange->finished = false;
	exchange->result = 0;
	return true;
}

/*
 * 0, or -errno with the error's text set.  `timeout` is in milliseconds.  `msg` stays the caller's and may be
 * sent again.
 */
int scuse_nl_exchange(struct scuse_nl *nl, struct nl_sock *sock, struct nl_msg *msg,
		      struct scuse_nl_exchange *exchange, unsigned int timeout)
{
	struct receiver receiver = { .nl = nl, .exchange = exchange };
	struct nl_cb *cb = make_callbacks(&receiver);
	int r;

	if (!cb)
		return scuse_nl_fail_errno(nl, -ENOMEM, "netlink");
	r = attempt(nl, sock, msg, cb, exchange, timeout);
	if (r == -ENOENT && !exchange->text[0] && family_moved(nl, exchange))
		r = attempt(nl, sock, msg, cb, exchange, timeout);
	nl_cb_put(cb);
	if (!r)
		return 0;
	if (nl->family < 0)
		return -ENODEV; /* the lookup has left its words */
	if (exchange->text[0])
		return scuse_nl_fail(nl, r, "%s", exchange->text);
	return scuse_nl_fail_errno(nl, r, "the scuse kernel module");
}
