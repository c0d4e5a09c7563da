# URL...: each by WWW::Curl::Easy, on one handle
use WWW::Curl::Easy;
my $curl = WWW::Curl::Easy->new;
for my $url (@ARGV) {
    my $body = '';
    open(my $to, '>', \$body);
    $curl->setopt(CURLOPT_URL, $url);
    $curl->setopt(CURLOPT_WRITEDATA, $to);
    my $code = $curl->perform;
    print "failed $code\n" if $code;
    print $body, $curl->getinfo(CURLINFO_HTTP_CODE), "\n";
}
