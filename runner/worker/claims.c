// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Claims.  See claims.h.  The loader checks those of a plugin, caps.c those that probe gives, plan.c looks
 * for the claim of each command.  No state.
 */
#include "claims.h"

#include <string.h>

#include <glib.h>

#define VARIABLE_LENGTH 0x7f
#define CDB_MIN		6
#define ACTION_MAX	0x1f /* but for VARIABLE_LENGTH, whose service actions have 16 bits */
#define KNOWN_FLAGS	(SCUSE_CLAIM_WRITES | SCUSE_CLAIM_STANDARD)

static bool is_zero(const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i])
			return false;
	return true;
}

static const char *check_standard(const struct scuse_claim *claim)
{
	const struct scuse_claim alone = { .flags = claim->flags };

	if (claim->flags != SCUSE_CLAIM_STANDARD)
		return "SCUSE_CLAIM_STANDARD goes with no other flag";
	if (memcmp(claim, &alone, sizeof(alone)) != 0)
		return "with SCUSE_CLAIM_STANDARD all other fields are 0";
	return NULL;
}

static const char *check_action(const struct scuse_claim *claim)
{
	if (claim->has_service_action > 1)
		return "has_service_action is neither 0 nor 1";
	if (claim->service_action && !claim->has_service_action)
		return "it has a service action, but has_service_action is 0";
	if (claim->service_action > ACTION_MAX && claim->opcode != VARIABLE_LENGTH)
		return "its service action does not fit the 5 bits that there are";
	return NULL;
}

static const char *check_one(const struct scuse_claim *claim)
{
	uint8_t length = claim->cdb_len;
	const char *wrong;

	if (claim->flags & ~KNOWN_FLAGS)
		return "a flag of it is not known";
	if (claim->flags & SCUSE_CLAIM_STANDARD)
		return check_standard(claim);
	wrong = check_action(claim);
	if (wrong)
		return wrong;
	if (length && length < CDB_MIN)
		return "a CDB has at least 6 bytes";
	if (length > SCUSE_CDB_INLINE && claim->opcode != VARIABLE_LENGTH)
		return "only a CDB of variable length (7Fh) has more than 32 bytes";
	if (claim->direction > SCUSE_DIRECTION_IN)
		return "its direction is none of 0, 1, 2";
	if (!is_zero(claim->usage, sizeof(claim->usage)) && claim->usage[0] != claim->opcode)
		return "its CDB usage data does not begin with the operation code";
	return NULL;
}

/* Does an earlier entry say the same command? */
static bool is_double(const struct scuse_claim *claims, const struct scuse_claim *claim)
{
	for (; claims < claim; claims++)
		if (claims->opcode == claim->opcode &&
		    claims->has_service_action == claim->has_service_action &&
		    claims->service_action == claim->service_action &&
		    !((claims->flags ^ claim->flags) & SCUSE_CLAIM_STANDARD))
			return true;
	return false;
}

static char *describe(const struct scuse_claim *claim, size_t index, const char *wrong)
{
	if (claim->has_service_action)
		return g_strdup_printf(
			"its claim %zu (operation code %02Xh, service action %02Xh) is wrong: %s", index + 1,
			claim->opcode, claim->service_action, wrong);
	return g_strdup_printf("its claim %zu (operation code %02Xh) is wrong: %s", index + 1, claim->opcode,
			       wrong);
}

bool claims_check(const struct scuse_claim *claims, char **error)
{
	for (size_t i = 0; i <= SCUSE_MAX_COMMANDS; i++) {
		const char *wrong;

		if (claims[i].flags & SCUSE_CLAIM_END) {
			if (!i)
				*error = g_strdup("its list of claims is empty");
			return i > 0;
		}
		wrong = check_one(&claims[i]);
		if (!wrong && is_double(claims, &claims[i]))
			wrong = "the same command is claimed before";
		if (wrong) {
			*error = describe(&claims[i], i, wrong);
			return false;
		}
	}
	*error = g_strdup_printf("its list of claims has more than %d entries, or does not end with "
				 "SCUSE_CLAIM_END",
				 SCUSE_MAX_COMMANDS);
	return false;
}

size_t claims_count(const struct scuse_claim *claims)
{
	size_t count = 0;

	while (!(claims[count].flags & SCUSE_CLAIM_END))
		count++;
	return count;
}

static uint16_t service_action(const uint8_t *cdb)
{
	return cdb[0] == VARIABLE_LENGTH ? (uint16_t)(cdb[8] << 8 | cdb[9]) : cdb[1] & ACTION_MAX;
}

const struct scuse_claim *claim_find(const struct scuse_claim *claims, const uint8_t *cdb)
{
	const struct scuse_claim *standard = NULL;

	for (; claims && !(claims->flags & SCUSE_CLAIM_END); claims++) {
		if (claims->flags & SCUSE_CLAIM_STANDARD)
			standard = claims;
		else if (claims->opcode == cdb[0] &&
			 (!claims->has_service_action || claims->service_action == service_action(cdb)))
			return claims;
	}
	return standard;
}

/* The group code says how long; vendor groups have only the claim to go by. */
uint16_t claim_cdb_length(const struct scuse_claim *claim, const uint8_t *cdb)
{
	static const uint8_t by_group[8] = { 6, 10, 10, 0, 16, 12, 0, 0 };

	if (cdb[0] == VARIABLE_LENGTH)
		return (uint16_t)MIN(cdb[7] + 8, SCUSE_CDB_MAX);
	if (claim->cdb_len && claim->cdb_len <= SCUSE_CDB_INLINE)
		return claim->cdb_len;
	return by_group[cdb[0] >> 5] ? by_group[cdb[0] >> 5] : 16;
}

struct scuse_command *claims_to_commands(const struct scuse_claim *claims)
{
	size_t count = claims_count(claims);
	struct scuse_command *commands = g_new0(struct scuse_command, count);

	for (size_t i = 0; i < count; i++) {
		const struct scuse_claim *claim = &claims[i];

		commands[i] = (struct scuse_command){
			.opcode = claim->opcode,
			.has_action = claim->has_service_action,
			.action = claim->service_action,
			.cdb_length = claim->cdb_len,
			.direction = claim->direction,
			.flags = (claim->flags & SCUSE_CLAIM_WRITES ? SCUSE_COMMAND_WRITES : 0) |
				 (claim->flags & SCUSE_CLAIM_STANDARD ? SCUSE_COMMAND_STANDARD : 0),
			.timeout = claim->timeout,
		};
		memcpy(commands[i].usage, claim->usage, sizeof(commands[i].usage));
	}
	return commands;
}
