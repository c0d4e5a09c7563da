#!/bin/bash
# What a program does to itself says nothing about the server: its own time limit, a file that is missing, a callback that
# says stop, a full disk. None of it opens the circuit for others, or is counted as a failure.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
client=$BUILD/clients/callbacks
wary() {
    gusset run --policy standard --set retry.attempts=2 --set retry.backoff.base=5ms --set breaker.consecutive=2 --set breaker.open=60s "$@"
}

# harmless NAME WANTED-CODE COMMAND...: three times in a row; each ends with the code, and nobody else is refused
harmless() {
    local name=$1 wanted=$2 codes=
    shift 2
    forget
    for _ in 1 2 3; do
        timeout 10 gusset run --policy standard --set retry.attempts=2 --set retry.backoff.base=5ms \
            --set breaker.consecutive=2 --set breaker.open=60s -- "$@" >/dev/null 2>&1
        codes+="$? "
    done
    is "$name: ends as it would have bare" "$codes" "$wanted $wanted $wanted "
    is "$name: counts no failure" "$(counted failures) of $(counted calls)" "0 of 3"
    is "$name: opens no circuit" "$(counted opened) $(wary -- curl -s "$url/")" "0 ok"
}

harmless "its own --max-time" 28 curl -s -m 0.2 "$url/?delay=3000"
harmless "its own --max-time in the midst of a body" 28 curl -s -m 0.3 "$url/?body=5000&slow=1000"
harmless "its own --max-time while a body stalls" 28 curl -s -m 0.2 "$url/?body=5000&stall=body"
harmless "its own idea of a speed" 28 curl -s -y 1 -Y 100000 "$url/?body=50000&slow=1000"
harmless "a program's CURLOPT_TIMEOUT_MS" 0 "$client" "$url/?delay=3000" timeout=150
harmless "a missing CA file" 77 curl -s --cacert /nonexistent "https://127.0.0.1:$port/"
harmless "a missing client certificate" 58 curl -s --cert /nonexistent "https://127.0.0.1:$port/"
harmless "a progress callback that says stop" 0 "$client" "$url/?delay=3000" abort=1
harmless "a write callback that takes less" 0 "$client" "$url/?body=100" short=1
harmless "a full disk" 23 bash -c "exec curl -s '$url/?body=100' >/dev/full"
harmless "a full disk, all headers too" 23 bash -c "exec curl -si '$url/?body=100000' >/dev/full"
harmless "a file larger than the program will have" 63 curl -s --max-filesize 10 "$url/?body=100"
harmless "an interface that is not there" 45 curl -s --interface nosuch0 "$url/"
harmless "a proxy's name with a typing mistake" 5 curl -s -x http://nosuch.invalid:1 "$url/"
harmless "a proxy that is down, in one program's settings" 7 curl -s -x http://127.0.0.1:1 "$url/"
harmless "another host that is down, behind a redirect" 7 curl -sL "$url/?redirect=http://127.0.0.1:1/"
harmless "a program that is killed in the midst" 124 timeout 0.2 curl -s "$url/?stall=headers&for=3000"

done_testing
