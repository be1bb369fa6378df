// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The file and null handlers, one command at a time: sizes, holes, resizing, and what is said to users.
 * (memory.c has the memory handler.)
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rig.h"

static char *dir;

static void set_up(void)
{
	dir = g_strdup("/dev/shm/scuse-test-XXXXXX");
	cr_assert_not_null(g_mkdtemp(dir));
}

static void tear_down(void)
{
	g_autofree char *path = g_build_filename(dir, "lun", NULL);

	unlink(path);
	rmdir(dir);
	g_free(dir);
}

/* DIR/lun with `size` bytes; 0: empty. */
static void make_file(off_t size)
{
	g_autofree char *path = g_build_filename(dir, "lun", NULL);
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	cr_assert(fd >= 0 && ftruncate(fd, size) == 0);
	close(fd);
}

static off_t file_size(void)
{
	g_autofree char *path = g_build_filename(dir, "lun", NULL);
	struct stat status;

	return stat(path, &status) ? -1 : status.st_size;
}

static struct rig *open_file(const char *more, uint64_t size, uint32_t block_size, char **error)
{
	g_autofree char *config = g_strdup_printf(".cwd=%s\n=lun\n%s", dir, more);
	struct rig_options options = rig_defaults();

	*error = NULL;
	options.plugin = "file";
	options.config = config;
	options.sim.device_size = size;
	options.sim.block_size = block_size;
	return rig_open(&options, error);
}

static void file_refused(const char *more, uint64_t size, const char *because)
{
	g_autofree char *error = NULL;

	cr_expect_null(open_file(more, size, 512, &error));
	cr_expect(error && strstr(error, because), "'%s' does not say '%s'", error, because);
}

Test(file, messages, .init = set_up, .fini = tear_down)
{
	file_refused("", 0, "does not exist: create=true");
	file_refused("create=true", 0, "its size must be given");
	file_refused("create=true\nreadonly=true", 4096, "exclude each other");
	make_file(0);
	file_refused("", 0, "is empty");
	make_file(1000);
	file_refused("", 0, "not a multiple of the block size, 512");
	file_refused("", 2048, "has only 1000 bytes, but the LUN was to have 2048");
}

Test(file, a_directory_is_refused, .init = set_up, .fini = tear_down)
{
	g_autofree char *path = g_build_filename(dir, "lun", NULL);

	cr_assert_eq(mkdir(path, 0700), 0);
	file_refused("", 0, "is a directory");
	rmdir(path);
}

Test(file, is_served_once_only, .init = set_up, .fini = tear_down)
{
	g_autofree char *error = NULL;
	struct rig *rig, *readers[2];

	make_file(1 << 20);
	rig = open_file("", 0, 512, &error);
	cr_assert(rig, "%s", error);
	file_refused("", 0, "is locked");
	file_refused("readonly=true", 0, "is locked");
	rig_free(rig);
	for (int i = 0; i < 2; i++)
		readers[i] = open_file("readonly=true", 0, 512, &error);
	cr_assert(readers[0] && readers[1], "%s", error);
	cr_expect_eq(rig_write(readers[0], 0, 1, error, 0), SAM_CHECK_CONDITION);
	cr_expect_eq(rig_sense(readers[0]), 0x072700);
	rig_free(readers[0]);
	rig_free(readers[1]);
}

Test(file, creates_and_resizes, .init = set_up, .fini = tear_down)
{
	g_autofree char *error = NULL, *smaller = NULL;
	struct rig *rig = open_file("create=true", 1 << 20, 4096, &error);
	unsigned char data[4096];

	cr_assert(rig, "%s", error);
	cr_expect_eq(file_size(), 1 << 20);
	cr_expect_eq(sim_started(rig->sim)->device_size, 1 << 20);
	cr_expect_eq(rig_read(rig, 256, 1, data), SAM_CHECK_CONDITION);
	cr_expect_eq(dev_resize(rig->dev, 2 << 20, &error), 0);
	cr_expect_eq(file_size(), 2 << 20);
	cr_expect_eq(rig_read(rig, 256, 1, data), SAM_GOOD);
	cr_expect_lt(dev_resize(rig->dev, 1 << 20, &smaller), 0);
	cr_expect(strstr(smaller, "cannot be made smaller"), "%s", smaller);
	rig_free(rig);
}

Test(file, a_truncated_file_is_an_error_not_a_hang, .init = set_up, .fini = tear_down)
{
	g_autofree char *error = NULL;
	unsigned char data[1024];
	struct rig *rig;

	make_file(1 << 20);
	rig = open_file("", 0, 512, &error);
	cr_assert(rig, "%s", error);
	make_file(512);
	cr_expect_eq(rig_read(rig, 0, 2, data), SAM_CHECK_CONDITION);
	cr_expect_eq(rig_sense(rig), 0x031100);
	rig_free(rig);
}

/* Extent by extent: type and KiB. */
static void expect_extents(struct rig *rig, uint32_t blocks, const char *wanted)
{
	struct scuse_extent out[8];
	g_autoptr(GString) text = g_string_new(NULL);
	int count = rig_extents(rig, 0, blocks, out, 8);

	for (int i = 0; i < count; i++)
		g_string_append_printf(text, "%s%c%u", i ? " " : "", "MHA"[out[i].state], out[i].blocks / 2);
	cr_expect_str_eq(text->str, wanted, "'%s' instead of '%s'", text->str, wanted);
}

Test(file, holes_are_told_and_format_makes_one, .init = set_up, .fini = tear_down)
{
	const struct scuse_range range = { .lba = 256, .blocks = 128 };
	g_autofree char *error = NULL;
	unsigned char data[65536];
	struct rig *rig;

	make_file(1 << 20);
	rig = open_file("", 0, 512, &error);
	cr_assert(rig, "%s", error);
	memset(data, 0x42, sizeof(data));
	expect_extents(rig, 2048, "H1024");
	for (uint64_t lba = 128; lba < 512; lba += 128)
		cr_expect_eq(rig_write(rig, lba, 128, data, 0), SAM_GOOD);
	expect_extents(rig, 2048, "H64 M192 H768");
	cr_expect_eq(rig_unmap(rig, &range, 1), SAM_GOOD);
	expect_extents(rig, 2048, "H64 M64 H64 M64 H768");
	expect_extents(rig, 200, "H64 M36");
	cr_expect_eq(rig_format(rig), SAM_GOOD);
	expect_extents(rig, 2048, "H1024");
	cr_expect_eq(rig_read(rig, 128, 128, data), SAM_GOOD);
	cr_expect(data[0] == 0 && !memcmp(data, data + 1, sizeof(data) - 1));
	cr_expect_eq(file_size(), 1 << 20);
	rig_free(rig);
}

Test(null, has_nothing_and_loses_nothing)
{
	struct rig_options options = rig_defaults();
	unsigned char pattern = 1;
	struct rig *rig;

	options.plugin = "null";
	rig = rig_new(&options);
	expect_extents(rig, 2048, "H1024");
	cr_expect_eq(rig_format(rig), SAM_GOOD);
	cr_expect_eq(rig_sanitize(rig, SCUSE_SANITIZE_CRYPTO, NULL, 0), SAM_GOOD);
	cr_expect_eq(rig_sanitize(rig, SCUSE_SANITIZE_OVERWRITE, &pattern, 1), SAM_CHECK_CONDITION);
	rig_free(rig);
}
