// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Persistent reservations that reach beyond the nexus that asks: REGISTER AND MOVE, SPEC_I_PT
 * and ALL_TG_PT (SPC-4, PERSISTENT RESERVE OUT), and APTPL across a reload of the logical unit.
 */
#include <stdio.h>
#include <string.h>

#include "cdb.h"
#include "persistent.h"
#include "report.h"

#define ROOM 16

static void want_out(int status, int wanted, const char *what)
{
	check_want(status == wanted, "%s: wanted status %d: %s", what, wanted, command_answer(&pr_last));
}

/* The relative target port identifier of the port that a nexus uses (SPC-4 7.8.6, designator type 4h); 0: none. */
static uint16_t relative_port(struct nexus *nexus)
{
	uint8_t page[1024];
	struct command command = cdb_inquiry(page, sizeof(page));
	size_t end;

	command.cdb[1] = 0x01;
	command.cdb[2] = 0x83;
	if (nexus_run(nexus, &command) != STATUS_GOOD || command.in_len < 4)
		return 0;
	end = 4 + (size_t)get16(page + 2);
	for (size_t at = 4; at + 8 <= end && end <= command.in_len; at += 4 + (size_t)page[at + 3])
		if ((page[at + 1] & 0x3f) == 0x14)
			return get16(page + at + 6);
	return 0;
}

static int move(struct nexus *from, const struct nexus *to, uint16_t port, uint64_t key, uint64_t new_key,
		bool unregister)
{
	uint8_t list[24 + 256] = { 0 };
	size_t id_len = pr_transport_id(to, list + 24, sizeof(list) - 24);

	put64(list, key);
	put64(list + 8, new_key);
	list[17] = unregister ? 0x02 : 0;
	put16(list + 18, port);
	put32(list + 20, (uint32_t)id_len);
	pr_last = cdb_pr_out(PR_OUT_REGISTER_AND_MOVE, 0, list, (uint32_t)(24 + id_len));
	return nexus_run(from, &pr_last);
}

/* Whoever has it can write, the other nexuses cannot. */
static void want_holder(struct stage *stage, enum place holder)
{
	uint8_t block[BLOCK_SIZE] = { 0 };
	struct command command;

	stage_drain(stage);
	for (enum place place = A; place < PLACES; place++) {
		command = cdb_write(0, block);
		nexus_run(&stage->nexus[place], &command);
		check_want(command.status == (place == holder ? STATUS_GOOD : STATUS_RESERVATION_CONFLICT),
			   "%s: WRITE: %s", stage->nexus[place].name, command_answer(&command));
	}
}

/* To a nexus that is registered, whose key is replaced, or that is not, which becomes registered. */
static void move_run(struct stage *stage, enum place to, bool unregister, bool registered)
{
	struct nexus *a = &stage->nexus[A], *b = &stage->nexus[to];
	uint16_t port = relative_port(b);
	uint64_t keys[ROOM];
	char name[96];
	int count;

	snprintf(name, sizeof(name), "persistent/register-and-move/to-%sregistered/%s%s",
		 registered ? "" : "un", b->name, unregister ? "-and-unregister" : "");
	if (!is_run(name))
		return;
	check_begin("%s", name);
	check_want(port, "no relative target port in the device identification page");
	pr_register(a, PR_KEY(A));
	if (registered)
		want_out(pr_register(b, 4711), STATUS_GOOD, "REGISTER of the destination");
	want_out(pr_reserve(a, PR_WRITE_EXCLUSIVE, PR_KEY(A)), STATUS_GOOD, "RESERVE");
	want_out(move(a, b, port, 99, PR_KEY(to), unregister), STATUS_RESERVATION_CONFLICT,
		 "with a wrong key");
	want_out(move(a, b, port, PR_KEY(A), PR_KEY(to), unregister), STATUS_GOOD, "REGISTER AND MOVE");
	count = pr_keys(a, keys, ROOM, NULL);
	check_want(count == (unregister ? 1 : 2), "%d keys", count);
	want_holder(stage, to);
	want_out(pr_out(b, PR_OUT_RELEASE, PR_WRITE_EXCLUSIVE, PR_KEY(to), 0, 0), STATUS_GOOD,
		 "RELEASE by the new holder");
	check_end();
	pr_clear_all(stage);
}

