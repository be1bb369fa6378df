/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The place for saved mode pages, which the kernel does not have: kept when an initiator saves them, given
 * back when the LUN is made again.
 *
 * Called by supervisor.c on its one thread.  Files are written by other threads, one at a time: storing waits
 * for the disk, and that of this host may be a LUN which the supervisor has to keep alive.
 */
#ifndef SUPERVISOR_MODE_H
#define SUPERVISOR_MODE_H

#include <stdbool.h>

#include <scuse/netlink.h>

struct mode_keeper;

/*
 * `idle` is called when a reply has been sent and no other is due.  nl and state_dir are borrowed.  NULL with
 * errno set: out of descriptors.
 */
struct mode_keeper *mode_keeper_new(struct scuse_nl *nl, const char *state_dir, void (*idle)(void *data),
				    void *data);
/* While it is busy this does nothing: a thread that the disk keeps waiting ends with the process. */
void mode_keeper_free(struct mode_keeper *keeper);
bool mode_keeper_busy(const struct mode_keeper *keeper);

/* SCUSE_REQUEST_SAVE_MODE: always answered, now or later. */
void mode_keeper_save(struct mode_keeper *keeper, const struct scuse_nl_request *request);
/*
 * Before a device is served.  What cannot be given back is logged, with what to do about it; the device then
 * begins with defaults.
 */
void mode_keeper_restore(struct mode_keeper *keeper, const struct scuse_nl_device *device);
/* For a device that was enabled while nobody asked for it: only if the kernel has no saved pages. */
void mode_keeper_restore_missing(struct mode_keeper *keeper, const struct scuse_nl_device *device);

#endif /* SUPERVISOR_MODE_H */
