// Follows a session: what a board sends must be the lines of a file, and lines of the file that
// begin with "> " are commands, which are typed when the line before them has appeared. (A board
// shows a command that it has received in the same form, so the file is what one would see.) Lines
// from the board that begin with '#' are measurements, which are not in the file.
import { readFileSync } from 'node:fs';

export class Session {
  // `type` is called with the characters of each command.
  constructor(path, type) {
    this.lines = readFileSync(path, 'utf8').replace(/\n$/, '').split('\n');
    this.type = type;
    this.next = 0;
    this.text = '';
    this.measurements = [];
    this.error = null;
    this.exit = null;  // the status that the board ended with
  }

  // Types the command that is next, if the next line is one.
  advance() {
    const line = this.lines[this.next];
    if (line?.startsWith('> ')) this.type(line.slice(2) + '\n');
  }

  // A byte that the board has sent. Returns whether the session goes on.
  byte(value) {
    if (value !== 10) {
      this.text += String.fromCharCode(value);
      return true;
    }
    const line = this.text;
    this.text = '';
    console.log(line);
    if (line.startsWith('#')) {
      this.measurements.push(line);
      const exit = line.match(/^# exit (\d+)$/);
      if (exit) this.exit = Number(exit[1]);
    } else if (line !== this.lines[this.next]) {
      this.error = `line ${this.next + 1} should be: ${this.lines[this.next] ?? '(the end)'}`;
    } else {
      this.next++;
      this.advance();
    }
    return this.error === null && this.exit === null;
  }

  // What was wrong, or null; to be asked at the end.
  verdict() {
    if (this.error !== null) return this.error;
    if (this.exit === null) return 'the board has not ended';
    if (this.exit !== 0) return `the board has ended with status ${this.exit}`;
    if (this.next < this.lines.length) {
      return `line ${this.next + 1} is missing: ${this.lines[this.next]}`;
    }
    return null;
  }
}
