/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the cases have to say: one line a check, "ok - NAME" or "not ok - NAME", after which the details
 * follow as "# ..." lines.  Deviations that are known and not ours stand in an expectations file:
 *
 *	NAME	KERNEL	reason, with the clause
 *
 * NAME is a check's, or the start of it if it ends with '*'; KERNEL the start of the release ("6.1.") or '*'.
 * A reason that begins with "not run:" is for a case that must not even be tried: is_run() is false, and the
 * case is reported as skipped.
 *
 * An expected deviation that does not happen fails: the file must not outlive what it describes.
 */
#ifndef NEXUS_REPORT_H
#define NEXUS_REPORT_H

#include <stdbool.h>

/* Reads the file; `round` goes in front of each name that is printed.  0, or -1 after saying why. */
int report_open(const char *expectations, const char *round);
/* The number of failed checks, at least 1 if there was no check at all. */
int report_close(void);

/* The check `name` is over; the rest says what was seen, and is printed if that is not what was expected. */
void report(bool passed, const char *name, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Why, if this check is expected to fail; NULL if it is to pass. */
const char *report_expected(const char *name);

/*
 * A check of several steps: begin, any number of wants, end.  The first want that fails is what is reported,
 * the others follow as notes.  want() is its condition, for steps that make no sense without it; the message
 * is only made, after the condition, if that is false: it may tell of what the condition has done.
 */
#define check_want(condition, ...) ((condition) ? check_passed() : check_failed(__VA_ARGS__))

void check_begin(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* For check_want(): true, and false. */
static inline bool check_passed(void)
{
	return true;
}
bool check_failed(const char *format, ...) __attribute__((format(printf, 1, 2)));
void check_end(void);

/* Shall this case be run? */
bool is_run(const char *name);

/* A line of detail for the next report(): kept, and printed with it if it fails. */
void report_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
