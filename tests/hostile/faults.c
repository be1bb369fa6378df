// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hostile-faults: each allocation that a system call of ours makes fails once.
 *
 *	hostile-faults [--most N] [--only STEP]
 *
 * A step is a system call, or a few, with what must be there before it.  It is tried with its first allocation failing,
 * then with its second, and so on until it makes fewer (/proc/thread-self/fail-nth of a kernel with fault injection), at
 * most N times.  Whatever it returns is right, as long as it returns, all that it made can be taken away again, and it
 * succeeds when nothing fails any more.  What it leaks, and what the kernel says, is for the caller to see.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#include <scuse/abi.h>

#define HBA  "/sys/kernel/config/target/core/scuse_90"
#define LUN  HBA "/fault"
#define SIZE "handler=fault-by-hand\nsize=16777216\nqueues=2\ndepth=16\nparam=one=1\nparam=two=2\n"

static int fail_nth; /* descriptor */
static int session = -1, queue = -1, peer = -1;
static void *map = MAP_FAILED;
static uint16_t family;
static uint32_t device;

static int put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), error = 0;

	if (fd < 0)
		return errno;
	if (write(fd, value, strlen(value)) < 0)
		error = errno;
	close(fd);
	return error;
}

static int result(int ret)
{
	return ret < 0 ? errno : 0;
}

/* ---- what must be there: made and taken away without faults ---- */

static int need_nothing(void)
{
	return 0;
}

static int need_hba(void)
{
	return mkdir(HBA, 0755) && errno != EEXIST ? errno : 0;
}

static int need_directory(void)
{
	int error = need_hba();

	return error ? error : result(mkdir(LUN, 0755));
}

static int need_parameters(void)
{
	int error = need_directory();

	return error ? error : put(LUN "/control", SIZE);
}

