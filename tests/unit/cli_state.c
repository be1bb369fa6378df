/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scuse: mode pages taken apart, SCSI codes in words, and what show and monitor make of them.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "json_read.h"
#include "mode_pages.h"
#include "monitor.h"
#include "state.h"
#include "words.h"

/* Caching with WCE, control extension (sub-page), control with TAS, SWP, QERR 3, UA_INTLCK_CTRL 2, D_SENSE. */
static const uint8_t pages[] = {
	0x88, 0x12, 0x04, 0,	0,    0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* 08h */
	0xca, 0x01, 0x00, 0x04, 0xff, 0xff, 0, 0,				      /* 0Ah/01h */
	0x0a, 0x0a, 0x04, 0x06, 0x28, 0x40, 0, 0, 0, 0, 0, 0,			      /* 0Ah */
};

Test(pages, taken_one_by_one)
{
	const uint8_t *bytes = pages;
	size_t length = sizeof(pages);
	struct mode_page page;

	cr_assert(mode_page_take(&bytes, &length, &page));
	cr_assert_eq(page.code, 0x08);
	cr_assert_eq(page.subcode, 0);
	cr_assert(page.saveable);
	cr_assert_eq(page.length, 20);
	cr_assert(mode_page_take(&bytes, &length, &page));
	cr_assert_eq(page.code, 0x0a);
	cr_assert_eq(page.subcode, 1);
	cr_assert_eq(page.length, 8);
	cr_assert(mode_page_take(&bytes, &length, &page));
	cr_assert_eq(page.subcode, 0);
	cr_assert_not(page.saveable);
	cr_assert_eq(length, 0);
	cr_assert_not(mode_page_take(&bytes, &length, &page));
}

Test(pages, cut_anywhere)
{
	for (size_t size = 0; size < sizeof(pages); size++) {
		/* A copy of that size alone, so that a sanitizer sees a read behind it. */
		g_autofree uint8_t *copy = g_memdup2(pages, size);
		const uint8_t *bytes = copy;
		size_t left = size, last = size;
		struct mode_page page;

		while (mode_page_take(&bytes, &left, &page)) {
			cr_assert_lt(left, last);
			last = left;
		}
		cr_assert_eq(left == 0, size == 0 || size == 20 || size == 28, "%zu", size);
		/* The control page is the last one. */
		cr_assert_not(mode_page_find(copy, size, 0x0a, 0, &page));
		cr_assert_eq(mode_setting(copy, size, "WCE"), size >= 20 ? 1 : -1);
	}
}

Test(pages, settings)
{
	cr_assert_eq(mode_setting(pages, sizeof(pages), "WCE"), 1);
	cr_assert_eq(mode_setting(pages, sizeof(pages), "SWP"), 1);
	cr_assert_eq(mode_setting(pages, sizeof(pages), "D_SENSE"), 1);
	cr_assert_eq(mode_setting(pages, sizeof(pages), "TAS"), 1);
	cr_assert_eq(mode_setting(pages, sizeof(pages), "UA_INTLCK_CTRL"), 2);
	cr_assert_eq(mode_setting(pages, sizeof(pages), "QERR"), 3);
	cr_assert_eq(mode_setting(pages, sizeof(pages), "NONE"), -1);
}

Test(pages, too_short_for_a_setting)
{
	static const uint8_t brief[] = { 0x0a, 0x02, 0x04, 0x06 };
	g_autofree char *text = mode_settings_text(brief, sizeof(brief));

	cr_assert_str_eq(text, "D_SENSE=1 QERR=3");
}

Test(words, of_additional_sense_codes)
{
	g_autofree char *known = asc_text(0x2a, 0x01), *unknown = asc_text(0x7f, 0x01);

	cr_assert_str_eq(known, "2Ah/01h (Mode parameters changed)");
	cr_assert_str_eq(unknown, "7Fh/01h");
	cr_assert_null(asc_meaning(0x80, 0x00));
}

Test(words, of_reservation_types)
{
	static const struct {
		uint32_t type;
		const char *text;
	} types[] = {
		{ 1, "Write Exclusive" }, { 8, "Exclusive Access, All Registrants" }, { 2, "type 2" },
		{ 9, "type 9" },	  { SCUSE_PR_TYPE_SPC2, "SPC-2 RESERVE" },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
		g_autofree char *text = reservation_type_text(types[i].type);

		cr_assert_str_eq(text, types[i].text);
	}
}

/* ---- events ----------------------------------------------------------------------------------------- */

static void check_event(const struct scuse_nl_event *event, const char *text, const char *json_part)
{
	g_autofree char *shown = monitor_text(event);
	g_autoptr(ScuseJson) json = scuse_json_new();

	cr_assert_str_eq(shown, text);
	scuse_json_begin_object(json, NULL);
	monitor_json(json, event);
	scuse_json_end(json);
	cr_assert(strstr(scuse_json_text(json), json_part), "%s", scuse_json_text(json));
}

