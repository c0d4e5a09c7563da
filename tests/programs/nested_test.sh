#!/bin/bash
# A program that makes a failed request again by itself: its retries and gusset's must not multiply.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
under() { gusset run --policy standard --set retry.attempts=3 --set retry.backoff.base=5ms --set breaker.consecutive=100 --set breaker.rate.minimum=1000 "$@"; }
again="curl -s --retry 2 --retry-delay 1 -o $folder/body"

calls=()
$again "$url/?status=503&key=bare" &
calls+=($!)
under -- $again "$url/?status=503&key=under" &
calls+=($!)
under --report -- ${again/body/late} "$url/?status=503&first=4&key=late" 2>"$folder/report" &
calls+=($!)
under --shadow -- $again "$url/?status=503&key=shadow" &
calls+=($!)
wait "${calls[@]}"
is "bare, curl --retry 2 makes three requests" "$(ask "count?key=bare")" 3
is "under gusset the first call has three tries, the next two, the last one" "$(ask "count?key=under")" 6
is "a server that comes back is found by them" "$(ask "count?key=late") $(head -c 2 "$folder/late")" "5 ok"
ok "and the report says whose retries they were" grep -q "1 call was the program's own repetition of a failed call, so gusset tried it fewer times" "$folder/report"
is "in shadow nothing changes" "$(ask "count?key=shadow")" 3
is "status counts them" "$(counted nested)" 5
ok "and says it in a sentence" grep -q "^5 calls were the program's own repetitions" <<<"$(gusset status)"

# tells STATE PROGRAM|PID: what doctor says of it, where that state holds for the caller
tells() { GUSSET_STATE=$1 gusset doctor "$2" | grep -o 'nested retries: .* [0-9]* were repetitions\|retry.attempts = 1 in the rule' | xargs; }
host=$(gusset status --json | grep -o '"host":"[^"]*"' | cut -d '"' -f 4 | sort -u)
told="nested retries: of 5 calls to $host, 3 were repetitions retry.attempts = 1 in the rule"
is "doctor tells it, with what to do" "$(tells "$GUSSET_STATE" curl)" "$told"
is "and nothing where nothing was counted" "$(tells "$folder/none" curl)" ""
gusset run --policy standard -- curl -s "$url/?stall=headers&for=20000" &
waits=$!
for _ in $(seq 200); do
    grep -q libcurl "/proc/$waits/maps" 2>/dev/null && break
    sleep 0.02
done
is "of a running process by the state that it uses, whichever is the caller's" "$(tells "$folder/none" "$waits")" \
    "${told/of 5/of 6}"
kill "$waits"

loop() { perl -MWWW::Curl::Easy -e '
    for my $url (@ARGV) {
        my $curl = WWW::Curl::Easy->new;
        open my $body, ">", \my $text;
        $curl->setopt(CURLOPT_URL, $url);
        $curl->setopt(CURLOPT_WRITEDATA, $body);
        $curl->setopt(CURLOPT_POSTFIELDS, "x=1") if $url =~ /post/;
        $curl->perform;
    }' "$@"; }
insist() { perl -MWWW::Curl::Easy -e '
    my $curl = WWW::Curl::Easy->new;
    open my $body, ">", \my $text;
    $curl->setopt(CURLOPT_URL, $ARGV[0]);
    $curl->setopt(CURLOPT_WRITEDATA, $body);
    $curl->perform for 1 .. $ARGV[1];' "$@"; }
if perl -MWWW::Curl::Easy -e 1 2>/dev/null; then
    # Found by reading: a handle that nothing was set on since took a quick way that did not ask.
    under -- bash -c "$(declare -f insist); insist '$url/?status=503&key=same' 4"
    is "a handle that is used again and again, and nothing set on it: three tries, two, one, one" "$(ask "count?key=same")" 7
    under -- bash -c "$(declare -f loop); loop '$url/?status=503&key=fresh' '$url/?status=503&key=fresh'"
    is "a fresh handle for each try is seen through" "$(ask "count?key=fresh")" 5
    under -- bash -c "$(declare -f loop); loop '$url/?status=503&key=one' '$url/?status=503&key=two'"
    is "another URL is another request" "$(ask "count?key=one") $(ask "count?key=two")" "3 3"
    under --set retry.methods=GET,POST -- bash -c "$(declare -f loop); loop '$url/?status=503&key=post' '$url/?status=503&key=post'"
    is "a request with a body may be another one each time" "$(ask "count?key=post")" 6
    under -- bash -c "$(declare -f loop); loop '$url/?status=503&first=3&key=well' '$url/?key=well' '$url/?status=503&key=well'"
    is "after a success the tries are all there again" "$(ask "count?key=well")" 7
else
    skip "a program with fresh handles" "perl has no WWW::Curl"
fi

done_testing
