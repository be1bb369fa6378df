// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of raw LUNs' commands (kmod/raw.table, made C by kmod/rawtable.awk): nothing is left out, nothing
 * contradicts itself or the table of the kernel half's own commands (kmod/optable.c).  That the generator
 * refuses what it should is rawtable.sh's to see.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include "opcode.h"
#include "raw.h"

#define FOREACH_ENTRY(entry)                                        \
	for (const struct scuse_raw_entry *entry = scuse_raw_table; \
	     entry < scuse_raw_table + scuse_raw_count; entry++)

static const struct {
	char letter; /* in T10's list of operation codes */
	u32 bit;
} types[] = {
	{ 'D', SCUSE_RAW_DISK },    { 'T', SCUSE_RAW_TAPE },	  { 'R', SCUSE_RAW_CD },
	{ 'M', SCUSE_RAW_CHANGER }, { 'E', SCUSE_RAW_ENCLOSURE },
};

/*
 * What no standard gives a meaning, for disks, tapes, CDs, changers and enclosures: T10's list of operation
 * codes, unassigned or vendor specific there.  One string for each type; "10-1f" is a range.
 */
static const char *const unassigned[] = {
	/* D */ "02 05-06 09 0c-0f 10-11 13-14 19 1f 20-24 26-27 29 2c-2d 38 3d 43-47 49-4b 4e-4f 54 58-59 "
		"5b-5d "
		"60-7d 94-9c a5-a6 a9 ac-ad b0-b2 b6 b8-b9",
	/* T */
	"02 06-07 09 0c-0e 1f 20-2a 2c-33 35-38 3d-3f 41-43 45-4b 4e-54 58-59 5b-5d 60-7d 85 89 8b 8e 90 "
	"94-9c "
	"9e-9f a1 a6 a8-aa ac-b3 b6-b7 b9-bf",
	/* R */
	"02 05-0a 0c-0f 10-11 13-14 19 1f 20-22 24 26-27 29 2d 34 36-38 3d-3f 41 4f 50 59 60-7d 80-82 85 "
	"88-8b "
	"8e-9c 9e-9f a9 ae b7 bc",
	/* M */
	"02 04-06 08-0f 10-11 13-14 19 1f 20-2a 2c-36 38 3d-3f 41-43 45-4b 4e-54 58-59 5b-5d 60-7d 80-82 85 "
	"88-8b 8e-9c 9e-9f a1 a7-aa ac-b4 b7 b9",
	/* E */
	"01-02 04-0f 10-11 13-14 19 1b 1e-1f 20-38 3d-3f 41-4b 4e-54 58-59 5b-5d 60-7d 80-82 85 88-8b 8e-9c "
	"9e-9f a1 a5-aa ac-b4 b6-b9",
};

/* Does @list name @code? */
static bool listed(const char *list, u32 code)
{
	while (*list) {
		char *end;
		unsigned long first = strtoul(list, &end, 16);
		unsigned long last = *end == '-' ? strtoul(end + 1, &end, 16) : first;

		if (code >= first && code <= last)
			return true;
		list = end + strspn(end, " ");
	}
	return false;
}

static bool in_table(u32 code, u32 bit)
{
	FOREACH_ENTRY(entry)
	{
		if (entry->opcode == code && entry->types & bit)
			return true;
	}
	return false;
}

static const char *action_text(const struct scuse_raw_entry *entry)
{
	static char text[32];

	if (entry->action == SCUSE_NO_ACTION)
		snprintf(text, sizeof(text), "%02xh", entry->opcode);
	else
		snprintf(text, sizeof(text), "%02xh/%02xh", entry->opcode, entry->action);
	return text;
}

/* For each of the five types a code either has a line, or no standard has given it a meaning. */
Test(kmod_rawtable, no_code_is_left_out)
{
	for (u32 i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		for (u32 code = 0; code < 0xc0; code++)
			cr_expect_neq(in_table(code, types[i].bit), listed(unassigned[i], code),
				      "%02xh of type %c", code, types[i].letter);
	}
}

/* Vendor specific codes have no line: what they do is for START to say. */
Test(kmod_rawtable, vendor_codes_are_not_listed)
{
	FOREACH_ENTRY(entry)
	cr_expect_lt(entry->opcode, 0xc0);
}

