/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A worker's side of the conversation with its supervisor (control.h), which may be gone for a while, and
 * then another one.
 *
 *	            end of file                    a supervisor connects, says hello
 *	[attended] -------------> [alone] --------------------------------------> [attended]
 *	    |                        |
 *	    | "stop", or end of file | SIGTERM
 *	    | while it cannot be     v
 *	    '--- found ----------> (the worker ends)
 *
 * Used by process.c.  link_entering(), link_event() and link_keep() may be called on any thread, the rest is
 * the main thread's.
 */
#ifndef WORKER_LINK_H
#define WORKER_LINK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

struct link {
	pthread_mutex_t lock;
	int fd;	      /* lock; to the supervisor.  -1: alone */
	int kept;     /* lock; what the supervisor was told to keep; -1: nothing */
	GQueue *held; /* lock; char *: messages of events that no supervisor has taken yet */
	int listener; /* -1: no supervisor could find us */
	char *path;   /* of the listener */
	/* What the next supervisor is told. */
	char *handler, *build;
	GVariant *restarts; /* ax */
	bool serving;
};

enum link_order {
	LINK_NOTHING, /* or it has been dealt with */
	LINK_RESIZE,
	LINK_STOP,
};

/* Takes over `fd`, of the pair with the supervisor that started us, and `kept` (-1: nothing). */
void link_init(struct link *link, int fd, int kept);
void link_free(struct link *link);
/* From now on a later supervisor can find us.  0 or -errno. */
int link_listen(struct link *link, const char *dir, uint32_t id);
/* What the supervisor may be told of us; all are copied. */
void link_describe(struct link *link, const char *handler, const char *build, GVariant *restarts);

/* The descriptors to be polled for input; either may be -1. */
void link_poll(struct link *link, int *fd, int *listener);
/* Whoever connects is the supervisor from now on. */
void link_accept(struct link *link);
/* The next packet: LINK_RESIZE has it in *packet (newly allocated). */
enum link_order link_receive(struct link *link, GVariant **packet);

void link_entering(struct link *link, const char *callback);
void link_event(struct link *link, const char *message);
void link_ready(struct link *link);
/* The LUN could not be served.  False: nobody was there to be told. */
bool link_error(struct link *link, int status, const char *message);
void link_resized(struct link *link, uint64_t cookie, int status, const char *message);
/* See scuse_dev_keep(): 0 or -errno. */
int link_keep(struct link *link, int fd);
/* See scuse_dev_kept(). */
int link_kept(struct link *link);

#endif /* WORKER_LINK_H */
