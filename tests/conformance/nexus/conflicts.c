// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Runs the table of conflict_rows.c: each command that the LUN supports, through the holder of a reservation,
 * a registered nexus and one that is not registered, for each type of persistent reservation; and through
 * another nexus while one has reserved in SPC-2's way.
 *
 * A and B, on one portal, are the holder and the nexus that tries; commands of 32 bytes, which libiscsi
 * cannot send, are tried through L.  "Allowed" means: not RESERVATION CONFLICT; what else the command does is
 * other tests' affair.
 */
#include "conflicts.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cases.h"
#include "cdb.h"
#include "persistent.h"
#include "report.h"
#include "supported.h"

enum standing { HOLDER, REGISTERED, UNREGISTERED, STANDINGS };
static const char *const standing_names[STANDINGS] = { "holder", "registered", "unregistered" };

/* ---- which rows ---- */

static bool is_for(const struct conflict_row *row, const struct supported *command)
{
	return row->opcode == command->opcode && row->service_action == command->service_action;
}

/* A backstore that does not list its commands is tried with all rows. */
static bool has_command(const struct conflict_row *row)
{
	return !supported_count || is_supported(row->opcode, row->service_action);
}

/* Every command has a row, or this table would be silent about it. */
static void coverage_run(struct stage *stage)
{
	int error = supported_read(&stage->nexus[A]);

	check_begin("conflicts/every-command-has-a-row");
	check_want(!error && supported_count, "REPORT SUPPORTED OPERATION CODES");
	for (size_t i = 0; i < supported_count; i++) {
		size_t row = 0;

		while (row < conflict_rows_count && !is_for(&conflict_rows[row], &supported[i]))
			row++;
		check_want(row < conflict_rows_count, "opcode %02xh, service action %d", supported[i].opcode,
			   supported[i].service_action);
	}
	check_end();
}

/* ---- what is wanted ---- */

static bool pr_out_is_conflict(int action, uint8_t type, enum standing standing)
{
	if (standing == HOLDER)
		return action == PR_OUT_REGISTER_AND_MOVE && pr_is_all_registrants(type);
	switch (action) {
	case PR_OUT_REGISTER:
	case PR_OUT_REGISTER_AND_IGNORE:
		return false;
	case PR_OUT_RELEASE:
	case PR_OUT_CLEAR:
	case PR_OUT_PREEMPT:
	case PR_OUT_PREEMPT_AND_ABORT:
		return standing == UNREGISTERED;
	case PR_OUT_RESERVE:
		/* Where all registrants are holders, it is a holder that reserves again. */
		return !(standing == REGISTERED && pr_is_all_registrants(type));
	default:
		return true;
	}
}

static bool is_conflict(const struct conflict_row *row, uint8_t type, enum standing standing)
{
	bool may = standing == HOLDER || (standing == REGISTERED && pr_is_for_registrants(type));

	switch (row->access) {
	case ACCESS_ALWAYS:
		return false;
	case ACCESS_READING:
		return !may && !pr_is_write_exclusive(type);
	case ACCESS_WRITING:
	case ACCESS_RESERVE:
		return !may;
	default:
		return pr_out_is_conflict(row->service_action, type, standing);
	}
}

/* ---- trying ---- */

static struct command row_command(const struct conflict_row *row)
{
	static uint8_t in[1024], out[2 * BLOCK_SIZE];
	struct command command = { .cdb_len = row->cdb_len, .in_room = row->in, .out_len = row->out };

	memcpy(command.cdb, row->cdb, sizeof(command.cdb));
	memset(out, 0, sizeof(out));
	if (row->parameters)
		memcpy(out, row->parameters, row->parameters_len);
	command.in = row->in ? in : NULL;
	command.out = row->out ? out : NULL;
	return command;
}

