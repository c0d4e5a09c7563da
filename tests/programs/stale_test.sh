#!/bin/bash
# The last good reply to each GET is kept (stale) and given when its host is down: what is somebody's own never is, and
# names and files tell nobody anything.
. "$(dirname "$0")/lib.sh"
start_upstream
client=$BUILD/clients/callbacks
url=http://127.0.0.1:$port
shelf=$GUSSET_STATE.stale-$(id -u)

# policy STALE [GROUPS]
policy() {
    printf '%s\n' 'version = 1;' \
        "policies: { p: { stale: { $1 }; retry: { attempts = 2; backoff: { base = \"1ms\"; cap = \"1ms\"; }; }; breaker: { consecutive = 50; open = \"60s\"; }; ${2-} }; };" \
        'hosts = ( { match = "127.0.0.1"; policy = "p"; }, { match = "localhost"; policy = "p"; } );' | config "$folder/p.cfg"
    rm -rf "$GUSSET_STATE" "$shelf"
    ask up >/dev/null
    ask zero >/dev/null
}
under() { timeout 60 gusset run --config "$folder/p.cfg" -- "$@"; }
kept() { find "$shelf" -type f ! -name key 2>/dev/null | wc -l; }
# gets ARGUMENTS...: what curl has of it now
gets() { under curl -s -w ' %{http_code}' "$@"; }

policy ''
is "a good reply, as ever" "$(gets "$url/a?text=first")" "first
 200"
is "is kept" "$(kept)" 1
gets "$url/a?text=first" >/dev/null
is "once" "$(kept)" 1
ask down >/dev/null
is "and given when the host is down" "$(gets "$url/a?text=first")" "first
 200"
under curl -si "$url/a?text=first" | tr -d '\r' >"$folder/reply"
is "it says so, and how old it is" "$(grep -ciE '^(X-Gusset-Stale: exhausted|Age: [0-9]+|Warning: 110 - "Response is Stale"|Content-Length: 6)$' "$folder/reply")" 4
is "counted" "$(counted stale)" 2
is "and told of" "$(gusset events | grep -c 'stale .*given a reply of [0-9]* s ago instead')" 2
is "what was never asked is not there" "$(gets "$url/b?text=first"; echo " $?")" " 000 7"
is "nor is it given to another method" "$(gets -d x "$url/a?text=first"; echo " $?")" " 000 7"
is "nor to other headers" "$(gets -H 'Accept: text/html' "$url/a?text=first"; echo " $?")" " 000 7"
is "nor where a part is asked for" "$(gets -r 0-1 "$url/a?text=first"; echo " $?")" " 000 7"
for way in via=poll via=fdset via=socket; do
    is "in a loop, $way" "$(under "$client" "$url/a?text=loop" $way | tail -n 1) $(ask up >/dev/null; under "$client" "$url/a?text=loop" $way | tail -n 1; ask down >/dev/null; under "$client" "$url/a?text=loop" $way | tail -n 1)" \
        "result 7 status 0 result 0 status 200
result 0 status 200"
    rm -rf "$shelf"
done
ask up >/dev/null
gets -o "$folder/out" "$url/large?body=3000000&chunked=1" >/dev/null
is "of a host that answers 503" "$(ask 'outage?status=503' >/dev/null; gets -o "$folder/out2" "$url/large?body=3000000&chunked=1") $(cmp "$folder/out" "$folder/out2" 2>&1)" " 200 "
ask up >/dev/null
gets "$url/a?text=x" >/dev/null
under true
GUSSET_CONFIG=$folder/p.cfg gusset trip "127.0.0.1:$port" >/dev/null
is "where the circuit is open" "$(under curl -si "$url/a?text=x" | tr -d '\r' | grep -i '^x-gusset-stale')" "X-Gusset-Stale: circuit_open"
gusset reset "127.0.0.1:$port" >/dev/null

# ---- what is somebody's own ----
rm -rf "$shelf"
for own in "-u me:secret" "-H Authorization:\ Bearer\ secret" "-b a=secret" "-H Cookie:\ a=secret" "-c $folder/jar" "--netrc-optional" "--oauth2-bearer secret"; do
    eval "gets $own '$url/own?text=x'" >/dev/null
    is "not kept: ${own%%secret*}" "$(kept)" 0
done
gets "http://me:secret@127.0.0.1:$port/own?text=x" >/dev/null
is "not kept: credentials in the URL" "$(kept)" 0
gets "$url/own?text=x&cookie=a" >/dev/null
is "not kept: Set-Cookie" "$(kept)" 0
gets "$url/own?status=404" >/dev/null
gets -I "$url/own?text=x" >/dev/null
gets -L "$url/own?redirect=$url/other" >/dev/null
is "not kept: what is no 200, a HEAD, where a redirect led" "$(kept)" 0
gets -o "$folder/out" "$url/own?body=90000&reset=body" >/dev/null
is "not kept: half a body, and no draft of it" "$(kept)" 0

gets -o /dev/null --ignore-content-length "$url/own?body=90000&close=body" >/dev/null
is "not kept: half a body, though the program does not mind" "$(kept)" 0
gets --request-target "/other?text=x" "$url/own?text=y" >/dev/null
gets --raw "$url/own?body=30&chunked=1" >/dev/null
is "not kept: what its URL does not name, and what was not decoded (curl --raw)" "$(kept)" 0
gets --resolve "elsewhere.test:$port:127.0.0.1" -k "$url/own?text=x" >/dev/null
ask down >/dev/null
is "another server's at the same name, or one that nobody verified, is not given to others" "$(gets "$url/own?text=x"; gets -k "$url/own?text=x")" " 000 000"
ask up >/dev/null
rm -rf "$shelf"

