/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libscuse-netlink: messages as the kernel sends them, good and bad, through parser and dispatch; gaps in the
 * numbers of events; acknowledgements with text.  No socket is involved.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include "internal.h"

#define FAMILY 40

static struct {
	int events, requests, lost, modules;
	struct scuse_nl_event event;
	struct scuse_nl_device device;
	char name[64], message[64], config[64];
	uint64_t first, next, cookie, size;
} seen;

static void on_event(void *data, const struct scuse_nl_event *event)
{
	(void)data;
	seen.events++;
	seen.event = *event;
	strncpy(seen.message, event->message, sizeof(seen.message) - 1);
	if (event->device) {
		seen.device = *event->device;
		strncpy(seen.name, event->device->name, sizeof(seen.name) - 1);
	}
	if (event->owner)
		strncpy(seen.name, event->owner->handler, sizeof(seen.name) - 1);
}

static void on_lost(void *data, uint64_t first, uint64_t next)
{
	(void)data;
	seen.lost++;
	seen.first = first;
	seen.next = next;
}

static void on_request(void *data, const struct scuse_nl_request *request)
{
	(void)data;
	seen.requests++;
	seen.cookie = request->cookie;
	seen.size = request->size;
	strncpy(seen.config, request->device->config, sizeof(seen.config) - 1);
}

static void on_module(void *data, int loaded)
{
	(void)data;
	seen.modules += loaded ? 100 : 1;
}

static struct scuse_nl *make_handle(void)
{
	static struct scuse_nl nl;

	memset(&nl, 0, sizeof(nl));
	memset(&seen, 0, sizeof(seen));
	nl.family = FAMILY;
	nl.announced = true;
	nl.epoll = nl.wake = -1;
	nl.pending_end = &nl.pending;
	nl.callbacks =
		(struct scuse_nl_callbacks){ sizeof(nl.callbacks), on_event, on_lost, on_request, on_module };
	return &nl;
}

static struct nl_msg *make(uint8_t command)
{
	struct nl_msg *msg = nlmsg_alloc();

	genlmsg_put(msg, 0, 0, FAMILY, 0, 0, command, SCUSE_GENL_VERSION);
	return msg;
}

static void put_device(struct nl_msg *msg)
{
	nla_put_u32(msg, SCUSE_ATTR_ID, 7);
	nla_put_string(msg, SCUSE_ATTR_NAME, "disk 1");
	nla_put_string(msg, SCUSE_ATTR_HANDLER, "file");
	nla_put_u64(msg, SCUSE_ATTR_SIZE, 1ull << 40);
	nla_put_u32(msg, SCUSE_ATTR_BLOCK_SIZE, 4096);
	nla_put_u8(msg, SCUSE_ATTR_STATE, SCUSE_STATE_ONLINE);
}

static struct nl_msg *make_event(uint64_t sequence, uint32_t type)
{
	struct nl_msg *msg = make(SCUSE_CMD_EVENT);

	nla_put_u64(msg, SCUSE_ATTR_SEQUENCE, sequence);
	nla_put_u32(msg, SCUSE_ATTR_EVENT, type);
	return msg;
}

static int feed(struct scuse_nl *nl, struct nl_msg *msg)
{
	int calls = scuse_nl_deliver(nl, nlmsg_hdr(msg));

	nlmsg_free(msg);
	return calls;
}

Test(events, of_a_device)
{
	struct scuse_nl *nl = make_handle();
	struct nl_msg *msg = make_event(3, SCUSE_EVENT_HANDLER_ERROR);

	put_device(msg);
	nla_put_string(msg, SCUSE_ATTR_MESSAGE, "no space");
	cr_assert_eq(feed(nl, msg), 1);
	cr_assert_eq(seen.events, 1);
	cr_assert_eq(seen.event.sequence, 3);
	cr_assert_eq(seen.event.type, SCUSE_EVENT_HANDLER_ERROR);
	cr_assert_eq(seen.device.id, 7);
	cr_assert_eq(seen.device.size, 1ull << 40);
	cr_assert_eq(seen.device.state, SCUSE_STATE_ONLINE);
	cr_assert_null(seen.device.config);
	cr_assert_null(seen.device.error);
	cr_assert_str_eq(seen.name, "disk 1");
	cr_assert_str_eq(seen.message, "no space");
}

Test(events, of_a_raw_device)
{
	struct scuse_nl *nl = make_handle();
	struct nl_msg *msg = make_event(3, SCUSE_EVENT_DEVICE_ADDED);

	put_device(msg);
	nla_put_u8(msg, SCUSE_ATTR_RAW, 1);
	nla_put_u8(msg, SCUSE_ATTR_DEVICE_TYPE, 8);
	cr_assert_eq(feed(nl, msg), 1);
	cr_assert_eq(seen.device.raw, 1);
	cr_assert_str_eq(scuse_nl_type_name(seen.device.device_type), "changer");
	cr_assert_null(seen.device.identity);
	cr_assert_str_eq(scuse_nl_type_name(SCUSE_TYPE_UNKNOWN), "unknown");
	cr_assert_str_eq(scuse_nl_type_name(0x06), "unknown");
}

