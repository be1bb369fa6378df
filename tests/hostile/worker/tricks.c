// SPDX-License-Identifier: LGPL-2.1-or-later
/* Sessions that serve well, nearly well, or scribble, and calls that make no sense.  See worker.h. */
#include "worker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

struct thread {
	struct session *session;
	uint32_t queue;
	uint64_t after;
	enum spoil spoil;
	struct random random;
};

static void *serve_thread(void *arg)
{
	struct thread *thread = arg;

	session_serve(thread->session, thread->queue, thread->after, thread->spoil);
	return NULL;
}

/* One thread a queue; the caller does what it wants to do meanwhile, then join_all(). */
static void serve_all(struct session *session, pthread_t *ids, struct thread *threads, uint64_t after,
		      enum spoil spoil)
{
	for (uint32_t i = 0; i < session->queues; i++) {
		threads[i] =
			(struct thread){ .session = session, .queue = i, .after = after, .spoil = spoil };
		pthread_create(&ids[i], NULL, serve_thread, &threads[i]);
	}
}

static void join_all(struct session *session, pthread_t *ids)
{
	atomic_store(&session->stop, 1);
	for (uint32_t i = 0; i < session->queues; i++)
		pthread_join(ids[i], NULL);
}

void serve_for_ever(struct session *session)
{
	pthread_t ids[MAX_QUEUES];
	struct thread threads[MAX_QUEUES];

	session->end = 0;
	serve_all(session, ids, threads, UINT64_MAX, SPOIL_NOTHING);
	for (;;)
		pause();
}

void trick_honest(struct session *session)
{
	pthread_t ids[MAX_QUEUES];
	struct thread threads[MAX_QUEUES];

	if (session_start(session))
		return;
	serve_all(session, ids, threads, UINT64_MAX, SPOIL_NOTHING);
	sleep_ms(20 + random_below(&session->random, 200));
	join_all(session, ids);
}

void trick_spoil(struct session *session)
{
	pthread_t ids[MAX_QUEUES];
	struct thread threads[MAX_QUEUES];
	enum spoil spoil = (enum spoil)(1 + random_below(&session->random, SPOILS - 1));

	if (session_start(session))
		return;
	serve_all(session, ids, threads, random_below(&session->random, 20), spoil);
	sleep_ms(50 + random_below(&session->random, 300));
	join_all(session, ids);
}

/* A place in a region that a worker may write to; mostly in the ring, where it matters most. */
static unsigned char *random_place(struct session *session, struct random *random)
{
	static const uint32_t regions[] = { SCUSE_REGION_USER, SCUSE_REGION_SENSE, SCUSE_REGION_DATA };
	uint32_t queue = random_below(random, session->queues);
	uint32_t region = random_once_in(random, 4) ? regions[random_below(random, 3)] : SCUSE_REGION_USER;
	uint32_t within = (uint32_t)session->length[region];

	if (region == SCUSE_REGION_USER && random_once_in(random, 3))
		within = sizeof(struct scuse_queue_user);
	return session->map[queue][region] + random_below(random, within);
}

static void *garbage_thread(void *arg)
{
	struct thread *thread = arg;
	struct session *session = thread->session;

	while (!atomic_load(&session->stop)) {
		volatile unsigned char *place = random_place(session, &thread->random);

		*place = random_once_in(&thread->random, 3) ? 0 : (unsigned char)random_next(&thread->random);
		if (random_once_in(&thread->random, 256))
			sleep_ms(1);
	}
	return NULL;
}

/* Every byte that a worker may write to, in random order, while the queues are served or at least entered. */
void trick_garbage(struct session *session)
{
	pthread_t ids[MAX_QUEUES], garbage[3];
	struct thread threads[MAX_QUEUES], scribblers[3];
	uint32_t count = 1 + random_below(&session->random, 3);

	if (session_start(session))
		return;
	serve_all(session, ids, threads, UINT64_MAX, SPOIL_NOTHING);
	sleep_ms(random_below(&session->random, 50));
	for (uint32_t i = 0; i < count; i++) {
		scribblers[i] =
			(struct thread){ .session = session, .random = { random_next(&session->random) } };
		pthread_create(&garbage[i], NULL, garbage_thread, &scribblers[i]);
	}
	sleep_ms(100 + random_below(&session->random, 200));
	join_all(session, ids);
	for (uint32_t i = 0; i < count; i++)
		pthread_join(garbage[i], NULL);
}

