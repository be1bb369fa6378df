/* SPDX-License-Identifier: MIT */
/*
 * libscuse-netlink: what the scuse kernel module tells and is told over generic netlink, as C functions.
 *
 *	cc $(pkg-config --cflags scuse-netlink) mine.c $(pkg-config --libs scuse-netlink)
 *
 * Management programs subscribe to events, dump devices, queues, statistics, owners, I_T nexuses and
 * reservations, read and set mode pages, and resize; a runner claims handler names and answers the kernel's
 * requests.  scuse(1) and scuse-runner(8) are built on
 * it.  The protocol underneath is described in <scuse/abi.h>.
 *
 * CONVENTIONS
 *	Functions that return int return 0 (or a count where said) or a negative errno; scuse_nl_error()
 *	then has the reason as a sentence for people: the kernel's own words where it gave any.
 *
 *	A handle belongs to one thread at a time; several handles are independent.  Descriptors are
 *	close-on-exec.  A fork()ed child must not use its parent's handle.
 *
 *	Calls that ask the kernel something wait at most the handle's timeout (-ETIMEDOUT).  Callbacks run
 *	inside scuse_nl_dispatch() only, so never while another call waits.  From a callback every function
 *	may be called but scuse_nl_dispatch() and scuse_nl_close().
 *
 *	Events, requests of the kernel to an owner, and everything that is answered have a socket each.  A
 *	handle whose events nobody reads still works for the rest.  Messages that do not come from the
 *	kernel are dropped.
 *
 *	Structs are made by the library alone, and grow only at the end.  Strings in them are never NULL
 *	unless said; they and all else that a struct points to live as long as the struct: until the
 *	matching _free(), or until the callback that was given it returns.
 */
#ifndef SCUSE_NETLINK_H
#define SCUSE_NETLINK_H

#include <stddef.h>
#include <stdint.h>

#include <scuse/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

struct scuse_nl;

/* ---- a handle --------------------------------------------------------------------------------------- */

/* Succeed without the kernel module too; calls give -ENODEV until it is loaded (see `module` below). */
#define SCUSE_NL_MODULE_OPTIONAL 0x1u

/* NULL with errno set: scuse_nl_error(NULL) says why.  ENODEV: the kernel module is not loaded. */
struct scuse_nl *scuse_nl_open(unsigned int flags);
/* Ends subscriptions, and claims: the kernel sees the owner go.  NULL is let pass. */
void scuse_nl_close(struct scuse_nl *nl);
/* Why the latest failed call failed; "" if none did.  NULL: this thread's latest failed scuse_nl_open(). */
const char *scuse_nl_error(const struct scuse_nl *nl);
/*
 * Milliseconds that calls wait for the kernel; 10000 unless set.  Resizing and restarting add what the kernel gives
 * the owner for it.
 */
void scuse_nl_set_timeout(struct scuse_nl *nl, unsigned int milliseconds);

/* ---- what the kernel knows -------------------------------------------------------------------------- */

struct scuse_nl_device {
	uint32_t id;	  /* the N of /dev/scuseN */
	uint32_t hba;	  /* the N of core/scuse_N in configfs */
	const char *name; /* of the configfs directory: scuse_name_decode() makes it readable */
	const char *handler;
	const char *config;  /* key=value lines; NULL: not shown to callers without CAP_SYS_ADMIN */
	const char *serial;  /* "" until it is set */
	const char *error;   /* the last error of handler or session; NULL: none */
	uint64_t size;	     /* bytes; 0: the handler has not said yet */
	uint32_t block_size; /* bytes */
	uint32_t state;	     /* enum scuse_state */
	uint32_t queues;
	uint32_t depth;	       /* commands in flight a queue */
	uint32_t max_transfer; /* bytes */
	uint32_t pid;	       /* of the worker; 0: none */
	uint32_t features;     /* SCUSE_FEATURE_* of the running session */
	uint32_t exports;      /* fabric LUNs that refer to the device */
	uint32_t device_type;  /* SPC-4 peripheral device type; SCUSE_TYPE_UNKNOWN: not known yet */
	uint32_t raw;	       /* 1: a raw LUN, whose commands go to a real or played device; else 0 */
	const char *identity;  /* which device is behind a raw LUN; NULL: not known, or not raw */
	/* Since minor 3; a kernel module that does not tell has `policies` 0, and 0 in all of them. */
	uint32_t policies;	  /* 1: the kernel has told the members below; else 0 */
	uint32_t orphan_policy;	  /* enum scuse_orphan_policy */
	uint32_t orphan_timeout;  /* seconds; SCUSE_NL_NO_LIMIT: none */
	uint32_t inflight_policy; /* enum scuse_inflight_policy */
	uint32_t command_timeout; /* seconds; 0: none */
	uint32_t tmf_timeout;	  /* seconds */
	uint32_t offline;	  /* 1: offline_ms counts; 0: it is online, or the module does not tell */
	uint64_t offline_ms;	  /* milliseconds since it went offline */
	uint64_t memory;	  /* bytes of slots that have memory now */
	uint64_t memory_max;	  /* bytes of slots that may have memory at a time; 0: not told */
};
#define SCUSE_NL_NO_LIMIT UINT32_MAX /* orphan_timeout */