/* PERSISTENT RESERVE OUT needs keys that fit who sends it; C is registered to be preempted. */
static void try_pr_out(struct nexus *nexus, const struct conflict_row *row, uint8_t type,
		       enum standing standing, uint64_t own_key, struct command *command)
{
	uint64_t key = standing == UNREGISTERED ? 0 : own_key, action_key = own_key;

	if (row->service_action == PR_OUT_PREEMPT || row->service_action == PR_OUT_PREEMPT_AND_ABORT)
		action_key = PR_KEY(C);
	pr_out(nexus, (uint8_t)row->service_action, type, key, action_key, 0);
	*command = pr_last;
}

struct scene {
	uint8_t type;
	enum standing standing;
	struct nexus *holder, *tries;
	uint64_t key; /* of `tries` */
};

static const char *set_scene(struct stage *stage, const struct scene *scene)
{
	struct nexus *holder = scene->standing == HOLDER ? scene->tries : scene->holder;
	uint64_t holder_key = scene->standing == HOLDER ? scene->key : PR_KEY(A);

	pr_clear_all(stage);
	if (pr_register(&stage->nexus[C], PR_KEY(C)) != STATUS_GOOD)
		return "REGISTER of C";
	if (pr_register(holder, holder_key) != STATUS_GOOD)
		return "REGISTER of the holder";
	if (scene->standing == REGISTERED && pr_register(scene->tries, scene->key) != STATUS_GOOD)
		return "REGISTER of the other";
	if (pr_reserve(holder, scene->type, holder_key) != STATUS_GOOD)
		return "RESERVE";
	stage_drain(stage);
	return NULL;
}

/* What a command leaves behind that would disturb the next one. */
static void tidy(struct stage *stage, const struct conflict_row *row, struct scene *scene)
{
	struct command start = { .cdb = { 0x1b, 0, 0, 0, 1 }, .cdb_len = 6 },
		       allow = { .cdb = { 0x1e }, .cdb_len = 6 };

	if (row->opcode == 0x1b && !(row->cdb[4] & 1))
		nexus_run(scene->tries, &start);
	if (row->opcode == 0x1e && row->cdb[4])
		nexus_run(scene->tries, &allow);
	if (row->access == ACCESS_PR_OUT)
		set_scene(stage, scene);
	else
		nexus_drain(scene->tries);
}

static struct command try(struct stage *stage, const struct conflict_row *row, struct scene *scene)
{
	struct command command = row_command(row);

	if (row->access == ACCESS_PR_OUT)
		try_pr_out(scene->tries, row, scene->type, scene->standing, scene->key, &command);
	else
		nexus_run(scene->tries, &command);
	tidy(stage, row, scene);
	return command;
}

/* Of a backstore that does not list its commands: it has refused one that it may not have at all. */
static bool says_nothing(const struct command *command)
{
	return !supported_count && command->status == STATUS_CHECK_CONDITION &&
	       command->sense.key == KEY_ILLEGAL_REQUEST;
}

/* A row's name with hyphens for blanks, as in the expectations file. */
static const char *row_name(const struct conflict_row *row)
{
	static char name[80];
	size_t len = 0;

	for (const char *from = row->name; *from && len + 1 < sizeof(name); from++)
		if (isalnum((unsigned char)*from) || strchr("()=", *from))
			name[len++] = *from;
		else if (len && name[len - 1] != '-' && *from != ',')
			name[len++] = '-';
	name[len] = '\0';
	return name;
}

/*
 * One cell.  Only those that deviate, or are expected to, get a line of their own; the others are counted.
 */
static int cell_run(struct stage *stage, const struct conflict_row *row, struct scene *scene,
		    const char *failed)
{
	bool wanted = is_conflict(row, scene->type, scene->standing), passed;
	struct command command;
	char name[160];

	snprintf(name, sizeof(name), "conflicts/%s/%s/type-%u", row_name(row),
		 standing_names[scene->standing], scene->type);
	if (failed) {
		report(false, name, "%s failed", failed);
		return 0;
	}
	command = try(stage, row, scene);
	if (says_nothing(&command))
		return 0;
	passed = (command.status == STATUS_RESERVATION_CONFLICT) == wanted && command.status != STATUS_LOST;
	if (passed && !report_expected(name))
		return 1;
	report(passed, name, "wanted %s, seen %s", wanted ? "a conflict" : "no conflict",
	       command_answer(&command));
	return 0;
}

