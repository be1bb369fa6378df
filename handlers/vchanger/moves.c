// SPDX-License-Identifier: LGPL-2.1-or-later
/* Moves of cartridges.  The steps, and why a kill between them does no harm, are in library.h. */
#include "moves.h"

#include <errno.h>
#include <string.h>

#include <scuse/handler.h>

/* One cartridge's part of a command; an exchange has two. */
struct step {
	struct cartridge *cartridge;
	unsigned int from, to; /* places */
	unsigned int slot;     /* cartridge->from before the move */
	bool imported;	       /* cartridge->imported before the move */
};

struct plan {
	struct step steps[2];
	unsigned int count;
	unsigned int moved[3]; /* addresses, as they are recorded */
};

/* ---- drives ---- */

static bool is_drive(const struct library *library, unsigned int place, unsigned int *drive)
{
	return element_type(library, place, drive) == ELEMENT_DRIVE;
}

enum drive_state drive_settle(struct library *library, unsigned int drive, struct link_status *status)
{
	const struct cartridge *cartridge = library->places[element_index(library, ELEMENT_DRIVE, drive)];
	const char *wanted = cartridge ? cartridge->name : "";
	int error = link_status(library->path, drive, status);

	if (error)
		return DRIVE_ABSENT;
	if (!strcmp(status->name, wanted))
		return DRIVE_SETTLED;
	if (status->name[0])
		error = link_unload(library->path, drive, true);
	if (!error && wanted[0])
		error = link_load(library->path, drive, wanted);
	if (!error)
		return DRIVE_SETTLED;
	scuse_log(SCUSE_LOG_WARNING, "%s: drive %u does not take cartridge '%s': %s", library->path, drive,
		  wanted, strerror(-error));
	return DRIVE_DIFFERS;
}

static enum library_result unload_result(int error)
{
	switch (error) {
	case 0:
		return LIBRARY_OK;
	case -EPERM:
		return LIBRARY_PREVENTED;
	case -EBUSY:
		return LIBRARY_DRIVE_BUSY;
	case -ENOTCONN:
	case -ETIMEDOUT:
	case -EPROTO:
		return LIBRARY_DRIVE_ABSENT;
	}
	return LIBRARY_LOAD_FAILED;
}

/* Drives that are to get a cartridge must be there before anything is moved. */
static enum library_result check_drives(struct library *library, const struct plan *plan)
{
	struct link_status status;
	unsigned int drive;

	for (unsigned int i = 0; i < plan->count; i++)
		if (is_drive(library, plan->steps[i].to, &drive) &&
		    drive_settle(library, drive, &status) == DRIVE_ABSENT)
			return LIBRARY_DRIVE_ABSENT;
	return LIBRARY_OK;
}

static enum library_result unload_drives(struct library *library, const struct plan *plan)
{
	enum library_result result = LIBRARY_OK;
	unsigned int drive;

	for (unsigned int i = 0; i < plan->count && !result; i++)
		if (is_drive(library, plan->steps[i].from, &drive))
			result = unload_result(link_unload(library->path, drive, false));
	return result;
}

static enum library_result load_drives(struct library *library, const struct plan *plan)
{
	unsigned int drive;
	int error = 0;

	for (unsigned int i = 0; i < plan->count && !error; i++)
		if (is_drive(library, plan->steps[i].to, &drive))
			error = link_load(library->path, drive, plan->steps[i].cartridge->name);
	return error ? LIBRARY_LOAD_FAILED : LIBRARY_OK;
}

/* Each drive that has to do with the move is as the state says, also if its worker was started again meanwhile. */
static void settle_drives(struct library *library, const struct plan *plan)
{
	struct link_status status;
	unsigned int drive;

	for (unsigned int i = 0; i < plan->count; i++) {
		if (is_drive(library, plan->steps[i].from, &drive))
			drive_settle(library, drive, &status);
		if (is_drive(library, plan->steps[i].to, &drive))
			drive_settle(library, drive, &status);
	}
}

/* ---- places and files ---- */

static void place_cartridges(struct library *library, const struct plan *plan)
{
	unsigned int number;

	for (unsigned int i = 0; i < plan->count; i++)
		cartridge_place(library, plan->steps[i].cartridge, NOWHERE);
	for (unsigned int i = 0; i < plan->count; i++) {
		const struct step *step = &plan->steps[i];

		cartridge_place(library, step->cartridge, step->to);
		step->cartridge->imported = false;
		if (element_type(library, step->from, &number) == ELEMENT_STORAGE)
			step->cartridge->from = number + 1;
	}
}

/* How many were renamed, or -errno. */
static int rename_files(struct library *library, const struct plan *plan)
{
	int count = 0;

	for (unsigned int i = 0; i < plan->count; i++) {
		struct cartridge *cartridge = plan->steps[i].cartridge;
		enum folder before = cartridge->folder;
		int error = cartridge_rename(library, cartridge);

		if (error) {
			scuse_log(SCUSE_LOG_ERROR, "%s: the file of cartridge %s cannot be moved: %s",
				  library->path, cartridge->name, strerror(-error));
			return error;
		}
		count += cartridge->folder != before;
	}
	return count;
}

