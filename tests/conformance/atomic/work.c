// SPDX-License-Identifier: LGPL-2.1-or-later
/* The work of one nexus (work.h). */
#include "work.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define WRITE_SAME_16	  0x93
#define WRITE_16	  0x8a
#define READ_16		  0x88
#define COMPARE_AND_WRITE 0x89
#define ORWRITE_16	  0x8b
#define WRITE_ATOMIC_16	  0x9c
#define KEY_MISCOMPARE	  0xe
#define ASC_MISCOMPARE	  0x1d00

/* A counter; it stands at the start and at the end of its blocks, and is zero in between. */
struct cell {
	uint64_t epoch;
	uint64_t count;
};

double work_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* A CDB of 16 bytes with an LBA in bytes 2 to 9; again as often as the LUN is busy. */
static int send(struct transport *transport, uint8_t code, uint64_t lba, uint32_t blocks,
		enum direction direction, void *data, uint32_t len, struct command *answer)
{
	uint8_t cdb[16] = { code };
	int status;

	put_number(&cdb[2], 8, lba);
	if (code == COMPARE_AND_WRITE)
		cdb[13] = (uint8_t)blocks;
	else if (code == WRITE_ATOMIC_16)
		put_number(&cdb[12], 2, blocks);
	else
		put_number(&cdb[10], 4, blocks);
	do
		status = transport_send(transport, cdb, sizeof(cdb), direction, data, len, answer);
	while (status == STATUS_BUSY || status == STATUS_TASK_SET_FULL);
	return status;
}

static bool read_blocks(struct transport *transport, uint64_t lba, uint32_t blocks, void *data)
{
	struct command answer;

	return send(transport, READ_16, lba, blocks, DIRECTION_IN, data, blocks * BLOCK, &answer) ==
	       STATUS_GOOD;
}

static bool write_blocks(struct transport *transport, uint64_t lba, uint32_t blocks, void *data)
{
	struct command answer;

	return send(transport, WRITE_16, lba, blocks, DIRECTION_OUT, data, blocks * BLOCK, &answer) ==
	       STATUS_GOOD;
}

static void fail(struct worker *worker, const char *what)
{
	if (!worker->failure[0])
		snprintf(worker->failure, sizeof(worker->failure), "nexus %u: %s", worker->index, what);
}

static void cell_put(uint8_t *blocks, const struct cell *cell)
{
	memset(blocks, 0, (size_t)CELL_BLOCKS * BLOCK);
	memcpy(blocks, cell, sizeof(*cell));
	memcpy(blocks + (size_t)CELL_BLOCKS * BLOCK - sizeof(*cell), cell, sizeof(*cell));
}

/* Reads a counter; the two copies of it can differ only while somebody writes it in pieces. */
static bool cell_get(struct transport *transport, uint64_t lba, uint8_t *blocks, struct cell *cell)
{
	if (!read_blocks(transport, lba, CELL_BLOCKS, blocks))
		return false;
	memcpy(cell, blocks, sizeof(*cell));
	return true;
}

static void increment(struct worker *worker, uint64_t lba, uint64_t *successes)
{
	uint8_t data[2 * CELL_BLOCKS * BLOCK];
	struct command answer;
	struct cell cell;
	int status;

	if (!cell_get(worker->transport, lba, data, &cell)) {
		fail(worker, "READ of a counter failed");
		return;
	}
	cell.count++;
	cell_put(data + CELL_BLOCKS * BLOCK, &cell);
	status = send(worker->transport, COMPARE_AND_WRITE, lba, CELL_BLOCKS, DIRECTION_OUT, data,
		      sizeof(data), &answer);
	if (status == STATUS_GOOD)
		(*successes)++;
	else if (command_failed_with(&answer, KEY_MISCOMPARE, ASC_MISCOMPARE))
		worker->lost_races++;
	else
		fail(worker, "COMPARE AND WRITE failed otherwise than with a miscompare");
}

