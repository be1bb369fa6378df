// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Task management (SAM-5 7, RFC 7143 11.5, 11.6): what each function answers, what becomes of the commands
 * that it ends, who is told.  Commands are kept in flight by the test handler, which lets go of them early
 * when it is told to cancel them; without that handler only the answers are checked.
 */
#include <stdio.h>
#include <time.h>

#include "cases.h"
#include "cdb.h"
#include "persistent.h"
#include "report.h"

#define CONTROL_PAGE 0x0a
#define TAS	     0x40	     /* byte 5 */
#define SLOW	     "delay 20000\n" /* milliseconds that a slow read takes */
#define FAST	     "delay 0\n"
#define PROMPT	     10000 /* milliseconds: well before a slow read would end by itself */
#define SILENCE	     700   /* milliseconds in which an answer would have come */

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Functions by their bits in REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS (SPC-4 6.36), byte 0. */
static const struct {
	const char *name;
	uint8_t bit;
	enum task_management function;
} functions[] = {
	{ "abort-task-set", 0x40, TMF_ABORT_TASK_SET },
	{ "clear-task-set", 0x10, TMF_CLEAR_TASK_SET },
	{ "logical-unit-reset", 0x08, TMF_LOGICAL_UNIT_RESET },
	{ "target-reset", 0x02, TMF_TARGET_WARM_RESET },
};

static int supported_functions(struct nexus *nexus)
{
	uint8_t list[16] = { 0 };
	struct command command = cdb_maintenance_in(0x0d, list, sizeof(list));

	return nexus_run(nexus, &command) == STATUS_GOOD && command.in_len >= 4 ? list[0] : -1;
}

/* What is reported is what is done. */
static void answers_run(struct stage *stage)
{
	int reported = supported_functions(&stage->nexus[A]), response;

	check_begin("management/abort-task-and-reset-are-reported");
	check_want(reported >= 0 && (reported & 0x88) == 0x88, "byte 0 is %02xh", (unsigned int)reported);
	check_end();
	for (size_t i = 0; reported >= 0 && i < sizeof(functions) / sizeof(functions[0]); i++) {
		response = nexus_manage(&stage->nexus[A], functions[i].function, NULL);
		check_begin("management/%s/answers-as-reported", functions[i].name);
		if (reported & functions[i].bit)
			check_want(response == TMF_COMPLETE, "reported, and the response is %d", response);
		else
			check_want(response == TMF_NOT_SUPPORTED || response == TMF_REJECTED,
				   "not reported, and the response is %d", response);
		check_end();
		stage_drain(stage);
	}
}

static void want_ready(struct nexus *nexus, const char *when)
{
	struct command command = cdb_test_unit_ready();

	nexus_run(nexus, &command);
	check_want(command.status == STATUS_GOOD, "%s: %s: %s", nexus->name, when, command_answer(&command));
}

static void want_attention(struct nexus *nexus, asc_t asc, const char *when)
{
	struct command command = cdb_test_unit_ready();

	nexus_run(nexus, &command);
	check_want(command_is_attention(&command, asc), "%s: %s: wanted 6/%02x/%02x: %s", nexus->name, when,
		   asc >> 8, asc & 0xff, command_answer(&command));
}

/*
 * A read that stays in flight.  A connection delivers commands in order (RFC 7143 4.2.2.1), so with the
 * answer to the second one the read has reached the logical unit, and what other nexuses do from now on finds
 * it there.
 */
static void slow_start(struct stage *stage, enum place place, struct command *command, void *block)
{
	*command = cdb_read(stage->blocks - 1 - (uint32_t)place, block);
	nexus_start(&stage->nexus[place], command);
	want_ready(&stage->nexus[place], "behind a slow read");
}

static void want_silence(struct command *command)
{
	check_want(!nexus_finish(command, SILENCE), "%s: an answer to an aborted command: %s",
		   command->nexus->name, command_answer(command));
	nexus_forget(command);
}

/* With TAS=1, who did not ask for it is told by status; else nothing comes. */
static void want_ended(struct command *command, bool tas)
{
	if (!tas) {
		want_silence(command);
		return;
	}
	check_want(nexus_finish(command, PROMPT) && command->status == STATUS_TASK_ABORTED, "%s: TAS=1: %s",
		   command->nexus->name, command_answer(command));
	nexus_forget(command);
}

/* A response says that the commands concerned do nothing any more, and comes before they would have ended. */
static void manage_promptly(struct nexus *nexus, enum task_management function, struct command *referenced)
{
	int64_t begin = now(), took;
	int response = nexus_manage(nexus, function, referenced);

	took = now() - begin;
	check_want(response == TMF_COMPLETE, "response %d", response);
	check_want(took < PROMPT, "it took %d ms", (int)took);
}

