/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A LUN as the supervisor sees it: a device of the kernel's, and the worker process that serves it.
 *
 * lun.c knows nothing of netlink: what it has to tell the kernel goes through struct lun_host, which
 * supervisor.c implements.  All on the supervisor's one thread.
 */
#ifndef SUPERVISOR_LUN_H
#define SUPERVISOR_LUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What the kernel says about a device.  Strings belong to whoever holds the struct. */
struct lun_spec {
	uint32_t id; /* of /dev/scuseN */
	char *name;  /* readable */
	char *handler;
	char *config;
	uint64_t size; /* bytes; 0: the handler is to say */
	uint32_t block_size;
	char *identity; /* of a raw LUN's device; NULL: not known */
	char *serial;	/* "": none */
	pid_t pid;	/* who serves it; 0: nobody, or its session has not started */
};

void lun_spec_clear(struct lun_spec *spec);

struct lun;

struct lun_host {
	/* The path of a handler's plugin (newly allocated); NULL: there is none. */
	char *(*find_plugin)(void *data, const char *handler);
	/* The device as it is now.  False: it is gone. */
	bool (*refresh)(void *data, uint32_t id, struct lun_spec *spec);
	/* A session: a descriptor, or -errno; -EBUSY: some process has one. */
	int (*open_device)(void *data, uint32_t id);
	/* Where workers are found. */
	const char *(*runtime_dir)(void *data);
	void (*reply)(void *data, uint64_t cookie, int status, const char *message);
	/* `event`: of enum scuse_event. */
	void (*report)(void *data, uint32_t id, uint32_t event, const char *message);
	/* What the LUN wants kept has changed: `fd` (not to be closed), or -1 for nothing any more. */
	void (*keep)(void *data, const struct lun_spec *spec, int fd);
	/* The LUN has ended; it is freed when this returns. */
	void (*gone)(void *data, struct lun *lun);
};

/*
 * Begins to serve: by the worker that has the device's session, if there is one and it can be taken over,
 * else by a new one.  Takes over what `spec` points to, and `kept`, what an earlier worker has had kept (-1:
 * nothing).  `cookie`: of the request that waits; 0: nobody waits.
 */
struct lun *lun_serve(const struct lun_host *host, void *data, struct lun_spec *spec, int kept,
		      uint64_t cookie);
uint32_t lun_id(const struct lun *lun);
/* Always answered, now or later. */
void lun_resize(struct lun *lun, uint64_t cookie, uint64_t size);
/* Another worker, and a new budget of restarts.  Always answered, now or later. */
void lun_restart(struct lun *lun, uint64_t cookie);
/* Does somebody wait for an answer? */
bool lun_is_asked(const struct lun *lun);
/* The worker is to finish; after a time limit it is killed. */
void lun_stop(struct lun *lun);
/* No more patience. */
void lun_kill(struct lun *lun);
/* Leaves the worker to the next supervisor.  The LUN is freed; `gone` is not called. */
void lun_leave(struct lun *lun);
/* Tries again what was given up. */
void lun_retry(struct lun *lun);

#endif /* SUPERVISOR_LUN_H */