Test(kmod_rawtable, sorted_without_overlaps)
{
	for (u32 i = 1; i < scuse_raw_count; i++) {
		const struct scuse_raw_entry *b = &scuse_raw_table[i];

		for (u32 j = 0; j < i; j++) {
			const struct scuse_raw_entry *a = &scuse_raw_table[j];

			cr_expect(a->opcode < b->opcode || (a->opcode == b->opcode && a->action <= b->action),
				  "%s is out of order", action_text(b));
			if (a->opcode == b->opcode && a->action == b->action)
				cr_expect_not(a->types & b->types, "%s twice", action_text(b));
		}
	}
}

static const struct scuse_opcode *kernel_entry(u8 opcode, u16 action)
{
	for (u32 i = 0; i < scuse_opcode_count; i++) {
		const struct scuse_opcode *entry = &scuse_opcode_table[i];

		if (entry->opcode == opcode && entry->action == action)
			return entry;
	}
	return NULL;
}

/* What the kernel half is to answer it can answer, and both tables mean the same command. */
Test(kmod_rawtable, kernel_lines_are_in_the_kernel_s_table)
{
	FOREACH_ENTRY(entry)
	{
		const struct scuse_opcode *other = kernel_entry(entry->opcode, entry->action);

		if (entry->route != SCUSE_RAW_KERNEL)
			continue;
		cr_expect_not_null(other, "%s", action_text(entry));
		if (!other)
			continue;
		cr_expect_eq(entry->cdb_length, other->cdb_length, "%s", action_text(entry));
		cr_expect_eq(!(entry->flags & SCUSE_RAW_IN), !(other->flags & SCUSE_OPCODE_IN), "%s",
			     action_text(entry));
		cr_expect_eq(!(entry->flags & SCUSE_RAW_OUT), !(other->flags & SCUSE_OPCODE_OUT), "%s",
			     action_text(entry));
		cr_expect_eq(!(entry->flags & SCUSE_RAW_NO_UA), !(other->flags & SCUSE_OPCODE_NO_UA), "%s",
			     action_text(entry));
		cr_expect_eq(entry->count_at, other->count.at, "%s", action_text(entry));
		cr_expect_eq(entry->count_size, other->count.size, "%s", action_text(entry));
	}
}

/* State of the LUN or of its I_T nexuses never reaches the device: by service action, or all of the code. */
Test(kmod_rawtable, state_is_the_kernel_s)
{
	static const struct {
		u8 opcode;
		u16 action;
	} state[] = {
		{ 0x16, SCUSE_NO_ACTION },
		{ 0x17, SCUSE_NO_ACTION },
		{ 0x56, SCUSE_NO_ACTION },
		{ 0x57, SCUSE_NO_ACTION },
		{ 0x5e, 0 },
		{ 0x5e, 1 },
		{ 0x5e, 2 },
		{ 0x5e, 3 },
		{ 0x5f, 0 },
		{ 0x5f, 1 },
		{ 0x5f, 2 },
		{ 0x5f, 3 },
		{ 0x5f, 4 },
		{ 0x5f, 5 },
		{ 0x5f, 6 },
		{ 0x5f, 7 },
		{ 0xa0, SCUSE_NO_ACTION },
		{ 0xa3, 0x0a },
		{ 0xa3, 0x0c },
		{ 0xa3, 0x0d },
		{ 0xa3, 0x0f },
		{ 0xa4, 0x0a },
		{ 0xa4, 0x0f },
	};

	for (u32 i = 0; i < sizeof(state) / sizeof(state[0]); i++) {
		u32 kernel = 0;

		FOREACH_ENTRY(entry)
		{
			if (entry->opcode == state[i].opcode && entry->action == state[i].action &&
			    entry->route == SCUSE_RAW_KERNEL)
				kernel |= entry->types;
		}
		/* A3h and A4h are other commands on CDs. */
		cr_expect_eq(kernel | (state[i].opcode >= 0xa3 ? SCUSE_RAW_CD : 0), SCUSE_RAW_ANY,
			     "%02xh/%02xh", state[i].opcode, state[i].action);
	}
	/* Whatever else core or we know of reservations. */
	for (u32 i = 0; i < scuse_opcode_count; i++) {
		const struct scuse_opcode *other = &scuse_opcode_table[i];
		u32 kernel = 0;

		FOREACH_ENTRY(entry)
		{
			if (entry->opcode == other->opcode && entry->action == other->action &&
			    entry->route == SCUSE_RAW_KERNEL)
				kernel |= entry->types;
		}
		if (other->flags & SCUSE_OPCODE_RESERVES)
			cr_expect_eq(kernel, SCUSE_RAW_ANY, "%02xh/%02xh", other->opcode, other->action);
	}
}

