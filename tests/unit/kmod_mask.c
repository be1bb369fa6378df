// SPDX-License-Identifier: GPL-2.0-only
/*
 * What initiators see of a passed-through device (kmod/mask.[ch], kmod/maskmode.c): no capability that the
 * LUN does not keep, everything else, and that answers cut off anywhere, or made of any bytes whatever, lead
 * it nowhere.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include "bytes.h"
#include "mask.h"
#include "modepage.h"

#define DISK	0x00
#define TAPE	0x01
#define CD	0x05
#define CHANGER 0x08

static struct scuse_mask plain(u8 type)
{
	return (struct scuse_mask){ .device_type = type, .max_transfer = 1048576, .block_length = 512 };
}

/* An answer in memory of its own, so that a sanitizer sees every byte too far. */
static u32 answer(const struct scuse_mask *mask, const u8 *cdb, u8 *data, u32 length)
{
	u8 *copy = malloc(length + SCUSE_MASK_GROWTH);
	u32 now;

	memcpy(copy, data, length);
	now = scuse_mask_answer(mask, cdb, copy, length, length + SCUSE_MASK_GROWTH);
	cr_assert_leq(now, length + SCUSE_MASK_GROWTH);
	memcpy(data, copy, now);
	free(copy);
	return now;
}

static void vpd_cdb(u8 *cdb, u8 page)
{
	memcpy(cdb, (u8[16]){ 0x12, 0x01, page, 0xff, 0xff }, 16);
}

static const u8 inquiry_cdb[16] = { 0x12, 0, 0, 0xff, 0xff };
static const u8 capacity_cdb[16] = { 0x9e, 0x10 };

/*
 * The capabilities that a device can claim and the LUN does not keep: where they are in the answer, by the
 * standards' names.  page: of vital product data, NONE: standard data, CAPACITY: READ CAPACITY (16).
 */
#define NONE	 0x100
#define CAPACITY 0x101

static const struct {
	u16 page;
	u8 type;
	u8 byte;
	u8 bits;
	const char *name;
} claims[] = {
	{ NONE, DISK, 1, 0x40, "LU_CONG" },
	{ NONE, DISK, 3, 0x20, "NORMACA" },
	{ NONE, DISK, 3, 0xc0, "AERC, TRMTSK" },
	{ NONE, DISK, 5, 0x80, "SCCS" },
	{ NONE, DISK, 5, 0x40, "ACC" },
	{ NONE, DISK, 5, 0x30, "TPGS" },
	{ NONE, DISK, 5, 0x08, "3PC" },
	{ NONE, DISK, 5, 0x01, "PROTECT" },
	{ NONE, DISK, 6, 0x80, "BQUE" },
	{ NONE, DISK, 6, 0x20, "VS" },
	{ NONE, DISK, 6, 0x10, "MULTIP" },
	{ NONE, DISK, 6, 0x08, "MCHNGR" },
	{ NONE, DISK, 6, 0x01, "ADDR16" },
	{ NONE, DISK, 7, 0x80, "RELADR" },
	{ NONE, DISK, 7, 0x60, "WBUS32, WBUS16" },
	{ NONE, DISK, 7, 0x10, "SYNC" },
	{ NONE, DISK, 7, 0x08, "LINKED" },
	{ NONE, DISK, 7, 0x01, "VS" },
	{ NONE, DISK, 36, 0xff, "vendor specific" },
	{ NONE, DISK, 55, 0xff, "vendor specific" },
	{ NONE, DISK, 56, 0x0f, "CLOCKING, QAS, IUS" },
	{ NONE, DISK, 57, 0xff, "reserved" },
	{ NONE, DISK, 74, 0xff, "reserved" },
	{ NONE, DISK, 95, 0xff, "reserved" },
	{ 0x86, DISK, 4, 0x38, "SPT" },
	{ 0x86, DISK, 4, 0x07, "GRD_CHK, APP_CHK, REF_CHK" },
	{ 0x86, DISK, 5, 0x20, "UASK_SUP" },
	{ 0x86, DISK, 5, 0x08, "PRIOR_SUP" },
	{ 0x86, DISK, 7, 0x10, "P_I_I_SUP" },
	{ 0x86, DISK, 7, 0x01, "LUICLR" },
	{ 0x86, DISK, 8, 0x10, "R_SUP" },
	{ 0x86, DISK, 8, 0x02, "HSSRELEF" },
	{ 0x86, DISK, 8, 0x01, "CBCS" },
	{ 0x86, DISK, 9, 0x0f, "MULTI I_T NEXUS MICROCODE DOWNLOAD" },
	{ 0x86, DISK, 14, 0xff, "of SPC-5" },
	{ 0xb0, DISK, 4, 0xfe, "of SBC-4" },
	{ 0xb0, DISK, 44, 0xff, "MAXIMUM ATOMIC TRANSFER LENGTH" },
	{ 0xb0, TAPE, 4, 0x02, "TSMC" },
	{ 0xb0, TAPE, 5, 0xff, "reserved" },
	{ 0xb1, DISK, 8, 0x30, "ZONED" },
	{ 0xb1, DISK, 9, 0xff, "of SBC-4" },
	{ CAPACITY, DISK, 12, 0x0e, "P_TYPE" },
	{ CAPACITY, DISK, 12, 0x01, "PROT_EN" },
	{ CAPACITY, DISK, 13, 0xf0, "P_I_EXPONENT" },
	{ CAPACITY, DISK, 16, 0xff, "reserved" },
};

