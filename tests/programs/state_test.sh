#!/bin/bash
# Whatever has become of the state file or of the rule image, the program runs on, with its result: a file of random bytes, of
# another layout, cut off, of somebody else, no file at all, no room for one.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
client=$BUILD/clients/callbacks
config "$folder/gusset.cfg" <<'CFG'
version = 1;
policies: { p: { extends = "standard"; retry: { attempts = 2; backoff: { base = "2ms"; }; budget: { ratio = 100; }; }; }; };
hosts = ( { match = "*"; policy = "p"; } );
CFG
export GUSSET_CONFIG=$folder/gusset.cfg
wrapped() { LD_PRELOAD=$BUILD/libgusset.so timeout 10 "$@"; }
state=$GUSSET_STATE

# A call that only a working gusset rescues.
rescued() {
    ask zero >/dev/null
    echo "$(wrapped curl -sS "$url/?status=503&first=1" 2>&1) $?"
}
fresh() {
    rm -rf "$state"
    export GUSSET_STATE=$state
    wrapped curl -s -o /dev/null "$url/"
}
runs_on() {
    is "$1: the call is rescued all the same" "$(rescued)" "ok 0"
    timeout 10 gusset status >/dev/null 2>&1
    at_most "$1: status ends in order" $? 1
    timeout 10 gusset events >/dev/null 2>&1
    at_most "$1: events ends in order" $? 1
}

fresh
size=$(stat -c %s "$state")
head -c "$size" /dev/urandom >"$folder/random"
cp "$folder/random" "$state"
runs_on "random bytes"
for length in 0 1 100 4096 $((size / 2)) $((size - 1)); do
    fresh
    truncate -s "$length" "$state"
    runs_on "cut off at $length"
done
fresh
truncate -s $((size + 4096)) "$state"
runs_on "longer than it should be"
for at in 0 4 8 12 16; do
    fresh
    printf '\377\376\375\374' | dd of="$state" bs=1 seek="$at" conv=notrunc 2>/dev/null
    runs_on "another header at byte $at"
done
rm -f "$state"
mkdir "$state"
runs_on "a folder"
rmdir "$state"
fresh
mv "$state" "$folder/elsewhere"
ln -s "$folder/elsewhere" "$state"
runs_on "a symbolic link"
rm -f "$state"
ln -s "$folder/nowhere" "$state"
runs_on "a symbolic link to nothing"
is "a symbolic link to nothing: nothing is made there" "$(ls "$folder/nowhere" 2>/dev/null)" ""
rm -f "$state"
mkfifo "$state"
runs_on "a fifo"
fresh
chmod 0644 "$state"
runs_on "readable by all"
fresh
chmod 0666 "$state"
runs_on "writable by all"
if [ "$(id -u)" = 0 ]; then
    fresh
    chown 65534 "$state"
    runs_on "somebody else's"
    is "somebody else's: it stays his" "$(stat -c %u "$state")" 65534
else
    skip "somebody else's" "only root can give files away"
fi
for path in "$folder/missing/state" /proc/gusset /dev/null "$folder/$(printf 'x%.0s' $(seq 300))" relative/state "$(printf '/x%.0s' $(seq 3000))"; do
    GUSSET_STATE=$path runs_on "at ${path:0:40}"
done
if mkdir "$folder/tiny" && mount -t tmpfs -o size=16k tmpfs "$folder/tiny" 2>/dev/null; then
    GUSSET_STATE=$folder/tiny/state runs_on "a tmpfs without room"
    is "a tmpfs without room: no half-made state is left there" "$(find "$folder/tiny" -mindepth 1 ! -name "*.rules-*")" ""
    head -c 100000 /dev/zero >"$folder/tiny/fill" 2>/dev/null
    GUSSET_STATE=$folder/tiny/state runs_on "a full tmpfs"
    rm "$folder/tiny/fill"
    mount -o remount,ro "$folder/tiny"
    GUSSET_STATE=$folder/tiny/state runs_on "a read-only place"
    umount "$folder/tiny"
else
    skip "a full tmpfs" "this machine does not let us mount"
fi
export GUSSET_STATE=$state

# Words that went wrong may mislead gusset, but end no program and hold none up.
fresh
cp "$state" "$folder/sound"
bad=
for seed in $(seq 40); do
    perl -e 'srand($ARGV[1]); open F, "+<", $ARGV[0]; my $size = -s F; my $most = $ARGV[1] % 2 ? 512 : $size;
        for (1 .. 30) { seek F, int rand $most, 0; print F pack "N", rand 2**32 }' "$state" "$seed"
    wrapped curl -s -o /dev/null "$url/?status=503&first=1&key=$seed" 2>/dev/null
    code=$?
    [ "$code" = 0 ] || [ "$code" = 7 ] || bad+=" $seed:$code"
    for verb in status events "reset"; do
        # shellcheck disable=SC2086
        timeout 5 gusset $verb >/dev/null 2>&1
        [ $? -le 1 ] || bad+=" $verb:$seed"
    done
    cp "$folder/sound" "$state"
    chmod 0600 "$state"
done
is "40 states with damaged words end no program" "$bad" ""

