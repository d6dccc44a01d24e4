/*
 * tests/fuzz/lib/replay.c - run a fuzz target over files, without libFuzzer: what
 * the fuzzers once found stays a test in every build.
 *
 *     build/replay/<target> FILE...
 *
 * When one fails the last line names it.
 */
#include "tests/fuzz/help.h"

#include "store/base/file.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INPUT_MAX = 1 << 20 };

static const char *running = "";

/* Only what a signal handler may do. */
static void
tell(int number)
{
	static const char words[] = "\nwith the input ";

	if (write(STDERR_FILENO, words, sizeof words - 1) < 0 ||
	    write(STDERR_FILENO, running, strlen(running)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
		_exit(1);
	signal(number, SIG_DFL);
	raise(number);
}

/* In memory of exactly its size, so that reading past its end is seen. */
static bool
run(const char *path)
{
	struct buf file = { 0 };
	struct err err;
	uint8_t *exact;

	running = path;
	if (file_read(path, INPUT_MAX, &file, &err) < 0) {
		fprintf(stderr, "%s: %s\n", path, err.msg);
		return false;
	}
	exact = malloc(file.len + (file.len == 0));
	if (exact == NULL)
		return false;
	if (file.len > 0)
		memcpy(exact, file.bytes, file.len);
	(void)LLVMFuzzerTestOneInput(exact, file.len);
	free(exact);
	buf_free(&file);
	return true;
}

int
main(int argc, char **argv)
{
	signal(SIGABRT, tell);
	signal(SIGSEGV, tell);
	for (int i = 1; i < argc; i++)
		if (!run(argv[i]))
			return 1;
	printf("%d inputs\n", argc - 1);
	return 0;
}
