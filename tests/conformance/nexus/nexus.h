/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An I_T nexus of the test program, and the commands that go through it.  Two transports carry them: iSCSI
 * (iscsi.c, on libiscsi) and a local SCSI generic node (sg.c).  The test cases see only what is here.
 *
 * Everything runs on one thread; nothing is locked.  A struct command belongs to its caller, who keeps it,
 * and the buffers that it points to, until it has been answered or nexus_forget() was called.
 *
 *	struct command:
 *
 *	  nexus_start            answer, TASK ABORTED
 *	  ----------> IN FLIGHT ----------------------> ANSWERED (status is what SAM-5 defines)
 *	                  |
 *	                  +---- session is gone -------> LOST
 *	                  +---- nexus_forget ----------> FORGOTTEN
 */
#ifndef NEXUS_H
#define NEXUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SAM-5 table 42; the negative ones are the program's own. */
enum status {
	STATUS_IN_FLIGHT = -1,
	STATUS_LOST = -2,      /* the session ended first */
	STATUS_FORGOTTEN = -3,
	STATUS_GOOD = 0x00,
	STATUS_CHECK_CONDITION = 0x02,
	STATUS_CONDITION_MET = 0x04,
	STATUS_BUSY = 0x08,
	STATUS_RESERVATION_CONFLICT = 0x18,
	STATUS_TASK_SET_FULL = 0x28,
	STATUS_TASK_ABORTED = 0x40
};

/* Sense keys that the cases name (SPC-4 table 54). */
enum sense_key {
	KEY_NO_SENSE = 0x0,
	KEY_ILLEGAL_REQUEST = 0x5,
	KEY_UNIT_ATTENTION = 0x6
};

/* ADDITIONAL SENSE CODE and its qualifier in one number, as in 0x2a01. */
typedef uint16_t asc_t;

/* Sense data of either format (SPC-4 4.5.2, 4.5.3), taken apart. */
struct sense {
	bool present;
	bool descriptor; /* format */
	uint8_t key;
	asc_t asc;
	bool has_field; /* the sense key specific field says which byte was wrong (SPC-4 4.5.2.4.2) */
	bool in_cdb;    /* it was the CDB's, not the parameter list's */
	uint16_t field;
};

struct command {
	/* set by the caller */
	uint8_t cdb[32];
	size_t cdb_len;
	const void *out; /* data to the logical unit */
	size_t out_len;
	void *in;	 /* room for data from it */
	size_t in_room;

	/* the answer */
	int status; /* enum status */
	size_t in_len; /* bytes that came */
	struct sense sense;

	/* the transport's */
	struct nexus *nexus;
	void *task;
};

/* Task management functions, numbered as iSCSI does (RFC 7143 11.5.1). */
enum task_management {
	TMF_ABORT_TASK = 1,
	TMF_ABORT_TASK_SET = 2,
	TMF_CLEAR_TASK_SET = 4,
	TMF_LOGICAL_UNIT_RESET = 5,
	TMF_TARGET_WARM_RESET = 6
};

/* Their responses (RFC 7143 11.6.1). */
enum task_management_response {
	TMF_NO_RESPONSE = -1,
	TMF_COMPLETE = 0,
	TMF_NO_SUCH_TASK = 1,
	TMF_NOT_SUPPORTED = 5,
	TMF_REJECTED = 255
};

struct nexus;

struct transport {
	/* Returns 0, or -1 after saying why on stderr. */
	int (*open)(struct nexus *nexus);
	/* Ends the I_T nexus in an orderly way (a logout). */
	void (*close)(struct nexus *nexus);
	/* Ends it as a broken cable would. */
	void (*drop)(struct nexus *nexus);
	int (*start)(struct nexus *nexus, struct command *command);
	/* Waits at most `milliseconds` for something to arrive and deals with it. */
	void (*serve)(struct nexus *nexus, int milliseconds);
	void (*forget)(struct nexus *nexus, struct command *command);
	int (*manage)(struct nexus *nexus, enum task_management function, struct command *referenced);
};

struct nexus {
	const char *name; /* in reports: "A" */
	const struct transport *transport;
	const char *initiator; /* iSCSI: initiator name */
	const char *target;    /* iSCSI: target name */
	const char *portal;    /* iSCSI: address:port */
	uint16_t isid;	       /* iSCSI: qualifier of the ISID (RFC 7143 11.12.5) */
	char node[64];	       /* sg: path of the node */
	int lun;
	void *session; /* the transport's; NULL: closed */
};

extern const struct transport iscsi_transport;
extern const struct transport sg_transport;

/* 0, or -1 after saying why on stderr.  An open nexus stays as it is. */
int nexus_open(struct nexus *nexus);
void nexus_close(struct nexus *nexus);
void nexus_drop(struct nexus *nexus);

/* Sends a command; the answer is awaited with nexus_finish(). */
void nexus_start(struct nexus *nexus, struct command *command);
/*
 * Waits for the answer, and serves the other nexuses meanwhile; false: none came in `milliseconds`, the
 * command is still in flight.
 */
bool nexus_finish(struct command *command, int milliseconds);
/* Stops waiting for an answer that is not expected to come. */
void nexus_forget(struct command *command);
/* Sends a command and waits for its answer; returns its status.  Without an answer in 30 s: STATUS_LOST. */
int nexus_run(struct nexus *nexus, struct command *command);
/* Carries out a task management function; `referenced` is for ABORT TASK.  Returns the response. */
int nexus_manage(struct nexus *nexus, enum task_management function, struct command *referenced);

/* Takes sense data apart; `data` may be shorter than it says. */
void sense_parse(struct sense *sense, const uint8_t *data, size_t len);
/* Words for a report: "CHECK CONDITION 6/2a/01".  Static storage, good for four calls. */
const char *command_answer(const struct command *command);
/* Is it CHECK CONDITION with UNIT ATTENTION and this code? */
bool command_is_attention(const struct command *command, asc_t asc);
bool command_is_error(const struct command *command, uint8_t key, asc_t asc);

#endif
