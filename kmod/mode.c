// SPDX-License-Identifier: GPL-2.0-only
/*
 * MODE SENSE and MODE SELECT, and the life of the values behind them; see mode.h for that and for locking,
 * modepage.h for the pages themselves.
 *
 * MODE SELECT runs in a work item: it waits for other MODE SELECTs, and with SP=1 for the owner's answer,
 * which must not hold up the fabric's thread.  The command keeps the device.
 *
 *	execute -> list copied -> work: checked against the values under select -> (SP: owner asked)
 *		-> applied -> if changed: 2Ah/01h to the others -> GOOD
 */
#include <linux/slab.h>
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "bytes.h"
#include "mode.h"
#include "nexus.h"
#include "scuse.h"
#include "sense.h"

/* MODE SELECT, byte 1 */
#define SCUSE_SELECT_SP	 0x01
#define SCUSE_SELECT_RTD 0x02
#define SCUSE_SELECT_PF	 0x10
/* MODE SENSE, byte 1 */
#define SCUSE_SENSE_DBD	  0x08
#define SCUSE_SENSE_LLBAA 0x10

struct scuse_mode_change {
	struct work_struct work;
	struct se_cmd *cmd;
	bool ten;
	bool save;
	bool revert;
	u32 length;
	u8 list[];
};

bool scuse_mode_wce(struct scuse_device *dev)
{
	return READ_ONCE(dev->se_dev.dev_attrib.emulate_write_cache);
}

bool scuse_mode_d_sense(struct scuse_device *dev)
{
	if (dev->raw)
		return READ_ONCE(dev->rawparam.d_sense);
	return READ_ONCE(dev->mode.current_values.value[SCUSE_MODE_D_SENSE]);
}

bool scuse_mode_swp(struct scuse_device *dev)
{
	return !dev->raw && READ_ONCE(dev->mode.current_values.value[SCUSE_MODE_SWP]);
}

bool scuse_mode_dpicz(struct scuse_device *dev)
{
	return READ_ONCE(dev->mode.current_values.value[SCUSE_MODE_DPICZ]);
}

bool scuse_mode_lbpere(struct scuse_device *dev)
{
	return READ_ONCE(dev->mode.current_values.value[SCUSE_MODE_LBPERE]);
}

bool scuse_mode_dpofua(struct scuse_device *dev)
{
	return READ_ONCE(dev->se_dev.dev_attrib.emulate_fua_write);
}

/* Which settings can be changed depends on what the device has. */
static u32 scuse_mode_changeable(struct scuse_device *dev)
{
	u32 mask = BIT(SCUSE_MODE_D_SENSE) | BIT(SCUSE_MODE_SWP) | BIT(SCUSE_MODE_TAS) |
		   BIT(SCUSE_MODE_UA_INTLCK);

	if (scuse_device_has(dev, SCUSE_FEATURE_FLUSH))
		mask |= BIT(SCUSE_MODE_WCE);
	if (dev->pi_type)
		mask |= BIT(SCUSE_MODE_DPICZ);
	if (scuse_device_has(dev, SCUSE_FEATURE_UNMAP))
		mask |= BIT(SCUSE_MODE_LBPERE);
	return mask;
}

static void scuse_mode_from_attributes(struct scuse_device *dev, struct scuse_mode_values *values)
{
	/* enum target_ua_intlck_ctrl in the terms of SPC-4 table 392 */
	static const u8 intlck[] = {
		[TARGET_UA_INTLCK_CTRL_CLEAR] = 0,
		[TARGET_UA_INTLCK_CTRL_NO_CLEAR] = 2,
		[TARGET_UA_INTLCK_CTRL_ESTABLISH_UA] = 3,
	};
	struct se_dev_attrib *attrib = &dev->se_dev.dev_attrib;

	values->value[SCUSE_MODE_WCE] = READ_ONCE(attrib->emulate_write_cache);
	values->value[SCUSE_MODE_TAS] = READ_ONCE(attrib->emulate_tas);
	values->value[SCUSE_MODE_UA_INTLCK] =
		intlck[min_t(u32, READ_ONCE(attrib->emulate_ua_intlck_ctrl), ARRAY_SIZE(intlck) - 1)];
}