static void abort_run(struct stage *stage)
{
	struct nexus *a = &stage->nexus[A], *b = &stage->nexus[B];
	struct command aborted, other;
	uint8_t blocks[2][BLOCK_SIZE];

	check_begin("management/abort-task/in-flight");
	slow_start(stage, A, &aborted, blocks[0]);
	slow_start(stage, B, &other, blocks[1]);
	want_ready(a, "meanwhile");
	manage_promptly(a, TMF_ABORT_TASK, &aborted);
	want_silence(&aborted);
	check_want(other.status == STATUS_IN_FLIGHT, "the other nexus's: %s", command_answer(&other));
	want_ready(a, "afterwards");
	want_ready(b, "afterwards");
	check_end();
	check_begin("management/abort-task/of-the-other");
	manage_promptly(b, TMF_ABORT_TASK, &other);
	want_silence(&other);
	check_end();
}

static void abort_unknown_run(struct stage *stage)
{
	int response = nexus_manage(&stage->nexus[A], TMF_ABORT_TASK, NULL);

	check_begin("management/abort-task/nothing-to-abort");
	check_want(response == TMF_COMPLETE || response == TMF_NO_SUCH_TASK, "response %d", response);
	want_ready(&stage->nexus[A], "afterwards");
	check_end();
}

/* The commands of one nexus that others must not disturb: abort tasks of several in a row. */
static void abort_many_run(struct stage *stage)
{
	struct command reads[8];
	uint8_t block[BLOCK_SIZE];

	check_begin("management/abort-task/eight-in-a-row");
	for (int i = 0; i < 8; i++)
		slow_start(stage, A, &reads[i], block);
	for (int i = 7; i >= 0; i--)
		manage_promptly(&stage->nexus[A], TMF_ABORT_TASK, &reads[i]);
	for (int i = 0; i < 8; i++)
		want_silence(&reads[i]);
	want_ready(&stage->nexus[A], "afterwards");
	check_end();
}

static bool set_tas(struct stage *stage, bool tas)
{
	int status = stage_set_mode(&stage->nexus[A], CONTROL_PAGE, 5, TAS, tas ? TAS : 0);

	stage_drain(stage);
	return check_want(status == STATUS_GOOD, "MODE SELECT of TAS: status %d", status);
}

/* Ends the commands of A and B (and of C); everybody is told 29h/03h. */
static void reset_run(struct stage *stage, bool tas)
{
	struct command reads[3];
	uint8_t blocks[3][BLOCK_SIZE];

	check_begin("management/logical-unit-reset/tas-%d", tas);
	if (set_tas(stage, tas)) {
		for (enum place place = A; place <= C; place++)
			slow_start(stage, place, &reads[place], blocks[place]);
		manage_promptly(&stage->nexus[A], TMF_LOGICAL_UNIT_RESET, NULL);
		want_silence(&reads[A]);
		want_ended(&reads[B], tas);
		want_ended(&reads[C], tas);
		for (enum place place = A; place < PLACES; place++)
			want_attention(&stage->nexus[place], 0x2903, "after the reset");
	}
	check_end();
	stage_drain(stage);
}

/*
 * TAS=0 only: this thread waits in the ioctl, and could not acknowledge the status of B's command (RFC 7143
 * 4.2.2.2).
 */
static void local_reset_run(struct stage *stage)
{
	struct command read;
	uint8_t block[BLOCK_SIZE];

	check_begin("management/logical-unit-reset/local-causer");
	if (set_tas(stage, false)) {
		slow_start(stage, B, &read, block);
		manage_promptly(&stage->nexus[L], TMF_LOGICAL_UNIT_RESET, NULL);
		want_silence(&read);
		for (enum place place = A; place < PLACES; place++)
			want_attention(&stage->nexus[place], 0x2903, "after the reset");
	}
	check_end();
	stage_drain(stage);
}

/* ABORT TASK SET ends one nexus's commands and tells nobody; CLEAR TASK SET all, and tells the others 2Fh/00h. */
static void task_set_run(struct stage *stage, enum task_management function, bool tas)
{
	bool clears = function == TMF_CLEAR_TASK_SET;
	struct nexus *b = &stage->nexus[B];
	struct command own, other;
	uint8_t blocks[2][BLOCK_SIZE];

	check_begin("management/%s/tas-%d", clears ? "clear-task-set" : "abort-task-set", tas);
	if (set_tas(stage, tas)) {
		slow_start(stage, A, &own, blocks[0]);
		slow_start(stage, B, &other, blocks[1]);
		manage_promptly(&stage->nexus[A], function, NULL);
		want_silence(&own);
		if (clears)
			want_ended(&other, tas);
		else
			check_want(other.status == STATUS_IN_FLIGHT, "the other nexus's: %s",
				   command_answer(&other));
		want_ready(&stage->nexus[A], "afterwards");
		if (clears && !tas)
			want_attention(b, 0x2f00, "its command was cleared");
		else
			want_ready(b, "afterwards");
		if (!clears)
			manage_promptly(b, TMF_ABORT_TASK, &other);
		nexus_forget(&other);
	}
	check_end();
	stage_drain(stage);
}

