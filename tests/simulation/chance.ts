/** Seeded chance: the only source of randomness in the simulation. Streams are told apart by their label, so that one that is drawn from more or less often does not disturb the others. */
export class Chance {
  #a: number;
  #b: number;
  #c: number;
  #d = 1;

  constructor(readonly label: string) {
    const [a, b, c] = hashed(label);
    this.#a = a;
    this.#b = b;
    this.#c = c;
    for (let i = 0; i < 12; i++) this.#next();
  }

  /** Another stream, decided by this one's label and `label` alone. */
  fork(label: string): Chance {
    return new Chance(`${this.label}/${label}`);
  }

  /** Uniform in [0, 1). */
  fraction(): number {
    return this.#next() / 2 ** 32;
  }

  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number {
    return low + Math.floor(this.fraction() * (high - low + 1));
  }

  /** True with this probability. */
  happens(probability: number): boolean {
    return this.fraction() < probability;
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.fraction() * list.length)] as T;
  }

  /** A lower-case UUID of version 4. */
  uuid(): string {
    const hex = [0, 0, 0, 0].map(() => this.#next().toString(16).padStart(8, '0')).join('');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
  }

  /** One step of sfc32 (Chris Doty-Humphrey, PractRand). */
  #next(): number {
    const result = (this.#a + this.#b + this.#d) | 0;
    this.#d = (this.#d + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) | 0;
    return result >>> 0;
  }
}

/** FNV-1a over the label, three times from different beginnings. */
function hashed(label: string): readonly [number, number, number] {
  const of = (start: number): number => {
    let hash = start;
    for (let i = 0; i < label.length; i++) hash = Math.imul(hash ^ label.charCodeAt(i), 0x01000193);
    return hash | 0;
  };
  return [of(0x811c9dc5), of(0x9747b28c), of(0x1b873593)];
}
