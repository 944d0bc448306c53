# SPDX-License-Identifier: Apache-2.0
# The front door: help, wrong calls, hints, exit codes. How a case is written: typed.c.

== without a command the list of commands goes to stderr, and the exit code says that nothing was done
$ alm
2>~ ^  patterns
? 2

== --help goes to standard output and names exit codes and environment
words:
$ alm --help
>~ ^  patterns
>~ ^  130 +interrupted
>~ ^  NO_COLOR

== -h is shorter than --help
$ test $(alm help -h | wc -l) -lt $(alm help --help | wc -l) && test $(alm -h | wc -l) -lt $(alm --help | wc -l) && echo shorter
> shorter

== a command's --help is the same as alm help COMMAND
$ alm version --help > a; alm help version > b; cmp a b && echo same
> same

== help is given although the rest of the line is wrong
words:
$ alm version --jsn --help
>~ ^alm version: 

== an unknown command is refused with the nearest name
$ alm patern
2> alm: unknown command: patern
2> hint: did you mean `alm patterns`? `alm help` lists all commands
? 2

== an unknown command that resembles none is refused without a guess
$ alm frobnicate
2> alm: unknown command: frobnicate
2> hint: `alm help` lists all commands
? 2

== an option before the command is refused
$ alm --json version
2> alm: unknown option: --json
2> hint: a command comes first; `alm help` lists all commands
? 2

== an unknown option is refused with the nearest name
$ alm version --jsno
2> alm: unknown option: --jsno
2> hint: did you mean --json? `alm version --help` lists all options
? 2

== a shortened option is refused with its full name
$ alm version --js
2> alm: unknown option: --js
2> hint: did you mean --json? `alm version --help` lists all options
? 2

== a shortened option that could be two is refused with both
$ alm version --ver --see 3
2> alm: unknown option: --ver
2> hint: did you mean --verbose? `alm version --help` lists all options
? 2

== an unknown letter is refused
$ alm version -Z
2> alm: unknown option: -Z
2> hint: `alm version --help` lists all options with examples
? 2

== a value that is missing is asked for
$ alm version --threads
2> alm: a value is missing: --threads
2> hint: write --threads N
? 2

== a value that is no number is refused with the range
$ alm version --threads two
2> alm: not a number in range: --threads two
2> hint: give a whole number from 0 to 1024
? 2

== a value out of range is refused with the range
$ alm version --threads=-1
2> alm: not a number in range: --threads -1
2> hint: give a whole number from 0 to 1024
? 2

== a choice that does not exist is refused with the nearest
$ alm version --color alwys
2> alm: no such choice: --color alwys
2> hint: did you mean always? Possible are auto|always|never
? 2

== a flag takes no value
$ alm version --json=yes
2> alm: this option takes no value: --json=yes
2> hint: `alm version --help` lists all options with examples
? 2

== two options that contradict each other are refused
$ alm version -qv
2> alm: these two contradict each other: --verbose --quiet
2> hint: give one of them
? 2

== an operand too many is refused
$ alm version please
2> alm: one word too many: please
2> hint: alm version 
? 2

== an operand that is missing is asked for
$ alm completion
2> alm: something is missing after the command: alm completion
2> hint: alm completion bash|zsh|fish
? 2

== what follows two dashes is no option
$ alm help -- --json
2> alm: unknown command: --json
2> hint: `alm help` lists all commands
? 2

== control sequences in a word are escaped in the message
$ alm "$(printf 'x\033[31m')"
2> alm: unknown command: x\x1B[31m
2> hint: `alm help` lists all commands
? 2

== --color always colours messages although stderr is a file
$ alm version --color=always --threads x 2>&1 | od -c | grep -c 033 > n; test $(cat n) -gt 0 && echo coloured
> coloured

== NO_COLOR and files have no colours
$ NO_COLOR=1 alm --help | grep -c "$(printf '\033')"
> 0
? 1

== the version is one line, then what the build can do
words:
$ alm --version
>~ ^alm [0-9]+\.[0-9]+\.[0-9]+$

== the version for scripts is one JSON object
$ alm version --json
>~ ^\{"version":"[0-9.]+","abi":[0-9]+,"isa":"[a-z0-9]+","threads":[0-9]+,"journal":(true|false),"builtin_sha256":"[0-9a-f]{64}"\}$

== an instruction set that does not exist is a wrong call
$ ALM_ISA=sse9 alm version
2>~ ^alm: .*sse9
? 2

== messages are German in a German locale
language: de
$ alm patern
2> alm: unbekannter Befehl: patern
2> Tipp: meinten Sie `alm patterns`? `alm help` zeigt alle Befehle
? 2

== help is German in a German locale
language: de
$ alm --help
>~ ^Aufruf$
>~ ^  130 +unterbrochen

== a write to a full disk is an error, not a success
needs: /dev/full
$ alm --help > /dev/full
2>~ ^alm: cannot write the result: standard output: 
2>~ ^hint: the disk is full
? 5

== a standard output that is closed is an error
$ alm --help >&-
2>~ ^alm: cannot write the result: standard output: 
? 5

== a reader that has seen enough ends the program without a message
$ (trap '' PIPE; alm completion bash; echo $? > code) | true; cat code
>~ ^[05]$