/* A new epoch, by a plain write; then it must be there, whatever the others have done to its count. */
static void begin_epoch(struct worker *worker)
{
	uint8_t blocks[CELL_BLOCKS * BLOCK];
	struct cell cell = { .epoch = ++worker->epochs };
	struct command answer;
	bool written;

	cell_put(blocks, &cell);
	if (worker->epochs % 2) {
		written = write_blocks(worker->transport, EPOCH_LBA, CELL_BLOCKS, blocks);
	} else {
		/* Of the first block, which has the cell that counts, all four get a copy. */
		written = send(worker->transport, WRITE_SAME_16, EPOCH_LBA, CELL_BLOCKS, DIRECTION_OUT,
			       blocks, BLOCK, &answer) == STATUS_GOOD;
	}
	if (!written || !cell_get(worker->transport, EPOCH_LBA, blocks, &cell)) {
		fail(worker, "WRITE, WRITE SAME or READ of an epoch failed");
		return;
	}
	if (cell.epoch != worker->epochs)
		fail(worker, "an update was carried out on data that had been overwritten");
}

static void set_bit(struct worker *worker)
{
	uint8_t blocks[BITS_BLOCKS * BLOCK] = { 0 };
	uint64_t bit = worker->bits * worker->workers + worker->index;
	struct command answer;

	if (bit >= BITS)
		return;
	blocks[bit / 8] = (uint8_t)(1u << bit % 8);
	if (send(worker->transport, ORWRITE_16, BITS_LBA, BITS_BLOCKS, DIRECTION_OUT, blocks, sizeof(blocks),
		 &answer))
		fail(worker, "ORWRITE failed");
	worker->bits++;
}

static void write_number(struct worker *worker)
{
	uint64_t numbers[NUMBER_BLOCKS * BLOCK / sizeof(uint64_t)];
	size_t count = sizeof(numbers) / sizeof(numbers[0]);
	uint64_t number = ++worker->numbers * worker->workers + worker->index;
	struct command answer;

	for (size_t i = 0; i < count; i++)
		numbers[i] = number;
	if (send(worker->transport, WRITE_ATOMIC_16, NUMBER_LBA, NUMBER_BLOCKS, DIRECTION_OUT, numbers,
		 sizeof(numbers), &answer))
		fail(worker, "WRITE ATOMIC failed");
	if (!read_blocks(worker->transport, NUMBER_LBA, NUMBER_BLOCKS, numbers))
		fail(worker, "READ of numbers failed");
	for (size_t i = 1; i < count; i++) {
		if (numbers[i] != numbers[0])
			fail(worker, "a READ found parts of two atomic writes");
	}
}

void *work(void *arg)
{
	struct worker *worker = arg;
	uint64_t successes = 0;

	while (work_now() < worker->end && !worker->failure[0]) {
		increment(worker, COUNTER_LBA, &worker->increments);
		increment(worker, EPOCH_LBA, &successes);
		if (!worker->index)
			begin_epoch(worker);
		set_bit(worker);
		if (worker->write_atomic)
			write_number(worker);
	}
	return NULL;
}

bool work_prepare(struct transport *transport, bool *write_atomic)
{
	uint8_t blocks[NUMBER_BLOCKS * BLOCK] = { 0 };
	struct command answer;

	if (!write_blocks(transport, 0, NUMBER_BLOCKS, blocks) ||
	    !write_blocks(transport, NUMBER_LBA, NUMBER_BLOCKS, blocks))
		return false;
	*write_atomic = !send(transport, WRITE_ATOMIC_16, NUMBER_LBA, NUMBER_BLOCKS, DIRECTION_OUT, blocks,
			      sizeof(blocks), &answer);
	return true;
}

bool work_counter(struct transport *transport, uint64_t *value)
{
	uint8_t blocks[CELL_BLOCKS * BLOCK];
	struct cell cell;

	if (!cell_get(transport, COUNTER_LBA, blocks, &cell))
		return false;
	*value = cell.count;
	return true;
}

bool work_lost_bits(struct transport *transport, const struct worker *workers, unsigned count, uint64_t *lost)
{
	uint8_t blocks[BITS_BLOCKS * BLOCK];

	if (!read_blocks(transport, BITS_LBA, BITS_BLOCKS, blocks))
		return false;
	*lost = 0;
	for (unsigned i = 0; i < count; i++) {
		for (uint64_t n = 0; n < workers[i].bits; n++) {
			uint64_t bit = n * count + i;

			*lost += bit < BITS && !(blocks[bit / 8] & 1u << bit % 8);
		}
	}
	return true;
}
