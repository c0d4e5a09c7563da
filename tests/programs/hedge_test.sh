#!/bin/bash
# A GET that is not answered in time is made a second time side by side (hedge): the program gets whoever answers first, whole, in
# each interface, and nothing of the other.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
if ! command -v python3 >/dev/null; then
    skip "a second attempt side by side" "python3 is not installed"
    done_testing
fi
start_upstream
url=http://127.0.0.1:$port

start_planned "$folder/served"
planned=http://127.0.0.1:$planned_port

# policy GROUPS [GROUPS-OF-THE-FILE]
policy() {
    printf '%s\n' 'version = 1;' "${2-}" "policies: { p: { $1 }; };" 'hosts = ( { match = "127.0.0.1"; policy = "p"; } );' | config "$folder/p.cfg"
    rm -f "$GUSSET_STATE"
    ask zero >/dev/null
}
under() { timeout 60 gusset run --config "$folder/p.cfg" -- "$@"; }
came() { curl -s "$planned/count?of=$1"; }

# gets PLAN [ARGUMENTS...]: result, status and length of what curl has of a path of its own; then how many requests there were
gets() {
    echo >>"$folder/paths"
    paths=$(wc -l <"$folder/paths")
    under curl -s -o "$folder/out" -w '%{exitcode} %{http_code} %{size_download}' "${@:2}" "$planned/$paths?plan=$1"
    echo " $(came "/$paths")"
}

# ---- who is first ----
policy 'hedge: { after = "100ms"; };'
is "a quick answer is the only one" "$(gets 200)" "0 200 20 1"
is "a slow one is overtaken" "$(gets 5000-200,200)" "0 200 20 2"
is "once" "$(counted hedged) $(counted hedge_won) $(counted attempts) $(counted rescued)" "1 1 3 0"
is "and told of" "$(gusset events | grep -c 'hedged .*not answered after 1[0-9][0-9] ms, a second attempt side by side')" 1
is "the first may still be first" "$(gets 300-200,5000-200)" "0 200 20 2"
is "a second that fails changes nothing" "$(gets 400-200,503)" "0 200 20 2"
is "nor one that breaks off at once" "$(gets 400-200,reset)" "0 200 20 2"
is "an answer that is no failure is one" "$(gets 5000-200,404)" "0 404 20 2"
is "fail is told of it" "$(gets 5000-200,404 -f)" "22 404 0 2"
is "a second whose head is too long to be handed on changes nothing" "$(gets 400-200,wide)" "0 200 20 2"
is "a HEAD" "$(gets 5000-200,200 -I)" "0 200 0 2"
is "hints before the answer" "$(gets 5000-200,early)" "0 200 20 2"
is "a redirect is followed by the first alone" "$(gets 400-to,to -L)" "0 200 20 2"
is "one that is not followed is an answer" "$(gets 5000-200,to -w '%{redirect_url}' | sed "s|$planned||")" "/end 2"
is "20 MB" "$(gets "5000-200,200&size=20000000") $(wc -c <"$folder/out")" "0 200 20000000 2 20000000"
is "20 MB in chunks" "$(gets "5000-200,chunked&size=20000000") $(md5sum <"$folder/out")" "0 200 20000000 2 $(curl -s "$planned/md5?size=20000000" | md5sum)"
is "as long as the connection" "$(gets "5000-200,close&size=200000")" "0 200 200000 2"
is "gzip" "$(gets "5000-200,gzip&size=200000" --compressed | cut -d ' ' -f 1,2,4) $(wc -c <"$folder/out")" "0 200 2 200000"
is "where curl takes it slowly" "$(gets "5000-200,200&size=900000" --limit-rate 900k)" "0 200 900000 2"
is "one that breaks off is no success" "$(gets "5000-200,half&size=100000")" "18 200 50000 2"
is "nor one that is reset" "$(gets "5000-200,cut&size=100000" -S 2>&1)" "curl: (56) Recv failure: Connection reset by peer
56 200 50000 2"
is "nor in chunks" "$(gets "5000-200,halfchunked&size=100000")" "18 200 50000 2"

# ---- the first fails meanwhile ----
is "then the second is waited for" "$(gets 300-reset,600-200)" "0 200 20 2"
is "after a status that is a failure, too" "$(gets 300-503,600-200)" "0 200 20 2"
is "both fail" "$(gets 300-reset,300-reset)" "52 000 0 2"
is "both by a status" "$(gets 300-503,300-504)" "0 504 20 2"
is "and curl says how" "$(gets 300-reset,300-reset -S 2>&1)" "curl: (52) Empty reply from server
52 000 0 2"
for way in "" -Z; do
    for how in 503 reset 200; do # a status that is a failure has come, and its body takes until after the second's end
        code=0 status=200
        [ $how != 503 ] || status=503
        [ $how != reset ] || code=52 status=503
        # shellcheck disable=SC2086 # none or one
        is "the second ends by $how while the first's failure comes in (curl $way)" "$(gets 200-lingers,200-$how $way 2>/dev/null)" "$code $status 20 2"
    done
