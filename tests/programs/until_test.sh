#!/bin/bash
# Until when a call may go on: told to the server in a header, and inherited by child programs as GUSSET_DEADLINE, by which
# every call under a rule ends.
. "$(dirname "$0")/lib.sh"
start_upstream
other=$port other_control=$control
start_upstream
url=http://127.0.0.1:$port
header() { ask "heads?key=$1" | tr -d '\r' | sed -n 's/^X-Left: //p' | tr '\n' ' '; }
told=(--policy quick --set timeout.header=X-Left --set retry.attempts=3 --set retry.backoff.base=200ms --set retry.backoff.jitter=none
    --set retry.backoff.factor=1)

# ---- the header ----
gusset run "${told[@]}" --set timeout.total=20s -- curl -s -o /dev/null "$url/?key=left&status=503&first=2"
read -r one two three rest <<<"$(header left)"
is "each attempt tells what is left, once" "${three:+three}$rest" three
at_most "the first nearly all of it" "$one" 20000
at_least "at least most" "$one" 15000
at_least "each says less than the one before, by the wait between them: the second" $((one - two)) 199
at_least "and the third" $((two - three)) 199
gusset run "${told[@]}" --set timeout.total=0s -- curl -s -o /dev/null "$url/?key=endless"
is "a call without an end tells none" "$(header endless)" ""
gusset run "${told[@]}" --set timeout.total=0s -- curl -s -m 5 -o /dev/null "$url/?key=own"
at_most "the program's own limit counts" "$(header own)" 5000
gusset run "${told[@]}" -- curl -s -H "X-Left: mine" -o /dev/null "$url/?key=mine"
is "the program's own header wins" "$(header mine)" "mine "
gusset run "${told[@]}" -- curl -s -Z -o /dev/null "$url/?key=multi" 2>/dev/null
at_least "it goes through the multi interface, too" "$(header multi)" 1000
gusset run "${told[@]}" -- curl -sL -o /dev/null "$url/?key=from&redirect=http://127.0.0.1:$other/?key=to"
is "another origin is not told" "$(command curl -s "http://$other_control/heads?key=to" | grep -ci x-left)" 0
config "$folder/bad.cfg" <<<'policies: { p: { timeout: { header = "X Left"; }; }; };'
exits "a name that is none is a fault" 1 gusset check "$folder/bad.cfg"
says "which says what is expected" "$err$out" "bad.cfg:1: timeout.header: found \"X Left\", expected a header's name"

# ---- the run's deadline ----
forget
began=$(date +%s%N)
# shellcheck disable=SC2016 # the inner shell's
gusset run --policy standard --set breaker.consecutive=1 --deadline 700ms -- sh -c '
    curl -sS "$0/?delay=20000&key=cut" 2>&1; echo "exit $?"
    curl -sS "$0/?key=late" 2>&1; echo "exit $?"
    curl -sS -Z "$0/?key=late" 2>&1 | grep -o "gusset: .*"' "$url" >"$folder/said"
took_ms=$((($(date +%s%N) - began) / 1000000))
says "a call ends by the run's deadline" "$(sed -n 2p "$folder/said")" "exit 28"
at_most "and not by its own limits" "$took_ms" 10000
is "what comes after is not made" "$(ask 'count?key=late')" 0
is "but fails at once, with a sentence" "$(sed -n 3,4p "$folder/said" | cut -d : -f 2- | xargs)" \
    "(7) gusset: 127.0.0.1:$port refused: the deadline of this run (GUSSET_DEADLINE) has passed exit 7"
is "through the multi interface as well" "$(sed -n 5p "$folder/said")" "gusset: 127.0.0.1:$port refused: the deadline of this run (GUSSET_DEADLINE) has passed"
is "it is counted" "$(counted late)" 2
says "and told among the events" "$(gusset events)" "late .*the deadline of the run has passed"
is "it is no fault of the host's: the circuit is closed" "$(counted opened) $(gusset run --policy standard -- curl -s "$url/")" "0 ok"

began=$(date +%s%N)
for how in "" -Z; do
    gusset run --policy quick --set timeout.transfer=0s --deadline 600ms -- curl -s $how -o /dev/null "$url/?body=90000&slow=5000" 2>/dev/null
    echo "$? "
done >"$folder/said"
is "a body that flows is ended, too, at both interfaces" "$(xargs <"$folder/said")" "28 28"
at_most "soon" $((($(date +%s%N) - began) / 1000000)) 10000
config "$folder/bare.cfg" <<<'hosts = ( { match = "*"; retry: { attempts = 9; backoff: { base = "150ms"; factor = 1.0; jitter = "none"; }; }; } );'
gusset run --config "$folder/bare.cfg" --deadline 400ms -- curl -s -o /dev/null "$url/?status=503&key=tries"
at_most "no wait goes past it, where a rule sets no limits at all: of nine tries are made" "$(ask 'count?key=tries')" 4
is "in shadow nothing is ended" "$(gusset run --shadow --policy quick --deadline 1ms -- curl -s "$url/?delay=50")" ok
is "where no rule holds neither" "$(GUSSET_DEADLINE=1 GUSSET_MODE=off gusset run --policy quick -- curl -s "$url/")" ok
gusset run "${told[@]}" --deadline 8s -- curl -s -o /dev/null "$url/?key=both"
at_most "the server is told the nearer end" "$(header both)" 8000

# shellcheck disable=SC2016 # the inner shell's
knock=': 3<>"/dev/tcp/127.0.0.1/$0"'
says "a connect is refused, too" "$(LC_ALL=C GUSSET_DEADLINE=1000000000.5 gusset run --policy quick -- bash -c "$knock" "$port" 2>&1)" "Connection timed out"
ok "but not before the deadline" env GUSSET_DEADLINE=$(($(date +%s) + 60)) gusset run --policy quick -- bash -c "$knock" "$port"
if /usr/bin/python3 -c "import pycurl" 2>/dev/null; then
    cat >"$folder/loop.py" <<'P'
import pycurl, sys
easy = pycurl.Curl()
easy.setopt(pycurl.URL, sys.argv[1])
easy.setopt(pycurl.WRITEFUNCTION, lambda data: None)
try:
    for count in range(10000000):
        easy.perform()
except pycurl.error as error:
    print(count > 3, error.args[0] in (7, 28))
P
    is "a handle that is used again and again ends by it" "$(gusset run --policy quick --deadline 700ms -- /usr/bin/python3 "$folder/loop.py" "$url/")" "True True"
else
    skip "a handle that is used again ends by it" "python3-pycurl is not installed"
fi

# ---- who inherits ----
now=$(date +%s)
at_least "--deadline says it as Unix time" "$(gusset run --deadline 100s -- printenv GUSSET_DEADLINE | cut -d . -f 1)" $((now + 99))
is "an earlier one that was inherited wins" "$(GUSSET_DEADLINE=$((now + 50)).5 gusset run --deadline 100s -- printenv GUSSET_DEADLINE)" "$((now + 50)).5"
at_most "a later one does not" "$(GUSSET_DEADLINE=$((now + 5000)) gusset run --deadline 100s -- printenv GUSSET_DEADLINE | cut -d . -f 1)" $((now + 200))
exits "a deadline that is none is refused" 125 gusset run --deadline soon -- true
exits "and so is an inherited one" 125 env GUSSET_DEADLINE=soon gusset run -- true
done_testing
