/* SPDX-License-Identifier: MIT */
/*
 * The handler ABI, version 1: what a plugin provides (struct scuse_handler) and what it may call.
 *
 * A handler is a shared object in the plugin directory (`pkg-config --variable=handlerdir scuse`), named
 * after itself (NAME.so).  The worker process of a LUN loads it; each LUN has a process of its own, so
 * a handler serves one LUN a process and cannot disturb another.  A handler moves data: SCSI state (unit
 * attentions, reservations, mode pages) is the kernel half's affair.
 *
 *	#include <scuse/handler.h>
 *	...
 *	static struct scuse_handler my_handler = { .name = "my", .sync = &my_ops, ... };
 *	SCUSE_REGISTER_HANDLER(my_handler)
 *
 * LIFE OF A LUN
 *
 *	load
 *	  validate           may be called alone: a dry run, without side effects
 *	  open               the parameters are known; connect, open files, allocate
 *	    probe            say what the LUN can do
 *	    queue_open       once a queue, on the thread that will serve it      (async only)
 *	      start          commands flow from here
 *	        read, write, flush, unmap, write_zeroes, write_same, extents, cdb, cancel, reset
 *	        resize, reconfigure, probe (again, after scuse_dev_changed)
 *	      stop           all commands have completed; none will come
 *	    queue_close                                                        (async only)
 *	  close
 *	unload
 *
 *	All of these but the command operations and queue_open/queue_close run one at a time on the
 *	worker's main thread; resize, reconfigure and a later probe may run while commands are in flight.
 *	Only `name`, `open` and a `read` operation (or `cdb`, for other device types than disk) are required.
 *
 * SYNCHRONOUS OR ASYNCHRONOUS
 *	Exactly one of `sync` and `async` is set.
 *
 *	sync	Operations return 0 or -errno, or what scuse_fail() and its kind return.  The worker supplies
 *		threads as `thread_model` permits; with SCUSE_HANDLER_INLINE they run on the queue's own
 *		thread, which suits handlers that never block.
 *	async	Operations return nothing.  For each command exactly one scuse_done() or scuse_fail*() call is
 *		due, at once or later, on any thread.  A second one is logged and ignored.  Until then the
 *		io, its buffer and its private memory stay valid; afterwards they must not be touched.
 *		They run on the thread of the command's queue, at most one at a time a queue.
 *
 * RAW LUNS (minor 2)
 *	A handler whose device_type is not 0 (disk) gets commands as CDBs, in its `cdb` operation, those of its
 *	claims.  With SCUSE_DEVICE_TYPE_ANY probe says what the type is: that is for passing real devices
 *	through, disks too.  The kernel half still keeps reservations, unit attentions, REPORT LUNS and task
 *	management, says how long and in which direction data moves, and edits INQUIRY data, VPD pages and
 *	mode pages on their way to the initiator.  If INQUIRY is not claimed, the kernel half answers it.
 *
 * PRIVILEGES (minor 3)
 *	A worker starts as root, without a way to gain privileges.  From `open` on it has a network, an IPC and a
 *	UTS namespace of its own, unless the handler needs the machine's network.  After `start`, on all threads, it
 *	has only the capabilities that the handler needs, and is root only if it needs FILES, RAWIO or ADMIN: else
 *	it is a user that owns nothing (root without capabilities would still own /etc).  System calls that no
 *	handler needs end it (loading modules, mounting, tracing, rebooting, other architectures' calls).  What was
 *	opened until then goes on to work; what is opened later must be open to everybody.  Threads that the handler
 *	has started find a system call that blocks interrupted then (EINTR), as by any signal.
 *
 * WORKERS THAT DIE (minor 3)
 *	The LUN's next worker opens the handler anew.  With caps.replay_safe it is handed the commands that the
 *	dead one had not completed (SCUSE_IO_REPLAY).  A handler whose data lives in the process itself can keep
 *	them in a memfd that the supervisor holds across workers: scuse_dev_keep(), scuse_dev_kept().
 *
 * LENGTHS AND OFFSETS are 64-bit and in bytes.  The kernel and the worker have checked that they lie within
 * the LUN and are multiples of the block size; handlers need no range checks.
 *
 * ABI PROMISE
 *	Structs grow only at the end, and carry their size (filled in by SCUSE_REGISTER_HANDLER and
 *	SCUSE_OPS_HEADER).  A worker takes a shorter struct and treats what is missing as NULL, so a
 *	binary built for version 1.x runs with every later 1.y.  A newer major is refused with a message
 *	that says so.  A plugin that is newer by its minor runs too, without what the worker does not know.
 *
 * The header is self-contained, compiles as C90, C11 and C++, and defines nothing that does not begin with
 * scuse_ or SCUSE_.
 */