done
policy 'hedge: { after = "100ms"; }; retry: { attempts = 3; backoff: { base = "5ms"; }; }; breaker: { consecutive = 50; };'
is "both fail, and there are tries left" "$(gets 300-reset,300-503,200)" "0 200 20 3"
is "a second that is redirected cannot stand in" "$(gets 300-reset,300-to,200 -L)" "0 200 20 3"
is "no retry beside it was paid" "$(counted retries) $(counted rescued)" "2 2"

# ---- what curl tells ----
policy 'hedge: { after = "200ms"; }; propagate = ["request_id", "traceparent"];'
say='%{remote_ip}:%{remote_port} %{num_connects} %{http_version} %{content_type} %{url_effective} %{num_redirects} %{size_header}\n%{time_starttransfer} %{time_total} %{time_connect}\n'
under curl -s -o "$folder/out" -D "$folder/head" -w "$say" "$url/tell?body=5000&stall=headers&first=1&key=t1" >"$folder/told"
curl -s -o "$folder/bare" -D "$folder/barehead" -w "$say" "$url/tell?body=5000&stall=headers&first=0&key=t1" >"$folder/baretold"
is "of the winner" "$(head -n 1 "$folder/told")" "$(head -n 1 "$folder/baretold" | sed 's/first=0/first=1/')"
is "the same head" "$(cat "$folder/head")" "$(cat "$folder/barehead")"
is "and body" "$(cmp "$folder/out" "$folder/bare" 2>&1)" ""
is "times that hold for both" "$(tail -n 1 "$folder/told" | awk '{print ($1 >= 0.2 && $2 >= $1 && $3 >= 0.2 && $3 <= $1)}')" 1
ask 'heads?key=t1' | tr -d '\r' >"$folder/heads"
is "one request id, and a span each" "$(grep -i '^x-request-id' "$folder/heads" | head -n 2 | sort -u | wc -l) $(grep -i '^traceparent' "$folder/heads" | cut -d - -f 2 | sort -u | wc -l) $(grep -i '^traceparent' "$folder/heads" | sort -u | wc -l)" "1 1 2"

# ---- cookies: what the second got is the first's ----
policy 'hedge: { after = "100ms"; };'
printf '127.0.0.1\tFALSE\t/\tFALSE\t0\tmine\tyes\n' >"$folder/jar"
is "cookies" "$(gets 5000-200,cookie -b "$folder/jar" -c "$folder/jar" -w ' %{http_code}')" " 200 2"
is "are the host's and no one else's" "$(awk '!/^# / && NF >= 7 {print $1, $6, $7}' "$folder/jar" | sort | tr '\n' ';')" "127.0.0.1 mine yes;127.0.0.1 plain 1;127.0.0.1 safe 2;"
is "and were sent by both" "$(curl -s "$planned/heads?of=/$(wc -l <"$folder/paths")" | grep -c '^Cookie: mine=yes')" 2

# ---- who is not hedged ----
for what in "-d x" "-X DELETE" "-r 0-5" "-H Range:\ bytes=0-5" "-C 5" "--ntlm -u me:secret" "-z 20200101" "-H Upgrade:\ websocket"; do
    eval "is \"none of curl $what\" \"\$(gets 250-200,200 $what | sed 's/.* //')\" 1"
done
policy 'hedge: { after = "100ms"; }; retry: { budget: { ratio = 0; floor = 0; }; };'
is "none that nobody pays for" "$(gets 250-200,200)" "0 200 20 1"
policy 'hedge: { after = "100ms"; }; bulkhead: { calls = 1; };'
is "none where the bulkhead is full" "$(gets 250-200,200)" "0 200 20 1"
policy 'hedge: { after = "100ms"; }; limit: { rate = 1; per = "60s"; burst = 1; };'
is "none without a token" "$(gets 250-200,200)" "0 200 20 1"
policy 'hedge: { after = "100ms"; }; timeout: { total = "90ms"; };'
is "none after the end" "$(gets 250-200,200)" "28 000 0 1"
policy 'hedge: { after = "100ms"; };' 'mode = "shadow";'
is "none in shadow" "$(gets 250-200,200) $(counted hedged) $(counted would_hedge)" "0 200 20 1 0 1"
policy 'hedge: { after = "p95"; };'
is "none by few latencies" "$(gets 250-200,200)" "0 200 20 1"

