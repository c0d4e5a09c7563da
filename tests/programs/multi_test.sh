#!/bin/bash
# A program with callbacks of its own that drives libcurl's multi interface, in each of the four ways in which programs do:
# it sees what it sees bare, callback by callback and value by value, without a rule, in shadow, switched off, and with a
# rule whose help is not needed. With one whose help is needed it sees the good reply, and no other.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
start_upstream
client=$BUILD/clients/callbacks
printf 'hello upload\n' >"$folder/up.txt"
url=http://127.0.0.1:$port
config "$folder/other.cfg" <<'CFG'
version = 1;
hosts = ( { match = "elsewhere.example"; policy = "standard"; } );
CFG

paths=("/a" "/b?status=404" "/c?chunked=1&body=5000" "/d?redirect=$url/x" "/e?early=1" "/f?body=9000"
    "/g?headers=20000" "/h?auth=1" "/j?echo=body")
faults=("/k?status=503" "/l?reset=headers" "/m?reset=body&body=4000" "/n?length=wrong" "/o?stall=headers&for=3000" "/p?close=body&body=100")
options=("" "include" "follow include" "head" "fail" "headerdata" "pause" "short=1" "abort=1" "timeout=300" "repeat=3" "dup" "reset"
    "post=abc include" "put=$folder/up.txt" "put=$folder/up.txt noseek")

# scenarios PATH...: each with each option, a line each
scenarios() {
    local path option
    for path in "$@"; do
        for option in "${options[@]}"; do
            # Nobody but a limit ends a stall.
            [[ $path == *stall=* && $option != timeout=* && $option != abort=* ]] || echo "$url$path $option"
        done
    done
}
scenarios "${paths[@]}" >"$folder/plain"
scenarios "${paths[@]}" "${faults[@]}" >"$folder/all"

# play WAY SCENARIOS LOG ENVIRONMENT...: without the moment of "read: end" (a held 1xx block comes after it)
play() {
    local way=$1 from=$2 to=$3
    shift 3
    timeout 60 env "$@" "$client" - via="$way" info <"$from" 2>&1 | grep -v 'read: end' >"$to"
    echo "== ended ${PIPESTATUS[0]}" >>"$to"
}

# differing LOG LOG: the scenarios that differ, a line each
differing() {
    awk 'FNR == 1 {file++} /^== / {name = $0; if (file == 1) order[++count] = name} {text[file, name] = text[file, name] "\n" $0}
        END {for (i = 1; i <= count; i++) if (text[1, order[i]] != text[2, order[i]]) print substr(order[i], 4)}' "$1" "$2"
}

# compare NAME SCENARIOS ENVIRONMENT...: what differs once is looked at again, alone and twice: where two bare runs differ
# (a body that comes in other pieces), they say nothing.
compare() {
    local name=$1 from=$2 way differ=0 line
    shift 2
    for way in poll wait fdset socket; do
        play $way "$from" "$folder/under.$way" LD_PRELOAD="$BUILD/libgusset.so" "$@" &
    done
    wait_for_all
    for way in poll wait fdset socket; do
        if ! grep -q '^== ended 0' "$folder/under.$way"; then
            fail "$name, by $way: the program ends well" "$(tail -n 3 "$folder/under.$way")"
        fi
        while read -r line; do
            [ "$line" = "ended 0" ] && continue
            echo "$line" >"$folder/one"
            for _ in 1 2 3; do
                play $way "$folder/one" "$folder/again.bare"
                play $way "$folder/one" "$folder/again.under" LD_PRELOAD="$BUILD/libgusset.so" "$@"
                cmp -s "$folder/again.bare" "$folder/again.under" && continue 2
            done
            differ=$((differ + 1))
            [ "$differ" -gt 3 ] || diff "$folder/again.bare" "$folder/again.under" | head -n 6 | sed "s|^|# $way $line: |"
        done < <(differing "$folder/${from##*/}.$way" "$folder/under.$way")
    done
    is "$name: the callbacks, messages and values of $(grep -c . "$from") scenarios in 4 ways are as bare" "$differ differ" "0 differ"
}
for way in poll wait fdset socket; do
    play $way "$folder/all" "$folder/all.$way" &
    play $way "$folder/plain" "$folder/plain.$way" &
