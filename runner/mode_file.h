/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Saved mode pages on disk: one file a LUN, STATE_DIR/modes/NAME, NAME being the LUN's configfs directory,
 * in which no character is left that a file's name could not hold.
 *
 * Written and read by the supervisor (supervisor/mode.c), removed by `scuse rm`.  No state, no locks: a file
 * is replaced by rename(), so that a reader sees the old one or the new one.  One writer at a time.
 *
 * The serial number of the LUN is kept too: pages of a LUN that is gone are not those of the next one by the
 * same name.
 *
 * Functions return 0 or a positive errno, with *error (newly allocated) in words that name the file.
 */
#ifndef RUNNER_MODE_FILE_H
#define RUNNER_MODE_FILE_H

#include <stddef.h>
#include <stdint.h>

#include <glib.h>
#include <scuse/abi.h>

typedef struct mode_file {
	char *serial;  /* of the LUN (VPD 80h); "" if it has none */
	size_t length; /* bytes of `pages` */
	uint8_t pages[SCUSE_MODE_MAX];
} mode_file;
void mode_file_clear(struct mode_file *file);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(mode_file, mode_file_clear)

/* Unless an option says otherwise: $SCUSE_STATE_DIR, else what was installed. */
const char *mode_file_state_dir(void);
char *mode_file_path(const char *state_dir, const char *name);

/* The file's bytes; length is at most SCUSE_MODE_MAX. */
GByteArray *mode_file_encode(const char *serial, const void *pages, size_t length);
/* NULL, or what is wrong with the bytes. */
const char *mode_file_decode(const void *bytes, size_t size, struct mode_file *file);

/* Returns when the pages are on stable storage. */
int mode_file_save(const char *state_dir, const char *name, const char *serial, const void *pages,
		   size_t length, char **error);
/* ENOENT: nothing is saved (no *error then); EBADMSG: the file is broken. */
int mode_file_load(const char *state_dir, const char *name, struct mode_file *file, char **error);
/* 0 too if there is none. */
int mode_file_remove(const char *state_dir, const char *name, char **error);

#endif /* RUNNER_MODE_FILE_H */
