# URL...: all at once by multi_run
urls <- commandArgs(TRUE)
replies <- list()
pool <- curl::new_pool()
for (url in urls) local({
    mine <- url
    curl::curl_fetch_multi(mine, function(reply) replies[[mine]] <<- reply, function(why) cat("failed\n"), pool = pool)
})
end <- curl::multi_run(pool = pool)
for (url in urls) if (!is.null(replies[[url]])) cat(rawToChar(replies[[url]]$content), replies[[url]]$status_code, "\n", sep = "")
cat(end$success, "ended\n")
