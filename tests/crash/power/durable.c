// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Writes that a device has acknowledged as durable, and whether they are there after a power cut.
 *
 *	durable write DEVICE SINK ROUND SEED	writes without end, from THREADS threads
 *	durable check DEVICE LOG		compares the device with what the sink has got
 *
 * Half of the threads write with FUA.  The others write without, several times, then SYNCHRONIZE CACHE.  When the
 * command that makes a write durable has succeeded, a line goes to the sink, which must have kept it when write(2)
 * returns; only then does the thread go on.  Each thread has a part of the device of its own, so what it writes
 * to a block comes in order.
 *
 * A block says its LBA and the number of the write, and the rest of it follows from both.  So each block of the
 * device must be one that was written there, whole, by a write that is as new as the latest one in the log, or newer.
 * Blocks without a line in the log may also have never been written.
 *
 * The sink is shared by the threads, one line a write(2), under a lock.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <unistd.h>

#include "scsi.h"

#define THREADS	       6u
#define BLOCK	       512u
#define MOST_BLOCKS    64u /* of one write */
#define MOST_WRITES    6u  /* before a SYNCHRONIZE CACHE */
#define MAGIC	       0x6465737563736471ull
#define FUA	       0x08
#define MOST_COMPLAINTS 20u

struct block {
	uint64_t magic, lba, number, rest[BLOCK / 8 - 3];
};

struct written {
	uint64_t lba, number;
	uint32_t blocks;
};

/* The latest durable write of a block; number 0: none. */
struct latest {
	uint64_t number;
	bool fua;
};

struct thread {
	pthread_t thread;
	int device, sink;
	bool fua;
	uint64_t first, blocks; /* its part of the device */
	uint64_t number;	/* of its latest write */
	unsigned int seed;
	struct block *buffer;
};

static pthread_mutex_t sink_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- blocks ---- */

static void fill(struct block *block, uint64_t lba, uint64_t number)
{
	uint64_t state = (lba << 32 ^ number) * 0x9e3779b97f4a7c15ull | 1;

	*block = (struct block){ .magic = MAGIC, .lba = lba, .number = number };
	for (size_t i = 0; i < sizeof(block->rest) / sizeof(*block->rest); i++) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		block->rest[i] = state;
	}
}

static bool is_empty(const struct block *block)
{
	static const struct block empty;

	return memcmp(block, &empty, sizeof(empty)) == 0;
}

static bool is_whole(const struct block *block, uint64_t lba)
{
	struct block wanted;

	fill(&wanted, lba, block->number);
	return memcmp(block, &wanted, sizeof(wanted)) == 0;
}

/* ---- SCSI ---- */

/* WRITE (16), READ (16): SBC-3 5.34, 5.13 */
static void transfer(int device, uint8_t opcode, uint8_t flags, uint64_t lba, uint32_t blocks, void *data)
{
	uint8_t cdb[16] = { opcode, flags };

	put_be(cdb + 2, lba, 8);
	put_be(cdb + 10, blocks, 4);
	scsi(device, cdb, sizeof(cdb), opcode == 0x8a ? SG_DXFER_TO_DEV : SG_DXFER_FROM_DEV, data, blocks * BLOCK);
}

static void synchronize_cache(int device)
{
	uint8_t cdb[16] = { 0x91 }; /* the whole device, and not IMMED */

	scsi(device, cdb, sizeof(cdb), SG_DXFER_NONE, NULL, 0);
}

/* READ CAPACITY (16) */
static uint64_t capacity(int device)
{
	uint8_t cdb[16] = { 0x9e, 0x10 }, data[32] = { 0 };
	uint64_t last = 0;

	put_be(cdb + 10, sizeof(data), 4);
	scsi(device, cdb, sizeof(cdb), SG_DXFER_FROM_DEV, data, sizeof(data));
	for (int i = 0; i < 8; i++)
		last = last << 8 | data[i];
	if (data[8] || data[9] || data[10] != BLOCK >> 8 || data[11])
		fail("the device", "its blocks do not have 512 bytes");
	return last + 1;
}

/* ---- writing ---- */

static struct written write_some(struct thread *thread, uint8_t flags)
{
	struct written written = { .blocks = 1 + (uint32_t)rand_r(&thread->seed) % MOST_BLOCKS,
				   .number = ++thread->number };

	written.lba = thread->first + (uint64_t)rand_r(&thread->seed) % (thread->blocks - written.blocks + 1);
	for (uint32_t i = 0; i < written.blocks; i++)
		fill(thread->buffer + i, written.lba + i, written.number);
	transfer(thread->device, 0x8a, flags, written.lba, written.blocks, thread->buffer);
	return written;
}

static void tell(struct thread *thread, const struct written *written, unsigned int count)
{
	char lines[MOST_WRITES * 64];
	int length = 0;

	for (unsigned int i = 0; i < count; i++)
		length += snprintf(lines + length, sizeof(lines) - (size_t)length,
				   "%" PRIu64 " %" PRIu32 " %" PRIu64 " %s\n", written[i].lba, written[i].blocks,
				   written[i].number, thread->fua ? "fua" : "sync");
	pthread_mutex_lock(&sink_lock);
	if (write(thread->sink, lines, (size_t)length) != length)
		fail("the sink", strerror(errno));
	pthread_mutex_unlock(&sink_lock);
}

