/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What REPORT SUPPORTED OPERATION CODES says of one command, whatever the table that it is from: made by
 * rsoc.c of entries in optable.c, by rawrsoc.c of what a raw LUN has besides.
 */
#ifndef SCUSE_RSOC_H
#define SCUSE_RSOC_H

#include "shim.h"

struct scuse_device;
struct scuse_opcode;

struct scuse_rsoc_item {
	u8 opcode;
	u8 usage[32];	/* CDB usage data; zero beyond */
	u16 action;	/* or SCUSE_NO_ACTION */
	u16 cdb_length; /* bytes */
	u32 seconds;	/* recommended timeout; 0: none */
};

struct scuse_rsoc_list {
	u32 count;
	u32 room;
	struct scuse_rsoc_item items[]; /* by operation code, then service action */
};

/* rsoc.c: the next item of @list, as the entry of a command that the kernel half carries out says. */
void scuse_rsoc_add_opcode(struct scuse_device *dev, struct scuse_rsoc_list *list,
			   const struct scuse_opcode *opcode);

/* The next item of @list, all zero; NULL: there is no room. */
static inline struct scuse_rsoc_item *scuse_rsoc_add(struct scuse_rsoc_list *list)
{
	return list->count < list->room ? &list->items[list->count++] : NULL;
}

/* rawrsoc.c: how many items a raw LUN has at most; and all of them.  Under RCU. */
u32 scuse_raw_rsoc_room(struct scuse_device *dev);
void scuse_raw_rsoc_list(struct scuse_device *dev, struct scuse_rsoc_list *list);

#endif /* SCUSE_RSOC_H */
