/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A virtual library in a directory of its own, and drives that are played: what the vchanger_*.c tests have
 * in common.
 */
#ifndef TESTS_VCHANGER_FIXTURE_H
#define TESTS_VCHANGER_FIXTURE_H

#include <criterion/criterion.h>
#include <glib.h>
#include <pthread.h>

#include "../../handlers/vchanger/library.h"

#define SLOT(n)	 (ADDRESS_STORAGE + (n)-1) /* from 1 */
#define PORT(n)	 (ADDRESS_PORT + (n)-1)	   /* from 1 */
#define DRIVE(n) (ADDRESS_DRIVE + (n))	   /* from 0 */

/* The library's directory: made by fixture_set_up(), removed with all in it by fixture_tear_down(). */
extern char *fixture_path;
void fixture_set_up(void);
void fixture_tear_down(void);

/* An empty file `folder`/`name`, as `touch` makes it; folders are made. */
void fixture_put(const char *folder, const char *name);
bool fixture_has(const char *folder, const char *name);
void fixture_remove(const char *folder, const char *name);

/* How often hand-made changes were told, since the library was opened: [1]: of import/export elements. */
extern int fixture_news[2];
/* 4 slots, 2 drives, 2 ports; fails the test if it does not open. */
struct library *fixture_open(void);
/* "slot1:A slot2:B drive0:C port1:D": what is where, in ascending order of address. */
char *fixture_contents(struct library *library);
void fixture_expect(struct library *library, const char *wanted);

/* A drive: keeps its cartridge's file locked, as a real one does. */
struct fake_drive {
	struct link_listener *listener;
	pthread_mutex_t lock;
	/* lock: */
	char name[LINK_NAME_MAX]; /* "": empty */
	int fd;			  /* of the cartridge; -1: none */
	bool prevented, unloaded;
	int load_error, unload_error; /* what is returned instead of doing it */
	unsigned int loads, unloads;  /* that were carried out */
};

/* Loads what the library's state says, and listens. */
void fake_drive_start(struct fake_drive *drive, unsigned int number);
void fake_drive_stop(struct fake_drive *drive);
/* Waits until the drive has this cartridge ("": none); false: it does not come to that. */
bool fake_drive_gets(struct fake_drive *drive, const char *name);

#endif /* TESTS_VCHANGER_FIXTURE_H */
