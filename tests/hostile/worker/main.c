// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hostile-worker: a worker that breaks every rule, session after session, while an initiator uses its LUN.
 *
 *	hostile-worker [--seed N] [--seconds S] [--sessions N] [--only TRICK] NODE SG BLOCKS
 *	hostile-worker --honest NODE
 *
 * The second form serves a LUN as one should until it is killed.  (READs are answered with whatever is in the slots.)
 * NODE is the LUN's /dev/scuseN, which nobody else serves, SG its generic SCSI node, BLOCKS its length.  Each session
 * is a process (worker.h), forked from this one, with a seed of its own made of the seed and its number.  After each the
 * node must open again within OPEN_LIMIT, whatever the session has done; in the end an honest session must serve reads.
 * What the kernel says of all that is for the caller to judge.  Prints "ok - ..." and "not ok - ..." lines; exit
 * status 1 if one of them is "not ok".
 */
#include "worker.h"

#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define OPEN_LIMIT    60 /* seconds until a node that was closed opens again */
#define SESSION_LIMIT 20 /* seconds until a session that got stuck is ended */
#define FINDING	      3	 /* exit status of a session */
#define NO_SESSION    4
#define READ_LIMIT    60 /* seconds */

static const struct {
	const char *name;
	void (*run)(struct session *session);
	uint32_t weight;
} tricks[] = {
	{ "honest", trick_honest, 4 }, { "spoil", trick_spoil, 6 },   { "garbage", trick_garbage, 6 },
	{ "ioctls", trick_ioctls, 4 }, { "close", trick_close, 4 },   { "memory", trick_memory, 6 },
	{ "fork", trick_fork, 2 },     { "pinned", trick_pinned, 2 }, { "descriptors", trick_descriptors, 4 },
	{ "exec", trick_exec, 2 },     { "ptrace", trick_ptrace, 2 },
};
#define TRICKS (sizeof(tricks) / sizeof(tricks[0]))

/* How sessions ended, for the summary. */
struct tally {
	uint32_t sessions, ended, killed, crashed, stuck, findings, shut_out;
	uint32_t of[TRICKS];
};

struct options {
	uint64_t seed;
	uint32_t seconds, sessions;
	const char *only, *node, *sg;
	uint32_t blocks;
	int honest;
};

void sleep_ms(uint32_t milliseconds)
{
	struct timespec time = { .tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L };

	nanosleep(&time, NULL);
}

void finding(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("not ok - ");
	vprintf(format, args);
	printf("\n");
	fflush(stdout);
	va_end(args);
	_exit(FINDING);
}

static uint32_t choose_trick(const struct options *options, uint64_t seed)
{
	struct random random = { .state = seed };
	uint32_t total = 0, at;

	for (uint32_t i = 0; i < TRICKS; i++) {
		if (options->only && !strcmp(tricks[i].name, options->only))
			return i;
		total += tricks[i].weight;
	}
	at = random_below(&random, total);
	for (uint32_t i = 0; i < TRICKS; i++) {
		if (at < tricks[i].weight)
			return i;
		at -= tricks[i].weight;
	}
	return 0;
}

static void session_process(const struct options *options, uint32_t trick, uint64_t seed)
{
	struct session session;
	int error = session_open(&session, options->node, seed, OPEN_LIMIT);

	if (error == EBUSY) {
		printf("not ok - the node stays busy for %d s (session seed %#llx, %s)\n", OPEN_LIMIT,
		       (unsigned long long)seed, tricks[trick].name);
		fflush(stdout);
		_exit(NO_SESSION);
	}
	if (!error)
		tricks[trick].run(&session);
	_exit(0);
}

/* Waits for a session's process; ends it when it got stuck. */
static int wait_for(pid_t pid, uint32_t seconds)
{
	int status = -1;

	for (uint32_t i = 0; i < seconds * 200; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return status;
		sleep_ms(5);
	}
	kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return -2;
}

static void count_session(struct tally *tally, int status)
{
	tally->sessions++;
	if (status == -2)
		tally->stuck++;
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		tally->killed++;
	else if (WIFSIGNALED(status))
		tally->crashed++;
	else if (WEXITSTATUS(status) == FINDING)
		tally->findings++;
	else if (WEXITSTATUS(status) == NO_SESSION)
		tally->shut_out++;
	else
		tally->ended++;
}

static int run_session(const struct options *options, uint64_t seed, struct tally *tally)
{
	uint32_t trick = choose_trick(options, seed);
	pid_t pid;

	pid = fork();
	if (pid < 0)
		return errno;
	if (pid == 0) {
		setpgid(0, 0); /* what it leaves behind is found by this */
		session_process(options, trick, seed);
	}
	count_session(tally, wait_for(pid, SESSION_LIMIT + OPEN_LIMIT));
	tally->of[trick]++;
	/* A child of the session's is not ours: it may go on, but not for ever. */
	if (tally->sessions % 16 == 0)
		while (waitpid(-1, NULL, WNOHANG) > 0) {
		}
	return 0;
}

