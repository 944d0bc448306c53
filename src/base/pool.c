/* SPDX-License-Identifier: Apache-2.0
 *
 * base/pool.c - a pool of threads that computes the slices of one task.
 *
 * The caller is worker 0. A run puts the task in place, raises `round` and wakes the others; all take the next slice
 * from one atomic counter until there is none; the caller waits until every helper has left the task.
 *
 * Invariant: the task's fields change only while no helper is inside (n_inside == 0) and under the lock. Helpers take no
 * signals: Ctrl-C arrives at a thread that knows what to do with it. */
#include "base/pool.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/fpmode.h"
#include "base/str.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define THREADS_MAX 1024U

typedef struct helper {
    alm_pool *pool;
    pthread_t thread;
    unsigned worker;
} helper;

struct alm_pool {
    pthread_mutex_t lock;
    pthread_cond_t wake, left;
    uint64_t round; /* rises with each task */
    bool closing;
    unsigned n_helper, n_inside;
    /* the task */
    alm_slice_fn *fn;
    void *arg;
    size_t n, slice_items, n_slice;
    atomic_size_t next;
    helper helper[];
};

static void take_slices(alm_pool *p, unsigned worker) {
    for (;;) {
        size_t slice = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
        if (slice >= p->n_slice) return;
        size_t from = slice * p->slice_items, items = p->n - from;
        p->fn(p->arg, slice, from, from + (items < p->slice_items ? items : p->slice_items), worker);
    }
}

static void *help(void *arg) {
    helper *self = arg;
    alm_pool *p = self->pool;
    uint64_t seen = 0;
    alm_fp_enter(); /* a thread starts with the setting of the one that made it */
    pthread_mutex_lock(&p->lock);
    for (;;) {
        while (p->round == seen && !p->closing) pthread_cond_wait(&p->wake, &p->lock);
        if (p->closing) break;
        seen = p->round;
        pthread_mutex_unlock(&p->lock);
        take_slices(p, self->worker);
        pthread_mutex_lock(&p->lock);
        if (--p->n_inside == 0) pthread_cond_signal(&p->left);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

alm_status alm_pool_new(alm_pool **out, unsigned n_threads, alm_error *err) {
    if (n_threads == 0) n_threads = alm_cpu_count();
    if (n_threads > THREADS_MAX) {
        return alm_fail(err, ALM_INVALID, "%u threads: at most %u are possible", n_threads, THREADS_MAX);
    }
    alm_pool *p = alm_calloc(1, sizeof *p + (n_threads - 1) * sizeof *p->helper);
    if (!p) return alm_fail_memory(err);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->wake, NULL);
    pthread_cond_init(&p->left, NULL);
    atomic_init(&p->next, 0);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int why = 0;
    for (unsigned i = 0; i + 1 < n_threads && why == 0; i++) {
        p->helper[i] = (helper){.pool = p, .worker = i + 1};
        why = pthread_create(&p->helper[i].thread, NULL, help, &p->helper[i]);
        if (why == 0) p->n_helper++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    /* A machine that allows fewer threads gets fewer: the slices, and so the results, are the same. */
    *out = p;
    return ALM_OK;
}

void alm_pool_free(alm_pool *p) {
    if (!p) return;
    pthread_mutex_lock(&p->lock);
    p->closing = true;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    for (unsigned i = 0; i < p->n_helper; i++) pthread_join(p->helper[i].thread, NULL);
    pthread_cond_destroy(&p->left);
    pthread_cond_destroy(&p->wake);
    pthread_mutex_destroy(&p->lock);
    alm_free(p);
}

unsigned alm_pool_threads(const alm_pool *p) { return p ? p->n_helper + 1 : 1; }

void alm_pool_run(alm_pool *p, size_t n, size_t slice_items, alm_slice_fn *fn, void *arg) {
    if (slice_items == 0) slice_items = 1;
    size_t n_slice = n / slice_items + (n % slice_items != 0);
    alm_fp_mode mode = alm_fp_enter();
    if (!p || p->n_helper == 0 || n_slice < 2) {
        for (size_t slice = 0, from = 0; slice < n_slice; slice++, from += slice_items) {
            fn(arg, slice, from, from + (n - from < slice_items ? n - from : slice_items), 0);
        }
        alm_fp_leave(mode);
        return;
    }
    pthread_mutex_lock(&p->lock);
    p->fn = fn, p->arg = arg, p->n = n, p->slice_items = slice_items, p->n_slice = n_slice;
    atomic_store_explicit(&p->next, 0, memory_order_relaxed);
    p->n_inside = p->n_helper;
    p->round++;
    pthread_cond_broadcast(&p->wake);
    pthread_mutex_unlock(&p->lock);
    take_slices(p, 0);
    alm_fp_leave(mode);
    pthread_mutex_lock(&p->lock);
    while (p->n_inside) pthread_cond_wait(&p->left, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

/* -- how many processors ------------------------------------------------------------------------------------------ */

static unsigned allowed_by_mask(void) {
    /* The kernel refuses a set smaller than its own: this one holds 65,536 processors. */
    cpu_set_t set[64];
    if (sched_getaffinity(0, sizeof set, set) == 0) {
        int count = CPU_COUNT_S(sizeof set, set);
        return count > 0 ? (unsigned)count : 1;
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (unsigned)online : 1;
}

static alm_str read_small(char *at, size_t at_bytes, const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return (alm_str){NULL, 0};
    ssize_t n = read(fd, at, at_bytes);
    close(fd);
    return n > 0 ? alm_str_make(at, (size_t)n) : (alm_str){NULL, 0};
}

/* "200000 100000" is two processors; "max 100000" is no bound (0). */
static unsigned quota_of(alm_str text) {
    alm_str quota_text, period_text;
    uint64_t quota, period;
    text = alm_str_trim(text);
    if (!alm_str_split(&text, ' ', &quota_text) || !alm_str_split(&text, ' ', &period_text)) return 0;
    if (!alm_str_to_u64(quota_text, &quota) || !alm_str_to_u64(period_text, &period) || period == 0) return 0;
    uint64_t cpus = quota / period + (quota % period != 0);
    return cpus == 0 ? 1 : cpus > THREADS_MAX ? THREADS_MAX : (unsigned)cpus;
}

/* The smallest quota on the way from this process's group up to the root (version 2 of control groups). */
static unsigned allowed_by_group(void) {
    char groups[4096], path[4600], text[128];
    alm_str rest = read_small(groups, sizeof groups, "/proc/self/cgroup"), line, group = {NULL, 0};
    while (alm_str_split(&rest, '\n', &line)) {
        if (alm_str_starts(line, ALM_STR("0::/"))) group = alm_str_slice(line, 3, line.n);
    }
    unsigned least = 0;
    while (group.at) {
        int n = snprintf(path, sizeof path, "/sys/fs/cgroup%.*s/cpu.max", ALM_ARG(group));
        if (n < 0 || (size_t)n >= sizeof path) break;
        unsigned quota = quota_of(read_small(text, sizeof text, path));
        if (quota && (least == 0 || quota < least)) least = quota;
        if (group.n <= 1) break;
        while (group.n > 1 && group.at[group.n - 1] != '/') group.n--;
        if (group.n > 1) group.n--;
    }
    return least;
}

unsigned alm_cpu_count(void) {
    unsigned mask = allowed_by_mask(), quota = allowed_by_group();
    return quota && quota < mask ? quota : mask;
}