struct scuse_nl_queue {
	uint32_t id;	/* of the device */
	uint32_t queue; /* index */
	uint32_t depth;
	uint32_t inflight;     /* tags that are not free at this moment */
	uint32_t state;	       /* enum scuse_state, of the device */
	uint32_t max_transfer; /* bytes of a data slot */
	uint32_t waiting;      /* commands that wait for a session */
};

/* Counted since the device was enabled; SCUSE_ATTR_STAT_* in <scuse/abi.h> say what. */
struct scuse_nl_stats {
	uint32_t id;	/* of the device */
	uint32_t queue; /* index */
	uint64_t commands;
	uint64_t read_bytes;
	uint64_t write_bytes;
	uint64_t errors;
	uint64_t busy;
	uint64_t enters;
	uint64_t sleeps;
	uint64_t wakeups;
	uint64_t suppressed;
	uint64_t batches;
	uint64_t zeroed_bytes;
	uint64_t unmap_blocks;
	uint64_t replayed;    /* since minor 3, as those below: 0 of an older module */
	uint64_t timeouts;
	uint64_t quarantined;
};

struct scuse_nl_owner {
	const char *handler;
	uint32_t portid; /* netlink port */
	uint32_t pid;
};

/* An I_T nexus that can address the device (SAM-5 3.1.51), by one LUN. */
struct scuse_nl_nexus {
	uint32_t id;	       /* of the device */
	uint32_t nexus;	       /* unique in the life of the device; never 0 */
	const char *fabric;    /* LIO's name: "loopback", "iSCSI" */
	const char *initiator; /* name of the initiator port */
	const char *target;    /* name of the target port */
	uint64_t lun;	       /* that the nexus addresses the device by */
	/* Pending unit attentions (SAM-5 5.14): pairs of ASC and ASCQ, in order of delivery; ua_count pairs. */
	const uint8_t *ua;
	size_t ua_count;
};

/* A registrant of persistent reservations (SPC-4 5.12), or who holds a reservation. */
struct scuse_nl_reservation {
	uint32_t id; /* of the device */
	const char *fabric;
	const char *initiator;
	const char *target;
	uint32_t type;	     /* SPC-4 table 60; SCUSE_PR_TYPE_SPC2; 0: registered, nothing is reserved */
	uint32_t holder;     /* 1: holds the reservation; else 0 */
	uint32_t has_key;    /* 1: key and generation are there; 0: SPC-2 */
	uint32_t generation; /* PRGENERATION, SPC-4 6.15.2 */
	uint64_t key;	     /* reservation key */
};

/* Mode pages as MODE SENSE (10) of 3Fh/FFh lists them (SPC-4 7.5), without header and block descriptors. */
struct scuse_nl_mode {
	uint32_t id; /* of the device */
	const uint8_t *current;
	size_t current_length; /* bytes */
	const uint8_t *saved;  /* NULL: none are saved */
	size_t saved_length;   /* bytes */
};

/*
 * Lists.  `item` has `count` pointers and then a NULL.  `sequence` is that of the latest event when the dump
 * was made: later events are not in it.  A dump that the kernel says was disturbed is made again (-EINTR
 * if that does not end).
 */
