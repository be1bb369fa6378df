/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * LUNs: found by name, created, removed.
 */
#ifndef SCUSE_CLI_DEVICE_H
#define SCUSE_CLI_DEVICE_H

#include "cli.h"
#include "json.h"
#include "policy.h"

typedef struct scuse_nl_device scuse_nl_device;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(scuse_nl_device, scuse_nl_device_free)
typedef struct scuse_nl_devices scuse_nl_devices;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(scuse_nl_devices, scuse_nl_devices_free)
typedef struct scuse_nl_owners scuse_nl_owners;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(scuse_nl_owners, scuse_nl_owners_free)
typedef struct scuse_nl_queues scuse_nl_queues;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(scuse_nl_queues, scuse_nl_queues_free)
typedef struct scuse_nl_statistics scuse_nl_statistics;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(scuse_nl_statistics, scuse_nl_statistics_free)

/* A netlink handle, or an error that says what to do. */
scuse_nl *control_open(GError **error);

/* The LUN that people call `name`. */
scuse_nl_device *device_find(scuse_nl *nl, const char *name, GError **error);
char *device_path(const scuse_nl_device *device); /* its configfs directory */

/* What a LUN is made of; strings are borrowed. */
typedef struct plan {
	const char *name;
	char *directory; /* name, encoded; owned */
	const char *handler;
	GPtrArray *lines;	/* config lines; owned */
	const char *serial;	/* NULL: a new UUID */
	uint64_t size;		/* bytes; 0: the handler says */
	uint64_t block_size;	/* bytes; 0: the kernel's default */
	uint64_t queues;	/* 0: the kernel's default */
	uint64_t depth;		/* 0: the kernel's default */
	const char *protection; /* T10 type; NULL: not asked for */
	bool raw;		/* no size nor blocks of its own */
	uint32_t device_type;	/* SPC-4; 0 of a raw LUN: its handler will say */
	const struct policy_options *policies;
	const char *disk_option; /* one that was given and that raw LUNs do not take; NULL: none */
} plan;
void plan_clear(plan *p);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(plan, plan_clear)

/* All or nothing: on failure nothing stays behind. */
scuse_nl_device *device_create(scuse_nl *nl, const plan *what, GError **error);

/* What the events tell about one LUN while something is asked of its handler: the reason, if that fails. */
struct witness {
	const char *directory;
	char *message; /* NULL: none yet */
};
bool witness_begin(scuse_nl *nl, struct witness *witness, const char *directory, GError **error);
/* failed: waits a moment for the reason.  The message is the caller's to free. */
char *witness_end(scuse_nl *nl, struct witness *witness, bool failed);

void device_json(ScuseJson *json, const scuse_nl_device *device);

#endif /* SCUSE_CLI_DEVICE_H */
