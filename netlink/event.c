/* SPDX-License-Identifier: MIT */
/*
 * Events and the kernel's requests: from the sockets to the callbacks.
 *
 * Called by programs (subscribe, dispatch) and by exchange.c (requests that came between question and
 * answer).  Reception and delivery are two steps: libnl's callbacks only queue references to messages, and
 * dispatch delivers them with no receive loop underneath, so that callbacks may use the handle.
 */
#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/genetlink.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>
#include <netlink/handlers.h>
#include <netlink/msg.h>
#include <netlink/socket.h>

#define ROUNDS 64 /* of reception in one dispatch: a flood does not keep the caller for ever */

/* ---- sequence numbers ------------------------------------------------------------------------------- */

bool scuse_nl_sequence_event(struct scuse_nl_sequence *sequence, uint64_t number, uint64_t *first)
{
	bool gap;

	if (sequence->known && number <= sequence->last)
		return false;
	gap = sequence->known && number != sequence->last + 1;
	*first = sequence->last + 1;
	sequence->known = true;
	sequence->last = number;
	return gap;
}

/* What a dump shows includes all events up to its number. */
void scuse_nl_sequence_dump(struct scuse_nl_sequence *sequence, uint64_t number)
{
	if (!sequence->known || number > sequence->last) {
		sequence->known = true;
		sequence->last = number;
	}
}

/* The number of the first event that is lost (0: not known), since the socket overran. */
uint64_t scuse_nl_sequence_overrun(struct scuse_nl_sequence *sequence)
{
	uint64_t first = sequence->known ? sequence->last + 1 : 0;

	sequence->known = false;
	return first;
}

/* ---- the queue of what was received ----------------------------------------------------------------- */

/* NULL: an overrun.  Wakes scuse_nl_fd() unless a dispatch is going on, which will see it anyway. */
int scuse_nl_queue_message(struct scuse_nl *nl, struct nl_msg *msg)
{
	struct scuse_nl_pending *pending = malloc(sizeof(*pending));
	uint64_t one = 1;

	if (!pending)
		return -ENOMEM;
	if (msg)
		nlmsg_get(msg);
	*pending = (struct scuse_nl_pending){ .msg = msg };
	*nl->pending_end = pending;
	nl->pending_end = &pending->next;
	if (!nl->dispatching && write(nl->wake, &one, sizeof(one)) < 0)
		return -errno;
	return 0;
}

static struct scuse_nl_pending *take_pending(struct scuse_nl *nl)
{
	struct scuse_nl_pending *pending = nl->pending;

	if (!pending)
		return NULL;
	nl->pending = pending->next;
	if (!nl->pending)
		nl->pending_end = &nl->pending;
	return pending;
}

static void free_pending(struct scuse_nl_pending *pending)
{
	if (pending->msg)
		nlmsg_free(pending->msg);
	free(pending);
}

void scuse_nl_drop_pending(struct scuse_nl *nl)
{
	struct scuse_nl_pending *pending;

	while ((pending = take_pending(nl)))
		free_pending(pending);
}

/* ---- delivery --------------------------------------------------------------------------------------- */

static bool owner_event(uint32_t type)
{
	return type == SCUSE_EVENT_OWNER_CLAIMED || type == SCUSE_EVENT_OWNER_LOST;
}

static int deliver_event(struct scuse_nl *nl, struct nlattr **attrs)
{
	struct scuse_nl_event event = {
		.sequence = scuse_nl_get_u64(attrs, SCUSE_ATTR_SEQUENCE, 0),
		.type = scuse_nl_get_u32(attrs, SCUSE_ATTR_EVENT, SCUSE_EVENT_UNSPEC),
		.message = scuse_nl_get_string(attrs, SCUSE_ATTR_MESSAGE, ""),
		.asc = scuse_nl_get_u8(attrs, SCUSE_ATTR_ASC),
		.ascq = scuse_nl_get_u8(attrs, SCUSE_ATTR_ASCQ),
		.nexus = scuse_nl_get_u32(attrs, SCUSE_ATTR_NEXUS, 0),
	};
	struct scuse_nl_device device;
	struct scuse_nl_owner owner;
	uint64_t first;
	int calls = 0;

	event.mode = scuse_nl_get_bytes(attrs, SCUSE_ATTR_MODE, &event.mode_length);
	if (event.sequence && scuse_nl_sequence_event(&nl->sequence, event.sequence, &first) &&
	    nl->callbacks.lost) {
		nl->callbacks.lost(nl->data, first, event.sequence);
		calls++;
	}
	if (owner_event(event.type) && !scuse_nl_parse_owner(attrs, &owner))
		event.owner = &owner;
	if (!scuse_nl_parse_device(attrs, &device))
		event.device = &device;
	if (nl->callbacks.event) {
		nl->callbacks.event(nl->data, &event);
		calls++;
	}
	return calls;
}

