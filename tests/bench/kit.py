"""What scripts/bench and scripts/bench-storm share: the server, the neighbours, counting, the table.

Only modules of python3-minimal are used. Every process is started here and ended here by its own handle;
everything is on loopback, on ports that the system chose.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

BUILD = os.path.realpath(os.environ.get("BUILD", "build/release"))
LIBRARY = os.path.join(BUILD, "libgusset.so")


class Missing(Exception):
    """Something that a part of the measurement needs is not on this machine; the sentence says what."""


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def spread(values):
    """How far the median of these may lie from the truth: the median deviation over the root of the count."""
    middle = median(values)
    return 2 * median([abs(value - middle) for value in values]) / len(values) ** 0.5


def tool(name):
    for folder in os.environ.get("PATH", "").split(":") + ["/usr/sbin", "/sbin"]:
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    raise Missing(f"{name} is not installed")


# ---- the place where everything lies ----


class Place:
    """A folder of our own, the processes that live in it, and the environments that they run in."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="gusset-bench-")
        self.processes = []
        self.images = set()
        os.mkdir(self.path("home"))
        keep = {k: v for k, v in os.environ.items() if not k.startswith(("GUSSET_", "LD_", "TRACE"))}
        keep["HOME"] = keep["XDG_CONFIG_HOME"] = self.path("home")
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            keep.pop(name, None)
        keep["LC_ALL"] = "C"
        self.base = keep
        # libcurl asks for several variables a request, and getenv(3) looks at all there are: as many as under gusset.
        self.bare = dict(keep, PADDING_1="", PADDING_2="", PADDING_3="")

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="ascii") as file:
            file.write(text)
        return self.path(name)

    def under(self, configuration, state="state"):
        """The environment of a program under gusset with this configuration file."""
        return dict(self.base, LD_PRELOAD=LIBRARY, GUSSET_CONFIG=configuration, GUSSET_STATE=self.path(state))

    def start(self, command, **how):
        process = subprocess.Popen(command, env=how.pop("env", self.bare), **how)
        self.processes.append(process)
        return process

    def end(self, process, sign=signal.SIGTERM):
        if process.poll() is None:
            process.send_signal(sign)
            try:
                process.wait(30)  # under callgrind it has much to write down
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def note_image(self, smaps):
        """The compiled rules lie outside of our folder; their name is seen where they are mapped."""
        self.images.update(re.findall(r"(/\S*gusset-\d+\.rules-[0-9a-f]+)\s*$", smaps, re.M))

    def close(self):
        for process in self.processes:
            self.end(process)
        for image in self.images:
            if os.path.exists(image):
                os.unlink(image)
        for folder, folders, files in os.walk(self.folder, topdown=False):
            for name in files:
                os.unlink(os.path.join(folder, name))
            for name in folders:
                os.rmdir(os.path.join(folder, name))
        os.rmdir(self.folder)


