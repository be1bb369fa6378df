// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What both transports share: waiting, and sense data.  Called by the test cases.
 */
#include "nexus.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define ANSWER_LIMIT 30000 /* milliseconds */

#define NEXUSES_MAX 8
#define SLICE	    50 /* milliseconds for which the others may have to wait */

/* All that have ever been open; they are the program's from its beginning to its end. */
static struct nexus *known[NEXUSES_MAX];

static void remember(struct nexus *nexus)
{
	for (size_t i = 0; i < NEXUSES_MAX && known[i] != nexus; i++) {
		if (!known[i]) {
			known[i] = nexus;
			break;
		}
	}
}

int nexus_open(struct nexus *nexus)
{
	remember(nexus);
	return nexus->session ? 0 : nexus->transport->open(nexus);
}

/* Each initiator answers its target, whichever of them the program waits for. */
static void serve_others(const struct nexus *but)
{
	for (size_t i = 0; i < NEXUSES_MAX && known[i]; i++)
		if (known[i] != but && known[i]->session)
			known[i]->transport->serve(known[i], 0);
}

void nexus_close(struct nexus *nexus)
{
	if (nexus->session)
		nexus->transport->close(nexus);
}

void nexus_drop(struct nexus *nexus)
{
	if (nexus->session)
		nexus->transport->drop(nexus);
}

void nexus_start(struct nexus *nexus, struct command *command)
{
	command->status = STATUS_IN_FLIGHT;
	command->in_len = 0;
	command->sense = (struct sense){ 0 };
	command->nexus = nexus;
	command->task = NULL;
	if (!nexus->session || nexus->transport->start(nexus, command))
		command->status = STATUS_LOST;
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

bool nexus_finish(struct command *command, int milliseconds)
{
	int64_t end = now() + milliseconds, left;

	while (command->status == STATUS_IN_FLIGHT && command->nexus->session) {
		left = end - now();
		if (left < 0)
			return false;
		command->nexus->transport->serve(command->nexus, left < SLICE ? (int)left : SLICE);
		if (command->status == STATUS_IN_FLIGHT)
			serve_others(command->nexus);
	}
	if (command->status == STATUS_IN_FLIGHT)
		command->status = STATUS_LOST;
	return true;
}

void nexus_forget(struct command *command)
{
	if (command->status == STATUS_IN_FLIGHT)
		command->nexus->transport->forget(command->nexus, command);
	if (command->status == STATUS_IN_FLIGHT)
		command->status = STATUS_FORGOTTEN;
}

int nexus_run(struct nexus *nexus, struct command *command)
{
	nexus_start(nexus, command);
	if (!nexus_finish(command, ANSWER_LIMIT)) {
		nexus_forget(command);
		command->status = STATUS_LOST;
	}
	return command->status;
}

int nexus_manage(struct nexus *nexus, enum task_management function, struct command *referenced)
{
	return nexus->session ? nexus->transport->manage(nexus, function, referenced) : TMF_NO_RESPONSE;
}

static void specific_parse(struct sense *sense, const uint8_t *bytes)
{
	sense->has_field = sense->key == KEY_ILLEGAL_REQUEST && bytes[0] & 0x80;
	sense->in_cdb = bytes[0] & 0x40;
	sense->field = (uint16_t)(bytes[1] << 8 | bytes[2]);
}

static void descriptors_parse(struct sense *sense, const uint8_t *data, size_t len)
{
	size_t at = 8, end = 8u + data[7];

	while (at + 2 <= end && at + 2 <= len && at + 2 + data[at + 1] <= len) {
		if (data[at] == 0x02 && data[at + 1] >= 6)
			specific_parse(sense, data + at + 4);
		at += 2u + data[at + 1];
	}
}

void sense_parse(struct sense *sense, const uint8_t *data, size_t len)
{
	uint8_t code = len ? data[0] & 0x7f : 0;

	*sense = (struct sense){ 0 };
	if ((code == 0x72 || code == 0x73) && len >= 8) {
		sense->present = sense->descriptor = true;
		sense->key = data[1] & 0xf;
		sense->asc = (asc_t)(data[2] << 8 | data[3]);
		descriptors_parse(sense, data, len);
	} else if ((code == 0x70 || code == 0x71) && len >= 14) {
		sense->present = true;
		sense->key = data[2] & 0xf;
		sense->asc = (asc_t)(data[12] << 8 | data[13]);
		if (len >= 18)
			specific_parse(sense, data + 15);
	}
}

static const char *status_name(int status)
{
	switch (status) {
	case STATUS_IN_FLIGHT:
		return "no answer yet";
	case STATUS_LOST:
		return "no answer, or no session";
	case STATUS_FORGOTTEN:
		return "not awaited";
	case STATUS_GOOD:
		return "GOOD";
	case STATUS_CHECK_CONDITION:
		return "CHECK CONDITION";
	case STATUS_CONDITION_MET:
		return "CONDITION MET";
	case STATUS_BUSY:
		return "BUSY";
	case STATUS_RESERVATION_CONFLICT:
		return "RESERVATION CONFLICT";
	case STATUS_TASK_SET_FULL:
		return "TASK SET FULL";
	case STATUS_TASK_ABORTED:
		return "TASK ABORTED";
	default:
		return "status";
	}
}

const char *command_answer(const struct command *command)
{
	static char texts[4][80];
	static unsigned int next;
	char *text = texts[next++ % 4];
	const struct sense *sense = &command->sense;

	if (command->status == STATUS_CHECK_CONDITION && sense->present)
		snprintf(text, sizeof(texts[0]), "CHECK CONDITION %x/%02x/%02x%s", sense->key,
			 sense->asc >> 8, sense->asc & 0xff, sense->descriptor ? " (descriptor format)" : "");
	else
		snprintf(text, sizeof(texts[0]), "%s (%d)", status_name(command->status), command->status);
	return text;
}

bool command_is_error(const struct command *command, uint8_t key, asc_t asc)
{
	return command->status == STATUS_CHECK_CONDITION && command->sense.present &&
	       command->sense.key == key && command->sense.asc == asc;
}

bool command_is_attention(const struct command *command, asc_t asc)
{
	return command_is_error(command, KEY_UNIT_ATTENTION, asc);
}
