/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Raw LUNs: devices of any type whose commands userspace carries out as CDBs (abi.h, RAW LUNS).
 *
 *	raw.table	the list of all commands of SPC-4, SBC-3, SSC-4, SMC-3, MMC-6 and SES-3: who answers
 *			them, how long their data is, and why some are refused.  rawtable.awk makes C of it.
 *	rawroute.c	look-up: the entry of a CDB, the length of its data, what START claims (pure)
 *	raw.c		parse and execute: a raw LUN's way through cdb.c's steps
 *	rawstart.c	what a worker says of its device
 *	rawinquiry.c	INQUIRY data while nobody serves the LUN
 *	rawmask.c	masks, with what they need to know of LUN and device
 *	rawrsoc.c	REPORT SUPPORTED OPERATION CODES from table and claims
 *	relay.c		unit attentions of the device, what commands change for others; rules in relayrule.c (pure)
 *	rawreset.c	LOGICAL UNIT RESET
 *	rawparam.c	what we need to know of the device: block length, fixed or variable, D_SENSE; questions and
 *			answers in rawprobe.c (pure)
 *	mask.c		what initiators see of INQUIRY, VPD, mode and log pages (pure)
 *
 * A COMMAND'S WAY
 *
 *	parse: entry by device type, operation code, service action
 *	  kernel	as on any LUN: cdb.c goes on with the entry in optable.c
 *	  refused	INVALID COMMAND OPERATION CODE, or INVALID FIELD IN CDB for a service action
 *	  handler	length and direction from the entry
 *	execute: unit attentions, reservations (as in cdb.c), NACA and LINK, write protection, then
 *	  scuse_io_begin_as(): READ access to the whole LUN, or ATOMIC for entries that are ALONE
 *	  submission as SCUSE_OP_CDB
 *	done (step function, relay first):
 *	  UNIT ATTENTION	relay.c: for all nexuses; or an echo: the same again
 *	  GOOD, masked		mask.c edits the answer in a private copy
 *	  changes parameters	rawparam.c reads them again, with the same tag, before the initiator hears of it
 *	  finish		data, sense and status to the initiator
 *
 * Whatever makes cached parameters stale is followed by reading them again before the initiator whose command
 * told us gets its answer, and every other nexus has a unit attention pending by then: no initiator sends a
 * READ whose length we would take for another one.
 */
#ifndef SCUSE_RAW_H
#define SCUSE_RAW_H

#include <scuse/abi.h>
#include "shim.h"

/* Sets of peripheral device types. */
#define SCUSE_RAW_DISK	    (1u << 0x00)
#define SCUSE_RAW_TAPE	    (1u << 0x01)
#define SCUSE_RAW_CD	    (1u << 0x05)
#define SCUSE_RAW_CHANGER   (1u << 0x08)
#define SCUSE_RAW_ENCLOSURE (1u << 0x0d)
#define SCUSE_RAW_ANY	    0xffffffffu

enum scuse_raw_route {
	SCUSE_RAW_REFUSED = 0,
	SCUSE_RAW_KERNEL,  /* optable.c has the entry */
	SCUSE_RAW_HANDLER, /* as it is */
	SCUSE_RAW_MASKED,  /* as it is, and what comes back is edited */
};

/* What `count` of a CDB counts. */
enum scuse_raw_unit {
	SCUSE_RAW_NOTHING = 0, /* no data phase */
	SCUSE_RAW_BYTES,
	SCUSE_RAW_BLOCKS,  /* of the logical block length */
	SCUSE_RAW_RECORDS, /* SSC-4: FIXED bit: blocks of the mode's block length, otherwise bytes */
	SCUSE_RAW_FIXED,   /* always `fixed` bytes */
	SCUSE_RAW_SPECIAL, /* by a rule of its own, `fixed` is enum scuse_raw_special */
};

/* entry.flags */
#define SCUSE_RAW_OUT	     0x0001
#define SCUSE_RAW_IN	     0x0002
#define SCUSE_RAW_WRITES     0x0004 /* changes the medium or the device: refused on a read-only LUN */
#define SCUSE_RAW_NO_UA	     0x0008
#define SCUSE_RAW_ALONE	     0x0010 /* drains the LUN first: changes parameters */
#define SCUSE_RAW_PARAMETERS 0x0020 /* afterwards the cached parameters are read again */
#define SCUSE_RAW_SELECT     0x0040 /* MODE SELECT: 2Ah/01h to the others */
#define SCUSE_RAW_EXCLUSIVE  0x0080 /* reservations: a write (SPC-4 5.12.1, tables of the command standards) */
#define SCUSE_RAW_SHARED     0x0100 /* reservations: a read */
#define SCUSE_RAW_ENDLESS    0x0200 /* may take hours */

