// Runs a program for the RP2040, an ELF or a UF2 file, in the emulator rp2040js, and follows a
// session with it.
//
//   node emulate.mjs PROGRAM SESSION.txt [--longest-gap MICROSECONDS] [--seconds N]
//
// rp2040js is looked for where node looks for packages from here, or in the folder that the
// environment variable RP2040JS names. The exit status is 0 if the board has sent the lines of the
// session (session.mjs), has ended with status 0 within N seconds of its time (default: 30), has
// set up its clocks, and has measured a gap below the one given.
//
// The emulator counts the cycles of each instruction as a Cortex-M0+ takes them, and its flash
// never waits. It comes without a boot ROM, so this script does what that does: checks the second
// stage of the boot in the first 256 bytes of flash, copies it to RAM and starts it. It has one
// core; the other is in second_core.mjs.
import { pathToFileURL } from 'node:url';

import { loadImage } from './image.mjs';
import { SecondCore } from './second_core.mjs';
import { Session } from './session.mjs';

const FLASH = 0x10000000;
const RAM = 0x20000000;
const BOOT2 = 0x20041f00;  // where the boot ROM puts it (RP2040 datasheet, 2.8.2.2)
const CYCLE = 8;           // nanoseconds, at 125 MHz
const BAUD = 115200;
const CHARACTER = 10 / BAUD * 1e9;  // nanoseconds, with start and stop bits

function usage(message) {
  console.error(message);
  console.error('usage: emulate.mjs PROGRAM SESSION.txt [--longest-gap MICROSECONDS] ' +
                '[--seconds N]');
  process.exit(2);
}

function parseArguments(args) {
  const files = [];
  const numbers = { '--longest-gap': Infinity, '--seconds': 30 };
  for (let i = 0; i < args.length; ++i) {
    if (!args[i].startsWith('--')) {
      files.push(args[i]);
    } else if (args[i] in numbers && args[i + 1] > 0) {
      numbers[args[i]] = Number(args[++i]);
    } else {
      usage(`${args[i]}: not an option, or no number after it`);
    }
  }
  if (files.length !== 2) usage('a program and a session are needed');
  return { program: files[0], session: files[1], longestGap: numbers['--longest-gap'],
           seconds: numbers['--seconds'] };
}

async function importEmulator() {
  const folder = process.env.RP2040JS;
  try {
    return await import(folder ? pathToFileURL(`${folder}/dist/esm/index.js`) : 'rp2040js');
  } catch (error) {
    console.error(`no rp2040js (npm install rp2040js@1.4.1): ${error.message}`);
    process.exit(2);
  }
}

// CRC-32 as the boot ROM computes it: not reflected, not inverted at the end.
function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte << 24;
    for (let bit = 0; bit < 8; ++bit) sum = (sum << 1) ^ (sum < 0 ? 0x04c11db7 : 0);
  }
  return sum >>> 0;
}

function load(chip, segments) {
  for (const { address, bytes } of segments) {
    const inFlash = address >= FLASH && address + bytes.length <= FLASH + chip.flash.length;
    if (!inFlash) throw new Error(`a segment at 0x${address.toString(16)} is not in flash`);
    chip.flash.set(bytes, address - FLASH);
  }
}

function boot(chip) {
  if (checksum(chip.flash.subarray(0, 252)) !== chip.flashView.getUint32(252, true)) {
    throw new Error('the boot ROM would not start this: wrong checksum in the first 256 bytes');
  }
  chip.sram.set(chip.flash.subarray(0, 256), BOOT2 - RAM);
  chip.core.SP = BOOT2;
  chip.core.PC = BOOT2;
}

class Board {
  constructor(emulator, segments) {
    this.chip = new emulator.RP2040();
    this.clock = this.chip.clock;
    this.chip.logger = new emulator.ConsoleLogger(emulator.LogLevel.Warn, true);
    this.second = new SecondCore(this.chip);
    this.instructions = 0;
    this.asleep = 0;  // nanoseconds
    load(this.chip, segments);
    boot(this.chip);
  }

  // Sends characters to the UART at the speed of its line.
  type(text) {
    [...text].forEach((character, i) => {
      this.clock.createAlarm(() => this.chip.uart[0].feedByte(character.charCodeAt(0)))
        .schedule((i + 1) * CHARACTER);
    });
  }

  // One instruction of the first core, and those of the second in the same time; if one of them
  // sleeps, of the other; if both do, the time until something happens.
  step() {
    const { chip, clock, second } = this;
    if (!chip.core.waiting) {
      clock.tick(chip.core.executeInstruction() * CYCLE);
      this.instructions++;
      while (second.awake && second.nanos < clock.nanos) {
        second.nanos += second.step() * CYCLE;
        this.instructions++;
      }
    } else if (second.awake) {
      clock.tick(second.step() * CYCLE);
      this.instructions++;
    } else {
      if (clock.nextAlarm === null) throw new Error('the board sleeps, and nothing will wake it');
      const pause = clock.nanosToNextAlarm;
      this.asleep += pause;
      clock.tick(pause);
    }
    if (chip.core.waiting || !second.awake) second.nanos = clock.nanos;
  }

  // Until `until()` is true or the board's time is over. Returns whether it was in time.
  run(seconds, until) {
    while (!until()) {
      if (this.clock.nanos > seconds * 1e9) return false;
      this.step();
    }
    return true;
  }
}

// Whether the program has set up the clocks and the UART as the session takes them to be.
function checkClocks(chip) {
  const { sysFreq, periFreq } = chip.clocks;
  if (sysFreq !== 1e9 / CYCLE) return `the processor runs at ${sysFreq / 1e6} MHz`;
  if (periFreq !== sysFreq) return `the UART gets ${periFreq / 1e6} MHz`;
  const { baudRate } = chip.uart[0];
  if (Math.abs(baudRate / BAUD - 1) > 0.02) return `the UART runs at ${baudRate} baud`;
  return null;
}

function checkGap(session, longestGap) {
  if (longestGap === Infinity) return null;
  const gaps = session.measurements.map((line) => line.match(/^# longest gap (\d+) us/));
  const gap = gaps.find(Boolean);
  if (!gap) return 'the board has not printed its longest gap';
  if (Number(gap[1]) >= longestGap) return `the longest gap is not below ${longestGap} us`;
  return null;
}

// Returns what was wrong, or null.
async function main() {
  const options = parseArguments(process.argv.slice(2));
  const emulator = await importEmulator();
  const board = new Board(emulator, loadImage(options.program));
  const session = new Session(options.session, (text) => board.type(text));
  let running = true;
  board.chip.uart[0].onByte = (value) => {
    running = running && session.byte(value);
  };
  session.advance();
  const started = process.hrtime.bigint();
  const inTime = board.run(options.seconds, () => !running);
  const took = Number(process.hrtime.bigint() - started) / 1e9;
  const { nanos } = board.clock;
  console.log(`emulated: ${Math.round(nanos / CYCLE)} cycles (${(nanos / 1e9).toFixed(3)} s), ` +
              `${board.instructions} instructions, ` +
              `asleep ${(board.asleep / nanos * 100).toFixed(1)} %, in ${took.toFixed(1)} s`);
  if (!inTime) return `the board has not ended after ${options.seconds} s of its time`;
  return session.verdict() ?? checkClocks(board.chip) ?? checkGap(session, options.longestGap);
}

const wrong = await main().catch((error) => error.message);
if (wrong !== null) {
  console.error(wrong);
  process.exit(1);
}
