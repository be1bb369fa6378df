// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Parameter lists for generate.c: what is nearly right gets further into a parser than noise does.
 */
#include "generate.h"

#include <string.h>

static void fill_noise(struct random *random, struct command *command)
{
	uint32_t at = 0;

	/* Blocks of data: a few distinct ones, so that comparisons now and then succeed. */
	if (random_once_in(random, 2)) {
		memset(command->data, (int)random_below(random, 3), command->length);
		return;
	}
	for (; at + 8 <= command->length; at += 8)
		put_number(command->data + at, 8, random_next(random));
	memset(command->data + at, 0, command->length - at);
}

/* Headers of 4 or 8 bytes, no or one block descriptor, then pages with lengths that fit or nearly so. */
static void fill_mode_list(struct random *random, struct command *command, bool ten)
{
	static const struct {
		uint8_t code, len;
	} pages[] = { { 0x01, 0x0a }, { 0x08, 0x12 }, { 0x0a, 0x0a },
		      { 0x1a, 0x26 }, { 0x1c, 0x0a }, { 0x3f, 0x02 } };
	uint32_t at = ten ? 8 : 4;

	memset(command->data, 0, command->length);
	if (random_once_in(random, 4) && at + 8 < command->length) {
		command->data[ten ? 7 : 3] = 8;
		put_number(command->data + at + 5, 3, 512);
		at += 8;
	}
	while (at + 2 < command->length) {
		uint32_t page = random_below(random, sizeof(pages) / sizeof(pages[0]));

		command->data[at] = pages[page].code;
		command->data[at + 1] = (uint8_t)(pages[page].len + (random_once_in(random, 8) ? 1 : 0));
		if (random_once_in(random, 2))
			command->data[at + 2 + random_below(random, command->length - at - 2)] ^=
				(uint8_t)(1u << random_below(random, 8));
		at += 2u + pages[page].len;
	}
}

static void fill_unmap_list(struct random *random, const struct catalogue *catalogue, struct command *command)
{
	uint32_t len = command->length;

	memset(command->data, 0, len);
	if (len < 8)
		return;
	put_number(command->data, 2, len - 2);
	put_number(command->data + 2, 2, (len - 8) / 16 * 16);
	for (uint32_t at = 8; at + 16 <= len; at += 16) {
		put_number(command->data + at, 8, random_next(random) % (catalogue->blocks + 4));
		put_number(command->data + at + 8, 4, random_below(random, 64));
	}
}

/* PERSISTENT RESERVE OUT: two keys out of a handful, so that they match at times. */
static void fill_reservation_list(struct random *random, struct command *command)
{
	memset(command->data, 0, command->length);
	if (command->length < 24)
		return;
	put_number(command->data, 8, random_below(random, 3));
	put_number(command->data + 8, 8, random_below(random, 3));
	if (random_once_in(random, 4))
		command->data[20] = (uint8_t)random_next(random);
	if (command->length > 28)
		put_number(command->data + 24, 4, command->length - 28);
}

/* A header whose length field counts what follows it: FORMAT UNIT, SANITIZE, SET TIMESTAMP, LOG SELECT... */
static void fill_header(struct random *random, struct command *command)
{
	memset(command->data, 0, command->length);
	if (command->length >= 4)
		put_number(command->data + 2, 2, command->length - 4);
	if (command->length)
		command->data[0] = (uint8_t)(random_next(random) & random_next(random));
}

static void fill_list(struct random *random, const struct catalogue *catalogue, struct command *command)
{
	switch (command->cdb[0]) {
	case 0x15:
	case 0x55:
		fill_mode_list(random, command, command->cdb[0] == 0x55);
		break;
	case 0x42:
		fill_unmap_list(random, catalogue, command);
		break;
	case 0x5f:
		fill_reservation_list(random, command);
		break;
	case 0x04:
	case 0x48:
	case 0x4c:
	case 0xa4:
		fill_header(random, command);
		break;
	default:
		fill_noise(random, command);
	}
}

void generate_parameters(struct random *random, const struct catalogue *catalogue, struct command *command)
{
	uint32_t flips = random_once_in(random, 2) ? 0 : 1 + random_below(random, 3);

	if (random_once_in(random, 6))
		fill_noise(random, command);
	else
		fill_list(random, catalogue, command);
	while (flips-- && command->length)
		command->data[random_below(random, command->length)] ^=
			(uint8_t)(1u << random_below(random, 8));
}
