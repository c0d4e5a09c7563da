#!/bin/bash
# A program that makes a new handle for each request, over TLS: connections outlive the handles where the rule says so,
# and none is ever used with other credentials, other TLS settings or by another process.
. "$(dirname "$0")/lib.sh"
for tool in nginx openssl; do
    if ! command -v $tool >/dev/null; then
        skip "the pool" "$tool is not installed"
        done_testing
    fi
done

# ---- certificates: a good authority and an evil one, a server under each, two clients ----

authority() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=$1" -keyout "$folder/$1.key" -out "$folder/$1.pem" 2>/dev/null
}
# signed NAME AUTHORITY
signed() {
    openssl req -newkey rsa:2048 -nodes -subj "/CN=$1" -keyout "$folder/$1.key" -out "$folder/$1.csr" 2>/dev/null
    openssl x509 -req -days 2 -in "$folder/$1.csr" -CA "$folder/$2.pem" -CAkey "$folder/$2.key" -CAcreateserial \
        -extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2") -out "$folder/$1.pem" 2>/dev/null
}
authority good
authority evil
signed server good
signed impostor evil
signed alice good
signed bob good

# ---- nginx: says on which of its connections it was asked, and as whom ----

read -r tls h2 brief impostor plain < <(python3 - <<'PY'
import socket
sockets = [socket.socket() for _ in range(5)]
for one in sockets:
    one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in sockets))
PY
)
user=
[ "$(id -u)" -ne 0 ] || user="user root;"
server() { # PORT CERTIFICATE LISTEN-WORDS MORE
    cat <<CFG
    server {
        listen 127.0.0.1:$1 $3; listen 127.0.0.2:$1 $3;
        ssl_certificate $folder/$2.pem; ssl_certificate_key $folder/$2.key;
        ssl_client_certificate $folder/good.pem; ssl_verify_client optional;
        location / { return 200 "\$connection \$server_addr \$remote_addr \$ssl_client_s_dn \$http_authorization \$http_proxy_authorization"; }
        $4
    }
CFG
}
mkdir "$folder/nginx"
cat >"$folder/nginx.cfg" <<CFG
$user daemon off; master_process off; worker_processes 1; pid $folder/nginx/pid; error_log $folder/nginx/error.log info;
events { worker_connections 512; }
http {
    log_format who '\$server_port \$connection'; access_log $folder/nginx/access.log who;
    keepalive_requests 1000000;
$(for kind in client_body proxy fastcgi uwsgi scgi; do echo "    ${kind}_temp_path $folder/nginx/$kind;"; done)
$(server "$tls" server ssl "")
$(server "$h2" server "ssl http2" "")
$(server "$brief" server ssl "keepalive_timeout 1;")
$(server "$impostor" impostor ssl "")
    server {
        listen 127.0.0.1:$plain;
        location / { return 200 "\$connection \$http_proxy_authorization \$http_authorization"; }
    }
}
CFG
nginx -e "$folder/nginx/error.log" -p "$folder/nginx" -c "$folder/nginx.cfg" &
servers+=($!)
for _ in $(seq 200); do
    command curl -s "http://127.0.0.1:$plain/" >/dev/null && break
    sleep 0.05
done
start_upstream
url=https://localhost:$tls/ here=https://127.0.0.1:$tls/

# connections PORT: how many nginx has seen since the last forget_log
forget_log() { : >"$folder/nginx/access.log"; }
connections() {
    local seen
    for _ in $(seq 50); do # nginx writes its line after the reply
        seen=$(grep -c "^$1 " "$folder/nginx/access.log")
        [ "$seen" -ge "${2:-1}" ] && break
        sleep 0.02
    done
    grep "^$1 " "$folder/nginx/access.log" | sort -u | wc -l
}

config "$folder/gusset.cfg" <<'CFG'
version = 1;
policies: {
  p: {
    extends = "standard";
    retry: { attempts = 4; backoff: { base = "2ms"; }; budget: { ratio = 100; }; };
    pool: { };
  };
};
hosts = ( { match = "*"; policy = "p"; } );
CFG
under() { GUSSET_CONFIG=$folder/gusset.cfg LD_PRELOAD=$BUILD/libgusset.so timeout 60 "$@"; }
pool() { under "$BUILD/clients/pool" "ca=$folder/good.pem" "$@"; }
# told: the first words of each reply: CURLcode, new connections
told() { awk '{print $1, $2}' | paste -sd, | sed 's/,/, /g'; }

