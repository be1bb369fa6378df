// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The vchanger handler: the medium changer of a virtual tape library (SMC-3), in a directory.  Its drives are
 * LUNs of the vtape handler with the same library=.
 *
 *	vchanger.c	parameters, commands, sense data
 *	element.c	READ ELEMENT STATUS			page.c	mode and log pages
 *	library.c	elements, for the above			moves.c	moves of cartridges
 *	inventory.c	cartridges and their files		state.c	the file that remembers
 *	watch.c		what people and drives do		link.c	conversations with drives
 *
 * Commands come one at a time (SCUSE_THREADS_SERIAL_LUN).  The kernel half answers INQUIRY, reservations, and
 * all that is not claimed here.
 *
 * LOCKING	`lock` covers what is said below; the library has a lock of its own.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <scuse/handler.h>

#include "element.h"
#include "page.h"
#include "watch.h"

#define PREVENTERS_MAX 64

struct vchanger {
	struct scuse_dev *dev;
	struct library *library;
	struct watch *watch; /* main thread */
	pthread_mutex_t lock;
	bool started;			     /* lock: initiators may be told */
	bool news[2];			     /* lock: not yet told; [1]: of import/export elements */
	uint32_t preventers[PREVENTERS_MAX]; /* lock: nexuses that prevent removal */
	unsigned int preventer_count;	     /* lock */
};

static const struct scuse_param vchanger_params[] = {
	{ .name = "library",
	  .type = SCUSE_PARAM_PATH,
	  .flags = SCUSE_PARAM_REQUIRED,
	  .help = "the library's directory, for the changer and its drives" },
	{ .name = "slots",
	  .type = SCUSE_PARAM_INT,
	  .default_value = "20",
	  .help = "storage elements, 1 to 4096" },
	{ .name = "drives",
	  .type = SCUSE_PARAM_INT,
	  .default_value = "2",
	  .help = "data transfer elements, 1 to 64: vtape LUNs with the same library and drive=0, 1, ..." },
	{ .name = "ports",
	  .type = SCUSE_PARAM_INT,
	  .default_value = "2",
	  .help = "import/export elements, 0 to 240: their cartridges are in the folder mail" },
	{ .name = NULL },
};

/* ---- news ---- */

static void tell(struct vchanger *vchanger, bool port)
{
	if (port)
		scuse_dev_unit_attention(vchanger->dev, 0x28, 0x01); /* IMPORT OR EXPORT ELEMENT ACCESSED */
	else
		scuse_dev_changed(vchanger->dev, SCUSE_CHANGED_MEDIA);
}

static void vchanger_changed(void *context, bool port)
{
	struct vchanger *vchanger = context;

	pthread_mutex_lock(&vchanger->lock);
	if (vchanger->started)
		tell(vchanger, port);
	else
		vchanger->news[port] = true;
	pthread_mutex_unlock(&vchanger->lock);
}

/* ---- answers ---- */

static int refuse(struct scuse_io *io, uint8_t asc, uint8_t ascq)
{
	return scuse_fail_sense(io, 0x05, asc, ascq, UINT64_MAX);
}

static int finish(struct scuse_io *io, enum library_result result)
{
	switch (result) {
	case LIBRARY_OK:
		return 0;
	case LIBRARY_BAD_ADDRESS:
		return refuse(io, 0x21, 0x01); /* INVALID ELEMENT ADDRESS */
	case LIBRARY_SOURCE_EMPTY:
		return refuse(io, 0x3b, 0x0e); /* MEDIUM SOURCE ELEMENT EMPTY */
	case LIBRARY_DESTINATION_FULL:
		return refuse(io, 0x3b, 0x0d); /* MEDIUM DESTINATION ELEMENT FULL */
	case LIBRARY_PREVENTED:
		return refuse(io, 0x53, 0x02); /* MEDIUM REMOVAL PREVENTED */
	case LIBRARY_DRIVE_ABSENT:
		return scuse_fail_sense(io, 0x02, 0x04, 0x12, UINT64_MAX); /* NOT READY, OFFLINE */
	case LIBRARY_DRIVE_BUSY:
		return scuse_fail(io, SCUSE_E_BUSY);
	case LIBRARY_LOAD_FAILED:
		return scuse_fail_sense(io, 0x04, 0x53, 0x00, UINT64_MAX); /* MEDIA LOAD OR EJECT FAILED */
	case LIBRARY_FILES_FAILED:
		break;
	}
	return scuse_fail(io, SCUSE_E_HARDWARE);
}

