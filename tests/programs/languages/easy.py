"""URL...: each by pycurl's perform, on one handle"""
import io
import sys

import pycurl

easy = pycurl.Curl()
for url in sys.argv[1:]:
    body = io.BytesIO()
    easy.setopt(pycurl.URL, url)
    easy.setopt(pycurl.WRITEDATA, body)
    try:
        easy.perform()
    except pycurl.error as error:
        print("failed", error.args[0])
    print(body.getvalue().decode() + str(easy.getinfo(pycurl.RESPONSE_CODE)))
