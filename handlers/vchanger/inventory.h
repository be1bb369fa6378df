/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The inside of a library: its cartridges, their places, and their files.  library.c and moves.c call it; the
 * library's lock is held in each call.  See library.h for the whole.
 *
 * A cartridge is in an element, or it waits: its file is in a folder whose elements are all full (or locked).
 *
 *	file appears --> [waiting] -- an element is free --> [in an element] -- moves --.
 *	                     |                                    |      ^--------------'
 *	                     '--------- file disappears ----------'--> forgotten
 */
#ifndef VCHANGER_INVENTORY_H
#define VCHANGER_INVENTORY_H

#include <pthread.h>

#include "library.h"

enum folder { FOLDER_CARTRIDGES, FOLDER_MAIL };
#define FOLDERS 2

#define NOWHERE UINT32_MAX /* the place of a cartridge that waits */

struct cartridge {
	struct cartridge *next;
	char name[LINK_NAME_MAX]; /* of its file */
	unsigned int place;	  /* index of its element, or NOWHERE */
	unsigned int from;	  /* storage slot that it was last moved from, from 1; 0: none */
	bool imported;
	enum folder folder; /* where its file is; differs from home() in the middle of a move only */
};

struct library {
	struct library_options options;
	char *path;
	int dir, folders[FOLDERS]; /* descriptors */
	unsigned int counts[ELEMENT_TYPES];
	pthread_mutex_t lock;
	/* lock: */
	struct cartridge *cartridges; /* in the order in which they came */
	struct cartridge **places;    /* by element index */
	unsigned int moved[3];	      /* addresses of the latest move; all 0: none that is of interest */
	bool ports_locked;
	bool news[2]; /* what options.changed is to be told; [1]: of ports */
};

/* Elements by index: in ascending order of their addresses.  `number`: within the type, from 0. */
enum element_type element_type(const struct library *library, unsigned int index, unsigned int *number);
unsigned int element_index(const struct library *library, enum element_type type, unsigned int number);
/* False: there is no element at this address. */
bool element_find(const struct library *library, unsigned int address, unsigned int *index);

/* The folder of an element's cartridge. */
enum folder place_folder(const struct library *library, unsigned int place);
void cartridge_volume(const struct cartridge *cartridge, char volume[VOLUME_MAX + 1]);
/* Puts it into an element, or NOWHERE. */
void cartridge_place(struct library *library, struct cartridge *cartridge, unsigned int place);
bool cartridge_exists(const struct library *library, const char *name, enum folder folder);
/* Its file into the folder where it belongs: 0 or -errno. */
int cartridge_rename(struct library *library, struct cartridge *cartridge);

/* DIR/state.  Loading takes cartridges whose elements are not there any more for waiting ones. */
int inventory_load(struct library *library);
int inventory_save(struct library *library);
/* Takes in what was done by hand: all files, or those of one name; saves if anything has changed, and tells. */
void inventory_scan(struct library *library);
void inventory_check(struct library *library, const char *name);
/* An element is free, or the ports are open again: room for cartridges that wait. */
void inventory_admit(struct library *library);
void inventory_free(struct library *library);

#endif /* VCHANGER_INVENTORY_H */
