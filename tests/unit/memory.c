// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The memory handler: what takes memory and what gives it back, its limit and threshold, protection
 * information, FORMAT UNIT and SANITIZE.  datapath.c has it under load.
 */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "rig.h"

#define PAGE_BLOCKS 128 /* blocks of 512 bytes in a page */
#define SOON	    5000
#define NEVER	    600

static unsigned char page[65536];

static struct rig *new_rig(const char *config, uint64_t size, uint32_t pi_type)
{
	struct rig_options options = rig_defaults();

	options.plugin = "memory";
	options.config = config;
	options.sim.device_size = size;
	options.sim.slot_size = 1 << 20;
	options.sim.pi_type = pi_type;
	return rig_new(&options);
}

/* `count` pages from the `number`-th on, each full of `byte`; the sense data, 0: GOOD. */
static uint32_t write_pages(struct rig *rig, uint64_t number, uint32_t count, int byte)
{
	g_autofree unsigned char *data = g_malloc(count * sizeof(page));

	memset(data, byte, count * sizeof(page));
	return rig_write(rig, number * PAGE_BLOCKS, count * PAGE_BLOCKS, data, 0) ? rig_sense(rig) : 0;
}

static void unmap_pages(struct rig *rig, uint64_t number, uint32_t count)
{
	const struct scuse_range range = { .lba = number * PAGE_BLOCKS, .blocks = count * PAGE_BLOCKS };

	cr_expect_eq(rig_unmap(rig, &range, 1), SAM_GOOD);
}

static void expect_bytes(struct rig *rig, uint64_t lba, uint32_t blocks, unsigned char byte)
{
	cr_assert_eq(rig_read(rig, lba, blocks, page), SAM_GOOD);
	for (uint32_t i = 0; i < blocks * 512; i++)
		cr_assert_eq(page[i], byte, "byte %u behind block %u", i, (unsigned int)lba);
}

/* Extent by extent, in KiB. */
static void expect_extents(struct rig *rig, uint32_t blocks, const char *wanted)
{
	g_autoptr(GString) text = g_string_new(NULL);
	struct scuse_extent out[8];
	int count = rig_extents(rig, 0, blocks, out, 8);

	for (int i = 0; i < count; i++)
		g_string_append_printf(text, "%s%c%u", i ? " " : "", "MHA"[out[i].state], out[i].blocks / 2);
	cr_expect_str_eq(text->str, wanted, "'%s' instead of '%s'", text->str, wanted);
}

Test(memory, is_thin)
{
	const struct scuse_range range = { .lba = 128, .blocks = 256 };
	struct rig *rig = new_rig("", 1 << 20, 0);

	expect_extents(rig, 2048, "H1024");
	cr_expect_eq(write_pages(rig, 1, 3, 0x5a), 0);
	expect_extents(rig, 2048, "H64 M192 H768");
	cr_expect_eq(rig_unmap(rig, &range, 1), SAM_GOOD);
	expect_extents(rig, 2048, "H192 M64 H768");
	expect_bytes(rig, 300, 84, 0);
	expect_bytes(rig, 384, 44, 0x5a);
	rig_free(rig);
}

/* Extents of what was never written are found by whole tables: 512 GiB at once. */
Test(memory, is_thin_when_large_too)
{
	struct rig *rig = new_rig("", (uint64_t)1 << 40, 0);
	struct scuse_extent out[3];

	cr_expect_eq(write_pages(rig, 4096 * 1000, 1, 1), 0);
	cr_expect_eq(rig_extents(rig, 1, 1 << 30, out, 3), 3);
	cr_expect(out[0].lba == 1 && out[0].blocks == 4096u * 1000 * PAGE_BLOCKS - 1);
	cr_expect(out[1].blocks == PAGE_BLOCKS && out[1].state == SCUSE_EXTENT_IS_MAPPED);
	cr_expect_eq(out[2].lba + out[2].blocks, (1 << 30) + 1);
	rig_free(rig);
}

Test(memory, shrinking_forgets)
{
	struct rig *rig = new_rig("", 1 << 20, 0);
	g_autofree char *error = NULL;

	cr_expect_eq(write_pages(rig, 15, 1, 0x77), 0);
	cr_expect_eq(dev_resize(rig->dev, 512 << 10, &error), 0);
	cr_expect_eq(rig_read(rig, 2047, 1, page), SAM_CHECK_CONDITION);
	cr_expect_eq(dev_resize(rig->dev, 1 << 20, &error), 0);
	expect_bytes(rig, 2047, 1, 0);
	cr_expect_lt(dev_resize(rig->dev, 1000, &error), 0);
	rig_free(rig);
}

