#!/bin/bash
# What libcurl keeps beside a handle's options (cookies, names, what it knows of hosts), what a share holds and what a proxy says is for
# the program the same where a call is made twice side by side (hedge) as where it is made once.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
if ! command -v python3 >/dev/null; then
    skip "what libcurl keeps, under a second attempt" "python3 is not installed"
    done_testing
fi
start_planned
server=$planned_port
planned=http://127.0.0.1:$server
config "$folder/p.cfg" <<'CFG'
version = 1;
policies: { p: { hedge: { after = "100ms"; }; retry: { budget: { floor = 1000; }; }; }; plain: { timeout: { total = "60s"; }; }; };
hosts = ( { match = "127.0.0.1"; policy = "p"; }, { match = "*.example"; policy = "p"; }, { match = "*.example"; paths = ["/first*"]; policy = "plain"; },
    { match = "localhost"; policy = "p"; },
    { match = "127.0.0.1"; paths = ["/plain"]; policy = "plain"; } );
CFG
under() { timeout 60 gusset run --config "$folder/p.cfg" -- "$@"; }
came() { curl -s "$planned/count?of=$1"; }
# sent PATH COOKIE: how many of its requests had that
sent() { curl -s "$planned/heads?of=$1" | grep -c "^Cookie: .*$2"; }
client=$BUILD/clients/kept

# as_bare NAME WHAT FIRST SECOND BARE-SECOND [ADDRESS]: paths with plans; so many requests of the second there were
as_bare() {
    local host=$planned
    [ $# -lt 6 ] || host=http://told.example:$server
    timeout 60 "$client" "$2" "$host/bare$2$3" "$host/bare2$2$5" "${@:6}" >"$folder/bare" 2>&1
    under "$client" "$2" "$host/first$2$3" "$host/$2$4" "${@:6}" >"$folder/under" 2>&1
    is "$1: as bare" "$(sort "$folder/under")" "$(sort "$folder/bare")" # whose order is the version of libcurl's
}
at=told.example:$server:127.0.0.1
as_bare "a name that the program has resolved, for another rule's call before" resolved "?plan=200" "?plan=300-200,200" "?plan=200" "$at"
as_bare "whose list is freed by then" freed "?plan=200" "?plan=300-200,200" "?plan=200" "$at"
is "such calls are made once" "$(came /resolved) $(came /freed)" "1 1"

as_bare "the socket of a call that needed no second" socket "?plan=200" "?plan=200" "?plan=200"
is "where the call before had another rule it is not that one's" \
    "$(under "$client" socket "$planned/plain?plan=200" "$planned/s2?plan=200" | grep '^socket' | tr '\n' ' ')" "socket its own socket none "

# ---- cookies ----
as_bare "a jar that outlives curl_easy_reset" reset "?plan=cookie" "?plan=5000-200,200" "?plan=200"
is "is sent by both" "$(sent /reset plain=1)" 2
as_bare "a share's cookies, changed meanwhile" shared "?plan=200" "?plan=5000-200,400-cookie" "?plan=400-cookie"
is "both were sent the old ones" "$(sent /shared mine=old)" 2
as_bare "a share's cookies of which the handle makes no use" jarless "?plan=200" "?plan=300-cookieto,5000-200" "?plan=cookieto"
is "none is sent" "$(sent /end plain=1)" 0
# jar COOKIE...: in a file, as curl -c writes it
jar() { printf '127.0.0.1\tFALSE\t/\tFALSE\t0\t%s\tyes\n' "$@" >"$folder/jar"; }
in_jar() { awk '!/^# / && NF >= 7 {print $6}' "$folder/jar" | sort | tr '\n' ' '; }
jar gone stays
under "$client" file "$planned/e1?plan=expire" "$planned/e2?plan=5000-200,200" "$folder/jar" >/dev/null
is "a cookie that was in the file and has expired since is not sent again" "$(sent /e2 gone) $(sent /e2 stays)" "0 2"
jar gone stays
under curl -s -b "$folder/jar" -c "$folder/jar" "$planned/e3?plan=5000-200,expire" >/dev/null
is "one that the winner expires goes" "$(came /e3) $(in_jar)" "2 stays "

# ---- the loop's progress function while the second is waited for ----
for way in poll wait fdset; do
    under timeout 20 "$client" aborted-$way "$planned/a0" "$planned/aborted$way?plan=200-reset,60000-200" >"$folder/aborted.$way" 2>&1 &
done
wait_for_all
for way in poll wait fdset; do
    is "$way: the program ends a call that waits for its second" "$(tail -n 1 "$folder/aborted.$way" | cut -d ' ' -f 1-4)" "result 42 status 0"
done

# ---- through proxies ----
if command -v tinyproxy >/dev/null; then
    proxy=$(free_port)
    printf '%s\n' "Port $proxy" "Listen 127.0.0.1" "Timeout 60" "LogFile \"$folder/proxy.log\"" "Allow 127.0.0.1" >"$folder/proxy.conf"
    tinyproxy -d -c "$folder/proxy.conf" >/dev/null 2>&1 &
    servers+=($!)
    listens "$proxy" $!
    number=0
    for options in "" -p "-p --suppress-connect-headers"; do
        for way in "" -Z; do
            number=$((number + 1))
            # shellcheck disable=SC2086 # words
            {
                say='%{exitcode} %{http_code} %{http_connect} %{num_connects} %{size_header}'
                curl -s $way -i -x "http://127.0.0.1:$proxy" $options -w "$say" "$planned/q$number?plan=200" >"$folder/bare" 2>/dev/null
                under curl -s $way -i -x "http://127.0.0.1:$proxy" $options -w "$say" "$planned/p$number?plan=5000-200,200" 2>/dev/null >"$folder/under"
            }
            is "by an http proxy (curl $options $way): as bare" "$(sed 's/^X-Number: 2/X-Number: 1/' "$folder/under")" "$(cat "$folder/bare")"
            is "and by a second attempt" "$(came /p$number)" 2
        done
    done
else
    skip "through a proxy" "tinyproxy is not installed"
fi
done_testing