#ifndef SCUSE_HANDLER_H
#define SCUSE_HANDLER_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SCUSE_HANDLER_ABI_MAGIC 0x48435553u /* "SUCH" in memory */
#define SCUSE_HANDLER_ABI_MAJOR 1
#define SCUSE_HANDLER_ABI_MINOR 3

#if defined(__GNUC__)
#define SCUSE_PRINTF(fmt, first) __attribute__((__format__(__printf__, fmt, first)))
#define SCUSE_EXPORT __attribute__((__visibility__("default")))
#else
#define SCUSE_PRINTF(fmt, first)
#define SCUSE_EXPORT
#endif

struct scuse_dev;     /* the LUN, as the worker knows it; lives from open to the end of close */
struct scuse_io;      /* a command in flight */
struct scuse_config;  /* a LUN's parameters, checked against the table; lives as long as its LUN */
struct scuse_extents; /* collects the answer of the extents operation */

/* ---- parameters ------------------------------------------------------------------------------------- */

enum scuse_param_type {
	SCUSE_PARAM_STRING = 0,
	SCUSE_PARAM_PATH = 1,	  /* made absolute against the caller's directory */
	SCUSE_PARAM_BOOL = 2,	  /* true/false, yes/no, on/off, 1/0 */
	SCUSE_PARAM_INT = 3,	  /* decimal or 0x, signed 64 bits */
	SCUSE_PARAM_SIZE = 4,	  /* bytes, with k, M, G, T, P, E (powers of 1024) */
	SCUSE_PARAM_DURATION = 5, /* ns, us, ms, s (default), m, h; held in nanoseconds */
	SCUSE_PARAM_CHOICE = 6	  /* one of `choices` */
};

#define SCUSE_PARAM_REQUIRED 0x1u
#define SCUSE_PARAM_SECRET   0x2u /* never logged nor listed; the value is the name of a file that holds it */
#define SCUSE_PARAM_RUNTIME  0x4u /* `reconfigure` can change it while the LUN is in use */

/* One parameter.  The table is the only source for parsing, --help, completion and manual checks. */
struct scuse_param {
	const char *name; /* [a-z][a-z0-9_-]*; NULL ends the table */
	uint32_t type;	  /* enum scuse_param_type */
	uint32_t flags;	  /* SCUSE_PARAM_* */
	const char *default_value; /* as a user would write it; NULL: none */
	const char *help;	   /* one line */
	const char *choices;	   /* CHOICE: "a|b|c" */
	void *reserved[2];
};

/*
 * Values by name.  For a parameter that was neither given nor has a default: NULL, 0.  Asking for a name or
 * with a type that the table does not have is a bug of the handler: logged, and NULL or 0 returned.
 */
const char *scuse_config_string(const struct scuse_config *config, const char *name); /* also PATH, CHOICE */
int scuse_config_bool(const struct scuse_config *config, const char *name);
int64_t scuse_config_int(const struct scuse_config *config, const char *name);
uint64_t scuse_config_size(const struct scuse_config *config, const char *name);     /* bytes */
uint64_t scuse_config_duration(const struct scuse_config *config, const char *name); /* nanoseconds */
int scuse_config_given(const struct scuse_config *config, const char *name); /* did the user give it? */

/* What the LUN was created with. */
uint64_t scuse_config_device_size(const struct scuse_config *config);  /* bytes; 0: the handler is to say */
uint32_t scuse_config_block_size(const struct scuse_config *config);   /* bytes */

/* ---- capabilities ----------------------------------------------------------------------------------- */

