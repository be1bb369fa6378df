// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The vchanger handler on the simulated kernel: CDBs in, sense data out, and the unit attentions that follow
 * what people do.
 */
#include "rig.h"
#include "vchanger_fixture.h"

#define SOON  10000 /* milliseconds: on a machine that is busy */
#define NEVER 300

#define BYTES16(value) (uint8_t)((value) >> 8), (uint8_t)(value)

TestSuite(changer, .init = fixture_set_up, .fini = fixture_tear_down);

static struct sim_command latest;
static uint8_t data[4096];

static struct rig *changer_try(const char *more, char **error)
{
	g_autofree char *config =
		g_strdup_printf("library=%s\nslots=4\ndrives=2\nports=2\n%s", fixture_path, more);
	struct rig_options options = rig_defaults();

	options.plugin = "vchanger";
	options.config = config;
	options.sim.raw = true;
	options.sim.device_type = 8;
	options.sim.block_size = 0;
	options.sim.device_size = 0;
	return rig_open(&options, error);
}

static struct rig *changer_new(void)
{
	g_autofree char *error = NULL;
	struct rig *rig = changer_try("", &error);

	cr_assert_not_null(rig, "the changer does not open: %s", error);
	return rig;
}

/* GOOD is 0, CHECK CONDITION the sense data as 0xKKAAQQ, another status 0x1000000 and that. */
static uint32_t send_flagged(struct rig *rig, const uint8_t *cdb, uint32_t length, uint16_t flags)
{
	latest = (struct sim_command){ .op = SCUSE_OP_CDB,
				       .flags = flags | (length ? SCUSE_SQE_F_DATA_IN : 0),
				       .cdb = cdb,
				       .cdb_len = 12,
				       .data_len = length,
				       .data_in = length ? data : NULL };
	switch (sim_execute(rig->sim, &latest)) {
	case SAM_GOOD:
		return 0;
	case SAM_CHECK_CONDITION:
		cr_assert_geq(latest.sense_len, 8);
		if ((latest.sense[0] & 0x7f) >= 0x72)
			return (uint32_t)(latest.sense[1] << 16 | latest.sense[2] << 8 | latest.sense[3]);
		return (uint32_t)(latest.sense[2] << 16 | latest.sense[12] << 8 | latest.sense[13]);
	}
	return 0x1000000u | latest.status;
}

#define send(rig, length, ...) send_flagged(rig, (const uint8_t[12]){ __VA_ARGS__ }, length, 0)
#define move(rig, from, to)    send(rig, 0, 0xa5, 0, 0, 0, BYTES16(from), BYTES16(to))

static bool told(struct rig *rig, uint32_t events, uint8_t asc, uint8_t ascq)
{
	struct scuse_notify notify;

	while (sim_next_notify(rig->sim, SOON, &notify))
		if (notify.events & events && (asc == 0 || (notify.asc == asc && notify.ascq == ascq)))
			return true;
	return false;
}

Test(changer, parameters_are_checked)
{
	static const char *const bad[] = { "slots=0",	"slots=4097", "drives=0",
					   "drives=65", "ports=-1",   "ports=241" };

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autofree char *error = NULL,
				*config = g_strdup_printf("library=%s\n%s", fixture_path, bad[i]);
		struct rig_options options = rig_defaults();

		options.plugin = "vchanger";
		options.config = config;
		options.sim.raw = true;
		options.sim.device_type = 8;
		cr_expect_null(rig_open(&options, &error), "%s", bad[i]);
		cr_expect(error && strstr(error, "has to be"), "%s: %s", bad[i], error);
	}
}

