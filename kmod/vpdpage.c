// SPDX-License-Identifier: GPL-2.0-only
/*
 * Layouts of INQUIRY data; see vpdpage.h.  Pure: called by inquiry.c, vpd.c and by the unit tests, any
 * context, no locks.
 */
#include "vpdpage.h"
#include "bytes.h"

#define SCUSE_NAA_DIGITS 25 /* hexadecimal, after the NAA and the company id */

/* Left aligned, filled up with spaces (SPC-4 4.4.1). */
static void scuse_put_text(u8 *to, const char *text, u32 size)
{
	u32 i;

	for (i = 0; i < size && text[i]; i++)
		to[i] = (u8)text[i];
	memset(to + i, ' ', size - i);
}

u32 scuse_inquiry_build(u8 *to, const struct scuse_inquiry *inquiry)
{
	u32 i;

	memset(to, 0, SCUSE_INQUIRY_LENGTH);
	to[0] = inquiry->device_type;
	to[2] = 0x06; /* VERSION: SPC-4 */
	to[3] = 0x12; /* HISUP; RESPONSE DATA FORMAT */
	to[4] = SCUSE_INQUIRY_LENGTH - 5;
	to[5] = (u8)(inquiry->tpgs << 4) | (inquiry->third_party_copy ? 0x08 : 0) |
		(inquiry->protect ? 0x01 : 0);
	to[6] = inquiry->multi_port ? 0x10 : 0;
	to[7] = 0x02; /* CMDQUE */
	scuse_put_text(&to[8], inquiry->vendor, 8);
	scuse_put_text(&to[16], inquiry->product, 16);
	scuse_put_text(&to[32], inquiry->revision, 4);
	for (i = 0; i < SCUSE_VERSION_DESCRIPTORS; i++)
		scuse_put_be(&to[58 + 2 * i], inquiry->versions[i], 2);
	return SCUSE_INQUIRY_LENGTH;
}

u32 scuse_vpd_header(u8 *to, u8 device_type, u8 page, u32 length)
{
	to[0] = device_type;
	to[1] = page;
	scuse_put_be(&to[2], length, 2);
	return 4 + length;
}

u32 scuse_vpd_designator(u8 *to, const struct scuse_designator *designator, const void *data, u32 length)
{
	u32 padded = designator->type == 8 ? (length + 3) & ~3u : length;

	to[0] = designator->code_set;
	to[1] = (u8)(designator->association << 4) | designator->type;
	if (designator->protocol >= 0) {
		to[0] |= (u8)(designator->protocol << 4);
		to[1] |= 0x80; /* PIV */
	}
	to[2] = 0;
	to[3] = (u8)padded;
	memcpy(&to[4], data, length);
	memset(&to[4 + length], 0, padded - length);
	return 4 + padded;
}

u32 scuse_vpd_number(u8 *to, const struct scuse_designator *designator, u16 number)
{
	u8 data[4] = { 0, 0, (u8)(number >> 8), (u8)number };

	return scuse_vpd_designator(to, designator, data, sizeof(data));
}

static int scuse_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Is it 8-4-4-4-12 digits, or 25 digits? */
static bool scuse_serial_is_hex(const char *serial)
{
	static const char uuid[] = "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh";
	u32 digits = 0;
	u32 i;

	while (scuse_hex_digit(serial[digits]) >= 0)
		digits++;
	if (digits == SCUSE_NAA_DIGITS && !serial[digits])
		return true;
	for (i = 0; i < sizeof(uuid) - 1; i++) {
		if (uuid[i] == 'h' ? scuse_hex_digit(serial[i]) < 0 : serial[i] != uuid[i])
			return false;
	}
	return !serial[i];
}

/* FNV-1a, with a last step that spreads short texts over all bits. */
static u64 scuse_serial_hash(const char *serial, u64 start)
{
	u64 hash = start;

	for (; *serial; serial++)
		hash = (hash ^ (u8)*serial) * 0x100000001b3ull;
	hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9ull;
	hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebull;
	return hash ^ (hash >> 31);
}

