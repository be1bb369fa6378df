// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What handlers call to have a descriptor kept for the LUN's next worker.  Who keeps it is set by process.c
 * (the supervisor), or by the tests.  Constant while the handler is open, so any thread may call.
 */
#include <errno.h>

#include "dev.h"

SCUSE_EXPORT int scuse_dev_keep(struct scuse_dev *dev, int fd)
{
	return dev->keeper ? dev->keeper->keep(dev->keeper_data, fd) : -EOPNOTSUPP;
}

SCUSE_EXPORT int scuse_dev_kept(struct scuse_dev *dev)
{
	return dev->keeper ? dev->keeper->kept(dev->keeper_data) : -1;
}
