// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * cdb-fuzz: sends a logical unit commands that no initiator in its right mind would, and judges the answers.
 *
 *	cdb-fuzz [--seed N] [--first N] [--count N] [--seconds N] [--initiator IQN] sweep|random URL|NODE
 *
 * sweep sends each command that must be refused (sweep.c); random sends random commands (generate.c) for
 * --seconds, or
 * --count of them.  Command number N of a seed is always the same, given the same LUN: --first N --count 1 sends one
 * that was reported again.  Prints lines of the Test Anything Protocol.  Exit status: 0, or 1 if something
 * was wrong.
 */
#include "catalogue.h"
#include "check.h"
#include "generate.h"
#include "recover.h"
#include "sweep.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define READY_EACH   64	 /* commands */
#define RECOVER_EACH 512 /* commands */
#define RESERVE_FOR  8	 /* commands: others, who share the LUN, get nothing done meanwhile */
#define WRONG_MAX    20	 /* a broken rule tends to be broken often */

struct options {
	uint64_t seed, first, count;
	int seconds;
	const char *initiator, *mode, *where;
};

struct tally {
	uint64_t commands, good, check, conflict, other, wrong;
	unsigned int reserved; /* commands since a reservation may have been made; 0: none was */
};

static void take_status(struct tally *tally, const struct command *command)
{
	tally->commands++;
	switch (command->status) {
	case STATUS_GOOD:
		tally->good++;
		break;
	case STATUS_CHECK_CONDITION:
		tally->check++;
		break;
	case STATUS_RESERVATION_CONFLICT:
		tally->conflict++;
		break;
	default:
		tally->other++;
	}
}

static void limit_reservation(struct tally *tally, const struct command *command, struct transport *transport)
{
	uint8_t opcode = command->cdb[0];

	if (tally->reserved ||
	    (command->status == STATUS_GOOD && (opcode == 0x16 || opcode == 0x56 || opcode == 0x5f)))
		tally->reserved++;
	if (tally->reserved > RESERVE_FOR) {
		recover_reservations(transport);
		tally->reserved = 0;
	}
}

static bool one_command(const struct options *options, uint64_t number, const struct catalogue *catalogue,
			struct transport *transport, uint8_t *data, struct tally *tally)
{
	struct random random = { .state = options->seed ^ number * 0xbf58476d1ce4e5b9ULL };
	struct command command = { .data = data };
	const char *wrong;

	generate_command(&random, catalogue, transport->cdb_max, &command);
	transport->run(transport, &command);
	take_status(tally, &command);
	wrong = check_answer(transport, &command, catalogue->block_size);
	if (wrong) {
		tally->wrong++;
		printf("# command %llu: %s\n", (unsigned long long)number, wrong);
		command_print(&command);
	}
	if (command.status >= 0)
		limit_reservation(tally, &command, transport);
	return command.status >= 0;
}

static bool run_random(const struct options *options, const struct catalogue *catalogue,
		       struct transport *transport)
{
	/* Aligned, so that SG_IO moves the data without a copy and what did not come stays as it was. */
	uint8_t *data = aligned_alloc(4096, DATA_MAX);
	uint64_t last = options->count ? options->first + options->count : UINT64_MAX;
	time_t end = options->count ? 0 : time(NULL) + options->seconds;
	struct tally tally = { 0 };
	bool alive = data;

	printf("# seed %llu\n", (unsigned long long)options->seed);
	for (uint64_t number = options->first; alive && number < last && tally.wrong < WRONG_MAX; number++) {
		if (end && time(NULL) >= end)
			break;
		alive = one_command(options, number, catalogue, transport, data, &tally);
		if (alive && (number + 1) % RECOVER_EACH == 0)
			alive = recover_all(transport);
		else if (alive && (number + 1) % READY_EACH == 0)
			alive = recover_ready(transport);
		fflush(stdout);
	}
	alive = alive && recover_all(transport);
	free(data);
	printf("# %llu commands: %llu GOOD, %llu CHECK CONDITION, %llu RESERVATION CONFLICT, %llu others\n",
	       (unsigned long long)tally.commands, (unsigned long long)tally.good,
	       (unsigned long long)tally.check, (unsigned long long)tally.conflict,
	       (unsigned long long)tally.other);
	printf("%s - random commands over %s: each answer is sound\n", tally.wrong ? "not ok" : "ok",
	       options->where);
	printf("%s - random commands over %s: the LUN serves on\n", alive ? "ok" : "not ok", options->where);
	/* A LUN that refuses all, or takes all, was not really tried. */
	printf("%s - random commands over %s: some are taken, some refused\n",
	       options->count || (tally.good && tally.check) ? "ok" : "not ok", options->where);
	return alive && !tally.wrong && (options->count || (tally.good && tally.check));
}

static int usage(void)
{
	fputs("usage: cdb-fuzz [--seed N] [--first N] [--count N] [--seconds N] [--initiator IQN] "
	      "sweep|random URL|NODE\n",
	      stderr);
	return 2;
}

static int read_options(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {
		{ "seed", required_argument, NULL, 's' },      { "first", required_argument, NULL, 'f' },
		{ "count", required_argument, NULL, 'c' },     { "seconds", required_argument, NULL, 't' },
		{ "initiator", required_argument, NULL, 'i' }, { 0 },
	};
	int name;

	if (getrandom(&options->seed, sizeof(options->seed), 0) < 0)
		return -1;
	while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (name) {
		case 's':
			options->seed = strtoull(optarg, NULL, 0);
			break;
		case 'f':
			options->first = strtoull(optarg, NULL, 0);
			break;
		case 'c':
			options->count = strtoull(optarg, NULL, 0);
			break;
		case 't':
			options->seconds = atoi(optarg);
			break;
		case 'i':
			options->initiator = optarg;
			break;
		default:
			return -1;
		}
	}
	if (argc - optind != 2)
		return -1;
	options->mode = argv[optind];
	options->where = argv[optind + 1];
	return 0;
}

int main(int argc, char **argv)
{
	struct options options = { .seconds = 60, .initiator = "iqn.2026-01.org.scuse:cdb-fuzz" };
	static struct catalogue catalogue;
	struct transport *transport;
	bool right = false;

	if (read_options(argc, argv, &options))
		return usage();
	transport = strncmp(options.where, "iscsi://", 8) == 0 ? iscsi_open(options.where, options.initiator)
							       : sg_open(options.where);
	if (!transport)
		return 1;
	if (catalogue_read(&catalogue, transport)) {
		right = false;
	} else if (strcmp(options.mode, "sweep") == 0) {
		right = sweep_reserved_bits(&catalogue, transport);
		right &= sweep_unlisted(&catalogue, transport);
	} else if (strcmp(options.mode, "random") == 0) {
		right = run_random(&options, &catalogue, transport);
	} else {
		usage();
	}
	transport->close(transport);
	return right ? 0 : 1;
}
