#!/bin/bash
# Programs that run others, fork a lot, close all descriptors, have little of anything, or are not to be wrapped at all.
. "$(dirname "$0")/lib.sh"
start_upstream
url=http://127.0.0.1:$port
export GUSSET_POLICY=standard GUSSET_SET=retry.backoff.base=2ms
preload=$BUILD/libgusset.so
wrapped() { LD_PRELOAD=$preload timeout 20 "$@"; }
has_perl_curl() { perl -MWWW::Curl::Easy -e 1 2>/dev/null; }

is "sh -c trees are wrapped down to the leaves" \
    "$(gusset run -- sh -c "curl -s '$url/'; (curl -s '$url/') ; sh -c \"curl -s '$url/?status=503&first=1&key=leaf'\"; exit 3"; echo $?)" $'ok\nok\nok\n3'
is "each leaf is counted" "$(counted calls) $(counted rescued)" "3 1"
forget
# Two faults: the quickest of them may meet both before the others have started, and has three tries.
seq 40 | gusset run -- xargs -P 8 -I{} curl -sf -o /dev/null "$url/many?status=503&first=2" 2>/dev/null
is "40 processes, eight at a time, share one state" "$? $(counted calls)" "0 40"
is "a program that forks 300 times" "$(wrapped bash -c 'n=0; for i in $(seq 300); do (exit 1) || n=$((n + 1)); done; echo $n')" 300
forget
is "many that fork and connect" "$(wrapped bash -c "for i in \$(seq 100); do (exec 3<>/dev/tcp/127.0.0.1/$port && echo -n x) & done; wait" | wc -c)" 100
is "are all counted" "$(counted calls)" 100
is "a pipe that is closed early" "$(wrapped bash -c "curl -s '$url/?body=1000000' | head -c 5")" 01234
is "exit codes go through" "$(gusset run -- sh -c 'exit 42'; echo $?)" 42
is "signals as well" "$( (gusset run -- sh -c 'kill -9 $$'; echo $?) 2>/dev/null)" 137
is "an LD_PRELOAD that was there stays" "$(LD_PRELOAD=libm.so.6 gusset run -- sh -c 'echo $LD_PRELOAD' | grep -c libm.so.6)" 1
is "env -i takes it all off" "$(gusset run -- env -i "$(command -v curl)" -s "$url/?status=503&first=1&key=env")" "error 503"

# ---- descriptors ----
is "no descriptor number changes" "$(wrapped bash -c "curl -s '$url/' >/dev/null; exec {a}<>/dev/tcp/127.0.0.1/$port; echo \$a; ls /proc/self/fd | wc -l")" \
    "$(bash -c "curl -s '$url/' >/dev/null; exec {a}<>/dev/tcp/127.0.0.1/$port; echo \$a; ls /proc/self/fd | wc -l")"
if has_perl_curl; then
    cat >"$folder/close.pl" <<'PERL'
use POSIX ();
use WWW::Curl::Easy;
my ($url, $file, $first) = @ARGV;
sub fetch {
    my ($body, $curl) = ('', WWW::Curl::Easy->new);
    open(my $to, '>', \$body);
    $curl->setopt(CURLOPT_URL, $url);
    $curl->setopt(CURLOPT_WRITEDATA, $to);
    my $code = $curl->perform;
    return "$code $body";
}
my $before = $first ? fetch() : "0 ok\n";
POSIX::close($_) for 0 .. 255;
my @fds = map { POSIX::open($file, POSIX::O_WRONLY | POSIX::O_CREAT | POSIX::O_APPEND) } 0 .. 2;
my $after = fetch();
POSIX::write(1, "data\n", 5);
POSIX::_exit($before ne "0 ok\n" ? 11 : $after ne "0 ok\n" ? 12 : "@fds" ne "0 but true 1 2" ? 13 : 0);
PERL
    for first in 0 1; do
        rm -f "$folder/data"
        ask zero >/dev/null
        GUSSET_LOG=debug wrapped perl "$folder/close.pl" "$url/?status=503&first=1" "$folder/data" "$first" 2>/dev/null
        is "a program that closes all descriptors (call before: $first) is rescued" "$?" 0
        is "and finds in its files what it wrote (call before: $first)" "$(cat "$folder/data")" data
    done
    cat >"$folder/fork.pl" <<'PERL'
use WWW::Curl::Easy;
sub fetch {
    my ($body, $curl) = ('', WWW::Curl::Easy->new);
    open(my $to, '>', \$body);
    $curl->setopt(CURLOPT_URL, $ARGV[0]);
    $curl->setopt(CURLOPT_WRITEDATA, $to);
    return $curl->perform . " $body";
}
my $bad = fetch() eq "0 ok\n" ? 0 : 1;
for (1 .. 20) { my $pid = fork; if (!$pid) { exit(fetch() eq "0 ok\n" ? 0 : 1) } }
while (wait > 0) { $bad++ if $? }
print "$bad bad\n";
PERL
    forget
    is "children of a fork after a call" "$(wrapped perl "$folder/fork.pl" "$url/?status=503&first=2&key=fork")" "0 bad"
    is "are counted with their parent" "$(counted calls)" 21
