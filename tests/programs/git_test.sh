#!/bin/bash
# git, unmodified, against git http-backend behind nginx: each request's first try is answered 503, each tenth connection is
# reset. Bare, git fails; under gusset it clones, fetches, lists and pushes 6 MB, and what arrives is whole. Smart and dumb.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
start_upstream
backend=$(git --exec-path 2>/dev/null)/git-http-backend
for needed in git nginx fcgiwrap python3; do
    if ! command -v $needed >/dev/null || [ ! -x "$backend" ]; then
        skip "git clones, fetches and pushes" "$needed or git http-backend is not installed"
        done_testing
    fi
done
export GIT_CONFIG_NOSYSTEM=1 GIT_TERMINAL_PROMPT=0 GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.org
git config --global init.defaultBranch main
git config --global gc.auto 0

# A repository of some size, and one that is empty
git init -q "$folder/tree"
head -c 300000 /dev/urandom >"$folder/tree/data"
seq 20000 >"$folder/tree/numbers"
git -C "$folder/tree" add . && git -C "$folder/tree" commit -qm first && git -C "$folder/tree" tag one
mkdir -p "$folder/served"
git clone -q --bare "$folder/tree" "$folder/served/full.git"
git init -q --bare "$folder/served/empty.git"
git -C "$folder/served/full.git" update-server-info
for repository in full empty; do git -C "$folder/served/$repository.git" config http.receivepack true; done

# The upstream says of each request whether it may pass: nginx asks it, and answers 503 where it does.
fcgiwrap -s "unix:$folder/fcgi" -c 2 >"$folder/fcgi.log" 2>&1 &
fcgiwrap=$!
servers+=($!)
start_nginx git <<CFG || fail "nginx is there"
    server {
        listen 127.0.0.1:WEB;
        root $folder/served;
        error_page 500 =503 @busy;
        location @busy { return 503; }
        location = /may {
            internal;
            proxy_pass http://127.0.0.1:$port/may?key=\$asked&status=503&first=\$failing;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
        }
        location ~ ^/(?<health>well|sick)/(?<way>smart|dumb)(?<path>/.*)\$ {
            set \$failing 1;
            set \$rest \$path;
            set \$asked \$way-\$request_method\$path-\$arg_service;
            if (\$health = well) { set \$failing 0; }
            rewrite ^/[a-z]+/dumb(/.*)\$ /dumb\$1 last;
            rewrite ^/[a-z]+/smart(/.*)\$ /smart\$1 last;
        }
        location /dumb/ {
            internal;
            auth_request /may;
            alias $folder/served/;
        }
        location /smart/ {
            internal;
            auth_request /may;
            fastcgi_pass unix:$folder/fcgi;
            include /etc/nginx/fastcgi_params;
            fastcgi_param SCRIPT_FILENAME $backend;
            fastcgi_param GIT_PROJECT_ROOT $folder/served;
            fastcgi_param GIT_HTTP_EXPORT_ALL "";
            fastcgi_param HOME $HOME;
            fastcgi_param PATH_INFO \$rest;
            fastcgi_param REMOTE_USER somebody;
            fastcgi_request_buffering off;
        }
    }
CFG
read -ra children <"/proc/$fcgiwrap/task/$fcgiwrap/children" # they do not end with it
servers+=("${children[@]}")
start_relay reset 10 "$web" || fail "a relay is there"
well=http://127.0.0.1:$relay/well sick=http://127.0.0.1:$relay/sick
rescued() {
    timeout 20 gusset run --policy standard --set retry.attempts=4 --set retry.budget.ratio=100 --set retry.budget.floor=100 \
        --set retry.backoff.base=2ms --set retry.methods=GET,HEAD,POST --set breaker.consecutive=50 "$@"
}
bare() { timeout 20 "$@"; }
helped() { rescued -- "$@"; }
head_of() { git -C "$1" rev-parse "$2" 2>/dev/null; }
first=$(head_of "$folder/tree" HEAD)

# ---- a server that is well ----
ok "bare git clones" bare git clone -q "$well/smart/full.git" "$folder/well"
is "what it clones is whole" "$(head_of "$folder/well" HEAD) $(cmp "$folder/well/data" "$folder/tree/data")" "$first "
ok "bare git clones by the dumb protocol" bare git clone -q "$well/dumb/full.git" "$folder/well.dumb"
is "with the same end" "$(head_of "$folder/well.dumb" HEAD)" "$first"

