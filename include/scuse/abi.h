/* SPDX-License-Identifier: (GPL-2.0-only WITH Linux-syscall-note) OR MIT */
/*
 * The contract between the scuse kernel module and userspace: the shared ring, the ioctls of a device
 * node, and the numbers of the generic netlink family.  This header is the specification; where code and
 * this text differ, one of them has a bug.
 *
 * WHO USES IT
 *	kmod/ (the kernel half), runner/ (the worker that serves a LUN), netlink/ (libscuse-netlink), the
 *	ring simulator of the tests, and anybody who writes a server of their own in any language.
 *
 * OVERVIEW
 *	Each enabled LUN has a device node, /dev/scuseN, N being the device's id.  A worker
 *
 *	 1. opens the node; that makes a *session*.  One session a device at a time: a second open gets
 *	    EBUSY for as long as the first one's file, or any mapping of it, exists;
 *	 2. asks SCUSE_IOC_INFO for the geometry;
 *	 3. maps the regions of each queue (below) and gets one file descriptor a queue with
 *	    SCUSE_IOC_QUEUE;
 *	 4. calls SCUSE_IOC_START with what the handler can do.  From here commands flow;
 *	 5. for each queue: takes submission entries (SQEs), does the work in the tag's slot, publishes
 *	    completion entries (CQEs), and waits with SCUSE_IOC_ENTER or poll();
 *	 6. closes the file, or dies: both are the same to the kernel.  The device goes offline at once; what
 *	    becomes of its commands, see WORKERS THAT DIE.  Queue descriptors that are still open say ENODEV.
 *	    The next open may get EBUSY for a moment, until the kernel has ended what it was copying, and
 *	    nothing of what the old process had asked for still moves data from or to a slot.
 *
 * REGIONS OF A QUEUE (mmap of the session's file; offset = SCUSE_MMAP_OFFSET(region, queue), the length
 * at most what SCUSE_IOC_INFO says, MAP_SHARED)
 *
 *	region                  writer     access     holds
 *	SCUSE_REGION_KERNEL     kernel     read-only  struct scuse_queue_kernel, then the SQE array
 *	SCUSE_REGION_USER       userspace  read-write struct scuse_queue_user, then the CQE array
 *	SCUSE_REGION_CDB        kernel     read-only  CDBs longer than an SQE holds, one slot a tag
 *	SCUSE_REGION_SENSE      userspace  read-write sense data, one slot a tag
 *	SCUSE_REGION_DATA       both       read-write data buffers, one slot a tag
 *
 *	Read-only regions refuse PROT_WRITE, also by a later mprotect().  All mappings are left out of fork()
 *	and core dumps.  CDB, sense and data slots get memory when they are first touched.  They are ordinary
 *	pages: O_DIRECT and io_uring registered buffers work on them.
 *
 * TAGS, SLOTS, GENERATIONS
 *	A command holds one tag of one queue from submission to completion; the tag's index also names its
 *	slot in the CDB, sense and data regions.  The 64-bit `tag` of an SQE is opaque to userspace except
 *	for the index (SCUSE_TAG_INDEX); the rest is a generation that changes each time the index is used
 *	again.  A CQE must return the 64 bits as they were.
 *
 *	While a command is in flight its slots belong to userspace.  With the CQE that completes it they
 *	go back to the kernel; userspace must not touch them afterwards.
 *
 * MEMORY OF SLOTS (minor 3)
 *	The part of a data slot that a submission needs (data_len bytes, and its PI) has memory before userspace
 *	sees the SQE.  Beyond that, and outside of commands, a touch gets memory as long as the device has less
 *	than its limit (configfs attribute max_memory in bytes, 64 MiB unless set, at least what the largest
 *	command takes), and all devices together less than theirs (module parameter max_memory_mb, an eighth of
 *	the machine's memory unless set); else it is SIGBUS.  A command that would exceed a limit takes memory
 *	from slots that are not in use, or ends with TASK SET FULL.
 *	Slots that are not in use lose their memory, and with it their contents, when that is needed elsewhere,
 *	or after 10 seconds; but not while anything in the system holds their pages (I/O, registered buffers).
 *
 * OWNERSHIP AND BARRIERS (all indices are free-running 32-bit counters; entry = index & (entries - 1))
 *
 *	field            written by      read by         how
 *	sqe[]            kernel          userspace       plain, before sq_tail is published
 *	sq_tail          kernel          userspace       store-release / load-acquire
 *	sq_head          userspace       kernel          store-release; for poll() (level-triggered: readable
 *	                                                 while sq_tail differs) and for advisory entries
 *	                                                 (CANCEL, RESET); a stale value costs its writer only
 *	cqe[]            userspace       kernel          plain, before cq_tail is published
 *	cq_tail          userspace       kernel          store-release / load-acquire
 *	cq_head          kernel          userspace       for information; the CQ cannot overflow, since it
 *	                                                 has one entry a tag
 *	kernel.flags     kernel          userspace       see NEED_KICK
 *	user.flags       userspace       kernel          see NEED_WAKEUP
 *
 *	Each side keeps its own index in private memory and never reads back what it published.
 *
 *	Sleeping.  A worker that sleeps in SCUSE_IOC_ENTER passes the sq_head that it has reached, and the
 *	kernel looks at sq_tail again after it queued the sleeper: no flag is needed, nothing can be missed.
 *	A worker that sleeps in poll(), epoll or io_uring on the queue's descriptor must
 *
 *		set SCUSE_USER_NEED_WAKEUP in user.flags;
 *		full memory barrier (store, then load: release/acquire is not enough);
 *		load sq_tail; if there are entries, clear the flag and do not sleep;
 *		sleep; clear the flag.
 *
 *	The kernel publishes sq_tail, does a full barrier, then looks at sleepers and at the flag.  While the
 *	flag is clear, poll() waiters are not woken: that is how a busy worker is spared wake-ups.
 *
 *	Kicking.  The kernel takes CQEs in SCUSE_IOC_ENTER and whenever it submits to the same queue.  After
 *	publishing cq_tail a worker does a full barrier and loads kernel.flags: while SCUSE_KERNEL_NEED_KICK
 *	is set, an ENTER (which may be the one it is going to sleep in) must follow; while it is clear the
 *	kernel will look by itself.  (This version never clears it.)
 *
 * VIOLATIONS
 *	The kernel copies a CQE once, then checks the copy: tag index below depth, generation current, command
 *	in userspace's hands, status and kind allowed for the operation, lengths within the command's, sense
 *	present exactly with CHECK CONDITION, reserved fields zero, cq_tail at most cq_entries ahead.  The
 *	first violation marks the session broken: nothing more is taken from it, every call on it returns
 *	EPROTO, an event (SCUSE_EVENT_SESSION_BROKEN) says which rule was broken, and the process that
 *	started the session is killed; its commands go on as those of any worker that dies.
 *	Data can be spoilt by a lying worker, since supplying data is its job; the kernel, other LUNs, and
 *	memory that is not the worker's cannot: a READ is filled with zeros where the worker did not write.
 *
 * WORKERS THAT DIE (minor 3)
 *	Commands in flight (inflight_policy of the device).  With `replay`, and if the session offered
 *	FEATURE_REPLAY_SAFE, they stay the kernel's: the next session is handed them again, with
 *	SCUSE_SQE_F_REPLAY, in the order in which they were handed out in their queue, before everything
 *	else in it, during START.  With `busy`, or without the feature, they end with BUSY.  (A minor 2
 *	kernel always did that.)
 *
 *	Commands that arrive while nobody serves the device (orphan_policy).  With `wait` they wait for the
 *	next session, in line behind those above; once the device has been offline for orphan_timeout
 *	seconds, all of them, and all that arrive later, end with BUSY.  With `busy` they end with BUSY at
 *	once, with `error` with NOT READY, LOGICAL UNIT NOT READY, CAUSE NOT REPORTABLE; so do those in flight
 *	that would wait.  Whatever the policy, a command that is aborted, whose nexus is lost, or whose LUN is
 *	removed does not wait.  One that is replayed has the data that its initiator sent in its slot, not what
 *	the dead worker made of it.
 *
 *	Nothing of a raw LUN waits: its commands end with BUSY (or, with `error`, with NOT READY), those in
 *	flight with BUSY, or with ABORTED COMMAND unless the session offered FEATURE_REPLAY_SAFE.
 *
 * WORKERS THAT HANG (minor 3)
 *	A command that userspace has had for command_timeout seconds (0: no limit.  FORMAT and SANITIZE have
 *	none, CDB operations the one that was claimed for them, or none) is reported (EVENT_SLOW_COMMAND),
 *	and a CANCEL is sent.  A command whose initiator has given it up (ABORT TASK, LUN RESET, ...) gets its
 *	CANCEL at once.  What is not completed tmf_timeout seconds after its CANCEL costs the session: it is
 *	revoked.  All its mappings are taken away (a touch is SIGBUS), every call on it returns EPROTO,
 *	the process that started it is killed, and EVENT_SESSION_REVOKED says why.  The end of that process
 *	is what makes it safe to go on: nothing that it might still write can come after newer data.
 *	A process that does not end within SCUSE_KILL_TIMEOUT (stuck in the kernel) keeps the device offline until it
 *	does, but no initiator waiting: its commands end with BUSY, and their tags stay out of use.
 *	So ABORT TASK and LOGICAL UNIT RESET are answered within tmf_timeout + SCUSE_KILL_TIMEOUT + 2 seconds, whatever
 *	the worker does.  (The device of a raw LUN may take 60 seconds for its reset, and a MODE SELECT that saves
 *	pages waits for the owner for up to SCUSE_REQUEST_TIMEOUT.)
 *
 * VERSIONS
 *	SCUSE_ABI_MAJOR changes when an old worker would misread something; the kernel then refuses START.
 *	SCUSE_ABI_MINOR counts additions: new ops, flags, netlink attributes, longer ioctl structs (each has
 *	its size in front; the kernel takes shorter ones and treats what is missing as zero, and takes longer
 *	ones if what it does not know is zero, else E2BIG).  A worker that sees an op that it does not know
 *	completes it with CHECK CONDITION, ILLEGAL REQUEST, INVALID COMMAND OPERATION CODE.
 *
 * RAW LUNS (minor 2)
 *	A LUN created with raw=1 is no disk of our making, but a device of any type that userspace has: a real
 *	one, passed through, or a tape drive or changer that a handler plays.  Its commands arrive as
 *	SCUSE_OP_CDB, if the kernel's table of commands (kmod/raw.table) lets commands of this device type
 *	pass and START claims them.  The kernel goes on to answer REPORT LUNS, REQUEST SENSE of what it has
 *	pending itself, reservations, and reports of what is supported; it takes direction and length of the
 *	data from the CDB, and edits INQUIRY data, VPD, mode and log pages on their way to the initiator.
 *
 *	Unit attentions.  With FEATURE_UNIT_ATTENTIONS the worker passes on sense data as the real device gave
 *	it.  The kernel then establishes a unit attention for all nexuses.  One that follows a reset of our
 *	own is its echo: the kernel hands out the same command once more, with a new tag.  What the device
 *	tells the worker outside of commands goes to SCUSE_IOC_NOTIFY.
 *	Deferred errors (71h, 73h) are passed on to the initiator whose command they come on.
 *
 *	The kernel asks the device itself, with nexus 0: READ CAPACITY of disks and CDs, MODE SENSE of all types.
 *	It does so after START, after unit attentions, and after commands that change parameters.  Until it
 *	knows the block length, commands whose length depends on it are not handed out.
 *
 *	Commands.  A handler that plays a device may claim commands that the kernel's table does not have, with
 *	their direction; they count as writes.  Of a real device's (FEATURE_UNIT_ATTENTIONS) such claims are
 *	left out: nobody can say what those commands do to other initiators.
 *
 *	Between two sessions a device may be exchanged.  START says which one it is (`identity`,
 *	`device_type`): a session with another one than the first gets EXDEV.
 *
 * All integers are in the machine's byte order and naturally aligned; reserved fields are written as zero.
 * The header compiles as C90, C11 and C++, in the kernel and in userspace.
 */
