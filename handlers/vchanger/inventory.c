// SPDX-License-Identifier: LGPL-2.1-or-later
/* Cartridges, places and files of a library.  See inventory.h. */
#include "inventory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <scuse/handler.h>

#include "state.h"

static const enum element_type by_address[] = { ELEMENT_TRANSPORT, ELEMENT_PORT, ELEMENT_DRIVE,
						ELEMENT_STORAGE };
static const char *const folder_names[FOLDERS] = {
	[FOLDER_CARTRIDGES] = "cartridges",
	[FOLDER_MAIL] = "mail",
};

/* ---- elements ---- */

enum element_type element_type(const struct library *library, unsigned int index, unsigned int *number)
{
	for (size_t i = 0; i < sizeof(by_address) / sizeof(by_address[0]); i++) {
		*number = index;
		if (index < library->counts[by_address[i]])
			return by_address[i];
		index -= library->counts[by_address[i]];
	}
	return ELEMENT_ALL;
}

unsigned int element_index(const struct library *library, enum element_type type, unsigned int number)
{
	for (size_t i = 0; by_address[i] != type; i++)
		number += library->counts[by_address[i]];
	return number;
}

unsigned int library_first(enum element_type type)
{
	static const unsigned int first[ELEMENT_TYPES] = {
		[ELEMENT_TRANSPORT] = ADDRESS_TRANSPORT,
		[ELEMENT_STORAGE] = ADDRESS_STORAGE,
		[ELEMENT_PORT] = ADDRESS_PORT,
		[ELEMENT_DRIVE] = ADDRESS_DRIVE,
	};

	return first[type];
}

unsigned int library_address(const struct library *library, unsigned int index)
{
	unsigned int number;
	enum element_type type = element_type(library, index, &number);

	return library_first(type) + number;
}

bool element_find(const struct library *library, unsigned int address, unsigned int *index)
{
	for (size_t i = 0; i < sizeof(by_address) / sizeof(by_address[0]); i++) {
		unsigned int first = library_first(by_address[i]);

		if (address < first || address - first >= library->counts[by_address[i]])
			continue;
		*index = element_index(library, by_address[i], address - first);
		return true;
	}
	return false;
}

/* ---- cartridges ---- */

enum folder place_folder(const struct library *library, unsigned int place)
{
	unsigned int number;

	return element_type(library, place, &number) == ELEMENT_PORT ? FOLDER_MAIL : FOLDER_CARTRIDGES;
}

/* The file's name up to the first dot. */
static void volume_of(const char *name, char volume[VOLUME_MAX + 1])
{
	size_t length = strcspn(name, ".");

	if (length > VOLUME_MAX)
		length = VOLUME_MAX;
	memcpy(volume, name, length);
	volume[length] = '\0';
}

void cartridge_volume(const struct cartridge *cartridge, char volume[VOLUME_MAX + 1])
{
	volume_of(cartridge->name, volume);
}

static struct cartridge *find(const struct library *library, const char *name)
{
	for (struct cartridge *c = library->cartridges; c; c = c->next)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

/* Two cartridges with one volume identifier could not be told apart by initiators. */
static bool volume_known(const struct library *library, const char *name)
{
	char wanted[VOLUME_MAX + 1], volume[VOLUME_MAX + 1];

	volume_of(name, wanted);
	for (const struct cartridge *c = library->cartridges; c; c = c->next) {
		cartridge_volume(c, volume);
		if (!strcmp(volume, wanted))
			return true;
	}
	return false;
}

static struct cartridge *add(struct library *library, const char *name, enum folder folder)
{
	struct cartridge *cartridge = calloc(1, sizeof(*cartridge));
	struct cartridge **link = &library->cartridges;