struct scuse_nl_devices {
	uint64_t sequence;
	size_t count;
	struct scuse_nl_device **item; /* by id, ascending */
};
struct scuse_nl_queues {
	uint64_t sequence;
	size_t count;
	struct scuse_nl_queue **item; /* by id, then queue */
};
struct scuse_nl_statistics {
	uint64_t sequence;
	size_t count;
	struct scuse_nl_stats **item; /* by id, then queue */
};
struct scuse_nl_owners {
	uint64_t sequence;
	size_t count;
	struct scuse_nl_owner **item; /* by handler */
};
struct scuse_nl_nexuses {
	uint64_t sequence;
	size_t count;
	struct scuse_nl_nexus **item; /* by id, then nexus */
};
struct scuse_nl_reservations {
	uint64_t sequence;
	size_t count;
	struct scuse_nl_reservation **item; /* by id; holders first; then by initiator and target */
};

#define SCUSE_NL_ALL UINT32_MAX /* instead of a device's id */

int scuse_nl_get_devices(struct scuse_nl *nl, struct scuse_nl_devices **devices);
int scuse_nl_get_queues(struct scuse_nl *nl, uint32_t id, struct scuse_nl_queues **queues);
int scuse_nl_get_statistics(struct scuse_nl *nl, uint32_t id, struct scuse_nl_statistics **statistics);
int scuse_nl_get_owners(struct scuse_nl *nl, struct scuse_nl_owners **owners);
int scuse_nl_get_nexuses(struct scuse_nl *nl, uint32_t id, struct scuse_nl_nexuses **nexuses);
int scuse_nl_get_reservations(struct scuse_nl *nl, uint32_t id, struct scuse_nl_reservations **reservations);
/* One device, by the name of its configfs directory or by id.  -ENODEV: there is none. */
int scuse_nl_get_device(struct scuse_nl *nl, const char *name, struct scuse_nl_device **device);
int scuse_nl_get_device_by_id(struct scuse_nl *nl, uint32_t id, struct scuse_nl_device **device);
/* A device's mode pages.  -ENODEV: there is no such device; -EOPNOTSUPP: it has none. */
int scuse_nl_get_mode(struct scuse_nl *nl, uint32_t id, struct scuse_nl_mode **mode);
/* One that outlives a callback; NULL: out of memory. */
struct scuse_nl_device *scuse_nl_device_copy(const struct scuse_nl_device *device);

void scuse_nl_devices_free(struct scuse_nl_devices *devices);
void scuse_nl_queues_free(struct scuse_nl_queues *queues);
void scuse_nl_statistics_free(struct scuse_nl_statistics *statistics);
void scuse_nl_owners_free(struct scuse_nl_owners *owners);
void scuse_nl_nexuses_free(struct scuse_nl_nexuses *nexuses);
void scuse_nl_reservations_free(struct scuse_nl_reservations *reservations);
void scuse_nl_mode_free(struct scuse_nl_mode *mode);
void scuse_nl_device_free(struct scuse_nl_device *device);

/* ---- events and requests ---------------------------------------------------------------------------- */

struct scuse_nl_event {
	uint64_t sequence;
	uint32_t type;			      /* enum scuse_event; may be newer than this library */
	const struct scuse_nl_device *device; /* NULL: not about a device */
	const struct scuse_nl_owner *owner;   /* OWNER_CLAIMED, OWNER_LOST; else NULL */
	const char *message;		      /* "" if there is none */
	uint8_t asc, ascq;		      /* UNIT_ATTENTION: additional sense code and qualifier */
	uint32_t nexus;			      /* UNIT_ATTENTION: the nexus that is spared; 0: none */
	const uint8_t *mode;		      /* MODE_CHANGED: as in struct scuse_nl_mode; else NULL */
	size_t mode_length;		      /* bytes */
};

/* What the kernel asks the owner of a handler's name.  Answer with scuse_nl_reply(), from any later moment.
 */
struct scuse_nl_request {
	uint64_t cookie;
	uint32_t type; /* enum scuse_request */
	uint64_t size; /* RESIZE: the wanted size in bytes (device->size may say the same); else the device's
			*/
	const struct scuse_nl_device *device; /* never NULL; its config is there */
	const uint8_t *mode;		      /* SAVE_MODE: the pages to keep; else NULL */
	size_t mode_length;		      /* bytes */
};

