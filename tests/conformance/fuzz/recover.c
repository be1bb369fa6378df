// SPDX-License-Identifier: LGPL-2.1-or-later
#include "recover.h"

#include <string.h>
#include <time.h>

#define READY_LIMIT 60 /* seconds */
#define OWN_KEY	    0x7363757365ULL
#define MODE_ROOM   1024

static void wait_a_little(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 50000000 }, NULL);
}

static void start_unit(struct transport *transport)
{
	static const uint8_t cdb[6] = { 0x1b, [4] = 0x01 };
	struct command answer;

	transport_send(transport, cdb, sizeof(cdb), DIRECTION_NONE, NULL, 0, &answer);
}

/* SET TARGET PORT GROUPS: the default group of the target port becomes active/optimized (SPC-4 6.45). */
static void activate_port(struct transport *transport)
{
	static const uint8_t cdb[12] = { 0xa4, 0x0a, [9] = 8 };
	uint8_t list[8] = { 0 };
	struct command answer;

	transport_send(transport, cdb, sizeof(cdb), DIRECTION_OUT, list, sizeof(list), &answer);
}

/* A SANITIZE that failed is over only when an initiator says so (SBC-3 5.27.5). */
static void leave_failed_sanitize(struct transport *transport)
{
	static const uint8_t cdb[10] = { 0x48, 0x1f };
	struct command answer;

	transport_send(transport, cdb, sizeof(cdb), DIRECTION_NONE, NULL, 0, &answer);
}

bool recover_ready(struct transport *transport)
{
	static const uint8_t cdb[6] = { 0x00 };
	time_t end = time(NULL) + READY_LIMIT;
	struct command answer = { .status = STATUS_LOST };

	while (time(NULL) < end) {
		if (transport_send(transport, cdb, sizeof(cdb), DIRECTION_NONE, NULL, 0, &answer) ==
		    STATUS_GOOD)
			return true;
		if (answer.status < 0)
			break;
		if (command_failed_with(&answer, 0x2, 0x0402))
			start_unit(transport);
		else if (command_failed_with(&answer, 0x2, 0x040b) ||
			 command_failed_with(&answer, 0x2, 0x040c))
			activate_port(transport);
		else if (command_failed_with(&answer, 0x3, 0x3103))
			leave_failed_sanitize(transport);
		else if (answer.status == STATUS_RESERVATION_CONFLICT)
			return true; /* it answers; whoever may will give the reservation up */
		wait_a_little();
	}
	command_print(&answer);
	return false;
}

/* RELEASE, which does nothing for others than the holder; then all registrations and reservations are cleared. */
void recover_reservations(struct transport *transport)
{
	static const uint8_t release[6] = { 0x17 };
	static const uint8_t register_cdb[10] = { 0x5f, 0x06, [8] = 24 };
	static const uint8_t clear_cdb[10] = { 0x5f, 0x03, [8] = 24 };
	uint8_t list[24] = { 0 };
	struct command answer;

	transport_send(transport, release, sizeof(release), DIRECTION_NONE, NULL, 0, &answer);
	put_number(list + 8, 8, OWN_KEY);
	transport_send(transport, register_cdb, sizeof(register_cdb), DIRECTION_OUT, list, sizeof(list),
		       &answer);
	put_number(list, 8, OWN_KEY);
	put_number(list + 8, 8, 0);
	transport_send(transport, clear_cdb, sizeof(clear_cdb), DIRECTION_OUT, list, sizeof(list), &answer);
}

/* MODE SELECT (10) of what MODE SENSE (10) calls the defaults (SPC-4 6.10, 6.13). */
static void set_default_modes(struct transport *transport)
{
	static const uint8_t sense_cdb[10] = { 0x5a, 0x08, 0xbf, [7] = MODE_ROOM >> 8 };
	uint8_t select_cdb[10] = { 0x55, 0x10 }, data[MODE_ROOM] = { 0 };
	struct command answer;
	size_t len, at;

	if (transport_send(transport, sense_cdb, sizeof(sense_cdb), DIRECTION_IN, data, sizeof(data),
			   &answer))
		return;
	len = get_number(data, 2) + 2;
	if (len > answer.received || len < 8)
		return;
	memset(data, 0, 8); /* lengths and device-specific parameter: reserved for MODE SELECT */
	for (at = 8; at + 2 <= len; at += 2u + data[at + 1])
		data[at] &= 0x7f; /* PS */
	put_number(select_cdb + 7, 2, len);
	transport_send(transport, select_cdb, sizeof(select_cdb), DIRECTION_OUT, data, (uint32_t)len,
		       &answer);
}

bool recover_all(struct transport *transport)
{
	if (!recover_ready(transport))
		return false;
	recover_reservations(transport);
	set_default_modes(transport);
	return recover_ready(transport);
}