	if (!cartridge)
		return NULL;
	memcpy(cartridge->name, name, strlen(name) + 1);
	cartridge->place = NOWHERE;
	cartridge->folder = folder;
	while (*link)
		link = &(*link)->next;
	*link = cartridge;
	return cartridge;
}

void cartridge_place(struct library *library, struct cartridge *cartridge, unsigned int place)
{
	if (cartridge->place != NOWHERE && library->places[cartridge->place] == cartridge)
		library->places[cartridge->place] = NULL;
	cartridge->place = place;
	if (place != NOWHERE)
		library->places[place] = cartridge;
}

static void forget(struct library *library, struct cartridge *cartridge)
{
	struct cartridge **link = &library->cartridges;

	while (*link != cartridge)
		link = &(*link)->next;
	*link = cartridge->next;
	cartridge_place(library, cartridge, NOWHERE);
	free(cartridge);
}

bool cartridge_exists(const struct library *library, const char *name, enum folder folder)
{
	struct stat status;

	return fstatat(library->folders[folder], name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(status.st_mode);
}

int cartridge_rename(struct library *library, struct cartridge *cartridge)
{
	enum folder home = place_folder(library, cartridge->place);
	int from = library->folders[cartridge->folder], to = library->folders[home];

	if (home == cartridge->folder)
		return 0;
	if (cartridge_exists(library, cartridge->name, home))
		return -EEXIST;
	if (renameat(from, cartridge->name, to, cartridge->name) != 0)
		return -errno;
	fsync(to);
	fsync(from);
	cartridge->folder = home;
	return 0;
}

/* ---- the file of states ---- */

static bool entry_place(const struct library *library, const struct state_entry *entry, unsigned int *place)
{
	static const enum element_type types[] = {
		[STATE_SLOT] = ELEMENT_STORAGE, [STATE_DRIVE] = ELEMENT_DRIVE, [STATE_PORT] = ELEMENT_PORT
	};
	unsigned int number = entry->kind == STATE_DRIVE ? entry->number : entry->number - 1;

	if (number >= library->counts[types[entry->kind]])
		return false;
	*place = element_index(library, types[entry->kind], number);
	return true;
}

static int load_entry(struct library *library, const struct state_entry *entry)
{
	enum folder home = entry->kind == STATE_PORT ? FOLDER_MAIL : FOLDER_CARTRIDGES;
	struct cartridge *cartridge;
	unsigned int place;

	if (entry->kind == STATE_MOVED) {
		memcpy(library->moved, entry->moved, sizeof(library->moved));
		return 0;
	}
	if (volume_known(library, entry->name))
		return 0;
	cartridge = add(library, entry->name, home);
	if (!cartridge)
		return -ENOMEM;
	cartridge->from = entry->from;
	cartridge->imported = entry->imported;
	if (entry_place(library, entry, &place) && !library->places[place]) {
		cartridge_place(library, cartridge, place);
		if (entry->moving && !cartridge_exists(library, entry->name, home))
			cartridge->folder = home == FOLDER_MAIL ? FOLDER_CARTRIDGES : FOLDER_MAIL;
	}
	return 0;
}

static int load_entries(struct library *library, FILE *file)
{
	struct state_entry entry;
	int more, error = 0;

	while (!error && (more = state_next(file, &entry)) != 0) {
		if (more == 1)
			error = load_entry(library, &entry);
		else if (more == -EINVAL)
			scuse_log(SCUSE_LOG_WARNING, "%s/state: a line is not understood and left out",
				  library->path);
		else
			error = more;
	}
	return error;
}

int inventory_load(struct library *library)
{
	FILE *file = state_open(library->dir);
	int error;

	if (!file)
		return errno == ENOENT ? 0 : -errno;
	error = load_entries(library, file);
	fclose(file);
	/* What the last move left to do. */
	for (struct cartridge *c = library->cartridges; c && !error; c = c->next)
		if (c->place != NOWHERE && cartridge_rename(library, c) != 0)
			scuse_log(SCUSE_LOG_WARNING, "%s: cartridge %s could not be moved to its folder",
				  library->path, c->name);
	return error;
}

static void put_cartridge(const struct library *library, FILE *file, const struct cartridge *cartridge)
{
	struct state_entry entry = {
		.from = cartridge->from,
		.imported = cartridge->imported,
		.moving = cartridge->folder != place_folder(library, cartridge->place),
	};
	enum element_type type = element_type(library, cartridge->place, &entry.number);

	entry.kind = type == ELEMENT_DRIVE ? STATE_DRIVE : type == ELEMENT_PORT ? STATE_PORT : STATE_SLOT;
	entry.number += type != ELEMENT_DRIVE;
	memcpy(entry.name, cartridge->name, sizeof(entry.name));
	state_put(file, &entry);
}

int inventory_save(struct library *library)
{
	FILE *file = state_begin(library->dir);
	struct state_entry moved = { .kind = STATE_MOVED };
	int error;

	if (!file)
		return -errno;
	for (unsigned int i = 0; i < library->counts[ELEMENT_ALL]; i++)
		if (library->places[i])
			put_cartridge(library, file, library->places[i]);
	memcpy(moved.moved, library->moved, sizeof(moved.moved));
	state_put(file, &moved);
	error = state_commit(library->dir, file);
	if (error)
		scuse_log(SCUSE_LOG_ERROR, "%s/state cannot be written: %s", library->path, strerror(-error));
	return error;
}

/* ---- by hand ---- */

static bool find_room(const struct library *library, enum folder folder, unsigned int *place)
{
	enum element_type type = folder == FOLDER_MAIL ? ELEMENT_PORT : ELEMENT_STORAGE;

	if (folder == FOLDER_MAIL && library->ports_locked)
		return false;
	for (unsigned int i = 0; i < library->counts[type]; i++) {
		*place = element_index(library, type, i);
		if (!library->places[*place])
			return true;
	}
	return false;
}

static void admit(struct library *library, struct cartridge *cartridge)
{
	unsigned int place;

	if (cartridge->place != NOWHERE || !find_room(library, cartridge->folder, &place))
		return;
	cartridge_place(library, cartridge, place);
	cartridge->imported = cartridge->folder == FOLDER_MAIL;
	library->news[cartridge->imported] = true;
}

/* Is the cartridge's file where it should be?  That of a drive is the drive's, whatever became of its name. */
static bool in_place(const struct library *library, const struct cartridge *cartridge)
{
	unsigned int number;

	if (cartridge->place != NOWHERE && element_type(library, cartridge->place, &number) == ELEMENT_DRIVE)
		return true;
	return cartridge_exists(library, cartridge->name, cartridge->folder);
}

static void take_in(struct library *library, const char *name, enum folder folder)
{
	struct cartridge *cartridge;

	if (!cartridge_exists(library, name, folder))
		return;
	if (!link_name_valid(name)) {
		scuse_log(SCUSE_LOG_WARNING, "%s/%s/%s is no cartridge: its name has blanks or is too long",
			  library->path, folder_names[folder], name);
		return;
	}
	if (volume_known(library, name)) {
		scuse_log(SCUSE_LOG_WARNING,
			  "%s/%s/%s is left out: there is a cartridge of this name already", library->path,
			  folder_names[folder], name);
		return;
	}
	cartridge = add(library, name, folder);
	if (!cartridge)
		return;
	admit(library, cartridge);
	if (cartridge->place == NOWHERE)
		scuse_log(SCUSE_LOG_WARNING, "%s/%s/%s waits until an element is free", library->path,
			  folder_names[folder], name);
}

/* Compares what is known of a name with its files. */
static void reconcile(struct library *library, const char *name)
{
	struct cartridge *cartridge = find(library, name);

	if (cartridge) {
		if (in_place(library, cartridge))
			return;
		if (cartridge->place != NOWHERE)
			library->news[cartridge->folder == FOLDER_MAIL] = true;
		forget(library, cartridge);
	}
	take_in(library, name, FOLDER_MAIL);
	if (!find(library, name))
		take_in(library, name, FOLDER_CARTRIDGES);
}

/* In the order of names, so that a new library's slots are filled in it. */
static void reconcile_folder(struct library *library, enum folder folder)
{
	struct dirent **entries;
	int count = scandirat(library->folders[folder], ".", &entries, NULL, alphasort);

	if (count < 0) {
		scuse_log(SCUSE_LOG_ERROR, "%s/%s cannot be read: %s", library->path, folder_names[folder],
			  strerror(errno));
		return;
	}
	for (int i = 0; i < count; i++) {
		if (entries[i]->d_name[0] != '.' && !find(library, entries[i]->d_name))
			reconcile(library, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
}

static void save_and_tell(struct library *library)
{
	if (!library->news[0] && !library->news[1])
		return;
	inventory_save(library);
	for (int port = 0; port < 2; port++)
		if (library->news[port] && library->options.changed)
			library->options.changed(library->options.context, port);
	library->news[0] = library->news[1] = false;
}

void inventory_admit(struct library *library)
{
	for (struct cartridge *c = library->cartridges; c; c = c->next)
		admit(library, c);
	save_and_tell(library);
}

void inventory_scan(struct library *library)
{
	struct cartridge *next;

	for (struct cartridge *c = library->cartridges; c; c = next) {
		char name[LINK_NAME_MAX];

		next = c->next;
		memcpy(name, c->name, sizeof(name));
		reconcile(library, name);
	}
	reconcile_folder(library, FOLDER_MAIL);
	reconcile_folder(library, FOLDER_CARTRIDGES);
	inventory_admit(library);
}

void inventory_check(struct library *library, const char *name)
{
	if (name[0] == '.')
		return;
	reconcile(library, name);
	inventory_admit(library);
}

void inventory_free(struct library *library)
{
	while (library->cartridges)
		forget(library, library->cartridges);
}