static void refused(const char *config, uint64_t size, const char *because)
{
	struct rig_options options = rig_defaults();
	g_autofree char *error = NULL;

	options.plugin = "memory";
	options.config = config;
	options.sim.device_size = size;
	cr_expect_null(rig_open(&options, &error));
	cr_expect(error && strstr(error, because), "'%s' does not say '%s'", error, because);
}

Test(memory, messages)
{
	refused("", 0, "add --size");
	refused("threshold=50", 1 << 20, "add limit=SIZE");
	refused("limit=1M\nthreshold=0", 1 << 20, "1 to 100");
	refused("limit=1M\nthreshold=101", 1 << 20, "1 to 100");
	refused("limit=1k", 1 << 20, "give 65536 or more");
}

/* ---- what outlives the worker ---- */

static struct rig *next_rig(int *kept, const char *config, uint32_t pi_type)
{
	struct rig_options options = rig_defaults();

	options.plugin = "memory";
	options.config = config;
	options.sim.device_size = 8 << 20;
	options.sim.slot_size = 1 << 20;
	options.sim.pi_type = pi_type;
	options.kept = kept;
	return rig_new(&options);
}

static void expect_protection(struct rig *rig, uint64_t lba, const char *wanted);

Test(memory, outlives_its_worker)
{
	const struct scuse_range range = { .lba = 128, .blocks = 128 };
	unsigned char protection[8 * 8];
	int kept = -1;
	struct rig *rig = next_rig(&kept, "limit=256k", 1);

	cr_assert_geq(kept, 0);
	memset(protection, 'a', sizeof(protection));
	cr_expect_eq(write_pages(rig, 0, 3, 0x5a), 0);
	cr_expect_eq(rig_write_protected(rig, 260, 4, page, protection), SAM_GOOD);
	cr_expect_eq(rig_unmap(rig, &range, 1), SAM_GOOD);
	rig_free(rig);
	rig = next_rig(&kept, "limit=256k", 1);
	expect_extents(rig, 16384, "M64 H64 M64 H8000");
	expect_bytes(rig, 0, 128, 0x5a);
	expect_bytes(rig, 128, 128, 0);
	expect_bytes(rig, 264, 120, 0x5a);
	expect_protection(rig, 258, "--aaaa--");
	/* What it takes counts as before. */
	cr_expect_eq(write_pages(rig, 10, 3, 1), 0x072707);
	cr_expect_eq(write_pages(rig, 10, 2, 1), 0);
	rig_free(rig);
	close(kept);
}

Test(memory, outlives_its_worker_with_the_pattern)
{
	const unsigned char pattern[2] = { 7, 7 };
	int kept = -1;
	struct rig *rig = next_rig(&kept, "", 0);

	cr_expect_eq(rig_sanitize(rig, SCUSE_SANITIZE_OVERWRITE, pattern, 2), SAM_GOOD);
	cr_expect_eq(write_pages(rig, 1, 1, 1), 0);
	unmap_pages(rig, 2, 1);
	rig_free(rig);
	rig = next_rig(&kept, "", 0);
	expect_bytes(rig, 0, 128, 7);
	expect_bytes(rig, 128, 128, 1);
	expect_bytes(rig, 256, 128, 0);
	expect_bytes(rig, 384, 128, 7);
	cr_expect_eq(rig_format(rig), SAM_GOOD);
	rig_free(rig);
	rig = next_rig(&kept, "", 0);
	expect_extents(rig, 1024, "H512");
	rig_free(rig);
	close(kept);
}

/* It is not read as what it is not. */
Test(memory, does_not_take_what_is_not_its_own)
{
	struct rig_options options = rig_defaults();
	g_autofree char *error = NULL;
	int kept = open("/dev/null", O_RDWR);

	options.plugin = "memory";
	options.config = "";
	options.kept = &kept;
	cr_expect_null(rig_open(&options, &error));
	cr_expect(error && strstr(error, "create it anew"), "%s", error);
	close(kept);
}

/* ---- limit and threshold ---- */

Test(memory, no_write_goes_beyond_the_limit)
{
	struct rig *rig = new_rig("limit=256k", 8 << 20, 0);

	cr_expect_eq(write_pages(rig, 0, 4, 1), 0);
	cr_expect_eq(write_pages(rig, 9, 1, 2), 0x072707);
	expect_bytes(rig, 9 * PAGE_BLOCKS, PAGE_BLOCKS, 0);
	cr_expect_eq(write_pages(rig, 2, 2, 3), 0, "what has its memory can be written");
	/* All or nothing: the first page has its memory, the second would need some. */
	cr_expect_eq(write_pages(rig, 3, 2, 4), 0x072707);
	expect_bytes(rig, 0, PAGE_BLOCKS, 1);
	expect_bytes(rig, 3 * PAGE_BLOCKS, PAGE_BLOCKS, 3);
	expect_extents(rig, 1024, "M256 H256");
	unmap_pages(rig, 1, 1);
	cr_expect_eq(write_pages(rig, 3, 2, 4), 0, "unmap made room");
	expect_bytes(rig, 4 * PAGE_BLOCKS, PAGE_BLOCKS, 4);
	cr_expect_eq(write_pages(rig, 5, 1, 5), 0x072707);
	rig_free(rig);
}