static void *write_on(void *context)
{
	struct thread *thread = context;
	struct written written[MOST_WRITES];

	for (;;) {
		unsigned int count = thread->fua ? 1 : 1 + (unsigned int)rand_r(&thread->seed) % MOST_WRITES;

		for (unsigned int i = 0; i < count; i++)
			written[i] = write_some(thread, thread->fua ? FUA : 0);
		if (!thread->fua)
			synchronize_cache(thread->device);
		tell(thread, written, count);
	}
	return NULL;
}

static int do_write(int device, const char *sink, uint64_t round, unsigned int seed)
{
	struct thread threads[THREADS];
	uint64_t part = capacity(device) / THREADS;
	int fd = open(sink, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		fail(sink, strerror(errno));
	for (unsigned int i = 0; i < THREADS; i++) {
		threads[i] = (struct thread){ .device = device,
					      .sink = fd,
					      .fua = i % 2 == 0,
					      .first = i * part,
					      .blocks = part,
					      .number = round << 32,
					      .seed = seed * THREADS + i };
		if (posix_memalign((void **)&threads[i].buffer, 4096, MOST_BLOCKS * BLOCK) ||
		    pthread_create(&threads[i].thread, NULL, write_on, &threads[i]))
			fail("a thread", "no memory");
	}
	for (unsigned int i = 0; i < THREADS; i++)
		pthread_join(threads[i].thread, NULL);
	return 0;
}

/* ---- checking ---- */

static bool parse_line(const char *line, uint64_t blocks, struct written *written, bool *fua)
{
	char kind[8];

	if (sscanf(line, "%" SCNu64 " %" SCNu32 " %" SCNu64 " %7s", &written->lba, &written->blocks, &written->number,
		   kind) != 4)
		return false;
	*fua = strcmp(kind, "fua") == 0;
	return written->lba <= blocks && written->blocks <= blocks - written->lba;
}

/* By block.  A line that the cut has shortened was not acknowledged. */
static struct latest *read_log(const char *path, uint64_t blocks, unsigned long *lines)
{
	struct latest *latest = calloc(blocks, sizeof(*latest));
	FILE *file = fopen(path, "re");
	struct written written;
	char line[128];
	bool fua;

	if (!latest || !file)
		fail(path, strerror(errno));
	while (fgets(line, sizeof(line), file) && strchr(line, '\n')) {
		if (!parse_line(line, blocks, &written, &fua))
			fail(path, "has a line that is none");
		for (uint64_t lba = written.lba; lba < written.lba + written.blocks; lba++)
			if (latest[lba].number < written.number)
				latest[lba] = (struct latest){ written.number, fua };
		++*lines;
	}
	fclose(file);
	return latest;
}

static bool check_block(const struct block *block, uint64_t lba, const struct latest *latest, bool complain)
{
	bool empty = is_empty(block), whole = !empty && is_whole(block, lba);

	if (whole ? block->number >= latest->number : empty && !latest->number)
		return true;
	if (!complain)
		return false;
	printf("block %" PRIu64 " has ", lba);
	if (whole)
		printf("write %" PRIx64, block->number);
	else
		printf("%s", empty ? "never been written" : "something that was never written there");
	printf(", but write %" PRIx64 " was durable by %s\n", latest->number, latest->fua ? "FUA" : "SYNCHRONIZE CACHE");
	return false;
}

static int do_check(int device, const char *log)
{
	static struct block buffer[MOST_BLOCKS] __attribute__((aligned(4096)));
	uint64_t blocks = capacity(device), durable = 0, newer = 0;
	unsigned int wrong[2] = { 0 }; /* durable by SYNCHRONIZE CACHE, by FUA */
	unsigned long lines = 0;
	struct latest *latest = read_log(log, blocks, &lines);

	for (uint64_t lba = 0; lba < blocks; lba += MOST_BLOCKS) {
		uint32_t count = blocks - lba < MOST_BLOCKS ? (uint32_t)(blocks - lba) : MOST_BLOCKS;

		transfer(device, 0x88, 0, lba, count, buffer);
		for (uint32_t i = 0; i < count; i++) {
			const struct latest *one = &latest[lba + i];

			durable += one->number != 0;
			newer += buffer[i].number > one->number;
			if (!check_block(buffer + i, lba + i, one, wrong[0] + wrong[1] < MOST_COMPLAINTS))
				wrong[one->fua]++;
		}
	}
	free(latest);
	printf("%lu durable writes, to %" PRIu64 " blocks, of which %" PRIu64 " have a later one; "
	       "lost or wrong after FUA: %u, after SYNCHRONIZE CACHE: %u\n",
	       lines, durable, newer, wrong[1], wrong[0]);
	if (!lines)
		fail(log, "nothing was acknowledged, so nothing was checked");
	return wrong[0] + wrong[1] ? 1 : 0;
}

int main(int argc, char **argv)
{
	bool writes = argc == 6 && strcmp(argv[1], "write") == 0;
	int device;

	if (!writes && (argc != 4 || strcmp(argv[1], "check") != 0)) {
		fprintf(stderr, "usage: durable write DEVICE SINK ROUND SEED | durable check DEVICE LOG\n");
		return 2;
	}
	device = open(argv[2], O_RDWR | O_CLOEXEC);
	if (device < 0)
		fail(argv[2], strerror(errno));
	if (!writes)
		return do_check(device, argv[3]);
	return do_write(device, argv[3], strtoull(argv[4], NULL, 10), (unsigned int)strtoul(argv[5], NULL, 10));
}
