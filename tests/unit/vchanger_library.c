// SPDX-License-Identifier: LGPL-2.1-or-later
/* A virtual library: where cartridges are, after moves, errors, restarts, and what people do to the files. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "../../handlers/vchanger/watch.h"
#include "vchanger_fixture.h"

TestSuite(library, .init = fixture_set_up, .fini = fixture_tear_down);

static struct library *open_with(const char *first, const char *second)
{
	fixture_put("cartridges", first);
	if (second)
		fixture_put("cartridges", second);
	return fixture_open();
}

/* The library as the next process finds it. */
static struct library *reopen(struct library *library)
{
	library_close(library);
	return fixture_open();
}

static struct library_element element_at(struct library *library, unsigned int address)
{
	struct library_element element = { .type = ELEMENT_ALL };

	for (unsigned int i = 0; i < library_count(library, ELEMENT_ALL) && element.address != address; i++)
		library_element(library, i, &element);
	cr_assert_eq(element.address, address);
	return element;
}

Test(library, takes_in_the_files_that_there_are)
{
	struct library *library;

	fixture_put("cartridges", "A00001L8.tap");
	fixture_put("cartridges", ".partial");
	fixture_put("cartridges", "with blank");
	fixture_put("mail", "B00001L8");
	library = fixture_open();
	fixture_expect(library, "port1:B00001L8 slot1:A00001L8");
	cr_expect(element_at(library, PORT(1)).imported);
	library = reopen(library);
	fixture_expect(library, "port1:B00001L8 slot1:A00001L8");
	library_close(library);
}

Test(library, one_changer_only)
{
	struct library *library = fixture_open();

	cr_expect_null(library_open(&(struct library_options){ .path = fixture_path, .slots = 1 }));
	cr_expect_eq(errno, EBUSY);
	library_close(library);
	cr_expect_null(library_open(&(struct library_options){ .path = "/dev/null", .slots = 1 }));
	cr_expect_eq(errno, ENOTDIR);
}

Test(library, a_cartridge_goes_round)
{
	struct library *library = open_with("A", NULL);
	struct fake_drive drives[2];

	fake_drive_start(&drives[0], 0);
	fake_drive_start(&drives[1], 1);
	cr_expect_eq(library_move(library, SLOT(1), DRIVE(0), false), LIBRARY_OK);
	cr_expect_str_eq(drives[0].name, "A");
	cr_expect_eq(element_at(library, DRIVE(0)).source, SLOT(1));
	cr_expect_eq(library_move(library, DRIVE(0), DRIVE(1), false), LIBRARY_OK);
	cr_expect_str_eq(drives[0].name, "");
	cr_expect_str_eq(drives[1].name, "A");
	cr_expect_eq(library_move(library, DRIVE(1), PORT(2), false), LIBRARY_OK);
	fixture_expect(library, "port2:A");
	cr_expect(fixture_has("mail", "A") && !fixture_has("cartridges", "A"));
	cr_expect_not(element_at(library, PORT(2)).imported, "the changer has put it there");
	cr_expect_eq(library_move(library, PORT(2), DRIVE(1), false), LIBRARY_OK);
	cr_expect(fixture_has("cartridges", "A") && !fixture_has("mail", "A"));
	library = reopen(library);
	fixture_expect(library, "drive1:A");
	cr_expect_eq(library_move(library, DRIVE(1), SLOT(4), false), LIBRARY_OK);
	fixture_expect(library, "slot4:A");
	cr_expect_eq(element_at(library, SLOT(4)).source, SLOT(1));
	cr_expect_eq(fixture_news[0] + fixture_news[1], 0, "moves of the changer's are no news");
	library_close(library);
	fake_drive_stop(&drives[0]);
	fake_drive_stop(&drives[1]);
}

