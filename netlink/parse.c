/* SPDX-License-Identifier: MIT */
/*
 * Attributes to structs.
 *
 * Called by dump.c and event.c for each message.  The structs made here are views: their strings lie in the
 * message.  The policy makes sure of types, lengths and final NULs; what is missing gets a harmless value.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <netlink/attr.h>
#include <netlink/genl/genl.h>

#define U8                     \
	{                      \
		.type = NLA_U8 \
	}
#define U32                     \
	{                       \
		.type = NLA_U32 \
	}
#define U64                     \
	{                       \
		.type = NLA_U64 \
	}
#define STRING                                  \
	{                                       \
		.type = NLA_STRING, .minlen = 1 \
	}

static const struct nla_policy policy[SCUSE_ATTR_MAX + 1] = {
	[SCUSE_ATTR_ID] = U32,
	[SCUSE_ATTR_NAME] = STRING,
	[SCUSE_ATTR_HBA] = U32,
	[SCUSE_ATTR_HANDLER] = STRING,
	[SCUSE_ATTR_CONFIG] = STRING,
	[SCUSE_ATTR_SIZE] = U64,
	[SCUSE_ATTR_BLOCK_SIZE] = U32,
	[SCUSE_ATTR_STATE] = U8,
	[SCUSE_ATTR_QUEUES] = U32,
	[SCUSE_ATTR_DEPTH] = U32,
	[SCUSE_ATTR_MAX_TRANSFER] = U32,
	[SCUSE_ATTR_PID] = U32,
	[SCUSE_ATTR_SERIAL] = STRING,
	[SCUSE_ATTR_FEATURES] = U32,
	[SCUSE_ATTR_EXPORTS] = U32,
	[SCUSE_ATTR_DEVICE_TYPE] = U8,
	[SCUSE_ATTR_ERROR] = STRING,
	[SCUSE_ATTR_SEQUENCE] = U64,
	[SCUSE_ATTR_EVENT] = U32,
	[SCUSE_ATTR_MESSAGE] = STRING,
	[SCUSE_ATTR_COOKIE] = U64,
	[SCUSE_ATTR_REQUEST] = U32,
	[SCUSE_ATTR_STATUS] = U32,
	[SCUSE_ATTR_PORTID] = U32,
	[SCUSE_ATTR_QUEUE] = U32,
	[SCUSE_ATTR_INFLIGHT] = U32,
	[SCUSE_ATTR_STAT_COMMANDS] = U64,
	[SCUSE_ATTR_STAT_READ_BYTES] = U64,
	[SCUSE_ATTR_STAT_WRITE_BYTES] = U64,
	[SCUSE_ATTR_STAT_ERRORS] = U64,
	[SCUSE_ATTR_STAT_BUSY] = U64,
	[SCUSE_ATTR_STAT_ENTERS] = U64,
	[SCUSE_ATTR_STAT_SLEEPS] = U64,
	[SCUSE_ATTR_STAT_WAKEUPS] = U64,
	[SCUSE_ATTR_STAT_SUPPRESSED] = U64,
	[SCUSE_ATTR_STAT_BATCHES] = U64,
	[SCUSE_ATTR_STAT_ZEROED_BYTES] = U64,
	[SCUSE_ATTR_STAT_UNMAP_BLOCKS] = U64,
};

/* `attrs` has room for SCUSE_ATTR_MAX + 1; attributes with higher numbers are left out. */
int scuse_nl_parse(struct nlmsghdr *header, struct nlattr **attrs)
{
	if (!genlmsg_valid_hdr(header, 0))
		return -EBADMSG;
	return genlmsg_parse(header, 0, attrs, SCUSE_ATTR_MAX, policy) ? -EBADMSG : 0;
}

uint32_t scuse_nl_get_u32(struct nlattr **attrs, int type, uint32_t missing)
{
	return attrs[type] ? nla_get_u32(attrs[type]) : missing;
}

uint64_t scuse_nl_get_u64(struct nlattr **attrs, int type, uint64_t missing)
{
	return attrs[type] ? nla_get_u64(attrs[type]) : missing;
}

const char *scuse_nl_get_string(struct nlattr **attrs, int type, const char *missing)
{
	return attrs[type] ? nla_get_string(attrs[type]) : missing;
}

static uint32_t get_u8(struct nlattr **attrs, int type)
{
	return attrs[type] ? nla_get_u8(attrs[type]) : 0;
}

int scuse_nl_parse_device(struct nlattr **attrs, struct scuse_nl_device *device)
{
	if (!attrs[SCUSE_ATTR_ID] || !attrs[SCUSE_ATTR_NAME])
		return -EBADMSG;
	*device = (struct scuse_nl_device){
		.id = scuse_nl_get_u32(attrs, SCUSE_ATTR_ID, 0),
		.hba = scuse_nl_get_u32(attrs, SCUSE_ATTR_HBA, 0),
		.name = scuse_nl_get_string(attrs, SCUSE_ATTR_NAME, ""),
		.handler = scuse_nl_get_string(attrs, SCUSE_ATTR_HANDLER, ""),
		.config = scuse_nl_get_string(attrs, SCUSE_ATTR_CONFIG, NULL),
		.serial = scuse_nl_get_string(attrs, SCUSE_ATTR_SERIAL, ""),
		.error = scuse_nl_get_string(attrs, SCUSE_ATTR_ERROR, NULL),
		.size = scuse_nl_get_u64(attrs, SCUSE_ATTR_SIZE, 0),
		.block_size = scuse_nl_get_u32(attrs, SCUSE_ATTR_BLOCK_SIZE, 0),
		.state = get_u8(attrs, SCUSE_ATTR_STATE),
		.queues = scuse_nl_get_u32(attrs, SCUSE_ATTR_QUEUES, 0),
		.depth = scuse_nl_get_u32(attrs, SCUSE_ATTR_DEPTH, 0),
		.max_transfer = scuse_nl_get_u32(attrs, SCUSE_ATTR_MAX_TRANSFER, 0),
		.pid = scuse_nl_get_u32(attrs, SCUSE_ATTR_PID, 0),
		.features = scuse_nl_get_u32(attrs, SCUSE_ATTR_FEATURES, 0),
		.exports = scuse_nl_get_u32(attrs, SCUSE_ATTR_EXPORTS, 0),
		.device_type = get_u8(attrs, SCUSE_ATTR_DEVICE_TYPE),
	};
	return 0;
}

