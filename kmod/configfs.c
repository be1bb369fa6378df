// SPDX-License-Identifier: GPL-2.0-only
/*
 * What configfs shows of a device: `control` (parameters, before enable), `info`, and the attributes in
 * attrib/.
 *
 * The attributes are core's plus a few of our own (scuse_own_attrs).  Tools that restore a configuration write every
 * attribute after enable; core refuses some of these even when nothing would change, so they are
 * wrapped here: writing the present value always succeeds.  block_size cannot be changed at all, since
 * the worker counts in blocks.
 *
 * Context: configfs, process context.  Locking: scuse_device.lock for parameters.
 */
#include <linux/configfs.h>
#include <linux/ctype.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include "scuse.h"

static int scuse_set_handler(struct scuse_device *dev, char *value)
{
	size_t len = strlen(value);
	size_t i;

	if (!len || len >= SCUSE_HANDLER_MAX)
		return -EINVAL;
	for (i = 0; i < len; i++) {
		if (!isalnum(value[i]) && !strchr("_.-", value[i]))
			return -EINVAL;
	}
	strscpy(dev->handler, value, sizeof(dev->handler));
	return 0;
}

static int scuse_set_size(struct scuse_device *dev, char *value)
{
	u64 size;
	int ret = kstrtou64(value, 0, &size);

	if (ret)
		return ret;
	if (size > LLONG_MAX)
		return -EINVAL;
	dev->want_size = size;
	return 0;
}

static int scuse_set_u32(u32 *field, const char *value, u32 low, u32 high)
{
	u32 number;
	int ret = kstrtou32(value, 0, &number);

	if (ret)
		return ret;
	if (number < low || number > high)
		return -EINVAL;
	*field = number;
	return 0;
}

static int scuse_set_power_of_2(u32 *field, const char *value, u32 low, u32 high)
{
	u32 number;
	int ret = scuse_set_u32(&number, value, low, high);

	if (ret)
		return ret;
	if (!is_power_of_2(number))
		return -EINVAL;
	*field = number;
	return 0;
}

static int scuse_set_block_size(struct scuse_device *dev, char *value)
{
	return scuse_set_power_of_2(&dev->block_size, value, 512, 4096);
}

static int scuse_set_queues(struct scuse_device *dev, char *value)
{
	return scuse_set_u32(&dev->want_queues, value, 1, SCUSE_MAX_QUEUES);
}

static int scuse_set_depth(struct scuse_device *dev, char *value)
{
	return scuse_set_power_of_2(&dev->want_depth, value, SCUSE_MIN_DEPTH, SCUSE_MAX_DEPTH);
}

static int scuse_set_max_transfer(struct scuse_device *dev, char *value)
{
	u32 bytes;
	int ret = scuse_set_u32(&bytes, value, SCUSE_MIN_TRANSFER, SCUSE_MAX_TRANSFER);

	if (ret)
		return ret;
	if (!PAGE_ALIGNED(bytes))
		return -EINVAL;
	dev->max_transfer = bytes;
	return 0;
}

static int scuse_set_device_type(struct scuse_device *dev, char *value)
{
	return scuse_set_u32(&dev->want_type, value, 0, SCUSE_TYPE_UNKNOWN - 1);
}

static int scuse_set_raw(struct scuse_device *dev, char *value)
{
	u32 raw;
	int ret = scuse_set_u32(&raw, value, 0, 1);

	if (!ret)
		dev->raw = raw;
	return ret;
}

/* T10 protection type */
static int scuse_set_protection(struct scuse_device *dev, char *value)
{
	u32 type;
	int ret = scuse_set_u32(&type, value, 0, 3);

	if (ret)
		return ret;
	if (type == 2)
		return -EINVAL;
	dev->pi_type = type;
	return 0;
}

/* Appends one KEY=VALUE line to the handler's parameters. */
static int scuse_add_param(struct scuse_device *dev, char *value)
{
	size_t len = strlen(value);

	if (!strchr(value, '='))
		return -EINVAL;
	if (dev->config_len + len + 2 > sizeof(dev->config))
		return -ENOSPC;
	memcpy(dev->config + dev->config_len, value, len);
	dev->config_len += len;
	dev->config[dev->config_len++] = '\n';
	dev->config[dev->config_len] = 0;
	return 0;
}

