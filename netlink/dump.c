/* SPDX-License-Identifier: MIT */
/*
 * Lists of devices, queues, statistics, owners, nexuses and reservations; single devices, their mode pages.
 *
 * Called by programs.  A dump is collected whole before the caller sees any of it, so that one that the
 * kernel reports as disturbed (NLM_F_DUMP_INTR) can be thrown away and made again.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#define ATTEMPTS 10

/* What each kind of list knows to do. */
struct kind {
	uint8_t command;
	/* A copy of the entry in *copy: 0 or -errno. */
	int (*entry)(struct nlattr **attrs, void **copy);
	int (*compare)(const void *a, const void *b);
};

struct collection {
	const struct kind *kind;
	uint64_t sequence;
	size_t count, room;
	void **item; /* NULL-terminated once it has anything */
};

static void clear(struct collection *collection)
{
	for (size_t i = 0; i < collection->count; i++)
		free(collection->item[i]);
	free(collection->item);
	collection->item = NULL;
	collection->count = collection->room = 0;
}

static int make_room(struct collection *collection)
{
	size_t room = collection->room ? collection->room * 2 : 16;
	void **item;

	if (collection->count + 1 < collection->room)
		return 0;
	item = realloc(collection->item, room * sizeof(*item));
	if (!item)
		return -ENOMEM;
	collection->item = item;
	collection->room = room;
	return 0;
}

static int collect(void *arg, struct nlmsghdr *header)
{
	struct collection *collection = arg;
	struct nlattr *attrs[SCUSE_ATTR_MAX + 1];
	void *copy;
	int r = scuse_nl_parse(header, attrs);

	if (r)
		return r;
	collection->sequence = scuse_nl_get_u64(attrs, SCUSE_ATTR_SEQUENCE, collection->sequence);
	r = make_room(collection);
	if (!r)
		r = collection->kind->entry(attrs, &copy);
	if (r)
		return r;
	collection->item[collection->count++] = copy;
	collection->item[collection->count] = NULL;
	return 0;
}

static int attempt(struct scuse_nl *nl, struct collection *collection, uint32_t id)
{
	struct scuse_nl_exchange exchange = { .answer = collect, .arg = collection };
	struct nl_msg *msg;
	int r = scuse_nl_message(nl, collection->kind->command, NLM_F_DUMP, &msg);

	if (r)
		return r;
	if (id != SCUSE_NL_ALL && nla_put_u32(msg, SCUSE_ATTR_ID, id))
		r = scuse_nl_fail_errno(nl, -ENOMEM, "netlink message");
	else
		r = scuse_nl_exchange(nl, nl->ask, msg, &exchange, nl->timeout);
	nlmsg_free(msg);
	return !r && exchange.interrupted ? -EINTR : r;
}

static int dump(struct scuse_nl *nl, struct collection *collection, uint32_t id)
{
	int r = -EINTR;

	for (int i = 0; i < ATTEMPTS && r == -EINTR; i++) {
		clear(collection);
		r = attempt(nl, collection, id);
	}
	if (!r)
		r = make_room(collection);
	if (r) {
		clear(collection);
		if (r == -EINTR)
			return scuse_nl_fail(nl, r, "the list changes faster than it can be read: try again");
		return r == -ENOMEM ? scuse_nl_fail_errno(nl, r, "netlink") : r;
	}
	if (!collection->count)
		collection->item[0] = NULL;
	qsort(collection->item, collection->count, sizeof(*collection->item), collection->kind->compare);
	/* An empty dump says nothing about numbers. */
	if (collection->sequence)
		scuse_nl_sequence_dump(&nl->sequence, collection->sequence);
	return 0;
}

/* ---- the kinds -------------------------------------------------------------------------------------- */

/* Takes what a parser has filled; `copy` is NULL if there was no memory. */
#define ENTRY(name, type, parse, duplicate)                 \
	static int name(struct nlattr **attrs, void **copy) \
	{                                                   \
		struct type entry;                          \
		int r = parse(attrs, &entry);               \
                                                            \
		if (r)                                      \
			return r;                           \
		*copy = duplicate(&entry);                  \
		return *copy ? 0 : -ENOMEM;                 \
	}

