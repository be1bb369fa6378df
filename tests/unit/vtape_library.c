// SPDX-License-Identifier: LGPL-2.1-or-later
/* A vtape drive in a virtual library: what its changer asks of it, over the drive's socket. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include <scuse/handler.h>

#include "../vchanger/link.h"
#include "vtape_rig.h"

#define GOOD	    0
#define NOT_PRESENT 0x023a00
#define ONE	    "A00001L8"
#define TWO	    "A00002L8"

static char *library;

static void make_library(void)
{
	const char *names[] = { ONE, TWO };

	library = g_strdup("/dev/shm/scuse-test-XXXXXX");
	cr_assert_not_null(g_mkdtemp(library));
	for (unsigned int i = 0; i < 2; i++) {
		g_autofree char *dir = g_build_filename(library, "cartridges", NULL);
		g_autofree char *path = g_build_filename(dir, names[i], NULL);

		g_mkdir(dir, 0700);
		cr_assert(g_file_set_contents(path, "", 0, NULL));
	}
}

static void remove_library(void)
{
	const char *names[] = { "cartridges/" ONE, "cartridges/" TWO, "cartridges", "" };

	for (unsigned int i = 0; i < 4; i++) {
		g_autofree char *path = g_build_filename(library, names[i], NULL);

		g_remove(path);
	}
	g_free(library);
}

static struct tape *new_drive(unsigned int number)
{
	g_autofree char *parameters =
		g_strdup_printf("path=\ncreate=\nlibrary=%s\ndrive=%u\ncapacity=16M", library, number);
	struct tape *tape = tape_try(library, parameters);

	cr_assert(tape, "the drive does not open: %s", tape_error());
	return tape;
}

Test(vtape_library, loads_and_unloads, .init = make_library, .fini = remove_library)
{
	struct tape *tape = new_drive(0);
	struct link_status status;

	cr_expect_neq(tape_rewind(tape), GOOD);
	cr_expect_eq(tape->sense, NOT_PRESENT);
	cr_expect_eq(link_load(library, 0, ONE), 0);
	cr_expect_eq(tape_changes(tape), SCUSE_CHANGED_MEDIA);
	cr_expect_eq(link_load(library, 0, ONE), 0);
	cr_expect_eq(link_load(library, 0, TWO), -EBUSY);
	cr_expect_eq(tape_changes(tape), 0);
	cr_expect_eq(link_status(library, 0, &status), 0);
	cr_expect(status.loaded && !status.prevented && strcmp(status.name, ONE) == 0);
	cr_expect_eq(tape_write(tape, "monday", 6), GOOD);
	cr_expect_eq(link_unload(library, 0, false), 0);
	cr_expect_eq(link_status(library, 0, &status), 0);
	cr_expect(!status.loaded && !status.name[0]);
	cr_expect_neq(tape_load(tape), GOOD);
	cr_expect_eq(link_load(library, 0, TWO), 0);
	cr_expect_neq(tape_read(tape, 6), GOOD);
	cr_expect_eq(link_unload(library, 0, false), 0);
	cr_expect_eq(link_load(library, 0, ONE), 0);
	cr_expect_eq(tape_read(tape, 6), GOOD);
	cr_expect_eq(memcmp(tape->data, "monday", 6), 0);
	tape_free(tape);
}

/* An initiator's LOAD UNLOAD leaves the cartridge in the drive. */
Test(vtape_library, initiators_unload_and_prevent, .init = make_library, .fini = remove_library)
{
	struct tape *tape = new_drive(3);
	struct link_status status;

	cr_expect_eq(link_load(library, 3, ONE), 0);
	cr_expect_eq(tape_unload(tape), GOOD);
	cr_expect_eq(link_status(library, 3, &status), 0);
	cr_expect(!status.loaded && strcmp(status.name, ONE) == 0);
	cr_expect_eq(tape_load(tape), GOOD);
	cr_expect_eq(tape_cdb(tape, 0, 0x1e, 0, 0, 0, 1, 0), GOOD);
	cr_expect_eq(link_unload(library, 3, false), -EPERM);
	cr_expect_eq(link_status(library, 3, &status), 0);
	cr_expect(status.loaded && status.prevented);
	cr_expect_eq(link_unload(library, 3, true), 0);
	cr_expect_eq(link_status(library, 3, &status), 0);
	cr_expect(!status.name[0] && !status.prevented);
	tape_free(tape);
}

Test(vtape_library, two_drives_cannot_share_a_cartridge, .init = make_library, .fini = remove_library)
{
	struct tape *first = new_drive(0), *second = new_drive(1);

	cr_expect_eq(link_load(library, 0, ONE), 0);
	cr_expect_eq(link_load(library, 1, ONE), -EBUSY);
	cr_expect_eq(link_load(library, 1, TWO), 0);
	cr_expect_eq(link_unload(library, 0, false), 0);
	cr_expect_eq(link_unload(library, 1, false), 0);
	cr_expect_eq(link_load(library, 1, ONE), 0);
	tape_close(first);
	cr_expect_eq(link_unload(library, 0, false), -ENOTCONN);
	tape_free(first);
	tape_free(second);
}
