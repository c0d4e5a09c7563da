# URL...: all at once by Curl::Multi
require 'curb'
multi = Curl::Multi.new
calls = ARGV.map do |url|
  easy = Curl::Easy.new(url)
  multi.add(easy)
  easy
end
multi.perform
calls.each { |easy| puts easy.body_str.to_s + easy.response_code.to_s }
