// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fuzz target: a cartridge file that the vtape handler did not write, and then commands on it
 * (handlers/vtape).  An input makes a file: a label, objects in a chain, with checks that are right, and then
 * bytes that are overwritten; what is left are commands with their data.
 *
 * Promises: a file is refused or the drive serves it; each command ends with GOOD or with sense data, and
 * returns no more than was asked for; closed and opened again, the cartridge is there as before.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bytes.h"
#include "criterion/criterion.h"
#include "format.h"
#include "fuzz.h"
#include "vtape_rig.h"

#define FILE_MOST   (4u << 20)
#define PARTITION   (256u << 10)
#define OBJECTS	    64
#define DAMAGES	    4
#define COMMANDS    48
#define LENGTH_MASK 0x7fffu

/* Of the rig's assertions. */
void plain_failed(bool fatal, const char *file, int line, const char *condition, const char *format, ...)
{
	(void)fatal;
	(void)format;
	fprintf(stderr, "%s:%d: %s\n", file, line, condition);
	abort();
}

/* ---- the file ---- */

static void put_label(uint8_t *bytes, struct fuzz_input *input, uint8_t shape)
{
	struct format_label label = {
		.sequence = 1 + (shape & 1),
		.flags = shape >> 1 & 3,
		.density = fuzz_u8(input),
		.partitions = 1 + (shape >> 3 & 1),
		.barcode = "FUZZ01L8",
		.serial = "00000000000000FF",
		.attributes_length = fuzz_u8(input),
	};

	for (unsigned int i = 0; i < label.partitions; i++) {
		uint64_t start = FORMAT_DATA_START + i * PARTITION;

		label.partition[i] = (struct format_partition){
			.start = start,
			.size = PARTITION,
			.seed = i,
			.flushed_offset = start + fuzz_u8(input) * 8u,
			.flushed_objects = fuzz_u8(input) & 0x0f,
		};
	}
	if (label.attributes_length == 0xff)
		label.attributes_length = FORMAT_ATTRIBUTES;
	fuzz_bytes(input, label.attributes, label.attributes_length);
	format_put_label(bytes + label.sequence % 2 * FORMAT_LABEL_SIZE, &label);
}

static size_t put_objects(uint8_t *bytes, struct fuzz_input *input)
{
	unsigned int count = fuzz_u8(input) % OBJECTS;
	size_t at = FORMAT_DATA_START;
	uint32_t chain = 0;

	for (unsigned int i = 0; i < count; i++) {
		uint16_t word = fuzz_u16(input);
		struct format_object object = {
			.kind = word & 0x8000 ? FORMAT_FILEMARK : FORMAT_RECORD,
			.length = word & 0x8000 ? 0 : 1 + (word & 0x7ff),
			.chain = chain,
			.number = i,
			.stamp = word,
		};
		uint8_t *data = bytes + at + FORMAT_HEADER;

		fuzz_bytes(input, data, object.length < 8 ? object.length : 8);
		object.data_check = format_crc(0, data, object.length);
		format_put_header(bytes + at, &object);
		format_put_trailer(bytes + at + format_size(object.length) - FORMAT_TRAILER, &object);
		chain = object.check;
		at += format_size(object.length);
	}
	return at;
}

/* Some bytes are others; of a header and of labels the check is made right again. */
static void damage(uint8_t *bytes, size_t size, struct fuzz_input *input)
{
	unsigned int count = fuzz_u8(input) % (DAMAGES + 1);

	while (count--) {
		uint8_t kind = fuzz_u8(input);
		size_t room = kind & 1 ? 2 * FORMAT_LABEL_SIZE : size - FORMAT_DATA_START;
		size_t at = (kind & 1 ? 0 : FORMAT_DATA_START) + fuzz_u16(input) % (room ? room : 1);
		size_t label = at / FORMAT_LABEL_SIZE * FORMAT_LABEL_SIZE;

		if (at + 8 > size)
			continue;
		fuzz_bytes(input, bytes + at, kind >> 1 & 7);
		if (kind & 1)
			bytes_put_le(bytes + label + FORMAT_LABEL_SIZE - 4, 4,
				     format_crc(0, bytes + label, FORMAT_LABEL_SIZE - 4));
		else if (kind & 0x10 && at + FORMAT_HEADER <= size)
			bytes_put_le(bytes + at + 36, 4, format_crc(0, bytes + at, FORMAT_HEADER - 4));
	}
}

