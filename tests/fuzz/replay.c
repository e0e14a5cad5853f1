/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/fuzz_target.h"

/*
 * replay FILE|DIRECTORY...: a fuzz target without the fuzzer, once with every input that is kept. Any compiler builds it; each
 * input lies in memory that ends where it ends, so that a sanitizer sees a read beyond.
 */

static int fail(const char *path)
{
	fprintf(stderr, "%s: %s\n", path, strerror(errno));
	return -1;
}

static int replay_stream(FILE *stream, size_t size)
{
	uint8_t *data = malloc(size);
	int r = data || !size ? 0 : -1;

	if (r == 0 && fread(data, 1, size, stream) != size)
		r = -1;
	if (r == 0)
		LLVMFuzzerTestOneInput(data, size);
	free(data);
	return r;
}

static int replay_file(const char *path)
{
	FILE *stream = fopen(path, "re");
	struct stat stat;
	int r;

	if (!stream)
		return fail(path);
	/* If it crashes, this is the last line. */
	printf("%s\n", path);
	fflush(stdout);
	r = fstat(fileno(stream), &stat) < 0 ? -1 : replay_stream(stream, (size_t)stat.st_size);
	fclose(stream);
	return r < 0 ? fail(path) : 1;
}

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* How many there were, in the order of their names. */
static int replay_directory(const char *path)
{
	struct dirent **entries;
	int count = scandir(path, &entries, is_visible, alphasort), done = 0;
	char file[4096];

	if (count < 0)
		return fail(path);
	for (int i = 0; i < count; i++) {
		snprintf(file, sizeof(file), "%s/%s", path, entries[i]->d_name);
		if (done >= 0)
			done = replay_file(file) < 0 ? -1 : done + 1;
		free(entries[i]);
	}
	free(entries);
	return done;
}

static int replay(const char *path)
{
	struct stat info;

	if (stat(path, &info) < 0)
		return fail(path);
	return S_ISDIR(info.st_mode) ? replay_directory(path) : replay_file(path);
}

int main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		int count = replay(argv[i]);

		if (count <= 0) {
			fprintf(stderr, "%s: no input could be replayed\n", argv[i]);
			return EXIT_FAILURE;
		}
		total += count;
	}
	printf("%d inputs\n", total);
	return total ? EXIT_SUCCESS : EXIT_FAILURE;
}
