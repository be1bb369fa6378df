// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Commands about the whole medium and about how blocks are kept: provisioning, FORMAT UNIT, SANITIZE,
 * protection information, atomic writes, anchoring.  Which handler operations carry them out, and what is
 * refused.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "recorder.h"

static struct rig *new_rig(struct scuse_handler *handler, uint32_t pi_type)
{
	struct rig_options options = rig_defaults();

	options.handler = handler;
	options.sim.device_size = RECORDER_SIZE;
	options.sim.pi_type = pi_type;
	g_free(recorder_calls());
	return rig_new(&options);
}

static void expect_calls(const char *wanted)
{
	g_autofree char *calls = recorder_calls();

	cr_expect_str_eq(calls, wanted, "called '%s' instead of '%s'", calls, wanted);
}

static void expect_refused(struct rig *rig, int status, uint32_t sense)
{
	cr_expect_eq(status, SAM_CHECK_CONDITION);
	cr_expect_eq(rig_sense(rig), sense, "%06x instead of %06x", rig_sense(rig), sense);
	expect_calls("");
}

/* ---- provisioning ---- */

static void expect_extents(struct scuse_handler *handler)
{
	struct rig *rig = new_rig(handler, 0);
	struct scuse_extent out[4];

	cr_expect(sim_started(rig->sim)->features & SCUSE_FEATURE_EXTENTS);
	cr_expect_eq(rig_extents(rig, 0, 100, out, 4), 3);
	expect_calls("extents 0+51200");
	cr_expect(out[0].lba == 0 && out[0].blocks == 2 && out[0].state == SCUSE_EXTENT_IS_MAPPED);
	cr_expect(out[1].lba == 2 && out[1].blocks == 7 && out[1].state == SCUSE_EXTENT_IS_DEALLOCATED);
	cr_expect(out[2].lba == 9 && out[2].blocks == 91 && out[2].state == SCUSE_EXTENT_IS_ANCHORED);
	cr_expect_eq(rig_extents(rig, 4, 8188, out, 1), 1);
	cr_expect(out[0].lba == 4 && out[0].blocks == 5 && out[0].state == SCUSE_EXTENT_IS_DEALLOCATED);
	g_free(recorder_calls());
	recorder_next_result(-EIO);
	cr_expect_eq(rig_extents(rig, 0, 1, out, 1), -1);
	cr_expect_eq(rig_sense(rig), 0x031100);
	rig_free(rig);
}

Test(medium, extents)
{
	expect_extents(&recorder_sync_full);
	expect_extents(&recorder_async_full);
}

Test(medium, extents_refused)
{
	struct rig *rig = new_rig(&recorder_sync_full, 0);
	struct scuse_extent out[2];

	expect_refused(rig, rig_extents(rig, 0, 0, out, 2) < 0 ? SAM_CHECK_CONDITION : 0, 0x052400);
	expect_refused(rig, rig_extents(rig, 0, 1, out, 0) < 0 ? SAM_CHECK_CONDITION : 0, 0x052400);
	expect_refused(rig, rig_extents(rig, 8192, 1, out, 1) < 0 ? SAM_CHECK_CONDITION : 0, 0x052100);
	rig_free(rig);
	rig = new_rig(&recorder_sync, 0);
	cr_expect(!(sim_started(rig->sim)->features & SCUSE_FEATURE_EXTENTS));
	expect_refused(rig, rig_extents(rig, 0, 1, out, 1) < 0 ? SAM_CHECK_CONDITION : 0, 0x052000);
	rig_free(rig);
}

/* ---- FORMAT UNIT ---- */

static void expect_native_format(struct scuse_handler *handler)
{
	struct rig *rig = new_rig(handler, 0);

	cr_expect_eq(rig_format(rig), SAM_GOOD);
	expect_calls("format flush");
	rig_free(rig);
}

Test(medium, format_by_the_handler)
{
	expect_native_format(&recorder_sync_full);
	expect_native_format(&recorder_async_full);
}

/* Handlers are asked on the pool, in their own time, or on the queue's thread. */
static void on_each_way(void (*expect)(struct scuse_handler *handler))
{
	struct scuse_handler handler = recorder_sync;

	expect(&recorder_sync);
	expect(&recorder_async);
	handler.flags = SCUSE_HANDLER_INLINE;
	expect(&handler);
}

/* 4 MiB in slots of 64 KiB. */
static void expect_format_by_writes(struct scuse_handler *handler)
{
	struct rig *rig = new_rig(handler, 0);
	g_autoptr(GString) wanted = g_string_new(NULL);

	memset(recorder_data, 0xee, RECORDER_SIZE);
	for (unsigned int at = 0; at < RECORDER_SIZE; at += 65536)
		g_string_append_printf(wanted, "write %u+65536 ", at);
	g_string_append(wanted, "flush");
	cr_expect_eq(rig_format(rig), SAM_GOOD);
	expect_calls(wanted->str);
	for (size_t i = 0; i < RECORDER_SIZE; i++)
		cr_assert_eq(recorder_data[i], 0, "byte %zu", i);
	rig_free(rig);
}

