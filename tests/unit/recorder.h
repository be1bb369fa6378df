/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Handlers that write down what they are asked to do, over a small array: for tests of the worker's rules.
 * One LUN at a time, as the state is global.
 */
#ifndef TESTS_RECORDER_H
#define TESTS_RECORDER_H

#include "rig.h"

#define RECORDER_SIZE (4u << 20)

extern unsigned char recorder_data[RECORDER_SIZE];
/* Protection information, 8 bytes a block of 512. */
extern unsigned char recorder_protection[RECORDER_SIZE / 64];
/* What probe says, but for the size; to be set before the LUN is opened, and zeroed again. */
extern struct scuse_caps recorder_caps;

/* Sync on the pool, without write_zeroes, write_same; with flush and unmap. */
extern struct scuse_handler recorder_sync;
/* Async; a thread of its own completes commands, so also chains. */
extern struct scuse_handler recorder_async;
/* The same two with write_zeroes, write_same, extents, format and sanitize. */
extern struct scuse_handler recorder_sync_full;
extern struct scuse_handler recorder_async_full;

/*
 * What was called since the last question, such as "write 0+512 flush"; newly allocated.  What goes with a
 * call follows it: FUA, ANCHOR, PI and its bytes; with write ATOMIC, with write_zeroes UNMAP.
 */
char *recorder_calls(void);
/* The next operation (sync) returns this. */
void recorder_next_result(int result);
/* Hold commands back until recorder_release(): the ends of async ones, and sync writes. */
void recorder_hold(bool hold);
void recorder_release(void);
/* The most commands that were in the handler's hands at a time, since the last question. */
unsigned int recorder_most(void);
unsigned int recorder_cancels(void);
unsigned int recorder_resets(void);
/* The handle of the latest command. */
struct scuse_io *recorder_latest(void);

#endif /* TESTS_RECORDER_H */
