// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hostile-netlink: peers of the generic netlink family "scuse" that send what none should.
 *
 *	hostile-netlink [--seed N] [--seconds S] ID NAME
 *
 * Eight processes, half of them root and half nobody, each with sockets of its own: random commands with attributes
 * that are truncated, nested, unknown, of the wrong size; headers of other families; dumps that nobody reads to their
 * end; claims and releases; replies to requests of others; floods; messages to the runner's own socket.  ID and NAME are
 * those of a LUN that may be harmed (a RESIZE by root is in order).  No other is named.
 *
 * What must never happen is told on stdout as "not ok - ...": that nobody succeeds with a command that needs
 * CAP_SYS_ADMIN, or anybody with a reply to what was not asked of him.  What else must not happen, a kernel that
 * complains or a runner that dies, is for the caller to see.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include <scuse/abi.h>

#include "../conformance/fuzz/random.h"

#define PROCESSES 8
#define NOBODY	  65534
#define ROOM	  65536

struct options {
	uint64_t seed;
	uint32_t seconds, id;
	const char *name;
};

/* One process. */
struct peer {
	const struct options *options;
	struct random random;
	int is_root;
	uint16_t family;
	uint32_t group;
	uint32_t runner; /* the netlink port that owns a handler */
	uint64_t sent, refused, done;
};

struct message {
	size_t length;
	_Alignas(8) unsigned char bytes[ROOM];
};

static void finding(const char *what)
{
	printf("not ok - %s\n", what);
	fflush(stdout);
	_exit(3);
}

static int open_socket(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	struct timeval limit = { .tv_usec = 200000 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC), on = 1;

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)))
		finding("no netlink socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
	return fd;
}

/* ---- making messages ---- */

static void begin(struct message *message, uint16_t type, uint16_t flags, uint8_t command)
{
	struct nlmsghdr *header = (struct nlmsghdr *)message->bytes;
	struct genlmsghdr *generic = (struct genlmsghdr *)(header + 1);

	memset(message->bytes, 0, NLMSG_HDRLEN + GENL_HDRLEN);
	message->length = NLMSG_HDRLEN + GENL_HDRLEN;
	header->nlmsg_type = type;
	header->nlmsg_flags = flags;
	header->nlmsg_len = (uint32_t)message->length;
	generic->cmd = command;
	generic->version = SCUSE_GENL_VERSION;
}

static void add(struct message *message, uint16_t type, const void *data, size_t length)
{
	struct nlattr attr = { .nla_type = type, .nla_len = (uint16_t)(NLA_HDRLEN + length) };

	if (message->length + NLA_HDRLEN + NLA_ALIGN(length) > ROOM)
		return;
	memcpy(message->bytes + message->length, &attr, sizeof(attr));
	memset(message->bytes + message->length + NLA_HDRLEN, 0, NLA_ALIGN(length));
	memcpy(message->bytes + message->length + NLA_HDRLEN, data, length);
	message->length += NLA_HDRLEN + NLA_ALIGN(length);
	((struct nlmsghdr *)message->bytes)->nlmsg_len = (uint32_t)message->length;
}

/* A LUN: ours, one that is not there, in the right size or another. */
static void add_id(struct peer *peer, struct message *message)
{
	static const size_t lengths[] = { 4, 4, 4, 4, 0, 1, 3, 5, 8 };
	uint64_t id = peer->options->id;

	if (random_once_in(&peer->random, 3))
		id = random_next(&peer->random) | 0x80000000u;
	add(message, SCUSE_ATTR_ID, &id, lengths[random_below(&peer->random, 9)]);
}

static void add_name(struct peer *peer, struct message *message)
{
	static const char *const names[] = { "", "no-such", "/", "%n%s", "memory", "hostile-0", "hostile-1" };
	const char *name = random_once_in(&peer->random, 2) ? peer->options->name
							    : names[random_below(&peer->random, 4)];

	/* With its NUL, or without. */
	add(message, SCUSE_ATTR_NAME, name, strlen(name) + random_below(&peer->random, 2));
	if (random_once_in(&peer->random, 2)) {
		name = names[random_below(&peer->random, 7)];
		/* Claiming "memory" fails while the runner has it; nobody may take it away when it ends. */
		add(message, SCUSE_ATTR_HANDLER, name, strlen(name) + random_below(&peer->random, 2));
	}
}