is "explain tells the pool's settings" \
    "$(gusset explain --config "$folder/gusset.cfg" --json https://api.example/ | grep -oE '"pool\.[a-z]+"' | paste -sd' ')" \
    '"pool.share" "pool.connections" "pool.keepalive"'
ok "check takes the file that shows every setting" gusset check "$(dirname "$0")/../../conf/gusset.cfg"
is "no built-in policy has a pool" "$(for policy in standard quick external; do gusset explain --policy $policy | grep '^not applied' | grep -c pool; done | paste -sd' ')" "1 1 1"

# ---- connections outlive the handles ----

"$BUILD/clients/pool" "ca=$folder/good.pem" times 20 "$url" >/dev/null
is "bare, 20 requests take 20 connections" "$(connections "$tls" 20)" 20
forget_log
is "500 requests succeed, each on a fresh handle" "$(pool times 500 "$url")" 500
is "and take one connection" "$(connections "$tls" 500)" 1
forget_log
is "over HTTP/2 as well" "$(pool times 50 "https://localhost:$h2/") $(connections "$h2" 50)" "50 1"
forget_log
is "over plain HTTP as well" "$(pool times 50 "http://127.0.0.1:$plain/") $(connections "$plain" 50)" "50 1"
is "a handle that was told of its own reuses, and says so" "$(pool get "$url" get "$url" | told)" "0 1, 0 0"
forget_log
sed 's/pool: { };/pool: { share = false; };/' "$folder/gusset.cfg" | config "$folder/off.cfg"
GUSSET_CONFIG=$folder/off.cfg LD_PRELOAD=$BUILD/libgusset.so "$BUILD/clients/pool" "ca=$folder/good.pem" times 5 "$url" >/dev/null
is "share = false is as bare" "$(connections "$tls" 5)" 5
forget_log
GUSSET_MODE=shadow pool times 5 "$url" >/dev/null
is "shadow is as bare" "$(connections "$tls" 5)" 5

# ---- what the program asked for wins ----

is "FRESH_CONNECT connects anew" "$(pool get "$url" fresh=1 get "$url" get "$url" | told)" "0 1, 0 1, 0 1"
is "FORBID_REUSE connects anew" "$(pool get "$url" forbid=1 get "$url" get "$url" | told)" "0 1, 0 1, 0 1"
is "a share object of the program's own is used, and free at its end" "$(pool get "$url" own-share "$url" | told)" "0 1, 0 1, 0 0, 0 "
is "one that comes late, in a callback, too" "$(pool keep "$url" late-share "$url" | tail -n 1)" "2 0"
is "a smaller MAXCONNECTS holds" \
    "$(pool connects=1 get "$url" get "https://localhost:$h2/" get "https://localhost:$brief/" get "$url" | told)" "0 1, 0 1, 0 1, 0 1"
is "a larger pool holds them" \
    "$(pool get "$url" get "https://localhost:$h2/" get "https://localhost:$brief/" get "$url" | told)" "0 1, 0 1, 0 1, 0 0"

is "a POST connects anew: on a connection that died libcurl would send it twice" \
    "$(pool get "$url" post=x get "$url" get "$url" clear "ca=$folder/good.pem" method=PATCH get "$url" method=DELETE get "$url" | told)" "0 1, 0 1, 0 1, 0 1, 0 0"
is "unless the rule may repeat it" \
    "$(GUSSET_SET='retry.methods=GET,POST' pool get "$url" post=x get "$url" get "$url" | told)" "0 1, 0 0, 0 0"
is "or its Idempotency-Key says so" "$(pool get "$url" post=x "header=Idempotency-Key: 1" get "$url" | told)" "0 1, 0 0"
is "an upload from a callback too: it may not be able to start over" "$(echo hello | pool get "$url" upload=1 get "$url" | told)" "0 1, 0 1"
ask zero >/dev/null
is "a POST that the server has taken and not answered is sent once" \
    "$(pool get "http://127.0.0.1:$port/a?body=0" post=x get "http://127.0.0.1:$port/b?reset=headers&body=0" | awk '{print $1}' | paste -sd' ') $(ask total)" "0 56 2"
