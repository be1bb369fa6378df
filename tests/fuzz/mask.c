// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: answers of a passed-through device on their way to an initiator, and parameter lists on their
 * way to the device (kmod/mask.c, kmod/maskmode.c).  An input: properties of the LUN, the CDB, then the
 * answer or list.
 *
 * Promises: nothing outside of the bytes given is touched, an answer grows by no more than
 * SCUSE_MASK_GROWTH, and masking a masked answer leaves it as long as it is.
 */
#include "fuzz.h"
#include "mask.h"
#include "modepage.h"

#define LIST_MAX 4096

static void answer(const struct scuse_mask *mask, const u8 *cdb, const u8 *bytes, u32 length, u32 room)
{
	u8 *data = malloc(length + room);
	u32 now;

	fuzz_check(data || !(length + room));
	memcpy(data, bytes, length);
	now = scuse_mask_answer(mask, cdb, data, length, length + room);
	fuzz_check(now <= length + room && now <= length + SCUSE_MASK_GROWTH);
	fuzz_touch(data, now);
	free(data);
}

static void select_mode(const struct scuse_mask *mask, const u8 *cdb, u8 *bytes, u32 length, u8 known)
{
	u32 control_length = known < length ? known : length;
	struct scuse_mode_error error = { 0 };
	u8 *control = malloc(control_length + 1), *list = malloc(length - control_length + 1);

	fuzz_check(control && list);
	control = realloc(control, control_length ? control_length : 1);
	list = realloc(list, length - control_length ? length - control_length : 1);
	fuzz_check(control && list);
	memcpy(control, bytes, control_length);
	memcpy(list, bytes + control_length, length - control_length);
	if (!scuse_mask_select(mask, cdb, list, length - control_length, control_length ? control : NULL,
			       control_length, &error))
		fuzz_check(error.asc == 0x26 || error.asc == 0x1a);
	free(control);
	free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	u8 type = fuzz_u8(&input), flags = fuzz_u8(&input), cdb[16], wide[16];
	struct scuse_mask mask = {
		.device_type = type & 0x1f,
		.tpgs = type >> 6,
		.multi_port = flags & 0x01,
		.write_protected = flags & 0x02,
		.tas = flags & 0x04,
		.transport = fuzz_u16(&input),
		.max_transfer = fuzz_u32(&input),
		.block_length = fuzz_u16(&input),
	};
	size_t length;
	u8 *rest;

	fuzz_bytes(&input, cdb, sizeof(cdb));
	rest = fuzz_rest(&input, LIST_MAX, &length);
	scuse_mask_ask(mask.device_type, cdb);
	memcpy(wide, cdb, sizeof(wide));
	scuse_mask_widen(cdb, wide);
	answer(&mask, cdb, rest, (u32)length, flags & 0x08 ? SCUSE_MASK_GROWTH : 0);
	select_mode(&mask, cdb, rest, (u32)length, flags >> 4);
	free(rest);
	return 0;
}
