/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: libscuse-netlink's decoding (netlink/parse.c, event.c, copy.c, the acknowledgements of
 * exchange.c).  An input: the kind of message, the command, then the attributes as they come.
 *
 * Promises: what is given to callbacks and in structs can be read, strings are ended, copies are the same.
 */
#include <errno.h>
#include <linux/genetlink.h>
#include <netlink/genl/genl.h>
#include <netlink/msg.h>

#include "fuzz.h"
#include "internal.h"

#define FAMILY	    40
#define MESSAGE_MAX 8192

/* ---- what open.c does with sockets ---- */

int scuse_nl_fail(struct scuse_nl *nl, int error, const char *format, ...)
{
	(void)nl;
	(void)format;
	return error;
}

int scuse_nl_fail_errno(struct scuse_nl *nl, int error, const char *what)
{
	(void)nl;
	(void)what;
	return error;
}

int scuse_nl_from_libnl(int nlerr)
{
	return nlerr;
}

int scuse_nl_socket(struct scuse_nl *nl, struct nl_sock **sock, bool watched)
{
	(void)nl;
	(void)sock;
	(void)watched;
	return -ENOTSUP;
}

int scuse_nl_lookup(struct scuse_nl *nl, const char *family, const char *group)
{
	(void)nl;
	(void)family;
	(void)group;
	return -ENOENT;
}

int scuse_nl_resolve(struct scuse_nl *nl)
{
	nl->family = FAMILY;
	return 0;
}

bool scuse_nl_from_kernel(struct nl_msg *msg)
{
	(void)msg;
	return true;
}

/* ---- looking at all of it ---- */

static void touch_string(const char *string)
{
	if (string)
		fuzz_touch(string, strlen(string));
}

static void touch_device(const struct scuse_nl_device *device)
{
	struct scuse_nl_device *copy;

	if (!device)
		return;
	touch_string(device->name);
	touch_string(device->handler);
	touch_string(device->config);
	touch_string(device->serial);
	touch_string(device->error);
	touch_string(device->identity);
	copy = scuse_nl_device_copy(device);
	fuzz_check(copy && !strcmp(copy->name, device->name) && !strcmp(copy->handler, device->handler));
	scuse_nl_device_free(copy);
}

static void on_event(void *data, const struct scuse_nl_event *event)
{
	(void)data;
	touch_string(event->message);
	touch_device(event->device);
	if (event->owner)
		touch_string(event->owner->handler);
	if (event->mode)
		fuzz_touch(event->mode, event->mode_length);
}

static void on_lost(void *data, uint64_t first, uint64_t next)
{
	(void)data;
	fuzz_check(next != first);
}

static void on_request(void *data, const struct scuse_nl_request *request)
{
	(void)data;
	fuzz_check(request->device->config);
	touch_device(request->device);
	if (request->mode)
		fuzz_touch(request->mode, request->mode_length);
}

static void on_module(void *data, int loaded)
{
	(void)data;
	(void)loaded;
}

static void parse_nexus(struct nlattr **attrs)
{
	struct scuse_nl_nexus nexus, *copy;

	if (scuse_nl_parse_nexus(attrs, &nexus))
		return;
	touch_string(nexus.fabric);
	touch_string(nexus.initiator);
	touch_string(nexus.target);
	if (nexus.ua)
		fuzz_touch(nexus.ua, 2 * nexus.ua_count);
	copy = scuse_nl_nexus_copy(&nexus);
	fuzz_check(copy && !strcmp(copy->initiator, nexus.initiator));
	free(copy);
}

static void parse_reservation(struct nlattr **attrs)
{
	struct scuse_nl_reservation reservation, *copy;

	if (scuse_nl_parse_reservation(attrs, &reservation))
		return;
	touch_string(reservation.initiator);
	copy = scuse_nl_reservation_copy(&reservation);
	fuzz_check(copy && !strcmp(copy->target, reservation.target));
	free(copy);
}

static void parse_mode(struct nlattr **attrs)
{
	struct scuse_nl_mode mode, *copy;

	if (scuse_nl_parse_mode(attrs, &mode))
		return;
	copy = scuse_nl_mode_copy(&mode);
	fuzz_check(copy && copy->current_length == mode.current_length &&
		   copy->saved_length == mode.saved_length);
	fuzz_check(!memcmp(copy->current, mode.current, mode.current_length));
	free(copy);
}

/* As dump.c does with each message of a dump. */
static void parse_all(struct nlmsghdr *header)
{
	struct nlattr *attrs[SCUSE_ATTR_MAX + 1];
	struct scuse_nl_device device;
	struct scuse_nl_queue queue;
	struct scuse_nl_stats stats;
	struct scuse_nl_owner owner, *copy;

	if (scuse_nl_parse(header, attrs))
		return;
	if (!scuse_nl_parse_device(attrs, &device))
		touch_device(&device);
	scuse_nl_parse_queue(attrs, &queue);
	scuse_nl_parse_stats(attrs, &stats);
	if (!scuse_nl_parse_owner(attrs, &owner)) {
		copy = scuse_nl_owner_copy(&owner);
		fuzz_check(copy && !strcmp(copy->handler, owner.handler));
		free(copy);
	}
	parse_nexus(attrs);
	parse_reservation(attrs);
	parse_mode(attrs);
}

static void acknowledge(struct nlmsghdr *header)
{
	char text[SCUSE_MESSAGE_MAX];
	int error = 0;

	if (scuse_nl_parse_ack(header, &error, text, sizeof(text)))
		touch_string(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct scuse_nl nl = {
		.family = FAMILY,
		.announced = true,
		.pending_end = &nl.pending,
		.callbacks = { sizeof(nl.callbacks), on_event, on_lost, on_request, on_module },
	};
	uint8_t kind = fuzz_u8(&input), *rest;
	struct nlmsghdr *header;
	size_t length;

	rest = fuzz_rest(&input, MESSAGE_MAX, &length);
	header = malloc(NLMSG_HDRLEN + length);
	fuzz_check(header);
	*header = (struct nlmsghdr){ .nlmsg_len = (uint32_t)(NLMSG_HDRLEN + length), .nlmsg_seq = 1 };
	memcpy(nlmsg_data(header), rest, length);
	free(rest);
	header->nlmsg_type = kind & 1 ? GENL_ID_CTRL : FAMILY;
	header->nlmsg_flags = (uint16_t)(kind << 4 & (NLM_F_CAPPED | NLM_F_ACK_TLVS));
	if (kind & 2) {
		acknowledge(header);
	} else {
		scuse_nl_deliver(&nl, header);
		parse_all(header);
	}
	free(header);
	return 0;
}
