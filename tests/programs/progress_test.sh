#!/bin/bash
# Work that takes long tells how far it is, on a terminal and nowhere else.
# shellcheck disable=SC2154 # folder is lib.sh's
. "$(dirname "$0")/lib.sh"
if ! command -v script >/dev/null || ! command -v python3 >/dev/null; then
    skip "long work shows its progress" "script(1) or python3 is not installed"
    done_testing
fi
# Its whole output on a terminal, line endings shown as they are.
on_terminal() { TERM=xterm script -qec "$*" /dev/null </dev/null; }
erased=$'\r\033\\[K' # as a pattern
long=(gusset simulate -s overload --clients 1000 --duration 5m --policy quick --policy standard)

# ---- simulate ----
out=$(on_terminal "${long[@]}")
says "a long simulation tells how far it is" "$out" $'\rsimulating (bare|quick|standard), run [123] of 3: [0-9]+ %\033'
is "in one line, which is erased before the result" "$(grep -c 'simulating' <<<"$out")" 1
says "at the end" "$(grep simulating <<<"$out")" "$erased"$'[^\r]*\r$'
out=$(on_terminal "${long[@]}" --json)
is_silent "none with --json" "$out" simulating
is_silent "none in a pipe" "$("${long[@]}" 2>&1)" "simulating|$erased"
is_silent "none of what is soon done" "$(on_terminal gusset simulate -s outage --duration 5s)" "simulating|$erased"
screen=$(python3 "$(dirname "$0")/terminal.py" 100x40 20 "${long[@]}")
says "the result is what a person sees" "$(head -n 1 <<<"$screen")" '^overload: '
is_silent "with nothing left of the line" "$screen" simulating

# ---- replay ----
python3 - >"$folder/long.rec" <<'E2'
for i in range(400000):
    at, bad = i * 1000, i % 7 == 0
    print('{"pid":1,"call":%d,"host":"api.example.com:80","policy":"x","method":"GET","opened_us":%d,"attempt":1,"began_us":%d,'
          '"ended_us":%d,"outcome":"%s","status":%d,"sent":1}' % (i, at, at, at + 20000, "server_error" if bad else "success", 503 if bad else 200))
E2
out=$(on_terminal gusset replay "$folder/long.rec" --policy aggressive)
says "a long replay tells it, too" "$out" $'\rreplaying: [0-9]+ %\033'
is_silent "but not in a pipe" "$(gusset replay "$folder/long.rec" --policy aggressive 2>&1)" replaying

# ---- health ----
mute() { python3 -c 'import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(9); print(s.getsockname()[1], flush=True); time.sleep(60)'; }
mute >"$folder/port" & # takes connections, and says nothing
servers+=($!)
for _ in $(seq 100); do [ -s "$folder/port" ] && break || sleep 0.05; done
config "$folder/slow.cfg" <<<"services = (
    { name = \"slow\"; url = \"http://127.0.0.1:$(cat "$folder/port")\"; health: { path = \"/\"; timeout = \"1200ms\"; }; },
    { name = \"gone\"; url = \"http://127.0.0.1:1\"; health = \"/\"; } );"
out=$(on_terminal gusset health --config "$folder/slow.cfg")
says "checks that take long tell how many are done" "$out" $'\r1 of 2 checked\033'
says "and the table follows an erased line" "$out" "$erased"'(.\[[0-9]*m)?SERVICE'
is_silent "none with --json" "$(on_terminal gusset health --config "$folder/slow.cfg" --json)" checked

done_testing
