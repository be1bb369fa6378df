// SPDX-License-Identifier: GPL-2.0-only
/*
 * What initiators see of a device's INQUIRY data, vital product data and capacities; see mask.h.  Pure:
 * called by raw.c and by the unit tests, any context, no locks.
 */
#include "mask.h"
#include "bytes.h"

#define SCUSE_CDB_READ_BLOCK_LIMITS 0x05
#define SCUSE_CDB_INQUIRY	    0x12
#define SCUSE_CDB_MODE_SENSE_6	    0x1a
#define SCUSE_CDB_LOG_SENSE	    0x4d
#define SCUSE_CDB_MODE_SENSE_10	    0x5a
#define SCUSE_CDB_SERVICE_IN_16	    0x9e /* of its service actions only READ CAPACITY (16) is masked */

#define SCUSE_TYPE_DISK 0x00
#define SCUSE_TYPE_TAPE 0x01

#define SCUSE_MASK_REST 0xffff /* to the end */

/* What stays of the bits of bytes @first to @last.  Bytes that no line names stay. */
struct scuse_mask_bits {
	u16 first;
	u16 last;
	u8 keep;
};

/* Standard INQUIRY data (SPC-4 6.4.2) */
static const struct scuse_mask_bits scuse_mask_inquiry_bits[] = {
	/* qualifier and device type: the LUN is what it was created as */
	{ 0, 0, 0x00 },
	/* RMB stays; LU_CONG: subsidiary LUNs of the device cannot be addressed */
	{ 1, 1, 0x80 },
	/* NORMACA: no ACA; HISUP: REPORT LUNS is the target's.  The data format stays */
	{ 3, 3, 0x0f },
	/* SCCS, 3PC: refused (raw.table); ACC: initiators cannot be told apart; TPGS, PROTECT */
	{ 5, 5, 0x00 },
	/* ENCSERV stays; MULTIP; BQUE, MCHNGR, ADDR16: refused, or the device's transport */
	{ 6, 6, 0x40 },
	/* CMDQUE; linked commands are refused; WBUS16, SYNC: the device's transport */
	{ 7, 7, 0x00 },
	/* vendor specific: nobody here can tell what it promises */
	{ 36, 55, 0x00 },
	/* CLOCKING, QAS, IUS: the device's transport */
	{ 56, 57, 0x00 },
	/* reserved, then vendor specific */
	{ 74, SCUSE_MASK_REST, 0x00 },
};

#define SCUSE_INQUIRY_VERSIONS	  58 /* version descriptors, up to byte 73 */
#define SCUSE_INQUIRY_VERSION_END 74
#define SCUSE_INQUIRY_END	  96

/* VPD 86h, Extended INQUIRY Data (SPC-4 7.8.7) */
static const struct scuse_mask_bits scuse_mask_extended_bits[] = {
	/* ACTIVATE_MICROCODE stays; SPT, GRD_CHK, APP_CHK, REF_CHK: no protection information */
	{ 4, 4, 0xc0 },
	/* GROUP_SUP stays; UASK_SUP: our unit attentions have no such details; PRIOR_SUP */
	{ 5, 5, 0x10 },
	/* WU_SUP, CRD_SUP, NV_SUP, V_SUP stay: such commands pass */
	{ 6, 6, 0x0f },
	/* P_I_I_SUP: no protection information; LUICLR: nexuses are the target's */
	{ 7, 7, 0x00 },
	/* R_SUP: refused; HSSRELEF, CBCS: for the one nexus that the device knows */
	{ 8, 8, 0x00 },
	/* MULTI I_T NEXUS MICROCODE DOWNLOAD: the device knows one nexus */
	{ 9, 9, 0x00 },
	/* POA_SUP, HRA_SUP, VSA_SUP stay */
	{ 12, 12, 0xe0 },
	/* of later standards */
	{ 14, SCUSE_MASK_REST, 0x00 },
};

