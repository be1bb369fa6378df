// SPDX-License-Identifier: LGPL-2.1-or-later
/* A handler that was built for an ABI major that does not exist yet. */
#include <scuse/handler.h>

static struct scuse_handler future_handler = {
	.name = "from-the-future",
	.version = "1",
	.description = "needs handler ABI 2",
};

SCUSE_EXPORT const struct scuse_handler *scuse_handler_register(void);
SCUSE_EXPORT const struct scuse_handler *scuse_handler_register(void)
{
	future_handler.magic = SCUSE_HANDLER_ABI_MAGIC;
	future_handler.abi_major = SCUSE_HANDLER_ABI_MAJOR + 1;
	future_handler.struct_size = sizeof(future_handler);
	return &future_handler;
}