static void claim_cdb(u8 *cdb, u16 page)
{
	if (page == NONE)
		memcpy(cdb, inquiry_cdb, 16);
	else if (page == CAPACITY)
		memcpy(cdb, capacity_cdb, 16);
	else
		vpd_cdb(cdb, (u8)page);
}

Test(kmod_mask, nothing_that_is_not_kept_is_shown)
{
	for (u32 i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
		struct scuse_mask mask = plain(claims[i].type);
		u8 cdb[16], data[256];
		u32 length;

		claim_cdb(cdb, claims[i].page);
		memset(data, 0xff, sizeof(data));
		if (claims[i].page < NONE)
			memcpy(data, (u8[4]){ 0xff, (u8)claims[i].page, 0, 0x3c }, 4);
		length = answer(&mask, cdb, data, 128);
		cr_expect_gt(length, claims[i].byte);
		cr_expect_eq(data[claims[i].byte] & claims[i].bits, 0, "%s in byte %u of %02xh",
			     claims[i].name, claims[i].byte, claims[i].page);
	}
}

/* What the LUN is and does by itself, of a device that claims nothing. */
Test(kmod_mask, the_lun_s_own_claims)
{
	struct scuse_mask mask = plain(TAPE);
	u8 data[96] = { 0x7f, 0x80, 0x06, 0x02, 91 };

	mask.tpgs = 0x03;
	mask.multi_port = true;
	mask.transport = 0x0960;
	cr_expect_eq(answer(&mask, inquiry_cdb, data, sizeof(data)), sizeof(data));
	cr_expect_eq(data[0], TAPE);
	cr_expect_eq(data[1], 0x80, "RMB");
	cr_expect_eq(data[2], 0x06, "VERSION");
	cr_expect_eq(data[3], 0x12, "HISUP, RESPONSE DATA FORMAT");
	cr_expect_eq(data[5], 0x30, "TPGS");
	cr_expect_eq(data[6], 0x10, "MULTIP");
	cr_expect_eq(data[7], 0x02, "CMDQUE");
	cr_expect_eq(scuse_get_be(&data[58], 2), 0x0960);
}

Test(kmod_mask, names_stay)
{
	struct scuse_mask mask = plain(DISK);
	u8 data[96] = { 0, 0, 6, 2, 91 };

	memcpy(&data[8], "VENDOR  PRODUCT         REV ", 28);
	answer(&mask, inquiry_cdb, data, sizeof(data));
	cr_expect_arr_eq(&data[8], "VENDOR  PRODUCT         REV ", 28);
}

