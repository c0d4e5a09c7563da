#!/bin/bash
# What a program may do while its calls are under way in a multi handle, it may do while they wait for their next try: fork,
# exit, clean up in any order, throw and jump out of a callback, and call out of one what none may call. It sees what it sees
# bare of a call that takes as long, and under valgrind nothing is lost beyond what bare loses.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
start_upstream
url=http://127.0.0.1:$port
client=$BUILD/clients/leave
thrower=$BUILD/clients/throw
# One retry after just as long as the server that is slow takes
patient=(gusset run --policy standard --set retry.attempts=2 --set retry.backoff.base=400ms --set retry.backoff.jitter=none
    --set retry.budget.ratio=100 --set breaker.consecutive=100)
deeds=(child child_exit end global removed cleaned multi_first twice copied redirected jump recursive recursive_late told_removed told_cleaned
    told_over unloaded)

# It reaches libcurl by dlsym, which not every library answers.
seen_by_dlsym() { nm -D "$BUILD/libgusset.so" 2>/dev/null | grep -qE ' [TW] dlsym(@|$)'; }
if ! seen_by_dlsym; then
    unset 'deeds[-1]'
    skip "unloaded while a call waits for its next try" "this library does not answer for dlsym"
fi

for deed in "${deeds[@]}"; do
    (
        timeout 20 "$client" "$deed" "$url/w?text=hello&delay=400" "$url/other" 150 >"$folder/$deed.bare" 2>&1
        echo "exit $?" >>"$folder/$deed.bare"
    ) &
    (
        timeout 20 "${patient[@]}" -- "$client" "$deed" "$url/w?text=hello&status=503&first=1&key=$deed" "$url/other" 150 >"$folder/$deed.parked" 2>&1
        echo "exit $?" >>"$folder/$deed.parked"
    ) &
    (
        timeout 20 "${patient[@]}" -- "$client" "$deed" "$url/w?text=hello&delay=400" "$url/other" 150 >"$folder/$deed.runs" 2>&1
        echo "exit $?" >>"$folder/$deed.runs"
    ) &
done
wait_for_all
for deed in "${deeds[@]}"; do
    is "$deed while a call waits for its next try: as bare while it is under way" "$(cat "$folder/$deed.parked")" "$(cat "$folder/$deed.bare")"
    is "$deed while a call is under way: as bare" "$(cat "$folder/$deed.runs")" "$(cat "$folder/$deed.bare")"
done

is "a child that goes on with its copy of the loop leaves its parent's timer alone" \
    "$(timeout 20 "${patient[@]/400ms/1500ms}" -- "$client" child_loop "$url/w?status=503&first=1&key=timer" "$url/v?status=503&key=child" 150 | tail -n 2 | head -n 1)" \
    "a timer there: 1, here: 1, rings: 1"

# ---- another request, set on a handle whose call is under way ----
config "$folder/key.cfg" <<'CFG'
version = 1;
policies: {
  keyed: {
    retry: { attempts = 2; backoff: { base = "400ms"; jitter = "none"; }; budget: { ratio = 100; }; };
    limit: { rate = 1; per = "500ms"; burst = 1; wait = "5s"; };
    headers = ( { name = "X-Key"; value = "only-there"; } );
  };
};
hosts = ( { match = "127.0.0.1"; policy = "keyed"; } );
CFG
elsewhere=http://localhost:$port/elsewhere
# keyed DEED QUERY: as the program sees it
keyed() {
    timeout 20 env GUSSET_CONFIG="$folder/key.cfg" LD_PRELOAD="$BUILD/libgusset.so" "$client" "$1" "$url/$1?text=hello&$2" "$elsewhere" 150 2>&1
}
for deed in moved renewed; do
    forget
    is "$deed, the call is under way: as bare" "$(keyed $deed delay=400)" "$(timeout 20 "$client" $deed "$url/w?text=hello&delay=400" "$elsewhere" 150 2>&1)"
    forget
    is "$deed while the call waits for its next try: that one is not made" "$(keyed $deed "status=503&first=1" | grep -o 'result [0-9]*')" "result 65"
    is "$deed: and nobody gets the other's headers" "$(ask 'heads?key=/elsewhere' | grep -ci x-key) $(ask "count?key=/$deed")" "0 1"
    forget
    GUSSET_CONFIG=$folder/key.cfg LD_PRELOAD=$BUILD/libgusset.so curl -s "$url/" >"$folder/out" # takes the token
    is "$deed while the call waits for its turn: it is not made" "$(keyed $deed "x=1" | grep -o 'result [0-9]*')" "result 65"
    is "$deed: nor then" "$(ask 'heads?key=/elsewhere' | grep -ci x-key) $(ask "count?key=/$deed")" "0 0"
