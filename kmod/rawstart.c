// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a worker's START and UPDATE say of a raw LUN (abi.h, RAW LUNS): which device is behind it, and which
 * commands the handler carries out.  Called by session.c and backend.c, in process context.
 *
 * Which device it is the first START since the LUN was enabled decides: initiators believe in what they have
 * seen, and a worker that comes back with another device would have them write to the wrong tape.  Commands
 * may differ from session to session.
 *
 * Locking: scuse_device.lock.  Claims are read under RCU by commands.
 */
#include <linux/ctype.h>
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <scsi/scsi_proto.h>
#include "opcode.h"
#include "raw.h"
#include "scuse.h"

static int scuse_raw_check_commands(struct scuse_device *dev, const struct scuse_command *commands, u32 count)
{
	u32 i;

	for (i = 0; i < count; i++) {
		if (scuse_raw_command_ok(&commands[i]))
			continue;
		pr_err("%s: command %u of START (operation code %02xh) has a field that makes no sense\n",
		       dev->name, i, commands[i].opcode);
		return -EINVAL;
	}
	return 0;
}

static struct scuse_raw_claims *scuse_raw_sorted(const struct scuse_command *commands, u32 count)
{
	struct scuse_raw_claims *claims = kvzalloc(struct_size(claims, list, count), GFP_KERNEL);

	if (!claims)
		return ERR_PTR(-ENOMEM);
	scuse_raw_claims_sort(claims, commands, count);
	return claims;
}

/*
 * Leaves out what the table does not know.  A real device offers commands that no standard for its type has;
 * what such a one would do to other initiators, nobody can say.  Returns how many are left.
 */
static u32 scuse_raw_keep_known(struct scuse_command *commands, const struct scuse_start *start)
{
	u32 i, kept = 0;

	for (i = 0; i < start->nr_commands; i++) {
		const struct scuse_command *command = &commands[i];

		if (command->flags & SCUSE_COMMAND_STANDARD ||
		    scuse_raw_has(start->device_type, command->opcode,
				  command->has_action ? command->action : SCUSE_NO_ACTION))
			commands[kept++] = *command;
	}
	return kept;
}

/*
 * scuse_raw_read_claims - a private copy of the commands of @start
 *
 * NULL for LUNs that are not raw, which must have none.  The caller owns it, and frees it with kvfree()
 * unless it has been adopted.
 */
struct scuse_raw_claims *scuse_raw_read_claims(struct scuse_device *dev, const struct scuse_start *start)
{
	struct scuse_raw_claims *claims;
	u32 count = start->nr_commands;
	struct scuse_command *commands;
	int ret;

	if (!dev->raw)
		return start->nr_commands || start->commands ? ERR_PTR(-EINVAL) : NULL;
	if (start->nr_commands > SCUSE_MAX_COMMANDS)
		return ERR_PTR(-EINVAL);
	commands = vmemdup_user(u64_to_user_ptr(start->commands), start->nr_commands * sizeof(*commands));
	if (IS_ERR(commands))
		return ERR_CAST(commands);
	ret = scuse_raw_check_commands(dev, commands, start->nr_commands);
	if (!ret && start->device_type >= SCUSE_TYPE_UNKNOWN)
		ret = -EINVAL;
	if (!ret && start->features & SCUSE_FEATURE_UNIT_ATTENTIONS)
		count = scuse_raw_keep_known(commands, start);
	claims = ret ? ERR_PTR(ret) : scuse_raw_sorted(commands, count);
	kvfree(commands);
	return claims;
}

static bool scuse_raw_identity_ok(const char *identity)
{
	u32 i;

	for (i = 0; i < SCUSE_IDENTITY_MAX && identity[i]; i++) {
		if (!isprint(identity[i]))
			return false;
	}
	return i < SCUSE_IDENTITY_MAX;
}

static const char *scuse_raw_named(const char *identity)
{
	return identity[0] ? identity : "(unnamed)";
}

/* 0, -EINVAL, or -EXDEV: not the device that the LUN stands for. */
int scuse_raw_check(struct scuse_device *dev, const struct scuse_start *start)
{
	u32 type = dev->adopted ? dev->device_type : dev->want_type;

	if (start->abi_minor < 2 || start->device_size || start->device_type >= SCUSE_TYPE_UNKNOWN ||
	    !scuse_raw_identity_ok(start->identity)) {
		pr_err("%s: START of a raw LUN: ABI minor %u (2 or more), device size %llu (0), device type "
		       "%u (0 to %u), or an identity that is no text\n",
		       dev->name, start->abi_minor, start->device_size, start->device_type,
		       SCUSE_TYPE_UNKNOWN - 1);
		return -EINVAL;
	}
	if (type != SCUSE_TYPE_UNKNOWN && type != start->device_type) {
		pr_err("%s: the LUN is of device type %u, and the worker's device, %s, of type %u\n",
		       dev->name, type, scuse_raw_named(start->identity), start->device_type);
		return -EXDEV;
	}
	if (dev->adopted && strcmp(dev->identity, start->identity)) {
		pr_err("%s: the LUN stands for device %s, and the worker serves device %s\n", dev->name,
		       scuse_raw_named(dev->identity), scuse_raw_named(start->identity));
		return -EXDEV;
	}
	return 0;
}

static void scuse_raw_set_claims(struct scuse_device *dev, struct scuse_raw_claims *claims)
{
	struct scuse_raw_claims *old;

	old = rcu_replace_pointer(dev->claims, claims, lockdep_is_held(&dev->lock));
	if (old)
		kvfree_rcu(old, rcu);
}

/* After scuse_raw_check(); @claims becomes the device's. */
void scuse_raw_adopt(struct scuse_device *dev, const struct scuse_start *start,
		     struct scuse_raw_claims *claims)
{
	bool changed = dev->device_type != start->device_type;

	scuse_raw_set_claims(dev, claims);
	if (dev->adopted)
		return;
	spin_lock(&dev->info_lock);
	strscpy(dev->identity, start->identity, sizeof(dev->identity));
	spin_unlock(&dev->info_lock);
	WRITE_ONCE(dev->device_type, start->device_type);
	WRITE_ONCE(dev->adopted, true);
	/* Who has looked before was told that there is no device. */
	if (changed)
		scuse_ua_raise(dev, 0x3f, 0x03, NULL); /* INQUIRY DATA HAS CHANGED */
}

/*
 * A session follows another one, and its queues are not live yet: what the handler kept in memory, as the
 * position of a tape, is lost, and no command may reach it before its initiator has been told.  A real device
 * has kept its state, and tells of it itself.
 */
void scuse_raw_restarted(struct scuse_device *dev)
{
	if (!dev->raw || scuse_device_has(dev, SCUSE_FEATURE_UNIT_ATTENTIONS))
		return;
	/* What has looked for unit attentions already does not go on, see scuse_raw_submit(). */
	WRITE_ONCE(dev->restarts, dev->restarts + 1);
	scuse_ua_raise(dev, 0x29, 0x04, NULL); /* DEVICE INTERNAL RESET */
}

/* At enable: what a former life of the device has left.  dev->lock is held; no command is under way. */
void scuse_raw_forget(struct scuse_device *dev)
{
	scuse_raw_set_claims(dev, NULL);
	dev->adopted = false;
	dev->device_type = dev->raw ? dev->want_type : TYPE_DISK;
	spin_lock(&dev->info_lock);
	memset(dev->identity, 0, sizeof(dev->identity));
	memset(&dev->inquiry, 0, sizeof(dev->inquiry));
	spin_unlock(&dev->info_lock);
}
