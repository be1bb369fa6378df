// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The parts of the sg handler that need no device: nodes in a sysfs of files, what drivers say of commands
 * that failed, the report of supported commands, timeouts, names of devices, and what read_only lets through.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sg.h"

static char said[600];

/* What the worker offers to handlers; here only what the parts under test call. */
void scuse_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(said, sizeof(said), format, args);
	va_end(args);
}

void scuse_log(enum scuse_log_level level, const char *format, ...)
{
	(void)level;
	(void)format;
}

void scuse_dev_unit_attention(struct scuse_dev *dev, uint8_t asc, uint8_t ascq)
{
	(void)dev;
	(void)asc;
	(void)ascq;
}

/* ---- nodes ---- */

static char *root;

static void make_root(void)
{
	root = g_dir_make_tmp("scuse-sg-XXXXXX", NULL);
	cr_assert(root);
}

static void remove_root(void)
{
	g_autofree char *command = g_strdup_printf("rm -rf '%s'", root);

	cr_assert_eq(system(command), 0);
	g_free(root);
}

static void directory(const char *path)
{
	g_autofree char *full = g_build_filename(root, path, NULL);

	cr_assert_eq(g_mkdir_with_parents(full, 0755), 0);
}

static void leads_to(const char *path, const char *target)
{
	g_autofree char *full = g_build_filename(root, path, NULL),
			*to = g_build_filename(root, target, NULL);
	g_autofree char *parent = g_path_get_dirname(full);

	cr_assert_eq(g_mkdir_with_parents(parent, 0755), 0);
	cr_assert_eq(symlink(to, full), 0);
}

static void text(const char *path, const char *contents)
{
	g_autofree char *full = g_build_filename(root, path, NULL), *parent = g_path_get_dirname(full);

	cr_assert_eq(g_mkdir_with_parents(parent, 0755), 0);
	cr_assert(g_file_set_contents(full, contents, -1, NULL));
}

TestSuite(node, .init = make_root, .fini = remove_root);

Test(node, of_a_tape)
{
	struct sg_node node;

	directory("devices/3:0:2:1/scsi_generic/sg4");
	directory("devices/3:0:2:1/scsi_tape/st1");
	directory("devices/3:0:2:1/scsi_tape/nst1a");
	directory("devices/3:0:2:1/scsi_tape/nst1");
	leads_to("dev/char/9:1/device", "devices/3:0:2:1");
	leads_to("dev/char/21:4/device", "devices/3:0:2:1");
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(node_of_number(root, "/dev/x", false, i ? 21 : 9, i ? 4 : 1, &node), 0, "%s",
			     said);
		cr_expect_str_eq(node.sg, "sg4");
		cr_expect_str_eq(node.partner, "nst1");
		cr_expect(node.host == 3 && node.channel == 0 && node.target == 2 && node.lun == 1);
	}
}

Test(node, of_a_disk)
{
	struct sg_node node;

	directory("devices/0:0:0:0/scsi_generic/sg0");
	directory("devices/0:0:0:0/block/sda");
	leads_to("dev/block/8:0/device", "devices/0:0:0:0");
	leads_to("dev/block/8:1/device", "devices/0:0:0:0");
	text("dev/block/8:1/partition", "1\n");
	cr_assert_eq(node_of_number(root, "/dev/sda", true, 8, 0, &node), 0, "%s", said);
	cr_expect_str_eq(node.sg, "sg0");
	cr_expect_str_eq(node.partner, "sda");
	cr_expect_eq(node_of_number(root, "/dev/sda1", true, 8, 1, &node), -EINVAL);
	cr_expect(strstr(said, "/dev/sda1 is a partition"), "%s", said);
}

Test(node, without_the_sg_module)
{
	struct sg_node node;

	directory("devices/0:0:0:0/block/sda");
	leads_to("dev/block/8:0/device", "devices/0:0:0:0");
	cr_expect_eq(node_of_number(root, "/dev/sda", true, 8, 0, &node), -ENXIO);
	cr_expect(strstr(said, "modprobe sg"), "%s", said);
}