static int deliver_request(struct scuse_nl *nl, struct nlattr **attrs)
{
	struct scuse_nl_device device;
	struct scuse_nl_request request = {
		.cookie = scuse_nl_get_u64(attrs, SCUSE_ATTR_COOKIE, 0),
		.type = scuse_nl_get_u32(attrs, SCUSE_ATTR_REQUEST, SCUSE_REQUEST_UNSPEC),
		.size = scuse_nl_get_u64(attrs, SCUSE_ATTR_SIZE, 0),
		.device = &device,
	};

	if (scuse_nl_parse_device(attrs, &device) || !nl->callbacks.request)
		return 0;
	if (!device.config)
		device.config = "";
	request.mode = scuse_nl_get_bytes(attrs, SCUSE_ATTR_MODE, &request.mode_length);
	nl->callbacks.request(nl->data, &request);
	return 1;
}

static int join_events(struct scuse_nl *nl)
{
	int group = scuse_nl_lookup(nl, SCUSE_GENL_NAME, SCUSE_GENL_GROUP);
	int r;

	r = group < 0 ? group : nl_socket_add_membership(nl->events, group);
	if (r < 0)
		return scuse_nl_fail_errno(nl, scuse_nl_from_libnl(r), "subscribing to events of scuse");
	return 0;
}

static bool wants_events(const struct scuse_nl *nl)
{
	return nl->callbacks.event || nl->callbacks.lost;
}

static int module_changed(struct scuse_nl *nl, bool loaded)
{
	if (loaded) {
		if (scuse_nl_resolve(nl))
			return 0; /* gone again already: its end is the next message */
		if (wants_events(nl))
			join_events(nl);
	} else {
		nl->family = -1;
	}
	/* A loaded module counts from the start again. */
	nl->sequence.known = false;
	if (nl->announced == loaded)
		return 0;
	nl->announced = loaded;
	if (!nl->callbacks.module)
		return 0;
	nl->callbacks.module(nl->data, loaded);
	return 1;
}

/* nlctrl tells of every family that comes and goes. */
static int deliver_control(struct scuse_nl *nl, struct nlmsghdr *header)
{
	static const struct nla_policy policy[CTRL_ATTR_MAX + 1] = {
		[CTRL_ATTR_FAMILY_NAME] = { .type = NLA_STRING, .minlen = 1 },
	};
	struct nlattr *attrs[CTRL_ATTR_MAX + 1];
	uint8_t command;

	if (!genlmsg_valid_hdr(header, 0) || genlmsg_parse(header, 0, attrs, CTRL_ATTR_MAX, policy))
		return 0;
	if (!attrs[CTRL_ATTR_FAMILY_NAME] ||
	    strcmp(nla_get_string(attrs[CTRL_ATTR_FAMILY_NAME]), SCUSE_GENL_NAME))
		return 0;
	command = genlmsg_hdr(header)->cmd;
	/* The groups are announced after the family, and there is nothing to join before. */
	if (command == CTRL_CMD_NEWMCAST_GRP)
		return module_changed(nl, true);
	return command == CTRL_CMD_DELFAMILY ? module_changed(nl, false) : 0;
}

int scuse_nl_deliver(struct scuse_nl *nl, struct nlmsghdr *header)
{
	struct nlattr *attrs[SCUSE_ATTR_MAX + 1];

	if (header->nlmsg_type == GENL_ID_CTRL)
		return deliver_control(nl, header);
	if (nl->family < 0 || header->nlmsg_type != nl->family || scuse_nl_parse(header, attrs))
		return 0;
	switch (genlmsg_hdr(header)->cmd) {
	case SCUSE_CMD_EVENT:
		return deliver_event(nl, attrs);
	case SCUSE_CMD_REQUEST:
		return deliver_request(nl, attrs);
	default:
		return 0;
	}
}

static int deliver_overrun(struct scuse_nl *nl)
{
	uint64_t first = scuse_nl_sequence_overrun(&nl->sequence);

	if (!nl->callbacks.lost)
		return 0;
	nl->callbacks.lost(nl->data, first, 0);
	return 1;
}

