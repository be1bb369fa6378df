/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The way to the logical unit, and the commands that go along it: iSCSI (iscsi.c, on libiscsi) or SG_IO on a
 * local node (sg.c).  Other than an initiator that means well, a caller here may announce any length and any
 * direction, whatever the CDB says.
 *
 * One command at a time; one thread.  A struct command and its data belong to the caller.
 */
#ifndef FUZZ_TRANSPORT_H
#define FUZZ_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define COMMAND_LIMIT 60	 /* seconds: a command without an answer by then hangs */
#define DATA_MAX      (1u << 20) /* bytes of the data of a command */
#define CDB_MAX	      32
#define SENSE_MAX     252

/* SAM-5 table 42, and the transports' own. */
enum status {
	STATUS_GOOD = 0x00,
	STATUS_CHECK_CONDITION = 0x02,
	STATUS_CONDITION_MET = 0x04,
	STATUS_BUSY = 0x08,
	STATUS_RESERVATION_CONFLICT = 0x18,
	STATUS_TASK_SET_FULL = 0x28,
	STATUS_TASK_ABORTED = 0x40,
	STATUS_LOST = -1,   /* no answer in time, or the session broke */
	STATUS_REFUSED = -2 /* the initiator's own side did not send it */
};

enum direction { DIRECTION_NONE, DIRECTION_OUT, DIRECTION_IN };

enum residual { RESIDUAL_NONE, RESIDUAL_UNDERFLOW, RESIDUAL_OVERFLOW };

struct command {
	/* the caller's */
	uint8_t cdb[CDB_MAX];
	size_t cdb_len;
	enum direction direction;
	uint32_t length; /* bytes that the initiator announces; at most DATA_MAX */
	uint8_t *data;	 /* of `length` bytes; NULL if there are none */

	/* the answer */
	int status; /* enum status */
	uint32_t
		received; /* IN: bytes that came; what lies behind them in `data` is as the caller left it, or zero */
	enum residual residual_kind;
	uint32_t residual; /* bytes */
	uint8_t sense[SENSE_MAX];
	size_t sense_len;
};

struct transport {
	/* Sends a command and waits for the answer. */
	void (*run)(struct transport *transport, struct command *command);
	void (*close)(struct transport *transport);
	size_t cdb_max; /* bytes */
	/* It tells overflow from underflow, and counts the bytes that came. */
	bool exact;
};

/* NULL after saying why on stderr.  `url` is of the form iscsi://ADDRESS:PORT/IQN/LUN. */
struct transport *iscsi_open(const char *url, const char *initiator);
/* `node` is a /dev/sdX or /dev/sgN. */
struct transport *sg_open(const char *node);

/* Sense data taken apart (SPC-4 4.5). */
struct sense {
	bool valid; /* of a format and a length that the standard knows */
	bool descriptor;
	uint8_t key;
	uint16_t asc;	/* ADDITIONAL SENSE CODE and its qualifier, as in 0x2400 */
	bool has_field; /* SKSV of a field pointer (SPC-4 4.5.2.4.2) */
	bool in_cdb;	/* C/D */
	bool has_bit;	/* BPV */
	uint8_t bit;
	uint16_t byte;
};

void sense_parse(struct sense *sense, const uint8_t *data, size_t len);
/* Is the answer CHECK CONDITION with this sense key and additional sense code? */
bool command_failed_with(const struct command *command, uint8_t key, uint16_t asc);
/* Prints CDB, lengths and answer as one line of diagnostics. */
void command_print(const struct command *command);
/* Runs a command without data, or with `len` bytes of it, again as often as it ends with UNIT ATTENTION. */
int transport_send(struct transport *transport, const uint8_t *cdb, size_t cdb_len, enum direction direction,
		   void *data, uint32_t len, struct command *answer);

/* Big-endian numbers of 1 to 8 bytes. */
static inline uint64_t get_number(const uint8_t *from, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | from[i];
	return value;
}

static inline void put_number(uint8_t *to, size_t size, uint64_t value)
{
	for (size_t i = size; i-- > 0; value >>= 8)
		to[i] = (uint8_t)value;
}

#endif
