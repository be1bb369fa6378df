// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The thread that watches a library's directory, by inotify.  See watch.h.
 *
 * A file counts as put in when it was renamed into a folder or closed after writing: not while it is still
 * being copied.  A drive makes its socket a moment before it listens, so it is asked a few times.
 *
 *	event --> file of a folder: library_file_changed()
 *	      '-> drive-N.socket: attempts[N] = ATTEMPTS --- every PAUSE, until it answers ---> library_settle_drive()
 */
#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#define FILE_EVENTS (IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE)
#define ATTEMPTS    20
#define PAUSE	    250 /* milliseconds */

struct watch {
	struct library *library;
	int events; /* inotify */
	int stop;   /* eventfd: readable when the thread is to end */
	int top;    /* watch descriptor of the directory itself; the others are of its folders */
	pthread_t thread;
	unsigned int attempts[LINK_DRIVES_MAX]; /* thread: how often to ask a drive yet */
};

static void note_event(struct watch *watch, const struct inotify_event *event)
{
	unsigned int drive;

	if (event->mask & IN_Q_OVERFLOW) {
		library_scan(watch->library);
		return;
	}
	if (!event->len)
		return;
	if (event->wd != watch->top)
		library_file_changed(watch->library, event->name);
	else if (sscanf(event->name, "drive-%u.socket", &drive) == 1 && drive < LINK_DRIVES_MAX)
		watch->attempts[drive] = ATTEMPTS;
}

static void read_events(struct watch *watch)
{
	_Alignas(struct inotify_event) char buffer[16384];
	ssize_t got = read(watch->events, buffer, sizeof(buffer));

	for (ssize_t at = 0; at < got;) {
		const struct inotify_event *event = (const struct inotify_event *)(buffer + at);

		note_event(watch, event);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
}

/* Asks drives that have started; are there any left to ask again? */
static bool ask_drives(struct watch *watch)
{
	bool left = false;

	for (unsigned int i = 0; i < LINK_DRIVES_MAX; i++) {
		if (!watch->attempts[i])
			continue;
		if (library_settle_drive(watch->library, i))
			watch->attempts[i] = 0;
		else
			watch->attempts[i]--;
		left |= watch->attempts[i] != 0;
	}
	return left;
}

static void *watch_thread(void *argument)
{
	struct watch *watch = argument;

	for (;;) {
		struct pollfd fds[2] = { { .fd = watch->stop, .events = POLLIN },
					 { .fd = watch->events, .events = POLLIN } };

		if (poll(fds, 2, ask_drives(watch) ? PAUSE : -1) < 0)
			continue;
		if (fds[0].revents)
			return NULL;
		if (fds[1].revents)
			read_events(watch);
	}
}

static bool add_folder(const struct watch *watch, const char *path, const char *folder)
{
	char name[4096];

	snprintf(name, sizeof(name), "%s/%s", path, folder);
	return inotify_add_watch(watch->events, name, FILE_EVENTS | IN_ONLYDIR) >= 0;
}

static int start(struct watch *watch, const char *path)
{
	watch->events = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	watch->stop = eventfd(0, EFD_CLOEXEC);
	if (watch->events < 0 || watch->stop < 0)
		return errno;
	watch->top = inotify_add_watch(watch->events, path, IN_CREATE | IN_ONLYDIR);
	if (watch->top < 0 || !add_folder(watch, path, "cartridges") || !add_folder(watch, path, "mail"))
		return errno;
	/* What changed since the library was opened, before it was watched. */
	library_scan(watch->library);
	return pthread_create(&watch->thread, NULL, watch_thread, watch);
}

static void release(struct watch *watch)
{
	if (watch->events >= 0)
		close(watch->events);
	if (watch->stop >= 0)
		close(watch->stop);
	free(watch);
}

struct watch *watch_start(struct library *library, const char *path)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	int error;

	if (!watch)
		return NULL;
	watch->library = library;
	for (unsigned int i = 0; i < library_count(library, ELEMENT_DRIVE); i++)
		watch->attempts[i] = ATTEMPTS;
	error = start(watch, path);
	if (!error)
		return watch;
	release(watch);
	errno = error;
	return NULL;
}

void watch_stop(struct watch *watch)
{
	uint64_t one = 1;

	if (!watch)
		return;
	(void)!write(watch->stop, &one, sizeof(one));
	pthread_join(watch->thread, NULL);
	release(watch);
}
