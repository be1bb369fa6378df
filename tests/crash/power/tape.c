// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A tape that is written until the power fails, and what is on it afterwards.
 *
 *	tape write DEVICE SINK SEED	from the beginning of the tape on, without end
 *	tape check DEVICE LOG		compares the tape with what the sink has got
 *
 * What the tape holds follows from the seed: object after object, records of many lengths and filemarks.  Each
 * WRITE FILEMARKS is without IMMED, so that all up to it is durable when it succeeds; then a line "SEED OBJECTS" goes to
 * the sink, which must have kept it when write(2) returns.
 *
 * Afterwards the tape must have at least as many objects as the last line says, each of them right, and those behind
 * must be right as well up to the end of data: no record of an earlier recording.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "scsi.h"

#define LONGEST 32768u

struct object {
	uint32_t length; /* bytes; 0: a filemark */
	uint64_t state;	 /* that its bytes come from */
};

static uint8_t buffer[LONGEST] __attribute__((aligned(4096)));
static uint8_t wanted[LONGEST];

static uint64_t mix(uint64_t value)
{
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9ull;
	value = (value ^ value >> 27) * 0x94d049bb133111ebull;
	return value ^ value >> 31;
}

static struct object object_at(uint64_t seed, uint64_t number)
{
	struct object object = { .state = mix(mix(seed) + number) };

	if (object.state % 5)
		object.length = 1 + (uint32_t)(object.state >> 8) % LONGEST;
	return object;
}

static void fill(uint8_t *at, const struct object *object)
{
	uint64_t state = object->state | 1;

	for (uint32_t i = 0; i < object->length; i++) {
		if (i % 8 == 0) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
		}
		at[i] = (uint8_t)(state >> i % 8 * 8);
	}
}

static void rewind_tape(int device)
{
	uint8_t ready[6] = { 0x00 }, cdb[6] = { 0x01 };

	while (scsi_try(device, ready, sizeof(ready), SG_DXFER_NONE, NULL, 0).status)
		usleep(10000);
	scsi(device, cdb, sizeof(cdb), SG_DXFER_NONE, NULL, 0);
}

static void write_object(int device, const struct object *object)
{
	uint8_t record[6] = { 0x0a }, filemark[6] = { 0x10, 0, 0, 0, 1 };

	put_be(record + 2, object->length, 3);
	fill(buffer, object);
	if (object->length)
		scsi(device, record, sizeof(record), SG_DXFER_TO_DEV, buffer, object->length);
	else
		scsi(device, filemark, sizeof(filemark), SG_DXFER_NONE, NULL, 0);
}

/* Ends with the guest. */
static _Noreturn void do_write(int device, const char *sink, uint64_t seed)
{
	int fd = open(sink, O_WRONLY | O_CLOEXEC);
	char line[64];

	if (fd < 0)
		fail(sink, strerror(errno));
	rewind_tape(device);
	for (uint64_t number = 0;; number++) {
		struct object object = object_at(seed, number);
		int length;

		write_object(device, &object);
		if (object.length)
			continue;
		length = snprintf(line, sizeof(line), "%" PRIu64 " %" PRIu64 "\n", seed, number + 1);
		if (write(fd, line, (size_t)length) != length)
			fail(sink, strerror(errno));
	}
}

/* The last whole line. */
static void read_log(const char *path, uint64_t *seed, uint64_t *objects)
{
	FILE *file = fopen(path, "re");
	char line[64];

	if (!file)
		fail(path, strerror(errno));
	while (fgets(line, sizeof(line), file) && strchr(line, '\n'))
		if (sscanf(line, "%" SCNu64 " %" SCNu64, seed, objects) != 2)
			fail(path, "has a line that is none");
	fclose(file);
	if (!*objects)
		fail(path, "nothing was acknowledged, so nothing can be checked");
}

enum found { AS_WANTED, END_OF_DATA, ANOTHER };

/* READ (6) with SILI: a record that is shorter than the buffer is none of its errors. */
static enum found read_object(int device, const struct object *object)
{
	uint8_t cdb[6] = { 0x08, 0x02 };
	struct outcome outcome;

	put_be(cdb + 2, sizeof(buffer), 3);
	outcome = scsi_try(device, cdb, sizeof(cdb), SG_DXFER_FROM_DEV, buffer, sizeof(buffer));
	if (outcome.status && (outcome.sense[2] & SENSE_KEY) == BLANK_CHECK)
		return END_OF_DATA;
	if (outcome.status)
		return outcome.sense[2] & SENSE_FILEMARK && !object->length ? AS_WANTED : ANOTHER;
	fill(wanted, object);
	return sizeof(buffer) - outcome.residual == object->length && !memcmp(buffer, wanted, object->length) ?
		       AS_WANTED :
		       ANOTHER;
}

static int do_check(int device, const char *log)
{
	uint64_t seed = 0, durable = 0, number = 0;
	enum found found;

	read_log(log, &seed, &durable);
	rewind_tape(device);
	do {
		struct object object = object_at(seed, number++);

		found = read_object(device, &object);
	} while (found == AS_WANTED);
	number--;
	printf("%" PRIu64 " objects were durable; the tape has %" PRIu64 ", and then %s\n", durable, number,
	       found == END_OF_DATA ? "the end of data" : "something else");
	return number < durable || found != END_OF_DATA;
}

int main(int argc, char **argv)
{
	int device = argc > 3 ? open(argv[2], O_RDWR | O_CLOEXEC) : -1;

	if (argc > 3 && device < 0)
		fail(argv[2], strerror(errno));
	if (argc == 5 && strcmp(argv[1], "write") == 0)
		do_write(device, argv[3], strtoull(argv[4], NULL, 10));
	if (argc == 4 && strcmp(argv[1], "check") == 0)
		return do_check(device, argv[3]);
	fprintf(stderr, "usage: tape write DEVICE SINK SEED | tape check DEVICE LOG\n");
	return 2;
}