static struct scuse_nl_queue *queue_copy(const struct scuse_nl_queue *queue)
{
	struct scuse_nl_queue *copy = malloc(sizeof(*copy));

	if (copy)
		*copy = *queue;
	return copy;
}

static struct scuse_nl_stats *stats_copy(const struct scuse_nl_stats *stats)
{
	struct scuse_nl_stats *copy = malloc(sizeof(*copy));

	if (copy)
		*copy = *stats;
	return copy;
}

ENTRY(device_entry, scuse_nl_device, scuse_nl_parse_device, scuse_nl_device_copy)
ENTRY(queue_entry, scuse_nl_queue, scuse_nl_parse_queue, queue_copy)
ENTRY(stats_entry, scuse_nl_stats, scuse_nl_parse_stats, stats_copy)
ENTRY(owner_entry, scuse_nl_owner, scuse_nl_parse_owner, scuse_nl_owner_copy)
ENTRY(nexus_entry, scuse_nl_nexus, scuse_nl_parse_nexus, scuse_nl_nexus_copy)
ENTRY(reservation_entry, scuse_nl_reservation, scuse_nl_parse_reservation, scuse_nl_reservation_copy)
ENTRY(mode_entry, scuse_nl_mode, scuse_nl_parse_mode, scuse_nl_mode_copy)

