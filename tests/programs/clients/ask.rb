# Connects in one of Ruby's ways and says how it ended. Usage: ask.rb plain|timeout|http HOST PORT
require "socket"
require "net/http"
way, host, port = ARGV
began = Process.clock_gettime(Process::CLOCK_MONOTONIC)
begin
  case way
  when "plain" then TCPSocket.new(host, port.to_i).close
  when "timeout" then Socket.tcp(host, port.to_i, connect_timeout: 30).close
  else
    http = Net::HTTP.new(host, port.to_i)
    http.open_timeout = 30
    http.max_retries = 0
    http.start
    http.finish
  end
  said = "connected"
rescue SystemCallError, Timeout::Error => e
  said = e.class
end
puts "took #{((Process.clock_gettime(Process::CLOCK_MONOTONIC) - began) * 1000).to_i}", said
