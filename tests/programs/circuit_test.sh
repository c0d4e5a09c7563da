#!/bin/bash
# One circuit for all processes: curl opens it, another curl, bash's /dev/tcp and nc find it open; it closes by a probe.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
quick() { gusset run --policy quick --set breaker.open=1s --set retry.backoff.base=10ms -- "$@"; }

is "a 503 is tried again and the program sees one reply" "$(quick curl -s "$url/?status=503&first=1&key=once")" ok
is "the server saw both attempts" "$(ask 'count?key=once')" 2

forget
for _ in 1 2 3; do quick curl -s -o /dev/null "$url/?status=503&key=down"; done
is "after five failures the server is spared" "$(ask 'count?key=down')" 5
text=$(quick curl -sS "$url/?status=503&key=down" 2>&1)
is "the refused curl ends with its own code for a refused connection" "$?" 7
ok "and with a sentence that names host, reason and time" \
    grep -q "127.0.0.1:$port refused: circuit open .* next try in [0-9]* ms" <<<"$text"
quick bash -c "exec 3<>/dev/tcp/127.0.0.1/$port" 2>/dev/null
is "bash's /dev/tcp is refused by the same circuit" "$?" 1
if command -v nc >/dev/null; then
    quick nc -z 127.0.0.1 "$port"
    is "nc is refused by the same circuit" "$?" 1
else
    skip "nc is refused by the same circuit" "nc is not installed"
fi
is "the server was left in peace" "$(ask 'count?key=down')" 5
sleep 1.2
is "after the open time a probe goes through and the circuit closes" "$(quick curl -s "$url/")" ok
is "then calls go as before" "$(quick curl -s "$url/")" ok

done_testing
