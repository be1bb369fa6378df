// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Resolves capabilities.  See caps.h; scuse/handler.h (struct scuse_caps) has the meaning of each field.
 *
 *	field		AUTO means			EMULATE means
 *	flush		NATIVE with the operation	refused
 *	fua		EMULATE if there is a flush	a flush after the write
 *	unmap		NATIVE with the operation	refused
 *	write_zeroes	NATIVE with it, else EMULATE	writes of zeros
 *	write_same	NATIVE with it, else EMULATE	repeated writes
 *	extents		NATIVE with the operation	refused
 *
 * Where there is a flush, initiators may ask for FUA, and the kernel cannot be told otherwise: so `fua`
 * NONE counts as EMULATE there.
 */
#include "caps.h"

#include <string.h>

/* The operations of either kind that matter here. */
struct present {
	bool write, flush, unmap, write_zeroes, write_same, extents;
};

#define PRESENT(ops)                                                                  \
	{                                                                             \
		.write = (ops)->write, .flush = (ops)->flush, .unmap = (ops)->unmap,  \
		.write_zeroes = (ops)->write_zeroes, .write_same = (ops)->write_same, \
		.extents = (ops)->extents,                                            \
	}

static struct present operations(const struct handler *handler)
{
	if (handler->def.sync)
		return (struct present)PRESENT(&handler->sync);
	return (struct present)PRESENT(&handler->async);
}

/* Replaces AUTO; false if the claim cannot be kept. */
static bool settle(uint8_t *cap, bool present, bool can_emulate, uint8_t automatic)
{
	switch (*cap) {
	case SCUSE_CAP_AUTO:
		*cap = present ? SCUSE_CAP_NATIVE : automatic;
		return true;
	case SCUSE_CAP_NONE:
		return true;
	case SCUSE_CAP_EMULATE:
		return can_emulate;
	case SCUSE_CAP_NATIVE:
		return present;
	}
	return false;
}

static bool settle_all(const struct present *has, struct scuse_caps *caps, char **error)
{
	struct {
		const char *name;
		uint8_t *cap;
		bool present, can_emulate;
		uint8_t automatic;
	} table[] = {
		{ "flush", &caps->flush, has->flush, false, SCUSE_CAP_NONE },
		{ "unmap", &caps->unmap, has->unmap, false, SCUSE_CAP_NONE },
		{ "write_zeroes", &caps->write_zeroes, has->write_zeroes, has->write,
		  has->write ? SCUSE_CAP_EMULATE : SCUSE_CAP_NONE },
		{ "write_same", &caps->write_same, has->write_same, has->write,
		  has->write ? SCUSE_CAP_EMULATE : SCUSE_CAP_NONE },
		{ "extents", &caps->extents, has->extents, false, SCUSE_CAP_NONE },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		if (settle(table[i].cap, table[i].present, table[i].can_emulate, table[i].automatic))
			continue;
		*error = g_strdup_printf("the handler's probe says %s for '%s', but %s",
					 *table[i].cap == SCUSE_CAP_NATIVE    ? "NATIVE"
					 : *table[i].cap == SCUSE_CAP_EMULATE ? "EMULATE"
									      : "an unknown value",
					 table[i].name,
					 *table[i].cap == SCUSE_CAP_EMULATE ? "that cannot be emulated"
									    : "it has no such operation");
		return false;
	}
	return true;
}

/* FUA has no operation of its own: NATIVE is the handler's word that it heeds SCUSE_IO_FUA. */
static void settle_fua(struct scuse_caps *caps)
{
	if (caps->fua == SCUSE_CAP_NATIVE)
		return;
	caps->fua = caps->flush == SCUSE_CAP_NATIVE ? SCUSE_CAP_EMULATE : SCUSE_CAP_NONE;
}

