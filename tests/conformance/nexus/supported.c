// SPDX-License-Identifier: LGPL-2.1-or-later
/* The list of supported commands (supported.h). */
#include "supported.h"

#include "cdb.h"

struct supported supported[SUPPORTED_MAX];
size_t supported_count;

int supported_read(struct nexus *nexus)
{
	static uint8_t list[8 + 20 * SUPPORTED_MAX];
	struct command command = cdb_maintenance_in(0x0c, list, sizeof(list));
	size_t end, at = 4;

	supported_count = 0;
	if (nexus_run(nexus, &command) != STATUS_GOOD || command.in_len < 4)
		return -1;
	end = 4 + (size_t)get32(list);
	if (end > command.in_len)
		return -1;
	for (; at + 8 <= end && supported_count < SUPPORTED_MAX; at += list[at + 5] & 0x02 ? 20 : 8)
		supported[supported_count++] = (struct supported){
			.opcode = list[at],
			.service_action = list[at + 5] & 0x01 ? get16(list + at + 2) : NO_SERVICE_ACTION,
		};
	return 0;
}

bool is_supported(uint8_t opcode, int service_action)
{
	for (size_t i = 0; i < supported_count; i++)
		if (supported[i].opcode == opcode && supported[i].service_action == service_action)
			return true;
	return false;
}
