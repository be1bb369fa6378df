/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The layouts of standard INQUIRY data and vital product data pages (SPC-4 6.4.2, 7.8; SBC-3 6.6), from
 * values that inquiry.c and vpd.c collect.  Pure: also compiled for the unit tests.  No locks; the caller
 * owns all memory.
 *
 * The builders of pages return the page's length with its header, and expect zeroed memory.
 */
#ifndef SCUSE_VPDPAGE_H
#define SCUSE_VPDPAGE_H

#include "shim.h"

#define SCUSE_NAA_LENGTH	  16 /* bytes of an NAA IEEE Registered Extended designator */
#define SCUSE_INQUIRY_LENGTH	  96
#define SCUSE_VERSION_DESCRIPTORS 8

struct scuse_inquiry {
	u8 device_type;
	u8 tpgs; /* SPC-4 table 143 */
	bool third_party_copy;
	bool protect;
	bool multi_port;
	const char *vendor;			 /* at most 8 characters are shown */
	const char *product;			 /* 16 */
	const char *revision;			 /* 4 */
	u16 versions[SCUSE_VERSION_DESCRIPTORS]; /* 0 ends the list */
};

/* Standard INQUIRY data; SCUSE_INQUIRY_LENGTH bytes.  Returns the length. */
u32 scuse_inquiry_build(u8 *to, const struct scuse_inquiry *inquiry);

/* The header of any page: fills 4 bytes, returns 4 + @length. */
u32 scuse_vpd_header(u8 *to, u8 device_type, u8 page, u32 length);

/* VPD 83h, 88h: one designation descriptor (SPC-4 7.8.6). */
struct scuse_designator {
	int protocol;	/* protocol identifier of the port; -1: none (association with the LUN) */
	u8 code_set;	/* 1 binary, 2 ASCII, 3 UTF-8 */
	u8 association; /* 0 logical unit, 1 target port, 2 target device */
	u8 type;	/* SPC-4 table 531 */
};

/* @length bytes of @data, at most 252, are padded with zeros to a multiple of 4 if @type is 8 (SCSI name string). */
u32 scuse_vpd_designator(u8 *to, const struct scuse_designator *designator, const void *data, u32 length);
/* The two that carry a 16-bit number in 4 bytes: relative target port, target port group, LUN group. */
u32 scuse_vpd_number(u8 *to, const struct scuse_designator *designator, u16 number);

/*
 * scuse_vpd_naa - a name for the LUN that differs wherever the serial numbers differ
 * @naa: SCUSE_NAA_LENGTH bytes
 * @company: IEEE company id
 *
 * Of a UUID, or of 25 hexadecimal digits, it is what the core derives (EXTENDED COPY finds a LUN by that
 * name). The core leaves out whatever is no such digit, and all but the first 25, so that other serial
 * numbers could become the same name; of these a hash is taken.
 */
void scuse_vpd_naa(u8 *naa, const char *serial, u32 company);

/* VPD B0h, Block Limits; in logical blocks, 0: no limit or not reported. */
struct scuse_block_limits {
	bool no_zero_same; /* WSNZ: WRITE SAME with 0 blocks is refused */
	u8 compare_and_write;
	u16 granularity;
	u32 transfer;
	u32 optimal_transfer;
	u32 prefetch;
	u32 unmap;
	u32 unmap_ranges;
	u32 unmap_granularity;
	u32 unmap_alignment;
	u64 write_same;
	u32 atomic;
	u32 atomic_alignment;
	u32 atomic_granularity;
};

u32 scuse_vpd_block_limits(u8 *to, u8 device_type, const struct scuse_block_limits *limits);

/* VPD B1h, Block Device Characteristics, with the fields on SANITIZE that SBC-4 (6.6.2) added */
struct scuse_characteristics {
	bool rotational;
	bool block_erase;  /* SANITIZE offers it, and what was erased can be read (WABEREQ 01b) */
	bool crypto_erase; /* likewise (WACEREQ 01b) */
};

u32 scuse_vpd_characteristics(u8 *to, u8 device_type, const struct scuse_characteristics *what);

/* VPD B2h, Logical Block Provisioning */
struct scuse_provisioning {
	bool unmap;	 /* LBPU */
	bool write_same; /* LBPWS, LBPWS10 */
	bool zeroes;	 /* LBPRZ */
	bool anchor;	 /* ANC_SUP */
	u8 threshold_exponent;
};

u32 scuse_vpd_provisioning(u8 *to, u8 device_type, const struct scuse_provisioning *provisioning);

/* VPD 86h, Extended INQUIRY Data; @pi_type: T10 protection type, 0: none */
u32 scuse_vpd_extended(u8 *to, u8 device_type, u8 pi_type, bool write_cache, bool referrals);

/* VPD 87h, Mode Page Policy: all pages are shared by all I_T nexuses. */
u32 scuse_vpd_mode_policy(u8 *to, u8 device_type);

#endif /* SCUSE_VPDPAGE_H */