static bool check_size(const struct scuse_caps *caps, uint64_t wanted_size, uint32_t block_size, char **error)
{
	uint64_t size = wanted_size ? wanted_size : caps->device_size;

	if (!size)
		*error = g_strdup(
			"the LUN's size is not known: this handler cannot tell, so give one (--size S)");
	else if (caps->device_size && wanted_size > caps->device_size)
		*error = g_strdup_printf("the LUN was to have %" G_GUINT64_FORMAT
					 " bytes, but the handler has only %" G_GUINT64_FORMAT
					 ": give a smaller size, or none",
					 wanted_size, caps->device_size);
	else if (size % block_size)
		*error = g_strdup_printf("the size, %" G_GUINT64_FORMAT
					 " bytes, is not a multiple of the block size, %u: "
					 "the next smaller one that fits is %" G_GUINT64_FORMAT,
					 size, block_size, size - size % block_size);
	else
		return true;
	return false;
}

static bool check_limits(const struct scuse_caps *caps, uint32_t block_size, char **error)
{
	uint32_t physical = caps->physical_block_size;

	if (physical && (physical & (physical - 1) || physical % block_size)) {
		*error = g_strdup_printf(
			"the handler's physical block size, %u, is not a power of two that holds whole "
			"blocks of %u bytes",
			physical, block_size);
		return false;
	}
	return true;
}

bool caps_resolve(const struct handler *handler, uint64_t wanted_size, uint32_t block_size,
		  struct scuse_caps *caps, char **error)
{
	struct present has = operations(handler);

	caps->struct_size = sizeof(*caps);
	if (!settle_all(&has, caps, error))
		return false;
	settle_fua(caps);
	if (!has.write)
		caps->read_only = 1;
	if (caps->unmap != SCUSE_CAP_NATIVE)
		caps->unmap_zeroes = SCUSE_CAP_NONE;
	if (!check_size(caps, wanted_size, block_size, error) || !check_limits(caps, block_size, error))
		return false;
	caps->device_size = wanted_size ? wanted_size : caps->device_size;
	if (caps->write_same == SCUSE_CAP_EMULATE &&
	    (!caps->max_write_same || caps->max_write_same > CAPS_MAX_EMULATED_WRITE_SAME))
		caps->max_write_same = CAPS_MAX_EMULATED_WRITE_SAME;
	return true;
}

static uint32_t to_blocks(uint64_t bytes, uint32_t block_size)
{
	return (uint32_t)MIN(bytes / block_size, UINT32_MAX);
}

void caps_to_start(const struct scuse_caps *caps, uint32_t block_size, struct scuse_start *start)
{
	memset(start, 0, sizeof(*start));
	start->size = sizeof(*start);
	start->abi_major = SCUSE_ABI_MAJOR;
	start->abi_minor = SCUSE_ABI_MINOR;
	start->features = (caps->flush == SCUSE_CAP_NATIVE ? SCUSE_FEATURE_FLUSH : 0) |
			  (caps->unmap == SCUSE_CAP_NATIVE ? SCUSE_FEATURE_UNMAP : 0) |
			  (caps->unmap_zeroes == SCUSE_CAP_NATIVE ? SCUSE_FEATURE_UNMAP_ZEROES : 0) |
			  (caps->write_same != SCUSE_CAP_NONE ? SCUSE_FEATURE_WRITE_SAME : 0) |
			  (caps->read_only ? SCUSE_FEATURE_READ_ONLY : 0) |
			  (caps->rotational ? SCUSE_FEATURE_ROTATIONAL : 0) |
			  (caps->replay_safe ? SCUSE_FEATURE_REPLAY_SAFE : 0);
	start->device_size = caps->device_size;
	start->optimal_transfer = caps->optimal_transfer;
	start->physical_block_size = caps->physical_block_size;
	start->unmap_granularity = caps->unmap_granularity;
	start->unmap_alignment = caps->unmap_alignment;
	start->max_unmap_blocks = to_blocks(caps->max_unmap, block_size);
	start->max_write_same_blocks = to_blocks(caps->max_write_same, block_size);
}
