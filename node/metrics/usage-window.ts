/** An hour of samples, the longest window that can be set; older ones are written over. */
const SAMPLES = 3_600
/** A machine that slept for an hour was not busy for an hour with what its first second showed. */
const LONGEST_MS = 10_000

export interface UsageSample {
  readonly cpuPercent: number
  readonly memoryPercent: number
  /** What it stands for: the time since the sample before. */
  readonly ms: number
}

export interface UsageAverage {
  readonly cpuPercent: number
  readonly memoryPercent: number
  /** How much of the window has been seen. */
  readonly overSeconds: number
}

/** CPU and memory of the last hour, in a ring. The average is weighted by time: late samples count for as long as they stand for. */
export class UsageWindow {
  readonly #cpu = new Float64Array(SAMPLES)
  readonly #memory = new Float64Array(SAMPLES)
  readonly #ms = new Float64Array(SAMPLES)
  #next = 0
  #count = 0

  add({ cpuPercent, memoryPercent, ms }: UsageSample): void {
    this.#cpu[this.#next] = cpuPercent
    this.#memory[this.#next] = memoryPercent
    this.#ms[this.#next] = Math.min(LONGEST_MS, Math.max(1, ms))
    this.#next = (this.#next + 1) % SAMPLES
    this.#count = Math.min(SAMPLES, this.#count + 1)
  }

  /** Of the last so many minutes, or of as much as there is; undefined before the first sample. */
  average(minutes: number): UsageAverage | undefined {
    const most = minutes * 60_000
    let seen = 0
    let cpu = 0
    let memory = 0
    for (let back = 1; back <= this.#count && seen < most; back += 1) {
      const at = (this.#next - back + SAMPLES) % SAMPLES
      const ms = Math.min(this.#ms[at] ?? 0, most - seen)
      seen += ms
      cpu += (this.#cpu[at] ?? 0) * ms
      memory += (this.#memory[at] ?? 0) * ms
    }
    if (seen === 0) return undefined
    return { cpuPercent: round(cpu / seen), memoryPercent: round(memory / seen), overSeconds: Math.round(seen / 1_000) }
  }
}

const round = (value: number): number => Math.round(value * 10) / 10
