// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The vtape handler: a LUN that is a tape drive (SSC-4), with cartridges in files.  It is the worked
 * example of a handler that carries commands out as CDBs.
 *
 *	vtape.c		parameters, and a LUN's life
 *	commands.c	the list of commands: claims for the kernel half, functions for here
 *	drive.c		states of the drive, cartridges in and out
 *	transfer.c, position.c, medium.c, inquiry.c, mode.c, log.c, attribute.c
 *			the commands, by what they are about
 *	sense.c		how they fail
 *	cartridge.c, objects.c, index.c, format.c
 *			the cartridge: a file as FORMAT.md says
 *	../vchanger/link.c	the library's changer, if the drive is in one
 *
 * Synchronous, one command at a time, as a tape has one position.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "drive.h"

#define MAX_BLOCK_MIN 65536u
#define CAPACITY_MIN  (1u << 20)
#define CAPACITY_MAX  ((uint64_t)1 << 60)

static const struct scuse_param vtape_params[] = {
	{ .name = "path",
	  .type = SCUSE_PARAM_PATH,
	  .help = "the cartridge: a file in the format of scuse's tape drives; or give a library" },
	{ .name = "library",
	  .type = SCUSE_PARAM_PATH,
	  .help = "the directory of the virtual library whose changer loads cartridges (see vchanger)" },
	{ .name = "drive",
	  .type = SCUSE_PARAM_INT,
	  .default_value = "0",
	  .help = "which drive of the library this is, from 0" },
	{ .name = "create",
	  .type = SCUSE_PARAM_BOOL,
	  .default_value = "false",
	  .help = "make a blank cartridge if there is no file" },
	{ .name = "readonly",
	  .type = SCUSE_PARAM_BOOL,
	  .default_value = "false",
	  .help = "the drive cannot write" },
	{ .name = "capacity",
	  .type = SCUSE_PARAM_SIZE,
	  .default_value = "10G",
	  .help = "of new cartridges, with 48 bytes a record or filemark" },
	{ .name = "partitions",
	  .type = SCUSE_PARAM_INT,
	  .default_value = "1",
	  .help = "of new cartridges, 1 or 2 of equal size; FORMAT MEDIUM makes others" },
	{ .name = "worm",
	  .type = SCUSE_PARAM_BOOL,
	  .default_value = "false",
	  .help = "new cartridges can be written once: nothing is ever overwritten or erased" },
	{ .name = "barcode",
	  .type = SCUSE_PARAM_STRING,
	  .help = "of new cartridges, at most 32 characters (default: the file's name up to its first dot)" },
	{ .name = "density",
	  .type = SCUSE_PARAM_INT,
	  .default_value = "0x58",
	  .help = "density code of new cartridges (0x58: that of LTO-5)" },
	{ .name = "early-warning",
	  .type = SCUSE_PARAM_SIZE,
	  .help = "bytes before the end of the tape that writers are warned (default: 64M, or less for small "
		  "tapes)" },
	{ .name = "max-block",
	  .type = SCUSE_PARAM_SIZE,
	  .default_value = "1M",
	  .help = "longest record that can be written; the LUN's largest transfer limits it too" },
	{ .name = "compression",
	  .type = SCUSE_PARAM_BOOL,
	  .default_value = "true",
	  .help = "say that data can be compressed (it never is)" },
	{ .name = "vendor", .type = SCUSE_PARAM_STRING, .default_value = "SCUSE", .help = "INQUIRY: vendor" },
	{ .name = "product",
	  .type = SCUSE_PARAM_STRING,
	  .default_value = "VTAPE",
	  .help = "INQUIRY: product" },
	{ .name = "serial",
	  .type = SCUSE_PARAM_STRING,
	  .help = "INQUIRY: serial number of the drive (default: the LUN's name)" },
	{ .name = NULL },
};

/* ---- checks of parameters ---- */

static int refuse_text(const struct scuse_config *config, const char *name, size_t most)
{
	const char *text = scuse_config_string(config, name);

	if (!text)
		return 0;
	for (const char *at = text; *at; at++) {
		if (isascii(*at) && isprint((unsigned char)*at))
			continue;
		scuse_error("%s can hold printable ASCII characters only", name);
		return -EINVAL;
	}
	if (strlen(text) <= most)
		return 0;
	scuse_error("%s is longer than %zu characters", name, most);
	return -EINVAL;
}

static int refuse_size(const struct scuse_config *config, const char *name, uint64_t least, uint64_t most)
{
	uint64_t size = scuse_config_size(config, name);

	if (size >= least && size <= most)
		return 0;
	scuse_error("%s is %llu bytes; it can be from %llu to %llu", name, (unsigned long long)size,
		    (unsigned long long)least, (unsigned long long)most);
	return -EINVAL;
}

static int refuse_number(const struct scuse_config *config, const char *name, int64_t least, int64_t most)
{
	int64_t number = scuse_config_int(config, name);

	if (number >= least && number <= most)
		return 0;
	scuse_error("%s is %lld; it can be from %lld to %lld", name, (long long)number, (long long)least,
		    (long long)most);
	return -EINVAL;
}

/* Either a cartridge or a library, and the cartridge must be there or be made. */
static int check_place(const struct scuse_config *config)
{
	const char *path = scuse_config_string(config, "path");

	if (!path == !scuse_config_string(config, "library")) {
		scuse_error("give either path=, a cartridge, or library= and drive=, a place in a virtual "
			    "library");
		return -EINVAL;
	}
	if (!path || scuse_config_bool(config, "create") || access(path, F_OK) == 0)
		return 0;
	scuse_error("%s does not exist: create=true makes a blank cartridge", path);
	return -ENOENT;
}

