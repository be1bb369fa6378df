// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Carries out commands on the file: one io_uring a queue, used by that queue's thread alone.
 *
 * A request may take several operations: what was transferred short is continued, what the kernel
 * interrupted is repeated, and FALLOC_FL_ZERO_RANGE where it turns out not to exist becomes a hole.
 *
 * WITHOUT io_uring (an old kernel, kernel.io_uring_disabled, a seccomp filter) the same requests are made
 * by ordinary system calls on the queue's thread: slower, since one has to end before the next begins, but
 * the LUN is served.
 */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "file.h"

#define MAX_TRANSFER (1u << 30) /* bytes of one operation: its length is an unsigned int */

struct file_ring {
	struct target *target;
	bool synchronous; /* there is no io_uring */
	bool fixed_file;
	struct io_uring uring;
};

static int fallocate_mode(const struct request *request)
{
	return FALLOC_FL_KEEP_SIZE |
	       (request->op == REQUEST_ZERO ? FALLOC_FL_ZERO_RANGE : FALLOC_FL_PUNCH_HOLE);
}

static unsigned int next_length(const struct request *request)
{
	return (unsigned int)(request->length < MAX_TRANSFER ? request->length : MAX_TRANSFER);
}

/* ---- results ---- */

/* True: there is more to do.  False: the command has been completed. */
static bool advance(struct target *target, struct request *request, int result)
{
	if (result == -EINTR || result == -EAGAIN)
		return true;
	if (result == -EOPNOTSUPP && request->op == REQUEST_ZERO && target->can_punch) {
		__atomic_store_n(&target->can_zero, false, __ATOMIC_RELAXED);
		request->op = REQUEST_PUNCH;
		return true;
	}
	if (result < 0) {
		scuse_fail_errno(request->io, result);
		return false;
	}
	if (request->op == REQUEST_READ || request->op == REQUEST_WRITE) {
		if (result == 0) {
			/* The file has been cut short by somebody else. */
			scuse_fail(request->io, SCUSE_E_IO);
			return false;
		}
		request->buffer += result;
		request->offset += (unsigned int)result;
		request->length -= (unsigned int)result;
		if (request->length)
			return true;
	}
	scuse_done(request->io);
	return false;
}

/* ---- ordinary system calls ---- */

static int call(const struct target *target, const struct request *request)
{
	struct iovec vector = { request->buffer, next_length(request) };
	ssize_t result = -1;

	switch (request->op) {
	case REQUEST_READ:
		result = preadv2(target->fd, &vector, 1, (off_t)request->offset, 0);
		break;
	case REQUEST_WRITE:
		result = pwritev2(target->fd, &vector, 1, (off_t)request->offset,
				  request->durable ? RWF_DSYNC : 0);
		break;
	case REQUEST_FLUSH:
		result = fdatasync(target->fd);
		break;
	case REQUEST_PUNCH:
	case REQUEST_ZERO:
		result = fallocate(target->fd, fallocate_mode(request), (off_t)request->offset,
				   (off_t)request->length);
		break;
	}
	return result < 0 ? -errno : (int)result;
}

static void run_synchronously(struct target *target, struct request *request)
{
	while (advance(target, request, call(target, request)))
		;
}

/* ---- io_uring ---- */

/* All that is queued goes down: nobody comes back for what would stay. */
static void submit_all(struct file_ring *ring)
{
	while (io_uring_sq_ready(&ring->uring)) {
		int result = io_uring_submit(&ring->uring);

		if (result < 0 && result != -EINTR && result != -EAGAIN && result != -EBUSY) {
			scuse_error("io_uring takes no more requests: %s", strerror(-result));
			return;
		}
	}
}

static struct io_uring_sqe *get_sqe(struct file_ring *ring)
{
	struct io_uring_sqe *sqe;

	/*
	 * There is room for all of a queue's commands; if the kernel is slow to take them, it takes them
	 * now.
	 */
	while (!(sqe = io_uring_get_sqe(&ring->uring)))
		submit_all(ring);
	return sqe;
}

