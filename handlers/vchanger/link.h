/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The link between a virtual library's changer and its drives.  Each is a LUN with a worker process of its
 * own; what they share is the library's directory:
 *
 *	DIR/cartridges/NAME	the cartridges that are in slots and drives, a file each
 *	DIR/mail/NAME		those in import/export elements
 *	DIR/state		which cartridge is in which element; written by the changer only
 *	DIR/drive-N.socket	where drive N (0, 1, ...) listens, for as long as its worker runs
 *
 * The changer asks and the drive answers, one request a connection, so that neither has to notice when the
 * other's worker is started again: a drive whose worker is absent refuses connections.
 *
 *	changer (vchanger)			drive (vtape)
 *	                                        link_assigned(): loads what DIR/state says
 *	                                        link_listen()
 *	link_status()  -- STATUS -------------> ops->status
 *	link_load()    -- LOAD NAME ----------> ops->load
 *	link_unload()  -- UNLOAD -------------> ops->unload
 *
 * DIR/state is the truth.  The changer writes it before it tells a drive to load a cartridge, and after a
 * drive has let go of one; a drive that starts loads what it says, and the changer corrects a drive that
 * differs. So both may be killed at any moment.
 */
#ifndef VCHANGER_LINK_H
#define VCHANGER_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINK_NAME_MAX	64 /* bytes of a cartridge's file name, with the final NUL */
#define LINK_DRIVES_MAX 64 /* drives are numbered from 0 to less than this */
#define LINK_ID_MAX	64 /* bytes of a drive's identification, with the final NUL */

/* What a drive says of itself. */
struct link_status {
	char name[LINK_NAME_MAX]; /* file name of the cartridge in it, loaded or not; "": none */
	/*
	 * Which drive it is, as a T10 vendor identification designator (SPC-4 7.8.6.4): vendor (8 bytes),
	 * product (16), serial number, printable ASCII.  "": unknown.
	 */
	char id[LINK_ID_MAX];
	bool loaded; /* threaded and ready; false with a name: unloaded by an initiator, can be taken out */
	bool prevented; /* an initiator has prevented removal (PREVENT ALLOW MEDIUM REMOVAL) */
};

/* ---- the drive's side ---- */

/* Called on the link's own thread, one at a time.  Those that return int: 0 or -errno. */
struct link_ops {
	/*
	 * Put this cartridge in, and load it.  0 too if it is in already, whatever state it is in.  -EBUSY:
	 * there is another one in, or its file is locked by somebody; other errors: it cannot be read.  On
	 * failure the drive is as before.  `path` is absolute: DIR/cartridges/NAME.
	 */
	int (*load)(void *drive, const char *name, const char *path);
	/*
	 * Let go of the cartridge: all that was written is durable and the file is closed and unlocked.  0
	 * too if there is none.  -EPERM: removal is prevented (not with `force`).  -EBUSY: a command on it
	 * takes longer than LINK_PATIENCE.
	 */
	int (*unload)(void *drive, bool force);
	/* Returns soon, whatever the drive is doing.  *status is zeroed. */
	void (*status)(void *drive, struct link_status *status);
};
#define LINK_PATIENCE 20 /* seconds */

struct link_listener;

/*
 * Listens as drive `drive` of the library, on a thread of its own; NULL with errno set if it cannot.  A
 * socket file that an earlier worker left is replaced; EADDRINUSE if another live process listens there.
 */
struct link_listener *link_listen(const char *library, unsigned int drive, const struct link_ops *ops,
				  void *context);
/* Waits for the operation that is running, if any; no other is called afterwards.  NULL is ignored. */
void link_listener_free(struct link_listener *listener);

/*
 * Which cartridge the library's state says is in the drive: for a drive that starts, before link_listen().
 * 0 with the file's name and path (`path`: of PATH_MAX bytes); -ENOENT: none.
 */
int link_assigned(const char *library, unsigned int drive, char name[LINK_NAME_MAX], char *path);

/* ---- the changer's side ---- */

/*
 * Each waits for a bounded time: LINK_STATUS_TIMEOUT, or LINK_MOVE_TIMEOUT for load and unload.  0, or what
 * the drive's operation returned, or -ENOTCONN: its worker is absent, -ETIMEDOUT: it does not answer (whether
 * it did what was asked is not known), -EPROTO: something else listens there.  Any thread.
 */
int link_status(const char *library, unsigned int drive, struct link_status *status);
int link_load(const char *library, unsigned int drive, const char *name);
int link_unload(const char *library, unsigned int drive, bool force);

#define LINK_STATUS_TIMEOUT 2000  /* milliseconds */
#define LINK_MOVE_TIMEOUT   30000 /* milliseconds */

/* Can it be a cartridge's file name?  Printable ASCII without blanks and '/', not beginning with a dot. */
bool link_name_valid(const char *name);

#endif /* VCHANGER_LINK_H */
