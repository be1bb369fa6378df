// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Userspace's ring rules: geometry checks, wrap-around of free-running indices, when to kick, when not to
 * sleep.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "geometry.h"
#include "worker/ring.h"

#define DEPTH 4

static struct {
	struct scuse_queue_kernel kernel;
	struct scuse_sqe sqes[2 * DEPTH];
} kernel_region;
static struct {
	struct scuse_queue_user user;
	struct scuse_cqe cqes[DEPTH];
} user_region;
static uint8_t cdbs[DEPTH * SCUSE_CDB_STRIDE], senses[DEPTH * SCUSE_SENSE_STRIDE], datas[DEPTH * 65536];

static struct ring_regions regions(void)
{
	memset(&kernel_region, 0, sizeof(kernel_region));
	memset(&user_region, 0, sizeof(user_region));
	kernel_region.kernel = geometry(DEPTH, 65536);
	return (struct ring_regions){
		.address = { &kernel_region, &user_region, cdbs, senses, datas },
		.size = { sizeof(kernel_region), sizeof(user_region), sizeof(cdbs), sizeof(senses),
			  sizeof(datas) },
	};
}

static void good(struct ring *ring)
{
	struct ring_regions mapped = regions();

	cr_assert_null(ring_init(ring, &mapped));
}

static void submit(uint32_t tag)
{
	struct scuse_queue_kernel *kernel = &kernel_region.kernel;

	kernel_region.sqes[kernel->sq_tail & (2 * DEPTH - 1)].tag = tag;
	kernel->sq_tail++;
}

Test(ring, geometry_is_checked)
{
	struct ring_regions mapped = regions();
	struct ring ring;

	kernel_region.kernel.magic++;
	cr_expect_not_null(ring_init(&ring, &mapped));
	mapped = regions();
	kernel_region.kernel.abi_major++;
	cr_expect_not_null(ring_init(&ring, &mapped));
	mapped = regions();
	kernel_region.kernel.depth = 3;
	cr_expect_not_null(ring_init(&ring, &mapped));
	mapped = regions();
	kernel_region.kernel.depth = 8;
	cr_expect_not_null(ring_init(&ring, &mapped), "more tags than the slots hold");
	mapped = regions();
	kernel_region.kernel.sq_entries = 1u << 31;
	cr_expect_not_null(ring_init(&ring, &mapped));
	mapped = regions();
	kernel_region.kernel.cqe_offset = 64;
	cr_expect_not_null(ring_init(&ring, &mapped));
	mapped = regions();
	kernel_region.kernel.sqe_size = 128;
	cr_expect_not_null(ring_init(&ring, &mapped));
	mapped = regions();
	mapped.size[SCUSE_REGION_KERNEL] = 100;
	cr_expect_not_null(ring_init(&ring, &mapped));
}

Test(ring, indices_run_through_zero)
{
	struct ring_regions mapped = regions();
	struct ring ring;
	struct scuse_sqe sqe;

	kernel_region.kernel.sq_tail = user_region.user.sq_head = 0xfffffffe;
	user_region.user.cq_tail = 0xffffffff;
	cr_assert_null(ring_init(&ring, &mapped));
	for (uint32_t i = 0; i < 4; i++)
		submit(100 + i);
	cr_assert_eq(ring_waiting(&ring), 4);
	for (uint32_t i = 0; i < 4; i++) {
		ring_peek(&ring, i, &sqe);
		cr_expect_eq(sqe.tag, 100 + i);
	}
	ring_advance(&ring, 4);
	cr_expect_eq(user_region.user.sq_head, 2);
	cr_expect_eq(ring_waiting(&ring), 0);
	ring_push(&ring, &(struct scuse_cqe){ .tag = 7 });
	ring_push(&ring, &(struct scuse_cqe){ .tag = 8 });
	cr_expect_eq(user_region.user.cq_tail, 0xffffffff, "nothing is visible before it is published");
	ring_publish(&ring);
	cr_expect_eq(user_region.user.cq_tail, 1);
	cr_expect(user_region.cqes[3].tag == 7 && user_region.cqes[0].tag == 8);
}

Test(ring, a_tail_that_lies_is_bounded)
{
	struct ring ring;

	good(&ring);
	kernel_region.kernel.sq_tail = 1000;
	cr_expect_eq(ring_waiting(&ring), 2 * DEPTH);
}

Test(ring, kicks_only_when_asked_to)
{
	struct ring ring;

	good(&ring);
	ring_push(&ring, &(struct scuse_cqe){ .tag = 1 });
	cr_expect(!ring_publish(&ring));
	kernel_region.kernel.flags = SCUSE_KERNEL_NEED_KICK;
	cr_expect(!ring_publish(&ring), "nothing new was published");
	ring_push(&ring, &(struct scuse_cqe){ .tag = 2 });
	cr_expect(ring_publish(&ring));
}

Test(ring, does_not_sleep_over_work)
{
	struct ring ring;

	good(&ring);
	cr_expect(ring_sleep_begin(&ring));
	cr_expect_eq(user_region.user.flags, SCUSE_USER_NEED_WAKEUP);
	ring_sleep_end(&ring);
	cr_expect_eq(user_region.user.flags, 0);
	submit(1);
	cr_expect(!ring_sleep_begin(&ring));
	cr_expect_eq(user_region.user.flags, 0);
}

Test(ring, stopped)
{
	struct ring ring;

	good(&ring);
	cr_expect(!ring_stopped(&ring));
	kernel_region.kernel.flags = SCUSE_KERNEL_STOPPED;
	cr_expect(ring_stopped(&ring));
}

Test(ring, slots)
{
	struct ring ring;

	good(&ring);
	cr_expect_eq(ring_data(&ring, 3), datas + 3 * 65536);
	cr_expect_eq(ring_sense(&ring, 2), senses + 2 * SCUSE_SENSE_STRIDE);
	cr_expect_eq(ring_cdb(&ring, 1), cdbs + SCUSE_CDB_STRIDE);
}
