// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A disk with a volatile write cache, as an NBD server for one client, a guest's QEMU.
 *
 *	cached_disk IMAGE SOCKET SEED
 *
 * What is written goes to the cache; FLUSH brings it to IMAGE.  When the client goes away, for whatever reason,
 * the power has failed: each sector that was written since the latest FLUSH is kept or lost at random (SEED), as a
 * real disk may do, and the server ends.  IMAGE is a shared mapping, so it has what it shall have even if the
 * server itself is killed.
 *
 * One thread: a request is carried out and answered before the next is read, so all that a FLUSH has to cover has
 * been done when it comes.  The protocol is NBD's, fixed newstyle, without structured replies.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SECTOR 512u

#define NBD_MAGIC	     0x4e42444d41474943ull
#define NBD_OPTION_MAGIC     0x49484156454f5054ull
#define NBD_OPTION_REPLY     0x3e889045565a9ull
#define NBD_REQUEST_MAGIC    0x25609513u
#define NBD_REPLY_MAGIC	     0x67446698u
#define NBD_FIXED_NEWSTYLE   1u
#define NBD_NO_ZEROES	     2u
#define NBD_OPTION_ABORT     2u
#define NBD_OPTION_GO	     7u
#define NBD_REPLY_ACK	     1u
#define NBD_REPLY_INFO	     3u
#define NBD_REPLY_UNSUPPORTED 0x80000001u
#define NBD_INFO_EXPORT	     0u
#define NBD_HAS_FLAGS	     1u
#define NBD_SEND_FLUSH	     4u
#define NBD_READ	     0u
#define NBD_WRITE	     1u
#define NBD_DISCONNECT	     2u
#define NBD_FLUSH	     3u

#define LARGEST_OPTION 4096u

struct disk {
	uint8_t *medium, *cache;
	bool *dirty; /* by sector: the cache is newer than the medium */
	uint64_t size;
};

struct option {
	uint64_t magic;
	uint32_t number, length;
} __attribute__((packed));

struct option_reply {
	uint64_t magic;
	uint32_t number, type, length;
} __attribute__((packed));

struct export_info {
	uint16_t type;
	uint64_t size;
	uint16_t flags;
} __attribute__((packed));

struct request {
	uint32_t magic;
	uint16_t flags, type;
	uint64_t cookie, offset;
	uint32_t length;
} __attribute__((packed));

struct reply {
	uint32_t magic, error;
	uint64_t cookie;
} __attribute__((packed));

/* False: the client is gone. */
static bool get(int client, void *data, size_t length)
{
	for (char *at = data; length;) {
		ssize_t got = recv(client, at, length, 0);

		if (got <= 0)
			return false;
		at += got;
		length -= (size_t)got;
	}
	return true;
}

static bool put(int client, const void *data, size_t length)
{
	for (const char *at = data; length;) {
		ssize_t sent = send(client, at, length, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		at += sent;
		length -= (size_t)sent;
	}
	return true;
}

/* ---- the disk ---- */

static bool disk_open(struct disk *disk, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status))
		return false;
	disk->size = (uint64_t)status.st_size / SECTOR * SECTOR;
	disk->medium = mmap(NULL, disk->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	disk->cache = malloc(disk->size);
	disk->dirty = calloc(disk->size / SECTOR, sizeof(*disk->dirty));
	if (disk->medium == MAP_FAILED || !disk->cache || !disk->dirty)
		return false;
	memcpy(disk->cache, disk->medium, disk->size);
	return true;
}

static void destage(struct disk *disk, uint64_t sector)
{
	memcpy(disk->medium + sector * SECTOR, disk->cache + sector * SECTOR, SECTOR);
	disk->dirty[sector] = false;
}

static void disk_flush(struct disk *disk)
{
	for (uint64_t sector = 0; sector < disk->size / SECTOR; sector++)
		if (disk->dirty[sector])
			destage(disk, sector);
}

static void disk_power_fails(struct disk *disk)
{
	uint64_t kept = 0, lost = 0;

	for (uint64_t sector = 0; sector < disk->size / SECTOR; sector++) {
		if (!disk->dirty[sector])
			continue;
		if (random() & 1) {
			destage(disk, sector);
			kept++;
		} else {
			lost++;
		}
	}
	printf("of the sectors in the disk's cache, %llu are kept and %llu are lost\n", (unsigned long long)kept,
	       (unsigned long long)lost);
}

/* ---- the protocol ---- */

