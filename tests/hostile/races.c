// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * hostile-races: eight processes that create, configure, enable, resize, export, use and remove the same few LUNs.
 *
 *	hostile-races [--seed N] [--seconds S]
 *	hostile-races --clean
 *
 * Each step is a system call or two on configfs; what others have done in between makes most of them fail, with any
 * error.  What must not happen is that one hangs: a process that is not over in time is reported.  The second form
 * removes all LUNs and exports of these names; it must succeed, however often it has to try.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <scuse/abi.h>

#include "../conformance/fuzz/random.h"

#define PROCESSES 8
#define LUNS	  4
#define HBAS	  2
#define EXPORTS	  2
#define LATE	  120 /* seconds after its time that a process may still take to end */
#define TARGET	  "/sys/kernel/config/target"

extern char **environ;

/*
 * Held by who makes a link to a LUN, and by who removes one.  Core takes a link to a directory that is just being removed,
 * of any backstore, and then follows pointers that are gone: that is not ours to try.
 */
static int links;

/* "%u" of these are the number of an HBA and of a LUN, or of an export. */
static void lun_path(char *path, size_t size, uint32_t hba, uint32_t lun)
{
	snprintf(path, size, TARGET "/core/scuse_%u/race%u", 70 + hba, lun);
}

static void export_path(char *path, size_t size, uint32_t number, const char *rest)
{
	snprintf(path, size, TARGET "/loopback/naa.60014057000000%02x/tpgt_1%s", number, rest);
}

static int put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), error = 0;

	if (fd < 0)
		return errno;
	if (write(fd, value, strlen(value)) < 0)
		error = errno;
	close(fd);
	return error;
}

static int put_in(const char *dir, const char *file, const char *value)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return put(path, value);
}

/* ---- steps: each is tried on whatever there is ---- */

static void step_create(struct random *random, const char *dir)
{
	static const char *const handlers[] = { "memory", "null", "no-such-handler", "race-by-hand" };
	char hba[512], text[256];

	snprintf(hba, sizeof(hba), "%s", dir);
	*strrchr(hba, '/') = '\0';
	mkdir(hba, 0755);
	mkdir(dir, 0755);
	snprintf(text, sizeof(text), "handler=%s\nsize=%u\nqueues=%u\ndepth=%u\n",
		 handlers[random_below(random, 4)], (1 + random_below(random, 4)) << 20,
		 1 + random_below(random, 3), 2u << random_below(random, 5));
	put_in(dir, "control", text);
}

static void step_enable(struct random *random, const char *dir)
{
	(void)random;
	put_in(dir, "enable", "1");
}

static void step_remove(struct random *random, const char *dir)
{
	char hba[512];

	flock(links, LOCK_EX);
	rmdir(dir);
	flock(links, LOCK_UN);
	if (random_once_in(random, 4)) {
		snprintf(hba, sizeof(hba), "%s", dir);
		*strrchr(hba, '/') = '\0';
		rmdir(hba);
	}
}

static void step_control(struct random *random, const char *dir)
{
	static const char *const lines[] = { "size=0",
					     "size=8388608",
					     "depth=3",
					     "queues=65",
					     "block_size=4096",
					     "handler=",
					     "param=a=b",
					     "raw=1",
					     "device_type=1",
					     "protection=1",
					     "max_transfer=65536",
					     "x" };

	put_in(dir, "control", lines[random_below(random, 12)]);
}

