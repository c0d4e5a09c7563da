#!/bin/bash
# Replies that no server sent: a status instead of a refusal (breaker.reject, limit.reject) and the rule's fallback. The
# program cannot tell them from a server that says the same bytes, in no interface and with no option.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
start_upstream
client=$BUILD/clients/callbacks
head -c 10000000 /dev/urandom >"$folder/large"
head -c 3000000 /dev/zero >"$folder/up.bin"
printf 'hello upload\n' >"$folder/up.txt"

# A server that says the bytes of a file: sets says.
python3 "$(dirname "$0")/servers/says.py" "$folder/said" >"$folder/says.port" &
servers+=($!)
until [ -s "$folder/says.port" ]; do sleep 0.02; done
says=$(cat "$folder/says.port")

# policy LINE...: a configuration with these groups for every call to 127.0.0.1
policy() {
    printf '%s\n' 'version = 1;' "policies: { quick1: { retry: { attempts = 2; backoff: { base = \"1ms\"; cap = \"1ms\"; }; }; }; p: { extends = \"quick1\"; $* }; };" \
        'hosts = ( { match = "127.0.0.1"; policy = "p"; } );' | config "$folder/p.cfg"
    rm -f "$GUSSET_STATE"
}
under() { timeout 60 gusset run --config "$folder/p.cfg" -- "$@"; }
trip() {
    under true
    GUSSET_CONFIG=$folder/p.cfg gusset trip "$1" >/dev/null || echo "# trip failed"
}

# What differs by nature: whom it was connected with, whether it was before, and the Host header's length.
plain() { sed -E 's/ (request_size|port|ip|local_ip|connects|connected)=[^ ]*//g'; }
options=("" "include" "follow" "fail" "fail include" "head" "head include" "headerdata" "pause" "pause include" "short=1" "header=X-A:1"
    "repeat=2" "dup" "reset" "custom=GET" "timeout=5000"
    "option=113:1 repeat=2")

# as_served NAME URL [OPTION]...: each scenario, in each interface, is as of the server that says the same
as_served() {
    local name=$1 url=$2 way option differ=0 count=0
    shift 2
    for way in "" via=poll via=wait via=fdset via=socket; do
        for option in "${options[@]}" "$@"; do echo "$url $way info $option"; done
    done >"$folder/scenarios"
    count=$(wc -l <"$folder/scenarios")
    timeout 60 "$client" - <"$folder/scenarios" 2>&1 | plain >"$folder/bare"
    under "$client" - <"$folder/scenarios" 2>&1 | plain >"$folder/under"
    differ=$(diff "$folder/bare" "$folder/under" | tee "$folder/diff" | grep -c '^[<>]')
    is "$name: $count scenarios are as of a server that says the same" "$differ" 0
    [ "$differ" = 0 ] || head -n 12 "$folder/diff" | sed 's/^/#   /'
}

# ---- a status instead of the refusal ----
policy 'breaker: { reject = "503"; };'
trip "127.0.0.1:$says"
under curl -si "http://127.0.0.1:$says/x" >"$folder/said"
is "breaker.reject = 503: the reply" "$(head -n 1 "$folder/said" | tr -d '\r') $(tail -n 1 "$folder/said")" \
    "HTTP/1.1 503 Service Unavailable gusset: 127.0.0.1:$says refused: circuit open by policy p, until it is reset by hand"
is "it says that it is not the server's" "$(grep -ci '^x-gusset-refused: circuit_open' "$folder/said")" 1
as_served "breaker.reject = 503" "http://127.0.0.1:$says/x" "post=abc" "post=abc fail"
is "the server saw none of it" "$(counted rejected)" "$(counted calls)"
for way in "-sf" "-s -o $folder/out" "-sI" "-sL" "-s -d a=b" "-s -T $folder/up.txt" "-s --http2-prior-knowledge" "-s --http2" \
    "-s -x http://127.0.0.1:9" "-s -p -x http://127.0.0.1:9" "-s -x socks5://127.0.0.1:9" "-s --preproxy socks5://127.0.0.1:9" \
    "-s --proto =http" "-s --aws-sigv4 aws:amz -u a:b" "-s -u a:b --anyauth" "-s --interface 127.0.0.9" "-s --resolve 127.0.0.1:$says:127.0.0.8" \
    "-s -4" "-s -6 --http1.0" "-s --limit-rate 1M" "-s --max-filesize 20" "-s --compressed" "-s --connect-to ::127.0.0.1:9"; do
    # shellcheck disable=SC2086 # words
    is "curl $way" "$(under curl $way -o /dev/null -w '%{http_code} %{url_effective} %{scheme} %{content_type} %{num_connects}' "http://127.0.0.1:$says/x?y" 2>&1)" \
        "503 http://127.0.0.1:$says/x?y HTTP text/plain; charset=utf-8 1"