Test(memory, a_format_gives_all_back)
{
	struct rig *rig = new_rig("limit=256k", 8 << 20, 0);

	cr_expect_eq(write_pages(rig, 0, 4, 1), 0);
	cr_expect_eq(rig_format(rig), SAM_GOOD);
	expect_extents(rig, 1024, "H512");
	expect_bytes(rig, 0, PAGE_BLOCKS, 0);
	cr_expect_eq(write_pages(rig, 10, 4, 1), 0);
	cr_expect_eq(write_pages(rig, 14, 1, 1), 0x072707);
	rig_free(rig);
}

/* Takes what comes until the last report of usage has these figures; how many thresholds were among it. */
static unsigned int await_usage(struct rig *rig, uint64_t used_pages, uint64_t available_pages)
{
	struct scuse_notify notify;
	unsigned int thresholds = 0;

	do {
		cr_assert(sim_next_notify(rig->sim, SOON, &notify), "usage was not reported");
		thresholds += (notify.events & SCUSE_NOTIFY_THRESHOLD) != 0;
	} while (notify.used_blocks != used_pages * PAGE_BLOCKS);
	cr_expect_eq(notify.available_blocks, available_pages * PAGE_BLOCKS);
	return thresholds;
}

Test(memory, the_threshold_is_told_once_each_time)
{
	struct rig *rig = new_rig("limit=512k\nthreshold=50", 8 << 20, 0);

	cr_expect_eq(sim_started(rig->sim)->threshold_exponent, 7, "pages of 128 blocks");
	cr_expect_eq(await_usage(rig, 0, 8), 0);
	cr_expect_eq(write_pages(rig, 0, 3, 1), 0);
	cr_expect_eq(await_usage(rig, 3, 5), 0);
	cr_expect_eq(write_pages(rig, 3, 1, 1), 0);
	cr_expect_eq(await_usage(rig, 4, 4), 1);
	cr_expect_eq(write_pages(rig, 4, 2, 1), 0);
	cr_expect_eq(await_usage(rig, 6, 2), 0);
	unmap_pages(rig, 0, 2);
	cr_expect_eq(await_usage(rig, 4, 4), 0);
	unmap_pages(rig, 2, 1);
	cr_expect_eq(await_usage(rig, 3, 5), 0);
	cr_expect_eq(write_pages(rig, 20, 1, 1), 0);
	cr_expect_eq(await_usage(rig, 4, 4), 1);
	rig_free(rig);
}

Test(memory, without_a_limit_nothing_is_told)
{
	struct rig *rig = new_rig("", 8 << 20, 0);
	struct scuse_notify notify;

	cr_expect_eq(write_pages(rig, 0, 8, 1), 0);
	cr_expect(!sim_next_notify(rig->sim, NEVER, &notify));
	cr_expect_eq(sim_started(rig->sim)->threshold_exponent, 0);
	rig_free(rig);
}

/* ---- protection information ---- */

static void expect_protection(struct rig *rig, uint64_t lba, const char *wanted)
{
	unsigned char protection[8 * 8];
	uint32_t blocks = (uint32_t)strlen(wanted);

	cr_assert_eq(rig_read_protected(rig, lba, blocks, page, protection), SAM_GOOD);
	for (uint32_t i = 0; i < blocks; i++)
		for (uint32_t j = 0; j < 8; j++)
			cr_assert_eq(protection[i * 8 + j],
				     wanted[i] == '-' ? 0xff : (unsigned char)wanted[i],
				     "byte %u of block %u, %02xh", j, i, protection[i * 8 + j]);
}

Test(memory, protection_is_kept_with_the_blocks)
{
	const struct scuse_range range = { .lba = 2, .blocks = 1 };
	struct rig *rig = new_rig("", 1 << 20, 1);
	unsigned char protection[8 * 8];

	expect_protection(rig, 0, "--------");
	memset(protection, 'a', sizeof(protection));
	cr_expect_eq(rig_write_protected(rig, 126, 4, page, protection), SAM_GOOD);
	expect_protection(rig, 124, "--aaaa--");
	cr_expect_eq(rig_write(rig, 127, 2, page, 0), SAM_GOOD);
	expect_protection(rig, 124, "--a--a--");
	memset(protection, 'b', sizeof(protection));
	cr_expect_eq(rig_write_same_protected(rig, 0, 8, page, protection), SAM_GOOD);
	cr_expect_eq(rig_unmap(rig, &range, 1), SAM_GOOD);
	expect_protection(rig, 0, "bb-bbbbb");
	memset(page, 0, sizeof(page));
	cr_expect_eq(rig_write_same(rig, 4, 2, page, 0), SAM_GOOD);
	expect_protection(rig, 0, "bb-b--bb");
	unmap_pages(rig, 0, 1);
	expect_protection(rig, 0, "--------");
	cr_expect_eq(rig_write_protected(rig, 0, 1, page, protection), SAM_GOOD);
	cr_expect_eq(rig_format(rig), SAM_GOOD);
	expect_protection(rig, 0, "--------");
	rig_free(rig);
}

