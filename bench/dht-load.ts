/**
 * Asks one DHT node as fast as it answers, and says what came of it: `node bench/dht-load.ts HOST PORT SECONDS`.
 *
 * From many ports, none more than 45 times: nodes do not hear who asks more than some 50 times in ten seconds. A fixed
 * number of questions is under way; one that is not answered within a second is given up.
 */
import { randomFillSync } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { argv, exit, stdout } from 'node:process';

const [, , host = '', port = '', seconds = ''] = argv;
const questionsPerPort = 45;
const underWayMax = 64;
const giveUpMs = 1000;

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
let current: Socket | null = null;
let currentCount = questionsPerPort;
let isOver = false;

function ask(): void {
  if (isOver) return;
  const socket = nextSocket();
  const question = Buffer.from(questions[asked % questions.length]!);
  const at = question.indexOf(targetMark);
  if (at >= 0) randomFillSync(question, at, 20);
  asked++;
  underWay++;
  socket.send(question, Number(port), host);
}

function nextSocket(): Socket {
  if (current !== null && currentCount < questionsPerPort) {
    currentCount++;
    return current;
  }
  const socket = createSocket('udp4');
  let left = questionsPerPort;
  socket.on('message', (bytes) => {
    // The node asks back now and then.
    if (!bytes.includes(answerMark)) return;
    answered++;
    underWay--;
    if (--left === 0) socket.close();
    fill();
  });
  current = socket;
  currentCount = 1;
  return socket;
}

function fill(): void {
  while (underWay < underWayMax && !isOver) ask();
}

let seen = 0;
const watch = setInterval(() => {
  // Nothing has come for so long: what was under way is lost.
  if (answered === seen) underWay = 0;
  seen = answered;
  fill();
}, giveUpMs);
fill();
setTimeout(() => {
  isOver = true;
  clearInterval(watch);
  stdout.write(`${JSON.stringify({ asked, answered })}\n`, () => exit(0));
}, Number(seconds) * 1000);
