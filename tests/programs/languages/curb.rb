# URL...: each by Curl::Easy, which is a multi handle inside
require 'curb'
ARGV.each do |url|
  begin
    easy = Curl::Easy.new(url)
    easy.perform
    puts easy.body_str + easy.response_code.to_s
  rescue Curl::Err::CurlError => e
    puts "failed #{e.class}", 0
  end
end
