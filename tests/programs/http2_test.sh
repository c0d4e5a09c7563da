#!/bin/bash
# Real HTTP/2: nginx with TLS before the server that misbehaves. Calls that share a connection are each tried again, by
# themselves and side by side; a stream that breaks, a connection that the server closes in good order, likewise.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
start_upstream
if ! command -v openssl >/dev/null || ! command -v nginx >/dev/null; then
    skip "calls over HTTP/2 are rescued" "openssl or nginx is not installed"
    done_testing
fi
certificate good IP:127.0.0.1
start_nginx h2 <<CFG || fail "nginx is there"
    upstream sick { server 127.0.0.1:$port; keepalive 64; }
    server {
        listen 127.0.0.1:WEB ssl http2;
        ssl_certificate $folder/good.crt;
        ssl_certificate_key $folder/good.key;
        http2_max_concurrent_streams 20;
        location / {
            proxy_pass http://sick;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
            proxy_next_upstream off;
        }
        location /hasty/ { # the stream ends as a connection would
            return 444;
        }
    }
CFG
export CURL_CA_BUNDLE=$folder/authority.crt
url=https://127.0.0.1:$web
rescued() {
    timeout 30 gusset run --policy standard --set retry.attempts=8 --set retry.budget.ratio=100 --set retry.backoff.base=2ms \
        --set retry.methods=GET,HEAD,PUT,POST --set breaker.consecutive=20 "$@"
}
is "curl and nginx speak HTTP/2" "$(curl -s --http2 -w '%{http_version}' "$url/")" "ok
2"
printf 'hello upload\n' >"$folder/up.txt"

for arguments in "-s" "-si" "-sI" "-s -d a=b" "-s -T $folder/up.txt" "-sf" "-s -w %{http_version}%{http_code}%{size_download}"; do
    for fault in status=503 reset=headers; do # nginx answers 502 for the latter
        forget
        # shellcheck disable=SC2086 # arguments are words
        curl --http2 $arguments "$url/h?key=well&body=3000" >"$folder/wanted" 2>&1
        echo "exit $?" >>"$folder/wanted"
        # shellcheck disable=SC2086
        rescued -- curl --http2 $arguments "$url/h?key=sick&$fault&first=2&body=3000" >"$folder/got" 2>&1
        echo "exit $?" >>"$folder/got"
        sed -i '/^date:/d' "$folder/wanted" "$folder/got"
        is "curl $arguments, $fault twice: as with a healthy server" \
            "$(ask 'count?key=sick') $(diff "$folder/wanted" "$folder/got" 2>&1 | head -n 4)" "3 "
    done
done

# many NAME WRAPPER FAULT: 50 URLs side by side, all on one connection or few; says how many bodies are whole
curl -s --http2 "$url/x?body=20000" >"$folder/body"
many() {
    local list=$folder/urls whole=0
    rm -f "$folder"/part.*
    for number in $(seq 50); do
        echo "url = \"$url/$number?key=$1&body=20000&$3\""
        echo "output = \"$folder/part.$number\""
    done >"$list"
    $2 curl -sZ --http2 --parallel-max 50 -K "$list" 2>"$folder/stderr"
    for number in $(seq 50); do cmp -s "$folder/part.$number" "$folder/body" && whole=$((whole + 1)); done
    echo "$whole"
}
helped() { rescued -- "$@"; }
bare() { "$@"; }
is "bare, 50 URLs side by side" "$(many a bare x=)" 0 # the server does not know x
is "bare, 50 URLs side by side, all are well" "$(many b bare chunked=1)" 50
for how in status mixed; do
    forget
    at_most "bare, 30 % fail by $how: some bodies are missing" "$(many c$how bare "fail=30&seed=2&how=$how")" 45
    for round in 1 2 3; do
        forget
        is "under gusset all 50 bodies are whole ($how, $round)" "$(many d$how$round helped "fail=30&seed=$round&how=$how")" 50
    done
done
forget
rescued -- curl -sZ --http2 --parallel-max 50 -w '%{num_connects}\n' -K "$folder/urls" 2>/dev/null >"$folder/connects"
curl -sZ --http2 --parallel-max 50 -w '%{num_connects}\n' -K "$folder/urls" 2>/dev/null >"$folder/connects.bare"
sum() { awk '/^[0-9]+$/ {sum += $1} END {print sum}' "$1"; }
at_most "they share connections as they do bare ($(sum "$folder/connects.bare")): 50 calls and their retries opened" \
    "$(sum "$folder/connects")" $(($(sum "$folder/connects.bare") + 15))

# A stream that the server resets before a reply, on a connection that lives on.
curl -s --http2 "$url/hasty/" 2>/dev/null
bare=$?
forget
rescued -- curl -s --http2 "$url/hasty/" 2>/dev/null
is "a server that always hangs up: ends as bare" "$?" "$bare"
is "after all tries" "$(counted attempts)" 8

# A body that breaks off has reached the program.
curl -s --http2 -o "$folder/1" "$url/?reset=body&body=9000"
bare="$? $(wc -c <"$folder/1")"
rescued -- curl -s --http2 -o "$folder/2" "$url/?reset=body&body=9000"
is "a stream that is reset in the midst of its body ends as bare" "$? $(wc -c <"$folder/2")" "$bare"

# The server says GOAWAY after each third request.
start_nginx goaway <<CFG || fail "nginx is there"
    server {
        keepalive_requests 3;
        listen 127.0.0.1:WEB ssl http2;
        ssl_certificate $folder/good.crt;
        ssl_certificate_key $folder/good.key;
        location / { proxy_pass http://127.0.0.1:$port; proxy_buffering off; }
    }
CFG
url=https://127.0.0.1:$web
forget
is "a server that says GOAWAY after three requests, 30 % fail: all 50 bodies are whole" "$(many e helped "fail=30&seed=4")" 50
forget
rescued -- curl -s --http2 "$url/[1-20]?body=20000&fail=30&seed=5&key=g" >"$folder/got"
is "and one after the other" "$? $(wc -c <"$folder/got")" "0 400000"

# ---- without a rule ----
config "$folder/other.cfg" <<'CFG'
version = 1;
hosts = ( { match = "elsewhere.example"; policy = "standard"; } );
CFG
for mode in "GUSSET_CONFIG=$folder/other.cfg" "GUSSET_POLICY=standard GUSSET_MODE=shadow"; do
    for arguments in "-si" "-sf" "-s -d a=b -w %{http_version}%{http_code}" "-sZi"; do
        for query in body=500 status=503 reset=headers "reset=body&body=500"; do
            forget
            # shellcheck disable=SC2086 # words
            curl --http2 $arguments "$url/p?key=p&$query" 2>&1 | grep -v '^date' >"$folder/1"
            # shellcheck disable=SC2086
            env $mode LD_PRELOAD="$BUILD/libgusset.so" curl --http2 $arguments "$url/p?key=p&$query" 2>&1 | grep -v '^date' >"$folder/2"
            if [ "$arguments" != -sZi ]; then cmp "$folder/1" "$folder/2"; else cmp <(head -c 120 "$folder/1") <(head -c 120 "$folder/2"); fi
            ask 'heads?key=p' | awk 'BEGIN {RS = "--\n"} {head[NR] = $0} END {exit head[1] != head[2]}' || echo "wire $arguments $query"
        done
    done >"$folder/differ" 2>&1
    is "${mode##*[=/]}: output and bytes behind nginx are as bare" "$(cat "$folder/differ")" ""
done

done_testing
