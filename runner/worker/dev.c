// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A LUN in its worker: opening, starting, resizing, stopping.  All on the main thread, see dev.h; process.c
 * calls it on orders of the supervisor, the tests on a simulated kernel.
 */
#include "dev.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "claims.h"
#include "log.h"
#include "pressure.h"

#define POOL_THREADS 16	  /* of a handler that takes any number of commands */
#define STOP_TIMEOUT 6000 /* milliseconds that commands in flight have to end */
#define BUGS_LOGGED  100
#define RAW_MINOR    2 /* of the ring ABI: the first one with raw LUNs */

#define CHANGED_ADVICE                                                                                       \
	"put the former one back and reload scuse-runner, or `scuse rm` the LUN and create it anew for the " \
	"one that is there now"

/* Interrupts ENTER; what it does is nothing. */
static void on_wake_signal(int number)
{
	(void)number;
}

struct scuse_dev *dev_new(const char *name, const struct worker_device_ops *ops, void *device)
{
	struct scuse_dev *dev = g_new0(struct scuse_dev, 1);
	struct sigaction action = { .sa_handler = on_wake_signal };

	sigaction(SIGURG, &action, NULL);
	dev->name = g_strdup(name);
	dev->device_ops = ops;
	dev->device = device;
	dev->all_caps = g_ptr_array_new_with_free_func(g_free);
	pthread_mutex_init(&dev->phase_lock, NULL);
	pthread_cond_init(&dev->phase_changed, NULL);
	pthread_mutex_init(&dev->serial_lock, NULL);
	notify_init(dev);
	dev->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return dev;
}

void dev_free(struct scuse_dev *dev)
{
	if (!dev)
		return;
	for (uint32_t i = 0; i < dev->nr_queues; i++)
		queue_teardown(&dev->queues[i]);
	free(dev->queues);
	g_ptr_array_free(dev->all_caps, TRUE);
	notify_free(dev);
	pthread_mutex_destroy(&dev->serial_lock);
	pthread_cond_destroy(&dev->phase_changed);
	pthread_mutex_destroy(&dev->phase_lock);
	if (dev->event_fd >= 0)
		close(dev->event_fd);
	g_free(dev->known_identity);
	g_free(dev->name);
	g_free(dev);
}

/* ---- events ---- */

