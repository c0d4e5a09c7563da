#!/bin/bash
# What may have happened is not repeated: a POST that was sent stays sent, unless the rule names the method or an
# Idempotency-Key travels with it. One that never left the machine is tried again.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
client=$BUILD/clients/callbacks
tried() {
    gusset run --policy standard --set retry.attempts=4 --set retry.backoff.base=5ms --set retry.budget.ratio=100 "$@"
}

# ends WRAPPER...: exit code, status and body of a POST to $1
ends() {
    local to=$1
    shift
    ask zero >/dev/null
    "$@" curl -s -w '%{http_code}' -d a=b "$to"
    echo " exit $?"
}
for fault in status=503 reset=headers close=headers 'reset=body&body=4000' 'stall=headers&for=100'; do
    forget
    wanted=$(ends "$url/post?$fault&first=2")
    is "$fault: a POST ends as bare" "$(ends "$url/post?$fault&first=2" tried --)" "$wanted"
    is "$fault: and the server saw it once" "$(ask 'count?key=/post')" 1
done
for words in "-X PATCH" "-X PATCH -d a=b" "-F a=b" "--json {}" "-X post" "-X FROB"; do
    forget
    # shellcheck disable=SC2086 # options are words
    tried -- curl -s -o /dev/null $words "$url/post?status=503&first=2"
    is "curl $words: sent once" "$(ask 'count?key=/post')" 1
done
forget
tried -- "$client" "$url/post?status=503&first=2" post=abc custom=PROPFIND >/dev/null
is "a method of the program's own making: sent once" "$(ask 'count?key=/post')" 1

for fault in status=503 reset=headers; do
    forget
    is "$fault: with an Idempotency-Key it is repeated" \
        "$(tried -- curl -s -H 'idempotency-key: 1' -d a=b "$url/post?$fault&first=2&echo=body")" a=b
    is "$fault: each attempt carries the key" "$(ask 'heads?key=/post' | grep -ci '^idempotency-key: 1')" 3
    forget
    is "$fault: where the rule names POST it is repeated" \
        "$(tried --set retry.methods=GET,POST -- curl -s -d a=b "$url/post?$fault&first=2&echo=body")" a=b
    is "$fault: by the rule, three attempts" "$(ask 'count?key=/post')" 3
    forget
    tried --set retry.methods=POST -- curl -s -o /dev/null "$url/get?$fault&first=2"
    is "$fault: and a method that it does not name is not" "$(ask 'count?key=/get')" 1
done
forget
tried -- curl -s -o /dev/null -H 'Idempotency-Key;' -d a=b "$url/post?status=503&first=2"
tried -- curl -s -o /dev/null -H 'Idempotency-Key:' -d a=b "$url/post?status=503&first=2"
is "a key that is empty, or taken away, is none" "$(ask 'heads?key=/post' | grep -c '^POST')" 2


# ---- a key of our own ----
keyed() { tried --set retry.idempotency_key=true "$@"; }
keys() { ask "heads?key=$1" | tr -d '\r' | grep -i '^idempotency-key:' | sort -u; }
for fault in status=503 reset=headers; do
    forget
    is "$fault: where the rule asks for a key a POST is repeated" \
        "$(keyed -- curl -s -d a=b "$url/post?$fault&first=2&echo=body")" a=b
    is "$fault: the server saw each attempt" "$(ask 'count?key=/post')" 3
    ok "$fault: all with the same key" grep -qE '^[A-Za-z-]+: [0-9a-f]{8}-[0-9a-f-]{27}$' <<<"$(keys /post)"
done
first=$(keys /post)
forget
keyed -- curl -s -o /dev/null -d a=b "$url/post"
ok "another call has another key" test "$(keys /post)" != "$first"
forget
keyed -- curl -s -o /dev/null -d a=b "$url/post" --next -s -o /dev/null -d a=b "$url/post"
is "nor do two calls on one handle share theirs" "$(keys /post | wc -l)" 2
forget
keyed -- curl -s -o /dev/null -H 'Idempotency-Key: mine' -d a=b "$url/post?status=503&first=2"
is "the program's own key wins" "$(keys /post)" "Idempotency-Key: mine"
forget
keyed -- curl -s -o /dev/null "$url/get"
is "a method that may be repeated anyhow gets none" "$(keys /get)" ""
forget
GUSSET_MODE=shadow keyed -- curl -s -o /dev/null -d a=b "$url/post?status=503&first=2"
is "in shadow none is added" "$(keys /post) $(ask 'count?key=/post')" " 1"

# ---- never left the machine ----
down() {
    forget
    ask "down?for=$1" >/dev/null
}
patient() { tried --set retry.backoff.base=150ms --set retry.backoff.jitter=none --set retry.backoff.factor=1.0 "$@"; }
down 300
is "a POST that could not connect is tried again" "$(patient -- curl -s -d a=b "$url/post?echo=body")" a=b
is "and arrives once" "$(ask 'count?key=/post')" 1
down 300
is "so is one from a pipe" "$(echo a=b | patient -- curl -s -T - -X POST "$url/post?echo=body")" a=b
down 300
is "a form" "$(patient -- curl -s -F a=b -o /dev/null -w '%{http_code}' "$url/post")" 200
down 300
patient -- "$client" "$url/post" post=abc >"$folder/got"
"$client" "$url/post" post=abc >"$folder/wanted"
is "and a program's own, whose callbacks see one call" "$(cat "$folder/got")" "$(cat "$folder/wanted")"

done_testing
