/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Arguments in the forms that people type, turned into what the kernel takes: sizes, LUN names, handler
 * parameters, portals.
 */
#ifndef SCUSE_CLI_ARGS_H
#define SCUSE_CLI_ARGS_H

#include <stdbool.h>
#include <stdint.h>
#include <glib.h>

/* "4096", "64k", "1.5G"; k M G T P E are powers of 1024, in either case.  `what` is named in the error. */
bool parse_size(const char *text, const char *what, uint64_t *bytes, GError **error);
/* 0 is no size, and a size has whole blocks. */
bool check_size(uint64_t size, uint64_t block_size, GError **error);
bool check_block_size(uint64_t block_size, GError **error);

/* The name of the LUN's configfs directory; newly allocated, NULL on error. */
char *encode_name(const char *name, GError **error);
/* As a shell takes it back: in quotes where that is needed.  Newly allocated. */
char *quote_name(const char *name);
/* For showing; never fails (a name that is not one of ours is shown as it is).  Newly allocated. */
char *decode_name(const char *directory);

/* Is it KEY=VALUE, rather than a bare argument?  That is so if what stands before the first '=' can be a key.
 */
bool is_assignment(const char *argument);
/*
 * Handler parameters as config lines: KEY=VALUE as it is, a bare argument as =VALUE, then .cwd=DIR, against
 * which the runner makes relative paths absolute.
 */
GPtrArray *config_lines(char **arguments, int count, const char *cwd, GError **error);

/* "ADDR", "ADDR:PORT", "[V6]:PORT", "[V6]", "V6": written as configfs wants it, "ADDR:PORT" or "[V6]:PORT".
 */
struct portal {
	char text[64];
	char address[48];
	uint16_t port;
	bool loopback;
};
bool parse_portal(const char *text, struct portal *portal, GError **error);

/* iqn.2026-01.org.scuse:NAME, in the characters that an IQN may have; different names get different ones. */
char *default_iqn(const char *name);
bool check_iqn(const char *iqn, GError **error);

#endif /* SCUSE_CLI_ARGS_H */