struct scuse_raw_entry {
	u32 types; /* SCUSE_RAW_DISK... */
	u8 opcode;
	u8 route;      /* enum scuse_raw_route */
	u16 action;    /* SCUSE_NO_ACTION, or the service action */
	u16 flags;     /* SCUSE_RAW_* */
	u8 cdb_length; /* bytes */
	u8 unit;       /* enum scuse_raw_unit */
	u8 count_at;   /* byte of the CDB */
	u8 count_size; /* bytes */
	u32 fixed;
	const char *name;
	const char *reason; /* of REFUSED and KERNEL; NULL: needs none */
};

/* The rules of SCUSE_RAW_SPECIAL, in entry.fixed. */
enum scuse_raw_special {
	SCUSE_RAW_EXPECTED = 0, /* the CDB does not say: as much as the initiator expects */
	SCUSE_RAW_BLOCKS_256,	/* SBC-3 READ (6), WRITE (6): blocks, a count of 0 means 256 */
	SCUSE_RAW_VERIFY,	/* SBC-3 VERIFY: BYTCHK 00b none, 01b `count` blocks, 11b one block */
	SCUSE_RAW_SAME,		/* SBC-3 WRITE SAME: one block; with NDOB none */
	SCUSE_RAW_TWICE,	/* SBC-3 COMPARE AND WRITE: `count` blocks twice */
	SCUSE_RAW_FORMAT,	/* SBC-3 FORMAT UNIT: with FMTDATA as expected, otherwise none */
	SCUSE_RAW_TAPE_VERIFY,	/* SSC-4 VERIFY: with BYTCMP records, otherwise none */
	SCUSE_RAW_BLOCK_LIMITS, /* SSC-4 READ BLOCK LIMITS: 6 bytes, with MLOI 20 */
	SCUSE_RAW_SECURITY,	/* SPC-4 SECURITY PROTOCOL IN, OUT: bytes, with INC_512 times 512 */
	SCUSE_RAW_ATA, /* SAT-3 ATA PASS-THROUGH: T_LENGTH, BYT_BLOK, T_TYPE; T_DIR is the direction */
};

/* Sorted by operation code, then service action, those without service action last. */
extern const struct scuse_raw_entry scuse_raw_table[];
extern const u32 scuse_raw_count;

/* Standard INQUIRY data as the device gave it. */
#define SCUSE_RAW_INQUIRY 256

struct scuse_raw_inquiry {
	u32 length; /* bytes that are known; 0: none */
	u8 data[SCUSE_RAW_INQUIRY];
};

/*
 * What START claims.  Made by scuse_raw_claims_sort() and never changed afterwards; in the kernel it goes
 * after an RCU grace period.
 */
struct scuse_raw_claims {
#ifdef __KERNEL__
	struct rcu_head rcu;
#endif
	u32 count;
	bool standard;		     /* SCUSE_COMMAND_STANDARD is among them */
	u16 first[257];		     /* by operation code: its first entry; the next one's first is its end */
	struct scuse_command list[]; /* by operation code */
};

/* rawroute.c */

/* Builds the index of the table.  Once, before the first look-up. */
void scuse_raw_init(void);

/* The entries of an operation code, of all device types: the first, and how many. */
const struct scuse_raw_entry *scuse_raw_entries(u8 opcode, u32 *count);

/* The service action of a CDB whose operation code has such. */
u16 scuse_raw_action(const u8 *cdb);

/* The entry of the table; NULL: there is none.  @type: peripheral device type */
const struct scuse_raw_entry *scuse_raw_find(u32 type, u8 opcode, u16 action);

/* Has the table anything on it?  With @action SCUSE_NO_ACTION: on the operation code. */
bool scuse_raw_has(u32 type, u8 opcode, u16 action);

/* Is @command, as userspace gave it, one that can be? */
bool scuse_raw_command_ok(const struct scuse_command *command);

/* Fills @claims, whose list has room for @count entries, all of them valid. */
void scuse_raw_claims_sort(struct scuse_raw_claims *claims, const struct scuse_command *from, u32 count);

/* What START says of a command, in particular; NULL: nothing.  @claims may be NULL. */
const struct scuse_command *scuse_raw_claimed(const struct scuse_raw_claims *claims, u8 opcode, u16 action);

