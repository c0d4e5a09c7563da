#!/bin/bash
# Programs that use libcurl, or connect(2), in ways that are legal and rare: what they see is what they see bare, what
# the servers see is no more than they may, and nobody is blamed for what another did.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/fronts.sh"
start_upstream
url=http://127.0.0.1:$port
client=$BUILD/clients/odd
serve=$(dirname "$0")/odd/serve.py
python=python3
"$python" -c '' 2>/dev/null || python=

config "$folder/headers.cfg" <<'CFG'
version = 1;
policies: { p: { extends = "standard"; retry: { backoff: { base = "5ms"; }; }; headers = ( { name = "X-Api-Key"; value = "topsecret"; } ); }; };
hosts = ( { match = "*"; policy = "p"; } );
CFG

# tried WORDS... -- COMMAND: under gusset, quick to try again, with what else the test sets
tried() {
    timeout 60 gusset run --policy standard --set retry.attempts=4 --set retry.backoff.base=5ms --set retry.budget.ratio=100 "$@"
}
# shellcheck disable=SC2317 # called by way of "${by[@]}"
keyed() { GUSSET_CONFIG=$folder/headers.cfg LD_PRELOAD=$BUILD/libgusset.so timeout 60 "$@"; }

# same NAME WORDS...: the client as it is, and with what `by` holds before it, end alike; the latter leaves $folder/got.
# FAULT in a word is "" for the first and $fault for the second. Both run at once, unless `apart` is set.
by=(tried --) apart='' fault=''
noted() { # FILE COMMAND...
    local into=$1
    shift
    "$@" >"$into" 2>&1
    echo "exit $?" >>"$into"
}
same() {
    local name=$1 bare
    shift
    forget
    noted "$folder/wanted" timeout 60 "$client" "${@//FAULT/}" &
    bare=$!
    [ "$apart" ] && wait $bare && forget
    noted "$folder/got" "${by[@]}" "$client" "${@//FAULT/"$fault"}"
    wait $bare
    if cmp -s <(uniq "$folder/wanted") <(uniq "$folder/got"); then # how a body is cut into pieces is the network's affair
        pass "$name"
    else
        fail "$name" "bare:   $(tr '\n\r' '| ' <"$folder/wanted" | head -c 300)" "gusset: $(tr '\n\r' '| ' <"$folder/got" | head -c 300)"
    fi
}

# start_python KIND: sets there (its port); what it sees is in $folder/KIND. False where there is no python3.
start_python() {
    [ "$python" ] || return 1
    : >"$folder/$1"
    unset "mark[$1]"
    timeout 300 "$python" "$serve" "$1" >"$folder/$1" 2>/dev/null &
    servers+=($!)
    for _ in $(seq 250); do
        [ -s "$folder/$1" ] && break
        kill -0 $! 2>/dev/null || break
        sleep 0.02
    done
    there=$(head -n 1 "$folder/$1")
    [ "$there" ]
}
# seen KIND: what it saw since the last `unsee KIND`
declare -A mark=()
seen() { tail -n "+$((${mark[$1]:-0} + 2))" "$folder/$1"; }
# settle KIND TEXT: the server may say it a moment after the client has ended
settle() {
    for _ in $(seq 100); do
        seen "$1" | grep -q "$2" && return
        sleep 0.02
    done
}
unsee() { mark[$1]=$(tail -n +2 "$folder/$1" | wc -l); }
without() { skip "$1" "python3 is not installed, which plays the server"; }

dead=$(free_port)

opening() { tried --set breaker.consecutive=1 --set breaker.open=60s --set retry.attempts=1 "$@"; }
open_circuit() {
    forget
    opening -- curl -s -o /dev/null "$url/?status=503"
}

# ---- a refused call goes nowhere ----
if start_python abstract; then
    open_circuit
    said=$(opening -- curl -s "$url/")
    is "a refused call is refused" "$? $said" "7 "
    opening -- "$client" data "$url/" >/dev/null
    sleep 0.1
    is "nobody can lie in wait for it" "$(seen abstract)" ""
elif [ "$python" ]; then
    skip "nobody can lie in wait for a refused call" "another holds that name just now"