/* VPD B0h of disks, Block Limits (SBC-3 6.6.4); limits that are the LUN's are set in scuse_mask_limits(). */
static const struct scuse_mask_bits scuse_mask_limits_bits[] = {
	/* WSNZ stays */
	{ 4, 4, 0x01 },
	/* WRITE ATOMIC, and what is later, is not in raw.table */
	{ 44, SCUSE_MASK_REST, 0x00 },
};

/* VPD B0h of tapes, Sequential-Access Device Capabilities (SSC-4 8.5.2) */
static const struct scuse_mask_bits scuse_mask_sequential_bits[] = {
	/* WORM stays; TSMC: tape stream mirroring is a third-party copy */
	{ 4, 4, 0x01 },
	/* reserved */
	{ 5, SCUSE_MASK_REST, 0x00 },
};

/* VPD B1h of disks, Block Device Characteristics (SBC-3 6.6.3) */
static const struct scuse_mask_bits scuse_mask_characteristics_bits[] = {
	/* FUAB, VBULS stay; ZONED: commands for zones are not in raw.table */
	{ 8, 8, 0x03 },
	/* of later standards */
	{ 9, SCUSE_MASK_REST, 0x00 },
};

struct scuse_mask_page {
	u8 page;
	u8 verdict; /* enum scuse_mask_verdict */
	u32 types;  /* bit n: peripheral device type n */
	const struct scuse_mask_bits *bits;
	u32 count;
};

#define SCUSE_ALL_TYPES	 0xffffffffu
#define SCUSE_TYPE(type) (1u << (type))
#define SCUSE_BITS(list) .bits = list, .count = sizeof(list) / sizeof((list)[0])

/*
 * Vital product data pages; all others are hidden, among them:
 *
 *	01h-7Fh	ASCII information, of parts of the device by their codes
 *	85h	management network addresses: a way round the LUN
 *	8Bh	device constituents: copy managers and other LUNs of the device
 *	8Fh	third-party copies, which are refused
 *	90h,91h	of the device's transport
 *	B3h	disks: referrals to the device's target port groups
 *	B4h	disks: lengths and types of protection information
 *	B5h	tapes: logical block protection, which changes the length of each transfer
 *	B6h	disks: zones
 *	C0h-FFh	vendor specific
 */
static const struct scuse_mask_page scuse_mask_pages[] = {
	{ .page = 0x00, .types = SCUSE_ALL_TYPES },
	/* The serial number stays: by it changers name their drives, and people their devices. */
	{ .page = 0x80, .types = SCUSE_ALL_TYPES },
	/*
	 * Designators: those of the device would make the LUN one more path to it for whoever sees both, and
	 * name ports that no initiator can reach.
	 */
	{ .page = 0x83, .types = SCUSE_ALL_TYPES, .verdict = SCUSE_MASK_OWN },
	{ .page = 0x86, .types = SCUSE_ALL_TYPES, SCUSE_BITS(scuse_mask_extended_bits) },
	/* Mode page policy: whatever the device says, all initiators share the pages of its one nexus. */
	{ .page = 0x87, .types = SCUSE_ALL_TYPES, .verdict = SCUSE_MASK_OWN },
	{ .page = 0x88, .types = SCUSE_ALL_TYPES, .verdict = SCUSE_MASK_OWN },
	{ .page = 0x89, .types = SCUSE_ALL_TYPES }, /* ATA information: of the device behind a translation */
	{ .page = 0x8a, .types = SCUSE_ALL_TYPES }, /* power conditions */
	{ .page = 0x8d, .types = SCUSE_ALL_TYPES }, /* power consumption */
	{ .page = 0xb0, .types = SCUSE_TYPE(SCUSE_TYPE_DISK), SCUSE_BITS(scuse_mask_limits_bits) },
	{ .page = 0xb0, .types = SCUSE_TYPE(SCUSE_TYPE_TAPE), SCUSE_BITS(scuse_mask_sequential_bits) },
	{ .page = 0xb1, .types = SCUSE_TYPE(SCUSE_TYPE_DISK), SCUSE_BITS(scuse_mask_characteristics_bits) },
	{ .page = 0xb1, .types = SCUSE_TYPE(SCUSE_TYPE_TAPE) }, /* manufacturer-assigned serial number */
	{ .page = 0xb2, .types = SCUSE_TYPE(SCUSE_TYPE_DISK) }, /* logical block provisioning */
	{ .page = 0xb2, .types = SCUSE_TYPE(SCUSE_TYPE_TAPE) }, /* TapeAlert supported flags */
	{ .page = 0xb3, .types = SCUSE_TYPE(SCUSE_TYPE_TAPE) }, /* automation device serial number */
	{ .page = 0xb4, .types = SCUSE_TYPE(SCUSE_TYPE_TAPE) }, /* data transfer device element address */
};

