# URL...: each by Ethon::Easy, then all at once by Ethon::Multi; FFI finds libcurl's functions by dlsym
require 'ethon'
Ethon.logger = Logger.new(nil) if Ethon.respond_to?(:logger=)
easy = Ethon::Easy.new
ARGV.each do |url|
  easy.url = url
  code = easy.perform
  puts "failed #{code}" unless code == :ok
  puts easy.response_body + easy.response_code.to_s
  easy.reset
end