#ifndef SCUSE_ABI_H
#define SCUSE_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define SCUSE_ABI_MAGIC 0x53554353u /* "SCUS" in memory on a little-endian machine */
#define SCUSE_ABI_MAJOR 1
#define SCUSE_ABI_MINOR 3

/* Limits of the protocol; a device's own figures are in struct scuse_info. */
#define SCUSE_MAX_QUEUES   64
#define SCUSE_MIN_DEPTH	   2
#define SCUSE_MAX_DEPTH	   4096
#define SCUSE_MIN_TRANSFER 65536u     /* bytes */
#define SCUSE_MAX_TRANSFER 16777216u  /* bytes */
#define SCUSE_CDB_INLINE   32	      /* bytes of a CDB that fit an SQE */
#define SCUSE_CDB_MAX	   260	      /* bytes: SPC-4 4.2.3, variable length CDBs */
#define SCUSE_CDB_STRIDE   512	      /* bytes between CDB slots */
#define SCUSE_SENSE_MAX	   96	      /* bytes of sense data that LIO carries */
#define SCUSE_SENSE_STRIDE 128	      /* bytes between sense slots */
#define SCUSE_HANDLER_MAX  32	      /* bytes of a handler's name, with the final NUL */
#define SCUSE_CONFIG_MAX   4000	      /* bytes of a device's handler parameters, with the final NUL */
#define SCUSE_NAME_MAX	   256	      /* bytes of a device's configfs name, with the final NUL */
#define SCUSE_MESSAGE_MAX  512	      /* bytes of a message to people, with the final NUL */
#define SCUSE_IDENTITY_MAX 128	      /* minor 2: bytes of a raw device's identity, with the final NUL */
#define SCUSE_MAX_COMMANDS 1024	      /* minor 2: entries of a list of struct scuse_command */
#define SCUSE_TYPE_UNKNOWN 0x1f	      /* minor 2: device type of a raw LUN before its first START (SPC-4 6.4.2) */

