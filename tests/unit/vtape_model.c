// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Random sequences of commands on a vtape drive and on the simplest model of a tape there is: an array of
 * records and marks, along which one steps.  Every status, sense data, residual, position and byte must be
 * the model's.  $SCUSE_TEST_COMMANDS sets the number of commands.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "vtape_rig.h"

#define OBJECTS	      4096
#define PARTITIONS    2
#define BLOCK	      128 /* of fixed records */
#define LONGEST	      600
#define DEFAULT_STEPS 6000

#define GOOD	    0
#define MARK	    0x80
#define EOM	    0x40
#define ILI	    0x20
#define FILEMARK    0x000001
#define BEGINNING   0x000004
#define BLANK_CHECK 0x080005

struct object {
	uint32_t length; /* 0: a filemark */
	unsigned char seed;
};

struct model {
	struct object tape[PARTITIONS][OBJECTS];
	unsigned int end[PARTITIONS];
	unsigned int partition, at;
	unsigned int seed;

	/* What the latest command is to end with. */
	bool fails;
	uint32_t sense;
	uint8_t bits;
	int32_t residual;
};

static unsigned int pick(struct model *model, unsigned int below)
{
	model->seed = model->seed * 1103515245 + 12345;
	return (model->seed >> 8) % below;
}

static void fill(unsigned char *data, unsigned char seed, uint32_t length)
{
	for (uint32_t i = 0; i < length; i++)
		data[i] = (unsigned char)(seed + i * 13);
}

static struct object *here(struct model *model)
{
	return &model->tape[model->partition][model->at];
}

static bool at_end(const struct model *model)
{
	return model->at == model->end[model->partition];
}

static void ends(struct model *model, uint8_t bits, uint32_t sense, int32_t residual)
{
	model->fails = true;
	model->bits = bits;
	model->sense = sense;
	model->residual = residual;
}

static void append(struct model *model, uint32_t length, unsigned char seed)
{
	*here(model) = (struct object){ .length = length, .seed = seed };
	model->end[model->partition] = ++model->at;
}

/* ---- commands on both ---- */

static void compare(struct model *model, struct tape *tape, const char *what, unsigned int step)
{
	uint32_t partition;
	uint64_t file, marks = 0, object;

	cr_assert_eq(tape->status != GOOD, model->fails, "%s, step %u: status %u, sense %06x", what, step,
		     tape->status, tape->sense);
	if (model->fails) {
		cr_assert_eq(tape->sense, model->sense, "%s, step %u: sense %06x, not %06x", what, step,
			     tape->sense, model->sense);
		cr_assert_eq(tape->bits, model->bits, "%s, step %u: bits %02x", what, step, tape->bits);
		cr_assert_eq(tape->residual, model->residual, "%s, step %u: residual %d, not %d", what, step,
			     tape->residual, model->residual);
	}
	for (unsigned int i = 0; i < model->at; i++)
		marks += !model->tape[model->partition][i].length;
	object = tape_position(tape, &file, &partition);
	cr_assert(object == model->at && file == marks && partition == model->partition,
		  "%s, step %u: at %u in file %u", what, step, (unsigned int)object, (unsigned int)file);
}

static void write_variable(struct model *model, struct tape *tape)
{
	uint32_t length = 1 + pick(model, LONGEST);
	unsigned char data[LONGEST], seed = (unsigned char)pick(model, 256);

	fill(data, seed, length);
	tape_write(tape, data, length);
	append(model, length, seed);
}

static void write_fixed(struct model *model, struct tape *tape)
{
	uint32_t count = 1 + pick(model, 5);
	unsigned char data[5 * BLOCK];

	for (uint32_t i = 0; i < count; i++) {
		unsigned char seed = (unsigned char)pick(model, 256);

		fill(data + i * BLOCK, seed, BLOCK);
		append(model, BLOCK, seed);
	}
	tape_write_fixed(tape, data, count, BLOCK);
}

static void write_marks(struct model *model, struct tape *tape)
{
	uint32_t count = pick(model, 4);

	tape_marks(tape, count);
	for (uint32_t i = 0; i < count; i++)
		append(model, 0, 0);
}

static void check_data(const struct tape *tape, uint64_t offset, const struct object *object, uint32_t length)
{
	unsigned char wanted[LONGEST];

	fill(wanted, object->seed, length);
	cr_assert_eq(memcmp(tape->data + offset, wanted, length), 0, "wrong data");
}

/* Half of the time as many bytes as the record has. */
static void read_variable(struct model *model, struct tape *tape)
{
	const struct object *object = here(model);
	uint32_t length = 1 + pick(model, LONGEST);

	if (!at_end(model) && object->length && pick(model, 2))
		length = object->length;
	tape_read(tape, length);
	if (at_end(model)) {
		ends(model, 0, BLANK_CHECK, (int32_t)length);
		return;
	}
	model->at++;
	if (!object->length) {
		ends(model, MARK, FILEMARK, (int32_t)length);
		return;
	}
	if (object->length != length)
		ends(model, ILI, 0, (int32_t)length - (int32_t)object->length);
	cr_assert_eq(tape->data_in, MIN(length, object->length));
	check_data(tape, 0, object, MIN(length, object->length));
}

static void read_fixed(struct model *model, struct tape *tape)
{
	int32_t count = 1 + (int32_t)pick(model, 6), done = 0;

	tape_read_fixed(tape, (uint32_t)count, BLOCK);
	for (; done < count && !model->fails; done++) {
		const struct object *object = here(model);

		if (at_end(model)) {
			ends(model, 0, BLANK_CHECK, count - done);
			break;
		}
		model->at++;
		if (!object->length)
			ends(model, MARK, FILEMARK, count - done);
		else if (object->length != BLOCK)
			ends(model, ILI, 0, count - done);
		else
			check_data(tape, (uint64_t)done * BLOCK, object, BLOCK);
		if (model->fails)
			break;
	}
	cr_assert_eq(tape->data_in, (uint64_t)done * BLOCK);
}

