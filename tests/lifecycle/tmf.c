// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Writes one block through iSCSI, gives the command up after a second by task management, and says how long
 * the answer took.
 *
 *	tmf URL abort|reset LBA BYTE	BYTE: what the block is filled with
 *
 * Prints milliseconds.  Exit status 0: FUNCTION COMPLETE; 1: another answer; 2: none, or no connection.
 */
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BLOCK 512

static int response = -1;

static void written(struct iscsi_context *iscsi, int status, void *data, void *private_data)
{
	(void)iscsi;
	(void)data;
	(void)private_data;
	fprintf(stderr, "the command was answered, with status %d\n", status);
}

static void answered(struct iscsi_context *iscsi, int status, void *data, void *private_data)
{
	(void)iscsi;
	(void)private_data;
	response = status == SCSI_STATUS_GOOD && data ? (int)*(uint32_t *)data : 256;
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

/* Serves the connection until @end, or until the answer is there. */
static int serve(struct iscsi_context *iscsi, int64_t end)
{
	while (response < 0 && now() < end) {
		struct pollfd pfd = { .fd = iscsi_get_fd(iscsi), .events = (short)iscsi_which_events(iscsi) };

		if (poll(&pfd, 1, 100) < 0 || iscsi_service(iscsi, pfd.revents) < 0)
			return -1;
	}
	return 0;
}

static struct iscsi_context *connect_to(const struct iscsi_url *url)
{
	struct iscsi_context *iscsi = iscsi_create_context("iqn.2026-01.org.scuse:tmf");

	if (!iscsi)
		return NULL;
	iscsi_set_session_type(iscsi, ISCSI_SESSION_NORMAL);
	iscsi_set_noautoreconnect(iscsi, 1);
	iscsi_set_targetname(iscsi, url->target);
	if (iscsi_full_connect_sync(iscsi, url->portal, url->lun)) {
		fprintf(stderr, "%s\n", iscsi_get_error(iscsi));
		return NULL;
	}
	return iscsi;
}

int main(int argc, char **argv)
{
	struct iscsi_context *parser = iscsi_create_context("iqn.2026-01.org.scuse:tmf");
	struct iscsi_context *iscsi;
	struct iscsi_url *url;
	struct scsi_task *task;
	unsigned char block[BLOCK];
	int64_t start;
	int ret;

	if (argc != 5 || !parser || !(url = iscsi_parse_full_url(parser, argv[1])))
		return 2;
	iscsi = connect_to(url);
	if (!iscsi)
		return 2;
	memset(block, argv[4][0], sizeof(block));
	task = iscsi_write10_task(iscsi, url->lun, (uint32_t)strtoul(argv[3], NULL, 0), block, sizeof(block),
				  BLOCK, 0, 0, 0, 0, 0, written, NULL);
	if (!task || serve(iscsi, now() + 1000))
		return 2;
	start = now();
	if (!strcmp(argv[2], "abort"))
		ret = iscsi_task_mgmt_abort_task_async(iscsi, task, answered, NULL);
	else
		ret = iscsi_task_mgmt_lun_reset_async(iscsi, (uint32_t)url->lun, answered, NULL);
	if (ret || serve(iscsi, start + 60000) || response < 0)
		return 2;
	printf("%lld\n", (long long)(now() - start));
	return response != 0;
}
