/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The file handler's parts: target.c opens the file or block device and knows what it can do, ring.c
 * carries out commands on it with io_uring, file.c is the handler.
 */
#ifndef HANDLER_FILE_H
#define HANDLER_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include <scuse/handler.h>

/*
 * What is served.  Set up by target_open() on the main thread; the fields are constant afterwards but for
 * `can_zero`.
 */
struct target {
	int fd;
	char *path;
	bool block_device;
	bool read_only;
	bool can_punch;		 /* FALLOC_FL_PUNCH_HOLE works, and what is punched reads as zeros */
	bool can_zero;		 /* atomic: FALLOC_FL_ZERO_RANGE works, as far as is known */
	uint32_t granularity;	 /* bytes: what holes are made of */
	uint32_t physical_block; /* bytes; 0: not known */
	bool rotational;
	uint64_t lun_size; /* bytes, as far as the handler knows; main thread */
};

/* 0, or -errno after scuse_error(). */
int target_open(struct target *target, const struct scuse_config *config);
void target_close(struct target *target);
/* Bytes that there are now; 0: they cannot be asked for. */
uint64_t target_size(const struct target *target);
int target_resize(struct target *target, uint64_t size);
int target_extents(const struct target *target, uint64_t length, uint64_t offset,
		   struct scuse_extents *extents);

/* What remains to be done of a command: its private memory. */
enum request_op { REQUEST_READ, REQUEST_WRITE, REQUEST_FLUSH, REQUEST_PUNCH, REQUEST_ZERO };

struct request {
	struct scuse_io *io;
	enum request_op op;
	bool durable; /* WRITE: RWF_DSYNC */
	char *buffer;
	uint64_t length, offset;
};

struct file_ring;

/* A ring for one queue, on the queue's thread.  0 or -errno after scuse_error(). */
int file_ring_open(struct target *target, uint32_t depth, struct file_ring **ring);
void file_ring_close(struct file_ring *ring);
/* Queues the request, which completes by file_ring_reap(), or at once where there is no io_uring. */
void file_ring_start(struct file_ring *ring, struct request *request);
void file_ring_submit(struct file_ring *ring);
int file_ring_fd(const struct file_ring *ring); /* -1: none */
void file_ring_reap(struct file_ring *ring);

#endif /* HANDLER_FILE_H */