/* Each attribute is read, or written with what it has, or with something else. */
static void step_attributes(struct random *random, const char *dir)
{
	char path[512], name[1024], value[4096];
	struct dirent *entry;
	DIR *list;

	snprintf(path, sizeof(path), "%s/%s", dir, random_once_in(random, 3) ? "." : "attrib");
	list = opendir(path);
	while (list && (entry = readdir(list))) {
		ssize_t length;
		int fd;

		/* A fabric that is told to go away, or a size that is not the LUN's: not what is tried here. */
		if (entry->d_type != DT_REG || !strcmp(entry->d_name, "enable"))
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		fd = open(name, O_RDONLY | O_CLOEXEC);
		length = fd < 0 ? -1 : read(fd, value, sizeof(value) - 1);
		if (fd >= 0)
			close(fd);
		if (length <= 0 || random_below(random, 3))
			continue;
		value[length] = '\0';
		put(name, random_once_in(random, 2) ? value : random_once_in(random, 2) ? "1" : "4294967295");
	}
	if (list)
		closedir(list);
}

static void step_serial(struct random *random, const char *dir)
{
	char serial[64];

	snprintf(serial, sizeof(serial), "race%u", random_below(random, 100));
	put_in(dir, "wwn/vpd_unit_serial", serial);
}

static void step_attach(struct random *random, const char *dir)
{
	uint32_t number = random_below(random, EXPORTS);
	char path[512], nexus[64];

	export_path(path, sizeof(path), number, "");
	*strrchr(path, '/') = '\0';
	mkdir(path, 0755);
	export_path(path, sizeof(path), number, "");
	mkdir(path, 0755);
	snprintf(nexus, sizeof(nexus), "naa.60014058000000%02x", number);
	put_in(path, "nexus", nexus);
	export_path(path, sizeof(path), number, "/lun/lun_0");
	mkdir(path, 0755);
	export_path(path, sizeof(path), number, "/lun/lun_0/backstore");
	flock(links, LOCK_EX);
	if (symlink(dir, path) && errno == EEXIST && random_once_in(random, 2))
		unlink(path);
	flock(links, LOCK_UN);
}

static void step_detach(struct random *random, const char *dir)
{
	uint32_t number = random_below(random, EXPORTS);
	char path[512];

	(void)dir;
	export_path(path, sizeof(path), number, "/lun/lun_0/backstore");
	unlink(path);
	export_path(path, sizeof(path), number, "/lun/lun_0");
	rmdir(path);
}

static uint32_t id_of(const char *dir)
{
	char path[512], text[4096] = { 0 };
	const char *at;
	int fd;

	snprintf(path, sizeof(path), "%s/info", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return UINT32_MAX;
	if (read(fd, text, sizeof(text) - 1) < 0)
		*text = '\0';
	close(fd);
	at = strstr(text, "Id: ");
	return at ? (uint32_t)strtoul(at + 4, NULL, 10) : UINT32_MAX;
}

/* A session that starts, and is closed at once or a little later. */
static void step_open(struct random *random, const char *dir)
{
	struct scuse_start start = { .size = sizeof(start), .abi_major = SCUSE_ABI_MAJOR };
	struct timespec moment = { .tv_nsec = 5000000L * random_below(random, 10) };
	char node[64];
	int fd;

	snprintf(node, sizeof(node), "/dev/scuse%u", id_of(dir));
	fd = open(node, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return;
	if (random_below(random, 4))
		ioctl(fd, SCUSE_IOC_START, &start);
	nanosleep(&moment, NULL);
	close(fd);
}

/* Through netlink, and so with the owner's consent; costs a program. */
static void step_command(struct random *random, const char *dir)
{
	static const char *const sizes[] = { "1M", "2M", "64M", "3" };
	char *resize[] = { "scuse", "resize", strrchr(dir, '/') + 1, (char *)sizes[random_below(random, 4)],
			   NULL };
	char *list[] = { "scuse", random_once_in(random, 2) ? "ls" : "stats", NULL };
	posix_spawn_file_actions_t actions;
	pid_t pid;

	if (random_below(random, 8))
		return;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, "scuse", &actions, NULL, random_below(random, 4) ? resize : list, environ) ==
	    0)
		waitpid(pid, NULL, 0);
	posix_spawn_file_actions_destroy(&actions);
}