Test(node, of_what_is_no_scsi_device)
{
	struct sg_node node;

	directory("devices/virtual/loop0");
	leads_to("dev/block/7:0/device", "devices/virtual/loop0");
	cr_expect_eq(node_of_number(root, "/dev/loop0", true, 7, 0, &node), -EINVAL);
	cr_expect(strstr(said, "not a SCSI device"), "%s", said);
	cr_expect_eq(node_of_number(root, "/dev/null", false, 1, 3, &node), -EINVAL);
	cr_expect_eq(node_resolve("/nonexistent", &node), -ENOENT);
	cr_expect_eq(node_resolve("/etc", &node), -EINVAL);
	cr_expect(strstr(said, "not a device node"), "%s", said);
}

Test(loop, the_lun_itself_is_refused_and_another_is_not)
{
	struct sg_node node = { .host = 4, .target = 1, .lun = 0 },
		       other = { .host = 4, .target = 2, .lun = 0 };

	make_root();
	text("loopback/naa.1/tpgt_1/address", "4:0:1\n");
	directory("core/scuse_0/t%2Fape");
	leads_to("loopback/naa.1/tpgt_1/lun/lun_0/scuse", "core/scuse_0/t%2Fape");
	cr_expect_eq(refuse_loop(root, "/dev/sg9", &node, "t/ape"), -ELOOP);
	cr_expect(strstr(said, "this very LUN"), "%s", said);
	cr_expect_eq(refuse_loop(root, "/dev/sg9", &node, "tape"), 0);
	cr_expect_eq(refuse_loop(root, "/dev/sg9", &other, "t/ape"), 0);
	node.lun = 1;
	cr_expect_eq(refuse_loop(root, "/dev/sg9", &node, "t/ape"), 0);
	cr_expect_eq(refuse_loop("/nonexistent", "/dev/sg9", &node, "t/ape"), 0);
	remove_root();
}

/* ---- outcomes ---- */

static void expect_status(struct outcome outcome, uint8_t status)
{
	cr_expect(outcome.kind == OUTCOME_STATUS && outcome.status == status,
		  "kind %d, status %02xh, not %02xh", outcome.kind, outcome.status, status);
}

static void expect_made(struct outcome outcome, uint8_t key, uint8_t asc, uint8_t ascq)
{
	cr_expect(outcome.kind == OUTCOME_MADE && outcome.key == key && outcome.asc == asc &&
			  outcome.ascq == ascq,
		  "kind %d: %x/%02x/%02x, not %x/%02x/%02x", outcome.kind, outcome.key, outcome.asc,
		  outcome.ascq, key, asc, ascq);
}

Test(outcome, the_devices_status_counts)
{
	expect_status(outcome_of(0x00, 0, 0, 0), 0x00);
	expect_status(outcome_of(0x18, 0, 0, 0), 0x18);
	expect_status(outcome_of(0x28, 0, 0, 0), 0x28);
	expect_status(outcome_of(0x08, 0x07, 0, 0), 0x08);
	cr_expect_eq(outcome_of(0x02, 0, 0x08, 18).kind, OUTCOME_SENSE);
	cr_expect_eq(outcome_of(0x02, 0x13, 0x08, 18).kind, OUTCOME_SENSE);
	/* CHECK CONDITION of which nobody knows why. */
	expect_made(outcome_of(0x02, 0, 0, 0), 0x04, 0x44, 0x00);
}