done
is "a secure URL: the reply needs no TLS, and getinfo tells of the program's URL" \
    "$(under curl -s -o /dev/null -w '%{http_code} %{url_effective} %{scheme} %{ssl_verify_result}' --proto =https "https://127.0.0.1:$says/x")" \
    "503 https://127.0.0.1:$says/x HTTPS 0"
is "in parallel" "$(under curl -sZ -o /dev/null -w '%{http_code}\n' "https://127.0.0.1:$says/[1-20]" 2>/dev/null | sort | uniq -c | xargs)" "20 503"
is "ftp is refused as ever" "$(under curl -s "ftp://127.0.0.1:$says/x" -w '%{errormsg}'; echo " $?")" "gusset: 127.0.0.1:$says refused: circuit open by policy p, until it is reset by hand 7"
policy 'breaker: { reject = "503"; };'
for name in 1 2 3; do under curl -s -o /dev/null "http://127.0.0.1:$port/$name?status=503"; done
seconds=$(under curl -s -o /dev/null -w '%header{retry-after}' "http://127.0.0.1:$port/" 2>/dev/null)
at_least "a circuit that opened by itself: Retry-After, seconds" "${seconds:-0}" 1
at_most "and not longer than it is open" "${seconds:-9}" 5

policy 'limit: { rate = 1; per = "1h"; burst = 1; reject = "429"; };'
is "limit.reject = 429: the second call" \
    "$(under curl -s -o /dev/null -o /dev/null -w '%{http_code} ' "http://127.0.0.1:$port/1" "http://127.0.0.1:$port/2")" "200 429 "
seconds=$(under curl -sI "http://127.0.0.1:$port/3" | tr -d '\r' | awk -F': ' 'tolower($1) == "retry-after" {print $2}')
at_least "its Retry-After is when the next token comes, seconds" "${seconds:-0}" 3000

# ---- the fallback ----
policy 'breaker: { consecutive = 100; }; fallback: { status = 200; type = "application/json"; body = "{\"from\": \"fallback\"}\n"; methods = ["GET", "HEAD", "PUT"]; };'
is "tries ran out: the fallback" "$(under curl -s -w '%{http_code} %{size_download} %{content_type}' "http://127.0.0.1:$port/a?status=503")" \
    '{"from": "fallback"}
200 21 application/json'
is "the server was asked twice" "$(ask 'count?key=/a')" 2
for fault in reset=headers close=headers; do
    is "$fault: the fallback, and why" "$(under curl -si "http://127.0.0.1:$port/b?$fault" | tr -d '\r' | grep -i '^x-gusset-fallback')" "X-Gusset-Fallback: exhausted"
done
is "it is counted" "$(counted fallback)" 3
is "and told of" "$(gusset events | grep -c 'fallback .*given status 200 instead')" 3
is "a reply that is not tried again is the program's" "$(under curl -s -w '%{http_code}' "http://127.0.0.1:$port/a?status=404")" "error 404
404"
is "a POST is none of its methods" "$(under curl -s -d a=b -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/a?status=503")" 503
for way in "--digest" "--ntlm" "-Z --digest"; do
    # shellcheck disable=SC2086
    is "libcurl asks once more when its first request was for the login alone: $way" \
        "$(under curl -s $way -u a:b -T "$folder/up.txt" -w '%{http_code} %{num_connects}' http://127.0.0.1:9/x 2>/dev/null)" '{"from": "fallback"}
200 2'
done
is "a part is not what it would give" "$(under curl -s -r 0-9 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/a?status=503")" 503
is "once a body has begun it is too late" "$(under curl -s -o "$folder/out" "http://127.0.0.1:$port/a?body=9000&reset=body"; echo $?) $(wc -c <"$folder/out")" "56 4500"
trip "127.0.0.1:$says"
is "the circuit is open: the fallback, and why" "$(under curl -si "https://127.0.0.1:$says/x" | tee "$folder/said" | tr -d '\r' | grep -i '^x-gusset-fallback')" "X-Gusset-Fallback: circuit_open"
as_served "fallback" "http://127.0.0.1:$says/x"
for way in "" via=poll via=fdset via=socket; do
    # shellcheck disable=SC2086
    is "a request of 3 MB is not in the way of it ${way:-easy}" \
        "$(under "$client" "http://127.0.0.1:$says/x" $way "put=$folder/up.bin" header=Expect: | tail -n 1)" "result 0 status 200"