/* An argument that points to random bytes, begins with a size, or points to nowhere or across the end of memory. */
static void *random_argument(struct session *session, unsigned char *page)
{
	static const uint32_t sizes[] = { 0,  1,   4,	7,   8,	   12,	 23,   24,	  25,
					  64, 144, 256, 257, 4095, 4096, 4097, 0xffffffff };
	struct random *random = &session->random;
	uint32_t size = sizes[random_below(random, sizeof(sizes) / sizeof(sizes[0]))];

	switch (random_below(random, 8)) {
	case 0:
		return NULL;
	case 1:
		return (void *)(uintptr_t)random_next(random);
	case 2:
		return page + 4096 - random_below(random, 64);
	case 3:
		return session->map[0][random_below(random, SCUSE_REGIONS)];
	default:
		for (uint32_t i = 0; i < 4096; i++)
			page[i] = random_once_in(random, 4) ? (unsigned char)random_next(random) : 0;
		memcpy(page, &size, sizeof(size));
		return page;
	}
}

static void random_ioctl(struct session *session, unsigned char *page)
{
	static const unsigned long calls[] = { SCUSE_IOC_INFO,	 SCUSE_IOC_QUEUE, SCUSE_IOC_START,
					       SCUSE_IOC_UPDATE, SCUSE_IOC_ENTER, SCUSE_IOC_NOTIFY };
	struct random *random = &session->random;
	int fd = random_once_in(random, 2) ? session->fd
					   : session->queue_fd[random_below(random, session->queues)];
	unsigned long call = calls[random_below(random, 6)];
	void *argument;
	int ret;

	if (random_once_in(random, 8))
		call ^= 1ul << random_below(random, 32);
	argument = call == SCUSE_IOC_QUEUE ? (void *)(uintptr_t)random_below(random, 80)
					   : random_argument(session, page);
	/* A sleep without a limit is not what is tried here. */
	if (call == SCUSE_IOC_ENTER && argument == page)
		memset(page + offsetof(struct scuse_enter, flags), 0, 4);
	ret = ioctl(fd, call, argument);
	if (call == SCUSE_IOC_QUEUE && ret >= 0)
		close(ret);
}

/* START, UPDATE, NOTIFY, ENTER with arguments of all sizes and none, before and after a START. */
void trick_ioctls(struct session *session)
{
	pthread_t ids[MAX_QUEUES];
	struct thread threads[MAX_QUEUES];
	int serves = random_once_in(&session->random, 2) && !session_start(session);
	unsigned char *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED || munmap(pages + 4096, 4096))
		return;
	alarm(5);
	if (serves)
		serve_all(session, ids, threads, UINT64_MAX, SPOIL_NOTHING);
	for (int i = 0; i < 300; i++)
		random_ioctl(session, pages);
	if (serves)
		join_all(session, ids);
}

static void *enter_thread(void *arg)
{
	struct thread *thread = arg;
	struct scuse_enter enter = { .size = sizeof(enter),
				     .flags = SCUSE_ENTER_WAIT,
				     .timeout = 2000000000 };
	struct pollfd wait = { .fd = thread->session->queue_fd[thread->queue], .events = POLLIN };

	if (random_once_in(&thread->random, 2))
		ioctl(wait.fd, SCUSE_IOC_ENTER, &enter);
	else
		poll(&wait, 1, 2000);
	return NULL;
}

/* Everything is closed and unmapped, in any order, while threads sleep in ENTER or poll, or serve. */
void trick_close(struct session *session)
{
	struct random *random = &session->random;
	pthread_t ids[MAX_QUEUES];
	struct thread threads[MAX_QUEUES];

	if (random_below(random, 4) && session_start(session))
		return;
	for (uint32_t i = 0; i < session->queues; i++) {
		threads[i] =
			(struct thread){ .session = session, .queue = i, .random = { random_next(random) } };
		pthread_create(&ids[i], NULL, enter_thread, &threads[i]);
	}
	sleep_ms(random_below(random, 30));
	for (int i = 0; i < 20; i++) {
		uint32_t queue = random_below(random, session->queues),
			 region = random_below(random, SCUSE_REGIONS);

		switch (random_below(random, 3)) {
		case 0:
			close(session->fd);
			break;
		case 1:
			close(session->queue_fd[queue]);
			break;
		default:
			if (session->map[queue][region])
				munmap(session->map[queue][region], session->length[region]);
			session->map[queue][region] = NULL;
			break;
		}
	}
	if (random_once_in(random, 2))
		_exit(0); /* with the threads where they are */
	for (uint32_t i = 0; i < session->queues; i++)
		pthread_join(ids[i], NULL);
}