/* Back to where all was, as far as that can be; what cannot is logged, and corrected by later calls. */
static void undo(struct library *library, const struct plan *plan)
{
	for (unsigned int i = 0; i < plan->count; i++)
		cartridge_place(library, plan->steps[i].cartridge, NOWHERE);
	for (unsigned int i = 0; i < plan->count; i++) {
		const struct step *step = &plan->steps[i];

		cartridge_place(library, step->cartridge, step->from);
		step->cartridge->from = step->slot;
		step->cartridge->imported = step->imported;
	}
	memset(library->moved, 0, sizeof(library->moved));
	inventory_save(library);
	if (rename_files(library, plan) > 0)
		inventory_save(library);
}

static enum library_result carry_out(struct library *library, const struct plan *plan)
{
	enum library_result result = check_drives(library, plan);
	int renamed = 0;

	if (!result)
		result = unload_drives(library, plan);
	if (result)
		return result;
	place_cartridges(library, plan);
	memcpy(library->moved, plan->moved, sizeof(library->moved));
	if (inventory_save(library) != 0 || (renamed = rename_files(library, plan)) < 0)
		result = LIBRARY_FILES_FAILED;
	else
		result = load_drives(library, plan);
	if (result)
		undo(library, plan);
	else if (renamed)
		inventory_save(library);
	return result;
}

static enum library_result transfer(struct library *library, const struct plan *plan)
{
	enum library_result result = carry_out(library, plan);
	char names[2][LINK_NAME_MAX] = { "", "" };

	settle_drives(library, plan);
	/* A file that was deleted while it was in a drive is missed now; and there may be room for another. */
	for (unsigned int i = 0; i < plan->count; i++)
		memcpy(names[i], plan->steps[i].cartridge->name, LINK_NAME_MAX);
	for (unsigned int i = 0; i < plan->count; i++)
		inventory_check(library, names[i]);
	return result;
}

/* ---- commands ---- */

static void plan_step(struct plan *plan, struct cartridge *cartridge, unsigned int to)
{
	plan->steps[plan->count++] = (struct step){
		.cartridge = cartridge,
		.from = cartridge->place,
		.to = to,
		.slot = cartridge->from,
		.imported = cartridge->imported,
	};
}

static bool is_latest(const struct library *library, const struct plan *plan)
{
	return !memcmp(library->moved, plan->moved, sizeof(plan->moved));
}

/* The medium transport element keeps nothing: a cartridge cannot stay there. */
static bool find_place(const struct library *library, unsigned int address, unsigned int *place)
{
	unsigned int number;

	return element_find(library, address, place) &&
	       element_type(library, *place, &number) != ELEMENT_TRANSPORT;
}

static enum library_result move(struct library *library, unsigned int source, unsigned int destination,
				bool replayed)
{
	struct plan plan = { .moved = { source, destination, 0 } };
	unsigned int from, to;

	if (!element_find(library, source, &from) || !find_place(library, destination, &to))
		return LIBRARY_BAD_ADDRESS;
	if (replayed && is_latest(library, &plan))
		return LIBRARY_OK;
	if (!library->places[from])
		return LIBRARY_SOURCE_EMPTY;
	if (library->places[to])
		return LIBRARY_DESTINATION_FULL;
	plan_step(&plan, library->places[from], to);
	return transfer(library, &plan);
}

static enum library_result exchange(struct library *library, unsigned int source, unsigned int first,
				    unsigned int second, bool replayed)
{
	struct plan plan = { .moved = { source, first, second } };
	unsigned int from, to, last;

	if (!element_find(library, source, &from) || !find_place(library, first, &to) ||
	    !find_place(library, second, &last))
		return LIBRARY_BAD_ADDRESS;
	if (replayed && is_latest(library, &plan))
		return LIBRARY_OK;
	if (!library->places[from] || !library->places[to])
		return LIBRARY_SOURCE_EMPTY;
	if (from == to || last == to || (last != from && library->places[last]))
		return LIBRARY_DESTINATION_FULL;
	/* The same exchange again undoes the one before: the record must not make this one look done. */
	if (is_latest(library, &plan)) {
		memset(library->moved, 0, sizeof(library->moved));
		if (inventory_save(library) != 0)
			return LIBRARY_FILES_FAILED;
	}
	plan_step(&plan, library->places[from], to);
	plan_step(&plan, library->places[to], last);
	return transfer(library, &plan);
}

enum library_result library_move(struct library *library, unsigned int source, unsigned int destination,
				 bool replayed)
{
	enum library_result result;

	pthread_mutex_lock(&library->lock);
	result = move(library, source, destination, replayed);
	pthread_mutex_unlock(&library->lock);
	return result;
}

enum library_result library_exchange(struct library *library, unsigned int source, unsigned int first,
				     unsigned int second, bool replayed)
{
	enum library_result result;

	pthread_mutex_lock(&library->lock);
	result = exchange(library, source, first, second, replayed);
	pthread_mutex_unlock(&library->lock);
	return result;
}