/* The 64-bit tag of SQEs and CQEs. */
#define SCUSE_TAG_INDEX(tag)	 ((__u32)((tag)&0xffffu))
#define SCUSE_TAG_GENERATION(tag) ((__u32)((tag) >> 32))
#define SCUSE_TAG(generation, index) (((__u64)(generation) << 32) | (__u64)(index))

/*
 * Operations.  Offsets and lengths of blocks are in logical blocks; the kernel has checked that they lie
 * within the device.
 */
enum scuse_op {
	SCUSE_OP_NONE = 0,
	/* Fill data_len bytes of the data slot from `lba`.  blocks * block_size == data_len. */
	SCUSE_OP_READ = 1,
	/* Store data_len bytes of the data slot at `lba`.  blocks * block_size == data_len. */
	SCUSE_OP_WRITE = 2,
	/* Make all completed writes durable.  `blocks` == 0 means the whole device (SBC-3 5.19). */
	SCUSE_OP_FLUSH = 3,
	/*
	 * Write the one block in the data slot (data_len == block_size) to `blocks` blocks from `lba`.
	 * SCUSE_SQE_F_UNMAP: may deallocate instead, if the blocks then read as the same data (SBC-3 5.48).
	 */
	SCUSE_OP_WRITE_SAME = 4,
	/* Deallocate the data_len / 16 ranges (struct scuse_range) in the data slot (SBC-3 5.28). */
	SCUSE_OP_UNMAP = 5,
	/* Carry out the CDB.  Data moves as SCUSE_SQE_F_DATA_* say, at most data_len bytes. */
	SCUSE_OP_CDB = 6,
	/*
	 * Advisory, without a completion of its own: the initiator has given up the command whose tag this
	 * entry carries.  Complete that command as early as is safe.  It may already be complete.
	 */
	SCUSE_OP_CANCEL = 7,
	/* Advisory, no completion: a LOGICAL UNIT RESET was received.  `tag` is zero. */
	SCUSE_OP_RESET = 8,
	/*
	 * Minor 1.  Say how the `blocks` blocks from `lba` on are provisioned (SBC-3 5.5): fill the slot with
	 * at most data_len bytes of struct scuse_extent, ascending, without gaps, the first one starting at
	 * `lba`.  At least one; they may end before all blocks are described.
	 */
	SCUSE_OP_EXTENTS = 9,
	/* Minor 1.  Make the whole medium as new: all blocks read as zeros (SBC-3 5.3). */
	SCUSE_OP_FORMAT = 10,
	/*
	 * Minor 1.  Make what the medium holds, cache and spare areas included, impossible to get back
	 * (SBC-3 5.27).  `blocks` is the method, enum scuse_sanitize; OVERWRITE finds its pattern of data_len
	 * bytes in the slot, to be repeated in each block.  After the other methods any block can be read:
	 * VPD page B1h says so (WABEREQ, WACEREQ).
	 */
	SCUSE_OP_SANITIZE = 11,
	/*
	 * Minor 2, with FEATURE_RESET.  A LOGICAL UNIT RESET was received: reset the device, and complete
	 * this entry when it has been (GOOD) or could not be (any other status that every operation may have;
	 * sense data says why).  Commands that the reset ends are completed by themselves, before or after.
	 * Instead of SCUSE_OP_RESET.  No data, no CDB, nexus 0.  One at a time.  The kernel waits for it
	 * before the initiator gets its answer, but not for ever; an answer that comes later still counts.
	 */
	SCUSE_OP_LU_RESET = 12
};

/* Methods of SCUSE_OP_SANITIZE; a device's FEATURE_SANITIZE_* say which ones it knows. */
enum scuse_sanitize {
	SCUSE_SANITIZE_OVERWRITE = 1,
	SCUSE_SANITIZE_BLOCK = 2,
	SCUSE_SANITIZE_CRYPTO = 3
};

/* struct scuse_sqe.flags */
#define SCUSE_SQE_F_FUA	     0x0001u /* durable before it completes (SBC-3 4.15) */
#define SCUSE_SQE_F_DPO	     0x0002u /* not worth caching */
#define SCUSE_SQE_F_UNMAP    0x0004u /* WRITE SAME: deallocation is welcome */
#define SCUSE_SQE_F_ANCHOR   0x0008u /* UNMAP, WRITE SAME: anchor rather than deallocate */
#define SCUSE_SQE_F_DATA_OUT 0x0010u /* CDB: the data slot holds data from the initiator */
#define SCUSE_SQE_F_DATA_IN  0x0020u /* CDB: the data slot is to be filled for the initiator */
#define SCUSE_SQE_F_REPLAY   0x0040u /* was handed to an earlier session, which may have carried it out */
/*
 * READ, WRITE, WRITE SAME (minor 1): 8 bytes of protection information for each block (SBC-3 4.22) lie in
 * the slot from scuse_info.pi_offset on.  Reading fills them, writing keeps them with the blocks.  Blocks
 * that were written without it, or never, have FFh in all 8 bytes.
 */
#define SCUSE_SQE_F_PI	     0x0080u
#define SCUSE_SQE_F_ATOMIC   0x0400u /* WRITE (minor 1): all of it or none, also across a loss of power */
#define SCUSE_SQE_F_ATTR     0x0300u /* task attribute (SAM-5 8.9), see below */
#define SCUSE_SQE_ATTR_SIMPLE	     0x0000u
#define SCUSE_SQE_ATTR_ORDERED	     0x0100u
#define SCUSE_SQE_ATTR_HEAD_OF_QUEUE 0x0200u

/* One submission: exactly one cache line. */
struct scuse_sqe {
	__u64 tag;
	__u8 op;	/* enum scuse_op */
	__u8 reserved;
	__u16 flags;	/* SCUSE_SQE_F_* */
	__u32 nexus;	/* id of the I_T nexus, unique within the device; 0: none, a command of the kernel's own */
	__u64 lba;	/* first logical block */
	__u32 blocks;	/* logical blocks */
	__u32 data_len; /* bytes of the data slot that take part */
	__u8 cdb[SCUSE_CDB_INLINE]; /* zero-padded; if cdb[0] is 7Fh and longer, all of it is in the CDB slot */
};

/* struct scuse_cqe.kind: where the data of the command is. */
enum scuse_cqe_kind {
	SCUSE_CQE_SLOT = 0, /* in the data slot, `data_len` bytes of it */
	SCUSE_CQE_ZERO = 1, /* READ only: all zeros; the slot is not looked at, data_len is 0 */
	/* Reserved for data that the kernel moves by itself; a violation in this version. */
	SCUSE_CQE_FROM_FILE = 2,
	SCUSE_CQE_TO_FILE = 3
};