static void add_random(struct peer *peer, struct message *message)
{
	struct random *random = &peer->random;
	uint16_t type = (uint16_t)random_below(random, SCUSE_ATTR_MAX + 8);
	uint32_t limit = random_once_in(random, 20) ? 8192 : 24, length = random_below(random, limit);
	unsigned char data[8192];

	if (type == SCUSE_ATTR_ID || type == SCUSE_ATTR_NAME)
		return; /* of another LUN, by chance */
	if (random_once_in(random, 2))
		length = random_once_in(random, 2) ? 4 : 8;
	if (random_once_in(random, 8))
		type |= random_once_in(random, 2) ? NLA_F_NESTED : NLA_F_NET_BYTEORDER;
	if (random_once_in(random, 16))
		type = (uint16_t)random_next(random) | 256;
	for (uint32_t i = 0; i < length; i++)
		data[i] = (unsigned char)random_next(random);
	if (random_once_in(random, 4))
		memset(data, 0, length);
	add(message, type, data, length);
}

static void random_message(struct peer *peer, struct message *message)
{
	struct random *random = &peer->random;
	uint16_t flags = NLM_F_REQUEST | (random_once_in(random, 2) ? NLM_F_ACK : 0);

	if (random_once_in(random, 3))
		flags |= NLM_F_DUMP;
	begin(message, peer->family, flags, (uint8_t)random_below(random, SCUSE_CMD_MAX + 3));
	if (random_below(random, 4))
		add_id(peer, message);
	if (random_once_in(random, 3))
		add_name(peer, message);
	for (uint32_t i = random_below(random, 5); i; i--)
		add_random(peer, message);
}

/* Lengths that lie, bytes that are missing, headers that are of others. */
static void spoil_message(struct peer *peer, struct message *message)
{
	struct random *random = &peer->random;
	struct nlmsghdr *header = (struct nlmsghdr *)message->bytes;
	struct nlattr *attr = (struct nlattr *)(message->bytes + NLMSG_HDRLEN + GENL_HDRLEN);

	switch (random_below(random, 8)) {
	case 0:
		message->length = random_below(random, (uint32_t)message->length + 1);
		break;
	case 1:
		header->nlmsg_len = (uint32_t)random_next(random);
		break;
	case 2:
		header->nlmsg_len = random_below(random, (uint32_t)message->length + 64);
		break;
	case 3:
		if (message->length > NLMSG_HDRLEN + GENL_HDRLEN)
			attr->nla_len = (uint16_t)random_next(random);
		break;
	case 4: /* the controller, control messages, types that no family has */
		header->nlmsg_type =
			random_once_in(random, 2) ? GENL_ID_CTRL : (uint16_t)random_below(random, 64);
		if (header->nlmsg_type == peer->family)
			header->nlmsg_type = NLMSG_DONE;
		break;
	case 5:
		header->nlmsg_flags = (uint16_t)random_next(random);
		break;
	case 6:
		message->bytes[NLMSG_HDRLEN + 1] = (unsigned char)random_next(random); /* version */
		break;
	default:
		break;
	}
}

/* ---- asking ---- */

static void send_to(int fd, uint32_t port, const struct message *message, int flags)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_pid = port };

	sendto(fd, message->bytes, message->length, flags, (struct sockaddr *)&address, sizeof(address));
}

/* The error number of the acknowledgement of message `sequence`; -1: none came. */
static int answer_of(int fd, uint32_t sequence)
{
	_Alignas(8) unsigned char bytes[ROOM];

	for (int tries = 0; tries < 50; tries++) {
		ssize_t length = recv(fd, bytes, sizeof(bytes), 0);
		const struct nlmsghdr *header = (const struct nlmsghdr *)bytes;

		if (length < (ssize_t)(NLMSG_HDRLEN + sizeof(int)))
			return -1;
		/* What was sent before may have answers that nobody has read. */
		if (header->nlmsg_type == NLMSG_ERROR && header->nlmsg_seq == sequence)
			return -((const struct nlmsgerr *)(header + 1))->error;
	}
	return -1;
}

