// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The drive's commands: one list, of which both the claims and the table of functions are made, so that
 * REPORT SUPPORTED OPERATION CODES can only say what is true.
 *
 * A row: operation code, service action, length of the CDB, direction, SCUSE_CLAIM_* flags, seconds it may
 * take, what it needs, its function, and the CDB usage map from byte 1 on (the control byte is the kernel
 * half's).
 */
#include "drive.h"

#define NO_ACTION 0xffff
#define NO_DATA	  0
#define DATA_OUT  1
#define DATA_IN	  2
#define CHANGES	  SCUSE_CLAIM_WRITES
#define SHORT	  60
#define LONG	  3600

/* What a command needs. */
#define NOTHING 0
#define MEDIUM	1 /* otherwise NOT READY */

#define ID_8 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff

#define COMMANDS(X)                                                                                          \
	X(0x00, NO_ACTION, 6, NO_DATA, 0, SHORT, MEDIUM, medium_test_unit_ready, 0, 0, 0, 0)                 \
	X(0x01, NO_ACTION, 6, NO_DATA, 0, LONG, MEDIUM, position_rewind, 0x01, 0, 0, 0)                      \
	X(0x04, NO_ACTION, 6, NO_DATA, CHANGES, LONG, MEDIUM, medium_format, 0x03, 0x0f, 0xff, 0xff)         \
	X(0x05, NO_ACTION, 6, DATA_IN, 0, SHORT, NOTHING, inquiry_block_limits, 0x01, 0, 0, 0)               \
	X(0x08, NO_ACTION, 6, DATA_IN, 0, SHORT, MEDIUM, transfer_read_6, 0x03, 0xff, 0xff, 0xff)            \
	X(0x0a, NO_ACTION, 6, DATA_OUT, CHANGES, SHORT, MEDIUM, transfer_write_6, 0x01, 0xff, 0xff, 0xff)    \
	X(0x10, NO_ACTION, 6, NO_DATA, CHANGES, LONG, MEDIUM, transfer_write_filemarks_6, 0x03, 0xff, 0xff,  \
	  0xff)                                                                                              \
	X(0x11, NO_ACTION, 6, NO_DATA, 0, LONG, MEDIUM, position_space_6, 0x0f, 0xff, 0xff, 0xff)            \
	X(0x12, NO_ACTION, 6, DATA_IN, 0, SHORT, NOTHING, inquiry_inquiry, 0x01, 0xff, 0xff, 0xff)           \
	X(0x13, NO_ACTION, 6, NO_DATA, 0, LONG, MEDIUM, transfer_verify, 0x3f, 0xff, 0xff, 0xff)             \
	X(0x15, NO_ACTION, 6, DATA_OUT, 0, SHORT, NOTHING, mode_select_6, 0x11, 0, 0, 0xff)                  \
	X(0x19, NO_ACTION, 6, NO_DATA, CHANGES, LONG, MEDIUM, medium_erase_6, 0x03, 0, 0, 0)                 \
	X(0x1a, NO_ACTION, 6, DATA_IN, 0, SHORT, NOTHING, mode_sense_6, 0x08, 0xff, 0xff, 0xff)              \
	X(0x1b, NO_ACTION, 6, NO_DATA, 0, LONG, NOTHING, medium_load_unload, 0x01, 0, 0, 0x0f)               \
	X(0x1d, NO_ACTION, 6, NO_DATA, 0, SHORT, NOTHING, inquiry_send_diagnostic, 0xff, 0, 0xff, 0xff)      \
	X(0x1e, NO_ACTION, 6, NO_DATA, 0, SHORT, NOTHING, medium_prevent_allow, 0, 0, 0, 0x03)               \
	X(0x2b, NO_ACTION, 10, NO_DATA, 0, LONG, MEDIUM, position_locate_10, 0x07, 0, 0xff, 0xff, 0xff,      \
	  0xff, 0, 0xff)                                                                                     \
	X(0x34, NO_ACTION, 10, DATA_IN, 0, SHORT, MEDIUM, position_read, 0x1f, 0, 0, 0, 0, 0, 0xff, 0xff)    \
	X(0x44, NO_ACTION, 10, DATA_IN, 0, SHORT, NOTHING, inquiry_density_support, 0x03, 0, 0, 0, 0, 0,     \
	  0xff, 0xff)                                                                                        \
	X(0x4c, NO_ACTION, 10, NO_DATA, 0, SHORT, NOTHING, log_select, 0x03, 0xff, 0xff, 0, 0, 0, 0xff,      \
	  0xff)                                                                                              \
	X(0x4d, NO_ACTION, 10, DATA_IN, 0, SHORT, NOTHING, log_sense, 0x03, 0xff, 0xff, 0, 0xff, 0xff, 0xff, \
	  0xff)                                                                                              \
	X(0x55, NO_ACTION, 10, DATA_OUT, 0, SHORT, NOTHING, mode_select_10, 0x11, 0, 0, 0, 0, 0, 0xff, 0xff) \
	X(0x5a, NO_ACTION, 10, DATA_IN, 0, SHORT, NOTHING, mode_sense_10, 0x18, 0xff, 0xff, 0, 0, 0, 0xff,   \
	  0xff)                                                                                              \
	X(0x80, NO_ACTION, 16, NO_DATA, CHANGES, LONG, MEDIUM, transfer_write_filemarks_16, 0x0f, 0, 0xff,   \
	  ID_8, 0xff, 0xff, 0xff, 0)                                                                         \
	X(0x88, NO_ACTION, 16, DATA_IN, 0, SHORT, MEDIUM, transfer_read_16, 0x03, 0, 0xff, ID_8, 0xff, 0xff, \
	  0xff, 0)                                                                                           \
	X(0x8a, NO_ACTION, 16, DATA_OUT, CHANGES, SHORT, MEDIUM, transfer_write_16, 0x0d, 0, 0xff, ID_8,     \
	  0xff, 0xff, 0xff, 0)                                                                               \
	X(0x8c, NO_ACTION, 16, DATA_IN, 0, SHORT, MEDIUM, attribute_read, 0x1f, 0, 0, 0, 0, 0, 0xff, 0xff,   \
	  0xff, 0xff, 0xff, 0xff, 0xff, 0x01)                                                                \
	X(0x8d, NO_ACTION, 16, DATA_OUT, CHANGES, SHORT, MEDIUM, attribute_write, 0x01, 0, 0, 0, 0, 0, 0xff, \
	  0, 0, 0xff, 0xff, 0xff, 0xff, 0)                                                                   \
	X(0x91, NO_ACTION, 16, NO_DATA, 0, LONG, MEDIUM, position_space_16, 0x0f, 0, 0, ID_8, 0, 0, 0, 0)    \
	X(0x92, NO_ACTION, 16, NO_DATA, 0, LONG, MEDIUM, position_locate_16, 0x3b, 0, 0xff, ID_8, 0, 0, 0,   \
	  0)                                                                                                 \
	X(0x93, NO_ACTION, 16, NO_DATA, CHANGES, LONG, MEDIUM, medium_erase_16, 0x0f, 0, 0xff, ID_8, 0, 0,   \
	  0, 0)

#define CLAIM(code, action, size, way, what, seconds, needs, function, ...) \
	{ .opcode = (code),                                                 \
	  .has_service_action = (action) != NO_ACTION,                      \
	  .service_action = (action) == NO_ACTION ? 0 : (action),           \
	  .cdb_len = (size),                                                \
	  .direction = (way),                                               \
	  .flags = (what),                                                  \
	  .timeout = (seconds),                                             \
	  .usage = { (code), __VA_ARGS__ } },
const struct scuse_claim commands_claims[] = { COMMANDS(CLAIM){ .flags = SCUSE_CLAIM_END } };

#define ENTRY(code, action, size, way, what, seconds, needs, function, ...) { function, (needs) },
static const struct {
	drive_command *run;
	unsigned int needs;
} entries[] = { COMMANDS(ENTRY) };
#define ENTRIES (sizeof(entries) / sizeof(entries[0]))

/* What keeps a command from being carried out: 0, or what it ends with. */
static int check_needs(struct drive *drive, struct scuse_io *io, unsigned int needs)
{
	if (needs == MEDIUM && !drive->cartridge)
		return sense_fail(io, KEY_NOT_READY, ASC_MEDIUM_NOT_PRESENT);
	return 0;
}

int commands_run(struct drive *drive, struct scuse_io *io)
{
	size_t length;
	const uint8_t *cdb = scuse_io_cdb(io, &length);
	int result;

	for (unsigned int i = 0; i < ENTRIES; i++) {
		if (commands_claims[i].opcode != cdb[0])
			continue;
		pthread_mutex_lock(&drive->lock);
		result = check_needs(drive, io, entries[i].needs);
		if (!result)
			result = entries[i].run(drive, io, cdb);
		if (drive->cartridge)
			cartridge_note_position(drive->cartridge, drive->partition, drive->place.object);
		pthread_mutex_unlock(&drive->lock);
		return result;
	}
	return scuse_fail(io, SCUSE_E_UNSUPPORTED);
}
