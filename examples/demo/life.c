/* SPDX-License-Identifier: Apache-2.0
 *
 * life.c - what is normal in the fleet. Each function writes one service's life over all days. All text is ours.
 *
 * No call has two draws among its arguments: C leaves their order to the compiler, and the logs shall not depend on it. */
#include "fleet.h"

#include <stdio.h>

#define COUNT(list)   (sizeof(list) / sizeof *(list))
#define PICK(f, list) ((list)[fleet_below((f), (uint32_t)COUNT(list))])

static const char *const users[] = {"anna",   "jonas",  "mia",    "lukas",  "emma",  "felix", "sophie",
                                    "paul",   "lena",   "oliver", "grace",  "harry", "chloe", "jack",
                                    "amelia", "george", "bärbel", "jürgen", "käthe", "søren"};
static const char *const products[] = {"lampe", "kettle", "bookshelf", "teppich", "desk", "stuhl", "mirror", "vase"};

static void address(fleet *f, char at[20]) {
    static const char *const nets[] = {"198.51.100", "203.0.113", "192.0.2"};
    unsigned last = 1 + fleet_below(f, 120);
    snprintf(at, 20, "%s.%u", PICK(f, nets), last);
}

/* --- the shop: an order's id links the lines of four services ------------------------------------------------------ */
void fleet_write_order(fleet *f, int64_t at, fleet_order how, uint8_t incident) {
    char id[20];
    snprintf(id, sizeof id, "ord-%08x", alm_rng_u32(&f->rng));
    const char *user = PICK(f, users);
    unsigned items = 1 + fleet_below(f, 4), cents = 990 + fleet_below(f, 24000);
    fleet_say(f, at, incident, "app-1", "shop", "order %s opened by %s with %u items", id, user, items);
    for (unsigned i = 0; i < items; i++) {
        at += fleet_between(f, 5, 60);
        const char *town = fleet_chance(f, 0.6) ? "leipzig" : "leeds", *product = PICK(f, products);
        fleet_say(f, at, incident, "app-1", "shop", "order %s: reserved %s in warehouse %s", id, product, town);
    }
    at += fleet_between(f, 40, 900);
    if (how == ORDER_MAIL_FIRST)
        fleet_say(f, at, incident, "app-2", "mailer", "order %s: confirmation sent to %s@example.org in %u ms", id,
                  user, 80 + fleet_below(f, 400));
    unsigned tries = how == ORDER_RETRIES ? 5 : fleet_chance(f, 0.04) ? 2 : 1;
    for (unsigned i = 0; i < tries; i++) {
        at += fleet_between(f, 150, 1200);
        fleet_say(f, at, incident, "app-1", "payment", "order %s: asking the bank for %u.%02u EUR", id, cents / 100,
                  cents % 100);
        if (i + 1 < tries) {
            at += fleet_between(f, 400, 900);
            fleet_say(f, at, incident, "app-1", "payment", "order %s: bank answered slowly, asking again", id);
        }
    }
    at += fleet_between(f, 90, 700);
    fleet_say(f, at, incident, "app-1", "payment", "order %s: paid, transaction %u", id,
              40000000 + fleet_below(f, 9999999));
    if (how == ORDER_STOPS) return;
    at += fleet_between(f, 20, 200);
    fleet_say(f, at, incident, "app-1", "shop", "order %s confirmed", id);
    at += fleet_between(f, 200, 2000);
    fleet_say(f, at, incident, "app-2", "billing", "Rechnung zu %s über %u,%02u EUR erstellt", id, cents / 100,
              cents % 100);
    if (how != ORDER_MAIL_FIRST) {
        at += fleet_between(f, 100, 900);
        fleet_say(f, at, incident, "app-2", "mailer", "order %s: confirmation sent to %s@example.org in %u ms", id,
                  user, 80 + fleet_below(f, 400));
    }
    at += fleet_between(f, 1000, 4000);
    fleet_say(f, at, incident, "app-1", "shop", "order %s closed", id);
}

static void orders(fleet *f) {
    for (int64_t at = 0; at < f->days * DAY; at += 20 * SECOND)
        if (fleet_chance(f, 0.16 * fleet_busy(at)))
            fleet_write_order(f, at + fleet_between(f, 0, 20 * SECOND), ORDER_GOOD, 0);
}

