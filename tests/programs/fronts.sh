# Sourced after lib.sh by the tests on real programs: real servers before the one that misbehaves, or beside it. Each
# start_… is false, and says why, where what it needs is not installed or does not start.
# shellcheck shell=bash disable=SC2154 # folder, port: lib.sh's

# wait_for_all: the jobs of this shell that are no servers
wait_for_all() {
    local job
    for job in $(jobs -p); do
        [[ " ${servers[*]} " == *" $job "* ]] || wait "$job"
    done
}

# free_port: one that nobody listens on just now
free_port() {
    perl -MSocket -e 'socket(my $s, PF_INET, SOCK_STREAM, 0); bind($s, sockaddr_in(0, INADDR_LOOPBACK)); print((sockaddr_in(getsockname($s)))[0])'
}

# listens PORT PID: waits until that server does
listens() {
    for _ in $(seq 250); do
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
        kill -0 "$2" 2>/dev/null || return 1
        sleep 0.02
    done
    return 1
}

# start_full: sets full to a URL whose port drops what comes, because its queue of connections is full
start_full() {
    perl -MSocket -e '
        socket(my $l, PF_INET, SOCK_STREAM, 0); bind($l, sockaddr_in(0, INADDR_LOOPBACK)); listen($l, 0);
        my ($port) = sockaddr_in(getsockname($l));
        my @full;
        for (1 .. 3) { socket(my $s, PF_INET, SOCK_STREAM, 0); fcntl($s, 4, 2048); connect($s, sockaddr_in($port, INADDR_LOOPBACK)); push @full, $s }
        $| = 1; print "$port\n"; sleep 60' >"$folder/full" &
    servers+=($!)
    until [ -s "$folder/full" ]; do sleep 0.02; done
    full=http://127.0.0.1:$(cat "$folder/full")/
}

# start_planned [ARGUMENT...]: hedge/serve.py, which answers as the request's plan says; sets planned_port. False: it did not start.
start_planned() {
    rm -f "$folder/planned"
    python3 "$(dirname "$0")/hedge/serve.py" "$@" >"$folder/planned" 2>/dev/null &
    servers+=($!)
    for _ in $(seq 500); do
        [ -s "$folder/planned" ] && break
        sleep 0.02
    done
    planned_port=$(cat "$folder/planned")
    [ -n "$planned_port" ]
}

# certificate NAME SUBJECT-ALTERNATIVE-NAME [OPTION...]: $folder/NAME.pem (key and certificate), signed by $folder/authority.crt
certificate() {
    local name=$1 names=$2
    shift 2
    if [ ! -e "$folder/authority.crt" ]; then
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=authority \
            -keyout "$folder/authority.key" -out "$folder/authority.crt" 2>/dev/null || return
    fi
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" -keyout "$folder/$name.key" \
        -out "$folder/$name.csr" 2>/dev/null &&
        openssl x509 -req -in "$folder/$name.csr" -CA "$folder/authority.crt" -CAkey "$folder/authority.key" -CAcreateserial \
            -days 2 -extfile <(echo "subjectAltName=$names") "$@" -out "$folder/$name.crt" 2>/dev/null &&
        cat "$folder/$name.key" "$folder/$name.crt" >"$folder/$name.pem"
}

# start_tls NAME TARGET-PORT [PORT]: stunnel with that certificate; sets tls (its port). A reset on one side is one on the other.
start_tls() {
    command -v stunnel >/dev/null || { echo "# stunnel4 is not installed"; return 1; }
    tls=${3:-$(free_port)}
    config "$folder/$1.stunnel" <<CFG
foreground = yes
pid =
debug = 0
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
[tls]
accept = 127.0.0.1:$tls
connect = 127.0.0.1:$2
cert = $folder/$1.pem
CFG
    stunnel "$folder/$1.stunnel" 2>"$folder/$1.stunnel.log" &
    servers+=($!)
    listens "$tls" $!
}

# start_relay WAY N TARGET-PORT: sets relay (its port); what it does is in $folder/relay.log, a word a connection.
# WAY: see servers/relay.py.
start_relay() {
    local log
    command -v python3 >/dev/null || { echo "# python3 is not installed"; return 1; }
    log=$(mktemp "$folder/relay.XXXX")
    python3 "$(dirname "${BASH_SOURCE[0]}")/servers/relay.py" "$@" >"$log" &
    servers+=($!)
    for _ in $(seq 250); do
        [ -s "$log" ] && break
        sleep 0.02
    done
    relay=$(head -n 1 "$log")
    ln -sf "$log" "$folder/relay.log"
    [ "$relay" ]
}

# start_nginx NAME <SERVERS: nginx with that content of its http block; it listens on $web, which the text may use as WEB.
# A cache or a body that does not fit in memory goes below the test's folder.
start_nginx() {
    local name=$1 text
    command -v nginx >/dev/null || { echo "# nginx is not installed"; return 1; }
    web=$(free_port)
    text=$(cat)
    mkdir -p "$folder/$name"
    cat >"$folder/$name.conf" <<CFG
daemon off;
master_process off;
user root;
pid $folder/$name/pid;
error_log $folder/$name/error.log;
events { worker_connections 1024; }
http {
    access_log off;
    client_body_temp_path $folder/$name/body;
    proxy_temp_path $folder/$name/proxy;
    fastcgi_temp_path $folder/$name/fastcgi;
    uwsgi_temp_path $folder/$name/uwsgi;
    scgi_temp_path $folder/$name/scgi;
    client_max_body_size 0;
    keepalive_requests 100000;
    ${text//WEB/$web}
}
CFG
    nginx -e "$folder/$name/error.log" -c "$folder/$name.conf" 2>"$folder/$name/stderr" &
    servers+=($!)
    listens "$web" $! || { sed 's/^/# /' "$folder/$name/error.log"; return 1; }
}

fpm=$(compgen -c php-fpm | grep -m 1 '^php-fpm')
# start_fpm NAME COMMAND...: php-fpm by way of that command, behind nginx, which serves $scripts/easy.php; fpm is its name
start_fpm() {
    local name=$1
    shift
    config "$folder/$name.fpm" <<CFG
[global]
error_log = $folder/$name.fpm.log
daemonize = no
[www]
user = $(id -un)
listen = $folder/$name.sock
pm = static
pm.max_children = 2
clear_env = no
CFG
    "$@" "$fpm" -R -F -y "$folder/$name.fpm" 2>"$folder/$name.fpm.err" &
    servers+=($!)
    for _ in $(seq 250); do [ -S "$folder/$name.sock" ] && break; sleep 0.02; done
    start_nginx "$name" <<CFG
        server {
            listen 127.0.0.1:WEB;
            location / {
                include /etc/nginx/fastcgi_params;
                fastcgi_param SCRIPT_FILENAME $scripts/easy.php;
                fastcgi_pass unix:$folder/$name.sock;
            }
        }
CFG
}
