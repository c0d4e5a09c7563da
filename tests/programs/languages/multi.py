"""URL...: all at once by pycurl's CurlMulti, perform and select"""
import io
import sys

import pycurl

multi = pycurl.CurlMulti()
calls = []
for url in sys.argv[1:]:
    easy, body = pycurl.Curl(), io.BytesIO()
    easy.setopt(pycurl.URL, url)
    easy.setopt(pycurl.WRITEDATA, body)
    multi.add_handle(easy)
    calls.append((easy, body))
running = len(calls)
ended = 0
while running:
    while True:
        status, running = multi.perform()
        if status != pycurl.E_CALL_MULTI_PERFORM:
            break
    _, good, bad = multi.info_read()
    ended += len(good) + len(bad)
    if running:
        multi.select(1.0)
for easy, body in calls:
    print(body.getvalue().decode() + str(easy.getinfo(pycurl.RESPONSE_CODE)))
print(ended, "ended")