/* Third-party copies, access controls, and both directions at once pass to nobody. */
Test(kmod_rawtable, hazards_are_refused)
{
	static const u8 codes[] = { 0x18, 0x39, 0x3a, 0x40, 0x7e, 0x83, 0x84, 0x86, 0x87, 0x9d };

	for (u32 i = 0; i < sizeof(codes); i++) {
		FOREACH_ENTRY(entry)
		{
			if (entry->opcode != codes[i])
				continue;
			cr_expect_eq(entry->route, SCUSE_RAW_REFUSED, "%s", action_text(entry));
			cr_expect_eq(entry->types, SCUSE_RAW_ANY, "%s", action_text(entry));
			cr_expect_eq(entry->action, SCUSE_NO_ACTION, "%s", action_text(entry));
		}
	}
}

Test(kmod_rawtable, answers_that_show_capabilities_are_masked)
{
	static const struct {
		u8 opcode;
		u16 action;
		u32 types;
	} masked[] = {
		{ 0x12, SCUSE_NO_ACTION, SCUSE_RAW_ANY },  { 0x1a, SCUSE_NO_ACTION, SCUSE_RAW_ANY },
		{ 0x4d, SCUSE_NO_ACTION, SCUSE_RAW_ANY },  { 0x5a, SCUSE_NO_ACTION, SCUSE_RAW_ANY },
		{ 0x05, SCUSE_NO_ACTION, SCUSE_RAW_TAPE }, { 0x9e, 0x10, SCUSE_RAW_DISK },
	};

	for (u32 i = 0; i < sizeof(masked) / sizeof(masked[0]); i++) {
		u32 found = 0;

		FOREACH_ENTRY(entry)
		{
			if (entry->opcode == masked[i].opcode && entry->action == masked[i].action &&
			    entry->route == SCUSE_RAW_MASKED)
				found |= entry->types;
		}
		cr_expect_eq(found, masked[i].types, "%02xh", masked[i].opcode);
	}
}

static u32 group_length(u8 opcode)
{
	static const u8 lengths[8] = { 6, 10, 10, 0, 16, 12, 0, 0 };

	return lengths[opcode >> 5];
}

Test(kmod_rawtable, lines_do_not_contradict_themselves)
{
	FOREACH_ENTRY(entry)
	{
		u32 both = SCUSE_RAW_IN | SCUSE_RAW_OUT;
		u32 access = entry->flags & (SCUSE_RAW_EXCLUSIVE | SCUSE_RAW_SHARED);

		cr_expect(entry->types);
		cr_expect(entry->name && *entry->name);
		if (group_length(entry->opcode))
			cr_expect_eq(entry->cdb_length, group_length(entry->opcode), "%s",
				     action_text(entry));
		cr_expect_eq(!(entry->flags & both), entry->unit == SCUSE_RAW_NOTHING, "%s",
			     action_text(entry));
		if ((entry->flags & both) == both && entry->route != SCUSE_RAW_REFUSED)
			cr_expect(entry->unit == SCUSE_RAW_SPECIAL && entry->fixed == SCUSE_RAW_ATA, "%s",
				  action_text(entry));
		cr_expect_neq(access, SCUSE_RAW_EXCLUSIVE | SCUSE_RAW_SHARED, "%s", action_text(entry));
		if (entry->flags & SCUSE_RAW_WRITES)
			cr_expect(entry->flags & SCUSE_RAW_EXCLUSIVE, "%s", action_text(entry));
		if (entry->count_size)
			cr_expect_leq(entry->count_at + entry->count_size, entry->cdb_length, "%s",
				      action_text(entry));
		if (entry->route == SCUSE_RAW_KERNEL || entry->route == SCUSE_RAW_REFUSED)
			cr_expect_not_null(entry->reason, "%s", action_text(entry));
		if (entry->route == SCUSE_RAW_MASKED)
			cr_expect_eq(entry->flags & both, SCUSE_RAW_IN, "%s", action_text(entry));
		if (entry->flags & SCUSE_RAW_PARAMETERS)
			cr_expect_not(entry->flags & SCUSE_RAW_IN, "%s", action_text(entry));
	}
}