Test(outcome, host_status)
{
	static const struct {
		uint16_t host;
		uint8_t status, key, asc, ascq;
	} table[] = {
		{ 0x01, 0, 0x02, 0x08, 0x00 }, { 0x02, 0x08, 0, 0, 0 },	      { 0x03, 0, 0x0b, 0x08, 0x01 },
		{ 0x04, 0, 0x02, 0x08, 0x00 }, { 0x05, 0, 0x0b, 0x00, 0x00 }, { 0x06, 0, 0x0b, 0x47, 0x00 },
		{ 0x07, 0, 0x04, 0x44, 0x00 }, { 0x08, 0, 0x0b, 0x00, 0x00 }, { 0x0b, 0x08, 0, 0, 0 },
		{ 0x0d, 0x08, 0, 0, 0 },       { 0x0e, 0x08, 0, 0, 0 },	      { 0x0f, 0, 0x02, 0x08, 0x00 },
		{ 0x11, 0x18, 0, 0, 0 },       { 0x12, 0, 0x07, 0x27, 0x07 }, { 0x13, 0, 0x03, 0x00, 0x00 },
		{ 0x14, 0x08, 0, 0, 0 },       { 0x77, 0, 0x04, 0x44, 0x00 },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		struct outcome outcome = outcome_of(0, table[i].host, 0, 0);

		if (table[i].status)
			expect_status(outcome, table[i].status);
		else
			expect_made(outcome, table[i].key, table[i].asc, table[i].ascq);
		cr_expect_eq(outcome.is_lost, table[i].host == 0x01 || table[i].host == 0x04);
		cr_expect_eq(outcome.was_reset, table[i].host == 0x08);
	}
	/* No gap in the table becomes GOOD. */
	for (uint16_t host = 1; host < 0x100; host++)
		cr_expect(outcome_of(0, host, 0, 0).kind == OUTCOME_MADE || outcome_of(0, host, 0, 0).status,
			  "host status %02xh is success", host);
}

Test(outcome, driver_status)
{
	expect_made(outcome_of(0, 0, 0x06, 0), 0x0b, 0x08, 0x01);
	expect_status(outcome_of(0, 0, 0x01, 0), 0x08);
	expect_made(outcome_of(0, 0, 0x04, 0), 0x04, 0x44, 0x00);
	expect_status(outcome_of(0, 0, 0x08, 18), 0x00);
}

Test(outcome, data_of_commands_that_fail)
{
	const struct outcome good = outcome_of(0, 0, 0, 0), busy = outcome_of(0x08, 0, 0, 0);
	const struct outcome sense = outcome_of(0x02, 0, 8, 18), timed_out = outcome_of(0, 3, 0, 0);

	cr_expect(outcome_has_data(&good, 0) && !outcome_has_data(&busy, 0) &&
		  !outcome_has_data(&timed_out, 0));
	cr_expect(outcome_has_data(&sense, 0x00), "a short block of a tape");
	cr_expect(outcome_has_data(&sense, 0x01) && outcome_has_data(&sense, 0x03) &&
		  outcome_has_data(&sense, 0x08));
	cr_expect(!outcome_has_data(&sense, 0x02) && !outcome_has_data(&sense, 0x05) &&
		  !outcome_has_data(&sense, 0x06) && !outcome_has_data(&sense, 0x07));
}

Test(outcome, errno_values)
{
	cr_expect(outcome_of_errno(ENODEV).is_lost && outcome_of_errno(ENXIO).is_lost);
	expect_status(outcome_of_errno(EDOM), 0x08);
	expect_status(outcome_of_errno(ENOMEM), 0x28);
	expect_made(outcome_of_errno(EINVAL), 0x05, 0x24, 0x00);
	expect_made(outcome_of_errno(EIO), 0x04, 0x44, 0x00);
}

/* ---- reports of supported commands ---- */

static const uint8_t report[] = {
	0,    0,    0,	  68,					/* bytes that follow */
	0x00, 0,    0,	  0,	0, 0x00, 0, 6,			/* TEST UNIT READY */
	0x12, 0,    0,	  0,	0, 0x02, 0, 6,			/* INQUIRY, with timeouts */
	0x00, 0x0a, 0,	  0,	0, 0,	 0, 9,	0,    0, 0, 30, /* nominal 9, recommended 30 */
	0xa3, 0,    0,	  0x0c, 0, 0x01, 0, 12,			/* a service action */
	0xa3, 0,    0,	  0x0c, 0, 0x01, 0, 12,			/* again: devices do that */
	0xd0, 0,    0,	  0,	0, 0x00, 0, 12,			/* vendor specific */
	0x7f, 0,    0x12, 0x34, 0, 0x01, 0, 32, 0x28, 0, 0, 0,	0, 0x00, 0, 10,
};

Test(rsoc, becomes_claims)
{
	g_autofree struct scuse_claim *claims = claims_from_report(report, sizeof(report));

	cr_assert(claims);
	cr_expect(claims[0].opcode == 0x00 && claims[0].cdb_len == 6 && claims[0].timeout == 0);
	cr_expect(claims[1].opcode == 0x12 && claims[1].timeout == 30);
	cr_expect(claims[2].opcode == 0xa3 && claims[2].has_service_action == 1 &&
		  claims[2].service_action == 0x0c && claims[2].cdb_len == 12);
	cr_expect(claims[3].opcode == 0x7f && claims[3].service_action == 0x1234);
	cr_expect(claims[4].opcode == 0x28);
	cr_expect_eq(claims[5].flags, SCUSE_CLAIM_END);
}