/* SAM-5, SPC-4, FCP-4, SBC-3, SAS-2, SAT-2, none, none: transports go, the port's comes instead */
Test(kmod_mask, version_descriptors)
{
	static const u16 before[8] = { 0x00a0, 0x0460, 0x0a40, 0x04c0, 0x0c20, 0x1ec0, 0, 0 };
	static const u16 after[8] = { 0x00a0, 0x0460, 0x0960, 0x04c0, 0, 0x1ec0, 0, 0 };
	struct scuse_mask mask = plain(DISK);
	u8 data[96] = { 0, 0, 6, 2, 91 };

	mask.transport = 0x0960;
	for (u32 i = 0; i < 8; i++)
		scuse_put_be(&data[58 + 2 * i], before[i], 2);
	answer(&mask, inquiry_cdb, data, sizeof(data));
	for (u32 i = 0; i < 8; i++)
		cr_expect_eq(scuse_get_be(&data[58 + 2 * i], 2), after[i], "%u", i);
}

/* A device whose data ends before the version descriptors gets none. */
Test(kmod_mask, short_inquiry_data_stays_short)
{
	struct scuse_mask mask = plain(DISK);
	u8 data[96] = { 0, 0, 2, 2, 31 };

	mask.transport = 0x0960;
	answer(&mask, inquiry_cdb, data, sizeof(data));
	cr_expect_eq(data[4], 31);
	for (u32 i = 36; i < sizeof(data); i++)
		cr_expect_eq(data[i], 0);
}

Test(kmod_mask, vendor_bytes_at_the_end_of_inquiry_data_are_cut)
{
	struct scuse_mask mask = plain(DISK);
	u8 data[256];

	memset(data, 0xff, sizeof(data));
	cr_expect_eq(answer(&mask, inquiry_cdb, data, sizeof(data)), 96);
	cr_expect_eq(data[4], 91);
}

Test(kmod_mask, list_of_vital_product_data_pages)
{
	static const u8 before[] = { 0x00, 0x00, 0,    14,   0x00, 0x03, 0x80, 0x83, 0x85,
				     0x86, 0x8f, 0x90, 0xb0, 0xb1, 0xb2, 0xb3, 0xb6, 0xc0 };
	static const u8 after[] = { 0x00, 0x00, 0, 9, 0x00, 0x80, 0x83, 0x86, 0x87, 0x88, 0xb0, 0xb1, 0xb2 };
	struct scuse_mask mask = plain(DISK);
	u8 cdb[16], data[32];

	vpd_cdb(cdb, 0);
	memcpy(data, before, sizeof(before));
	cr_expect_eq(answer(&mask, cdb, data, sizeof(before)), sizeof(after));
	cr_expect_arr_eq(data, after, sizeof(after));
	for (u32 i = 0; i < sizeof(after) - 4; i++) {
		vpd_cdb(cdb, after[4 + i]);
		cr_expect_neq(scuse_mask_ask(DISK, cdb), SCUSE_MASK_HIDDEN, "%02xh is listed", after[4 + i]);
	}
}

/* A device that lists nothing: the kernel half's own pages are there all the same. */
Test(kmod_mask, own_pages_are_always_listed)
{
	struct scuse_mask mask = plain(CHANGER);
	u8 cdb[16], data[16] = { 0x08, 0x00, 0, 1, 0x00 };

	vpd_cdb(cdb, 0);
	cr_expect_eq(answer(&mask, cdb, data, 5), 8);
	cr_expect_arr_eq(data, ((u8[]){ 0x08, 0x00, 0, 4, 0x00, 0x83, 0x87, 0x88 }), 8);
}

