// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: log pages (kmod/logpage.c), INQUIRY data and vital product data pages (kmod/vpdpage.c): what
 * LOG SENSE and LOG SELECT ask for, and names of any length.
 *
 * Promises: a page fits its buffer and is as long as its header says; a refusal names a byte.
 */
#include "fuzz.h"
#include "logpage.h"
#include "vpdpage.h"

#define PAGE_MAX 320

static u32 header_length(const u8 *page)
{
	return 4 + ((u32)page[2] << 8 | page[3]);
}

static void log_sense(struct fuzz_input *input, const struct scuse_log_values *values)
{
	struct scuse_log_query query = {
		.page = fuzz_u8(input) & 0x3f,
		.subpage = fuzz_u8(input),
		.control = fuzz_u8(input) & 3,
		.parameter = fuzz_u16(input),
	};
	struct scuse_log_error error = { 0 };
	u8 page[SCUSE_LOG_MAX] = { 0 };
	u32 length = scuse_log_sense(page, &query, values, &error);
	bool wrong = false;

	fuzz_check(length <= sizeof(page));
	if (length) {
		fuzz_check(length == header_length(page) && (page[0] & 0x3f) == query.page);
		fuzz_check(scuse_log_known(values, query.page, query.subpage, &wrong));
	} else {
		fuzz_check(error.asc == 0x24 && error.byte);
	}
	scuse_log_counters(query.page);
}

static void log_select(struct fuzz_input *input, const struct scuse_log_values *values)
{
	struct scuse_log_error error = { 0 };
	size_t length;
	u8 *list = fuzz_rest(input, 4096, &length);

	if (!scuse_log_select(list, (u32)length, values, &error))
		fuzz_check(error.asc == 0x26 || error.asc == 0x1a);
	free(list);
}

static void log_pages(struct fuzz_input *input)
{
	u8 flags = fuzz_u8(input);
	struct scuse_log_values values = {
		.provisioning = flags & 1,
		.usage = flags & 2,
		.used = fuzz_u64(input),
		.available = fuzz_u64(input),
	};

	for (int i = 0; i < SCUSE_LOG_KINDS; i++) {
		values.bytes[i] = fuzz_u64(input);
		values.uncorrected[i] = fuzz_u32(input);
	}
	if (flags & 4)
		log_select(input, &values);
	else
		log_sense(input, &values);
}

static void inquiry(struct fuzz_input *input, const char *text)
{
	u8 page[SCUSE_INQUIRY_LENGTH] = { 0 };
	struct scuse_inquiry inquiry = {
		.device_type = fuzz_u8(input),
		.tpgs = fuzz_u8(input) & 3,
		.vendor = text,
		.product = text,
		.revision = text,
		.versions = { fuzz_u16(input), fuzz_u16(input) },
	};

	fuzz_check(scuse_inquiry_build(page, &inquiry) == sizeof(page));
}

static void names(struct fuzz_input *input)
{
	u8 page[PAGE_MAX] = { 0 }, naa[SCUSE_NAA_LENGTH];
	struct scuse_designator designator = {
		.protocol = fuzz_u8(input) % 17 - 1,
		.code_set = fuzz_u8(input) & 0xf,
		.association = fuzz_u8(input) & 3,
		.type = fuzz_u8(input) & 0xf,
	};
	char *text = fuzz_text(input);
	u32 length = (u32)strnlen(text, 252), put;

	put = scuse_vpd_designator(page, &designator, text, length);
	fuzz_check(put == 4u + page[3] && put >= 4 + length && put <= 4 + 252);
	put = scuse_vpd_number(page, &designator, (u16)length);
	fuzz_check(put == 8);
	scuse_vpd_naa(naa, text, 0x0014ee);
	fuzz_check(naa[0] >> 4 == 6);
	inquiry(input, text);
	free(text);
}

static void limits(struct fuzz_input *input)
{
	struct scuse_block_limits limits;
	u8 page[PAGE_MAX] = { 0 }, bytes[sizeof(limits)];

	fuzz_bytes(input, bytes, sizeof(bytes));
	bytes[0] &= 1; /* a bool */
	memcpy(&limits, bytes, sizeof(limits));
	fuzz_check(scuse_vpd_block_limits(page, fuzz_u8(input), &limits) == header_length(page));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };

	switch (fuzz_u8(&input) % 4) {
	case 0:
	case 1:
		log_pages(&input);
		break;
	case 2:
		names(&input);
		break;
	default:
		limits(&input);
	}
	return 0;
}
