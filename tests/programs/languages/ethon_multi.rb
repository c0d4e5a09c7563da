# URL...: all at once by Ethon::Multi, perform and fdset with timeout
require 'ethon'
multi = Ethon::Multi.new
calls = ARGV.map do |url|
  easy = Ethon::Easy.new(url: url)
  multi.add(easy)
  easy
end
multi.perform
calls.each { |easy| puts easy.response_body + easy.response_code.to_s }
