// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Which commands the device has, by its own report (REPORT SUPPORTED OPERATION CODES, SPC-4 6.35), as claims.
 * See sg.h.  Pure.
 *
 *	header (4): length of what follows
 *	descriptor (8, and 12 more with CTDP): opcode, -, service action (2), -, CTDP | SERVACTV, CDB length (2)
 *
 * Vendor specific commands are left out: nothing tells which way their data goes.
 */
#include "sg.h"

#include <stdlib.h>
#include <string.h>

#define HEADER	   4
#define DESCRIPTOR 8
#define TIMEOUTS   12
#define SERVACTV   0x01
#define CTDP	   0x02
#define VENDOR	   0xc0 /* the first of the operation codes that are vendor specific by their group */
#define VARIABLE   0x7f

#define TEST_UNIT_READY 0x00
#define INQUIRY		0x12

static uint32_t be(const uint8_t *bytes, size_t count)
{
	uint32_t value = 0;

	for (size_t i = 0; i < count; i++)
		value = value << 8 | bytes[i];
	return value;
}

static bool is_known(const struct scuse_claim *claims, size_t count, const struct scuse_claim *claim)
{
	for (size_t i = 0; i < count; i++)
		if (claims[i].opcode == claim->opcode &&
		    claims[i].has_service_action == claim->has_service_action &&
		    claims[i].service_action == claim->service_action)
			return true;
	return false;
}

/* False: nothing that can be claimed. */
static bool to_claim(const uint8_t *descriptor, struct scuse_claim *claim)
{
	bool has_action = descriptor[5] & SERVACTV;
	uint32_t length = be(descriptor + 6, 2);

	*claim = (struct scuse_claim){
		.opcode = descriptor[0],
		.has_service_action = has_action,
		.service_action = has_action ? (uint16_t)be(descriptor + 2, 2) : 0,
		.cdb_len = length >= 6 && length <= 32 ? (uint8_t)length : 0,
	};
	if (claim->opcode >= VENDOR)
		return false;
	return claim->opcode == VARIABLE || claim->service_action <= 0x1f;
}

/* Bytes of the descriptor at `at`; 0: it does not fit. */
static size_t descriptor_size(const uint8_t *data, size_t at, size_t end)
{
	size_t size = DESCRIPTOR;

	if (at + DESCRIPTOR > end)
		return 0;
	if (data[at + 5] & CTDP)
		size += TIMEOUTS;
	return at + size > end ? 0 : size;
}

/* The recommended timeout (SPC-4 6.35.4), or else the nominal one, in seconds; 0: not stated. */
static uint32_t timeout_in(const uint8_t *descriptor)
{
	uint32_t nominal, recommended;

	if (!(descriptor[5] & CTDP))
		return 0;
	nominal = be(descriptor + DESCRIPTOR + 4, 4);
	recommended = be(descriptor + DESCRIPTOR + 8, 4);
	return recommended > nominal ? recommended : nominal;
}

/* Every device has these; a report without them is not to be believed. */
static bool is_credible(const struct scuse_claim *claims, size_t count)
{
	const struct scuse_claim test = { .opcode = TEST_UNIT_READY }, inquiry = { .opcode = INQUIRY };

	return is_known(claims, count, &test) && is_known(claims, count, &inquiry);
}

struct scuse_claim *claims_from_report(const uint8_t *data, size_t length)
{
	size_t end = length < HEADER ? 0 : HEADER + (size_t)be(data, 4), count = 0, size;
	struct scuse_claim *claims;

	if (end > length)
		end = length;
	claims = calloc(end / DESCRIPTOR + 1, sizeof(*claims));
	if (!claims)
		return NULL;
	for (size_t at = HEADER; count < SCUSE_MAX_COMMANDS && (size = descriptor_size(data, at, end));
	     at += size) {
		struct scuse_claim *claim = &claims[count];

		if (!to_claim(data + at, claim) || is_known(claims, count, claim))
			continue;
		claim->timeout = timeout_in(data + at);
		count++;
	}
	claims[count] = (struct scuse_claim){ .flags = SCUSE_CLAIM_END };
	if (is_credible(claims, count))
		return claims;
	free(claims);
	return NULL;
}
