/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells whoever started us how far we are. */
#ifndef SUPERVISOR_NOTIFY_H
#define SUPERVISOR_NOTIFY_H

/* systemd's protocol (sd_notify(3)): a datagram to $NOTIFY_SOCKET, if that is set. */
void notify_systemd(const char *state);
/* systemd, and "READY\n" to a descriptor, which is closed then (-1: none). */
void notify_ready(int fd);

#endif /* SUPERVISOR_NOTIFY_H */
