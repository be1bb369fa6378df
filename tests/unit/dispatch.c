// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What becomes of commands: which handler operations carry them out, what is emulated and in which chunks,
 * what is refused, and what a handler's mistakes lead to.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "recorder.h"

static struct rig *new_rig(struct scuse_handler *handler)
{
	struct rig_options options = rig_defaults();

	options.handler = handler;
	options.sim.device_size = RECORDER_SIZE;
	return rig_new(&options);
}

static void expect_calls(const char *wanted)
{
	g_autofree char *calls = recorder_calls();

	cr_expect_str_eq(calls, wanted, "called '%s' instead of '%s'", calls, wanted);
}

static void expect_fua_is_a_flush(struct scuse_handler *handler)
{
	struct rig *rig = new_rig(handler);
	unsigned char data[1024];

	memset(data, 0x11, sizeof(data));
	cr_expect_eq(rig_write(rig, 3, 2, data, 0), SAM_GOOD);
	expect_calls("write 1536+1024");
	cr_expect_eq(rig_write(rig, 3, 2, data, SCUSE_SQE_F_FUA), SAM_GOOD);
	expect_calls("write 1536+1024 flush");
	cr_expect_eq(rig_flush(rig), SAM_GOOD);
	expect_calls("flush");
	rig_free(rig);
}

Test(dispatch, fua_is_a_write_and_a_flush)
{
	expect_fua_is_a_flush(&recorder_sync);
	expect_fua_is_a_flush(&recorder_async);
}

static void expect_chunks(struct scuse_handler *handler)
{
	struct rig *rig = new_rig(handler);
	unsigned char block[512];

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (unsigned char)(i * 7 + 1);
	/* 300 blocks are two slots of 64 KiB and a rest. */
	cr_expect_eq(rig_write_same(rig, 10, 300, block, 0), SAM_GOOD);
	expect_calls("write 5120+65536 write 70656+65536 write 136192+22528");
	for (size_t i = 0; i < 300; i++)
		cr_assert_eq(memcmp(recorder_data + (10 + i) * 512, block, 512), 0, "block %zu", i);
	cr_expect(recorder_data[10 * 512 - 1] == 0 && recorder_data[310 * 512] == 0,
		  "neighbours are untouched");
	rig_free(rig);
}

Test(dispatch, write_same_in_chunks)
{
	expect_chunks(&recorder_sync);
	expect_chunks(&recorder_async);
}

static void expect_zeroes(struct scuse_handler *handler)
{
	struct rig *rig = new_rig(handler);
	unsigned char zeros[512] = { 0 };

	memset(recorder_data, 0xff, RECORDER_SIZE);
	/* The handler has no write_zeroes, and unmap does not promise zeros. */
	cr_expect_eq(rig_write_same(rig, 0, 200, zeros, SCUSE_SQE_F_UNMAP | SCUSE_SQE_F_FUA), SAM_GOOD);
	expect_calls("write 0+65536 write 65536+36864 flush");
	cr_expect(recorder_data[0] == 0 && recorder_data[200 * 512 - 1] == 0 &&
		  recorder_data[200 * 512] == 0xff);
	rig_free(rig);
}

Test(dispatch, write_zeroes_by_writes)
{
	expect_zeroes(&recorder_sync);
	expect_zeroes(&recorder_async);
}

static void expect_ranges(struct scuse_handler *handler)
{
	const struct scuse_range ranges[] = { { 1, 2, 0 }, { 100, 0, 0 }, { 50, 10, 0 }, { 8191, 1, 0 } };
	const struct scuse_range bad[] = { { 1, 2, 0 }, { 8191, 2, 0 } };
	struct rig *rig = new_rig(handler);

	cr_expect_eq(rig_unmap(rig, ranges, 4), SAM_GOOD);
	expect_calls("unmap 512+1024 unmap 25600+5120 unmap 4193792+512");
	cr_expect_eq(rig_unmap(rig, ranges, 0), SAM_GOOD);
	expect_calls("");
	cr_expect_eq(rig_unmap(rig, bad, 2), SAM_CHECK_CONDITION);
	cr_expect_eq(rig_sense(rig), 0x052100);
	expect_calls("");
	rig_free(rig);
}

Test(dispatch, unmap_a_call_a_range)
{
	expect_ranges(&recorder_sync);
	expect_ranges(&recorder_async);
}

Test(dispatch, refuses_what_it_cannot_do)
{
	struct rig *rig = new_rig(&recorder_sync);
	struct sim_command unknown = { .op = 77 };
	unsigned char data[1024];

	cr_expect_eq(sim_execute(rig->sim, &unknown), SAM_CHECK_CONDITION);
	cr_expect(unknown.sense[2] == 5 && unknown.sense[12] == 0x20 && unknown.sense[13] == 0);
	cr_expect_eq(rig_read(rig, 8191, 2, data), SAM_CHECK_CONDITION);
	cr_expect_eq(rig_sense(rig), 0x052100);
	cr_expect_eq(rig_read(rig, UINT64_MAX, 2, data), SAM_CHECK_CONDITION);
	expect_calls("");
	rig_free(rig);
}