/*
 * One completion.
 *
 *	status	SAM-5 status.  GOOD, CHECK CONDITION, BUSY and TASK SET FULL for every operation; CDB
 *		operations may return any other status that SAM-5 table 42 defines.
 *	sense_len  CHECK CONDITION: 8..SCUSE_SENSE_MAX bytes in the sense slot, fixed or descriptor format;
 *		otherwise 0.
 *	data_len  READ, EXTENTS and CDB with DATA_IN: bytes that were filled from the start of the slot, at most the
 *		SQE's.  The kernel zeroes the rest of a READ; of a CDB operation it is the residual.
 *		Otherwise 0.
 */
struct scuse_cqe {
	__u64 tag;
	__u8 status;
	__u8 kind;	/* enum scuse_cqe_kind */
	__u16 sense_len;
	__u32 data_len;
	__u32 file;	/* 0 */
	__u32 flags;	/* 0 */
	__u64 offset;	/* 0 */
};

/* A range of logical blocks, as UNMAP carries them in the data slot. */
struct scuse_range {
	__u64 lba;
	__u32 blocks;
	__u32 reserved;
};

/* A range of logical blocks and how it is provisioned, as SCUSE_OP_EXTENTS returns them. */
struct scuse_extent {
	__u64 lba;
	__u32 blocks; /* not 0 */
	__u32 state;  /* enum scuse_extent_state */
};

enum scuse_extent_state {
	SCUSE_EXTENT_IS_MAPPED = 0,
	SCUSE_EXTENT_IS_DEALLOCATED = 1,
	SCUSE_EXTENT_IS_ANCHORED = 2
};

/* struct scuse_queue_kernel.flags */
#define SCUSE_KERNEL_NEED_KICK 0x1u
#define SCUSE_KERNEL_STOPPED   0x2u /* no more commands will come: the session or the device has ended */

/* The start of SCUSE_REGION_KERNEL.  A cache line for what never changes, one for each moving field. */
struct scuse_queue_kernel {
	__u32 magic;	  /* SCUSE_ABI_MAGIC */
	__u16 abi_major;
	__u16 abi_minor;
	__u32 queue;	  /* index of this queue */
	__u32 depth;	  /* tags, a power of two */
	__u32 sq_entries; /* a power of two, at least 2 * depth: room for advisory entries */
	__u32 cq_entries; /* a power of two, at least depth */
	__u32 sqe_offset; /* bytes from the start of the kernel region */
	__u32 cqe_offset; /* bytes from the start of the user region */
	__u16 sqe_size;	  /* sizeof(struct scuse_sqe) */
	__u16 cqe_size;	  /* sizeof(struct scuse_cqe) */
	__u16 cdb_stride;
	__u16 sense_stride;
	__u32 slot_size;  /* bytes between data slots, protection information included */
	__u32 reserved0[5];

	__u32 sq_tail;
	__u32 reserved1[15];

	__u32 cq_head;
	__u32 flags; /* SCUSE_KERNEL_* */
	__u32 reserved2[14];
};

/* struct scuse_queue_user.flags */
#define SCUSE_USER_NEED_WAKEUP 0x1u

/* The start of SCUSE_REGION_USER. */
struct scuse_queue_user {
	__u32 sq_head;
	__u32 reserved0[15];

	__u32 cq_tail;
	__u32 reserved1[15];

	__u32 flags; /* SCUSE_USER_* */
	__u32 reserved2[15];
};

/* mmap offsets.  Large enough for every region, and below 2^63. */
enum scuse_region {
	SCUSE_REGION_KERNEL = 0,
	SCUSE_REGION_USER = 1,
	SCUSE_REGION_CDB = 2,
	SCUSE_REGION_SENSE = 3,
	SCUSE_REGION_DATA = 4
};
#define SCUSE_REGIONS 5
#define SCUSE_MMAP_OFFSET(region, queue) (((__u64)(region) << 52) | ((__u64)(queue) << 40))
#define SCUSE_MMAP_REGION(offset)	 ((__u32)(((offset) >> 52) & 0xff))
#define SCUSE_MMAP_QUEUE(offset)	 ((__u32)(((offset) >> 40) & 0xfff))
#define SCUSE_MMAP_WITHIN(offset)	 ((offset) & (((__u64)1 << 40) - 1))

/* What SCUSE_IOC_INFO fills; the caller sets `size`. */
struct scuse_info {
	__u32 size;	    /* sizeof(struct scuse_info) as the caller knows it */
	__u16 abi_major;
	__u16 abi_minor;
	__u32 device;	    /* id: the N of /dev/scuseN */
	__u32 queues;
	__u32 depth;
	__u32 slot_size;    /* bytes: the device's largest transfer */
	__u32 block_size;   /* bytes of a logical block */
	__u32 device_type;  /* SPC-4 peripheral device type */
	__u64 device_size;  /* bytes */
	__u64 region_size[SCUSE_REGIONS]; /* bytes, for mmap */
	char handler[SCUSE_HANDLER_MAX];
	__u32 pi_type;	 /* minor 1: T10 protection type, 0: none.  Not 0: START must offer FEATURE_PI */
	__u32 pi_offset; /* minor 1: bytes from the start of a slot to its protection information */
	__u32 flags;	 /* minor 2: SCUSE_INFO_* */
	__u32 reserved0;
	__u64 reserved[2];
};

#define SCUSE_INFO_RAW 0x1u /* minor 2: a raw LUN; device_type is SCUSE_TYPE_UNKNOWN before the first START */

/* Minor 2.  A command that the handler of a raw LUN carries out. */
struct scuse_command {
	__u8 opcode;
	__u8 has_action; /* 1: with this service action only */
	__u16 action;
	__u8 cdb_length; /* bytes; 0: as the operation code says (SPC-4 4.2.5.1) */
	__u8 direction;	 /* enum scuse_direction; only looked at if the kernel's table does not know the command */
	__u16 flags;	 /* SCUSE_COMMAND_* */
	__u32 timeout;	 /* seconds, for REPORT SUPPORTED OPERATION CODES; 0: not stated */
	__u32 reserved;
	__u8 usage[32];	 /* CDB usage data (SPC-4 6.35.3); all zero: not stated */
};

enum scuse_direction {
	SCUSE_DIRECTION_NONE = 0,
	SCUSE_DIRECTION_OUT = 1, /* from the initiator */
	SCUSE_DIRECTION_IN = 2
};

#define SCUSE_COMMAND_WRITES 0x0001u /* changes the medium or the device: refused on a read-only LUN */
/* Not one command, but all that the table lets pass for the device type; other fields are 0. */
#define SCUSE_COMMAND_STANDARD 0x0002u

/*
 * What the handler can do: the argument of SCUSE_IOC_START, and of SCUSE_IOC_UPDATE when it changes.
 * Fields that are 0 mean "not offered" (features) or "no opinion" (limits).
 */
