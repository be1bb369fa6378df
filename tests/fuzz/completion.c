// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: completion entries against kmod/{cqe,ring,tag}.h, in the order in which kmod/reap.c uses them.
 * An input is a worker that does as it likes with its half of a queue, and a kernel half that goes on
 * publishing.  The target keeps its own books: which command is with userspace, in which generation, and what
 * was asked.
 *
 * Promises: a command is completed at most once, only while userspace has it, with what the rules allow; a
 * quarantined tag is never completed nor taken; a breach ends the session and nothing else.
 */
#include "cqe.h"
#include "fuzz.h"
#include "ring.h"

#define DEPTH	8
#define ENTRIES 8
#define STEPS	400

struct book {
	bool with_user;
	bool quarantined;
	u32 generation;
	struct scuse_cqe_expect expect;
};

struct queue {
	struct scuse_tag_cell cells[DEPTH];
	struct book books[DEPTH];
	/* Userspace's. */
	struct scuse_cqe cqes[ENTRIES];
	u32 cq_tail;
	/* The kernel half's. */
	u32 cq_head;
};

/* What scuse_cqe_check() promises, in other words. */
static void check_accepted(const struct scuse_cqe *cqe, const struct scuse_cqe_expect *expect)
{
	bool in = expect->op == SCUSE_OP_READ || expect->op == SCUSE_OP_EXTENTS ||
		  (expect->op == SCUSE_OP_CDB && expect->data_in);

	fuzz_check(cqe->sense_len <= SCUSE_SENSE_MAX);
	fuzz_check((cqe->status == SCUSE_STATUS_CHECK_CONDITION) == (cqe->sense_len != 0));
	fuzz_check(cqe->data_len <= (in ? expect->data_len : 0));
	fuzz_check(cqe->kind == SCUSE_CQE_SLOT || (expect->op == SCUSE_OP_READ && !cqe->data_len));
	fuzz_check(!cqe->file && !cqe->flags && !cqe->offset);
}

static enum scuse_rule claim(struct queue *queue, const struct scuse_cqe *cqe)
{
	struct book *book;
	enum scuse_rule rule;
	u32 index;

	rule = scuse_cqe_index(cqe->tag, DEPTH, &index);
	if (rule)
		return rule;
	book = &queue->books[index];
	rule = scuse_cqe_identity(cqe->tag, scuse_tag_read(&queue->cells[index]));
	if (rule) {
		fuzz_check(!book->with_user || cqe->tag != SCUSE_TAG(book->generation, index));
		return rule;
	}
	fuzz_check(book->with_user && !book->quarantined);
	fuzz_check(cqe->tag == SCUSE_TAG(book->generation, index));
	rule = scuse_cqe_check(cqe, &book->expect);
	if (rule)
		return rule;
	check_accepted(cqe, &book->expect);
	fuzz_check(scuse_tag_move(&queue->cells[index], SCUSE_TAG_GENERATION(cqe->tag), SCUSE_TAG_USER,
				  SCUSE_TAG_KERNEL));
	book->with_user = false;
	return SCUSE_RULE_NONE;
}

static enum scuse_rule reap(struct queue *queue)
{
	u32 head = queue->cq_head, count;
	enum scuse_rule rule = SCUSE_RULE_NONE;

	if (!scuse_ring_pending(head, queue->cq_tail, ENTRIES, &count))
		return SCUSE_RULE_CQ_TAIL;
	fuzz_check(count <= ENTRIES);
	for (; count && !rule; count--) {
		struct scuse_cqe cqe = queue->cqes[scuse_ring_entry(head, ENTRIES)];

		rule = claim(queue, &cqe);
		if (!rule)
			head++;
	}
	queue->cq_head = head;
	return rule;
}

/* The session's end: what userspace still has comes back, the rings are new.  Quarantined tags stay. */
static void end_session(struct queue *queue)
{
	for (u32 i = 0; i < DEPTH; i++) {
		struct book *book = &queue->books[i];

		if (!book->with_user)
			continue;
		fuzz_check(
			scuse_tag_move(&queue->cells[i], book->generation, SCUSE_TAG_USER, SCUSE_TAG_KERNEL));
		book->with_user = false;
	}
	queue->cq_head = queue->cq_tail = 0;
	memset(queue->cqes, 0, sizeof(queue->cqes));
}