/* How a feature is provided. */
enum scuse_cap {
	SCUSE_CAP_AUTO = 0,    /* NATIVE if the operation is there, else what the worker thinks best */
	SCUSE_CAP_NONE = 1,    /* not offered to initiators */
	SCUSE_CAP_EMULATE = 2, /* the worker does it with other operations */
	SCUSE_CAP_NATIVE = 3
};

/* Filled by `probe`, preset to zero (AUTO, no opinion) but for struct_size. */
struct scuse_caps {
	uint32_t struct_size;
	uint32_t read_only;   /* 1: the medium is write-protected */
	uint64_t device_size; /* bytes; 0: as created.  Required if the LUN was created without a size */
	uint8_t flush;	      /* enum scuse_cap.  NONE: writes are durable as they complete */
	uint8_t fua;	      /* EMULATE: a flush after the write */
	uint8_t unmap;	      /* EMULATE is refused: without the operation, a LUN is not thin */
	uint8_t write_zeroes; /* EMULATE: writes of zeros */
	uint8_t write_same;   /* EMULATE: repeated writes */
	uint8_t extents;
	uint8_t unmap_zeroes; /* NATIVE: unmapped ranges read as zeros */
	uint8_t rotational;   /* 1: a spinning medium */
	uint8_t replay_safe;  /* 1: carrying out a command twice does no harm */
	uint8_t format;	      /* minor 1; EMULATE: write_zeroes (or writes of zeros) over the whole medium */
	uint8_t sanitize;     /* minor 1: SCUSE_SANITIZES_* that the operation knows; not an enum scuse_cap */
	uint8_t protection;   /* minor 1; NATIVE: keeps protection information, see scuse_io_protection() */
	uint8_t atomic;	      /* minor 1; NATIVE: writes with SCUSE_IO_ATOMIC are all or nothing */
	uint8_t anchor;	      /* minor 1; NATIVE: unmap with SCUSE_IO_ANCHOR keeps the storage */
	uint8_t reserved0[2];
	uint32_t physical_block_size; /* bytes */
	uint32_t optimal_transfer;    /* bytes */
	uint32_t unmap_granularity;   /* bytes */
	uint32_t unmap_alignment;     /* bytes */
	uint64_t max_unmap;	      /* bytes of one operation */
	uint64_t max_write_same;      /* bytes of one operation */
	uint64_t max_atomic;	      /* minor 1: bytes of one atomic write */
	uint32_t atomic_granularity;  /* minor 1: bytes */
	uint32_t atomic_alignment;    /* minor 1: bytes */
	uint32_t threshold_set;	      /* minor 1: bytes, a power of two: storage is accounted in these; 0: no thresholds */
	uint32_t device_type;	      /* minor 2: with SCUSE_DEVICE_TYPE_ANY: SPC-4 peripheral device type */
	/* Minor 2; raw LUNs only.  What the pointers point to stays valid until close or the next probe. */
	const struct scuse_claim *claims; /* instead of the handler's; NULL: those */
	const char *identity; /* which device it is (a designator, vendor and serial number); NULL: cannot be told */
	uint8_t unit_attentions; /* 1: sense data of the `cdb` operation may be a real device's UNIT ATTENTION */
	uint8_t reserved2[7];
	uint64_t reserved1[2];
};

/* A command that a `cdb` handler carries out itself.  Feeds REPORT SUPPORTED OPERATION CODES. */
struct scuse_claim {
	uint8_t opcode;
	uint8_t has_service_action;
	uint16_t service_action;
	uint8_t cdb_len;      /* bytes */
	uint8_t direction;    /* 0 none, 1 from the initiator, 2 to the initiator */
	uint16_t flags;	      /* SCUSE_CLAIM_* */
	uint32_t timeout;     /* seconds that it may take; 0: the LUN's default */
	uint8_t usage[32];    /* CDB usage data (SPC-4 6.35.3): 1 bits are evaluated; all zero: not stated */
};
#define SCUSE_CLAIM_END	       0x8000u /* the last entry of a list, otherwise unused */
#define SCUSE_CLAIM_WRITES     0x0001u /* changes the medium: refused on a read-only LUN */
/* Minor 2: not one command, but all that the kernel half lets pass for the device type; other fields are 0. */
#define SCUSE_CLAIM_STANDARD   0x0002u

/* ---- commands --------------------------------------------------------------------------------------- */

