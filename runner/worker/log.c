// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The log, and the road that scuse_error() messages take.  See log.h.
 *
 * The subject is set once, before there are threads.  The level may change at any time: it is atomic.  The
 * sink's pointers have a lock, since a handler's thread may report an error while the worker shuts down.
 */
#include "log.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

static struct {
	_Atomic enum scuse_log_level level;
	bool journal;
	char subject[300];
} logger = { .level = SCUSE_LOG_INFO };

static pthread_mutex_t sink_lock = PTHREAD_MUTEX_INITIALIZER;
static void (*sink_function)(void *data, const char *message);
static void *sink_data;

static _Thread_local struct error_capture *capturing;

static const struct {
	const char *name;
	enum scuse_log_level level;
} levels[] = {
	{ "error", SCUSE_LOG_ERROR },
	{ "warning", SCUSE_LOG_WARNING },
	{ "info", SCUSE_LOG_INFO },
	{ "debug", SCUSE_LOG_DEBUG },
};

/*
 * JOURNAL_STREAM is "device:inode" of the socket that leads to journald; stderr may have been redirected
 * since.
 */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	if (!stream || sscanf(stream, "%llu:%llu", &device, &inode) != 2 || fstat(STDERR_FILENO, &status))
		return false;
	return status.st_dev == device && status.st_ino == inode;
}

void log_init(enum scuse_log_level level, const char *subject)
{
	logger.level = level;
	logger.journal = stderr_is_journal();
	if (subject)
		snprintf(logger.subject, sizeof(logger.subject), "%.280s: ", subject);
	else
		logger.subject[0] = '\0';
}

enum scuse_log_level log_level(void)
{
	return logger.level;
}

void log_set_level(enum scuse_log_level level)
{
	logger.level = level;
}

bool log_parse_level(const char *text, enum scuse_log_level *level)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(text, levels[i].name) == 0) {
			*level = levels[i].level;
			return true;
		}
	}
	return false;
}

const char *log_level_name(enum scuse_log_level level)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (levels[i].level == level)
			return levels[i].name;
	return "info";
}

void log_vwrite(enum scuse_log_level level, const char *format, va_list args)
{
	char line[2048];
	int used, room;

	if (level > logger.level)
		return;
	if (logger.journal)
		used = snprintf(line, sizeof(line), "<%d>%s", (int)level, logger.subject);
	else
		used = snprintf(line, sizeof(line), "scuse-runner: %s", logger.subject);
	room = (int)sizeof(line) - used - 1;
	int length = vsnprintf(line + used, (size_t)room, format, args);

	if (length < 0)
		return;
	used += length < room ? length : room - 1;
	/* A message is one line: what a handler, or a device's name, carries must not forge another. */
	for (char *c = line; c < line + used; c++)
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	line[used++] = '\n';
	if (write(STDERR_FILENO, line, (size_t)used) >= 0)
		return;
	/* Who read our stderr is gone, with a terminal perhaps: there still is the system's log. */
	line[used - 1] = '\0';
	syslog(LOG_DAEMON | (int)level, "%s", strchr(line, logger.journal ? '>' : ' ') + 1);
}

void log_write(enum scuse_log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vwrite(level, format, args);
	va_end(args);
}

void error_capture_begin(struct error_capture *capture)
{
	capture->text[0] = '\0';
	capture->outer = capturing;
	capturing = capture;
}

void error_capture_end(struct error_capture *capture)
{
	capturing = capture->outer;
}

void error_set_sink(void (*sink)(void *data, const char *message), void *data)
{
	pthread_mutex_lock(&sink_lock);
	sink_function = sink;
	sink_data = data;
	pthread_mutex_unlock(&sink_lock);
}

/* ---- what handlers call ---- */

SCUSE_EXPORT void scuse_verror(const char *format, va_list args)
{
	char text[sizeof(((struct error_capture *)0)->text)];

	vsnprintf(text, sizeof(text), format, args);
	if (capturing) {
		memcpy(capturing->text, text, sizeof(text));
		return;
	}
	log_error("%s", text);
	pthread_mutex_lock(&sink_lock);
	if (sink_function)
		sink_function(sink_data, text);
	pthread_mutex_unlock(&sink_lock);
}

SCUSE_EXPORT void scuse_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	scuse_verror(format, args);
	va_end(args);
}

SCUSE_EXPORT void scuse_log(enum scuse_log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vwrite(level, format, args);
	va_end(args);
}
