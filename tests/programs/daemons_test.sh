#!/bin/bash
# Programs that need more than a URL: PHP under php-fpm behind nginx, whose requests share nothing but the state; ostree, an
# event loop by socket_action; a static program, which nobody can wrap.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
start_upstream
url=http://127.0.0.1:$port
scripts=$(realpath "$(dirname "$0")")/languages
seen_by_dlsym() { nm -D "$BUILD/libgusset.so" 2>/dev/null | grep -qE ' [TW] dlsym(@|$)'; }
rescuing=(--policy standard --set retry.attempts=12 --set retry.budget.ratio=100 --set retry.budget.floor=100 --set retry.backoff.base=5ms --set breaker.consecutive=100)

# ---- php-fpm ----
if [ "$fpm" ] && command -v nginx >/dev/null && php -r 'curl_version();' 2>/dev/null; then
    start_fpm bare env || fail "php-fpm is there" "$(cat "$folder/bare.fpm.err")"
    page() { curl -s --get --data-urlencode "urls=$1" "http://127.0.0.1:$web/"; }
    is "php-fpm: bare it serves what it fetched" "$(page "$url/a?text=hello")" "hello
200"
    is "php-fpm: bare, a page whose request fails shows it" "$(page "$url/b?text=hello&status=503&first=1&key=fpm1")" "hello
503"
    start_fpm helped gusset run "${rescuing[@]}" -- || fail "php-fpm under gusset is there" "$(cat "$folder/helped.fpm.err")"
    is "php-fpm under gusset: it serves what it fetched" "$(page "$url/a?text=hello")" "hello
200"
    if seen_by_dlsym; then
        before=$(counted rescued) # its workers live on, and so does the state that they have mapped
        is "php-fpm under gusset: a page whose requests fail at first is as of a healthy server" \
            "$(page "$url/b?text=hello&status=503&first=1&key=fpm2 $url/b?text=more&reset=headers&first=1&key=fpm3" | xargs)" "hello 200 more 200"
        is "php-fpm under gusset: its calls were rescued" "$(($(counted rescued) - before))" 2
        lost=0
        for number in $(seq 20); do [ "$(page "$url/c?text=hello&fail=30&seed=4&key=fpm4")" = "hello
200" ] || lost=$((lost + 1)); done
        is "php-fpm under gusset: of 20 pages, 30 % of whose requests fail, none shows it" "$lost" 0
    else
        skip "php-fpm: a page whose request fails at first" "this library does not answer for dlsym"
    fi
else
    skip "PHP under php-fpm" "php-fpm, php-curl or nginx is not installed"
fi

# ---- ostree ----
if command -v ostree >/dev/null && command -v nginx >/dev/null; then
    export OSTREE_SYSROOT=$folder/sysroot
    mkdir -p "$folder/tree"
    for number in $(seq 30); do head -c 3000 /dev/urandom | base64 >"$folder/tree/$number"; done
    ostree --repo="$folder/repository" init --mode=archive
    ostree --repo="$folder/repository" commit --branch=main -s first "$folder/tree" >"$folder/commit"
    ostree --repo="$folder/repository" summary -u
    start_nginx ostree <<CFG || fail "nginx is there"
        server {
            listen 127.0.0.1:WEB;
            root $folder;
            error_page 500 =503 @busy;
            location @busy { return 503; }
            location = /may {
                internal;
                proxy_pass http://127.0.0.1:$port/may?\$fault&key=\$asked;
                proxy_pass_request_body off;
            }
            location / { set \$fault x; set \$asked well; rewrite ^/well(/.*)\$ \$1 break; }
            location /sick/ {
                set \$fault status=503&first=1;
                set \$asked \$request_uri;
                rewrite ^/sick(/.*)\$ /served\$1 last;
            }
            location /served/ { internal; auth_request /may; alias $folder/; }
        }
CFG
    # pull NAME FROM COMMAND...: into a repository of its own; what has arrived, or what it said
    pull() {
        local name=$1 from=$2
        shift 2
        ostree --repo="$folder/$name" init --mode=bare-user
        ostree --repo="$folder/$name" remote add --no-gpg-verify origin "http://127.0.0.1:$web/$from/repository"
        timeout 30 "$@" ostree --repo="$folder/$name" pull --mirror origin main >"$folder/$name.out" 2>&1 &&
            ostree --repo="$folder/$name" rev-parse main && ostree --repo="$folder/$name" fsck 2>&1 | grep -c 'fsck object' || echo failed
    }
    config "$folder/other.cfg" <<'CFG'
version = 1;
hosts = ( { match = "elsewhere.example"; policy = "standard"; } );
CFG
    wanted=$(cat "$folder/commit")
    is "ostree: bare it pulls from a server that is well" "$(pull o1 well env | head -n 1)" "$wanted"
    is "ostree, no rule: it does so, too" "$(pull o2 well env GUSSET_CONFIG="$folder/other.cfg" LD_PRELOAD="$BUILD/libgusset.so" | head -n 1)" "$wanted"
    is "ostree, shadow: it does so, too" "$(pull o3 well env GUSSET_POLICY=standard GUSSET_MODE=shadow LD_PRELOAD="$BUILD/libgusset.so" | head -n 1)" "$wanted"
    forget
    is "ostree: bare it does not pull from a server that refuses each file once" "$(pull o4 sick env)" failed
    forget
    is "ostree: under gusset it pulls from a server that refuses each file once" "$(pull o5 sick gusset run "${rescuing[@]}" -- | head -n 1)" "$wanted"
    at_least "ostree: its calls were rescued" "$(counted rescued)" 30
else
    skip "ostree pulls" "ostree or nginx is not installed"
fi

# ---- a static program ----
if busybox=$(command -v busybox) && ! ldd "$busybox" >/dev/null 2>&1; then
    is "a static program: wrapped it would not be, and gusset says so" "$(gusset run --policy standard -- busybox wget -qO- "$url/" 2>"$folder/said"; echo $?) $(grep -ci static "$folder/said")" "125 1"
    is "a static program: forced, it runs untouched" "$(gusset run --force --policy standard -- busybox wget -qO- "$url/s?key=static" 2>/dev/null) $(ask 'count?key=static')" "ok 1"
    gusset run --force --policy standard -- busybox wget -qO- "$url/s?key=static2&status=503" >/dev/null 2>&1
    is "a static program: it fails as bare, and is asked once" "$? $(ask 'count?key=static2')" "1 1"
else
    skip "a static program passes untouched" "busybox-static is not installed"
fi

done_testing
