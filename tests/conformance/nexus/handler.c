// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The handler of the cases that need a medium with a will of its own: "nexus-test", memory that takes orders
 * from a pipe (parameter `control`), each a line:
 *
 *	medium		another medium is there
 *	limits		the optimal transfer length changes
 *	threshold	the soft threshold was crossed
 *	delay MS	from now on, reads of the second half take MS milliseconds; a cancelled one ends at once
 *
 * One thread reads the pipe; the worker's threads read and write the medium, which needs no lock of its own:
 * a disk does not order what is in flight at the same time.  `delay` and `optimal` are atomic.
 */
#define _GNU_SOURCE
#include <scuse/handler.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define GROWTH	  (16 << 20) /* bytes that a resize can add */
#define TICK	  5	     /* milliseconds between looks at a cancelled command */
#define OPTIMAL_1 65536
#define OPTIMAL_2 131072

struct medium {
	struct scuse_dev *dev;
	unsigned char *bytes;
	uint64_t room;	    /* bytes that are mapped; the size may change up to there */
	uint64_t slow_from; /* reads from here on may be delayed */
	int control;	    /* the pipe */
	int stop[2];	    /* closing its end 1 ends the thread */
	pthread_t thread;
	atomic_int delay; /* milliseconds */
	atomic_uint optimal;
};

static void obey(struct medium *medium, const char *order)
{
	int delay;

	if (strcmp(order, "medium") == 0) {
		scuse_dev_changed(medium->dev, SCUSE_CHANGED_MEDIA);
	} else if (strcmp(order, "limits") == 0) {
		atomic_store(&medium->optimal,
			     atomic_load(&medium->optimal) == OPTIMAL_1 ? OPTIMAL_2 : OPTIMAL_1);
		scuse_dev_changed(medium->dev, SCUSE_CHANGED_CAPS);
	} else if (strcmp(order, "threshold") == 0) {
		scuse_dev_changed(medium->dev, SCUSE_CHANGED_THRESHOLD);
	} else if (sscanf(order, "delay %d", &delay) == 1) {
		atomic_store(&medium->delay, delay);
	} else {
		scuse_log(SCUSE_LOG_ERROR, "unknown order '%s'", order);
	}
}

static void *listen_thread(void *argument)
{
	struct medium *medium = argument;
	struct pollfd fds[] = { { .fd = medium->control, .events = POLLIN },
				{ .fd = medium->stop[0], .events = POLLIN } };
	char orders[256], *line, *rest;
	ssize_t len;

	while ((poll(fds, 2, -1) > 0 || errno == EINTR) && !fds[1].revents) {
		len = read(medium->control, orders, sizeof(orders) - 1);
		if (len <= 0)
			continue;
		orders[len] = '\0';
		for (line = strtok_r(orders, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
			obey(medium, line);
	}
	return NULL;
}

static int medium_listen(struct medium *medium, const char *path)
{
	/* Open for writing too, so that the pipe does not end with each writer. */
	medium->control = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (medium->control < 0) {
		scuse_error("cannot open '%s': %s", path, strerror(errno));
		return -1;
	}
	if (pipe2(medium->stop, O_CLOEXEC))
		goto close_control;
	if (pthread_create(&medium->thread, NULL, listen_thread, medium) == 0)
		return 0;
	close(medium->stop[0]);
	close(medium->stop[1]);
close_control:
	close(medium->control);
	return -1;
}

static int medium_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	struct medium *medium = calloc(1, sizeof(*medium));

	if (!medium)
		return -ENOMEM;
	medium->dev = dev;
	medium->room = scuse_config_device_size(config) + GROWTH;
	medium->slow_from = scuse_config_device_size(config) / 2;
	atomic_init(&medium->optimal, OPTIMAL_1);
	medium->bytes = mmap(NULL, medium->room, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (medium->bytes == MAP_FAILED) {
		scuse_error("no memory for the medium; give a --size");
		goto free_medium;
	}
	if (medium_listen(medium, scuse_config_string(config, "control")))
		goto unmap;
	*handle = medium;
	return 0;
unmap:
	munmap(medium->bytes, medium->room);
free_medium:
	free(medium);
	return -1;
}

static void medium_close(void *handle)
{
	struct medium *medium = handle;

	close(medium->stop[1]);
	pthread_join(medium->thread, NULL);
	close(medium->stop[0]);
	close(medium->control);
	munmap(medium->bytes, medium->room);
	free(medium);
}

static int medium_probe(void *handle, struct scuse_caps *caps)
{
	struct medium *medium = handle;

	caps->optimal_transfer = atomic_load(&medium->optimal);
	caps->unmap_zeroes = SCUSE_CAP_NATIVE;
	caps->threshold_set = 1 << 20;
	return 0;
}

static int medium_resize(void *handle, uint64_t size)
{
	const struct medium *medium = handle;

	return size <= medium->room ? 0 : -ENOSPC;
}

static void wait_for_delay(struct medium *medium, const struct scuse_io *io)
{
	const struct timespec tick = { .tv_nsec = TICK * 1000000 };
	int left = atomic_load(&medium->delay);

	for (; left > 0 && !scuse_io_cancelled(io); left -= TICK)
		nanosleep(&tick, NULL);
}

static int medium_read(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	struct medium *medium = handle;

	if (offset >= medium->slow_from)
		wait_for_delay(medium, io);
	if (scuse_io_cancelled(io))
		return scuse_fail(io, SCUSE_E_CANCELLED);
	memcpy(buffer, medium->bytes + offset, length);
	return 0;
}

static int medium_write(void *handle, struct scuse_io *io, const void *buffer, uint64_t length,
			uint64_t offset)
{
	struct medium *medium = handle;

	(void)io;
	memcpy(medium->bytes + offset, buffer, length);
	return 0;
}

static int medium_unmap(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset)
{
	struct medium *medium = handle;

	(void)io;
	memset(medium->bytes + offset, 0, length);
	return 0;
}

static const struct scuse_sync_ops medium_ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
	.read = medium_read,
	.write = medium_write,
	.unmap = medium_unmap,
};

static const struct scuse_param medium_params[] = {
	{ .name = "control",
	  .type = SCUSE_PARAM_PATH,
	  .flags = SCUSE_PARAM_REQUIRED,
	  .help = "pipe that orders come from" },
	{ .name = NULL },
};

static struct scuse_handler medium_handler = {
	.name = "nexus-test",
	.version = "1",
	.description = "memory that takes orders from a pipe, for tests",
	.params = medium_params,
	.thread_model = SCUSE_THREADS_PARALLEL,
	.sync = &medium_ops,
	.open = medium_open,
	.probe = medium_probe,
	.resize = medium_resize,
	.close = medium_close,
};
SCUSE_REGISTER_HANDLER(medium_handler)