Test(rsoc, cut_anywhere)
{
	for (size_t length = 0; length < sizeof(report); length++) {
		g_autofree uint8_t *copy = g_memdup2(report, length);
		g_autofree struct scuse_claim *claims = claims_from_report(copy, length);
		size_t count = 0;

		while (claims && !(claims[count].flags & SCUSE_CLAIM_END))
			count++;
		cr_expect(count <= 5, "%zu bytes", length);
		cr_expect_eq(claims != NULL, length >= 4 + 8 + 20, "%zu bytes", length);
	}
}

Test(rsoc, not_credible_without_inquiry)
{
	const uint8_t few[] = { 0, 0, 0, 8, 0x00, 0, 0, 0, 0, 0, 0, 6 }, none[] = { 0, 0, 0, 0 };

	cr_expect_null(claims_from_report(few, sizeof(few)));
	cr_expect_null(claims_from_report(none, sizeof(none)));
}

/* ---- timeouts ---- */

Test(timeout, by_command_and_type)
{
	const uint8_t rewind[16] = { 0x01 }, x91[16] = { 0x91 }, init[16] = { 0x07 }, format[16] = { 0x04 };
	const uint8_t read[16] = { 0x28 }, erase[16] = { 0x19 };

	cr_expect(timeout_of(1, rewind) >= 3600 && timeout_of(0, rewind) <= 60);
	cr_expect(timeout_of(1, erase) >= 3600);
	cr_expect(timeout_of(8, init) >= 3600);
	cr_expect(timeout_of(0, format) >= 24 * 3600);
	cr_expect(timeout_of(1, x91) >= 3600 && timeout_of(0, x91) < 3600, "SPACE, not SYNCHRONIZE CACHE");
	cr_expect_eq(timeout_of(0, read), 60);
	cr_expect(timeout_of(1, read) > 60);
	for (unsigned int type = 0; type < 32; type++)
		for (unsigned int opcode = 0; opcode < 256; opcode++) {
			const uint8_t cdb[16] = { (uint8_t)opcode };
			uint32_t seconds = timeout_of(type, cdb);

			cr_assert(seconds >= 60 && seconds <= UINT32_MAX / 1000, "%02x of %02x", opcode,
				  type);
		}
}

/* ---- names ---- */

Test(identity, the_best_designator)
{
	/* of a target port; T10 vendor ID; NAA; SCSI name string */
	const uint8_t page[] = {
		0x00, 0x83, 0, 44, 0x01, 0x93, 0,   8,	 0x50, 0,    0,	  0,   0,    0,	   0,	1,
		0x02, 0x01, 0, 8,  'V',	 'E',  'N', 'D', 'O',  'R',  ' ', ' ', 0x01, 0x03, 0,	8,
		0x60, 1,    2, 3,  4,	 5,    6,   7,	 0x03, 0x08, 0,	  4,   'i',  'q',  'n', 0,
	};
	char name[SCUSE_IDENTITY_MAX];

	cr_assert(identity_from_designators(page, sizeof(page), name, sizeof(name)));
	cr_expect_str_eq(name, "naa.6001020304050607");
	cr_assert(identity_from_designators(page, 28, name, sizeof(name)));
	cr_expect_str_eq(name, "t10.VENDOR");
	cr_expect_not(identity_from_designators(page, 16, name, sizeof(name)));
	cr_expect_not(identity_from_designators(page, 3, name, sizeof(name)));
	for (size_t length = 0; length < sizeof(page); length++) {
		g_autofree uint8_t *copy = g_memdup2(page, length);

		identity_from_designators(copy, length, name, sizeof(name));
	}
}

