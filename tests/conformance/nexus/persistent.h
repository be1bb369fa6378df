/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * PERSISTENT RESERVE IN and OUT (SPC-4 6.15, 6.16), for all groups of cases.
 */
#ifndef NEXUS_PERSISTENT_H
#define NEXUS_PERSISTENT_H

#include "stage.h"

enum pr_type {
	PR_WRITE_EXCLUSIVE = 1,
	PR_EXCLUSIVE_ACCESS = 3,
	PR_WRITE_EXCLUSIVE_REGISTRANTS = 5,
	PR_EXCLUSIVE_ACCESS_REGISTRANTS = 6,
	PR_WRITE_EXCLUSIVE_ALL = 7,
	PR_EXCLUSIVE_ACCESS_ALL = 8
};

#define PR_TYPES 6
extern const uint8_t pr_types[PR_TYPES];
static inline bool pr_is_all_registrants(uint8_t type)
{
	return type == PR_WRITE_EXCLUSIVE_ALL || type == PR_EXCLUSIVE_ACCESS_ALL;
}
static inline bool pr_is_write_exclusive(uint8_t type)
{
	return type == PR_WRITE_EXCLUSIVE || type == PR_WRITE_EXCLUSIVE_REGISTRANTS || type == PR_WRITE_EXCLUSIVE_ALL;
}
/* May registered nexuses that do not hold it do what the holder may? */
static inline bool pr_is_for_registrants(uint8_t type)
{
	return type >= PR_WRITE_EXCLUSIVE_REGISTRANTS;
}

enum pr_out_action {
	PR_OUT_REGISTER = 0,
	PR_OUT_RESERVE = 1,
	PR_OUT_RELEASE = 2,
	PR_OUT_CLEAR = 3,
	PR_OUT_PREEMPT = 4,
	PR_OUT_PREEMPT_AND_ABORT = 5,
	PR_OUT_REGISTER_AND_IGNORE = 6,
	PR_OUT_REGISTER_AND_MOVE = 7
};

enum pr_in_action {
	PR_IN_READ_KEYS = 0,
	PR_IN_READ_RESERVATION = 1,
	PR_IN_REPORT_CAPABILITIES = 2,
	PR_IN_READ_FULL_STATUS = 3
};

/* Byte 20 of the parameter list. */
#define PR_APTPL     0x01
#define PR_ALL_TG_PT 0x04
#define PR_SPEC_I_PT 0x08

/* The key that the nexus of a place registers. */
#define PR_KEY(place) (0x5c05e000u + (unsigned int)(place))

/* The answer to a PERSISTENT RESERVE OUT that pr_out() sent last, for reports. */
extern struct command pr_last;

/* Sends the basic parameter list; returns the status. */
int pr_out(struct nexus *nexus, uint8_t action, uint8_t type, uint64_t key, uint64_t action_key, uint8_t flags);
int pr_reserve(struct nexus *nexus, uint8_t type, uint64_t key);
/* REGISTER AND IGNORE EXISTING KEY; 0 unregisters. */
int pr_register(struct nexus *nexus, uint64_t key);
/* A, B, C and L with PR_KEY() of their places; drains.  0 or -1. */
int pr_register_all(struct stage *stage);
/* Ends all registrations and any reservation, whoever has them; drains. */
void pr_clear_all(struct stage *stage);

/* READ KEYS: the number of keys, the first `room` of them in `keys`; -1 if it fails.  `generation` may be NULL. */
int pr_keys(struct nexus *nexus, uint64_t *keys, int room, uint32_t *generation);
/* READ RESERVATION: the type, 0 if there is none, -1 if it fails.  `key` may be NULL. */
int pr_reservation(struct nexus *nexus, uint64_t *key);

/* One descriptor of READ FULL STATUS. */
struct pr_status {
	uint64_t key;
	bool holder, all_target_ports;
	uint8_t type;
	uint16_t port;	       /* relative target port identifier */
	char initiator[300];   /* iSCSI: the name; with ",i,0x" and the ISID if it was given */
};
/* READ FULL STATUS: the number of descriptors; -1 if it fails or is malformed. */
int pr_full_status(struct nexus *nexus, struct pr_status *status, int room);

/* TransportID of an iSCSI initiator port (SPC-4 7.6.4.6), with its ISID; returns the length. */
size_t pr_transport_id(const struct nexus *nexus, uint8_t *to, size_t room);

/* Transfers, SPEC_I_PT, ALL_TG_PT, APTPL: transfer.c. */
void transfer_run(struct stage *stage);

#endif
