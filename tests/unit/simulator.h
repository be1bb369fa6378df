/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The kernel, played in userspace: rings in memory, ENTER and poll() by eventfds, and initiators that
 * submit commands and judge the completions by the rules of scuse/abi.h, as kmod does.  Everything above
 * struct worker_device_ops is the worker's real code, so that sanitizers and valgrind see the whole data
 * path without a kernel module.
 *
 * A simulator has one worker.  Initiator functions may be called on any thread.
 */
#ifndef TESTS_SIMULATOR_H
#define TESTS_SIMULATOR_H

#include <stdbool.h>

#include "worker/dev.h"

struct sim;

struct sim_options {
	uint32_t queues, depth; /* depth: a power of two */
	uint32_t slot_size;	/* bytes: the largest transfer */
	uint32_t block_size;
	uint64_t device_size; /* bytes; 0: the handler says */
	uint32_t device_type;
	uint32_t pi_type; /* not 0: slots have room for protection information too */
	bool raw;	  /* a raw LUN; no size and no blocks */
	bool minor_0;	  /* a kernel that knows nothing of minor 1 */
	bool minor_1;	  /* a kernel that knows nothing of raw LUNs */
	bool lazy_kick;	  /* NEED_KICK stays clear: initiators look for completions by themselves */
};

struct sim *sim_new(const struct sim_options *options);
void sim_free(struct sim *sim);
/* For dev_new(). */
extern const struct worker_device_ops sim_device_ops;

/* What START and the latest UPDATE said. */
const struct scuse_start *sim_started(const struct sim *sim);
/* The list of commands that came with it: nr_commands entries. */
const struct scuse_command *sim_commands(const struct sim *sim);
/* From now on START is refused with this, a negative errno. */
void sim_refuse_start(struct sim *sim, int error);
/*
 * Takes the oldest NOTIFY that was not yet taken, waiting for it if there is none; false: none comes within
 * `milliseconds`.
 */
bool sim_next_notify(struct sim *sim, int milliseconds, struct scuse_notify *notify);
/* The first rule that the worker broke; NULL: none. */
const char *sim_violation(const struct sim *sim);
uint64_t sim_enters(const struct sim *sim);
/* The session ends, as on rmdir. */
void sim_remove(struct sim *sim);

/* ---- initiators ---- */

struct sim_command {
	/* filled by the caller */
	uint8_t op;
	uint16_t flags;
	uint64_t lba;
	uint32_t blocks;
	uint32_t data_len;
	const void *data_out;	    /* copied into the slot on submission */
	void *data_in;		    /* filled on completion, the rest with zeros */
	const void *protection_out; /* 8 bytes a block (of one block: WRITE SAME) */
	void *protection_in;	    /* likewise */
	const uint8_t *cdb;
	uint32_t cdb_len;
	/* filled by the simulator */
	uint8_t status;
	uint8_t sense[SCUSE_SENSE_MAX];
	uint16_t sense_len;
	uint32_t returned; /* data_len of the completion */
	uint64_t tag;
	uint32_t queue, pi_offset;
	bool done;
};

/* Waits for a free tag if there is none. */
void sim_submit(struct sim *sim, uint32_t queue, struct sim_command *command);
/* False: no completion within a minute. */
bool sim_wait(struct sim *sim, struct sim_command *command);
/* Both, on queue 0; the status. */
int sim_execute(struct sim *sim, struct sim_command *command);
/* Advisory entries. */
void sim_cancel(struct sim *sim, const struct sim_command *command);
void sim_reset(struct sim *sim);

#endif /* TESTS_SIMULATOR_H */