/* READ CAPACITY (16) (SBC-3 5.16.2) */
static const struct scuse_mask_bits scuse_mask_capacity_bits[] = {
	/* RC_BASIS stays; P_TYPE, PROT_EN: no protection information */
	{ 12, 12, 0x30 },
	/* LBPPBE stays; P_I_EXPONENT: no protection information */
	{ 13, 13, 0x0f },
	/* reserved */
	{ 16, SCUSE_MASK_REST, 0x00 },
};

static void scuse_mask_keep(u8 *data, u32 length, const struct scuse_mask_bits *bits, u32 count)
{
	u32 at;

	for (; count; count--, bits++) {
		u32 end = bits->last == SCUSE_MASK_REST ? length : bits->last + 1u;

		for (at = bits->first; at < end && at < length; at++)
			data[at] &= bits->keep;
	}
}

static void scuse_mask_set(u8 *data, u32 length, u32 at, u8 bits)
{
	if (at < length)
		data[at] |= bits;
}

/*
 * A field of @size bytes says no more than @limit.  @unlimited: zero means that there is no limit.  Of a
 * field that is cut off so much is compared as can be seen.
 */
static void scuse_mask_cap(u8 *data, u32 length, u32 at, u32 size, u64 limit, bool unlimited)
{
	u32 seen = at + size <= length ? size : length - at;
	u64 value;

	if (at >= length)
		return;
	value = scuse_get_be(&data[at], seen);
	limit >>= 8 * (size - seen);
	if (value > limit || (!value && unlimited && seen == size))
		scuse_put_be(&data[at], limit, seen);
}

/*
 * Is a version descriptor (SPC-4 table 146) of an architecture or a command set, or SAT's?  The others are of
 * transport protocols and interconnects.
 */
static bool scuse_mask_version_stays(u16 version)
{
	return (version >= 0x0020 && version <= 0x07ff) || (version >= 0x1ea0 && version <= 0x1f3f);
}

/*
 * In place, so that an answer that is cut short is the start of a whole one.  The target port's protocol
 * takes the place of the device's, or the first that is free.
 */
static void scuse_mask_versions(u8 *data, u32 length, u16 transport)
{
	u32 end = length < SCUSE_INQUIRY_VERSION_END ? length : SCUSE_INQUIRY_VERSION_END;
	u32 at;

	if (length > 4 && data[4] + 5u < end)
		end = data[4] + 5;
	for (at = SCUSE_INQUIRY_VERSIONS; at + 1 < end; at += 2) {
		if (scuse_mask_version_stays((u16)scuse_get_be(&data[at], 2)))
			continue;
		scuse_put_be(&data[at], transport, 2);
		transport = 0;
	}
	/* Half of one says nothing; what lies behind the data's own length is not data. */
	for (; at < length && at < SCUSE_INQUIRY_VERSION_END; at++)
		data[at] = 0;
}

static u32 scuse_mask_inquiry(const struct scuse_mask *mask, u8 *data, u32 length)
{
	if (length > SCUSE_INQUIRY_END)
		length = SCUSE_INQUIRY_END;
	scuse_mask_keep(data, length, scuse_mask_inquiry_bits,
			sizeof(scuse_mask_inquiry_bits) / sizeof(scuse_mask_inquiry_bits[0]));
	scuse_mask_set(data, length, 0, mask->device_type & 0x1f);
	scuse_mask_set(data, length, 3, 0x10); /* HISUP */
	if (length > 4 && data[4] > SCUSE_INQUIRY_END - 5)
		data[4] = SCUSE_INQUIRY_END - 5;
	scuse_mask_set(data, length, 5, (u8)((mask->tpgs & 0x03) << 4));
	scuse_mask_set(data, length, 6, mask->multi_port ? 0x10 : 0);
	scuse_mask_set(data, length, 7, 0x02); /* CMDQUE */
	scuse_mask_versions(data, length, mask->transport);
	return length;
}

