/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Events in words, apart from the command so that they can be tested.
 */
#ifndef SCUSE_CLI_MONITOR_H
#define SCUSE_CLI_MONITOR_H

#include "cli.h"
#include "json.h"

/* "#12 LUN 'x': online, worker 1234"; newly allocated. */
char *monitor_text(const struct scuse_nl_event *event);
char *monitor_lost_text(uint64_t first, uint64_t next);
void monitor_json(ScuseJson *json, const struct scuse_nl_event *event);

#endif /* SCUSE_CLI_MONITOR_H */
