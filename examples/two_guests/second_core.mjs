// The RP2040's second core for rp2040js, which has one: another processor of its own, with an
// interrupt controller, that sees the same memory and devices; and what is between the cores, which
// rp2040js does not have either: the register that tells them apart, the two queues (RP2040
// datasheet, 2.3.1.4), the event that `sev` sends, and what the boot ROM of the second core does
// until the first core has sent it where to start (2.8.2).

const CPUID = 0x00, FIFO_STATUS = 0x50, FIFO_WRITE = 0x54, FIFO_READ = 0x58;
const VALID = 1, READY = 2, OVERFLOW = 4, UNDERFLOW = 8;
const DEPTH = 8;
const SIO_INTERRUPT = 15;  // of the first core; the second's is the next

// What one core sees of the core-local registers.
class CoreLocal {
  constructor(sio, number, read, write, interrupt) {
    Object.assign(this, { sio, number, read, write, interrupt, errors: 0 });
  }

  readUint32(offset) {
    switch (offset) {
      case CPUID: return this.number;
      case FIFO_STATUS:
        return (this.read.length > 0 ? VALID : 0) | (this.write.length < DEPTH ? READY : 0) |
          this.errors;
      case FIFO_READ: {
        if (this.read.length === 0) {
          this.errors |= UNDERFLOW;
          return 0;
        }
        const value = this.read.shift();
        this.interrupt();
        return value;
      }
      default: return this.sio.readUint32(offset);
    }
  }

  writeUint32(offset, value) {
    if (offset === FIFO_STATUS) {
      this.errors = 0;
    } else if (offset !== FIFO_WRITE) {
      this.sio.writeUint32(offset, value);
    } else if (this.write.length < DEPTH) {
      this.write.push(value >>> 0);
      this.interrupt();
    } else {
      this.errors |= OVERFLOW;
    }
  }
}

export class SecondCore {
  constructor(chip) {
    this.chip = chip;
    this.started = false;
    this.nanos = 0;  // how far it has run
    this.handshake = [];
    this.toFirst = [];
    this.toSecond = [];

    // The same chip as the second core sees it: all but what is overridden here is shared.
    const view = Object.create(chip);
    this.core = view.core = new chip.core.constructor(view);
    view.ppb = new chip.ppb.constructor(view, 'PPB1');
    const interrupt = () => this.#fifoInterrupts();
    view.sio = new CoreLocal(chip.sio, 1, this.toSecond, this.toFirst, interrupt);
    chip.sio = new CoreLocal(chip.sio, 0, this.toFirst, this.toSecond, interrupt);
    view.logger = chip.logger = this.#listening(chip.logger);
    chip.setInterrupt = (number, value) => {
      chip.core.setInterrupt(number, value);
      if (this.started) this.core.setInterrupt(number, value);
    };
  }

  get awake() {
    return this.started && !this.core.waiting;
  }

  // One instruction; returns its cycles.
  step() {
    return this.core.executeInstruction();
  }

  // rp2040js says in its log that there was a `sev`, and does no more about it.
  #listening(logger) {
    const listening = Object.create(logger);
    listening.info = (component, text) => {
      if (text !== 'SEV') return logger.info(component, text);
      for (const core of [this.chip.core, this.core]) {
        if (core.waiting) core.waiting = false;
        else core.eventRegistered = true;
      }
    };
    return listening;
  }

  #fifoInterrupts() {
    if (!this.started) this.#boot();
    this.chip.core.setInterrupt(SIO_INTERRUPT, this.toFirst.length > 0);
    if (this.started) this.core.setInterrupt(SIO_INTERRUPT + 1, this.toSecond.length > 0);
  }

  // The boot ROM sends back what it gets. After 0, 0 and 1 it takes the vector table, the stack
  // pointer and where to start; anything else begins anew.
  #boot() {
    while (this.toSecond.length > 0 && !this.started) {
      const value = this.toSecond.shift();
      this.toFirst.push(value);
      const expected = [0, 0, 1][this.handshake.length];
      if (expected === undefined || value === expected) this.handshake.push(value);
      else this.handshake = value === 0 ? [0] : [];
      if (this.handshake.length === 6) {
        const [, , , vectors, stack, entry] = this.handshake;
        this.core.VTOR = vectors;
        this.core.SP = stack;
        this.core.PC = entry & ~1;
        this.nanos = this.chip.clock.nanos;
        this.started = true;
      }
    }
  }
}