static const struct scuse_mask_page *scuse_mask_find(u8 device_type, u8 page)
{
	u32 i;

	for (i = 0; i < sizeof(scuse_mask_pages) / sizeof(scuse_mask_pages[0]); i++) {
		const struct scuse_mask_page *entry = &scuse_mask_pages[i];

		if (entry->page == page && entry->types & SCUSE_TYPE(device_type & 0x1f))
			return entry;
	}
	return NULL;
}

static bool scuse_mask_lists(const u8 *data, u32 from, u32 to, u8 page)
{
	for (; from < to; from++) {
		if (data[from] == page)
			return true;
	}
	return false;
}

/* VPD 00h: of the device's pages those that pass, and the kernel half's own; ascending, as the table is. */
static u32 scuse_mask_page_list(const struct scuse_mask *mask, u8 *data, u32 length, u32 room)
{
	u8 pages[sizeof(scuse_mask_pages) / sizeof(scuse_mask_pages[0])];
	u32 end, i, count = 0;

	if (length < 4)
		return length;
	end = 4 + (u32)scuse_get_be(&data[2], 2);
	if (end > length)
		end = length;
	for (i = 0; i < sizeof(pages); i++) {
		const struct scuse_mask_page *entry = &scuse_mask_pages[i];

		if (entry->types & SCUSE_TYPE(mask->device_type & 0x1f) &&
		    (entry->verdict == SCUSE_MASK_OWN || !entry->page ||
		     scuse_mask_lists(data, 4, end, entry->page)))
			pages[count++] = entry->page;
	}
	scuse_put_be(&data[2], count, 2);
	if (count > room - 4)
		count = room - 4;
	memcpy(&data[4], pages, count);
	return 4 + count;
}

/* What of a disk's limits depends on how much one command can carry through the LUN. */
static void scuse_mask_limits(const struct scuse_mask *mask, u8 *data, u32 length)
{
	u32 blocks = mask->block_length ? mask->max_transfer / mask->block_length : 0;

	if (!blocks)
		return;
	scuse_mask_cap(data, length, 5, 1, blocks / 2,
		       false);				    /* MAXIMUM COMPARE AND WRITE LENGTH: each twice */
	scuse_mask_cap(data, length, 8, 4, blocks, true);   /* MAXIMUM TRANSFER LENGTH */
	scuse_mask_cap(data, length, 12, 4, blocks, false); /* OPTIMAL TRANSFER LENGTH */
}

static u32 scuse_mask_vpd(const struct scuse_mask *mask, u8 page, u8 *data, u32 length, u32 room)
{
	const struct scuse_mask_page *entry = scuse_mask_find(mask->device_type, page);

	if (length)
		data[0] = mask->device_type & 0x1f;
	if (length < 2)
		return length;
	/* Something else than what was asked for says nothing. */
	if (data[1] != page || !entry || entry->verdict != SCUSE_MASK_PASS) {
		memset(&data[1], 0, length - 1);
		data[1] = page;
		return length < 4 ? length : 4;
	}
	if (!page)
		return scuse_mask_page_list(mask, data, length, room);
	scuse_mask_keep(data, length, entry->bits, entry->count);
	if (page == 0x86) {
		scuse_mask_set(data, length, 5, 0x07); /* HEADSUP, ORDSUP, SIMPSUP: LIO's */
		/* MAXIMUM SUPPORTED SENSE DATA LENGTH: more than that is not carried. */
		if (length > 13 && data[13] > 96)
			data[13] = 96;
	}
	if (page == 0xb0 && mask->device_type == SCUSE_TYPE_DISK)
		scuse_mask_limits(mask, data, length);
	return length;
}