else
    skip "a program that closes all descriptors" "libwww-curl-perl is not installed"
fi
forget
is "standard input closed" "$(wrapped curl -s "$url/?status=503&first=1&key=stdin" <&-)" ok
forget
is "standard error closed, with a log" "$(GUSSET_LOG=debug wrapped curl -s "$url/?status=503&first=1&key=stderr" 2>&-)" ok

# ---- little of everything ----
limited() {
    forget
    find "$folder" -maxdepth 1 -name "gusset-$(id -u).rules-*" -newer "$folder/ports" -delete 2>/dev/null
    # shellcheck disable=SC2086
    (ulimit $1; LD_PRELOAD=$preload timeout 20 curl -s "$url/?status=503&first=1") 2>&1
    echo $?
}
is "no file may grow (ulimit -f 0): the first process of all" "$(limited "-f 0")" $'ok\n0'
is "eight descriptors (ulimit -n 8)" "$(limited "-n 8")" $'ok\n0'
is "a stack of 256 KiB (ulimit -s 256)" "$(limited "-s 256")" $'ok\n0'
is "no locked memory, no core" "$(limited "-l 0 -c 0")" $'ok\n0'
forget
is "without HOME and XDG_CONFIG_HOME" "$(env -u HOME -u XDG_CONFIG_HOME LD_PRELOAD="$preload" curl -s "$url/?status=503&first=1")" ok
forget
mkdir "$folder/gone"
is "in a working directory that is gone" "$(cd "$folder/gone" && rmdir "$folder/gone" && LD_PRELOAD=$preload curl -s "$url/?status=503&first=1")" ok
forget
is "the environment may be one of 5,000 variables" "$(
    for i in $(seq 5000); do export "V$i=x"; done
    LD_PRELOAD=$preload curl -s "$url/?status=503&first=1"
)" ok
is "GUSSET_SKIP leaves a program alone" "$(GUSSET_SKIP=wget,curl wrapped curl -s "$url/?status=503&first=1&key=skip")" "error 503"
is "blanks in its list do no harm" "$(GUSSET_SKIP='wget, curl' wrapped curl -s "$url/?status=503&first=1&key=blank")" "error 503"
is "GUSSET_ONLY names who is wrapped" "$(GUSSET_ONLY=git wrapped curl -s "$url/?status=503&first=1&key=only")" "error 503"
is "and curl, where it names curl" "$(GUSSET_ONLY=git,curl wrapped curl -s "$url/?status=503&first=1&key=onlycurl")" ok

# ---- not to be wrapped ----
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && chmod 0755 "$folder" && cp "$(command -v curl)" "$folder/rootcurl" &&
    chmod 4755 "$folder/rootcurl" && ! findmnt -no OPTIONS -T "$folder" 2>/dev/null | grep -q nosuid; then
    is "a setuid program is not affected" "$(setpriv --reuid=65534 --regid=65534 --clear-groups env LD_PRELOAD="$preload" "$folder/rootcurl" -s \
        "$url/?status=503&first=1&key=setuid" 2>/dev/null; echo $?)" $'error 503\n0'
    is "by the loader's own way neither" "$(setpriv --reuid=65534 --regid=65534 --clear-groups env LD_PRELOAD=libgusset.so LD_LIBRARY_PATH="$BUILD" \
        "$folder/rootcurl" -s "$url/?status=503&first=1&key=setuid2" 2>/dev/null)" "error 503"
    cp "$(command -v curl)" "$folder/nobodys" && chown 65534 "$folder/nobodys" && chmod 4755 "$folder/nobodys"
    gusset run -- "$folder/nobodys" -s "$url/" >/dev/null 2>"$folder/err"
    is "run refuses it" "$? $(wc -l <"$folder/err")" "125 1"
    is "unless it is told to run it bare" "$(gusset run --force -- "$folder/nobodys" -s "$url/?status=503&first=1&key=force" 2>/dev/null)" "error 503"
else
    skip "a setuid program is not affected" "it takes root, setpriv and a place that allows setuid"
fi
printf 'int main(void) { return 7; }\n' >"$folder/static.c"
if ${CC:-cc} -static -o "$folder/static" "$folder/static.c" 2>/dev/null; then
    gusset run -- "$folder/static" 2>/dev/null
    is "a static program is refused" "$?" 125
    gusset run --force -- "$folder/static" 2>/dev/null
    is "or run bare" "$?" 7
else
    skip "a static program is refused" "the compiler makes none"
fi

done_testing