static void write_file(const char *path, struct fuzz_input *input, uint8_t shape)
{
	size_t most = FORMAT_DATA_START + OBJECTS * format_size(0x800), size;
	uint8_t *bytes = calloc(1, most);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	fuzz_check(bytes && fd >= 0);
	put_label(bytes, input, shape);
	size = put_objects(bytes, input);
	damage(bytes, size, input);
	if (shape & 0x40)
		size -= fuzz_u16(input) % size;
	fuzz_check(write(fd, bytes, size) == (ssize_t)size);
	close(fd);
	free(bytes);
}

/* ---- commands ---- */

/* What the kernel half would take for the data phase, or any other length. */
static uint64_t length_of(const uint8_t *cdb, uint8_t kind, struct fuzz_input *input)
{
	if (kind & 0x80)
		return fuzz_u16(input) & LENGTH_MASK;
	if (cdb[0] == 0x08 || cdb[0] == 0x0a || cdb[0] == 0x13)
		return bytes_get(cdb + 2, 3) & LENGTH_MASK;
	if (cdb[0] < 0x20)
		return cdb[4];
	if (cdb[0] < 0x60)
		return bytes_get(cdb + 7, 2) & LENGTH_MASK;
	return bytes_get(cdb + 10, 4) & LENGTH_MASK;
}

static size_t cdb_length(uint8_t opcode)
{
	static const uint8_t lengths[8] = { 6, 10, 10, 16, 16, 12, 16, 16 };

	return lengths[opcode >> 5];
}

static void command(struct tape *tape, struct fuzz_input *input)
{
	uint8_t kind = fuzz_u8(input), cdb[16], *out;
	struct fuzz_input part;
	uint64_t length;

	fuzz_bytes(input, cdb, cdb_length(input->left ? *input->at : 0));
	tape->nexus = 1 + (kind & 1);
	length = length_of(cdb, kind, input);
	out = calloc(1, length ? length : 1);
	fuzz_check(out);
	if (kind & 2) {
		part = *input;
		fuzz_bytes(&part, out, length < kind ? length : kind);
		*input = part;
	}
	tape_command(tape, cdb, cdb_length(cdb[0]), kind & 2 ? out : NULL, length);
	free(out);
}

static void serve(const char *dir, struct fuzz_input *input)
{
	struct tape *tape = tape_try(dir, "max_record=64k");
	uint32_t partition;
	uint64_t object;

	if (!tape)
		return;
	for (int i = 0; i < COMMANDS && input->left; i++)
		command(tape, input);
	tape_close(tape);
	tape = tape_again(tape, "");
	tape_cdb(tape, 0, 0x00, 0, 0, 0, 0, 0);
	if (!tape_cdb(tape, 0, 0x00, 0, 0, 0, 0, 0)) {
		object = tape_position(tape, NULL, &partition);
		fuzz_check(!object && partition < FORMAT_PARTITIONS);
	}
	tape_free(tape);
}

/* Of a directory in memory, and of a file size that no command gets beyond. */
static const char *prepare(void)
{
	static char dir[64];
	struct rlimit limit = { FILE_MOST, FILE_MOST };

	snprintf(dir, sizeof(dir), "/dev/shm/scuse-fuzz-%d", getpid());
	fuzz_check(!setrlimit(RLIMIT_FSIZE, &limit));
	signal(SIGXFSZ, SIG_IGN);
	return dir;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *dir;
	struct fuzz_input input = { data, size };
	g_autofree char *path = NULL;
	uint8_t shape = fuzz_u8(&input);

	if (!dir)
		dir = prepare();
	g_mkdir_with_parents(dir, 0700);
	path = g_build_filename(dir, "tape", NULL);
	write_file(path, &input, shape);
	serve(dir, &input);
	unlink(path);
	rmdir(dir);
	return 0;
}
