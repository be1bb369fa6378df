// SPDX-License-Identifier: LGPL-2.1-or-later
/* Capabilities: what AUTO becomes, which claims are refused, and what the kernel is told. */
#include <criterion/criterion.h>
#include <string.h>

#include "worker/caps.h"

static int transfer(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	(void)handle;
	(void)io;
	(void)buffer;
	(void)length;
	(void)offset;
	return 0;
}

static int put(void *handle, struct scuse_io *io, const void *buffer, uint64_t length, uint64_t offset)
{
	return transfer(handle, io, (void *)buffer, length, offset);
}

static int range(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset)
{
	return transfer(handle, io, NULL, length, offset);
}

static int flush(void *handle, struct scuse_io *io)
{
	return transfer(handle, io, NULL, 0, 0);
}

static struct handler handler_with(bool more)
{
	struct handler handler = { .sync = { .read = transfer, .write = put } };

	if (more) {
		handler.sync.flush = flush;
		handler.sync.unmap = range;
		handler.sync.write_zeroes = range;
	}
	return handler;
}

static const struct scuse_info info = {
	.abi_major = SCUSE_ABI_MAJOR,
	.abi_minor = SCUSE_ABI_MINOR,
	.block_size = 512,
	.slot_size = 1 << 20,
};

static bool resolve(struct handler *handler, uint64_t size, struct scuse_caps *caps, char **error)
{
	handler->def.sync = &handler->sync;
	*error = NULL;
	return caps_resolve(handler, size, 512, caps, error);
}

Test(caps, automatic_with_few_operations)
{
	struct handler handler = handler_with(false);
	struct scuse_caps caps = { 0 };
	struct scuse_start start;
	g_autofree char *error = NULL;

	cr_assert(resolve(&handler, 4096, &caps, &error), "%s", error);
	cr_expect(caps.flush == SCUSE_CAP_NONE && caps.fua == SCUSE_CAP_NONE && caps.unmap == SCUSE_CAP_NONE);
	cr_expect(caps.write_zeroes == SCUSE_CAP_EMULATE && caps.write_same == SCUSE_CAP_EMULATE);
	cr_expect_eq(caps.max_write_same, CAPS_MAX_EMULATED_WRITE_SAME);
	caps_to_start(&caps, &info, &start);
	cr_expect_eq(start.features, SCUSE_FEATURE_WRITE_SAME | SCUSE_FEATURE_FORMAT);
	cr_expect_eq(start.device_size, 4096);
	cr_expect_eq(start.max_write_same_blocks, CAPS_MAX_EMULATED_WRITE_SAME / 512);
}

Test(caps, automatic_with_many)
{
	struct handler handler = handler_with(true);
	struct scuse_caps caps = { .unmap_zeroes = SCUSE_CAP_NATIVE, .device_size = 1 << 20 };
	struct scuse_start start;
	g_autofree char *error = NULL;

	cr_assert(resolve(&handler, 0, &caps, &error), "%s", error);
	cr_expect(caps.flush == SCUSE_CAP_NATIVE && caps.fua == SCUSE_CAP_EMULATE &&
		  caps.unmap == SCUSE_CAP_NATIVE);
	caps_to_start(&caps, &info, &start);
	cr_expect_eq(start.features, SCUSE_FEATURE_FLUSH | SCUSE_FEATURE_UNMAP | SCUSE_FEATURE_UNMAP_ZEROES |
					     SCUSE_FEATURE_WRITE_SAME | SCUSE_FEATURE_FORMAT);
	cr_expect_eq(start.device_size, 1 << 20);
}

Test(caps, without_write_it_is_read_only)
{
	struct handler handler = { .sync = { .read = transfer } };
	struct scuse_caps caps = { 0 };
	g_autofree char *error = NULL;

	cr_assert(resolve(&handler, 4096, &caps, &error), "%s", error);
	cr_expect(caps.read_only && caps.write_same == SCUSE_CAP_NONE);
}

/* fua NONE where writes are not durable: initiators may still ask, so it is emulated. */
Test(caps, fua_follows_flush)
{
	struct handler handler = handler_with(true);
	struct scuse_caps caps = { .fua = SCUSE_CAP_NONE };
	g_autofree char *error = NULL;

	cr_assert(resolve(&handler, 4096, &caps, &error));
	cr_expect_eq(caps.fua, SCUSE_CAP_EMULATE);
}

static void refused(bool more, struct scuse_caps caps, uint64_t size, const char *because)
{
	struct handler handler = handler_with(more);
	g_autofree char *error = NULL;

	cr_expect(!resolve(&handler, size, &caps, &error));
	cr_expect(error && strstr(error, because), "'%s' does not say '%s'", error, because);
}

Test(caps, claims_that_cannot_be_kept)
{
	refused(false, (struct scuse_caps){ .unmap = SCUSE_CAP_NATIVE }, 4096, "no such operation");
	refused(true, (struct scuse_caps){ .unmap = SCUSE_CAP_EMULATE }, 4096, "cannot be emulated");
	refused(true, (struct scuse_caps){ .flush = 9 }, 4096, "unknown value");
	refused(true, (struct scuse_caps){ .physical_block_size = 1000 }, 4096, "power of two");
}

static int format(void *handle, struct scuse_io *io)
{
	return flush(handle, io);
}

static int sanitize(void *handle, struct scuse_io *io, uint32_t method, const void *pattern,
		    uint64_t pattern_length)
{
	(void)method;
	return transfer(handle, io, (void *)pattern, pattern_length, 0);
}

