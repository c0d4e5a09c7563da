// Connects and says how it ended, and the longest time that a timer of 50 ms was late. Usage: ask.js HOST PORT
const net = require("net");
const [host, port] = process.argv.slice(2);
const began = Date.now();
let last = began, gap = 0;
const timer = setInterval(() => { gap = Math.max(gap, Date.now() - last); last = Date.now(); }, 50);
const end = (said) => { console.log(`gap ${gap}\ntook ${Date.now() - began}\n${said}`); clearInterval(timer); };
const socket = net.connect({ host, port: Number(port) }, () => { end("connected"); socket.destroy(); });
socket.on("error", (error) => end(error.code));
