// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: mode parameter lists (kmod/modepage.c).  The first byte says which form, the next what may be
 * changed; then comes the list of a MODE SELECT, or pages as they were saved.
 *
 * Promises: a list is taken over wholly or not at all; only changeable settings change; what is accepted can
 * be shown, saved and restored.
 */
#include "fuzz.h"
#include "modepage.h"

/* Starts from zeros, or where that is an allowed state, from ones. */
static struct scuse_mode_values start_values(u8 flags)
{
	struct scuse_mode_values values = { { 0 } };

	if (flags & 0x08)
		for (int i = 0; i < SCUSE_MODE_SETTINGS; i++)
			values.value[i] = i == SCUSE_MODE_UA_INTLCK ? 3 : 1;
	return values;
}

static void check_settings(const struct scuse_mode_values *before, const struct scuse_mode_values *after,
			   u32 changeable)
{
	for (int i = 0; i < SCUSE_MODE_VALUES; i++)
		fuzz_check(before->value[i] == after->value[i] ||
			   (i < SCUSE_MODE_SETTINGS && changeable & 1u << i));
}

/* Saved and restored, the settings are the same. */
static void check_saved(const struct scuse_mode_values *values)
{
	struct scuse_mode_values restored = { { 0 } };
	u8 pages[SCUSE_MODE_SENSE_MAX] = { 0 };
	u32 length = scuse_mode_pages(pages, SCUSE_MODE_ALL_PAGES, SCUSE_MODE_ALL_SUBPAGES, values, NULL);
	u8 *exact = malloc(length);

	fuzz_check(exact && length && length <= sizeof(pages));
	memcpy(exact, pages, length);
	fuzz_check(scuse_mode_restore(exact, length, &restored));
	fuzz_check(!memcmp(restored.value, values->value, SCUSE_MODE_SETTINGS));
	free(exact);
}

static void sense(struct fuzz_input *input, const struct scuse_mode_values *values,
		  const struct scuse_mode_facts *facts)
{
	u8 answer[SCUSE_MODE_SENSE_MAX], flags = fuzz_u8(input);
	struct scuse_mode_query query = {
		.page = fuzz_u8(input) & 0x3f,
		.subpage = fuzz_u8(input),
		.ten = flags & 1,
		.descriptor = flags & 2,
		.long_lba = flags & 4,
		.changeable = flags & 8,
	};
	bool wrong = false;

	if (scuse_mode_known(query.page, query.subpage, &wrong))
		fuzz_check(scuse_mode_sense(answer, &query, values, facts) <= sizeof(answer));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	u8 flags = fuzz_u8(&input);
	struct scuse_mode_facts facts = {
		.changeable = fuzz_u8(&input) & ((1u << SCUSE_MODE_SETTINGS) - 1),
		.write_protected = flags & 0x10,
		.dpofua = flags & 0x20,
		.blocks = fuzz_u64(&input),
		.block_size = fuzz_u32(&input),
	};
	struct scuse_mode_values before = start_values(flags), after = before;
	struct scuse_mode_error error = { 0 };
	size_t length;
	u8 *list;

	if (flags & 0x02)
		sense(&input, &before, &facts);
	list = fuzz_rest(&input, 65535, &length);
	if (flags & 0x04) {
		if (!scuse_mode_restore(list, (u32)length, &after))
			after = before;
		facts.changeable = ~0u;
	} else if (length && !scuse_mode_select(list, (u32)length, flags & 0x01, &facts, &after, &error)) {
		fuzz_check(error.asc == 0x26 || error.asc == 0x1a);
		fuzz_check(!memcmp(&before, &after, sizeof(before)));
	}
	free(list);
	check_settings(&before, &after, facts.changeable);
	check_saved(&after);
	return 0;
}