Test(kmod_mask, verdicts)
{
	static const struct {
		u8 type;
		u8 page;
		enum scuse_mask_verdict verdict;
	} pages[] = {
		{ DISK, 0x00, SCUSE_MASK_PASS },   { DISK, 0x80, SCUSE_MASK_PASS },
		{ DISK, 0x83, SCUSE_MASK_OWN },	   { TAPE, 0x83, SCUSE_MASK_OWN },
		{ CD, 0x87, SCUSE_MASK_OWN },	   { CHANGER, 0x88, SCUSE_MASK_OWN },
		{ DISK, 0x85, SCUSE_MASK_HIDDEN }, { DISK, 0x8f, SCUSE_MASK_HIDDEN },
		{ DISK, 0x90, SCUSE_MASK_HIDDEN }, { DISK, 0x91, SCUSE_MASK_HIDDEN },
		{ DISK, 0x89, SCUSE_MASK_PASS },   { DISK, 0xb3, SCUSE_MASK_HIDDEN },
		{ TAPE, 0xb3, SCUSE_MASK_PASS },   { TAPE, 0xb5, SCUSE_MASK_HIDDEN },
		{ DISK, 0xb4, SCUSE_MASK_HIDDEN }, { DISK, 0xb6, SCUSE_MASK_HIDDEN },
		{ CD, 0xb0, SCUSE_MASK_HIDDEN },   { DISK, 0xc0, SCUSE_MASK_HIDDEN },
		{ TAPE, 0xff, SCUSE_MASK_HIDDEN },
	};
	u8 cdb[16];

	for (u32 i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		vpd_cdb(cdb, pages[i].page);
		cr_expect_eq(scuse_mask_ask(pages[i].type, cdb), pages[i].verdict, "page %02xh of type %02xh",
			     pages[i].page, pages[i].type);
	}
	cr_expect_eq(scuse_mask_ask(DISK, inquiry_cdb), SCUSE_MASK_PASS);
	cr_expect_eq(scuse_mask_ask(DISK, capacity_cdb), SCUSE_MASK_PASS);
}

/* Standard data in answer to EVPD, as old devices give it, or another page: it is not shown. */
Test(kmod_mask, another_page_than_asked_for)
{
	struct scuse_mask mask = plain(DISK);
	u8 cdb[16], data[96];

	for (u32 page = 0; page < 256; page++) {
		vpd_cdb(cdb, (u8)page);
		memset(data, 0xa5, sizeof(data));
		data[1] = (u8)(page + 1);
		cr_expect_eq(answer(&mask, cdb, data, sizeof(data)), 4);
		cr_expect_arr_eq(data, ((u8[]){ 0, (u8)page, 0, 0 }), 4);
	}
}

Test(kmod_mask, extended_inquiry_data_of_the_lun)
{
	struct scuse_mask mask = plain(DISK);
	u8 cdb[16], data[64] = { 0, 0x86, 0, 0x3c };

	vpd_cdb(cdb, 0x86);
	data[13] = 252;
	answer(&mask, cdb, data, sizeof(data));
	cr_expect_eq(data[5], 0x07, "HEADSUP, ORDSUP, SIMPSUP");
	cr_expect_eq(data[13], 96, "MAXIMUM SUPPORTED SENSE DATA LENGTH");
}

/* 1 MiB is 2048 blocks; what is below stays. */
Test(kmod_mask, limits)
{
	struct scuse_mask mask = plain(DISK);
	u8 cdb[16], data[64] = { 0, 0xb0, 0, 0x3c, 1, 255 };

	vpd_cdb(cdb, 0xb0);
	scuse_put_be(&data[12], 4096, 4);
	answer(&mask, cdb, data, sizeof(data));
	cr_expect_eq(data[4], 1, "WSNZ");
	cr_expect_eq(data[5], 255);
	cr_expect_eq(scuse_get_be(&data[8], 4), 2048, "no limit of the device's");
	cr_expect_eq(scuse_get_be(&data[12], 4), 2048);
	scuse_put_be(&data[8], 100, 4);
	scuse_put_be(&data[12], 0, 4);
	scuse_put_be(&data[36], 0x123456789, 8);
	mask.max_transfer = 65536;
	answer(&mask, cdb, data, sizeof(data));
	cr_expect_eq(data[5], 64);
	cr_expect_eq(scuse_get_be(&data[8], 4), 100);
	cr_expect_eq(scuse_get_be(&data[12], 4), 0);
	cr_expect_eq(scuse_get_be(&data[36], 8), 0x123456789, "MAXIMUM WRITE SAME LENGTH");
}

Test(kmod_mask, block_limits_of_tapes)
{
	const u8 cdb[16] = { 0x05 }, with_mloi[16] = { 0x05, 0x01 };
	struct scuse_mask mask = plain(TAPE);
	u8 data[20] = { 0x00, 0x80, 0x00, 0x00, 0x00, 0x01 };

	mask.max_transfer = 1000001;
	cr_expect_eq(answer(&mask, cdb, data, 6), 6);
	cr_expect_eq(scuse_get_be(&data[1], 3), 1000001);
	cr_expect_eq(scuse_get_be(&data[4], 2), 1);
	data[0] = 0x02; /* a granularity of 4 bytes */
	scuse_put_be(&data[1], 0, 3);
	answer(&mask, cdb, data, 6);
	cr_expect_eq(scuse_get_be(&data[1], 3), 1000000);
	scuse_put_be(&data[1], 0xffffff, 3);
	answer(&mask, with_mloi, data, 20);
	cr_expect_eq(scuse_get_be(&data[1], 3), 0xffffff);
}