static void scuse_mode_to_attributes(struct scuse_device *dev, const struct scuse_mode_values *values)
{
	static const enum target_ua_intlck_ctrl control[] = {
		TARGET_UA_INTLCK_CTRL_CLEAR,
		TARGET_UA_INTLCK_CTRL_CLEAR,
		TARGET_UA_INTLCK_CTRL_NO_CLEAR,
		TARGET_UA_INTLCK_CTRL_ESTABLISH_UA,
	};
	struct se_dev_attrib *attrib = &dev->se_dev.dev_attrib;

	WRITE_ONCE(attrib->emulate_write_cache, values->value[SCUSE_MODE_WCE]);
	WRITE_ONCE(attrib->emulate_tas, values->value[SCUSE_MODE_TAS]);
	WRITE_ONCE(attrib->emulate_ua_intlck_ctrl, control[values->value[SCUSE_MODE_UA_INTLCK] & 3]);
}

static void scuse_mode_add_facts(struct scuse_device *dev, struct scuse_mode_values *values)
{
	struct se_dev_attrib *attrib = &dev->se_dev.dev_attrib;

	values->value[SCUSE_MODE_QUEUE_MODIFIER] = attrib->emulate_rest_reord ? 0 : 1;
	values->value[SCUSE_MODE_ATO] = dev->pi_type != 0;
	values->value[SCUSE_MODE_IALUAE] = 1;
}

/* mode->lock is held. */
static void scuse_mode_get_current(struct scuse_device *dev, struct scuse_mode_values *values)
{
	*values = dev->mode.current_values;
	scuse_mode_from_attributes(dev, values);
	scuse_mode_add_facts(dev, values);
}

/*
 * mode->lock is held.  A setting that circumstances do not let change has its default.  Returns whether
 * anything has changed.
 */
static bool scuse_mode_set_current(struct scuse_device *dev, const struct scuse_mode_values *wanted)
{
	u32 changeable = scuse_mode_changeable(dev);
	struct scuse_mode_values old, values = *wanted;
	u32 i;

	for (i = 0; i < SCUSE_MODE_SETTINGS; i++) {
		if (!(changeable & BIT(i)))
			values.value[i] = dev->mode.default_values.value[i];
	}
	scuse_mode_get_current(dev, &old);
	for (i = 0; i < SCUSE_MODE_SETTINGS; i++)
		WRITE_ONCE(dev->mode.current_values.value[i], values.value[i]);
	scuse_mode_to_attributes(dev, &values);
	return memcmp(old.value, values.value, SCUSE_MODE_SETTINGS);
}

/* mode->lock is held. */
static const struct scuse_mode_values *scuse_mode_power_on(struct scuse_mode *mode)
{
	return mode->has_saved ? &mode->saved_values : &mode->default_values;
}

void scuse_mode_init(struct scuse_mode *mode)
{
	mutex_init(&mode->select);
	spin_lock_init(&mode->lock);
}

void scuse_mode_enable(struct scuse_device *dev)
{
	struct scuse_mode *mode = &dev->mode;

	spin_lock(&mode->lock);
	mode->has_saved = false;
	memset(&mode->default_values, 0, sizeof(mode->default_values));
	mode->default_values.value[SCUSE_MODE_LBPERE] = 1;
	scuse_mode_from_attributes(dev, &mode->default_values);
	mode->current_values = mode->default_values;
	spin_unlock(&mode->lock);
}

void scuse_mode_follow_cache(struct scuse_device *dev, bool cache)
{
	struct scuse_mode *mode = &dev->mode;
	struct scuse_mode_values values;

	spin_lock(&mode->lock);
	mode->default_values.value[SCUSE_MODE_WCE] = cache;
	scuse_mode_get_current(dev, &values);
	values.value[SCUSE_MODE_WCE] = cache && scuse_mode_power_on(mode)->value[SCUSE_MODE_WCE];
	scuse_mode_to_attributes(dev, &values);
	spin_unlock(&mode->lock);
}

static void scuse_mode_event(struct scuse_device *dev)
{
	u8 pages[SCUSE_MODE_SENSE_MAX];
	struct scuse_event_info info = {
		.event = SCUSE_EVENT_MODE_CHANGED,
		.dev = dev,
		.mode = pages,
		.mode_length = scuse_mode_list(dev, false, pages),
	};

	if (READ_ONCE(dev->announced) && !dev->raw)
		scuse_event(&info);
}

void scuse_mode_follow_attributes(struct scuse_device *dev)
{
	struct scuse_mode *mode = &dev->mode;

	spin_lock(&mode->lock);
	scuse_mode_from_attributes(dev, &mode->default_values);
	spin_unlock(&mode->lock);
	scuse_ua_raise(dev, 0x2a, 0x01, NULL);
	scuse_mode_event(dev);
}

