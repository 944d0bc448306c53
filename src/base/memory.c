/* SPDX-License-Identifier: Apache-2.0
 *
 * memory.c - how much memory is left, as Linux says it: the machine's, or what the group of processes may still take. */
#include "base/memory.h"

#include "base/buf.h"
#include "base/file.h"

/* The number in a file of one number; false for "max", and where there is no such file. */
static bool number_in(const char *path, uint64_t *out) {
    alm_buf b = alm_buf_with_limit(4096);
    bool ok = alm_file_read(&b, path, NULL) == ALM_OK && alm_str_to_u64(alm_str_trim(alm_buf_str(&b)), out);
    alm_buf_free(&b);
    return ok;
}

/* The number behind `word` in a file of lines "word   number [kB]", in bytes; 0 where there is none. */
static uint64_t number_behind(const char *path, alm_str word) {
    alm_buf b = alm_buf_with_limit(1 << 16);
    uint64_t out = 0;
    if (alm_file_read(&b, path, NULL) == ALM_OK) {
        alm_str rest = alm_buf_str(&b), line;
        while (alm_str_split(&rest, '\n', &line)) {
            if (!alm_str_starts(line, word)) continue;
            alm_str text = alm_str_trim(alm_str_slice(line, word.n, line.n)), number;
            uint64_t x;
            if (alm_str_split(&text, ' ', &number) && alm_str_to_u64(number, &x))
                out = alm_str_eq(text, ALM_STR("kB")) ? x * 1024 : x;
        }
    }
    alm_buf_free(&b);
    return out;
}

size_t alm_memory_free(void) {
    static const struct {
        const char *most, *used, *parts, *cache;
    } group[] = {{"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat", "file "},
                 {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes",
                  "/sys/fs/cgroup/memory/memory.stat", "total_cache "}};
    uint64_t out = number_behind("/proc/meminfo", ALM_STR("MemAvailable:"));
    for (size_t i = 0; i < 2; i++) {
        uint64_t most, used, cache;
        if (!number_in(group[i].most, &most) || !number_in(group[i].used, &used) || most > (uint64_t)1 << 60) continue;
        /* Pages of files are counted there and given up when they are in the way. */
        cache = number_behind(group[i].parts, alm_str_of(group[i].cache));
        used = used > cache ? used - cache : 0;
        uint64_t left = most > used ? most - used : 0;
        if (!out || left < out) out = left;
    }
    return (size_t)out;
}
