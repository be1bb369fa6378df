// SPDX-License-Identifier: LGPL-2.1-or-later
/* A virtual library as vchanger.c and watch.c see it: opening, and what its elements are like.  See library.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <scuse/handler.h>

#include "inventory.h"
#include "moves.h"

/* ---- opening ---- */

static int open_folder(struct library *library, enum folder folder, const char *name)
{
	if (mkdirat(library->dir, name, 0755) != 0 && errno != EEXIST) {
		scuse_error("%s/%s cannot be made: %s", library->path, name, strerror(errno));
		return -EIO;
	}
	library->folders[folder] = openat(library->dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (library->folders[folder] >= 0)
		return 0;
	scuse_error("%s/%s cannot be opened: %s", library->path, name, strerror(errno));
	return -EIO;
}

static int open_files(struct library *library)
{
	int error;

	library->dir = open(library->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (library->dir < 0) {
		error = -errno;
		scuse_error("%s cannot be opened: %s", library->path, strerror(errno));
		return error;
	}
	/* One changer a library: the lock goes with the process. */
	if (flock(library->dir, LOCK_EX | LOCK_NB) != 0) {
		scuse_error("%s belongs to another changer already", library->path);
		return -EBUSY;
	}
	error = open_folder(library, FOLDER_CARTRIDGES, "cartridges");
	return error ? error : open_folder(library, FOLDER_MAIL, "mail");
}

static int load(struct library *library)
{
	int error = open_files(library);

	if (error)
		return error;
	error = inventory_load(library);
	if (error) {
		scuse_error("%s/state cannot be read: %s", library->path, strerror(-error));
		return error;
	}
	inventory_scan(library);
	error = inventory_save(library);
	if (error)
		scuse_error("%s/state cannot be written: %s", library->path, strerror(-error));
	return error;
}

static struct library *allocate(const struct library_options *options)
{
	struct library *library = calloc(1, sizeof(*library));

	if (!library)
		return NULL;
	library->options = *options;
	library->dir = library->folders[FOLDER_CARTRIDGES] = library->folders[FOLDER_MAIL] = -1;
	library->counts[ELEMENT_TRANSPORT] = 1;
	library->counts[ELEMENT_STORAGE] = options->slots;
	library->counts[ELEMENT_PORT] = options->ports;
	library->counts[ELEMENT_DRIVE] = options->drives;
	library->counts[ELEMENT_ALL] = 1 + options->slots + options->ports + options->drives;
	pthread_mutex_init(&library->lock, NULL);
	library->path = strdup(options->path);
	library->places = calloc(library->counts[ELEMENT_ALL], sizeof(struct cartridge *));
	if (library->path && library->places)
		return library;
	library_close(library);
	return NULL;
}

struct library *library_open(const struct library_options *options)
{
	struct library *library = allocate(options);
	int error = library ? load(library) : -ENOMEM;

	if (!error)
		return library;
	library_close(library);
	errno = -error;
	return NULL;
}

void library_close(struct library *library)
{
	if (!library)
		return;
	inventory_free(library);
	for (int i = 0; i < FOLDERS; i++)
		if (library->folders[i] >= 0)
			close(library->folders[i]);
	if (library->dir >= 0)
		close(library->dir);
	pthread_mutex_destroy(&library->lock);
	free(library->places);
	free(library->path);
	free(library);
}

/* ---- elements ---- */

unsigned int library_count(const struct library *library, enum element_type type)
{
	return library->counts[type];
}

int library_directory(const struct library *library)
{
	return library->dir;
}

enum element_type library_type(const struct library *library, unsigned int address)
{
	unsigned int index, number;

	return element_find(library, address, &index) ? element_type(library, index, &number) : ELEMENT_ALL;
}

static void set_exception(struct library_element *element, uint8_t asc, uint8_t ascq)
{
	element->exception = true;
	element->accessible = false;
	element->asc = asc;
	element->ascq = ascq;
}

static void describe_drive(struct library *library, unsigned int number, struct library_element *element)
{
	struct link_status status;
	enum drive_state state = drive_settle(library, number, &status);

	memcpy(element->id, status.id, sizeof(element->id));
	if (state == DRIVE_ABSENT)
		set_exception(element, 0x04, 0x12); /* LOGICAL UNIT NOT READY, OFFLINE */
	else if (state == DRIVE_DIFFERS)
		set_exception(element, 0x53, 0x00); /* MEDIA LOAD OR EJECT FAILED */
	else if (status.prevented)
		element->accessible = false;
}

void library_element(struct library *library, unsigned int index, struct library_element *element)
{
	const struct cartridge *cartridge;
	unsigned int number;

	memset(element, 0, sizeof(*element));
	element->type = element_type(library, index, &number);
	element->address = library_address(library, index);
	pthread_mutex_lock(&library->lock);
	cartridge = library->places[index];
	element->full = cartridge != NULL;
	element->accessible = element->type != ELEMENT_TRANSPORT;
	if (cartridge) {
		cartridge_volume(cartridge, element->volume);
		element->imported = cartridge->imported;
		element->source = cartridge->from ? ADDRESS_STORAGE + cartridge->from - 1 : 0;
	}
	if (element->type == ELEMENT_DRIVE)
		describe_drive(library, number, element);
	pthread_mutex_unlock(&library->lock);
}

bool library_drives_answer(struct library *library)
{
	struct link_status status;

	for (unsigned int i = 0; i < library->counts[ELEMENT_DRIVE]; i++)
		if (link_status(library->path, i, &status) != 0)
			return false;
	return true;
}

/* ---- what people and drives do ---- */

void library_lock_ports(struct library *library, bool locked)
{
	pthread_mutex_lock(&library->lock);
	library->ports_locked = locked;
	inventory_admit(library);
	pthread_mutex_unlock(&library->lock);
}

void library_scan(struct library *library)
{
	pthread_mutex_lock(&library->lock);
	inventory_scan(library);
	pthread_mutex_unlock(&library->lock);
}

void library_file_changed(struct library *library, const char *name)
{
	pthread_mutex_lock(&library->lock);
	inventory_check(library, name);
	pthread_mutex_unlock(&library->lock);
}

bool library_settle_drive(struct library *library, unsigned int drive)
{
	struct link_status status;
	enum drive_state state;

	if (drive >= library->counts[ELEMENT_DRIVE])
		return true;
	pthread_mutex_lock(&library->lock);
	state = drive_settle(library, drive, &status);
	pthread_mutex_unlock(&library->lock);
	return state != DRIVE_ABSENT;
}
