/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The tape drive: what a LUN of this handler is.
 *
 *	             link: LOAD, or path= at open
 *	  EMPTY ------------------------------------> LOADED: at the beginning of partition 0
 *	  path NULL <-------------------------------- path, cartridge
 *	    ^            link: UNLOAD                  |   ^
 *	    |                                LOAD UNLOAD   LOAD UNLOAD
 *	    |                                 (LOAD=0) |   | (LOAD=1)
 *	    |            link: UNLOAD                  v   |
 *	    +--------------------------------------- UNLOADED: path, cartridge NULL
 *
 *	EMPTY and UNLOADED are NOT READY, MEDIUM NOT PRESENT for initiators.  Each way into LOADED
 *	raises 28h/00h: the kernel half does it after LOAD UNLOAD, for all but its sender.
 *
 * WHEN THE WORKER PROCESS DIES the kernel half ends the commands that were under way with ABORTED COMMAND,
 *	and tells all initiators of a DEVICE INTERNAL RESET before it hands out others.  The mode parameters
 *	are the default ones then, but the position is kept: each command that has completed has noted it in
 *	the cartridge's file.  So an initiator that goes on writing, whatever it was told, appends to what
 *	it had written, and does not overwrite the tape from its beginning.
 *
 * LOCKING  `lock` is held during each command and each operation of the library's changer (whose thread is
 * the link's); so everything but what is set once at open is protected by it.  The worker runs one command
 * at a time, so only the changer ever waits for it, and the worker's main thread.
 */
#ifndef VTAPE_DRIVE_H
#define VTAPE_DRIVE_H

#include <pthread.h>

#include "../vchanger/link.h"
#include "cartridge.h"
#include "mode.h"
#include "sense.h"

#define DRIVE_VENDOR	      8
#define DRIVE_PRODUCT	      16
#define DRIVE_SERIAL	      32
#define DRIVE_DEFAULT_WARNING UINT64_MAX
#define DRIVE_PREVENTERS      64 /* I_T nexuses that prevent removal at a time */

/* Since the LUN was opened; for the log pages (log.c). */
struct drive_counters {
	uint64_t bytes_written, bytes_read;
	uint64_t write_errors, read_errors;
};

struct drive {
	pthread_mutex_t lock;

	/* Set at open. */
	struct scuse_dev *dev;
	struct link_listener *listener; /* NULL: the drive is in no library */
	const char *library;
	unsigned int number; /* of the drive in its library */
	bool read_only;
	bool create;
	bool can_compress;
	uint32_t max_block;
	uint64_t early_warning; /* bytes in front of the end of a partition; or DRIVE_DEFAULT_WARNING */
	struct cartridge_options blank;
	char vendor[DRIVE_VENDOR + 1], product[DRIVE_PRODUCT + 1], serial[DRIVE_SERIAL + 1];

	/* The link's thread alone: what it said last. */
	struct link_status link_status;

	/* Under `lock`. */
	char *path;		     /* of the cartridge in the drive; NULL: EMPTY */
	struct cartridge *cartridge; /* NULL: not LOADED */
	unsigned int partition;
	struct place place;
	uint32_t preventers[DRIVE_PREVENTERS];
	unsigned int nr_preventers;
	struct mode mode;
	struct drive_counters counters;
};

/* A command's implementation; `lock` is held.  0 or what sense_fail*() returned. */
typedef int drive_command(struct drive *drive, struct scuse_io *io, const uint8_t *cdb);

/* ---- drive.c ---- */

/*
 * `lock` is held.  0, or -errno with scuse_error() called; the drive is as before then.  `resume`: at the
 * position where an earlier worker of the LUN died, if one did; otherwise at the beginning.
 */
int drive_load(struct drive *drive, const char *path, bool resume);
/* To UNLOADED.  Errors of the last flush: the cartridge is unloaded nevertheless. */
int drive_unload(struct drive *drive);
/* From UNLOADED to EMPTY. */
void drive_eject(struct drive *drive);
/* To the beginning of a partition. */
void drive_rewind(struct drive *drive, unsigned int partition);
bool drive_write_protected(const struct drive *drive);
/* Bytes of the current partition that may still be written at the position. */
uint64_t drive_room(const struct drive *drive);
bool drive_in_early_warning(const struct drive *drive);
/* Between the programmable early warning and the end (SSC-4 4.2.6). */
bool drive_in_programmable_warning(const struct drive *drive);
extern const struct link_ops drive_link_ops;

/* Copies an answer to the initiator, as much as there is room for. */
void drive_answer(struct scuse_io *io, const void *data, uint64_t length);

/* ---- transfer.c ---- */
drive_command transfer_read_6, transfer_read_16, transfer_write_6, transfer_write_16, transfer_verify,
	transfer_write_filemarks_6, transfer_write_filemarks_16;

/* ---- position.c ---- */
drive_command position_rewind, position_space_6, position_space_16, position_locate_10, position_locate_16,
	position_read;
/*
 * To object `object` of a partition: 0, or what a failed LOCATE returns.  For commands that say where they
 * work (SSC-4 4.2.14, explicit addresses).
 */
int position_go(struct drive *drive, struct scuse_io *io, unsigned int partition, uint64_t object);

/* ---- medium.c ---- */
drive_command medium_test_unit_ready, medium_load_unload, medium_prevent_allow, medium_erase_6,
	medium_erase_16, medium_format;
/* Why the medium cannot be written at the position: what to return, or 0. */
int medium_refuse_write(struct drive *drive, struct scuse_io *io);
/* The medium has failed a flush or a cut. */
int medium_write_failed(struct drive *drive, struct scuse_io *io, int error, int64_t residual);

/* ---- inquiry.c ---- */
drive_command inquiry_inquiry, inquiry_block_limits, inquiry_density_support, inquiry_send_diagnostic;

/* ---- mode.c ---- */
drive_command mode_sense_6, mode_sense_10, mode_select_6, mode_select_10;

/* ---- log.c ---- */
drive_command log_sense, log_select;

/* ---- attribute.c ---- */
drive_command attribute_read, attribute_write;

/* ---- commands.c ---- */
extern const struct scuse_claim commands_claims[];
/* The `cdb` operation. */
int commands_run(struct drive *drive, struct scuse_io *io);

#endif /* VTAPE_DRIVE_H */
