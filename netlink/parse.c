/* SPDX-License-Identifier: MIT */
/*
 * Attributes to structs.
 *
 * Called by dump.c and event.c for each message.  The structs made here are views: their strings lie in the
 * message.  The policy makes sure of types, lengths and final NULs; what is missing gets a harmless value.
 */
#include "internal.h"

#include <errno.h>
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
#define BINARY                      \
	{                           \
		.type = NLA_UNSPEC, \
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
	[SCUSE_ATTR_NEXUS] = U32,
	[SCUSE_ATTR_FABRIC] = STRING,
	[SCUSE_ATTR_INITIATOR] = STRING,
	[SCUSE_ATTR_TARGET] = STRING,
	[SCUSE_ATTR_LUN] = U64,
	[SCUSE_ATTR_UA] = BINARY,
	[SCUSE_ATTR_ASC] = U8,
	[SCUSE_ATTR_ASCQ] = U8,
	[SCUSE_ATTR_KEY] = U64,
	[SCUSE_ATTR_PR_TYPE] = U8,
	[SCUSE_ATTR_PR_HOLDER] = U8,
	[SCUSE_ATTR_PR_GENERATION] = U32,
	[SCUSE_ATTR_MODE] = BINARY,
	[SCUSE_ATTR_MODE_SAVED] = BINARY,
	[SCUSE_ATTR_RAW] = U8,
	[SCUSE_ATTR_IDENTITY] = STRING,
	[SCUSE_ATTR_ORPHAN_POLICY] = U8,
	[SCUSE_ATTR_ORPHAN_TIMEOUT] = U32,
	[SCUSE_ATTR_INFLIGHT_POLICY] = U8,
	[SCUSE_ATTR_COMMAND_TIMEOUT] = U32,
	[SCUSE_ATTR_TMF_TIMEOUT] = U32,
	[SCUSE_ATTR_OFFLINE_MS] = U64,
	[SCUSE_ATTR_MEMORY] = U64,
	[SCUSE_ATTR_MEMORY_MAX] = U64,
	[SCUSE_ATTR_WAITING] = U32,
	[SCUSE_ATTR_STAT_REPLAYED] = U64,
	[SCUSE_ATTR_STAT_TIMEOUTS] = U64,
	[SCUSE_ATTR_STAT_QUARANTINED] = U64,
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

const uint8_t *scuse_nl_get_bytes(struct nlattr **attrs, int type, size_t *length)
{
	*length = attrs[type] ? (size_t)nla_len(attrs[type]) : 0;
	return attrs[type] ? nla_data(attrs[type]) : NULL;
}

uint8_t scuse_nl_get_u8(struct nlattr **attrs, int type)
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
		.state = scuse_nl_get_u8(attrs, SCUSE_ATTR_STATE),
		.queues = scuse_nl_get_u32(attrs, SCUSE_ATTR_QUEUES, 0),
		.depth = scuse_nl_get_u32(attrs, SCUSE_ATTR_DEPTH, 0),
		.max_transfer = scuse_nl_get_u32(attrs, SCUSE_ATTR_MAX_TRANSFER, 0),
		.pid = scuse_nl_get_u32(attrs, SCUSE_ATTR_PID, 0),
		.features = scuse_nl_get_u32(attrs, SCUSE_ATTR_FEATURES, 0),
		.exports = scuse_nl_get_u32(attrs, SCUSE_ATTR_EXPORTS, 0),
		.device_type = scuse_nl_get_u8(attrs, SCUSE_ATTR_DEVICE_TYPE),
		.raw = scuse_nl_get_u8(attrs, SCUSE_ATTR_RAW) != 0,
		.identity = scuse_nl_get_string(attrs, SCUSE_ATTR_IDENTITY, NULL),
		.policies = attrs[SCUSE_ATTR_ORPHAN_POLICY] != NULL,
		.orphan_policy = scuse_nl_get_u8(attrs, SCUSE_ATTR_ORPHAN_POLICY),
		.orphan_timeout = scuse_nl_get_u32(attrs, SCUSE_ATTR_ORPHAN_TIMEOUT, 0),
		.inflight_policy = scuse_nl_get_u8(attrs, SCUSE_ATTR_INFLIGHT_POLICY),
		.command_timeout = scuse_nl_get_u32(attrs, SCUSE_ATTR_COMMAND_TIMEOUT, 0),
		.tmf_timeout = scuse_nl_get_u32(attrs, SCUSE_ATTR_TMF_TIMEOUT, 0),
		.offline = attrs[SCUSE_ATTR_OFFLINE_MS] != NULL,
		.offline_ms = scuse_nl_get_u64(attrs, SCUSE_ATTR_OFFLINE_MS, 0),
		.memory = scuse_nl_get_u64(attrs, SCUSE_ATTR_MEMORY, 0),
		.memory_max = scuse_nl_get_u64(attrs, SCUSE_ATTR_MEMORY_MAX, 0),
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
		.state = scuse_nl_get_u8(attrs, SCUSE_ATTR_STATE),
		.max_transfer = scuse_nl_get_u32(attrs, SCUSE_ATTR_MAX_TRANSFER, 0),
		.waiting = scuse_nl_get_u32(attrs, SCUSE_ATTR_WAITING, 0),
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
		.replayed = scuse_nl_get_u64(attrs, SCUSE_ATTR_STAT_REPLAYED, 0),
		.timeouts = scuse_nl_get_u64(attrs, SCUSE_ATTR_STAT_TIMEOUTS, 0),
		.quarantined = scuse_nl_get_u64(attrs, SCUSE_ATTR_STAT_QUARANTINED, 0),
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

int scuse_nl_parse_nexus(struct nlattr **attrs, struct scuse_nl_nexus *nexus)
{
	size_t bytes;

	if (!attrs[SCUSE_ATTR_ID] || !attrs[SCUSE_ATTR_NEXUS])
		return -EBADMSG;
	*nexus = (struct scuse_nl_nexus){
		.id = scuse_nl_get_u32(attrs, SCUSE_ATTR_ID, 0),
		.nexus = scuse_nl_get_u32(attrs, SCUSE_ATTR_NEXUS, 0),
		.fabric = scuse_nl_get_string(attrs, SCUSE_ATTR_FABRIC, ""),
		.initiator = scuse_nl_get_string(attrs, SCUSE_ATTR_INITIATOR, ""),
		.target = scuse_nl_get_string(attrs, SCUSE_ATTR_TARGET, ""),
		.lun = scuse_nl_get_u64(attrs, SCUSE_ATTR_LUN, 0),
		.ua = scuse_nl_get_bytes(attrs, SCUSE_ATTR_UA, &bytes),
		.ua_count = bytes / 2,
	};
	return bytes % 2 ? -EBADMSG : 0;
}

int scuse_nl_parse_reservation(struct nlattr **attrs, struct scuse_nl_reservation *reservation)
{
	if (!attrs[SCUSE_ATTR_ID] || !attrs[SCUSE_ATTR_PR_TYPE])
		return -EBADMSG;
	*reservation = (struct scuse_nl_reservation){
		.id = scuse_nl_get_u32(attrs, SCUSE_ATTR_ID, 0),
		.fabric = scuse_nl_get_string(attrs, SCUSE_ATTR_FABRIC, ""),
		.initiator = scuse_nl_get_string(attrs, SCUSE_ATTR_INITIATOR, ""),
		.target = scuse_nl_get_string(attrs, SCUSE_ATTR_TARGET, ""),
		.type = scuse_nl_get_u8(attrs, SCUSE_ATTR_PR_TYPE),
		.holder = scuse_nl_get_u8(attrs, SCUSE_ATTR_PR_HOLDER) != 0,
		.has_key = attrs[SCUSE_ATTR_KEY] != NULL,
		.generation = scuse_nl_get_u32(attrs, SCUSE_ATTR_PR_GENERATION, 0),
		.key = scuse_nl_get_u64(attrs, SCUSE_ATTR_KEY, 0),
	};
	return 0;
}

int scuse_nl_parse_mode(struct nlattr **attrs, struct scuse_nl_mode *mode)
{
	if (!attrs[SCUSE_ATTR_ID] || !attrs[SCUSE_ATTR_MODE])
		return -EBADMSG;
	*mode = (struct scuse_nl_mode){ .id = scuse_nl_get_u32(attrs, SCUSE_ATTR_ID, 0) };
	mode->current = scuse_nl_get_bytes(attrs, SCUSE_ATTR_MODE, &mode->current_length);
	mode->saved = scuse_nl_get_bytes(attrs, SCUSE_ATTR_MODE_SAVED, &mode->saved_length);
	return 0;
}