Test(events, policies_of_a_device)
{
	struct scuse_nl *nl = make_handle();
	struct nl_msg *msg = make_event(3, SCUSE_EVENT_SESSION_REVOKED);

	put_device(msg);
	nla_put_u8(msg, SCUSE_ATTR_ORPHAN_POLICY, SCUSE_ORPHAN_ERROR);
	nla_put_u32(msg, SCUSE_ATTR_ORPHAN_TIMEOUT, SCUSE_NL_NO_LIMIT);
	nla_put_u8(msg, SCUSE_ATTR_INFLIGHT_POLICY, SCUSE_INFLIGHT_BUSY);
	nla_put_u32(msg, SCUSE_ATTR_COMMAND_TIMEOUT, 60);
	nla_put_u32(msg, SCUSE_ATTR_TMF_TIMEOUT, 10);
	nla_put_u64(msg, SCUSE_ATTR_OFFLINE_MS, 1500);
	nla_put_u64(msg, SCUSE_ATTR_MEMORY, 1ull << 33);
	nla_put_u64(msg, SCUSE_ATTR_MEMORY_MAX, 1ull << 34);
	cr_assert_eq(feed(nl, msg), 1);
	cr_expect_eq(seen.device.policies, 1);
	cr_expect_str_eq(scuse_nl_orphan_name(seen.device.orphan_policy), "error");
	cr_expect_eq(seen.device.orphan_timeout, SCUSE_NL_NO_LIMIT);
	cr_expect_str_eq(scuse_nl_inflight_name(seen.device.inflight_policy), "busy");
	cr_expect_eq(seen.device.command_timeout, 60);
	cr_expect_eq(seen.device.tmf_timeout, 10);
	cr_expect_eq(seen.device.offline, 1);
	cr_expect_eq(seen.device.offline_ms, 1500);
	cr_expect_eq(seen.device.memory, 1ull << 33);
	cr_expect_eq(seen.device.memory_max, 1ull << 34);
	cr_expect_str_eq(scuse_nl_orphan_name(3), "unknown");
	cr_expect_str_eq(scuse_nl_inflight_name(2), "unknown");
}

/* Minor 2 of the kernel's protocol. */
Test(events, no_policies)
{
	struct scuse_nl *nl = make_handle();
	struct nl_msg *msg = make_event(3, SCUSE_EVENT_SESSION_LOST);

	put_device(msg);
	cr_assert_eq(feed(nl, msg), 1);
	cr_expect_eq(seen.device.policies, 0);
	cr_expect_eq(seen.device.offline, 0);
	cr_expect_eq(seen.device.memory_max, 0);
}

Test(statistics, of_minor_3)
{
	struct nl_msg *msg = make(SCUSE_CMD_GET_STATS);
	struct nlattr *attrs[SCUSE_ATTR_MAX + 1];
	struct scuse_nl_stats stats;
	struct scuse_nl_queue queue;

	nla_put_u32(msg, SCUSE_ATTR_ID, 7);
	nla_put_u32(msg, SCUSE_ATTR_QUEUE, 1);
	nla_put_u32(msg, SCUSE_ATTR_WAITING, 5);
	nla_put_u64(msg, SCUSE_ATTR_STAT_REPLAYED, 6);
	nla_put_u64(msg, SCUSE_ATTR_STAT_TIMEOUTS, 7);
	nla_put_u64(msg, SCUSE_ATTR_STAT_QUARANTINED, 8);
	cr_assert_eq(scuse_nl_parse(nlmsg_hdr(msg), attrs), 0);
	cr_assert_eq(scuse_nl_parse_stats(attrs, &stats), 0);
	cr_assert_eq(scuse_nl_parse_queue(attrs, &queue), 0);
	cr_expect_eq(queue.waiting, 5);
	cr_expect_eq(stats.replayed, 6);
	cr_expect_eq(stats.timeouts, 7);
	cr_expect_eq(stats.quarantined, 8);
	nlmsg_free(msg);
}

Test(events, of_an_owner)
{
	struct scuse_nl *nl = make_handle();
	struct nl_msg *msg = make_event(3, SCUSE_EVENT_OWNER_CLAIMED);

	nla_put_string(msg, SCUSE_ATTR_HANDLER, "memory");
	nla_put_u32(msg, SCUSE_ATTR_PID, 99);
	cr_assert_eq(feed(nl, msg), 1);
	cr_assert_null(seen.event.device);
	cr_assert_str_eq(seen.name, "memory");
}

