/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * TEST UNIT READY to a node of the host, by SG_IO: the proof that a LUN answers.  See sysfs.h.  Called by
 * attach.
 */
#include "sysfs.h"

#include <errno.h>
#include <fcntl.h>
#include <scsi/sg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "cli.h"

#define POLL_MS	   20
#define COMMAND_MS 5000 /* a command of its own has this long */

enum sense_key {
	KEY_NOT_READY = 0x02,
	KEY_UNIT_ATTENTION = 0x06,
};
#define ASC_NO_MEDIUM 0x3a

/* Key and additional code of fixed or descriptor sense data. */
static void decode_sense(const uint8_t *sense, uint8_t *key, uint8_t *asc)
{
	bool descriptor = (sense[0] & 0x7f) >= 0x72;

	*key = (descriptor ? sense[1] : sense[2]) & 0x0f;
	*asc = descriptor ? sense[2] : sense[12];
}

/* 0: ready; EAGAIN: ask again; another errno: no. */
static int test_unit_ready(int fd)
{
	uint8_t cdb[6] = { 0 }, sense[32] = { 0 }, key, asc;
	struct sg_io_hdr header = {
		.interface_id = 'S',
		.dxfer_direction = SG_DXFER_NONE,
		.cmd_len = sizeof(cdb),
		.cmdp = cdb,
		.mx_sb_len = sizeof(sense),
		.sbp = sense,
		.timeout = COMMAND_MS,
	};

	if (ioctl(fd, SG_IO, &header))
		return errno == EINTR ? EAGAIN : errno;
	if (header.status == 0 && header.host_status == 0 && header.driver_status == 0)
		return 0;
	if (header.sb_len_wr < 8)
		return EAGAIN; /* BUSY, a transport that is still coming up, ... */
	decode_sense(sense, &key, &asc);
	/* A drive without a medium answers as well as it can. */
	return key == KEY_NOT_READY && asc == ASC_NO_MEDIUM ? 0 : EAGAIN;
}

static int open_node(const char *node)
{
	int fd = open(node, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	/* Tapes and changers let in one at a time: udev may be first. */
	return fd >= 0 ? fd : -errno;
}

static int ask(const char *node)
{
	int fd = open_node(node), r;

	if (fd < 0)
		return fd == -ENOENT || fd == -EBUSY || fd == -ENXIO || fd == -EAGAIN || fd == -EINTR ? EAGAIN
												      : -fd;
	r = test_unit_ready(fd);
	close(fd);
	return r;
}

bool scsi_wait_ready(const char *node, gint64 deadline, GError **error)
{
	int r;

	while ((r = ask(node)) == EAGAIN) {
		if (!check_interrupted(error))
			return false;
		if (g_get_monotonic_time() >= deadline)
			return fail(error, ETIMEDOUT,
				    "%s does not become ready: does its handler still work? (scuse show)",
				    node);
		g_usleep(POLL_MS * 1000);
	}
	return r ? fail(error, r, "%s does not answer TEST UNIT READY: %s", node, g_strerror(r)) : true;
}