static void move_refused_run(struct stage *stage)
{
	struct nexus *a = &stage->nexus[A], *b = &stage->nexus[B], *c = &stage->nexus[C];
	uint16_t port = relative_port(b);

	check_begin("persistent/register-and-move/refused");
	pr_register(a, PR_KEY(A));
	pr_register(c, PR_KEY(C));
	move(a, b, port, PR_KEY(A), PR_KEY(B), false);
	check_want(command_is_error(&pr_last, KEY_ILLEGAL_REQUEST, 0x2400), "with nothing reserved: %s",
		   command_answer(&pr_last));
	want_out(pr_reserve(a, PR_WRITE_EXCLUSIVE, PR_KEY(A)), STATUS_GOOD, "RESERVE");
	want_out(move(c, b, port, PR_KEY(C), PR_KEY(B), false), STATUS_RESERVATION_CONFLICT,
		 "not the holder");
	move(a, b, port, PR_KEY(A), 0, false);
	check_want(command_is_error(&pr_last, KEY_ILLEGAL_REQUEST, 0x2600), "to a key of 0: %s",
		   command_answer(&pr_last));
	move(a, a, relative_port(a), PR_KEY(A), PR_KEY(A), false);
	check_want(command_is_error(&pr_last, KEY_ILLEGAL_REQUEST, 0x2600), "to itself: %s",
		   command_answer(&pr_last));
	pr_clear_all(stage);
	pr_register(a, PR_KEY(A));
	want_out(pr_reserve(a, PR_WRITE_EXCLUSIVE_ALL, PR_KEY(A)), STATUS_GOOD,
		 "RESERVE for all registrants");
	want_out(move(a, b, port, PR_KEY(A), PR_KEY(B), false), STATUS_RESERVATION_CONFLICT,
		 "all registrants");
	check_end();
	pr_clear_all(stage);
}

static void spec_i_pt_run(struct stage *stage)
{
	struct nexus *b = &stage->nexus[B], *e = &stage->nexus[E];
	uint8_t list[28 + 256] = { 0 };
	size_t id_len = pr_transport_id(e, list + 28, sizeof(list) - 28);
	struct pr_status status[ROOM];
	int count, of_e = 0;

	check_begin("persistent/spec-i-pt");
	check_want(nexus_open(e) == 0, "login of another initiator at the same portal");
	nexus_drain(e);
	put64(list + 8, PR_KEY(B));
	list[20] = PR_SPEC_I_PT;
	put32(list + 24, (uint32_t)id_len);
	pr_last = cdb_pr_out(PR_OUT_REGISTER, 0, list, (uint32_t)(28 + id_len));
	want_out(nexus_run(b, &pr_last), STATUS_GOOD, "REGISTER with SPEC_I_PT");
	count = pr_full_status(b, status, ROOM);
	check_want(count == 2, "%d registrations", count);
	for (int i = 0; i < count && i < ROOM; i++)
		of_e += !strncmp(status[i].initiator, e->initiator, strlen(e->initiator)) &&
			status[i].key == PR_KEY(B);
	check_want(of_e == 1, "%d registrations of %s", of_e, e->initiator);
	want_out(pr_reserve(e, PR_EXCLUSIVE_ACCESS, PR_KEY(B)), STATUS_GOOD, "RESERVE by the other");
	want_out(pr_reserve(&stage->nexus[C], PR_EXCLUSIVE_ACCESS, PR_KEY(B)), STATUS_RESERVATION_CONFLICT,
		 "RESERVE by one that was not named");
	check_end();
	pr_clear_all(stage);
	nexus_close(e);
}