else
    without "nobody can lie in wait for a refused call"
fi
if command -v strace >/dev/null; then
    open_circuit
    opening -- strace -f -o "$folder/strace" -e trace=connect curl -s "$url/"
    is "a refused call makes no connection that succeeds" "$(grep -c 'connect(.*= 0' "$folder/strace")" 0
    is "nor one to an abstract name, nor to the network" "$(grep 'connect(' "$folder/strace" | grep -cE 'sun_path=@|AF_INET')" 0
    is "though it is one" "$(grep -c 'connect(.*ENOTDIR' "$folder/strace")" 1
else
    skip "a refused call makes no connection that succeeds" "strace is not installed"
fi

# ---- what is borrowed, is borrowed for what it is for ----
by=(keyed)
if start_python smtp; then
    same "a handle that goes from HTTP to mail" mail "$url/" "smtp://127.0.0.1:$there"
    is "the mail has arrived twice" "$(seen smtp | grep -c '^MAIL: hello')" 2
    is "and does not have the header" "$(seen smtp | grep -ci 'api-key')" 0
    is "that the request had" "$(ask 'heads?key=/' | grep -c '^X-Api-Key: topsecret')" 1
else
    without "a header for a host is not in a mail"
fi
if start_python proxy; then
    by=(keyed env "http_proxy=http://127.0.0.1:$there")
    same "unified headers, a proxy from the environment" unified "$url/"
    "${by[@]}" curl -s -p -o /dev/null "$url/each"
    is "it was asked each time" "$(seen proxy | grep -c '^CONNECT')" 2
    is "and does not see the header" "$(seen proxy | grep -ci 'api-key')" 0
    is "which goes to the host where it can" "$(ask 'heads?key=/each' | grep -c '^X-Api-Key: topsecret')" 1
    open_circuit
    unsee proxy
    opening -- env "http_proxy=http://127.0.0.1:$there" curl -s "$url/" || true
    is "a refused call does not go to a proxy" "$(seen proxy)" ""
else
    without "a header for a host is not shown to a proxy"
fi
by=(tried --)
same "data that was never set is libcurl's own" data "$url/" "$url/x"
is "which is stdout, and for reading stdin" "$(grep -c 'userdata std' "$folder/got")" 4
same "data that was set to NULL is NULL" null "$url/" "$url/x"
is "each time" "$(grep -c 'userdata NULL' "$folder/got")" 4
fault="&status=503&first=3"
same "behind a fault, too" data "$url/?body=10FAULT"

# ---- options that are set in callbacks ----
same "a header list that is set in a callback" lists "$url/"
for by_name in tried keyed; do
    [ $by_name = tried ] && by=(tried --) || by=(keyed)
    forget
    "${by[@]}" "$client" lists "$url/" >/dev/null
    is "it is in the next requests ($by_name)" "$(ask 'heads?key=/' | grep -c '^X-Mine: 1')" 2
done
is "besides what the rule adds" "$(ask 'heads?key=/' | grep -c '^X-Api-Key: topsecret')" 3
by=(tried --)
same "a header function that is set in a callback" hears "$url/?headers=200"
fault="&status=503&first=1"
same "and behind a fault" hears "$url/?headers=200FAULT"
same "CURLOPT_TIMEOUT_MS that is set in a callback" limit timeout_ms 5000 1000 "$url/" "$url/?stall=headers&for=4000"
same "it holds in the transfer itself" limit timeout_ms 5000 1000 "$url/?body=6000&slow=2000" "$url/"
same "CURLOPT_TIMEOUT likewise" limit timeout 5 1 "$url/" "$url/?stall=headers&for=4000"
for option in timeout timeout_ms connect connect_ms; do
    same "$option: what libcurl does not take, is not taken in a callback" limit $option 5 -5 "$url/" "$url/?delay=50"
done