static int ask(int fd, struct message *message)
{
	static uint32_t sequence = 1000000;

	((struct nlmsghdr *)message->bytes)->nlmsg_seq = ++sequence;
	send_to(fd, 0, message, 0);
	return answer_of(fd, sequence);
}

/* The id of the family and its group, from the controller. */
static void find_family(struct peer *peer)
{
	_Alignas(8) unsigned char bytes[ROOM];
	struct message message;
	int fd = open_socket();
	ssize_t length;

	begin(&message, GENL_ID_CTRL, NLM_F_REQUEST, CTRL_CMD_GETFAMILY);
	add(&message, CTRL_ATTR_FAMILY_NAME, SCUSE_GENL_NAME, sizeof(SCUSE_GENL_NAME));
	send_to(fd, 0, &message, 0);
	length = recv(fd, bytes, sizeof(bytes), 0);
	for (ssize_t at = NLMSG_HDRLEN + GENL_HDRLEN; at + NLA_HDRLEN <= length;) {
		const struct nlattr *attr = (const struct nlattr *)(bytes + at);

		if (attr->nla_type == CTRL_ATTR_FAMILY_ID)
			memcpy(&peer->family, attr + 1, sizeof(peer->family));
		/* The one group: a list of one, whose second attribute is its number. */
		if ((attr->nla_type & NLA_TYPE_MASK) == CTRL_ATTR_MCAST_GROUPS) {
			const unsigned char *inner = (const unsigned char *)(attr + 2);

			for (ssize_t within = 0; within + 8 <= attr->nla_len;
			     within += NLA_ALIGN(((const struct nlattr *)(inner + within))->nla_len)) {
				if (((const struct nlattr *)(inner + within))->nla_type ==
				    CTRL_ATTR_MCAST_GRP_ID)
					memcpy(&peer->group, inner + within + NLA_HDRLEN, 4);
				if (((const struct nlattr *)(inner + within))->nla_len < NLA_HDRLEN)
					break;
			}
		}
		if (attr->nla_len < NLA_HDRLEN)
			break;
		at += NLA_ALIGN(attr->nla_len);
	}
	close(fd);
	if (!peer->family)
		finding("there is no family scuse");
}

/* The port of whoever owns handlers. */
static void find_runner(struct peer *peer)
{
	_Alignas(8) unsigned char bytes[ROOM];
	struct message message;
	int fd = open_socket();
	ssize_t length;

	begin(&message, peer->family, NLM_F_REQUEST | NLM_F_DUMP, SCUSE_CMD_GET_OWNER);
	send_to(fd, 0, &message, 0);
	length = recv(fd, bytes, sizeof(bytes), 0);
	for (ssize_t at = NLMSG_HDRLEN + GENL_HDRLEN; at + NLA_HDRLEN <= length;) {
		const struct nlattr *attr = (const struct nlattr *)(bytes + at);

		if (attr->nla_type == SCUSE_ATTR_PORTID)
			memcpy(&peer->runner, attr + 1, sizeof(peer->runner));
		if (attr->nla_len < NLA_HDRLEN)
			break;
		at += NLA_ALIGN(attr->nla_len);
	}
	close(fd);
}

/* ---- what a peer does ---- */

static int needs_admin(uint8_t command)
{
	return (command >= SCUSE_CMD_OWNER_CLAIM && command <= SCUSE_CMD_REPORT) ||
	       command == SCUSE_CMD_SET_MODE || command == SCUSE_CMD_RESTART;
}

