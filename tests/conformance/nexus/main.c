// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * nexus-test: how one logical unit behaves towards several I_T nexuses.  Run by nexus.guest.sh, in a guest
 * that has exported a LUN through two iSCSI portal groups and tcm_loop:
 *
 *	nexus-test OPTION... [GROUP...]
 *
 * Prints a line a check; exit status 0 if all are as expected.  --list names the groups.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cases.h"
#include "report.h"

static const struct {
	const char *name;
	void (*run)(struct stage *stage);
} groups[] = {
	{ "events", events_run },	  { "reservations", reservations_run },
	{ "persistent", persistent_run }, { "conflicts", conflicts_run },
	{ "management", management_run }, { "passthrough", passthrough_run },
	{ "types", types_run },
};
#define GROUPS (sizeof(groups) / sizeof(groups[0]))

static const char *initiator_names[] = {
	[A] = "iqn.2026-01.org.scuse.test:a", [B] = "iqn.2026-01.org.scuse.test:b",
	[C] = "iqn.2026-01.org.scuse.test:c", [D] = "iqn.2026-01.org.scuse.test:a",
	[E] = "iqn.2026-01.org.scuse.test:c",
};

static const struct option options[] = {
	{ "target", required_argument, NULL, 't' },
	{ "portal1", required_argument, NULL, '1' },
	{ "portal2", required_argument, NULL, '2' },
	{ "sg", required_argument, NULL, 's' },
	{ "hook", required_argument, NULL, 'h' },
	{ "control", required_argument, NULL, 'c' },
	{ "expect", required_argument, NULL, 'e' },
	{ "round", required_argument, NULL, 'r' },
	{ "blocks", required_argument, NULL, 'b' },
	{ "real", no_argument, NULL, 'R' },
	{ "toggle", required_argument, NULL, 'T' },
	{ "list", no_argument, NULL, 'l' },
	{ NULL, 0, NULL, 0 },
};

struct settings {
	const char *target, *portal1, *portal2, *sg, *expect, *round;
	bool list;
};

/* PAGE:BYTE:MASK, in hexadecimal */
static bool read_toggle(const char *words, struct stage *stage)
{
	return sscanf(words, "%hhx:%hhx:%hhx", &stage->toggle.page, &stage->toggle.byte,
		      &stage->toggle.mask) == 3;
}

static int read_options(int argc, char **argv, struct settings *settings, struct stage *stage)
{
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 't':
			settings->target = optarg;
			break;
		case '1':
			settings->portal1 = optarg;
			break;
		case '2':
			settings->portal2 = optarg;
			break;
		case 's':
			settings->sg = optarg;
			break;
		case 'h':
			stage->hook = optarg;
			break;
		case 'c':
			stage->control = optarg;
			break;
		case 'e':
			settings->expect = optarg;
			break;
		case 'r':
			settings->round = optarg;
			break;
		case 'b':
			stage->blocks = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'R':
			stage->real = true;
			break;
		case 'T':
			if (!read_toggle(optarg, stage))
				return -1;
			break;
		case 'l':
			settings->list = true;
			break;
		default:
			return -1;
		}
	}
	if (settings->list)
		return 0;
	return settings->target && settings->portal1 && settings->portal2 && settings->sg && stage->hook &&
			       stage->blocks
		       ? 0
		       : -1;
}

static void set_nexuses(struct stage *stage, const struct settings *settings)
{
	static const char *names[] = { [A] = "A", [B] = "B", [C] = "C", [L] = "L", [D] = "D", [E] = "E" };

	for (int place = A; place < PLACES_ALL; place++) {
		struct nexus *nexus = &stage->nexus[place];

		nexus->name = names[place];
		nexus->transport = place == L ? &sg_transport : &iscsi_transport;
		nexus->initiator = place == L ? NULL : initiator_names[place];
		nexus->target = settings->target;
		nexus->portal = place == C || place == D ? settings->portal2 : settings->portal1;
		nexus->isid = (uint16_t)(0x0a01 + place);
	}
	snprintf(stage->nexus[L].node, sizeof(stage->nexus[L].node), "%s", settings->sg);
}

static bool is_wanted(const char *name, int argc, char **argv)
{
	if (optind == argc)
		return true;
	for (int i = optind; i < argc; i++)
		if (strcmp(argv[i], name) == 0)
			return true;
	return false;
}

int main(int argc, char **argv)
{
	struct settings settings = { .round = "" };
	struct stage stage = { .toggle = { .page = 0x0a, .byte = 5, .mask = 0x40 } }; /* TAS */

	if (read_options(argc, argv, &settings, &stage)) {
		fprintf(stderr,
			"usage: nexus-test --target IQN --portal1 ADDRESS --portal2 ADDRESS --sg NODE\n"
			"  --hook COMMAND --blocks N [--control PIPE] [--real] [--toggle PAGE:BYTE:MASK] "
			"[--expect FILE] [--round NAME]\n"
			"  [GROUP...]\n"
			"       nexus-test --list\n");
		return 2;
	}
	for (size_t i = 0; settings.list && i < GROUPS; i++)
		puts(groups[i].name);
	if (settings.list)
		return 0;
	set_nexuses(&stage, &settings);
	if (report_open(settings.expect, settings.round) || stage_open(&stage)) {
		printf("not ok - %s: the nexuses are there\n", settings.round);
		return 1;
	}
	for (size_t i = 0; i < GROUPS; i++)
		if (is_wanted(groups[i].name, argc, argv))
			groups[i].run(&stage);
	stage_close(&stage);
	return report_close() ? 1 : 0;
}