Test(identity, long_and_odd_names)
{
	uint8_t page[4 + 4 + 250] = { 0x00, 0x83, 0, 254, 0x03, 0x08, 0, 250 };
	char name[SCUSE_IDENTITY_MAX];

	memset(page + 8, 'x', 250);
	page[9] = 0x80;
	page[10] = '\n';
	cr_assert(identity_from_designators(page, sizeof(page), name, sizeof(name)));
	cr_expect_eq(strlen(name), SCUSE_IDENTITY_MAX - 1);
	cr_expect(!strncmp(name, "x..x", 4), "%s", name);
}

Test(identity, without_designators)
{
	uint8_t inquiry[36] = { 0 };
	char name[SCUSE_IDENTITY_MAX];

	memcpy(inquiry + 8, "HP      Ultrium 4-SCSI  B12H", 28);
	identity_from_inquiry(inquiry, "HU1", name, sizeof(name));
	cr_expect_str_eq(name, "HP Ultrium 4-SCSI HU1");
	identity_from_inquiry(inquiry, "", name, sizeof(name));
	cr_expect(strstr(name, "without a serial number"), "%s", name);
}

/* ---- read_only ---- */

static bool passes(uint32_t type, uint8_t opcode, uint8_t byte1)
{
	const uint8_t cdb[32] = { opcode, byte1 };

	return command_is_harmless(type, cdb);
}

Test(read_only, what_writes_is_refused)
{
	static const uint8_t disk[] = { 0x04, 0x0a, 0x15, 0x1d, 0x2a, 0x2e, 0x3b, 0x3f, 0x41, 0x42, 0x48,
					0x4c, 0x53, 0x54, 0x55, 0x5f, 0x83, 0x85, 0x89, 0x8a, 0x8b, 0x8e,
					0x93, 0x9c, 0x9f, 0xa1, 0xa4, 0xaa, 0xac, 0xae, 0xb5, 0xc0, 0xff };
	static const uint8_t tape[] = { 0x04, 0x0a, 0x0b, 0x10, 0x15, 0x19, 0x3b,
					0x55, 0x80, 0x82, 0x8a, 0x8d, 0x93 };
	static const uint8_t changer[] = { 0x0a, 0x15, 0x3b, 0x55, 0xa5, 0xa6, 0xb6, 0x8d };
	static const uint8_t cd[] = { 0x04, 0x0a, 0x2a, 0x53, 0x54, 0x55, 0x58,
				      0x5b, 0x5d, 0xa1, 0xaa, 0xb6, 0xbf };
	const uint8_t write_32[32] = { 0x7f, 0, 0, 0, 0, 0, 0, 24, 0x00, 0x0b };

	for (size_t i = 0; i < sizeof(disk); i++)
		cr_expect_not(passes(0, disk[i], 0), "disk: %02xh", disk[i]);
	for (size_t i = 0; i < sizeof(tape); i++)
		cr_expect_not(passes(1, tape[i], 0), "tape: %02xh", tape[i]);
	for (size_t i = 0; i < sizeof(changer); i++)
		cr_expect_not(passes(8, changer[i], 0), "changer: %02xh", changer[i]);
	for (size_t i = 0; i < sizeof(cd); i++)
		cr_expect_not(passes(5, cd[i], 0), "CD: %02xh", cd[i]);
	cr_expect_not(command_is_harmless(0, write_32));
}

Test(read_only, what_reads_passes)
{
	static const uint8_t all[] = { 0x00, 0x03, 0x12, 0x1a, 0x5a, 0x4d, 0xa3 };
	const uint8_t read_32[32] = { 0x7f, 0, 0, 0, 0, 0, 0, 24, 0x00, 0x09 };

	for (uint32_t type = 0; type < 0x15; type++)
		for (size_t i = 0; i < sizeof(all); i++)
			cr_expect(passes(type, all[i], 0), "%02xh of %02xh", all[i], type);
	cr_expect(passes(0, 0x28, 0) && passes(0, 0x88, 0) && passes(0, 0x9e, 0x10));
	cr_expect(passes(1, 0x08, 0) && passes(1, 0x11, 0) && passes(1, 0x91, 0) && passes(1, 0x34, 0));
	cr_expect(passes(5, 0xbe, 0) && passes(5, 0x43, 0) && passes(8, 0xb8, 0));
	cr_expect(command_is_harmless(0, read_32) && !command_is_harmless(1, read_32));
}
