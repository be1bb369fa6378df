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
 *	format		NATIVE with it, else EMULATE	write_zeroes, unmap or writes, part by part
 *	atomic		NONE				refused
 *	anchor		NONE				refused
 *	protection	NONE				refused
 *
 * The last three have no operation of their own: NATIVE is the handler's word that it heeds SCUSE_IO_ATOMIC
 * and SCUSE_IO_ANCHOR, and keeps scuse_io_protection().
 *
 * Where there is a flush, initiators may ask for FUA, and the kernel cannot be told otherwise: so `fua`
 * NONE counts as EMULATE there.
 */
#include "caps.h"

#include <string.h>

#include "claims.h"

#define CAPS_SANITIZES (SCUSE_SANITIZES_OVERWRITE | SCUSE_SANITIZES_BLOCK | SCUSE_SANITIZES_CRYPTO)
/* The features that a kernel of minor 0 takes. */
#define CAPS_MINOR_0                                                                                         \
	(SCUSE_FEATURE_FLUSH | SCUSE_FEATURE_UNMAP | SCUSE_FEATURE_UNMAP_ZEROES | SCUSE_FEATURE_WRITE_SAME | \
	 SCUSE_FEATURE_READ_ONLY | SCUSE_FEATURE_ROTATIONAL | SCUSE_FEATURE_REPLAY_SAFE)

/* The operations of either kind that matter here. */
struct present {
	bool write, flush, unmap, write_zeroes, write_same, extents, format, sanitize;
};

