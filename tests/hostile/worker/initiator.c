// SPDX-License-Identifier: LGPL-2.1-or-later
/* An initiator that keeps the rogue worker's LUN busy, through SG_IO.  See worker.h. */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <scsi/sg.h>

#define BLOCK 512
#define MOST  128 /* blocks of a command */

static int command(int fd, unsigned char *cdb, unsigned char length, int direction, void *data,
		   uint32_t bytes, uint32_t seconds)
{
	unsigned char sense[96];
	struct sg_io_hdr io = {
		.interface_id = 'S',
		.dxfer_direction = direction,
		.cmd_len = length,
		.mx_sb_len = sizeof(sense),
		.dxfer_len = bytes,
		.dxferp = data,
		.cmdp = cdb,
		.sbp = sense,
		.timeout = seconds * 1000,
	};

	if (ioctl(fd, SG_IO, &io))
		return errno;
	return io.status || io.host_status || io.driver_status ? EIO : 0;
}

static void put32(unsigned char *at, uint32_t value)
{
	at[0] = (unsigned char)(value >> 24);
	at[1] = (unsigned char)(value >> 16);
	at[2] = (unsigned char)(value >> 8);
	at[3] = (unsigned char)value;
}

/* READ (10), WRITE (10), SYNCHRONIZE CACHE (10), WRITE SAME (10), TEST UNIT READY, UNMAP of one range. */
static int random_command(struct random *random, int fd, uint32_t blocks, unsigned char *data)
{
	unsigned char cdb[16] = { 0 };
	uint32_t count = 1 + random_below(random, MOST), lba = random_below(random, blocks - MOST);

	put32(cdb + 2, lba);
	cdb[8] = (unsigned char)count;
	switch (random_below(random, 10)) {
	case 0:
		cdb[0] = 0x35;
		return command(fd, cdb, 10, SG_DXFER_NONE, NULL, 0, 90);
	case 1:
		cdb[0] = 0x41;
		return command(fd, cdb, 10, SG_DXFER_TO_DEV, data, BLOCK, 90);
	case 2:
		memset(cdb, 0, sizeof(cdb));
		cdb[0] = 0x42;
		cdb[8] = 24;
		memset(data, 0, 24);
		data[1] = 22;
		data[3] = 16;
		put32(data + 12, lba);
		put32(data + 16, count);
		return command(fd, cdb, 10, SG_DXFER_TO_DEV, data, 24, 90);
	case 3:
		memset(cdb, 0, sizeof(cdb));
		return command(fd, cdb, 6, SG_DXFER_NONE, NULL, 0, 90);
	case 4:
	case 5:
	case 6:
		cdb[0] = 0x2a;
		return command(fd, cdb, 10, SG_DXFER_TO_DEV, data, count * BLOCK, 90);
	default:
		cdb[0] = 0x28;
		return command(fd, cdb, 10, SG_DXFER_FROM_DEV, data, count * BLOCK, 90);
	}
}

void *initiator_run(void *arg)
{
	struct initiator *initiator = arg;
	struct random random = { .state = initiator->seed };
	unsigned char *data = malloc(MOST * BLOCK);
	int fd = open(initiator->node, O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (!data || fd < 0)
		finding("%s: cannot be opened: %s", initiator->node, strerror(errno));
	while (!atomic_load(&initiator->stop)) {
		int error = random_command(&random, fd, initiator->blocks, data);

		atomic_fetch_add(error ? &initiator->failed : &initiator->good, 1);
		if (error)
			sleep_ms(1); /* nobody serves */
	}
	close(fd);
	free(data);
	return NULL;
}

int initiator_read(const char *node, uint32_t seconds)
{
	unsigned char cdb[10] = { 0x28, [8] = 8 }, data[8 * BLOCK];
	int fd = open(node, O_RDWR | O_CLOEXEC | O_NONBLOCK), error;

	if (fd < 0)
		return errno;
	error = command(fd, cdb, 10, SG_DXFER_FROM_DEV, data, sizeof(data), seconds);
	close(fd);
	return error;
}
