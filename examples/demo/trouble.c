/* SPDX-License-Identifier: Apache-2.0
 *
 * trouble.c - what goes wrong in the days after learning, from what anybody would notice to what hides in ordinary words. */
#include "fleet.h"

#include <stdio.h>

enum {
    NONE,
    DISK,
    NEW_TRACE,
    BRUTE_FORCE,
    STOPPED_ORDERS,
    BAD_GATEWAY,
    RETRIES,
    MAIL_FIRST,
    DISK_FULL,
    STRANGER,
    FOREIGN,
    SHUFFLED,
    INJECTED
};
const fleet_incident fleet_incidents[] = {
    [NONE] = {"none", "-", "ordinary life", "Alltag"},
    [DISK] = {"disk-failure", "easy", "the database's disk fails: kernel errors, then a panic",
              "Platte der Datenbank fällt aus: Kernelfehler, dann Abbruch"},
    [NEW_TRACE] = {"new-stack-trace", "easy", "a stack trace never seen before in the shop",
                   "ein nie gesehener Stacktrace im Shop"},
    [BRUTE_FORCE] = {"brute-force", "medium", "hundreds of failed log-ins within minutes",
                     "Hunderte Fehlanmeldungen in wenigen Minuten"},
    [STOPPED_ORDERS] = {"stopped-orders", "medium", "orders are paid and then nothing follows",
                        "Bestellungen bezahlt, danach geschieht nichts"},
    [BAD_GATEWAY] = {"bad-gateway", "medium", "known lines, but with status 502",
                     "bekannte Zeilen, aber mit Status 502"},
    [RETRIES] = {"payment-retries", "hard", "orders that ask the bank five times",
                 "Bestellungen fragen die Bank fünfmal"},
    [MAIL_FIRST] = {"mail-before-payment", "hard", "the confirmation goes out before the payment",
                    "Bestätigung geht vor der Zahlung hinaus"},
    [DISK_FULL] = {"disk-fills-up", "hard", "a metric leaves its range: the disk fills up",
                   "eine Messgröße verlässt ihren Bereich: Platte läuft voll"},
    [STRANGER] = {"unusual-user", "hard", "a log-in by a user who never logged in before",
                  "Anmeldung einer Kennung, die es nie gab"},
    [FOREIGN] = {"unknown-language", "words", "customers write in a language that nobody wrote before",
                 "Kunden schreiben in einer Sprache, die es hier nie gab"},
    [SHUFFLED] = {"word-salad", "words", "the usual words in an order that nobody writes: a machine sends tickets",
                  "die üblichen Wörter in einer Folge, die niemand schreibt: eine Maschine sendet"},
    [INJECTED] = {"injected-command", "words", "a database command where a customer's words should stand",
                  "ein Datenbankbefehl, wo Worte eines Kunden stehen sollten"},
};
const size_t fleet_n_incidents = sizeof fleet_incidents / sizeof *fleet_incidents;