/* Data to the initiator, as much as it has room for. */
static int reply(struct scuse_io *io, const uint8_t *data, size_t length, size_t allocated)
{
	uint64_t room;
	void *to = scuse_io_data(io, &room);

	if (length > allocated)
		length = allocated;
	if (length > room)
		length = (size_t)room;
	if (length)
		memcpy(to, data, length);
	scuse_io_set_data_in(io, length);
	return 0;
}

static unsigned int get16(const uint8_t *from)
{
	return (unsigned int)(from[0] << 8 | from[1]);
}

/* ---- commands: each gets the CDB ---- */

static int test_unit_ready(struct vchanger *vchanger, struct scuse_io *io, const uint8_t *cdb)
{
	(void)vchanger;
	(void)io;
	(void)cdb;
	return 0;
}

/* Also INITIALIZE ELEMENT STATUS WITH RANGE: files are looked at all together, whatever the range. */
static int initialize(struct vchanger *vchanger, struct scuse_io *io, const uint8_t *cdb)
{
	if (cdb[0] == 0x37 && cdb[1] & 0x01 && library_type(vchanger->library, get16(cdb + 2)) == ELEMENT_ALL)
		return refuse(io, 0x21, 0x01);
	library_scan(vchanger->library);
	return 0;
}

static int mode_sense(struct vchanger *vchanger, struct scuse_io *io, const uint8_t *cdb)
{
	size_t length, allocated = cdb[0] == 0x1a ? cdb[4] : get16(cdb + 7);
	uint8_t data[PAGE_ROOM];

	switch (page_mode_sense(vchanger->library, cdb, data, &length)) {
	case PAGE_OK:
		return reply(io, data, length, allocated);
	case PAGE_NOT_SAVED:
		return refuse(io, 0x39, 0x00); /* SAVING PARAMETERS NOT SUPPORTED */
	case PAGE_INVALID:
		break;
	}
	return scuse_fail(io, SCUSE_E_INVALID);
}

static int log_sense(struct vchanger *vchanger, struct scuse_io *io, const uint8_t *cdb)
{
	uint8_t data[PAGE_ROOM];
	size_t length;

	if (page_log_sense(vchanger->library, cdb, data, &length) != PAGE_OK)
		return scuse_fail(io, SCUSE_E_INVALID);
	return reply(io, data, length, get16(cdb + 7));
}

/* With the lock held: takes a nexus off the list of those that prevent removal. */
static void allow(struct vchanger *vchanger, uint32_t nexus)
{
	for (unsigned int i = 0; i < vchanger->preventer_count; i++)
		if (vchanger->preventers[i] == nexus)
			vchanger->preventers[i--] = vchanger->preventers[--vchanger->preventer_count];
}

static int prevent_allow(struct vchanger *vchanger, struct scuse_io *io, const uint8_t *cdb)
{
	uint32_t nexus = scuse_io_nexus(io);
	bool full = false, locked;

	pthread_mutex_lock(&vchanger->lock);
	allow(vchanger, nexus);
	if (cdb[4] & 0x01) {
		full = vchanger->preventer_count == PREVENTERS_MAX;
		if (!full)
			vchanger->preventers[vchanger->preventer_count++] = nexus;
	}
	locked = vchanger->preventer_count != 0;
	pthread_mutex_unlock(&vchanger->lock);
	library_lock_ports(vchanger->library, locked);
	return full ? refuse(io, 0x55, 0x03) : 0; /* INSUFFICIENT RESOURCES */
}

static int position_to_element(struct vchanger *vchanger, struct scuse_io *io, const uint8_t *cdb)
{
	if (get16(cdb + 2) != ADDRESS_TRANSPORT ||
	    library_type(vchanger->library, get16(cdb + 4)) == ELEMENT_ALL)
		return refuse(io, 0x21, 0x01);
	return cdb[8] & 0x01 ? scuse_fail(io, SCUSE_E_INVALID) : 0; /* INVERT: it cannot turn media over */
}

