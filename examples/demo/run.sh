#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh - the demo itself: a fleet writes its logs, alm learns the first part, judges the second, and says why.
#
#     sh examples/demo/run.sh [--seed N] [--no-own-logs]        after the build; ./demo builds first and then calls this
#
# Files go to demo-out/, the page to demo-report.html. Labels are read by the scorer only, after alm has ended. Of this
# machine's own logs nothing is kept but a model made with --redact, and nothing leaves the machine.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${ALM_BUILD:-build}
out=demo-out
alm=$build/src/cli/alm
seed=1 own=yes
while [ $# -gt 0 ]; do
    case $1 in
    --seed) seed=${2:?--seed needs a number} && shift ;;
    --no-own-logs) own=no ;;
    *) sed -n '5,8s/^# \{0,1\}//p' examples/demo/run.sh && exit 2 ;;
    esac
    shift
done

case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in
de*) de=yes ;;
*) de= ;;
esac
# t ENGLISH GERMAN: the text in the user's language
t() { if [ -n "$de" ]; then printf '%s' "$2"; else printf '%s' "$1"; fi; }

bold='' dim='' accent='' off='' color=never
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ] && [ "${TERM:-dumb}" != dumb ]; then
    esc=$(printf '\033')
    bold="${esc}[1m" dim="${esc}[2m" accent="${esc}[36m" off="${esc}[0m" color=always
fi
width=$( (stty size </dev/tty | cut -d' ' -f2) 2>/dev/null)
case $width in '' | 0 | *[!0-9]*) width=100 ;; esac
[ "$width" -le 110 ] || width=110

step=0
chapter() {
    step=$((step + 1))
    printf '\n%s%s %s%s\n' "$accent$bold" "$step" "$1" "$off"
    printf '%s%s%s\n\n' "$dim" "$2" "$off" | fold -s -w "$width"
}
die() {
    printf 'demo: %s\n' "$1" >&2
    exit 5
}
# run COMMAND...: shows it as it would be typed, then runs it
run() {
    shown="alm"
    for word in "$@"; do
        case $word in
        *[!A-Za-z0-9_./=:,@-]* | '') shown="$shown '$word'" ;;
        *) shown="$shown $word" ;;
        esac
    done
    printf '%s$ %s%s\n' "$bold" "$shown" "$off"
    command=$1
    shift
    "$alm" "$command" --color $color "$@"
}
indent() { sed 's/^/  /'; }
count() { wc -l <"$1" | tr -d ' '; }

for need in "$alm" "$build/examples/demo/fleet" "$build/examples/demo/score"; do
    [ -x "$need" ] || die "$(t "$need is not built; start ./demo" "$need ist nicht gebaut; ./demo tut es")"
done
mkdir -p "$out" || exit 5
began=$(date +%s)

# ---------------------------------------------------------------------------------------------------------------------
chapter "$(t 'A small fleet writes its logs' 'Eine kleine Flotte schreibt ihre Protokolle')" \
    "$(t "A shop with web servers, a database, a mailer, a Kubernetes node, kernels, a bastion with sshd, metrics in JSON. Generated on the spot (seed $seed); twelve incidents of graded difficulty are hidden in the second part, three of them in nothing but words." \
        "Ein Laden mit Webservern, Datenbank, Mailer, Kubernetes-Knoten, Kerneln, sshd und Messwerten in JSON. Eben erzeugt (Saat $seed); im zweiten Teil sind zwölf Vorfälle von steigender Schwierigkeit versteckt, drei davon in nichts als Worten.")"
"$build/examples/demo/fleet" --seed "$seed" "$out" >/dev/null || die "fleet"
printf '  %-28s %8s %s\n' "$out/fleet-learn.log" "$(count $out/fleet-learn.log)" "$(t 'lines of ordinary life' 'Zeilen Alltag')"
printf '  %-28s %8s %s\n\n' "$out/fleet-stream.log" "$(count $out/fleet-stream.log)" "$(t 'lines of the days after' 'Zeilen der Tage danach')"
awk 'NR % 21001 == 7' $out/fleet-learn.log | sed "s/^\(.\{$((width - 3))\}\).*/\1…/" | indent

# ---------------------------------------------------------------------------------------------------------------------
chapter "$(t 'What are these lines made of?' 'Woraus bestehen diese Zeilen?')" \
    "$(t 'Patterns are mined from the stream: what varies becomes a typed slot.' 'Muster werden aus dem Strom gewonnen; was wechselt, wird ein Platz mit Typ.')"
run patterns --top 12 --html $out/patterns.html $out/fleet-learn.log || die "alm patterns"

# ---------------------------------------------------------------------------------------------------------------------
chapter "$(t 'What is normal?' 'Was ist normal?')" \
    "$(t 'Learning takes templates, counts, order, rates over the day and rare values from the first part, and calibrates on its last quarter. At most 1 % of what is normal may raise an alarm: that is the promise.' \
        'Aus dem ersten Teil werden Muster, Anzahlen, Reihenfolge, Raten über den Tag und seltene Werte gelernt; am letzten Viertel wird kalibriert. Höchstens 1 % des Normalen darf Alarm auslösen: das ist das Versprechen.')"
run learn --time-limit 20 $out/fleet-learn.log -o $out/fleet.gguf || die "alm learn"

