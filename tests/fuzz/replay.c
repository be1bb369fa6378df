// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * Runs a fuzz target over files, without libFuzzer: the unit tests do so with the corpus, under whatever
 * sanitizer they are built with.  Directories stand for the files in them.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz.h"

static unsigned int ran;

static int run_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	size_t size;
	long end;

	if (!file || fseek(file, 0, SEEK_END) != 0 || (end = ftell(file)) < 0) {
		perror(path);
		return 1;
	}
	rewind(file);
	data = malloc(end ? (size_t)end : 1);
	if (!data)
		abort();
	size = fread(data, 1, (size_t)end, file);
	fclose(file);
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	ran++;
	return 0;
}

static int run_directory(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, NULL, alphasort), failed = 0;

	if (count < 0) {
		perror(path);
		return 1;
	}
	for (int i = 0; i < count; i++) {
		char name[4096];

		snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		if (entries[i]->d_name[0] != '.')
			failed |= run_file(name);
		free(entries[i]);
	}
	free(entries);
	return failed;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++) {
		struct stat stat_of;

		failed |= stat(argv[i], &stat_of) == 0 && S_ISDIR(stat_of.st_mode) ? run_directory(argv[i])
										   : run_file(argv[i]);
	}
	printf("%u inputs\n", ran);
	return failed || !ran;
}
