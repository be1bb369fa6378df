/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The worker process: `scuse-runner --worker`, started by supervisor/spawn.c. */
#ifndef WORKER_PROCESS_H
#define WORKER_PROCESS_H

/* Returns the process's exit status. */
int worker_main(void);

#endif /* WORKER_PROCESS_H */