# ---- one that is not ----
for protocol in smart dumb; do
    forget
    bare git clone -q "$sick/$protocol/full.git" "$folder/bare.$protocol" 2>"$folder/stderr"
    is "$protocol: bare git does not clone" "$?" 128
    forget
    bare git ls-remote "$sick/$protocol/full.git" >/dev/null 2>&1
    is "$protocol: nor list" "$?" 128
    forget
    helped git clone -q "$sick/$protocol/full.git" "$folder/got.$protocol" 2>"$folder/stderr"
    is "$protocol: git clones under gusset" "$? $(cat "$folder/stderr")" "0 "
    is "$protocol: the clone is whole" \
        "$(head_of "$folder/got.$protocol" HEAD) $(cmp "$folder/got.$protocol/data" "$folder/tree/data") $(git -C "$folder/got.$protocol" fsck 2>&1 | grep -v notice)" "$first  "
    at_least "$protocol: calls were rescued" "$(counted rescued)" 2
    forget
    is "$protocol: ls-remote lists the same" "$(helped git ls-remote "$sick/$protocol/full.git")" "$(git ls-remote "$folder/served/full.git")"
done
forget
ok "a shallow clone, too" helped git clone -q --depth 1 "$sick/smart/full.git" "$folder/shallow"
forget
ok "protocol version 0, too" helped git -c protocol.version=0 clone -q "$sick/smart/full.git" "$folder/old"

# ---- fetch ----
seq 30000 >"$folder/tree/numbers"
git -C "$folder/tree" commit -qam second
git -C "$folder/tree" push -q "$folder/served/full.git" main
git -C "$folder/served/full.git" update-server-info
second=$(head_of "$folder/tree" HEAD)
for protocol in smart dumb; do
    forget
    bare git -C "$folder/got.$protocol" fetch -q origin 2>/dev/null
    is "$protocol: bare git does not fetch" "$? $(head_of "$folder/got.$protocol" origin/main)" "128 $first"
    forget
    helped git -C "$folder/got.$protocol" fetch -q origin 2>"$folder/stderr"
    is "$protocol: git fetches under gusset" "$? $(cat "$folder/stderr") $(head_of "$folder/got.$protocol" origin/main)" "0  $second"
done

# ---- push ----
head -c 6000000 /dev/urandom >"$folder/got.smart/large"
git -C "$folder/got.smart" add large
git -C "$folder/got.smart" commit -qm "6 MB"
large=$(head_of "$folder/got.smart" HEAD)
forget
bare git -C "$folder/got.smart" push -q "$sick/smart/empty.git" HEAD:main 2>/dev/null
is "bare git does not push" "$? $(head_of "$folder/served/empty.git" main)" "128 main"
forget
helped git -C "$folder/got.smart" push -q "$sick/smart/empty.git" HEAD:main 2>"$folder/stderr"
is "git pushes 6 MB under gusset" "$? $(cat "$folder/stderr") $(head_of "$folder/served/empty.git" main)" "0  $large"
is "what has arrived is whole" "$(git -C "$folder/served/empty.git" fsck 2>&1 | grep -v notice) $(git -C "$folder/served/empty.git" show main:large | cmp - "$folder/got.smart/large")" " "
forget
git -C "$folder/got.smart" -c http.postBuffer=20000000 push -q "$well/smart/empty.git" :main 2>/dev/null || git -C "$folder/served/empty.git" update-ref -d refs/heads/main
forget
helped git -C "$folder/got.smart" -c http.postBuffer=20000000 push -q "$sick/smart/empty.git" HEAD:refs/heads/again 2>"$folder/stderr"
is "also from one buffer" "$? $(cat "$folder/stderr") $(head_of "$folder/served/empty.git" again)" "0  $large"

# ---- until connections were reset ----
lost=0
for number in $(seq 14); do
    forget
    [ "$(helped git ls-remote "$sick/smart/full.git" 2>/dev/null | head -n 1 | cut -f 1)" = "$second" ] || lost=$((lost + 1))
done
is "14 more lists, no one fails" "$lost" 0
at_least "the relay has reset connections" "$(grep -c spoilt "$folder/relay.log")" 2

# ---- without a rule ----
config "$folder/other.cfg" <<'CFG'
version = 1;
hosts = ( { match = "elsewhere.example"; policy = "standard"; } );
CFG
for mode in "GUSSET_CONFIG=$folder/other.cfg" "GUSSET_POLICY=standard GUSSET_MODE=shadow" "GUSSET_POLICY=standard"; do
    well=http://127.0.0.1:$web/well
    for file in 1 2; do
        rm -rf "$folder/clone" "$folder/trace"
        forget
        under=()
        # shellcheck disable=SC2206 # words
        [ $file = 1 ] || under=($mode LD_PRELOAD="$BUILD/libgusset.so")
        env "${under[@]}" GIT_TRACE_CURL="$folder/trace" GIT_TRACE_CURL_NO_DATA=1 git clone -q "$well/smart/full.git" "$folder/clone"
        grep -oE '(=> Send|<= Recv) header: .*' "$folder/trace" | grep -v 'Date:' >"$folder/$file"
    done
    at_least "${mode##*[=/]}: a clone asks and is told headers" "$(wc -l <"$folder/1")" 20
    is "${mode##*[=/]}: over a clone from a healthy server they are as bare" "$(diff "$folder/1" "$folder/2")" ""
done

done_testing
