// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What a handler tells of its own accord: that something about the LUN has changed, and how much storage it
 * uses.  Handlers call on any thread and at any rate; the kernel is told on the main thread, by UPDATE
 * (dev.c) and NOTIFY (here).
 *
 *	handler's threads		main thread
 *	scuse_dev_changed -> changed --> SIZE, CAPS, MEDIA: probe, UPDATE
 *				     `-> MEDIA, THRESHOLD:  NOTIFY
 *	scuse_dev_usage ---> usage ----> NOTIFY, at once with a threshold, else every USAGE_INTERVAL at most
 *	scuse_dev_unit_attention
 *		-> attentions ---------> NOTIFY, one for each code, in the order in which they came
 *
 * `usage.due` is set by who has new figures, and only the first one wakes the main thread; it is cleared
 * before the figures are read, so that none can be missed.
 */
#include <errno.h>

#include "dev.h"
#include "log.h"

#define USAGE_INTERVAL 250000 /* microseconds between two reports of usage */

void notify_init(struct scuse_dev *dev)
{
	pthread_mutex_init(&dev->usage.lock, NULL);
	dev->usage.told = g_get_monotonic_time() - USAGE_INTERVAL;
	pthread_mutex_init(&dev->attentions.lock, NULL);
	dev->attentions.codes = g_array_new(FALSE, FALSE, sizeof(uint16_t));
}

void notify_free(struct scuse_dev *dev)
{
	pthread_mutex_destroy(&dev->usage.lock);
	g_array_free(dev->attentions.codes, TRUE);
	pthread_mutex_destroy(&dev->attentions.lock);
}

SCUSE_EXPORT void scuse_dev_changed(struct scuse_dev *dev, uint32_t mask)
{
	atomic_fetch_or_explicit(&dev->changed, mask, memory_order_relaxed);
	dev_raise(dev, DEV_EVENT_CHANGED);
}

SCUSE_EXPORT void scuse_dev_usage(struct scuse_dev *dev, uint64_t used, uint64_t available)
{
	pthread_mutex_lock(&dev->usage.lock);
	dev->usage.known = true;
	dev->usage.used = used;
	dev->usage.available = available;
	pthread_mutex_unlock(&dev->usage.lock);
	if (!atomic_exchange(&dev->usage.due, true))
		dev_raise(dev, DEV_EVENT_USAGE);
}

/* Microseconds until the kernel may be told of usage again; 0: now. */
static int64_t usage_wait(const struct dev_usage *usage)
{
	int64_t passed = g_get_monotonic_time() - usage->told;

	return passed < USAGE_INTERVAL ? USAGE_INTERVAL - passed : 0;
}

int dev_timeout(struct scuse_dev *dev)
{
	if (!atomic_load(&dev->usage.due))
		return -1;
	return (int)((usage_wait(&dev->usage) + 999) / 1000);
}

static void add_usage(struct scuse_dev *dev, struct scuse_notify *notify)
{
	struct dev_usage *usage = &dev->usage;

	atomic_store(&usage->due, false);
	usage->told = g_get_monotonic_time();
	pthread_mutex_lock(&usage->lock);
	if (usage->known && !dev->raw) {
		notify->events |= SCUSE_NOTIFY_USAGE;
		notify->used_blocks = usage->used / dev->block_size;
		notify->available_blocks = usage->available / dev->block_size;
	}
	pthread_mutex_unlock(&usage->lock);
}

void notify_kernel(struct scuse_dev *dev, uint32_t changed)
{
	struct scuse_notify notify = { .size = sizeof(notify) };
	int result;

	if (changed & SCUSE_CHANGED_MEDIA)
		notify.events |= SCUSE_NOTIFY_MEDIUM;
	if (changed & SCUSE_CHANGED_THRESHOLD)
		notify.events |= SCUSE_NOTIFY_THRESHOLD;
	if (changed & SCUSE_CHANGED_THRESHOLD || (atomic_load(&dev->usage.due) && !usage_wait(&dev->usage)))
		add_usage(dev, &notify);
	if (!notify.events || dev->info.abi_minor < 1)
		return;
	result = dev->device_ops->notify(dev->device, &notify);
	if (result && result != -ENODEV)
		scuse_error("the kernel cannot be told what has happened to the medium: %s",
			    g_strerror(-result));
}

/* ---- unit attentions ---- */

/* A code that is still pending is not taken twice: to initiators it is one condition. */
SCUSE_EXPORT void scuse_dev_unit_attention(struct scuse_dev *dev, uint8_t asc, uint8_t ascq)
{
	uint16_t code = (uint16_t)(asc << 8 | ascq);
	bool pending = false;
	GArray *codes;

	pthread_mutex_lock(&dev->attentions.lock);
	codes = dev->attentions.codes;
	for (guint i = 0; i < codes->len; i++)
		pending |= g_array_index(codes, uint16_t, i) == code;
	if (!pending)
		g_array_append_val(codes, code);
	pthread_mutex_unlock(&dev->attentions.lock);
	dev_raise(dev, DEV_EVENT_ATTENTION);
}

/* Takes all that are pending; the caller frees the array. */
static GArray *take_attentions(struct scuse_dev *dev)
{
	GArray *taken;

	pthread_mutex_lock(&dev->attentions.lock);
	taken = dev->attentions.codes;
	dev->attentions.codes = g_array_new(FALSE, FALSE, sizeof(uint16_t));
	pthread_mutex_unlock(&dev->attentions.lock);
	return taken;
}

void notify_attentions(struct scuse_dev *dev)
{
	g_autoptr(GArray) codes = take_attentions(dev);

	if (codes->len && (!dev->raw || !dev_caps(dev)->unit_attentions)) {
		dev_handler_bug(dev,
				"it tells of unit attentions, which its capabilities (unit_attentions) do "
				"not say");
		return;
	}
	for (guint i = 0; i < codes->len; i++) {
		uint16_t code = g_array_index(codes, uint16_t, i);
		struct scuse_notify notify = {
			.size = sizeof(notify),
			.events = SCUSE_NOTIFY_UNIT_ATTENTION,
			.asc = (uint8_t)(code >> 8),
			.ascq = (uint8_t)code,
		};
		int result = dev->device_ops->notify(dev->device, &notify);

		if (result && result != -ENODEV)
			scuse_error("the kernel cannot be told of the unit attention %02Xh/%02Xh: %s",
				    notify.asc, notify.ascq, g_strerror(-result));
	}
}
