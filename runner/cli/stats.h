/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Statistics of a LUN, apart from the command so that they can be tested.
 */
#ifndef SCUSE_CLI_STATS_H
#define SCUSE_CLI_STATS_H

#include "cli.h"

/* The sum over a LUN's queues. */
struct scuse_nl_stats stats_sum(const struct scuse_nl_statistics *statistics, uint32_t id);
/* What happened from `before` to `after`. */
struct scuse_nl_stats stats_since(const struct scuse_nl_stats *after, const struct scuse_nl_stats *before);
/* a / b; 0 if there were none. */
double stats_ratio(uint64_t a, uint64_t b);

#endif /* SCUSE_CLI_STATS_H */
