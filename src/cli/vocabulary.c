/* SPDX-License-Identifier: Apache-2.0
 *
 * vocabulary.c - the tokenizer of a MODEL, and reading a whole input. */
#include "cli/vocabulary.h"
#include "base/file.h"
#include "record/decompress.h"

alm_status alm_vocabulary_read(alm_buf *out, const alm_cli *cli, const char *path, alm_error *err) {
    alm_stream *s = NULL;
    const alm_waiting waiting = {.cancel = cli->cancel};
    alm_status st = alm_stream_open(&s, path, &waiting, err);
    for (size_t got = 1; st == ALM_OK && got;) {
        if (!alm_buf_reserve(out, 1 << 16)) st = alm_buf_status(out, err);
        if (st == ALM_OK) st = alm_stream_read(s, out->at + out->n, 1 << 16, &got, err);
        if (st == ALM_OK) out->n += got;
    }
    alm_stream_close(s);
    return st == ALM_OK && alm_cli_stopped(cli) ? ALM_INTERRUPTED : st;
}

alm_status alm_vocabulary_open(alm_tokenizer **out, const alm_cli *cli, const char *model, alm_error *err) {
    alm_status st = alm_tokenizer_open(out, model, cli->cancel, err);
    if (st == ALM_NOT_FOUND && alm_file_exists(model) && !*err->hint)
        alm_hint(err, "%s",
                 _("a model that `alm train` made has one, and one of `alm learn` unless --no-lm left it out"));
    return st == ALM_OK && alm_cli_stopped(cli) ? ALM_INTERRUPTED : st;
}