Test(events, of_a_later_version)
{
	struct scuse_nl *nl = make_handle();
	struct nl_msg *msg = make_event(1, 4711);

	nla_put_u32(msg, SCUSE_ATTR_MAX + 5, 1);
	cr_assert_eq(feed(nl, msg), 1);
	cr_assert_eq(seen.event.type, 4711);
}

Test(events, gaps)
{
	struct scuse_nl *nl = make_handle();

	feed(nl, make_event(10, 1)); /* the first sets the count */
	feed(nl, make_event(11, 1));
	cr_assert_eq(seen.lost, 0);
	feed(nl, make_event(15, 1));
	cr_assert_eq(seen.lost, 1);
	cr_assert_eq(seen.first, 12);
	cr_assert_eq(seen.next, 15);
	feed(nl, make_event(16, 1));
	cr_assert_eq(seen.lost, 1);
	cr_assert_eq(seen.events, 4);
}

Test(events, gaps_and_dumps)
{
	struct scuse_nl_sequence sequence = { 0 };
	uint64_t first;

	scuse_nl_sequence_dump(&sequence, 20);
	/* These were on their way when the dump was made; they hold nothing new. */
	cr_assert_not(scuse_nl_sequence_event(&sequence, 18, &first));
	cr_assert_not(scuse_nl_sequence_event(&sequence, 20, &first));
	cr_assert_not(scuse_nl_sequence_event(&sequence, 21, &first));
	cr_assert(scuse_nl_sequence_event(&sequence, 23, &first));
	cr_assert_eq(first, 22);
	scuse_nl_sequence_dump(&sequence, 5);
	cr_assert_eq(sequence.last, 23);
	cr_assert_eq(scuse_nl_sequence_overrun(&sequence), 24);
	/* What was lost has been said; the next one begins anew. */
	cr_assert_not(scuse_nl_sequence_event(&sequence, 40, &first));
	cr_assert(scuse_nl_sequence_event(&sequence, 42, &first));
}

Test(events, overrun)
{
	struct scuse_nl *nl = make_handle();

	feed(nl, make_event(10, 1));
	nl->dispatching = true; /* no descriptor to wake */
	scuse_nl_queue_message(nl, NULL);
	nl->dispatching = false;
	cr_assert_not_null(nl->pending);
	cr_assert_null(nl->pending->msg);
	scuse_nl_drop_pending(nl);
	cr_assert_null(nl->pending);
}

Test(events, bad_messages)
{
	struct scuse_nl *nl = make_handle();
	struct nl_msg *msg;

	/* a string without its end */
	msg = make_event(1, SCUSE_EVENT_DEVICE_ADDED);
	nla_put(msg, SCUSE_ATTR_NAME, 3, "abc");
	cr_assert_eq(feed(nl, msg), 0);
	/* an empty string attribute */
	msg = make_event(1, SCUSE_EVENT_DEVICE_ADDED);
	nla_put(msg, SCUSE_ATTR_NAME, 0, "");
	cr_assert_eq(feed(nl, msg), 0);
	/* a number that is too short */
	msg = make(SCUSE_CMD_EVENT);
	nla_put_u32(msg, SCUSE_ATTR_SEQUENCE, 1);
	cr_assert_eq(feed(nl, msg), 0);
	/* a command of nobody, another family */
	cr_assert_eq(feed(nl, make(200)), 0);
	msg = make_event(1, 1);
	nlmsg_hdr(msg)->nlmsg_type = FAMILY + 1;
	cr_assert_eq(feed(nl, msg), 0);
	/* shorter than its header */
	msg = make_event(1, 1);
	nlmsg_hdr(msg)->nlmsg_len = NLMSG_HDRLEN + 1;
	cr_assert_eq(feed(nl, msg), 0);
	cr_assert_eq(seen.events, 0);
}

Test(requests, with_and_without_config)
{
	struct scuse_nl *nl = make_handle();
	struct nl_msg *msg = make(SCUSE_CMD_REQUEST);

	nla_put_u64(msg, SCUSE_ATTR_COOKIE, 0x1234567890ull);
	nla_put_u32(msg, SCUSE_ATTR_REQUEST, SCUSE_REQUEST_ADD);
	put_device(msg);
	nla_put_string(msg, SCUSE_ATTR_CONFIG, "path=/x\n");
	cr_assert_eq(feed(nl, msg), 1);
	cr_assert_eq(seen.cookie, 0x1234567890ull);
	cr_assert_eq(seen.size, 1ull << 40);
	cr_assert_str_eq(seen.config, "path=/x\n");

	/* Without a device it is no request. */
	msg = make(SCUSE_CMD_REQUEST);
	nla_put_u64(msg, SCUSE_ATTR_COOKIE, 1);
	cr_assert_eq(feed(nl, msg), 0);
	cr_assert_eq(seen.requests, 1);
}