static void space_records(struct model *model, struct tape *tape)
{
	int32_t count = (int32_t)pick(model, 40) - 20, left = abs(count);

	tape_space(tape, 0, count);
	for (; left; left--) {
		if (count > 0 && at_end(model)) {
			ends(model, 0, BLANK_CHECK, left);
			return;
		}
		if (count < 0 && !model->at) {
			ends(model, EOM, BEGINNING, left);
			return;
		}
		if (count < 0)
			model->at--;
		if (!here(model)->length)
			ends(model, MARK, FILEMARK, left);
		if (count > 0)
			model->at++;
		if (model->fails)
			return;
	}
}

static void space_marks(struct model *model, struct tape *tape)
{
	int32_t count = (int32_t)pick(model, 10) - 5, left = abs(count);

	tape_space(tape, 1, count);
	while (left) {
		if (count > 0 && at_end(model)) {
			ends(model, 0, BLANK_CHECK, left);
			return;
		}
		if (count < 0 && !model->at) {
			ends(model, EOM, BEGINNING, left);
			return;
		}
		if (count < 0)
			model->at--;
		left -= !here(model)->length;
		if (count > 0)
			model->at++;
	}
}

/* Runs of marks, stepping one by one. */
static void space_sequential(struct model *model, struct tape *tape)
{
	int32_t count = (int32_t)pick(model, 6) - 2, run = 0;

	tape_space(tape, 2, count);
	while (run < abs(count)) {
		if (count > 0 ? at_end(model) : !model->at) {
			ends(model, count > 0 ? 0 : EOM, count > 0 ? BLANK_CHECK : BEGINNING, abs(count));
			return;
		}
		if (count < 0)
			model->at--;
		run = here(model)->length ? 0 : run + 1;
		if (count > 0)
			model->at++;
	}
}

static void go(struct model *model, struct tape *tape)
{
	unsigned int end = model->end[model->partition];

	switch (pick(model, 4)) {
	case 0:
		tape_rewind(tape);
		model->at = 0;
		break;
	case 1:
		tape_space(tape, 3, 0);
		model->at = end;
		break;
	case 2:
		model->partition = pick(model, PARTITIONS);
		model->at = 0;
		tape_cdb(tape, 0, 0x92, 2, 0, (uint8_t)model->partition, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
		break;
	default:
		model->at = pick(model, end + 1);
		tape_locate(tape, model->at);
	}
}

static void erase(struct model *model, struct tape *tape)
{
	tape_cdb(tape, 0, 0x19, 1, 0, 0, 0, 0);
	model->end[model->partition] = model->at;
}

static void set_block(struct tape *tape)
{
	cr_assert_eq(tape_set_block(tape, BLOCK), GOOD);
}

/* A new drive, or only a new look at the medium. */
static struct tape *reload(struct model *model, struct tape *tape)
{
	if (pick(model, 2)) {
		tape_close(tape);
		tape = tape_again(tape, "");
		set_block(tape);
	} else {
		cr_assert_eq(tape_unload(tape), GOOD);
		cr_assert_eq(tape_load(tape), GOOD);
	}
	model->at = model->partition = 0;
	tape->status = GOOD;
	return tape;
}

static const struct {
	const char *name;
	unsigned int weight;
	void (*run)(struct model *model, struct tape *tape);
} commands[] = {
	{ "write", 20, write_variable },
	{ "write fixed", 10, write_fixed },
	{ "filemarks", 10, write_marks },
	{ "read", 25, read_variable },
	{ "read fixed", 15, read_fixed },
	{ "space records", 12, space_records },
	{ "space filemarks", 8, space_marks },
	{ "space sequential", 4, space_sequential },
	{ "go", 10, go },
	{ "erase", 1, erase },
};

static void run_step(struct model *model, struct tape *tape, unsigned int step)
{
	unsigned int choice, i = 0;

	/* Now and then the tape is left to grow. */
	if (model->end[model->partition] > OBJECTS - 16)
		erase(model, tape);
	for (choice = pick(model, 115); choice >= commands[i].weight; i++)
		choice -= commands[i].weight;
	model->fails = false;
	commands[i].run(model, tape);
	compare(model, tape, commands[i].name, step);
}

static void run_model(unsigned int seed)
{
	const char *given = getenv("SCUSE_TEST_COMMANDS");
	unsigned int steps = given ? (unsigned int)atoi(given) : DEFAULT_STEPS;
	struct model *model = g_new0(struct model, 1);
	struct tape *tape = tape_new("capacity=64M\npartitions=2");

	model->seed = seed;
	set_block(tape);
	for (unsigned int step = 0; step < steps; step++) {
		if (pick(model, 150) == 0)
			tape = reload(model, tape);
		/* Writing in the middle throws away what follows: mostly, write at the end. */
		if (pick(model, 6) == 0) {
			cr_assert_eq(tape_space(tape, 3, 0), GOOD);
			model->at = model->end[model->partition];
		}
		run_step(model, tape, step);
	}
	tape_free(tape);
	g_free(model);
}

Test(vtape_model, first)
{
	run_model(1);
}

Test(vtape_model, second)
{
	run_model(20000);
}

Test(vtape_model, third)
{
	run_model(300000000);
}
