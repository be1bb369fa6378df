// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * The best consumer that TCMU's interface permits, to measure against: one thread, no allocation, a disk in
 * memory, entries read in place, one notification for all that a wake-up brought.  tests/bench starts it in a
 * guest; it is no product, and serves one device until it is killed.
 *
 *	tcmu-peer NAME BYTES		the device core/user_N/NAME, made with dev_config=peer/
 *
 * A wake-up is a read() of the uio descriptor, a notification a write() of it: there is no cheaper way.
 * After the notification the ring is looked at again before the thread sleeps.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/target_core_user.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BLOCK 512u

#define GOOD		0x00
#define CHECK_CONDITION 0x02

struct peer {
	int uio;
	uint8_t *ring; /* the mailbox, then commands and data */
	uint8_t *disk;
	uint64_t blocks;
};

static uint64_t get_be(const uint8_t *bytes, int count)
{
	uint64_t value = 0;

	while (count--)
		value = value << 8 | *bytes++;
	return value;
}

static void put_be(uint8_t *bytes, int count, uint64_t value)
{
	for (int i = count - 1; i >= 0; i--, value >>= 8)
		bytes[i] = (uint8_t)value;
}

/* ---- finding the device ---- */

static long read_number(const char *uio, const char *file)
{
	char path[300], text[64] = "";
	FILE *stream;

	snprintf(path, sizeof(path), "/sys/class/uio/%s/%s", uio, file);
	stream = fopen(path, "re");
	if (!stream || !fgets(text, sizeof(text), stream))
		text[0] = 0;
	if (stream)
		fclose(stream);
	return strtol(text, NULL, 0);
}

/* uioN/name is tcm-user/HBA/NAME/CONFIG */
static bool is_wanted(const char *uio, const char *name)
{
	char path[300], text[512] = "", part[300];
	FILE *stream;

	snprintf(path, sizeof(path), "/sys/class/uio/%s/name", uio);
	stream = fopen(path, "re");
	if (!stream || !fgets(text, sizeof(text), stream))
		text[0] = 0;
	if (stream)
		fclose(stream);
	snprintf(part, sizeof(part), "/%s/", name);
	return !strncmp(text, "tcm-user/", 9) && strstr(text, part);
}

