// SPDX-License-Identifier: LGPL-2.1-or-later
/* What a handler tells of its own accord, and what of it the kernel hears, and how often. */
#include <criterion/criterion.h>
#include <unistd.h>

#include "recorder.h"

#define SOON  5000 /* milliseconds: on a machine that is busy */
#define NEVER 600  /* more than two of the intervals at which usage is reported */

static struct rig *new_rig(bool minor_0)
{
	struct rig_options options = rig_defaults();

	options.handler = &recorder_sync;
	options.sim.device_size = RECORDER_SIZE;
	options.sim.minor_0 = minor_0;
	return rig_new(&options);
}

Test(notify, another_medium)
{
	struct rig *rig = new_rig(false);
	struct scuse_notify notify;

	scuse_dev_changed(rig->dev, SCUSE_CHANGED_MEDIA);
	cr_assert(sim_next_notify(rig->sim, SOON, &notify));
	cr_expect_eq(notify.events, SCUSE_NOTIFY_MEDIUM);
	scuse_dev_changed(rig->dev, SCUSE_CHANGED_CAPS);
	cr_expect(!sim_next_notify(rig->sim, NEVER, &notify), "that is UPDATE's affair");
	rig_free(rig);
}

/* The first figures at once, then the latest of those that came in between. */
Test(notify, usage_is_told_now_and_then)
{
	struct rig *rig = new_rig(false);
	struct scuse_notify notify;
	unsigned int count = 0;

	scuse_dev_usage(rig->dev, 512, 1024);
	cr_assert(sim_next_notify(rig->sim, SOON, &notify));
	cr_expect(notify.events == SCUSE_NOTIFY_USAGE && notify.used_blocks == 1 &&
		  notify.available_blocks == 2);
	for (uint64_t i = 0; i <= 1000; i++)
		scuse_dev_usage(rig->dev, i * 512, (1000 - i) * 512);
	while (sim_next_notify(rig->sim, NEVER, &notify))
		count++;
	cr_expect(count >= 1 && count <= 20, "%u reports of 1001", count);
	cr_expect(notify.used_blocks == 1000 && notify.available_blocks == 0);
	rig_free(rig);
}

Test(notify, a_threshold_takes_usage_along_at_once)
{
	struct rig *rig = new_rig(false);
	struct scuse_notify notify;

	scuse_dev_usage(rig->dev, 0, 10240);
	cr_assert(sim_next_notify(rig->sim, SOON, &notify));
	scuse_dev_usage(rig->dev, 5120, 5120);
	scuse_dev_changed(rig->dev, SCUSE_CHANGED_THRESHOLD);
	/* If this thread was interrupted in between, the figures may have been told before. */
	do
		cr_assert(sim_next_notify(rig->sim, SOON, &notify));
	while (notify.events == SCUSE_NOTIFY_USAGE);
	cr_expect_eq(notify.events, SCUSE_NOTIFY_THRESHOLD | SCUSE_NOTIFY_USAGE);
	cr_expect(notify.used_blocks == 10 && notify.available_blocks == 10);
	cr_expect(!sim_next_notify(rig->sim, NEVER, &notify), "nothing was left to tell");
	rig_free(rig);
}

Test(notify, a_threshold_without_figures)
{
	struct rig *rig = new_rig(false);
	struct scuse_notify notify;

	scuse_dev_changed(rig->dev, SCUSE_CHANGED_THRESHOLD);
	cr_assert(sim_next_notify(rig->sim, SOON, &notify));
	cr_expect_eq(notify.events, SCUSE_NOTIFY_THRESHOLD);
	rig_free(rig);
}

Test(notify, a_kernel_of_minor_0_is_told_nothing)
{
	struct rig *rig = new_rig(true);
	struct scuse_notify notify;

	scuse_dev_usage(rig->dev, 512, 1024);
	scuse_dev_changed(rig->dev, SCUSE_CHANGED_THRESHOLD | SCUSE_CHANGED_MEDIA);
	cr_expect(!sim_next_notify(rig->sim, NEVER, &notify));
	rig_free(rig);
}
