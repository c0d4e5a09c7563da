#!/bin/bash
# Variants: a rule with several policies, dealt out by request, tenant or process; shares that grow over a time.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
cfg=$folder/gusset.cfg
export GUSSET_CONFIG=$cfg

# configure VARIANTS [LINE]: each policy says in a header which one it is
configure() {
    config "$cfg" <<CFG
version = 1;
policies: {
  old: { extends = "quick"; headers = ( { name = "X-Variant"; value = "old"; } ); };
  new: { extends = "quick"; headers = ( { name = "X-Variant"; value = "new"; } ); };
};
hosts = ( { match = "127.0.0.1"; variants = ( $1 ); ${2-} } );
CFG
}
# variants: of what curl printed, in a row
variants() { sed -n 's/\r//; s/^X-Variant: //p' | tr '\n' ' '; }

configure '{ weight = 60; policy = "old"; }, { weight = 40; policy = "new"; }'
sum=0 fickle=0
for tenant in $(seq 40); do
    # shellcheck disable=SC2016 # the inner shell's
    got=$(gusset run --tenant "t$tenant" -- sh -c 'curl -s "$0"; curl -s -Z "$0" 2>/dev/null' "$url/?echo=request" | variants)
    case $got in
    "new new ") sum=$((sum + 1)) ;;
    "old old ") ;;
    *) fickle=$((fickle + 1)) ;;
    esac
done
at_least "of 40 tenants some 40 % are under the second policy: at least 6" "$sum" 6
at_most "and at most 26" "$sum" 26
is "a tenant is under the same one in every process, at both interfaces" "$fickle" 0
is "each variant is counted by itself" \
    "$(field "$(gusset status --json)" "sorted((h['policy'], h['calls']) for h in d['hosts'])")" \
    "[('new', $((2 * sum))), ('old', $((80 - 2 * sum)))]"
says "metrics, too" "$(gusset metrics)" 'calls_total\{.*policy="new"'
says "explain tells the shares" "$(gusset explain "$url/")" '^ +variants: 60 % old, 40 % new$'
json=$(gusset explain "$url/" --json)
is "and so does its JSON" "$(field "$json" "[(v['policy'], v['share']) for v in d['rules'][0]['variants']]")" \
    "[('old', 60), ('new', 40)]"

# connect(2): the errno of an open circuit tells which policy held.
config "$cfg" <<CFG
version = 1;
policies: {
  one: { breaker: { consecutive = 1; open = "60s"; errno = "ETIMEDOUT"; }; };
  two: { breaker: { consecutive = 1; open = "60s"; errno = "EHOSTUNREACH"; }; };
};
hosts = ( { match = "127.0.0.1"; by = "request"; variants = ( { weight = 1; policy = "one"; }, { weight = 1; policy = "two"; } ); } );
CFG
# The port is taken by nobody: it was the kernel's to give, and is given back.
closed=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# knock ID: the errno that a process of this request ends with
knock() {
    gusset run --request-id "$1" -- python3 - "$closed" <<'P'
import socket, sys, errno
for _ in range(2):
    try:
        socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
    except OSError as error:
        name = errno.errorcode[error.errno]
print(name)
P
}
fickle=0
for request in $(seq 16); do
    got=$(knock "r$request")
    echo "$got" >>"$folder/errors"
    [ "$got" = "$(knock "r$request")" ] || fickle=$((fickle + 1))
done
is "a request is under the same one in every process" "$fickle" 0
ok "connects are under both, too" grep -q ETIMEDOUT "$folder/errors"
ok "the other one as well" grep -q EHOSTUNREACH "$folder/errors"

# By process: what one process has drawn it keeps.
configure '{ weight = 1; policy = "old"; }, { weight = 1; policy = "new"; }' 'by = "process";'
kinds=""
for _ in $(seq 16); do
    kinds="$kinds$(gusset run --tenant same --request-id same -- curl -s "$url/?echo=request" "$url/b?echo=request" | variants), "
done
ok "processes differ though tenant and request do not" grep -q "old old .*new new \|new new .*old old" <<<"$kinds"
is "a process does not change its mind" "$(grep -c "old new\|new old" <<<"$kinds")" 0

# A ramp, in a program that runs on with one handle. The file's time lies ahead, so that it begins at nothing for certain.
configure '{ weight = 1; policy = "old"; }, { weight = 1000000; policy = "new"; ramp = "500ms"; }'
touch -d "+2 seconds" "$cfg"
says "explain tells a ramp and the share that it has" "$(gusset explain "$url/")" 'variants: 100 % old, 0 % new \(weight 1000000, ramp 500ms\)'
if /usr/bin/python3 -c "import pycurl" 2>/dev/null; then
    cat >"$folder/asks.py" <<'P'
import pycurl, sys, time
easy = pycurl.Curl()
easy.setopt(pycurl.URL, sys.argv[1])
seen = []
easy.setopt(pycurl.WRITEFUNCTION, lambda data: seen.append(b"X-Variant: new" in data))
end = time.time() + 15
while time.time() < end and not any(seen):
    easy.perform()
    time.sleep(0.02)
print(seen[0], seen[-1])
P
    is "a handle that is used again moves while its ramp goes on" \
        "$(gusset run -- /usr/bin/python3 "$folder/asks.py" "$url/?echo=request")" "False True"
else
    skip "a handle that is used again moves" "python3-pycurl is not installed"
fi
touch -d "-1 hour" "$cfg"
says "an hour later it is over" "$(gusset explain "$url/")" 'variants: 0 % old, 100 % new'

# check names what is wrong, with its line.
configure '{ weight = 1; policy = "old"; },
  { weight = 1; policy = "quik"; }'
exits "an unknown policy is a fault" 1 gusset check "$cfg"
says "of its line" "$out$err" 'gusset.cfg:7: variants: unknown policy "quik"'
configure '{ weight = 1; policy = "old"; ramp = "1h"; }'
exits "and so is a ramp with nobody beside it" 1 gusset check "$cfg"
says "which says what is expected" "$out$err" 'gusset.cfg:6: variants: found none that has a weight and no ramp'
done_testing