static bool find_device(const char *name, char *uio, size_t size)
{
	DIR *dir = opendir("/sys/class/uio");
	const struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir))) {
		found = entry->d_name[0] != '.' && is_wanted(entry->d_name, name);
		snprintf(uio, size, "%s", entry->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

static bool attach(struct peer *peer, const char *name)
{
	char uio[256], path[300];
	long size;

	if (!find_device(name, uio, sizeof(uio))) {
		fprintf(stderr, "tcmu-peer: there is no TCMU device %s\n", name);
		return false;
	}
	size = read_number(uio, "maps/map0/size");
	snprintf(path, sizeof(path), "/dev/%s", uio);
	peer->uio = open(path, O_RDWR | O_CLOEXEC);
	peer->ring = peer->uio < 0
			     ? MAP_FAILED
			     : mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, peer->uio, 0);
	if (peer->ring != MAP_FAILED)
		return true;
	fprintf(stderr, "tcmu-peer: %s: %s\n", path, strerror(errno));
	return false;
}

/* ---- commands ---- */

static void fail(struct tcmu_cmd_entry *entry, uint8_t key, uint8_t asc)
{
	uint8_t *sense = (uint8_t *)entry->rsp.sense_buffer;

	memset(sense, 0, 18);
	sense[0] = 0x70;
	sense[2] = key;
	sense[7] = 10;
	sense[12] = asc;
	entry->rsp.scsi_status = CHECK_CONDITION;
}

/* `length` bytes to or from the initiator's buffers, as many as they hold. */
static void move(struct peer *peer, struct tcmu_cmd_entry *entry, uint8_t *data, uint64_t length,
		 bool to_initiator)
{
	for (uint32_t i = 0; i < entry->req.iov_cnt && length; i++) {
		uint8_t *part = peer->ring + (uintptr_t)entry->req.iov[i].iov_base;
		uint64_t count = entry->req.iov[i].iov_len < length ? entry->req.iov[i].iov_len : length;

		if (to_initiator)
			memcpy(part, data, count);
		else
			memcpy(data, part, count);
		data += count;
		length -= count;
	}
}

static void transfer(struct peer *peer, struct tcmu_cmd_entry *entry, uint64_t lba, uint64_t blocks,
		     bool is_read)
{
	if (lba > peer->blocks || blocks > peer->blocks - lba) {
		fail(entry, 0x05, 0x21);
		return;
	}
	move(peer, entry, peer->disk + lba * BLOCK, blocks * BLOCK, is_read);
	entry->rsp.scsi_status = GOOD;
}

static void answer(struct peer *peer, struct tcmu_cmd_entry *entry, uint8_t *data, uint64_t length)
{
	move(peer, entry, data, length, true);
	entry->rsp.scsi_status = GOOD;
}

static void inquiry(struct peer *peer, struct tcmu_cmd_entry *entry, const uint8_t *cdb)
{
	uint8_t data[36] = { 0, 0, 0x06, 0x02, 31, 0, 0, 0x02 };

	if (cdb[1] & 0x01) {
		fail(entry, 0x05, 0x24);
		return;
	}
	memcpy(data + 8, "TCMU    PEER            1   ", 28);
	answer(peer, entry, data, sizeof(data));
}

static void capacity(struct peer *peer, struct tcmu_cmd_entry *entry, int size)
{
	uint8_t data[32] = { 0 };

	put_be(data, size, peer->blocks - 1);
	put_be(data + size, 4, BLOCK);
	answer(peer, entry, data, size == 4 ? 8 : 32);
}

static void other(struct peer *peer, struct tcmu_cmd_entry *entry, const uint8_t *cdb)
{
	uint8_t data[8] = { 0 };

	switch (cdb[0]) {
	case 0x00: /* TEST UNIT READY */
	case 0x1b: /* START STOP UNIT */
	case 0x35: /* SYNCHRONIZE CACHE */
	case 0x91:
		entry->rsp.scsi_status = GOOD;
		return;
	case 0x12:
		inquiry(peer, entry, cdb);
		return;
	case 0x1a: /* MODE SENSE: a header alone */
		data[0] = 3;
		answer(peer, entry, data, 4);
		return;
	case 0x25:
		capacity(peer, entry, 4);
		return;
	case 0x9e:
		if ((cdb[1] & 0x1f) == 0x10) {
			capacity(peer, entry, 8);
			return;
		}
	}
	fail(entry, 0x05, 0x20);
}

static void carry_out(struct peer *peer, struct tcmu_cmd_entry *entry)
{
	const uint8_t *cdb = peer->ring + entry->req.cdb_off;

	switch (cdb[0]) {
	case 0x28: /* READ (10), WRITE (10) */
	case 0x2a:
		transfer(peer, entry, get_be(cdb + 2, 4), get_be(cdb + 7, 2), cdb[0] == 0x28);
		return;
	case 0x88: /* READ (16), WRITE (16) */
	case 0x8a:
		transfer(peer, entry, get_be(cdb + 2, 8), get_be(cdb + 10, 4), cdb[0] == 0x88);
		return;
	default:
		other(peer, entry, cdb);
	}
}

/* All that is in the ring; false: nothing was. */
static bool serve(struct peer *peer)
{
	struct tcmu_mailbox *mailbox = (struct tcmu_mailbox *)peer->ring;
	uint32_t tail = mailbox->cmd_tail;
	bool some = false;

	while (tail != __atomic_load_n(&mailbox->cmd_head, __ATOMIC_ACQUIRE)) {
		struct tcmu_cmd_entry *entry = (void *)(peer->ring + mailbox->cmdr_off + tail);

		if (tcmu_hdr_get_op(entry->hdr.len_op) == TCMU_OP_CMD)
			carry_out(peer, entry);
		else if (tcmu_hdr_get_op(entry->hdr.len_op) != TCMU_OP_PAD)
			entry->hdr.uflags |= TCMU_UFLAG_UNKNOWN_OP;
		tail = (tail + tcmu_hdr_get_len(entry->hdr.len_op)) % mailbox->cmdr_size;
		__atomic_store_n(&mailbox->cmd_tail, tail, __ATOMIC_RELEASE);
		some = true;
	}
	return some;
}

int main(int argc, char **argv)
{
	struct peer peer = { .uio = -1 };
	uint32_t word = 0;
	uint64_t bytes;

	if (argc != 3) {
		fputs("usage: tcmu-peer NAME BYTES\n", stderr);
		return 2;
	}
	bytes = strtoull(argv[2], NULL, 0);
	peer.blocks = bytes / BLOCK;
	peer.disk =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (peer.disk == MAP_FAILED || !attach(&peer, argv[1]))
		return 1;
	for (;;) {
		while (serve(&peer))
			if (write(peer.uio, &word, sizeof(word)) != sizeof(word))
				return 1;
		if (read(peer.uio, &word, sizeof(word)) != sizeof(word) && errno != EINTR)
			return 1;
	}
}
