#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shop.sh SESSIONS [SEED [ODD]]: the log of a small shop, made up, the same for the same numbers. ODD sessions of the last
# tenth go wrong: a disk is full, and the payment never comes.
exec awk -v sessions="${1:-200}" -v seed="${2:-1}" -v odd="${3:-0}" '
function draw(n) { seed = (seed * 16807) % 2147483647; return seed % n }
function say(s, text) {
    clock += 1 + draw(3)
    printf "2026-03-%02d %02d:%02d:%02d INFO shop: session=%d %s\n", 1 + int(clock / 86400), int(clock / 3600) % 24, int(clock / 60) % 60, clock % 60, s, text
}
BEGIN {
    seed = seed * 7919 + 12345
    for (i = 0; i < 7; i++) draw(2)
    for (s = 1; s <= sessions; s++) {
        id = 1000 + s
        say(id, sprintf("login user%d from 10.0.%d.%d", draw(50), draw(4), 1 + draw(250)))
        for (k = 1 + draw(4); k > 0; k--) say(id, sprintf("view item %d in %d ms", 100 + draw(400), 5 + draw(40)))
        say(id, sprintf("add item %d to cart", 100 + draw(400)))
        if (odd && s > sessions * 0.9 && odd-- > 0) {
            say(id, sprintf("cannot write /var/lib/shop/cart%d: no space left on device", draw(9)))
            continue
        }
        say(id, sprintf("pay %d.%02d EUR", 5 + draw(90), draw(100)))
        say(id, "logout")
    }
}'