Test(events, in_words)
{
	struct scuse_nl_device device = { .id = 3, .name = "d", .handler = "file", .serial = "" };
	struct scuse_nl_event event = { .sequence = 9,
					.type = SCUSE_EVENT_UNIT_ATTENTION,
					.device = &device,
					.message = "",
					.asc = 0x2a,
					.ascq = 0x09,
					.nexus = 4 };

	check_event(&event,
		    "#9 LUN 'd': unit attention 2Ah/09h (Capacity data has changed) for every nexus but 4",
		    "\"asc\":42,\"ascq\":9,\"meaning\":\"Capacity data has changed\",\"spared_nexus\":4");
	event.nexus = 0;
	check_event(&event, "#9 LUN 'd': unit attention 2Ah/09h (Capacity data has changed) for every nexus",
		    "\"spared_nexus\":null");
	event.type = SCUSE_EVENT_RESERVATION;
	check_event(&event, "#9 LUN 'd': reservation or registrations changed", "\"event\":\"reservation\"");
	event.type = SCUSE_EVENT_MODE_CHANGED;
	event.mode = pages;
	event.mode_length = 20;
	check_event(&event, "#9 LUN 'd': mode pages changed: WCE=1", "\"mode\":{\"wce\":1}");
	event.mode = NULL;
	event.mode_length = 0;
	check_event(&event, "#9 LUN 'd': mode pages changed", "\"mode\":null");
}

/* ---- show ------------------------------------------------------------------------------------------- */

static struct scuse_nl_nexus nexus = { .id = 1,
				       .nexus = 2,
				       .fabric = "iSCSI",
				       .initiator = "iqn.a,i,0x1",
				       .target = "iqn.b,t,0x1",
				       .lun = 5,
				       .ua = (const uint8_t *)"\x29\x01\x2a\x01",
				       .ua_count = 2 };
static struct scuse_nl_reservation holder = { .id = 1,
					      .fabric = "iSCSI",
					      .initiator = "iqn.a,i,0x1",
					      .target = "iqn.b,t,0x1",
					      .type = 5,
					      .holder = 1,
					      .has_key = 1,
					      .generation = 12,
					      .key = 0xfedcba9876543210 };
static struct scuse_nl_reservation registrant = { .id = 1,
						  .fabric = "loopback",
						  .initiator = "naa.1",
						  .target = "naa.2,t,0x1",
						  .type = 5,
						  .has_key = 1,
						  .generation = 12,
						  .key = 1 };
static struct scuse_nl_nexus *nexus_list[] = { &nexus, NULL };
static struct scuse_nl_reservation *reservation_list[] = { &holder, &registrant, NULL };
static struct scuse_nl_nexuses nexuses = { .count = 1, .item = nexus_list };
static struct scuse_nl_reservations reservations = { .count = 2, .item = reservation_list };
static struct scuse_nl_mode mode = {
	.current = pages, .current_length = sizeof(pages), .saved = pages, .saved_length = 20
};
static struct lun_state state = {
	.nexuses = &nexuses, .reservations = &reservations, .mode = &mode, .protection = (char *)"1"
};

/* What is printed, newly allocated. */
static char *printed(const struct lun_state *what)
{
	FILE *real = stdout;
	char *text = NULL;
	size_t size;

	stdout = open_memstream(&text, &size);
	lun_state_print(what);
	fclose(stdout);
	stdout = real;
	return text;
}

Test(show, as_text)
{
	g_autofree char *text = printed(&state);

	cr_assert_str_eq(text,
			 "protection     T10 type 1\n"
			 "mode           WCE=1 SWP=1 D_SENSE=1 TAS=1 UA_INTLCK_CTRL=2 QERR=3\n"
			 "               saved: WCE=1\n"
			 "reservation    Write Exclusive, Registrants Only (generation 12)\n"
			 "               holder: iSCSI iqn.a,i,0x1 -> iqn.b,t,0x1, key 0xfedcba9876543210\n"
			 "               registered: loopback naa.1 -> naa.2,t,0x1, key 0x1\n"
			 "nexus          2: iSCSI iqn.a,i,0x1 -> iqn.b,t,0x1, LUN 5\n"
			 "               pending unit attention 29h/01h (Power on occurred)\n"
			 "               pending unit attention 2Ah/01h (Mode parameters changed)\n");
}

Test(show, of_an_older_module)
{
	static const struct lun_state nothing;
	g_autofree char *text = printed(&nothing);

	cr_assert_str_eq(text, "");
}

Test(show, as_json)
{
	g_autoptr(ScuseJson) json = scuse_json_new();
	g_autoptr(JsonValue) value = NULL;
	const JsonValue *first, *reservation;

	scuse_json_begin_object(json, NULL);
	lun_state_json(json, &state);
	scuse_json_end(json);
	value = json_read(scuse_json_text(json));
	cr_assert_not_null(value, "%s", scuse_json_text(json));
	cr_assert_float_eq(json_number_member(value, "protection"), 1, 1e-9);
	cr_assert_float_eq(json_number_member(json_member(json_member(value, "mode"), "current"), "qerr"), 3,
			   1e-9);
	reservation = json_member(value, "reservation");
	cr_assert_str_eq(json_string_member(reservation, "type_name"), "Write Exclusive, Registrants Only");
	first = json_item(json_member(reservation, "registrants"), 0);
	cr_assert_str_eq(json_string_member(first, "key"), "0xfedcba9876543210");
	cr_assert(json_bool_member(first, "holder"));
	first = json_item(json_member(value, "nexuses"), 0);
	cr_assert_str_eq(json_string_member(first, "initiator"), "iqn.a,i,0x1");
	first = json_item(json_member(first, "unit_attentions"), 1);
	cr_assert_float_eq(json_number_member(first, "asc"), 0x2a, 1e-9);
	cr_assert_str_eq(json_string_member(first, "meaning"), "Mode parameters changed");
}