/*
 * Each command that changes the medium or the device, by type and name, as the standards have them.  A
 * read-only LUN counts on it.
 */
static const struct {
	u32 types;
	u8 opcode;
	u16 action;
	const char *name;
} changing[] = {
	{ SCUSE_RAW_DISK | SCUSE_RAW_CD, 0x04, SCUSE_NO_ACTION, "FORMAT UNIT" },
	{ SCUSE_RAW_TAPE, 0x04, SCUSE_NO_ACTION, "FORMAT MEDIUM" },
	{ SCUSE_RAW_DISK, 0x07, SCUSE_NO_ACTION, "REASSIGN BLOCKS" },
	{ SCUSE_RAW_DISK | SCUSE_RAW_TAPE, 0x0a, SCUSE_NO_ACTION, "WRITE (6)" },
	{ SCUSE_RAW_TAPE, 0x0b, SCUSE_NO_ACTION, "SET CAPACITY" },
	{ SCUSE_RAW_TAPE, 0x10, SCUSE_NO_ACTION, "WRITE FILEMARKS (6)" },
	{ SCUSE_RAW_ANY, 0x15, SCUSE_NO_ACTION, "MODE SELECT (6)" },
	{ SCUSE_RAW_TAPE, 0x19, SCUSE_NO_ACTION, "ERASE (6)" },
	{ SCUSE_RAW_ANY, 0x1d, SCUSE_NO_ACTION, "SEND DIAGNOSTIC" },
	{ SCUSE_RAW_DISK | SCUSE_RAW_CD, 0x2a, SCUSE_NO_ACTION, "WRITE (10)" },
	{ SCUSE_RAW_DISK | SCUSE_RAW_CD, 0x2e, SCUSE_NO_ACTION, "WRITE AND VERIFY (10)" },
	{ SCUSE_RAW_ANY, 0x3b, SCUSE_NO_ACTION, "WRITE BUFFER" },
	{ SCUSE_RAW_DISK, 0x3f, SCUSE_NO_ACTION, "WRITE LONG (10)" },
	{ SCUSE_RAW_DISK, 0x41, SCUSE_NO_ACTION, "WRITE SAME (10)" },
	{ SCUSE_RAW_DISK, 0x42, SCUSE_NO_ACTION, "UNMAP" },
	{ SCUSE_RAW_DISK, 0x48, 0x01, "SANITIZE, OVERWRITE" },
	{ SCUSE_RAW_DISK, 0x48, 0x02, "SANITIZE, BLOCK ERASE" },
	{ SCUSE_RAW_DISK, 0x48, 0x03, "SANITIZE, CRYPTOGRAPHIC ERASE" },
	{ SCUSE_RAW_ANY, 0x4c, SCUSE_NO_ACTION, "LOG SELECT" },
	{ SCUSE_RAW_DISK, 0x51, SCUSE_NO_ACTION, "XPWRITE (10)" },
	{ SCUSE_RAW_CD, 0x53, SCUSE_NO_ACTION, "RESERVE TRACK" },
	{ SCUSE_RAW_CD, 0x54, SCUSE_NO_ACTION, "SEND OPC INFORMATION" },
	{ SCUSE_RAW_ANY, 0x55, SCUSE_NO_ACTION, "MODE SELECT (10)" },
	{ SCUSE_RAW_CD, 0x58, SCUSE_NO_ACTION, "REPAIR TRACK" },
	{ SCUSE_RAW_CD, 0x5b, SCUSE_NO_ACTION, "CLOSE TRACK/SESSION" },
	{ SCUSE_RAW_CD, 0x5d, SCUSE_NO_ACTION, "SEND CUE SHEET" },
	{ SCUSE_RAW_DISK, 0x7f, 0x0006, "XPWRITE (32)" },
	{ SCUSE_RAW_TAPE, 0x80, SCUSE_NO_ACTION, "WRITE FILEMARKS (16)" },
	{ SCUSE_RAW_TAPE, 0x82, SCUSE_NO_ACTION, "ALLOW OVERWRITE" },
	{ SCUSE_RAW_DISK, 0x85, SCUSE_NO_ACTION, "ATA PASS-THROUGH (16)" },
	{ SCUSE_RAW_DISK, 0x89, SCUSE_NO_ACTION, "COMPARE AND WRITE" },
	{ SCUSE_RAW_DISK | SCUSE_RAW_TAPE, 0x8a, SCUSE_NO_ACTION, "WRITE (16)" },
	{ SCUSE_RAW_DISK, 0x8b, SCUSE_NO_ACTION, "ORWRITE (16)" },
	{ SCUSE_RAW_ANY, 0x8d, SCUSE_NO_ACTION, "WRITE ATTRIBUTE" },
	{ SCUSE_RAW_DISK, 0x8e, SCUSE_NO_ACTION, "WRITE AND VERIFY (16)" },
	{ SCUSE_RAW_DISK, 0x93, SCUSE_NO_ACTION, "WRITE SAME (16)" },
	{ SCUSE_RAW_TAPE, 0x93, SCUSE_NO_ACTION, "ERASE (16)" },
	{ SCUSE_RAW_DISK, 0x9f, 0x11, "WRITE LONG (16)" },
	{ SCUSE_RAW_DISK, 0xa1, SCUSE_NO_ACTION, "ATA PASS-THROUGH (12)" },
	{ SCUSE_RAW_CD, 0xa1, SCUSE_NO_ACTION, "BLANK" },
	{ SCUSE_RAW_CD, 0xa3, SCUSE_NO_ACTION, "SEND KEY" },
	{ SCUSE_RAW_ANY & ~SCUSE_RAW_CD, 0xa4, 0x06, "SET IDENTIFYING INFORMATION" },
	{ SCUSE_RAW_DISK | SCUSE_RAW_CD, 0xaa, SCUSE_NO_ACTION, "WRITE (12)" },
	{ SCUSE_RAW_DISK, 0xae, SCUSE_NO_ACTION, "WRITE AND VERIFY (12)" },
	{ SCUSE_RAW_ANY & ~SCUSE_RAW_CHANGER, 0xb5, SCUSE_NO_ACTION, "SECURITY PROTOCOL OUT" },
	{ SCUSE_RAW_CHANGER, 0xb6, SCUSE_NO_ACTION, "SEND VOLUME TAG" },
	{ SCUSE_RAW_CD, 0xbf, SCUSE_NO_ACTION, "SEND DISC STRUCTURE" },
};