static const struct {
	void (*run)(struct random *random, const char *dir);
	uint32_t weight;
} steps[] = {
	{ step_create, 8 },	{ step_enable, 8 },  { step_remove, 6 }, { step_control, 3 },
	{ step_attributes, 3 }, { step_serial, 2 },  { step_attach, 2 }, { step_detach, 4 },
	{ step_open, 4 },	{ step_command, 3 },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void race(uint64_t seed, uint32_t seconds)
{
	struct random random = { .state = seed };
	struct timespec now;
	uint64_t count = 0;
	time_t end;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	links = open("/tmp", O_RDONLY | O_DIRECTORY |
				     O_CLOEXEC); /* each process its own, or the lock would be shared */
	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now.tv_sec + seconds;
	for (; now.tv_sec < end; clock_gettime(CLOCK_MONOTONIC, &now)) {
		uint32_t at = random_below(&random, 43);
		char dir[256];

		lun_path(dir, sizeof(dir), random_below(&random, HBAS), random_below(&random, LUNS));
		for (size_t i = 0; i < STEPS; i++) {
			if (at < steps[i].weight) {
				steps[i].run(&random, dir);
				break;
			}
			at -= steps[i].weight;
		}
		count++;
	}
	printf("# %llu steps\n", (unsigned long long)count);
	fflush(stdout);
	_exit(0);
}

static int race_all(uint64_t seed, uint32_t seconds)
{
	pid_t pids[PROCESSES];
	int late = 0;

	for (uint32_t i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			race(seed + i, seconds);
	}
	for (uint32_t waited = 0, left = PROCESSES; left; waited++) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			left--;
		if (waited == seconds + LATE) {
			late = (int)left;
			break;
		}
		sleep(1);
	}
	printf("%s - all processes end in time\n", late ? "not ok" : "ok");
	return late != 0;
}

static int gone(const char *path)
{
	return access(path, F_OK) != 0;
}

static int clean_once(void)
{
	static const char *const parts[] = { "/lun/lun_0/backstore", "/lun/lun_0", "" };
	int left = 0;
	char path[512];

	for (uint32_t number = 0; number < EXPORTS; number++) {
		for (size_t i = 0; i < 3; i++) {
			export_path(path, sizeof(path), number, parts[i]);
			if (unlink(path))
				rmdir(path);
		}
		left += !gone(path);
		*strrchr(path, '/') = '\0';
		rmdir(path);
		left += !gone(path);
	}
	for (uint32_t hba = 0; hba < HBAS; hba++) {
		for (uint32_t lun = 0; lun < LUNS; lun++) {
			lun_path(path, sizeof(path), hba, lun);
			rmdir(path);
			left += !gone(path);
		}
		*strrchr(path, '/') = '\0';
		rmdir(path);
		left += !gone(path);
	}
	return left;
}

static int clean(void)
{
	int left = clean_once();

	for (int tries = 0; left && tries < 20; tries++) {
		sleep(1);
		left = clean_once();
	}
	printf("%s - all of it can be removed\n", left ? "not ok" : "ok");
	return left != 0;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "seed", required_argument, NULL, 's' },
		{ "seconds", required_argument, NULL, 't' },
		{ "clean", no_argument, NULL, 'c' },
		{ NULL, 0, NULL, 0 },
	};
	uint32_t seconds = 30;
	uint64_t seed = 0;
	int option;

	getrandom(&seed, sizeof(seed), 0);
	while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (option == 's') {
			seed = strtoull(optarg, NULL, 0);
		} else if (option == 't') {
			seconds = (uint32_t)strtoul(optarg, NULL, 0);
		} else if (option == 'c') {
			return clean();
		} else {
			fprintf(stderr, "usage: hostile-races [--seed N] [--seconds S] | --clean\n");
			return 2;
		}
	}
	printf("# --seed %#llx\n", (unsigned long long)seed);
	fflush(stdout);
	return race_all(seed, seconds);
}
