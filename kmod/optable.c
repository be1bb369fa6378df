// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of commands; opcode.h says what the columns mean.  Constant.
 *
 * One row a command: code, CDB length, flags, what the data phase is, where the numbers are, when it is
 * offered, what carries it out, and on the second line the CDB usage map from byte 1 on.  Rows are sorted
 * by operation code, then service action.  Operation codes are numbers, so that the order can be seen.
 *
 * The unit tests compile this file without the functions that it names.
 */
#include "opcode.h"

#ifdef __KERNEL__
#include <scuse/abi.h>
#include "scuse.h"
#include "vpd.h"
#define CALLS(function) function
#else
#include <scuse/abi.h>
#define CALLS(function) NULL
#endif

/* clang-format off */

#define CODE(code, length)	     .opcode = code, .cdb_length = length, .action = SCUSE_NO_ACTION
#define ACTION(code, which, length)  .opcode = code, .cdb_length = length, .action = which
#define IS(what)		     .flags = what
#define DATA(kind)		     .data = SCUSE_LENGTH_##kind
#define LENGTH(function)	     .data = SCUSE_LENGTH_CDB, .length = CALLS(function)
#define LBA(byte, bytes)	     .lba = { byte, bytes }
#define COUNT(byte, bytes)	     .count = { byte, bytes }
#define NEEDS(what)		     .features = what
#define IF(function)		     .offered = CALLS(function)
#define RUN(function)		     .execute = CALLS(function)
#define USAGE(...)		     .usage = { 0xff, __VA_ARGS__ }

#define IN	 SCUSE_OPCODE_IN
#define OUT	 SCUSE_OPCODE_OUT
#define MEDIUM	 SCUSE_OPCODE_MEDIUM
#define CHANGES	 SCUSE_OPCODE_WRITES
#define SHARED	 SCUSE_OPCODE_SHARED
#define NO_UA	 SCUSE_OPCODE_NO_UA
#define ZERO_256 SCUSE_OPCODE_ZERO_256
#define PROTECT	 SCUSE_OPCODE_PROTECT
#define DPO	 SCUSE_OPCODE_DPO
#define READS	 (IN | SCUSE_OPCODE_BLOCKS | MEDIUM)
#define WRITES	 (OUT | SCUSE_OPCODE_BLOCKS | MEDIUM | CHANGES)
#define COMPARES (OUT | SCUSE_OPCODE_BLOCKS | MEDIUM | PROTECT | DPO)
#define ENDLESS	 SCUSE_OPCODE_ENDLESS
#define EXCLUSIVE SCUSE_OPCODE_EXCLUSIVE
#define RESERVES  SCUSE_OPCODE_RESERVES

/* Bytes of usage maps: whole numbers, and none. */
#define N2 0xff, 0xff
#define N4 N2, N2
#define N8 N4, N4
#define Z2 0, 0
#define Z4 Z2, Z2
#define Z6 Z4, Z2