Test(kmod_rawtable, what_writes_is_flagged)
{
	for (u32 i = 0; i < sizeof(changing) / sizeof(changing[0]); i++) {
		u32 flagged = 0;

		FOREACH_ENTRY(entry)
		{
			if (entry->opcode != changing[i].opcode || entry->action != changing[i].action ||
			    strcmp(entry->name, changing[i].name))
				continue;
			if (entry->flags & SCUSE_RAW_WRITES)
				flagged |= entry->types;
		}
		cr_expect_eq(flagged, changing[i].types, "%02xh %s", changing[i].opcode, changing[i].name);
	}
}

/* Data out that is not flagged is no change of anything: these few. */
Test(kmod_rawtable, other_data_out_is_known)
{
	static const char *const harmless[] = {
		"VERIFY (6)", "VERIFY (10)", "VERIFY (12)", "VERIFY (16)", "SPACE (16)", "SET STREAMING",
	};

	FOREACH_ENTRY(entry)
	{
		bool known = false;

		if (entry->route != SCUSE_RAW_HANDLER || !(entry->flags & SCUSE_RAW_OUT) ||
		    entry->flags & SCUSE_RAW_WRITES)
			continue;
		for (u32 i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
			known |= !strcmp(entry->name, harmless[i]);
		cr_expect(known, "%s %s", action_text(entry), entry->name);
	}
}

/* Parameters that change while commands are under way would change what these mean. */
Test(kmod_rawtable, what_changes_parameters_is_alone)
{
	FOREACH_ENTRY(entry)
	{
		if (entry->flags & (SCUSE_RAW_PARAMETERS | SCUSE_RAW_SELECT))
			cr_expect(entry->flags & SCUSE_RAW_ALONE, "%s", action_text(entry));
		cr_expect_eq(!!(entry->flags & SCUSE_RAW_SELECT),
			     entry->opcode == 0x15 || entry->opcode == 0x55, "%s", action_text(entry));
	}
}