static int order(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

static int device_compare(const void *a, const void *b)
{
	const struct scuse_nl_device *const *x = a, *const *y = b;

	return order((*x)->id, (*y)->id);
}

static int queue_compare(const void *a, const void *b)
{
	const struct scuse_nl_queue *const *x = a, *const *y = b;
	int r = order((*x)->id, (*y)->id);

	return r ? r : order((*x)->queue, (*y)->queue);
}

static int stats_compare(const void *a, const void *b)
{
	const struct scuse_nl_stats *const *x = a, *const *y = b;
	int r = order((*x)->id, (*y)->id);

	return r ? r : order((*x)->queue, (*y)->queue);
}

static int owner_compare(const void *a, const void *b)
{
	const struct scuse_nl_owner *const *x = a, *const *y = b;

	return strcmp((*x)->handler, (*y)->handler);
}

static int nexus_compare(const void *a, const void *b)
{
	const struct scuse_nl_nexus *const *x = a, *const *y = b;
	int r = order((*x)->id, (*y)->id);

	return r ? r : order((*x)->nexus, (*y)->nexus);
}

static int reservation_compare(const void *a, const void *b)
{
	const struct scuse_nl_reservation *const *x = a, *const *y = b;
	int r = order((*x)->id, (*y)->id);

	if (!r)
		r = order((*y)->holder, (*x)->holder);
	if (!r)
		r = strcmp((*x)->initiator, (*y)->initiator);
	return r ? r : strcmp((*x)->target, (*y)->target);
}

static const struct kind devices_kind = { SCUSE_CMD_GET_DEVICE, device_entry, device_compare };
static const struct kind queues_kind = { SCUSE_CMD_GET_QUEUE, queue_entry, queue_compare };
static const struct kind stats_kind = { SCUSE_CMD_GET_STATS, stats_entry, stats_compare };
static const struct kind owners_kind = { SCUSE_CMD_GET_OWNER, owner_entry, owner_compare };
static const struct kind nexuses_kind = { SCUSE_CMD_GET_NEXUS, nexus_entry, nexus_compare };
static const struct kind reservations_kind = { SCUSE_CMD_GET_RESERVATION, reservation_entry,
					       reservation_compare };
static const struct kind mode_kind = { SCUSE_CMD_GET_MODE, mode_entry, NULL };

/* ---- the interface ---------------------------------------------------------------------------------- */

/* The lists differ in the type of their entries alone; this gives each its own functions. */
#define LIST(type, entry, get_name, get_params, id, which)                  \
	SCUSE_API int get_name get_params                                   \
	{                                                                   \
		struct collection collection = { .kind = &(which) };        \
		int r;                                                      \
                                                                            \
		*list = NULL;                                               \
		r = dump(nl, &collection, id);                              \
		if (r)                                                      \
			return r;                                           \
		*list = malloc(sizeof(**list));                             \
		if (!*list) {                                               \
			clear(&collection);                                 \
			return scuse_nl_fail_errno(nl, -ENOMEM, "netlink"); \
		}                                                           \
		(*list)->sequence = collection.sequence;                    \
		(*list)->count = collection.count;                          \
		(*list)->item = (struct entry **)collection.item;           \
		return 0;                                                   \
	}                                                                   \
                                                                            \
	SCUSE_API void type##_free(struct type *list)                       \
	{                                                                   \
		if (!list)                                                  \
			return;                                             \
		for (size_t i = 0; i < list->count; i++)                    \
			free(list->item[i]);                                \
		free(list->item);                                           \
		free(list);                                                 \
	}

LIST(scuse_nl_devices, scuse_nl_device, scuse_nl_get_devices,
     (struct scuse_nl * nl, struct scuse_nl_devices **list), SCUSE_NL_ALL, devices_kind)
LIST(scuse_nl_queues, scuse_nl_queue, scuse_nl_get_queues,
     (struct scuse_nl * nl, uint32_t id, struct scuse_nl_queues **list), id, queues_kind)
LIST(scuse_nl_statistics, scuse_nl_stats, scuse_nl_get_statistics,
     (struct scuse_nl * nl, uint32_t id, struct scuse_nl_statistics **list), id, stats_kind)
LIST(scuse_nl_owners, scuse_nl_owner, scuse_nl_get_owners,
     (struct scuse_nl * nl, struct scuse_nl_owners **list), SCUSE_NL_ALL, owners_kind)

LIST(scuse_nl_nexuses, scuse_nl_nexus, scuse_nl_get_nexuses,
     (struct scuse_nl * nl, uint32_t id, struct scuse_nl_nexuses **list), id, nexuses_kind)
LIST(scuse_nl_reservations, scuse_nl_reservation, scuse_nl_get_reservations,
     (struct scuse_nl * nl, uint32_t id, struct scuse_nl_reservations **list), id, reservations_kind)

/* The one entry that the kernel answers with, in *item. */
static int get_one(struct scuse_nl *nl, struct nl_msg *msg, const struct kind *kind, void **item)
{
	struct collection collection = { .kind = kind };
	struct scuse_nl_exchange exchange = { .answer = collect, .arg = &collection };
	int r = scuse_nl_exchange(nl, nl->ask, msg, &exchange, nl->timeout);

	nlmsg_free(msg);
	if (!r && !collection.count)
		r = scuse_nl_fail_errno(nl, -EBADMSG, "device");
	if (!r) {
		*item = collection.item[0];
		collection.item[0] = NULL;
	}
	clear(&collection);
	return r == -ENOENT ? -ENODEV : r;
}

SCUSE_API int scuse_nl_get_device(struct scuse_nl *nl, const char *name, struct scuse_nl_device **device)
{
	struct nl_msg *msg;
	void *item = NULL;
	int r = scuse_nl_message(nl, SCUSE_CMD_GET_DEVICE, NLM_F_ACK, &msg);

	*device = NULL;
	if (r)
		return r;
	if (nla_put_string(msg, SCUSE_ATTR_NAME, name)) {
		nlmsg_free(msg);
		return scuse_nl_fail_errno(nl, -ENAMETOOLONG, "device name");
	}
	r = get_one(nl, msg, &devices_kind, &item);
	*device = item;
	return r;
}

static int get_by_id(struct scuse_nl *nl, const struct kind *kind, uint32_t id, void **item)
{
	struct nl_msg *msg;
	int r = scuse_nl_message(nl, kind->command, NLM_F_ACK, &msg);

	if (r)
		return r;
	if (!nla_put_u32(msg, SCUSE_ATTR_ID, id))
		return get_one(nl, msg, kind, item);
	nlmsg_free(msg);
	return scuse_nl_fail_errno(nl, -ENOMEM, "netlink message");
}

SCUSE_API int scuse_nl_get_device_by_id(struct scuse_nl *nl, uint32_t id, struct scuse_nl_device **device)
{
	void *item = NULL;
	int r = get_by_id(nl, &devices_kind, id, &item);

	*device = item;
	return r;
}

SCUSE_API int scuse_nl_get_mode(struct scuse_nl *nl, uint32_t id, struct scuse_nl_mode **mode)
{
	void *item = NULL;
	int r = get_by_id(nl, &mode_kind, id, &item);

	*mode = item;
	return r;
}
