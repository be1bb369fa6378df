/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libscuse-netlink: what the kernel tells of nexuses, reservations and mode pages, in lists, events and
 * requests, good and bad.  No socket is involved.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include "internal.h"

#define FAMILY 40

static const uint8_t pages[] = { 0x88, 0x02, 0x04, 0x00 };

static struct nl_msg *make(uint8_t command)
{
	struct nl_msg *msg = nlmsg_alloc();

	genlmsg_put(msg, 0, 0, FAMILY, 0, 0, command, SCUSE_GENL_VERSION);
	return msg;
}

static struct nl_msg *make_nexus(const void *ua, int bytes)
{
	struct nl_msg *msg = make(SCUSE_CMD_GET_NEXUS);

	nla_put_u32(msg, SCUSE_ATTR_ID, 7);
	nla_put_u32(msg, SCUSE_ATTR_NEXUS, 3);
	nla_put_string(msg, SCUSE_ATTR_FABRIC, "iSCSI");
	nla_put_string(msg, SCUSE_ATTR_INITIATOR, "iqn.a,i,0x1");
	nla_put_string(msg, SCUSE_ATTR_TARGET, "iqn.b,t,0x1");
	nla_put_u64(msg, SCUSE_ATTR_LUN, 5);
	if (ua)
		nla_put(msg, SCUSE_ATTR_UA, bytes, ua);
	return msg;
}

static int parse_nexus(struct nl_msg *msg, struct scuse_nl_nexus *nexus)
{
	struct nlattr *attrs[SCUSE_ATTR_MAX + 1];
	int r = scuse_nl_parse(nlmsg_hdr(msg), attrs);

	return r ? r : scuse_nl_parse_nexus(attrs, nexus);
}

Test(nexuses, with_pending_attentions)
{
	static const uint8_t ua[] = { 0x29, 0x01, 0x2a, 0x09 };
	struct nl_msg *msg = make_nexus(ua, sizeof(ua));
	struct scuse_nl_nexus nexus, *copy;

	cr_assert_eq(parse_nexus(msg, &nexus), 0);
	copy = scuse_nl_nexus_copy(&nexus);
	nlmsg_free(msg);
	cr_assert_eq(copy->id, 7);
	cr_assert_eq(copy->nexus, 3);
	cr_assert_eq(copy->lun, 5);
	cr_assert_str_eq(copy->fabric, "iSCSI");
	cr_assert_str_eq(copy->initiator, "iqn.a,i,0x1");
	cr_assert_str_eq(copy->target, "iqn.b,t,0x1");
	cr_assert_eq(copy->ua_count, 2);
	cr_assert_arr_eq(copy->ua, ua, sizeof(ua));
	free(copy);
}

Test(nexuses, without_attentions)
{
	struct nl_msg *msg = make_nexus(NULL, 0);
	struct scuse_nl_nexus nexus, *copy;

	cr_assert_eq(parse_nexus(msg, &nexus), 0);
	cr_assert_eq(nexus.ua_count, 0);
	copy = scuse_nl_nexus_copy(&nexus);
	cr_assert_eq(copy->ua_count, 0);
	free(copy);
	nlmsg_free(msg);
}

Test(nexuses, bad)
{
	static const uint8_t half[] = { 0x29, 0x01, 0x2a };
	struct nl_msg *msg = make_nexus(half, sizeof(half));
	struct scuse_nl_nexus nexus;

	/* an additional sense code without its qualifier */
	cr_assert_eq(parse_nexus(msg, &nexus), -EBADMSG);
	nlmsg_free(msg);
	/* nobody's */
	msg = make(SCUSE_CMD_GET_NEXUS);
	nla_put_u32(msg, SCUSE_ATTR_ID, 7);
	cr_assert_eq(parse_nexus(msg, &nexus), -EBADMSG);
	nlmsg_free(msg);
	/* a LUN of 32 bits */
	msg = make(SCUSE_CMD_GET_NEXUS);
	nla_put_u32(msg, SCUSE_ATTR_ID, 7);
	nla_put_u32(msg, SCUSE_ATTR_NEXUS, 3);
	nla_put_u32(msg, SCUSE_ATTR_LUN, 5);
	cr_assert_eq(parse_nexus(msg, &nexus), -EBADMSG);
	nlmsg_free(msg);
}

static int parse_reservation(struct nl_msg *msg, struct scuse_nl_reservation *reservation)
{
	struct nlattr *attrs[SCUSE_ATTR_MAX + 1];
	int r = scuse_nl_parse(nlmsg_hdr(msg), attrs);

	return r ? r : scuse_nl_parse_reservation(attrs, reservation);
}

