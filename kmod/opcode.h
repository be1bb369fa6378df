/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands that a LUN knows: one entry for each operation code and service action.  The table
 * (optable.c) is the only source for routing (cdb.c), the check of reserved bits, the length and direction
 * of the data phase, write protection, and REPORT SUPPORTED OPERATION CODES (rsoc.c), so that these cannot
 * contradict each other.
 *
 * The table is constant, the index is built once by scuse_opcode_init(): no locks.  Pure but for what the
 * entries point to: table and look-ups are unit-tested in userspace.
 */
#ifndef SCUSE_OPCODE_H
#define SCUSE_OPCODE_H

#include "shim.h"

#ifdef __KERNEL__
#include <target/target_core_base.h>
#endif

struct scuse_device;
struct se_cmd;

#define SCUSE_NO_ACTION 0xffff /* no service action */

#define SCUSE_VARIABLE_LENGTH 0x7f /* operation code of CDBs with a length of their own (SPC-4 4.2.3) */

#define SCUSE_OPCODE_OUT      0x0001 /* data from the initiator, if there is a data phase */
#define SCUSE_OPCODE_IN	      0x0002 /* data to the initiator, if there is a data phase */
#define SCUSE_OPCODE_BLOCKS   0x0004 /* reads or writes blocks: core does not zero the buffers */
#define SCUSE_OPCODE_WRITES   0x0008 /* changes the medium: refused when it is write protected */
#define SCUSE_OPCODE_MEDIUM   0x0010 /* needs the medium: refused while offline, stopped or being formatted */
#define SCUSE_OPCODE_NO_UA    0x0020 /* neither reports nor clears unit attentions (SAM-5 5.14) */
#define SCUSE_OPCODE_ZERO_256 0x0080 /* a count of 0 means 256 (READ (6), WRITE (6)) */
#define SCUSE_OPCODE_ENDLESS  0x0100 /* may take hours: no timeout can be recommended */

#define SCUSE_OPCODE_PROTECT  0x0200 /* has RDPROTECT, WRPROTECT, VRPROTECT or ORPROTECT, in the options byte */
#define SCUSE_OPCODE_DPO      0x0400 /* has DPO there, and FUA if the usage map says so */
/* Reservations (SPC-4 5.12), see reservation.h. */
#define SCUSE_OPCODE_EXCLUSIVE 0x0800 /* only for those whom a reservation lets write, although it writes nothing */
#define SCUSE_OPCODE_SHARED    0x2000 /* only for those whom a reservation lets read, although it reads no blocks */
#define SCUSE_OPCODE_RESERVES  0x1000 /* changes reservations or registrations */

/* What a device can refuse in the options byte: byte 1, of CDBs with a length of their own byte 10. */
#define SCUSE_OPTIONS_PROTECT 0xe0
#define SCUSE_OPTIONS_DPO     0x10
#define SCUSE_OPTIONS_FUA     0x08

/* How long the data phase is. */
enum scuse_length {
	SCUSE_LENGTH_NONE = 0,
	SCUSE_LENGTH_BYTES,  /* `count` bytes: an allocation length or a parameter list length */
	SCUSE_LENGTH_BLOCKS, /* `count` blocks */
	SCUSE_LENGTH_TWICE,  /* `count` blocks to compare and as many to write */
	SCUSE_LENGTH_ONE,    /* one block, whatever `count` is */
	SCUSE_LENGTH_CDB,    /* as length() says */
	SCUSE_LENGTH_CORE,   /* as core says */
};

/* A big-endian number in a CDB; bits that the usage map leaves out do not count.  size 0: there is none. */
struct scuse_field {
	u8 at;	 /* byte */
	u8 size; /* bytes */
};

struct scuse_opcode {
	u8 opcode;
	u8 cdb_length; /* bytes */
	u16 action;    /* SCUSE_NO_ACTION, or the service action */
	u16 flags;     /* SCUSE_OPCODE_* */
	u8 data;       /* enum scuse_length */
	struct scuse_field lba;
	struct scuse_field count;
	u32 features; /* SCUSE_FEATURE_*: the handler must offer all of these */
	bool (*offered)(struct scuse_device *dev); /* a further condition; NULL: none */
	u64 (*length)(struct scuse_device *dev, const u8 *cdb); /* with SCUSE_LENGTH_CDB: bytes */
	/* As LIO's execute_cmd; NULL: the function that core's parser names. */
	sense_reason_t (*execute)(struct se_cmd *cmd);
	u8 usage[32]; /* CDB usage map (SPC-4 6.35.3): 1 bits are evaluated, all others must be 0 */
};

/* optable.c: sorted by operation code, then service action. */
extern const struct scuse_opcode scuse_opcode_table[];
extern const u32 scuse_opcode_count;

/* Builds the index.  Once, before the first look-up. */
void scuse_opcode_init(void);

/* The entry for a CDB, or NULL.  @cdb has at least 16 bytes; only those that its operation code says count. */
const struct scuse_opcode *scuse_opcode_find(const u8 *cdb);

/* The number in a field of the CDB; 0 if the command has no such field. */
u64 scuse_opcode_number(const struct scuse_opcode *opcode, const struct scuse_field *field, const u8 *cdb);

/*
 * Is a bit set that must be zero, or is the CDB's own length wrong?  Then @byte and @bit say which: the
 * first byte, its highest bit (or SCUSE_SENSE_NO_BIT).
 */
bool scuse_opcode_reserved(const struct scuse_opcode *opcode, const u8 *cdb, u16 *byte, u8 *bit);

/* The entries of one operation code: the first, and how many; 0 if there is none. */
const struct scuse_opcode *scuse_opcode_entries(u8 opcode, u32 *count);

static inline u32 scuse_opcode_options_at(const struct scuse_opcode *opcode)
{
	return opcode->opcode == SCUSE_VARIABLE_LENGTH ? 10 : 1;
}

/* Bits of the options byte that are in the usage map but must be zero on this device. */
static inline u8 scuse_opcode_unoffered(const struct scuse_opcode *opcode, bool protection, bool dpo_fua)
{
	u8 bits = 0;

	if (opcode->flags & SCUSE_OPCODE_PROTECT && !protection)
		bits |= SCUSE_OPTIONS_PROTECT;
	if (opcode->flags & SCUSE_OPCODE_DPO && !dpo_fua)
		bits |= SCUSE_OPTIONS_DPO | SCUSE_OPTIONS_FUA;
	return bits & opcode->usage[scuse_opcode_options_at(opcode)];
}

#ifdef __KERNEL__
bool scuse_opcode_offered(struct scuse_device *dev, const struct scuse_opcode *opcode);
#endif

#endif /* SCUSE_OPCODE_H */