static int move_medium(struct vchanger *vchanger, struct scuse_io *io, const uint8_t *cdb)
{
	if (get16(cdb + 2) != ADDRESS_TRANSPORT)
		return refuse(io, 0x21, 0x01);
	if (cdb[10] & 0x01)
		return scuse_fail(io, SCUSE_E_INVALID);
	return finish(io, library_move(vchanger->library, get16(cdb + 4), get16(cdb + 6),
				       scuse_io_flags(io) & SCUSE_IO_REPLAY));
}

static int exchange_medium(struct vchanger *vchanger, struct scuse_io *io, const uint8_t *cdb)
{
	if (get16(cdb + 2) != ADDRESS_TRANSPORT)
		return refuse(io, 0x21, 0x01);
	if (cdb[10] & 0x03)
		return scuse_fail(io, SCUSE_E_INVALID);
	return finish(io, library_exchange(vchanger->library, get16(cdb + 4), get16(cdb + 6), get16(cdb + 8),
					   scuse_io_flags(io) & SCUSE_IO_REPLAY));
}

static int read_element_status(struct vchanger *vchanger, struct scuse_io *io, const uint8_t *cdb)
{
	size_t allocated = (size_t)cdb[7] << 16 | (size_t)cdb[8] << 8 | cdb[9];
	struct element_query query;
	uint64_t room;
	void *to = scuse_io_data(io, &room);
	long length;

	if (!element_parse(cdb, &query))
		return scuse_fail(io, SCUSE_E_INVALID);
	if (room > allocated)
		room = allocated;
	if (!room)
		return 0;
	length = element_report(vchanger->library, &query, to, (size_t)room);
	if (length < 0)
		return scuse_fail(io, SCUSE_E_NO_MEMORY);
	scuse_io_set_data_in(io, (uint64_t)length);
	return 0;
}

/* What is carried out, and which bits of the CDB are looked at (SPC-4 6.35.3). */
#define MOVE_SECONDS 180
static const struct scuse_claim vchanger_claims[] = {
	{ .opcode = 0x00, .cdb_len = 6 },
	{ .opcode = 0x07, .cdb_len = 6 },
	{ .opcode = 0x1a, .cdb_len = 6, .direction = 2, .usage = { 0x1a, 0x00, 0xff, 0xff, 0xff } },
	{ .opcode = 0x1e, .cdb_len = 6, .usage = { 0x1e, 0x00, 0x00, 0x00, 0x01 } },
	{ .opcode = 0x2b, .cdb_len = 10, .usage = { 0x2b, 0x00, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x01 } },
	{ .opcode = 0x37, .cdb_len = 10, .usage = { 0x37, 0x01, 0xff, 0xff } },
	{ .opcode = 0x4d,
	  .cdb_len = 10,
	  .direction = 2,
	  .usage = { 0x4d, 0x01, 0x3f, 0xff, 0x00, 0xff, 0xff, 0xff, 0xff } },
	{ .opcode = 0x5a,
	  .cdb_len = 10,
	  .direction = 2,
	  .usage = { 0x5a, 0x00, 0xff, 0xff, 0x00, 0x00, 0x00, 0xff, 0xff } },
	{ .opcode = 0xa5,
	  .cdb_len = 12,
	  .flags = SCUSE_CLAIM_WRITES,
	  .timeout = MOVE_SECONDS,
	  .usage = { 0xa5, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x01 } },
	{ .opcode = 0xa6,
	  .cdb_len = 12,
	  .flags = SCUSE_CLAIM_WRITES,
	  .timeout = MOVE_SECONDS,
	  .usage = { 0xa6, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x03 } },
	{ .opcode = 0xb8,
	  .cdb_len = 12,
	  .direction = 2,
	  .timeout = MOVE_SECONDS,
	  .usage = { 0xb8, 0x1f, 0xff, 0xff, 0xff, 0xff, 0x01, 0xff, 0xff, 0xff } },
	{ .flags = SCUSE_CLAIM_END },
};

static const struct {
	uint8_t opcode;
	int (*run)(struct vchanger *vchanger, struct scuse_io *io, const uint8_t *cdb);
} commands[] = {
	{ 0x00, test_unit_ready }, { 0x07, initialize },	  { 0x1a, mode_sense },
	{ 0x1e, prevent_allow },   { 0x2b, position_to_element }, { 0x37, initialize },
	{ 0x4d, log_sense },	   { 0x5a, mode_sense },	  { 0xa5, move_medium },
	{ 0xa6, exchange_medium }, { 0xb8, read_element_status },
};