static bool reply_option(int client, uint32_t option, uint32_t type, const void *data, uint32_t length)
{
	struct option_reply reply = { .magic = htobe64(NBD_OPTION_REPLY),
				      .number = htobe32(option),
				      .type = htobe32(type),
				      .length = htobe32(length) };

	return put(client, &reply, sizeof(reply)) && put(client, data, length);
}

static bool go(int client, const struct disk *disk)
{
	struct export_info info = { .type = htobe16(NBD_INFO_EXPORT),
				    .size = htobe64(disk->size),
				    .flags = htobe16(NBD_HAS_FLAGS | NBD_SEND_FLUSH) };

	return reply_option(client, NBD_OPTION_GO, NBD_REPLY_INFO, &info, sizeof(info)) &&
	       reply_option(client, NBD_OPTION_GO, NBD_REPLY_ACK, NULL, 0);
}

/* True: the client has chosen the disk; what comes from now on are requests. */
static bool negotiate(int client, const struct disk *disk)
{
	uint64_t hello[2] = { htobe64(NBD_MAGIC), htobe64(NBD_OPTION_MAGIC) };
	uint16_t server_flags = htobe16(NBD_FIXED_NEWSTYLE | NBD_NO_ZEROES);
	uint32_t client_flags;
	struct option option;
	char data[LARGEST_OPTION];

	if (!put(client, hello, sizeof(hello)) || !put(client, &server_flags, sizeof(server_flags)) ||
	    !get(client, &client_flags, sizeof(client_flags)))
		return false;
	while (get(client, &option, sizeof(option))) {
		uint32_t number = be32toh(option.number), length = be32toh(option.length);

		if (be64toh(option.magic) != NBD_OPTION_MAGIC || length > sizeof(data) || !get(client, data, length) ||
		    number == NBD_OPTION_ABORT)
			return false;
		if (number == NBD_OPTION_GO)
			return go(client, disk);
		if (!reply_option(client, number, NBD_REPLY_UNSUPPORTED, NULL, 0))
			return false;
	}
	return false;
}

static bool answer(int client, const struct request *request, uint32_t error)
{
	struct reply reply = { .magic = htobe32(NBD_REPLY_MAGIC),
			       .error = htobe32(error),
			       .cookie = request->cookie };

	return put(client, &reply, sizeof(reply));
}

static bool write_cache(struct disk *disk, int client, uint64_t offset, uint32_t length)
{
	if (!get(client, disk->cache + offset, length))
		return false;
	for (uint64_t sector = offset / SECTOR; sector < (offset + length + SECTOR - 1) / SECTOR; sector++)
		disk->dirty[sector] = true;
	return true;
}

/* False: the client is gone, or is one that this server cannot serve. */
static bool serve(struct disk *disk, int client)
{
	struct request request;
	uint64_t offset;
	uint32_t length;

	if (!get(client, &request, sizeof(request)) || be32toh(request.magic) != NBD_REQUEST_MAGIC)
		return false;
	offset = be64toh(request.offset);
	length = be32toh(request.length);
	if (offset > disk->size || length > disk->size - offset)
		return false;
	switch (be16toh(request.type)) {
	case NBD_READ:
		return answer(client, &request, 0) && put(client, disk->cache + offset, length);
	case NBD_WRITE:
		return write_cache(disk, client, offset, length) && answer(client, &request, 0);
	case NBD_FLUSH:
		disk_flush(disk);
		return answer(client, &request, 0);
	default: /* NBD_DISCONNECT, and what was not offered */
		return false;
	}
}

static int listen_on(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(path) >= sizeof(address.sun_path))
		return -1;
	memcpy(address.sun_path, path, strlen(path));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 1))
		return -1;
	return fd;
}

int main(int argc, char **argv)
{
	struct disk disk;
	int server, client;

	if (argc != 4) {
		fprintf(stderr, "usage: cached_disk IMAGE SOCKET SEED\n");
		return 2;
	}
	srandom((unsigned int)strtoul(argv[3], NULL, 10));
	if (!disk_open(&disk, argv[1])) {
		fprintf(stderr, "cached_disk: %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	server = listen_on(argv[2]);
	client = server < 0 ? -1 : accept(server, NULL, NULL);
	if (client < 0) {
		fprintf(stderr, "cached_disk: %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	if (!negotiate(client, &disk)) {
		fprintf(stderr, "cached_disk: the client did not want this disk\n");
		return 1;
	}
	while (serve(&disk, client))
		;
	disk_power_fails(&disk);
	return 0;
}
