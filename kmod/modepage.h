/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mode pages (SPC-4 7.5, SBC-3 6.5) as pure data: what MODE SENSE shows and what MODE SELECT accepts.  Used
 * by mode.c, which keeps the values of a device, and by the unit tests.  No locks; the caller owns all
 * memory.
 *
 * A page is a row of zeros in which a table (modepage.c) places fields.  A field shows a value; the values
 * come in two groups:
 *
 *	settings   MODE SELECT may change them, if the device's circumstances allow (mask `changeable`)
 *	facts	   the device's circumstances; only shown
 *
 * So sense data, the mask of changeable bits, and the check of a parameter list are all made from the one
 * table.  A bit that belongs to no changeable setting must be sent as it is shown.
 *
 * Not changeable, because it could not be honoured: QERR (the core gives a backstore no way to abort the
 * tasks of other I_T nexuses when a command ends with CHECK CONDITION), TST (there is one task set), the
 * timers of the power condition page (there is nothing to spin down), RLEC (no log parameter has a
 * threshold).
 */
#ifndef SCUSE_MODEPAGE_H
#define SCUSE_MODEPAGE_H

#include "shim.h"

enum scuse_mode_value {
	/* settings */
	SCUSE_MODE_WCE = 0,   /* caching page: write cache enabled */
	SCUSE_MODE_D_SENSE,   /* control page: sense data in descriptor format */
	SCUSE_MODE_SWP,	      /* control page: software write protect */
	SCUSE_MODE_TAS,	      /* control page: TASK ABORTED status for tasks that others abort */
	SCUSE_MODE_UA_INTLCK, /* control page: 00b, 10b or 11b */
	SCUSE_MODE_DPICZ,     /* control page: no check of protection information if PROTECT is zero */
	SCUSE_MODE_LBPERE,    /* error recovery page: thresholds of thin provisioning are reported */
	SCUSE_MODE_SETTINGS,
	/* facts */
	SCUSE_MODE_QUEUE_MODIFIER = SCUSE_MODE_SETTINGS, /* control page: QUEUE ALGORITHM MODIFIER */
	SCUSE_MODE_ATO,	   /* control page: the application client owns application tags */
	SCUSE_MODE_IALUAE, /* control extension page: implicit ALUA is enabled */
	SCUSE_MODE_VALUES
};

struct scuse_mode_values {
	u8 value[SCUSE_MODE_VALUES];
};

/* What a parameter list is checked against, and what headers and block descriptors show. */
struct scuse_mode_facts {
	u32 changeable;	      /* bit n: enum scuse_mode_value n */
	bool write_protected; /* WP (SBC-3 6.5.1) */
	bool dpofua;	      /* DPOFUA: commands may have the DPO and FUA bits */
	u64 blocks;
	u32 block_size; /* bytes */
};

/* Page control (SPC-4 table 149) */
enum scuse_mode_control {
	SCUSE_MODE_CURRENT = 0,
	SCUSE_MODE_CHANGEABLE,
	SCUSE_MODE_DEFAULT,
	SCUSE_MODE_SAVED,
};

#define SCUSE_MODE_ALL_PAGES	0x3f
#define SCUSE_MODE_ALL_SUBPAGES 0xff
/* Bytes that any answer to MODE SENSE fits in: header, long block descriptor, all pages. */
#define SCUSE_MODE_SENSE_MAX 256

/* What MODE SENSE asks for. */
struct scuse_mode_query {
	u8 page;
	u8 subpage;
	bool ten;	 /* MODE SENSE (10) */
	bool descriptor; /* with a block descriptor (DBD is zero) */
	bool long_lba;	 /* ... of 16 bytes (LLBAA) */
	bool changeable; /* show the mask of changeable bits */
};

/* Why a parameter list is refused: ILLEGAL REQUEST with this additional sense code and ASCQ 00h. */
struct scuse_mode_error {
	u8 asc; /* 26h INVALID FIELD IN PARAMETER LIST, 1Ah PARAMETER LIST LENGTH ERROR */
	u16 byte;
	u8 bit;
};

/* Is there such a page, including FFh and 3Fh?  *subpage_wrong: the page exists, but not with this subpage. */
bool scuse_mode_known(u8 page, u8 subpage, bool *subpage_wrong);

/*
 * scuse_mode_pages - the pages alone, ascending
 * @changeable: NULL: show @values; else the mask of changeable settings, which is shown in their place
 * @to: SCUSE_MODE_SENSE_MAX bytes
 *
 * Returns the length in bytes, 0 if no page matches.
 */
u32 scuse_mode_pages(u8 *to, u8 page, u8 subpage, const struct scuse_mode_values *values,
		     const u32 *changeable);

/* scuse_mode_sense - all that MODE SENSE returns; @to has SCUSE_MODE_SENSE_MAX bytes.  Returns the length. */
u32 scuse_mode_sense(u8 *to, const struct scuse_mode_query *query, const struct scuse_mode_values *values,
		     const struct scuse_mode_facts *facts);

/*
 * scuse_mode_select - check a parameter list of MODE SELECT, and take its settings over into @values
 * @list: any bytes; @length of them, not 0
 * @ten: MODE SELECT (10)
 * @values: in: the current values; out: with the list's settings, if it is accepted
 *
 * All or nothing: false, with @error filled and @values as they were, if anything is wrong.
 */
bool scuse_mode_select(const u8 *list, u32 length, bool ten, const struct scuse_mode_facts *facts,
		       struct scuse_mode_values *values, struct scuse_mode_error *error);

/*
 * scuse_mode_restore - take over the settings of pages that were saved earlier, maybe by another version or
 * under other circumstances: pages as scuse_mode_pages() writes them.  What is not a setting is not looked
 * at.  False if the pages are malformed or a setting has a value that it cannot have.
 */
bool scuse_mode_restore(const u8 *pages, u32 length, struct scuse_mode_values *values);

#endif /* SCUSE_MODEPAGE_H */
