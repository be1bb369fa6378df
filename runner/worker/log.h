/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Messages for the log: what supervisor, worker and handlers have to say to whoever reads the journal.
 *
 * One line a message, on stderr.  Under journald (JOURNAL_STREAM names our stderr) each line begins with
 * <N>, its priority, which journald takes off; on a terminal the line begins with the program's name
 * instead. Safe on any thread: a line is one write(2).
 */
#ifndef RUNNER_LOG_H
#define RUNNER_LOG_H

#include <stdarg.h>
#include <stdbool.h>

#include <scuse/handler.h>

/* `subject` comes in front of each message, for example the LUN's name; NULL for none.  It is copied. */
void log_init(enum scuse_log_level level, const char *subject);
enum scuse_log_level log_level(void);
void log_set_level(enum scuse_log_level level);
bool log_parse_level(const char *text, enum scuse_log_level *level);
const char *log_level_name(enum scuse_log_level level);

void log_write(enum scuse_log_level level, const char *format, ...) SCUSE_PRINTF(2, 3);
void log_vwrite(enum scuse_log_level level, const char *format, va_list args) SCUSE_PRINTF(2, 0);

#define log_error(...)	 log_write(SCUSE_LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(SCUSE_LOG_WARNING, __VA_ARGS__)
#define log_info(...)	 log_write(SCUSE_LOG_INFO, __VA_ARGS__)
#define log_debug(...)	 log_write(SCUSE_LOG_DEBUG, __VA_ARGS__)

/*
 * Where scuse_error() goes.  While a capture is set on a thread, the newest message lands there (it becomes
 * the answer to what was asked); without one it is logged and given to the sink, which raises an event.
 */
struct error_capture {
	char text[512];
	struct error_capture *outer;
};

void error_capture_begin(struct error_capture *capture);
void error_capture_end(struct error_capture *capture);
void error_set_sink(void (*sink)(void *data, const char *message), void *data);

#endif /* RUNNER_LOG_H */