static void task_sets_run(struct stage *stage)
{
	int reported = supported_functions(&stage->nexus[A]);

	for (size_t i = 0; reported > 0 && i < 2; i++) {
		if (!(reported & functions[i].bit))
			continue;
		task_set_run(stage, functions[i].function, false);
		task_set_run(stage, functions[i].function, true);
	}
}

/* Both are told, in either order: they are of the same precedence (SAM-5). */
static void want_preempted(struct nexus *nexus, bool cleared)
{
	struct command first = cdb_test_unit_ready(), second = first;

	if (!cleared) {
		want_attention(nexus, 0x2a05, "preempted");
		want_ready(nexus, "after 2a/05");
		return;
	}
	nexus_run(nexus, &first);
	nexus_run(nexus, &second);
	check_want((command_is_attention(&first, 0x2a05) && command_is_attention(&second, 0x2f00)) ||
			   (command_is_attention(&first, 0x2f00) && command_is_attention(&second, 0x2a05)),
		   "%s: wanted 6/2a/05 and 6/2f/00: %s, then %s", nexus->name, command_answer(&first),
		   command_answer(&second));
	want_ready(nexus, "after both");
}

/*
 * PREEMPT AND ABORT ends the commands of the nexuses whose registrations it removes (SPC-4 5.12.11.2.6);
 * without a status, a unit attention says so (SAM-5, commands that other I_T nexuses abort).
 */
static void preempt_and_abort_run(struct stage *stage, bool tas)
{
	struct nexus *a = &stage->nexus[A], *b = &stage->nexus[B];
	struct command preempted, spared = { .status = STATUS_LOST };
	uint8_t blocks[2][BLOCK_SIZE];
	int64_t begin;

	check_begin("management/preempt-and-abort/tas-%d", tas);
	if (set_tas(stage, tas) && check_want(pr_register_all(stage) == 0, "registering")) {
		check_want(pr_reserve(b, PR_EXCLUSIVE_ACCESS_REGISTRANTS, PR_KEY(B)) == STATUS_GOOD,
			   "RESERVE");
		slow_start(stage, B, &preempted, blocks[0]);
		slow_start(stage, C, &spared, blocks[1]);
		begin = now();
		pr_out(a, PR_OUT_PREEMPT_AND_ABORT, PR_EXCLUSIVE_ACCESS_REGISTRANTS, PR_KEY(A), PR_KEY(B), 0);
		check_want(pr_last.status == STATUS_GOOD, "PREEMPT AND ABORT: %s", command_answer(&pr_last));
		check_want(now() - begin < PROMPT, "it took %d ms", (int)(now() - begin));
		want_ended(&preempted, tas);
		want_preempted(b, !tas);
	}
	check_end();
	check_begin("management/preempt-and-abort/tas-%d/spares-other-registrants", tas);
	want_ready(&stage->nexus[C], "nothing to be told");
	check_want(spared.status == STATUS_IN_FLIGHT, "its command: %s", command_answer(&spared));
	nexus_manage(&stage->nexus[C], TMF_ABORT_TASK, &spared);
	nexus_forget(&spared);
	check_end();
	pr_clear_all(stage);
}

/* A nexus that ends takes its commands along, and nobody else is told. */
static void lost_run(struct stage *stage)
{
	struct nexus *c = &stage->nexus[C];
	struct command read;
	uint8_t block[BLOCK_SIZE];
	int64_t begin, took;

	check_begin("management/connection-loss/nobody-else-is-told");
	slow_start(stage, C, &read, block);
	nexus_forget(&read);
	nexus_drop(c);
	want_ready(&stage->nexus[A], "meanwhile");
	begin = now();
	check_want(nexus_open(c) == 0, "login");
	took = now() - begin;
	stage_drain(stage);
	want_ready(c, "afterwards");
	check_end();
	check_begin("management/connection-loss/ends-its-commands");
	check_want(took < PROMPT, "the login took %d ms", (int)took);
	check_end();
}

void management_run(struct stage *stage)
{
	stage_drain(stage);
	answers_run(stage);
	abort_unknown_run(stage);
	if (!stage->control)
		return;
	check_begin("management/the-handler-listens");
	check_want(stage_tell(stage, SLOW) == 0, "its pipe");
	check_end();
	abort_run(stage);
	abort_many_run(stage);
	reset_run(stage, false);
	reset_run(stage, true);
	local_reset_run(stage);
	task_sets_run(stage);
	preempt_and_abort_run(stage, false);
	preempt_and_abort_run(stage, true);
	lost_run(stage);
	stage_tell(stage, FAST);
	set_tas(stage, false);
}
