// SPDX-License-Identifier: GPL-2.0-only
/*
 * Fuzz target: CDBs against both tables of commands (kmod/opcode.c, kmod/rawroute.c), and what a worker
 * claims for its raw LUN at START.  An input: device type, block length, CDB, claims.
 *
 * Promises: field pointers lie within the CDB; a claim that is found is for that command; what a handler gets
 * was claimed, and its data goes in one direction at most.
 */
#include <scuse/abi.h>

#include "fuzz.h"
#include "opcode.h"
#include "raw.h"

#define CDB	   32
#define CLAIMS_MAX 64

static void check_field(const u8 *cdb, u16 byte, u8 bit)
{
	fuzz_check(byte < (cdb[0] == SCUSE_VARIABLE_LENGTH ? 260 : 16));
	fuzz_check(bit < 8 || bit == 0xff);
}

static void own(const u8 *cdb)
{
	const struct scuse_opcode *opcode = scuse_opcode_find(cdb);
	u16 byte = 0;
	u8 bit = 0;

	if (!opcode)
		return;
	fuzz_check(opcode->opcode == cdb[0] && opcode->cdb_length <= CDB);
	scuse_opcode_number(opcode, &opcode->lba, cdb);
	scuse_opcode_number(opcode, &opcode->count, cdb);
	if (scuse_opcode_reserved(opcode, cdb, &byte, &bit))
		check_field(cdb, byte, bit);
}

/* The claims that scuse_raw_read_claims() would let through. */
static struct scuse_raw_claims *read_claims(struct fuzz_input *input)
{
	struct scuse_command commands[CLAIMS_MAX];
	struct scuse_raw_claims *claims;
	u32 count = 0;

	for (u32 i = 0; i < CLAIMS_MAX && input->left; i++) {
		fuzz_bytes(input, &commands[count], sizeof(commands[count]));
		count += scuse_raw_command_ok(&commands[count]);
	}
	claims = calloc(1, sizeof(*claims) + count * sizeof(claims->list[0]));
	fuzz_check(claims);
	scuse_raw_claims_sort(claims, commands, count);
	fuzz_check(claims->count <= count);
	return claims;
}

static void raw(u32 type, const struct scuse_raw_claims *claims, const u8 *cdb, u32 block, u64 expected)
{
	const struct scuse_raw_entry *entry = scuse_raw_way(type, claims, cdb);
	const struct scuse_command *command;
	u16 byte = 0, flags;
	u8 bit = 0;

	fuzz_check(entry);
	flags = scuse_raw_flags(entry, cdb);
	fuzz_check(entry->route == SCUSE_RAW_REFUSED ||
		   (flags & (SCUSE_RAW_IN | SCUSE_RAW_OUT)) != (SCUSE_RAW_IN | SCUSE_RAW_OUT));
	scuse_raw_length(entry, cdb, block, expected);
	scuse_raw_needs_block(entry, cdb);
	if (scuse_raw_field_refused(type, entry, cdb, &byte, &bit))
		check_field(cdb, byte, bit);
	command = scuse_raw_claimed(claims, cdb[0], scuse_raw_action(cdb));
	if (command)
		fuzz_check(command->opcode == cdb[0]);
	else if (!claims->standard)
		fuzz_check(entry->route == SCUSE_RAW_REFUSED || entry->route == SCUSE_RAW_KERNEL);
	scuse_raw_has(type, cdb[0], SCUSE_NO_ACTION);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	struct fuzz_input input = { data, size };
	u32 type = fuzz_u8(&input) & 0x1f, block = fuzz_u32(&input) & 0xffffff, expected = fuzz_u32(&input);
	struct scuse_raw_claims *claims;
	u8 *cdb = malloc(CDB);

	if (!ready) {
		scuse_opcode_init();
		scuse_raw_init();
		ready = true;
	}
	fuzz_check(cdb);
	fuzz_bytes(&input, cdb, CDB);
	claims = read_claims(&input);
	own(cdb);
	raw(type, claims, cdb, block, expected);
	free(claims);
	free(cdb);
	return 0;
}