static void publish(struct queue *queue, u32 index, struct fuzz_input *input)
{
	struct book *book = &queue->books[index];
	u8 byte = fuzz_u8(input);

	book->expect = (struct scuse_cqe_expect){
		.op = byte % 24,
		.data_in = byte & 0x80,
		.data_len = fuzz_u16(input),
	};
	fuzz_check(scuse_tag_move(&queue->cells[index], book->generation, SCUSE_TAG_KERNEL, SCUSE_TAG_USER));
	book->with_user = true;
}

/* The kernel half goes on with a tag: what that is depends on its state. */
static void proceed(struct queue *queue, struct fuzz_input *input)
{
	u8 byte = fuzz_u8(input);
	u32 index = byte % DEPTH;
	struct scuse_tag_cell *cell = &queue->cells[index];
	struct book *book = &queue->books[index];
	u32 old = book->generation;

	switch (scuse_tag_word_state(scuse_tag_read(cell))) {
	case SCUSE_TAG_FREE:
		book->generation = scuse_tag_take(cell);
		fuzz_check(book->generation && book->generation != old && !book->quarantined);
		publish(queue, index, input);
		break;
	case SCUSE_TAG_KERNEL:
		fuzz_check(!scuse_tag_take(cell));
		if (byte & 0x80) {
			book->generation = scuse_tag_renew(cell, old);
			fuzz_check(book->generation && book->generation != old);
			publish(queue, index, input);
		} else {
			fuzz_check(scuse_tag_move(cell, old, SCUSE_TAG_KERNEL, SCUSE_TAG_FREE));
		}
		break;
	case SCUSE_TAG_USER:
		fuzz_check(!scuse_tag_take(cell) && !scuse_tag_renew(cell, old));
		if (byte & 0x80) {
			fuzz_check(scuse_tag_move(cell, old, SCUSE_TAG_USER, SCUSE_TAG_QUARANTINED));
			book->with_user = false;
			book->quarantined = true;
		}
		break;
	case SCUSE_TAG_QUARANTINED:
		fuzz_check(book->quarantined && !scuse_tag_take(cell) && !scuse_tag_renew(cell, old));
		fuzz_check(!scuse_tag_move(cell, old, SCUSE_TAG_QUARANTINED, SCUSE_TAG_KERNEL));
		if (byte & 0x80) {
			fuzz_check(scuse_tag_move(cell, old, SCUSE_TAG_QUARANTINED, SCUSE_TAG_FREE));
			book->quarantined = false;
		}
		break;
	}
}

/* A completion that is right but for what the input says. */
static void complete(struct queue *queue, struct fuzz_input *input)
{
	u8 byte = fuzz_u8(input);
	u32 index = byte % DEPTH;
	struct scuse_cqe *cqe = &queue->cqes[scuse_ring_entry(queue->cq_tail, ENTRIES)];

	*cqe = (struct scuse_cqe){
		.tag = SCUSE_TAG(queue->books[index].generation, index),
		.status = fuzz_u8(input),
		.kind = byte >> 3 & 1,
	};
	if (cqe->status == SCUSE_STATUS_CHECK_CONDITION)
		cqe->sense_len = fuzz_u8(input);
	if (byte & 0x10)
		cqe->data_len = fuzz_u16(input);
	queue->cq_tail++;
}

static void spoil(struct queue *queue, struct fuzz_input *input)
{
	fuzz_bytes(input, (u8 *)queue->cqes + fuzz_u8(input) % (sizeof(queue->cqes) - 8), 8);
}

/* A worker's own idea of sq_head cannot make an advisory entry take a command's place. */
static void advise(struct fuzz_input *input)
{
	u32 tail = fuzz_u32(input), head = fuzz_u32(input);

	fuzz_check(!scuse_ring_advisory_room(tail, head, 2 * DEPTH, DEPTH) || tail - head < DEPTH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct queue queue = { .cq_tail = 0 };

	for (u32 i = 0; i < DEPTH; i++)
		scuse_tag_init(&queue.cells[i]);
	for (int i = 0; i < STEPS && input.left; i++) {
		switch (fuzz_u8(&input) % 8) {
		case 0 ... 2:
			proceed(&queue, &input);
			break;
		case 3:
		case 4:
			complete(&queue, &input);
			break;
		case 5:
			spoil(&queue, &input);
			break;
		case 6:
			if (fuzz_u8(&input) == 0xff)
				queue.cq_tail = fuzz_u32(&input);
			else
				advise(&input);
			break;
		default:
			if (reap(&queue))
				end_session(&queue);
		}
	}
	return 0;
}
