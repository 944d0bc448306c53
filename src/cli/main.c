/* SPDX-License-Identifier: Apache-2.0
 *
 * main.c - the program begins here; everything else can be linked into a test. */
#include "cli/cli.h"

int main(int argc, char **argv) { return alm_cli_main(argc, argv); }
