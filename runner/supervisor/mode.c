// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Keeps saved mode pages; see mode.h.
 *
 *	request --> [queue] --> [thread: mode_file_save] --> [main loop: reply] --> freed
 *
 * No lock: at most one thread runs.  It has the job at the head of the queue to itself from pthread_create()
 * to pthread_join(), and shares nothing else with the supervisor's thread but the eventfd that says it has
 * ended.
 */
#include "mode.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <glib-unix.h>
#include <glib.h>

#include "../mode_file.h"
#include "../worker/log.h"
#include "name.h"

struct mode_keeper {
	struct scuse_nl *nl;
	const char *state_dir;
	GQueue jobs; /* struct job *: without a reply yet; the head is being written */
	pthread_t writer;
	int ended; /* eventfd */
	guint ended_source;
	void (*idle)(void *data);
	void *data;
};

struct job {
	const struct mode_keeper *keeper; /* for the writer: `state_dir` and `ended` never change */
	uint64_t cookie;
	char *name;
	char *serial;
	size_t length;
	uint8_t pages[SCUSE_MODE_MAX];
	int status; /* what became of it: 0 or an errno, and why */
	char *error;
};

static void job_free(struct job *job)
{
	g_free(job->name);
	g_free(job->serial);
	g_free(job->error);
	g_free(job);
}

static void reply(struct mode_keeper *keeper, uint64_t cookie, int status, const char *message)
{
	int result = scuse_nl_reply(keeper->nl, cookie, status, message);

	if (result && result != -ENOENT)
		log_error("cannot answer the kernel: %s", scuse_nl_error(keeper->nl));
}

static void *write_job(void *argument)
{
	struct job *job = argument;

	job->status = mode_file_save(job->keeper->state_dir, job->name, job->serial, job->pages, job->length,
				     &job->error);
	eventfd_write(job->keeper->ended, 1);
	return NULL;
}

/* Signals are the main loop's. */
static int start_writer(struct mode_keeper *keeper, struct job *job)
{
	sigset_t all, before;
	int number;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	number = pthread_create(&keeper->writer, NULL, write_job, job);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return number;
}

static void finish_head(struct mode_keeper *keeper)
{
	struct job *job = g_queue_pop_head(&keeper->jobs);

	if (job->status) {
		g_autofree char *name = readable_name(job->name);

		log_error("%s: its mode pages are not saved: %s", name, job->error);
	}
	reply(keeper, job->cookie, job->status, job->error);
	job_free(job);
}

static void start_head(struct mode_keeper *keeper)
{
	struct job *job;

	while ((job = g_queue_peek_head(&keeper->jobs))) {
		int number = start_writer(keeper, job);

		if (!number)
			return;
		job->status = number;
		job->error = g_strdup_printf("cannot start a thread: %s", g_strerror(number));
		finish_head(keeper);
	}
	keeper->idle(keeper->data);
}

static gboolean on_ended(gint fd, GIOCondition condition, gpointer data)
{
	struct mode_keeper *keeper = data;
	eventfd_t count;

	(void)condition;
	if (eventfd_read(fd, &count))
		return G_SOURCE_CONTINUE;
	pthread_join(keeper->writer, NULL);
	finish_head(keeper);
	start_head(keeper);
	return G_SOURCE_CONTINUE;
}

struct mode_keeper *mode_keeper_new(struct scuse_nl *nl, const char *state_dir, void (*idle)(void *data),
				    void *data)
{
	struct mode_keeper *keeper;
	int ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (ended < 0)
		return NULL;
	keeper = g_new0(struct mode_keeper, 1);
	keeper->nl = nl;
	keeper->state_dir = state_dir;
	keeper->idle = idle;
	keeper->data = data;
	keeper->ended = ended;
	keeper->ended_source = g_unix_fd_add(ended, G_IO_IN, on_ended, keeper);
	return keeper;
}

void mode_keeper_free(struct mode_keeper *keeper)
{
	if (!keeper || mode_keeper_busy(keeper))
		return;
	g_source_remove(keeper->ended_source);
	close(keeper->ended);
	g_free(keeper);
}

bool mode_keeper_busy(const struct mode_keeper *keeper)
{
	return keeper && keeper->jobs.length;
}

void mode_keeper_save(struct mode_keeper *keeper, const struct scuse_nl_request *request)
{
	struct job *job;

	if (!request->mode || request->mode_length > sizeof(job->pages)) {
		reply(keeper, request->cookie, EINVAL,
		      "scuse-runner was asked to save no mode pages, or too many");
		return;
	}
	job = g_new0(struct job, 1);
	job->keeper = keeper;
	job->cookie = request->cookie;
	job->name = g_strdup(request->device->name);
	job->serial = g_strdup(request->device->serial);
	job->length = request->mode_length;
	memcpy(job->pages, request->mode, job->length);
	g_queue_push_tail(&keeper->jobs, job);
	if (keeper->jobs.length == 1)
		start_head(keeper);
}

/* ---- giving back ---- */

/*
 * Whose are they?  A LUN that was made anew has another serial number.  One without a number (yet) is known
 * by its name alone.
 */
static bool is_of(const mode_file *file, const struct scuse_nl_device *device)
{
	return !*device->serial || strcmp(file->serial, device->serial) == 0;
}

static void forget(struct mode_keeper *keeper, const struct scuse_nl_device *device)
{
	g_autofree char *error = NULL, *name = readable_name(device->name);

	log_info("%s: has another serial number than the LUN whose mode pages are saved: these are removed",
		 name);
	if (mode_file_remove(keeper->state_dir, device->name, &error))
		log_error("%s: %s", name, error);
}

void mode_keeper_restore(struct mode_keeper *keeper, const struct scuse_nl_device *device)
{
	g_autofree char *error = NULL, *path = mode_file_path(keeper->state_dir, device->name);
	g_autofree char *name = readable_name(device->name);
	g_auto(mode_file) file = { 0 };
	int status = mode_file_load(keeper->state_dir, device->name, &file, &error);

	if (status == ENOENT)
		return;
	if (status) {
		log_error(
			"%s: begins with default mode pages: %s: remove the file, and let an initiator save "
			"the pages again",
			name, error);
		return;
	}
	if (!is_of(&file, device))
		forget(keeper, device);
	else if (scuse_nl_set_mode(keeper->nl, device->id, file.pages, file.length))
		log_error(
			"%s: begins with default mode pages: the kernel refuses those in %s (%s): remove the "
			"file, and let an initiator save the pages again",
			name, path, scuse_nl_error(keeper->nl));
	else
		log_info("%s: has its saved mode pages again", name);
}

void mode_keeper_restore_missing(struct mode_keeper *keeper, const struct scuse_nl_device *device)
{
	struct scuse_nl_mode *mode = NULL;
	bool missing = !scuse_nl_get_mode(keeper->nl, device->id, &mode) && !mode->saved;

	scuse_nl_mode_free(mode);
	if (missing)
		mode_keeper_restore(keeper, device);
}