const struct scuse_opcode scuse_opcode_table[] = {
	/* TEST UNIT READY */
	{ CODE(0x00, 6), IS(MEDIUM), RUN(scuse_execute_ready),
	  USAGE(Z4, 0) },
	/* REQUEST SENSE */
	{ CODE(0x03, 6), IS(IN | NO_UA), DATA(BYTES), COUNT(4, 1), RUN(scuse_execute_request_sense),
	  USAGE(0x01, Z2, 0xff, 0) },
	/* FORMAT UNIT */
	{ CODE(0x04, 6), IS(OUT | CHANGES | ENDLESS), LENGTH(scuse_format_length),
	  NEEDS(SCUSE_FEATURE_FORMAT), RUN(scuse_execute_format),
	  USAGE(0xff, Z2, 0, 0) },
	/* READ (6) */
	{ CODE(0x08, 6), IS(READS | ZERO_256), DATA(BLOCKS), LBA(1, 3), COUNT(4, 1), RUN(scuse_execute_read),
	  USAGE(0x1f, N2, 0xff, 0) },
	/* WRITE (6) */
	{ CODE(0x0a, 6), IS(WRITES | ZERO_256), DATA(BLOCKS), LBA(1, 3), COUNT(4, 1), RUN(scuse_execute_write),
	  USAGE(0x1f, N2, 0xff, 0) },
	/* INQUIRY */
	{ CODE(0x12, 6), IS(IN | NO_UA), DATA(BYTES), COUNT(3, 2), RUN(scuse_execute_inquiry),
	  USAGE(0x01, 0xff, N2, 0) },
	/* MODE SELECT (6) */
	{ CODE(0x15, 6), IS(OUT | EXCLUSIVE), DATA(BYTES), COUNT(4, 1), RUN(scuse_execute_mode_select),
	  USAGE(0x13, Z2, 0xff, 0) },
	/* RESERVE (6), RELEASE (6): SPC-2 */
	{ CODE(0x16, 6), IS(RESERVES), DATA(CORE), IF(scuse_offers_reservations),
	  USAGE(Z4, 0) },
	{ CODE(0x17, 6), IS(RESERVES), DATA(CORE), IF(scuse_offers_reservations),
	  USAGE(Z4, 0) },
	/* MODE SENSE (6) */
	{ CODE(0x1a, 6), IS(IN | SHARED), DATA(BYTES), COUNT(4, 1), RUN(scuse_execute_mode_sense),
	  USAGE(0x08, N2, 0xff, 0) },
	/* START STOP UNIT */
	{ CODE(0x1b, 6), IS(EXCLUSIVE), RUN(scuse_execute_start_stop),
	  USAGE(0x01, 0, 0x0f, 0xf7, 0) },
	/* READ CAPACITY (10) */
	{ CODE(0x25, 10), IS(IN), LENGTH(scuse_length_capacity), RUN(scuse_execute_capacity_10),
	  USAGE(0, N4, Z2, 0x01, 0) },
	/* READ (10) */
	{ CODE(0x28, 10), IS(READS | PROTECT | DPO), DATA(BLOCKS), LBA(2, 4), COUNT(7, 2), RUN(scuse_execute_read),
	  USAGE(0xf8, N4, 0, N2, 0) },
	/* WRITE (10) */
	{ CODE(0x2a, 10), IS(WRITES | PROTECT | DPO), DATA(BLOCKS), LBA(2, 4), COUNT(7, 2),
	  RUN(scuse_execute_write),
	  USAGE(0xf8, N4, 0, N2, 0) },
	/* WRITE AND VERIFY (10) */
	{ CODE(0x2e, 10), IS(WRITES | PROTECT | DPO), DATA(BLOCKS), LBA(2, 4), COUNT(7, 2),
	  RUN(scuse_execute_write_verify),
	  USAGE(0xf6, N4, 0, N2, 0) },
	/* VERIFY (10) */
	{ CODE(0x2f, 10), IS(COMPARES), LENGTH(scuse_verify_length), LBA(2, 4), COUNT(7, 2),
	  RUN(scuse_execute_verify),
	  USAGE(0xf6, N4, 0, N2, 0) },
	/* PRE-FETCH (10) */
	{ CODE(0x34, 10), IS(MEDIUM), LBA(2, 4), COUNT(7, 2), RUN(scuse_execute_prefetch),
	  USAGE(0x02, N4, 0x1f, N2, 0) },
	/* SYNCHRONIZE CACHE (10) */
	{ CODE(0x35, 10), IS(MEDIUM | EXCLUSIVE), LBA(2, 4), COUNT(7, 2), RUN(scuse_execute_sync_cache),
	  USAGE(0x02, N4, 0, N2, 0) },
	/* READ DEFECT DATA (10) */
	{ CODE(0x37, 10), IS(IN | MEDIUM), DATA(BYTES), COUNT(7, 2), RUN(scuse_execute_defects_10),
	  USAGE(0, 0x1f, Z4, N2, 0) },
	/* WRITE SAME (10) */
	{ CODE(0x41, 10), IS(OUT | CHANGES | MEDIUM | PROTECT), DATA(ONE), LBA(2, 4), COUNT(7, 2),
	  NEEDS(SCUSE_FEATURE_WRITE_SAME), RUN(scuse_execute_write_same),
	  USAGE(0xf8, N4, 0, N2, 0) },
	/* UNMAP */
	{ CODE(0x42, 10), IS(OUT | CHANGES | MEDIUM), DATA(BYTES), COUNT(7, 2),
	  NEEDS(SCUSE_FEATURE_UNMAP), IF(scuse_offers_unmap), RUN(scuse_execute_unmap),
	  USAGE(0x01, Z4, 0, N2, 0) },
	/* SANITIZE: OVERWRITE, BLOCK ERASE, CRYPTOGRAPHIC ERASE, EXIT FAILURE MODE */
	{ ACTION(0x48, 0x01, 10), IS(OUT | CHANGES | ENDLESS), DATA(BYTES), COUNT(7, 2),
	  NEEDS(SCUSE_FEATURE_SANITIZE_OVERWRITE), RUN(scuse_execute_sanitize_overwrite),
	  USAGE(0xbf, Z4, 0, N2, 0) },
	{ ACTION(0x48, 0x02, 10), IS(OUT | CHANGES | ENDLESS), DATA(BYTES), COUNT(7, 2),
	  NEEDS(SCUSE_FEATURE_SANITIZE_BLOCK), RUN(scuse_execute_sanitize_block),
	  USAGE(0xbf, Z4, 0, N2, 0) },
	{ ACTION(0x48, 0x03, 10), IS(OUT | CHANGES | ENDLESS), DATA(BYTES), COUNT(7, 2),
	  NEEDS(SCUSE_FEATURE_SANITIZE_CRYPTO), RUN(scuse_execute_sanitize_crypto),
	  USAGE(0xbf, Z4, 0, N2, 0) },
	{ ACTION(0x48, 0x1f, 10), IS(OUT | EXCLUSIVE), DATA(BYTES), COUNT(7, 2),
	  IF(scuse_offers_sanitize), RUN(scuse_execute_sanitize_exit),
	  USAGE(0xbf, Z4, 0, N2, 0) },
	/* LOG SELECT */
	{ CODE(0x4c, 10), IS(OUT | EXCLUSIVE), DATA(BYTES), COUNT(7, 2), RUN(scuse_execute_log_select),
	  USAGE(0x02, N2, Z2, 0, N2, 0) },
	/* LOG SENSE */
	{ CODE(0x4d, 10), IS(IN), DATA(BYTES), COUNT(7, 2), RUN(scuse_execute_log_sense),
	  USAGE(0, N2, 0, N2, N2, 0) },
	/* MODE SELECT (10) */
	{ CODE(0x55, 10), IS(OUT | EXCLUSIVE), DATA(BYTES), COUNT(7, 2), RUN(scuse_execute_mode_select),
	  USAGE(0x13, Z4, 0, N2, 0) },
	/* RESERVE (10), RELEASE (10): SPC-2 */
	{ CODE(0x56, 10), IS(RESERVES | OUT), DATA(CORE), COUNT(7, 2), IF(scuse_offers_reservations),
	  USAGE(0x12, 0, 0xff, Z2, 0, N2, 0) },
	{ CODE(0x57, 10), IS(RESERVES | OUT), DATA(CORE), COUNT(7, 2), IF(scuse_offers_reservations),
	  USAGE(0x12, 0, 0xff, Z2, 0, N2, 0) },
	/* MODE SENSE (10) */
	{ CODE(0x5a, 10), IS(IN | SHARED), DATA(BYTES), COUNT(7, 2), RUN(scuse_execute_mode_sense),
	  USAGE(0x18, N2, Z2, 0, N2, 0) },
	/* PERSISTENT RESERVE IN: READ KEYS, READ RESERVATION, REPORT CAPABILITIES, READ FULL STATUS */
	{ ACTION(0x5e, 0x00, 10), IS(IN), DATA(CORE), COUNT(7, 2), IF(scuse_offers_reservations),
	  USAGE(0x1f, Z4, 0, N2, 0) },
	{ ACTION(0x5e, 0x01, 10), IS(IN), DATA(CORE), COUNT(7, 2), IF(scuse_offers_reservations),
	  USAGE(0x1f, Z4, 0, N2, 0) },
	{ ACTION(0x5e, 0x02, 10), IS(IN), DATA(CORE), COUNT(7, 2), IF(scuse_offers_reservations),
	  USAGE(0x1f, Z4, 0, N2, 0) },
	{ ACTION(0x5e, 0x03, 10), IS(IN), DATA(CORE), COUNT(7, 2), IF(scuse_offers_reservations),
	  USAGE(0x1f, Z4, 0, N2, 0) },
	/*
	 * PERSISTENT RESERVE OUT: REGISTER, RESERVE, RELEASE, CLEAR, PREEMPT, PREEMPT AND ABORT,
	 * REGISTER AND IGNORE EXISTING KEY, REGISTER AND MOVE
	 */
	{ ACTION(0x5f, 0x00, 10), IS(OUT | RESERVES), DATA(CORE), COUNT(5, 4), IF(scuse_offers_reservations),
	  USAGE(0x1f, 0xff, Z2, N4, 0) },
	{ ACTION(0x5f, 0x01, 10), IS(OUT | RESERVES), DATA(CORE), COUNT(5, 4), IF(scuse_offers_reservations),
	  USAGE(0x1f, 0xff, Z2, N4, 0) },
	{ ACTION(0x5f, 0x02, 10), IS(OUT | RESERVES), DATA(CORE), COUNT(5, 4), IF(scuse_offers_reservations),
	  USAGE(0x1f, 0xff, Z2, N4, 0) },
	{ ACTION(0x5f, 0x03, 10), IS(OUT | RESERVES), DATA(CORE), COUNT(5, 4), IF(scuse_offers_reservations),
	  USAGE(0x1f, 0xff, Z2, N4, 0) },
	{ ACTION(0x5f, 0x04, 10), IS(OUT | RESERVES), DATA(CORE), COUNT(5, 4), IF(scuse_offers_reservations),
	  USAGE(0x1f, 0xff, Z2, N4, 0) },
	{ ACTION(0x5f, 0x05, 10), IS(OUT | RESERVES), DATA(CORE), COUNT(5, 4), IF(scuse_offers_reservations),
	  USAGE(0x1f, 0xff, Z2, N4, 0) },
	{ ACTION(0x5f, 0x06, 10), IS(OUT | RESERVES), DATA(CORE), COUNT(5, 4), IF(scuse_offers_reservations),
	  USAGE(0x1f, 0xff, Z2, N4, 0) },
	{ ACTION(0x5f, 0x07, 10), IS(OUT | RESERVES), DATA(CORE), COUNT(5, 4), IF(scuse_offers_reservations),
	  USAGE(0x1f, 0xff, Z2, N4, 0) },
	/* READ (32), WRITE (32) */
	{ ACTION(0x7f, 0x0009, 32), IS(READS | PROTECT | DPO), DATA(BLOCKS), LBA(12, 8), COUNT(28, 4),
	  IF(scuse_offers_protection), RUN(scuse_execute_read),
	  USAGE(Z6, 0xff, N2, 0xf8, 0, N8, N4, N4, N4) },
	{ ACTION(0x7f, 0x000b, 32), IS(WRITES | PROTECT | DPO), DATA(BLOCKS), LBA(12, 8), COUNT(28, 4),
	  IF(scuse_offers_protection), RUN(scuse_execute_write),
	  USAGE(Z6, 0xff, N2, 0xf8, 0, N8, N4, N4, N4) },
	/* WRITE SAME (32) */
	{ ACTION(0x7f, 0x000d, 32), IS(OUT | CHANGES | MEDIUM | PROTECT), LENGTH(scuse_write_same_length),
	  LBA(12, 8), COUNT(28, 4),
	  NEEDS(SCUSE_FEATURE_WRITE_SAME), IF(scuse_offers_protection), RUN(scuse_execute_write_same),
	  USAGE(Z6, 0xff, N2, 0xf9, 0, N8, Z6, Z2, N4) },
	/* EXTENDED COPY (LID1) */
	{ ACTION(0x83, 0x00, 16), IS(OUT), DATA(CORE), COUNT(10, 4), IF(scuse_copy_offered),
	  RUN(scuse_execute_copy),
	  USAGE(0x1f, Z6, Z2, N4, Z2) },
	/* RECEIVE COPY RESULTS: COPY STATUS, OPERATING PARAMETERS */
	{ ACTION(0x84, 0x00, 16), IS(IN), DATA(BYTES), COUNT(10, 4), IF(scuse_copy_offered),
	  RUN(scuse_execute_copy_status),
	  USAGE(0x1f, 0xff, Z6, 0, N4, Z2) },
	{ ACTION(0x84, 0x03, 16), IS(IN), DATA(CORE), COUNT(10, 4), IF(scuse_copy_offered),
	  USAGE(0x1f, Z6, Z2, N4, Z2) },
	/* READ (16) */
	{ CODE(0x88, 16), IS(READS | PROTECT | DPO), DATA(BLOCKS), LBA(2, 8), COUNT(10, 4),
	  RUN(scuse_execute_read),
	  USAGE(0xf8, N8, N4, Z2) },
	/* COMPARE AND WRITE */
	{ CODE(0x89, 16), IS(WRITES | PROTECT | DPO), DATA(TWICE), LBA(2, 8), COUNT(13, 1),
	  IF(scuse_offers_compare), RUN(scuse_execute_compare_and_write),
	  USAGE(0xf8, N8, Z2, 0, 0xff, Z2) },
	/* WRITE (16) */
	{ CODE(0x8a, 16), IS(WRITES | PROTECT | DPO), DATA(BLOCKS), LBA(2, 8), COUNT(10, 4),
	  RUN(scuse_execute_write),
	  USAGE(0xf8, N8, N4, Z2) },
	/* ORWRITE (16) */
	{ CODE(0x8b, 16), IS(WRITES | PROTECT | DPO), DATA(BLOCKS), LBA(2, 8), COUNT(10, 4),
	  RUN(scuse_execute_orwrite),
	  USAGE(0xf8, N8, N4, Z2) },
	/* WRITE AND VERIFY (16) */
	{ CODE(0x8e, 16), IS(WRITES | PROTECT | DPO), DATA(BLOCKS), LBA(2, 8), COUNT(10, 4),
	  RUN(scuse_execute_write_verify),
	  USAGE(0xf6, N8, N4, Z2) },
	/* VERIFY (16) */
	{ CODE(0x8f, 16), IS(COMPARES), LENGTH(scuse_verify_length), LBA(2, 8), COUNT(10, 4),
	  RUN(scuse_execute_verify),
	  USAGE(0xf6, N8, N4, Z2) },
	/* PRE-FETCH (16) */
	{ CODE(0x90, 16), IS(MEDIUM), LBA(2, 8), COUNT(10, 4), RUN(scuse_execute_prefetch),
	  USAGE(0x02, N8, N4, 0x1f, 0) },
	/* SYNCHRONIZE CACHE (16) */
	{ CODE(0x91, 16), IS(MEDIUM | EXCLUSIVE), LBA(2, 8), COUNT(10, 4), RUN(scuse_execute_sync_cache),
	  USAGE(0x02, N8, N4, Z2) },
	/* WRITE SAME (16) */
	{ CODE(0x93, 16), IS(OUT | CHANGES | MEDIUM | PROTECT), LENGTH(scuse_write_same_length), LBA(2, 8), COUNT(10, 4),
	  NEEDS(SCUSE_FEATURE_WRITE_SAME), RUN(scuse_execute_write_same),
	  USAGE(0xf9, N8, N4, Z2) },
	/* WRITE ATOMIC (16) */
	{ CODE(0x9c, 16), IS(WRITES | PROTECT | DPO), DATA(BLOCKS), LBA(2, 8), COUNT(12, 2),
	  NEEDS(SCUSE_FEATURE_ATOMIC), RUN(scuse_execute_write_atomic),
	  USAGE(0xf8, N8, Z2, N2, Z2) },
	/* READ CAPACITY (16) */
	{ ACTION(0x9e, 0x10, 16), IS(IN), DATA(BYTES), COUNT(10, 4), RUN(scuse_execute_capacity_16),
	  USAGE(0x1f, N8, N4, 0x01, 0) },
	/* GET LBA STATUS */
	{ ACTION(0x9e, 0x12, 16), IS(IN | MEDIUM), DATA(BYTES), LBA(2, 8), COUNT(10, 4),
	  IF(scuse_offers_lba_status), RUN(scuse_execute_lba_status),
	  USAGE(0x1f, N8, N4, Z2) },
	/* REPORT LUNS */
	{ CODE(0xa0, 12), IS(IN | NO_UA), DATA(CORE), COUNT(6, 4),
	  USAGE(0, 0xff, Z2, 0, N4, Z2) },
	/* REPORT TARGET PORT GROUPS */
	{ ACTION(0xa3, 0x0a, 12), IS(IN), DATA(BYTES), COUNT(6, 4), RUN(scuse_execute_report_groups),
	  USAGE(0xff, Z4, N4, Z2) },
	/* REPORT SUPPORTED OPERATION CODES */
	{ ACTION(0xa3, 0x0c, 12), IS(IN | SHARED), DATA(BYTES), COUNT(6, 4), RUN(scuse_execute_report_opcodes),
	  USAGE(0x1f, 0x87, 0xff, N2, N4, Z2) },
	/* REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS */
	{ ACTION(0xa3, 0x0d, 12), IS(IN | SHARED), DATA(BYTES), COUNT(6, 4), RUN(scuse_execute_report_functions),
	  USAGE(0x1f, 0x80, Z2, 0, N4, Z2) },
	/* REPORT TIMESTAMP */
	{ ACTION(0xa3, 0x0f, 12), IS(IN), DATA(BYTES), COUNT(6, 4), RUN(scuse_execute_report_timestamp),
	  USAGE(0x1f, Z4, N4, Z2) },
	/* SET TARGET PORT GROUPS */
	{ ACTION(0xa4, 0x0a, 12), IS(OUT), DATA(CORE), COUNT(6, 4),
	  USAGE(0x1f, Z4, N4, Z2) },
	/* SET TIMESTAMP */
	{ ACTION(0xa4, 0x0f, 12), IS(OUT), DATA(BYTES), COUNT(6, 4), RUN(scuse_execute_set_timestamp),
	  USAGE(0x1f, Z4, N4, Z2) },
	/* READ (12) */
	{ CODE(0xa8, 12), IS(READS | PROTECT | DPO), DATA(BLOCKS), LBA(2, 4), COUNT(6, 4), RUN(scuse_execute_read),
	  USAGE(0xf8, N4, N4, Z2) },
	/* WRITE (12) */
	{ CODE(0xaa, 12), IS(WRITES | PROTECT | DPO), DATA(BLOCKS), LBA(2, 4), COUNT(6, 4),
	  RUN(scuse_execute_write),
	  USAGE(0xf8, N4, N4, Z2) },
	/* WRITE AND VERIFY (12) */
	{ CODE(0xae, 12), IS(WRITES | PROTECT | DPO), DATA(BLOCKS), LBA(2, 4), COUNT(6, 4),
	  RUN(scuse_execute_write_verify),
	  USAGE(0xf6, N4, N4, Z2) },
	/* VERIFY (12) */
	{ CODE(0xaf, 12), IS(COMPARES), LENGTH(scuse_verify_length), LBA(2, 4), COUNT(6, 4),
	  RUN(scuse_execute_verify),
	  USAGE(0xf6, N4, N4, Z2) },
	/* READ DEFECT DATA (12) */
	{ CODE(0xb7, 12), IS(IN | MEDIUM), DATA(BYTES), COUNT(6, 4), RUN(scuse_execute_defects_12),
	  USAGE(0x1f, N4, N4, Z2) },
};

/* clang-format on */

const u32 scuse_opcode_count = sizeof(scuse_opcode_table) / sizeof(scuse_opcode_table[0]);