struct scuse_start {
	__u32 size;	   /* sizeof(struct scuse_start) as the caller knows it */
	__u16 abi_major;   /* what the worker was built with */
	__u16 abi_minor;
	__u32 features;	   /* SCUSE_FEATURE_* */
	__u32 reserved0;
	__u64 device_size; /* bytes, a multiple of the block size; 0: as the device has it now */
	__u32 optimal_transfer;	      /* bytes (VPD B0h OPTIMAL TRANSFER LENGTH) */
	__u32 physical_block_size;    /* bytes, a power of two >= block size */
	__u32 unmap_granularity;      /* bytes (VPD B0h) */
	__u32 unmap_alignment;	      /* bytes (VPD B0h) */
	__u32 max_unmap_blocks;	      /* logical blocks of one UNMAP */
	__u32 max_unmap_ranges;	      /* descriptors of one UNMAP */
	__u32 max_write_same_blocks;  /* logical blocks */
	__u32 max_atomic_blocks;      /* minor 1: logical blocks of one atomic write; with FEATURE_ATOMIC */
	__u32 atomic_alignment;	      /* minor 1: logical blocks (VPD B0h); 0: none */
	__u32 atomic_granularity;     /* minor 1: logical blocks (VPD B0h); 0: none */
	__u32 threshold_exponent;     /* minor 1: log2 of the blocks of a threshold set (VPD B2h); 0: no thresholds */
	__u32 reserved1[3];
	/* Minor 2; for raw LUNs, otherwise all 0. */
	__u32 device_type;	      /* SPC-4 peripheral device type; as in earlier sessions */
	__u32 nr_commands;	      /* entries at `commands` */
	__u64 commands;		      /* address of an array of struct scuse_command; read during the call */
	char identity[SCUSE_IDENTITY_MAX]; /* which device it is, as in earlier sessions; empty: cannot be told */
	__u64 reserved2[4];
};

#define SCUSE_FEATURE_FLUSH	   0x0001u /* has a volatile write cache: FLUSH and FUA mean something */
#define SCUSE_FEATURE_UNMAP	   0x0002u /* thin provisioning */
#define SCUSE_FEATURE_UNMAP_ZEROES 0x0004u /* unmapped blocks read as zeros (LBPRZ) */
#define SCUSE_FEATURE_WRITE_SAME   0x0008u
#define SCUSE_FEATURE_READ_ONLY	   0x0010u /* the medium is write-protected */
#define SCUSE_FEATURE_ROTATIONAL   0x0020u
#define SCUSE_FEATURE_REPLAY_SAFE  0x0040u /* carrying out a command twice does no harm */
/* Minor 1: */
#define SCUSE_FEATURE_EXTENTS	   0x0080u
#define SCUSE_FEATURE_FORMAT	   0x0100u
#define SCUSE_FEATURE_SANITIZE_OVERWRITE 0x0200u
#define SCUSE_FEATURE_SANITIZE_BLOCK	 0x0400u
#define SCUSE_FEATURE_SANITIZE_CRYPTO	 0x0800u
#define SCUSE_FEATURE_ATOMIC	   0x1000u /* WRITE with SCUSE_SQE_F_ATOMIC */
#define SCUSE_FEATURE_ANCHOR	   0x2000u /* SCUSE_SQE_F_ANCHOR means something */
#define SCUSE_FEATURE_PI	   0x4000u /* keeps protection information: SCUSE_SQE_F_PI */
/* Minor 2, raw LUNs: */
#define SCUSE_FEATURE_UNIT_ATTENTIONS 0x8000u /* sense data may be UNIT ATTENTION: a real device's; see RAW LUNS */
#define SCUSE_FEATURE_RESET	   0x10000u /* knows SCUSE_OP_LU_RESET */

/*
 * The argument of SCUSE_IOC_NOTIFY (minor 1): something has happened to the medium that initiators must
 * know.  The kernel raises the unit attentions.
 */
struct scuse_notify {
	__u32 size;    /* sizeof(struct scuse_notify) as the caller knows it */
	__u32 events;  /* SCUSE_NOTIFY_* */
	__u64 used_blocks;	/* with USAGE: logical blocks that have storage */
	__u64 available_blocks; /* with USAGE: logical blocks for which there still is storage */
	__u8 asc;		/* minor 2: with UNIT_ATTENTION */
	__u8 ascq;
	__u16 reserved0;
	__u32 reserved1;
	__u64 reserved[4];
};
#define SCUSE_NOTIFY_MEDIUM    0x1u /* another medium: 28h/00h to every nexus */
#define SCUSE_NOTIFY_THRESHOLD 0x2u /* the soft threshold was crossed: 38h/07h to every nexus */
#define SCUSE_NOTIFY_USAGE     0x4u /* the figures above are true; shown in the log page 0Ch */
/*
 * Minor 2, with FEATURE_UNIT_ATTENTIONS: the device has told the worker of a unit attention, outside of any
 * command of an initiator's: it is established for every nexus.
 */
#define SCUSE_NOTIFY_UNIT_ATTENTION 0x8u

/*
 * The argument of SCUSE_IOC_ENTER, on a queue's descriptor.
 *
 * Takes all published CQEs, then, with SCUSE_ENTER_WAIT, sleeps until sq_tail differs from `sq_head`, the
 * time is over, a signal comes, or the session ends.  Repeating it after EINTR is harmless.
 */
struct scuse_enter {
	__u32 size;    /* sizeof(struct scuse_enter) as the caller knows it */
	__u32 flags;   /* SCUSE_ENTER_* */
	__u32 sq_head; /* the sq_head that the caller has reached */
	__u32 spin;    /* reserved for a spinning budget, 0 */
	__u64 timeout; /* nanoseconds; 0: no limit */
};
#define SCUSE_ENTER_WAIT 0x1u

/*
 * ioctls.  Errors common to all: EFAULT (bad pointer), EINVAL (reserved bits or fields set, size too small),
 * E2BIG (unknown trailing fields set), ENODEV (the device was removed), EPROTO (the session is broken).
 *
 *	SCUSE_IOC_INFO	 on the session: 0.
 *	SCUSE_IOC_QUEUE	 on the session, argument = queue index: a new descriptor (O_CLOEXEC) for ENTER and
 *			 poll.  EINVAL: no such queue.
 *	SCUSE_IOC_START	 on the session: 0, the device is online and the caller's process is the worker.
 *			 EPROTONOSUPPORT: the ABI's major differs.  EALREADY: started before.
 *			 EINVAL: a limit that makes no sense; the kernel log says which.
 *			 EXDEV: not the device that earlier sessions served (raw LUNs).
 *	SCUSE_IOC_UPDATE on the session: 0.  ENOTCONN: not started.
 *	SCUSE_IOC_NOTIFY on the session: 0.  ENOTCONN: not started.  EINVAL also: SCUSE_NOTIFY_UNIT_ATTENTION
 *			 without the feature, or of a LUN that is not raw.
 *	SCUSE_IOC_ENTER	 on a queue: 1 if sq_tail != sq_head, else 0 (no WAIT, or timed out).  EINTR.
 */
