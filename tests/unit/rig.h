/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A LUN on the simulated kernel, ready for commands: what the data path tests have in common.  A main
 * thread of its own deals with the LUN's events, as the worker process's does.
 */
#ifndef TESTS_RIG_H
#define TESTS_RIG_H

#include "simulator.h"

struct rig {
	struct sim *sim;
	struct handler *handler;
	struct scuse_config *config;
	struct scuse_dev *dev;
	uint32_t seen_events; /* atomic: DEV_EVENT_* so far */
	bool ending;	      /* atomic */
	pthread_t main_thread;
	bool has_thread;
};

struct rig_options {
	struct sim_options sim;
	const char *plugin;		     /* a name in the build's plugin directory, or */
	const struct scuse_handler *handler; /* a handler of the test's own */
	const char *config;		     /* lines */
	const char *known_identity; /* of a raw LUN: what the kernel says that it is; NULL: nothing */
	int refusal;		    /* of START, a negative errno; 0: none */
	bool force_poll;
	int *kept; /* where scuse_dev_keep() has descriptors kept, -1: nothing is; NULL: nothing can be kept */
};

/* Small geometry, 512-byte blocks, one queue: to be changed by the test. */
struct rig_options rig_defaults(void);
/* NULL with *error (newly allocated). */
struct rig *rig_open(const struct rig_options *options, char **error);
/* The same, and the test fails if it does not succeed. */
struct rig *rig_new(const struct rig_options *options);
/* Stops the LUN, checks that no rule was broken. */
void rig_free(struct rig *rig);

/* Single commands on queue 0; the SCSI status. */
int rig_read(struct rig *rig, uint64_t lba, uint32_t blocks, void *data);
int rig_write(struct rig *rig, uint64_t lba, uint32_t blocks, const void *data, uint16_t flags);
int rig_flush(struct rig *rig);
int rig_write_same(struct rig *rig, uint64_t lba, uint32_t blocks, const void *block, uint16_t flags);
int rig_unmap(struct rig *rig, const struct scuse_range *ranges, uint32_t count);
/* At most `room` extents; how many, or -1 (and rig_sense() says why). */
int rig_extents(struct rig *rig, uint64_t lba, uint32_t blocks, struct scuse_extent *out, uint32_t room);
int rig_format(struct rig *rig);
int rig_sanitize(struct rig *rig, enum scuse_sanitize method, const void *pattern, uint32_t length);
/* With 8 bytes of protection information a block; WRITE SAME: of one block. */
int rig_read_protected(struct rig *rig, uint64_t lba, uint32_t blocks, void *data, void *protection);
int rig_write_protected(struct rig *rig, uint64_t lba, uint32_t blocks, const void *data,
			const void *protection);
int rig_write_same_protected(struct rig *rig, uint64_t lba, uint32_t blocks, const void *block,
			     const void *protection);
/* Sense key, ASC and ASCQ of the latest command of these, as 0xKKAAQQ; 0: it had none. */
uint32_t rig_sense(const struct rig *rig);

/*
 * Random reads, writes, unmaps... on all queues by `lanes` commands at a time, each verified against a
 * model.
 */
void rig_torture(struct rig *rig, unsigned int lanes, unsigned int commands);
/* The same, with all on the same few blocks: what is read is then anybody's guess, but nothing may break. */
void rig_collide(struct rig *rig, unsigned int lanes, unsigned int commands);

#endif /* TESTS_RIG_H */