void scuse_mode_reset(struct scuse_device *dev)
{
	struct scuse_mode *mode = &dev->mode;
	bool changed;

	spin_lock(&mode->lock);
	changed = scuse_mode_set_current(dev, scuse_mode_power_on(mode));
	spin_unlock(&mode->lock);
	if (changed)
		scuse_mode_event(dev);
}

static void scuse_mode_get(struct scuse_device *dev, enum scuse_mode_control control,
			   struct scuse_mode_values *values)
{
	struct scuse_mode *mode = &dev->mode;

	spin_lock(&mode->lock);
	if (control == SCUSE_MODE_DEFAULT)
		*values = mode->default_values;
	else if (control == SCUSE_MODE_SAVED)
		*values = *scuse_mode_power_on(mode);
	else
		scuse_mode_get_current(dev, values);
	spin_unlock(&mode->lock);
	scuse_mode_add_facts(dev, values);
}

u32 scuse_mode_list(struct scuse_device *dev, bool saved, u8 *pages)
{
	struct scuse_mode_values values;

	BUILD_BUG_ON(SCUSE_MODE_SENSE_MAX > SCUSE_MODE_MAX);
	if (saved && !READ_ONCE(dev->mode.has_saved))
		return 0;
	scuse_mode_get(dev, saved ? SCUSE_MODE_SAVED : SCUSE_MODE_CURRENT, &values);
	return scuse_mode_pages(pages, SCUSE_MODE_ALL_PAGES, SCUSE_MODE_ALL_SUBPAGES, &values, NULL);
}

/* mode->select is held.  Makes values current, and with @save saved; returns whether any has changed. */
static bool scuse_mode_commit(struct scuse_device *dev, const struct scuse_mode_values *values, bool save)
{
	struct scuse_mode *mode = &dev->mode;
	bool changed;

	spin_lock(&mode->lock);
	changed = scuse_mode_set_current(dev, values);
	if (save) {
		mode->saved_values = *values;
		WRITE_ONCE(mode->has_saved, true);
	}
	spin_unlock(&mode->lock);
	if (changed || save)
		scuse_mode_event(dev);
	return changed;
}

int scuse_mode_set(struct scuse_device *dev, const u8 *pages, u32 length)
{
	struct scuse_mode_values values;
	int ret = 0;

	mutex_lock(&dev->mode.select);
	scuse_mode_get(dev, SCUSE_MODE_CURRENT, &values);
	if (!scuse_mode_restore(pages, length, &values))
		ret = -EINVAL;
	else if (scuse_mode_commit(dev, &values, true))
		scuse_ua_raise(dev, 0x2a, 0x01, NULL);
	mutex_unlock(&dev->mode.select);
	return ret;
}

static void scuse_mode_get_facts(struct se_cmd *cmd, struct scuse_mode_facts *facts)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);

	facts->changeable = scuse_mode_changeable(dev);
	facts->write_protected = scuse_device_has(dev, SCUSE_FEATURE_READ_ONLY) || scuse_mode_swp(dev) ||
				 target_lun_is_rdonly(cmd);
	facts->dpofua = scuse_mode_dpofua(dev);
	facts->blocks = scuse_device_blocks(dev);
	facts->block_size = dev->block_size;
}

sense_reason_t scuse_execute_mode_sense(struct se_cmd *cmd)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	const u8 *cdb = cmd->t_task_cdb;
	enum scuse_mode_control control = cdb[2] >> 6;
	struct scuse_mode_query query = {
		.page = cdb[2] & 0x3f,
		.subpage = cdb[3],
		.ten = cdb[0] == MODE_SENSE_10,
		.descriptor = !(cdb[1] & SCUSE_SENSE_DBD),
		.long_lba = cdb[1] & SCUSE_SENSE_LLBAA,
		.changeable = control == SCUSE_MODE_CHANGEABLE,
	};
	u8 buffer[SCUSE_MODE_SENSE_MAX];
	struct scuse_mode_values values;
	struct scuse_mode_facts facts;
	bool subpage_wrong;

	if (!scuse_mode_known(query.page, query.subpage, &subpage_wrong))
		return subpage_wrong ? scuse_refuse_cdb(cmd, 3, SCUSE_SENSE_NO_BIT)
				     : scuse_refuse_cdb(cmd, 2, 5);
	scuse_mode_get(dev, control, &values);
	scuse_mode_get_facts(cmd, &facts);
	return scuse_reply(cmd, buffer, scuse_mode_sense(buffer, &query, &values, &facts));
}

