/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the kernel says of a queue's rings when it has just made them, for tests that play its part.
 */
#ifndef TESTS_GEOMETRY_H
#define TESTS_GEOMETRY_H

#include <scuse/abi.h>
#include <stdint.h>

/* Where the entries of both rings begin. */
#define GEOMETRY_ENTRIES_AT 192

/* Queue 0 of a kernel that knows minor 0 of the interface.  `slot_size` is in bytes. */
static inline struct scuse_queue_kernel geometry(uint32_t depth, uint32_t slot_size)
{
	return (struct scuse_queue_kernel){
		.magic = SCUSE_ABI_MAGIC,
		.abi_major = SCUSE_ABI_MAJOR,
		.depth = depth,
		.sq_entries = 2 * depth,
		.cq_entries = depth,
		.sqe_offset = GEOMETRY_ENTRIES_AT,
		.cqe_offset = GEOMETRY_ENTRIES_AT,
		.sqe_size = sizeof(struct scuse_sqe),
		.cqe_size = sizeof(struct scuse_cqe),
		.cdb_stride = SCUSE_CDB_STRIDE,
		.sense_stride = SCUSE_SENSE_STRIDE,
		.slot_size = slot_size,
	};
}

#endif /* TESTS_GEOMETRY_H */
