// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * atomic-check SECONDS TARGET...: commands that must be atomic, from several I_T nexuses at once.
 *
 * Each TARGET, an iSCSI URL or a local node, is a nexus of its own to the same LUN, and has a thread.  Prints
 * a line a check, as the tests do; the exit status is 0 if all hold.  What the LUN holds is lost.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "work.h"

#define WORKERS_MAX 16

static int failures;

static void check(bool good, const char *what)
{
	printf("%s - %s\n", good ? "ok" : "not ok", what);
	failures += !good;
}

static struct transport *target_open(const char *target, unsigned index)
{
	char initiator[64];

	if (strncmp(target, "iscsi:", 6))
		return sg_open(target);
	snprintf(initiator, sizeof(initiator), "iqn.2026-01.org.scuse:atomic%u", index);
	return iscsi_open(target, initiator);
}

static void run(struct worker *workers, unsigned count)
{
	pthread_t threads[WORKERS_MAX];
	unsigned started = 0;

	while (started < count && !pthread_create(&threads[started], NULL, work, &workers[started]))
		started++;
	check(started == count, "a thread for each nexus");
	while (started)
		pthread_join(threads[--started], NULL);
}

static void judge(struct worker *workers, unsigned count)
{
	struct transport *transport = workers[0].transport;
	uint64_t increments = 0, races = 0, bits = 0, counter = 0, lost = 0;
	bool failed = false;

	for (unsigned i = 0; i < count; i++) {
		increments += workers[i].increments;
		races += workers[i].lost_races;
		bits += workers[i].bits;
		failed = failed || workers[i].failure[0];
		if (workers[i].failure[0])
			printf("# %s\n", workers[i].failure);
	}
	check(!failed, "no command failed, no overwritten data came back, no atomic write was seen in part");
	check(work_counter(transport, &counter) && counter == increments,
	      "COMPARE AND WRITE: the counter has all increments and no more");
	check(races > 0, "COMPARE AND WRITE: the nexuses have met");
	check(work_lost_bits(transport, workers, count, &lost) && !lost, "ORWRITE: no bit is lost");
	printf("# counter %" PRIu64 ", increments %" PRIu64 ", lost races %" PRIu64 ", bits %" PRIu64
	       " (%" PRIu64 " lost), epochs %" PRIu64 ", numbers %" PRIu64 "\n",
	       counter, increments, races, bits, lost, workers[0].epochs, workers[0].numbers);
}

int main(int argc, char **argv)
{
	static struct worker workers[WORKERS_MAX];
	unsigned count = argc > 2 ? (unsigned)argc - 2 : 0;
	bool write_atomic = false;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!count || count > WORKERS_MAX) {
		fprintf(stderr, "usage: %s SECONDS TARGET... (at most %d)\n", argv[0], WORKERS_MAX);
		return 2;
	}
	for (unsigned i = 0; i < count; i++) {
		workers[i] = (struct worker){ .index = i, .workers = count };
		workers[i].transport = target_open(argv[i + 2], i);
		if (!workers[i].transport)
			return 2;
	}
	if (!work_prepare(workers[0].transport, &write_atomic)) {
		fprintf(stderr, "%s: cannot be written\n", argv[2]);
		return 2;
	}
	printf("# WRITE ATOMIC (16) %s\n", write_atomic ? "is there" : "is not offered");
	for (unsigned i = 0; i < count; i++) {
		workers[i].write_atomic = write_atomic;
		workers[i].end = work_now() + atof(argv[1]);
	}
	run(workers, count);
	judge(workers, count);
	for (unsigned i = 0; i < count; i++)
		workers[i].transport->close(workers[i].transport);
	return failures ? 1 : 0;
}