static int extents(void *handle, struct scuse_io *io, uint64_t length, uint64_t offset,
		   struct scuse_extents *collected)
{
	return transfer(handle, io, collected, length, offset);
}

static const struct scuse_caps everything = {
	.sanitize = SCUSE_SANITIZES_OVERWRITE | SCUSE_SANITIZES_CRYPTO,
	.protection = SCUSE_CAP_NATIVE,
	.atomic = SCUSE_CAP_NATIVE,
	.anchor = SCUSE_CAP_NATIVE,
	.max_atomic = 4 << 20,
	.atomic_granularity = 1024,
	.atomic_alignment = 2048,
	.threshold_set = 65536,
};

static void start_with_everything(uint16_t minor, struct scuse_start *start)
{
	struct handler handler = handler_with(true);
	struct scuse_caps caps = everything;
	struct scuse_info kernel = info;
	g_autofree char *error = NULL;

	handler.sync.format = format;
	handler.sync.sanitize = sanitize;
	handler.sync.extents = extents;
	kernel.abi_minor = minor;
	cr_assert(resolve(&handler, 4096, &caps, &error), "%s", error);
	cr_expect_eq(caps.format, SCUSE_CAP_NATIVE);
	caps_to_start(&caps, &kernel, start);
}

Test(caps, all_of_minor_1)
{
	struct scuse_start start;

	start_with_everything(1, &start);
	cr_expect_eq(start.features, SCUSE_FEATURE_FLUSH | SCUSE_FEATURE_UNMAP | SCUSE_FEATURE_WRITE_SAME |
					     SCUSE_FEATURE_EXTENTS | SCUSE_FEATURE_FORMAT |
					     SCUSE_FEATURE_SANITIZE_OVERWRITE |
					     SCUSE_FEATURE_SANITIZE_CRYPTO | SCUSE_FEATURE_ATOMIC |
					     SCUSE_FEATURE_ANCHOR | SCUSE_FEATURE_PI);
	/* The largest transfer is 1 MiB. */
	cr_expect_eq(start.max_atomic_blocks, 2048);
	cr_expect(start.atomic_granularity == 2 && start.atomic_alignment == 4);
	cr_expect_eq(start.threshold_exponent, 7);
}

/* An older kernel refuses what it does not know, so it is not told. */
Test(caps, a_kernel_of_minor_0_hears_nothing_new)
{
	struct scuse_start start;

	start_with_everything(0, &start);
	cr_expect_eq(start.features, SCUSE_FEATURE_FLUSH | SCUSE_FEATURE_UNMAP | SCUSE_FEATURE_WRITE_SAME);
	cr_expect(!start.max_atomic_blocks && !start.atomic_granularity && !start.atomic_alignment &&
		  !start.threshold_exponent);
}

/* What has no operation is offered only by those who say so. */
Test(caps, nothing_of_minor_1_by_itself)
{
	struct handler handler = { .sync = { .read = transfer } };
	struct scuse_caps caps = { 0 };
	struct scuse_start start;
	g_autofree char *error = NULL;

	cr_assert(resolve(&handler, 4096, &caps, &error), "%s", error);
	caps_to_start(&caps, &info, &start);
	cr_expect_eq(start.features, SCUSE_FEATURE_READ_ONLY);
	cr_expect_eq(start.max_atomic_blocks, 0);
}

Test(caps, claims_of_minor_1_that_cannot_be_kept)
{
	refused(true, (struct scuse_caps){ .extents = SCUSE_CAP_NATIVE }, 4096, "no such operation");
	refused(true, (struct scuse_caps){ .extents = SCUSE_CAP_EMULATE }, 4096, "cannot be emulated");
	refused(true, (struct scuse_caps){ .atomic = SCUSE_CAP_EMULATE }, 4096, "'atomic'");
	refused(true, (struct scuse_caps){ .protection = 17 }, 4096, "'protection'");
	refused(false, (struct scuse_caps){ .anchor = SCUSE_CAP_NATIVE }, 4096, "the operation 'unmap'");
	refused(true, (struct scuse_caps){ .sanitize = SCUSE_SANITIZES_BLOCK }, 4096, "no such operation");
	refused(true, (struct scuse_caps){ .threshold_set = 512 }, 4096, "two or more blocks");
	refused(true, (struct scuse_caps){ .threshold_set = 3000 }, 4096, "power of two");
	refused(true, (struct scuse_caps){ .atomic_granularity = 700 }, 4096, "made of blocks of 512");
}

Test(caps, methods_of_sanitize_that_nobody_knows)
{
	struct handler handler = handler_with(true);
	struct scuse_caps caps = { .sanitize = 0x80 };
	g_autofree char *error = NULL;

	handler.sync.sanitize = sanitize;
	cr_expect(!resolve(&handler, 4096, &caps, &error));
	cr_expect(strstr(error, "not known"), "%s", error);
}

Test(caps, sizes)
{
	refused(true, (struct scuse_caps){ 0 }, 0, "give one (--size S)");
	refused(true, (struct scuse_caps){ .device_size = 1024 }, 2048, "has only 1024");
	refused(true, (struct scuse_caps){ .device_size = 1000 }, 0,
		"not a multiple of the block size, 512: the next smaller "
		"one that fits is 512");
	refused(true, (struct scuse_caps){ 0 }, 1000, "not a multiple");
}