#define SCUSE_IO_FUA	0x1u /* durable before it completes; never set if fua is EMULATE or NONE */
#define SCUSE_IO_DPO	0x2u
#define SCUSE_IO_UNMAP	0x4u /* write_zeroes: may deallocate */
#define SCUSE_IO_ANCHOR 0x8u
#define SCUSE_IO_ATOMIC 0x20u /* minor 1: write: all or nothing, also across a loss of power */
#define SCUSE_IO_DATA_OUT 0x40u /* minor 2: cdb: the buffer holds data from the initiator */
#define SCUSE_IO_DATA_IN 0x80u /* minor 2: cdb: the buffer is to be filled for the initiator */
#define SCUSE_IO_REPLAY 0x10u /* an earlier worker may have carried it out already */

/* Any thread, while the io is in flight. */
uint32_t scuse_io_flags(const struct scuse_io *io);    /* SCUSE_IO_* */
uint32_t scuse_io_nexus(const struct scuse_io *io);    /* id of the I_T nexus; 0: not identified */
uint64_t scuse_io_deadline(const struct scuse_io *io); /* CLOCK_MONOTONIC, nanoseconds; 0: none */
int scuse_io_cancelled(const struct scuse_io *io);     /* has the initiator given it up? */
/* `io_private_size` bytes, aligned for any type, zeroed before the first use of the slot only. */
void *scuse_io_private(const struct scuse_io *io);
uint32_t scuse_io_queue(const struct scuse_io *io);    /* index of its queue */
void *scuse_io_queue_context(const struct scuse_io *io); /* what queue_open returned */

/* For `cdb`. */
const uint8_t *scuse_io_cdb(const struct scuse_io *io, size_t *len);
/* The buffer: data from the initiator, or room for data to it.  NULL with *len = 0: no data phase. */
void *scuse_io_data(const struct scuse_io *io, uint64_t *len);
void scuse_io_set_data_in(struct scuse_io *io, uint64_t len); /* bytes that go to the initiator */
void scuse_io_set_status(struct scuse_io *io, uint8_t status); /* SAM-5 status other than GOOD, with 0 returned */

/*
 * Minor 1.  Protection information that goes with read, write and write_same (for that of one block): 8 bytes
 * a block, to be kept with the blocks as it is.  NULL: none goes with this command; a write then leaves FFh
 * in all 8 bytes.  Reading blocks that never had any fills in FFh.
 */
void *scuse_io_protection(const struct scuse_io *io, uint64_t *len);

/* Classes of failure, for handlers that do not think in sense keys. */
enum scuse_error_code {
	SCUSE_E_IO = 1,		 /* MEDIUM ERROR: unrecovered read error, or write error */
	SCUSE_E_HARDWARE = 2,	 /* HARDWARE ERROR, internal target failure */
	SCUSE_E_NO_SPACE = 3,	 /* DATA PROTECT, space allocation failed write protect */
	SCUSE_E_READ_ONLY = 4,	 /* DATA PROTECT, write protected */
	SCUSE_E_UNSUPPORTED = 5, /* ILLEGAL REQUEST, invalid command operation code */
	SCUSE_E_INVALID = 6,	 /* ILLEGAL REQUEST, invalid field in CDB */
	SCUSE_E_NOT_READY = 7,	 /* NOT READY, cause not reportable */
	SCUSE_E_BUSY = 8,	 /* status BUSY: the initiator tries again */
	SCUSE_E_NO_MEMORY = 9,	 /* status TASK SET FULL: likewise */
	SCUSE_E_CANCELLED = 10,	 /* ended because the initiator gave it up */
	SCUSE_E_MISCOMPARE = 11
};

/*
 * Ends a command.  Async handlers: exactly one of these a command, on any thread.  Sync handlers: return what
 * scuse_fail*() returns (a negative number that means "already told"), never call scuse_done().
 */
void scuse_done(struct scuse_io *io);
int scuse_fail(struct scuse_io *io, enum scuse_error_code code);
int scuse_fail_errno(struct scuse_io *io, int error); /* EIO, -EIO: both are understood */
/* CHECK CONDITION.  `information`: the INFORMATION field, or UINT64_MAX for none (SPC-4 4.5). */
int scuse_fail_sense(struct scuse_io *io, uint8_t key, uint8_t asc, uint8_t ascq, uint64_t information);
/* CHECK CONDITION with sense data as a device gave it (fixed or descriptor, at most 96 bytes). */
int scuse_fail_sense_data(struct scuse_io *io, const uint8_t *sense, size_t len);

