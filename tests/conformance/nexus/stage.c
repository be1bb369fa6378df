// SPDX-License-Identifier: LGPL-2.1-or-later
/* The stage: nexuses opened and drained, mode pages set, the host's side told.  Called by all cases. */
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <stdlib.h>
#include <unistd.h>

#include "cdb.h"

#define ATTENTIONS_MAX 64
#define CHANGEABLE     0x40 /* page control: changeable values */

void nexus_drain(struct nexus *nexus)
{
	uint8_t sense[96];
	struct command command;

	for (int i = 0; nexus->session && i < ATTENTIONS_MAX; i++) {
		command = cdb_test_unit_ready();
		if (nexus_run(nexus, &command) != STATUS_CHECK_CONDITION ||
		    command.sense.key != KEY_UNIT_ATTENTION)
			return;
		/* Reporting does not clear them if UA_INTLCK_CTRL says so; this does. */
		command = cdb_request_sense(false, sense, sizeof(sense));
		nexus_run(nexus, &command);
	}
}

void stage_drain(struct stage *stage)
{
	for (int place = A; place < PLACES_ALL; place++)
		nexus_drain(&stage->nexus[place]);
}

int stage_open(struct stage *stage)
{
	for (int place = A; place < PLACES; place++)
		if (nexus_open(&stage->nexus[place]))
			return -1;
	stage_drain(stage);
	return 0;
}

void stage_close(struct stage *stage)
{
	for (int place = A; place < PLACES_ALL; place++)
		nexus_close(&stage->nexus[place]);
}

int stage_hook(const struct stage *stage, const char *words)
{
	char line[512];
	int status;

	if (snprintf(line, sizeof(line), "%s %s 1>&2", stage->hook, words) >= (int)sizeof(line))
		return -1;
	status = system(line);
	if (status == -1 || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

int stage_tell(const struct stage *stage, const char *words)
{
	size_t len = strlen(words);
	ssize_t written;
	int fd;

	if (!stage->control)
		return -1;
	/* Without a reader, this must fail rather than wait for one. */
	fd = open(stage->control, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		fprintf(stderr, "%s: %s\n", stage->control, strerror(errno));
		return -1;
	}
	written = write(fd, words, len);
	close(fd);
	return written == (ssize_t)len ? 0 : -1;
}

/* The page within what MODE SENSE (6) returned; its first byte is masked for sending it back (PS is reserved). */
static uint8_t *find_page(uint8_t *list, size_t len)
{
	size_t at = 4;

	if (len < 4)
		return NULL;
	at += list[3];
	if (at + 2 > len || at + 2u + list[at + 1] > len)
		return NULL;
	list[at] &= 0x7f;
	return list + at;
}

/* `page` with the page control field in its upper two bits (SPC-4 6.11) */
static int get_mode(struct nexus *nexus, uint8_t page, unsigned int byte)
{
	uint8_t list[252], *found;
	struct command command = cdb_mode_sense(page, 0, list, sizeof(list));

	if (nexus_run(nexus, &command) != STATUS_GOOD)
		return -1;
	found = find_page(list, command.in_len);
	return found && byte < 2u + found[1] ? found[byte] : -1;
}

int stage_get_mode(struct nexus *nexus, uint8_t page, unsigned int byte)
{
	return get_mode(nexus, page, byte);
}

bool stage_can_set_mode(struct nexus *nexus, uint8_t page, unsigned int byte, uint8_t mask)
{
	int changeable = get_mode(nexus, CHANGEABLE | page, byte);

	return changeable >= 0 && (changeable & mask) == mask;
}

int stage_set_mode(struct nexus *nexus, uint8_t page, unsigned int byte, uint8_t mask, uint8_t value)
{
	uint8_t list[252], *found;
	struct command command = cdb_mode_sense(page, 0, list, sizeof(list));
	size_t len;

	if (nexus_run(nexus, &command) != STATUS_GOOD)
		return command.status;
	found = find_page(list, command.in_len);
	if (!found || byte >= 2u + found[1])
		return STATUS_LOST;
	found[byte] = (uint8_t)((found[byte] & ~mask) | (value & mask));
	/* MODE DATA LENGTH is reserved in a parameter list, DEVICE-SPECIFIC PARAMETER too. */
	list[0] = list[2] = 0;
	len = (size_t)(found - list) + 2u + found[1];
	command = cdb_mode_select(list, (uint8_t)len);
	nexus_run(nexus, &command);
	if (command.status != STATUS_GOOD)
		fprintf(stderr, "# mode page %02xh byte %u mask %02xh: MODE SELECT: %s\n", page, byte, mask,
			command_answer(&command));
	return command.status;
}
