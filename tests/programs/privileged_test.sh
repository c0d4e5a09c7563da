#!/bin/bash
# A library named in /etc/ld.so.preload is loaded into setuid programs too (LD_PRELOAD is not). There gusset is inert: it
# reads nothing that the caller names, intercepts nothing, creates nothing. In a mount namespace of the test's own.
. "$(dirname "$0")/lib.sh"

if [ "${1:-}" != inside ]; then
    if [ "$(id -u)" -ne 0 ]; then
        skip "privileged programs" "only root may make a program setuid root"
        done_testing
    fi
    if ! unshare -m true 2>/dev/null; then
        skip "privileged programs" "no mount namespace of one's own is allowed here"
        done_testing
    fi
    start_upstream
    PORT=$port CONTROL=$control unshare -m --propagation private bash "$0" inside
    exit
fi

# ---- in the namespace ----
port=$PORT control=$CONTROL
url=http://127.0.0.1:$port
mkdir "$folder/etc" "$folder/box"
chmod 755 "$folder"
if ! mount -t tmpfs -o mode=755 tmpfs "$folder/box" 2>/dev/null || ! cp -a /etc/passwd /etc/group /etc/nsswitch.conf /etc/hosts \
    /etc/ld.so.* /etc/ssl /etc/alternatives "$folder/etc" 2>/dev/null || ! mount --bind "$folder/etc" /etc || ! mount -t tmpfs -o mode=1777 tmpfs /dev/shm; then
    skip "privileged programs" "mounting is not allowed here"
    done_testing
fi
cd "$folder/box" || exit 1
trap 'cd / && umount -l "$folder/box" && finish' EXIT
cp "$BUILD/libgusset.so" . # where anybody can read it
cp "$(command -v curl)" curl && cp curl setuid-curl && chmod 4755 setuid-curl
cp "$(command -v nc.openbsd)" nc && cp nc setuid-nc && chmod 4755 setuid-nc
cp "$(command -v id)" setuid-id && chmod 4755 setuid-id
mkdir state home && chmod 1777 state home
config gusset.cfg <<CFG
version = 1;
policies: { p: { extends = "standard"; retry: { attempts = 3; backoff: { base = "5ms"; }; }; headers = ( { name = "X-Added"; value = "1"; } ); }; };
hosts = ( { match = "127.0.0.1"; policy = "p"; } );
CFG
printf 'this is no configuration\n' >broken.cfg
chmod 644 gusset.cfg broken.cfg
mkdir /etc/gusset && cp gusset.cfg /etc/gusset/gusset.cfg # not even the administrator's is for privileged programs
unset GUSSET_STATE XDG_CONFIG_HOME
export GUSSET_MODE=off # of the test's own programs, which are wrapped too
configuration=

# as WHOM PROGRAM...: whom is a number; the state is whom's own unless $state names another
as() {
    local whom=$1
    shift
    GUSSET_MODE='' GUSSET_STATE=${state:-$PWD/state/$whom} GUSSET_CONFIG=$configuration HOME=$PWD/home GUSSET_LOG=debug:$PWD/state/log \
        setpriv --reuid="$whom" --regid="$whom" --clear-groups "$@"
}
nobody=65534
if [ "$(as $nobody ./setuid-id -u)" != 0 ]; then
    skip "privileged programs" "setuid does nothing here"
    done_testing
fi
echo "$PWD/libgusset.so" >/etc/ld.so.preload

created() { find state home /dev/shm -mindepth 1 | sort | xargs; }
forget_all() {
    find state home /dev/shm -mindepth 1 -delete
    ask zero >/dev/null
}
# inert NAME PROGRAM: three things that a caller may hope for
inert() {
    forget_all
    is "$1: nothing is tried again, nothing is added" "$(as $nobody "$2" -s -o /dev/null -w '%{http_code}' "$url/?key=a&status=503&first=1") \
$(ask 'count?key=a') $(ask 'heads?key=a' | grep -ci X-Added)" "503 1 0"
    is "$1: nothing is created" "$(created)" ""
    is "$1: a configuration that the caller names is not read" "$(configuration=$PWD/broken.cfg as $nobody "$2" -sS "$url/" 2>&1)" ok
}

forget_all
is "the same program without privileges is helped" "$(as $nobody ./curl -s -o /dev/null -w '%{http_code}' "$url/?key=a&status=503&first=1") \
$(ask 'count?key=a') $(ask 'heads?key=a' | grep -ci X-Added)" "200 2 2"
at_least "and leaves its state, rules and log" "$(created | wc -w)" 3
ok "and complains of a configuration that is none" grep -q broken.cfg <<<"$(configuration=$PWD/broken.cfg as $nobody ./curl -sS "$url/" 2>&1)"
inert "setuid root" ./setuid-curl
cp curl setuid-other && chown 1 setuid-other && chmod 4755 setuid-other
inert "setuid to another user" ./setuid-other
cp curl setgid-curl && chgrp 1 setgid-curl && chmod 2755 setgid-curl
inert "setgid" ./setgid-curl
cp curl capable-curl
if setcap cap_net_raw+ep capable-curl 2>/dev/null; then
    inert "with capabilities of its file" ./capable-curl
else
    skip "with capabilities of its file" "setcap is not to be had or does nothing here"
fi

# ---- connect(2): a circuit that is open for root, whose state a setuid program of root's would share ----
forget_all
rm /etc/ld.so.preload
as 0 "$BUILD/gusset" trip "127.0.0.1:$port" --for 60s >/dev/null
echo "$PWD/libgusset.so" >/etc/ld.so.preload
talk() { printf 'GET /?key=%s HTTP/1.0\r\n\r\n' "$3" | as "$1" "$2" -N -w 5 127.0.0.1 "$port" | tail -n 1; }
is "connect: root's own program is refused" "$(talk 0 ./nc own) $(ask 'count?key=own')" " 0"
is "connect: a setuid program of root's is not" "$(state=$PWD/state/0 talk $nobody ./setuid-nc privileged) $(ask 'count?key=privileged')" "ok 1"
rm /etc/ld.so.preload

done_testing