Test(reservations, persistent)
{
	struct nl_msg *msg = make(SCUSE_CMD_GET_RESERVATION);
	struct scuse_nl_reservation reservation, *copy;

	nla_put_u32(msg, SCUSE_ATTR_ID, 7);
	nla_put_string(msg, SCUSE_ATTR_FABRIC, "loopback");
	nla_put_string(msg, SCUSE_ATTR_INITIATOR, "naa.1");
	nla_put_string(msg, SCUSE_ATTR_TARGET, "naa.2,t,0x1");
	nla_put_u8(msg, SCUSE_ATTR_PR_TYPE, 5);
	nla_put_u8(msg, SCUSE_ATTR_PR_HOLDER, 1);
	nla_put_u64(msg, SCUSE_ATTR_KEY, 0xfedcba9876543210ull);
	nla_put_u32(msg, SCUSE_ATTR_PR_GENERATION, 12);
	cr_assert_eq(parse_reservation(msg, &reservation), 0);
	copy = scuse_nl_reservation_copy(&reservation);
	nlmsg_free(msg);
	cr_assert_eq(copy->id, 7);
	cr_assert_eq(copy->type, 5);
	cr_assert_eq(copy->holder, 1);
	cr_assert_eq(copy->has_key, 1);
	cr_assert_eq(copy->key, 0xfedcba9876543210ull);
	cr_assert_eq(copy->generation, 12);
	cr_assert_str_eq(copy->initiator, "naa.1");
	cr_assert_str_eq(copy->target, "naa.2,t,0x1");
	free(copy);
}

Test(reservations, without_a_key)
{
	struct nl_msg *msg = make(SCUSE_CMD_GET_RESERVATION);
	struct scuse_nl_reservation reservation;

	nla_put_u32(msg, SCUSE_ATTR_ID, 7);
	nla_put_u8(msg, SCUSE_ATTR_PR_TYPE, SCUSE_PR_TYPE_SPC2);
	nla_put_u8(msg, SCUSE_ATTR_PR_HOLDER, 1);
	cr_assert_eq(parse_reservation(msg, &reservation), 0);
	cr_assert_eq(reservation.type, SCUSE_PR_TYPE_SPC2);
	cr_assert_eq(reservation.has_key, 0);
	cr_assert_str_eq(reservation.initiator, "");
	nlmsg_free(msg);
	/* of no type */
	msg = make(SCUSE_CMD_GET_RESERVATION);
	nla_put_u32(msg, SCUSE_ATTR_ID, 7);
	cr_assert_eq(parse_reservation(msg, &reservation), -EBADMSG);
	nlmsg_free(msg);
}

static int parse_mode(struct nl_msg *msg, struct scuse_nl_mode *mode)
{
	struct nlattr *attrs[SCUSE_ATTR_MAX + 1];
	int r = scuse_nl_parse(nlmsg_hdr(msg), attrs);

	return r ? r : scuse_nl_parse_mode(attrs, mode);
}

Test(modes, current_and_saved)
{
	static const uint8_t saved[] = { 0x88, 0x02, 0x00, 0x01, 0xff };
	struct nl_msg *msg = make(SCUSE_CMD_GET_MODE);
	struct scuse_nl_mode mode, *copy;

	nla_put_u32(msg, SCUSE_ATTR_ID, 7);
	nla_put(msg, SCUSE_ATTR_MODE, sizeof(pages), pages);
	nla_put(msg, SCUSE_ATTR_MODE_SAVED, sizeof(saved), saved);
	cr_assert_eq(parse_mode(msg, &mode), 0);
	copy = scuse_nl_mode_copy(&mode);
	nlmsg_free(msg);
	cr_assert_eq(copy->current_length, sizeof(pages));
	cr_assert_arr_eq(copy->current, pages, sizeof(pages));
	cr_assert_eq(copy->saved_length, sizeof(saved));
	cr_assert_arr_eq(copy->saved, saved, sizeof(saved));
	scuse_nl_mode_free(copy);
}

Test(modes, without_saved_ones)
{
	struct nl_msg *msg = make(SCUSE_CMD_GET_MODE);
	struct scuse_nl_mode mode, *copy;

	nla_put_u32(msg, SCUSE_ATTR_ID, 7);
	cr_assert_eq(parse_mode(msg, &mode), -EBADMSG);
	nla_put(msg, SCUSE_ATTR_MODE, sizeof(pages), pages);
	cr_assert_eq(parse_mode(msg, &mode), 0);
	copy = scuse_nl_mode_copy(&mode);
	cr_assert_null(copy->saved);
	cr_assert_eq(copy->saved_length, 0);
	scuse_nl_mode_free(copy);
	nlmsg_free(msg);
}