static void send_random(struct peer *peer, int fd)
{
	struct message message;
	uint8_t command;
	int error;

	random_message(peer, &message);
	command = message.bytes[NLMSG_HDRLEN];
	if (random_once_in(&peer->random, 2)) {
		spoil_message(peer, &message);
		send_to(fd, 0, &message, MSG_DONTWAIT);
		recv(fd, message.bytes, ROOM, MSG_DONTWAIT);
		return;
	}
	error = ask(fd, &message);
	peer->refused += error > 0;
	peer->done += error == 0;
	if (error == 0 && !peer->is_root && needs_admin(command) &&
	    !(((struct nlmsghdr *)message.bytes)->nlmsg_flags & NLM_F_DUMP))
		finding("nobody succeeds with a command that needs CAP_SYS_ADMIN");
	if (error == 0 && command == SCUSE_CMD_REPLY)
		finding("a reply that was not asked for is taken");
}

/* Cookies that may be somebody else's. */
static void send_reply(struct peer *peer, int fd)
{
	struct message message;
	uint64_t cookie = random_once_in(&peer->random, 4) ? random_next(&peer->random)
							   : random_below(&peer->random, 200);
	uint32_t status = random_below(&peer->random, 40);
	int error;

	begin(&message, peer->family, NLM_F_REQUEST | NLM_F_ACK, SCUSE_CMD_REPLY);
	add(&message, SCUSE_ATTR_COOKIE, &cookie, sizeof(cookie));
	add(&message, SCUSE_ATTR_STATUS, &status, sizeof(status));
	add(&message, SCUSE_ATTR_MESSAGE, "not mine", 9);
	error = ask(fd, &message);
	if (error == 0)
		finding("a reply to another's request is taken");
	if (error > 0 && error != (peer->is_root ? ENOENT : EPERM))
		finding("a reply to another's request does not get ENOENT, or EPERM");
}

/* Many dumps are begun, none is read to its end. */
static void abandon_dumps(struct peer *peer)
{
	static const uint8_t commands[] = { SCUSE_CMD_GET_DEVICE, SCUSE_CMD_GET_QUEUE,
					    SCUSE_CMD_GET_STATS,  SCUSE_CMD_GET_OWNER,
					    SCUSE_CMD_GET_NEXUS,  SCUSE_CMD_GET_RESERVATION };
	struct message message;
	int fds[16];

	for (int i = 0; i < 16; i++) {
		fds[i] = open_socket();
		begin(&message, peer->family, NLM_F_REQUEST | NLM_F_DUMP,
		      commands[random_below(&peer->random, 6)]);
		send_to(fds[i], 0, &message, 0);
	}
	for (int i = 0; i < 16; i++) {
		if (random_once_in(&peer->random, 2))
			recv(fds[i], message.bytes, random_below(&peer->random, 512), 0);
		close(fds[i]);
	}
}

/* As root: names are claimed and released, or left to the end of the socket, while LUNs could ask for them. */
static void claim(struct peer *peer, int fd)
{
	static const char *const names[] = { "hostile-0", "hostile-1", "hostile-2", "memory" };
	struct message message;
	const char *name = names[random_below(&peer->random, 4)];
	int error;

	begin(&message, peer->family, NLM_F_REQUEST | NLM_F_ACK,
	      random_once_in(&peer->random, 3) ? SCUSE_CMD_OWNER_RELEASE : SCUSE_CMD_OWNER_CLAIM);
	add(&message, SCUSE_ATTR_HANDLER, name, strlen(name) + 1);
	error = ask(fd, &message);
	if (error == 0 && (!peer->is_root || !strcmp(name, "memory")))
		finding("a name is claimed or released by whom it is not for");
}

/* More than anybody reads, with all events besides. */
static void flood(struct peer *peer)
{
	struct message message;
	int fd = open_socket();

	if (peer->group)
		setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &peer->group, sizeof(peer->group));
	for (int i = 0; i < 500; i++) {
		random_message(peer, &message);
		/* Requests that wait for an owner would end the flood. */
		if (message.bytes[NLMSG_HDRLEN] == SCUSE_CMD_RESIZE ||
		    message.bytes[NLMSG_HDRLEN] == SCUSE_CMD_RESTART)
			continue;
		send_to(fd, 0, &message, MSG_DONTWAIT);
		peer->sent++;
	}
	close(fd);
}