Test(module, unloaded)
{
	struct scuse_nl *nl = make_handle();
	struct nl_msg *msg = nlmsg_alloc();

	nl->sequence.known = true;
	genlmsg_put(msg, 0, 0, GENL_ID_CTRL, 0, 0, CTRL_CMD_DELFAMILY, 2);
	nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, "scuse");
	cr_assert_eq(feed(nl, msg), 1);
	cr_assert_eq(seen.modules, 1);
	cr_assert_eq(nl->family, -1);
	cr_assert_not(nl->sequence.known);
	/* Others come and go too. */
	msg = nlmsg_alloc();
	genlmsg_put(msg, 0, 0, GENL_ID_CTRL, 0, 0, CTRL_CMD_DELFAMILY, 2);
	nla_put_string(msg, CTRL_ATTR_FAMILY_NAME, "nl80211");
	cr_assert_eq(feed(nl, msg), 0);
}

/* ---- acknowledgements ------------------------------------------------------------------------------- */

struct ack {
	struct nlmsghdr header;
	struct nlmsgerr error;
	char rest[256];
};

static size_t put_text(char *at, const char *text, size_t length)
{
	struct nlattr attr = { .nla_len = (uint16_t)(NLA_HDRLEN + length), .nla_type = NLMSGERR_ATTR_MSG };

	memcpy(at, &attr, sizeof(attr));
	memcpy(at + NLA_HDRLEN, text, length);
	return NLA_ALIGN(NLA_HDRLEN + length);
}

Test(acks, with_text)
{
	struct ack ack = { .header = { .nlmsg_type = NLMSG_ERROR,
				       .nlmsg_flags = NLM_F_ACK_TLVS | NLM_F_CAPPED },
			   .error = { .error = -EBUSY } };
	char text[SCUSE_MESSAGE_MAX];
	int error;

	ack.header.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof(ack.error)) + put_text(ack.rest, "taken", 6));
	cr_assert(scuse_nl_parse_ack(&ack.header, &error, text, sizeof(text)));
	cr_assert_eq(error, -EBUSY);
	cr_assert_str_eq(text, "taken");

	/* The text lacks its NUL, and is longer than there is room. */
	ack.header.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof(ack.error)) + put_text(ack.rest, "taken", 5));
	cr_assert(scuse_nl_parse_ack(&ack.header, &error, text, 4));
	cr_assert_str_eq(text, "tak");
}

Test(acks, with_the_request_in_front)
{
	struct ack ack = { .header = { .nlmsg_type = NLMSG_ERROR, .nlmsg_flags = NLM_F_ACK_TLVS },
			   .error = { .error = -EINVAL, .msg = { .nlmsg_len = NLMSG_HDRLEN + 6 } } };
	char text[SCUSE_MESSAGE_MAX];
	int error;

	ack.header.nlmsg_len =
		(uint32_t)(NLMSG_LENGTH(sizeof(ack.error)) + 8 + put_text(ack.rest + 8, "why", 4));
	cr_assert(scuse_nl_parse_ack(&ack.header, &error, text, sizeof(text)));
	cr_assert_str_eq(text, "why");

	/* The request claims to be longer than the message. */
	ack.error.msg.nlmsg_len = 0xfffffff0;
	cr_assert(scuse_nl_parse_ack(&ack.header, &error, text, sizeof(text)));
	cr_assert_str_eq(text, "");
}

Test(acks, too_short)
{
	struct ack ack = { .header = { .nlmsg_type = NLMSG_ERROR, .nlmsg_len = NLMSG_LENGTH(2) } };
	char text[8];
	int error;

	cr_assert_not(scuse_nl_parse_ack(&ack.header, &error, text, sizeof(text)));
}

/* ---- copies ----------------------------------------------------------------------------------------- */

Test(copies, outlive_the_message)
{
	char name[] = "a", error[] = "bad", identity[] = "naa.5";
	struct scuse_nl_device device = {
		.id = 1, .name = name, .handler = "h", .serial = "", .error = error, .identity = identity
	};
	struct scuse_nl_device *copy = scuse_nl_device_copy(&device);

	name[0] = error[0] = identity[0] = '#';
	cr_assert_str_eq(copy->name, "a");
	cr_assert_str_eq(copy->error, "bad");
	cr_assert_str_eq(copy->identity, "naa.5");
	cr_assert_str_eq(copy->serial, "");
	cr_assert_null(copy->config);
	scuse_nl_device_free(copy);
}
