#!/bin/bash
# Calls that libcurl or the program itself holds up in a multi handle: no limit takes that time for the server's, and what
# is said to be left is what there is.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
start_upstream
url=http://127.0.0.1:$port
client=$BUILD/clients/queued

# ---- one connection for many calls ----
bare=$("$client" line "$url/?delay=100" 15 | sort | uniq -c | xargs)
is "bare, 15 calls over one connection are served one after the other" "$bare" "15 result 0 status 200"
for limit in "timeout.attempt=600ms --set timeout.connect=500ms" "timeout.total=800ms" "timeout.connect=300ms"; do
    forget
    # shellcheck disable=SC2086 # a setting, or two
    got=$(timeout 20 gusset run --policy standard --set $limit -- "$client" line "$url/?delay=100" 15 | sort | uniq -c | xargs)
    is "$limit: the time in libcurl's queue is not the server's" "$got $(counted failures)" "$bare 0"
    forget
    # shellcheck disable=SC2086
    got=$(timeout 20 gusset run --policy standard --set $limit -- "$client" line "$url/a?redirect=$url/b%3Fdelay%3D100&delay=50" 12 | sort | uniq -c | xargs)
    is "$limit: nor behind a redirect" "$got $(counted failures)" "12 result 0 status 200 0"
done
forget
got=$(timeout 20 gusset run --policy standard --set timeout.attempt=500ms --set timeout.connect=300ms --set retry.backoff.base=5ms --set retry.budget.ratio=100 -- \
    "$client" line "$url/?stall=headers&first=2" 4 | sort | uniq -c | xargs)
is "a server that is silent is found out nevertheless" "$got $(counted failures)" "4 result 0 status 200 2"
forget
got=$(timeout 20 gusset run --policy standard --set timeout.attempt=600ms --set timeout.connect=500ms --set retry.attempts=1 -- \
    "$client" line "$url/?delay=450" 2 "$url/late?stall=headers&for=15000" | sort | uniq -c | xargs)
is "also after others had the connection for longer than its limit" "$got" "2 result 0 status 200 2 result 28 status 0"

start_full
forget
began=${EPOCHREALTIME/./}
got=$(timeout 20 gusset run --policy standard --set timeout.connect=300ms --set retry.attempts=1 -- "$client" line "$full" 3 | sort | uniq -c | xargs)
is "one that cannot connect is found out, and so are those behind it" "$got $(counted failures)" "3 result 28 status 0 3"
at_most "each by its own limit, in ms" $(((${EPOCHREALTIME/./} - began) / 1000)) 4000

# A refused call needs no connection, so it does not wait for one. A copy of it is not refused for good.
forget
is "a copy of a call that is refused goes where the program meant it to" \
    "$(timeout 20 gusset run --policy standard -- "$client" copy "$url/?delay=500" 300 "$url/x" "gusset trip 127.0.0.1:$port --for 600ms >/dev/null" | tr '\n' ' ')" \
    "result 7 status 0 result 0 status 200 copy 0 "

gusset trip "127.0.0.1:$port" --for 20s >/dev/null
ask zero >/dev/null
is "nor do many, one after the other" \
    "$(timeout 20 gusset run --policy standard -- "$client" line "$url/x" 12 | sort | uniq -c | xargs) $(ask total)" "12 result 7 status 0 0"

# ---- a call that the program itself pauses, for longer than any limit ----
limits=(--policy standard --set timeout.attempt=500ms --set timeout.connect=500ms --set timeout.total=1500ms --set timeout.idle=1s
    --set retry.backoff.base=300ms --set retry.backoff.jitter=none --set retry.budget.ratio=100)
# paused NAME WHAT QUERY
paused() {
    local bare
    bare=$("$client" "$2" "$url/?$3" 2000)
    forget
    is "$1: as bare" "$(timeout 20 gusset run "${limits[@]}" -- "$client" "$2" "$url/?$3" 2000)" "$bare"
    is "$1: not counted against the server" "$(counted failures)" 0
}
paused "paused before the reply" early "delay=200&body=5000"
paused "paused within the body" late "body=100000&slow=100000"
paused "paused within the body, curl_easy_perform" easy "body=100000&slow=100000"
forget
bare=$("$client" early "$url/x?body=5000&delay=300" 600)
got=$(timeout 20 gusset run "${limits[@]}" -- "$client" early "$url/?body=5000&status=503&first=1" 600)
is "paused while it waits for its next try: as bare" "${got%,*}" "${bare%,*}"
pieces() { sed -n 's/.* bytes, \([0-9]*\) pieces.*/\1/p' <<<"$1"; } # libcurl 8.14 hands over one after all
at_most "and it is given no more pieces meanwhile" "$(pieces "$got")" "$(pieces "$bare")"

# ---- messages of calls with a rule and without ----
config "$folder/one.cfg" <<'CFG'
version = 1;
hosts = ( { match = "127.0.0.1"; policy = "standard"; } );
CFG
for delays in "5 60" "60 5"; do
    read -r ours others <<<"$delays"
    forget
    bare=$("$client" left "$url/?delay=$ours" 3 "http://localhost:$port/?delay=$others")
    is "what is left, after $ours ms with a rule, $others ms without: as bare" \
        "$(GUSSET_CONFIG=$folder/one.cfg LD_PRELOAD=$BUILD/libgusset.so timeout 20 "$client" left "$url/?delay=$ours" 3 "http://localhost:$port/?delay=$others")" "$bare"
done

done_testing