/* ---- events and requests ---------------------------------------------------------------------------- */

static struct {
	int events, requests;
	struct scuse_nl_event event;
	struct scuse_nl_request request;
	uint8_t mode[SCUSE_MODE_MAX];
} seen;

static void on_event(void *data, const struct scuse_nl_event *event)
{
	(void)data;
	seen.events++;
	seen.event = *event;
	if (event->mode)
		memcpy(seen.mode, event->mode, event->mode_length);
}

static void on_request(void *data, const struct scuse_nl_request *request)
{
	(void)data;
	seen.requests++;
	seen.request = *request;
	if (request->mode)
		memcpy(seen.mode, request->mode, request->mode_length);
}

static int feed(struct nl_msg *msg)
{
	struct scuse_nl nl = { .family = FAMILY, .announced = true, .epoll = -1, .wake = -1 };
	int calls;

	nl.pending_end = &nl.pending;
	nl.callbacks = (struct scuse_nl_callbacks){ .struct_size = sizeof(nl.callbacks),
						    .event = on_event,
						    .request = on_request };
	calls = scuse_nl_deliver(&nl, nlmsg_hdr(msg));
	nlmsg_free(msg);
	return calls;
}

static void put_device(struct nl_msg *msg)
{
	nla_put_u32(msg, SCUSE_ATTR_ID, 7);
	nla_put_string(msg, SCUSE_ATTR_NAME, "disk 1");
}

static struct nl_msg *make_event(uint32_t type)
{
	struct nl_msg *msg = make(SCUSE_CMD_EVENT);

	nla_put_u64(msg, SCUSE_ATTR_SEQUENCE, 1);
	nla_put_u32(msg, SCUSE_ATTR_EVENT, type);
	put_device(msg);
	return msg;
}

Test(events, unit_attention)
{
	struct nl_msg *msg = make_event(SCUSE_EVENT_UNIT_ATTENTION);

	nla_put_u8(msg, SCUSE_ATTR_ASC, 0x2a);
	nla_put_u8(msg, SCUSE_ATTR_ASCQ, 0x01);
	nla_put_u32(msg, SCUSE_ATTR_NEXUS, 4);
	cr_assert_eq(feed(msg), 1);
	cr_assert_eq(seen.event.asc, 0x2a);
	cr_assert_eq(seen.event.ascq, 0x01);
	cr_assert_eq(seen.event.nexus, 4);
	cr_assert_null(seen.event.mode);
	cr_assert_eq(feed(make_event(SCUSE_EVENT_RESERVATION)), 1);
	cr_assert_eq(seen.event.nexus, 0);
	cr_assert_eq(seen.events, 2);
}

Test(events, mode_changed)
{
	struct nl_msg *msg = make_event(SCUSE_EVENT_MODE_CHANGED);

	nla_put(msg, SCUSE_ATTR_MODE, sizeof(pages), pages);
	cr_assert_eq(feed(msg), 1);
	cr_assert_eq(seen.event.mode_length, sizeof(pages));
	cr_assert_arr_eq(seen.mode, pages, sizeof(pages));
}

Test(requests, save_mode)
{
	struct nl_msg *msg = make(SCUSE_CMD_REQUEST);

	nla_put_u64(msg, SCUSE_ATTR_COOKIE, 9);
	nla_put_u32(msg, SCUSE_ATTR_REQUEST, SCUSE_REQUEST_SAVE_MODE);
	put_device(msg);
	nla_put(msg, SCUSE_ATTR_MODE, sizeof(pages), pages);
	cr_assert_eq(feed(msg), 1);
	cr_assert_eq(seen.request.type, SCUSE_REQUEST_SAVE_MODE);
	cr_assert_eq(seen.request.mode_length, sizeof(pages));
	cr_assert_arr_eq(seen.mode, pages, sizeof(pages));
}

Test(words, of_events)
{
	cr_assert_str_eq(scuse_nl_event_name(SCUSE_EVENT_UNIT_ATTENTION), "unit-attention");
	cr_assert_str_eq(scuse_nl_event_name(SCUSE_EVENT_RESERVATION), "reservation");
	cr_assert_str_eq(scuse_nl_event_name(SCUSE_EVENT_MODE_CHANGED), "mode-changed");
	cr_assert_str_eq(scuse_nl_event_name(SCUSE_EVENT_COMMANDS_FAILED + 1), "unknown");
}