start_full
by=(tried --set timeout.connect=4s --set retry.attempts=1 --)
same "CURLOPT_CONNECTTIMEOUT that is set in a callback" limit connect 5 1 "$url/" "$full"
same "CURLOPT_CONNECTTIMEOUT_MS likewise" limit connect_ms 5000 1000 "$url/" "$full"
by=(tried --)
same "a list that is freed once another is set" freed "$url/?redirect=$url/there&delay=50"
for by_name in tried keyed; do
    [ $by_name = tried ] && by=(tried --) || by=(keyed)
    forget
    "${by[@]}" "$client" freed "$url/?redirect=$url/there&delay=50" >/dev/null
    is "the second hop has the new one ($by_name)" "$(ask 'heads?key=/there' | grep -c '^X-New: 1')" 2
    is "and not the old one ($by_name)" "$(ask 'heads?key=/there' | grep -c '^X-Old: 1')" 0
done
by=(tried --)
if command -v valgrind >/dev/null; then
    for by_name in tried keyed; do
        [ $by_name = tried ] && by=(tried --) || by=(keyed)
        forget
        "${by[@]}" valgrind -q --error-exitcode=99 --log-file="$folder/memcheck" "$client" freed "$url/?redirect=$url/there&delay=50" >/dev/null 2>&1
        is "memcheck finds nothing there ($by_name)" "$? $(grep -m 1 Invalid "$folder/memcheck")" "0 "
    done
else
    skip "memcheck finds nothing there" "valgrind is not installed"
fi
by=(tried --)

# ---- uploads ----
same "an upload, then a form whose part the same reader gives" form "$url/"
is "both are done" "$(grep -c 'result 0 status 200' "$folder/got")" 2
head -c 2000000 /dev/urandom >"$folder/up"
if start_python hop; then
    same "an upload of 2 MB by libcurl's own reader that is redirected" file "http://127.0.0.1:$there/hop" "$folder/up"
    sum=$(md5sum <"$folder/up" | head -c 8)
    is "it arrives whole, each time" "$(seen hop | sort | tr '\n' ' ')" "/hop 2000000 $sum /hop 2000000 $sum /there 2000000 $sum /there 2000000 $sum "
else
    without "a redirected upload by libcurl's own reader"
fi
forget
tried -- "$client" file "$url/?status=503&first=2" "$folder/up" >"$folder/got"
is "it is sent again, too" "$(cat "$folder/got")" "result 0 status 200"
if start_python keep; then
    for path in busy soon; do # of 3 MB, so much has come by then that not all is kept; that all is
        tried -- "$client" keep "http://127.0.0.1:$there/$path" >"$folder/got"
        settle keep "^/$path 503"
        is "/$path: what is sent on after an error is one body" "$(seen keep | grep "^/$path" | grep -vc ' 3000000 d77aecf9$')" 0
        is "/$path: and it was sent" "$(seen keep | grep -c "^/$path 503 3000000 d77aecf9$")" 1
        tried -- "$client" keep "http://127.0.0.1:$there/$path?once" once >"$folder/got"
        settle keep "^/$path?once 503"
        is "/$path: nor is it halved where it cannot be read again" "$(seen keep | grep "^/$path?once" | grep -vc ' 3000000 d77aecf9$')" 0
        is "/$path: then the error is the program's" "$(cat "$folder/got")" "result 0 status 503"
    done
    same "an upload with CURLOPT_KEEP_SENDING_ON_ERROR" keep "http://127.0.0.1:$there/"
    is "is whole" "$(seen keep | grep '^/ ' | sort -u)" "/ 200 3000000 d77aecf9"
else
    without "what is sent on after an error"
fi

# ---- time ----
brief=(tried --set timeout.attempt=600ms --set timeout.connect=600ms --set timeout.total=8s --)
by=("${brief[@]}")
same "a callback that blocks for longer than attempt" slow "$url/?body=2000000"
is "has its body" "$(head -n 1 "$folder/got")" "result 0 status 200"
same "and with a body that takes its time" slow "$url/?body=30000&slow=20000"
if start_python ftp; then
    forget
    said=$("${brief[@]}" curl -sS "ftp://127.0.0.1:$there/f" 2>&1)
    is "a file by FTP that takes longer than attempt" "$? $(wc -c <<<"$said") $(seen ftp | wc -l)" "0 60 1"
else
    without "a file by FTP that takes longer than attempt"
fi
if start_python talk; then
    same "a reply that begins before the upload ends, and goes on for longer than attempt" early "http://127.0.0.1:$there/"
    is "has its body whole" "$(grep -c '^line ' "$folder/got")" 6
