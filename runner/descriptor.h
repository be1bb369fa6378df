/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* File descriptors that are closed at the end of their scope.  g_steal_fd() keeps one open. */
#ifndef RUNNER_DESCRIPTOR_H
#define RUNNER_DESCRIPTOR_H

#include <unistd.h>

/* -1 is let pass, and is what remains. */
static inline void descriptor_clear(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

#define AUTO_FD __attribute__((cleanup(descriptor_clear)))

#endif /* RUNNER_DESCRIPTOR_H */
