/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A virtual library: its elements (SMC-3 4.2), the cartridges in them, and their moves.  vchanger.c calls it
 * for initiators, watch.c for what people and drives do.
 *
 * FILES	The cartridge of an import/export element is in DIR/mail, any other in DIR/cartridges: so what
 *		an administrator puts into DIR/mail has been imported, and what an initiator moves to an
 *		import/export element can be taken from there.  DIR/state (state.h) says the rest.
 *
 * MOVES	are steps of which each may be the last that the process does:
 *
 *		1. the drives concerned let go of their cartridges	after a kill: they load them again
 *		2. DIR/state has the new places, "moving" if the	the move counts; on the next start the
 *		   file must go to the other folder			file follows, and drives load
 *		3. files are renamed
 *		4. drives load						on failure all is undone
 *		5. DIR/state again, without "moving"
 *
 *		A cartridge that is not where the state says was moved by hand: it is taken in where it is, as one
 *		that is new; "moving" tells that from a move of ours that was cut short.  A move that
 *		an initiator's command began and an earlier worker finished is recognised by the "moved" line.
 *
 * LOCKING	A mutex of the library's is held during each call, also while drives are waited for (bounded: link.h).
 */
#ifndef VCHANGER_LIBRARY_H
#define VCHANGER_LIBRARY_H

#include <stdbool.h>
#include <stdint.h>

#include "link.h"

/* Element type codes (SMC-3 table 4). */
enum element_type {
	ELEMENT_ALL = 0,
	ELEMENT_TRANSPORT = 1,
	ELEMENT_STORAGE = 2,
	ELEMENT_PORT = 3, /* import/export */
	ELEMENT_DRIVE = 4 /* data transfer */
};
#define ELEMENT_TYPES 5

/* Addresses of the first element of each type. */
#define ADDRESS_TRANSPORT 0x0000u
#define ADDRESS_PORT	  0x0010u
#define ADDRESS_DRIVE	  0x0100u
#define ADDRESS_STORAGE	  0x0400u
#define SLOTS_MAX	  4096u
#define PORTS_MAX	  240u

#define VOLUME_MAX 32 /* bytes of a volume identifier (SMC-3 5.1) */

struct library_options {
	const char *path; /* absolute */
	unsigned int slots, drives, ports;
	/* Called with the library's lock held, so no calls back into it.  `port`: an import/export element has
	 * got or lost a cartridge; else the inventory has changed otherwise.  By hand, in both cases. */
	void (*changed)(void *context, bool port);
	void *context;
};

/* How a request ends. */
enum library_result {
	LIBRARY_OK = 0,
	LIBRARY_BAD_ADDRESS,
	LIBRARY_SOURCE_EMPTY,
	LIBRARY_DESTINATION_FULL,
	LIBRARY_PREVENTED,    /* removal, by an initiator of the drive */
	LIBRARY_DRIVE_ABSENT, /* its worker does not answer */
	LIBRARY_DRIVE_BUSY,   /* with a command */
	LIBRARY_LOAD_FAILED,  /* the drive does not take it; it is where it was */
	LIBRARY_FILES_FAILED  /* the file system does not do what is needed */
};

/* An element, for READ ELEMENT STATUS. */
struct library_element {
	enum element_type type;
	unsigned int address;
	bool full, accessible;
	bool imported; /* put there by hand (import/export elements) */
	bool exception;
	uint8_t asc, ascq;	     /* of the exception */
	unsigned int source;	     /* address of the storage element that it came from; 0: unknown */
	char volume[VOLUME_MAX + 1]; /* volume identifier; "" if empty */
	char id[LINK_ID_MAX];	     /* of a drive whose worker answers, otherwise "" */
};

struct library;

/* NULL with errno set, and scuse_error() told. */
struct library *library_open(const struct library_options *options);
void library_close(struct library *library);

unsigned int library_count(const struct library *library, enum element_type type);
unsigned int library_first(enum element_type type); /* address */
unsigned int library_address(const struct library *library,
			     unsigned int index); /* of the element of this index */
/* Of all elements, in ascending order of address; index < library_count(library, ELEMENT_ALL). */
void library_element(struct library *library, unsigned int index, struct library_element *element);
/* ELEMENT_ALL: there is none at this address. */
enum element_type library_type(const struct library *library, unsigned int address);
bool library_drives_answer(struct library *library);

/*
 * MOVE MEDIUM.  `replayed`: an earlier worker may have been given the same command, and have done it.
 * library_exchange(): what is in `source` goes to `first`, and what is there to `second`, which may be
 * `source`.
 */
enum library_result library_move(struct library *library, unsigned int source, unsigned int destination,
				 bool replayed);
enum library_result library_exchange(struct library *library, unsigned int source, unsigned int first,
				     unsigned int second, bool replayed);

/* While the ports are locked, what is put into DIR/mail waits outside. */
void library_lock_ports(struct library *library, bool locked);
/* Looks at all files: finds what was put in or taken out by hand. */
void library_scan(struct library *library);

/* ---- for watch.c ---- */

int library_directory(const struct library *library); /* descriptor of DIR */
/* A file of this name came, went, or was written, in one of the folders. */
void library_file_changed(struct library *library, const char *name);
/* Drive `drive` may differ from the state: asks it, and corrects it.  False: it does not answer. */
bool library_settle_drive(struct library *library, unsigned int drive);

#endif /* VCHANGER_LIBRARY_H */