Test(library, moves_that_cannot_be)
{
	struct library *library = open_with("A", "B");

	cr_expect_eq(library_move(library, SLOT(3), SLOT(4), false), LIBRARY_SOURCE_EMPTY);
	cr_expect_eq(library_move(library, SLOT(1), SLOT(2), false), LIBRARY_DESTINATION_FULL);
	cr_expect_eq(library_move(library, SLOT(1), SLOT(1), false), LIBRARY_DESTINATION_FULL);
	cr_expect_eq(library_move(library, SLOT(5), SLOT(4), false), LIBRARY_BAD_ADDRESS);
	cr_expect_eq(library_move(library, SLOT(1), PORT(3), false), LIBRARY_BAD_ADDRESS);
	cr_expect_eq(library_move(library, SLOT(1), ADDRESS_TRANSPORT, false), LIBRARY_BAD_ADDRESS);
	cr_expect_eq(library_move(library, ADDRESS_TRANSPORT, SLOT(4), false), LIBRARY_SOURCE_EMPTY);
	cr_expect_eq(library_move(library, SLOT(1), DRIVE(0), false), LIBRARY_DRIVE_ABSENT);
	fixture_expect(library, "slot1:A slot2:B");
	library_close(library);
}

Test(library, a_drive_that_does_not_let_go_or_does_not_take)
{
	struct library *library = open_with("A", "B");
	struct fake_drive drives[2];

	fake_drive_start(&drives[0], 0);
	fake_drive_start(&drives[1], 1);
	cr_expect_eq(library_move(library, SLOT(1), DRIVE(0), false), LIBRARY_OK);
	drives[0].prevented = true;
	cr_expect_eq(library_move(library, DRIVE(0), SLOT(1), false), LIBRARY_PREVENTED);
	cr_expect_not(element_at(library, DRIVE(0)).accessible);
	drives[0].prevented = false;
	drives[0].unload_error = -EBUSY;
	cr_expect_eq(library_move(library, DRIVE(0), SLOT(1), false), LIBRARY_DRIVE_BUSY);
	drives[0].unload_error = 0;
	drives[1].load_error = -EIO;
	cr_expect_eq(library_move(library, SLOT(2), DRIVE(1), false), LIBRARY_LOAD_FAILED);
	cr_expect_eq(library_move(library, DRIVE(0), DRIVE(1), false), LIBRARY_LOAD_FAILED);
	fixture_expect(library, "drive0:A slot2:B");
	cr_expect_str_eq(drives[0].name, "A", "it is back where it was");
	drives[1].load_error = 0;
	library = reopen(library);
	fixture_expect(library, "drive0:A slot2:B");
	library_close(library);
	fake_drive_stop(&drives[0]);
	fake_drive_stop(&drives[1]);
}

Test(library, an_absent_drive_is_an_exception)
{
	struct library *library = open_with("A", NULL);
	struct library_element element;
	struct fake_drive drive;

	fake_drive_start(&drive, 0);
	cr_expect_eq(library_move(library, SLOT(1), DRIVE(0), false), LIBRARY_OK);
	element = element_at(library, DRIVE(0));
	cr_expect(element.accessible && !element.exception && !strcmp(element.id, "fake"));
	fake_drive_stop(&drive);
	element = element_at(library, DRIVE(0));
	cr_expect(element.full && element.exception && !element.accessible);
	cr_expect_eq(element.asc << 8 | element.ascq, 0x0412);
	cr_expect_not(library_drives_answer(library));
	cr_expect_eq(library_move(library, DRIVE(0), SLOT(1), false), LIBRARY_DRIVE_ABSENT);
	fake_drive_start(&drive, 0);
	cr_expect_str_eq(drive.name, "A", "it loads what the state says");
	cr_expect_eq(library_move(library, DRIVE(0), SLOT(1), false), LIBRARY_OK);
	fake_drive_stop(&drive);
	library_close(library);
}

Test(library, a_drive_that_differs_is_corrected)
{
	struct library *library = open_with("A", "B");
	struct fake_drive drive;

	fake_drive_start(&drive, 0);
	cr_expect_eq(link_load(fixture_path, 0, "B"), 0);
	cr_expect(library_settle_drive(library, 0));
	cr_expect_str_eq(drive.name, "");
	cr_expect_eq(library_move(library, SLOT(1), DRIVE(0), false), LIBRARY_OK);
	cr_expect_eq(link_unload(fixture_path, 0, true), 0);
	cr_expect_not(element_at(library, DRIVE(0)).exception);
	cr_expect_str_eq(drive.name, "A");
	cr_expect_eq(link_unload(fixture_path, 0, true), 0);
	drive.load_error = -EIO;
	cr_expect_eq(element_at(library, DRIVE(0)).asc, 0x53);
	drive.load_error = 0;
	fake_drive_stop(&drive);
	library_close(library);
}