done

if [ -s "$thrower" ]; then
    for way in easy multi; do
        for callback in write header progress none; do
            for fault in "" "&status=503&first=1"; do
                timeout 20 "$thrower" $way $callback "$url/t?text=hello" "$url/other" >"$folder/bare" 2>&1
                echo "exit $?" >>"$folder/bare"
                [ "$fault" ] && [ $callback = progress ] && continue # it throws before there is a reply
                timeout 20 "${patient[@]}" -- "$thrower" $way $callback "$url/t?text=hello$fault&key=t$way$callback" "$url/other" >"$folder/under" 2>&1
                echo "exit $?" >>"$folder/under"
                is "$way: an exception out of the $callback callback${fault:+, behind a retry}: as bare" "$(cat "$folder/under")" "$(cat "$folder/bare")"
            done
        done
    done
else
    skip "an exception out of a callback" "g++ is not installed"
fi

if ! command -v valgrind >/dev/null; then
    skip "memcheck finds nothing" "valgrind is not installed"
    done_testing
fi
lost() { sed -n 's/.*definitely lost: \([0-9,]*\) bytes.*/\1/p; s/.*indirectly lost: \([0-9,]*\) bytes.*/\1/p' "$@" | tr -d , | awk '{sum += $1} END {print sum + 0}'; }
# check NAME DEED URL [MS]: slower here, so that the call is under way, or waits, for longer; MS until it leaves
check() {
    timeout 100 valgrind --quiet -v --leak-check=full --errors-for-leak-kinds=none --error-exitcode=99 --log-file="$folder/$1.%p.memory" \
        "$client" "$2" "$3" "$url/other" "${4:-1400}" >"$folder/$1.out" 2>&1
    echo $? >"$folder/$1.code"
}
# under DEED [MS]
under() {
    local ms=${2:-1400}
    export GUSSET_POLICY=standard GUSSET_STATE=$folder/state.$1
    export GUSSET_SET=$'retry.attempts=2\nretry.backoff.cap=20s\nretry.backoff.base='$((ms + 600))$'ms\nretry.backoff.jitter=none\nretry.budget.ratio=100'
    LD_PRELOAD=$BUILD/libgusset.so check "$1-under" "$1" "$url/w?text=hello&status=503&first=1&key=valgrind$1$ms" "$ms"
}
failures() { GUSSET_STATE=$folder/state.$1 counted failures; }
for deed in "${deeds[@]}"; do
    while [ "$(jobs -pr | wc -l)" -ge $((${#servers[@]} + 3)) ]; do sleep 0.05; done
    under "$deed" &
done
wait_for_all
for deed in "${deeds[@]}"; do
    # Where the machine is busy it may leave before its first reply has come.
    [[ $deed = unloaded || $deed = recursive_late || $(failures "$deed") -gt 0 ]] || under "$deed" 6000
    code=$(cat "$folder/$deed-under.code")
    lost=$(lost "$folder/$deed"-under.*.memory)
    bare_code=0 bare_lost=0
    if [ "$code" = 99 ] || [ "$lost" -gt 0 ]; then
        check "$deed-bare" "$deed" "$url/w?text=hello&delay=2500"
        bare_code=$(cat "$folder/$deed-bare.code") bare_lost=$(lost "$folder/$deed"-bare.*.memory)
    fi
    if [ "$code" = 99 ] && [ "$bare_code" != 99 ]; then
        fail "$deed, memcheck: no error" "$(grep -h -A 12 -m 1 -E 'Invalid|uninit|Mismatch|overlap' "$folder/$deed"-under.*.memory | head -n 14 | sed 's/^==[0-9]*==/#/')"
    else
        pass "$deed, memcheck: no error"
    fi
    at_most "$deed, memcheck: no more lost than bare" "$lost" "$bare_lost"
    [[ $deed = unloaded || $deed = recursive_late ]] || at_least "$deed, memcheck: the call was under gusset" "$(failures "$deed")" 1
done

done_testing