# ---------------------------------------------------------------------------------------------------------------------
chapter "$(t 'What was not normal, and why?' 'Was war nicht normal, und warum?')" \
    "$(t 'The second part goes by as a stream. Alarms that belong together are one incident, the first cause first.' \
        'Der zweite Teil läuft als Strom vorbei. Was zusammengehört, ist ein Vorfall, die erste Ursache zuerst.')"
run detect --incidents --top 12 --model $out/fleet.gguf --html demo-report.html $out/fleet-stream.log || die "alm detect"
"$alm" detect --json --model $out/fleet.gguf $out/fleet-stream.log >$out/detect.ndjson 2>/dev/null || die "alm detect --json"

chapter "$(t 'Was everything found?' 'Wurde alles gefunden?')" \
    "$(t 'Only now are the labels opened, and only by the scorer.' 'Erst jetzt werden die Etiketten geöffnet, und nur vom Auszähler.')"
"$build/examples/demo/score" ${de:+--de} $out $out/detect.ndjson || die "score"

# ---------------------------------------------------------------------------------------------------------------------
# own_logs NAME: the machine's own records in the order of time on standard output
own_logs() {
    case $1 in
    dpkg)
        for k in 12 11 10 9 8 7 6 5 4 3 2 1; do
            if [ -r /var/log/dpkg.log.$k.gz ]; then gzip -dc /var/log/dpkg.log.$k.gz; fi
            if [ -r /var/log/dpkg.log.$k ]; then cat /var/log/dpkg.log.$k; fi
        done
        if [ -r /var/log/dpkg.log ]; then cat /var/log/dpkg.log; fi
        ;;
    journal) journalctl -q --no-pager -o short-iso -n 20000 ;;
    esac 2>/dev/null
}
own_part() {
    name=$1
    n=$(own_logs "$name" | wc -l | tr -d ' ')
    [ "$n" -ge 400 ] || return 1
    first=$((n * 3 / 4))
    printf '  %s%s%s: %s\n\n' "$bold" "$2" "$off" "$(t "$n lines; the first three quarters are learned, the rest is judged" "$n Zeilen; drei Viertel werden gelernt, der Rest beurteilt")"
    own_logs "$name" | run patterns --redact --top 6 - || return 1
    echo
    own_logs "$name" | head -n "$first" | run learn --redact -o "$out/$name.gguf" - || return 1
    echo
    own_logs "$name" | tail -n "+$((first + 1))" |
        run detect --redact --incidents --model "$out/$name.gguf" --html "$out/$name-report.html" - >"$out/own.txt" 2>"$out/own-summary.txt" ||
        { cat "$out/own-summary.txt" >&2 && return 1; }
    lines=$(count "$out/own.txt")
    head -n 24 "$out/own.txt"
    [ "$lines" -le 24 ] || printf '  %s%s%s\n' "$dim" "$(t "… $((lines - 24)) more lines; all of it: $out/$name-report.html" "… $((lines - 24)) weitere Zeilen; alles: $out/$name-report.html")" "$off"
    cat "$out/own-summary.txt"
    rm -f "$out/own.txt" "$out/own-summary.txt"
}
if [ $own = yes ]; then
    chapter "$(t "And this machine's own logs" 'Und die eigenen Protokolle dieses Rechners')" \
        "$(t 'With --redact: e-mail addresses, IP addresses and the like are replaced before anything is stored or shown. Nothing leaves this machine.' \
            'Mit --redact: E-Mail-Adressen, IP-Adressen und dergleichen werden ersetzt, bevor etwas gespeichert oder gezeigt wird. Nichts verlässt diesen Rechner.')"
    any=
    own_part dpkg /var/log/dpkg.log && any=yes
    own_part journal journal && any=yes
    [ -n "$any" ] || printf '  %s\n' "$(t 'There are none here with 400 lines that this user may read.' 'Es gibt hier keine mit 400 Zeilen, die dieser Benutzer lesen darf.')"
fi

# ---------------------------------------------------------------------------------------------------------------------
took=$(($(date +%s) - began))
chapter "$(t 'What to try next' 'Wie es weitergehen kann')" \
    "$(t "All this took $took s. The pages: demo-report.html (incidents), $out/patterns.html." "Das alles dauerte $took s. Die Seiten: demo-report.html (Vorfälle), $out/patterns.html.")"
next() { printf '  %s%-62s%s %s\n' "$bold" "$1" "$off" "$dim$2$off"; }
next "xdg-open demo-report.html" "$(t 'the time line and the reasons' 'Zeitlinie und Gründe')"
next "$alm patterns YOUR.log" "$(t 'what your own lines are made of' 'woraus Ihre eigenen Zeilen bestehen')"
next "$alm learn LAST-WEEK.log -o normal.gguf" "$(t 'what is normal for you' 'was bei Ihnen normal ist')"
next "tail -F TODAY.log | $alm detect --model normal.gguf --only-alarms -" "$(t 'as it happens' 'während es geschieht')"
next "$alm patterns --diff MONDAY.log TUESDAY.log" "$(t 'what is new since yesterday' 'was seit gestern neu ist')"
next "$alm detect --help" "$(t 'everything else' 'alles Übrige')"
