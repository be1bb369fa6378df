/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the sg handler share: the open device, and what sg.c calls of the other files.
 *
 *	sg.c	   the handler's operations
 *	node.c	   from the path that was given to the device's sg node
 *	command.c  one command through SG_IO
 *	outcome.c  what host and driver say, as what an initiator is told (pure)
 *	identify.c INQUIRY, VPD pages: which device it is
 *	timeout.c  how long commands may take (pure)
 *	rsoc.c	   which commands the device has (pure)
 *	readonly.c which commands change nothing (pure)
 *	hold.c	   keeps other users out
 *	loop.c	   is the device this very LUN?
 */
#ifndef HANDLER_SG_H
#define HANDLER_SG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <scuse/abi.h>
#include <scuse/handler.h>

#define SG_SENSE_MAX 96 /* bytes of sense data that a command of ours, and scuse, have room for */

/* ---- node.c ---- */

struct sg_node {
	char sg[32]; /* "sg3" */
	char partner
		[32]; /* what sd, st, sr or ch made of the same device: "sdb", "nst0", "sr0", "sch0"; or "" */
	unsigned int host, channel, target;
	uint64_t lun;
};

/*
 * Finds the sg node of a device: `path` names it itself, or a disk, tape, CD or changer node, or is a
 * symbolic link to one.  0, or -errno, and scuse_error() has said why.
 */
int node_resolve(const char *path, struct sg_node *node);
/* Of a character or block device: by its numbers.  `sys` is where sysfs is; `path` for messages. */
int node_of_number(const char *sys, const char *path, bool block, unsigned int major, unsigned int minor,
		   struct sg_node *node);

/* ---- the device ---- */

struct sg_device {
	struct scuse_dev *dev;
	struct sg_node node;
	int fd;		/* of the sg node */
	int partner_fd; /* of the partner's; -1: not held */
	uint32_t type;	/* SPC-4 peripheral device type */
	bool read_only;
	bool direct_allowed;
	uint32_t timeout;	    /* seconds, of all commands; 0: as their kind is given */
	struct scuse_claim *claims; /* what the device says that it has; NULL: not known, or not asked for */
	uint32_t stated[256]; /* seconds that the device says it needs, by operation code; 0: not stated */
	char identity[SCUSE_IDENTITY_MAX];
	_Atomic uint32_t resets; /* of our own, begun so far */
	_Atomic bool lost;	 /* the device is gone, and that was said */
	/* Data transfers, in number and bytes: by the kernel from and to the slot, or through its own pages. */
	_Atomic uint64_t direct, direct_bytes, indirect, indirect_bytes;
};

/* ---- outcome.c ---- */

enum outcome_kind {
	OUTCOME_STATUS, /* `status`, without sense data */
	OUTCOME_SENSE,	/* the device's sense data */
	OUTCOME_MADE,	/* CHECK CONDITION with key, asc, ascq: the device did not answer */
};

struct outcome {
	enum outcome_kind kind;
	uint8_t status, key, asc, ascq;
	bool was_reset; /* somebody has reset the device */
	bool is_lost;	/* the device cannot be reached any more */
};

/* What SG_IO reports of a command that was carried out, or tried. */
struct outcome outcome_of(uint8_t status, uint16_t host_status, uint16_t driver_status, size_t sense_length);
/*
 * Did data go to the initiator before the command ended so?  `key` is that of the device's sense data.  Many
 * drivers say nothing of a residual when a command fails, which looks as if all data had been moved: then the
 * slot holds what the command before has left there.
 */
bool outcome_has_data(const struct outcome *outcome, uint8_t key);
/* What an errno of SG_IO means: the command was not begun. */
struct outcome outcome_of_errno(int error);

/* ---- timeout.c ---- */

/* Seconds that a command may take. */
uint32_t timeout_of(uint32_t device_type, const uint8_t *cdb);

/* ---- rsoc.c ---- */

/*
 * The commands of a report of all supported operation codes (SPC-4 6.35.2), but for vendor specific ones.
 * The caller frees the list.  NULL: the report is not credible, or there is no memory.
 */
struct scuse_claim *claims_from_report(const uint8_t *data, size_t length);

/* ---- readonly.c ---- */

bool command_is_harmless(uint32_t device_type, const uint8_t *cdb);

/* ---- hold.c ---- */

/* 0, with *fd the partner's or -1; or -errno, and scuse_error() has said why. */
int hold_partner(const struct sg_node *node, int *fd);

/* ---- loop.c ---- */

/*
 * -ELOOP if the device is the LUN `name`, and scuse_error() has said so.  `configfs` is where LIO's configfs
 * is; `path` for messages.
 */
int refuse_loop(const char *configfs, const char *path, const struct sg_node *node, const char *name);

/* ---- command.c ---- */

enum direction { DIRECTION_NONE, DIRECTION_OUT, DIRECTION_IN };

struct command {
	const uint8_t *cdb;
	size_t cdb_length;
	enum direction direction;
	void *data;
	uint32_t length;    /* bytes of data */
	uint32_t timeout;   /* seconds */
	bool may_be_direct; /* the device may read and write `data` itself */
	/* filled by command_run() */
	struct outcome outcome;
	uint32_t moved; /* bytes of data from the start of `data` */
	uint8_t sense[SG_SENSE_MAX];
	size_t sense_length;
	bool direct; /* the data was moved without a copy */
};

void command_run(int fd, struct command *command);
/*
 * The handler's own commands, with data-in or without data.  0 and *got, or -errno.  After a UNIT ATTENTION,
 * which it tells, it tries again.
 */
int command_ask(struct sg_device *device, const uint8_t *cdb, size_t cdb_length, void *data, uint32_t length,
		uint32_t *got);
/* Key, ASC and ASCQ of sense data as 0xKKAAQQ; 0: there is none. */
uint32_t command_sense_code(const struct command *command);

/* ---- identify.c ---- */

/* Fills in `type` and `identity`.  0, or -errno, and scuse_error() has said why. */
int identify(struct sg_device *device);
/* The identity in a page 83h; false: it has no designator of the logical unit. */
bool identity_from_designators(const uint8_t *page, size_t length, char *out, size_t size);
/* From standard INQUIRY data (36 bytes) and a serial number, which may be empty. */
void identity_from_inquiry(const uint8_t *inquiry, const char *serial, char *out, size_t size);

#endif /* HANDLER_SG_H */
