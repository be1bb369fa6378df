/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells whoever started us how far we are, and that we are alive.  Used by supervisor.c and fdstore.c. */
#ifndef SUPERVISOR_NOTIFY_H
#define SUPERVISOR_NOTIFY_H

/* systemd's protocol (sd_notify(3)): a datagram to $NOTIFY_SOCKET, if that is set. */
void notify_systemd(const char *state);
/* The same with a descriptor, which stays the caller's. */
void notify_systemd_fd(const char *state, int fd);
/* systemd, and "READY\n" to a descriptor, which is closed then (-1: none). */
void notify_ready(int fd);
/* A reload begins; notify_systemd("READY=1") ends it. */
void notify_reloading(void);
/* From now on the main loop shows systemd that it turns, if systemd wants to know ($WATCHDOG_USEC). */
void notify_watchdog(void);

#endif /* SUPERVISOR_NOTIFY_H */