#define SCUSE_IOC_TYPE	 0xB9
#define SCUSE_IOC_INFO	 _IOWR(SCUSE_IOC_TYPE, 0x01, struct scuse_info)
#define SCUSE_IOC_QUEUE	 _IO(SCUSE_IOC_TYPE, 0x02)
#define SCUSE_IOC_START	 _IOW(SCUSE_IOC_TYPE, 0x03, struct scuse_start)
#define SCUSE_IOC_UPDATE _IOW(SCUSE_IOC_TYPE, 0x04, struct scuse_start)
#define SCUSE_IOC_ENTER	 _IOW(SCUSE_IOC_TYPE, 0x05, struct scuse_enter)
#define SCUSE_IOC_NOTIFY _IOW(SCUSE_IOC_TYPE, 0x06, struct scuse_notify)

/*
 * GENERIC NETLINK
 *
 * Family "scuse", in the initial network namespace.  Requests and replies carry the attributes below, flat.
 * Reading is open to everybody; commands marked (A) need CAP_SYS_ADMIN.  Errors come with an extended-ack
 * message that is meant for people.
 *
 * Events.  Group "events".  Each has SCUSE_ATTR_SEQUENCE, which grows by one an event: a listener that sees
 * a gap (or ENOBUFS) has lost some, and should dump.  Each message of a dump carries the sequence number
 * of the latest event at that moment.
 *
 * Owners.  A runner claims handler names with OWNER_CLAIM (A).  One socket owns a name; a claim ends with
 * RELEASE or with the socket.  The kernel asks the owner of a device's handler with CMD_REQUEST, sent
 * to that socket alone, and waits a limited time (SCUSE_REQUEST_TIMEOUT) for CMD_REPLY (A) with the
 * same cookie; replies of anybody else, or with a cookie that is not waited for, get ENOENT.
 * A device whose handler has no owner can be enabled: it stays offline until somebody serves it.
 *
 * Mode pages (minor 1).  The kernel keeps them, but has no place for saved ones.  When an initiator saves
 * pages it asks the owner (REQUEST_SAVE_MODE) and lets the initiator wait for the answer; without an owner
 * saving fails.  On ADD, before it starts a worker, the owner gives back what it has kept, with SET_MODE.
 * MODE and MODE_SAVED hold pages alone, one after the other: no mode parameter header and no block
 * descriptors.
 */
#define SCUSE_GENL_NAME	   "scuse"
#define SCUSE_GENL_VERSION 1
#define SCUSE_GENL_GROUP   "events"

enum scuse_cmd {
	SCUSE_CMD_UNSPEC = 0,
	SCUSE_CMD_GET_DEVICE = 1, /* one (ID or NAME) or dump -> GET_DEVICE with the device attributes */
	SCUSE_CMD_GET_QUEUE = 2,  /* dump, ID optional -> GET_QUEUE: ID, QUEUE, geometry and state */
	SCUSE_CMD_GET_STATS = 3,  /* dump, ID optional -> GET_STATS: ID, QUEUE, SCUSE_ATTR_STAT_* */
	SCUSE_CMD_GET_OWNER = 4,  /* dump -> GET_OWNER: HANDLER, PORTID, PID */
	SCUSE_CMD_OWNER_CLAIM = 5,   /* (A) HANDLER.  EBUSY: somebody else owns it */
	SCUSE_CMD_OWNER_RELEASE = 6, /* (A) HANDLER */
	SCUSE_CMD_REPLY = 7,	     /* (A) COOKIE, STATUS (0 or errno), MESSAGE (if STATUS != 0) */
	SCUSE_CMD_RESIZE = 8,	     /* (A) ID, SIZE: asks the owner, then changes the capacity */
	SCUSE_CMD_REPORT = 9,	     /* (A) ID, EVENT (HANDLER_ERROR, SLOW_COMMAND, GIVEN_UP), MESSAGE: becomes an event */
	SCUSE_CMD_EVENT = 10,	     /* kernel to group: SEQUENCE, EVENT, and what the event has */
	SCUSE_CMD_REQUEST = 11,	     /* kernel to owner: COOKIE, REQUEST, the device attributes */
	/* minor 1 */
	SCUSE_CMD_GET_NEXUS = 12,    /* dump, ID optional -> GET_NEXUS: ID, NEXUS, FABRIC, INITIATOR, TARGET, LUN, UA */
	/*
	 * dump, ID optional -> GET_RESERVATION: ID, FABRIC, INITIATOR, TARGET, PR_TYPE, PR_HOLDER and, but
	 * for an SPC-2 reservation, KEY and PR_GENERATION.  One message a registrant or holder.
	 */
	SCUSE_CMD_GET_RESERVATION = 13,
	SCUSE_CMD_GET_MODE = 14,     /* ID -> GET_MODE: ID, MODE, MODE_SAVED (if any) */
	SCUSE_CMD_SET_MODE = 15,     /* (A) ID, MODE: becomes saved and current.  EINVAL: the message says why */
	/*
	 * minor 3.  (A) ID: brings a LUN back that was given up, or gives it a new worker: revokes the session,
	 * if there is one, then asks the owner (REQUEST_RESTART) and waits for it.
	 */
	SCUSE_CMD_RESTART = 16
};
#define SCUSE_CMD_MAX 16

/* SCUSE_ATTR_EVENT.  Events of a device carry its device attributes. */
enum scuse_event {
	SCUSE_EVENT_UNSPEC = 0,
	SCUSE_EVENT_DEVICE_ADDED = 1,	 /* enabled */
	SCUSE_EVENT_DEVICE_REMOVED = 2,
	SCUSE_EVENT_SIZE_CHANGED = 3,
	SCUSE_EVENT_SESSION_STARTED = 4, /* the device is online; PID is the worker's */
	SCUSE_EVENT_SESSION_LOST = 5,	 /* the session's file is closed; PID was the worker's */
	SCUSE_EVENT_SESSION_BROKEN = 6,	 /* a violation; MESSAGE says which */
	SCUSE_EVENT_HANDLER_ERROR = 7,	 /* MESSAGE; raised by REPORT or by a REPLY with an error */
	SCUSE_EVENT_SLOW_COMMAND = 8,	 /* MESSAGE */
	SCUSE_EVENT_OWNER_CLAIMED = 9,	 /* HANDLER, PORTID, PID */
	SCUSE_EVENT_OWNER_LOST = 10,	 /* HANDLER, PORTID */
	SCUSE_EVENT_UNIT_ATTENTION = 11, /* ASC, ASCQ; NEXUS if one is spared, it caused it */
	/* minor 1 */
	SCUSE_EVENT_RESERVATION = 12,	 /* reservation or registrations have changed: dump GET_RESERVATION */
	SCUSE_EVENT_MODE_CHANGED = 13,	 /* MODE */
	/* minor 3 */
	SCUSE_EVENT_SESSION_REVOKED = 14, /* MESSAGE; PID is the worker's, which has been killed */
	SCUSE_EVENT_GIVEN_UP = 15,	 /* MESSAGE; by REPORT: the owner starts no more workers until RESTART */
	SCUSE_EVENT_COMMANDS_FAILED = 16 /* the device has been offline for orphan_timeout: commands no longer wait */
};

