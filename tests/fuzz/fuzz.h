/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the fuzz targets share: taking an input apart, and checks that end the process.  Each target is one
 * file NAME.c with LLVMFuzzerTestOneInput(); see CMakeLists.txt for what it is linked with.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* libFuzzer's interface; replay.c calls it too.  Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is left of an input.  At its end it goes on with zeros, so that any input means something. */
struct fuzz_input {
	const uint8_t *at;
	size_t left;
};

static inline void fuzz_bytes(struct fuzz_input *input, void *to, size_t count)
{
	size_t there = count < input->left ? count : input->left;

	memset(to, 0, count);
	if (there)
		memcpy(to, input->at, there);
	input->at += there;
	input->left -= there;
}

static inline uint8_t fuzz_u8(struct fuzz_input *input)
{
	uint8_t value;

	fuzz_bytes(input, &value, sizeof(value));
	return value;
}

static inline uint16_t fuzz_u16(struct fuzz_input *input)
{
	uint16_t value;

	fuzz_bytes(input, &value, sizeof(value));
	return value;
}

static inline uint32_t fuzz_u32(struct fuzz_input *input)
{
	uint32_t value;

	fuzz_bytes(input, &value, sizeof(value));
	return value;
}

static inline uint64_t fuzz_u64(struct fuzz_input *input)
{
	uint64_t value;

	fuzz_bytes(input, &value, sizeof(value));
	return value;
}

/*
 * All that is left, at most @most bytes, in memory of exactly that size, so that AddressSanitizer sees a read
 * or write behind it.  For free(); never NULL.
 */
static inline uint8_t *fuzz_rest(struct fuzz_input *input, size_t most, size_t *length)
{
	uint8_t *copy;

	*length = input->left < most ? input->left : most;
	copy = malloc(*length ? *length : 1);
	if (!copy)
		abort();
	fuzz_bytes(input, copy, *length);
	return copy;
}

/* Likewise, as a string. */
static inline char *fuzz_text(struct fuzz_input *input)
{
	char *copy = malloc(input->left + 1);

	if (!copy)
		abort();
	copy[input->left] = '\0';
	fuzz_bytes(input, copy, input->left);
	return copy;
}

/* A promise of the code under test. */
#define fuzz_check(condition)                                                                           \
	do {                                                                                            \
		if (!(condition)) {                                                                     \
			fprintf(stderr, "%s:%d: broken promise: %s\n", __FILE__, __LINE__, #condition); \
			abort();                                                                        \
		}                                                                                       \
	} while (0)

/* Reads all of it, as a user of it would. */
static inline void fuzz_touch(const void *data, size_t length)
{
	static volatile uint8_t sink;

	for (size_t i = 0; i < length; i++)
		sink = (uint8_t)(sink ^ ((const uint8_t *)data)[i]);
}

#endif /* FUZZ_H */
