// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Threads for sync handlers that may block: commands are carried out in the order in which they were taken,
 * as many at a time as there are threads (one, for SCUSE_THREADS_SERIAL_LUN).
 *
 * `lock` covers the list and the counters.  Queue threads add; a pool thread takes the oldest.  Threads
 * that are started stay until pool_free(), by when no command is left.
 */
#include <signal.h>
#include <sys/prctl.h>

#include "dev.h"
#include "log.h"

struct pool {
	pthread_mutex_t lock;
	pthread_cond_t work;
	struct worker_io *head, *tail;
	unsigned int waiting; /* commands in the list */
	unsigned int idle;    /* threads that wait for one */
	bool ending;
	unsigned int count;
	pthread_t threads[];
};

static struct worker_io *take(struct pool *pool)
{
	struct worker_io *io;

	pthread_mutex_lock(&pool->lock);
	pool->idle++;
	while (!pool->head && !pool->ending)
		pthread_cond_wait(&pool->work, &pool->lock);
	pool->idle--;
	io = pool->head;
	if (io) {
		pool->head = io->next;
		if (!pool->head)
			pool->tail = NULL;
		pool->waiting--;
	}
	pthread_mutex_unlock(&pool->lock);
	return io;
}

static void *pool_thread(void *argument)
{
	struct pool *pool = argument;
	struct worker_io *io;

	prctl(PR_SET_NAME, "scuse-pool", 0, 0, 0);
	while ((io = take(pool)))
		dispatch_run(io);
	return NULL;
}

struct pool *pool_new(unsigned int threads)
{
	struct pool *pool = g_malloc0(sizeof(*pool) + threads * sizeof(pool->threads[0]));
	sigset_t all, before;

	pthread_mutex_init(&pool->lock, NULL);
	pthread_cond_init(&pool->work, NULL);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (pool->count < threads &&
	       pthread_create(&pool->threads[pool->count], NULL, pool_thread, pool) == 0)
		pool->count++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (pool->count)
		return pool;
	pool_free(pool);
	return NULL;
}

void pool_add(struct pool *pool, struct worker_io *io)
{
	pthread_mutex_lock(&pool->lock);
	io->next = NULL;
	if (pool->tail)
		pool->tail->next = io;
	else
		pool->head = io;
	pool->tail = io;
	pool->waiting++;
	pthread_mutex_unlock(&pool->lock);
}

bool pool_remove(struct pool *pool, struct worker_io *io)
{
	struct worker_io **link, *before = NULL;
	bool found;

	pthread_mutex_lock(&pool->lock);
	for (link = &pool->head; *link && *link != io; link = &before->next)
		before = *link;
	found = *link == io;
	if (found) {
		*link = io->next;
		if (pool->tail == io)
			pool->tail = before;
		pool->waiting--;
	}
	pthread_mutex_unlock(&pool->lock);
	return found;
}

void pool_flush(struct pool *pool)
{
	unsigned int wakes;

	pthread_mutex_lock(&pool->lock);
	wakes = MIN(pool->waiting, pool->idle);
	pthread_mutex_unlock(&pool->lock);
	while (wakes--)
		pthread_cond_signal(&pool->work);
}

void pool_free(struct pool *pool)
{
	if (!pool)
		return;
	pthread_mutex_lock(&pool->lock);
	pool->ending = true;
	pthread_cond_broadcast(&pool->work);
	pthread_mutex_unlock(&pool->lock);
	for (unsigned int i = 0; i < pool->count; i++)
		pthread_join(pool->threads[i], NULL);
	pthread_cond_destroy(&pool->work);
	pthread_mutex_destroy(&pool->lock);
	g_free(pool);
}