is "what the program executes gets no connection of the pool" \
    "$(pool open get "$url" get "https://localhost:$h2/" open | awk 'NF == 1' | uniq | wc -l)" 1

# ---- never mixed ----

alice="cert=$folder/alice.pem key=$folder/alice.key" bob="cert=$folder/bob.pem key=$folder/bob.key"
# shellcheck disable=SC2086 # two words each
is "two client certificates are two connections, and each comes back to its own" \
    "$(pool $alice get "$url" clear "ca=$folder/good.pem" $bob get "$url" clear "ca=$folder/good.pem" get "$url" $alice get "$url" | awk '{print $1, $2, $6}' | paste -sd,)" \
    "0 1 CN=alice,0 1 CN=bob,0 1 ,0 0 CN=alice"
is "an authority that did not sign the server fails, though a good connection is idle" \
    "$(pool get "$url" "ca=$folder/evil.pem" get "$url" "ca=$folder/good.pem" get "$url" | told)" "0 1, 60 1, 0 0"
is "who verifies nothing opens no way for who does" \
    "$(under "$BUILD/clients/pool" "ca=$folder/good.pem" verify=0 get "https://localhost:$impostor/" verify=1 get "https://localhost:$impostor/" verify=0 get "https://localhost:$impostor/" | told)" \
    "0 1, 60 1, 0 1"
is "nor does a name that was not checked" \
    "$(pool "resolve=wrong.example:$tls:127.0.0.1" verifyhost=0 get "https://wrong.example:$tls/" verifyhost=2 get "https://wrong.example:$tls/" | told)" "0 1, 60 1"
is "another TLS version is another connection" "$(pool get "$url" tls=6 get "$url" | told)" "0 1, 0 1"
basic() { printf 'Basic %s' "$(printf %s "$1" | base64)"; }
is "each user is sent as itself, and on connections of its own" \
    "$(pool userpwd=ann:1 get "$here" userpwd=ben:2 get "$here" userpwd=ann:1 get "$here" userpwd= get "$here" | awk '{print $2, $6, $7}' | paste -sd,)" \
    "1 $(basic ann:1),1 $(basic ben:2),0 $(basic ann:1),1  "
is "user and password one by one, in any order" \
    "$(pool userpwd=ann:1 user=cat get "$here" clear "ca=$folder/good.pem" user=cat userpwd=ann:1 get "$here" | awk '{print $2, $6, $7}' | paste -sd,)" \
    "1 $(basic cat:1),1 $(basic ann:1)"
is "a user in the URL is sent as itself" \
    "$(pool get "https://ann:1@localhost:$tls/" get "https://ben:2@localhost:$tls/" get "$url" | awk '{print $6, $7}' | paste -sd,)" \
    "$(basic ann:1),$(basic ben:2), "
is "NTLM and Negotiate stay out of the pool: they authenticate the connection" \
    "$(pool auth=8 userpwd=a:b get "$url" get "$url" auth=4 get "$url" get "$url" | told)" "0 1, 0 1, 0 1, 0 1"
is "so they do where the program writes the header itself" \
    "$(pool "header=Authorization: Negotiate abc" get "$url" get "$url" "header=authorization:NTLM x" get "$url" get "$url" | told)" "0 1, 0 1, 0 1, 0 1"
is "a bearer token, a user agent, a timeout are the request's" \
    "$(pool "header=Authorization: Bearer a" get "$url" "header=Authorization: Bearer b" agent=x timeout=5000 get "$url" | told)" "0 1, 0 0"
is "proxy users are two connections, each sent as itself" \
    "$(pool "proxy=http://127.0.0.1:$plain" proxyuser=ann:1 get http://x.example/ proxyuser=ben:2 get http://x.example/ proxyuser=ann:1 get http://x.example/ | awk '{print $2, $4, $5}' | paste -sd,)" \
    "1 $(basic ann:1),1 $(basic ben:2),0 $(basic ann:1)"
