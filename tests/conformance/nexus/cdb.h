/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Commands that several groups of cases send, ready to be run.  A function cdb_X() returns a command; buffers
 * that it is given must outlive the command.  Fields of a CDB are big-endian.
 */
#ifndef NEXUS_CDB_H
#define NEXUS_CDB_H

#include "nexus.h"

static inline void put16(uint8_t *to, uint16_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static inline void put32(uint8_t *to, uint32_t value)
{
	put16(to, (uint16_t)(value >> 16));
	put16(to + 2, (uint16_t)value);
}

static inline void put64(uint8_t *to, uint64_t value)
{
	put32(to, (uint32_t)(value >> 32));
	put32(to + 4, (uint32_t)value);
}

static inline uint16_t get16(const uint8_t *from)
{
	return (uint16_t)(from[0] << 8 | from[1]);
}

static inline uint32_t get32(const uint8_t *from)
{
	return (uint32_t)get16(from) << 16 | get16(from + 2);
}

static inline uint64_t get64(const uint8_t *from)
{
	return (uint64_t)get32(from) << 32 | get32(from + 4);
}

struct command cdb_test_unit_ready(void);
struct command cdb_inquiry(void *in, uint16_t room);
struct command cdb_report_luns(void *in, uint32_t room);
struct command cdb_request_sense(bool descriptor, void *in, uint8_t room);
/* One block; the medium's block size is 512 bytes throughout. */
struct command cdb_read(uint32_t lba, void *in);
struct command cdb_write(uint32_t lba, const void *out);
struct command cdb_mode_sense(uint8_t page, uint8_t subpage, void *in, uint8_t room);
/* SP = 0, PF = 1; `out` is a parameter list of MODE SELECT (6). */
struct command cdb_mode_select(const void *out, uint8_t len);
/* RESERVE or RELEASE, of 6 or 10 bytes by the opcode. */
struct command cdb_reserve(uint8_t opcode);
struct command cdb_pr_in(uint8_t service_action, void *in, uint16_t room);
struct command cdb_pr_out(uint8_t service_action, uint8_t type, const void *out, uint32_t len);
struct command cdb_maintenance_in(uint8_t service_action, void *in, uint32_t room);

enum opcode {
	OP_TEST_UNIT_READY = 0x00,
	OP_RESERVE_6 = 0x16,
	OP_RELEASE_6 = 0x17,
	OP_RESERVE_10 = 0x56,
	OP_RELEASE_10 = 0x57,
	OP_PR_IN = 0x5e,
	OP_PR_OUT = 0x5f,
	OP_VARIABLE_LENGTH = 0x7f,
	OP_MAINTENANCE_IN = 0xa3
};

#define BLOCK_SIZE 512

#endif
