/* SPDX-License-Identifier: Apache-2.0
 *
 * driver.c - the main of a fuzz target without libFuzzer: replays a corpus, one file a test case.
 *
 *     fuzz_json corpus/json          every file of the folder, in order of name, as TAP on standard output
 *     fuzz_json crash-1f3a           one file, to look at a finding
 *
 * Besides the file as it is, the target sees it with its tail cut at eight places and with eight single bits turned, so
 * that a small corpus reaches the error paths too; which places follows from the file's size alone, so every run is the
 * same. Each input is copied to a block of exactly its size: the sanitizer sees a read of one byte too many. A target that
 * aborts ends the program, and the harness reports the case whose `ok` is missing. */
#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "fuzz.h"

static void one_input(const uint8_t *data, size_t n) {
    uint8_t *exact = malloc(n ? n : 1);
    if (!exact) abort();
    if (n) memcpy(exact, data, n);
    LLVMFuzzerTestOneInput(exact, n);
    free(exact);
}

static void one_file_and_its_neighbours(uint8_t *data, size_t n) {
    one_input(data, n);
    for (size_t i = 0; i < 8 && n; i++) one_input(data, n * i / 8);
    for (size_t i = 0; i < 8 && n; i++) {
        size_t at = (n * i / 8 + i * 37) % n;
        uint8_t bit = (uint8_t)(1u << (i % 8));
        data[at] ^= bit;
        one_input(data, n);
        data[at] ^= bit;
    }
}

static int replay(const char *path, size_t number) {
    const char *name = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
    FILE *in = fopen(path, "rb");
    struct stat about;
    if (!in || fstat(fileno(in), &about) != 0 || !S_ISREG(about.st_mode)) {
        printf("not ok %zu - %s can be read\n", number, name);
        if (in) fclose(in);
        return 1;
    }
    size_t size = (size_t)about.st_size;
    uint8_t *data = malloc(size ? size : 1);
    if (!data || fread(data, 1, size, in) != size) abort();
    fclose(in);
    one_file_and_its_neighbours(data, size);
    free(data);
    printf("ok %zu - %s holds\n", number, name);
    fflush(stdout);
    return 0;
}

static int visible(const struct dirent *entry) { return entry->d_name[0] != '.'; }

int main(int argc, char **argv) {
    size_t number = 0;
    int failed = 0;
    for (int i = 1; i < argc; i++) {
        struct dirent **entries = NULL;
        int n = scandir(argv[i], &entries, visible, alphasort);
        if (n < 0 && errno == ENOTDIR) {
            failed += replay(argv[i], ++number);
            continue;
        }
        if (n <= 0) {
            printf("not ok %zu - %s has files\n", ++number, argv[i]);
            failed++;
        }
        for (int k = 0; k < n; k++) {
            char path[4096];
            int written = snprintf(path, sizeof path, "%s/%s", argv[i], entries[k]->d_name);
            if (written < 0 || (size_t)written >= sizeof path) abort();
            failed += replay(path, ++number);
            free(entries[k]);
        }
        free(entries);
    }
    printf("1..%zu\n", number);
    return failed || !number ? 1 : 0;
}