Test(dispatch, a_handler_without_write_is_read_only)
{
	struct scuse_sync_ops ops = *recorder_sync.sync;
	struct scuse_handler handler = recorder_sync;
	unsigned char data[512] = { 1 };
	struct rig *rig;

	ops.write = NULL;
	handler.sync = &ops;
	rig = new_rig(&handler);
	cr_expect(sim_started(rig->sim)->features & SCUSE_FEATURE_READ_ONLY);
	cr_expect_eq(rig_write(rig, 0, 1, data, 0), SAM_CHECK_CONDITION);
	cr_expect_eq(rig_sense(rig), 0x072700);
	cr_expect_eq(rig_write_same(rig, 0, 1, data, 0), SAM_CHECK_CONDITION);
	cr_expect_eq(rig_read(rig, 0, 1, data), SAM_GOOD);
	rig_free(rig);
}

Test(dispatch, errors_end_a_chain)
{
	struct rig *rig = new_rig(&recorder_sync);
	unsigned char block[512] = { 1 };

	recorder_next_result(-ENOSPC);
	cr_expect_eq(rig_write_same(rig, 0, 300, block, 0), SAM_CHECK_CONDITION);
	cr_expect_eq(rig_sense(rig), 0x072707);
	expect_calls("write 0+65536");
	recorder_next_result(-EIO);
	cr_expect_eq(rig_read(rig, 0, 1, block), SAM_CHECK_CONDITION);
	cr_expect_eq(rig_sense(rig), 0x031100);
	recorder_next_result(-ENOMEM);
	cr_expect_eq(rig_read(rig, 0, 1, block), SAM_TASK_SET_FULL);
	rig_free(rig);
}

Test(dispatch, garbage_from_a_sync_operation_is_an_error)
{
	struct rig *rig = new_rig(&recorder_sync);
	unsigned char block[512];

	recorder_next_result(512);
	cr_expect_eq(rig_read(rig, 0, 1, block), SAM_CHECK_CONDITION);
	cr_expect_eq(rig_sense(rig), 0x031100);
	recorder_next_result(IO_TOLD); /* without having told */
	cr_expect_eq(rig_read(rig, 0, 1, block), SAM_CHECK_CONDITION);
	cr_expect_eq(rig_read(rig, 0, 1, block), SAM_GOOD);
	rig_free(rig);
}

Test(dispatch, a_second_completion_is_ignored)
{
	struct rig *rig = new_rig(&recorder_async);
	unsigned char block[512];
	struct scuse_io *first;

	cr_expect_eq(rig_read(rig, 0, 1, block), SAM_GOOD);
	first = recorder_latest();
	scuse_done(first);
	scuse_fail(first, SCUSE_E_IO);
	/* Also while the tag is in use again: the slot is the same, the handle is not. */
	recorder_hold(true);
	{
		struct sim_command again = {
			.op = SCUSE_OP_READ, .blocks = 1, .data_len = 512, .data_in = block
		};

		sim_submit(rig->sim, 0, &again);
		while (recorder_latest() == first)
			usleep(1000);
		scuse_fail(first, SCUSE_E_IO);
		scuse_done(first);
		usleep(20000);
		cr_expect(!__atomic_load_n(&again.done, __ATOMIC_ACQUIRE), "the wrong command was completed");
		recorder_release();
		cr_expect(sim_wait(rig->sim, &again));
		cr_expect_eq(again.status, SAM_GOOD);
	}
	cr_expect_eq(atomic_load(&rig->dev->bugs), 4);
	rig_free(rig);
}

Test(dispatch, sync_handlers_cannot_complete_early)
{
	struct rig *rig = new_rig(&recorder_sync);
	unsigned char block[512];

	cr_expect_eq(rig_read(rig, 0, 1, block), SAM_GOOD);
	scuse_done(recorder_latest());
	cr_expect_eq(rig_read(rig, 0, 1, block), SAM_GOOD);
	cr_expect_eq(atomic_load(&rig->dev->bugs), 1);
	rig_free(rig);
}

static void expect_concurrency(struct scuse_handler *handler, unsigned int least, unsigned int most)
{
	struct sim_command commands[8];
	unsigned char data[8][512];
	struct rig *rig = new_rig(handler);
	unsigned int seen;

	recorder_most();
	if (handler->async)
		recorder_hold(true);
	for (int i = 0; i < 8; i++) {
		commands[i] = (struct sim_command){ .op = SCUSE_OP_READ,
						    .lba = (uint64_t)i,
						    .blocks = 1,
						    .data_len = 512,
						    .data_in = data[i] };
		sim_submit(rig->sim, 0, &commands[i]);
	}
	usleep(50000);
	recorder_release();
	for (int i = 0; i < 8; i++)
		cr_expect(sim_wait(rig->sim, &commands[i]) && commands[i].status == SAM_GOOD);
	seen = recorder_most();
	cr_expect(seen >= least && seen <= most, "%u commands at a time", seen);
	rig_free(rig);
}

