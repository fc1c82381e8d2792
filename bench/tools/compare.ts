/** Two ways to do the same, measured in turns in one run: what disturbs the machine disturbs both. */

export interface Side {
  readonly name: string
  /** Does it once and resolves with the seconds that it took. */
  run(): Promise<number>
}

export interface Comparison {
  readonly title: string
  /** What one run moves, for the rate: rows or bytes. */
  readonly amount: number
  readonly unit: 'rows' | 'bytes'
  readonly peer: Side
  readonly ours: Side
  /** The least ratio that the project wants. */
  readonly wanted: number
  readonly runs: number
}

export interface Outcome {
  readonly peerSeconds: number
  readonly oursSeconds: number
  /** Our rate by the peer's: more is better. */
  readonly ratio: number
}

/** One round first that does not count, then `runs` rounds, the first of the two changing each time. */
export async function compare(comparison: Comparison): Promise<Outcome> {
  const { title, amount, unit, peer, ours, wanted, runs } = comparison
  console.log(`\n${title}`)
  await peer.run()
  await ours.run()
  const times = { peer: [] as number[], ours: [] as number[] }
  for (let round = 0; round < runs; round += 1) {
    const order = round % 2 === 0 ? (['peer', 'ours'] as const) : (['ours', 'peer'] as const)
    for (const side of order) times[side].push(await (side === 'peer' ? peer : ours).run())
  }
  const outcome = { peerSeconds: median(times.peer), oursSeconds: median(times.ours), ratio: median(times.peer) / median(times.ours) }
  const width = Math.max(peer.name.length, ours.name.length)
  for (const [name, all] of [
    [peer.name, times.peer],
    [ours.name, times.ours],
  ] as const)
    console.log(
      `  ${name.padEnd(width)}  ${median(all).toFixed(2)} s  ${rate(amount / median(all), unit).padStart(14)}   (${runs} runs: ${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)} s)`,
    )
  console.log(`  ${'ratio'.padEnd(width)}  ${outcome.ratio.toFixed(2)}    (wanted: at least ${wanted})`)
  return outcome
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5)
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}

export function rate(perSecond: number, unit: 'rows' | 'bytes'): string {
  return unit === 'rows' ? `${(perSecond / 1e6).toFixed(2)} M rows/s` : `${(perSecond / 1e6).toFixed(0)} MB/s`
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1_000
}
