/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* LUN names for the log. */
#ifndef SUPERVISOR_NAME_H
#define SUPERVISOR_NAME_H

/* The LUN's name as people write it, from that of its configfs directory.  Newly allocated. */
char *readable_name(const char *directory);

#endif /* SUPERVISOR_NAME_H */
