// SPDX-License-Identifier: LGPL-2.1-or-later
/* Descriptors that are copied, passed, inherited and left behind, other programs, and tracers. */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Sends a descriptor to a socket; it may stay there. */
static void send_descriptor(int to, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)),
				  .cmsg_level = SOL_SOCKET,
				  .cmsg_type = SCM_RIGHTS } };
	char byte = 0;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control.space) };

	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	sendmsg(to, &message, MSG_DONTWAIT);
}

static int receive_descriptor(int from)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	char byte;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &data,
				  .msg_iovlen = 1,
				  .msg_control = &control,
				  .msg_controllen = sizeof(control.space) };
	int fd = -1;

	if (recvmsg(from, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC) > 0 && CMSG_FIRSTHDR(&message))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	return fd;
}

/* Sockets that hold each other, and our descriptors: only the kernel's collector of such circles ends them. */
static void leave_in_circle(struct session *session)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		return;
	send_descriptor(pair[0], session->fd);
	send_descriptor(pair[0], session->queue_fd[0]);
	send_descriptor(pair[0], pair[1]);
	send_descriptor(pair[1], pair[0]);
	close(pair[0]);
	close(pair[1]);
	/* It runs when a socket that could be in one is closed. */
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair) == 0) {
		close(pair[0]);
		close(pair[1]);
	}
}

/* Another process gets the session, starts it, and so is the worker that is killed for what we do. */
static void start_elsewhere(struct session *session)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair))
		return;
	send_descriptor(pair[0], session->fd);
	pid = fork();
	if (pid == 0) {
		struct scuse_start start = { .size = sizeof(start), .abi_major = SCUSE_ABI_MAJOR };
		int fd = receive_descriptor(pair[1]);

		alarm(3);
		ioctl(fd, SCUSE_IOC_START, &start);
		sleep_ms(100);
		_exit(0);
	}
	session_serve(session, 0, random_below(&session->random, 4), SPOIL_GENERATION);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static void watch_and_close(struct session *session)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int epoll = epoll_create1(EPOLL_CLOEXEC), copy = fcntl(session->queue_fd[0], F_DUPFD_CLOEXEC, 100);

	if (session_start(session))
		return;
	epoll_ctl(epoll, EPOLL_CTL_ADD, session->queue_fd[0], &event);
	epoll_ctl(epoll, EPOLL_CTL_ADD, copy, &event);
	epoll_wait(epoll, &event, 1, 20);
	close(session->fd);
	close(session->queue_fd[0]); /* still watched, as the copy keeps it */
	epoll_wait(epoll, &event, 1, 20);
	fcntl(copy, F_SETFL, O_ASYNC | O_NONBLOCK);
	close(random_once_in(&session->random, 2) ? epoll : copy);
	sleep_ms(random_below(&session->random, 30));
}

void trick_descriptors(struct session *session)
{
	int copies[8];

	switch (random_below(&session->random, 4)) {
	case 0:
		if (!session_start(session))
			leave_in_circle(session);
		break;
	case 1:
		start_elsewhere(session);
		break;
	case 2:
		watch_and_close(session);
		break;
	default:
		if (session_start(session))
			return;
		for (int i = 0; i < 8; i++)
			copies[i] =
				dup(random_once_in(&session->random, 2) ? session->fd : session->queue_fd[0]);
		close(session->fd);
		session_serve(session, 0, random_below(&session->random, 4), SPOIL_BIT);
		for (int i = 7; i >= 0; i--)
			close(copies[i]);
		break;
	}
}

/* Another program takes the process over, with the descriptors or without; threads of ours end in their calls. */
void trick_exec(struct session *session)
{
	static char *const argv[] = { "/bin/sleep", "0.1", NULL };
	static char *const env[] = { NULL };

	if (session_start(session))
		return;
	if (random_once_in(&session->random, 2))
		fcntl(session->fd, F_SETFD, 0);
	if (random_once_in(&session->random, 2))
		fcntl(session->queue_fd[0], F_SETFD, 0);
	if (random_once_in(&session->random, 2)) {
		pid_t pid = vfork();

		if (pid == 0) {
			execve(argv[0], argv, env);
			_exit(0);
		}
		session_serve(session, 0, random_below(&session->random, 4), SPOIL_LENGTH);
		return;
	}
	execve(argv[0], argv, env);
}

/* Stops the worker, reads and writes its rings and slots, and lets it go. */
static void trace_once(struct session *session, pid_t worker)
{
	struct random *random = &session->random;
	int status;

	if (ptrace(PTRACE_SEIZE, worker, NULL, NULL) || ptrace(PTRACE_INTERRUPT, worker, NULL, NULL) ||
	    waitpid(worker, &status, __WALL) != worker || !WIFSTOPPED(status))
		return;
	for (uint32_t region = 0; region < SCUSE_REGIONS; region++) {
		uint32_t within = random_below(random, (uint32_t)session->length[region]) & ~7u;
		unsigned char *at = session->map[0][region] + within;

		ptrace(PTRACE_PEEKDATA, worker, at, NULL);
		if (ptrace(PTRACE_POKEDATA, worker, at, (void *)(uintptr_t)random_next(random)) == 0 &&
		    (region == SCUSE_REGION_KERNEL || region == SCUSE_REGION_CDB))
			finding("ptrace() writes to region %u", region);
	}
	sleep_ms(random_below(random, 20));
	ptrace(PTRACE_DETACH, worker, NULL, NULL);
}

/* A tracer stops the worker again and again while it serves, and in the end dies with it in its hands. */
void trick_ptrace(struct session *session)
{
	pid_t worker = getpid(), tracer;

	if (session_start(session))
		return;
	tracer = fork();
	if (tracer == 0) {
		for (int i = 0; i < 10; i++)
			trace_once(session, worker);
		ptrace(PTRACE_SEIZE, worker, NULL, NULL);
		ptrace(PTRACE_INTERRUPT, worker, NULL, NULL);
		_exit(0);
	}
	session_serve(session, 0, UINT64_MAX, SPOIL_NOTHING);
	if (tracer > 0)
		waitpid(tracer, NULL, 0);
}