#define PRESENT(ops)                                                                             \
	{                                                                                        \
		.write = (ops)->write, .flush = (ops)->flush, .unmap = (ops)->unmap,             \
		.write_zeroes = (ops)->write_zeroes, .write_same = (ops)->write_same,            \
		.extents = (ops)->extents, .format = (ops)->format, .sanitize = (ops)->sanitize, \
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
		{ "format", &caps->format, has->format, has->write,
		  has->write ? SCUSE_CAP_EMULATE : SCUSE_CAP_NONE },
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

/* Claims without an operation of their own; `needs` is the one that they are about. */
static bool settle_claims(const struct present *has, struct scuse_caps *caps, char **error)
{
	struct {
		const char *name, *needs;
		uint8_t *cap;
		bool possible;
	} table[] = {
		{ "atomic", "write", &caps->atomic, has->write },
		{ "anchor", "unmap", &caps->anchor, has->unmap },
		{ "protection", "write", &caps->protection, has->write },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
		if (*table[i].cap == SCUSE_CAP_AUTO)
			*table[i].cap = SCUSE_CAP_NONE;
		if (settle(table[i].cap, table[i].possible, false, SCUSE_CAP_NONE))
			continue;
		*error = g_strdup_printf("the handler's probe makes a claim for '%s' that cannot be kept: it "
					 "is NATIVE, with the operation '%s', or NONE",
					 table[i].name, table[i].needs);
		return false;
	}
	if (!caps->sanitize || (has->sanitize && !(caps->sanitize & ~CAPS_SANITIZES)))
		return true;
	*error = g_strdup_printf("the handler's probe offers methods of 'sanitize' (%02xh), but %s",
				 caps->sanitize,
				 has->sanitize ? "some of them are not known" : "it has no such operation");
	return false;
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
	if (caps->threshold_set &&
	    (caps->threshold_set & (caps->threshold_set - 1) || caps->threshold_set / 2 < block_size)) {
		*error = g_strdup_printf("the handler's threshold set, %u bytes, is not a power of two that "
					 "holds two or more blocks of %u bytes",
					 caps->threshold_set, block_size);
		return false;
	}
	if (caps->atomic_granularity % block_size || caps->atomic_alignment % block_size) {
		*error = g_strdup_printf("the handler's atomic writes are not made of blocks of %u bytes",
					 block_size);
		return false;
	}
	return true;
}

bool caps_resolve(const struct handler *handler, uint64_t wanted_size, uint32_t block_size,
		  struct scuse_caps *caps, char **error)
{
	struct present has = operations(handler);

	caps->struct_size = sizeof(*caps);
	if (!settle_all(&has, caps, error) || !settle_claims(&has, caps, error))
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

/* ---- raw LUNs ---- */

static bool check_identity(const char *identity, char **error)
{
	size_t length = strlen(identity);
	bool good = length < SCUSE_IDENTITY_MAX;

	for (const char *c = identity; good && *c; c++)
		good = g_ascii_isprint(*c);
	if (!good)
		*error = g_strdup_printf(
			"the handler's probe gives an identity that is not printable ASCII of "
			"at most %d characters",
			SCUSE_IDENTITY_MAX - 1);
	return good;
}

static bool settle_raw_claims(const struct handler *handler, struct scuse_caps *caps, char **error)
{
	g_autofree char *wrong = NULL;

	if (!caps->claims)
		caps->claims = handler->def.claims;
	if (!caps->claims)
		*error = g_strdup("the handler's probe gives no claims, and the handler has none either");
	else if (!claims_check(caps->claims, &wrong))
		*error = g_strdup_printf("what the handler's probe gives cannot be used: %s", wrong);
	return !*error;
}

bool caps_resolve_raw(const struct handler *handler, struct scuse_caps *caps, char **error)
{
	struct scuse_caps given = *caps;
	uint32_t fixed = handler->def.device_type;

	*caps = (struct scuse_caps){
		.struct_size = sizeof(*caps),
		.read_only = given.read_only,
		.replay_safe = given.replay_safe,
		.device_type = fixed == SCUSE_DEVICE_TYPE_ANY ? given.device_type : fixed,
		.claims = given.claims,
		.identity = given.identity,
		.unit_attentions = given.unit_attentions,
	};
	*error = NULL;
	if (caps->device_type >= SCUSE_TYPE_UNKNOWN) {
		*error =
			g_strdup_printf("the handler's probe gives device type %02xh, which is none of SPC-4",
					caps->device_type);
		return false;
	}
	return settle_raw_claims(handler, caps, error) &&
	       (!caps->identity || check_identity(caps->identity, error));
}

/* ---- what the kernel is told ---- */

static uint32_t to_blocks(uint64_t bytes, uint32_t block_size)
{
	return (uint32_t)MIN(bytes / block_size, UINT32_MAX);
}

static uint32_t features(const struct scuse_caps *caps)
{
	const struct {
		bool has;
		uint32_t feature;
	} table[] = {
		{ caps->flush == SCUSE_CAP_NATIVE, SCUSE_FEATURE_FLUSH },
		{ caps->unmap == SCUSE_CAP_NATIVE, SCUSE_FEATURE_UNMAP },
		{ caps->unmap_zeroes == SCUSE_CAP_NATIVE, SCUSE_FEATURE_UNMAP_ZEROES },
		{ caps->write_same != SCUSE_CAP_NONE, SCUSE_FEATURE_WRITE_SAME },
		{ caps->read_only, SCUSE_FEATURE_READ_ONLY },
		{ caps->rotational, SCUSE_FEATURE_ROTATIONAL },
		{ caps->replay_safe, SCUSE_FEATURE_REPLAY_SAFE },
		{ caps->extents == SCUSE_CAP_NATIVE, SCUSE_FEATURE_EXTENTS },
		{ caps->format != SCUSE_CAP_NONE, SCUSE_FEATURE_FORMAT },
		{ caps->sanitize & SCUSE_SANITIZES_OVERWRITE, SCUSE_FEATURE_SANITIZE_OVERWRITE },
		{ caps->sanitize & SCUSE_SANITIZES_BLOCK, SCUSE_FEATURE_SANITIZE_BLOCK },
		{ caps->sanitize & SCUSE_SANITIZES_CRYPTO, SCUSE_FEATURE_SANITIZE_CRYPTO },
		{ caps->atomic == SCUSE_CAP_NATIVE, SCUSE_FEATURE_ATOMIC },
		{ caps->anchor == SCUSE_CAP_NATIVE, SCUSE_FEATURE_ANCHOR },
		{ caps->protection == SCUSE_CAP_NATIVE, SCUSE_FEATURE_PI },
	};
	uint32_t all = 0;

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
		all |= table[i].has ? table[i].feature : 0;
	return all;
}

/* An atomic write has to fit one transfer, whatever the handler could do beyond that. */
static void atomic_limits(const struct scuse_caps *caps, const struct scuse_info *info,
			  struct scuse_start *start)
{
	uint64_t most = caps->max_atomic ? MIN(caps->max_atomic, info->slot_size) : info->slot_size;

	if (caps->atomic != SCUSE_CAP_NATIVE)
		return;
	start->max_atomic_blocks = to_blocks(most, info->block_size);
	start->atomic_alignment = to_blocks(caps->atomic_alignment, info->block_size);
	start->atomic_granularity = to_blocks(caps->atomic_granularity, info->block_size);
}

static void raw_to_start(const struct scuse_caps *caps, struct scuse_start *start)
{
	const struct {
		bool has;
		uint32_t feature;
	} table[] = {
		{ caps->read_only, SCUSE_FEATURE_READ_ONLY },
		{ caps->replay_safe, SCUSE_FEATURE_REPLAY_SAFE },
		{ caps->unit_attentions, SCUSE_FEATURE_UNIT_ATTENTIONS },
	};

	for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
		start->features |= table[i].has ? table[i].feature : 0;
	start->device_type = caps->device_type;
	if (caps->identity)
		g_strlcpy(start->identity, caps->identity, sizeof(start->identity));
}

void caps_to_start(const struct scuse_caps *caps, const struct scuse_info *info, struct scuse_start *start)
{
	uint32_t block_size = info->block_size;

	memset(start, 0, sizeof(*start));
	start->size = sizeof(*start);
	start->abi_major = SCUSE_ABI_MAJOR;
	start->abi_minor = SCUSE_ABI_MINOR;
	if (info->flags & SCUSE_INFO_RAW) {
		raw_to_start(caps, start);
		return;
	}
	start->features = features(caps) & (info->abi_minor ? ~0u : CAPS_MINOR_0);
	start->device_size = caps->device_size;
	start->optimal_transfer = caps->optimal_transfer;
	start->physical_block_size = caps->physical_block_size;
	start->unmap_granularity = caps->unmap_granularity;
	start->unmap_alignment = caps->unmap_alignment;
	start->max_unmap_blocks = to_blocks(caps->max_unmap, block_size);
	start->max_write_same_blocks = to_blocks(caps->max_write_same, block_size);
	if (!info->abi_minor)
		return;
	atomic_limits(caps, info, start);
	if (caps->threshold_set)
		start->threshold_exponent = (uint32_t)g_bit_nth_msf(caps->threshold_set / block_size, -1);
}