/* SCUSE_ATTR_REQUEST: what the kernel asks of the owner. */
enum scuse_request {
	SCUSE_REQUEST_UNSPEC = 0,
	SCUSE_REQUEST_ADD = 1,	  /* a device was enabled: serve it.  Reply after START, or with the error */
	SCUSE_REQUEST_REMOVE = 2, /* for information, not waited for: the device goes away; close the session */
	SCUSE_REQUEST_RESIZE = 3, /* SIZE is the wanted size; reply when the handler agrees */
	SCUSE_REQUEST_SAVE_MODE = 4, /* minor 1: keep MODE; reply when it is on stable storage */
	SCUSE_REQUEST_RESTART = 5    /* minor 3: serve the device by a new worker; reply after its START */
};
#define SCUSE_REQUEST_TIMEOUT 30 /* seconds */
#define SCUSE_KILL_TIMEOUT    5  /* minor 3: seconds; see WORKERS THAT HANG */

/* SCUSE_ATTR_STATE */
enum scuse_state {
	SCUSE_STATE_OFFLINE = 0,  /* no session has started */
	SCUSE_STATE_ONLINE = 1,
	SCUSE_STATE_BROKEN = 2,	  /* a session violated the protocol and is not yet gone */
	SCUSE_STATE_REMOVING = 3
};

/* Attributes.  The type is in the comment; str attributes end with NUL. */
enum scuse_attr {
	SCUSE_ATTR_UNSPEC = 0,
	SCUSE_ATTR_PAD = 1,

	/* the device attributes */
	SCUSE_ATTR_ID = 2,	       /* u32: the N of /dev/scuseN */
	SCUSE_ATTR_NAME = 3,	       /* str: the name of its configfs directory */
	SCUSE_ATTR_HBA = 4,	       /* u32: the N of core/scuse_N */
	SCUSE_ATTR_HANDLER = 5,	       /* str */
	SCUSE_ATTR_CONFIG = 6,	       /* str: handler parameters, one key=value a line (A: left out for others) */
	SCUSE_ATTR_SIZE = 7,	       /* u64, bytes */
	SCUSE_ATTR_BLOCK_SIZE = 8,     /* u32, bytes */
	SCUSE_ATTR_STATE = 9,	       /* u8, enum scuse_state */
	SCUSE_ATTR_QUEUES = 10,	       /* u32 */
	SCUSE_ATTR_DEPTH = 11,	       /* u32 */
	SCUSE_ATTR_MAX_TRANSFER = 12,  /* u32, bytes */
	SCUSE_ATTR_PID = 13,	       /* u32: the worker's, or an owner's */
	SCUSE_ATTR_SERIAL = 14,	       /* str: unit serial number (VPD 80h) */
	SCUSE_ATTR_FEATURES = 15,      /* u32, SCUSE_FEATURE_* of the running session */
	SCUSE_ATTR_EXPORTS = 16,       /* u32: fabric LUNs that refer to the device */
	SCUSE_ATTR_DEVICE_TYPE = 17,   /* u8: SPC-4 peripheral device type */
	SCUSE_ATTR_ERROR = 18,	       /* str: the last error of handler or session; absent if none */

	/* events, requests, owners */
	SCUSE_ATTR_SEQUENCE = 19,      /* u64 */
	SCUSE_ATTR_EVENT = 20,	       /* u32, enum scuse_event */
	SCUSE_ATTR_MESSAGE = 21,       /* str */
	SCUSE_ATTR_COOKIE = 22,	       /* u64 */
	SCUSE_ATTR_REQUEST = 23,       /* u32, enum scuse_request */
	SCUSE_ATTR_STATUS = 24,	       /* u32: 0 or a positive errno */
	SCUSE_ATTR_PORTID = 25,	       /* u32: netlink port of an owner */

	/* queues and their statistics since the device was enabled; all STAT are u64 */
	SCUSE_ATTR_QUEUE = 26,	       /* u32: index */
	SCUSE_ATTR_INFLIGHT = 27,      /* u32: tags that are not free now */
	SCUSE_ATTR_STAT_COMMANDS = 28,	   /* handed to userspace */
	SCUSE_ATTR_STAT_READ_BYTES = 29,
	SCUSE_ATTR_STAT_WRITE_BYTES = 30,
	SCUSE_ATTR_STAT_ERRORS = 31,	   /* completed with a status other than GOOD */
	SCUSE_ATTR_STAT_BUSY = 32,	   /* refused with BUSY or TASK SET FULL before userspace saw them */
	SCUSE_ATTR_STAT_ENTERS = 33,	   /* SCUSE_IOC_ENTER calls */
	SCUSE_ATTR_STAT_SLEEPS = 34,	   /* of these, how many slept */
	SCUSE_ATTR_STAT_WAKEUPS = 35,	   /* wake-ups sent to the worker */
	SCUSE_ATTR_STAT_SUPPRESSED = 36,   /* submissions that needed none */
	SCUSE_ATTR_STAT_BATCHES = 37,	   /* times that the kernel found CQEs to take */
	SCUSE_ATTR_STAT_ZEROED_BYTES = 38, /* of READs, filled by the kernel */
	SCUSE_ATTR_STAT_UNMAP_BLOCKS = 39,

	/* minor 1: nexuses, reservations, mode pages */
	SCUSE_ATTR_NEXUS = 40,	       /* u32: as in struct scuse_sqe */
	SCUSE_ATTR_FABRIC = 41,	       /* str: LIO's name, "loopback", "iSCSI" */
	SCUSE_ATTR_INITIATOR = 42,     /* str: name of the initiator port; with ISID if the fabric has one */
	SCUSE_ATTR_TARGET = 43,	       /* str: name of the target port and ",t,0x" and its portal group tag */
	SCUSE_ATTR_LUN = 44,	       /* u64: the LUN that the nexus addresses the device by */
	SCUSE_ATTR_UA = 45,	       /* binary: pending unit attentions, two bytes each, in order of delivery */
	SCUSE_ATTR_ASC = 46,	       /* u8 */
	SCUSE_ATTR_ASCQ = 47,	       /* u8 */
	SCUSE_ATTR_KEY = 48,	       /* u64: reservation key */
	SCUSE_ATTR_PR_TYPE = 49,       /* u8: SPC-4 table 60; FFh: SPC-2 RESERVE; 0: registered, nothing reserved */
	SCUSE_ATTR_PR_HOLDER = 50,     /* u8: 1: holds the reservation */
	SCUSE_ATTR_PR_GENERATION = 51, /* u32 */
	SCUSE_ATTR_MODE = 52,	       /* binary: current mode pages, as MODE SENSE (10) of 3Fh/FFh lists them */
	SCUSE_ATTR_MODE_SAVED = 53,    /* binary: likewise, saved */