static void all_tg_pt_run(struct stage *stage)
{
	struct nexus *a = &stage->nexus[A], *d = &stage->nexus[D];
	struct pr_status status[ROOM];
	int count;

	check_begin("persistent/all-tg-pt");
	check_want(nexus_open(d) == 0, "login of the same initiator at the other portal");
	nexus_drain(d);
	want_out(pr_out(a, PR_OUT_REGISTER, 0, 0, PR_KEY(A), PR_ALL_TG_PT), STATUS_GOOD,
		 "REGISTER with ALL_TG_PT");
	count = pr_full_status(a, status, ROOM);
	for (int i = 0; i < count && i < ROOM; i++)
		check_want(status[i].all_target_ports && status[i].key == PR_KEY(A),
			   "port %u: ALL_TG_PT %d, key %llxh", status[i].port, status[i].all_target_ports,
			   (unsigned long long)status[i].key);
	want_out(pr_reserve(d, PR_WRITE_EXCLUSIVE, PR_KEY(A)), STATUS_GOOD,
		 "RESERVE through the other portal");
	want_out(pr_reserve(&stage->nexus[C], PR_WRITE_EXCLUSIVE, PR_KEY(A)), STATUS_RESERVATION_CONFLICT,
		 "RESERVE by another initiator");
	check_end();
	pr_clear_all(stage);
	nexus_close(d);
}

/* Takes the logical unit and its exports down and makes them anew, with the same serial number. */
static bool reload(struct stage *stage)
{
	bool done;

	stage_close(stage);
	done = stage_hook(stage, "reload") == 0;
	return stage_open(stage) == 0 && done;
}

static void aptpl_run(struct stage *stage)
{
	struct nexus *a = &stage->nexus[A];
	uint64_t keys[ROOM] = { 0 }, key = 0;
	int count;

	check_begin("persistent/aptpl/kept-across-a-reload");
	want_out(pr_out(a, PR_OUT_REGISTER, 0, 0, PR_KEY(A), PR_APTPL), STATUS_GOOD, "REGISTER with APTPL");
	want_out(pr_reserve(a, PR_WRITE_EXCLUSIVE, PR_KEY(A)), STATUS_GOOD, "RESERVE");
	check_want(reload(stage), "the reload");
	count = pr_keys(a, keys, ROOM, NULL);
	check_want(count == 1 && keys[0] == PR_KEY(A), "%d keys, the first %llxh", count,
		   (unsigned long long)keys[0]);
	check_want(pr_reservation(a, &key) == PR_WRITE_EXCLUSIVE && key == PR_KEY(A), "reserved by %llxh",
		   (unsigned long long)key);
	want_holder(stage, A);
	check_end();
	pr_clear_all(stage);
}

/* Without APTPL in the latest registration they are forgotten. */
static void aptpl_ended_run(struct stage *stage)
{
	struct nexus *a = &stage->nexus[A];
	int count;

	check_begin("persistent/aptpl/forgotten-without");
	want_out(pr_out(a, PR_OUT_REGISTER, 0, 0, PR_KEY(A), PR_APTPL), STATUS_GOOD, "REGISTER with APTPL");
	want_out(pr_out(a, PR_OUT_REGISTER, 0, PR_KEY(A), PR_KEY(A), 0), STATUS_GOOD,
		 "REGISTER without APTPL");
	check_want(reload(stage), "the reload");
	count = pr_keys(a, NULL, 0, NULL);
	check_want(count == 0, "%d keys", count);
	check_end();
	pr_clear_all(stage);
}

void transfer_run(struct stage *stage)
{
	for (int i = 0; i < 8; i++)
		move_run(stage, i & 4 ? C : B, i & 2, !(i & 1));
	move_refused_run(stage);
	spec_i_pt_run(stage);
	all_tg_pt_run(stage);
	aptpl_run(stage);
	aptpl_ended_run(stage);
}