/* --- web server ----------------------------------------------------------------------------------------------------- */
static void web(fleet *f) {
    static const char *const pages[] = {
        "/", "/shop", "/shop/search?q=%s", "/shop/item/%u", "/cart", "/static/app.css", "/hilfe"};
    for (int64_t at = 0; at < f->days * DAY; at += 5 * SECOND) {
        if (!fleet_chance(f, 0.62 * fleet_busy(at))) continue;
        int64_t when = at + fleet_between(f, 0, 5 * SECOND);
        char from[20], page[80];
        address(f, from);
        unsigned which = fleet_below(f, (uint32_t)COUNT(pages));
        if (which == 2) snprintf(page, sizeof page, "/shop/search?q=%s", PICK(f, products));
        else if (which == 3) snprintf(page, sizeof page, "/shop/item/%u", 1000 + fleet_below(f, 900));
        else snprintf(page, sizeof page, "%s", pages[which]);
        unsigned status = fleet_chance(f, 0.015) ? 404 : fleet_chance(f, 0.12) ? 304 : 200;
        unsigned ms = 2 + fleet_below(f, 60), bytes = status == 304 ? 0 : 400 + fleet_below(f, 30000);
        const char *host = fleet_chance(f, 0.5) ? "web-1" : "web-2";
        fleet_say(f, when, 0, host, "nginx", "%s \"GET %s HTTP/1.1\" %u %u in %u ms", from, page, status, bytes, ms);
    }
}

/* --- database, with its nightly backup --------------------------------------------------------------------------------- */
static void database(fleet *f) {
    static const char *const tables[] = {"orders", "items", "customers", "sessions", "stock"};
    for (int64_t at = 0; at < f->days * DAY; at += 5 * MINUTE) {
        int64_t when = at + fleet_between(f, 0, 20 * SECOND);
        unsigned pages = 100 + fleet_below(f, 2000);
        fleet_say(f, when, 0, "db-1", "postgres", "checkpoint starting: time");
        unsigned recycled = fleet_below(f, 4);
        when += fleet_between(f, 9000, 28000);
        fleet_say(f, when, 0, "db-1", "postgres",
                  "checkpoint complete: wrote %u buffers (%u.%u%%); 0 WAL file(s) added, 0 removed, %u recycled", pages,
                  pages / 160, pages % 10, recycled);
        for (int i = 0; i < 3; i++) {
            if (!fleet_chance(f, 0.25 * fleet_busy(at))) continue;
            unsigned id = fleet_below(f, 900000);
            const char *table = PICK(f, tables);
            unsigned us = fleet_below(f, 1000), ms = 100 + fleet_below(f, 700);
            fleet_say(f, at + fleet_between(f, 0, 5 * MINUTE), 0, "db-1", "postgres",
                      "duration: %u.%03u ms  statement: SELECT * FROM %s WHERE id = %u", ms, us, table, id);
        }
        if (fleet_chance(f, 0.12)) {
            unsigned scans = fleet_below(f, 2);
            const char *table = PICK(f, tables);
            fleet_say(f, at + fleet_between(f, 0, 5 * MINUTE), 0, "db-1", "postgres",
                      "automatic vacuum of table \"shop.public.%s\": index scans: %u", table, scans);
        }
    }
    for (int64_t day = 0; day < f->days; day++) {
        int64_t at = day * DAY + 2 * HOUR + fleet_between(f, 0, 30 * SECOND);
        fleet_say(f, at, 0, "db-1", "backup", "nightly backup started, %u MB to write", 18000 + fleet_below(f, 900));
        fleet_say(f, at + fleet_between(f, 18, 24) * MINUTE, 0, "db-1", "backup",
                  "nightly backup finished, verified and copied to store-2");
    }
}

/* --- kernels and a Kubernetes node ---------------------------------------------------------------------------------------- */
static void kernels(fleet *f) {
    static const char *const hosts[] = {"node-1", "db-1", "web-1", "web-2", "app-1"};
    for (int64_t at = 0; at < f->days * DAY; at += 20 * MINUTE) {
        int64_t when = at + fleet_between(f, 0, 20 * MINUTE);
        const char *host = PICK(f, hosts);
        unsigned up = (unsigned)(when / SECOND) + 81000, micro = fleet_below(f, 1000000);
        switch (fleet_below(f, 6)) {
        case 0:
            fleet_say(f, when, 0, host, "kernel", "[%u.%06u] eth0: link is up at 10000 Mbps, full duplex", up, micro);
            break;
        case 1:
            fleet_say(f, when, 0, host, "kernel",
                      "[%u.%06u] TCP: request_sock_TCP: possible SYN flooding on port %s, sending cookies", up, micro,
                      fleet_chance(f, 0.5) ? "443" : "80");
            break;
        case 2:
            fleet_say(f, when, 0, host, "kernel",
                      "[%u.%06u] perf: interrupt took too long (%u > %u), lowering the sample rate", up, micro,
                      2500 + fleet_below(f, 900), 2400u);
            break;
        default: {
            unsigned pid = 1000 + fleet_below(f, 30000);
            fleet_say(f, when, 0, host, "kernel",
                      "[%u.%06u] audit: type=1400 operation=\"open\" profile=\"snap.%s\" pid=%u", up, micro,
                      PICK(f, products), pid);
            break;
        }
        }
    }
}