/* The route of a command of the table: what is not claimed is refused, or the kernel's after all. */
enum scuse_raw_route scuse_raw_route_of(const struct scuse_raw_claims *claims,
					const struct scuse_raw_entry *entry);

/*
 * scuse_raw_way - where a CDB goes
 *
 * Never NULL; `route` is the answer.  What is returned is constant, and stays valid without @claims.
 */
const struct scuse_raw_entry *scuse_raw_way(u32 type, const struct scuse_raw_claims *claims, const u8 *cdb);

/* entry.flags, with SCUSE_RAW_IN or SCUSE_RAW_OUT, at most one, as this CDB says. */
u16 scuse_raw_flags(const struct scuse_raw_entry *entry, const u8 *cdb);

/*
 * scuse_raw_length - bytes of the data phase, as the CDB says
 * @block: bytes of a logical block (disk, CD) or of the mode's block length (tape); 0: none, or not known
 * @expected: what the initiator expects; counts where neither the CDB nor @block tells
 */
u64 scuse_raw_length(const struct scuse_raw_entry *entry, const u8 *cdb, u32 block, u64 expected);

/* Does the length depend on the block length? */
bool scuse_raw_needs_block(const struct scuse_raw_entry *entry, const u8 *cdb);

/*
 * scuse_raw_field_refused - fields of the CDB that no raw LUN offers: NACA and LINK, and protection
 * information
 *
 * True: @byte and @bit say which.
 */
bool scuse_raw_field_refused(u32 type, const struct scuse_raw_entry *entry, const u8 *cdb, u16 *byte,
			     u8 *bit);

#ifdef __KERNEL__
#include <target/target_core_base.h>

struct scuse_device;
struct scuse_io;
struct scuse_opcode;

/* raw.c.  As target_backend_ops.parse_cdb, for a raw LUN. */
sense_reason_t scuse_raw_parse(struct se_cmd *cmd);

/* The entry of a command that has been submitted. */
const struct scuse_raw_entry *scuse_raw_entry(struct se_cmd *cmd);

/*
 * What goes along with a submission entry whose flags and data_len are set: CDB and data.  Also before a
 * command is submitted again, since userspace may have changed the slot.  -ENOMEM, -EINVAL.
 */
int scuse_raw_load(struct scuse_io *io);

/* The step function of the submission (step.h). */
void scuse_raw_done(struct scuse_io *io);

/* Ends the command as io->tag says: data, sense and status to the initiator. */
void scuse_raw_finish(struct scuse_io *io);

/* The kernel half's own entry of a command that it answers; NULL: it does not offer the command now. */
const struct scuse_opcode *scuse_raw_opcode(struct scuse_device *dev, u8 code, u16 action);

/* rawstart.c: what START and UPDATE say of a raw LUN; dev->lock is held, but by the first. */
struct scuse_raw_claims *scuse_raw_read_claims(struct scuse_device *dev, const struct scuse_start *start);
int scuse_raw_check(struct scuse_device *dev, const struct scuse_start *start);
void scuse_raw_adopt(struct scuse_device *dev, const struct scuse_start *start,
		     struct scuse_raw_claims *claims);
void scuse_raw_restarted(struct scuse_device *dev);
void scuse_raw_forget(struct scuse_device *dev);

/*
 * rawinquiry.c: standard INQUIRY data is remembered, and answered with while nobody serves the LUN.  The
 * second returns true if it has ended the command.
 */
void scuse_raw_inquiry_remember(struct scuse_io *io, u32 length);
bool scuse_raw_inquiry_offline(struct se_cmd *cmd);

/* rawmask.c */

/* Edits @length bytes of an answer in place; @room: SCUSE_MASK_GROWTH more may be needed.  Returns the new length. */
u32 scuse_rawmask_edit(struct se_cmd *cmd, u8 *data, u32 length, u32 room);

/* True: the command has been ended, or @ret says how core is to end it. */
bool scuse_rawmask_refused(struct se_cmd *cmd, const struct scuse_raw_entry *entry, sense_reason_t *ret);

/* Lets the device be asked for more than the initiator wants, where that takes it. */
void scuse_rawmask_widen(struct scuse_io *io, const struct scuse_raw_entry *entry);

/* Fills the slot with a mode parameter list for the device.  -ENOMEM, -EINVAL. */
int scuse_rawmask_fill(struct scuse_io *io);

/* Gives the initiator its part of an answer of @length bytes.  Returns how long that is now, or -ENOMEM. */
int scuse_rawmask_give(struct scuse_io *io, u32 length);
#endif

#endif /* SCUSE_RAW_H */