ann=$(http_proxy=http://ann:1@127.0.0.1:$plain pool times 3 http://x.example/ get http://x.example/ | tail -n 1)
is "a proxy of the environment serves too" "$(echo "$ann" | awk '{print $1, $2, $4, $5}')" "0 0 $(basic ann:1)"
is "an address given by RESOLVE is not kept for others" \
    "$(pool "resolve=localhost:$tls:127.0.0.2" get "$url" clear "ca=$folder/good.pem" get "$url" | awk '{print $1, $4}' | paste -sd,)" "0 127.0.0.2,0 127.0.0.1"
is "nor does the pool keep RESOLVE from holding" \
    "$(pool get "$url" "resolve=localhost:$tls:127.0.0.2" get "$url" | awk '{print $1, $4}' | paste -sd,)" "0 127.0.0.1,0 127.0.0.2"
is "what a callback sets spoils no connection for others" \
    "$(pool keep "$url" late userpwd=ann:1 "$url" get "$url" again "$url" | told)" "0 1, 0 0, 0 1, 0 1"
is "an interface is one connection's" \
    "$(pool get "$here" interface=127.0.0.3 get "$here" interface= get "$here" | awk '{print $1, $5}' | paste -sd,)" "0 127.0.0.1,0 127.0.0.3,0 127.0.0.1"

# ---- handles that live longer ----

is "a handle that is used again keeps its connection, its credentials set each time" \
    "$(pool userpwd=ann:1 keep "$url" again "$url" again "$url" drop get "$url" | told)" "0 1, 0 0, 0 0, 0 0"
is "changed, it changes its connection" \
    "$(pool keep "$url" userpwd=ann:1 again "$url" userpwd=ben:2 again "$url" userpwd=ann:1 again "$url" | told)" "0 1, 0 1, 0 1, 0 0"
is "a duplicate and a reset handle are pooled by their own settings" \
    "$(pool keep "$url" dup again "$url" reset again "$url" userpwd=ann:1 again "$url" dup again "$url" | told)" "0 1, 0 0, 0 0, 0 1, 0 0"
is "in a multi handle it keeps to itself, then and later" \
    "$(pool keep "$url" multi "$url" multi "$url" again "$url" again "$url" drop get "$url" | told)" "0 1, 0 1, 0 1, 0 1, 0 0, 0 0"
is "its socket can be asked for" "$(pool keep "$url" socket drop | tail -n 1)" "0 open"
is "another thread uses a connection of its own, and the handle comes back" \
    "$(pool keep "$url" moved "$url" again "$url" | told)" "0 1, 0 1, 0 0"
is "a thread that ends leaves its connections to the next" "$(pool keep "$url" moved "$url" moved "$url" | told)" "0 1, 0 1, 0 0"
is "a request from within another's callback has a connection of its own, and leaves it to the next such" \
    "$(pool nest "$url" "$url" nest "$url" "$url" | told)" "0 1, 0 1, 0 0, 0 0"
is "curl_global_cleanup and a new beginning" "$(pool get "$url" global get "$url" | told | cut -c1-3)" "0 1"
# shellcheck disable=SC2046 # many words
is "more settings than a thread keeps: each still comes as itself" \
    "$(pool $(for i in $(seq 12); do echo userpwd="u$i:p" get "$here"; done) | awk '{print $6, $7}' | sort -u | wc -l)" 12

# ---- threads ----

forget_log
is "8 threads of 50 requests succeed" "$(pool threads 8 50 "$url")" 400
at_most "on a connection each" "$(connections "$tls" 400)" 8
forget_log
is "three times 8 threads of 20" "$(pool threads 8 20 "$url" threads 8 20 "$url" threads 8 20 "$url" | paste -sd' ')" "160 160 160"
at_most "on few more, for they take over" "$(connections "$tls" 480)" 16

# ---- fork ----

forget_log
is "a child makes its own connections, and the parent's stay good" \
    "$(pool get "$url" fork 20 "$url" get "$url" | told)" "0 1, 20 , 0 0"
is "two connections in all" "$(connections "$tls" 22)" 2
is "a child that uses an inherited handle does not touch its parent's connection" \
    "$(pool keep "$url" inherit "$url" inherit "$url" again "$url" | told)" "0 1, 0 0, 0 1, 0 0, 0 1, 0 0"

# ---- connections that die ----

is "the server has closed the idle connection: the next request succeeds on a new one" \
    "$(pool get "https://localhost:$brief/" sleep 1500 get "https://localhost:$brief/" get "https://localhost:$brief/" | told)" "0 1, 0 1, 0 0"
is "a reply that breaks off on a reused connection is tried again" \
    "$(pool times 3 "http://127.0.0.1:$port/a" get "http://127.0.0.1:$port/b?reset=headers&first=2&body=0" get "http://127.0.0.1:$port/a?body=0" | awk '{print $1}' | paste -sd' ')" "3 0 0"

# ---- the end ----

pool times 10 "$url" >/dev/null
is "the server has nothing to say of how the connections end" \
    "$(grep -cE '\[(crit|alert|emerg|error|warn)\]' "$folder/nginx/error.log")" 0

# ---- memory ----

if command -v valgrind >/dev/null; then
    # What is kept for the next handle is still reachable at the end; nothing is lost, in children neither.
    clean() {
        local name=$1 code
        shift
        timeout 300 env GUSSET_CONFIG="$folder/gusset.cfg" LD_PRELOAD="$BUILD/libgusset.so" valgrind --quiet --error-exitcode=99 --leak-check=full \
            --errors-for-leak-kinds=definite,indirect --show-leak-kinds=definite,indirect --log-file="$folder/valgrind" \
            "$BUILD/clients/pool" "ca=$folder/good.pem" "$@" >"$folder/out" 2>&1
        code=$?
        is "memcheck: $name" "$code $(grep 'the child ended' "$folder/out") $(head -n 20 "$folder/valgrind")" "0  "
    }
    second=https://localhost:$h2/ ending=https://localhost:$brief/
    # shellcheck disable=SC2046 # many words
    clean "one thread" times 2 "$second" keep "$url" userpwd=a:b again "$url" userpwd= again "$url" dup again "$url" reset again "$url" \
        multi "$url" again "$url" drop keep "$second" late-share "$second" again "$second" drop own-share "$url" nest "$url" "$url" \
        get "$ending" sleep 1500 get "$ending" "ca=$folder/evil.pem" get "$url" global "ca=$folder/good.pem" get "$url" \
        $(for i in $(seq 7); do echo userpwd="u$i:p" get "$here"; done)
    clean "threads and children" threads 3 2 "$url" keep "$url" moved "$url" threads 3 1 "$url" fork 2 "$url" inherit "$url" again "$url" drop
else
    skip "memcheck" "valgrind is not installed"
fi

# ---- programs of others ----

if perl -MWWW::Curl::Easy -e 1 2>/dev/null; then
    forget_log
    CA=$folder/good.pem URL=$url under perl -e '
        use WWW::Curl::Easy;
        for (1 .. 100) {
            my $curl = WWW::Curl::Easy->new; my $body = "";
            $curl->setopt(CURLOPT_URL, $ENV{URL}); $curl->setopt(CURLOPT_CAINFO, $ENV{CA});
            open my $file, ">", \$body; $curl->setopt(CURLOPT_WRITEDATA, $file);
            $good++ if $curl->perform == 0 && $body =~ /^\d+ 127/;
        }
        print "$good\n"' >"$folder/perl"
    is "perl's WWW::Curl: 100 requests on one connection" "$(cat "$folder/perl") $(connections "$tls" 100)" "100 1"
else
    skip "perl's WWW::Curl" "libwww-curl-perl is not installed"
fi
cat >"$folder/page.php" <<'PHP'
<?php
$good = 0;
for ($i = 0; $i < 100; $i++) {
    $curl = curl_init(getenv("URL"));
    curl_setopt_array($curl, [CURLOPT_RETURNTRANSFER => true, CURLOPT_CAINFO => getenv("CA"), CURLOPT_TIMEOUT => 10]);
    $good += preg_match("/^\d+ 127/", (string) curl_exec($curl));
    curl_close($curl);
}
echo "$good\n";
PHP
if ! php -r 'exit(function_exists("curl_init") ? 0 : 1);' 2>/dev/null; then
    skip "PHP" "php-cli with curl is not installed"
else
    forget_log
    calls=$(counted calls)
    good=$(CA=$folder/good.pem URL=$url under php "$folder/page.php")
    if [ "$(counted calls)" = "$calls" ]; then
        skip "PHP" "it loads curl.so with RTLD_DEEPBIND, and gusset saw none of its calls"
    else
        is "PHP: 100 requests on one connection" "$good $(connections "$tls" 100)" "100 1"
    fi
fi

done_testing