static void serve_honestly(const struct options *options)
{
	struct session session;
	int error = session_open(&session, options->node, options->seed, OPEN_LIMIT);

	if (!error)
		error = session_start(&session);
	if (error)
		finding("an honest worker cannot start: %s", strerror(error));
	serve_for_ever(&session);
}

/* An honest session, and reads that must succeed. */
static void check_reads(const struct options *options, struct tally *tally)
{
	int status, failed = 0;
	pid_t pid = fork();

	if (pid == 0)
		serve_honestly(options);
	sleep_ms(1000);
	for (int i = 0; i < 20; i++)
		failed += initiator_read(options->sg, READ_LIMIT) != 0;
	if (pid < 0 || waitpid(pid, &status, WNOHANG) == pid)
		tally->findings++;
	else if (failed)
		printf("not ok - an honest worker serves: %d of 20 reads failed\n", failed);
	else
		printf("ok - an honest worker serves\n");
	tally->findings += failed != 0;
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

static void run_sessions(const struct options *options, struct tally *tally)
{
	struct timespec now;
	time_t end;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec + options->seconds;
	for (uint32_t i = 0; !options->sessions || i < options->sessions; i++) {
		uint64_t seed = options->seed ^ (i + 1) * 0xbf58476d1ce4e5b9ULL;

		clock_gettime(CLOCK_MONOTONIC, &now);
		if ((options->seconds && now.tv_sec >= end) || run_session(options, seed, tally))
			break;
		/* Nothing more can be learnt from a node that does not open. */
		if (tally->shut_out)
			break;
	}
}

static void summarise(const struct tally *tally, const struct initiator *initiator)
{
	printf("# %u sessions: %u ended, %u were killed, %u crashed, %u were stuck;", tally->sessions,
	       tally->ended, tally->killed, tally->crashed, tally->stuck);
	for (uint32_t i = 0; i < TRICKS; i++)
		printf(" %s %u", tricks[i].name, tally->of[i]);
	printf("\n# the initiator: %llu commands were good, %llu were not\n",
	       (unsigned long long)atomic_load(&initiator->good),
	       (unsigned long long)atomic_load(&initiator->failed));
	printf("%s - the node opened for each session\n", tally->shut_out ? "not ok" : "ok");
	printf("%s - no session did what none can\n", tally->findings ? "not ok" : "ok");
	printf("%s - no session was beyond killing\n", tally->stuck ? "not ok" : "ok");
	printf("%s - the kernel killed some\n", tally->killed ? "ok" : "not ok");
}

static int parse(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {
		{ "seed", required_argument, NULL, 's' },     { "seconds", required_argument, NULL, 't' },
		{ "sessions", required_argument, NULL, 'n' }, { "only", required_argument, NULL, 'o' },
		{ "honest", no_argument, NULL, 'h' },	      { NULL, 0, NULL, 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (option) {
		case 's':
			options->seed = strtoull(optarg, NULL, 0);
			break;
		case 't':
			options->seconds = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 'n':
			options->sessions = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 'o':
			options->only = optarg;
			break;
		case 'h':
			options->honest = 1;
			break;
		default:
			return -1;
		}
	}
	if (options->honest && argc - optind == 1) {
		options->node = argv[optind];
		return 0;
	}
	if (argc - optind != 3 || !(options->seconds || options->sessions))
		return -1;
	options->node = argv[optind];
	options->sg = argv[optind + 1];
	options->blocks = (uint32_t)strtoul(argv[optind + 2], NULL, 0);
	return options->blocks > 1024 ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct options options = { .seed = 0 };
	struct tally tally = { 0 };
	pthread_t initiator_id;

	getrandom(&options.seed, sizeof(options.seed), 0);
	if (parse(argc, argv, &options)) {
		fprintf(stderr, "usage: hostile-worker [--seed N] [--seconds S] [--sessions N] [--only "
				"TRICK] NODE SG BLOCKS\n");
		return 2;
	}
	if (options.honest)
		serve_honestly(&options);
	printf("# --seed %#llx\n", (unsigned long long)options.seed);
	fflush(stdout);
	prctl(PR_SET_CHILD_SUBREAPER, 1);

	struct initiator initiator = { .node = options.sg, .seed = ~options.seed, .blocks = options.blocks };

	pthread_create(&initiator_id, NULL, initiator_run, &initiator);
	run_sessions(&options, &tally);
	atomic_store(&initiator.stop, 1);
	if (!tally.shut_out)
		check_reads(&options, &tally);
	pthread_join(initiator_id, NULL);
	summarise(&tally, &initiator);
	return tally.findings || tally.shut_out || tally.stuck || !tally.killed;
}
