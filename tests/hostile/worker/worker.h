/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A worker that does all that a worker must not (main.c).  What its parts share.
 *
 * Each session is a process of its own, as the kernel kills the one that breaks the protocol.  Its seed says all
 * that it does, but for the order in which threads race.
 */
#ifndef HOSTILE_WORKER_H
#define HOSTILE_WORKER_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <scuse/abi.h>

#include "../../conformance/fuzz/random.h"

#define MAX_QUEUES 4 /* of which we make use */

/* A session that was opened and mapped.  Filled in by one thread; what other threads change is atomic. */
struct session {
	const char *node; /* of the device */
	int fd;
	struct scuse_info info;
	uint32_t queues;
	int queue_fd[MAX_QUEUES];
	unsigned char *map[MAX_QUEUES][SCUSE_REGIONS]; /* NULL: not mapped */
	size_t length[SCUSE_REGIONS];
	struct random random;
	_Atomic uint32_t stop; /* threads end */
	uint64_t end;	       /* milliseconds of CLOCK_MONOTONIC: nobody serves any longer; 0: no limit */
};

/* What is wrong with a completion. */
enum spoil {
	SPOIL_NOTHING,
	SPOIL_INDEX,
	SPOIL_GENERATION,
	SPOIL_STATUS,
	SPOIL_KIND,
	SPOIL_LENGTH,
	SPOIL_SENSE,
	SPOIL_RESERVED,
	SPOIL_TWICE,
	SPOIL_MISSING, /* never completes: no violation */
	SPOIL_TAIL,
	SPOIL_BIT,
	SPOILS
};

/* serve.c: opening a session, and serving a queue as one should, or nearly. */

/* 0, or errno.  Tries for `seconds` while the node says EBUSY. */
int session_open(struct session *session, const char *node, uint64_t seed, uint32_t seconds);
int session_start(struct session *session); /* 0, or errno */
/*
 * Serves a queue until the session's `stop` or `end`, or an error.  Completion number `after` is spoilt.  Returns how many
 * commands were completed as they should.
 */
uint64_t session_serve(struct session *session, uint32_t queue, uint64_t after, enum spoil spoil);

/* tricks.c: all queues of a started session, as one should. */
void serve_for_ever(struct session *session) __attribute__((noreturn));

/* The kinds of session.  They return, end the process, or die. */

void trick_honest(struct session *session);
void trick_spoil(struct session *session);
void trick_garbage(struct session *session);
void trick_ioctls(struct session *session);
void trick_close(struct session *session);
/* memory.c */
void trick_memory(struct session *session);
void trick_fork(struct session *session);
void trick_pinned(struct session *session);
/* descriptors.c */
void trick_descriptors(struct session *session);
void trick_exec(struct session *session);
void trick_ptrace(struct session *session);

/* What must never happen did; told on stdout, the process ends with status 3. */
void finding(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

void sleep_ms(uint32_t milliseconds);

/* initiator.c: commands to the LUN's generic SCSI node, until `*stop`; what comes back does not matter. */
struct initiator {
	const char *node;
	uint64_t seed;
	uint32_t blocks; /* of the LUN */
	_Atomic uint32_t stop;
	_Atomic uint64_t good, failed;
};
void *initiator_run(void *initiator);
/* One READ (10) of 8 blocks: 0 if it ended with GOOD within `seconds`. */
int initiator_read(const char *node, uint32_t seconds);

#endif