void fleet_write_incidents(fleet *f) {
    const int64_t day = f->learn_days * DAY;

    int64_t at = day + 10 * HOUR + 21 * MINUTE;
    for (unsigned i = 0; i < 6; i++) {
        unsigned sector = 883000 + fleet_below(f, 9000);
        fleet_say(f, at + i * 700, DISK, "db-1", "kernel",
                  "[%u.%06u] blk_update_request: I/O error, dev sdb, sector %u", (unsigned)(at / SECOND) + 81000,
                  fleet_below(f, 1000000), sector);
    }
    fleet_say(f, at + 5200, DISK, "db-1", "kernel",
              "[%u.%06u] EXT4-fs warning (device sdb1): cannot read directory block", (unsigned)(at / SECOND) + 81005,
              fleet_below(f, 1000000));
    fleet_say(f, at + 6100, DISK, "db-1", "postgres",
              "PANIC: could not write to file \"pg_wal/00000001000000A5000000C1\": input/output error");
    fleet_say(f, at + 9000, DISK, "db-1", "postgres",
              "server process was terminated by signal 6, all connections are closed");

    at = day + 15 * HOUR + 40 * MINUTE;
    for (unsigned i = 0; i < 3; i++) {
        unsigned item = 1000 + fleet_below(f, 900);
        fleet_say(f, at + i * 41000, NEW_TRACE, "app-1", "shop",
                  "cart of session %08x cannot be shown\n"
                  "java.lang.IllegalStateException: price of item %u is missing\n"
                  "\tat org.example.shop.Cart.total(Cart.java:133)\n"
                  "\tat org.example.shop.Page.render(Page.java:58)\n"
                  "\tat org.example.shop.Server.handle(Server.java:210)",
                  alm_rng_u32(&f->rng), item);
    }

    at = day + DAY + 3 * HOUR + 12 * MINUTE;
    for (unsigned i = 0; i < 240; i++) {
        static const char *const names[] = {"anna", "jonas", "mia", "deploy", "backup"};
        char service[24];
        snprintf(service, sizeof service, "sshd[%u]", 31000 + i);
        unsigned port = 30000 + fleet_below(f, 30000), last = 200 + fleet_below(f, 4);
        fleet_say(f, at + i * 1250, BRUTE_FORCE, "bastion", service,
                  "Failed publickey for %s from 203.0.113.%u port %u ssh2", names[fleet_below(f, 5)], last, port);
    }

    at = day + DAY + 11 * HOUR;
    for (unsigned i = 0; i < 14; i++) fleet_write_order(f, at + i * 31 * SECOND, ORDER_STOPS, STOPPED_ORDERS);

    at = day + DAY + 17 * HOUR + 30 * MINUTE;
    for (unsigned i = 0; i < 60; i++) {
        unsigned ms = 2 + fleet_below(f, 60), bytes = 400 + fleet_below(f, 100);
        fleet_say(f, at + i * 4000, BAD_GATEWAY, i % 2 ? "web-1" : "web-2", "nginx",
                  "198.51.100.%u \"GET /cart HTTP/1.1\" 502 %u in %u ms", 1 + fleet_below(f, 120), bytes, ms);
    }

    at = day + 2 * DAY + 9 * HOUR + 10 * MINUTE;
    for (unsigned i = 0; i < 9; i++) fleet_write_order(f, at + i * 55 * SECOND, ORDER_RETRIES, RETRIES);

    at = day + 2 * DAY + 14 * HOUR;
    for (unsigned i = 0; i < 7; i++) fleet_write_order(f, at + i * 70 * SECOND, ORDER_MAIL_FIRST, MAIL_FIRST);

    at = day + 3 * DAY + 8 * HOUR;
    for (unsigned i = 0; i < 20; i++) {
        unsigned queue = fleet_below(f, 6), mem = 40 + fleet_below(f, 20);
        fleet_say(f, at + i * 2 * MINUTE, DISK_FULL, "db-1", "metrics",
                  "{\"host\":\"db-1\",\"cpu\":0.%02u,\"mem\":0.%02u,\"disk\":0.%02u,\"queue\":%u}",
                  20 + fleet_below(f, 30), mem, 79 + i, queue);
    }

    at = day + 3 * DAY + 13 * HOUR + 26 * MINUTE;
    fleet_say(f, at, STRANGER, "bastion", "sshd[30777]",
              "Accepted publickey for nobody from 192.0.2.77 port 41022 ssh2");
    for (unsigned i = 0; i < 4; i++) {
        fleet_write_ticket(f, day + 15 * HOUR + 3 * MINUTE + i * 19 * MINUTE, TICKET_INJECTED, INJECTED);
        fleet_write_ticket(f, day + DAY + 13 * HOUR + 5 * MINUTE + i * 23 * MINUTE, TICKET_SPANISH, FOREIGN);
        fleet_write_ticket(f, day + 2 * DAY + 16 * HOUR + i * 21 * MINUTE, TICKET_SHUFFLED, SHUFFLED);
    }
    fleet_say(f, at + 40, STRANGER, "bastion", "sshd[30777]", "session opened for user nobody by (uid=0)");
}