else
    without "a reply that begins before the upload ends"
fi

# took COMMAND: sets code, took, said
took() {
    local started=${EPOCHREALTIME/./}
    said=$("$@" 2>/dev/null)
    code=$?
    took=$(((${EPOCHREALTIME/./} - started) / 1000))
}
limited() { tried --set limit.rate=1 --set limit.burst=1 "$@"; }
waiting() { limited --set limit.per=4s --set limit.wait=10s -- "$@"; }
forget
waiting curl -s -o /dev/null "$url/"
took waiting curl -s -m 1 "$url/"
is "-m is too short for a limit's wait: it fails" "$((code != 0)) $(ask 'count?key=/')" "1 1"
at_most "and within the time" "$took" 1300
forget
waiting2() { limited --set limit.per=1s --set limit.wait=10s -- "$@"; }
waiting2 curl -s -o /dev/null "$url/"
took waiting2 curl -s -m 1.5 "$url/?delay=3000"
is "-m bounds the wait and the transfer together" "$code" 28
at_most "to its own time" "$took" 1900
forget
waiting2 curl -s -o /dev/null "$url/"
took waiting2 curl -s -m 3 "$url/"
is "and a wait that fits in is waited" "$code $said" "0 ok"

# ---- a retry that is refused ----
forget
wanted=$(curl -s -w ' %{http_code}' -T "$folder/got" "$url/put?status=503")" $?"
forget
said=$(limited --set limit.per=60s -- curl -s -w ' %{http_code}' -T "$folder/got" "$url/put?status=503")" $?"
is "a PUT that was answered and may not be tried again ends with its answer" "$said" "$wanted"
is "and was sent once" "$(ask 'count?key=/put')" 1
for way in reset=headers close=headers; do
    forget
    limited --set limit.per=60s -- curl -s -o /dev/null -T "$folder/got" "$url/put?$way"
    code=$?
    is "$way: a PUT that was sent does not end as one that could not connect" "$((code != 7)) $((code != 0))" "1 1"
    forget
    tried --set breaker.consecutive=1 --set breaker.open=60s -- curl -s -o /dev/null -T "$folder/got" "$url/put?$way"
    code=$?
    is "$way: nor when the circuit opens behind it" "$((code != 7)) $((code != 0))" "1 1"
done
# The circuit is opened by another while this one waits for its second attempt.
forget
tried --set retry.backoff.base=600ms --set retry.backoff.jitter=none --set breaker.consecutive=2 --set breaker.open=60s -- \
    curl -s -o /dev/null -T "$folder/got" "$url/put?reset=headers" &
waiting=$!
sleep 0.3
tried --set retry.attempts=1 --set breaker.consecutive=2 --set breaker.open=60s -- curl -s -o /dev/null "$url/put?reset=headers"
wait $waiting
code=$?
is "nor when another opens it meanwhile" "$((code != 7)) $((code != 0)) $(ask 'count?key=/put')" "1 1 2"

# ---- header blocks ----
by=(tried --)
if start_python ftp; then
    same "HTTP with CURLOPT_HEADER, then FTP, then HTTP" header "$url/" "ftp://127.0.0.1:$there/f" "$url/x"
    same "FTP first" header "ftp://127.0.0.1:$there/f" "$url/"
    is "with the headers there" "$(grep -c '^HTTP/1.1 200' "$folder/got")" 1
else
    without "FTP, then HTTP with CURLOPT_HEADER"
fi
for way in "" plain; do
    [ "$way" ] && as=", header function" || as=", CURLOPT_HEADER"
    same "header blocks: 103 and a redirect$as" blocks "$url/?redirect=$url/x%3Fearly%3D1&early=1" $way
    same "header blocks: an error that stays$as" blocks "$url/?status=404&headers=5000" $way
    if [ "$python" ]; then
        start_python proxy && same "header blocks: CONNECT$as" blocks "$url/" "http://127.0.0.1:$there" $way
        start_python proxy407 && same "header blocks: CONNECT refused$as" blocks "$url/" "http://127.0.0.1:$there" $way
        start_python trailer && same "header blocks: 100, 200 and trailers$as" blocks "http://127.0.0.1:$there/" $way
        start_python upgrade && same "header blocks: 101, HTTP/2, trailers$as" blocks "http://127.0.0.1:$there/" h2 $way
    else
        without "header blocks of CONNECT, trailers, upgrades$as"
    fi
