#!/bin/bash
# What a newcomer sees first: `make demo`, whose story is true, without a complaint; and the README's picture is its output.
# shellcheck disable=SC2154 # folder, out and err are lib.sh's
. "$(dirname "$0")/lib.sh"
root=$(realpath "$(dirname "$0")/../..")

mkdir "$folder/tmp"
exits "the demo goes well" 0 env BUILD="$BUILD" TMPDIR="$folder/tmp" timeout 120 "$root/scripts/demo"
is "its report is all that it says on standard error" "$(grep -vE '^(gusset: what was done for sh|HOST|127\.0\.0\.1|total)' <<<"$err")" ""
share() { sed -nE "s/^   $1 .* ([0-9]+) of 100\$/\\1/p" <<<"$out"; }
at_most "bare, a server that fails three requests in ten loses a quarter of the calls and more" "$(share bare)" 80
at_least "under gusset nearly none" "$(share gusset)" 95
for who in bare gusset; do
    is "the README shows what the demo printed ($who)" "$(grep -E "^   $who " "$root/README.md" | sed 's/^ *//')" \
        "$(grep -E "^   $who " <<<"$out" | sed 's/^ *//')"
done
says "in the outage the first process is told by the server" "$out" 'process  1: 2 requests at the server, .* \(22\) '
says "a later one by the circuit" "$out" 'process  5: 0 requests at the server, .* \(7\) gusset: 127\.0\.0\.1:[0-9]+ refused: circuit open by policy quick'
at_most "the server is left in peace: twenty calls, requests" "$(sed -nE 's/.*the server saw ([0-9]+) requests for 20 calls/\1/p' <<<"$out")" 12
says "the README's refusal is such a line" "$(grep -E '^curl: \(7\)' "$root/README.md")" \
    '^curl: \(7\) gusset: 127\.0\.0\.1:8080 refused: circuit open by policy quick, next try in [0-9]+ ms$'
says "when the server is back a probe finds it" "$out" 'probe +127\.0\.0\.1:.*circuit half open'
is "and the circuit closes" "$(grep -oE '^20.* (closed|opened|rejected|probe) ' <<<"$out" | tail -n 1 | awk '{print $3}')" closed
says "the report has what was rescued" "$err" '^127\.0\.0\.1:[0-9]+ +standard +10 +1[0-9] +'
is "nothing is left of it" "$(ls -A "$folder/tmp")" ""

done_testing
