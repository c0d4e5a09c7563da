"""Runs a command on a terminal of the size given and prints the screen as a person would see it.

terminal.py COLUMNSxROWS SECONDS [--resize COLUMNSxROWS] [--then TEXT]... COMMAND [ARGUMENT]...
--resize: after half of the time. --then TEXT: typed when nothing has been printed for a moment. After SECONDS the
command gets SIGINT.
"""
import fcntl, os, pty, re, select, signal, struct, sys, termios, time

size, seconds, rest = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
columns, rows = map(int, size.split("x"))
typed, resized = [], None
if rest[0] == "--resize":
    resized, rest = tuple(map(int, rest[1].split("x"))), rest[2:]
while rest[0] == "--then":
    typed.append(rest[1].encode().decode("unicode_escape"))
    rest = rest[2:]

child, master = pty.fork()
if child == 0:
    os.environ["TERM"] = "xterm"
    time.sleep(0.05)  # the size comes first
    os.execvp(rest[0], rest)
fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
half = time.time() + seconds / 2
got, until, is_over = b"", time.time() + seconds, False
while time.time() < until:
    if resized and time.time() >= half:
        (columns, rows), resized = resized, None
        got = b""  # a terminal moves what stands there; what is drawn anew counts
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    patience = 0.4 if typed else max((half if resized else until) - time.time(), 0)
    ready, _, _ = select.select([master], [], [], patience)
    if not ready and typed:
        os.write(master, typed.pop(0).encode())
        continue
    try:
        data = os.read(master, 65536) if ready else b"x"
    except OSError:  # the command has ended
        is_over = True
        break
    got += data if ready else b""
if not is_over:
    os.kill(child, signal.SIGINT)

screen, x, y = [[" "] * columns for _ in range(rows)], 0, 0
for text in re.findall(r"\x1b\[[0-9;?]*[A-Za-z]|.|\n", got.decode("utf-8", "replace"), re.S):
    if text == "\x1b[H":
        x = y = 0
    elif text == "\x1b[K":
        screen[y][x:] = [" "] * (columns - x)
    elif text == "\x1b[J":
        screen[y][x:] = [" "] * (columns - x)
        screen[y + 1 :] = [[" "] * columns for _ in screen[y + 1 :]]
    elif text == "\r":
        x = 0
    elif text >= " " or text == "\n":
        if text == "\n" or x == columns:  # the last column wraps
            x, y = (x if text == "\n" else 0), y + 1
        if y == rows:
            screen, y = screen[1:] + [[" "] * columns], rows - 1
        if text != "\n":
            screen[y][x] = text
            x += 1
print("\n".join("".join(line).rstrip() for line in screen).rstrip("\n"))
