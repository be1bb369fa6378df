/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Mode pages (SPC-4 7.5) as MODE SENSE lists them, one behind the other: found, and read for the settings
 * that decide how a LUN behaves.  Pure functions; the bytes may hold anything.
 */
#ifndef SCUSE_CLI_MODE_PAGES_H
#define SCUSE_CLI_MODE_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "json.h"

struct mode_page {
	uint8_t code;
	uint8_t subcode;      /* 0: the page has the short header */
	bool saveable;	      /* PS */
	const uint8_t *bytes; /* from the header on */
	size_t length;	      /* bytes, header included */
};

/*
 * Takes the first page off *bytes.  False, with both unchanged: there is none (*length is 0), or what is
 * there is cut short.
 */
bool mode_page_take(const uint8_t **bytes, size_t *length, struct mode_page *page);
/* False: it is not there, or behind one that is cut short. */
bool mode_page_find(const uint8_t *bytes, size_t length, uint8_t code, uint8_t subcode,
		    struct mode_page *page);

/* The value of a setting by its name in SPC-4 or SBC-3 ("WCE", "D_SENSE"); -1: no page has it. */
int mode_setting(const uint8_t *bytes, size_t length, const char *name);
/* "WCE=1 SWP=0 ...", those that there are; "" if none.  Newly allocated. */
char *mode_settings_text(const uint8_t *bytes, size_t length);
/* An object {"wce": 1, ...}; null if `bytes` is NULL. */
void mode_settings_json(ScuseJson *json, const char *key, const uint8_t *bytes, size_t length);

#endif /* SCUSE_CLI_MODE_PAGES_H */