static void node(fleet *f) {
    static const char *const pods[] = {"shop", "payment", "mailer", "billing", "search"};
    for (int64_t at = 0; at < f->days * DAY; at += 30 * SECOND) {
        if (!fleet_chance(f, 0.7)) continue;
        unsigned ms = 1 + fleet_below(f, 40), id = 0x60000 + fleet_below(f, 12) * 977;
        const char *pod = PICK(f, pods);
        fleet_say(f, at + fleet_between(f, 0, 30 * SECOND), 0, "node-1", "kubelet",
                  "probe of pod %s-%05x succeeded in %u ms", pod, id, ms);
    }
    /* a roll-out on working days */
    for (int64_t day = 0; day < f->days; day++) {
        if (day % 7 >= 5) continue;
        int64_t at = day * DAY + 9 * HOUR + fleet_between(f, 0, 5 * (int64_t)HOUR);
        const char *pod = PICK(f, pods);
        unsigned id = fleet_below(f, 0xfffff), build = 4100 + (unsigned)day * 3;
        fleet_say(f, at, 0, "node-1", "kubelet", "pulling image registry.example.org/%s:1.%u", pod, build);
        at += fleet_between(f, 4000, 20000);
        fleet_say(f, at, 0, "node-1", "kubelet", "image registry.example.org/%s:1.%u is present, %u MB", pod, build,
                  40 + fleet_below(f, 90));
        fleet_say(f, at + 300, 0, "node-1", "kubelet", "container %s-%05x created", pod, id);
        fleet_say(f, at + 900, 0, "node-1", "kubelet", "container %s-%05x started", pod, id);
        fleet_say(f, at + 8000, 0, "node-1", "kubelet", "old container of %s stopped with exit code 0", pod);
    }
}

/* --- people at the bastion --------------------------------------------------------------------------------------------------- */
static void bastion(fleet *f) {
    static const char *const staff[] = {"anna", "jonas", "mia", "deploy", "backup"};
    for (int64_t at = 0; at < f->days * DAY; at += 10 * MINUTE) {
        if (!fleet_chance(f, 0.5 * fleet_busy(at))) continue;
        int64_t when = at + fleet_between(f, 0, 10 * MINUTE);
        const char *user = PICK(f, staff);
        char from[20];
        address(f, from);
        unsigned port = 30000 + fleet_below(f, 30000), pid = 3000 + fleet_below(f, 28000);
        char service[24];
        snprintf(service, sizeof service, "sshd[%u]", pid);
        if (fleet_chance(f, 0.05))
            fleet_say(f, when - 4000, 0, "bastion", service, "Failed publickey for %s from %s port %u ssh2", user, from,
                      port);
        fleet_say(f, when, 0, "bastion", service, "Accepted publickey for %s from %s port %u ssh2", user, from, port);
        fleet_say(f, when + 40, 0, "bastion", service, "session opened for user %s by (uid=0)", user);
        fleet_say(f, when + fleet_between(f, 2, 90) * MINUTE, 0, "bastion", service, "session closed for user %s",
                  user);
    }
}

/* --- metrics: one JSON object a line ------------------------------------------------------------------------------------------ */
static void metrics(fleet *f) {
    static const char *const hosts[] = {"web-1", "web-2", "app-1", "app-2", "db-1", "node-1"};
    for (int64_t at = 0; at < f->days * DAY; at += 2 * MINUTE)
        for (size_t h = 0; h < COUNT(hosts); h++) {
            if (!fleet_chance(f, 0.25)) continue;
            unsigned load = (unsigned)(fleet_busy(at) * 45) + 5 + fleet_below(f, 18);
            unsigned queue = fleet_below(f, 6), disk = 38 + (unsigned)h * 3 + fleet_below(f, 3),
                     mem = 40 + fleet_below(f, 20);
            fleet_say(f, at + fleet_between(f, 0, 2 * MINUTE), 0, hosts[h], "metrics",
                      "{\"host\":\"%s\",\"cpu\":0.%02u,\"mem\":0.%02u,\"disk\":0.%02u,\"queue\":%u}", hosts[h], load,
                      mem, disk, queue);
        }
}

/* --- the mailer trips over a slow server now and then: a stack trace that everybody knows ----------------------------------------- */
static void known_traces(fleet *f) {
    for (int64_t at = 0; at < f->days * DAY; at += HOUR) {
        if (!fleet_chance(f, 0.25)) continue;
        unsigned line = 80 + fleet_below(f, 3), wait = 30 + 30 * fleet_below(f, 4);
        fleet_say(f, at + fleet_between(f, 0, HOUR), 0, "app-2", "mailer",
                  "mail server is slow, will try again in %u s\n"
                  "java.net.SocketTimeoutException: read timed out\n"
                  "\tat org.example.mail.Connection.read(Connection.java:211)\n"
                  "\tat org.example.mail.Sender.send(Sender.java:%u)\n"
                  "\tat org.example.mail.Queue.run(Queue.java:64)",
                  wait, line);
    }
}

void fleet_write_life(fleet *f) {
    web(f);
    orders(f);
    database(f);
    kernels(f);
    node(f);
    bastion(f);
    metrics(f);
    known_traces(f);
    fleet_write_desk(f);
}
