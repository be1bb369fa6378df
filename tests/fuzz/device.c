// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: what a passed-through device says of itself and of its errors (kmod/rawprobe.c, relayrule.c,
 * sense.h), and unit attentions in the books of several nexuses (kmod/ua.c).  An input is a sequence of
 * events.
 *
 * Promises: the questions end, whatever the answers are; sense data is judged without a look behind its end;
 * a nexus hears of no more unit attentions than there were, and of none twice.
 */
#include "fuzz.h"
#include "rawprobe.h"
#include "relayrule.h"
#include "sense.h"
#include "ua.h"

#define QUESTIONS 256

static void probe(struct fuzz_input *input)
{
	struct scuse_probe_command command;
	struct scuse_probe state;
	int asked = 0;

	scuse_probe_start(&state, fuzz_u8(input) & 0x1f);
	while (scuse_probe_command(&state, &command)) {
		u8 byte = fuzz_u8(input), *data;
		struct fuzz_input part = { input->at, input->left };
		size_t length;

		fuzz_check(asked++ < QUESTIONS && command.length <= SCUSE_PROBE_LENGTH);
		switch (byte % 8) {
		case 0:
			scuse_probe_refused(&state);
			break;
		case 1:
			scuse_probe_failed(&state);
			break;
		case 2:
			if (!scuse_probe_attention(&state))
				return;
			break;
		default:
			data = fuzz_rest(&part, byte < command.length ? byte : command.length, &length);
			scuse_probe_answer(&state, data, (u32)length);
			free(data);
			*input = part;
		}
	}
	fuzz_check(!state.facts.has_blocks || scuse_probe_has_blocks(state.type));
}

static void sense(struct fuzz_input *input)
{
	u8 trust = fuzz_u8(input), asc, ascq, *data;
	struct fuzz_input part = { input->at, input->left };
	struct scuse_ua_code code;
	struct scuse_echo echo = { .reset = trust & 0x10, .select = trust & 0x20 };
	size_t length;

	data = fuzz_rest(&part, fuzz_u8(input) % 97, &length);
	*input = part;
	scuse_sense_code(data, (u32)length, &asc, &ascq);
	if (scuse_sense_check(data, (u32)length, trust % 3) == SCUSE_SENSE_OK)
		fuzz_check(length >= 8 && (trust % 3 == SCUSE_SENSE_RELAYED ||
					   scuse_sense_key(data) != SCUSE_KEY_UNIT_ATTENTION));
	if (scuse_relay_code(data, (u32)length, &code)) {
		scuse_relay_actions(code.asc, code.ascq);
		scuse_echo_take(&echo, &code);
	}
	scuse_echo_ended(&echo, 0, asc, ascq);
	free(data);
}

static void build(struct fuzz_input *input)
{
	u8 buffer[SCUSE_SENSE_BUFFER] = { 0 }, flags = fuzz_u8(input);
	struct scuse_sense made = {
		.key = fuzz_u8(input) & 0xf,
		.asc = fuzz_u8(input),
		.ascq = fuzz_u8(input),
		.specific = flags & 3,
		.field = fuzz_u16(input),
		.bit = fuzz_u8(input),
		.has_information = flags & 4,
		.information = fuzz_u64(input),
	};
	u32 length = scuse_sense_build(buffer, &made, flags & 8);
	u8 asc, ascq;

	fuzz_check(length <= sizeof(buffer) && scuse_sense_key(buffer) == made.key);
	scuse_sense_code(buffer, length, &asc, &ascq);
	fuzz_check(asc == made.asc && ascq == made.ascq);
}

static void consequence(struct fuzz_input *input)
{
	struct scuse_ua_code code;
	u8 type = fuzz_u8(input) & 0x1f, cdb[16];

	fuzz_bytes(input, cdb, sizeof(cdb));
	scuse_relay_consequence(type, cdb, &code);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };

	while (input.left) {
		switch (fuzz_u8(&input) % 4) {
		case 0:
			probe(&input);
			break;
		case 1:
			sense(&input);
			break;
		case 2:
			build(&input);
			break;
		default:
			consequence(&input);
		}
	}
	return 0;
}
