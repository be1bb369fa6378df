/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The mode parameters of a device: kept here, shown and changed by MODE SENSE and MODE SELECT (mode.c), by
 * attributes in configfs and by netlink (nlmode.c), and obeyed all over the module.
 *
 *			 MODE SELECT		    LUN RESET, enable
 *	saved  <------ (SP=1, the owner ------ current <-------------- saved, or default if nothing
 *		        has stored it)					was ever saved
 *
 *	default	  what the administrator (configfs) and the handler's features say
 *	saved	  restored by the owner with SET_MODE before the worker starts
 *
 * Three of the settings are attributes of the core as well, which it obeys (TAS, UA_INTLCK_CTRL) or shows
 * (WCE).  Their current value is that attribute and nothing else.
 *
 * Locking: scuse_mode.select serialises MODE SELECT, SET_MODE and is held while the owner is asked to save;
 * scuse_mode.lock protects the values, for a moment.  The readers below take no lock.
 */
#ifndef SCUSE_MODE_H
#define SCUSE_MODE_H

#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <target/target_core_base.h>
#include "modepage.h"

struct scuse_device;
struct genl_info;
struct sk_buff;

struct scuse_mode {
	struct mutex select;
	spinlock_t lock;			 /* what follows; READ_ONCE() elsewhere */
	struct scuse_mode_values current_values; /* but WCE, TAS and UA_INTLCK */
	struct scuse_mode_values default_values;
	struct scuse_mode_values saved_values;
	bool has_saved;
};

/* mkdir */
void scuse_mode_init(struct scuse_mode *mode);
/* Enable, dev->lock is held: nothing is saved yet, the defaults are what the attributes say. */
void scuse_mode_enable(struct scuse_device *dev);
/*
 * The handler has a write cache now, or no longer has one; dev->lock is held.  Makes that the default, and
 * the current value unless another is saved.
 */
void scuse_mode_follow_cache(struct scuse_device *dev, bool cache);
/* An administrator has written an attribute that is a setting: it becomes the default.  Process context. */
void scuse_mode_follow_attributes(struct scuse_device *dev);
/* LOGICAL UNIT RESET (SPC-4 5.10: saved values, or the defaults, become current).  Process context. */
void scuse_mode_reset(struct scuse_device *dev);

/*
 * scuse_mode_list - mode pages as netlink carries them, SCUSE_MODE_MAX bytes at most
 * @saved: the saved ones, else the current ones
 *
 * Returns the length; 0 if nothing has been saved.
 */
u32 scuse_mode_list(struct scuse_device *dev, bool saved, u8 *pages);
/* SET_MODE: saved and current from now on.  -EINVAL: malformed.  Process context, may wait. */
int scuse_mode_set(struct scuse_device *dev, const u8 *pages, u32 length);

/* nlmode.c */
int scuse_do_get_mode(struct sk_buff *skb, struct genl_info *info);
int scuse_do_set_mode(struct sk_buff *skb, struct genl_info *info);

/* Execute functions; see opcode.c. */
sense_reason_t scuse_execute_mode_sense(struct se_cmd *cmd);
sense_reason_t scuse_execute_mode_select(struct se_cmd *cmd);

/*
 * What the settings are now.  Any context.
 *
 *	wce	  false: writes must be durable before they complete
 *	d_sense	  sense data in descriptor format; of a raw LUN the device's own setting, so that ours looks the same
 *	swp	  writes are refused with DATA PROTECT, LOGICAL UNIT SOFTWARE WRITE PROTECTED (27h/02h); a raw LUN's
 *		  device refuses them itself
 *	dpicz	  with PROTECT=000b protection information is not checked
 *	lbpere	  crossed thresholds of thin provisioning are reported
 *	dpofua	  commands may have the DPO and FUA bits (an attribute, not a setting)
 */
bool scuse_mode_wce(struct scuse_device *dev);
bool scuse_mode_d_sense(struct scuse_device *dev);
bool scuse_mode_swp(struct scuse_device *dev);
bool scuse_mode_dpicz(struct scuse_device *dev);
bool scuse_mode_lbpere(struct scuse_device *dev);
bool scuse_mode_dpofua(struct scuse_device *dev);

#endif /* SCUSE_MODE_H */
