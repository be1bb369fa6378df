/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Log pages (SPC-4 7.3, SBC-3 6.4) as pure data: what LOG SENSE shows and what LOG SELECT accepts.  Used by
 * log.c, which collects the values, and by the unit tests.  No locks; the caller owns all memory.
 *
 * The pages:
 *
 *	00h	 supported pages; 00h/FFh with subpages
 *	02h 03h 05h  errors of writing, reading, verifying: what the handler could not carry out, and how
 *		 many bytes were moved
 *	0Ch	 logical block provisioning: used and available storage, if the handler tells and the LUN has
 *		 thresholds, since these give the unit of the numbers
 *	2Fh	 informational exceptions: there are none
 *
 * No parameter has a threshold, none is saved.
 */
#ifndef SCUSE_LOGPAGE_H
#define SCUSE_LOGPAGE_H

#include "shim.h"

enum scuse_log_kind { SCUSE_LOG_WRITE = 0, SCUSE_LOG_READ, SCUSE_LOG_VERIFY, SCUSE_LOG_KINDS };

struct scuse_log_values {
	u64 bytes[SCUSE_LOG_KINDS];	  /* processed */
	u64 uncorrected[SCUSE_LOG_KINDS]; /* commands that ended with MEDIUM or HARDWARE ERROR */
	bool provisioning;		  /* there is a page 0Ch */
	bool usage;			  /* the next two are known */
	u64 used;			  /* threshold sets */
	u64 available;			  /* threshold sets */
};

/* Page control (SPC-4 table 274) */
enum scuse_log_control {
	SCUSE_LOG_THRESHOLD = 0,
	SCUSE_LOG_CUMULATIVE,
	SCUSE_LOG_DEFAULT_THRESHOLD,
	SCUSE_LOG_DEFAULT_CUMULATIVE,
};

/* What LOG SENSE asks for. */
struct scuse_log_query {
	u8 page;
	u8 subpage;
	u8 control;    /* enum scuse_log_control */
	u16 parameter; /* the first parameter code that is wanted */
};

/* Why a command is refused; a field pointer into the CDB or the parameter list. */
struct scuse_log_error {
	u8 asc; /* 24h INVALID FIELD IN CDB, 26h ... IN PARAMETER LIST, 1Ah PARAMETER LIST LENGTH ERROR */
	u16 byte;
	u8 bit;
};

/* Bytes that any log page fits in. */
#define SCUSE_LOG_MAX 256

/* Is there such a page?  *subpage_wrong: there is, but not with this subpage. */
bool scuse_log_known(const struct scuse_log_values *values, u8 page, u8 subpage, bool *subpage_wrong);

/* The counters that a reset of this page concerns, a bit each kind; page 00h means all. */
u32 scuse_log_counters(u8 page);

/*
 * scuse_log_sense - a log page; @to has SCUSE_LOG_MAX bytes
 *
 * Returns its length in bytes; 0, with @error filled, if the page, the subpage, the page control or the
 * parameter pointer names something that is not there.
 */
u32 scuse_log_sense(u8 *to, const struct scuse_log_query *query, const struct scuse_log_values *values,
		    struct scuse_log_error *error);

/*
 * scuse_log_select - check a parameter list of LOG SELECT: any @length bytes
 *
 * No parameter can be set, so a list that is accepted consists of page headers alone and changes nothing.
 */
bool scuse_log_select(const u8 *list, u32 length, const struct scuse_log_values *values,
		      struct scuse_log_error *error);

#endif /* SCUSE_LOGPAGE_H */
