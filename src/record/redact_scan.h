/* SPDX-License-Identifier: Apache-2.0
 *
 * record/redact_scan.h - where personal data stand in a text: hand-written scanners, one a class. */
#ifndef ALM_RECORD_REDACT_SCAN_H
#define ALM_RECORD_REDACT_SCAN_H

#include "base/str.h"
#include "record/redact.h"

/* Each answers: how many bytes from s.at[at] on are one (0: none)? `at` is where it would begin. ip, iban, phone. */
size_t alm_scan_ipv4(alm_str s, size_t at);
size_t alm_scan_ipv6(alm_str s, size_t at, unsigned char address[16]); /* address may be NULL */
size_t alm_scan_iban(alm_str s, size_t at);
size_t alm_scan_phone(alm_str s, size_t at);
/* `at` is the @ (or %40); *from becomes where the address begins. */
size_t alm_scan_email(alm_str s, size_t at, size_t *from);
/* A pseudonym that stands there already: "<email:0123456789ab>". */
size_t alm_scan_pseudonym(alm_str s, size_t at);
/* A letter, a digit, or a byte of a character beyond ASCII. */
bool alm_scan_is_word(char c);
/* Writes the normal form of a find (the digits of a phone number, …) to `to`, which has room for n + 16 bytes; its length. */
size_t alm_scan_normal(char *to, int class, alm_str found);

#endif