Test(library, exchanges)
{
	struct library *library = open_with("A", "B");
	struct fake_drive drive;

	fake_drive_start(&drive, 0);
	cr_expect_eq(library_exchange(library, SLOT(1), SLOT(3), SLOT(4), false), LIBRARY_SOURCE_EMPTY);
	cr_expect_eq(library_exchange(library, SLOT(1), SLOT(2), SLOT(2), false), LIBRARY_DESTINATION_FULL);
	cr_expect_eq(library_exchange(library, SLOT(1), SLOT(2), SLOT(9), false), LIBRARY_BAD_ADDRESS);
	cr_expect_eq(library_exchange(library, SLOT(1), SLOT(2), SLOT(3), false), LIBRARY_OK);
	fixture_expect(library, "slot2:A slot3:B");
	cr_expect_eq(library_move(library, SLOT(2), DRIVE(0), false), LIBRARY_OK);
	cr_expect_eq(library_exchange(library, SLOT(3), DRIVE(0), SLOT(3), false), LIBRARY_OK);
	fixture_expect(library, "drive0:B slot3:A");
	cr_expect_str_eq(drive.name, "B");
	cr_expect_eq(library_exchange(library, DRIVE(0), SLOT(3), PORT(1), false), LIBRARY_OK);
	fixture_expect(library, "port1:A slot3:B");
	cr_expect(fixture_has("mail", "A"));
	drive.load_error = -EIO;
	cr_expect_eq(library_exchange(library, PORT(1), SLOT(3), DRIVE(0), false), LIBRARY_LOAD_FAILED);
	fixture_expect(library, "port1:A slot3:B");
	cr_expect(fixture_has("mail", "A") && fixture_has("cartridges", "B"));
	fake_drive_stop(&drive);
	library_close(library);
}

Test(library, a_command_that_comes_twice_is_done_once)
{
	struct library *library = open_with("A", "B");

	cr_expect_eq(library_move(library, SLOT(1), SLOT(3), true), LIBRARY_OK, "it had not been done");
	library = reopen(library);
	cr_expect_eq(library_move(library, SLOT(1), SLOT(3), true), LIBRARY_OK, "it had been done");
	fixture_expect(library, "slot2:B slot3:A");
	cr_expect_eq(library_move(library, SLOT(1), SLOT(3), false), LIBRARY_SOURCE_EMPTY);
	cr_expect_eq(library_exchange(library, SLOT(2), SLOT(3), SLOT(2), false), LIBRARY_OK);
	cr_expect_eq(library_exchange(library, SLOT(2), SLOT(3), SLOT(2), true), LIBRARY_OK);
	fixture_expect(library, "slot2:A slot3:B");
	cr_expect_eq(library_exchange(library, SLOT(2), SLOT(3), SLOT(2), false), LIBRARY_OK);
	fixture_expect(library, "slot2:B slot3:A");
	library_close(library);
}

/* ---- by hand ---- */

Test(library, files_that_come_and_go)
{
	struct library *library = open_with("A", "B");

	fixture_remove("cartridges", "A");
	library_file_changed(library, "A");
	fixture_expect(library, "slot2:B");
	fixture_put("cartridges", "C");
	library_file_changed(library, "C");
	fixture_put("mail", "D");
	library_scan(library);
	fixture_expect(library, "port1:D slot1:C slot2:B");
	cr_expect_eq(fixture_news[0], 2);
	cr_expect_eq(fixture_news[1], 1);
	fixture_put("mail", "B");
	fixture_put("mail", "C.other");
	library_scan(library);
	fixture_expect(library, "port1:D slot1:C slot2:B");
	cr_expect_eq(fixture_news[0] + fixture_news[1], 3, "a name that there is already is left out");
	fixture_remove("mail", "D");
	library_file_changed(library, "D");
	cr_expect_eq(fixture_news[1], 2);
	library_close(library);
}

Test(library, files_moved_while_nobody_looks)
{
	g_autofree char *from = g_build_filename(fixture_path, "cartridges", "A", NULL);
	g_autofree char *to = g_build_filename(fixture_path, "mail", "A", NULL);
	struct library *library = open_with("A", "B");

	library_close(library);
	cr_assert_eq(rename(from, to), 0);
	fixture_remove("cartridges", "B");
	library = fixture_open();
	fixture_expect(library, "port1:A");
	library_close(library);
}