	/* minor 2: device attributes of raw LUNs, absent otherwise */
	SCUSE_ATTR_RAW = 54,	       /* u8: 1 */
	SCUSE_ATTR_IDENTITY = 55,      /* str: which device is behind it; absent if unknown */

	/* minor 3: device attributes */
	SCUSE_ATTR_ORPHAN_POLICY = 56,	 /* u8, enum scuse_orphan_policy */
	SCUSE_ATTR_ORPHAN_TIMEOUT = 57,	 /* u32, seconds; FFFFFFFFh: no limit */
	SCUSE_ATTR_INFLIGHT_POLICY = 58, /* u8, enum scuse_inflight_policy */
	SCUSE_ATTR_COMMAND_TIMEOUT = 59, /* u32, seconds; 0: no limit */
	SCUSE_ATTR_TMF_TIMEOUT = 60,	 /* u32, seconds */
	SCUSE_ATTR_OFFLINE_MS = 61,	 /* u64: milliseconds since it went offline; absent while it is online */
	SCUSE_ATTR_MEMORY = 62,		 /* u64: bytes of slots that have memory now */
	SCUSE_ATTR_MEMORY_MAX = 63,	 /* u64: bytes of slots that may have memory at a time */
	/* minor 3: queues, beside INFLIGHT, and their statistics */
	SCUSE_ATTR_WAITING = 64,	 /* u32: commands that wait for a session */
	SCUSE_ATTR_STAT_REPLAYED = 65,	 /* commands that a second session was handed */
	SCUSE_ATTR_STAT_TIMEOUTS = 66,	 /* CANCELs sent because of command_timeout */
	SCUSE_ATTR_STAT_QUARANTINED = 67 /* commands that were ended while userspace still had them */
};
#define SCUSE_ATTR_MAX 67

enum scuse_orphan_policy { SCUSE_ORPHAN_WAIT = 0, SCUSE_ORPHAN_BUSY = 1, SCUSE_ORPHAN_ERROR = 2 };
enum scuse_inflight_policy { SCUSE_INFLIGHT_REPLAY = 0, SCUSE_INFLIGHT_BUSY = 1 };
#define SCUSE_MODE_MAX 512 /* bytes of MODE and MODE_SAVED */
#define SCUSE_PR_TYPE_SPC2 0xff

/* Layout table: what an accidental change breaks at compile time, in both worlds. */
#if defined(__cplusplus) && __cplusplus >= 201103L
#define SCUSE_ABI_ASSERT(id, expr) static_assert(expr, #expr)
#elif defined(__KERNEL__) || (defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L)
#define SCUSE_ABI_ASSERT(id, expr) _Static_assert(expr, #expr)
#else
#define SCUSE_ABI_ASSERT(id, expr) typedef char scuse_abi_assert_##id[(expr) ? 1 : -1]
#endif
#define SCUSE_ABI_SIZE(type, bytes) SCUSE_ABI_ASSERT(type##_size, sizeof(struct type) == (bytes))
#define SCUSE_ABI_OFFSET(type, field, bytes) \
	SCUSE_ABI_ASSERT(type##_##field, __builtin_offsetof(struct type, field) == (bytes))

SCUSE_ABI_SIZE(scuse_sqe, 64);
SCUSE_ABI_OFFSET(scuse_sqe, op, 8);
SCUSE_ABI_OFFSET(scuse_sqe, flags, 10);
SCUSE_ABI_OFFSET(scuse_sqe, nexus, 12);
SCUSE_ABI_OFFSET(scuse_sqe, lba, 16);
SCUSE_ABI_OFFSET(scuse_sqe, blocks, 24);
SCUSE_ABI_OFFSET(scuse_sqe, data_len, 28);
SCUSE_ABI_OFFSET(scuse_sqe, cdb, 32);
SCUSE_ABI_SIZE(scuse_cqe, 32);
SCUSE_ABI_OFFSET(scuse_cqe, status, 8);
SCUSE_ABI_OFFSET(scuse_cqe, kind, 9);
SCUSE_ABI_OFFSET(scuse_cqe, sense_len, 10);
SCUSE_ABI_OFFSET(scuse_cqe, data_len, 12);
SCUSE_ABI_OFFSET(scuse_cqe, file, 16);
SCUSE_ABI_OFFSET(scuse_cqe, flags, 20);
SCUSE_ABI_OFFSET(scuse_cqe, offset, 24);
SCUSE_ABI_SIZE(scuse_range, 16);
SCUSE_ABI_OFFSET(scuse_range, blocks, 8);
SCUSE_ABI_SIZE(scuse_extent, 16);
SCUSE_ABI_OFFSET(scuse_extent, state, 12);
SCUSE_ABI_SIZE(scuse_queue_kernel, 192);
SCUSE_ABI_OFFSET(scuse_queue_kernel, depth, 12);
SCUSE_ABI_OFFSET(scuse_queue_kernel, sqe_offset, 24);
SCUSE_ABI_OFFSET(scuse_queue_kernel, slot_size, 40);
SCUSE_ABI_OFFSET(scuse_queue_kernel, sq_tail, 64);
SCUSE_ABI_OFFSET(scuse_queue_kernel, cq_head, 128);
SCUSE_ABI_OFFSET(scuse_queue_kernel, flags, 132);
SCUSE_ABI_SIZE(scuse_queue_user, 192);
SCUSE_ABI_OFFSET(scuse_queue_user, cq_tail, 64);
SCUSE_ABI_OFFSET(scuse_queue_user, flags, 128);
SCUSE_ABI_SIZE(scuse_info, 144);
SCUSE_ABI_OFFSET(scuse_info, device_size, 32);
SCUSE_ABI_OFFSET(scuse_info, region_size, 40);
SCUSE_ABI_OFFSET(scuse_info, handler, 80);
SCUSE_ABI_OFFSET(scuse_info, pi_offset, 116);
SCUSE_ABI_OFFSET(scuse_info, flags, 120);
SCUSE_ABI_SIZE(scuse_command, 48);
SCUSE_ABI_OFFSET(scuse_command, timeout, 8);
SCUSE_ABI_OFFSET(scuse_command, usage, 16);
SCUSE_ABI_SIZE(scuse_start, 256);
SCUSE_ABI_OFFSET(scuse_start, device_type, 80);
SCUSE_ABI_OFFSET(scuse_start, commands, 88);
SCUSE_ABI_OFFSET(scuse_start, identity, 96);
SCUSE_ABI_OFFSET(scuse_start, device_size, 16);
SCUSE_ABI_OFFSET(scuse_start, max_write_same_blocks, 48);
SCUSE_ABI_OFFSET(scuse_start, threshold_exponent, 64);
SCUSE_ABI_SIZE(scuse_notify, 64);
SCUSE_ABI_OFFSET(scuse_notify, available_blocks, 16);
SCUSE_ABI_OFFSET(scuse_notify, asc, 24);
SCUSE_ABI_SIZE(scuse_enter, 24);
SCUSE_ABI_OFFSET(scuse_enter, timeout, 16);

#endif /* SCUSE_ABI_H */
