#!/bin/bash
# What `make install`, `make deb` and `make dist` make: put into folders of their own, tried from there, taken away again.
. "$(dirname "$0")/lib.sh"
root=$(realpath "$(dirname "$0")/../..")
made() { command make -s --no-print-directory -C "$root" B="$BUILD" "$@"; }
start_upstream
made manual "$BUILD"/completion/{bash,zsh,fish} >/dev/null 2>&1
# tried GUSSET LIBRARY: what is installed there wraps a curl, by the command and by itself
tried() {
    forget
    is "the command there finds its library and rescues a call" \
        "$(PATH=/usr/bin:/bin "$1" run --set retry.backoff.base=1ms -- curl -s "http://127.0.0.1:$port/?status=503&first=1")" ok
    config "$folder/any.cfg" <<<'hosts = ( { match = "*"; policy = "quick"; } );'
    is "the library alone does so, too" \
        "$(LD_PRELOAD=$2 GUSSET_CONFIG=$folder/any.cfg curl -s "http://127.0.0.1:$port/?status=503&first=1&key=alone")" ok
}

# ---- make install ----
to=$folder/installed
exits "make install-files into a folder" 0 made install-files DESTDIR="$to" PREFIX=/usr LIBDIR=/usr/lib
tried "$to/usr/bin/gusset" "$to/usr/lib/libgusset.so"
for file in share/man/man1/gusset.1 share/man/man5/gusset.cfg.5 share/man/man7/gusset.7 lib/tmpfiles.d/gusset.conf \
    share/bash-completion/completions/gusset share/zsh/site-functions/_gusset share/fish/vendor_completions.d/gusset.fish \
    share/doc/gusset/examples/gusset.cfg share/doc/gusset/examples/schema/status.json; do
    ok "there is $file" test -s "$to/usr/$file"
done
is "the examples name the library where it is" "$(grep -c '^Environment=LD_PRELOAD=/usr/lib/libgusset.so$' "$to/usr/share/doc/gusset/examples/systemd/gusset.conf")" 1
is "every file of conf is there" "$(cd "$root/conf" && find . -type f ! -path './tmpfiles/*' | sed 's|^./examples/|./|' | sort)" \
    "$(cd "$to/usr/share/doc/gusset/examples" && find . -type f | sort)"
installed=$(find "$to" -type f | wc -l)
is "nothing may be written by others" "$(find "$to" -perm /022 ! -type l | head -n 1)" ""
if command -v systemd-tmpfiles >/dev/null; then
    exits "systemd-tmpfiles takes its file" 0 systemd-tmpfiles --create --root="$to" "$to/usr/lib/tmpfiles.d/gusset.conf"
fi
if command -v systemd-analyze >/dev/null; then
    mkdir -p "$folder/units/some.service.d"
    printf '[Service]\nExecStart=/bin/true\n' >"$folder/units/some.service"
    cp "$to/usr/share/doc/gusset/examples/systemd/gusset.conf" "$folder/units/some.service.d/"
    cp "$to/usr/share/doc/gusset/examples/systemd/gusset-agent@.service" "$folder/units/"
    sed -i "s|^ExecStart=/usr/bin/|ExecStart=$to/usr/bin/|" "$folder/units/gusset-agent@.service"
    is "systemd takes the agent's unit" "$(systemd-analyze verify --man=no "$folder/units/gusset-agent@root.service" 2>&1 | grep -i gusset)" ""
    is "systemd takes the drop-in" "$(systemd-analyze verify --man=no "$folder/units/some.service" 2>&1 | grep -i gusset)" ""
fi
exits "make uninstall" 0 made uninstall DESTDIR="$to" PREFIX=/usr LIBDIR=/usr/lib
is "takes all of it away" "$(find "$to" ! -type d)" ""
# A blank in DESTDIR parted its words: uninstall removed, recursively, the folder that the first word named.
words="$folder/two words"
mkdir -p "$folder/two" && echo mine >"$folder/two/file"
exits "make install-files into a folder with a blank in its name" 0 made install-files DESTDIR="$words" PREFIX=/usr
is "puts the same there" "$(find "$words" -type f | wc -l)" "$installed"
exits "make uninstall of that" 0 made uninstall DESTDIR="$words" PREFIX=/usr
is "takes it away" "$(find "$words" ! -type d)" ""
is "and nothing of the folder that its first word names" "$(cat "$folder/two/file")" mine
for place in "$folder/two words" "$folder/two:words"; do
    exits "a library that LD_PRELOAD could not name is not installed" 2 made install-files PREFIX="$place"
    says "and it says why" "$err" 'LD_PRELOAD takes no path with a blank or a colon'
done

# ---- make deb ----
if ! command -v dpkg-architecture >/dev/null; then
    skip "a package for Debian" "dpkg-dev is not installed"
else
    package=$(cd "$root" && B=$BUILD scripts/package-deb 0.1.0 "$folder")
    ok "a package is made" test -s "$package"
    again=$(cd "$root" && mkdir "$folder/again" && B=$BUILD scripts/package-deb 0.1.0 "$folder/again")
    ok "made again it has the same bytes" cmp "$package" "$again"
    if command -v lintian >/dev/null; then
        exits "lintian finds neither errors nor warnings" 0 lintian --fail-on error,warning --allow-root "$package"
        is "not a line" "$out" ""
    else
        skip "lintian finds neither errors nor warnings" "it is not installed"
    fi
    fresh=$folder/fresh
    mkdir -p "$fresh/var/lib/dpkg/info" "$fresh/var/lib/dpkg/updates"
    touch "$fresh/var/lib/dpkg/status"
    exits "dpkg puts it into a root of its own" 0 dpkg --root="$fresh" --log=/dev/null --force-depends --force-not-root --force-script-chrootless -i "$package"
    tried "$fresh/usr/bin/gusset" "$(find "$fresh" -name libgusset.so)"
    exits "and removes it" 0 dpkg --root="$fresh" --log=/dev/null --force-not-root --force-script-chrootless -P gusset
    is "without leaving a file" "$(find "$fresh/usr" "$fresh/etc" ! -type d 2>/dev/null)" ""
fi

# ---- make dist ----
if [ -e "$root/.git" ]; then
    (cd "$root" && git archive --format=tar --prefix=gusset-x/ HEAD | tar x -C "$folder")
    exits "a tarball has what is needed to build" 0 command make -n -C "$folder/gusset-x" all manual
    is "and nothing that was built" "$(find "$folder/gusset-x" -name '*.o' -o -name '*.so')" ""
fi

done_testing
