#!/bin/bash
# Transfers that are no HTTP: FTP (pyftpdlib), which is judged by how its connection fares, and WebSocket (python3-websockets),
# which is left alone. By curl_easy_perform and in a multi handle, in each of the four ways to drive one.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
here=$(dirname "$0")
python=/usr/bin/python3 # Debian's, which has Debian's modules
under() {
    timeout 30 gusset run --policy standard --set retry.attempts=20 --set retry.backoff.base=100ms --set retry.backoff.jitter=none \
        --set retry.backoff.cap=100ms --set retry.budget.ratio=100 --set breaker.consecutive=100 "$@"
}

forget() { rm -f "$GUSSET_STATE"; }

# ---- FTP ----
callbacks=$BUILD/clients/callbacks
# start_ftp PORT
start_ftp() {
    "$python" -m pyftpdlib -i 127.0.0.1 -p "$1" -d "$folder/served" -w >"$folder/ftp.log" 2>&1 &
    ftp_pid=$!
    servers+=("$ftp_pid")
    listens "$1" "$ftp_pid"
}
mkdir "$folder/served"
seq 300 >"$folder/served/numbers"
printf 'hello upload\n' >"$folder/up.txt"
ftp=$(free_port)
# fetch WRAPPER WAY PATH OPTION...: what the program sees. Ports are the machine's; whether the server has taken the data
# connection already when it is asked (125) or not yet (150) is chance.
fetch() {
    local wrapper=$1 way=$2 path=$3
    shift 3
    [ "$way" = easy ] || set -- "via=$way" "$@"
    $wrapper "$callbacks" "ftp://127.0.0.1:$ftp/$path" "$@" 2>&1 |
        sed -E 's/\(\|\|\|[0-9]+\|\)/(port)/; s/^header [0-9]+: (125|150) .*/header: 125 or 150/'
}
if "$python" -c 'import pyftpdlib' 2>/dev/null && start_ftp "$ftp"; then
    for way in easy poll wait fdset socket; do
        for arguments in numbers "numbers repeat=3" none "up$way put=$folder/up.txt" "numbers head"; do
            # libcurl 7.88 bare hangs now and then: where the reply to EPSV on a kept connection comes within the turn of
            # socket_action that asked, it leaves neither a socket nor a timer to wait for
            [ "$way $arguments" != "socket numbers repeat=3" ] || continue
            # shellcheck disable=SC2086 # words
            bare=$(fetch "" $way ${arguments/#up/bare})
            # shellcheck disable=SC2086
            is "FTP, $way, ${arguments/$folder\//}: as bare" "$(fetch "under --" $way $arguments)" "$bare"
        done
        is "FTP, $way: what was put is whole" "$(cat "$folder/served/up$way" 2>&1)" "hello upload"
    done
    wanted=$(fetch "" easy numbers)
    for way in easy poll socket; do
        kill -KILL "$ftp_pid"; wait "$ftp_pid" 2>/dev/null
        forget
        bare=$(fetch "" $way numbers | tail -n 1)
        fetch "under --" $way numbers >"$folder/late.$way" &
        call=$!
        until [ "$(counted retries)" -gt 0 ]; do sleep 0.05; done
        start_ftp "$ftp"
        wait "$call"
        is "FTP, $way: a server that starts late is waited for; bare it fails" \
            "$([ "$bare" = "$(tail -n 1 <<<"$wanted")" ] || echo failed) $(diff <(fetch "" $way numbers) "$folder/late.$way" >/dev/null && echo same) $(counted rescued)" \
            "failed same 1"
    done
else
    skip "FTP" "python3-pyftpdlib is not installed"
fi

# ---- WebSocket ----
client=$BUILD/clients/websocket
"$python" "$here/servers/frames.py" >"$folder/ws" 2>"$folder/why" &
server=$!
servers+=("$server")
until [ -s "$folder/ws" ] || ! kill -0 "$server" 2>/dev/null; do sleep 0.05; done
ws=ws://127.0.0.1:$(cat "$folder/ws")
speaks() { [ "$("$client" talk "$ws/echo" one 2>&1 | sed -n 2p)" = one ]; }
if [ -s "$folder/ws" ] && ! speaks; then # libcurl 7.88 has it switched off
    backport=$(bash "$here/loading/backport" "$folder/backport" 2>"$folder/why")
    export LD_LIBRARY_PATH=$backport
fi
if [ -s "$folder/ws" ] && speaks; then
    for arguments in "talk $ws/echo one two three" "talk $ws/refuse one" "easy $ws/read" "poll $ws/read" "wait $ws/read" "fdset $ws/read" \
        "socket $ws/read" "easy $ws/refuse" "poll $ws/refuse" "socket $ws/refuse"; do
        # shellcheck disable=SC2086 # words
        bare=$("$client" $arguments)
        forget
        # shellcheck disable=SC2086
        is "WebSocket, ${arguments/$ws/}: as bare" "$(under -- "$client" $arguments)" "$bare"
    done
    is "WebSocket: left alone, so nothing is counted" "$(counted calls)" 0
else
    skip "WebSocket" "python3-websockets is not installed, or no libcurl here speaks it: $(tail -n 1 "$folder/why")"
fi

done_testing
