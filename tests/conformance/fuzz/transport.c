// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What both transports share: sense data, and a plain way to send one command.
 */
#include "transport.h"

#include <stdio.h>
#include <string.h>

static void field_parse(struct sense *sense, const uint8_t *bytes)
{
	if (sense->key != 0x5)
		return;
	sense->has_field = bytes[0] & 0x80;
	sense->in_cdb = bytes[0] & 0x40;
	sense->has_bit = bytes[0] & 0x08;
	sense->bit = bytes[0] & 0x07;
	sense->byte = (uint16_t)get_number(bytes + 1, 2);
}

static void descriptors_parse(struct sense *sense, const uint8_t *data, size_t len)
{
	size_t at = 8, end = 8u + data[7];

	sense->valid = end <= len;
	while (sense->valid && at < end) {
		if (at + 2 > end || at + 2 + data[at + 1] > end)
			sense->valid = false;
		else if (data[at] == 0x02 && data[at + 1] == 6)
			field_parse(sense, data + at + 4);
		at += 2u + data[at + 1];
	}
}

void sense_parse(struct sense *sense, const uint8_t *data, size_t len)
{
	uint8_t code = len ? data[0] & 0x7f : 0;

	*sense = (struct sense){ 0 };
	if ((code == 0x72 || code == 0x73) && len >= 8) {
		sense->descriptor = true;
		sense->key = data[1] & 0x0f;
		sense->asc = (uint16_t)get_number(data + 2, 2);
		descriptors_parse(sense, data, len);
	} else if ((code == 0x70 || code == 0x71) && len >= 18) {
		sense->valid = true;
		sense->key = data[2] & 0x0f;
		sense->asc = (uint16_t)get_number(data + 12, 2);
		field_parse(sense, data + 15);
	}
}

bool command_failed_with(const struct command *command, uint8_t key, uint16_t asc)
{
	struct sense sense;

	sense_parse(&sense, command->sense, command->sense_len);
	return command->status == STATUS_CHECK_CONDITION && sense.valid && sense.key == key &&
	       sense.asc == asc;
}

void command_print(const struct command *command)
{
	static const char *const directions[] = { "no data", "to the LUN", "from the LUN" };
	static const char *const residuals[] = { "no residual", "underflow of", "overflow of" };

	fputs("# CDB", stdout);
	for (size_t i = 0; i < command->cdb_len; i++)
		printf(" %02x", command->cdb[i]);
	printf("; %u bytes %s; status %d, %u bytes came, %s %u; sense", command->length,
	       directions[command->direction], command->status, command->received,
	       residuals[command->residual_kind], command->residual);
	for (size_t i = 0; i < command->sense_len && i < 32; i++)
		printf(" %02x", command->sense[i]);
	putchar('\n');
}

int transport_send(struct transport *transport, const uint8_t *cdb, size_t cdb_len, enum direction direction,
		   void *data, uint32_t len, struct command *answer)
{
	struct sense sense;
	int tries = 0;

	do {
		*answer = (struct command){
			.cdb_len = cdb_len, .direction = direction, .length = len, .data = data
		};
		memcpy(answer->cdb, cdb, cdb_len);
		transport->run(transport, answer);
		sense_parse(&sense, answer->sense, answer->sense_len);
	} while (answer->status == STATUS_CHECK_CONDITION && sense.key == 0x6 && ++tries < 100);
	return answer->status;
}