static int find_device(void)
{
	char text[4096] = { 0 };
	const char *at;
	int fd = open(LUN "/info", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	if (read(fd, text, sizeof(text) - 1) < 0)
		*text = '\0';
	close(fd);
	at = strstr(text, "Id: ");
	if (!at)
		return ENOENT;
	device = (uint32_t)strtoul(at + 4, NULL, 10);
	return 0;
}

static int need_lun(void)
{
	int error = need_parameters();

	if (!error)
		error = put(LUN "/enable", "1");
	return error ? error : find_device();
}

static int open_session(void)
{
	char node[64];

	snprintf(node, sizeof(node), "/dev/scuse%u", device);
	for (int tries = 0; tries < 400; tries++) {
		session = open(node, O_RDWR | O_CLOEXEC);
		if (session >= 0 || (errno != EBUSY && errno != ENOENT && errno != ENXIO))
			break;
		usleep(10000);
	}
	return result(session);
}

static int need_session(void)
{
	int error = need_lun();

	return error ? error : open_session();
}

static int start(void)
{
	struct scuse_start argument = { .size = sizeof(argument),
					.abi_major = SCUSE_ABI_MAJOR,
					.abi_minor = SCUSE_ABI_MINOR };

	return result(ioctl(session, SCUSE_IOC_START, &argument));
}

static int need_started(void)
{
	int error = need_session();

	if (!error)
		error = result(queue = ioctl(session, SCUSE_IOC_QUEUE, 0));
	return error ? error : start();
}

static void drop(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void take_down(void)
{
	if (map != MAP_FAILED)
		munmap(map, 65536);
	map = MAP_FAILED;
	drop(&queue);
	drop(&session);
	drop(&peer);
	rmdir(LUN);
	rmdir(HBA);
}

/* ---- netlink ---- */

static int send_command(uint16_t type, uint16_t flags, uint8_t command, uint16_t attribute, const void *data,
			size_t length)
{
	_Alignas(8) unsigned char bytes[512] = { 0 };
	struct nlmsghdr *header = (struct nlmsghdr *)bytes;
	struct genlmsghdr *generic = (struct genlmsghdr *)(header + 1);
	struct nlattr *attr = (struct nlattr *)(generic + 1);

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	header->nlmsg_len = NLMSG_HDRLEN + GENL_HDRLEN;
	generic->cmd = command;
	generic->version = 1;
	if (length) {
		attr->nla_type = attribute;
		attr->nla_len = (uint16_t)(NLA_HDRLEN + length);
		memcpy(attr + 1, data, length);
		header->nlmsg_len += NLA_ALIGN(attr->nla_len);
	}
	return send(peer, bytes, header->nlmsg_len, 0) < 0 ? errno : 0;
}

/* The last message's error number, or 0 for the end of a dump or data. */
static int answer(int whole)
{
	_Alignas(8) unsigned char bytes[65536];

	for (;;) {
		ssize_t length = recv(peer, bytes, sizeof(bytes), 0);
		const struct nlmsghdr *header = (const struct nlmsghdr *)bytes;

		if (length < (ssize_t)sizeof(*header))
			return length < 0 ? errno : EIO;
		if (header->nlmsg_type == NLMSG_ERROR)
			return -((const struct nlmsgerr *)(header + 1))->error;
		if (!whole)
			return 0;
		for (; NLMSG_OK(header, (size_t)length); header = NLMSG_NEXT(header, length))
			if (header->nlmsg_type == NLMSG_DONE)
				return 0;
	}
}

static int open_peer(void)
{
	struct sockaddr_nl address = { .nl_family = AF_NETLINK };
	struct timeval limit = { .tv_sec = 2 };

	peer = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (peer < 0)
		return errno;
	setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return result(bind(peer, (struct sockaddr *)&address, sizeof(address)));
}

static int need_family(void)
{
	_Alignas(8) unsigned char bytes[8192];
	const struct nlattr *attr = (const struct nlattr *)(bytes + NLMSG_HDRLEN + GENL_HDRLEN);
	int error = open_peer();

	if (!error)
		error = send_command(GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME,
				     SCUSE_GENL_NAME, sizeof(SCUSE_GENL_NAME));
	if (error || recv(peer, bytes, sizeof(bytes), 0) < 0)
		return error ? error : errno;
	while (attr->nla_type != CTRL_ATTR_FAMILY_ID && attr->nla_len >= NLA_HDRLEN)
		attr = (const struct nlattr *)((const unsigned char *)attr + NLA_ALIGN(attr->nla_len));
	memcpy(&family, attr + 1, sizeof(family));
	return 0;
}

static int need_all(void)
{
	int error = need_started();

	return error ? error : need_family();
}

/* ---- the steps ---- */

static int make_hba(void)
{
	return result(mkdir(HBA, 0755));
}

static int make_directory(void)
{
	return result(mkdir(LUN, 0755));
}

static int set_parameters(void)
{
	return put(LUN "/control", SIZE);
}

static int enable(void)
{
	return put(LUN "/enable", "1");
}

static int read_info(void)
{
	return find_device();
}

static int set_serial(void)
{
	return put(LUN "/wwn/vpd_unit_serial", "fault");
}

static int set_timeout(void)
{
	return put(LUN "/attrib/orphan_timeout", "5");
}

static int remove_lun(void)
{
	return result(rmdir(LUN));
}

static int ask_info(void)
{
	struct scuse_info info = { .size = sizeof(info) };

	return result(ioctl(session, SCUSE_IOC_INFO, &info));
}

static int get_queue(void)
{
	return result(queue = ioctl(session, SCUSE_IOC_QUEUE, 0));
}

static int map_data(void)
{
	map = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, session,
		   (off_t)SCUSE_MMAP_OFFSET(SCUSE_REGION_DATA, 0));
	return map == MAP_FAILED ? errno : 0;
}

/* Without memory the touch is repeated by the kernel, in the end it succeeds. */
static int touch_data(void)
{
	int error = map_data();

	for (size_t at = 0; !error && at < 65536; at += 4096)
		((volatile unsigned char *)map)[at] = 1;
	return error;
}

static int update(void)
{
	struct scuse_start argument = { .size = sizeof(argument),
					.abi_major = SCUSE_ABI_MAJOR,
					.device_size = 8 << 20 };

	return result(ioctl(session, SCUSE_IOC_UPDATE, &argument));
}

static int notify(void)
{
	struct scuse_notify argument = { .size = sizeof(argument), .events = SCUSE_NOTIFY_MEDIUM };

	return result(ioctl(session, SCUSE_IOC_NOTIFY, &argument));
}

static int enter(void)
{
	struct scuse_enter argument = { .size = sizeof(argument),
					.flags = SCUSE_ENTER_WAIT,
					.timeout = 1000000 };

	return result(ioctl(queue, SCUSE_IOC_ENTER, &argument));
}

static int watch(void)
{
	struct pollfd one = { .fd = queue, .events = POLLIN };

	return result(poll(&one, 1, 1));
}

static int end_session(void)
{
	drop(&queue);
	drop(&session);
	return 0;
}

static int dump(uint8_t command)
{
	int error = send_command(family, NLM_F_DUMP, command, 0, NULL, 0);

	return error ? error : answer(1);
}

static int dump_devices(void)
{
	return dump(SCUSE_CMD_GET_DEVICE);
}

static int dump_statistics(void)
{
	return dump(SCUSE_CMD_GET_STATS);
}

static int dump_owners(void)
{
	return dump(SCUSE_CMD_GET_OWNER);
}

static int get_mode(void)
{
	int error = send_command(family, 0, SCUSE_CMD_GET_MODE, SCUSE_ATTR_ID, &device, sizeof(device));

	return error ? error : answer(0);
}

static int claim(void)
{
	int error =
		send_command(family, NLM_F_ACK, SCUSE_CMD_OWNER_CLAIM, SCUSE_ATTR_HANDLER, "fault-owner", 12);

	return error ? error : answer(0);
}

static const struct step {
	const char *name;
	int (*need)(void);
	int (*run)(void);
} steps[] = {
	{ "make-hba", need_nothing, make_hba },
	{ "make-directory", need_hba, make_directory },
	{ "control", need_directory, set_parameters },
	{ "enable", need_parameters, enable },
	{ "info", need_lun, read_info },
	{ "serial", need_lun, set_serial },
	{ "attribute", need_lun, set_timeout },
	{ "remove", need_lun, remove_lun },
	{ "remove-in-use", need_started, remove_lun },
	{ "open", need_lun, open_session },
	{ "ask-info", need_session, ask_info },
	{ "queue", need_session, get_queue },
	{ "map", need_session, map_data },
	{ "touch", need_session, touch_data },
	{ "start", need_session, start },
	{ "update", need_started, update },
	{ "notify", need_started, notify },
	{ "enter", need_started, enter },
	{ "poll", need_started, watch },
	{ "end", need_started, end_session },
	{ "dump-devices", need_all, dump_devices },
	{ "dump-statistics", need_all, dump_statistics },
	{ "dump-owners", need_all, dump_owners },
	{ "get-mode", need_all, get_mode },
	{ "claim", need_all, claim },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

/* Runs a step with its allocation `nth` failing (0: none); whether one did. */
static int run_with_fault(const struct step *step, uint32_t nth, int *error)
{
	char text[16];
	ssize_t length;
	int left;

	snprintf(text, sizeof(text), "%u", nth);
	if (pwrite(fail_nth, text, strlen(text), 0) < 0)
		return 0;
	*error = step->run();
	length = pread(fail_nth, text, sizeof(text) - 1, 0);
	if (length < 0)
		length = 0;
	text[length] = '\0';
	left = atoi(text);
	(void)!pwrite(fail_nth, "0", 1, 0);
	return nth && left == 0;
}

static int try_step(const struct step *step, uint32_t most)
{
	uint32_t nth = 1, failed = 0;
	int error = 0, struck = 1;

	for (; struck && nth <= most; nth++) {
		error = step->need();
		if (error) {
			printf("not ok - %s, before allocation %u: what it needs cannot be made: %s\n",
			       step->name, nth, strerror(error));
			take_down();
			return 1;
		}
		struck = run_with_fault(step, nth, &error);
		failed += struck && error;
		take_down();
	}
	error = step->need();
	if (!error)
		error = step->run();
	take_down();
	printf("%s - %s: %u allocations failed, and with them %u times the call%s%s\n",
	       error ? "not ok" : "ok", step->name, nth - 2, failed,
	       error ? "; without a fault it fails too: " : "", error ? strerror(error) : "");
	fflush(stdout);
	return error != 0;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "most", required_argument, NULL, 'm' },
		{ "only", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	const char *only = NULL;
	uint32_t most = 1000;
	int option, bad = 0;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == 'm')
			most = (uint32_t)strtoul(optarg, NULL, 0);
		else if (option == 'o')
			only = optarg;
		else
			return 2;
	}
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0) {
		fprintf(stderr, "this kernel has no fault injection\n");
		return 2;
	}
	for (size_t i = 0; i < STEPS; i++)
		if (!only || !strcmp(only, steps[i].name))
			bad += try_step(&steps[i], most);
	return bad != 0;
}