static int vtape_validate(const struct scuse_config *config)
{
	int result = check_place(config);

	if (!result)
		result = refuse_size(config, "capacity", CAPACITY_MIN, CAPACITY_MAX);
	if (!result)
		result = refuse_size(config, "max-block", MAX_BLOCK_MIN, FORMAT_RECORD_MAX);
	if (!result)
		result = refuse_number(config, "partitions", 1, FORMAT_PARTITIONS);
	if (!result)
		result = refuse_number(config, "density", 1, 255);
	if (!result)
		result = refuse_number(config, "drive", 0, LINK_DRIVES_MAX - 1);
	if (!result)
		result = refuse_text(config, "barcode", FORMAT_STRING - 1);
	if (!result)
		result = refuse_text(config, "vendor", DRIVE_VENDOR);
	if (!result)
		result = refuse_text(config, "product", DRIVE_PRODUCT);
	return result ? result : refuse_text(config, "serial", DRIVE_SERIAL);
}

/* ---- a LUN's life ---- */

static void set_text(char *to, size_t size, const char *text)
{
	strncpy(to, text ? text : "", size - 1);
}

static void configure(struct drive *drive, const struct scuse_config *config)
{
	const char *serial = scuse_config_string(config, "serial");

	drive->library = scuse_config_string(config, "library");
	drive->number = (unsigned int)scuse_config_int(config, "drive");
	drive->read_only = scuse_config_bool(config, "readonly");
	/* The changer's cartridges may be empty files. */
	drive->create = scuse_config_bool(config, "create") || drive->library;
	drive->can_compress = scuse_config_bool(config, "compression");
	drive->max_block = (uint32_t)scuse_config_size(config, "max-block");
	drive->blank.capacity = scuse_config_size(config, "capacity");
	drive->blank.partitions = (uint8_t)scuse_config_int(config, "partitions");
	drive->blank.density = (uint8_t)scuse_config_int(config, "density");
	drive->blank.worm = scuse_config_bool(config, "worm");
	drive->blank.barcode = scuse_config_string(config, "barcode");
	drive->early_warning = scuse_config_given(config, "early-warning")
				       ? scuse_config_size(config, "early-warning")
				       : DRIVE_DEFAULT_WARNING;
	set_text(drive->vendor, sizeof(drive->vendor), scuse_config_string(config, "vendor"));
	set_text(drive->product, sizeof(drive->product), scuse_config_string(config, "product"));
	set_text(drive->serial, sizeof(drive->serial), serial ? serial : scuse_dev_name(drive->dev));
	mode_init(&drive->mode, drive->can_compress);
}

/* What the library says is in the drive; if that cannot be loaded, the drive is empty. */
static int join_library(struct drive *drive)
{
	char name[LINK_NAME_MAX], path[PATH_MAX];

	if (link_assigned(drive->library, drive->number, name, path) == 0 && access(path, F_OK) == 0)
		drive_load(drive, path, true);
	drive->listener = link_listen(drive->library, drive->number, &drive_link_ops, drive);
	if (drive->listener)
		return 0;
	scuse_error("drive %u of library %s cannot listen for its changer: %s", drive->number, drive->library,
		    strerror(errno));
	return -errno;
}

static void vtape_close(void *handle)
{
	struct drive *drive = handle;

	link_listener_free(drive->listener);
	if (drive->cartridge)
		drive_unload(drive);
	drive_eject(drive);
	pthread_mutex_destroy(&drive->lock);
	free(drive);
}

static int vtape_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	struct drive *drive = calloc(1, sizeof(*drive));
	int result;

	if (!drive)
		return -ENOMEM;
	pthread_mutex_init(&drive->lock, NULL);
	drive->dev = dev;
	configure(drive, config);
	result = drive->library ? join_library(drive)
				: drive_load(drive, scuse_config_string(config, "path"), true);
	if (result)
		vtape_close(drive);
	else
		*handle = drive;
	return result;
}

/* One command must not be carried out twice: each moves the tape. */
static int vtape_probe(void *handle, struct scuse_caps *caps)
{
	struct drive *drive = handle;

	caps->identity = drive->serial;
	return 0;
}

static int vtape_cdb(void *handle, struct scuse_io *io)
{
	return commands_run(handle, io);
}

/* The position and what is on the medium stay; what initiators have asked for does not (SSC-4 5.2). */
static int vtape_reset(void *handle, struct scuse_io *io)
{
	struct drive *drive = handle;
	int result = 0;

	(void)io;
	pthread_mutex_lock(&drive->lock);
	drive->nr_preventers = 0;
	mode_init(&drive->mode, drive->can_compress);
	if (drive->cartridge) {
		mode_medium_changed(&drive->mode, drive->cartridge);
		result = cartridge_flush(drive->cartridge);
	}
	pthread_mutex_unlock(&drive->lock);
	return result;
}

static const struct scuse_sync_ops vtape_ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
	.cdb = vtape_cdb,
	.lu_reset = vtape_reset,
};

static struct scuse_handler vtape_handler = {
	.name = "vtape",
	.version = "1.0",
	.description = "a virtual tape drive, with cartridges in files",
	.params = vtape_params,
	.magic_param = "path",
	.device_type = 1,
	.thread_model = SCUSE_THREADS_SERIAL_LUN,
	.claims = commands_claims,
	.sync = &vtape_ops,
	.validate = vtape_validate,
	.open = vtape_open,
	.probe = vtape_probe,
	.close = vtape_close,
	.needs = SCUSE_NEEDS_FILES, /* cartridges come and go */
};

SCUSE_REGISTER_HANDLER(vtape_handler)