/* Callbacks of a handle; NULL for what is not wanted. */
struct scuse_nl_callbacks {
	uint32_t struct_size; /* sizeof(struct scuse_nl_callbacks) */
	void (*event)(void *data, const struct scuse_nl_event *event);
	/*
	 * Events from number `first` to before `next` are lost.  0 stands for a number that is not known:
	 * after an overrun of the socket it is only certain that some are missing.  What a dump says from now
	 * on makes up for it.
	 */
	void (*lost)(void *data, uint64_t first, uint64_t next);
	void (*request)(void *data, const struct scuse_nl_request *request);
	/*
	 * The kernel module was loaded (1) or unloaded (0) since the handle was opened.  Subscriptions come
	 * back by themselves; claims have to be made again, and a dump is due.
	 */
	void (*module)(void *data, int loaded);
};

/* `data` goes to each callback.  With `event` or `lost` set, the handle receives events from here on. */
int scuse_nl_subscribe(struct scuse_nl *nl, const struct scuse_nl_callbacks *callbacks, void *data);

/* A descriptor that is readable (POLLIN) while scuse_nl_dispatch() has something to do. */
int scuse_nl_fd(const struct scuse_nl *nl);
/*
 * Calls back for what has arrived and returns how often it did (0 too: what came was of no interest).  A
 * flood is taken in parts; the descriptor stays readable.  Waits for the first to arrive: not at all (0), so
 * many milliseconds, or without a limit (-1).  -EINTR: a signal came while it waited.
 */
int scuse_nl_dispatch(struct scuse_nl *nl, int timeout);

/* ---- changes: all need CAP_SYS_ADMIN ---------------------------------------------------------------- */

/* Own a handler's name; -EBUSY: somebody does.  Ends with the release, or with the handle. */
int scuse_nl_claim(struct scuse_nl *nl, const char *handler);
int scuse_nl_release(struct scuse_nl *nl, const char *handler);
/* status: 0, or an errno (EIO, -EIO: both are understood) with a message.  -ENOENT: no longer waited for. */
int scuse_nl_reply(struct scuse_nl *nl, uint64_t cookie, int status, const char *message);
/* Waits for the owner's answer; so an owner must not call it on the thread that is to give it. */
int scuse_nl_resize(struct scuse_nl *nl, uint32_t id, uint64_t size);
/*
 * The device's mode pages, current and saved, become these: `length` bytes, at most SCUSE_MODE_MAX.  For an
 * owner that was asked to keep them, before it serves the device.  -EINVAL: the kernel does not take them,
 * and changes none.
 */
int scuse_nl_set_mode(struct scuse_nl *nl, uint32_t id, const void *pages, size_t length);
/*
 * Brings a device back that was given up, or gives it another worker: its session is revoked, the owner is asked
 * for a new one and waited for.  -ENODEV: there is no such device; -EOPNOTSUPP: the kernel module is too old.
 */
int scuse_nl_restart(struct scuse_nl *nl, uint32_t id);
/*
 * Raise SCUSE_EVENT_HANDLER_ERROR, SCUSE_EVENT_SLOW_COMMAND or (the owner) SCUSE_EVENT_GIVEN_UP.  Long messages
 * are cut.
 */
int scuse_nl_report(struct scuse_nl *nl, uint32_t id, enum scuse_event event, const char *message);

/* ---- words ------------------------------------------------------------------------------------------ */

const char *scuse_nl_event_name(uint32_t type);	 /* "device-added", ...; "unknown" */
const char *scuse_nl_state_name(uint32_t state); /* "online", ...; "unknown" */
const char *scuse_nl_orphan_name(uint32_t policy);   /* "wait", "busy", "error"; "unknown" */
const char *scuse_nl_inflight_name(uint32_t policy); /* "replay", "busy"; "unknown" */
/* SPC-4 peripheral device types: "disk", "tape", "changer", "cd", "enclosure", ...; "unknown" */
const char *scuse_nl_type_name(uint32_t device_type);

/*
 * LUN names may hold any printable character of UTF-8; names of configfs directories may not.  '/', '%', a
 * leading '.', and names that configfs itself uses there are written as %XX.
 *
 * Both write at most `size` bytes with the final NUL to `out` and return the length without it; -ENAMETOOLONG
 * if it does not fit or exceeds SCUSE_NAME_MAX; -EINVAL for a name that is empty or not printable, or a %
 * that is not followed by two hexadecimal digits.  On errors `out` is an empty string (if size > 0).
 */
int scuse_name_encode(const char *name, char *out, size_t size);
int scuse_name_decode(const char *directory, char *out, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* SCUSE_NETLINK_H */
