/* SPDX-License-Identifier: MIT */
/*
 * What the files of libscuse-netlink share; nothing outside netlink/ and its unit tests includes it.
 *
 * Files: open.c (handle, sockets, family, error text), exchange.c (one request and its answer), request.c
 * (changes), dump.c (lists), event.c (dispatch, sequence numbers), parse.c (attributes -> structs), copy.c
 * (structs that outlive their message), name.c, words.c.
 *
 * Ownership: a handle owns its sockets and queued messages.  There are no locks: one thread a handle.
 */
#ifndef SCUSE_NL_INTERNAL_H
#define SCUSE_NL_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <netlink/netlink.h>
#include <netlink/genl/genl.h>

#include <scuse/netlink.h>

#define SCUSE_API __attribute__((visibility("default")))

/* A message that waits for scuse_nl_dispatch(). */
struct scuse_nl_pending {
	struct scuse_nl_pending *next;
	struct nl_msg *msg; /* a reference of ours; NULL: the socket overran, events are lost */
};

/*
 * Event numbers.
 *
 *	unknown --event n--> at n --event n+1--> at n+1
 *	  ^                   |---event m > n+1--> at m, n+1..m-1 were lost
 *	  |                   |---event m <= n--> at n (older than a dump that was made meanwhile)
 *	  +-----overrun-------+
 */
struct scuse_nl_sequence {
	uint64_t last;
	bool known;
};

struct scuse_nl {
	struct nl_sock *ask;	/* dumps and requests */
	struct nl_sock *events; /* multicasts; NULL until subscribed */
	struct nl_sock *owner;	/* claims, replies, the kernel's requests; NULL until the first claim */
	int family;		/* id of the genl family; -1: not known, the module is not loaded */
	int epoll;		/* what scuse_nl_fd() gives: events, owner and wake */
	int wake;		/* eventfd: set while `pending` has messages between two dispatches */
	unsigned int timeout;	/* milliseconds */
	bool announced;		/* the module was there when the callbacks last heard of it */
	bool dispatching;
	struct scuse_nl_callbacks callbacks;
	void *data;
	struct scuse_nl_sequence sequence;
	struct scuse_nl_pending *pending, **pending_end;
	char error[SCUSE_MESSAGE_MAX + 128];
};

/* open.c */
int scuse_nl_fail(struct scuse_nl *nl, int error, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
int scuse_nl_fail_errno(struct scuse_nl *nl, int error, const char *what);
int scuse_nl_from_libnl(int nlerr);
int scuse_nl_socket(struct scuse_nl *nl, struct nl_sock **sock, bool watched);
int scuse_nl_lookup(struct scuse_nl *nl, const char *family, const char *group);
int scuse_nl_need_family(struct scuse_nl *nl);
int scuse_nl_resolve(struct scuse_nl *nl);
int scuse_nl_message(struct scuse_nl *nl, uint8_t command, int flags, struct nl_msg **msg);
bool scuse_nl_from_kernel(struct nl_msg *msg);

/* exchange.c: one request and all that the kernel answers to it. */
struct scuse_nl_exchange {
	uint32_t seq;
	bool finished;
	bool interrupted;				   /* NLM_F_DUMP_INTR */
	int result;					   /* 0 or -errno of the kernel */
	char text[SCUSE_MESSAGE_MAX];			   /* of the extended ack; "" */
	int (*answer)(void *arg, struct nlmsghdr *header); /* 0 or -errno; NULL: none is expected */
	void *arg;
};
int scuse_nl_exchange(struct scuse_nl *nl, struct nl_sock *sock, struct nl_msg *msg,
		      struct scuse_nl_exchange *exchange, unsigned int timeout);
/* An NLMSG_ERROR message (also with error 0) as it came; false: too short to be one. */
bool scuse_nl_parse_ack(const struct nlmsghdr *header, int *error, char *text, size_t size);

/* event.c */
int scuse_nl_queue_message(struct scuse_nl *nl, struct nl_msg *msg);
void scuse_nl_drop_pending(struct scuse_nl *nl);
/* Calls back for one message of the event or owner socket; returns how often. */
int scuse_nl_deliver(struct scuse_nl *nl, struct nlmsghdr *header);
/* True: events *first to before `number` are missing. */
bool scuse_nl_sequence_event(struct scuse_nl_sequence *sequence, uint64_t number, uint64_t *first);
void scuse_nl_sequence_dump(struct scuse_nl_sequence *sequence, uint64_t number);
uint64_t scuse_nl_sequence_overrun(struct scuse_nl_sequence *sequence);

/* parse.c: views into a message, for as long as it lives.  0 or -EBADMSG. */
struct nlattr;
int scuse_nl_parse(struct nlmsghdr *header, struct nlattr **attrs);
int scuse_nl_parse_device(struct nlattr **attrs, struct scuse_nl_device *device);
int scuse_nl_parse_queue(struct nlattr **attrs, struct scuse_nl_queue *queue);
int scuse_nl_parse_stats(struct nlattr **attrs, struct scuse_nl_stats *stats);
int scuse_nl_parse_owner(struct nlattr **attrs, struct scuse_nl_owner *owner);
int scuse_nl_parse_nexus(struct nlattr **attrs, struct scuse_nl_nexus *nexus);
int scuse_nl_parse_reservation(struct nlattr **attrs, struct scuse_nl_reservation *reservation);
int scuse_nl_parse_mode(struct nlattr **attrs, struct scuse_nl_mode *mode);
uint8_t scuse_nl_get_u8(struct nlattr **attrs, int type); /* 0 if it is missing */
uint32_t scuse_nl_get_u32(struct nlattr **attrs, int type, uint32_t missing);
uint64_t scuse_nl_get_u64(struct nlattr **attrs, int type, uint64_t missing);
const char *scuse_nl_get_string(struct nlattr **attrs, int type, const char *missing);
/* NULL and 0 if the attribute is missing. */
const uint8_t *scuse_nl_get_bytes(struct nlattr **attrs, int type, size_t *length);
/* Copies are one allocation, for free(); NULL: out of memory. */
struct scuse_nl_owner *scuse_nl_owner_copy(const struct scuse_nl_owner *owner);
struct scuse_nl_nexus *scuse_nl_nexus_copy(const struct scuse_nl_nexus *nexus);
struct scuse_nl_reservation *scuse_nl_reservation_copy(const struct scuse_nl_reservation *reservation);
struct scuse_nl_mode *scuse_nl_mode_copy(const struct scuse_nl_mode *mode);

#endif /* SCUSE_NL_INTERNAL_H */