/* extents: report ranges in ascending order without gaps, from the wanted offset on.  0, or -ERANGE. */
#define SCUSE_EXTENT_MAPPED   0u
#define SCUSE_EXTENT_HOLE     1u /* deallocated */
#define SCUSE_EXTENT_ANCHORED 2u
int scuse_extents_add(struct scuse_extents *extents, uint64_t offset, uint64_t length, uint32_t type);
/* Minor 1: has all that was asked for been reported, or all that there is room for?  What else is added is dropped. */
int scuse_extents_enough(const struct scuse_extents *extents);

/*
 * Fills the header of an ops table: { SCUSE_OPS_HEADER(struct scuse_sync_ops), .read = ... }; in C90, whose
 * initialisers are positional, it is simply the first value.
 */
#define SCUSE_OPS_HEADER(type) ((uint32_t)sizeof(type))

struct scuse_sync_ops {
	uint32_t struct_size; /* SCUSE_OPS_HEADER(struct scuse_sync_ops) */
	int (*read)(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset);
	int (*write)(void *handle, struct scuse_io *io, const void *buffer, uint64_t length, uint64_t offset);
	/* All writes that completed before become durable. */
	int (*flush)(void *handle, struct scuse_io *io);
	int (*unmap)(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset);
	int (*write_zeroes)(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset);
	/* `pattern` (one block) repeated over the range; never all zeros if write_zeroes is there. */
	int (*write_same)(void *handle, struct scuse_io *io, const void *pattern, uint64_t pattern_length,
			  uint64_t length, uint64_t offset);
	int (*extents)(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset,
		       struct scuse_extents *extents);
	int (*cdb)(void *handle, struct scuse_io *io);
	/* Minor 1.  The whole medium reads as zeros afterwards. */
	int (*format)(void *handle, struct scuse_io *io);
	/*
	 * Minor 1.  What the medium held cannot be got back afterwards, by any means.  `method` is one of
	 * SCUSE_SANITIZES_*; `pattern` is for OVERWRITE, to be repeated from the start of each block.  After
	 * the other methods reads of any block succeed without a write before them, whatever they return.
	 */
	int (*sanitize)(void *handle, struct scuse_io *io, uint32_t method, const void *pattern,
			uint64_t pattern_length);
	/*
	 * Minor 2, raw LUNs.  A LOGICAL UNIT RESET was received: reset the device.  Success only if it has
	 * been.  Commands in flight complete by themselves: it runs at once and beside them, whatever the
	 * thread model (on a thread of its own where there is a pool).  Without it: the handler's advisory
	 * `reset`.
	 */
	int (*lu_reset)(void *handle, struct scuse_io *io);
};

struct scuse_async_ops {
	uint32_t struct_size; /* SCUSE_OPS_HEADER(struct scuse_async_ops) */
	void (*read)(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset);
	void (*write)(void *handle, struct scuse_io *io, const void *buffer, uint64_t length, uint64_t offset);
	void (*flush)(void *handle, struct scuse_io *io);
	void (*unmap)(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset);
	void (*write_zeroes)(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset);
	void (*write_same)(void *handle, struct scuse_io *io, const void *pattern, uint64_t pattern_length,
			   uint64_t length, uint64_t offset);
	void (*extents)(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset,
			struct scuse_extents *extents);
	void (*cdb)(void *handle, struct scuse_io *io);

	/*
	 * Optional, for handlers with an event loop a queue.  queue_open returns 0 or -errno; its *context
	 * comes back in scuse_io_queue_context().  queue_submit is called after each batch of commands:
	 * time to hand them down in one system call.  queue_fd is a descriptor that becomes readable when
	 * completions wait; the worker then calls queue_reap on the queue's thread.
	 */
	int (*queue_open)(void *handle, uint32_t queue, uint32_t depth, void **context);
	void (*queue_submit)(void *handle, void *context);
	int (*queue_fd)(void *handle, void *context);
	void (*queue_reap)(void *handle, void *context);
	void (*queue_close)(void *handle, void *context);