int scuse_nl_parse_queue(struct nlattr **attrs, struct scuse_nl_queue *queue)
{
	if (!attrs[SCUSE_ATTR_ID] || !attrs[SCUSE_ATTR_QUEUE])
		return -EBADMSG;
	*queue = (struct scuse_nl_queue){
		.id = scuse_nl_get_u32(attrs, SCUSE_ATTR_ID, 0),
		.queue = scuse_nl_get_u32(attrs, SCUSE_ATTR_QUEUE, 0),
		.depth = scuse_nl_get_u32(attrs, SCUSE_ATTR_DEPTH, 0),
		.inflight = scuse_nl_get_u32(attrs, SCUSE_ATTR_INFLIGHT, 0),
		.state = get_u8(attrs, SCUSE_ATTR_STATE),
		.max_transfer = scuse_nl_get_u32(attrs, SCUSE_ATTR_MAX_TRANSFER, 0),
	};
	return 0;
}

int scuse_nl_parse_stats(struct nlattr **attrs, struct scuse_nl_stats *stats)
{
	if (!attrs[SCUSE_ATTR_ID] || !attrs[SCUSE_ATTR_QUEUE])
		return -EBADMSG;
	*stats = (struct scuse_nl_stats){
		.id = scuse_nl_get_u32(attrs, SCUSE_ATTR_ID, 0),
		.queue = scuse_nl_get_u32(attrs, SCUSE_ATTR_QUEUE, 0),
		.commands = scuse_nl_get_u64(attrs, SCUSE_ATTR_STAT_COMMANDS, 0),
		.read_bytes = scuse_nl_get_u64(attrs, SCUSE_ATTR_STAT_READ_BYTES, 0),
		.write_bytes = scuse_nl_get_u64(attrs, SCUSE_ATTR_STAT_WRITE_BYTES, 0),
		.errors = scuse_nl_get_u64(attrs, SCUSE_ATTR_STAT_ERRORS, 0),
		.busy = scuse_nl_get_u64(attrs, SCUSE_ATTR_STAT_BUSY, 0),
		.enters = scuse_nl_get_u64(attrs, SCUSE_ATTR_STAT_ENTERS, 0),
		.sleeps = scuse_nl_get_u64(attrs, SCUSE_ATTR_STAT_SLEEPS, 0),
		.wakeups = scuse_nl_get_u64(attrs, SCUSE_ATTR_STAT_WAKEUPS, 0),
		.suppressed = scuse_nl_get_u64(attrs, SCUSE_ATTR_STAT_SUPPRESSED, 0),
		.batches = scuse_nl_get_u64(attrs, SCUSE_ATTR_STAT_BATCHES, 0),
		.zeroed_bytes = scuse_nl_get_u64(attrs, SCUSE_ATTR_STAT_ZEROED_BYTES, 0),
		.unmap_blocks = scuse_nl_get_u64(attrs, SCUSE_ATTR_STAT_UNMAP_BLOCKS, 0),
	};
	return 0;
}

int scuse_nl_parse_owner(struct nlattr **attrs, struct scuse_nl_owner *owner)
{
	if (!attrs[SCUSE_ATTR_HANDLER])
		return -EBADMSG;
	*owner = (struct scuse_nl_owner){
		.handler = scuse_nl_get_string(attrs, SCUSE_ATTR_HANDLER, ""),
		.portid = scuse_nl_get_u32(attrs, SCUSE_ATTR_PORTID, 0),
		.pid = scuse_nl_get_u32(attrs, SCUSE_ATTR_PID, 0),
	};
	return 0;
}

/* Copies are one allocation: the struct, then its strings. */
static const char *append(char **end, const char *string)
{
	char *start = *end;
	size_t size;

	if (!string)
		return NULL;
	size = strlen(string) + 1;
	memcpy(start, string, size);
	*end += size;
	return start;
}

static size_t room(const char *string)
{
	return string ? strlen(string) + 1 : 0;
}

SCUSE_API struct scuse_nl_device *scuse_nl_device_copy(const struct scuse_nl_device *device)
{
	struct scuse_nl_device *copy;
	char *end;

	copy = malloc(sizeof(*copy) + room(device->name) + room(device->handler) + room(device->config) +
		      room(device->serial) + room(device->error));
	if (!copy)
		return NULL;
	*copy = *device;
	end = (char *)(copy + 1);
	copy->name = append(&end, device->name);
	copy->handler = append(&end, device->handler);
	copy->config = append(&end, device->config);
	copy->serial = append(&end, device->serial);
	copy->error = append(&end, device->error);
	return copy;
}

SCUSE_API void scuse_nl_device_free(struct scuse_nl_device *device)
{
	free(device);
}

struct scuse_nl_owner *scuse_nl_owner_copy(const struct scuse_nl_owner *owner)
{
	struct scuse_nl_owner *copy = malloc(sizeof(*copy) + room(owner->handler));
	char *end;

	if (!copy)
		return NULL;
	*copy = *owner;
	end = (char *)(copy + 1);
	copy->handler = append(&end, owner->handler);
	return copy;
}
