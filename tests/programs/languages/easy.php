<?php // URL...: each by curl_exec, on a handle of its own
foreach (array_slice($argv ?? explode(' ', $_GET['urls']), isset($argv) ? 1 : 0) as $url) {
    $curl = curl_init($url);
    curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
    $body = curl_exec($curl);
    echo $body === false ? 'failed ' . curl_errno($curl) . "\n" : $body, curl_getinfo($curl, CURLINFO_RESPONSE_CODE), "\n";
}
