// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The runner's data path over the simulated kernel, with the handlers that come with scuse: mixed sizes on
 * several queues, verified against a model; once sleeping in ENTER, once in poll(), once with a kernel that
 * looks by itself.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "rig.h"

#ifndef COMMANDS
#define COMMANDS 3000
#endif

/* Less under valgrind and the sanitizers: SCUSE_TEST_COMMANDS. */
static unsigned int commands(void)
{
	const char *given = getenv("SCUSE_TEST_COMMANDS");

	return given ? (unsigned int)atoi(given) : COMMANDS;
}

static void torture(const char *plugin, const char *config, uint32_t block_size, bool force_poll,
		    bool lazy_kick, unsigned int count)
{
	struct rig_options options = rig_defaults();
	struct rig *rig;

	options.plugin = plugin;
	options.config = config;
	options.force_poll = force_poll;
	options.sim.queues = 2;
	options.sim.block_size = block_size;
	options.sim.lazy_kick = lazy_kick;
	rig = rig_new(&options);
	rig_torture(rig, 8, count);
	rig_free(rig);
}

/* Blocks with protection information; once as they are made, once over pages that share a pattern. */
static void torture_protected(bool overwritten)
{
	struct rig_options options = rig_defaults();
	const unsigned char zero = 0;
	struct rig *rig;

	options.plugin = "memory";
	options.sim.queues = 2;
	options.sim.pi_type = 1;
	rig = rig_new(&options);
	if (overwritten)
		cr_expect_eq(rig_sanitize(rig, SCUSE_SANITIZE_OVERWRITE, &zero, 1), SAM_GOOD);
	rig_torture(rig, 8, commands());
	rig_free(rig);
}

Test(datapath, memory_protection)
{
	torture_protected(false);
}

Test(datapath, memory_protection_overwritten)
{
	torture_protected(true);
}

static char *scratch_file(const char *dir)
{
	char *path = g_strdup_printf("%s/scuse-test-XXXXXX", dir);
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && ftruncate(fd, 8 << 20) == 0);
	close(fd);
	return path;
}

/* In memory: what is tested is the way to the file system, not the disk below. */
static void torture_file(uint32_t block_size, bool force_poll, bool lazy_kick)
{
	g_autofree char *path = scratch_file("/dev/shm");
	g_autofree char *config = g_strdup_printf("path=%s\n", path);

	torture("file", config, block_size, force_poll, lazy_kick, commands());
	unlink(path);
}

Test(datapath, memory_enter)
{
	torture("memory", "", 512, false, false, commands());
}

Test(datapath, memory_poll)
{
	torture("memory", "", 4096, true, false, commands());
}

Test(datapath, memory_lazy_kick)
{
	torture("memory", "", 512, false, true, commands());
}

Test(datapath, file_enter)
{
	torture_file(512, false, false);
}

Test(datapath, file_poll)
{
	torture_file(4096, true, false);
}

Test(datapath, file_lazy_kick)
{
	torture_file(512, false, true);
}

Test(datapath, file_direct)
{
	g_autofree char *path = scratch_file(g_get_tmp_dir());
	g_autofree char *config = g_strdup_printf("path=%s\ndirect=true\n", path);

	/* Few: each FUA write waits for the disk. */
	torture("file", config, 4096, false, false, 240);
	unlink(path);
}

/* Two queues on the same pages of the handler: for ThreadSanitizer to see. */
Test(datapath, memory_collisions)
{
	struct rig_options options = rig_defaults();
	struct rig *rig;

	options.plugin = "memory";
	options.sim.queues = 2;
	rig = rig_new(&options);
	rig_collide(rig, 4, commands());
	rig_free(rig);
}

Test(datapath, null_reads_zeros)
{
	struct rig_options options = rig_defaults();
	unsigned char data[4096];
	struct rig *rig;

	options.plugin = "null";
	rig = rig_new(&options);
	memset(data, 0xff, sizeof(data));
	cr_expect_eq(rig_write(rig, 5, 8, data, 0), SAM_GOOD);
	cr_expect_eq(rig_read(rig, 5, 8, data), SAM_GOOD);
	for (size_t i = 0; i < sizeof(data); i++)
		cr_assert_eq(data[i], 0);
	rig_free(rig);
}
