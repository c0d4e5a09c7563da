<?php // URL...: all at once by curl_multi
$multi = curl_multi_init();
$list = [];
foreach (array_slice($argv, 1) as $url) {
    $list[] = $curl = curl_init($url);
    curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
    curl_multi_add_handle($multi, $curl);
}
do {
    $status = curl_multi_exec($multi, $running);
    if ($running) {
        curl_multi_select($multi, 1.0);
    }
} while ($running && $status == CURLM_OK);
$ended = 0;
while (curl_multi_info_read($multi)) {
    $ended++;
}
foreach ($list as $curl) {
    echo curl_multi_getcontent($curl), curl_getinfo($curl, CURLINFO_RESPONSE_CODE), "\n";
    curl_multi_remove_handle($multi, $curl);
}
echo "$ended ended\n";
