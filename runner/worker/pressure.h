/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Keeps a worker going when the machine is short of memory.  Called by process.c and dev.c, main thread. */
#ifndef WORKER_PRESSURE_H
#define WORKER_PRESSURE_H

/*
 * For the whole process, and once: before there are other threads, before plugins are loaded, and while it
 * may still do as root.  What cannot be had is logged and done without.
 */
void pressure_prepare(void);
/*
 * Around mapping the LUN's regions, once.  Their slots get memory from the kernel half as commands need it,
 * which is what it is meant to cost: mapped while memory is being locked, each would get all of it at once.
 * Nothing without pressure_prepare().
 */
void pressure_begin_mapping(void);
void pressure_end_mapping(void);

#endif /* WORKER_PRESSURE_H */