Test(medium, format_by_writes)
{
	on_each_way(expect_format_by_writes);
}

Test(medium, format_by_what_makes_zeros)
{
	struct rig *rig;

	recorder_caps.format = SCUSE_CAP_EMULATE;
	rig = new_rig(&recorder_sync_full, 0);
	cr_expect_eq(rig_format(rig), SAM_GOOD);
	expect_calls("write_zeroes 0+4194304 UNMAP flush");
	rig_free(rig);
	recorder_caps.write_zeroes = SCUSE_CAP_NONE;
	recorder_caps.unmap_zeroes = SCUSE_CAP_NATIVE;
	rig = new_rig(&recorder_async_full, 0);
	cr_expect_eq(rig_format(rig), SAM_GOOD);
	expect_calls("unmap 0+4194304 flush");
	rig_free(rig);
}

Test(medium, format_refused)
{
	struct rig *rig;

	recorder_caps.format = SCUSE_CAP_NONE;
	rig = new_rig(&recorder_sync_full, 0);
	cr_expect(!(sim_started(rig->sim)->features & SCUSE_FEATURE_FORMAT));
	expect_refused(rig, rig_format(rig), 0x052000);
	rig_free(rig);
	recorder_caps = (struct scuse_caps){ .read_only = 1, .sanitize = SCUSE_SANITIZES_BLOCK };
	rig = new_rig(&recorder_sync_full, 0);
	expect_refused(rig, rig_format(rig), 0x072700);
	expect_refused(rig, rig_sanitize(rig, SCUSE_SANITIZE_BLOCK, NULL, 0), 0x072700);
	rig_free(rig);
}

/* Submits a format and waits until it is in the middle of its first write, where it is held. */
static void begin_format(struct rig *rig, struct sim_command *format)
{
	*format = (struct sim_command){ .op = SCUSE_OP_FORMAT };
	recorder_hold(true);
	recorder_most();
	sim_submit(rig->sim, 0, format);
	while (!recorder_most())
		usleep(1000);
}

/* What comes after a format has begun does not wait for its end. */
static void expect_way_is_made(uint32_t flags)
{
	struct scuse_handler handler = recorder_sync;
	unsigned char data[512];
	struct sim_command format,
		read = { .op = SCUSE_OP_READ, .blocks = 1, .data_len = 512, .data_in = data };
	g_autofree char *calls = NULL;
	struct rig *rig;

	handler.flags = flags;
	rig = new_rig(&handler, 0);
	begin_format(rig, &format);
	sim_submit(rig->sim, 0, &read);
	/* Inline, the queue's thread is held itself. */
	while (!flags && atomic_load(&rig->dev->queues[0].inflight) < 2)
		usleep(1000);
	recorder_release();
	cr_expect(sim_wait(rig->sim, &read) && read.status == SAM_GOOD);
	cr_expect(sim_wait(rig->sim, &format) && format.status == SAM_GOOD);
	calls = recorder_calls();
	cr_assert(strstr(calls, "read 0+512") && strstr(calls, "write 131072+65536"), "%s", calls);
	cr_expect(strstr(calls, "read 0+512") < strstr(calls, "write 131072+65536"), "%s", calls);
	rig_free(rig);
}

Test(medium, format_makes_way_on_the_pool)
{
	expect_way_is_made(0);
}

Test(medium, format_makes_way_inline)
{
	expect_way_is_made(SCUSE_HANDLER_INLINE);
}

static void *release_later(void *unused)
{
	usleep(50000);
	recorder_release();
	return unused;
}

static void expect_end_of_format(struct scuse_handler *handler)
{
	struct rig *rig = new_rig(handler, 0);
	struct sim_command format;
	pthread_t thread;

	begin_format(rig, &format);
	cr_assert_eq(pthread_create(&thread, NULL, release_later, NULL), 0);
	cr_expect_eq(dev_stop(rig->dev), 0);
	pthread_join(thread, NULL);
	cr_expect(sim_wait(rig->sim, &format) && format.status == SAM_CHECK_CONDITION);
	cr_expect(format.sense[2] == 2 && format.sense[12] == 4, "not ready");
	expect_calls("write 0+65536");
	rig_free(rig);
}

Test(medium, the_end_of_a_lun_ends_its_format)
{
	on_each_way(expect_end_of_format);
}

