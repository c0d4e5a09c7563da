"""resolves.py URL...: gets each with one handle, whose CURLOPT_RESOLVE list is freed after the first: libcurl has read it by then."""
import ctypes
import sys

curl = ctypes.CDLL("libcurl.so.4")
curl.curl_easy_init.restype = curl.curl_slist_append.restype = ctypes.c_void_p
easy = ctypes.c_void_p(curl.curl_easy_init())
RESOLVE, URL, WRITEDATA = 10203, 10002, 10001
entries = ctypes.c_void_p(curl.curl_slist_append(None, b"elsewhere.test:80:127.0.0.1"))
curl.curl_easy_setopt(easy, RESOLVE, entries)
for url in sys.argv[1:]:
    curl.curl_easy_setopt(easy, URL, url.encode())
    print(curl.curl_easy_perform(easy), flush=True)
    if entries:
        curl.curl_slist_free_all(entries)
        entries = None
        again = [ctypes.create_string_buffer(b"\xff" * 16) for _ in range(1000)]  # into the memory that was freed
