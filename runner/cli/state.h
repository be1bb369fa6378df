/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A LUN's SCSI state: I_T nexuses with what waits for them, reservations, mode pages, protection.
 */
#ifndef SCUSE_CLI_STATE_H
#define SCUSE_CLI_STATE_H

#include "device.h"

/* What could not be had is NULL, and is not shown: a module without it, or a LUN that goes at this moment. */
typedef struct lun_state {
	struct scuse_nl_nexuses *nexuses;
	struct scuse_nl_reservations *reservations;
	struct scuse_nl_mode *mode;
	char *protection; /* T10 protection type, "0" for none */
} lun_state;
void lun_state_clear(lun_state *state);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(lun_state, lun_state_clear)

/* path: the LUN's configfs directory. */
void lun_state_read(scuse_nl *nl, const scuse_nl_device *device, const char *path, lun_state *state);
void lun_state_print(const lun_state *state);
/* The members of an object that is open. */
void lun_state_json(ScuseJson *json, const lun_state *state);

#endif /* SCUSE_CLI_STATE_H */
