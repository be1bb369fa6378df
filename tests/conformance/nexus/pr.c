// SPDX-License-Identifier: LGPL-2.1-or-later
/* PERSISTENT RESERVE IN and OUT: parameter lists built and taken apart.  Called by all groups. */
#include <stdio.h>
#include <string.h>

#include "cdb.h"
#include "persistent.h"

const uint8_t pr_types[PR_TYPES] = {
	PR_WRITE_EXCLUSIVE,
	PR_EXCLUSIVE_ACCESS,
	PR_WRITE_EXCLUSIVE_REGISTRANTS,
	PR_EXCLUSIVE_ACCESS_REGISTRANTS,
	PR_WRITE_EXCLUSIVE_ALL,
	PR_EXCLUSIVE_ACCESS_ALL,
};

struct command pr_last;

int pr_out(struct nexus *nexus, uint8_t action, uint8_t type, uint64_t key, uint64_t action_key,
	   uint8_t flags)
{
	uint8_t list[24] = { 0 };

	put64(list, key);
	put64(list + 8, action_key);
	list[20] = flags;
	pr_last = cdb_pr_out(action, type, list, sizeof(list));
	return nexus_run(nexus, &pr_last);
}

int pr_reserve(struct nexus *nexus, uint8_t type, uint64_t key)
{
	return pr_out(nexus, PR_OUT_RESERVE, type, key, 0, 0);
}

int pr_register(struct nexus *nexus, uint64_t key)
{
	return pr_out(nexus, PR_OUT_REGISTER_AND_IGNORE, 0, 0, key, 0);
}

int pr_register_all(struct stage *stage)
{
	int failed = 0;

	for (int place = A; place < PLACES; place++)
		failed |= pr_register(&stage->nexus[place], PR_KEY(place)) != STATUS_GOOD;
	stage_drain(stage);
	return failed ? -1 : 0;
}

void pr_clear_all(struct stage *stage)
{
	struct nexus *any = &stage->nexus[A];

	stage_drain(stage);
	/* May be refused to a nexus that was registered with ALL_TG_PT, which then has this key already. */
	pr_register(any, PR_KEY(A));
	pr_out(any, PR_OUT_CLEAR, 0, PR_KEY(A), 0, 0);
	stage_drain(stage);
}

int pr_keys(struct nexus *nexus, uint64_t *keys, int room, uint32_t *generation)
{
	uint8_t list[8 + 8 * 32];
	struct command command = cdb_pr_in(PR_IN_READ_KEYS, list, sizeof(list));
	uint32_t count;

	if (nexus_run(nexus, &command) != STATUS_GOOD || command.in_len < 8)
		return -1;
	if (generation)
		*generation = get32(list);
	count = get32(list + 4) / 8;
	if (8 + 8 * (size_t)count > command.in_len)
		return -1;
	for (uint32_t i = 0; i < count && (int)i < room; i++)
		keys[i] = get64(list + 8 + 8 * i);
	return (int)count;
}

int pr_reservation(struct nexus *nexus, uint64_t *key)
{
	uint8_t list[24];
	struct command command = cdb_pr_in(PR_IN_READ_RESERVATION, list, sizeof(list));

	if (nexus_run(nexus, &command) != STATUS_GOOD || command.in_len < 8)
		return -1;
	if (get32(list + 4) == 0)
		return 0;
	if (get32(list + 4) != 16 || command.in_len < 24)
		return -1;
	if (key)
		*key = get64(list + 8);
	/* The scope, in the upper half, is LU_SCOPE, 0. */
	return list[21];
}

static void status_parse(struct pr_status *status, const uint8_t *from, uint32_t id_len)
{
	const uint8_t *id = from + 24;
	size_t room = sizeof(status->initiator) - 1;

	*status = (struct pr_status){
		.key = get64(from),
		.all_target_ports = from[12] & 0x02,
		.holder = from[12] & 0x01,
		.type = from[13] & 0x0f,
		.port = get16(from + 18),
	};
	if (id_len > 4 && (id[0] & 0x0f) == 5)
		memcpy(status->initiator, id + 4, id_len - 4 < room ? id_len - 4 : room);
}

int pr_full_status(struct nexus *nexus, struct pr_status *status, int room)
{
	static uint8_t list[8192];
	struct command command = cdb_pr_in(PR_IN_READ_FULL_STATUS, list, sizeof(list));
	size_t at = 8, end;
	int count = 0;

	if (nexus_run(nexus, &command) != STATUS_GOOD || command.in_len < 8)
		return -1;
	end = 8 + (size_t)get32(list + 4);
	for (; at + 24 <= end && end <= command.in_len; count++) {
		uint32_t id_len = get32(list + at + 20);

		if (at + 24 + id_len > end)
			return -1;
		if (count < room)
			status_parse(&status[count], list + at, id_len);
		at += 24 + id_len;
	}
	return at == end ? count : -1;
}

size_t pr_transport_id(const struct nexus *nexus, uint8_t *to, size_t room)
{
	size_t len;
	int text;

	memset(to, 0, room);
	to[0] = 0x45; /* FORMAT CODE 01b, iSCSI */
	text = snprintf((char *)to + 4, room - 4, "%s,i,0x4000005c%04x", nexus->initiator, nexus->isid);
	/* NUL-terminated, padded to a multiple of four, and at least 20 bytes. */
	len = ((size_t)text + 1 + 3) & ~(size_t)3;
	if (len < 20)
		len = 20;
	put16(to + 2, (uint16_t)len);
	return 4 + len;
}