static void prepare(struct file_ring *ring, struct request *request)
{
	struct io_uring_sqe *sqe = get_sqe(ring);
	int fd = ring->fixed_file ? 0 : ring->target->fd;

	switch (request->op) {
	case REQUEST_READ:
		io_uring_prep_read(sqe, fd, request->buffer, next_length(request), request->offset);
		break;
	case REQUEST_WRITE:
		io_uring_prep_write(sqe, fd, request->buffer, next_length(request), request->offset);
		sqe->rw_flags = request->durable ? RWF_DSYNC : 0;
		break;
	case REQUEST_FLUSH:
		io_uring_prep_fsync(sqe, fd, IORING_FSYNC_DATASYNC);
		break;
	case REQUEST_PUNCH:
	case REQUEST_ZERO:
		io_uring_prep_fallocate(sqe, fd, fallocate_mode(request), (off_t)request->offset,
					(off_t)request->length);
		break;
	}
	if (ring->fixed_file)
		sqe->flags |= IOSQE_FIXED_FILE;
	io_uring_sqe_set_data(sqe, request);
}

void file_ring_start(struct file_ring *ring, struct request *request)
{
	if (request->op == REQUEST_ZERO && !__atomic_load_n(&ring->target->can_zero, __ATOMIC_RELAXED))
		request->op = REQUEST_PUNCH;
	if (ring->synchronous)
		run_synchronously(ring->target, request);
	else
		prepare(ring, request);
}

void file_ring_submit(struct file_ring *ring)
{
	if (!ring->synchronous)
		submit_all(ring);
}

int file_ring_fd(const struct file_ring *ring)
{
	return ring->synchronous ? -1 : ring->uring.ring_fd;
}

void file_ring_reap(struct file_ring *ring)
{
	struct io_uring_cqe *cqe;

	while (io_uring_peek_cqe(&ring->uring, &cqe) == 0) {
		struct request *request = io_uring_cqe_get_data(cqe);
		int result = cqe->res;

		io_uring_cqe_seen(&ring->uring, cqe);
		if (advance(ring->target, request, result))
			prepare(ring, request);
	}
	file_ring_submit(ring);
}

/* ---- set up ---- */

static int init(struct file_ring *ring, uint32_t depth)
{
	unsigned int entries = 1;
	int result;

	while (entries < depth)
		entries *= 2;
	result = io_uring_queue_init(entries, &ring->uring, IORING_SETUP_CLAMP | IORING_SETUP_SINGLE_ISSUER);
	if (result == -EINVAL) /* before Linux 6.0 */
		result = io_uring_queue_init(entries, &ring->uring, IORING_SETUP_CLAMP);
	return result;
}

int file_ring_open(struct target *target, uint32_t depth, struct file_ring **out)
{
	struct file_ring *ring = calloc(1, sizeof(*ring));
	int result;

	if (!ring)
		return -ENOMEM;
	ring->target = target;
	result = init(ring, depth);
	if (result == -ENOSYS || result == -EPERM || result == -EACCES) {
		scuse_log(SCUSE_LOG_WARNING,
			  "io_uring is not available (%s): one command at a time is served; "
			  "sysctl kernel.io_uring_disabled=0 may allow it",
			  strerror(-result));
		ring->synchronous = true;
	} else if (result) {
		scuse_error("cannot set up io_uring: %s%s", strerror(-result),
			    result == -ENOMEM ? " (the limit of locked memory, ulimit -l, may be too low)"
					      : "");
		free(ring);
		return result;
	} else {
		ring->fixed_file = io_uring_register_files(&ring->uring, &target->fd, 1) == 0;
	}
	*out = ring;
	return 0;
}

void file_ring_close(struct file_ring *ring)
{
	if (!ring->synchronous)
		io_uring_queue_exit(&ring->uring);
	free(ring);
}
