// SPDX-License-Identifier: LGPL-2.1-or-later
/* Opening a session, and serving a queue as one should but for one completion.  See worker.h. */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define SERVE_LIMIT 400 /* milliseconds: many sessions show more than long ones */

static uint64_t milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int open_node(const char *node, uint32_t seconds)
{
	uint64_t end = milliseconds() + seconds * 1000;

	for (;;) {
		int fd = open(node, O_RDWR | O_CLOEXEC);

		if (fd >= 0 || errno != EBUSY || milliseconds() > end)
			return fd;
		sleep_ms(5);
	}
}

static int is_writable(uint32_t region)
{
	return region != SCUSE_REGION_KERNEL && region != SCUSE_REGION_CDB;
}

static int map_queue(struct session *session, uint32_t queue)
{
	for (uint32_t region = 0; region < SCUSE_REGIONS; region++) {
		int prot = PROT_READ | (is_writable(region) ? PROT_WRITE : 0);
		void *map = mmap(NULL, session->length[region], prot, MAP_SHARED, session->fd,
				 (off_t)SCUSE_MMAP_OFFSET(region, queue));

		if (map == MAP_FAILED)
			return errno;
		session->map[queue][region] = map;
	}
	session->queue_fd[queue] = ioctl(session->fd, SCUSE_IOC_QUEUE, queue);
	return session->queue_fd[queue] < 0 ? errno : 0;
}

int session_open(struct session *session, const char *node, uint64_t seed, uint32_t seconds)
{
	int error;

	memset(session, 0, sizeof(*session));
	session->node = node;
	session->random.state = seed;
	session->fd = open_node(node, seconds);
	if (session->fd < 0)
		return errno;
	session->info.size = sizeof(session->info);
	if (ioctl(session->fd, SCUSE_IOC_INFO, &session->info))
		return errno;
	session->queues = session->info.queues < MAX_QUEUES ? session->info.queues : MAX_QUEUES;
	for (uint32_t region = 0; region < SCUSE_REGIONS; region++)
		session->length[region] = session->info.region_size[region];
	for (uint32_t queue = 0; queue < session->queues; queue++) {
		error = map_queue(session, queue);
		if (error)
			return error;
	}
	session->end = milliseconds() + SERVE_LIMIT;
	return 0;
}

int session_start(struct session *session)
{
	struct scuse_start start = {
		.size = sizeof(start),
		.abi_major = SCUSE_ABI_MAJOR,
		.abi_minor = SCUSE_ABI_MINOR,
		.features = SCUSE_FEATURE_FLUSH | SCUSE_FEATURE_UNMAP | SCUSE_FEATURE_WRITE_SAME,
	};

	if (random_once_in(&session->random, 2))
		start.features |= SCUSE_FEATURE_REPLAY_SAFE;
	return ioctl(session->fd, SCUSE_IOC_START, &start) ? errno : 0;
}

/* What an honest worker would say of a command; the data does not matter. */
static struct scuse_cqe completion_of(const struct scuse_sqe *sqe)
{
	struct scuse_cqe cqe = { .tag = sqe->tag };

	if (sqe->op == SCUSE_OP_READ || (sqe->op == SCUSE_OP_CDB && sqe->flags & SCUSE_SQE_F_DATA_IN))
		cqe.data_len = sqe->data_len;
	else if (sqe->op == SCUSE_OP_EXTENTS)
		cqe.status = 8; /* BUSY */
	return cqe;
}

