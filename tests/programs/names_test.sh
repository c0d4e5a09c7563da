#!/bin/bash
# Which name did the program mean? Each way to look one up is remembered, and where forty names share five addresses each
# connect is put down to the right one. Needs an /etc/hosts of its own.
if [ -z "${GUSSET_OWN_HOSTS:-}" ]; then
    if unshare -rm true 2>/dev/null; then
        GUSSET_OWN_HOSTS=yes exec unshare -rm bash "$0" "$@"
    fi
    echo "ok 0 # SKIP names: this machine does not allow a mount namespace (unshare -rm)"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
. "$(dirname "$0")/lib.sh"
asks=$(dirname "$(realpath "$0")")/clients
python=/usr/bin/python3
open=$((24000 + $$ % 4000))
"$python" "$asks/serve.py" "$open" >"$folder/serving" &
servers+=($!)
{
    echo "127.0.0.1 localhost"
    echo "127.0.0.50 one.names.test"
    for i in $(seq 0 39); do echo "127.0.1.$((i % 5 + 1)) n$i.many.test"; done
} >"$folder/hosts"
mount --bind "$folder/hosts" /etc/hosts
{
    echo 'version = 1; policies: { one: { breaker: { consecutive = 9; }; };'
    for i in $(seq 0 39); do echo "  p$i: { breaker: { consecutive = 9; }; };"; done
    echo '}; hosts = ( { match = "one.names.test"; policy = "one"; }'
    for i in $(seq 0 39); do echo "  , { match = \"n$i.many.test\"; policy = \"p$i\"; }"; done
    echo ');'
} | config "$folder/names.cfg"
export GUSSET_CONFIG=$folder/names.cfg
gusset run -- true
for _ in $(seq 200); do
    grep -qs ready "$folder/serving" && break
    sleep 0.02
done

for way in getaddrinfo mapped gethostbyname gethostbyname2 gethostbyname_r gethostbyname2_r getaddrinfo_a gai_error; do
    rm -f "$GUSSET_STATE"
    said=$(LD_PRELOAD=$BUILD/libgusset.so timeout 10 "$BUILD/clients/sockets" names $way ONE.names.test "$open" 2>&1)
    is "a name that $way looked up is known" "$said $(gusset status --json "one.names.test:$open" 2>/dev/null | grep -o '"calls":[0-9]*' | head -n 1)" 'Success "calls":1'
done

# right TIMES: of a hundred connects, how many were put down to the name that was meant
right() {
    gusset status --json | tr '{' '\n' | sed -n 's/.*"policy":"p[0-9]*".*"calls":\([0-9]*\),.*/\1/p' |
        awk -v times="$1" '{right += $1 < times ? $1 : times} END {print int(100 * right / (40 * times))}'
}
many() { # NAME AT-LEAST COMMAND...
    local name=$1 limit=$2
    shift 2
    rm -f "$GUSSET_STATE"
    LD_PRELOAD=$BUILD/libgusset.so timeout 60 "$@" >"$folder/said" 2>&1 || fail "$name: ends well" "$(tail -n 3 "$folder/said")"
    at_least "forty names on five addresses, $name: of a hundred connects so many are put down to the right one" "$(right 10)" "$limit"
}
many threads 100 "$python" "$asks/many.py" threads 40 "$open" 10
many asyncio 80 "$python" "$asks/many.py" asyncio 40 "$open" 10
if command -v node >/dev/null; then
    many node 90 node "$asks/many.js" 40 "$open" 10
else
    skip "node" "it is not installed"
fi

done_testing
