// Connects to many names that share few addresses. Usage: many.js COUNT PORT TIMES
const net = require("net");
const [count, port, times] = process.argv.slice(2).map(Number);
const dial = (host, left) => left > 0 && net.connect({ host, port, family: 4 }, function () { this.on("close", () => dial(host, left - 1)); this.destroy(); });
for (let i = 0; i < count; i++) dial(`n${i}.many.test`, times);
