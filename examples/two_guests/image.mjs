// Reads what a file puts into a board's memory: an ELF or a UF2 file. The result is a list of
// segments, { address, bytes }.
import { readFileSync } from 'node:fs';

// Of a 32-bit little-endian ARM executable, by the addresses where segments are loaded (initialized
// variables: in flash).
function segmentsOfElf(file, path) {
  const PT_LOAD = 1;
  const arm = file.length >= 52 && file[4] === 1 && file[5] === 1 && file.readUInt16LE(18) === 40;
  if (!arm) throw new Error(`${path} is not for 32-bit ARM`);
  const headers = file.readUInt32LE(28);
  const headerSize = file.readUInt16LE(42);
  const segments = [];
  for (let i = 0; i < file.readUInt16LE(44); ++i) {
    const at = headers + i * headerSize;
    if (at + 32 > file.length) throw new Error(`${path} ends within its program headers`);
    const offset = file.readUInt32LE(at + 4);
    const address = file.readUInt32LE(at + 12);
    const size = file.readUInt32LE(at + 16);
    if (file.readUInt32LE(at) !== PT_LOAD || size === 0) continue;
    if (offset + size > file.length) throw new Error(`${path} ends within a segment`);
    segments.push({ address, bytes: file.subarray(offset, offset + size) });
  }
  return segments;
}

// Of blocks as uf2.mjs makes them.
function segmentsOfUf2(file, path) {
  const segments = [];
  for (let at = 0; at < file.length; at += 512) {
    const whole = at + 512 <= file.length && file.readUInt32LE(at) === 0x0a324655 &&
      file.readUInt32LE(at + 4) === 0x9e5d5157 && file.readUInt32LE(at + 508) === 0x0ab16f30;
    const size = whole ? file.readUInt32LE(at + 16) : 0;
    if (!whole || size > 476) throw new Error(`${path} has no block of UF2 at ${at}`);
    const address = file.readUInt32LE(at + 12);
    segments.push({ address, bytes: file.subarray(at + 32, at + 32 + size) });
  }
  return segments;
}

export function loadImage(path) {
  const file = readFileSync(path);
  const magic = file.length >= 4 ? file.readUInt32LE(0) : 0;
  if (magic === 0x464c457f) return segmentsOfElf(file, path);
  if (magic === 0x0a324655) return segmentsOfUf2(file, path);
  throw new Error(`${path} is neither an ELF nor a UF2 file`);
}
