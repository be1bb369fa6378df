// SPDX-License-Identifier: LGPL-2.1-or-later
/* Runs tests one after the other, each in a process of its own.  See criterion/criterion.h beside this. */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define SKIPPED		77
#define DEFAULT_TIMEOUT 170 /* seconds */

static struct plain_test *tests;
static int failures;

void plain_register(struct plain_test *test)
{
	test->next = tests;
	tests = test;
}

void plain_failed(bool fatal, const char *file, int line, const char *condition, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: not true: %s: ", file, line, condition);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	failures++;
	if (fatal)
		_exit(1);
}

void plain_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(SKIPPED);
}

static const struct plain_test *suite_of(const struct plain_test *test)
{
	for (const struct plain_test *suite = tests; suite; suite = suite->next)
		if (!suite->name && strcmp(suite->suite, test->suite) == 0)
			return suite;
	return NULL;
}

static void run(const struct plain_test *test)
{
	const struct plain_test *suite = suite_of(test);
	double timeout = test->options.timeout;

	alarm(timeout > 0 ? (unsigned int)timeout : DEFAULT_TIMEOUT);
	if (suite && suite->options.init)
		suite->options.init();
	if (test->options.init)
		test->options.init();
	test->function();
	if (test->options.fini)
		test->options.fini();
	if (suite && suite->options.fini)
		suite->options.fini();
	fflush(NULL);
	exit(failures ? 1 : 0); /* not _exit(): sanitizers report at the end */
}

/* The exit status: 0, SKIPPED, or something else. */
static int run_in_child(const struct plain_test *test)
{
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		run(test);
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return 1;
	if (WIFSIGNALED(status)) {
		fprintf(stderr, "killed by signal %d\n", WTERMSIG(status));
		return test->options.signal == WTERMSIG(status) ? 0 : 1;
	}
	return WEXITSTATUS(status) == test->options.exit_code ? 0 : WEXITSTATUS(status);
}

int main(int argc, char **argv)
{
	int passed = 0, failed = 0;

	for (const struct plain_test *test = tests; test; test = test->next) {
		int status;

		if (!test->name || test->options.disabled || (argc > 1 && strcmp(argv[1], test->name) != 0))
			continue;
		status = run_in_child(test);
		if (status == 0)
			passed++;
		else if (status != SKIPPED)
			failed++;
		printf("%s: %s::%s\n",
		       status == 0	   ? "passed"
		       : status == SKIPPED ? "skipped"
					   : "FAILED",
		       test->suite, test->name);
	}
	printf("%d passed, %d failed\n", passed, failed);
	return failed != 0;
}