static const struct {
	const char *key;
	int (*set)(struct scuse_device *dev, char *value);
	const char *want;
} scuse_control_keys[] = {
	{ "handler", scuse_set_handler, "1 to 31 letters, digits, '_', '.', '-'" },
	{ "size", scuse_set_size, "bytes" },
	{ "block_size", scuse_set_block_size, "512, 1024, 2048 or 4096" },
	{ "queues", scuse_set_queues, "1 to 64" },
	{ "depth", scuse_set_depth, "a power of two, 2 to 4096" },
	{ "max_transfer", scuse_set_max_transfer, "bytes, a multiple of the page size, 65536 to 16777216" },
	{ "raw", scuse_set_raw, "0 or 1" },
	{ "device_type", scuse_set_device_type, "0 to 30" },
	{ "protection", scuse_set_protection, "0 (none), 1 or 3" },
	{ "param", scuse_add_param, "KEY=VALUE; all of them together at most 3999 bytes" },
};

static int scuse_control_line(struct scuse_device *dev, char *line)
{
	char *value = strchr(line, '=');
	int ret;
	int i;

	if (!value) {
		pr_err("%s: control: '%s' is not of the form key=value\n", dev->name, line);
		return -EINVAL;
	}
	*value++ = 0;
	for (i = 0; i < ARRAY_SIZE(scuse_control_keys); i++) {
		if (strcmp(line, scuse_control_keys[i].key))
			continue;
		ret = scuse_control_keys[i].set(dev, value);
		if (ret)
			pr_err("%s: control: %s=%s is not accepted; it takes %s\n", dev->name, line, value,
			       scuse_control_keys[i].want);
		return ret;
	}
	pr_err("%s: control: unknown key '%s'\n", dev->name, line);
	return -EINVAL;
}

ssize_t scuse_control_store(struct se_device *se_dev, const char *page, ssize_t count)
{
	struct scuse_device *dev = to_scuse(se_dev);
	char *copy, *rest, *line;
	int ret = 0;

	copy = kmemdup_nul(page, count, GFP_KERNEL);
	if (!copy)
		return -ENOMEM;
	rest = copy;
	mutex_lock(&dev->lock);
	if (dev->enabled) {
		pr_err("%s: control: the device is enabled, its parameters are fixed\n", dev->name);
		ret = -EBUSY;
	}
	while (!ret && (line = strsep(&rest, "\n"))) {
		if (*line)
			ret = scuse_control_line(dev, line);
	}
	mutex_unlock(&dev->lock);
	kfree(copy);
	return ret ? ret : count;
}

ssize_t scuse_info_show(struct se_device *se_dev, char *page)
{
	static const char *const states[] = { "offline", "online", "broken", "removing" };
	struct scuse_device *dev = to_scuse(se_dev);
	ssize_t len;

	mutex_lock(&dev->lock);
	len = scnprintf(page, PAGE_SIZE / 4,
			"        SCUSE Handler: %s  Size: %llu  BlockSize: %u  MaxTransfer: %u\n",
			dev->handler, dev->size, dev->block_size, dev->max_transfer);
	if (dev->enabled)
		len += scnprintf(page + len, PAGE_SIZE / 4,
				 "        Id: %u  Queues: %u  Depth: %u  State: %s  Worker: %u\n", dev->id,
				 dev->nr_queues, dev->depth, states[dev->state & 3], dev->worker);
	mutex_unlock(&dev->lock);
	return len;
}

static struct scuse_device *scuse_attrib_device(struct config_item *item)
{
	struct se_dev_attrib *attrib = container_of(to_config_group(item), struct se_dev_attrib, da_group);

	return to_scuse(attrib->da_dev);
}

/* What may no longer wait ends now. */
static void scuse_policy_changed(struct scuse_device *dev)
{
	mutex_lock(&dev->lock);
	scuse_orphans_review(dev);
	mutex_unlock(&dev->lock);
}

static ssize_t orphan_timeout_show(struct config_item *item, char *page)
{
	return sprintf(page, "%d\n", READ_ONCE(scuse_attrib_device(item)->orphan_timeout));
}

static ssize_t orphan_timeout_store(struct config_item *item, const char *page, size_t count)
{
	int seconds;
	int ret = kstrtoint(page, 0, &seconds);

	if (ret)
		return ret;
	if (seconds < -1 || seconds > 86400)
		return -EINVAL;
	WRITE_ONCE(scuse_attrib_device(item)->orphan_timeout, seconds);
	scuse_policy_changed(scuse_attrib_device(item));
	return count;
}

