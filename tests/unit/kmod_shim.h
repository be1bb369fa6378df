/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The few kernel names that the pure headers of kmod/ use, for the unit tests (see kmod/shim.h).  atomic64_t is
 * sequentially consistent, which is what the kernel's value-returning atomics give.
 */
#ifndef SCUSE_KMOD_SHIM_H
#define SCUSE_KMOD_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

typedef struct {
	s64 counter;
} atomic64_t;

static inline s64 atomic64_read(const atomic64_t *v)
{
	return __atomic_load_n(&v->counter, __ATOMIC_SEQ_CST);
}

static inline void atomic64_set(atomic64_t *v, s64 value)
{
	__atomic_store_n(&v->counter, value, __ATOMIC_SEQ_CST);
}

static inline s64 atomic64_cmpxchg(atomic64_t *v, s64 old, s64 value)
{
	__atomic_compare_exchange_n(&v->counter, &old, value, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	return old;
}

#endif /* SCUSE_KMOD_SHIM_H */