done
wait_for_all
is "bare, still-running and the messages add up at every turn" "$(grep -hc '^fault' "$folder"/all.* | xargs)" "0 0 0 0"
compare "no matching rule" "$folder/all" GUSSET_CONFIG="$folder/other.cfg"
compare "switched off" "$folder/all" GUSSET_POLICY=standard GUSSET_MODE=off
rm -f "$GUSSET_STATE"
compare "shadow" "$folder/all" GUSSET_POLICY=standard GUSSET_MODE=shadow
rm -f "$GUSSET_STATE"
compare "a rule, no help needed" "$folder/plain" GUSSET_POLICY=standard

# ---- help is needed ----
# Each key's first request fails. The first bare run takes these failures, the second finds a healthy server: that is what
# the program must see under gusset, whose run takes them itself. A retry may find its connection open, and
# libcurl keeps the last errno of a handle, as it does over a program's own calls: that is all that differs.
number=0
for fault in status=503 "status=503&body=5000&chunked=1" status=429 reset=headers close=headers "stall=headers&for=1500" "early=1&status=502" "headers=9000&status=504"; do
    for option in "" "include" "follow" "head" "fail" "headerdata" "pause" "repeat=2" "dup" "reset" "post=abc" "put=$folder/up.txt" \
        "timeout=5000" "short=1"; do
        [ "$option" = "short=1" ] && [[ $fault == early* ]] && continue
        number=$((number + 1))
        echo "$url/r?key=k$number&first=1&$fault&cookie=z $option"
    done
done >"$folder/mended"
without_connects() { sed -E '/^info/s/ (connects|connected|errno)=[0-9]+//g' "$1"; }
limits=(--set retry.attempts=4 --set retry.budget.ratio=100 --set retry.backoff.base=5ms --set timeout.attempt=250ms
    --set "retry.methods=GET,HEAD,PUT,POST")
for way in poll wait fdset socket; do
    sed "s/key=k/key=$way/" "$folder/mended" >"$folder/mended.$way"
    sed 's/for=1500/for=20/' "$folder/mended.$way" >"$folder/sick.$way"
    (
        play $way "$folder/sick.$way" /dev/null
        play $way "$folder/mended.$way" "$folder/healthy.$way"
    ) &
done
wait_for_all
is "bare, the second run meets no failure" "$(cat "$folder"/healthy.* | grep '^result' | sort -u | xargs)" "result 0 status 200 result 23 status 200 result after reset 0"
forget
for way in poll wait fdset socket; do
    (
        timeout 60 gusset run --policy standard "${limits[@]}" -- "$client" - via="$way" info <"$folder/mended.$way" 2>&1 | grep -v 'read: end' >"$folder/got.$way"
        echo "== ended ${PIPESTATUS[0]}" >>"$folder/got.$way"
    ) &
done
wait_for_all
for way in poll wait fdset socket; do
    without_connects "$folder/healthy.$way" >"$folder/1"
    without_connects "$folder/got.$way" >"$folder/2"
    differing "$folder/1" "$folder/2" >"$folder/differing"
    is "by $way: each of $(grep -c . "$folder/mended") scenarios whose first request fails is seen as with a healthy server" "$(wc -l <"$folder/differing") differ" "0 differ"
    [ ! -s "$folder/differing" ] || { sed 's/^/# /' "$folder/differing" | head -n 4; diff "$folder/1" "$folder/2" | head -n 10 | sed 's/^/#   /'; }
done
is "still-running and the messages add up at every turn" "$(grep -hc '^fault' "$folder"/got.* | xargs)" "0 0 0 0"

done_testing
