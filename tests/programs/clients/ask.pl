# Connects in one of Perl's ways and says how it ended. Usage: ask.pl plain|timeout HOST PORT
use strict; use warnings;
use IO::Socket::INET; use Time::HiRes qw(time);
my ($way, $host, $port) = @ARGV;
my $began = time;
my $socket = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, $way eq "timeout" ? (Timeout => 30) : ());
my $error = $! + 0;
printf "took %d\n%s\n", (time - $began) * 1000, $socket ? "connected" : "errno $error";
