/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A tape drive of the vtape handler without a worker: the functions that handlers call are faked, and CDBs go
 * straight to its `cdb` operation.
 */
#ifndef TESTS_VTAPE_RIG_H
#define TESTS_VTAPE_RIG_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct tape {
	char *dir;  /* of its own, with the cartridge "tape" */
	char *path; /* of the cartridge */
	struct scuse_config *config;
	struct scuse_dev *dev;
	void *handle;

	/* Of the latest command. */
	uint32_t sense;	   /* 0xKKAAQQ; 0: GOOD, or a NO SENSE without code */
	uint8_t status;	   /* SAM-5 */
	uint8_t bits;	   /* FILEMARK 80h, EOM 40h, ILI 20h */
	bool has_residual; /* the VALID bit */
	int32_t residual;  /* the INFORMATION field */
	uint16_t field;	   /* the field pointer; 0: none */
	uint64_t data_in;
	uint8_t data[1 << 21]; /* what came */
	uint32_t nexus;	       /* that sends; 1 at first */
};

/*
 * With "name=value" lines beside path= and create=true ("name=": not given). The test fails if it does
 * not open.
 */
struct tape *tape_new(const char *parameters);
/* The same on the cartridge of another one, which is closed already. */
struct tape *tape_again(struct tape *tape, const char *parameters);
/* NULL, with what scuse_error() was told in tape_error(). */
struct tape *tape_try(const char *dir, const char *parameters);
const char *tape_error(void);
/* Closes the drive and removes its directory. */
void tape_free(struct tape *tape);
/* Closes the drive only. */
void tape_close(struct tape *tape);
/* What scuse_dev_changed() was told since the last call. */
uint32_t tape_changes(struct tape *tape);

/* Any command: the SCSI status.  Data comes to tape->data. */
int tape_command(struct tape *tape, const uint8_t *cdb, size_t cdb_length, const void *out, uint64_t length);
#define tape_cdb(tape, length, ...)                                                                      \
	tape_command(tape, (const uint8_t[16]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }), \
		     NULL, length)

/* The usual commands, 6-byte forms; the SCSI status. */
int tape_write(struct tape *tape, const void *data, uint32_t length);
int tape_write_fixed(struct tape *tape, const void *data, uint32_t count, uint32_t block);
int tape_marks(struct tape *tape, uint32_t count);
int tape_read(struct tape *tape, uint32_t length);
int tape_read_fixed(struct tape *tape, uint32_t count, uint32_t block);
int tape_space(struct tape *tape, unsigned int code, int32_t count);
int tape_rewind(struct tape *tape);
int tape_locate(struct tape *tape, uint64_t object);
int tape_unload(struct tape *tape);
int tape_load(struct tape *tape);
int tape_set_block(struct tape *tape, uint32_t block);
/* Logical object number (long form); *file and *partition if they are not NULL. */
uint64_t tape_position(struct tape *tape, uint64_t *file, uint32_t *partition);

#endif /* TESTS_VTAPE_RIG_H */
