#!/bin/bash
# Streams that a server pushes over HTTP/2 (nginx) into the multi handle of a program, in each of the four ways to drive one:
# they come as bare, beside calls that have a rule, that are tried again, and that wait.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
start_upstream
client=$BUILD/clients/push
if ! command -v openssl >/dev/null || ! command -v nginx >/dev/null; then
    skip "pushed streams" "openssl or nginx is not installed"
    done_testing
fi
certificate good IP:127.0.0.1
start_nginx push <<CFG
    upstream sick { server 127.0.0.1:$port; keepalive 64; }
    server {
        listen 127.0.0.1:WEB ssl http2;
        ssl_certificate $folder/good.crt;
        ssl_certificate_key $folder/good.key;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        location / { proxy_pass http://sick; }
        location /page { proxy_pass http://sick; http2_push /a?body=3000&delay=20; http2_push /b?body=200; }
        location /refuses { proxy_pass http://sick; http2_push /c?status=503&body=100; }
    }
CFG
export CURL_CA_BUNDLE=$folder/authority.crt
url=https://127.0.0.1:$web
under() { timeout 30 gusset run --policy standard --set retry.backoff.base=20ms --set retry.budget.ratio=100 --set breaker.consecutive=100 "$@"; }
# The order in which streams end is the machine's.
pushed() { sort | uniq -c | sed 's/^ *//'; }

# libcurl 7.88 takes no push that comes behind its reply's headers, as nginx's do: then a newer one is asked.
pushes() { [ "$("$client" poll "$url/page" 1 | grep -c '^/[ab].*status 200')" = 2 ]; }
if ! pushes; then
    backport=$(bash "$(dirname "$0")/loading/backport" "$folder/backport" 2>"$folder/why")
    export LD_LIBRARY_PATH=$backport
    if [ ! -d "$backport" ] || ! pushes; then
        skip "pushed streams" "this nginx or this libcurl does not push, and no newer one: $(tail -n 1 "$folder/why")"
        done_testing
    fi
fi
config "$folder/hedge.cfg" <<'CFG'
version = 1;
policies: { p: { hedge: { after = "100ms"; }; }; };
hosts = ( { match = "127.0.0.1"; policy = "p"; } );
CFG
for way in poll wait fdset socket; do
    for arguments in "page?body=900 3" "page?body=900 2 deny" "refuses 2"; do
        # shellcheck disable=SC2086 # words
        bare=$("$client" $way "$url/"$arguments | pushed)
        # shellcheck disable=SC2086
        is "by $way, $arguments: as bare" "$(under -- "$client" $way "$url/"$arguments | pushed)" "$bare"
    done
    is "by $way, in shadow: as bare" "$(under --shadow -- "$client" $way "$url/page" 2 | pushed)" "$("$client" $way "$url/page" 2 | pushed)"
    # What was promised with the reply that is thrown away comes, too: no pushed stream is a part of it.
    forget
    got=$(under -- "$client" $way "$url/page?key=$way&status=503&first=1&body=900" 2 | pushed)
    is "by $way, a call that is tried again: the pushes of each try come, and no reply but the good one" "$got $(counted rescued)" \
        "3 /a?body=3000&delay=20: result 0 status 200, 3000 bytes
3 /b?body=200: result 0 status 200, 200 bytes
1 0 faults
2 asked: result 0 status 200, 900 bytes 1"
    # A pushed stream's handle is a copy of the one that asked, which must not be one of ours.
    forget
    bare=$("$client" $way "$url/page?delay=300&body=900" 2 | pushed)
    got=$(timeout 30 gusset run --config "$folder/hedge.cfg" -- "$client" $way "$url/page?delay=300&body=900" 2 | pushed)
    is "by $way, where a second attempt is due: as bare, and there is none" "$got, $(counted hedged)" "$bare, 0"
done
if command -v valgrind >/dev/null; then
    timeout 60 valgrind --quiet --error-exitcode=99 "$client" poll "$url/page" 2 >/dev/null 2>"$folder/bare"
    bare=$?
    LD_PRELOAD=$BUILD/libgusset.so GUSSET_POLICY=standard timeout 60 valgrind --error-exitcode=99 --log-file="$folder/under" \
        "$client" poll "$url/page?key=valgrind&status=503&first=1" 2 >/dev/null
    is "memcheck finds nothing" "$?" "$bare"
else
    skip "memcheck finds nothing" "valgrind is not installed"
fi

done_testing