Test(dispatch, thread_models)
{
	struct scuse_handler handler = recorder_sync;

	expect_concurrency(&handler, 1, 1);
	handler.thread_model = SCUSE_THREADS_PARALLEL;
	expect_concurrency(&handler, 1, 8);
	handler.thread_model = SCUSE_THREADS_SERIAL_LUN;
	handler.flags = SCUSE_HANDLER_INLINE;
	expect_concurrency(&handler, 1, 1);
	handler = recorder_async;
	expect_concurrency(&handler, 8, 8);
	handler.thread_model = SCUSE_THREADS_SERIAL_LUN;
	expect_concurrency(&handler, 1, 1);
}

Test(dispatch, cancel_and_reset_reach_the_handler)
{
	struct rig *rig = new_rig(&recorder_async);
	unsigned char block[512];
	struct sim_command command = { .op = SCUSE_OP_READ, .blocks = 1, .data_len = 512, .data_in = block };
	struct sim_command old = command;

	recorder_hold(true); /* only the cancel lets it end */
	sim_submit(rig->sim, 0, &command);
	sim_cancel(rig->sim, &command);
	cr_expect(sim_wait(rig->sim, &command));
	cr_expect_eq(recorder_cancels(), 1);
	old.tag = command.tag;
	sim_cancel(rig->sim, &old); /* comes too late: nothing happens */
	sim_reset(rig->sim);
	cr_expect_eq(rig_read(rig, 0, 1, block), SAM_GOOD);
	for (int i = 0; i < 1000 && !(__atomic_load_n(&rig->seen_events, __ATOMIC_ACQUIRE) & DEV_EVENT_RESET);
	     i++)
		usleep(1000);
	cr_expect_eq(recorder_cancels(), 0);
	cr_expect_eq(recorder_resets(), 1);
	rig_free(rig);
}

static struct sim_command run_cdb(struct rig *rig, const uint8_t *cdb, uint32_t length, uint8_t *data,
				  uint32_t room)
{
	struct sim_command command = {
		.op = SCUSE_OP_CDB,
		.flags = data ? SCUSE_SQE_F_DATA_IN : 0,
		.cdb = cdb,
		.cdb_len = length,
		.data_in = data,
		.data_len = room,
	};

	sim_execute(rig->sim, &command);
	return command;
}

Test(dispatch, cdbs)
{
	struct rig *rig = new_rig(&recorder_sync);
	uint8_t vendor[10] = { 0xc1, 1 }, unclaimed[10] = { 0xc2 }, data[16];
	uint8_t variable[SCUSE_CDB_MAX] = { 0x7f };
	struct sim_command command = run_cdb(rig, vendor, 10, data, sizeof(data));

	cr_expect(command.status == SAM_GOOD && command.returned == 5 && data[4] == 0xab && data[5] == 0);
	expect_calls("cdb 193+10");
	vendor[1] = 2;
	cr_expect_eq(run_cdb(rig, vendor, 10, NULL, 0).status, SAM_RESERVATION_CONFLICT);
	vendor[1] = 3;
	cr_expect_eq(run_cdb(rig, vendor, 10, NULL, 0).status, SAM_CHECK_CONDITION);
	vendor[1] = 4;
	command = run_cdb(rig, vendor, 10, NULL, 0);
	cr_expect(command.status == SAM_CHECK_CONDITION && command.sense[2] == 2 &&
		  command.sense[12] == 0x3a);
	g_free(recorder_calls());
	command = run_cdb(rig, unclaimed, 10, NULL, 0);
	cr_expect(command.status == SAM_CHECK_CONDITION && command.sense[12] == 0x20);
	variable[7] = 252;
	variable[8] = 0x12;
	variable[9] = 0x34;
	cr_expect_eq(run_cdb(rig, variable, 260, NULL, 0).status, SAM_GOOD);
	variable[9] = 0x35;
	cr_expect_eq(run_cdb(rig, variable, 260, NULL, 0).status, SAM_CHECK_CONDITION);
	expect_calls("cdb 127+260");
	rig_free(rig);
}

Test(dispatch, the_end_of_a_session_is_noticed)
{
	for (int force_poll = 0; force_poll < 2; force_poll++) {
		struct rig_options options = rig_defaults();
		struct rig *rig;
		int i;

		options.handler = &recorder_sync;
		options.force_poll = force_poll;
		options.sim.device_size = RECORDER_SIZE;
		rig = rig_new(&options);
		sim_remove(rig->sim);
		for (i = 0; i < 2000; i++, usleep(1000))
			if (__atomic_load_n(&rig->seen_events, __ATOMIC_ACQUIRE) & DEV_EVENT_ENDED)
				break;
		cr_expect(i < 2000, "nobody noticed");
		rig_free(rig);
	}
}
