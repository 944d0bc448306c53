# SPDX-License-Identifier: Apache-2.0
# alm embed: lines as vectors.
% printf 'the pump runs hot\nthe pump runs hot\ninvoices are due\n' > lines

== one object a line; the same line is the same vector, of length 1, whoever its neighbours are
$ alm embed builtin: lines > a; head -n 1 lines | alm embed builtin: - > b; head -n 1 a | cmp - b && sed -n 2p a | cmp - b && wc -l < a | tr -d ' '
> 3
$ alm embed builtin: lines | sed 's/.*\[//; s/\].*//' | LC_ALL=C awk -F, '{ s = 0; for (i = 1; i <= NF; i++) s += $i * $i; printf "%.4f\n", s }'
> 1.0000
> 1.0000
> 1.0000

== the pooling is chosen; the bits do not depend on threads or instructions
$ for p in mean first last; do alm embed builtin: --pooling $p lines | sha256sum; done | sort -u | wc -l | tr -d ' '; alm embed builtin: --threads 3 lines > c; ALM_ISA=plain alm embed builtin: --threads 1 lines | cmp - c && echo same
> 3
> same
$ alm embed builtin: --raw lines | sed 's/.*\[//; s/\].*//' | LC_ALL=C awk -F, '{ s = 0; for (i = 1; i <= NF; i++) s += $i * $i; print (s > 1.5) }' | sort -u
> 1

== what is too long is cut only where that is said
$ seq 1 2000 | tr '\n' ' ' | alm embed builtin: -
2>~ ^alm: lines 1 to 1: the text that begins with "1 2 3 [0-9 ]+" has [0-9]+ tokens; the model's context has [0-9]+$
2> hint: --max-tokens N cuts longer lines
? 5
$ seq 1 2000 | tr '\n' ' ' | alm embed builtin: --max-tokens 8 - > a; seq 1 1000 | tr '\n' ' ' | alm embed builtin: --max-tokens 8 - | cmp - a && echo same
> same
$ alm embed nothing.gguf lines
2>~ nothing.gguf
2>~ hint
? 5
