#!/usr/bin/env python3
"""Connects to many names that share few addresses. Usage: many.py threads|asyncio COUNT PORT TIMES"""
import asyncio
import socket
import sys
import threading

way, count, port, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
names = [f"n{i}.many.test" for i in range(count)]


def dial(name):
    for _ in range(times):
        with socket.socket() as s:
            s.connect(socket.getaddrinfo(name, port, socket.AF_INET, socket.SOCK_STREAM)[0][4])


async def dial_all():
    async def one(name):
        for _ in range(times):
            _, writer = await asyncio.open_connection(name, port, family=socket.AF_INET)
            writer.close()
            await writer.wait_closed()

    await asyncio.gather(*(one(name) for name in names))


if way == "threads":
    threads = [threading.Thread(target=dial, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
else:
    asyncio.run(dial_all())