/* ---- SANITIZE ---- */

static void expect_pattern(struct rig *rig, uint64_t lba, uint32_t blocks, const unsigned char *pattern,
			   uint32_t length)
{
	cr_assert_eq(rig_read(rig, lba, blocks, page), SAM_GOOD);
	for (uint32_t i = 0; i < blocks * 512; i++)
		cr_assert_eq(page[i], pattern[i % 512 % length], "byte %u behind block %u", i,
			     (unsigned int)lba);
}

Test(memory, sanitize_overwrites_everything)
{
	const struct scuse_range range = { .lba = PAGE_BLOCKS, .blocks = 1 };
	const unsigned char pattern[3] = { 7, 8, 9 };
	struct rig *rig = new_rig("limit=128k", 1 << 20, 0);

	cr_expect_eq(write_pages(rig, 0, 2, 1), 0);
	cr_expect_eq(rig_sanitize(rig, SCUSE_SANITIZE_OVERWRITE, pattern, 3), SAM_GOOD);
	for (uint32_t lba = 0; lba < 2048; lba += PAGE_BLOCKS)
		expect_pattern(rig, lba, PAGE_BLOCKS, pattern, 3);
	expect_extents(rig, 2048, "M1024");
	/* Pages part company with the pattern one by one, and only as many as there is memory for. */
	cr_expect_eq(rig_write(rig, 5, 1, page, 0), SAM_GOOD);
	cr_expect_eq(rig_unmap(rig, &range, 1), SAM_GOOD);
	expect_pattern(rig, 6, 122, pattern, 3);
	expect_bytes(rig, PAGE_BLOCKS, 1, 0);
	expect_pattern(rig, PAGE_BLOCKS + 1, 127, pattern, 3);
	cr_expect_eq(write_pages(rig, 2, 1, 2), 0x072707);
	unmap_pages(rig, 3, 1);
	expect_bytes(rig, 3 * PAGE_BLOCKS, PAGE_BLOCKS, 0);
	expect_extents(rig, 2048, "M192 H64 M768");
	unmap_pages(rig, 0, 16);
	expect_extents(rig, 2048, "H1024");
	rig_free(rig);
}

Test(memory, sanitize_leaves_what_grows_later_alone)
{
	const unsigned char pattern = 0x66;
	struct rig *rig = new_rig("", 1 << 20, 0);
	g_autofree char *error = NULL;

	cr_expect_eq(rig_sanitize(rig, SCUSE_SANITIZE_OVERWRITE, &pattern, 1), SAM_GOOD);
	cr_expect_eq(dev_resize(rig->dev, 2 << 20, &error), 0);
	expect_bytes(rig, 2048 - PAGE_BLOCKS, PAGE_BLOCKS, pattern);
	expect_bytes(rig, 2048, PAGE_BLOCKS, 0);
	cr_expect_eq(write_pages(rig, 17, 1, 1), 0);
	expect_bytes(rig, 2048, PAGE_BLOCKS, 0);
	expect_extents(rig, 4096, "M1024 H64 M64 H896");
	rig_free(rig);
}

Test(memory, sanitize_by_erasing)
{
	const unsigned char pattern = 0x66;
	struct rig *rig = new_rig("", 1 << 20, 0);

	cr_expect_eq(write_pages(rig, 0, 2, 1), 0);
	cr_expect_eq(rig_sanitize(rig, SCUSE_SANITIZE_BLOCK, NULL, 0), SAM_GOOD);
	expect_bytes(rig, 0, PAGE_BLOCKS, 0);
	expect_extents(rig, 2048, "H1024");
	cr_expect_eq(rig_sanitize(rig, SCUSE_SANITIZE_OVERWRITE, &pattern, 1), SAM_GOOD);
	cr_expect_eq(rig_sanitize(rig, SCUSE_SANITIZE_CRYPTO, NULL, 0), SAM_GOOD);
	expect_bytes(rig, 0, PAGE_BLOCKS, 0);
	expect_extents(rig, 2048, "H1024");
	rig_free(rig);
}
