/* SPDX-License-Identifier: Apache-2.0
 *
 * allmende.h - the public interface of liballmende: everything a program that embeds it may use.
 *
 * Rules that hold for every function here:
 *   - the result comes first and is called `out`; it is written only when the status is ALM_OK;
 *   - a function that can fail returns alm_status and takes the place for the sentence last (`err`, may be NULL);
 *   - option structs begin with `size`: set it to sizeof(the struct), leave the rest zero for the defaults;
 *   - what X_new or X_open gives, X_free takes back; NULL is fine there;
 *   - the library never prints, never exits, and keeps no mutable globals. */
#ifndef ALLMENDE_H
#define ALLMENDE_H

#include <allmende/base.h>
#include <allmende/detect.h>

#endif