static sense_reason_t scuse_mode_refuse(struct se_cmd *cmd, const struct scuse_mode_error *error)
{
	if (error->asc == 0x26)
		return scuse_refuse_parameter(cmd, error->byte, error->bit);
	return scuse_end_with_sense(cmd, SCUSE_KEY_ILLEGAL_REQUEST, error->asc, 0x00);
}

/*
 * Lets the owner store @values; true, or the command has been ended.  SPC-4 has no better words for an
 * owner who is away than that nothing can be saved.
 */
static bool scuse_mode_save(struct scuse_device *dev, struct se_cmd *cmd,
			    const struct scuse_mode_values *values)
{
	u8 pages[SCUSE_MODE_SENSE_MAX];
	char *message = kzalloc(SCUSE_MESSAGE_MAX, GFP_KERNEL);
	u32 length;
	int ret;

	if (!message) {
		target_complete_cmd(cmd, SAM_STAT_TASK_SET_FULL);
		return false;
	}
	length = scuse_mode_pages(pages, SCUSE_MODE_ALL_PAGES, SCUSE_MODE_ALL_SUBPAGES, values, NULL);
	ret = scuse_owner_ask_save(dev, pages, length, message);
	if (ret && ret != -ESRCH)
		pr_warn_ratelimited("%s: mode pages could not be saved: %s\n", dev->name, message);
	kfree(message);
	if (!ret)
		return true;
	if (ret == -ESRCH)
		scuse_end_with_sense(cmd, SCUSE_KEY_ILLEGAL_REQUEST, 0x39, 0x00);
	else
		scuse_end_with_sense(cmd, SCUSE_KEY_HARDWARE_ERROR, 0x44, 0x00);
	return false;
}

/*
 * mode->select is held.  True: applied, and @changed says whether any value is another now; false: the
 * command has been ended.
 */
static bool scuse_mode_change(struct scuse_device *dev, const struct scuse_mode_change *change, bool *changed)
{
	struct scuse_mode_values values;
	struct scuse_mode_facts facts;
	struct scuse_mode_error error;

	scuse_mode_get(dev, change->revert ? SCUSE_MODE_DEFAULT : SCUSE_MODE_CURRENT, &values);
	scuse_mode_get_facts(change->cmd, &facts);
	if (change->length &&
	    !scuse_mode_select(change->list, change->length, change->ten, &facts, &values, &error)) {
		scuse_mode_refuse(change->cmd, &error);
		return false;
	}
	if (change->save && !scuse_mode_save(dev, change->cmd, &values))
		return false;
	*changed = scuse_mode_commit(dev, &values, change->save);
	return true;
}

static void scuse_mode_work(struct work_struct *work)
{
	struct scuse_mode_change *change = container_of(work, struct scuse_mode_change, work);
	struct se_cmd *cmd = change->cmd;
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	bool changed = false, done;

	mutex_lock(&dev->mode.select);
	done = scuse_mode_change(dev, change, &changed);
	mutex_unlock(&dev->mode.select);
	kfree(change);
	if (!done)
		return;
	/* SPC-4 6.11: told to the others if a parameter is another now, not for each list. */
	if (changed)
		scuse_ua_raise(dev, 0x2a, 0x01, cmd); /* MODE PARAMETERS CHANGED */
	target_complete_cmd(cmd, SAM_STAT_GOOD);
}

sense_reason_t scuse_execute_mode_select(struct se_cmd *cmd)
{
	const u8 *cdb = cmd->t_task_cdb;
	bool ten = cdb[0] == MODE_SELECT_10;
	u32 length = ten ? scuse_get_be(&cdb[7], 2) : cdb[4];
	struct scuse_mode_change *change;

	length = min(length, cmd->data_length);
	if (length && !(cdb[1] & SCUSE_SELECT_PF))
		return scuse_refuse_cdb(cmd, 1, 4);
	/* SPC-4 6.11: with RTD there is no list. */
	if (length && cdb[1] & SCUSE_SELECT_RTD)
		return scuse_refuse_cdb(cmd, 1, 1);
	change = kzalloc(struct_size(change, list, length), GFP_KERNEL);
	if (!change)
		return TCM_OUT_OF_RESOURCES;
	INIT_WORK(&change->work, scuse_mode_work);
	change->cmd = cmd;
	change->ten = ten;
	change->save = cdb[1] & SCUSE_SELECT_SP;
	change->revert = cdb[1] & SCUSE_SELECT_RTD;
	if (length)
		change->length = scuse_parameters(cmd, change->list, length);
	queue_work(scuse_workqueue, &change->work);
	return TCM_NO_SENSE;
}
