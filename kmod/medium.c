// SPDX-License-Identifier: GPL-2.0-only
/*
 * The states of the medium (medium.h).  Any context, no locks.
 */
#include <linux/atomic.h>
#include "scuse.h"
#include "sense.h"

/* What each state says of itself (SBC-3 table 27, 4.11, 5.3; SPC-4 6.39). */
struct scuse_medium_text {
	u8 key;
	u8 asc;
	u8 ascq;
	bool progress;
};

static const struct scuse_medium_text scuse_medium_texts[] = {
	[SCUSE_MEDIUM_STOPPED] = { SCUSE_KEY_NOT_READY, 0x04, 0x02 },
	[SCUSE_MEDIUM_FORMATTING] = { SCUSE_KEY_NOT_READY, 0x04, 0x04, true },
	[SCUSE_MEDIUM_FORMAT_FAILED] = { SCUSE_KEY_MEDIUM_ERROR, 0x31, 0x00 },
	[SCUSE_MEDIUM_SANITIZING] = { SCUSE_KEY_NOT_READY, 0x04, 0x1b, true },
	[SCUSE_MEDIUM_SANITIZE_FAILED] = { SCUSE_KEY_MEDIUM_ERROR, 0x31, 0x03 },
};

static void scuse_medium_describe(struct scuse_device *dev, u32 state, struct scuse_sense *sense)
{
	const struct scuse_medium_text *text = &scuse_medium_texts[state];

	sense->key = text->key;
	sense->asc = text->asc;
	sense->ascq = text->ascq;
	if (text->progress) {
		sense->specific = SCUSE_SENSE_PROGRESS;
		sense->field = READ_ONCE(dev->medium.progress);
	}
}

/*
 * scuse_medium_sense - what REQUEST SENSE reports of the medium
 *
 * False if there is nothing to report; otherwise @sense, all zero before, has been filled.
 */
bool scuse_medium_sense(struct scuse_device *dev, struct scuse_sense *sense)
{
	u32 state = READ_ONCE(dev->medium.state);

	if (state == SCUSE_MEDIUM_READY)
		return false;
	scuse_medium_describe(dev, state, sense);
	return true;
}

static bool scuse_medium_refuse(struct se_cmd *cmd, u32 state, sense_reason_t *ret)
{
	struct scuse_sense sense = {};

	scuse_medium_describe(to_scuse(cmd->se_dev), state, &sense);
	*ret = scuse_end_sense(cmd, &sense);
	return false;
}

/*
 * scuse_medium_ready - may @cmd, which needs the medium, go on?
 *
 * False: the command has been ended, or *@ret says how core is to end it.
 */
bool scuse_medium_ready(struct se_cmd *cmd, sense_reason_t *ret)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);
	u32 state = READ_ONCE(dev->medium.state);

	if (scuse_offline(dev, cmd, ret))
		return false;
	return state == SCUSE_MEDIUM_READY || scuse_medium_refuse(cmd, state, ret);
}

/* scuse_medium_idle - likewise, for a command that is refused only while the medium is being made new */
bool scuse_medium_idle(struct se_cmd *cmd, sense_reason_t *ret)
{
	u32 state = READ_ONCE(to_scuse(cmd->se_dev)->medium.state);

	if (state != SCUSE_MEDIUM_FORMATTING && state != SCUSE_MEDIUM_SANITIZING)
		return true;
	return scuse_medium_refuse(cmd, state, ret);
}

static bool scuse_medium_move(struct scuse_device *dev, u32 from, u32 to)
{
	return cmpxchg(&dev->medium.state, from, to) == from;
}

/* Does the drawing have an edge from @from to the work @to? */
static bool scuse_medium_edge(u32 from, enum scuse_medium_state to)
{
	switch (from) {
	case SCUSE_MEDIUM_READY:
	case SCUSE_MEDIUM_FORMAT_FAILED:
		return true;
	case SCUSE_MEDIUM_SANITIZE_FAILED:
		return to == SCUSE_MEDIUM_SANITIZING;
	default:
		return false;
	}
}

/*
 * scuse_medium_begin - enter @state, FORMATTING or SANITIZING, on behalf of @cmd
 *
 * True: nobody else is in it; scuse_medium_end() must follow, with *@before if nothing has happened to the
 * medium.  False: as scuse_medium_ready().
 */
bool scuse_medium_begin(struct se_cmd *cmd, enum scuse_medium_state state, u32 *before, sense_reason_t *ret)
{
	struct scuse_device *dev = to_scuse(cmd->se_dev);

	if (scuse_offline(dev, cmd, ret))
		return false;
	do {
		*before = READ_ONCE(dev->medium.state);
		if (!scuse_medium_edge(*before, state))
			return scuse_medium_refuse(cmd, *before, ret);
	} while (!scuse_medium_move(dev, *before, state));
	WRITE_ONCE(dev->medium.progress, 0);
	return true;
}

/* FORMATTING or SANITIZING, which the caller is in, is over. */
void scuse_medium_end(struct scuse_device *dev, u32 state)
{
	smp_store_release(&dev->medium.state, state);
}

/* EXIT FAILURE MODE (SBC-3 5.22.2.5); false: there is no failure, or SANITIZE has not allowed it. */
bool scuse_medium_exit(struct scuse_device *dev)
{
	return READ_ONCE(dev->medium.ause) &&
	       scuse_medium_move(dev, SCUSE_MEDIUM_SANITIZE_FAILED, SCUSE_MEDIUM_READY);
}

/* START STOP UNIT.  Other states are left alone. */
void scuse_medium_start(struct scuse_device *dev)
{
	scuse_medium_move(dev, SCUSE_MEDIUM_STOPPED, SCUSE_MEDIUM_READY);
}

void scuse_medium_stop(struct scuse_device *dev)
{
	scuse_medium_move(dev, SCUSE_MEDIUM_READY, SCUSE_MEDIUM_STOPPED);
}