/* The control mode page with all bits set, behind a header and a block descriptor. */
static u32 control_pages(u8 *data, bool ten, u8 fill)
{
	u32 at = ten ? 16 : 12;

	memset(data, 0, at);
	data[ten ? 7 : 3] = 8;
	memcpy(&data[at], (u8[]){ 0x01, 0x02, 0xaa, 0xbb }, 4);
	memcpy(&data[at + 4], (u8[]){ 0x02, 0x02, 0xcc, 0xdd }, 4);
	memset(&data[at + 8], fill, 12);
	memcpy(&data[at + 8], (u8[]){ 0x0a, 0x0a }, 2);
	memset(&data[at + 20], fill, 32);
	memcpy(&data[at + 20], (u8[]){ 0x4a, 0x01, 0x00, 0x1c }, 4);
	memset(&data[at + 52], fill, 12);
	memcpy(&data[at + 52], (u8[]){ 0x4a, 0xf0, 0x00, 0x08 }, 4);
	memset(&data[at + 64], fill, 8);
	memcpy(&data[at + 64], (u8[]){ 0x58, 0x01, 0x00, 0x04 }, 4);
	memcpy(&data[at + 72], (u8[]){ 0x19, 0x02, 0x06, 0xff }, 4);
	memcpy(&data[at + 76], (u8[]){ 0x1c, 0x02, 0xee, 0xff }, 4);
	scuse_put_be(data, at + 80 - (ten ? 2 : 1), ten ? 2 : 1);
	return at + 80;
}

/* What is left of these, after the masks. */
static void check_control_pages(const u8 *data, u32 length, bool ten, bool changeable, u8 tas)
{
	u32 at = ten ? 16 : 12;

	cr_expect_eq(length, at + 64);
	cr_expect_eq(scuse_get_be(data, ten ? 2 : 1), length - (ten ? 2 : 1));
	cr_expect_arr_eq(&data[at], ((u8[]){ 0x01, 0x02, 0xaa, 0xbb, 0x0a, 0x0a }), 6);
	cr_expect_eq(data[at + 6], 0x07, "D_SENSE, GLTSD, RLEC");
	cr_expect_eq(data[at + 7], changeable ? 0x00 : 0x10, "QUEUE ALGORITHM MODIFIER");
	cr_expect_eq(data[at + 8], 0xc8, "VS, RAC, SWP");
	cr_expect_eq(data[at + 9], 0x0f | (changeable ? 0 : tas), "TAS, AUTOLOAD MODE");
	cr_expect_eq(scuse_get_be(&data[at + 12], 2), 0xffff, "BUSY TIMEOUT PERIOD");
	cr_expect_arr_eq(&data[at + 16], ((u8[]){ 0x4a, 0x01, 0x00, 0x1c, 0xf8, 0xf0, 0x00, 0xff }), 8);
	cr_expect_arr_eq(&data[at + 48], ((u8[]){ 0x4a, 0xf0, 0x00, 0x08, 0x00, 0xc0, 0x00, 0xff }), 8);
	cr_expect_arr_eq(&data[at + 60], ((u8[]){ 0x1c, 0x02, 0xee, 0xff }), 4);
}

Test(kmod_mask, mode_pages)
{
	for (u32 control = 0; control < 4; control++) {
		for (u32 ten = 0; ten < 2; ten++) {
			struct scuse_mask mask = plain(DISK);
			u8 cdb[16] = { ten ? 0x5a : 0x1a, 0, (u8)(control << 6 | 0x3f), 0xff };
			u8 data[256];
			u32 length;

			mask.tas = control & 1 || !ten;
			length = answer(&mask, cdb, data, control_pages(data, ten, 0xff));
			check_control_pages(data, length, ten, control == SCUSE_MODE_CHANGEABLE,
					    mask.tas ? 0x40 : 0);
		}
	}
}