# Words that go wrong all the time while programs work: each call ends, each program and each verb too.
config "$folder/damage.cfg" <<'END'
state: { hosts = 64; };
policies: {
  base:  { timeout: { connect = "500ms"; attempt = "1s"; total = "2s"; }; retry: { attempts = 3; backoff: { base = "5ms"; cap = "20ms"; }; retry_after = "1s"; }; };
  waits: { extends = "base"; breaker: { reject = "wait"; open = "200ms"; open_cap = "1s"; probes = 3; slow = { over = "50ms"; percent = 80; }; }; bulkhead: { calls = 9; wait = "500ms"; }; };
  rated: { extends = "base"; limit: { rate = 100; per = "1s"; burst = 5; wait = "300ms"; key = "${program}"; }; bulkhead: { calls = 3; wait = "200ms"; }; };
  made:  { extends = "waits"; breaker: { reject = "503"; }; fallback: { status = 200; body = "{}"; }; };
};
hosts = (
  { match = "127.0.0.1"; policy = "made"; },
  { match = "127.0.0.1"; paths = ["/waits*"]; policy = "waits"; },
  { match = "127.0.0.1"; paths = ["/rated*"]; policy = "rated"; },
  { match = "127.0.0.1"; paths = ["/shadow*"]; policy = "waits"; mode = "shadow"; }
);
END
rm -f "$state"
export GUSSET_CONFIG=$folder/damage.cfg
gusset run -- curl -s -o /dev/null "$url/"
"$BUILD/clients/vandal" "$state" 4000 >"$folder/done" &
vandal=$! pids=() bad=
for path in "/?status=503" /waits "/waits?status=503" /rated "/shadow?status=503"; do
    LD_PRELOAD=$BUILD/libgusset.so timeout 20 "$BUILD/clients/storm" 2 4000 3 "$url$path" >>"$folder/storms" &
    pids+=($!)
done
while kill -0 "$vandal" 2>/dev/null; do
    wrapped curl -s -m 5 -o /dev/null "$url/rated" "$url/waits"
    code=$?
    [ $code -lt 100 ] && [ $code != 28 ] || bad+=" curl:$code"
    wrapped bash -c "exec 3<>/dev/tcp/127.0.0.1/$port" 2>/dev/null || [ $? -lt 100 ] || bad+=" connect"
    for verb in status events metrics reset; do
        timeout 5 gusset $verb >/dev/null 2>&1
        [ $? -le 1 ] || bad+=" $verb"
    done
done
for pid in "${pids[@]}"; do wait "$pid" || bad+=" storm:$?"; done
is "words that go wrong all the time end no program, and hold up no call" "$bad" ""
at_least "many of them" "$(cat "$folder/done")" 1000
at_least "while many calls are made" "$(awk '{sum += $1} END {print sum + 0}' "$folder/storms")" 1000
export GUSSET_CONFIG=$folder/gusset.cfg
rm -f "$state"

# A file that changes under a program that has mapped it. Whoever cuts it short ends that program, by SIGBUS; that is a limit
# of mapped files which only a signal handler could take away, and signals are the program's own.
for change in "rm -f" "cp --remove-destination $folder/random" "dd"; do
    fresh
    ask zero >/dev/null
    wrapped "$client" "$url/?delay=40" repeat=10 >"$folder/got" 2>&1 &
    pid=$!
    until [ "$(ask 'count?key=/')" -ge 3 ]; do sleep 0.01; done
    case $change in
    dd*) dd status=none conv=notrunc if="$folder/random" of="$state" ;;
    *) $change "$state" ;;
    esac
    wait "$pid"
    is "$change under a running program: it runs on" "$? $(grep -c '^result 0 status 200' "$folder/got")" "0 10"
done

# ---- the rule image ----
fresh
touch "$folder/before"
sleep 0.02
echo "# changed" >>"$folder/gusset.cfg"
wrapped curl -s -o /dev/null "$url/"
image=$(find "$folder" -maxdepth 1 -name "gusset-$(id -u).rules-*" -newer "$folder/before" | head -n 1)
if [ -z "$image" ]; then
    skip "a damaged rule image" "there is none in /dev/shm"
    done_testing
fi
cp "$image" "$folder/image"
size=$(stat -c %s "$image")
rules_on() { is "rule image, $1: the call is rescued all the same" "$(rescued)" "ok 0"; }
cp /dev/null "$image"
rules_on "empty"
head -c "$size" /dev/urandom >"$image"
rules_on "random bytes"
for length in 10 100 $((size / 2)) $((size - 1)); do
    cp "$folder/image" "$image"
    truncate -s "$length" "$image"
    rules_on "cut off at $length"
done
rm -f "$image" && mkdir "$image"
rules_on "a folder"
rmdir "$image" && mkfifo "$image"
rules_on "a fifo"
rm -f "$image" && ln -s "$folder/image" "$image"
rules_on "a symbolic link"
rm -f "$image" && cp "$folder/image" "$image" && chmod 0644 "$image"
rules_on "readable by all"
if [ "$(id -u)" = 0 ]; then
    rm -f "$image" && cp "$folder/image" "$image" && chown 65534 "$image"
    rules_on "somebody else's"
fi
bad=
for seed in $(seq 60); do
    rm -rf "$image"
    cp "$folder/image" "$image"
    chmod 0600 "$image"
    perl -e 'srand($ARGV[1]); open F, "+<", $ARGV[0]; my $size = -s F;
        for (1 .. 1 + $ARGV[1] % 5) { seek F, int rand $size, 0; print F chr rand 256 }' "$image" "$seed"
    [ "$(rescued)" = "ok 0" ] || bad+=" $seed"
done
is "60 images with damaged bytes are made anew" "$bad" ""
rm -rf "$image"

done_testing
