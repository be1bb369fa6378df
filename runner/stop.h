/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* scuse-runner --stop-workers. */
#ifndef RUNNER_STOP_H
#define RUNNER_STOP_H

/*
 * Ends all workers that can be found in `runtime_dir`: in order, or, after a time limit, by SIGKILL.  Refuses
 * while a scuse-runner is there, which would start them again.  The process's exit status.
 */
int stop_workers(const char *runtime_dir);

#endif /* RUNNER_STOP_H */
