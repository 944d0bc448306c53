# SPDX-License-Identifier: Apache-2.0
# Completion scripts: each shell itself is asked what it would offer.

== bash completes commands
needs: bash
$ alm completion bash > alm.bash
$ bash -c '. ./alm.bash; COMP_WORDS=(alm ver); COMP_CWORD=1; _alm; echo "${COMPREPLY[@]}"'
> version

== bash completes options
needs: bash
$ alm completion bash > alm.bash
$ bash -c '. ./alm.bash; COMP_WORDS=(alm version --js); COMP_CWORD=2; _alm; echo "${COMPREPLY[@]}"'
> --json

== bash completes the values of a choice, also behind an equal sign
needs: bash
$ alm completion bash > alm.bash
$ bash -c '. ./alm.bash; COMP_WORDS=(alm version --color al); COMP_CWORD=3; _alm; echo "${COMPREPLY[@]}"; COMP_WORDS=(alm version --color = ne); COMP_CWORD=4; _alm; echo "${COMPREPLY[@]}"'
> always
> never

== bash completes the words of a command
needs: bash
$ alm completion bash > alm.bash
$ bash -c '. ./alm.bash; COMP_WORDS=(alm completion f); COMP_CWORD=2; _alm; echo "${COMPREPLY[@]}"; COMP_WORDS=(alm help pat); COMP_CWORD=2; _alm; echo "${COMPREPLY[@]}"'
> fish
> patterns

== zsh takes the script
needs: zsh
$ alm completion zsh > _alm; zsh -n _alm && zsh -fc 'autoload -Uz compinit; compinit -u -D; source ./_alm; print $_comps[alm]'
> _alm

== fish completes commands, options and values
needs: fish
$ alm completion fish > alm.fish
$ fish -N -c 'source alm.fish; complete -C "alm ver"; complete -C "alm version --js"; complete -C "alm version --color al"' | cut -f1
> version
> --json
> always

== a shell without a script is refused
$ alm completion csh
2> alm: no script for this shell: csh
2> hint: possible are bash, zsh, fish
? 2