void scuse_vpd_naa(u8 *naa, const char *serial, u32 company)
{
	u32 digits = 0;

	memset(naa, 0, SCUSE_NAA_LENGTH);
	if (scuse_serial_is_hex(serial)) {
		for (; digits < SCUSE_NAA_DIGITS; serial++) {
			int value = scuse_hex_digit(*serial);

			if (value < 0)
				continue;
			naa[(7 + digits) / 2] |= (u8)(digits & 1 ? value << 4 : value);
			digits++;
		}
	} else {
		scuse_put_be(&naa[3], scuse_serial_hash(serial, 0x9ae16a3b2f90404full) & 0xfffffffffull, 5);
		scuse_put_be(&naa[8], scuse_serial_hash(serial, 0xcbf29ce484222325ull), 8);
	}
	naa[0] = (u8)(0x60 | (company >> 20 & 0x0f));
	naa[1] = (u8)(company >> 12);
	naa[2] = (u8)(company >> 4);
	naa[3] |= (u8)((company & 0x0f) << 4);
}

u32 scuse_vpd_block_limits(u8 *to, u8 device_type, const struct scuse_block_limits *limits)
{
	to[4] = limits->no_zero_same;
	to[5] = limits->compare_and_write;
	scuse_put_be(&to[6], limits->granularity, 2);
	scuse_put_be(&to[8], limits->transfer, 4);
	scuse_put_be(&to[12], limits->optimal_transfer, 4);
	scuse_put_be(&to[16], limits->prefetch, 4);
	scuse_put_be(&to[20], limits->unmap, 4);
	scuse_put_be(&to[24], limits->unmap_ranges, 4);
	scuse_put_be(&to[28], limits->unmap_granularity, 4);
	scuse_put_be(&to[32], limits->unmap_alignment, 4);
	/* UGAVALID: without a granularity an alignment means nothing. */
	if (limits->unmap_granularity)
		to[32] |= 0x80;
	scuse_put_be(&to[36], limits->write_same, 8);
	scuse_put_be(&to[44], limits->atomic, 4);
	scuse_put_be(&to[48], limits->atomic_alignment, 4);
	scuse_put_be(&to[52], limits->atomic_granularity, 4);
	return scuse_vpd_header(to, device_type, 0xb0, 0x3c);
}

u32 scuse_vpd_characteristics(u8 *to, u8 device_type, const struct scuse_characteristics *what)
{
	scuse_put_be(&to[4], what->rotational ? 0 : 1, 2); /* 0: not reported, 1: does not rotate */
	/* WABEREQ and WACEREQ: 0: not reported, 1: reads succeed without a write before them */
	to[7] = (what->block_erase ? 0x40 : 0) | (what->crypto_erase ? 0x10 : 0);
	return scuse_vpd_header(to, device_type, 0xb1, 0x3c);
}

u32 scuse_vpd_provisioning(u8 *to, u8 device_type, const struct scuse_provisioning *provisioning)
{
	bool thin = provisioning->unmap || provisioning->write_same;

	to[4] = provisioning->threshold_exponent;
	to[5] = (provisioning->unmap ? 0x80 : 0) | (provisioning->write_same ? 0x60 : 0) |
		(thin && provisioning->zeroes ? 0x04 : 0) | (thin && provisioning->anchor ? 0x02 : 0);
	to[6] = thin ? 0x02 : 0x00;
	return scuse_vpd_header(to, device_type, 0xb2, 4);
}

u32 scuse_vpd_extended(u8 *to, u8 device_type, u8 pi_type, bool write_cache, bool referrals)
{
	/* SPT (SPC-4 table 514): the one type; GRD_CHK, and REF_CHK where there is a reference tag. */
	if (pi_type == 1)
		to[4] = 0x05;
	else if (pi_type == 3)
		to[4] = 0x04 << 3 | 0x04;
	to[5] = 0x07; /* HEADSUP, ORDSUP, SIMPSUP */
	to[6] = write_cache;
	to[8] = referrals ? 0x10 : 0;
	to[13] = 96; /* MAXIMUM SUPPORTED SENSE DATA LENGTH */
	return scuse_vpd_header(to, device_type, 0x86, 0x3c);
}

u32 scuse_vpd_mode_policy(u8 *to, u8 device_type)
{
	to[4] = 0x3f;
	to[5] = 0xff;
	return scuse_vpd_header(to, device_type, 0x87, 4);
}
