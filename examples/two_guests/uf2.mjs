// Makes a UF2 file of a program for the RP2040: what the board takes when it is plugged in with its
// button pressed and shows up as a disk.
//
//   node uf2.mjs PROGRAM.elf PROGRAM.uf2
//
// The format (https://github.com/microsoft/uf2): blocks of 512 bytes that carry 256 bytes each,
// with their address, their number and how many there are.
import { writeFileSync } from 'node:fs';

import { loadImage } from './image.mjs';

const PAGE = 256;
const RP2040_FAMILY = 0xe48bff56;

// Whole pages of flash, by their addresses; what is between segments is as in erased flash.
function pagesOf(segments) {
  const pages = new Map();
  for (const { address, bytes } of segments) {
    bytes.forEach((byte, i) => {
      const at = address + i;
      const page = at - at % PAGE;
      if (!pages.has(page)) pages.set(page, new Uint8Array(PAGE).fill(0xff));
      pages.get(page)[at % PAGE] = byte;
    });
  }
  return [...pages].sort(([a], [b]) => a - b);
}

function blockOf(address, bytes, number, count) {
  const block = Buffer.alloc(512);
  const words = [0x0a324655, 0x9e5d5157, 0x2000 /* the family's number follows */, address, PAGE,
                 number, count, RP2040_FAMILY];
  words.forEach((word, i) => block.writeUInt32LE(word, 4 * i));
  block.set(bytes, 32);
  block.writeUInt32LE(0x0ab16f30, 508);
  return block;
}

const [program, output] = process.argv.slice(2);
if (output === undefined) {
  console.error('usage: uf2.mjs PROGRAM.elf PROGRAM.uf2');
  process.exit(2);
}
try {
  const pages = pagesOf(loadImage(program));
  const blocks = pages.map(([address, bytes], i) => blockOf(address, bytes, i, pages.length));
  writeFileSync(output, Buffer.concat(blocks));
  console.log(`${output}: ${pages.length} pages of flash`);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