	/* Minor 1, as above. */
	void (*format)(void *handle, struct scuse_io *io);
	void (*sanitize)(void *handle, struct scuse_io *io, uint32_t method, const void *pattern,
			 uint64_t pattern_length);
	/* Minor 2, as above. */
	void (*lu_reset)(void *handle, struct scuse_io *io);
};

/* Methods of sanitize (SBC-3 5.27); the bits of struct scuse_caps.sanitize. */
#define SCUSE_SANITIZES_OVERWRITE 0x1u
#define SCUSE_SANITIZES_BLOCK	  0x2u /* block erase */
#define SCUSE_SANITIZES_CRYPTO	  0x4u /* cryptographic erase */

/* How many commands may run at a time.  The numbers leave room. */
enum scuse_thread_model {
	SCUSE_THREADS_DEFAULT = 0,	   /* = SERIAL_LUN for sync, QUEUE_AFFINE for async */
	SCUSE_THREADS_SERIAL_LUN = 2000,   /* one command at a time */
	SCUSE_THREADS_PARALLEL = 3000,	   /* any number */
	SCUSE_THREADS_QUEUE_AFFINE = 4000  /* any number; those of a queue on one thread */
};

#define SCUSE_DEVICE_TYPE_ANY 0xffffffffu /* minor 2: probe says; see RAW LUNS */

/*
 * struct scuse_handler.needs (minor 3).  What is not named is taken away after `start` at the latest.  A handler
 * that was built for an earlier minor keeps all of it.
 */
#define SCUSE_NEEDS_NETWORK   0x1u /* the network of the machine, else it has an empty one */
#define SCUSE_NEEDS_PROCESSES 0x2u /* fork and exec */
#define SCUSE_NEEDS_FILES     0x4u /* opens files after `start`, of any owner (DAC_OVERRIDE, DAC_READ_SEARCH, FOWNER) */
#define SCUSE_NEEDS_RAWIO     0x8u /* CAP_SYS_RAWIO: SCSI pass-through */
#define SCUSE_NEEDS_ADMIN     0x10u /* CAP_SYS_ADMIN */

/* struct scuse_handler.flags */
#define SCUSE_HANDLER_INLINE 0x1u /* sync operations never block: run them on the queue's thread */

struct scuse_handler {
	/* filled in by SCUSE_REGISTER_HANDLER */
	uint32_t magic;
	uint16_t abi_major;
	uint16_t abi_minor;
	uint32_t struct_size;

	uint32_t flags;		  /* SCUSE_HANDLER_* */
	const char *name;	  /* [a-z][a-z0-9-]*, at most 31 characters; the file is NAME.so */
	const char *version;	  /* of the handler, for people */
	const char *description;  /* one line */
	const struct scuse_param *params; /* ends with a NULL name; NULL: takes none */
	const char *magic_param;  /* name of the parameter that a bare argument sets; NULL: none */
	uint32_t device_type;	  /* SPC-4 peripheral device type; 0: disk; or SCUSE_DEVICE_TYPE_ANY */
	uint32_t thread_model;	  /* enum scuse_thread_model */
	size_t io_private_size;	  /* bytes of private memory a command, at most 64 KiB */
	const struct scuse_claim *claims; /* with `cdb`; ends with SCUSE_CLAIM_END */

	const struct scuse_sync_ops *sync;
	const struct scuse_async_ops *async;

	/* All that return int: 0, or -errno; scuse_error() says why in words. */
	int (*load)(void);
	void (*unload)(void);
	/* Are these parameters acceptable?  Opens and changes nothing. */
	int (*validate)(const struct scuse_config *config);
	int (*open)(struct scuse_dev *dev, const struct scuse_config *config, void **handle);
	int (*probe)(void *handle, struct scuse_caps *caps);
	int (*start)(void *handle);
	/* Ends soon: no new commands come until resume or stop; hurry those in flight. */
	void (*quiesce)(void *handle);
	void (*resume)(void *handle);
	void (*stop)(void *handle);
	void (*close)(void *handle);
	/* The wanted size in bytes.  -EOPNOTSUPP without it, unless the size shrinks to what there is. */
	int (*resize)(void *handle, uint64_t size);
	/* Parameters flagged RUNTIME have new values. */
	int (*reconfigure)(void *handle, const struct scuse_config *config);

