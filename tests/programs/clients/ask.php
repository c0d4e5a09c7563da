<?php // Connects in one of PHP's ways and says how it ended. Usage: ask.php stream|sockets|pgsql|mysqli HOST PORT
[, $way, $host, $port] = $argv;
$began = microtime(true);
$said = 'connected';
mysqli_report_off();
switch ($way) {
    case 'stream':
        if (!@fsockopen($host, (int)$port, $error, $text, 30)) $said = "errno $error";
        break;
    case 'sockets':
        $socket = socket_create(AF_INET, SOCK_STREAM, SOL_TCP);
        if (!@socket_connect($socket, $host, (int)$port)) $said = 'errno ' . socket_last_error($socket);
        break;
    case 'pgsql':
        if (!@pg_connect("host=$host port=$port user=x dbname=x")) $said = error_get_last()['message'];
        break;
    case 'mysqli':
        if (!@mysqli_connect($host, 'x', 'x', 'x', (int)$port)) $said = mysqli_connect_error();
        break;
}
printf("took %d\n%s\n", (microtime(true) - $began) * 1000, $said);

function mysqli_report_off()
{
    if (function_exists('mysqli_report')) mysqli_report(MYSQLI_REPORT_OFF);
}