is "a list of CURLOPT_RESOLVE may be freed when libcurl has read it" \
    "$(under /usr/bin/python3 "$(dirname "$0")/clients/resolves.py" "$url/1?body=0" "$url/2?body=0" "$url/3?body=0" 2>&1 | xargs)" "0 0 0"
rm -rf "$shelf"

# says FIELD: a server whose reply has that field
python3 "$(dirname "$0")/servers/says.py" "$folder/said" >"$folder/says.port" &
servers+=($!)
until [ -s "$folder/says.port" ]; do sleep 0.02; done
says() {
    printf 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n%b\r\n\r\nhi\n' "$1" >"$folder/said"
    gets "http://127.0.0.1:$(cat "$folder/says.port")/$RANDOM" >/dev/null
}
for field in "Cache-Control: no-cache" "Cache-Control: max-age=3, must-revalidate" "Cache-Control: private" "Cache-Control: max-age=3, no-store" "cache-control: Private=\"x\"" "Vary: User-Agent" "Vary: *" "Content-Encoding: x" \
    'Cache-Control: no-store\r\nCache-Control: max-age=3' 'Vary: Cookie\r\nVary: Accept-Encoding' 'Cache-Control: max-age=3,\r\n no-store'; do
    says "$field"
    is "not kept: $field" "$(kept)" 0
done
printf 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nLast-Modified: Sun, 13 Sep 2020 12:26:40 GMT\r\n\r\n3\r\nhi\n\r\n0\r\n\r\n' >"$folder/said"
is "not kept: no body, because the program has a newer one (curl -z)" \
    "$(gets -z 'Fri, 01 Jan 2021 00:00:00 GMT' "http://127.0.0.1:$(cat "$folder/says.port")/"; kept)" " 3040"
for field in "Cache-Control: max-age=3" "Vary: Accept-Encoding" "X-Private: no-store"; do
    rm -rf "$shelf"
    says "$field"
    is "kept: $field" "$(kept)" 1
done

# ---- secrets, bounds ----
rm -rf "$shelf"
gets "$url/path-secret?text=x&key=query-secret" >/dev/null
is "the folder and its files are their owner's alone" "$(stat -c %a "$shelf" "$shelf"/* | sort | uniq -c | xargs)" "2 600 1 700"
is "no name and no file tells what was asked for" "$(find "$shelf" -print0 | xargs -0 grep -alE 'path-secret|query-secret|127.0.0.1' 2>/dev/null; find "$shelf" | grep -c secret)" 0
chmod 755 "$shelf"
ask down >/dev/null
is "a folder that others can read is not trusted" "$(gets "$url/path-secret?text=x&key=query-secret"; echo " $?")" " 000 7"
policy 'size = "20K";'
for name in 1 2 3 4 5; do gets -o /dev/null "$url/$name?body=6000" >/dev/null; done
at_most "size bounds all of it" "$(find "$shelf" -type f -printf '%s\n' | awk '{sum += $1} END {print sum}')" 20500
is "the newest are there" "$(ask down >/dev/null; gets -o "$folder/out" "$url/5?body=6000") $(wc -c <"$folder/out")" " 200 6000"
ask up >/dev/null
gets -o /dev/null "$url/6?body=30000" >/dev/null
is "what alone is larger is not kept" "$(ask down >/dev/null; gets "$url/6?body=30000"; echo " $?")" " 000 7"
policy 'size = "1M";'
gets -o /dev/null "$url/1?body=60000" >/dev/null
for name in $(seq 9000); do echo x >"$shelf/$name"; done
gets -o /dev/null "$url/2?body=60000" >/dev/null
at_most "so many files that to look at them would take long are not kept, however small" "$(kept)" 4096
policy 'size = "10M";'
is "a program under a limit of file size (ulimit -f) lives, and gets its reply" \
    "$( (ulimit -c 0; ulimit -f 4; gets "$url/7?body=60000" | wc -c; ulimit -f 0; gets "$url/8?text=x") 2>&1)" "60004
x
 200"
is "which is not kept" "$(kept)" 0
policy 'age = "1s";'
gets "$url/a?text=x" >/dev/null
sleep 2.1
is "what is too old is not given" "$(ask down >/dev/null; gets "$url/a?text=x"; echo " $?")" " 000 7"
policy '' 'fallback: { body = "instead"; };'
gets "$url/a?text=x" >/dev/null
ask down >/dev/null
is "an earlier reply goes before a fallback" "$(gets "$url/a?text=x")" "x
 200"
is "which is for the rest" "$(gets "$url/b?text=x")" "instead 200"
printf '%s\n' 'version = 1;' 'policies: { p: { retry: { attempts = 2; backoff: { base = "1ms"; cap = "1ms"; }; }; }; };' \
    'hosts = ( { match = "*"; policy = "p"; } );' | config "$folder/p.cfg"
is "without the group nothing is given" "$(gets "$url/a?text=x"; echo " $?")" " 000 7"

# wrong STALE SENTENCE
wrong() {
    printf '%s\n' 'version = 1;' "policies: { p: { stale: { $1 }; }; };" 'hosts = ( { match = "*"; policy = "p"; } );' | config "$folder/w.cfg"
    is "check: $1" "$(gusset check "$folder/w.cfg" 2>&1 | grep -c "w.cfg:2: .*$2")" 1
}
wrong 'size = "10X";' 'stale.size: found "10X", expected a size such as "10M", from 1K to 1G'
wrong 'size = "10";' 'stale.size: found "10", expected a size'
wrong 'age = 3;' 'stale.age: found 3, expected a duration'
wrong 'age = "10ms";' 'stale.age: found "10ms"'
done_testing
