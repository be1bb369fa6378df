/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What must hold of any answer to any command.
 */
#ifndef FUZZ_CHECK_H
#define FUZZ_CHECK_H

#include "transport.h"

/* What `data` was filled with before a command, so that bytes that came can be told from those that did not. */
#define UNTOUCHED 0xa5

/* NULL, or what is wrong with the answer. */
const char *check_answer(const struct transport *transport, const struct command *command,
			 uint32_t block_size);

#endif