/* Spoils a completion; how many entries to publish. */
static uint32_t spoil_completion(struct random *random, struct scuse_cqe *cqe, enum spoil spoil)
{
	static const uint16_t sense_lengths[] = { 1, 7, 97, 128, 129, 4096, 0xffff };

	switch (spoil) {
	case SPOIL_INDEX:
		cqe->tag ^= 1u << random_below(random, 16);
		break;
	case SPOIL_GENERATION:
		cqe->tag ^= (uint64_t)1 << (32 + random_below(random, 32));
		break;
	case SPOIL_STATUS:
		cqe->status = (uint8_t)random_next(random);
		break;
	case SPOIL_KIND:
		cqe->kind = (uint8_t)(1 + random_below(random, 255));
		break;
	case SPOIL_LENGTH:
		cqe->data_len = random_once_in(random, 2) ? cqe->data_len + 1 : (uint32_t)random_next(random);
		break;
	case SPOIL_SENSE:
		cqe->status = random_once_in(random, 2) ? 2 : 0;
		cqe->sense_len = sense_lengths[random_below(random, 7)];
		break;
	case SPOIL_RESERVED:
		cqe->file = (uint32_t)random_next(random);
		cqe->offset = random_next(random);
		break;
	case SPOIL_BIT:
		((unsigned char *)cqe)[random_below(random, sizeof(*cqe))] ^=
			(unsigned char)(1u << random_below(random, 8));
		break;
	case SPOIL_TWICE:
		return 2;
	case SPOIL_MISSING:
		return 0;
	default:
		break;
	}
	return 1;
}

/* What serving a queue needs to know from one command to the next. */
struct server {
	struct session *session;
	uint32_t queue;
	const volatile struct scuse_queue_kernel *kernel;
	volatile struct scuse_queue_user *user;
	const unsigned char *sqes;
	unsigned char *cqes;
	uint32_t head, tail;
	uint64_t after;
	enum spoil spoil;
};

static void publish(struct server *server, const struct scuse_cqe *cqe, uint32_t times)
{
	uint32_t mask = server->kernel->cq_entries - 1;

	for (; times; times--)
		memcpy(server->cqes + (server->tail++ & mask) * sizeof(*cqe), cqe, sizeof(*cqe));
	__atomic_store_n(&server->user->cq_tail, server->tail, __ATOMIC_RELEASE);
}

static void complete_one(struct server *server, uint64_t number)
{
	struct scuse_sqe sqe;
	struct scuse_cqe cqe;
	uint32_t mask = server->kernel->sq_entries - 1, times = 1;

	memcpy(&sqe, server->sqes + (server->head & mask) * sizeof(sqe), sizeof(sqe));
	server->head++;
	if (sqe.op == SCUSE_OP_CANCEL || sqe.op == SCUSE_OP_RESET)
		return;
	cqe = completion_of(&sqe);
	if (number == server->after) {
		times = spoil_completion(&server->session->random, &cqe, server->spoil);
		if (server->spoil == SPOIL_TAIL)
			server->tail += 1 + (uint32_t)random_next(&server->session->random) % (2 * mask);
	}
	publish(server, &cqe, times);
}

uint64_t session_serve(struct session *session, uint32_t queue, uint64_t after, enum spoil spoil)
{
	unsigned char *kernel = session->map[queue][SCUSE_REGION_KERNEL];
	unsigned char *user = session->map[queue][SCUSE_REGION_USER];
	struct server server = {
		.session = session,
		.queue = queue,
		.after = after,
		.spoil = spoil,
		.kernel = (const volatile struct scuse_queue_kernel *)kernel,
		.user = (volatile struct scuse_queue_user *)user,
		.sqes = kernel + ((struct scuse_queue_kernel *)kernel)->sqe_offset,
		.cqes = user + ((struct scuse_queue_kernel *)kernel)->cqe_offset,
	};
	uint64_t number = 0;

	while (!atomic_load(&session->stop) && (!session->end || milliseconds() < session->end)) {
		struct scuse_enter enter = {
			.size = sizeof(enter),
			.flags = SCUSE_ENTER_WAIT,
			.timeout = 50000000,
		};

		while (server.head != __atomic_load_n(&server.kernel->sq_tail, __ATOMIC_ACQUIRE))
			complete_one(&server, number++);
		__atomic_store_n(&server.user->sq_head, server.head, __ATOMIC_RELEASE);
		enter.sq_head = server.head;
		if (ioctl(session->queue_fd[queue], SCUSE_IOC_ENTER, &enter) < 0 && errno != EINTR)
			break;
	}
	return number;
}
