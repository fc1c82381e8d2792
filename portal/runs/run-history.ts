/** Pace of a run since its page was opened, of the counters as they came. Pure. */
export interface Sample {
  readonly at: number
  readonly rows: number
  readonly bytes: number
}

/** Two minutes at one look a second. */
const MOST = 120
/** Nodes report in steps: over less than this the pace of a steady copy would jump. */
const OVER_MS = 3_000

/** The same figures are taken once; a run that starts over starts a new history. */
export function withSample(history: readonly Sample[], sample: Sample): readonly Sample[] {
  const last = history.at(-1)
  if (last && sample.at <= last.at) return history
  if (last && sample.bytes < last.bytes) return [sample]
  return [...history, sample].slice(-MOST)
}

export interface PaceNow {
  readonly rowsPerSecond: number
  readonly bytesPerSecond: number
}

/** At each look after the first. */
export function paces(history: readonly Sample[]): readonly PaceNow[] {
  return history.slice(1).map((now, index) => {
    const from = history.slice(0, index + 1).findLast(({ at }) => now.at - at >= OVER_MS) ?? history[0] ?? now
    const seconds = (now.at - from.at) / 1_000
    const per = (amount: number) => (seconds > 0 ? Math.max(0, amount / seconds) : 0)
    return { rowsPerSecond: per(now.rows - from.rows), bytesPerSecond: per(now.bytes - from.bytes) }
  })
}