static int vchanger_cdb(void *handle, struct scuse_io *io)
{
	size_t length;
	const uint8_t *cdb = scuse_io_cdb(io, &length);

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].opcode == cdb[0])
			return commands[i].run(handle, io, cdb);
	return scuse_fail(io, SCUSE_E_UNSUPPORTED);
}

/* ---- the LUN ---- */

static int check_count(const struct scuse_config *config, const char *name, int64_t least, int64_t most)
{
	int64_t value = scuse_config_int(config, name);

	if (value >= least && value <= most)
		return 0;
	scuse_error("%s is %" PRId64 ", but has to be %" PRId64 " to %" PRId64, name, value, least, most);
	return -EINVAL;
}

static int vchanger_validate(const struct scuse_config *config)
{
	int error = check_count(config, "slots", 1, SLOTS_MAX);

	if (!error)
		error = check_count(config, "drives", 1, LINK_DRIVES_MAX);
	return error ? error : check_count(config, "ports", 0, PORTS_MAX);
}

static void vchanger_close(void *handle)
{
	struct vchanger *vchanger = handle;

	watch_stop(vchanger->watch);
	library_close(vchanger->library);
	pthread_mutex_destroy(&vchanger->lock);
	free(vchanger);
}

static int vchanger_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	struct vchanger *vchanger = calloc(1, sizeof(*vchanger));
	int error;

	if (!vchanger)
		return -ENOMEM;
	vchanger->dev = dev;
	pthread_mutex_init(&vchanger->lock, NULL);
	vchanger->library = library_open(&(struct library_options){
		.path = scuse_config_string(config, "library"),
		.slots = (unsigned int)scuse_config_int(config, "slots"),
		.drives = (unsigned int)scuse_config_int(config, "drives"),
		.ports = (unsigned int)scuse_config_int(config, "ports"),
		.changed = vchanger_changed,
		.context = vchanger,
	});
	if (vchanger->library) {
		*handle = vchanger;
		vchanger->watch = watch_start(vchanger->library, scuse_config_string(config, "library"));
		if (vchanger->watch)
			return 0;
		error = -errno;
		scuse_error("the library cannot be watched: %s", strerror(errno));
	} else {
		error = -errno;
	}
	vchanger_close(vchanger);
	return error;
}

static int vchanger_probe(void *handle, struct scuse_caps *caps)
{
	(void)handle;
	caps->replay_safe = 1; /* library.h, MOVES */
	caps->unit_attentions = 1;
	return 0;
}

static int vchanger_start(void *handle)
{
	struct vchanger *vchanger = handle;

	pthread_mutex_lock(&vchanger->lock);
	vchanger->started = true;
	for (int port = 0; port < 2; port++)
		if (vchanger->news[port])
			tell(vchanger, port);
	vchanger->news[0] = vchanger->news[1] = false;
	pthread_mutex_unlock(&vchanger->lock);
	return 0;
}

/* A reset ends the prevention of removal (SPC-4 6.17). */
static void vchanger_reset(void *handle)
{
	struct vchanger *vchanger = handle;

	pthread_mutex_lock(&vchanger->lock);
	vchanger->preventer_count = 0;
	pthread_mutex_unlock(&vchanger->lock);
	library_lock_ports(vchanger->library, false);
}

static const struct scuse_sync_ops vchanger_ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
	.cdb = vchanger_cdb,
};

static struct scuse_handler vchanger_handler = {
	.name = "vchanger",
	.version = "1.0",
	.description = "the medium changer of a virtual tape library, in a directory",
	.params = vchanger_params,
	.magic_param = "library",
	.device_type = 0x08,
	.thread_model = SCUSE_THREADS_SERIAL_LUN,
	.claims = vchanger_claims,
	.sync = &vchanger_ops,
	.validate = vchanger_validate,
	.open = vchanger_open,
	.probe = vchanger_probe,
	.start = vchanger_start,
	.close = vchanger_close,
	.reset = vchanger_reset,
	.needs = SCUSE_NEEDS_FILES, /* the inventory, and what is new in the library's directory */
};

SCUSE_REGISTER_HANDLER(vchanger_handler)