# ---- the tail ----
# Each request is made on a connection of its own, since a stalled one ends; of 300, some ten stall for a minute.
policy 'hedge: { after = "p95"; }; retry: { budget: { ratio = 20; floor = 10; }; };'
under curl -s -o /dev/null "$url/warm?delay=2#[1-40]"
ask zero >/dev/null
before=$(counted hedged)
under curl -s -o /dev/null -w '%{exitcode} %{time_total}\n' "$url/tail?delay=2&stall=headers&fail=5&seed=5#[1-200]" | sort -k 2 -n >"$folder/times"
hedged=$(($(counted hedged) - before))
is "of 200 requests of which some stall, each is answered" "$(awk '$1 == 0' "$folder/times" | wc -l)" 200
is "the slowest within two seconds" "$(tail -n 1 "$folder/times" | awk '{print ($2 < 2)}')" 1
at_least "those that stalled were hedged" "$hedged" 4
at_most "and no more than the budget" "$hedged" 141
is "the server has had no more" "$(ask 'count?key=/tail')" $((200 + hedged))

# ---- each interface: what the program sees is what it sees bare, where the first stalls and the second answers ----
policy 'hedge: { after = "40ms"; }; retry: { budget: { floor = 1000; }; };'
client=$BUILD/clients/callbacks
options=("" "include follow" "head" "fail" "headerdata" "pause" "short=1" "repeat=3" "dup" "reset")
number=0
for path in "/a?text=x" "/c?chunked=1&body=5000" "/e?early=1" "/g?headers=20000&body=9000"; do
    for option in "${options[@]}"; do
        number=$((number + 1))
        echo "$url$path&stall=headers&first=WHOM&key=$number $option"
    done
done >"$folder/scenarios"
# play WAY FIRST ENVIRONMENT...: so many first requests stall
play() {
    local via=via=$1
    [ "$1" != easy ] || via=info
    sed "s/WHOM/$2/; s/key=/key=$1$2-/" "$folder/scenarios" | env "${@:3}" timeout 60 "$client" - "$via" info 2>&1 |
        sed "s/first=1/first=0/g; s/key=${1}1/key=${1}0/g" >"$folder/$1.$2"
}
ways=(easy poll wait fdset socket)
plays=()
for way in "${ways[@]}"; do
    play "$way" 0 A=
    play "$way" 1 GUSSET_CONFIG="$folder/p.cfg" LD_PRELOAD="$BUILD/libgusset.so" &
    plays+=($!)
done
wait "${plays[@]}"
for way in "${ways[@]}"; do
    is "$way: $number scenarios as bare" "$(diff "$folder/$way.0" "$folder/$way.1" | head -n 6)" ""
done
is "all of them by a second attempt" "$(counted hedged) $(counted hedge_won)" "200 200"

for option in info via=poll; do
    is "a handle that the streams of others depend on, $option: as bare" "$(under "$client" "$url/depended?delay=100" depended $option 2>&1 | grep -v -i time)" \
        "$("$client" "$url/depended?delay=100" depended $option | grep -v -i time)"
done

# ---- programs ----
policy 'hedge: { after = "100ms"; }; retry: { budget: { floor = 1000; }; };'
targets=()
for number in 1 2 3 4 5 6; do targets+=(-o "$folder/z$number" "$planned/z$number?plan=5000-200,20-200&size=100000"); done
under curl -sZ --parallel-immediate -w '%{exitcode} %{http_code} %{size_download}\n' "${targets[@]}" 2>/dev/null | sort | uniq -c >"$folder/z"
is "curl -Z" "$(sed 's/^ *//' "$folder/z") $(counted hedge_won)" "6 0 200 100000 6"
if command -v git >/dev/null; then
    export GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
    git init -q "$folder/tree"
    for number in 1 2 3 4; do head -c 50000 /dev/urandom >"$folder/tree/$number"; done
    git -C "$folder/tree" add . && git -C "$folder/tree" commit -qm first
    mkdir -p "$folder/served" && git clone -q --bare "$folder/tree" "$folder/served/full.git" && git -C "$folder/served/full.git" update-server-info
    before=$(counted hedge_won)
    is "git clones" "$(under git clone -q "$planned/files/full.git" "$folder/cloned" 2>&1; diff -r -x .git "$folder/tree" "$folder/cloned" 2>&1)" ""
    at_least "past the requests that stall" $(($(counted hedge_won) - before)) 2
else
    skip "git clones" "git is not installed"
fi
if php -r 'exit(function_exists("curl_init") ? 0 : 1);' 2>/dev/null; then
    is "PHP" "$(under php -r '$c = curl_init($argv[1]); curl_setopt($c, CURLOPT_RETURNTRANSFER, true); $b = curl_exec($c);
        echo strlen($b), " ", curl_getinfo($c, CURLINFO_HTTP_CODE), " ", curl_errno($c);' "$planned/php?plan=5000-200,200&size=70000") $(came /php)" "70000 200 0 2"
else
    skip "PHP" "php-curl is not installed"
fi
done_testing