CONFIGFS_ATTR(, orphan_timeout);

static ssize_t command_timeout_show(struct config_item *item, char *page)
{
	return sprintf(page, "%u\n", READ_ONCE(scuse_attrib_device(item)->watch.command_timeout));
}

static ssize_t command_timeout_store(struct config_item *item, const char *page, size_t count)
{
	u32 seconds;
	int ret = scuse_set_u32(&seconds, page, 0, SCUSE_COMMAND_TIMEOUT_MAX);

	if (ret)
		return ret;
	WRITE_ONCE(scuse_attrib_device(item)->watch.command_timeout, seconds);
	return count;
}

CONFIGFS_ATTR(, command_timeout);

static ssize_t tmf_timeout_show(struct config_item *item, char *page)
{
	return sprintf(page, "%u\n", scuse_tmf_timeout(scuse_attrib_device(item)));
}

static ssize_t tmf_timeout_store(struct config_item *item, const char *page, size_t count)
{
	u32 seconds;
	int ret = scuse_set_u32(&seconds, page, 1, SCUSE_TMF_TIMEOUT_MAX);

	if (ret)
		return ret;
	WRITE_ONCE(scuse_attrib_device(item)->watch.tmf_timeout, seconds);
	return count;
}

CONFIGFS_ATTR(, tmf_timeout);

/* What applies, in bytes; 0 written: the default. */
static ssize_t max_memory_show(struct config_item *item, char *page)
{
	return sprintf(page, "%llu\n", scuse_memory_max(scuse_attrib_device(item)));
}

static ssize_t max_memory_store(struct config_item *item, const char *page, size_t count)
{
	u64 bytes;
	int ret = kstrtou64(page, 0, &bytes);

	if (ret)
		return ret;
	WRITE_ONCE(scuse_attrib_device(item)->max_memory, bytes);
	return count;
}

CONFIGFS_ATTR(, max_memory);
static const char *const scuse_orphan_policies[] = {
	[SCUSE_ORPHAN_WAIT] = "wait",
	[SCUSE_ORPHAN_BUSY] = "busy",
	[SCUSE_ORPHAN_ERROR] = "error",
};

static ssize_t orphan_policy_show(struct config_item *item, char *page)
{
	return sprintf(page, "%s\n",
		       scuse_orphan_policies[READ_ONCE(scuse_attrib_device(item)->orphan_policy)]);
}

static ssize_t orphan_policy_store(struct config_item *item, const char *page, size_t count)
{
	int policy = sysfs_match_string(scuse_orphan_policies, page);

	if (policy < 0)
		return policy;
	WRITE_ONCE(scuse_attrib_device(item)->orphan_policy, policy);
	scuse_policy_changed(scuse_attrib_device(item));
	return count;
}

CONFIGFS_ATTR(, orphan_policy);

static const char *const scuse_inflight_policies[] = {
	[SCUSE_INFLIGHT_REPLAY] = "replay",
	[SCUSE_INFLIGHT_BUSY] = "busy",
};

static ssize_t inflight_policy_show(struct config_item *item, char *page)
{
	return sprintf(page, "%s\n",
		       scuse_inflight_policies[READ_ONCE(scuse_attrib_device(item)->inflight_policy)]);
}

static ssize_t inflight_policy_store(struct config_item *item, const char *page, size_t count)
{
	int policy = sysfs_match_string(scuse_inflight_policies, page);

	if (policy < 0)
		return policy;
	WRITE_ONCE(scuse_attrib_device(item)->inflight_policy, policy);
	return count;
}

CONFIGFS_ATTR(, inflight_policy);

static struct configfs_attribute *const scuse_own_attrs[] = {
	&attr_orphan_timeout,  &attr_orphan_policy, &attr_inflight_policy,
	&attr_command_timeout, &attr_tmf_timeout,   &attr_max_memory,
};

/* True if @page says, apart from white space, what @core shows. */
static bool scuse_same_value(struct configfs_attribute *core, struct config_item *item, const char *page)
{
	char *now = (char *)__get_free_page(GFP_KERNEL | __GFP_ZERO); /* core may insist on a page */
	bool same;

	if (!now)
		return false;
	same = core->show(item, now) > 0 && sysfs_streq(strim(now), skip_spaces(page));
	free_page((unsigned long)now);
	return same;
}