	/* Advisory, from the queue's thread; the command still needs its completion. */
	void (*cancel)(void *handle, struct scuse_io *io);
	/* A LOGICAL UNIT RESET was received: cancel what can be cancelled.  Main thread. */
	void (*reset)(void *handle);

	uint32_t needs; /* minor 3: SCUSE_NEEDS_*, what the worker may not take away; see PRIVILEGES */
};

/* ---- the LUN and messages --------------------------------------------------------------------------- */

/* The LUN's name; valid until close returns. */
const char *scuse_dev_name(const struct scuse_dev *dev);

/*
 * Something that `probe` reports has changed (size, read-only, limits).  Any thread; returns at once.  The
 * worker probes again, tells the kernel, which raises the unit attention and the netlink event.
 */
#define SCUSE_CHANGED_SIZE  0x1u
#define SCUSE_CHANGED_CAPS  0x2u
#define SCUSE_CHANGED_MEDIA 0x4u
#define SCUSE_CHANGED_THRESHOLD 0x8u /* minor 1: a soft threshold of thin provisioning was crossed */
void scuse_dev_changed(struct scuse_dev *dev, uint32_t mask);

/* Minor 1.  How much storage is behind a thin LUN, in bytes; for its log page.  Any thread, at any rate. */
void scuse_dev_usage(struct scuse_dev *dev, uint64_t used, uint64_t available);

/*
 * Minor 2.  A real device has told the handler of a unit attention outside of any command (while it was
 * opened or probed, say): the kernel half tells every initiator.  With caps.unit_attentions only.  Any
 * thread.
 */
void scuse_dev_unit_attention(struct scuse_dev *dev, uint8_t asc, uint8_t ascq);

/*
 * Minor 3.  Have the supervisor hold a duplicate of `fd` for as long as the LUN exists, beyond the worker's
 * death; it replaces an earlier one, -1 drops that.  0 or -errno; -EOPNOTSUPP if nobody is there who could.
 * During open, probe and start.
 */
int scuse_dev_keep(struct scuse_dev *dev, int fd);
/*
 * Minor 3.  What an earlier worker of the LUN has had kept: a new descriptor (close-on-exec) that the caller
 * owns, or -1.  During open.
 */
int scuse_dev_kept(struct scuse_dev *dev);

/*
 * The reason of a failure in words, for the person who typed the command: during validate, open, probe,
 * start, resize, reconfigure it becomes the error message of what was asked; elsewhere it is logged and sent
 * as an event.  Say what is wrong and what to do about it, without a final dot or newline.
 */
void scuse_error(const char *format, ...) SCUSE_PRINTF(1, 2);
void scuse_verror(const char *format, va_list args) SCUSE_PRINTF(1, 0);

enum scuse_log_level {
	SCUSE_LOG_ERROR = 3,
	SCUSE_LOG_WARNING = 4,
	SCUSE_LOG_INFO = 6,
	SCUSE_LOG_DEBUG = 7
};
void scuse_log(enum scuse_log_level level, const char *format, ...) SCUSE_PRINTF(2, 3);

/* ---- registration ----------------------------------------------------------------------------------- */

/*
 * Exports the one symbol that the worker looks for.  `handler_` is a struct scuse_handler of static storage
 * (not const: the header fields are filled in here).
 */
#define SCUSE_REGISTER_HANDLER(handler_)                                          \
	SCUSE_EXPORT const struct scuse_handler *scuse_handler_register(void);    \
	SCUSE_EXPORT const struct scuse_handler *scuse_handler_register(void)     \
	{                                                                         \
		(handler_).magic = SCUSE_HANDLER_ABI_MAGIC;                       \
		(handler_).abi_major = SCUSE_HANDLER_ABI_MAJOR;                   \
		(handler_).abi_minor = SCUSE_HANDLER_ABI_MINOR;                   \
		(handler_).struct_size = (uint32_t)sizeof(struct scuse_handler);  \
		return &(handler_);                                               \
	}

#ifdef __cplusplus
}
#endif

#endif /* SCUSE_HANDLER_H */