static bool is_skipped(const struct conflict_row *row, enum standing standing)
{
	if (!has_command(row))
		return true;
	/* Core looks at the parameter list before the reservation; transfer.c has lists that are right. */
	if (row->access == ACCESS_PR_OUT && row->service_action == PR_OUT_REGISTER_AND_MOVE &&
	    standing != UNREGISTERED)
		return true;
	return row->once && standing == HOLDER;
}

/* All rows for one type and standing; returns how many cells were as wanted, without a line of their own. */
static int scene_run(struct stage *stage, uint8_t type, enum standing standing, bool local)
{
	struct scene scene = {
		.type = type,
		.standing = standing,
		.holder = &stage->nexus[A],
		.tries = &stage->nexus[local ? L : B],
		.key = PR_KEY(local ? L : B),
	};
	const char *failed = set_scene(stage, &scene);
	int passed = 0;

	for (size_t i = 0; i < conflict_rows_count; i++)
		if ((conflict_rows[i].cdb_len > 16) == local && !is_skipped(&conflict_rows[i], standing))
			passed += cell_run(stage, &conflict_rows[i], &scene, failed);
	return passed;
}

static void persistent_conflicts_run(struct stage *stage)
{
	int passed;

	for (size_t i = 0; i < PR_TYPES; i++) {
		for (enum standing standing = HOLDER; standing < STANDINGS; standing++) {
			passed = scene_run(stage, pr_types[i], standing, false);
			passed += scene_run(stage, pr_types[i], standing, true);
			check_begin("conflicts/type-%u/%s", pr_types[i], standing_names[standing]);
			check_want(passed > 0, "no command did what it should");
			report_note("%d commands did what they should", passed);
			check_end();
		}
	}
	pr_clear_all(stage);
}

static int reserve_cell_run(struct stage *stage, const struct conflict_row *row)
{
	struct nexus *tries = &stage->nexus[row->cdb_len > 16 ? L : B];
	struct command command = row_command(row);
	bool passed;
	char name[160];

	snprintf(name, sizeof(name), "conflicts/%s/spc-2", row_name(row));
	nexus_run(tries, &command);
	nexus_drain(tries);
	if (says_nothing(&command))
		return 0;
	passed = (command.status != STATUS_RESERVATION_CONFLICT) == row->allowed_by_reserve;
	if (passed && !report_expected(name))
		return 1;
	report(passed, name, "wanted %s, seen %s", row->allowed_by_reserve ? "no conflict" : "a conflict",
	       command_answer(&command));
	return 0;
}

static void reserve_conflicts_run(struct stage *stage)
{
	struct nexus *holder = &stage->nexus[A];
	struct command reserve = cdb_reserve(OP_RESERVE_6), release = cdb_reserve(OP_RELEASE_6);
	int passed = 0;

	stage_drain(stage);
	nexus_run(holder, &reserve);
	for (size_t i = 0; i < conflict_rows_count; i++)
		if (has_command(&conflict_rows[i]))
			passed += reserve_cell_run(stage, &conflict_rows[i]);
	check_begin("conflicts/spc-2");
	check_want(reserve.status == STATUS_GOOD, "RESERVE: %s", command_answer(&reserve));
	check_want(passed > 0, "no command did what it should");
	check_want(nexus_run(holder, &release) == STATUS_GOOD, "RELEASE: %s", command_answer(&release));
	check_end();
	stage_drain(stage);
}

void conflicts_run(struct stage *stage)
{
	coverage_run(stage);
	reserve_conflicts_run(stage);
	persistent_conflicts_run(stage);
}
