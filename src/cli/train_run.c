/* SPDX-License-Identifier: Apache-2.0
 *
 * train_run.c - drives a trainer from the terminal.
 *
 * A folder of checkpoints holds two files: last.gguf and, one older, previous.gguf. A new one is written whole beside them;
 * then the last becomes the previous by a link and a rename, and the new one the last by a rename. Between any two of these
 * there is a good last.gguf. */
#include "cli/train_run.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/path.h"
#include "cli/columns.h"
#include "train/curve.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const int64_t MINUTE_NS = 60000000000;

static const char last_name[] = "last.gguf", previous_name[] = "previous.gguf", fresh_name[] = "new.gguf",
                  link_name[] = "link";

typedef struct place {
    char at[4096];
} place;

static place in(const alm_train_run *r, const char *name) {
    place p;
    snprintf(p.at, sizeof p.at, "%s/%s", r->checkpoints, name);
    return p;
}

const char *alm_train_size(char *at, size_t n_bytes) {
    static const char *const unit[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double x = (double)n_bytes;
    unsigned k = 0;
    while (x >= 1000 && k < 6) x /= 1024, k++;
    alm_str_print(at, 32, k && x < 10 ? "%.2f %s" : k && x < 100 ? "%.1f %s" : "%.0f %s", x, unit[k]);
    return at;
}

/* ── checkpoints ────────────────────────────────────────────────────────────────────────────────────────────── */

static alm_status save(alm_train_run *r, alm_error *err) {
    alm_train_progress p;
    alm_trainer_progress(r->trainer, &p);
    if (p.step == r->saved_step) return ALM_OK;
    place last = in(r, last_name), previous = in(r, previous_name), fresh = in(r, fresh_name),
          link_to = in(r, link_name);
    alm_status st = alm_dir_make(r->checkpoints, err);
    if (st == ALM_OK) st = alm_trainer_save(r->trainer, fresh.at, err);
    if (st != ALM_OK) {
        unlink(fresh.at);
        return st;
    }
    unlink(link_to.at);
    /* A file system without links keeps one generation. */
    if (link(last.at, link_to.at) == 0 && rename(link_to.at, previous.at) != 0) unlink(link_to.at);
    if (rename(fresh.at, last.at) != 0)
        return alm_fail_errno(err, errno, _("cannot write the checkpoint: %s"), last.at);
    r->saved_step = p.step;
    r->saved_ns = alm_clock_steady_ns();
    return ALM_OK;
}

/* A checkpoint that cannot be written is no reason to lose the run: the one before it stays, and it is tried again. */
static void save_or_warn(alm_train_run *r) {
    alm_error err = {0};
    if (save(r, &err) == ALM_OK) {
        r->save_failed = false;
        return;
    }
    r->saved_ns = alm_clock_steady_ns();
    if (r->save_failed) return;
    r->save_failed = true;
    alm_meter_clear(&r->cli->meter);
    if (r->saved_step == UINT64_MAX)
        alm_cli_warn(r->cli, _("no checkpoint could be written, training goes on: %s"), err.text);
    else
        alm_cli_warn(r->cli,
                     _("a checkpoint could not be written, training goes on; the last good one is of step %llu: %s"),
                     (unsigned long long)r->saved_step, err.text);
}

static bool save_due(const alm_train_run *r, uint64_t step) {
    if (r->checkpoint_every) return step % r->checkpoint_every == 0;
    return alm_clock_steady_ns() - r->saved_ns >= MINUTE_NS;
}

alm_status alm_train_run_resume(alm_train_run *r, alm_error *err) {
    place last = in(r, last_name), previous = in(r, previous_name);
    if (!alm_file_exists(last.at) && !alm_file_exists(previous.at)) {
        alm_fail(err, ALM_NOT_FOUND, _("%s: there is no checkpoint to go on from"), r->checkpoints);
        alm_hint(err, _("leave --resume out to begin anew"));
        return ALM_NOT_FOUND;
    }
    alm_status st = alm_trainer_load(r->trainer, last.at, err);
    /* Damage on the disk, not a refusal: then the older one serves. */
    if (st != ALM_OK && st != ALM_REFUSED && st != ALM_NO_MEMORY && alm_file_exists(previous.at)) {
        alm_cli_warn(r->cli, _("%s; going on from the checkpoint before it"), err->text);
        st = alm_trainer_load(r->trainer, previous.at, err);
    }
    if (st != ALM_OK) return st;
    alm_train_progress p;
    alm_trainer_progress(r->trainer, &p);
    r->saved_step = p.step;
    alm_cli_note(r->cli, _("going on from step %llu"), (unsigned long long)p.step);
    return ALM_OK;
}

/* The checkpoint of the very step before the one that failed may hold what made it fail. */
static void take_back(alm_train_run *r, alm_error *err) {
    alm_train_progress p;
    alm_trainer_progress(r->trainer, &p);
    place last = in(r, last_name), previous = in(r, previous_name);
    bool older = alm_file_exists(previous.at);
    if (r->saved_step == p.step && older) rename(previous.at, last.at);
    if (r->saved_step == UINT64_MAX || (r->saved_step == p.step && !older))
        alm_hint(err, _("a smaller --lr, a longer --warmup or --clip; there is no earlier checkpoint to go on from"));
    else alm_hint(err, _("a smaller --lr, a longer --warmup or --clip; the last good checkpoint is %s"), last.at);
}

/* Also what a run that was killed while it wrote has left: its file aside, its link. */
static bool is_ours(const char *name) {
    static const char aside[] = ".new.gguf.";
    return !strcmp(name, last_name) || !strcmp(name, previous_name) || !strcmp(name, fresh_name) ||
           !strcmp(name, link_name) || !strncmp(name, aside, sizeof aside - 1);
}

void alm_train_run_tidy(const alm_train_run *r) {
    alm_names names = {0};
    alm_error err;
    if (!r->own_folder || alm_dir_list(&names, r->checkpoints, &err) != ALM_OK) return;
    for (size_t i = 0; i < names.n; i++)
        if (is_ours(names.at[i])) unlink(in(r, names.at[i]).at);
    alm_names_free(&names);
    rmdir(r->checkpoints); /* stays when something of somebody else lies in it */
}

/* ── the run ────────────────────────────────────────────────────────────────────────────────────────────────── */

static void show(alm_train_run *r, const alm_train_progress *p) {
    if (!r->cli->meter.on) return;
    int64_t ns = alm_clock_steady_ns() - r->began_ns;
    double seconds = (double)ns / 1e9;
    alm_buf b = alm_buf_with_limit(1024);
    bool utf8 = r->cli->meter.term.utf8;
    alm_buf_printf(&b, "%s  ", _("step"));
    alm_columns_count(&b, p->step, utf8);
    if (p->steps) {
        alm_buf_printf(&b, " %s ", _("of"));
        alm_columns_count(&b, p->steps, utf8);
    }
    alm_buf_printf(&b, "  %s %.3f", _("loss"), p->loss);
    if (isfinite(p->eval_loss)) alm_buf_printf(&b, "  %s %.3f", _("held out"), p->eval_loss);
    if (seconds > 0.1) {
        alm_buf_add_text(&b, "  ");
        alm_columns_count(&b, (uint64_t)((double)(p->tokens - r->began_tokens) / seconds), utf8);
        alm_buf_printf(&b, " %s", _("tokens/s"));
    }
    if (seconds > 0.1 && p->steps > p->step && p->tokens > r->began_tokens) {
        double per_step = (double)p->tokens / (double)p->step;
        double left = (double)(p->steps - p->step) * per_step * seconds / (double)(p->tokens - r->began_tokens);
        unsigned s = left < 1e7 ? (unsigned)(left + 0.5) : 10000000;
        if (s >= 3600) alm_buf_printf(&b, "  %u:%02u:%02u %s", s / 3600, s / 60 % 60, s % 60, _("left"));
        else alm_buf_printf(&b, "  %u:%02u %s", s / 60, s % 60, _("left"));
    }
    alm_meter_text(&r->cli->meter, alm_buf_str(&b));
    alm_buf_free(&b);
}

alm_status alm_train_run_all(alm_train_run *r, alm_train_progress *p, alm_error *err) {
    alm_status st = ALM_OK;
    alm_trainer_progress(r->trainer, p);
    r->began_ns = r->saved_ns = alm_clock_steady_ns();
    r->began_tokens = p->tokens;
    while (!p->finished) {
        if (alm_cli_stopped(r->cli)) {
            st = save(r, err);
            return st == ALM_OK ? ALM_INTERRUPTED : st;
        }
        if ((st = alm_trainer_step(r->trainer, p, err)) != ALM_OK) break;
        show(r, p);
        if (p->evaluated && r->cli->common.verbose)
            alm_cli_note(r->cli, _("step %llu: loss %.4f, held out %.4f%s"), (unsigned long long)p->step, p->loss,
                         p->eval_loss, p->improved ? _(", the best so far") : "");
        if (!p->finished && save_due(r, p->step)) save_or_warn(r);
    }
    alm_meter_clear(&r->cli->meter);
    if (st == ALM_END) st = ALM_OK;
    if (st != ALM_OK && st != ALM_NO_MEMORY) take_back(r, err);
    return st;
}

alm_status alm_train_run_curve(const alm_train_run *r, const char *path, const char *title, alm_error *err) {
    alm_buf b = alm_buf_with_limit((size_t)1 << 24);
    alm_curve_words words = {.title = title,
                             .step = _("step"),
                             .loss = _("loss"),
                             .training = _("training"),
                             .evaluation = _("held out"),
                             .best = _("best"),
                             .rate = _("learning rate")};
    size_t n;
    const alm_train_point *point = alm_trainer_history(r->trainer, &n);
    alm_status st = alm_curve_svg(&b, point, n, &words, err);
    if (st == ALM_OK) st = alm_file_write(path, b.at, b.n, err);
    alm_buf_free(&b);
    return st;
}
