// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * A handler that, once it is started, does what no handler should: confine.test.  With HOSTILE_NEEDS defined it
 * says what it needs; with HOSTILE_OLD it claims to be built for ABI 1.2.
 *
 * open opens two files: /tmp/attempt, which the test writes a word to, and /tmp/result.  Each read takes the word, and
 * the thread that open has started, with all signals blocked, tries what it says; what came of it is written to the
 * result: "WORD: ok", or the error's name.  An attempt that ends the process leaves "WORD: tried".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <net/if.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <scuse/handler.h>

#ifndef HOSTILE_NEEDS
#define HOSTILE_NEEDS 0
#endif
#define PORT 7777 /* where the test listens */

static int attempt_file, result_file;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static char word[64];

/* All return 0 or an errno. */

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int try_ring(const char *path)
{
	struct io_uring ring;
	struct io_uring_cqe *cqe;
	int result = io_uring_queue_init(4, &ring, 0);

	if (result)
		return -result;
	io_uring_prep_openat(io_uring_get_sqe(&ring), AT_FDCWD, path, O_RDONLY, 0);
	io_uring_submit(&ring);
	result = io_uring_wait_cqe(&ring, &cqe);
	if (!result)
		result = cqe->res < 0 ? cqe->res : 0;
	io_uring_queue_exit(&ring);
	return -result;
}

static int try_connect(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), result;

	if (fd < 0)
		return errno;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	result = connect(fd, (struct sockaddr *)&address, sizeof(address)) ? errno : 0;
	close(fd);
	return result;
}

static int try_fork(void)
{
	pid_t pid = fork();

	if (pid < 0)
		return errno;
	if (pid == 0)
		_exit(0);
	waitpid(pid, NULL, 0);
	return 0;
}

static int of(long result)
{
	return result < 0 ? errno : 0;
}

static int attempt(const char *what)
{
	if (!strcmp(what, "mount"))
		return of(mount("none", "/mnt", "tmpfs", 0, NULL));
	if (!strcmp(what, "ptrace"))
		return of(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
	if (!strcmp(what, "module"))
		return of(syscall(SYS_finit_module, attempt_file, "", 0));
	if (!strcmp(what, "signal"))
		return of(kill(getppid(), 0));
	if (!strcmp(what, "connect"))
		return try_connect();
	if (!strcmp(what, "interface"))
		return if_nametoindex("scusetest") ? 0 : errno;
	if (!strcmp(what, "fork"))
		return try_fork();
	if (!strcmp(what, "exec"))
		return execl("/bin/true", "true", NULL) ? errno : 0;
	if (!strcmp(what, "raw-memory"))
		return try_open("/dev/mem", O_RDONLY);
	if (!strcmp(what, "root-file"))
		return try_open("/tmp/root.secret", O_RDONLY);
	if (!strcmp(what, "other-file"))
		return try_open("/tmp/other.secret", O_RDONLY);
	if (!strcmp(what, "ring-file"))
		return try_ring("/tmp/root.secret");
	if (!strcmp(what, "sysctl"))
		return try_open("/proc/sys/kernel/core_pattern", O_WRONLY);
	if (!strcmp(what, "thread"))
		return 0;
	return ENOSYS;
}

static void tell(const char *outcome)
{
	char line[128];
	int length = snprintf(line, sizeof(line), "%s: %s\n", word, outcome);

	if (pwrite(result_file, line, (size_t)length, 0) != length || ftruncate(result_file, length))
		abort();
}

static void *deaf_thread(void *unused)
{
	sigset_t all;

	(void)unused;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	pthread_mutex_lock(&lock);
	for (;;) {
		while (!word[0])
			pthread_cond_wait(&changed, &lock);
		tell("tried");
		int error = attempt(word);

		tell(error ? strerrorname_np(error) : "ok");
		word[0] = '\0';
		pthread_cond_broadcast(&changed);
	}
	return NULL;
}

static int hostile_open(struct scuse_dev *dev, const struct scuse_config *config, void **handle)
{
	pthread_t thread;

	(void)dev;
	(void)config;
	*handle = NULL;
	attempt_file = open("/tmp/attempt", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	result_file = open("/tmp/result", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (attempt_file < 0 || result_file < 0)
		return -errno;
	return -pthread_create(&thread, NULL, deaf_thread, NULL);
}

static int hostile_read(void *handle, struct scuse_io *io, void *buffer, uint64_t length, uint64_t offset)
{
	(void)handle;
	(void)io;
	(void)offset;
	memset(buffer, 0, length);
	pthread_mutex_lock(&lock);
	if (pread(attempt_file, word, sizeof(word) - 1, 0) > 0) {
		word[strcspn(word, "\n")] = '\0';
		/* The next worker is not to do it again. */
		if (ftruncate(attempt_file, 0))
			abort();
		pthread_cond_broadcast(&changed);
		while (word[0])
			pthread_cond_wait(&changed, &lock);
	}
	pthread_mutex_unlock(&lock);
	return 0;
}

static const struct scuse_sync_ops hostile_ops = {
	.struct_size = SCUSE_OPS_HEADER(struct scuse_sync_ops),
	.read = hostile_read,
};

static struct scuse_handler hostile_handler = {
	.name = HOSTILE_NAME,
	.version = "1",
	.description = "for confine.test",
	.sync = &hostile_ops,
	.open = hostile_open,
	.needs = HOSTILE_NEEDS,
};

#ifdef HOSTILE_OLD
SCUSE_EXPORT const struct scuse_handler *scuse_handler_register(void);
SCUSE_EXPORT const struct scuse_handler *scuse_handler_register(void)
{
	hostile_handler.magic = SCUSE_HANDLER_ABI_MAGIC;
	hostile_handler.abi_major = 1;
	hostile_handler.abi_minor = 2;
	hostile_handler.struct_size = offsetof(struct scuse_handler, needs);
	return &hostile_handler;
}
#else
SCUSE_REGISTER_HANDLER(hostile_handler)
#endif
