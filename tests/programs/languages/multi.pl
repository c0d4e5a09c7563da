# URL...: all at once by WWW::Curl::Multi, perform and select on fdset
use WWW::Curl::Easy;
use WWW::Curl::Multi;
my $multi = WWW::Curl::Multi->new;
my (@calls, $ended);
for my $number (0 .. $#ARGV) {
    my $call = { easy => WWW::Curl::Easy->new, body => '' };
    open($call->{to}, '>', \$call->{body});
    $call->{easy}->setopt(CURLOPT_URL, $ARGV[$number]);
    $call->{easy}->setopt(CURLOPT_WRITEDATA, $call->{to});
    $call->{easy}->setopt(CURLOPT_PRIVATE, $number + 1);
    $multi->add_handle($call->{easy});
    push @calls, $call;
}
my $left = @calls;
while ($left) {
    my $running = $multi->perform;
    if ($running != $left) {
        while (my ($number, $code) = $multi->info_read) {
            last unless $number;
            $calls[$number - 1]{status} = $code ? "failed $code" : $calls[$number - 1]{easy}->getinfo(CURLINFO_HTTP_CODE);
            $left--;
            $ended++;
        }
    }
    select(undef, undef, undef, 0.005);
}
print $_->{body}, $_->{status}, "\n" for @calls;
print "$ended ended\n";
