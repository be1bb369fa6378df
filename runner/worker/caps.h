/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a LUN can do: from what the handler's probe said, and which operations it has, to what the worker
 * emulates and what the kernel is told.  Pure functions.
 */
#ifndef WORKER_CAPS_H
#define WORKER_CAPS_H

#include <scuse/abi.h>

#include "loader.h"

/* Bytes of one WRITE SAME that the worker carries out by repeated writes: bounds how long it takes. */
#define CAPS_MAX_EMULATED_WRITE_SAME (32u << 20)

/*
 * Replaces AUTO by what it amounts to, and checks what was claimed.  `wanted_size` is what the LUN was
 * created with; 0: the handler is to say.  False: *error says why (newly allocated).
 */
bool caps_resolve(const struct handler *handler, uint64_t wanted_size, uint32_t block_size,
		  struct scuse_caps *caps, char **error);

/*
 * The same for a raw LUN: only device type, claims, identity, read_only, replay_safe and unit_attentions mean
 * anything; all else becomes none.
 */
bool caps_resolve_raw(const struct handler *handler, struct scuse_caps *caps, char **error);

/*
 * For the kernel that gave `info`: one of an older minor is not told what it does not know.  The list of
 * commands is the caller's to add.
 */
void caps_to_start(const struct scuse_caps *caps, const struct scuse_info *info, struct scuse_start *start);

#endif /* WORKER_CAPS_H */