/* Requests and events that are not the kernel's, to the runner's own socket.  (Nobody may not send to it at all.) */
static void forge(struct peer *peer, int fd)
{
	struct message message;
	uint64_t cookie = random_next(&peer->random);
	uint32_t request = random_below(&peer->random, 7), id = random_below(&peer->random, 8);

	if (!peer->runner)
		return;
	begin(&message, peer->family, NLM_F_REQUEST,
	      random_once_in(&peer->random, 2) ? SCUSE_CMD_REQUEST : SCUSE_CMD_EVENT);
	add(&message, SCUSE_ATTR_COOKIE, &cookie, sizeof(cookie));
	add(&message, SCUSE_ATTR_REQUEST, &request, sizeof(request));
	add(&message, SCUSE_ATTR_EVENT, &request, sizeof(request));
	add(&message, SCUSE_ATTR_ID, &id, sizeof(id));
	add(&message, SCUSE_ATTR_NAME, "forged", 7);
	add(&message, SCUSE_ATTR_HANDLER, "memory", 7);
	if (random_once_in(&peer->random, 2))
		spoil_message(peer, &message);
	send_to(fd, peer->runner, &message, MSG_DONTWAIT);
}

static void peer_run(struct peer *peer)
{
	int fd = open_socket();
	struct timespec now;
	time_t end;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec + peer->options->seconds;
	for (; now.tv_sec < end; clock_gettime(CLOCK_MONOTONIC, &now)) {
		peer->sent++;
		switch (random_below(&peer->random, 16)) {
		case 0:
			abandon_dumps(peer);
			break;
		case 1:
			flood(peer);
			break;
		case 2:
		case 3:
			claim(peer, fd);
			break;
		case 4:
		case 5:
			send_reply(peer, fd);
			break;
		case 6:
			forge(peer, fd);
			break;
		case 7:
			close(fd);
			fd = open_socket();
			break;
		default:
			send_random(peer, fd);
			break;
		}
	}
	close(fd);
	printf("# %s: %llu messages and more, %llu refused, %llu done\n", peer->is_root ? "root" : "nobody",
	       (unsigned long long)peer->sent, (unsigned long long)peer->refused,
	       (unsigned long long)peer->done);
	fflush(stdout);
}

static void peer_process(const struct options *options, uint32_t number)
{
	struct peer peer = { .options = options,
			     .random = { options->seed + number },
			     .is_root = number % 2 == 0 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!peer.is_root && (setgid(NOBODY) || setuid(NOBODY)))
		finding("cannot become nobody");
	find_family(&peer);
	find_runner(&peer);
	peer_run(&peer);
	_exit(0);
}

static int parse(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "seconds", required_argument, NULL, 't' },
		{ NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == 's')
			options->seed = strtoull(optarg, NULL, 0);
		else if (option == 't')
			options->seconds = (uint32_t)strtoul(optarg, NULL, 0);
		else
			return -1;
	}
	if (argc - optind != 2)
		return -1;
	options->id = (uint32_t)strtoul(argv[optind], NULL, 0);
	options->name = argv[optind + 1];
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = { .seconds = 30 };
	pid_t pids[PROCESSES];
	int failed = 0, status;

	getrandom(&options.seed, sizeof(options.seed), 0);
	if (parse(argc, argv, &options)) {
		fprintf(stderr, "usage: hostile-netlink [--seed N] [--seconds S] ID NAME\n");
		return 2;
	}
	printf("# --seed %#llx\n", (unsigned long long)options.seed);
	fflush(stdout);
	for (uint32_t i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			peer_process(&options, i);
	}
	for (uint32_t i = 0; i < PROCESSES; i++)
		failed += pids[i] < 0 || waitpid(pids[i], &status, 0) != pids[i] || status != 0;
	printf("%s - no peer was given what is not for it\n", failed ? "not ok" : "ok");
	return failed != 0;
}
