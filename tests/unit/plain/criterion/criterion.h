/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * As much of Criterion's interface as the unit tests use, over nothing but fork(): Criterion's own sandbox
 * maps memory where ThreadSanitizer and valgrind keep theirs.  Chosen by -DSCUSE_PLAIN_TESTS=ON, which
 * sanitize.sh does where it is needed.  Each test is a process; plain.c has main().
 */
#ifndef PLAIN_CRITERION_H
#define PLAIN_CRITERION_H

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

struct plain_options {
	void (*init)(void);
	void (*fini)(void);
	double timeout; /* seconds */
	bool disabled;
	int signal, exit_code;
	const char *description;
};

struct plain_test {
	const char *suite, *name; /* name NULL: options of a suite */
	void (*function)(void);
	struct plain_options options;
	struct plain_test *next;
};

void plain_register(struct plain_test *test);
void plain_failed(bool fatal, const char *file, int line, const char *condition, const char *format, ...)
	__attribute__((__format__(__printf__, 5, 6)));
void plain_skip(const char *format, ...) __attribute__((__format__(__printf__, 1, 2), __noreturn__));

#ifdef __cplusplus
}
#endif

#define PLAIN_REGISTER(id, ...)                                             \
	static struct plain_test id##_test = { __VA_ARGS__, NULL };         \
	__attribute__((__constructor__)) static void id##_register(void)    \
	{                                                                   \
		plain_register(&id##_test);                                 \
	}

#define Test(suite_, name_, ...)                                                                         \
	static void suite_##_##name_##_function(void);                                                   \
	PLAIN_REGISTER(suite_##_##name_, #suite_, #name_, suite_##_##name_##_function, { __VA_ARGS__ })  \
	static void suite_##_##name_##_function(void)
#define TestSuite(suite_, ...)                                             \
	PLAIN_REGISTER(suite_##_suite, #suite_, NULL, NULL, { __VA_ARGS__ }) \
	_Static_assert(1, "a semicolon follows")

#define PLAIN_CHECK(fatal, condition, text, ...)                                               \
	do {                                                                                   \
		if (!(condition))                                                              \
			plain_failed(fatal, __FILE__, __LINE__, text, "" __VA_ARGS__);         \
	} while (0)

#define cr_assert(condition, ...)     PLAIN_CHECK(true, condition, #condition, __VA_ARGS__)
#define cr_expect(condition, ...)     PLAIN_CHECK(false, condition, #condition, __VA_ARGS__)
#define cr_assert_not(condition, ...) PLAIN_CHECK(true, !(condition), "not " #condition, __VA_ARGS__)
#define cr_expect_not(condition, ...) PLAIN_CHECK(false, !(condition), "not " #condition, __VA_ARGS__)
#define cr_assert_null(value, ...)     PLAIN_CHECK(true, (value) == NULL, #value " is NULL", __VA_ARGS__)
#define cr_expect_null(value, ...)     PLAIN_CHECK(false, (value) == NULL, #value " is NULL", __VA_ARGS__)
#define cr_assert_not_null(value, ...) PLAIN_CHECK(true, (value) != NULL, #value " is not NULL", __VA_ARGS__)
#define cr_expect_not_null(value, ...) PLAIN_CHECK(false, (value) != NULL, #value " is not NULL", __VA_ARGS__)

#define PLAIN_COMPARE(fatal, a, op, b, ...) PLAIN_CHECK(fatal, (a)op(b), #a " " #op " " #b, __VA_ARGS__)
#define cr_assert_eq(a, b, ...)	 PLAIN_COMPARE(true, a, ==, b, __VA_ARGS__)
#define cr_expect_eq(a, b, ...)	 PLAIN_COMPARE(false, a, ==, b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...) PLAIN_COMPARE(true, a, !=, b, __VA_ARGS__)
#define cr_expect_neq(a, b, ...) PLAIN_COMPARE(false, a, !=, b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...)	 PLAIN_COMPARE(true, a, <, b, __VA_ARGS__)
#define cr_expect_lt(a, b, ...)	 PLAIN_COMPARE(false, a, <, b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...) PLAIN_COMPARE(true, a, <=, b, __VA_ARGS__)
#define cr_expect_leq(a, b, ...) PLAIN_COMPARE(false, a, <=, b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...)	 PLAIN_COMPARE(true, a, >, b, __VA_ARGS__)
#define cr_expect_gt(a, b, ...)	 PLAIN_COMPARE(false, a, >, b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...) PLAIN_COMPARE(true, a, >=, b, __VA_ARGS__)
#define cr_expect_geq(a, b, ...) PLAIN_COMPARE(false, a, >=, b, __VA_ARGS__)

#define cr_assert_str_eq(a, b, ...)  PLAIN_CHECK(true, strcmp(a, b) == 0, #a " is " #b, __VA_ARGS__)
#define cr_expect_str_eq(a, b, ...)  PLAIN_CHECK(false, strcmp(a, b) == 0, #a " is " #b, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) PLAIN_CHECK(true, strcmp(a, b) != 0, #a " is not " #b, __VA_ARGS__)
#define cr_expect_str_neq(a, b, ...) PLAIN_CHECK(false, strcmp(a, b) != 0, #a " is not " #b, __VA_ARGS__)
#define cr_assert_arr_eq(a, b, size, ...) \
	PLAIN_CHECK(true, memcmp(a, b, size) == 0, #a " is " #b, __VA_ARGS__)
#define cr_expect_arr_eq(a, b, size, ...) \
	PLAIN_CHECK(false, memcmp(a, b, size) == 0, #a " is " #b, __VA_ARGS__)
#define cr_assert_float_eq(a, b, epsilon, ...) \
	PLAIN_CHECK(true, fabs((double)(a) - (double)(b)) <= (epsilon), #a " is about " #b, __VA_ARGS__)

#define cr_skip_test(...) plain_skip("" __VA_ARGS__)
#define cr_assert_fail(...) plain_failed(true, __FILE__, __LINE__, "failure", "" __VA_ARGS__)
#define cr_log_info(...) ((void)0)

#endif /* PLAIN_CRITERION_H */
