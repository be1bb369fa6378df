// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Writes to many disks, and reads back from them, what tells them apart, in one process: starting one for each
 * is what takes long otherwise.  Used by luns.guest.sh.
 *
 *	stamp write|check FILE...	each FILE holds the path of a disk
 *
 * Every disk's first 64 KiB get, in each 8 bytes, a number made of the name of its FILE and of the offset.  Past
 * the host's cache.  The exit status is 1 if any disk is not as it should be.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LENGTH 65536

static uint64_t hash(const char *name)
{
	uint64_t value = 14695981039346656037u; /* FNV-1a */

	for (; *name; name++)
		value = (value ^ (unsigned char)*name) * 1099511628211u;
	return value;
}

static void fill(uint64_t *words, const char *name)
{
	uint64_t first = hash(name);

	for (size_t i = 0; i < LENGTH / sizeof(*words); i++)
		words[i] = first + i;
}

static int open_disk(const char *name)
{
	char path[256] = "";
	FILE *file = fopen(name, "re");
	int fd = -1;

	if (file && fgets(path, sizeof(path), file)) {
		path[strcspn(path, "\n")] = 0;
		fd = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	}
	if (file)
		fclose(file);
	if (fd < 0)
		fprintf(stderr, "%s: '%s': %s\n", name, path, strerror(errno));
	return fd;
}

static bool stamp(int fd, const char *name, bool check, uint64_t *wanted, uint64_t *seen)
{
	ssize_t done;

	fill(wanted, name);
	done = check ? pread(fd, seen, LENGTH, 0) : pwrite(fd, wanted, LENGTH, 0);
	if (done != LENGTH) {
		fprintf(stderr, "%s: %s: %zd bytes: %s\n", name, check ? "read" : "write", done,
			strerror(errno));
		return false;
	}
	if (!check || !memcmp(wanted, seen, LENGTH))
		return true;
	fprintf(stderr, "%s: has what was never written to it\n", name);
	return false;
}

int main(int argc, char **argv)
{
	uint64_t *wanted = aligned_alloc(4096, LENGTH), *seen = aligned_alloc(4096, LENGTH);
	bool check = argc > 1 && !strcmp(argv[1], "check");
	int failed = argc < 3;

	if (!wanted || !seen)
		return 1;
	for (int i = 2; i < argc; i++) {
		int fd = open_disk(argv[i]);

		if (fd < 0 || !stamp(fd, argv[i], check, wanted, seen))
			failed = 1;
		if (fd >= 0)
			close(fd);
	}
	free(wanted);
	free(seen);
	return failed;
}
