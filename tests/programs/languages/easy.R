# URL...: each by curl_fetch_memory (which is a multi handle and curl_multi_wait inside)
for (url in commandArgs(TRUE)) {
    reply <- tryCatch(curl::curl_fetch_memory(url), error = function(e) NULL)
    if (is.null(reply)) cat("failed\n0\n") else cat(rawToChar(reply$content), reply$status_code, "\n", sep = "")
}
