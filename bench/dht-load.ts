/**
 * Asks one DHT node as fast as it answers, and says how many answers came: `node bench/dht-load.ts HOST PORT SECONDS`.
 *
 * From many ports, none more than 45 times in ten seconds, for nodes do not hear who asks more: they are taken from a
 * range that lasts for longer than that. Each question comes from another port than the one before, as those of a real
 * DHT do: nothing about one may help with the next. A fixed number is under way; when nothing has come for a moment,
 * those are given up. A line in JSON for each second: what was asked and answered since the start.
 */
import { randomFillSync } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { argv, exit, stdout } from 'node:process';

const [, , host = '', port = '', seconds = ''] = argv;
const questionsPerPort = 45;
/** Below those that the system gives out, and above those that others use: 270,000 questions a second for 10 s. */
const [portMin, portMax] = [2000, 62_000];
const underWayMax = 64;
const giveUpMs = 100;

const head = (query: string, more: string): Buffer =>
  Buffer.from(`d1:ad2:id20:${'x'.repeat(20)}${more}e1:q${query.length}:${query}1:t2:tt1:y1:qe`);
const target = 'y'.repeat(20);
/** Seven in ten look for peers, two for nodes, one for life: as what reaches nodes of the public DHT. */
const questions = [
  ...Array<Buffer>(7).fill(head('get_peers', `9:info_hash20:${target}`)),
  ...Array<Buffer>(2).fill(head('find_node', `6:target20:${target}`)),
  head('ping', ''),
];
const targetMark = Buffer.from(target);
const answerMark = Buffer.from('1:y1:r');

let asked = 0;
let answered = 0;
let underWay = 0;
/** As many sockets as questions are under way, which ask in turn. */
const asking: (Asking | undefined)[] = new Array<undefined>(underWayMax);
let turn = 0;
let nextPort = portMin;

type Asking = { readonly socket: Socket; askedCount: number };

function ask(): void {
  const socket = nextSocket();
  const question = Buffer.from(questions[asked % questions.length]!);
  const at = question.indexOf(targetMark);
  if (at >= 0) randomFillSync(question, at, 20);
  asked++;
  underWay++;
  socket.send(question, Number(port), host);
}

function nextSocket(): Socket {
  turn = (turn + 1) % asking.length;
  let one = asking[turn];
  if (one === undefined || one.askedCount === questionsPerPort) {
    one = { socket: openSocket(), askedCount: 0 };
    asking[turn] = one;
  }
  one.askedCount++;
  return one.socket;
}

function openSocket(): Socket {
  const socket = createSocket({ type: 'udp4', lookup: (name, _family, done) => done(null, name, 4) });
  // A port that somebody has: its questions are lost, and given up.
  socket.on('error', () => {});
  socket.bind(nextPort);
  nextPort = nextPort === portMax ? portMin : nextPort + 1;
  let left = questionsPerPort;
  socket.on('message', (bytes) => {
    // The node asks back now and then.
    if (bytes.indexOf(answerMark, -8) < 0) return;
    answered++;
    if (underWay > 0) underWay--;
    if (--left === 0) socket.close();
    fill();
  });
  return socket;
}

function fill(): void {
  while (underWay < underWayMax) ask();
}

let seen = 0;
setInterval(() => {
  if (answered === seen) underWay = 0;
  seen = answered;
  fill();
}, giveUpMs);
setInterval(() => stdout.write(`${JSON.stringify({ asked, answered })}\n`), 1000);
fill();
setTimeout(() => exit(0), Number(seconds) * 1000 + 500);
