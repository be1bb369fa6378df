/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mode pages; see mode_pages.h.  Called by show (state.c) and monitor.  No state.
 */
#include "mode_pages.h"

#include <string.h>

#define PAGE_CACHING 0x08 /* SBC-3 6.5.5 */
#define PAGE_CONTROL 0x0a /* SPC-4 7.5.8 */

/* In the order in which they are shown. */
static const struct setting {
	const char *name;
	uint8_t code;
	uint8_t byte; /* of the page */
	uint8_t shift;
	uint8_t mask;
} settings[] = {
	{ "WCE", PAGE_CACHING, 2, 2, 0x1 },
	{ "SWP", PAGE_CONTROL, 4, 3, 0x1 },
	{ "D_SENSE", PAGE_CONTROL, 2, 2, 0x1 },
	{ "TAS", PAGE_CONTROL, 5, 6, 0x1 },
	{ "UA_INTLCK_CTRL", PAGE_CONTROL, 4, 4, 0x3 },
	{ "QERR", PAGE_CONTROL, 3, 1, 0x3 },
};

bool mode_page_take(const uint8_t **bytes, size_t *length, struct mode_page *page)
{
	const uint8_t *at = *bytes;
	bool sub_page;
	size_t size;

	if (*length < 2)
		return false;
	sub_page = at[0] & 0x40; /* SPF */
	if (sub_page && *length < 4)
		return false;
	size = sub_page ? 4 + ((size_t)at[2] << 8 | at[3]) : 2 + (size_t)at[1];
	if (size > *length)
		return false;
	*page = (struct mode_page){
		.code = at[0] & 0x3f,
		.subcode = sub_page ? at[1] : 0,
		.saveable = at[0] & 0x80,
		.bytes = at,
		.length = size,
	};
	*bytes += size;
	*length -= size;
	return true;
}

bool mode_page_find(const uint8_t *bytes, size_t length, uint8_t code, uint8_t subcode,
		    struct mode_page *page)
{
	while (mode_page_take(&bytes, &length, page))
		if (page->code == code && page->subcode == subcode)
			return true;
	return false;
}

static int value_of(const uint8_t *bytes, size_t length, const struct setting *setting)
{
	struct mode_page page;

	if (!mode_page_find(bytes, length, setting->code, 0, &page) || page.length <= setting->byte)
		return -1;
	return page.bytes[setting->byte] >> setting->shift & setting->mask;
}

int mode_setting(const uint8_t *bytes, size_t length, const char *name)
{
	for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
		if (!strcmp(settings[i].name, name))
			return value_of(bytes, length, &settings[i]);
	return -1;
}

char *mode_settings_text(const uint8_t *bytes, size_t length)
{
	GString *text = g_string_new(NULL);

	for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
		int value = value_of(bytes, length, &settings[i]);

		if (value >= 0)
			g_string_append_printf(text, "%s%s=%d", text->len ? " " : "", settings[i].name,
					       value);
	}
	return g_string_free(text, FALSE);
}

void mode_settings_json(ScuseJson *json, const char *key, const uint8_t *bytes, size_t length)
{
	if (!bytes) {
		scuse_json_null(json, key);
		return;
	}
	scuse_json_begin_object(json, key);
	for (size_t i = 0; i < G_N_ELEMENTS(settings); i++) {
		int value = value_of(bytes, length, &settings[i]);
		g_autofree char *name = g_ascii_strdown(settings[i].name, -1);

		if (value >= 0)
			scuse_json_int(json, name, value);
	}
	scuse_json_end(json);
}