Test(medium, a_format_can_be_cancelled)
{
	struct rig *rig = new_rig(&recorder_sync, 0);
	struct sim_command format;

	begin_format(rig, &format);
	sim_cancel(rig->sim, &format);
	while (!atomic_load(&rig->dev->queues[0].ios[SCUSE_TAG_INDEX(format.tag)].cancelled))
		usleep(1000);
	recorder_release();
	cr_expect(sim_wait(rig->sim, &format) && format.status == SAM_CHECK_CONDITION);
	cr_expect_eq(format.sense[2], 0x0b);
	expect_calls("write 0+65536");
	rig_free(rig);
}

/* ---- SANITIZE ---- */

static void expect_sanitize(struct scuse_handler *handler)
{
	unsigned char pattern[513] = { 0x5a };
	struct rig *rig;

	recorder_caps.sanitize = SCUSE_SANITIZES_OVERWRITE | SCUSE_SANITIZES_CRYPTO;
	rig = new_rig(handler, 0);
	cr_expect_eq(rig_sanitize(rig, SCUSE_SANITIZE_OVERWRITE, pattern, 4), SAM_GOOD);
	expect_calls("sanitize 1+1114"); /* 4 * 256 + 5Ah */
	cr_expect_eq(rig_sanitize(rig, SCUSE_SANITIZE_CRYPTO, NULL, 0), SAM_GOOD);
	expect_calls("sanitize 4+0");
	expect_refused(rig, rig_sanitize(rig, SCUSE_SANITIZE_BLOCK, NULL, 0), 0x052000);
	expect_refused(rig, rig_sanitize(rig, (enum scuse_sanitize)4, NULL, 0), 0x052400);
	expect_refused(rig, rig_sanitize(rig, (enum scuse_sanitize)0, NULL, 0), 0x052400);
	expect_refused(rig, rig_sanitize(rig, SCUSE_SANITIZE_OVERWRITE, NULL, 0), 0x052400);
	expect_refused(rig, rig_sanitize(rig, SCUSE_SANITIZE_OVERWRITE, pattern, 513), 0x052400);
	expect_refused(rig, rig_sanitize(rig, SCUSE_SANITIZE_CRYPTO, pattern, 4), 0x052400);
	rig_free(rig);
}

Test(medium, sanitize)
{
	expect_sanitize(&recorder_sync_full);
	expect_sanitize(&recorder_async_full);
}

Test(medium, sanitize_is_the_handlers_or_nobodys)
{
	struct rig *rig = new_rig(&recorder_sync, 0);

	expect_refused(rig, rig_sanitize(rig, SCUSE_SANITIZE_BLOCK, NULL, 0), 0x052000);
	rig_free(rig);
}

/* ---- atomic writes, anchoring ---- */

Test(medium, atomic_writes_and_anchoring)
{
	const struct scuse_range range = { .lba = 1, .blocks = 2 };
	unsigned char data[1024] = { 1 };
	struct rig *rig;

	recorder_caps.atomic = recorder_caps.anchor = SCUSE_CAP_NATIVE;
	rig = new_rig(&recorder_sync_full, 0);
	cr_expect_eq(sim_started(rig->sim)->max_atomic_blocks, 128, "a slot");
	cr_expect_eq(rig_write(rig, 0, 2, data, SCUSE_SQE_F_ATOMIC | SCUSE_SQE_F_FUA), SAM_GOOD);
	expect_calls("write 0+1024 ATOMIC flush");
	memset(data, 0, sizeof(data));
	cr_expect_eq(rig_write_same(rig, 0, 2, data, SCUSE_SQE_F_UNMAP | SCUSE_SQE_F_ANCHOR), SAM_GOOD);
	expect_calls("write_zeroes 0+1024 ANCHOR UNMAP");
	cr_expect_eq(sim_execute(rig->sim, &(struct sim_command){ .op = SCUSE_OP_UNMAP,
								  .flags = SCUSE_SQE_F_ANCHOR,
								  .data_len = sizeof(range),
								  .data_out = &range }),
		     SAM_GOOD);
	expect_calls("unmap 512+1024 ANCHOR");
	rig_free(rig);
}

Test(medium, atomic_writes_and_anchoring_refused)
{
	struct rig *rig = new_rig(&recorder_sync_full, 0);
	const struct scuse_range range = { .lba = 1, .blocks = 2 };
	struct sim_command unmap = { .op = SCUSE_OP_UNMAP,
				     .flags = SCUSE_SQE_F_ANCHOR,
				     .data_len = sizeof(range),
				     .data_out = &range };
	unsigned char data[512] = { 0 };

	expect_refused(rig, rig_write(rig, 0, 1, data, SCUSE_SQE_F_ATOMIC), 0x052000);
	expect_refused(rig, rig_write_same(rig, 0, 1, data, SCUSE_SQE_F_ANCHOR), 0x052400);
	cr_expect_eq(sim_execute(rig->sim, &unmap), SAM_CHECK_CONDITION);
	expect_calls("");
	rig_free(rig);
}

