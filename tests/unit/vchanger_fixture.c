// SPDX-License-Identifier: LGPL-2.1-or-later
/* A library's directory and fake drives.  See vchanger_fixture.h. */
#include "vchanger_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <sys/file.h>
#include <unistd.h>

char *fixture_path;
int fixture_news[2];

void fixture_set_up(void)
{
	fixture_path = g_strdup("/dev/shm/scuse-library-XXXXXX");
	cr_assert_not_null(g_mkdtemp(fixture_path));
}

static void remove_folder(const char *path)
{
	GDir *folder = g_dir_open(path, 0, NULL);
	const char *name;

	while (folder && (name = g_dir_read_name(folder)) != NULL) {
		g_autofree char *inner = g_build_filename(path, name, NULL);

		if (g_file_test(inner, G_FILE_TEST_IS_DIR))
			remove_folder(inner);
		else
			g_unlink(inner);
	}
	if (folder)
		g_dir_close(folder);
	g_rmdir(path);
}

void fixture_tear_down(void)
{
	remove_folder(fixture_path);
	g_free(fixture_path);
}

void fixture_put(const char *folder, const char *name)
{
	g_autofree char *directory = g_build_filename(fixture_path, folder, NULL);
	g_autofree char *path = g_build_filename(directory, name, NULL);
	int fd;

	g_mkdir_with_parents(directory, 0700);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	cr_assert_geq(fd, 0);
	close(fd);
}

bool fixture_has(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(fixture_path, folder, name, NULL);

	return g_file_test(path, G_FILE_TEST_IS_REGULAR);
}

void fixture_remove(const char *folder, const char *name)
{
	g_autofree char *path = g_build_filename(fixture_path, folder, name, NULL);

	cr_expect_eq(g_unlink(path), 0);
}

static void note_change(void *context, bool port)
{
	(void)context;
	__atomic_fetch_add(&fixture_news[port], 1, __ATOMIC_RELAXED);
}

struct library *fixture_open(void)
{
	struct library *library = library_open(&(struct library_options){
		.path = fixture_path, .slots = 4, .drives = 2, .ports = 2, .changed = note_change });

	cr_assert_not_null(library, "the library does not open");
	fixture_news[0] = fixture_news[1] = 0;
	return library;
}

char *fixture_contents(struct library *library)
{
	static const char *const words[] = { "all", "transport", "slot", "port", "drive" };
	GString *text = g_string_new(NULL);

	for (unsigned int i = 0; i < library_count(library, ELEMENT_ALL); i++) {
		struct library_element element;

		library_element(library, i, &element);
		if (element.full)
			g_string_append_printf(text, "%s%s%u:%s", text->len ? " " : "", words[element.type],
					       element.address - library_first(element.type) +
						       (element.type != ELEMENT_DRIVE),
					       element.volume);
	}
	return g_string_free(text, FALSE);
}

void fixture_expect(struct library *library, const char *wanted)
{
	g_autofree char *seen = fixture_contents(library);

	cr_expect_str_eq(seen, wanted, "'%s' instead of '%s'", seen, wanted);
}

/* ---- drives ---- */

static int drive_load(void *context, const char *name, const char *path)
{
	struct fake_drive *drive = context;
	int result = 0, fd;

	pthread_mutex_lock(&drive->lock);
	if (drive->load_error || (drive->name[0] && strcmp(drive->name, name) != 0)) {
		result = drive->load_error ? drive->load_error : -EBUSY;
	} else if (!drive->name[0]) {
		fd = open(path, O_RDWR | O_CLOEXEC);
		if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0) {
			result = fd < 0 ? -errno : -EBUSY;
			if (fd >= 0)
				close(fd);
		} else {
			drive->fd = fd;
			g_strlcpy(drive->name, name, sizeof(drive->name));
			drive->unloaded = false;
			drive->loads++;
		}
	}
	pthread_mutex_unlock(&drive->lock);
	return result;
}

static void let_go(struct fake_drive *drive)
{
	if (drive->fd >= 0)
		close(drive->fd);
	drive->fd = -1;
	drive->name[0] = '\0';
}

static int drive_unload(void *context, bool force)
{
	struct fake_drive *drive = context;
	int result;

	pthread_mutex_lock(&drive->lock);
	result = drive->prevented && !force ? -EPERM : drive->unload_error;
	if (!result) {
		drive->unloads += drive->name[0] != '\0';
		let_go(drive);
	}
	pthread_mutex_unlock(&drive->lock);
	return result;
}

static void drive_status(void *context, struct link_status *status)
{
	struct fake_drive *drive = context;

	pthread_mutex_lock(&drive->lock);
	g_strlcpy(status->name, drive->name, sizeof(status->name));
	g_strlcpy(status->id, "fake", sizeof(status->id));
	status->loaded = drive->name[0] && !drive->unloaded;
	status->prevented = drive->prevented;
	pthread_mutex_unlock(&drive->lock);
}

static const struct link_ops drive_ops = {
	.load = drive_load,
	.unload = drive_unload,
	.status = drive_status,
};

void fake_drive_start(struct fake_drive *drive, unsigned int number)
{
	char name[LINK_NAME_MAX], path[PATH_MAX];

	memset(drive, 0, sizeof(*drive));
	drive->fd = -1;
	pthread_mutex_init(&drive->lock, NULL);
	if (link_assigned(fixture_path, number, name, path) == 0)
		drive_load(drive, name, path);
	drive->listener = link_listen(fixture_path, number, &drive_ops, drive);
	cr_assert_not_null(drive->listener, "drive %u does not listen: %s", number, strerror(errno));
}

void fake_drive_stop(struct fake_drive *drive)
{
	link_listener_free(drive->listener);
	let_go(drive);
	pthread_mutex_destroy(&drive->lock);
}

bool fake_drive_gets(struct fake_drive *drive, const char *name)
{
	bool got = false;

	for (int i = 0; i < 1000 && !got; i++) {
		pthread_mutex_lock(&drive->lock);
		got = !strcmp(drive->name, name);
		pthread_mutex_unlock(&drive->lock);
		if (!got)
			g_usleep(10000);
	}
	return got;
}