Test(changer, moves_and_their_sense_data)
{
	struct fake_drive drives[2];
	struct rig *rig;

	fixture_put("cartridges", "A");
	fixture_put("cartridges", "B");
	fake_drive_start(&drives[0], 0);
	rig = changer_new();
	cr_expect_eq(send(rig, 0, 0x00), 0);
	cr_expect_eq(move(rig, SLOT(1), DRIVE(0)), 0);
	cr_expect_str_eq(drives[0].name, "A");
	cr_expect_eq(move(rig, SLOT(1), SLOT(3)), 0x053b0e);
	cr_expect_eq(move(rig, SLOT(2), DRIVE(0)), 0x053b0d);
	cr_expect_eq(move(rig, SLOT(9), DRIVE(0)), 0x052101);
	cr_expect_eq(send(rig, 0, 0xa5, 0, 0, 9, BYTES16(SLOT(2)), BYTES16(SLOT(3))), 0x052101);
	cr_expect_eq(send(rig, 0, 0xa5, 0, 0, 0, BYTES16(SLOT(2)), BYTES16(SLOT(3)), 0, 0, 1), 0x052400);
	cr_expect_eq(move(rig, SLOT(2), DRIVE(1)), 0x020412);
	drives[0].prevented = true;
	cr_expect_eq(move(rig, DRIVE(0), SLOT(1)), 0x055302);
	drives[0].prevented = false;
	drives[0].unload_error = -EBUSY;
	cr_expect_eq(move(rig, DRIVE(0), SLOT(1)), 0x1000008, "BUSY");
	drives[0].unload_error = 0;
	cr_expect_eq(move(rig, DRIVE(0), SLOT(1)), 0);
	drives[0].load_error = -EIO;
	cr_expect_eq(move(rig, SLOT(1), DRIVE(0)), 0x045300);
	drives[0].load_error = 0;
	cr_expect_eq(send(rig, 0, 0xa6, 0, 0, 0, BYTES16(SLOT(1)), BYTES16(SLOT(2)), BYTES16(SLOT(1))), 0);
	cr_expect_eq(send(rig, 0, 0xa6, 0, 0, 0, BYTES16(SLOT(1)), BYTES16(SLOT(2)), BYTES16(SLOT(3)), 2),
		     0x052400);
	cr_expect(fixture_has("cartridges", "A") && fixture_has("cartridges", "B"));
	rig_free(rig);
	fake_drive_stop(&drives[0]);
}

/* A worker that took over a command of an earlier one's. */
Test(changer, a_replayed_move_is_done_once)
{
	const uint8_t cdb[12] = { 0xa5, 0, 0, 0, BYTES16(SLOT(1)), BYTES16(SLOT(3)) };
	struct rig *rig;

	fixture_put("cartridges", "A");
	rig = changer_new();
	cr_expect_eq(send_flagged(rig, cdb, 0, 0), 0);
	rig_free(rig);
	rig = changer_new();
	cr_expect(sim_started(rig->sim)->features & SCUSE_FEATURE_REPLAY_SAFE);
	cr_expect_eq(send_flagged(rig, cdb, 0, SCUSE_SQE_F_REPLAY), 0);
	cr_expect_eq(send_flagged(rig, cdb, 0, 0), 0x053b0e);
	rig_free(rig);
}

Test(changer, element_status)
{
	struct rig *rig;

	fixture_put("cartridges", "A00001L8");
	rig = changer_new();
	cr_expect_eq(send(rig, sizeof(data), 0xb8, 0x12, 0, 0, 0xff, 0xff, 0, 0, 0x10, 0), 0);
	cr_expect_eq(latest.returned, 16 + 4 * 52);
	cr_expect_arr_eq(data + 16,
			 "\x04\x00\x09\0\0\0\0\0\0\x01\0\0"
			 "A00001L8 ",
			 21);
	/* The shorter of allocation length and buffer counts. */
	cr_expect_eq(send(rig, sizeof(data), 0xb8, 0x02, 0, 0, 0xff, 0xff, 0, 0, 0, 40), 0);
	cr_expect_eq(latest.returned, 32);
	cr_expect_eq(send(rig, 24, 0xb8, 0x02, 0, 0, 0xff, 0xff, 0, 0, 0x10, 0), 0);
	cr_expect_eq(latest.returned, 16);
	cr_expect_eq(send(rig, 0, 0xb8, 0x02, 0, 0, 0xff, 0xff), 0);
	cr_expect_eq(send(rig, 24, 0xb8, 0x05, 0, 0, 0xff, 0xff, 0, 0, 0x10, 0), 0x052400);
	rig_free(rig);
}