Test(kmod_mask, write_protection_of_the_lun)
{
	static const u8 types[] = { DISK, TAPE, CD, CHANGER };

	for (u32 i = 0; i < sizeof(types); i++) {
		struct scuse_mask mask = plain(types[i]);
		const u8 six[16] = { 0x1a, 0, 0x3f }, ten[16] = { 0x5a, 0, 0x3f };
		u8 data[8] = { 3, 0, 0x10, 0 }, longer[8] = { 0, 6, 0, 0x10 };

		answer(&mask, six, data, 4);
		cr_expect_eq(data[2], 0x10);
		mask.write_protected = true;
		answer(&mask, six, data, 4);
		answer(&mask, ten, longer, 8);
		cr_expect_eq(data[2], types[i] <= TAPE ? 0x90 : 0x10);
		cr_expect_eq(longer[3], types[i] <= TAPE ? 0x90 : 0x10);
	}
}

Test(kmod_mask, hidden_mode_and_log_pages)
{
	static const u8 hidden[][3] = { { 0x1a, 0x02, 0 }, { 0x5a, 0x18, 0 },	 { 0x1a, 0x18, 1 },
					{ 0x5a, 0x19, 0 }, { 0x1a, 0x0a, 0x02 }, { 0x5a, 0x0a, 0xf1 },
					{ 0x4d, 0x18, 0 } };
	static const u8 shown[][3] = { { 0x1a, 0x0a, 0 },    { 0x5a, 0x0a, 1 }, { 0x1a, 0x0a, 0xf0 },
				       { 0x5a, 0x3f, 0xff }, { 0x1a, 0x0f, 0 }, { 0x4d, 0, 0 },
				       { 0x4d, 0x2e, 0 } };

	for (u32 i = 0; i < sizeof(hidden) / 3; i++) {
		for (u32 control = 0; control < 4; control++) {
			u8 cdb[16] = { hidden[i][0], 0, (u8)(hidden[i][1] | control << 6), hidden[i][2] };

			cr_expect_eq(scuse_mask_ask(DISK, cdb), SCUSE_MASK_HIDDEN, "%02xh/%02xh",
				     hidden[i][1], hidden[i][2]);
		}
	}
	for (u32 i = 0; i < sizeof(shown) / 3; i++) {
		u8 cdb[16] = { shown[i][0], 0, shown[i][1], shown[i][2] };

		cr_expect_eq(scuse_mask_ask(DISK, cdb), SCUSE_MASK_PASS, "%02xh/%02xh", shown[i][1],
			     shown[i][2]);
	}
}

Test(kmod_mask, lists_of_log_pages)
{
	const u8 pages_cdb[16] = { 0x4d, 0, 0x40 }, subpages_cdb[16] = { 0x4d, 0, 0x40, 0xff };
	const u8 other_cdb[16] = { 0x4d, 0, 0x42 };
	u8 pages[] = { 0x00, 0, 0, 5, 0x00, 0x02, 0x18, 0x2e, 0x2f };
	u8 subpages[] = { 0x40, 0xff, 0, 10, 0x00, 0x00, 0x00, 0xff, 0x18, 0x00, 0x18, 0x01, 0x19, 0x18 };
	u8 other[] = { 0x02, 0, 0, 4, 0x18, 0x18, 0x18, 0x18 };
	struct scuse_mask mask = plain(DISK);

	cr_expect_eq(answer(&mask, pages_cdb, pages, sizeof(pages)), 8);
	cr_expect_arr_eq(pages, ((u8[]){ 0x00, 0, 0, 4, 0x00, 0x02, 0x2e, 0x2f }), 8);
	cr_expect_eq(answer(&mask, subpages_cdb, subpages, sizeof(subpages)), 10);
	cr_expect_arr_eq(subpages, ((u8[]){ 0x40, 0xff, 0, 6, 0x00, 0x00, 0x00, 0xff, 0x19, 0x18 }), 10);
	cr_expect_eq(answer(&mask, other_cdb, other, sizeof(other)), 8);
	cr_expect_arr_eq(other, ((u8[]){ 0x02, 0, 0, 4, 0x18, 0x18, 0x18, 0x18 }), 8);
}