/* SSC-4 7.6: with MLOI it is about object identifiers. */
static void scuse_mask_block_limits(const struct scuse_mask *mask, const u8 *cdb, u8 *data, u32 length)
{
	u32 limit = mask->max_transfer < 0xffffff ? mask->max_transfer : 0xffffff;
	u32 granularity = length ? data[0] & 0x1f : 0;

	if (cdb[1] & 0x01 || !limit)
		return;
	limit = granularity < 24 ? limit >> granularity << granularity : 0;
	scuse_mask_cap(data, length, 1, 3, limit, true);
}

enum scuse_mask_verdict scuse_mask_ask(u8 device_type, const u8 *cdb)
{
	const struct scuse_mask_page *entry;

	switch (cdb[0]) {
	case SCUSE_CDB_INQUIRY:
		if (!(cdb[1] & 0x01))
			return SCUSE_MASK_PASS;
		entry = scuse_mask_find(device_type, cdb[2]);
		return entry ? (enum scuse_mask_verdict)entry->verdict : SCUSE_MASK_HIDDEN;
	case SCUSE_CDB_MODE_SENSE_6:
	case SCUSE_CDB_MODE_SENSE_10:
		return scuse_mask_ask_mode(cdb);
	case SCUSE_CDB_LOG_SENSE:
		return scuse_mask_ask_log(cdb);
	default:
		return SCUSE_MASK_PASS;
	}
}

/* The allocation length: where it is, and how much holds any answer that there is in practice. */
struct scuse_mask_wide {
	u8 at;
	u8 size;
	u16 length;
};

static struct scuse_mask_wide scuse_mask_wide(const u8 *cdb)
{
	switch (cdb[0]) {
	case SCUSE_CDB_INQUIRY:
		if (cdb[1] & 0x01 && !cdb[2])
			return (struct scuse_mask_wide){ 3, 2, 255 };
		break;
	case SCUSE_CDB_MODE_SENSE_6:
		if ((cdb[2] & 0x3f) == 0x3f)
			return (struct scuse_mask_wide){ 4, 1, 255 };
		break;
	case SCUSE_CDB_MODE_SENSE_10:
		if ((cdb[2] & 0x3f) == 0x3f)
			return (struct scuse_mask_wide){ 7, 2, 4096 };
		break;
	case SCUSE_CDB_LOG_SENSE:
		if (!(cdb[2] & 0x3f))
			return (struct scuse_mask_wide){ 7, 2, 1024 };
		break;
	default:
		break;
	}
	return (struct scuse_mask_wide){ 0, 0, 0 };
}

u32 scuse_mask_widen(const u8 *cdb, u8 *to)
{
	struct scuse_mask_wide wide = scuse_mask_wide(cdb);
	u64 asked = scuse_get_be(&cdb[wide.at], wide.size);

	if (!asked || asked >= wide.length)
		return 0;
	memcpy(to, cdb, 16);
	scuse_put_be(&to[wide.at], wide.length, wide.size);
	return wide.length;
}

u32 scuse_mask_answer(const struct scuse_mask *mask, const u8 *cdb, u8 *data, u32 length, u32 room)
{
	switch (cdb[0]) {
	case SCUSE_CDB_INQUIRY:
		if (cdb[1] & 0x01)
			return scuse_mask_vpd(mask, cdb[2], data, length, room);
		return scuse_mask_inquiry(mask, data, length);
	case SCUSE_CDB_MODE_SENSE_6:
	case SCUSE_CDB_MODE_SENSE_10:
		return scuse_mask_mode(mask, cdb, data, length);
	case SCUSE_CDB_LOG_SENSE:
		return scuse_mask_log(cdb, data, length);
	case SCUSE_CDB_READ_BLOCK_LIMITS:
		scuse_mask_block_limits(mask, cdb, data, length);
		return length;
	case SCUSE_CDB_SERVICE_IN_16:
		scuse_mask_keep(data, length, scuse_mask_capacity_bits,
				sizeof(scuse_mask_capacity_bits) / sizeof(scuse_mask_capacity_bits[0]));
		return length;
	default:
		return length;
	}
}
