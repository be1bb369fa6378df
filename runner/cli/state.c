/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A LUN's SCSI state, for people and as JSON; see state.h.  Called by show.c.
 */
#include "state.h"

#include <string.h>
#include "configfs.h"
#include "mode_pages.h"
#include "output.h"
#include "words.h"

void lun_state_clear(lun_state *state)
{
	g_clear_pointer(&state->nexuses, scuse_nl_nexuses_free);
	g_clear_pointer(&state->reservations, scuse_nl_reservations_free);
	g_clear_pointer(&state->mode, scuse_nl_mode_free);
	g_clear_pointer(&state->protection, g_free);
}

void lun_state_read(scuse_nl *nl, const scuse_nl_device *device, const char *path, lun_state *state)
{
	g_autofree char *protection = g_strdup_printf("%s/attrib/pi_prot_type", path);

	scuse_nl_get_nexuses(nl, device->id, &state->nexuses);
	scuse_nl_get_reservations(nl, device->id, &state->reservations);
	scuse_nl_get_mode(nl, device->id, &state->mode);
	state->protection = configfs_read(protection);
}

/* ---- for people ------------------------------------------------------------------------------------- */

static void print_nexuses(const struct scuse_nl_nexuses *nexuses)
{
	for (size_t i = 0; i < nexuses->count; i++) {
		const struct scuse_nl_nexus *nexus = nexuses->item[i];

		print_field("nexus", "%u: %s %s -> %s, LUN %" G_GUINT64_FORMAT, nexus->nexus, nexus->fabric,
			    nexus->initiator, nexus->target, nexus->lun);
		for (size_t j = 0; j < nexus->ua_count; j++) {
			g_autofree char *text = asc_text(nexus->ua[2 * j], nexus->ua[2 * j + 1]);

			print_field("", "pending unit attention %s", text);
		}
	}
	if (!nexuses->count)
		print_field("nexus", "none");
}

static void print_registrant(const struct scuse_nl_reservation *entry)
{
	g_autofree char *key = entry->has_key ? g_strdup_printf(", key 0x%" G_GINT64_MODIFIER "x", entry->key)
					      : g_strdup("");

	print_field("", "%s: %s %s -> %s%s", entry->holder ? "holder" : "registered", entry->fabric,
		    entry->initiator, entry->target, key);
}

static void print_reservations(const struct scuse_nl_reservations *list)
{
	g_autofree char *type = NULL;

	if (!list->count) {
		print_field("reservation", "none, and nobody is registered");
		return;
	}
	type = list->item[0]->type ? reservation_type_text(list->item[0]->type) : g_strdup("none");
	if (list->item[0]->has_key)
		print_field("reservation", "%s (generation %u)", type, list->item[0]->generation);
	else
		print_field("reservation", "%s", type);
	for (size_t i = 0; i < list->count; i++)
		print_registrant(list->item[i]);
}

static void print_mode(const struct scuse_nl_mode *mode)
{
	g_autofree char *current = mode_settings_text(mode->current, mode->current_length);
	g_autofree char *saved = mode->saved ? mode_settings_text(mode->saved, mode->saved_length) : NULL;

	print_field("mode", "%s", *current ? current : "-");
	if (!saved)
		print_field("", "saved: none");
	else
		print_field("", "saved: %s", strcmp(current, saved) ? saved : "the same");
}

void lun_state_print(const lun_state *state)
{
	if (state->protection)
		print_field("protection", strcmp(state->protection, "0") ? "T10 type %s" : "none",
			    state->protection);
	if (state->mode)
		print_mode(state->mode);
	if (state->reservations)
		print_reservations(state->reservations);
	if (state->nexuses)
		print_nexuses(state->nexuses);
}

/* ---- JSON ------------------------------------------------------------------------------------------- */

static void attentions_json(ScuseJson *json, const struct scuse_nl_nexus *nexus)
{
	scuse_json_begin_array(json, "unit_attentions");
	for (size_t i = 0; i < nexus->ua_count; i++) {
		uint8_t asc = nexus->ua[2 * i], ascq = nexus->ua[2 * i + 1];
		g_autofree char *meaning = asc_meaning(asc, ascq);

		scuse_json_begin_object(json, NULL);
		scuse_json_uint(json, "asc", asc);
		scuse_json_uint(json, "ascq", ascq);
		scuse_json_string(json, "meaning", meaning);
		scuse_json_end(json);
	}
	scuse_json_end(json);
}

static void nexuses_json(ScuseJson *json, const struct scuse_nl_nexuses *nexuses)
{
	scuse_json_begin_array(json, "nexuses");
	for (size_t i = 0; i < nexuses->count; i++) {
		const struct scuse_nl_nexus *nexus = nexuses->item[i];

		scuse_json_begin_object(json, NULL);
		scuse_json_uint(json, "nexus", nexus->nexus);
		scuse_json_string(json, "fabric", nexus->fabric);
		scuse_json_string(json, "initiator", nexus->initiator);
		scuse_json_string(json, "target", nexus->target);
		scuse_json_uint(json, "lun", nexus->lun);
		attentions_json(json, nexus);
		scuse_json_end(json);
	}
	scuse_json_end(json);
}

static void registrants_json(ScuseJson *json, const struct scuse_nl_reservations *list)
{
	scuse_json_begin_array(json, "registrants");
	for (size_t i = 0; i < list->count; i++) {
		const struct scuse_nl_reservation *entry = list->item[i];
		g_autofree char *key = g_strdup_printf("0x%" G_GINT64_MODIFIER "x", entry->key);

		scuse_json_begin_object(json, NULL);
		scuse_json_string(json, "fabric", entry->fabric);
		scuse_json_string(json, "initiator", entry->initiator);
		scuse_json_string(json, "target", entry->target);
		scuse_json_bool(json, "holder", entry->holder);
		scuse_json_string(json, "key", entry->has_key ? key : NULL);
		scuse_json_end(json);
	}
	scuse_json_end(json);
}

/* Keys are strings: many readers of JSON keep 53 bits of a number. */
static void reservations_json(ScuseJson *json, const struct scuse_nl_reservations *list)
{
	const struct scuse_nl_reservation *first = list->count ? list->item[0] : NULL;
	g_autofree char *name = first && first->type ? reservation_type_text(first->type) : NULL;

	scuse_json_begin_object(json, "reservation");
	scuse_json_uint(json, "type", first ? first->type : 0);
	scuse_json_string(json, "type_name", name);
	if (first && first->has_key)
		scuse_json_uint(json, "generation", first->generation);
	registrants_json(json, list);
	scuse_json_end(json);
}

void lun_state_json(ScuseJson *json, const lun_state *state)
{
	if (state->protection)
		scuse_json_uint(json, "protection", g_ascii_strtoull(state->protection, NULL, 10));
	if (state->mode) {
		scuse_json_begin_object(json, "mode");
		mode_settings_json(json, "current", state->mode->current, state->mode->current_length);
		mode_settings_json(json, "saved", state->mode->saved, state->mode->saved_length);
		scuse_json_end(json);
	}
	if (state->reservations)
		reservations_json(json, state->reservations);
	if (state->nexuses)
		nexuses_json(json, state->nexuses);
}
