/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * DIR/state, the file that says which cartridge is in which element of a virtual library.  The changer writes
 * it, as a whole: a new file beside it, made durable, takes its place.  Drives read it when they start.
 *
 * It is text, a line for each cartridge and one for the latest move; '#' begins a comment:
 *
 *	# scuse-vchanger(7): written by the changer
 *	slot 3 A00003L8
 *	drive 0 A00001L8 from 1		came from storage slot 1
 *	port 1 B00007L8 imported	import/export element; put there by hand
 *	slot 2 B00005L8 moving		its file is about to be in the other folder: see library.c
 *	moved 1024 256 0		the element addresses of the latest move: source, destinations
 */
#ifndef VCHANGER_STATE_H
#define VCHANGER_STATE_H

#include <stdbool.h>
#include <stdio.h>

#include "link.h"

enum state_kind { STATE_SLOT, STATE_DRIVE, STATE_PORT, STATE_MOVED };

struct state_entry {
	enum state_kind kind;
	unsigned int number;	  /* slots and ports from 1, drives from 0 */
	char name[LINK_NAME_MAX]; /* the cartridge's file */
	unsigned int from;	  /* storage slot that it was last moved from; 0: none */
	bool imported, moving;
	unsigned int moved[3]; /* of MOVED */
};

/* Opens DIR/state for reading; NULL with errno set (ENOENT: a new library). */
FILE *state_open(int dir);
/* 1: an entry; 0: the end; -EINVAL: a line that is no entry, which is skipped by the next call; -EIO. */
int state_next(FILE *file, struct state_entry *entry);

/* Begins a new file; NULL with errno set. */
FILE *state_begin(int dir);
void state_put(FILE *file, const struct state_entry *entry);
/* Makes it durable and puts it in place; closes it in any case.  0 or -errno: the old file is there still. */
int state_commit(int dir, FILE *file);

#endif /* VCHANGER_STATE_H */
