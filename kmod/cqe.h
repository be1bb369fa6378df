/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a completion entry must satisfy (scuse/abi.h, VIOLATIONS).  Pure.  reap.c copies an entry once,
 * then checks the copy here; nothing is read from shared memory after that.
 */
#ifndef SCUSE_CQE_H
#define SCUSE_CQE_H

#include <scuse/abi.h>
#include "shim.h"
#include "tag.h"

/* The rules; each has a text in scuse_rule_text(). */
enum scuse_rule {
	SCUSE_RULE_NONE = 0,
	SCUSE_RULE_CQ_TAIL,
	SCUSE_RULE_TAG_INDEX,
	SCUSE_RULE_TAG_BITS,
	SCUSE_RULE_GENERATION,
	SCUSE_RULE_NOT_IN_FLIGHT,
	SCUSE_RULE_STATUS,
	SCUSE_RULE_KIND,
	SCUSE_RULE_SENSE_LENGTH,
	SCUSE_RULE_DATA_LENGTH,
	SCUSE_RULE_RESERVED,
	SCUSE_RULES
};

static inline const char *scuse_rule_text(enum scuse_rule rule)
{
	switch (rule) {
	case SCUSE_RULE_CQ_TAIL:
		return "cq_tail is more than cq_entries ahead";
	case SCUSE_RULE_TAG_INDEX:
		return "a completion's tag index is not below the depth";
	case SCUSE_RULE_TAG_BITS:
		return "a completion's tag was not returned unchanged";
	case SCUSE_RULE_GENERATION:
		return "a completion's generation is not the current one";
	case SCUSE_RULE_NOT_IN_FLIGHT:
		return "a completion's command is not in flight";
	case SCUSE_RULE_STATUS:
		return "a completion's status is not allowed for the operation";
	case SCUSE_RULE_KIND:
		return "a completion's kind is not allowed for the operation";
	case SCUSE_RULE_SENSE_LENGTH:
		return "a completion's sense length does not fit its status";
	case SCUSE_RULE_DATA_LENGTH:
		return "a completion's data length exceeds the command's";
	case SCUSE_RULE_RESERVED:
		return "a completion's reserved fields are not zero";
	default:
		return "none";
	}
}

/* SAM-5 table 42 */
#define SCUSE_STATUS_GOOD	     0x00
#define SCUSE_STATUS_CHECK_CONDITION 0x02
#define SCUSE_STATUS_CONDITION_MET   0x04
#define SCUSE_STATUS_BUSY	     0x08
#define SCUSE_STATUS_CONFLICT	     0x18
#define SCUSE_STATUS_TASK_SET_FULL   0x28
#define SCUSE_STATUS_ACA_ACTIVE	     0x30
#define SCUSE_STATUS_TASK_ABORTED    0x40

/* What was asked of userspace; the queue's own memory of it, not the ring's. */
struct scuse_cqe_expect {
	u8 op;	      /* enum scuse_op */
	bool data_in; /* a CDB operation that was submitted with SCUSE_SQE_F_DATA_IN */
	u32 data_len; /* the submission's */
};

static inline bool scuse_cqe_status_ok(u8 op, u8 status)
{
	switch (status) {
	case SCUSE_STATUS_GOOD:
	case SCUSE_STATUS_CHECK_CONDITION:
	case SCUSE_STATUS_BUSY:
	case SCUSE_STATUS_TASK_SET_FULL:
		return true;
	case SCUSE_STATUS_CONDITION_MET:
	case SCUSE_STATUS_CONFLICT:
	case SCUSE_STATUS_ACA_ACTIVE:
	case SCUSE_STATUS_TASK_ABORTED:
		return op == SCUSE_OP_CDB;
	default:
		return false;
	}
}

static inline bool scuse_cqe_kind_ok(u8 op, u8 kind)
{
	return kind == SCUSE_CQE_SLOT || (kind == SCUSE_CQE_ZERO && op == SCUSE_OP_READ);
}

static inline bool scuse_cqe_sense_ok(const struct scuse_cqe *cqe)
{
	if (cqe->status != SCUSE_STATUS_CHECK_CONDITION)
		return cqe->sense_len == 0;
	return cqe->sense_len >= 8 && cqe->sense_len <= SCUSE_SENSE_MAX;
}

static inline bool scuse_cqe_data_ok(const struct scuse_cqe *cqe, const struct scuse_cqe_expect *expect)
{
	bool in = expect->op == SCUSE_OP_READ || expect->op == SCUSE_OP_EXTENTS ||
		  (expect->op == SCUSE_OP_CDB && expect->data_in);

	if (!in || cqe->kind == SCUSE_CQE_ZERO)
		return cqe->data_len == 0;
	return cqe->data_len <= expect->data_len;
}

/* scuse_cqe_index - the rule on the tag's index; everything else needs the tag that it names */
static inline enum scuse_rule scuse_cqe_index(u64 tag, u32 depth, u32 *index)
{
	*index = SCUSE_TAG_INDEX(tag);
	return *index < depth ? SCUSE_RULE_NONE : SCUSE_RULE_TAG_INDEX;
}

/* scuse_cqe_identity - is the completion for the command that holds the tag, whose cell reads @word */
static inline enum scuse_rule scuse_cqe_identity(u64 tag, u64 word)
{
	if (tag != SCUSE_TAG(SCUSE_TAG_GENERATION(tag), SCUSE_TAG_INDEX(tag)))
		return SCUSE_RULE_TAG_BITS;
	if (SCUSE_TAG_GENERATION(tag) != scuse_tag_word_generation(word))
		return SCUSE_RULE_GENERATION;
	if (scuse_tag_word_state(word) != SCUSE_TAG_USER)
		return SCUSE_RULE_NOT_IN_FLIGHT;
	return SCUSE_RULE_NONE;
}

/* scuse_cqe_check - the rules on all fields but the tag */
static inline enum scuse_rule scuse_cqe_check(const struct scuse_cqe *cqe,
					      const struct scuse_cqe_expect *expect)
{
	if (cqe->file || cqe->flags || cqe->offset)
		return SCUSE_RULE_RESERVED;
	if (!scuse_cqe_status_ok(expect->op, cqe->status))
		return SCUSE_RULE_STATUS;
	if (!scuse_cqe_kind_ok(expect->op, cqe->kind))
		return SCUSE_RULE_KIND;
	if (!scuse_cqe_sense_ok(cqe))
		return SCUSE_RULE_SENSE_LENGTH;
	if (!scuse_cqe_data_ok(cqe, expect))
		return SCUSE_RULE_DATA_LENGTH;
	return SCUSE_RULE_NONE;
}

#endif /* SCUSE_CQE_H */