/* What MODE SENSE showed comes back: accepted, with the device's own values where the LUN's were. */
Test(kmod_mask, select_takes_what_sense_shows)
{
	for (u32 ten = 0; ten < 2; ten++) {
		struct scuse_mask mask = plain(DISK);
		const u8 sense_cdb[16] = { ten ? 0x5a : 0x1a, 0, 0x3f, 0xff };
		const u8 select_cdb[16] = { ten ? 0x55 : 0x15, 0x10 };
		u8 control[12] = { 0x0a, 0x0a, 0x55, 0x55, 0x55, 0x55 };
		u32 at = ten ? 16 : 12;
		struct scuse_mode_error error;
		u8 data[256];
		u32 length;

		mask.tas = true;
		length = answer(&mask, sense_cdb, data, control_pages(data, ten, 0x00));
		data[at + 8] |= 0x08; /* SWP */
		cr_expect(
			scuse_mask_select(&mask, select_cdb, data, length, control, sizeof(control), &error));
		cr_expect_eq(data[at + 6], 0x50);
		cr_expect_eq(data[at + 7], 0x55);
		cr_expect_eq(data[at + 8], 0x1d);
		cr_expect_eq(data[at + 9], 0x50);
	}
}

/* Each owned bit alone, changed, is refused and pointed at. */
Test(kmod_mask, select_refuses_what_the_lun_owns)
{
	static const struct {
		u8 at; /* from the page's start in control_pages(), after the header and descriptor */
		u8 bits;
	} owned[] = {
		{ 6, 0xf8 },  { 7, 0xff },  { 8, 0x37 },  { 9, 0xf0 },	{ 20, 0x07 },
		{ 21, 0x0f }, { 22, 0xff }, { 52, 0xff }, { 53, 0x3f }, { 54, 0xff },
	};
	struct scuse_mask mask = plain(DISK);
	const u8 sense_cdb[16] = { 0x1a, 0, 0x3f, 0xff }, select_cdb[16] = { 0x15, 0x10 };
	u8 shown[256], list[256];
	u32 length = answer(&mask, sense_cdb, shown, control_pages(shown, false, 0x00));

	for (u32 i = 0; i < sizeof(owned) / sizeof(owned[0]); i++) {
		for (u8 bit = 0; bit < 8; bit++) {
			struct scuse_mode_error error = { 0 };
			bool taken;

			memcpy(list, shown, length);
			list[12 + owned[i].at] ^= (u8)(1u << bit);
			taken = scuse_mask_select(&mask, select_cdb, list, length, NULL, 0, &error);
			cr_expect_eq(taken, !(owned[i].bits & 1u << bit), "byte %u, bit %u", owned[i].at,
				     bit);
			if (taken)
				continue;
			cr_expect_eq(error.asc, 0x26);
			cr_expect_eq(error.byte, 12 + owned[i].at);
			cr_expect_eq(error.bit, bit);
		}
	}
}

Test(kmod_mask, select_refuses_hidden_pages)
{
	u8 list[] = { 0, 0, 0, 0, 0x01, 0x01, 0x00, 0x18, 0x02, 0x06, 0x00 };
	const u8 cdb[16] = { 0x15, 0x10 };
	struct scuse_mask mask = plain(DISK);
	struct scuse_mode_error error = { 0 };

	cr_expect_not(scuse_mask_select(&mask, cdb, list, sizeof(list), NULL, 0, &error));
	cr_expect_eq(error.asc, 0x26);
	cr_expect_eq(error.byte, 7);
	cr_expect(scuse_mask_select(&mask, cdb, list, 7, NULL, 0, &error));
}

