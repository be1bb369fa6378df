// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Fuzz target: the reader of JSON (runner/cli/json_read.c).  An input is a text.
 *
 * Promises: a value that is returned is whole: its strings are ended, objects have as many keys as items.
 */
#include "cli/json_read.h"

#include "fuzz.h"

static void look(const JsonValue *value, int depth)
{
	fuzz_check(value && depth < 64);
	switch (value->type) {
	case JSON_STRING:
		fuzz_check(value->string);
		fuzz_touch(value->string, strlen(value->string));
		break;
	case JSON_OBJECT:
		fuzz_check(value->keys->len == value->items->len);
		for (guint i = 0; i < value->keys->len; i++)
			fuzz_check(json_member(value, value->keys->pdata[i]));
		break;
	case JSON_ARRAY:
		fuzz_check(json_length(value) == value->items->len && !value->keys->len);
		break;
	default:
		fuzz_check(!value->items && !value->string);
	}
	for (guint i = 0; value->items && i < value->items->len; i++)
		look(value->items->pdata[i], depth + 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	char *text = fuzz_text(&input);
	g_autoptr(JsonValue) value = json_read(text);

	if (value)
		look(value, 0);
	json_string_member(value, "name");
	json_bool_member(value, "flag");
	json_number_member(value, "number");
	fuzz_check(!json_item(value, json_length(value)));
	free(text);
	return 0;
}
