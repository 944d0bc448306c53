/* SPDX-License-Identifier: Apache-2.0
 *
 * link.c - one content under a second name, without a copy.
 *
 * Shared blocks are best: what is later written to one name does not show under the other. A hard link lives on when the
 * first name is removed, and that is what people expect of a store; a symbolic link, all that is left between file systems,
 * does not. Copying gigabytes unasked is no choice. */
#include "store/link.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* FICLONE of linux/fs.h, which not every system has. */
#define SHARE_BLOCKS _IOW(0x94, 9, int)

static bool share_blocks(const char *from, const char *to) {
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0) return false;
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool done = out >= 0 && ioctl(out, SHARE_BLOCKS, in) == 0;
    if (out >= 0) {
        close(out);
        if (!done) unlink(to);
    }
    close(in);
    return done;
}

alm_status alm_link_file(const char *from, const char *to, const char **how, alm_error *err) {
    char real[PATH_MAX]; /* of a link, what it leads to: the caches of others are full of links */
    if (!realpath(from, real)) return alm_fail_errno(err, errno, "%s", from);
    *how = "reflink";
    if (share_blocks(real, to)) return ALM_OK;
    *how = "hard link";
    if (link(real, to) == 0) return ALM_OK;
    if (errno != EXDEV && errno != EPERM && errno != EMLINK && errno != EOPNOTSUPP && errno != EACCES)
        return alm_fail_errno(err, errno, "%s: cannot be linked to %s", from, to);
    *how = "symbolic link";
    if (symlink(real, to) == 0) return ALM_OK;
    return alm_fail_errno(err, errno, "%s: cannot be linked to %s", from, to);
}