/*
 * An attribute of core's behind a check for "no change".  The wrapper is a copy of core's with another
 * store, made when the module starts.
 */
struct scuse_wrapped {
	const char *name;
	ssize_t (*store)(struct config_item *item, const char *page, size_t count);
	bool is_mode; /* a setting of mode pages too, see mode.h */
	struct configfs_attribute *core;
	struct configfs_attribute own;
};

static ssize_t scuse_wrapped_store(struct scuse_wrapped *wrapped, struct config_item *item, const char *page,
				   size_t count)
{
	ssize_t ret;

	if (scuse_same_value(wrapped->core, item, page))
		return count;
	ret = wrapped->core->store(item, page, count);
	if (ret > 0 && wrapped->is_mode)
		scuse_mode_follow_attributes(scuse_attrib_device(item));
	return ret;
}

#define SCUSE_WRAP(_name, _is_mode)                                                                    \
	static struct scuse_wrapped scuse_wrapped_##_name;                                             \
	static ssize_t scuse_##_name##_store(struct config_item *item, const char *page, size_t count) \
	{                                                                                              \
		return scuse_wrapped_store(&scuse_wrapped_##_name, item, page, count);                 \
	}                                                                                              \
	static struct scuse_wrapped scuse_wrapped_##_name = { .name = #_name,                          \
							      .store = scuse_##_name##_store,          \
							      .is_mode = _is_mode }

SCUSE_WRAP(optimal_sectors, false);
SCUSE_WRAP(queue_depth, false);
SCUSE_WRAP(unmap_zeroes_data, false);
SCUSE_WRAP(emulate_ua_intlck_ctrl, true);
SCUSE_WRAP(emulate_tas, true);
SCUSE_WRAP(emulate_write_cache, true);
SCUSE_WRAP(force_pr_aptpl, false);
SCUSE_WRAP(emulate_tpu, false);
SCUSE_WRAP(emulate_tpws, false);

static struct scuse_wrapped scuse_wrapped_block_size;

static ssize_t scuse_block_size_store(struct config_item *item, const char *page, size_t count)
{
	if (scuse_same_value(scuse_wrapped_block_size.core, item, page))
		return count;
	pr_err("%s: block_size is fixed by control, before enable\n", scuse_attrib_device(item)->name);
	return -EINVAL;
}

static struct scuse_wrapped scuse_wrapped_block_size = { .name = "block_size",
							 .store = scuse_block_size_store };

static struct scuse_wrapped *const scuse_wrappers[] = {
	&scuse_wrapped_optimal_sectors,	    &scuse_wrapped_queue_depth,
	&scuse_wrapped_unmap_zeroes_data,   &scuse_wrapped_emulate_ua_intlck_ctrl,
	&scuse_wrapped_emulate_tas,	    &scuse_wrapped_force_pr_aptpl,
	&scuse_wrapped_emulate_tpu,	    &scuse_wrapped_emulate_tpws,
	&scuse_wrapped_emulate_write_cache, &scuse_wrapped_block_size,
};

static struct configfs_attribute *scuse_wrap(struct configfs_attribute *core)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(scuse_wrappers); i++) {
		struct scuse_wrapped *wrapped = scuse_wrappers[i];

		if (strcmp(wrapped->name, core->ca_name))
			continue;
		wrapped->core = core;
		wrapped->own = *core;
		wrapped->own.store = wrapped->store;
		return &wrapped->own;
	}
	return core;
}

int scuse_configfs_init(void)
{
	struct configfs_attribute **attrs;
	int count;
	int i;

	for (count = 0; sbc_attrib_attrs[count]; count++)
		;
	attrs = kcalloc(count + ARRAY_SIZE(scuse_own_attrs) + 1, sizeof(*attrs), GFP_KERNEL);
	if (!attrs)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		attrs[i] = scuse_wrap(sbc_attrib_attrs[i]);
	memcpy(&attrs[count], scuse_own_attrs, sizeof(scuse_own_attrs));
	scuse_backend_ops.tb_dev_attrib_attrs = attrs;
	return 0;
}

void scuse_configfs_exit(void)
{
	kfree(scuse_backend_ops.tb_dev_attrib_attrs);
}