Test(library, no_room_means_waiting)
{
	struct library *library = fixture_open();

	for (char name[2] = "A"; name[0] <= 'C'; name[0]++) {
		fixture_put("mail", name);
		library_file_changed(library, name);
	}
	fixture_expect(library, "port1:A port2:B");
	cr_expect_eq(library_move(library, PORT(1), SLOT(1), false), LIBRARY_OK);
	fixture_expect(library, "port1:C port2:B slot1:A");
	library_lock_ports(library, true);
	fixture_remove("mail", "C");
	library_file_changed(library, "C");
	fixture_put("mail", "D");
	library_file_changed(library, "D");
	fixture_expect(library, "port2:B slot1:A");
	library_lock_ports(library, false);
	fixture_expect(library, "port1:D port2:B slot1:A");
	library_close(library);
}

Test(library, fewer_elements_than_before)
{
	struct library_options options = { .path = fixture_path, .slots = 2, .drives = 1, .ports = 0 };
	struct library *library = open_with("A", "B");
	struct fake_drive drive;

	fake_drive_start(&drive, 1);
	cr_expect_eq(library_move(library, SLOT(1), DRIVE(1), false), LIBRARY_OK);
	cr_expect_eq(library_move(library, SLOT(2), SLOT(4), false), LIBRARY_OK);
	fake_drive_stop(&drive);
	library_close(library);
	library = library_open(&options);
	cr_assert_not_null(library);
	{
		g_autofree char *seen = fixture_contents(library);

		cr_expect(!strcmp(seen, "slot1:A slot2:B") || !strcmp(seen, "slot1:B slot2:A"), "%s", seen);
	}
	library_close(library);
}

Test(library, a_file_deleted_in_a_drive_is_missed_when_it_comes_out)
{
	struct library *library = open_with("A", NULL);
	struct fake_drive drive;

	fake_drive_start(&drive, 0);
	cr_expect_eq(library_move(library, SLOT(1), DRIVE(0), false), LIBRARY_OK);
	fixture_remove("cartridges", "A");
	library_file_changed(library, "A");
	fixture_expect(library, "drive0:A");
	cr_expect_eq(library_move(library, DRIVE(0), SLOT(1), false), LIBRARY_OK);
	fixture_expect(library, "");
	fake_drive_stop(&drive);
	library_close(library);
}

/* ---- the thread that watches ---- */

static bool comes_to(struct library *library, const char *wanted)
{
	for (int i = 0; i < 1000; i++) {
		g_autofree char *seen = fixture_contents(library);

		if (!strcmp(seen, wanted))
			return true;
		g_usleep(10000);
	}
	return false;
}

Test(library, is_watched)
{
	g_autofree char *from = g_build_filename(fixture_path, "cartridges", ".copy", NULL);
	g_autofree char *to = g_build_filename(fixture_path, "cartridges", "C", NULL);
	struct library *library = fixture_open();
	struct watch *watch = watch_start(library, fixture_path);
	struct fake_drive drive;

	cr_assert_not_null(watch);
	fixture_put("mail", "A");
	cr_expect(comes_to(library, "port1:A"));
	fixture_put("cartridges", ".copy");
	cr_assert_eq(rename(from, to), 0);
	cr_expect(comes_to(library, "port1:A slot1:C"));
	fixture_remove("mail", "A");
	cr_expect(comes_to(library, "slot1:C"));
	/* A drive that starts with something that the library does not know of. */
	fake_drive_start(&drive, 1);
	cr_expect_eq(link_load(fixture_path, 1, "C"), 0);
	fake_drive_stop(&drive);
	watch_stop(watch);
	library_close(library);
}

Test(library, a_drive_that_starts_gets_what_it_has_to_have)
{
	g_autofree char *state = g_build_filename(fixture_path, "state", NULL);
	struct library *library = open_with("A", NULL);
	struct watch *watch;
	struct fake_drive drive;

	fake_drive_start(&drive, 0);
	cr_expect_eq(library_move(library, SLOT(1), DRIVE(0), false), LIBRARY_OK);
	fake_drive_stop(&drive);
	watch = watch_start(library, fixture_path);
	/* It starts empty, as if it had read the state before the move. */
	cr_assert_eq(unlink(state), 0);
	fake_drive_start(&drive, 0);
	cr_expect(fake_drive_gets(&drive, "A"));
	watch_stop(watch);
	fake_drive_stop(&drive);
	library_close(library);
}