/* ---- reception -------------------------------------------------------------------------------------- */

static int on_message(struct nl_msg *msg, void *arg)
{
	if (scuse_nl_from_kernel(msg))
		scuse_nl_queue_message(arg, msg);
	return NL_SKIP;
}

/* One buffer full.  1: something came, 0: nothing is there, -errno. */
static int receive(struct scuse_nl *nl, struct nl_sock *sock)
{
	struct nl_cb *cb;
	int r;

	if (!sock)
		return 0;
	cb = nl_cb_alloc(NL_CB_DEFAULT);
	if (!cb)
		return -ENOMEM;
	nl_cb_set(cb, NL_CB_MSG_IN, NL_CB_CUSTOM, on_message, nl);
	r = nl_recvmsgs(sock, cb);
	nl_cb_put(cb);
	if (r == -NLE_AGAIN)
		return 0;
	/* libnl has one number for ENOBUFS and ENOMEM; either way something may be missing. */
	if (r == -NLE_NOMEM || r == -NLE_MSG_OVERFLOW)
		return sock == nl->events ? (scuse_nl_queue_message(nl, NULL), 1) : 1;
	return r < 0 ? scuse_nl_from_libnl(r) : 1;
}

static int deliver_pending(struct scuse_nl *nl)
{
	struct scuse_nl_pending *pending;
	int calls = 0;

	while ((pending = take_pending(nl))) {
		calls += pending->msg ? scuse_nl_deliver(nl, nlmsg_hdr(pending->msg)) : deliver_overrun(nl);
		free_pending(pending);
	}
	return calls;
}

static int drain(struct scuse_nl *nl)
{
	int calls = deliver_pending(nl), events = 1, owner = 1;

	for (int i = 0; i < ROUNDS && (events > 0 || owner > 0); i++) {
		owner = receive(nl, nl->owner);
		events = receive(nl, nl->events);
		calls += deliver_pending(nl);
		if (owner < 0 || events < 0)
			return scuse_nl_fail_errno(nl, owner < 0 ? owner : events,
						   "receiving from the kernel");
	}
	return calls;
}

static int wait_for_arrival(struct scuse_nl *nl, int timeout)
{
	struct pollfd pollfd = { .fd = nl->epoll, .events = POLLIN };

	if (poll(&pollfd, 1, timeout) < 0)
		return scuse_nl_fail_errno(nl, -errno, "waiting for events");
	return 0;
}

SCUSE_API int scuse_nl_dispatch(struct scuse_nl *nl, int timeout)
{
	uint64_t count;
	int r = 0;

	if (nl->dispatching)
		return scuse_nl_fail(nl, -EDEADLK,
				     "scuse_nl_dispatch() was called from one of its callbacks");
	if (timeout)
		r = wait_for_arrival(nl, timeout);
	if (r)
		return r;
	if (read(nl->wake, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return scuse_nl_fail_errno(nl, -errno, "waiting for events");
	nl->dispatching = true;
	r = drain(nl);
	nl->dispatching = false;
	return r;
}

/* ---- subscription ----------------------------------------------------------------------------------- */

static int open_events(struct scuse_nl *nl)
{
	int group, r;

	r = scuse_nl_socket(nl, &nl->events, true);
	if (r)
		return r;
	group = scuse_nl_lookup(nl, "nlctrl", "notify");
	r = group < 0 ? group : nl_socket_add_membership(nl->events, group);
	return r < 0 ? scuse_nl_fail_errno(nl, scuse_nl_from_libnl(r), "subscribing to nlctrl") : 0;
}

SCUSE_API int scuse_nl_subscribe(struct scuse_nl *nl, const struct scuse_nl_callbacks *callbacks, void *data)
{
	size_t size = callbacks->struct_size;
	int r;

	if (size < offsetof(struct scuse_nl_callbacks, event))
		return scuse_nl_fail(nl, -EINVAL, "scuse_nl_subscribe: struct_size is not set");
	memset(&nl->callbacks, 0, sizeof(nl->callbacks));
	memcpy(&nl->callbacks, callbacks, size < sizeof(nl->callbacks) ? size : sizeof(nl->callbacks));
	nl->data = data;
	if (nl->events || (!wants_events(nl) && !nl->callbacks.module))
		return 0;
	r = open_events(nl);
	if (!r && wants_events(nl) && nl->family >= 0)
		r = join_events(nl);
	if (!r)
		return 0;
	nl_socket_free(nl->events);
	nl->events = NULL;
	return r;
}