done

# ---- left and nested ----
same "a nested transfer that is left by longjmp" nested "$url/a?body=12000&slow=40000" "$url/b?body=100"
fault="&status=503&first=1"
same "each behind a fault" nested "$url/a?body=100FAULT" "$url/b?body=100FAULT"
by=("${brief[@]}")
same "with limits that hold" nested "$url/a?body=100" "$url/b?body=100"
by=(tried --)
if command -v valgrind >/dev/null; then
    for words in "$client nested" "$BUILD/clients/jump clean"; do
        forget
        # shellcheck disable=SC2086 # a program and its first word
        tried -- valgrind -q --error-exitcode=99 --log-file="$folder/memcheck" $words "$url/a?body=100" "$url/b?body=100" >/dev/null 2>&1
        is "memcheck finds nothing there (${words##* })" "$? $(grep -m 1 Invalid "$folder/memcheck")" "0 "
    done
else
    skip "memcheck finds nothing there" "valgrind is not installed"
fi

# ---- unix sockets ----
by=(opening --)
open_circuit
same "an abstract unix socket that nobody listens on" unix abstract nobody-there "$url/" "$url/x" "$url/y"
same "one that is a path" unix path "$folder/nobody" "$url/" "$url/x"
perl -MSocket -e '
    my ($path) = @ARGV;
    socket(my $l, PF_UNIX, SOCK_STREAM, 0); bind($l, sockaddr_un($path)); listen($l, 5); $| = 1; print "there\n";
    while (accept(my $c, $l)) { my $got = ""; while ($got !~ /\r\n\r\n/) { sysread($c, $got, 4096, length $got) or last }
        syswrite($c, "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n") if $got =~ m{GET /bad};
        syswrite($c, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nunix") if $got !~ m{GET /bad}; close $c; }' "$folder/socket" >"$folder/socket.up" &
servers+=($!)
until [ -s "$folder/socket.up" ]; do sleep 0.02; done
config "$folder/unix.cfg" <<CFG
version = 1;
policies: { p: { breaker: { consecutive = 2; open = "1s"; }; }; };
hosts = ( { match = "unix:$folder/socket"; policy = "p"; } );
CFG
forget
GUSSET_CONFIG=$folder/unix.cfg LD_PRELOAD=$BUILD/libgusset.so timeout 60 "$client" unix path "$folder/socket" \
    http://h/bad http://h/bad http://h/x wait http://h/y http://h/z >"$folder/got" 2>&1
is "a call to a unix socket is refused, and its option is there again" "$(tr '\n' ' ' <"$folder/got")" \
    "result 0 status 503 result 0 status 503 result 7 status 0 unixresult 0 status 200 unixresult 0 status 200 "
config "$folder/abstract.cfg" <<CFG
version = 1;
policies: { p: { breaker: { consecutive = 1; open = "1s"; }; }; };
hosts = ( { match = "*"; policy = "p"; } );
CFG
forget
GUSSET_CONFIG=$folder/abstract.cfg LD_PRELOAD=$BUILD/libgusset.so timeout 60 "$client" refused "$folder/socket" \
    "$url/?status=503" "$url/" >"$folder/got" 2>&1
is "an option that was set to NULL is NULL after a refusal" "$(tr '\n' ' ' <"$folder/got")" \
    "result 0 status 503 result 7 status 0 unixresult 0 status 200 ok result 0 status 200 "

# ---- connect(2) ----
by=(tried --)
same "a second connect() tells that it is connected" connect "$port"
by=(opening --)
apart=1
same "also where the circuit opens meanwhile" connect "$port" "gusset trip 127.0.0.1:$port --for 60s >/dev/null"
apart=''
by=(limited --set limit.per=60s --)
same "also where a limit has no more tokens" connect "$port"
by=(tried --)
same "to a port that is closed" connect "$dead"
config "$folder/limit.cfg" <<'CFG'
version = 1;
policies: { q: { limit: { rate = 1; per = "60s"; burst = 1; }; }; };
hosts = ( { match = "*"; policy = "q"; } );
CFG
forget
cat >"$folder/two.pl" <<'PERL'
use Socket;
for (1 .. 2) {
    socket(my $s, PF_INET, SOCK_STREAM, 0);
    $! = 0;
    print connect($s, sockaddr_in($ARGV[0], INADDR_LOOPBACK)) ? "connected\n" : "refused " . ($!+0) . "\n";
}
PERL
said=$(GUSSET_CONFIG=$folder/limit.cfg timeout 60 gusset run -- perl "$folder/two.pl" "$port" 2>&1 | tr '\n' ' ')
is "a connect() that only a limit refuses has a reason" "$said" "connected refused 111 "

# ---- blame ----
sharp() { tried --set breaker.consecutive=3 --set breaker.open=60s "$@"; }
# blameless NAME COMMAND...: after five such failures the host is as it was
blameless() {
    local name=$1
    shift
    forget
    for _ in 1 2 3 4 5; do sharp -- "$@" >/dev/null 2>&1 && fail "$name: fails"; done
    is "$name: the host is not blamed" "$(sharp -- curl -s "$url/")" ok
}
blameless "a proxy that is not there" curl -s -x "http://127.0.0.1:$dead" "$url/"
blameless "one that the environment names" env "http_proxy=http://127.0.0.1:$dead" curl -s "$url/"
blameless "a tunnel through one" curl -s -p -x "http://127.0.0.1:$dead" "$url/"
blameless "a SOCKS proxy that is not there" curl -s -x "socks5h://127.0.0.1:$dead" "$url/"
blameless "a proxy whose name is unknown" curl -s -x "http://no-such-proxy.invalid:1" "$url/"
blameless "a unix socket that is not there" curl -s --unix-socket "$folder/nobody" "$url/"
blameless "an abstract one" curl -s --abstract-unix-socket nobody-there "$url/"
blameless "a redirect to a port that is closed" curl -sL "$url/go?redirect=http://127.0.0.1:$dead/"
blameless "a redirect to a host that fails" curl -sfL "$url/go?redirect=http://localhost:$port/%3Fstatus%3D503"
if start_python proxy407; then
    unsee proxy407
    blameless "a proxy that wants to know who" curl -s -p -x "http://127.0.0.1:$there" "$url/"
    is "it is asked once a call" "$(seen proxy407 | grep -c '^CONNECT')" 5
else
    without "a proxy that wants to know who"
fi
if start_python plain; then
    blameless "a proxy whose tunnel is refused with 502" curl -s -p -x "http://127.0.0.1:$there" "$url/"
else
    without "a proxy whose tunnel is refused with 502"
fi
forget
for _ in 1 2 3 4 5; do sharp -- curl -s -o /dev/null "$url/?status=503"; done
is "where the host itself fails, it is" "$(sharp -- curl -s "$url/" || echo "refused $?")" "refused 7"
# blamed NAME NO_PROXY: where the environment excepts the host from its proxy, nobody else can have been it
blamed() {
    forget
    for _ in 1 2 3; do sharp -- env http_proxy=http://127.0.0.1:1 no_proxy="$2" curl -s -o /dev/null "http://127.0.0.1:$dead/"; done
    is "$1" "$(counted opened)" 1
}
blamed "it is where no_proxy names it" "localhost, 127.0.0.1"
if [ "$(printf '%s\n' 7.86 "$(curl -V | awk '{print $2; exit}')" | sort -V | head -n 1)" = 7.86 ]; then # libcurl before took networks for names
    blamed "it is where no_proxy names its network" "10.0.0.0/8,127.0.0.0/8"
    blamed "also one with bits of its own" "127.1.2.3/8"
fi
forget
for _ in 1 2 3; do sharp -- env http_proxy=http://127.0.0.1:1 no_proxy=10.0.0.0/8,127.0.0.0/33,127.0.0.1/x curl -s -o /dev/null "http://127.0.0.1:$dead/"; done
is "it is not where no_proxy names other networks, or none" "$(counted opened)" 0

done_testing