def run(command, env, limit=60):
    """Runs a program to its end; its output, or an error that shows what it said."""
    done = subprocess.run(command, env=env, timeout=limit, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace")[-2000:]
        raise RuntimeError(f"{' '.join(command)}: exit {done.returncode}\n{said}")
    return done.stdout.decode(errors="replace")


def numbers(command, env, limit=60):
    return [float(word) for word in run(command, env, limit).split("\n")[0].split()]


# ---- the server ----


class Upstream:
    """tests/upstream, on ports of its own choice."""

    def __init__(self, place):
        self.process = place.start([os.path.join(BUILD, "upstream"), "--quiet"], stdout=subprocess.PIPE)
        self.port = self._told(b"port")
        self.control = self._told(b"control")
        self.url = f"http://127.0.0.1:{self.port}/"

    def _told(self, what):
        name, number = self.process.stdout.readline().split()
        if name != what:
            raise RuntimeError("upstream did not say its ports")
        return int(number)

    def ask(self, what):
        with socket.create_connection(("127.0.0.1", self.control), timeout=10) as line:
            line.sendall(f"GET /{what} HTTP/1.0\r\n\r\n".encode())
            answer = b""
            while part := line.recv(65536):
                answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        if b" 200" not in head.split(b"\r\n")[0]:
            raise RuntimeError(f"upstream /{what}: {head!r}")
        return body.decode()


# ---- the neighbours ----


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Hop:
    """A proxy on loopback before the server. The port is free when it is picked; should another take it in
    the moment before the proxy does, the proxy does not come up, and another is picked."""

    name = ""

    def __init__(self, place, upstream, wrapper=()):
        self.place = place
        for _ in range(5):
            self.port = free_port()
            with open(place.path(self.name + ".log"), "ab") as log:
                command = list(wrapper) + self.command(place, upstream)
                self.process = place.start(command, stdout=log, stderr=log)
            if self._came_up():
                break
        else:
            with open(place.path(self.name + ".log"), encoding="utf-8", errors="replace") as log:
                raise Missing(f"{self.name} does not start: {log.read()[-300:].strip()}")
        self.url = f"http://127.0.0.1:{self.port}/"

    def _came_up(self):
        until = time.monotonic() + 20
        while time.monotonic() < until and self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return True
            except OSError:
                time.sleep(0.05)
        self.place.end(self.process)
        return False

    def command(self, place, upstream):
        raise NotImplementedError

    def cpu_ns(self):
        """What its threads ran; schedstat counts nanoseconds, stat only ticks of 10 ms."""
        total = 0
        for task in os.listdir(f"/proc/{self.process.pid}/task"):
            with open(f"/proc/{self.process.pid}/task/{task}/schedstat", encoding="ascii") as stat:
                total += int(stat.read().split()[0])
        return total

    def end(self):
        self.place.end(self.process)


class Haproxy(Hop):
    name = "haproxy"
    checks = ""

    def command(self, place, upstream):
        configuration = place.write(
            f"{self.name}-{self.port}.cfg",
            f"""global
    nbthread 1
    maxconn 256
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 30s
    retries 3
    retry-on all-retryable-errors
    option httpchk GET /health
listen hop
    bind 127.0.0.1:{self.port}
    server upstream 127.0.0.1:{upstream.port} {self.checks}
""",
        )
        return [tool("haproxy"), "-db", "-q", "-f", configuration]


class CheckingHaproxy(Haproxy):
    checks = "check inter 2s"


class Nginx(Hop):
    name = "nginx"
    server = """server {
        listen 127.0.0.1:PORT;
        location / { proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; }
    }"""

    def command(self, place, upstream):
        at = place.path(f"nginx-{self.port}")
        os.mkdir(at)
        paths = "".join(
            f"    {kind}_temp_path {at}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;\n" if os.geteuid() == 0 else ""
        configuration = place.write(
            f"nginx-{self.port}.cfg",
            f"""{user}daemon off;
master_process off;
worker_processes 1;
pid {at}/pid;
error_log {at}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
{paths}    upstream up {{ server 127.0.0.1:{upstream.port if upstream else 9}; keepalive 32; keepalive_requests 1000000000; }}
    {self.server.replace("PORT", str(self.port))}
}}
""",
        )
        return [tool("nginx"), "-e", f"{at}/error.log", "-p", at, "-c", configuration]


class TlsServer(Nginx):
    """nginx that answers by itself over TLS, under an authority made for it; no proxy."""

    name = "tls"

    def __init__(self, place):
        self.authority = place.path("authority.pem")
        key = place.path("authority.key")
        words = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
        run([tool("openssl"), *words.split(), "-keyout", key, "-out", self.authority], place.bare)
        self.server = f"""server {{
        listen 127.0.0.1:PORT ssl; ssl_certificate {self.authority}; ssl_certificate_key {key};
        location / {{ return 200 "hello\\n"; }}
    }}"""
        super().__init__(place, None)
        self.url = self.url.replace("http:", "https:")


# ---- counting instructions ----


def fold(path):
    """A callgrind file as {object: {function: own instructions}}. Names are given once, then by number."""
    names = {"ob": {}, "fn": {}}
    costs, here, skip, whole = {}, {"ob": "", "fn": ""}, False, False
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            if skip:  # the line behind calls= is what the callee took
                skip = False
            elif line.startswith("calls="):
                skip = True
            elif line[:1].isdigit() or line[:1] in "+-*":
                functions = costs.setdefault(here["ob"], {})
                functions[here["fn"]] = functions.get(here["fn"], 0) + int(line.split()[1])
            else:
                whole |= line.startswith("totals:")  # the last line
                match = re.match(r"(c?)(ob|fn)=(\(\d+\))(?: (.*))?$", line)
                if match:
                    inner, kind, number, name = match.groups()
                    if name:
                        names[kind][number] = name
                    if not inner:
                        here[kind] = names[kind][number]
    if not whole:
        raise RuntimeError("callgrind did not come to its end")
    return costs


def total(costs):
    return sum(sum(functions.values()) for functions in costs.values())


def own(costs):
    return sum(sum(functions.values()) for path, functions in costs.items() if path.endswith("libgusset.so"))


def callgrind(place, command, env, times=1, limit=120):
    """Runs a program under callgrind; what fold() gives, of the run with the fewest instructions: a client
    that has to poll once more because the server was not quick tells nothing about the client.

    Whoever runs tests on the same machine may delete the compiled rules (they lie in one place for a
    user); a run that compiled them again is not counted.
    """
    out = place.path("callgrind.out")
    best = None
    for _ in range(times + 5):
        run(callgrind_words(out) + command, env, limit)
        costs = fold(out)
        os.unlink(out)
        if any("libconfig.so" in path for path in costs):
            continue
        best = costs if best is None or total(costs) < total(best) else best
        times -= 1
        if times <= 0:
            return best
    raise RuntimeError("the compiled rules are deleted again and again")


def callgrind_words(out):
    return [tool("valgrind"), "-q", "--tool=callgrind", f"--callgrind-out-file={out}"]


# ---- telling ----


class Table:
    """Aligned columns, a section a group; remembers whether every goal held."""

    HEAD = ("what", "bare", "gusset", "added", "goal", "holds")

    def __init__(self, head=HEAD):
        self.head = head
        self.rows = []
        self.held, self.missed = [], []

    def section(self, title):
        self.rows.append(title)

    def add(self, *cells, holds=None):
        word = {None: "", True: "yes", False: "NO"}[holds]
        if holds is not None:
            (self.held if holds else self.missed).append(f"{cells[0].strip()}: {cells[3]} ({cells[4]})")
        self.rows.append(list(cells) + [""] * (len(self.head) - 1 - len(cells)) + [word])

    def skip(self, what, why):
        self.rows.append(f"  {what}: not measured, {why}")

    def print(self):
        rows = [row for row in self.rows if isinstance(row, list)] + [list(self.head)]
        widths = [max(len(row[i]) for row in rows) for i in range(len(self.head))]
        self._line(list(self.head), widths)
        print("-" * (sum(widths) + 2 * len(widths)))
        for row in self.rows:
            if isinstance(row, str):
                print(row)
            else:
                self._line(row, widths)
        sys.stdout.flush()

    @staticmethod
    def _line(row, widths):
        cells = [("  " if i == 0 else "") + (cell.ljust(w) if i == 0 else cell.rjust(w)) for i, (cell, w) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip())


def count(value):
    """1234567 as 1,234,567."""
    return f"{value:,.0f}"


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    libcurl = "unknown"
    try:
        libcurl = run([tool("curl"), "--version"], {"PATH": "/usr/bin:/bin"}).split()[3]
    except (Missing, RuntimeError, IndexError):
        pass
    system = os.uname()
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    return f"{model}, {os.cpu_count()} cores, Linux {system.release} {system.machine}, {libcurl}, {when} UTC"