Test(changer, pages_and_positions)
{
	struct rig *rig = changer_new();

	cr_expect_eq(send(rig, 255, 0x1a, 0, 0x3f, 0, 255), 0);
	cr_expect_eq(latest.returned, 4 + 20 + 4 + 20);
	cr_expect_eq(send(rig, 255, 0x1a, 0, 0x3f, 0, 10), 0);
	cr_expect_eq(latest.returned, 10);
	cr_expect_eq(data[0], 47, "the length is of all, whatever is transferred");
	cr_expect_eq(send(rig, 255, 0x5a, 0, 0x1d, 0, 0, 0, 0, 0, 255), 0);
	cr_expect_eq(latest.returned, 28);
	cr_expect_eq(send(rig, 255, 0x1a, 0, 0xff, 0, 255), 0x053900);
	cr_expect_eq(send(rig, 255, 0x1a, 0, 0x08, 0, 255), 0x052400);
	cr_expect_eq(send(rig, 512, 0x4d, 0, 0x6e, 0, 0, 0, 0, 2, 0), 0);
	cr_expect_eq(latest.returned, 4 + 64 * 5);
	cr_expect_eq(send(rig, 512, 0x4d, 0, 0x43, 0, 0, 0, 0, 2, 0), 0x052400);
	cr_expect_eq(send(rig, 0, 0x2b, 0, 0, 0, BYTES16(SLOT(4))), 0);
	cr_expect_eq(send(rig, 0, 0x2b, 0, 0, 0, BYTES16(SLOT(5))), 0x052101);
	cr_expect_eq(send(rig, 0, 0x2b, 0, 0, 0, BYTES16(SLOT(4)), 0, 0, 1), 0x052400);
	cr_expect_eq(send(rig, 0, 0x37, 1, BYTES16(SLOT(5))), 0x052101);
	cr_expect_eq(send(rig, 0, 0x37, 1, BYTES16(SLOT(4)), 0, 0, 0, 1), 0);
	rig_free(rig);
}

static bool is_full(struct rig *rig, unsigned int address)
{
	cr_assert_eq(send(rig, 64, 0xb8, 0, BYTES16(address), 0, 1, 0, 0, 0, 64), 0);
	cr_assert_eq(data[16] << 8 | data[17], (int)address);
	return data[18] & 0x01;
}

Test(changer, initiators_are_told_of_what_people_do)
{
	struct scuse_notify notify;
	struct rig *rig = changer_new();

	fixture_put("mail", "A");
	cr_expect(told(rig, SCUSE_NOTIFY_UNIT_ATTENTION, 0x28, 0x01));
	cr_expect(is_full(rig, PORT(1)));
	fixture_put("cartridges", "B");
	cr_expect(told(rig, SCUSE_NOTIFY_MEDIUM, 0, 0));
	cr_expect(is_full(rig, SLOT(1)));
	cr_expect_eq(move(rig, PORT(1), SLOT(2)), 0);
	cr_expect_not(sim_next_notify(rig->sim, NEVER, &notify), "moves of initiators are no news");
	rig_free(rig);
	/* While no worker runs. */
	fixture_remove("cartridges", "A");
	rig = changer_new();
	cr_expect(told(rig, SCUSE_NOTIFY_MEDIUM, 0, 0));
	cr_expect_not(is_full(rig, SLOT(2)));
	rig_free(rig);
}

Test(changer, the_ports_are_locked_while_removal_is_prevented)
{
	struct rig *rig = changer_new();

	cr_expect_eq(send(rig, 0, 0x1e, 0, 0, 0, 1), 0);
	cr_expect_eq(send(rig, 0, 0x1e, 0, 0, 0, 1), 0);
	fixture_put("mail", "A");
	cr_expect_eq(send(rig, 0, 0x07), 0);
	cr_expect_not(is_full(rig, PORT(1)));
	cr_expect_eq(send(rig, 0, 0x1e), 0);
	cr_expect(is_full(rig, PORT(1)));
	cr_expect_eq(send(rig, 0, 0x1e, 0, 0, 0, 1), 0);
	fixture_put("mail", "B");
	cr_expect_eq(send(rig, 0, 0x07), 0);
	cr_expect_not(is_full(rig, PORT(2)));
	sim_reset(rig->sim);
	for (int i = 0; i < SOON / 10 && !is_full(rig, PORT(2)); i++)
		g_usleep(10000);
	cr_expect(is_full(rig, PORT(2)), "a reset ends the prevention");
	rig_free(rig);
}
