/*
 * Runs a target over the files that are named, without a fuzzer: for gcov, a
 * debugger, or a compiler that has none.
 */
#include "fuzz.h"

static void
replay(const char *path)
{
	static uint8_t buf[1 << 20];
	FILE *f = fopen(path, "rb");

	if (f == NULL) {
		perror(path);
		exit(2);
	}
	size_t len = fread(buf, 1, sizeof(buf), f);
	fclose(f);

	/* On the heap and no longer than it is, as a fuzzer would have it. */
	struct slice input = fuzz_copy((struct slice){ (char *)buf, len });
	LLVMFuzzerTestOneInput((const uint8_t *)input.ptr, input.len);
	fuzz_free(input);
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	printf("%d inputs\n", argc - 1);
	return 0;
}
