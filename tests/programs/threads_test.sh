#!/bin/bash
# Threads that all meet failures at once, and programs that leave libcurl by longjmp or enter it again from a callback.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
# Five of the first eight requests fail: in an unlucky order that is five in a row, and the circuit would open.
rescued() {
    timeout 60 gusset run --policy standard --set retry.attempts=20 --set retry.budget.ratio=100 --set retry.backoff.base=2ms --set breaker.consecutive=1000 "$@"
}

curl -s "$url/x?body=20000" >"$folder/body"
for how in status reset mixed; do
    is "8 threads of 100 requests, 30 % fail by $how: all succeed, each body whole" \
        "$(rescued -- "$BUILD/clients/threads" "$url/t?fail=30&seed=5&how=$how&body=20000&chunked=1" 8 100 "$folder/body")" \
        "800 good, 0 with a wrong body, 0 failed"
done
is "all calls of all threads are counted" "$(counted calls) $(counted failed)" "2400 0"
# Many threads start gusset at the same moment.
short=0
for _ in $(seq 10); do
    [ "$(rescued -- "$BUILD/clients/threads" "$url/t?body=20000&status=503&first=3" 16 1 "$folder/body")" = "16 good, 0 with a wrong body, 0 failed" ] || short=$((short + 1))
    ask zero >/dev/null
done
is "16 threads that begin at once, ten times" "$short" 0

for way in nest change inside; do
    "$BUILD/clients/jump" "$way" "$url/a?body=100" "$url/b?body=50" >"$folder/bare" 2>&1
    rescued -- "$BUILD/clients/jump" "$way" "$url/a?body=100&status=503&first=2" "$url/b?body=50&reset=headers&first=1" >"$folder/under" 2>&1
    is "$way: the same under gusset, over retries" "$? $(cat "$folder/under")" "0 $(cat "$folder/bare")"
    ask zero >/dev/null
done
for way in write header read progress clean again; do
    for fault in "" "&status=503&first=1"; do
        ask zero >/dev/null
        timeout 10 "$BUILD/clients/jump" "$way" "$url/a?body=100" "$url/b?body=50" >"$folder/bare" 2>&1
        wanted=$?
        rescued -- timeout 10 "$BUILD/clients/jump" "$way" "$url/a?body=100$fault" "$url/b?body=50" >"$folder/under" 2>&1
        is "longjmp, $way $fault: as bare" "$? $(cat "$folder/under")" "$wanted $(cat "$folder/bare")"
    done
done

done_testing
