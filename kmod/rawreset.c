// SPDX-License-Identifier: GPL-2.0-only
/*
 * LOGICAL UNIT RESET of a raw LUN: the device behind it is reset, and the initiator is answered when it has
 * been. Called by tmr.c (a work item of the core's; process context, may sleep).
 *
 *	   idle --------------------> resetting ----------------------> idle
 *	        LU_RESET is handed         completion, or the session's end
 *	        to userspace
 *
 * Who asks waits for at most SCUSE_RESET_TIMEOUT.  Whose reset comes while another one is under way waits for
 * that one.  One tag of queue 0 is kept for it, so that a LUN whose commands all hang can be reset.
 *
 * WHAT AN INITIATOR LEARNS.  Core tells a backend of the reset and ignores what comes of it: tmr_notify
 * returns nothing, core_tmr_lun_reset() always returns 0, and target_tmr_work() makes FUNCTION COMPLETE of
 * that, in all kernels that we build for; the request itself is not handed to us.  So a failure can only be
 * told to the administrator, by an event and the log.  What the answer does mean holds nevertheless: core
 * sends it after all commands that were in flight have been completed by userspace, so that none of them acts
 * later; of a device that can neither be reset nor gives its commands back there is no answer at all.
 */
#include <scsi/scsi_proto.h>
#include <target/target_core_fabric.h>
#include "scuse.h"
#include "sense.h"
#include "step.h"

/* Ends the reset that is under way. */
static void scuse_reset_end(struct scuse_relay *relay, u8 status, u8 key, const struct scuse_ua_code *code)
{
	spin_lock(&relay->lock);
	relay->resetting = false;
	relay->status = status;
	relay->key = key;
	relay->code = *code;
	scuse_echo_reset_ended(&relay->echo);
	spin_unlock(&relay->lock);
	wake_up_all(&relay->wait);
}

/* Modes are what they are after a reset now, whatever userspace says of its success. */
static void scuse_reset_done(struct scuse_io *io)
{
	struct scuse_device *dev = io->queue->dev;
	u8 sense[SCUSE_SENSE_MAX] = {};
	struct scuse_ua_code code = {};
	u8 status = io->tag->status;

	if (status == SAM_STAT_CHECK_CONDITION) {
		scuse_sense_read(io->queue, io->tag, sense, io->tag->sense_len);
		scuse_sense_code(sense, io->tag->sense_len, &code.asc, &code.ascq);
	}
	scuse_rawparam_stale(dev, false);
	scuse_reset_end(&dev->relay, status, scuse_sense_key(sense), &code);
	scuse_rawparam_refresh(dev);
	scuse_step_end(io, status);
}

/* False: nobody serves the device. */
static bool scuse_reset_submit(struct scuse_device *dev)
{
	struct scuse_io io;

	if (!scuse_io_begin_own(&io, dev, SCUSE_OP_LU_RESET))
		return false;
	io.tag->step = scuse_reset_done;
	return !scuse_io_submit(&io);
}

/* What the latest reset has come to, for people; false: the device was reset. */
static bool scuse_reset_failed(struct scuse_relay *relay, char *text, u32 size)
{
	bool failed = true;

	spin_lock(&relay->lock);
	if (relay->resetting)
		scnprintf(text, size, "no answer within %u seconds", SCUSE_RESET_TIMEOUT);
	else if (relay->status == SAM_STAT_CHECK_CONDITION)
		scnprintf(text, size, "sense key %Xh, additional sense code %02Xh/%02Xh", relay->key,
			  relay->code.asc, relay->code.ascq);
	else if (relay->status != SAM_STAT_GOOD)
		scnprintf(text, size, "status %02Xh", relay->status);
	else
		failed = false;
	spin_unlock(&relay->lock);
	return failed;
}

static void scuse_reset_report(struct scuse_device *dev, const char *why)
{
	char message[128];

	scnprintf(message, sizeof(message), "the device behind the LUN could not be reset: %s", why);
	pr_err("%s: %s\n", dev->name, message);
	scuse_device_set_error(dev, message);
	scuse_event_device(dev, SCUSE_EVENT_HANDLER_ERROR, message);
}

void scuse_relay_reset(struct scuse_device *dev)
{
	struct scuse_relay *relay = &dev->relay;
	static const struct scuse_ua_code none;
	char why[64];
	bool mine;

	spin_lock(&relay->lock);
	mine = !relay->resetting;
	relay->resetting = true;
	scuse_echo_reset(&relay->echo);
	spin_unlock(&relay->lock);
	if (mine && !scuse_reset_submit(dev)) {
		scuse_reset_end(relay, SAM_STAT_BUSY, 0, &none);
		scuse_reset_report(dev, "no worker serves it");
		return;
	}
	wait_event_timeout(relay->wait, !READ_ONCE(relay->resetting), SCUSE_RESET_TIMEOUT * HZ);
	if (scuse_reset_failed(relay, why, sizeof(why)))
		scuse_reset_report(dev, why);
}
