#!/bin/bash
# The same program bare and under gusset, its callbacks logged: without a rule, in shadow, switched off, and with a rule
# whose help is not needed, the logs are the same.
. "$(dirname "$0")/lib.sh"
start_upstream
client=$BUILD/clients/callbacks
printf 'hello upload\n' >"$folder/up.txt"
url=http://127.0.0.1:$port

# log FILE COMMAND...: what the client prints, without the moment of "read: end" (a held 1xx block comes after it)
log() {
    local file=$1
    shift
    timeout 20 "$@" 2>&1 | grep -v 'read: end' >"$file"
}

paths=("/a" "/b?status=404" "/c?chunked=1&body=5000" "/d?redirect=$url/x" "/e?early=1" "/f?body=9000"
    "/g?headers=20000" "/h?auth=1" "/i?cookie=z" "/j?echo=body" "/k?status=503" "/l?reset=headers"
    "/m?reset=body&body=4000" "/n?length=wrong")
options=("" "include" "follow" "include follow" "head" "fail" "headerdata" "pause" "short=1" "timeout=5000"
    "header=X-A:1" "custom=DELETE" "repeat=3" "dup" "reset" "post=abc" "post=abc include" "put=$folder/up.txt"
    "put=$folder/up.txt noseek")

# compare NAME ENVIRONMENT...: every option on every path
compare() {
    local name=$1 differ=0 count=0
    shift
    for path in "${paths[@]}"; do
        for option in "${options[@]}"; do
            [ "$needs_help" = no ] && [[ "$path" == *status=503* || "$path" == *reset=* || "$path" == *length=* ]] && continue
            # shellcheck disable=SC2086 # options are words
            log "$folder/bare" "$client" "$url$path" $option
            # shellcheck disable=SC2086
            log "$folder/under" env "$@" LD_PRELOAD="$BUILD/libgusset.so" "$client" "$url$path" $option
            count=$((count + 1))
            cmp -s "$folder/bare" "$folder/under" && continue
            differ=$((differ + 1))
            [ "$differ" -le 3 ] && diff "$folder/bare" "$folder/under" | head -n 6 | sed "s|^|# $path $option: |"
        done
    done
    is "$name: the callbacks of $count scenarios are as bare" "$differ differ" "0 differ"
}

cat >"$folder/other.cfg" <<'CFG'
version = 1;
hosts = ( { match = "elsewhere.example"; policy = "standard"; } );
CFG
chmod 600 "$folder/other.cfg"
needs_help=yes
compare "no matching rule" GUSSET_CONFIG="$folder/other.cfg"
compare "switched off" GUSSET_POLICY=standard GUSSET_MODE=off
compare "shadow" GUSSET_POLICY=standard GUSSET_MODE=shadow
needs_help=no
compare "a rule, no help needed" GUSSET_POLICY=standard

# What the server sees, byte by byte.
for mode in "GUSSET_CONFIG=$folder/other.cfg" "GUSSET_POLICY=standard GUSSET_MODE=off" "GUSSET_POLICY=standard GUSSET_MODE=shadow"; do
    differ=0
    for arguments in "-s" "-si" "-sI" "-s -d a=b" "-s -T $folder/up.txt" "-sf" "-sL" "-s -H X-A:1" "-s -u me:secret"; do
        ask zero >/dev/null
        # shellcheck disable=SC2086
        curl $arguments "$url/same?key=bare" >"$folder/bare" 2>&1
        echo $? >>"$folder/bare"
        # shellcheck disable=SC2086
        env $mode LD_PRELOAD="$BUILD/libgusset.so" curl $arguments "$url/same?key=bare" >"$folder/under" 2>&1
        echo $? >>"$folder/under"
        ask 'heads?key=bare' >"$folder/heads"
        awk 'BEGIN {RS = "--\n"} {head[NR] = $0} END {exit head[1] != head[2]}' "$folder/heads" || differ=$((differ + 1))
        cmp -s "$folder/bare" "$folder/under" || differ=$((differ + 1))
    done
    is "${mode##*[=/]}: curl's bytes on the wire, output and exit code are as bare" "$differ" 0
done

done_testing