done

# ---- out of a file, larger than a socket takes at once ----
policy "breaker: { open = \"60s\"; }; fallback: { status = 203; type = \"application/octet-stream\"; file = \"$folder/large\"; };"
trip "127.0.0.1:$port"
for way in "" "-Z" "--limit-rate 100M" "--http2-prior-knowledge"; do
    # shellcheck disable=SC2086
    is "10 MB out of a file, whole ${way:-easy}" \
        "$(under curl -s $way -o "$folder/out" -w '%{http_code} %{size_download}' "https://127.0.0.1:$port/" 2>/dev/null) $(cmp "$folder/out" "$folder/large" 2>&1)" "203 10000000 "
done
is "HEAD tells its length" "$(under curl -sI "http://127.0.0.1:$port/" | tr -d '\r' | grep -i '^content-length')" "Content-Length: 10000000"
if php -r 'curl_version();' 2>/dev/null; then
    scripts=$(dirname "$0")/languages
    policy 'breaker: { open = "60s"; }; fallback: { body = "instead\n"; };'
    is "PHP curl_exec" "$(under php "$scripts/easy.php" "http://127.0.0.1:$port/1?status=503" "http://127.0.0.1:$port/2?reset=headers")" "instead
200
instead
200"
    is "PHP curl_multi" "$(under php "$scripts/multi.php" "http://127.0.0.1:$port/3?status=503" "http://127.0.0.1:$port/4?reset=headers")" "instead
200
instead
200
2 ended"
else
    skip "PHP gets the fallback" "php-curl is not installed"
fi
policy "fallback: { file = \"$folder/none\"; };"
is "without its file the failure is the program's" "$(under curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/a?status=503")" 503

# ---- in shadow it is only counted ----
policy 'fallback: { body = "instead"; }; retry: { attempts = 1; };'
is "shadow: the failure" "$(GUSSET_MODE=shadow under curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/a?status=503")" 503
is "counted" "$(counted would_fall_back) $(counted fallback)" "1 0"

# ---- methods ----
policy 'fallback: { methods = ["HEAD"]; };'
is "curl -I is a HEAD" "$(under curl -sI -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/a?status=503")" 200
is "and no other is" "$(under curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$port/b?status=503")" 503

# ---- and the connection is never another request's ----
policy 'breaker: { open = "60s"; reject = "503"; }; pool: { }; fallback: { methods = ["DELETE"]; body = "instead"; };'
ask zero >/dev/null
is "a handle goes on with the server's own" "$(under curl -s -w '%{http_code} ' -X DELETE "http://127.0.0.1:$port/d?status=503" --next -s -w '%{http_code} ' "http://127.0.0.1:$port/d?text=real" --next -s -w '%{http_code}' "http://127.0.0.1:$port/d?text=real")" \
    "instead200 real
200 real
200"

policy 'retry: { attempts = 1; }; fallback: { body = "instead"; };'
for order in "schemes=ftp protocols=3" "protocols=4 schemes=http,https"; do
    ask zero >/dev/null
    # shellcheck disable=SC2086
    is "of two options that say which schemes are allowed the last one holds: $order" \
        "$(under "$client" "http://127.0.0.1:$port/p?status=503&first=1" $order repeat=2 | grep -E '^(write|result)' | xargs)" \
        "write 7: instead result 0 status 200 write 3: ok result 0 status 200"
done

# ---- what is wrong is said ----
# wrong GROUP SENTENCE
wrong() {
    policy "$1"
    is "check: $1" "$(gusset check "$folder/p.cfg" 2>&1 | grep -c "p.cfg:.*$2")" 1
}
wrong 'breaker: { reject = "418"; };' 'breaker.reject: found "418", expected one of error, 503'
wrong 'limit: { reject = "503"; };' 'limit.reject: found "503", expected one of error, 429'
wrong 'fallback: { status = 100; };' 'fallback.status: found 100, expected a whole number from 200 to 599'
wrong 'fallback: { file = "up.txt"; };' 'fallback.file: found "up.txt", expected an absolute path'
wrong 'fallback: { methods = ["FETCH"]; };' 'fallback.methods: found "FETCH"'
wrong 'fallback: { type = "a\r\nb"; };' 'fallback.type: .*control'
wrong 'fallback: { body = "a"; file = "/b"; };' 'fallback.body and fallback.file are both given'
done_testing
