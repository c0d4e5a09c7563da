<?php // Connects and says how it ended. Usage: ask.php HOST PORT. (Extensions, which are bound deeply: deep_test.sh.)
[, $host, $port] = $argv;
$began = microtime(true);
$error = 0;
$stream = @fsockopen($host, (int)$port, $error, $text, 30);
printf("took %d\n%s\n", (microtime(true) - $began) * 1000, $stream ? "connected" : "errno $error");
