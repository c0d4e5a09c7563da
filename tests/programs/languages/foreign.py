"""URL...: each by libcurl through ctypes, which finds the functions by dlsym"""
import ctypes
import sys

curl = ctypes.CDLL("libcurl.so.4", mode=ctypes.RTLD_LOCAL)
curl.curl_easy_init.restype = ctypes.c_void_p
URL, WRITEFUNCTION, RESPONSE_CODE = 10002, 20011, 0x200002


@ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p)
def write(data, size, count, _):
    print(ctypes.string_at(data, size * count).decode(), end="")
    return size * count


for url in sys.argv[1:]:
    easy = ctypes.c_void_p(curl.curl_easy_init())
    curl.curl_easy_setopt(easy, URL, url.encode())
    curl.curl_easy_setopt(easy, WRITEFUNCTION, write)
    code = curl.curl_easy_perform(easy)
    status = ctypes.c_long()
    curl.curl_easy_getinfo(easy, RESPONSE_CODE, ctypes.byref(status))
    if code:
        print("failed", code)
    print(status.value)
    curl.curl_easy_cleanup(easy)