void dev_raise(struct scuse_dev *dev, uint32_t events)
{
	uint64_t one = 1;

	atomic_fetch_or_explicit(&dev->events, events, memory_order_release);
	if (write(dev->event_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_error("eventfd: %s", strerror(errno));
}

void dev_handler_bug(struct scuse_dev *dev, const char *format, ...)
{
	uint32_t before = atomic_fetch_add_explicit(&dev->bugs, 1, memory_order_relaxed);
	char text[300];
	va_list args;

	if (before >= BUGS_LOGGED)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_error("handler %s has a bug: %s%s", dev->handler->def.name, text,
		  before == BUGS_LOGGED - 1 ? " (more of these are not logged)" : "");
}

SCUSE_EXPORT const char *scuse_dev_name(const struct scuse_dev *dev)
{
	return dev->name;
}

/* ---- calls into the handler ---- */

static void entering(struct scuse_dev *dev, const char *callback)
{
	if (dev->entering)
		dev->entering(dev->entering_data, callback);
}

/* The error of a callback in words: the handler's own, if it had any. */
static char *callback_error(struct scuse_dev *dev, const char *callback, int result,
			    const struct error_capture *said)
{
	if (said->text[0])
		return g_strdup(said->text);
	return g_strdup_printf("handler %s: %s failed: %s", dev->handler->def.name, callback,
			       g_strerror(result == INT_MIN ? EIO : ABS(result)));
}

static int failure(int result)
{
	return result < 0 && result > -4096 ? result : -EIO;
}

static int call_validate(struct scuse_dev *dev, char **error)
{
	struct error_capture capture;
	int result;

	if (!dev->handler->def.validate)
		return 0;
	entering(dev, "validate");
	error_capture_begin(&capture);
	result = dev->handler->def.validate(dev->config);
	error_capture_end(&capture);
	if (!result)
		return 0;
	*error = callback_error(dev, "validate", result, &capture);
	return failure(result);
}

static int call_open(struct scuse_dev *dev, char **error)
{
	struct error_capture capture;
	int result;

	entering(dev, "open");
	error_capture_begin(&capture);
	result = dev->handler->def.open(dev, dev->config, &dev->handle);
	error_capture_end(&capture);
	dev->handler_open = !result;
	if (!result)
		return 0;
	*error = callback_error(dev, "open", result, &capture);
	return failure(result);
}

static int call_start(struct scuse_dev *dev, char **error)
{
	struct error_capture capture;
	int result = 0;

	if (dev->handler->def.start) {
		entering(dev, "start");
		error_capture_begin(&capture);
		result = dev->handler->def.start(dev->handle);
		error_capture_end(&capture);
	}
	dev->handler_started = !result;
	if (!result)
		return 0;
	*error = callback_error(dev, "start", result, &capture);
	return failure(result);
}

static int call_probe(struct scuse_dev *dev, struct scuse_caps *caps, char **error)
{
	struct error_capture capture;
	int result;

	memset(caps, 0, sizeof(*caps));
	caps->struct_size = sizeof(*caps);
	if (!dev->handler->def.probe)
		return 0;
	entering(dev, "probe");
	error_capture_begin(&capture);
	result = dev->handler->def.probe(dev->handle, caps);
	error_capture_end(&capture);
	if (!result)
		return 0;
	*error = callback_error(dev, "probe", result, &capture);
	return failure(result);
}

/* ---- opening ---- */

static enum run_mode run_mode(const struct handler *handler)
{
	uint32_t model = handler->def.thread_model;

	if (handler->def.async)
		return model == SCUSE_THREADS_SERIAL_LUN ? RUN_ASYNC_SERIAL : RUN_ASYNC;
	if (model == SCUSE_THREADS_QUEUE_AFFINE)
		return RUN_INLINE;
	if (!(handler->def.flags & SCUSE_HANDLER_INLINE))
		return RUN_POOL;
	return model == SCUSE_THREADS_PARALLEL ? RUN_INLINE : RUN_INLINE_SERIAL;
}

static void *keep(struct scuse_dev *dev, const void *from, size_t size)
{
	void *copy = g_memdup2(from, size);

	g_ptr_array_add(dev->all_caps, copy);
	return copy;
}

/*
 * Publishes new capabilities; queue threads may still be reading the old ones, and what these point to is the
 * handler's to change.
 */
static void set_caps(struct scuse_dev *dev, const struct scuse_caps *caps)
{
	struct scuse_caps *copy = keep(dev, caps, sizeof(*caps));

	if (caps->claims)
		copy->claims =
			keep(dev, caps->claims, (claims_count(caps->claims) + 1) * sizeof(*caps->claims));
	if (caps->identity)
		copy->identity = keep(dev, caps->identity, strlen(caps->identity) + 1);
	atomic_store_explicit(&dev->caps, copy, memory_order_release);
	atomic_store_explicit(&dev->size, caps->device_size, memory_order_relaxed);
	config_set_device_size(dev->config, caps->device_size);
}

/* A raw LUN stays the device that it was when it was served first. */
static bool check_same_device(const struct scuse_dev *dev, const struct scuse_caps *caps, char **error)
{
	uint32_t type = dev->info.device_type;
	const char *known = dev->known_identity, *now = caps->identity;

	if (type != SCUSE_TYPE_UNKNOWN && type != caps->device_type)
		*error = g_strdup_printf("the device behind the LUN has changed: its type was %02xh, is "
					 "%02xh; " CHANGED_ADVICE,
					 type, caps->device_type);
	else if (known && *known && now && *now && strcmp(known, now) != 0)
		*error = g_strdup_printf(
			"the device behind the LUN has changed: was %s, is %s; " CHANGED_ADVICE, known, now);
	return !*error;
}

/* What probe said becomes what the LUN can do.  `size`: what it is to have; 0: the handler is to say. */
static bool resolve_caps(struct scuse_dev *dev, uint64_t size, struct scuse_caps *caps, char **error)
{
	if (dev->raw)
		return caps_resolve_raw(dev->handler, caps, error) && check_same_device(dev, caps, error);
	if (!caps_resolve(dev->handler, size, dev->block_size, caps, error))
		return false;
	if (!dev->info.pi_type || caps->protection == SCUSE_CAP_NATIVE)
		return true;
	*error = g_strdup_printf("the LUN was created with protection information (type %u), but handler %s "
				 "does not keep any: create it without --protection, or use a handler that "
				 "keeps it (memory)",
				 dev->info.pi_type, dev->handler->def.name);
	return false;
}

static int probe_first(struct scuse_dev *dev, char **error)
{
	struct scuse_caps caps;
	int result = call_probe(dev, &caps, error);

	if (result)
		return result;
	if (!resolve_caps(dev, scuse_config_device_size(dev->config), &caps, error))
		return -EINVAL;
	set_caps(dev, &caps);
	return 0;
}

static int setup_queues(struct scuse_dev *dev, char **error)
{
	dev->queues = calloc(dev->info.queues, sizeof(*dev->queues));
	for (uint32_t i = 0; dev->queues && i < dev->info.queues; i++) {
		int result;

		dev->nr_queues = i + 1;
		result = queue_setup(dev, i, error);
		if (result)
			return result;
	}
	return dev->queues ? 0 : -ENOMEM;
}

static void set_phase(struct scuse_dev *dev, enum dev_phase phase)
{
	pthread_mutex_lock(&dev->phase_lock);
	atomic_store_explicit(&dev->phase, phase, memory_order_release);
	pthread_cond_broadcast(&dev->phase_changed);
	pthread_mutex_unlock(&dev->phase_lock);
}

/*
 * Every thread calls queue_open; all of them must succeed.  Errors are the handler's words, said on that
 * thread.
 */
static int start_threads(struct scuse_dev *dev, char **error)
{
	int result = 0;

	if (dev->mode == RUN_POOL) {
		bool parallel = dev->handler->def.thread_model == SCUSE_THREADS_PARALLEL;

		dev->pool = pool_new(parallel ? POOL_THREADS : 1);
		if (!dev->pool) {
			*error = g_strdup("cannot start threads for the handler");
			return -EAGAIN;
		}
	}
	if (dev->mode == RUN_POOL && dev_resets(dev)) {
		dev->reset_pool = pool_new(1);
		if (!dev->reset_pool) {
			*error = g_strdup("cannot start a thread for resets");
			return -EAGAIN;
		}
	}
	entering(dev, "queue_open");
	for (uint32_t i = 0; i < dev->nr_queues && !result; i++)
		result = queue_start_thread(&dev->queues[i]);
	pthread_mutex_lock(&dev->phase_lock);
	for (uint32_t i = 0; i < dev->nr_queues; i++) {
		struct queue *queue = &dev->queues[i];

		while (queue->has_thread && queue->state == QUEUE_STARTING)
			pthread_cond_wait(&dev->phase_changed, &dev->phase_lock);
		if (!queue->has_thread || queue->state != QUEUE_FAILED || result)
			continue;
		result = failure(queue->open_result);
		*error = callback_error(dev, "queue_open", result, &queue->open_said);
	}
	pthread_mutex_unlock(&dev->phase_lock);
	if (result && !*error)
		*error = g_strdup_printf("cannot start the threads of the queues: %s", g_strerror(-result));
	return result;
}

/* `how` is START or UPDATE. */
static int tell_caps(struct scuse_dev *dev, int (*how)(void *device, const struct scuse_start *start))
{
	const struct scuse_caps *caps = dev_caps(dev);
	g_autofree struct scuse_command *commands = NULL;
	struct scuse_start start;

	caps_to_start(caps, &dev->info, &start);
	if (dev->raw) {
		commands = claims_to_commands(caps->claims);
		start.commands = (uintptr_t)commands;
		start.nr_commands = (uint32_t)claims_count(caps->claims);
		start.features |= dev_resets(dev) ? SCUSE_FEATURE_RESET : 0;
	}
	return how(dev->device, &start);
}

static int start_session(struct scuse_dev *dev, char **error)
{
	int result = tell_caps(dev, dev->device_ops->start);

	if (result == -EPROTONOSUPPORT)
		*error = g_strdup_printf(
			"the kernel module does not speak ring ABI %d: install the module and "
			"scuse-runner of one version",
			SCUSE_ABI_MAJOR);
	else if (result == -EXDEV)
		*error = g_strdup_printf(
			"the device behind the LUN has changed: it is %s now; " CHANGED_ADVICE,
			dev_caps(dev)->identity ? dev_caps(dev)->identity : "unknown");
	else if (result)
		*error = g_strdup_printf("the kernel refuses to start the LUN: %s (its log says more)",
					 g_strerror(-result));
	return result;
}

/* Do the LUN and its handler agree on what they are? */
static int check_kind(const struct scuse_dev *dev, char **error)
{
	const struct scuse_handler *def = &dev->handler->def;
	uint32_t type = dev->info.device_type;
	bool raw = handler_is_raw(dev->handler);

	if (raw && dev->info.abi_minor < RAW_MINOR) {
		*error = g_strdup_printf(
			"handler %s needs raw LUNs, which the kernel module (ring ABI %u.%u) does not know: "
			"install the module of this scuse",
			def->name, dev->info.abi_major, dev->info.abi_minor);
		return -EPROTONOSUPPORT;
	}
	if (raw != dev->raw)
		*error =
			g_strdup_printf(raw ? "handler %s serves raw LUNs, and this is none: create it with "
					      "`scuse create`, or write raw=1 to its control file"
					    : "the LUN is a raw one, but handler %s serves disks of its own: "
					      "create it without raw=1",
					def->name);
	else if (def->device_type != SCUSE_DEVICE_TYPE_ANY && def->device_type != type &&
		 !(raw && type == SCUSE_TYPE_UNKNOWN))
		*error = g_strdup_printf(
			"handler %s is for SCSI device type %02xh, but the LUN has type %02xh", def->name,
			def->device_type, type);
	return *error ? -EINVAL : 0;
}

static int get_info(struct scuse_dev *dev, char **error)
{
	int result;

	memset(&dev->info, 0, sizeof(dev->info));
	dev->info.size = sizeof(dev->info);
	result = dev->device_ops->info(dev->device, &dev->info);
	if (result) {
		*error = g_strdup_printf("cannot ask the kernel about the LUN: %s", g_strerror(-result));
		return result;
	}
	if (dev->info.abi_major != SCUSE_ABI_MAJOR) {
		*error = g_strdup_printf(
			"the kernel module has ring ABI %u.%u, scuse-runner %u.%u: install the module and "
			"scuse-runner of one version",
			dev->info.abi_major, dev->info.abi_minor, SCUSE_ABI_MAJOR, SCUSE_ABI_MINOR);
		return -EPROTONOSUPPORT;
	}
	dev->block_size = dev->info.block_size;
	dev->raw = dev->info.flags & SCUSE_INFO_RAW;
	return check_kind(dev, error);
}

int dev_open(struct scuse_dev *dev, struct handler *handler, struct scuse_config *config, char **error)
{
	int result;

	dev->handler = handler;
	dev->config = config;
	dev->mode = run_mode(handler);
	result = get_info(dev, error);
	if (!result)
		result = call_validate(dev, error);
	if (!result)
		result = call_open(dev, error);
	if (!result)
		result = probe_first(dev, error);
	if (!result) {
		pressure_begin_mapping();
		result = setup_queues(dev, error);
		pressure_end_mapping();
	}
	if (!result)
		result = start_threads(dev, error);
	if (!result)
		result = call_start(dev, error);
	if (!result && dev->started)
		result = dev->started(dev, error);
	if (!result)
		result = start_session(dev, error);
	if (!result) {
		notify_attentions(dev);
		set_phase(dev, PHASE_RUNNING);
		entering(dev, "");
		return 0;
	}
	dev_stop(dev);
	return result;
}

/* ---- changes ---- */

/* Without the operation: a size that the handler has anyway. */
static int resize_without(struct scuse_dev *dev, uint64_t size, char **error)
{
	struct scuse_caps caps;
	int result = call_probe(dev, &caps, error);

	if (result)
		return result;
	if (size <= (caps.device_size ? caps.device_size : atomic_load(&dev->size)))
		return 0;
	*error = g_strdup_printf("handler %s cannot change its size", dev->handler->def.name);
	return -EOPNOTSUPP;
}

int dev_resize(struct scuse_dev *dev, uint64_t size, char **error)
{
	struct error_capture capture;
	struct scuse_caps caps;
	int result;

	if (dev->raw) {
		*error = g_strdup("a raw LUN has no size of its own: it is its device's affair");
		return -EOPNOTSUPP;
	}
	if (!size || size % dev->block_size) {
		*error = g_strdup_printf("the size, %" G_GUINT64_FORMAT
					 " bytes, is not a multiple of the block size, %u",
					 size, dev->block_size);
		return -EINVAL;
	}
	if (!dev->handler->def.resize) {
		result = resize_without(dev, size, error);
	} else {
		entering(dev, "resize");
		error_capture_begin(&capture);
		result = dev->handler->def.resize(dev->handle, size);
		error_capture_end(&capture);
		if (result)
			*error = callback_error(dev, "resize", result, &capture);
		result = result ? failure(result) : 0;
	}
	if (!result) {
		caps = *dev_caps(dev);
		caps.device_size = size;
		set_caps(dev, &caps);
	}
	entering(dev, "");
	return result;
}

/* The size, the capabilities, or the whole medium are others now: probe again, tell the kernel. */
static void probe_again(struct scuse_dev *dev, uint32_t changed)
{
	uint64_t size = changed & SCUSE_CHANGED_SIZE ? 0 : atomic_load(&dev->size);
	g_autofree char *error = NULL;
	struct scuse_caps caps;
	int result = call_probe(dev, &caps, &error);

	entering(dev, "");
	if (!result && !size && !caps.device_size)
		size = atomic_load(&dev->size);
	if (result || !resolve_caps(dev, size, &caps, &error)) {
		scuse_error("a change of the LUN was not taken over: %s", error);
		return;
	}
	set_caps(dev, &caps);
	result = tell_caps(dev, dev->device_ops->update);
	if (result)
		scuse_error("the kernel does not take over a change of the LUN: %s", g_strerror(-result));
}

uint32_t dev_events(struct scuse_dev *dev)
{
	uint64_t count;
	uint32_t events, changed;

	if (read(dev->event_fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		log_error("eventfd: %s", strerror(errno));
	events = atomic_exchange_explicit(&dev->events, 0, memory_order_acq_rel);
	if (events & DEV_EVENT_RESET && dev->handler->def.reset)
		dev->handler->def.reset(dev->handle);
	changed = events & DEV_EVENT_CHANGED ? atomic_exchange(&dev->changed, 0) : 0;
	if (changed & (SCUSE_CHANGED_SIZE | SCUSE_CHANGED_CAPS | SCUSE_CHANGED_MEDIA))
		probe_again(dev, changed);
	notify_kernel(dev, changed);
	if (events & DEV_EVENT_ATTENTION)
		notify_attentions(dev);
	return events;
}

/* ---- stopping ---- */

/*
 * Interrupts are not certain to meet a thread in its sleep, so they are repeated until each thread got
 * there.
 */
static bool await_queues(struct scuse_dev *dev, enum queue_state state, int milliseconds)
{
	const struct timespec pause = { .tv_nsec = 2000000 };

	for (int waited = 0; waited < milliseconds; waited += 2) {
		bool all = true;

		for (uint32_t i = 0; i < dev->nr_queues; i++) {
			struct queue *queue = &dev->queues[i];
			bool there;

			pthread_mutex_lock(&dev->phase_lock);
			there = !queue->has_thread || queue->state >= state || queue->state == QUEUE_FAILED;
			pthread_mutex_unlock(&dev->phase_lock);
			if (!there && state == QUEUE_DRAINED)
				queue_interrupt(queue);
			all &= there;
		}
		if (all)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

static bool end_threads(struct scuse_dev *dev)
{
	set_phase(dev, PHASE_DRAINING);
	if (!await_queues(dev, QUEUE_DRAINED, STOP_TIMEOUT))
		return false;
	pool_free(dev->pool);
	dev->pool = NULL;
	pool_free(dev->reset_pool);
	dev->reset_pool = NULL;
	if (dev->handler_started && dev->handler->def.stop)
		dev->handler->def.stop(dev->handle);
	dev->handler_started = false;
	set_phase(dev, PHASE_CLOSING);
	for (uint32_t i = 0; i < dev->nr_queues; i++) {
		if (dev->queues[i].has_thread)
			pthread_join(dev->queues[i].thread, NULL);
		dev->queues[i].has_thread = false;
	}
	return true;
}

int dev_stop(struct scuse_dev *dev)
{
	if (dev->handler_started && dev->handler->def.quiesce) {
		entering(dev, "quiesce");
		dev->handler->def.quiesce(dev->handle);
	}
	entering(dev, "stop");
	if (!end_threads(dev))
		return -ETIMEDOUT;
	if (dev->handler_open && dev->handler->def.close) {
		entering(dev, "close");
		dev->handler->def.close(dev->handle);
	}
	dev->handler_open = false;
	return 0;
}