Test(kmod_mask, widening)
{
	const u8 list[16] = { 0x12, 0x01, 0x00, 0, 4 }, standard[16] = { 0x12, 0, 0, 0, 36 };
	const u8 page[16] = { 0x12, 0x01, 0x86, 0, 4 }, none[16] = { 0x12, 0x01, 0x00, 0, 0 };
	const u8 all_6[16] = { 0x1a, 0, 0x3f, 0, 64 }, all_10[16] = { 0x5a, 0, 0x3f, 0, 0, 0, 0, 0, 192 };
	const u8 wide[16] = { 0x5a, 0, 0x3f, 0, 0, 0, 0, 0xff, 0xff },
		 logs[16] = { 0x4d, 0, 0x40, 0, 0, 0, 0, 0, 4 };
	u8 to[16];

	cr_expect_eq(scuse_mask_widen(list, to), 255);
	cr_expect_arr_eq(to, ((u8[]){ 0x12, 0x01, 0x00, 0, 255, 0 }), 6);
	cr_expect_eq(scuse_mask_widen(all_6, to), 255);
	cr_expect_arr_eq(to, ((u8[]){ 0x1a, 0, 0x3f, 0, 255, 0 }), 6);
	cr_expect_eq(scuse_mask_widen(all_10, to), 4096);
	cr_expect_arr_eq(to, ((u8[]){ 0x5a, 0, 0x3f, 0, 0, 0, 0, 0x10, 0, 0 }), 10);
	cr_expect_eq(scuse_mask_widen(logs, to), 1024);
	cr_expect_eq(scuse_mask_widen(standard, to), 0);
	cr_expect_eq(scuse_mask_widen(page, to), 0);
	cr_expect_eq(scuse_mask_widen(none, to), 0);
	cr_expect_eq(scuse_mask_widen(wide, to), 0);
}

/* A masked answer that is cut off is the start of the whole one: where no list is made shorter. */
Test(kmod_mask, cut_off_anywhere)
{
	static const u16 pages[] = { NONE, CAPACITY, 0x80, 0x86, 0x89, 0xb0, 0xb1, 0xb2 };

	for (u32 i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		struct scuse_mask mask = plain(DISK);
		u8 cdb[16], raw[96], whole[96], cut[96];
		u32 length;

		mask.transport = 0x0940;
		mask.tpgs = 1;
		claim_cdb(cdb, pages[i]);
		for (u32 at = 0; at < sizeof(raw); at++)
			raw[at] = (u8)(rand() | 0x40);
		raw[4] |= 0x80;
		if (pages[i] < NONE)
			raw[1] = (u8)pages[i];
		memcpy(whole, raw, sizeof(raw));
		length = answer(&mask, cdb, whole, sizeof(whole));
		for (u32 at = 0; at <= sizeof(raw); at++) {
			memcpy(cut, raw, at);
			cr_expect_leq(answer(&mask, cdb, cut, at), at);
			/* Of half a version descriptor nothing is shown. */
			cr_expect_arr_eq(cut, whole,
					 pages[i] == NONE && at > 58 && at < 74 ? at & ~1u
					 : at < length				? at
										: length);
		}
	}
}

/* Any bytes, any CDB that is masked, any length: nothing outside is touched, and owned pages stay hidden. */
Test(kmod_mask, any_bytes, .timeout = 120)
{
	static const u8 opcodes[] = { 0x05, 0x12, 0x1a, 0x4d, 0x5a, 0x9e, 0x15, 0x55 };
	static const u8 types[] = { DISK, TAPE, CD, CHANGER, 0x0d, 0x1f };

	srand(1);
	for (u32 round = 0; round < 300000; round++) {
		struct scuse_mask mask = plain(types[(u32)rand() % sizeof(types)]);
		u32 length = (u32)rand() % 80;
		u8 cdb[16], data[96], control[12] = { 0 };
		struct scuse_mode_error error;

		for (u32 at = 0; at < sizeof(cdb); at++)
			cdb[at] = (u8)rand();
		cdb[0] = opcodes[(u32)rand() % sizeof(opcodes)];
		/* Small numbers, so that lengths fit now and then. */
		for (u32 at = 0; at < length; at++)
			data[at] = (u8)(rand() % 3 ? rand() % 12 : rand());
		mask.write_protected = rand() & 1;
		mask.transport = (u16)rand();
		if (cdb[0] == 0x15 || cdb[0] == 0x55) {
			u8 *copy = malloc(length);

			if (length)
				memcpy(copy, data, length);
			if (!scuse_mask_select(&mask, cdb, copy, length, control, sizeof(control), &error))
				cr_assert_lt(error.byte, length);
			free(copy);
			continue;
		}
		length = answer(&mask, cdb, data, length);
		if (cdb[0] == 0x12 && length)
			cr_assert_eq(data[0], mask.device_type);
	}
}