/* ---- protection information ---- */

static void expect_protection(struct scuse_handler *handler)
{
	unsigned char data[1024], protection[16], back[16] = { 0 };
	struct rig *rig;

	recorder_caps.protection = SCUSE_CAP_NATIVE;
	rig = new_rig(handler, 1);
	for (size_t i = 0; i < sizeof(protection); i++)
		protection[i] = (unsigned char)(i + 1);
	memset(data, 0x33, sizeof(data));
	cr_expect_eq(rig_write_protected(rig, 4, 2, data, protection), SAM_GOOD);
	expect_calls("write 2048+1024 PI16");
	cr_expect_eq(memcmp(recorder_protection + 32, protection, 16), 0);
	cr_expect_eq(rig_read_protected(rig, 4, 2, data, back), SAM_GOOD);
	expect_calls("read 2048+1024 PI16");
	cr_expect_eq(memcmp(back, protection, 16), 0);
	cr_expect_eq(rig_write(rig, 4, 2, data, 0), SAM_GOOD);
	expect_calls("write 2048+1024");
	rig_free(rig);
}

Test(medium, protection_goes_with_reads_and_writes)
{
	expect_protection(&recorder_sync);
	expect_protection(&recorder_async);
}

/* WRITE SAME of zeros cannot become write_zeroes: that would lose what goes with it, unless it is FFh. */
Test(medium, protection_goes_with_write_same)
{
	unsigned char zeros[512] = { 0 }, protection[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct rig *rig;

	recorder_caps.protection = SCUSE_CAP_NATIVE;
	rig = new_rig(&recorder_sync_full, 3);
	cr_expect_eq(rig_write_same_protected(rig, 0, 10, zeros, protection), SAM_GOOD);
	expect_calls("write_same 0+5120 PI8");
	memset(protection, 0xff, sizeof(protection));
	cr_expect_eq(rig_write_same_protected(rig, 0, 10, zeros, protection), SAM_GOOD);
	expect_calls("write_zeroes 0+5120");
	rig_free(rig);
}

Test(medium, protection_goes_with_repeated_writes)
{
	unsigned char block[512] = { 9 }, protection[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	struct rig *rig;

	recorder_caps.protection = SCUSE_CAP_NATIVE;
	rig = new_rig(&recorder_sync, 1);
	/* A slot holds 64 KiB of data; its protection information lies behind. */
	cr_expect_eq(rig_write_same_protected(rig, 8, 200, block, protection), SAM_GOOD);
	expect_calls("write 4096+65536 PI1024 write 69632+36864 PI576");
	for (size_t i = 8; i < 208; i++) {
		cr_assert_eq(memcmp(recorder_protection + i * 8, protection, 8), 0, "block %zu", i);
		cr_assert_eq(memcmp(recorder_data + i * 512, block, 512), 0, "block %zu", i);
	}
	rig_free(rig);
}

Test(medium, protection_that_nobody_keeps)
{
	struct rig_options options = rig_defaults();
	g_autofree char *error = NULL;
	unsigned char data[512] = { 0 }, protection[8] = { 0 };
	struct rig *rig = new_rig(&recorder_sync, 0);

	expect_refused(rig, rig_write_protected(rig, 0, 1, data, protection), 0x052400);
	rig_free(rig);
	options.handler = &recorder_sync;
	options.sim.device_size = RECORDER_SIZE;
	options.sim.pi_type = 1;
	cr_expect_null(rig_open(&options, &error));
	cr_expect(error && strstr(error, "without --protection"), "%s", error);
	cr_expect(error && strstr(error, "handler recorder"), "%s", error);
}

/* ---- older halves ---- */

Test(medium, a_kernel_of_minor_0_is_served)
{
	struct rig_options options = rig_defaults();
	unsigned char data[512] = { 7 };
	struct rig *rig;

	recorder_caps.atomic = recorder_caps.anchor = recorder_caps.protection = SCUSE_CAP_NATIVE;
	recorder_caps.sanitize = SCUSE_SANITIZES_BLOCK;
	recorder_caps.threshold_set = 65536;
	options.handler = &recorder_sync_full;
	options.sim.device_size = RECORDER_SIZE;
	options.sim.minor_0 = true;
	rig = rig_new(&options);
	cr_expect_eq(rig_write(rig, 0, 1, data, 0), SAM_GOOD);
	cr_expect_eq(rig_read(rig, 0, 1, data), SAM_GOOD);
	cr_expect_eq(data[0], 7);
	rig_free(rig);
}
